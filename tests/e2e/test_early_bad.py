# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes in kexec_stash= and in the cpio: one line in the log, the rest goes on, no memory is lost."""

import gzip
import stat

import pytest

import early
import signing
import stash
from early import FOLDER, Entry
from qemu import IMAGE, INITRAMFS
from stash import BASE_A, MIB, MORE_MIB, SLOT_SIZE

# A slot of the device tree, and another node
TREE = stash.node("tree", BASE_A)
OTHER = "firmware@b0000000 { reg = <0x0 0xb0000000 0x0 0x200000>; };" \
    "secure@b0800000 { reg = <0x0 0xb0800000 0x0 0x1000000>; no-map; };"
GOOD_MIB = 64 + MORE_MIB
GOOD = f"good:{GOOD_MIB}M,also:16M@0xa0000000"
# Value of the parameter: the line in the log
PARAMETER = {
    "": "kexec_stash=: '': is not <slot>:<size>[@<address>]",
    "x": "kexec_stash=: 'x': is not <slot>:<size>[@<address>]",
    "-x:16M": "kexec_stash=: '-x:16M': its name cannot be that of a slot",
    "..:16M": "kexec_stash=: '..:16M': its name cannot be that of a slot",
    "none:": "kexec_stash=: 'none:': its size is not a number with K, M, G or no unit",
    "huge:99999999999999999999": "kexec_stash=: 'huge:99999999999999999999': its size is not a number with K, M, G "
                                 "or no unit",
    "unit:16MB": "kexec_stash=: 'unit:16MB': its size is not a number with K, M, G or no unit",
    "odd:15M": "kexec_stash=: 'odd:15M': its size is not a multiple of 2 MiB",
    "small:6M": "kexec_stash=: 'small:6M': its size is less than 8 MiB",
    "where:16M@": "kexec_stash=: 'where:16M@': its address is not a number with K, M, G or no unit",
    "uneven:16M@0xa1100000": "kexec_stash=: 'uneven:16M@0xa1100000': its address is not a multiple of 2 MiB",
    "wraps:16M@0xffffffffffe00000": "kexec_stash=: 'wraps:16M@0xffffffffffe00000': its end is beyond all addresses",
    "good:32M": "kexec_stash=: 'good:32M': a slot of this name was asked for before",
    "large:64G": "slot 'large': no room for the 65536 MiB that kexec_stash= asks for",
    "device:16M@0x8000000": "slot 'device' at 0x8000000 refused: what kexec_stash= asks for is not all in RAM",
    "null:16M@0": "slot 'null' at 0x0 refused: what kexec_stash= asks for is not all in RAM",
    "end:128M@0xbc000000": "slot 'end' at 0xbc000000 refused: what kexec_stash= asks for is not all in RAM",
    "kernel:16M@0x40200000": "slot 'kernel' at 0x40200000 refused: what kexec_stash= asks for lies over the running kernel",
    "initrd:16M@0x48000000": "slot 'initrd' at 0x48000000 refused: what kexec_stash= asks for lies over the running "
                             "kernel's initrd",
    "firmware:16M@0xaf200000": "slot 'firmware' at 0xaf200000 refused: what kexec_stash= asks for lies over "
                               "/reserved-memory/firmware@b0000000",
    "secure:8M@0xb0a00000": "slot 'secure' at 0xb0a00000 refused: what kexec_stash= asks for lies over "
                            "/reserved-memory/secure@b0800000",
    f"over:16M@{BASE_A + MIB * 4:#x}": f"slot 'over' at {BASE_A + MIB * 4:#x} refused: what kexec_stash= asks for lies "
                                       "over slot 'tree' of the device tree",
    "crash:16M@0x70000000": "slot 'crash' at 0x70000000 refused: what kexec_stash= asks for lies over what crashkernel= "
                            "asks for",
    "pool:16M@0x68000000": "slot 'pool' at 0x68000000 refused: what kexec_stash= asks for lies over what cma= asks for",
    "log:16M@0x66000000": "slot 'log' at 0x66000000 refused: what kexec_stash= asks for lies over what "
                          "ramoops.mem_address= asks for",
    "tree:16M": "slot 'tree': is in the device tree, so kexec_stash= changes nothing",
    # The same place twice
    "twin:16M@0xa0000000": "slot 'twin' at 0xa0000000 refused: what kexec_stash= asks for lies over memory that is "
                           "reserved for something else",
}
# With nothing to log ramoops does not start, since nobody reserves its memory here
ASKED = "crashkernel=64M@0x70000000 cma=32M@0x68000000 ramoops.mem_address=0x66100000 ramoops.mem_size=0x100000 " \
    "ramoops.record_size=0 ramoops.console_size=0 ramoops.ftrace_size=0 ramoops.pmsg_size=0"


