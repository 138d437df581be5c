# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/signing.md: its commands, taken from the page, take a reader to an enforced, signed, adopted kernel."""

import base64
import os
import re
import shutil
import subprocess

import pytest

import signing
import stash
from page import Page
from qemu import BUILD, IMAGE, UBOOT, Machine, closed_on_failure, make_disk

# Every block of the page, in its order. scripts/keys runs the first one.
PAGE = Page("signing.md", [
    "workstation keys", "kernel-config", "workstation sign", "workstation sign-inside", "uboot", "device recorded",
    "device keys", "device policy", "device verify", "verify", "device load", "device measured", "device unsigned",
    "unsigned", "unsigned-log", "unsigned-verify", "device changed", "changed-log", "device exec", "device stage",
    "device stage-modsig", "uboot-dtb", "device dtb-unsigned", "workstation sign-dtb", "device dtb-signed",
    "device lockdown", "lockdown-log", "device stage-pe", "cmdline-config",
])
block, shows = PAGE.block, PAGE.shows


def test_all_of_the_page_is_known_here():
    assert PAGE.fences() == PAGE.blocks


def make_config(folder, target):
    """Run a target of the kernel's configuration."""
    subprocess.run(["make", "-s", "-C", (BUILD / "linux/source").resolve(), f"O={folder}", "ARCH=arm64",
                    "CROSS_COMPILE=aarch64-linux-gnu-", target], check=True, capture_output=True)


def test_kernel_is_configured_as_the_page_says(tmp_path):
    """The page's options are in the tested kernel, and are all that arm64's defconfig lacks."""
    wanted = block("kernel-config").splitlines()
    make_config(tmp_path, "defconfig")
    with open(tmp_path / ".config", "a", encoding="ascii") as config:
        config.write("\n".join(wanted) + "\n")
    make_config(tmp_path, "olddefconfig")
    for config in (BUILD / "linux/.config", tmp_path / ".config"):
        missing = set(wanted) - set(config.read_text().splitlines())
        assert not missing, f"{config}: {missing}"


@pytest.fixture(scope="module")
def folder():
    """The workstation's folder of the keys, with the files that it signs."""
    path = stash.WORK / "page"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(signing.KEYS, path)
    unsigned = {"Image": IMAGE, "initrd.img": signing.initrd(), "board.dtb": stash.PAYLOAD / "raw.dtb"}
    for name, source in unsigned.items():
        shutil.copyfile(source, path / name)
    for name in ("sign", "sign-inside", "sign-dtb"):
        subprocess.run(["sh", "-e", "-c", block(f"workstation {name}")], cwd=path, check=True, capture_output=True,
                       env={**os.environ, "KBUILD": str(BUILD / "linux")})
    return path


@pytest.fixture(scope="module")
def disk(folder):
    """The device's disk. Nothing secret is on it."""
    names = ("Image", "Image.sig", "Image.modsig", "Image.pe", "initrd.img", "initrd.img.sig", "board.dtb",
             "board.dtb.sig", "signer.der", "stranger.der")
    return make_disk(stash.WORK / "page.img", {name: folder / name for name in names})


def boot(name, disk):
    """U-Boot's commands, then our Linux from the same disk."""
    m = Machine(name, bios=UBOOT, disk=disk)
    with closed_on_failure(m):
        m.uboot_prompt()
        m.uboot("virtio scan")
        for line in (block("uboot") + block("uboot-dtb")).splitlines():
            m.uboot(line)
        m.uboot(f'setenv bootargs "{stash.BOOTARGS}"')
        m.uboot("load virtio 0 ${kernel_addr_r} Image")
        m.uboot("load virtio 0 ${ramdisk_addr_r} initrd.img")
        m.send("booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}\r")
        m.shell()
        # No line of the audit log is held back for there being many
        m.run("echo 0 > /proc/sys/kernel/printk_ratelimit")
        mount(m)
    return m


def mount(m):
    m.run("mount -t ext4 -o ro /dev/vda /mnt; mount -t securityfs none /sys/kernel/security 2>/dev/null", None)


