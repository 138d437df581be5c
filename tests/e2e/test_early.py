# SPDX-License-Identifier: GPL-2.0-or-later
"""Slots by kexec_stash=, payloads from the initrd: no bootloader knows anything of it."""

import re
import subprocess

import pytest

import early
import signing
import stash
from early import GIB
from qemu import BUILD, IMAGE, INITRAMFS
from stash import BOOTARGS, MIB, SLOT_SIZE

SLOTS = "a:128M,b:128M"
CRASH = "crashkernel=256M"
PADDING = (64 - stash.MORE_MIB) * MIB


def exec_slot(m, slot, bootargs=None):
    """Load a slot, check that nothing must be copied, and kexec into it."""
    m.run(f"kexec-membuf load {slot}" + (f" --command-line '{bootargs}'" if bootargs else ""), timeout=120)
    assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
    base, size = early.place(m, slot)
    m.jump("kexec-membuf exec")
    m.shell()
    first, last = stash.kernel_code(m)
    print(f"kernel code at {first:#x}-{last:#x}, slot {slot} at {base:#x}")
    assert base <= first and last < base + size
    assert stash.state(m, slot) == "running"
    m.run("mount -t ext4 -o ro /dev/vda /mnt")


@pytest.mark.steps
class TestEarly:
    """With memory above 4 GiB, KASLR and a crash kernel's memory beside: from -kernel and -initrd to any kernel."""

    @pytest.fixture(scope="class")
    def m(self):
        # Large enough for a leak of its memory to show
        padded = stash.WORK / "early.padded"
        padded.parent.mkdir(parents=True, exist_ok=True)
        padded.write_bytes(INITRAMFS.read_bytes() + bytes(PADDING))
        cpio = early.payload("early", "a", kernel=IMAGE, initrd=padded, cmdline=f"{BOOTARGS} from=initrd\n".encode())
        with early.machine("early", SLOTS, initrd=early.initrd("early", cpio, INITRAMFS), append=CRASH,
                           mem="6G") as machine:
            yield machine

    def test_slots_are_high_and_aligned(self, m):
        places = {slot: early.place(m, slot) for slot in "ab"}
        print({slot: (hex(base), hex(size)) for slot, (base, size) in places.items()})
        for base, size in places.values():
            assert base >= 4 * GIB and base % (2 * MIB) == 0 and size == SLOT_SIZE
        # From the end of memory: 6 GiB, starting at 1 GiB
        assert sorted(base for base, _ in places.values()) == [7 * GIB - 2 * SLOT_SIZE, 7 * GIB - SLOT_SIZE]

    def test_kaslr_and_crash_kernel_have_theirs(self, m):
        """The kernel's image is at a random place in virtual memory, and the crash kernel's memory is below 4 GiB."""
        text = m.run("grep ' _stext$' /proc/kallsyms").split()[0]
        linked = re.search(r"^([0-9a-f]+) T _stext$", (BUILD / "linux/System.map").read_text(), re.M).group(1)
        print(text, linked)
        assert int(text, 16) and text != linked
        crash = [(first, last) for _, first, last, name in early.iomem(m) if name == "Crash kernel"]
        assert len(crash) == 1 and crash[0][1] - crash[0][0] + 1 == 256 * MIB and crash[0][1] < 4 * GIB, crash

    def test_iomem(self, m):
        """/proc/iomem shows them as reserved, which user space keeps off, and by name."""
        for slot in "ab":
            assert early.around(m, slot) == ["System RAM", "reserved"]

    def test_listed(self, m):
        out = m.run("kexec-membuf list")
        assert re.search(r"^a\s+staged\s+early\s", out, re.M) and re.search(r"^b\s+empty\s+none\s", out, re.M), out
        assert [line for line in early.messages(m) if re.match("slot '[ab]' at .* MiB, ", line)] == [
            f"slot 'a' at {early.place(m, 'a')[0]:#x}, 128 MiB, staged",
            f"slot 'b' at {early.place(m, 'b')[0]:#x}, 128 MiB, empty"]

    def test_payload_is_what_was_packed(self, m):
        assert stash.guest_sha256(m, stash.slot_path("a", "kernel")) == stash.sha256(IMAGE)
        assert stash.guest_sha256(m, stash.slot_path("a", "initrd")) == \
            stash.sha256(stash.WORK / "early.padded")
        assert m.read(stash.slot_path("a", "cmdline")) == f"{BOOTARGS} from=initrd"

    def test_memory_of_the_cpio_is_given_back(self, m):
        """Memory is the same as with an initrd without a payload, and the payload is in no file."""
        available = early.available(m)
        with early.machine("early-bare", SLOTS, append=CRASH, mem="6G") as bare:
            bare_available = early.available(bare)
        print(f"{available} KiB, {bare_available} KiB without a payload")
        assert abs(available - bare_available) < 4096
        assert m.run("find /kernel -not -type d") == ""

    def test_exec(self, m):
        exec_slot(m, "a")
        assert m.read("/proc/cmdline") == f"{BOOTARGS} from=initrd"
        assert stash.state(m, "b") == "empty"
        assert early.around(m, "b") == ["System RAM", "reserved"] and early.around(m, "a") is None

    def test_to_the_other_slot_and_back(self, m):
        """A load works as from a bootloader's slot. The passed-on tree names both slots, once."""
        places = {slot: early.place(m, slot) for slot in "ab"}
        for here, there in (("a", "b"), ("b", "a")):
            stash.stage(m, there)
            exec_slot(m, there)
            assert sorted(stash.slots(m)) == ["a", "b"]
            assert stash.state(m, here) == "empty"
            assert {slot: early.place(m, slot) for slot in "ab"} == places

    def test_tree_wins_and_another_slot_is_added(self, m):
        """Into a kernel with another parameter: slots of the tree stay, with their payload, and b is there once."""
        places = {slot: early.place(m, slot) for slot in "ab"}
        stash.stage(m, "b")
        exec_slot(m, "b", f"{BOOTARGS} kexec_stash=c:64M,b:64M,a:128M")
        assert sorted(stash.slots(m)) == ["a", "b", "c"]
        assert {slot: early.place(m, slot) for slot in "ab"} == places
        base, size = early.place(m, "c")
        assert size == 64 * MIB and base >= 4 * GIB
        for other, other_size in places.values():
            assert base + size <= other or other + other_size <= base
        assert len(stash.kernel_log(m, "slot '[ab]': is in the device tree, so kexec_stash= changes nothing")) == 2

    def test_new_slot_works(self, m):
        """A staged payload survives a kexec into a kernel without the parameter."""
        m.run(f"cp /mnt/own.linux {stash.slot_path('c', 'kernel')}", timeout=120)
        stash.stage(m, "a")
        places = {slot: early.place(m, slot) for slot in "abc"}
        exec_slot(m, "a", BOOTARGS)
        assert sorted(stash.slots(m)) == ["a", "b", "c"]
        assert {slot: early.place(m, slot) for slot in "abc"} == places
        assert [stash.state(m, slot) for slot in "abc"] == ["running", "empty", "staged"]
        assert stash.guest_sha256(m, stash.slot_path("c", "kernel")) == stash.sha256(IMAGE)

    def test_tree_is_as_the_binding_asks(self, m):
        assert stash.binding_faults(m, "early") == ""


