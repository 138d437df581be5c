# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory has one owner. If a slot and another user want the same memory, one gets it, in whatever order the device tree and
the command line name them. One line says which and why."""

import re
import subprocess

import pytest

import early
import stash
from stash import MIB

SLOT, STEP, FIRST = 16 * MIB, 32 * MIB, 0x60000000
CONSOLE = stash.BOOTARGS
# QEMU puts the kernel there that it starts itself
KERNEL_SLOT = 0x40000000


def cells(*numbers):
    return " ".join(f"{number >> 32:#x} {number & 0xffffffff:#x}" for number in numbers)


def other(name, at, size, body="", more=()):
    """Source text of another user's node."""
    return f"{name}@{at:x} {{ reg = <{cells(at, size, *more)}>; {body} }};"


# Slot: what somebody else has, as its name, offset from the slot's base and size; body of the node; what it has in the end
POOL = 'compatible = "shared-dma-pool";'
OWNERS = {
    "tee": ("optee", 4 * MIB, 2 * MIB, "no-map;", "nomap"),
    "ramoops": ("ramoops", 4 * MIB, MIB, 'compatible = "ramoops"; record-size = <0x4000>;', "reserved"),
    "cma": ("pool", 8 * MIB, 4 * MIB, f"{POOL} reusable;", "reserved"),
    "dma": ("pool", 8 * MIB, 4 * MIB, f"{POOL} no-map;", "nomap"),
    "into": ("into", -2 * MIB, 4 * MIB, "", "reserved"),
    "out": ("out", SLOT - 2 * MIB, 4 * MIB, "no-map;", "nomap"),
    "around": ("around", -2 * MIB, SLOT + 4 * MIB, "", "reserved"),
    "page": ("page", SLOT - 4096, 4096, "no-map;", "nomap"),
}
# The same for nodes that overlap no slot
NEIGHBOURS = {
    "off": ("off", 4 * MIB, 2 * MIB, 'status = "disabled";'),
    "below": ("below", -2 * MIB, 2 * MIB, "no-map;"),
    "above": ("above", SLOT, 2 * MIB, ""),
}


def refusals(m):
    return stash.kernel_log(m, r"kexec_stash: .*refused")


def covered(m, name, at, size):
    """How deep in /proc/iomem a range is in something of that name: a set, empty for nowhere."""
    return {depth for depth, first, last, kind in early.iomem(m)
            if kind == name and first <= at and at + size - 1 <= last}


