# SPDX-License-Identifier: GPL-2.0-or-later
"""No signature covers a command line. docs/signing.md says what to do: a signed kernel that takes none, from end to end."""

import re

import pytest

import signing
import stash
from page import Page
from qemu import BUILD, IMAGE, TOP, make_disk

OWN = BUILD / "linux-cmdline-force/arch/arm64/boot/Image"
CONFIG = Page("signing.md", ["cmdline-config"]).block("cmdline-config").splitlines()
FORCED = re.match(r'CONFIG_CMDLINE="(.*)"$', CONFIG[0]).group(1)
HOSTILE = "console=ttyAMA0 rdinit=/evil init=/evil ima_policy=tcb lockdown=none"
EVIL = """#!/bin/sh
echo 'evil was here' > /dev/console
exec /init
"""
TCB_RULE = "dont_measure fsmagic=0x9fa0"


def test_kernel_is_configured_as_the_page_says():
    fragment = (TOP / "configs/cmdline-force.config").read_text().splitlines()
    assert set(CONFIG) == {line for line in fragment if line.startswith("CONFIG_")}
    assert set(CONFIG) <= set((OWN.parents[3] / ".config").read_text().splitlines())


@pytest.mark.parametrize("image", [IMAGE, OWN], ids=["takes it", "takes none"])
def test_hostile_command_line(image):
    """Signatures are forced. Root gives the next kernel, which has a good one, any command line."""
    name = image.parents[3].name
    evil = stash.WORK / "cmdline.evil"
    evil.parent.mkdir(parents=True, exist_ok=True)
    evil.write_text(EVIL)
    evil.chmod(0o755)
    signed = stash.WORK / f"cmdline-{name}.pe"
    signing.pe_signed(image, signed)
    disk = make_disk(stash.WORK / f"cmdline-{name}.img", {
        "signed": signed, "unsigned": image, "initrd": stash.initrd_with("cmdline-evil", {"evil": evil})})
    with stash.direct_machine(f"signed-cmdline-{name}", [stash.node("a", stash.BASE_A)], kernel=signing.SIG_FORCE_IMAGE,
                              extra=["-drive", f"file={disk},format=raw,if=none,id=cmdline,snapshot=on",
                                     "-device", "virtio-blk-pci,drive=cmdline"]) as m:
        m.run("mkdir -p /cmdline; mount -t ext4 -o ro /dev/vdb /cmdline")
        m.run("kexec-membuf stage a --kernel /cmdline/unsigned --initrd /cmdline/initrd", timeout=120)
        assert "ENODATA" in m.fails(f"kexec-membuf load a --command-line '{HOSTILE}'")
        m.run("kexec-membuf stage a --kernel /cmdline/signed --initrd /cmdline/initrd", timeout=120)
        m.run(f"kexec-membuf load a --command-line '{HOSTILE}'")
        assert stash.state(m, "a") == "loaded"
        before = len(m.log.lines)
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
        seen = {"cmdline": m.read("/proc/cmdline"), "lockdown": m.read("/sys/kernel/security/lockdown"),
                "tcb": TCB_RULE in m.read("/sys/kernel/security/ima/policy"),
                "evil": any("evil was here" in text for _, text in m.log.lines[before:])}
        print(seen)
        if image == OWN:
            assert seen == {"cmdline": FORCED, "lockdown": "none [integrity] confidentiality", "tcb": False,
                            "evil": False}
        else:
            assert seen == {"cmdline": HOSTILE, "lockdown": "[none] integrity confidentiality", "tcb": True,
                            "evil": True}
