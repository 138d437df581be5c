# SPDX-License-Identifier: GPL-2.0-or-later
"""Slots by kexec_stash= and payloads from the initrd, with loaders that know nothing of it: QEMU's own, UEFI with a device
tree and with ACPI, Debian's U-Boot. All by the commands of docs/early.md."""

import os
import shlex
import shutil
import subprocess

import pytest

import early
import signing
import stash
from page import Page
from qemu import IMAGE, TOP, Machine, closed_on_failure, make_disk
from stash import MIB

PAGE = Page("early.md", [
    "workstation pack", "workstation by-hand", "workstation initrd", "workstation qemu", "workstation qemu-uefi",
    "uefi-shell", "uboot", "device look", "look", "device go", "workstation sign", "device unsigned", "unsigned",
])
SIGNING = Page("signing.md", ["device keys", "device policy"])
BOARDS = ["qemu", "uefi-dt", "uefi-acpi", "u-boot"]
STOCK_UBOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
CMDLINE = {"a": "console=ttyAMA0", "b": "console=ttyAMA0 quiet"}


def test_all_of_the_page_is_known_here():
    assert PAGE.fences() == PAGE.blocks


def run(folder, *blocks):
    for name in blocks:
        subprocess.run(["sh", "-e", "-c", PAGE.block(f"workstation {name}")], cwd=folder, check=True,
                       capture_output=True, env={**os.environ, "PATH": f"{TOP}/tools/kexec-membuf:{os.environ['PATH']}"})


@pytest.fixture(scope="module", name="folder")
def fixture_folder():
    """The folder of the page's commands for the workstation. It keeps the files of each way."""
    path = stash.WORK / "boards"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(signing.KEYS, path)
    shutil.copyfile(IMAGE, path / "Image")
    # The next kernel needs keyctl too
    for name in ("initrd.img", "rescue.img"):
        shutil.copyfile(signing.initrd(), path / name)
    for way in ("pack", "by-hand", "sign"):
        run(path, way, "initrd")
        for name in ("stash.cpio", "initrd-stash.img"):
            shutil.copyfile(path / name, path / f"{way}.{name}")
    return path


@pytest.fixture(scope="module", name="disk")
def fixture_disk(folder):
    """A disk for U-Boot and the guest, with the signed files."""
    return make_disk(stash.WORK / "boards.img", {name: folder / name for name in (
        "Image", "rescue.img", "initrd-stash.img", "signer.der")})


def qemu_words(block):
    """The options of the page's QEMU that matter. The rest is the same for all tests."""
    words = shlex.split(PAGE.block(block).replace("\\\n", " "))
    assert words[0] == "qemu-system-aarch64"
    return {name: words[words.index(f"-{name}") + 1] for name in ("bios", "kernel", "initrd", "append")
            if f"-{name}" in words}


def start_qemu(name, folder, disk, block="workstation qemu", **kwargs):
    words = qemu_words(block)
    for file in ("kernel", "initrd"):
        words[file] = folder / words[file]
    return Machine(name, disk=disk, mem="4G", **words, **kwargs)


def start_uefi_shell(name, folder, disk):
    """From an EFI system partition, by its startup.nsh."""
    esp = folder / "esp"
    esp.mkdir()
    for file in ("Image", "stash.cpio", "initrd.img"):
        os.link(folder / file, esp / file)
    (esp / "startup.nsh").write_text(PAGE.block("uefi-shell").replace("\n", "\r\n"))
    m = Machine(name, bios=qemu_words("workstation qemu-uefi")["bios"], disk=disk, mem="4G", machine=",acpi=off",
                extra=["-drive", f"file=fat:{esp},format=raw,if=none,id=esp,readonly=on",
                       "-device", "virtio-blk-pci,drive=esp"])
    m.wait_for(r"any other key to continue")
    m.send(" ")
    return m


def start_uboot(name, disk):
    m = Machine(name, bios=STOCK_UBOOT, disk=disk, mem="4G")
    m.uboot_prompt()
    assert "kstash" not in m.uboot("help"), "this is ours"
    m.uboot("virtio scan")
    *lines, boot = PAGE.block("uboot").splitlines()
    for line in lines:
        m.uboot(line)
    m.send(boot + "\r")
    return m


def start(board, folder, disk):
    """A machine with both slots, and a signed payload in one of them, at its shell."""
    name = f"board-{board}"
    if board == "qemu":
        m = start_qemu(name, folder, disk)
    elif board == "uefi-dt":
        m = start_uefi_shell(name, folder, disk)
    elif board == "uefi-acpi":
        m = start_qemu(name, folder, disk, "workstation qemu-uefi")
    else:
        m = start_uboot(name, disk)
    with closed_on_failure(m):
        m.shell()
        mount(m)
    return m


def mount(m):
    m.run("mount -t ext4 -o ro /dev/vda /mnt")
    if "efivars" in m.run("ls /sys/firmware/efi 2>/dev/null", None)[0]:
        m.run("mount -t efivarfs none /sys/firmware/efi/efivars")


def shown(m):
    """The slots in /proc/iomem: name -> (base, size). Each is inside reserved RAM."""
    found = {slot: early.place(m, slot) for slot in "ab" if early.around(m, slot)}
    for slot in found:
        assert early.around(m, slot) == ["System RAM", "reserved"]
    return found


