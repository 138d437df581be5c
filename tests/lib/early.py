# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines whose slots come from the kernel parameter, and whose payloads come from the initrd."""

import collections
import re
import shutil
import stat
import subprocess

import stash
from qemu import IMAGE, INITRAMFS, Machine, closed_on_failure
from stash import BOOTARGS, WORK

GIB = 1 << 30
FOLDER = "kernel/kexec"


def cpio(name, files):
    """Stock cpio's archive of a folder with these files, a dict of path and source (a path, or bytes)."""
    folder = WORK / f"{name}.cpio"
    shutil.rmtree(folder, ignore_errors=True)
    for path, source in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(source if isinstance(source, bytes) else source.read_bytes())
    out = subprocess.run("find . | cpio -o -H newc --quiet", shell=True, cwd=folder, check=True, capture_output=True)
    shutil.rmtree(folder)
    return out.stdout


def payload(name, slot, **files):
    """The cpio of one slot's payload. In a name, _ stands for the . before sig."""
    return cpio(name, {f"{FOLDER}/{slot}/{file.replace('_', '.')}": source for file, source in files.items()})


Entry = collections.namedtuple("Entry", "name data mode", defaults=(b"", stat.S_IFREG | 0o600))


def newc(*entries, trailer=True):
    """A cpio with names and types that stock cpio does not write, or does not write twice."""
    out = b""
    for entry in (*entries, *([Entry("TRAILER!!!")] if trailer else [])):
        name = entry.name.encode() + b"\0"
        fields = (0, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
        for part in (b"070701" + b"".join(b"%08X" % field for field in fields) + name, entry.data):
            out += part + bytes(-len(part) % 4)
    return out


def initrd(name, *parts):
    """An initrd of these parts: bytes, or paths of files."""
    out = WORK / f"{name}.initrd"
    WORK.mkdir(parents=True, exist_ok=True)
    with open(out, "wb") as file:
        for part in parts:
            file.write(part if isinstance(part, bytes) else part.read_bytes())
            file.write(bytes(-file.tell() % 4))
    return out


def machine(name, slots, *, kernel=IMAGE, initrd=INITRAMFS, append="", **kwargs):
    """Our Linux, started by QEMU itself with kexec_stash=<slots>, at its shell. KASLR is on."""
    m = Machine(name, kernel=kernel, initrd=initrd, append=f"{BOOTARGS} kexec_stash={slots} {append}",
                disk=stash.disk(), **kwargs)
    with closed_on_failure(m):
        m.shell()
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
    return m


def place(m, slot):
    """Base and size of a slot."""
    return tuple(int(m.read(stash.slot_path(slot, fact)), 16) for fact in ("base", "size"))


def iomem(m):
    """Lines of /proc/iomem: (depth, first byte, last byte, name)."""
    lines = re.findall(r"^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$", m.run("cat /proc/iomem"), re.M)
    return [(len(indent) // 2, int(first, 16), int(last, 16), name) for indent, first, last, name in lines]


def around(m, slot):
    """Names of the ranges around a slot in /proc/iomem, from outside to inside; None if the slot is not shown."""
    names = []
    for depth, first, last, name in iomem(m):
        del names[depth:]
        if name == f"Kexec stash: {slot}":
            base, size = place(m, slot)
            assert (first, last) == (base, base + size - 1)
            return names
        names.append(name)
    return None


def available(m):
    """Available memory in KiB, with the free pages in each CPU's own list, which MemAvailable leaves out."""
    zones = m.run("cat /proc/zoneinfo")
    assert "pagesets" in zones
    return stash.meminfo(m, "MemAvailable") + 4 * sum(map(int, re.findall(r"^\s+count:\s+(\d+)$", zones, re.M)))


def messages(m):
    """The stash's lines in the kernel's log, without time stamps."""
    return [line.partition("kexec_stash: ")[2] for line in stash.kernel_log(m, r"\] kexec_stash: ")]