def device(m, name, status=0):
    """Run the page's commands for the device, in the folder of its disk, up to the first failure."""
    return m.run(f"(cd /mnt; set -e\n{block('device ' + name)})", status, timeout=120)


def refused(m, name):
    """Run the page's commands for the device. Only the last, the load, may fail."""
    *before, load = block("device " + name).splitlines()
    m.run("(cd /mnt; set -e\n" + "\n".join(before) + ")", timeout=120)
    # What is said of another payload is not for logged()
    m.run("dmesg -c > /dev/null")
    output, status = m.run(load, None)
    assert load == "kexec-membuf load b" and status == 1, f"{load}: status {status}: {output}"
    assert stash.state(m, "b") == "staged"
    return output


def logged(m, name):
    """The audit log's lines come when its thread gets to it."""
    for line in block(name).splitlines():
        stash.wait_for_log(m, re.escape(line))
    shows(m.run("dmesg | tail -n 5"), name)


def measured(path, name):
    return f"sha256:{stash.sha256(path)} /sys/fs/kexec/{name}"


def enforce(m):
    """Step 5: no policy, and no key of the kernel before it."""
    assert "appraise" not in m.read("/sys/kernel/security/ima/policy")
    assert "Example appliance signer" not in m.read("/proc/keys")
    device(m, "keys")
    assert "Example appliance signer" in m.read("/proc/keys")
    device(m, "policy")


def test_page(disk, folder):
    signature = base64.b64encode((folder / "Image.sig").read_bytes()).decode()
    with boot("signing-page", disk) as m:
        assert f"security.ima=0s{signature}" in device(m, "recorded")
        m.fails('keyctl padd asymmetric "" %keyring:.ima < /mnt/stranger.der')
        m.run("kexec-12 -c -l /mnt/Image && kexec-12 -c -u")
        enforce(m)
        assert "Permission denied" in m.fails("kexec-12 -c -l /mnt/Image"), "kexec_load(2)"

        shows(device(m, "verify"), "verify")
        assert stash.state(m, "a") == "staged"
        device(m, "load")
        assert stash.state(m, "a") == "loaded" and m.read("/sys/kernel/kexec/copy_bytes") == "0"
        listed = device(m, "measured")
        assert measured(folder / "Image", "a/kernel") in listed
        assert measured(folder / "initrd.img", "a/initrd") in listed
        assert measured(folder / "board.dtb", "a/dtb") in listed
        assert re.search(r" ima-buf sha256:\w+ kexec-cmdline ", listed)

        shows(refused(m, "unsigned"), "unsigned")
        logged(m, "unsigned-log")
        shows(m.run("kexec-membuf verify b", 3), "unsigned-verify")
        refused(m, "changed")
        logged(m, "changed-log")
        assert stash.state(m, "a") == "loaded"
        m.jump(block("device exec").strip())
        m.shell()
        assert stash.state(m, "a") == "running"
        assert m.read("/proc/device-tree/model").rstrip("\0") == "staged board"

        mount(m)
        # The list came along
        assert measured(folder / "Image", "a/kernel") in m.read("/sys/kernel/security/ima/ascii_runtime_measurements")
        enforce(m)
        device(m, "stage")
        assert stash.state(m, "b") == "loaded"
        device(m, "stage-modsig")
        assert stash.state(m, "b") == "loaded"
        refused(m, "dtb-unsigned")
        assert stash.wait_for_log(m, "cause=IMA-signature-required .*/sys/fs/kexec/b/dtb")
        device(m, "dtb-signed")
        assert stash.state(m, "b") == "loaded"


def test_page_without_a_policy(disk):
    with boot("signing-page-lockdown", disk) as m:
        assert "EPERM" in refused(m, "lockdown")
        logged(m, "lockdown-log")
        device(m, "stage-pe")
        assert stash.state(m, "b") == "loaded"
        m.run("kexec-membuf unload; cp /mnt/board.dtb /sys/fs/kexec/b/dtb")
        assert "EPERM" in m.fails("kexec-membuf load b")
        assert stash.kernel_log(m, "slot 'b': dtb: has no signature that could be checked")