class TestPlace:
    """Where slots go, and where they do not."""

    def test_below_4_gib_without_memory_above(self):
        """They go below, with a line in the log, and keep off the address of crashkernel=, which nobody has reserved yet."""
        with early.machine("early-low", SLOTS, append="crashkernel=64M@0xb8000000") as m:
            places = sorted(early.place(m, slot)[0] for slot in "ab")
            print([hex(base) for base in places])
            assert places == [0xb8000000 - 2 * SLOT_SIZE, 0xb8000000 - SLOT_SIZE]
            assert len(stash.kernel_log(m, "slot '[ab]': no room above 4 GiB")) == 2
            assert [(first, last) for _, first, last, name in early.iomem(m) if name == "Crash kernel"] == \
                [(0xb8000000, 0xbbffffff)]

    def test_at_an_address(self):
        """Slots with an address come first, in any order of the parameter."""
        top = 3 * GIB - SLOT_SIZE
        with early.machine("early-fixed", f"a:128M,b:0x8000000@{top:#x},c:16384K@0x60000000") as m:
            assert early.place(m, "b") == (top, SLOT_SIZE) and early.place(m, "c") == (0x60000000, 16 * MIB)
            assert early.place(m, "a") == (top - SLOT_SIZE, SLOT_SIZE)

    def test_not_in_memory_that_may_be_unplugged(self):
        """Of 6 GiB, the last 2 are hot-pluggable: no slot goes there, with or without an address."""
        tree = stash.device_tree("early-hotplug", [], machine="")
        source = stash.WORK / "early-hotplug.dts"
        source.write_text(source.read_text() + "/ { bank@140000000 { device_type = \"memory\"; hotpluggable;"
                          " reg = <0x1 0x40000000 0x0 0x80000000>; }; };\n")
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-p", "4096", "-o", tree, source], check=True)
        with early.machine("early-hotplug", "a:128M,b:128M@0x180000000", dtb=tree, mem="6G") as m:
            assert early.place(m, "a")[0] == 0x140000000 - SLOT_SIZE
            assert stash.slots(m) == ["a"]
            assert len(stash.kernel_log(m, "slot 'b' at 0x180000000 refused: what kexec_stash= asks for is in memory "
                                           "that may be unplugged")) == 1

    def test_not_in_movable_memory(self):
        """ZONE_MOVABLE is made at the end of memory."""
        with early.machine("early-movable", SLOTS, append="movablecore=1G", mem="6G") as m:
            zone = re.search(r"zone\s+Movable.*?start_pfn:\s+(\d+)", m.run("cat /proc/zoneinfo"), re.S)
            start = int(zone.group(1)) * 4096
            places = [early.place(m, slot) for slot in "ab"]
            print(f"movable from {start:#x}, slots at {[hex(base) for base, _ in places]}")
            assert start >= 5 * GIB
            assert all(4 * GIB <= base and base + size <= start for base, size in places)