def total(m):
    return stash.meminfo(m, "MemTotal")


def parameter_machine(name, *parameters):
    """A machine with several kexec_stash=."""
    slots = " kexec_stash=".join(parameters)
    return early.machine(name, slots, dtb=stash.device_tree(name, [TREE, OTHER]), append=ASKED)


class TestParameter:
    """All mistakes on one command line, around good slots."""

    @pytest.fixture(scope="class")
    def m(self):
        rows = list(PARAMETER)
        assert len(rows) < 32
        # Two parameters, both of which must be read. The first good slot comes before the second of its name
        with parameter_machine("early-bad", f"{GOOD}," + ",".join(rows[1::2]), ",".join(rows[::2])) as machine:
            yield machine

    @pytest.mark.parametrize("row", PARAMETER, ids=lambda row: row or "nothing")
    def test_one_line(self, m, row):
        lines = early.messages(m)
        print("\n".join(lines))
        assert lines.count(PARAMETER[row]) == 1

    def test_nothing_else_is_said(self, m):
        said = [line for line in early.messages(m) if line not in PARAMETER.values()]
        assert len(said) == 3 + 1, said
        assert sum("no room above 4 GiB" in line for line in said) == 1

    def test_the_rest_goes_on(self, m):
        assert sorted(stash.slots(m)) == ["also", "good", "tree"]
        assert early.place(m, "good")[1] == GOOD_MIB * MIB and early.place(m, "also") == (0xa0000000, 16 * MIB)
        assert early.place(m, "tree") == (BASE_A, SLOT_SIZE)
        stash.stage(m, "good")
        m.run("kexec-membuf load good")
        m.run("kexec-membuf unload")

    def test_no_memory_is_lost(self, m):
        """Memory is the same as without the mistakes."""
        with parameter_machine("early-bad-none", GOOD) as good:
            print(total(m), total(good))
            assert abs(total(m) - total(good)) < 1024


def test_no_more_than_8_slots():
    """The tree and the parameter together name too many slots."""
    names = [f"s{i}" for i in range(8)]
    with parameter_machine("early-many", ",".join(f"{name}:8M" for name in names)) as m:
        assert sorted(stash.slots(m)) == sorted(["tree", *names[:7]])
        lines = [line for line in early.messages(m) if "is one slot too many" in line]
        assert len(lines) == 1 and lines[0].startswith("slot 's7' at "), lines


def test_without_a_value():
    with early.machine("early-novalue", "a:16M kexec_stash") as m:
        assert stash.slots(m) == ["a"]
        assert len(stash.kernel_log(m, "Malformed early option 'kexec_stash'")) == 1


LARGE = 20 * MIB
SLOTS = ",".join(f"{slot}:{(64 if slot in ('a', 'cut') else 24) + MORE_MIB}M" for slot in (*"abcdef", "cut"))
DUPLICATE = "is there twice, the first one is taken"


