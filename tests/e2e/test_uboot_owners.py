# SPDX-License-Identifier: GPL-2.0-or-later
"""One owner for each byte in U-Boot: other users of a slot's memory, by a command or by a device tree, and the records of
all slots."""

import gzip
import re
import shutil
import struct
import subprocess
import zlib

import pytest

import stash
from qemu import IMAGE, INITRAMFS, UBOOT, Machine, make_disk
from stash import BASE_A, BASE_B, BOOTARGS, MIB, SLOT_SIZE

# A free place for a device tree that is changed at the prompt
FDT_AT = 0x4a000000
BOOTARGS_MAX = 2047


def over_a(m, command, what):
    """A command that would write over slot a is refused with one line."""
    said = m.uboot(command, None)[0]
    lines = [line for line in said.splitlines() if "kstash" in line]
    print(lines)
    assert len(lines) == 1 and re.search(rf"kstash: slot 'a': {what} must not be put over it, at 0x", lines[0]), said


@pytest.mark.steps
class TestWriters:
    """Slot a is staged. Then one command after the other tries to write to it."""

    @pytest.fixture(scope="class")
    def m(self):
        stash.WORK.mkdir(parents=True, exist_ok=True)
        packed, wrapped = stash.WORK / "owners.Image.gz", stash.WORK / "owners.uImage"
        packed.write_bytes(gzip.compress(IMAGE.read_bytes(), 1))
        subprocess.run(["mkimage", "-A", "arm64", "-O", "linux", "-T", "kernel", "-C", "none", "-a", hex(BASE_A), "-e",
                        hex(BASE_A), "-d", IMAGE, wrapped], check=True, capture_output=True)
        # One with 2 MiB more of BSS
        large = bytearray(IMAGE.read_bytes())
        large[16:24] = (stash.image_size(IMAGE) + 2 * MIB).to_bytes(8, "little")
        (stash.WORK / "owners.Image.bss").write_bytes(large)
        more = make_disk(stash.WORK / "owners.img", {
            "Image.gz": packed, "uImage": wrapped, "Image.bss": stash.WORK / "owners.Image.bss"})
        with stash.uboot_machine("uboot-writers", extra=[
                "-drive", f"file={more},format=raw,if=none,id=more,snapshot=on",
                "-device", "virtio-blk-pci,drive=more"]) as machine:
            stash.uboot_stage(machine, "a", "own.linux", "own.initrd", "virt.dtb")
            stash.uboot_stage(machine, "b", "own.linux", "own.initrd")
            yield machine

    @pytest.mark.parametrize("at", [BASE_A, BASE_A - 2 * MIB], ids=["in the slot", "reaching into it"])
    def test_image_that_is_unpacked(self, m, at):
        m.uboot("load virtio 1 ${kernel_addr_r} Image.gz")
        m.uboot(f"setenv kernel_comp_addr_r {at:#x}; setenv kernel_comp_size ${{filesize}}")
        over_a(m, "booti ${kernel_addr_r} - ${fdtcontroladdr}", "the unpacked kernel")

    def test_image_that_is_moved(self, m):
        at = BASE_A - stash.align(IMAGE.stat().st_size, 4096)
        assert at % (2 * MIB)
        m.uboot(f"load virtio 0 {at:#x} own.linux")
        over_a(m, f"booti {at:#x} - ${{fdtcontroladdr}}", "the kernel")

    def test_image_that_is_larger_than_its_file(self, m):
        at = BASE_A - stash.align(stash.image_size(IMAGE), 2 * MIB)
        m.uboot(f"load virtio 1 {at:#x} Image.bss")
        over_a(m, f"booti {at:#x} - ${{fdtcontroladdr}}", "the kernel")

    def test_uimage_with_a_load_address(self, m):
        m.uboot("load virtio 1 ${ramdisk_addr_r} uImage")
        over_a(m, "bootm ${ramdisk_addr_r} - ${fdtcontroladdr}", "the kernel")

    def test_raw_read(self, m):
        over_a(m, f"virtio read {BASE_A:#x} 0 8", "what is read")
        over_a(m, f"virtio read {BASE_A - 512:#x} 0 2", "what is read")
        assert "OK" in m.uboot(f"virtio read {BASE_A - 512:#x} 0 1")

    def test_file(self, m):
        assert "would overwrite reserved memory" in m.uboot(f"load virtio 0 {BASE_A:#x} own.linux", 1)

    def test_initrd_and_tree_that_are_used_in_place(self, m):
        m.uboot("load virtio 0 ${kernel_addr_r} own.linux")
        listed = m.uboot("kstash list")
        initrd, size = re.search(r"initrd at (0x[0-9a-f]+), (\d+) bytes", listed).groups()
        dtb = re.search(r"dtb +at (0x[0-9a-f]+)", listed).group(1)
        m.uboot("setenv initrd_high 0xffffffffffffffff; setenv fdt_high 0xffffffffffffffff")
        # For the next test: nothing checks mw
        m.uboot(f"mw.b {BASE_B + MIB:#x} 0 0x1000")
        m.uboot(f'setenv bootargs "{BOOTARGS}"')
        before = len(m.log.lines)
        m.send(f"booti ${{kernel_addr_r}} {initrd}:{int(size):x} {dtb}\r")
        m.shell()
        said = [text for _, text in m.log.lines[before:] if text.startswith("kstash")]
        print(said)
        assert len(said) == 2, said
        for line, what in zip(said, ("the initrd", "the device tree")):
            assert line.startswith(f"kstash: slot 'a': {what} must not be put over it, at 0x"), said

    def test_memory_write_is_found_by_linux(self, m):
        """None of this has changed a. Without mw, b would be good too."""
        stash.wait_for_log(m, r"slot 'b': kernel: its sha256 is")
        m.run("kexec-membuf load a")
        assert "EBADMSG" in m.fails("kexec-membuf load b")
        assert stash.kernel_log(m, r"slot 'b': kernel: its sha256 is [0-9a-f]+, not [0-9a-f]+ as recorded")
        assert (stash.state(m, "a"), stash.state(m, "b")) == ("loaded", "bad")


