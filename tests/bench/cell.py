# SPDX-License-Identifier: GPL-2.0-or-later
"""One cell of the comparison: a machine from power-on, by U-Boot and Linux, through a load to the next /init.

Nobody types and no device has a clock of its own: under -icount the whole run is the same each time.
"""

import os
import random
import re
import shutil
import subprocess

import pexpect

from bench.methods import INITRD, KERNEL
from qemu import BUILD, IMAGE, INITRAMFS, MACHINE, UBOOT, Failure, Machine
from stash import MIB

OUT = BUILD / "bench"
MEMORY = "8G"
KERNEL_AT, INITRD_AT, SLOT, PAYLOAD_AT = 0x44000000, 0x112000000, 0x80000000, 0xb0000000
SLOT_SIZE = 640 * MIB
NEXT = "console=ttyAMA0 nokaslr quiet"
COUNTED = ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm"]
THREADED = ["-accel", "tcg,thread=multi"]

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin
/bin/busybox --install -s /bin
export PATH=/sbin:/bin
for fs in proc:/proc sysfs:/sys devtmpfs:/dev tmpfs:/tmp kexec_stash:/sys/fs/kexec; do
	mount -t ${fs%%:*} none ${fs#*:}
done
trap 'echo "@bench failed"; poweroff -f' EXIT
set -e
[ ! -e /sys/kernel/kexec/timing ] || sed 's/^/@bench boot./' /sys/kernel/kexec/timing
. /bench/steps
"""

# NEXT, VERIFIED, LOAD and CALL are set by the method
COMMON = """
verified() {
	[ -n "$VERIFIED" ] || return 0
	while state=$(cat /sys/fs/kexec/a/verified) && [ "$state" = 0 ]; do sleep 0.1; done
	[ "$state" = 1 ]
}
unload() {
	kexec-membuf unload
	verified
}
load() {
	line=$(eval "bench time load $LOAD")
	echo "$line"
	bench file copy_bytes /sys/kernel/kexec/copy_bytes
}
call() {
	line=$(eval "bench load call $CALL")
	echo "$line"
}
# Some hundred readings, at most a millisecond apart
watch() {
	set -- $line
	us=$(($3 / 62 / 500))
	[ $us -ge 5 ] || us=5
	[ $us -le 1000 ] || us=1000
	[ -z "$CALL" ] || LOAD="bench load watched $CALL"
	bench watch nothing $us bench free free.nothing
	eval "bench watch peak $us $LOAD"
}
sleep 2
verified
"""
STEPS = {"counted": COMMON + """
bench free free.settled
sleep 1
bench free free.before
load
sleep 1
bench free free.loaded
unload
sleep 1
bench free free.unloaded
if [ -n "$CALL" ]; then
	call
	unload
fi
watch
sleep 1
bench jump
""", "threaded": COMMON + """
load
if [ -n "$CALL" ]; then
	unload
	call
fi
sleep 1
bench jump
"""}


def payload(size):
    """The initrd of so many MiB: a real one, with a first process and bytes that do not compress."""
    out = OUT / f"payload-{size}.cpio"
    if out.exists() and out.stat().st_mtime > (BUILD / "tests/bench").stat().st_mtime:
        return out
    first, filler = OUT / "bench", OUT / f"payload-{size}.bytes"
    subprocess.run(["aarch64-linux-gnu-strip", "-o", first, BUILD / "tests/bench"], check=True)
    left = size * MIB - first.stat().st_size - 8192
    source = random.Random(size)
    with open(filler, "wb") as file:
        while left > 0:
            left -= file.write(source.randbytes(min(left, MIB)))
    cpio(out, ["dir /dev 0755 0 0", "nod /dev/console 0600 0 0 c 5 1", f"file /init {first} 0755 0 0",
               f"file /bytes {filler} 0644 0 0"])
    filler.unlink()
    os.truncate(out, size * MIB)
    return out


def cpio(out, entries):
    """An archive of entries, lines of gen_init_cpio."""
    listing = out.with_suffix(".list")
    listing.write_text("\n".join(entries) + "\n")
    with open(out, "wb") as file:
        subprocess.run([BUILD / "initramfs/gen_init_cpio", "-t", "0", listing], stdout=file, check=True)
    listing.unlink()
    return out


def first_initrd(name, size, steps):
    """The guest's root with the payload's files in it, so that they are in page cache, and the steps to do."""
    (OUT / f"{name}.init").write_text(INIT)
    (OUT / f"{name}.steps").write_text(steps)
    more = cpio(OUT / f"{name}.more", [
        "dir /bench 0755 0 0", f"file /init {OUT / name}.init 0755 0 0",
        f"file /bench/steps {OUT / name}.steps 0644 0 0",
        f"file {KERNEL} {IMAGE} 0644 0 0", f"file {INITRD} {payload(size)} 0644 0 0",
        f"file /sbin/bench {OUT / 'bench'} 0755 0 0"])
    out = OUT / f"{name}.initrd"
    with open(out, "wb") as file:
        root = INITRAMFS.read_bytes()
        file.write(root + bytes(-len(root) % 512))
        with open(more, "rb") as rest:
            shutil.copyfileobj(rest, file, MIB)
    more.unlink()
    return out


def device_tree(name, smp, script):
    """The machine's tree with U-Boot's commands, so that nobody types, and without seeds, which differ each time."""
    dumped, out = OUT / f"{name}.dumped", OUT / f"{name}.dtb"
    firmware = OUT / f"{name}.firmware"
    firmware.write_bytes(bytes(4096))
    subprocess.run(["qemu-system-aarch64", "-bios", firmware, "-machine", f"{MACHINE},dumpdtb={dumped}",
                    "-cpu", "cortex-a76", "-smp", str(smp), "-m", MEMORY, "-display", "none", "-nic", "none"],
                   check=True, capture_output=True)
    source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dumped], check=True, capture_output=True,
                            text=True).stdout
    source = re.sub(r"\b(rng|kaslr)-seed = [^;]*;", "", source)
    source += f'/ {{ config {{ bootdelay = <0>; bootcmd = "{script}"; }}; }};\n'
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-p", "4096", "-o", out, "-"], check=True, text=True,
                   input=source)
    dumped.unlink()
    firmware.unlink()
    return out


def uboot_script(method, size, initrd):
    """Reserve the slot in any case, stage into it if the method adopts, and boot."""
    bootargs = f"{NEXT} {method.boot}"
    commands = [f"kstash reserve a {SLOT_SIZE:#x} {SLOT:#x}"]
    if method.adopts:
        commands += [f"kstash add a kernel {KERNEL_AT:#x} {IMAGE.stat().st_size:#x}",
                     f"kstash add a initrd {PAYLOAD_AT:#x} {size * MIB:#x}", f"kstash bootargs a '{bootargs}'"]
    commands += [f"setenv bootargs '{bootargs}'", "setenv initrd_high 0xffffffffffffffff",
                 f"booti {KERNEL_AT:#x} {INITRD_AT:#x}:{initrd.stat().st_size:#x} ${{fdtcontroladdr}}"]
    return " && ".join(commands)


def words_of(log):
    """The guest's output: label -> list of words."""
    said = {}
    for line in re.findall(r"^@bench (.*)$", log, re.M):
        label, *words = line.split()
        said[label] = words
    return said


def run(method, size, mode, smp, plugin=None, timeout=1800):
    """Run one cell, counted or threaded, with this many CPUs. Returns the guest's output."""
    name = f"bench-{method.name}-{size}-{mode}-{smp}"
    settings = (f"NEXT='{NEXT} {method.boot}'\nVERIFIED={'1' if method.verified else ''}\n"
                f"LOAD='{method.command}'\nCALL='{method.call or ''}'\n")
    OUT.mkdir(parents=True, exist_ok=True)
    initrd = first_initrd(name, size, settings + STEPS[mode])
    extra = COUNTED if mode == "counted" else THREADED
    if plugin:
        extra = extra + ["-plugin", plugin]
    load = [(IMAGE, KERNEL_AT), (initrd, INITRD_AT)] + ([(payload(size), PAYLOAD_AT)] if method.adopts else [])
    try:
        tree = device_tree(name, smp, uboot_script(method, size, initrd))
        with Machine(name, bios=UBOOT, dtb=tree, smp=smp, mem=MEMORY, load=load, extra=extra) as m:
            m.wait_for(r"@bench (done|failed)", timeout)
            m.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5)
            said = words_of(m.log.text())
            if "done" not in said:
                raise Failure(f"{name}: a step failed, see {m.log_path}\n" + "\n".join(m.log.text().splitlines()[-20:]))
            return said
    finally:
        for suffix in ("init", "steps", "initrd", "dtb"):
            (OUT / f"{name}.{suffix}").unlink(missing_ok=True)