def firmware(m, board):
    """What the kernel knows of the firmware: the same after each kexec."""
    facts = {"systab": m.run("cat /sys/firmware/efi/systab 2>/dev/null", None)[0],
             "efi": [line.partition("] ")[2] for line in stash.kernel_log(m, r"\] efi: ")],
             "acpi": m.run("cd /sys/firmware/acpi/tables 2>/dev/null && sha256sum [A-Z]*", None)[0],
             "variables": m.run("ls /sys/firmware/efi/efivars 2>/dev/null | wc -l", None)[0],
             "boot order": m.run("cat /sys/firmware/efi/efivars/BootOrder-* 2>/dev/null | sha256sum", None)[0],
             "interpreter": [line.partition("] ")[2] for line in stash.kernel_log(m, "ACPI: Interpreter")],
             "disks": m.run("ls -d /sys/block/vd*")}
    print(facts)
    uefi, acpi = board.startswith("uefi"), board == "uefi-acpi"
    assert ("SMBIOS" in facts["systab"]) == uefi and ("ACPI20=" in facts["systab"]) == acpi
    assert any("EFI v" in line for line in facts["efi"]) == uefi
    assert (int(facts["variables"]) > 5) == uefi
    assert all((f" {table}\n" in facts["acpi"] + "\n") == acpi for table in ("APIC", "DSDT", "FACP", "GTDT"))
    assert facts["interpreter"] == [f"ACPI: Interpreter {'enabled' if acpi else 'disabled.'}"]
    return facts


def check_slots(m, where, packed):
    """The slots have not moved, and hold what the archive held."""
    assert {slot: early.place(m, slot) for slot in "ab"} == where
    for slot in packed:
        assert (stash.state(m, slot), m.read(stash.slot_path(slot, "origin"))) == ("staged", "early"), slot
        assert m.read(stash.slot_path(slot, "cmdline")) == CMDLINE[slot]
        for file, source in (("kernel", IMAGE), ("initrd", signing.initrd())):
            assert stash.guest_sha256(m, stash.slot_path(slot, file)) == stash.sha256(source)


def go(m, slot, where):
    """Kexec into a loaded slot: in place, with the slot's command line."""
    assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
    m.jump("kexec-membuf exec")
    m.shell()
    mount(m)
    base, size = where[slot]
    first, last = stash.kernel_code(m)
    assert base <= first and last < base + size, f"{first:#x} is not in slot {slot} at {base:#x}"
    assert stash.state(m, slot) == "running"
    assert m.read("/proc/cmdline") == CMDLINE[slot]


@pytest.mark.parametrize("board", BOARDS)
def test_board(board, folder, disk):
    """From the loader into a, the signed payload; on into b; and back into a with a payload staged at run time."""
    with start(board, folder, disk) as m:
        where = shown(m)
        print({slot: (hex(base), hex(size)) for slot, (base, size) in where.items()})
        assert sorted(where) == ["a", "b"]
        for base, size in where.values():
            assert base >= 4 * early.GIB and base % (2 * MIB) == 0 and size == 128 * MIB
        listed = m.run(PAGE.block("device look").strip())
        print(listed)
        if board == "qemu":
            PAGE.shows(listed, "look")
        check_slots(m, where, "ab")
        facts = firmware(m, board)

        # The unsigned payload is refused, the signed one loaded
        for step in ("keys", "policy"):
            m.run(f"(cd /mnt; set -e\n{SIGNING.block(f'device {step}')})")
        refused, status = m.run(PAGE.block("device unsigned").strip(), None)
        assert status == 1, refused
        PAGE.shows(refused, "unsigned")
        assert stash.wait_for_log(m, r"cause=IMA-signature-required .* name=\"/sys/fs/kexec/b/kernel\"")
        load, exec_ = PAGE.block("device go").splitlines()
        assert exec_ == "kexec-membuf exec"
        print(m.run(load))
        assert stash.state(m, "a") == "loaded"

        go(m, "a", where)
        assert firmware(m, board) == facts
        check_slots(m, where, "b")
        m.run("kexec-membuf load b")
        go(m, "b", where)
        assert firmware(m, board) == facts
        check_slots(m, where, "")
        assert stash.state(m, "a") == "empty" and sorted(shown(m)) == ["a"]
        m.run(f"kexec-membuf stage a --kernel /mnt/Image --initrd /mnt/rescue.img --command-line '{CMDLINE['a']}' && "
              "kexec-membuf load a", timeout=120)
        go(m, "a", where)
        assert firmware(m, board) == facts
        assert stash.state(m, "b") == "empty" and shown(m) == {"b": where["b"]}


@pytest.mark.parametrize("way", ["pack", "by-hand"])
def test_archive_of_the_page(folder, way):
    """Packed or by hand, each file gets its place, and none is left over."""
    listed = subprocess.run(["cpio", "-it", "--quiet"], stdin=(folder / f"{way}.stash.cpio").open("rb"), check=True,
                            capture_output=True, text=True).stdout.split()
    files = {name for name in listed if name.count("/") == 3}
    assert files == {f"kernel/kexec/{slot}/{file}" for slot in "ab" for file in ("kernel", "initrd", "cmdline")}
    assert set(listed) - files <= {"kernel", "kernel/kexec", "kernel/kexec/a", "kernel/kexec/b"}


def test_archive_made_by_hand(folder, disk):
    """The kernel takes the same files from an archive made by hand. This one has folders, so files could be unpacked there."""
    shutil.copyfile(folder / "by-hand.initrd-stash.img", folder / "hand.img")
    with Machine("board-by-hand", mem="4G", disk=disk, kernel=IMAGE, initrd=folder / "hand.img",
                 append=qemu_words("workstation qemu")["append"]) as m:
        m.shell()
        mount(m)
        check_slots(m, shown(m), "ab")
        assert m.run("find /kernel -type d | wc -l") == "4" and m.run("find /kernel -type f") == ""
