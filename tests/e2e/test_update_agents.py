# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's systemd, RAUC and SWUpdate with the examples of docs/updates.md: stage into the slot that does not run, switch,
and back."""

import json
import re
import shutil
import subprocess

import pexpect
import pytest

import stash
from qemu import BUILD, IMAGE, TOP, Machine, closed_on_failure, make_disk
from stash import BASE

EXAMPLES = TOP / "docs/examples"
KEYS = BUILD / "keys"
WORK = BUILD / "tests/update"
GUEST = BUILD / "update-guest.img"
APPEND = "console=ttyAMA0 root=/dev/vda ro systemd.show_status=0 rauc.external"


def run(*argv, cwd=None):
    done = subprocess.run([str(arg) for arg in argv], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def bundle(folder):
    out = folder / "update.raucb"
    out.unlink(missing_ok=True)
    (folder / "bundle").mkdir()
    for name in ("manifest.raucm", "hook"):
        shutil.copy(EXAMPLES / "rauc" / name, folder / "bundle" / name)
    shutil.copy(folder / "update.itb", folder / "bundle/update.itb")
    run("rauc", "bundle", "--cert", KEYS / "signer.pem", "--key", KEYS / "signer.key", "--keyring", KEYS / "ca.pem",
        folder / "bundle", out)
    return out


def release(name, damaged=False):
    """A release as a FIT, in RAUC's and SWUpdate's form: (bundle, .swu)."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(IMAGE, folder / "Image")
    # Without /init the kernel mounts the root file system
    (folder / "release").write_text(name)
    with open(folder / "initrd.img", "wb") as initrd:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"release\n", stdout=initrd, cwd=folder, check=True)
    shutil.copy(EXAMPLES / "update.its", folder)
    run("mkimage", "-f", "update.its", "update.itb", cwd=folder)
    if damaged:
        fit = bytearray((folder / "update.itb").read_bytes())
        fit[len(fit) // 2] ^= 1
        (folder / "update.itb").write_bytes(fit)
    run(EXAMPLES / "swupdate/pack", folder, KEYS / "signer.pem", KEYS / "signer.key")
    return bundle(folder), folder / "update.swu"


@pytest.fixture(scope="module")
def media():
    """A disk with the releases: a good one, one with a damaged kernel, and some changed on the way."""
    WORK.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, damaged in (("good", False), ("damaged", True)):
        files[f"{name}.raucb"], files[f"{name}.swu"] = release(name, damaged)
    for kind, offset in (("raucb", 4096), ("swu", 5 << 20)):
        changed = bytearray(files[f"good.{kind}"].read_bytes())
        changed[offset] ^= 1
        files[f"changed.{kind}"] = WORK / f"changed.{kind}"
        files[f"changed.{kind}"].write_bytes(changed)
    files |= {"ca.pem": KEYS / "ca.pem", "Image": IMAGE}
    make_disk(WORK / "media.img", files)
    return WORK / "media.img"


def machine(name, media):
    nodes = [stash.node(slot, base) for slot, base in BASE.items()]
    m = Machine(name, kernel=IMAGE, append=APPEND, dtb=stash.device_tree(name, nodes), disk=GUEST,
                extra=["-drive", f"file={media},format=raw,if=none,id=media,readonly=on",
                       "-device", "virtio-blk-pci,drive=media"])
    with closed_on_failure(m):
        up(m)
    return m


@pytest.fixture(scope="class")
def m(request, media):
    """A machine for the steps of a class."""
    with machine(request.cls.__name__.replace("Test", "agents-").lower(), media) as m:
        yield m


def up(m):
    m.shell(180)
    m.run("mount -t ext4 -o ro /dev/vdb /mnt")


def switch(m, command):
    """Go through systemd's shutdown into the loaded image."""
    m.jump(command)
    up(m)


def states(m):
    return {slot["name"]: slot["state"] for slot in json.loads(m.run("kexec-membuf list --json"))["slots"]}


def failed_units(m):
    return m.run("systemctl --failed --no-legend --plain").strip()


def journal(m, unit):
    """A unit's lines until now; journald may be a moment behind."""
    return m.run(f"journalctl --sync; journalctl -u {unit} -o cat --no-pager")


def rauc_slots(m):
    """RAUC's view: bootname -> (state, boot status), and the slot that it was booted from."""
    status = json.loads(m.run("rauc status --output-format=json", timeout=120).splitlines()[-1])
    print(json.dumps(status, indent=1))
    slots = {}
    for entry in status["slots"]:
        for slot in entry.values():
            slots[slot["bootname"]] = (slot["state"], slot["boot_status"])
    return slots, status["booted"], status["boot_primary"]


@pytest.mark.steps
class TestRauc:
    """Two releases in a row, by bundle, and two bad bundles."""

    def test_system_is_up(self, m):
        assert m.run("systemctl is-system-running").strip() == "running", failed_units(m)
        assert states(m) == {"a": "empty", "b": "empty"}
        assert "nosuid,nodev,noexec" in m.run("grep kexec_stash /proc/mounts")

    def test_first_bundle_goes_to_a(self, m):
        print(m.run("rauc install /mnt/good.raucb", timeout=180))
        assert states(m) == {"a": "loaded", "b": "empty"}
        slots, _, primary = rauc_slots(m)
        assert slots["a"] == ("inactive", "good") and primary == "kernel.0"

    def test_switch_to_it(self, m):
        switch(m, "systemctl kexec")
        assert states(m) == {"a": "running", "b": "empty"}
        slots, booted, _ = rauc_slots(m)
        assert slots["a"] == ("booted", "good") and booted == "a"

    def test_second_bundle_goes_to_the_other(self, m):
        print(m.run("rauc install /mnt/good.raucb", timeout=180))
        assert states(m) == {"a": "running", "b": "loaded"}

    def test_once_more_while_that_is_loaded(self, m):
        """The loaded slot is sealed, so it is unloaded and staged again."""
        print(m.run("rauc install /mnt/good.raucb", timeout=180))
        assert states(m) == {"a": "running", "b": "loaded"}

    def test_changed_bundle_is_refused(self, m):
        """Nothing is written: the slot and the loaded image are unchanged."""
        output = m.fails("rauc install /mnt/changed.raucb", timeout=180)
        print(output)
        assert re.search("signature|verif|bundle", output)
        assert states(m) == {"a": "running", "b": "loaded"}

    def test_damaged_release_leaves_the_slot_empty(self, m):
        """The bundle's signature is good, but the FIT's own hash is wrong."""
        output = m.fails("rauc install /mnt/damaged.raucb", timeout=180)
        print(output)
        assert states(m) == {"a": "running", "b": "empty"}
        assert "sha256" in journal(m, "rauc")

    def test_and_on(self, m):
        m.run("rauc install /mnt/good.raucb", timeout=180)
        switch(m, "kexec-membuf exec")
        assert states(m) == {"a": "empty", "b": "running"}
        assert rauc_slots(m)[1] == "b"


@pytest.mark.steps
class TestSwupdate:
    """The same by a signed .swu and a shell script."""

    @staticmethod
    def install(name, slot):
        return f"swupdate -H example:1.0 -k /mnt/ca.pem -e stable,{slot} -i /mnt/{name}.swu"

    def test_staged_and_loaded(self, m):
        print(m.run(self.install("good", "b"), timeout=180))
        assert states(m) == {"a": "empty", "b": "loaded"}

    def test_changed_file_is_refused(self, m):
        output = m.fails(self.install("changed", "a"), timeout=180)
        print(output)
        assert "hash" in output.lower() or "checksum" in output.lower()
        assert states(m) == {"a": "empty", "b": "loaded"}

    def test_damaged_release_leaves_the_slot_empty(self, m):
        output = m.fails(self.install("damaged", "a"), timeout=180)
        print(output)
        assert states(m) == {"a": "empty", "b": "loaded"}

    def test_switch_with_kexec_tools(self, m):
        """kexec -e does not ask services to stop; it jumps."""
        switch(m, "sync; kexec -e")
        assert states(m) == {"a": "empty", "b": "running"}

    def test_and_back(self, m):
        m.run(self.install("good", "a"), timeout=180)
        switch(m, "systemctl kexec")
        assert states(m) == {"a": "running", "b": "empty"}


@pytest.mark.steps
class TestUnits:
    """kexec-membuf-load@.service."""

    def test_started_it_loads_now(self, m):
        for slot in BASE:
            m.run(f"kexec-membuf stage {slot} --kernel /mnt/Image --reuse-cmdline", timeout=120)
        m.run("systemctl start kexec-membuf-load@a")
        assert states(m) == {"a": "loaded", "b": "staged"}
        assert "loaded in" in journal(m, "kexec-membuf-load@a")

    def test_reason_of_a_failure_is_in_the_journal(self, m):
        m.fails("systemctl start kexec-membuf-load@nosuch")
        said = journal(m, "kexec-membuf-load@nosuch")
        print(said)
        assert "slot 'nosuch'" in said
        assert states(m) == {"a": "loaded", "b": "staged"}

    def test_what_is_loaded_wins(self, m):
        m.run("systemctl enable --runtime kexec-membuf-load@b")
        switch(m, "kexec-membuf exec")
        assert states(m) == {"a": "running", "b": "staged"}

    def test_enabled_it_loads_on_the_way_down(self, m):
        m.run("systemctl enable --runtime kexec-membuf-load@b")
        switch(m, "systemctl start kexec.target")
        assert states(m) == {"a": "empty", "b": "running"}

    def test_failure_on_the_way_down_is_an_ordinary_reboot(self, m):
        """An empty slot cannot be loaded. The machine does not hang; QEMU ends it at the reboot."""
        m.run("systemctl enable --runtime kexec-membuf-load@a")
        m.jump("systemctl start kexec.target")
        assert m.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=120) == 0
        assert re.search("reboot: Restarting system", m.log.text())