class TestNodes:
    """Slots and nodes that overlap, the node before the record or behind it."""

    @pytest.fixture(scope="class", params=["before", "behind"])
    def booted(self, request):
        nodes, where = [], {}
        for i, (label, row) in enumerate((OWNERS | NEIGHBOURS).items()):
            name, offset, size, body = row[:4]
            at = FIRST + i * STEP
            where[label] = at
            pair = [other(name, at + offset, size, body), stash.node(label, at, SLOT)]
            nodes += pair if request.param == "before" else pair[::-1]
        # The second entry, which mainline ignores
        at = where["second"] = FIRST + len(where) * STEP
        pair = [other("twice", 0x58000000, 2 * MIB, more=(at + 4 * MIB, 2 * MIB)), stash.node("second", at, SLOT)]
        nodes += pair if request.param == "before" else pair[::-1]
        # Order does not matter here
        at = where["memreserve"] = FIRST + len(where) * STEP
        nodes.append(stash.node("memreserve", at, SLOT))
        with stash.direct_machine(f"owners-{request.param}", nodes,
                                  memreserve=f"/memreserve/ {at + 4 * MIB:#x} 0x1000;") as m:
            print(m.run("cat /proc/iomem"))
            yield {"m": m, "where": where, "refused": refusals(m), "slots": stash.slots(m)}

    @staticmethod
    def line(booted, label):
        lines = [line for line in booted["refused"] if f"'{label}'" in line]
        assert len(lines) == 1, lines or booted["refused"]
        print(lines[0])
        return lines[0]

    @pytest.mark.parametrize("label", OWNERS)
    def test_slot_is_refused(self, booted, label):
        """One line names both, and the slot is not there."""
        name, offset, *_ = OWNERS[label]
        at = booted["where"][label]
        assert self.line(booted, label).endswith(
            f"slot '{label}' at {at:#x} refused: reg lies over /reserved-memory/{name}@{at + offset:x}")
        assert label not in booted["slots"]

    @pytest.mark.parametrize("label", OWNERS)
    def test_owner_has_it(self, booted, label):
        """The node gets what mainline does for it: not mapped and no RAM, or reserved."""
        _, offset, size, _, kind = OWNERS[label]
        m, at = booted["m"], booted["where"][label] + offset
        # Unmapped memory is not in "System RAM"
        assert covered(m, "reserved", at, size) == ({0} if kind == "nomap" else {1})
        assert stash.kernel_log(m, "failed to reserve memory") == []

    @pytest.mark.parametrize("label", NEIGHBOURS)
    def test_neighbour_is_in_nobodys_way(self, booted, label):
        assert label in booted["slots"]
        assert not [line for line in booted["refused"] if f"'{label}'" in line]

    def test_second_entry_counts(self, booted):
        assert "reg lies over /reserved-memory/twice@58000000" in self.line(booted, "second")
        assert "second" not in booted["slots"] and covered(booted["m"], "reserved", 0x58000000, 2 * MIB)

    def test_memreserve_entry(self, booted):
        assert "reg lies over a memreserve entry of the device tree" in self.line(booted, "memreserve")
        assert "memreserve" not in booted["slots"]

    def test_nothing_else_is_refused(self, booted):
        assert len(booted["refused"]) == len(OWNERS) + 2
        assert sorted(booted["slots"]) == sorted(NEIGHBOURS)


def test_refused_slot_is_in_nobodys_way():
    """Of two slots the first one stays, unless another user has its memory."""
    nodes = [stash.node("first", 0x60000000, SLOT), stash.node("over", 0x60800000, SLOT),
             stash.node("lost", 0x68000000, SLOT), stash.node("kept", 0x68800000, SLOT),
             stash.node("lost", 0x6c000000, SLOT), other("optee", 0x68000000, 2 * MIB, "no-map;")]
    with stash.direct_machine("owners-slots", nodes) as m:
        lines = refusals(m)
        print("\n".join(lines))
        assert sorted(stash.slots(m)) == ["first", "kept", "lost"]
        assert int(m.read(stash.slot_path("lost", "base")), 16) == 0x6c000000
        assert len(lines) == 2
        assert any(line.endswith("slot 'over' at 0x60800000 refused: reg overlaps another slot, first")
                   for line in lines)
        assert any("slot 'lost' at 0x68000000 refused: reg lies over /reserved-memory/optee@68000000" in line
                   for line in lines)


def test_nodes_without_a_place():
    """They are placed around slots. If one fits only in a slot, mainline's line says that it has no memory."""
    def dynamic(name, size, body=""):
        return f"{name} {{ size = <{cells(size)}>; {body} }};"

    inside = f"alloc-ranges = <{cells(0x60000000, SLOT)}>;"
    across = f"alloc-ranges = <{cells(0x60000000, 2 * SLOT)}>;"
    nodes = [dynamic("inside", 4 * MIB, inside), dynamic("across", 4 * MIB, f"{across} {POOL} reusable;"),
             dynamic("anywhere", 4 * MIB, "no-map;"), stash.node("a", 0x60000000, SLOT)]
    with stash.direct_machine("owners-dynamic", nodes) as m:
        assert stash.slots(m) == ["a"] and refusals(m) == []
        lines = stash.kernel_log(m, "failed to allocate memory for node")
        assert len(lines) == 1 and "'inside'" in lines[0], lines
        placed = stash.kernel_log(m, r"reserved mem: 0x[0-9a-f]+\.\.0x[0-9a-f]+ .*(across|anywhere)")
        print("\n".join(placed))
        ranges = [[int(end, 16) for end in re.search(r"(0x\w+)\.\.(0x\w+)", line).groups()] for line in placed]
        assert len(ranges) == 2
        assert all(last < 0x60000000 or first >= 0x60000000 + SLOT for first, last in ranges)