def bad_cpio():
    """Entries, and the lines for the bad ones."""
    kernel, lines = IMAGE.read_bytes(), {}
    entries = []

    def add(name, data=b"", line=None, mode=stat.S_IFREG | 0o600):
        entries.append(Entry(name, data, mode))
        if line:
            lines[name] = line if line.startswith("slot ") else f"initrd: '{name}': {line}"

    # With all folders there, their files could be unpacked
    for folder in ("kernel", FOLDER, *(f"{FOLDER}/{slot}" for slot in ("a", "b", "c", "d", "e", "f", "cut", "none"))):
        add(folder, mode=stat.S_IFDIR | 0o755)
    add(f"{FOLDER}/a/kernel", kernel)
    add("kept", b"not ours")
    # None of these is taken
    add(f"{FOLDER}/none/initrd", bytes(LARGE), "there is no slot of that name")
    add(f"{FOLDER}/../kexec/b/kernel", bytes(LARGE), "has '..' in its name")
    add(f"../{FOLDER}/b/kernel", kernel, "has '..' in its name")
    add(f"{FOLDER}/../b/kernel", kernel, "has '..' in its name")
    add(f"{FOLDER}/a/vmlinuz", kernel, "is no file of a payload")
    add(f"{FOLDER}/a/deeper/kernel", kernel, "is no file of a payload")
    add(f"{FOLDER}/a/cmdline.sig", b"\3\2\4", "is no file of a payload")
    add(f"{FOLDER}/kernel", kernel, "is not <slot>/<file>")
    add(f"{FOLDER}/{'x' * 40}/kernel", kernel, "is not <slot>/<file>")
    add(f"{FOLDER}/-a/kernel", kernel, "is not in the folder of a slot")
    add(f"{FOLDER}/a/dtb", b"../b/dtb", "is not a regular file", stat.S_IFLNK | 0o777)
    # The second of each
    add(f"{FOLDER}/a/kernel", bytes(LARGE), DUPLICATE)
    add(f"{FOLDER}/a/kernel.sig", b"\3" * 264)
    add(f"./{FOLDER}/a/kernel.sig", b"\4" * 264, DUPLICATE)
    # These slots are bad then
    add(f"{FOLDER}/b/kernel", kernel)
    add(f"{FOLDER}/b/initrd", bytes(LARGE), "slot 'b': initrd: is larger than the ")
    add(f"{FOLDER}/c/kernel", bytes(4096), "slot 'c': kernel: is not an arm64 Image")
    add(f"{FOLDER}/d/initrd", INITRAMFS.read_bytes(), "slot 'd': kernel: there is none yet, the slot is bad without")
    add(f"{FOLDER}/e/kernel", kernel)
    add(f"{FOLDER}/e/initrd", b"", "slot 'e': initrd: is empty")
    # A good slot with a bad signature
    add(f"{FOLDER}/f/kernel.sig", b"-----BEGIN PKCS7-----", "slot 'f': kernel: its signature is not such as IMA takes")
    add(f"{FOLDER}/f/kernel", kernel)
    return early.newc(*entries), list(lines.values())