def test_with_kexec_handover():
    """After a hand-over of memory, the slots of the tree stay, and the parameter makes another one."""
    args = f"{BOOTARGS} kho=on kho_scratch=16M,64M,1G kexec_stash=c:64M"
    cpio = early.payload("early-kho", "a", kernel=IMAGE, initrd=INITRAMFS, cmdline=args.encode())
    with early.machine("early-kho", SLOTS, initrd=early.initrd("early-kho", cpio, INITRAMFS),
                       append="kho=on kho_scratch=16M,64M,1G", mem="6G") as m:
        exec_slot(m, "a")
        assert stash.kernel_log(m, "KHO: exec from"), "\n".join(stash.kernel_log(m, "KHO"))
        assert sorted(stash.slots(m)) == ["a", "b", "c"]


def test_crash_kernel_reserves_nothing():
    """A crash kernel keeps its own little memory, whatever the command line says."""
    with early.machine("early-crash", SLOTS, append=CRASH) as m:
        m.run(f"kexec-12 -s -p /mnt/own.linux --initrd=/mnt/own.initrd --command-line='{BOOTARGS} kexec_stash=a:16M'",
              timeout=120)
        m.jump("echo c > /proc/sysrq-trigger")
        m.wait_for("Booting Linux", fatal=None)
        m.shell()
        assert len(stash.kernel_log(m, "a crash kernel has no memory to spare: kexec_stash= is ignored")) == 1
        assert stash.slots(m) == []


@pytest.mark.steps
class TestSigned:
    """Signatures beside the files of the cpio, before and behind them, are the files' own."""

    @pytest.fixture(scope="class")
    def m(self):
        folder = signing.files()
        files = {"kernel": folder / "full", "initrd": folder / "full.initrd", "dtb": folder / "dtb"}
        entries = []
        for slot, signed in (("a", ("kernel", "initrd", "dtb")), ("b", ()), ("c", ("kernel", "initrd"))):
            for file, path in files.items():
                name = f"{early.FOLDER}/{slot}/{file}"
                pair = [early.Entry(name, path.read_bytes())]
                if file in signed:
                    # One signature comes before its file
                    pair.insert(file == "kernel", early.Entry(f"{name}.sig", (folder / f"{path.name}.sig").read_bytes()))
                entries += pair
        cpio = early.newc(*entries)
        with early.machine("early-signed", "a:64M,b:64M,c:64M", initrd=early.initrd("early-signed", cpio, signing.initrd()),
                           extra=signing.disk_options(), mem="3G") as machine:
            signing.prepare(machine)
            output, status = signing.add_key(machine)
            assert status == 0, output
            yield machine

    def test_signatures_are_security_ima(self, m):
        for file, name in (("kernel", "full.sig"), ("initrd", "full.initrd.sig"), ("dtb", "dtb.sig")):
            want = (signing.SIGNED / name).read_bytes().hex()
            assert want in m.run(f"getfattr -e hex -n security.ima {stash.slot_path('a', file)}")
            m.fails(f"getfattr -n security.ima {stash.slot_path('b', file)}")

    def test_verify_says_so(self, m):
        for slot, files in (("a", ["kernel", "initrd", "dtb"]), ("c", ["kernel", "initrd"])):
            out = m.run(f"kexec-membuf verify {slot}")
            print(out)
            found = re.findall(r"^(kernel|initrd|dtb): .*\n  signed: IMA signature by key \w{8}, which is in", out, re.M)
            assert found == files

    def test_only_signed_ones_load(self, m):
        """A dtb of the cpio is not firmware's: it needs a signature too."""
        signing.write_policy(m, [signing.IMASIG, signing.INITRD_IMASIG,
                                 "measure func=KEXEC_KERNEL_CHECK template=ima-sig"])
        flags = ("-f", "0x100")
        assert signing.load(m, *flags, stash.slot_path("b", "kernel")) == ("EACCES", "IMA-signature-required")
        assert signing.load(m, *flags, stash.slot_path("c", "kernel"))[0] == "EACCES"
        assert signing.load(m, *flags, stash.slot_path("a", "kernel")) == ("OK", "")

    def test_measured_once(self, m):
        """It loads with the signature of the cpio. A second load does not measure it again."""
        signing.load(m, "-f", "0x100", stash.slot_path("a", "kernel"))
        entries = [entry for entry in signing.measurements(m) if entry.name.endswith("/a/kernel")]
        print(entries)
        assert len(entries) == 1
        assert entries[0].more == ((signing.SIGNED / "full.sig").read_bytes().hex(),)

    def test_runs(self, m):
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