@pytest.mark.parametrize("how,why", [("ranges", "ranges is missing"), ("cells", "#address-cells is not the root's")],
                         ids=["ranges", "cells"])
def test_reserved_memory_that_linux_ignores(how, why):
    """Linux ignores the node, so it reserves nothing, and there is no slot: the line says why. Slots of the command line keep
    off what it names."""
    if how == "ranges":
        nodes = [stash.node("a", 0x60000000, SLOT), other("last", 0xbf000000, 2 * MIB)]
    else:
        nodes = ['kexec-stash@60000000 { compatible = "linux,kexec-stash"; label = "a"; reg = <0x60000000 0x1000000>; };',
                 "last@bf000000 { reg = <0xbf000000 0x200000>; };"]
    tree = stash.device_tree(f"owners-ignored-{how}", nodes)
    if how == "ranges":
        subprocess.run(["fdtput", "-d", tree, "/reserved-memory", "ranges"], check=True)
    else:
        for name in ("#address-cells", "#size-cells"):
            subprocess.run(["fdtput", "-t", "x", tree, "/reserved-memory", name, "1"], check=True)
    with early.machine(f"owners-ignored-{how}", "c:16M", dtb=tree) as m:
        lines = refusals(m)
        print("\n".join(lines), stash.kernel_log(m, "unsupported node format"))
        assert stash.slots(m) == ["c"] and early.place(m, "c") == (0xbe000000, SLOT)
        assert len(lines) == 1
        assert lines[0].endswith(f"slot 'a' at 0x60000000 refused: {why}, so Linux ignores /reserved-memory")


def test_memory_limit():
    """Slots beyond mem= are refused, even if they are only partly beyond."""
    nodes = [stash.node("in", 0x7e000000, SLOT), stash.node("half", 0x7f800000, SLOT), stash.node("out", 0x90000000, SLOT)]
    with stash.direct_machine("owners-mem", nodes, append=f"{CONSOLE} mem=1G") as m:
        assert stash.slots(m) == ["in"]
        lines = refusals(m)
        assert len(lines) == 2 and all("reg is not all in RAM" in line for line in lines), lines


class TestCommandLine:
    """The command line asks for addresses in slots of the device tree."""

    @pytest.fixture(scope="class")
    def m(self):
        nodes = [stash.node(label, FIRST + i * STEP, SLOT) for i, label in enumerate(("crash", "cma", "log", "good"))]
        asked = f"crashkernel=8M@{FIRST + 4 * MIB:#x} cma=8M@{FIRST + STEP + 4 * MIB:#x} " \
            f"ramoops.mem_address={FIRST + 2 * STEP + 4 * MIB:#x} ramoops.mem_size=0x100000 " \
            "ramoops.record_size=0x4000 reserve_mem=4M:2M:some"
        with stash.direct_machine("owners-cmdline", nodes, append=f"{CONSOLE} {asked}") as machine:
            print("\n".join(stash.kernel_log(machine, "kexec_stash|cma|crash|ramoops|reserve_mem")))
            yield machine

    @pytest.mark.parametrize("label,name,theirs", [
        ("crash", "crashkernel=", "crashkernel reservation failed"),
        ("cma", "cma=", "cma: Failed to reserve 8 MiB"),
    ])
    def test_slot_was_there_before(self, m, label, name, theirs):
        """The slot stays, one line says so, and mainline's line says that the others have no memory."""
        lines = stash.kernel_log(m, f"kexec_stash: .*{name}")
        at = int(m.read(stash.slot_path(label, "base")), 16)
        assert len(lines) == 1
        assert lines[0].endswith(f"slot '{label}' at {at:#x} stays: {name} asks for memory in it, and gets none")
        assert len(stash.kernel_log(m, theirs)) == 1
        assert m.read("/sys/kernel/kexec_crash_size") == "0"

    def test_ramoops_asks_nobody(self, m):
        """ramoops takes the memory of its parameter: no slot and no other user is there."""
        at = FIRST + 2 * STEP + 4 * MIB
        lines = [line for line in refusals(m) if "'log'" in line]
        assert len(lines) == 1 and lines[0].endswith("reg lies over what ramoops.mem_address= asks for"), lines
        assert stash.kernel_log(m, f"ramoops: using 0x100000@{at:#x}")
        assert covered(m, "reserved", at, MIB)

    def test_others_are_as_ever(self, m):
        assert sorted(stash.slots(m)) == ["cma", "crash", "good"] and len(refusals(m)) == 1


