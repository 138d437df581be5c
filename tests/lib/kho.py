# SPDX-License-Identifier: GPL-2.0-or-later
"""Kexec after kexec between two slots with memory that KHO and LUO preserve: what the tests and `make soak-kho` share."""

import time

import early
import stash
from qemu import Failure

OTHER = {"a": "b", "b": "a"}
# By itself, a kernel with KASAN asks for more than there is in one piece
ARGS = "kho=on liveupdate=on" + (" kho_scratch=16M,64M,1G" if stash.MORE_MIB else "")


def ranges(m):
    """What khoranges prints: (what, first byte, size)."""
    lines = [line.split() for line in m.run("khoranges 2>&1", None)[0].splitlines() if " 0x" in line]
    return [(what, int(start, 16), int(size, 16)) for what, start, size in lines]


def runs_into(start, size, base, length):
    return start < base + length and base < start + size


def wipe(m, slot):
    """Write to every byte of a slot that a payload can use: anything else in it is lost."""
    path = stash.slot_path(slot, "kernel")
    _, size = early.place(m, slot)
    m.run(f"dd if=/dev/zero of={path} bs=1M count={size // stash.MIB - 8} 2>/dev/null; : > {path}", timeout=120)


def hop(m, slot, bootargs, initrd="/mnt/own.initrd"):
    """Stage our kernel into a slot again and kexec into it."""
    state = stash.state(m, slot)
    if state != "empty":
        raise Failure(f"{m.name}: slot {slot} is {state}, not free to be staged")
    wipe(m, slot)
    stash.stage(m, slot, initrd=initrd, bootargs=bootargs)
    m.run(f"kexec-membuf load {slot}", timeout=120)
    copied = m.read("/sys/kernel/kexec/copy_bytes")
    m.jump("kexec-membuf exec")
    m.shell()
    if copied != "0" or stash.state(m, slot) != "running":
        raise Failure(f"{m.name}: {copied} bytes copied, slot {slot} is {stash.state(m, slot)}")
    m.run("mount -t ext4 -o ro /dev/vda /mnt")


class LiveUpdate:
    """A machine whose memfd lives on, with a row of figures for each kexec."""

    def __init__(self, m, mib):
        """A kernel that runs in a slot allocates the memory."""
        self.m, self.mib, self.slot, self.rows = m, mib, "a", []
        hop(m, "a", f"{stash.BOOTARGS} {ARGS}")
        m.run(f"luo new {mib}", timeout=120)

    def go(self):
        m, start = self.m, time.monotonic()
        self.slot = OTHER[self.slot]
        hop(m, self.slot, f"{stash.BOOTARGS} {ARGS} hop={len(self.rows) + 1}")
        said = m.run("luo next", timeout=120)
        if said != f"{self.mib} MiB, 0 pages are not as they were":
            raise Failure(f"{m.name}: {said}")
        states = {slot: stash.state(m, slot) for slot in stash.slots(m)}
        if states != {self.slot: "running", OTHER[self.slot]: "empty"}:
            raise Failure(f"{m.name}: slots are {states}")
        for what, first, size in ranges(m):
            for slot in states:
                if what == "scratch" and runs_into(first, size, *early.place(m, slot)):
                    raise Failure(f"{m.name}: {what} at {first:#x} lies in slot {slot}")
        seen = {"total": stash.meminfo(m, "MemTotal"), "available": early.available(m),
                "seconds": time.monotonic() - start}
        self.rows.append(seen)
        print(f"{len(self.rows):5}  slot {self.slot}, {said}, MemTotal {seen['total']} KiB, "
              f"{seen['available']} KiB to be had, {seen['seconds']:.1f} s", flush=True)


def machine(name, slots="a:256M,b:256M", **kwargs):
    return early.machine(name, slots, append=ARGS, **{"mem": "4G", **kwargs})