def test_files_of_a_bootflow():
    """The environment gives their addresses, and nobody asks LMB."""
    folder, image = stash.WORK / "bootflow", stash.WORK / "bootflow.img"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "extlinux").mkdir(parents=True)
    (folder / "extlinux/extlinux.conf").write_text(
        f"default a\nlabel a\nkernel /own.linux\ninitrd /own.initrd\nappend {BOOTARGS}\n")
    shutil.copyfile(IMAGE, folder / "own.linux")
    shutil.copyfile(INITRAMFS, folder / "own.initrd")
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^metadata_csum,^64bit,^orphan_file", "-d", folder, image, "64M"],
                   check=True, capture_output=True)
    # A bootflow needs a partition
    content, table = image.read_bytes(), bytearray(MIB)
    table[446:462] = struct.pack("<8B2I", 0x80, 0, 0, 0, 0x83, 0, 0, 0, MIB // 512, len(content) // 512)
    table[510:512] = b"\x55\xaa"
    image.write_bytes(table + content)
    with Machine("uboot-bootflow", bios=UBOOT, disk=image) as m:
        m.uboot_prompt()
        m.uboot("virtio scan; bootmeth order extlinux; bootflow scan; bootflow select 0")
        m.uboot(f"kstash reserve a {SLOT_SIZE:#x} {BASE_A:#x}; setenv ramdisk_addr_r {BASE_A + 32 * MIB:#x}")
        over_a(m, "bootflow boot", "/own.initrd")
        m.uboot("setenv ramdisk_addr_r 0x44000000")
        m.send("bootflow boot\r")
        m.shell()
        assert stash.slots(m) == ["a"]


def os_tree(m, *commands):
    """A copy of the control dtb without room to spare, changed at the prompt."""
    m.uboot(f"fdt addr ${{fdtcontroladdr}}; fdt move ${{fdtcontroladdr}} {FDT_AT:#x} 100000; fdt resize 1000")
    for command in commands:
        m.uboot(f"fdt {command}")


def reserved(name, base, size, *properties):
    """fdt commands: a node under /reserved-memory."""
    path = f"/reserved-memory/{name}"
    return [f"mknode /reserved-memory {name}", *[f"set {path} {prop}" for prop in properties],
            f"set {path} reg <{base >> 32:#x} {base & 0xffffffff:#x} 0 {size:#x}>"]


RESERVED_MEMORY = ["mknode / reserved-memory", "set /reserved-memory ranges",
                   "set /reserved-memory '#address-cells' <2>", "set /reserved-memory '#size-cells' <2>"]


def boot(m, fdt=f"{FDT_AT:#x}", append=""):
    """booti with a tree; returns what U-Boot says of the stash."""
    m.uboot(f'setenv bootargs "{BOOTARGS} {append}"')
    m.uboot("load virtio 0 ${kernel_addr_r} own.linux")
    m.uboot("load virtio 0 ${ramdisk_addr_r} own.initrd")
    before = len(m.log.lines)
    m.send(f"booti ${{kernel_addr_r}} ${{ramdisk_addr_r}}:${{filesize}} {fdt}\r")
    m.shell()
    said = [text for _, text in m.log.lines[before:] if text.startswith("kstash: ")]
    print(said)
    return said


def system_ram(m, address):
    """Whether this kernel has mapped an address as RAM."""
    return any(int(first, 16) <= address <= int(last, 16) for first, last in
               re.findall(r"(?m)^([0-9a-f]+)-([0-9a-f]+) : System RAM", m.run("cat /proc/iomem")))


def test_tree_of_the_system_reserves_in_a_slot():
    """A region of the TEE in a, an entry in b: both stay, and c has a record."""
    with stash.uboot_machine("uboot-os-tree") as m:
        stash.uboot_stage(m, "a", "own.linux", "own.initrd")
        stash.uboot_stage(m, "b", "own.linux")
        m.uboot("kstash reserve c 16M 70000000")
        os_tree(m, *RESERVED_MEMORY, *reserved("optee@54000000", 0x54000000, 2 * MIB, "no-map"),
                "rsvmem add 60200000 1000")
        assert sorted(boot(m)) == [
            "kstash: slot 'a': /reserved-memory/optee@54000000 of the device tree lies over it",
            "kstash: slot 'b': the device tree has a memory reservation over it, 0x60200000 to 0x60200fff"]
        assert stash.slots(m) == ["c"]
        assert not system_ram(m, 0x54000000) and system_ram(m, BASE_A) and system_ram(m, BASE_B)


def test_control_tree_reserves_in_a_slot():
    """The other order: the others are there before the slot."""
    # For firmware that could have ACPI, QEMU puts a device elsewhere
    machine = ",acpi=off"
    tree = stash.device_tree("uboot-control-tree", [
        stash.node("c", 0x70000000, 16 * MIB),
        "optee@54000000 { no-map; reg = <0 0x54000000 0 0x200000>; };",
        "vpu@70800000 { reg = <0 0x70800000 0 0x100000>; };"], machine=machine)
    with Machine("uboot-control-tree", bios=UBOOT, disk=stash.disk(), dtb=tree, machine=machine) as m:
        m.uboot_prompt()
        lines = [text for _, text in m.log.lines if text.startswith("kstash")]
        assert lines == ["kstash: slot 'c': /reserved-memory/vpu@70800000 of the device tree lies over it"]
        m.uboot("virtio scan")
        said = m.uboot(f"kstash reserve a {SLOT_SIZE:#x} {BASE_A:#x}", 1)
        assert "kstash: slot 'a': something else has taken 0x54000000 to 0x541fffff" in said
        m.uboot(f"kstash reserve b {SLOT_SIZE:#x} {BASE_B:#x}")
        assert "slot 'b'" in m.uboot("kstash list") and "slot 'a'" not in m.uboot("kstash list")
        boot(m, "${fdtcontroladdr}")
        assert "b" in stash.slots(m) and "a" not in stash.slots(m)
        assert not system_ram(m, 0x54000000)


ENV_SIZE = 0x40000


def saved_environment(name, **variables):
    """QEMU's options for the flash with U-Boot's environment."""
    inside = b"".join(f"{key}={value}\0".encode() for key, value in variables.items()).ljust(ENV_SIZE - 4, b"\0")
    flash = stash.WORK / f"{name}.flash"
    flash.parent.mkdir(parents=True, exist_ok=True)
    flash.write_bytes((zlib.crc32(inside).to_bytes(4, "little") + inside).ljust(64 * MIB, b"\xff"))
    return ["-drive", f"if=pflash,unit=1,format=raw,readonly=on,file={flash}"]


def test_slots_saved_on_a_larger_board():
    """kstash_slots of a board with 2 GiB, in the saved environment of one with 1 GiB."""
    extra = saved_environment("uboot-env", bootdelay=3, bootcmd="true", kernel_addr_r="0x40400000",
                              ramdisk_addr_r="0x44000000",
                              kstash_slots="a:128M@50000000,b:128M@b0000000,c:16M@7f000000,d:1280M")
    with stash.uboot_machine("uboot-env-1g", mem="1G", extra=extra) as m:
        lines = [text for _, text in m.log.lines if text.startswith("kstash")]
        print(lines)
        assert len(lines) == 3
        assert lines[0] == "kstash: slot 'b': 0xb0000000 to 0xb7ffffff is not all RAM"
        # U-Boot has moved itself to the end of RAM
        assert re.match(r"kstash: slot 'c': something else has taken 0x7[0-9a-f]+ to 0x7fffffff$", lines[1]), lines
        assert lines[2] == "kstash: slot 'd': no free range of size 0x50000000"
        assert boot(m, "${fdtcontroladdr}") == []
        assert stash.slots(m) == ["a"]


# Eight slots of 40 MiB, of which the first and the last are staged
LABELS = [f"slot-{i}" for i in range(8)]
BASES = {label: 0x50000000 + i * 40 * MIB for i, label in enumerate(LABELS)}


def reserve_eight(m):
    """Each with the longest command line allowed."""
    # A typed line has at most 1,023 characters
    m.uboot(f"setenv x {'x' * 256}; setenv y ${{x}}${{x}}${{x}}${{x}}")
    m.uboot(f"setenv z ${{y}}${{x}}${{x}}${{x}}{'z' * (BOOTARGS_MAX - 7 * 256)}")
    for label in LABELS:
        m.uboot(f"kstash reserve {label} 40M {BASES[label]:#x}")
        m.uboot(f"kstash bootargs {label} ${{z}}")
    for label in (LABELS[0], LABELS[-1]):
        for file in ("kernel", "initrd"):
            m.uboot(f"kstash load {label} {file} virtio 0 own.{file.replace('kernel', 'linux')}")


def check_eight(m):
    """All slots are there with their content, and the kernel runs in none."""
    assert sorted(stash.slots(m)) == LABELS
    for label in LABELS:
        assert len(m.read(stash.slot_path(label, "cmdline"))) == BOOTARGS_MAX
    for label in (LABELS[0], LABELS[-1]):
        m.run(f"kexec-membuf load {label}")
        assert stash.state(m, label) == "loaded"
    assert not stash.kernel_log(m, "refused|lies over")


def test_eight_records_by_booti():
    with stash.uboot_machine("uboot-eight-booti") as m:
        reserve_eight(m)
        os_tree(m)
        assert boot(m) == []
        check_eight(m)


def test_eight_records_by_bootefi():
    """As an EFI program, which may go anywhere: its memory map shows the slots as taken."""
    at = set()
    for i in range(3):
        with stash.uboot_machine(f"uboot-eight-bootefi-{i}", extra=["-device", "virtio-rng-pci"]) as m:
            reserve_eight(m)
            os_tree(m)
            taken = efi_map(m)
            for label, base in BASES.items():
                assert any(first <= base and base + 40 * MIB - 1 <= last for first, last in taken), (label, taken)
            m.uboot(f'setenv bootargs "{BOOTARGS} efi=debug initrd=own.initrd"')
            m.uboot("load virtio 0 ${kernel_addr_r} own.linux")
            before = len(m.log.lines)
            # Without a size it is the file that was loaded last, and its disk has the initrd too
            m.send(f"bootefi ${{kernel_addr_r}} {FDT_AT:#x}\r")
            m.shell()
            assert not [text for _, text in m.log.lines[before:] if text.startswith("kstash: ")]
            assert stash.kernel_log(m, r"efi: EFI v.* by Das U-Boot"), "it did not come by EFI"
            check_eight(m)
            at.add(stash.kernel_code(m)[0])
    print([hex(address) for address in sorted(at)])
    assert len(at) > 1, "the kernel always puts itself to the same place: nothing is proved of others"


def efi_map(m):
    """Ranges of the EFI memory map that nobody may use. Adjacent ones are joined."""
    found = []
    for kind, first, last in re.findall(r"(?m)^([A-Z ]+?) +([0-9a-f]{16})-([0-9a-f]{16}) ", m.uboot("efidebug memmap")):
        if kind.strip() == "CONVENTIONAL":
            continue
        first, last = int(first, 16), int(last, 16) - 1
        if found and found[-1][1] + 1 == first:
            found[-1] = found[-1][0], last
        else:
            found.append((first, last))
    return found


# /reserved-memory of the system's tree, and the result for the slots. The root has 2 and 2 cells
CELLS = {
    "lacks all": (["mknode / reserved-memory"], None),
    "has 1 and 1": (["mknode / reserved-memory", "set /reserved-memory ranges",
                     "set /reserved-memory '#address-cells' <1>", "set /reserved-memory '#size-cells' <1>"], None),
    "has 1 and 1, and a child": (["mknode / reserved-memory", "set /reserved-memory ranges",
                                  "set /reserved-memory '#address-cells' <1>", "set /reserved-memory '#size-cells' <1>",
                                  "mknode /reserved-memory pool", "set /reserved-memory/pool reg <0x78000000 0x100000>"],
                                 "the cells or ranges of /reserved-memory are not as Linux wants them"),
}


@pytest.mark.parametrize("what", CELLS)
def test_cells_of_reserved_memory(what):
    """Cells are repaired if nothing depends on them. Otherwise Linux would ignore the records, and a line says so."""
    commands, refused = CELLS[what]
    with stash.uboot_machine(f"uboot-cells-{what.replace(',', '').replace(' ', '-')}") as m:
        stash.uboot_stage(m, "a", "own.linux", "own.initrd")
        m.uboot("kstash reserve b 16M 70000000")
        os_tree(m, *commands)
        said = boot(m)
        if refused:
            assert sorted(said) == [f"kstash: slot '{slot}': cannot be recorded in the device tree: {refused}"
                                    for slot in "ab"]
            assert stash.slots(m) == []
        else:
            assert said == []
            assert stash.slots(m) == ["a", "b"]
            m.run("kexec-membuf load a")