def test_slots_of_the_command_line_keep_off():
    """They come last, so they find room beside addresses of others, and beside ignored nodes."""
    end = 0xc0000000
    cma, crash, log, second = (end - mib * MIB for mib in (128, 192, 224, 256))
    asked = f"cma=64M@{cma:#x} crashkernel=32M@{crash:#x} ramoops.mem_address={log:#x} ramoops.mem_size=0x100000 " \
        "ramoops.record_size=0 ramoops.console_size=0 ramoops.ftrace_size=0 ramoops.pmsg_size=0"
    twice = other("twice", 0x58000000, 2 * MIB, more=(second, 2 * MIB))
    with early.machine("owners-early", "a:96M,b:32M", dtb=stash.device_tree("owners-early", [twice]), append=asked) as m:
        print(m.run("cat /proc/iomem"), "\n".join(early.messages(m)))
        assert early.place(m, "a") == (second - 96 * MIB, 96 * MIB), "the first room for it is below all of them"
        assert early.place(m, "b") == (end - 32 * MIB, 32 * MIB)
        assert int(m.read("/sys/kernel/kexec_crash_size")) == 32 * MIB
        assert stash.kernel_log(m, f"cma: Reserved 64 MiB at 0x0*{cma:x}")


def test_slot_that_is_ordinary_memory_now():
    """A node in the slot that a kernel runs in, or has as memory, gets its range. The next kernel refuses the slot."""
    files, load = stash.staged(0x60000000)
    nodes = [stash.node("a", KERNEL_SLOT, body='status = "disabled";'), other("optee", KERNEL_SLOT + 64 * MIB, MIB, "no-map;"),
             stash.node("b", 0x60000000, files=files, bootargs=CONSOLE), other("log", 0x70400000, MIB),
             stash.node("c", 0x70000000, SLOT, body='status = "disabled";')]
    # Without the ITS, whose tables would keep a away from the next kernel
    with stash.direct_machine("owners-running", nodes, load, machine=",its=off") as m:
        assert stash.state(m, "a") == "running" and "c" not in stash.slots(m) and refusals(m) == []
        assert covered(m, "reserved", KERNEL_SLOT + 64 * MIB, MIB) == {0}
        assert covered(m, "reserved", 0x70400000, MIB) == {1}
        m.run("kexec-membuf load b")
        m.jump("kexec-membuf exec")
        m.shell()
        lines = refusals(m)
        print("\n".join(lines))
        assert stash.slots(m) == ["b"] and stash.state(m, "b") == "running" and len(lines) == 2
        for label, name in (("a", f"optee@{KERNEL_SLOT + 64 * MIB:x}"), ("c", "log@70400000")):
            assert any(f"slot '{label}'" in line and line.endswith(f"lies over /reserved-memory/{name}") for line in lines)
        assert covered(m, "reserved", KERNEL_SLOT + 64 * MIB, MIB) == {0}