@pytest.mark.steps
class TestCpio:
    """A payload with each kind of mistake, the guest's own files, and another payload that is cut off in the middle."""

    @pytest.fixture(scope="class")
    def lines(self):
        return bad_cpio()[1]

    @pytest.fixture(scope="class")
    def m(self):
        cut = early.newc(Entry(f"{FOLDER}/cut/kernel", IMAGE.read_bytes()),
                         Entry(f"{FOLDER}/cut/initrd", bytes(2 * LARGE)), trailer=False)[:-LARGE]
        guest = [gzip.decompress(path.read_bytes()) for path in (INITRAMFS, signing.GUEST)]
        initrd = early.initrd("early-bad-cpio", bad_cpio()[0], *guest, cut)
        with early.machine("early-bad-cpio", SLOTS, initrd=initrd) as machine:
            yield machine

    def test_one_line_each(self, m, lines):
        said = early.messages(m)
        print("\n".join(said))
        for line in lines:
            assert sum(words.startswith(line) for words in said) == 1, line
        cut = [line for line in said if line.startswith("initrd: its cpio ends inside a file at byte ")]
        assert len(cut) == 1 and cut[0].endswith(", in the payload of slot cut"), cut
        rest = [line for line in said if not line.startswith(tuple(lines)) and line not in cut]
        # Where each slot is, and that it is below 4 GiB
        assert len(rest) == 2 * len(SLOTS.split(",")), rest

    def test_states(self, m):
        """A payload that may not be whole is bad. A good payload beside it is not affected."""
        states = {slot: stash.state(m, slot) for slot in stash.slots(m)}
        assert states == {"a": "staged", "b": "bad", "c": "bad", "d": "bad", "e": "bad", "f": "staged", "cut": "bad"}

    def test_first_one_is_taken(self, m):
        assert stash.guest_sha256(m, stash.slot_path("a", "kernel")) == stash.sha256(IMAGE)
        assert "=0x" + "03" * 264 in m.run(f"getfattr -e hex -n security.ima {stash.slot_path('a', 'kernel')}")
        assert "No such attribute" in m.fails(f"getfattr -n security.ima {stash.slot_path('f', 'kernel')} 2>&1")

    def test_bad_slots_do_not_load(self, m):
        """Their good files are not loaded either, such as a kernel without its initrd."""
        for slot, file in (("b", "initrd"), ("cut", "kernel"), ("e", "initrd"), ("f", None)):
            output, status = m.run(f"kexec-membuf load {slot}", None)
            print(output)
            if file:
                assert status != 0 and f"slot '{slot}': {file}: is damaged or incomplete" in output
            else:
                assert status == 0
        m.run("kexec-membuf unload")

    def test_no_memory_is_lost(self, m):
        with early.machine("early-bad-cpio-none", SLOTS, initrd=signing.initrd()) as bare:
            available = [early.available(machine) for machine in (m, bare)]
        print(available)
        assert abs(available[0] - available[1]) < 4096

    def test_the_rest_is_unpacked(self, m):
        """Other files of the same cpio are unpacked, but no payload, taken or not."""
        assert m.read("/kept") == "not ours"
        assert m.run("find /kernel /kexec /b -not -type d 2>/dev/null", None)[0] == ""

    def test_bad_slots_can_be_staged_again(self, m):
        stash.stage(m, "cut")
        assert stash.state(m, "cut") == "staged"
        m.run("kexec-membuf load cut")
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"

    def test_next_kernel_does_not_take_them_for_good(self, m):
        m.jump("kexec-membuf exec")
        m.shell()
        states = {slot: stash.state(m, slot) for slot in stash.slots(m)}
        print(states)
        assert {slot: states[slot] for slot in ("a", "f", "cut")} == {"a": "staged", "f": "staged", "cut": "running"}
        assert all(states[slot] in ("bad", "empty") for slot in "bcde")


def test_slot_of_the_tree_that_is_not_empty():
    """A bootloader's payload stays. An empty slot of the tree takes the payload of the cpio."""
    files, load = stash.staged(BASE_A)
    nodes = [stash.node("full", BASE_A, files=files), stash.node("empty", BASE_A + SLOT_SIZE)]
    cpio = early.newc(*(Entry(f"{FOLDER}/{slot}/{file}", b"x" if file == "cmdline" else IMAGE.read_bytes())
                        for slot in ("full", "empty") for file in ("kernel", "cmdline")))
    with stash.direct_machine("early-full", nodes, load, initrd=early.initrd("early-full", cpio, INITRAMFS)) as m:
        lines = [line for line in early.messages(m) if "initrd" in line]
        assert lines == [f"initrd: '{FOLDER}/full/{file}': the slot is not empty" for file in ("kernel", "cmdline")]
        assert m.read(stash.slot_path("full", "cmdline")) == ""
        assert [m.read(stash.slot_path(slot, "origin")) for slot in ("full", "empty")] == ["firmware", "early"]
