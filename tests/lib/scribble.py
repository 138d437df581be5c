# SPDX-License-Identifier: GPL-2.0-or-later
"""Write from inside the guest's kernel, by the module of tests/guest/scribble, to see what is read-only in the linear map."""

from qemu import BUILD, IMAGE

FAULT = "Unable to handle kernel write to read-only memory at virtual address"
SCRIBBLE = "/sys/kernel/debug/scribble"


def scribble_module():
    """The module that was built with the kernel under test. It fits no other kernel."""
    build = IMAGE.parents[3] if IMAGE.parts[-4:-1] == ("arch", "arm64", "boot") else BUILD / "linux"
    return build / "scribble/scribble.ko"


def may_scribble(m):
    """Let a fault end only its process, and show it only in the log."""
    m.run("insmod /scribble.ko")
    m.run("echo 0 > /proc/sys/kernel/panic_on_oops; echo 0 > /proc/sys/kernel/printk")


def byte_at(m, addr):
    """The byte at an address, read through the linear map."""
    return int(m.run(f"echo {addr:#x} > {SCRIBBLE}; cat {SCRIBBLE}"), 16)


def scribble(m, addr, byte):
    """Write to physical memory from inside the kernel. Returns how it is mapped if that faulted, else None.

    The fault's lines are removed from the log, so that the rest can still be checked.
    """
    m.check_log()
    m.run("dmesg -c > /dev/null")
    m.run(f"sh -c 'echo {addr:#x} {byte:#x} > {SCRIBBLE}'", None)
    # Not the whole log: a fault on the serial line ends the test
    found = m.run(f"dmesg -c | grep -oE '{FAULT}|\\bp(md|te)=|Oops|WARNING|BUG|UBSAN|KASAN'", None)[0].split("\n")
    if found == [""]:
        return None
    mapped = {("pmd=", "pte="): "pages", ("pmd=",): "blocks"}.get(tuple(found[1:-1]))
    assert found[0] == FAULT and mapped and found[-1] == "Oops", found
    return mapped


def assert_writable(m, where):
    for name, addr in where.items():
        was = byte_at(m, addr)
        assert scribble(m, addr, was ^ 0xff) is None, f"{name}: read-only"
        assert byte_at(m, addr) == was ^ 0xff, name
        assert scribble(m, addr, was) is None


def assert_read_only(m, where):
    for name, addr in where.items():
        was = byte_at(m, addr)
        assert scribble(m, addr, was ^ 0xff) == "blocks", f"{name}: no fault, or not of a block"
        assert byte_at(m, addr) == was, name
