# SPDX-License-Identifier: GPL-2.0-or-later
"""A crash kernel in a kernel that runs in a slot: loaded by both system calls of stock kexec-tools, started by a panic.
makedumpfile reads the dump."""

import re

import pytest

import stash
from qemu import BUILD, IMAGE, INITRAMFS, Machine, closed_on_failure, make_disk
from stash import BASE_A, BASE_B, MIB

GUEST = BUILD / "kdump-guest.cpio.gz"
SIZE_A, CRASH_SIZE = 256 * MIB, 128 * MIB
# Place of crashkernel=: in the slot that the kernel runs in, or in memory that is never a slot
PLACES = {"in the slot": BASE_A + 64 * MIB, "elsewhere": 0x70000000}
LOADS = {"kexec_file_load": "kexec -s -p", "kexec_load": "kexec -c -p"}
CRASH_BOOTARGS = f"{stash.BOOTARGS} nr_cpus=1"


@pytest.fixture(scope="module", name="disk")
def fixture_disk():
    """A disk with the crash kernel's files: its initrd has makedumpfile."""
    initrd = stash.WORK / "kdump.initrd"
    stash.WORK.mkdir(parents=True, exist_ok=True)
    initrd.write_bytes(INITRAMFS.read_bytes() + GUEST.read_bytes())
    return make_disk(stash.WORK / "kdump.img", {"Image": IMAGE, "initrd": initrd})


def machine(name, disk, crash_at):
    """Our kernel, with a payload in slot a that gets the same crashkernel=, and b empty."""
    name = re.sub(r"\W", "-", name)
    bootargs = f"{stash.BOOTARGS} crashkernel={CRASH_SIZE:#x}@{crash_at:#x}"
    files, load = stash.staged(BASE_A, size=SIZE_A)
    nodes = [stash.node("a", BASE_A, SIZE_A, files, bootargs=bootargs), stash.node("b", BASE_B)]
    m = Machine(name, kernel=IMAGE, initrd=INITRAMFS, append=bootargs, dtb=stash.device_tree(name, nodes), load=load,
                disk=disk)
    with closed_on_failure(m):
        m.shell()
    return m


def into_a(m):
    m.run("kexec-membuf load a")
    m.jump("kexec-membuf exec")
    m.shell()
    m.run("mount -t ext4 -o ro /dev/vda /mnt")
    assert stash.state(m, "a") == "running"
    assert int(m.read("/sys/kernel/kexec_crash_size")) == CRASH_SIZE


def load_crash(m, how, kernel="/mnt/Image", initrd="/mnt/initrd"):
    """Load by stock kexec-tools, with one system call only."""
    print(m.run(f"{how} {kernel} --initrd={initrd} --command-line='{CRASH_BOOTARGS}'", timeout=120))
    assert m.read("/sys/kernel/kexec_crash_loaded") == "1"


def crash(m):
    """Go by a panic into the crash kernel's shell."""
    m.run("dmesg -n 8")
    m.send("echo c > /proc/sysrq-trigger\r")
    m.wait_for("Starting crashdump kernel", fatal=None)
    m.shell(timeout=180)


def ram(m):
    """The running kernel's ranges of memory, as (first, last)."""
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : System RAM$", m.run("cat /proc/iomem"), re.M)
    return [(int(first, 16), int(last, 16)) for first, last in found]


def check_dump(m, mark):
    """makedumpfile finds the log of the kernel that crashed, and makes a dump that it reads again."""
    assert mark not in m.run("dmesg")
    print(m.run("makedumpfile --dump-dmesg /proc/vmcore /tmp/log", timeout=120))
    assert mark in m.run("grep -a crash-test: /tmp/log")
    print(m.run("makedumpfile -c -d 31 /proc/vmcore /tmp/dump", timeout=300))
    print(m.run("ls -l /tmp/dump && makedumpfile --dump-dmesg /tmp/dump /tmp/again", timeout=120))
    m.run("cmp /tmp/log /tmp/again")


def check_no_slots(m, crash_at):
    """The crash kernel has only its own area, knows no slot, and logs nothing of any."""
    print(ram(m))
    assert ram(m) and all(crash_at <= first and last < crash_at + CRASH_SIZE for first, last in ram(m))
    assert stash.slots(m) == []
    assert stash.kernel_log(m, r"kexec_stash: |[Rr]eserved.mem.*(fail|unsupported)") == []
    assert "Kexec stash" not in m.run("cat /proc/iomem")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", LOADS)
def test_crash_in_slot(call, place, disk):
    """From the kernel that was booted into slot a, and from there by a panic into the crash kernel."""
    crash_at, mark = PLACES[place], f"crash-test: {call} {place}"
    with machine(f"kdump-{call}-{place}", disk, crash_at) as m:
        into_a(m)
        load_crash(m, LOADS[call])
        m.run(f"echo '{mark}' > /dev/kmsg")
        crash(m)
        check_no_slots(m, crash_at)
        records = m.run("ls /proc/device-tree/reserved-memory").split()
        print(records)
        # kexec_load() passes on the tree that kexec-tools makes of the running one
        assert any(name.startswith("kexec-stash@") for name in records) == (call == "kexec_load")
        check_dump(m, mark)


def test_crash_kernel_from_a_slot(disk):
    """A crash kernel's files in a slot are read like others. An ordinary load works beside it."""
    crash_at = PLACES["in the slot"]
    with machine("kdump-stash", disk, crash_at) as m:
        into_a(m)
        for file, source in (("kernel", "Image"), ("initrd", "initrd")):
            m.run(f"cp /mnt/{source} {stash.slot_path('b', file)}", timeout=120)
        load_crash(m, LOADS["kexec_file_load"], *(stash.slot_path("b", file) for file in ("kernel", "initrd")))
        assert stash.state(m, "b") == "staged"
        m.run("kexec-membuf load b && kexec-membuf unload")
        m.run(f"truncate -s 0 {stash.slot_path('b', 'kernel')} {stash.slot_path('b', 'initrd')}")
        assert m.read("/sys/kernel/kexec_crash_loaded") == "1"
        mark = "crash-test: from a slot"
        m.run(f"echo '{mark}' > /dev/kmsg")
        crash(m)
        check_no_slots(m, crash_at)
        check_dump(m, mark)


@pytest.mark.parametrize("call", LOADS)
def test_crash_kernel_of_the_booted_kernel(call, disk):
    """A kernel outside the slots, with a loaded slot, crashes as usual."""
    crash_at = PLACES["elsewhere"]
    with machine(f"kdump-booted-{call}", disk, crash_at) as m:
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        m.run("kexec-membuf load a")
        load_crash(m, LOADS[call])
        assert stash.state(m, "a") == "loaded"
        mark = f"crash-test: booted {call}"
        m.run(f"echo '{mark}' > /dev/kmsg")
        crash(m)
        check_no_slots(m, crash_at)
        check_dump(m, mark)
