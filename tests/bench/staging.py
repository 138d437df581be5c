# SPDX-License-Identifier: GPL-2.0-or-later
"""What staging costs: rate, memory, and the time to look at a slot.

Under -icount the guest's clock counts instructions, one a nanosecond: figures are the same in each run, whatever else
this machine does. They are instructions, not the time that a board would take.
"""

import json
import re

import stash
from stash import BASE, BOOTARGS, MIB

ROUNDS = 50


def guest_ns(m, command):
    """Guest time that a command takes."""
    clock = "grep -m 1 'now at' /proc/timer_list"
    before, after = re.findall(r"now at (\d+) nsecs", m.run(f"{clock}; {command} || exit 1; {clock}", timeout=300))
    return int(after) - int(before)


def dd_rate(m, path, size):
    """Bytes a second of `cat file` piped through dd into tmpfs, from page cache."""
    m.run("mount -t tmpfs none /run")
    m.run(f"cat {path} > /dev/null")
    taken = guest_ns(m, f"cat {path} | dd of=/run/copy bs=64k 2> /dev/null")
    m.run("umount /run")
    return size / taken * 1e9


def stage(m, slot, *files):
    """Stage, from page cache: (bytes a second, peak memory in KiB)."""
    command = f"kexec-membuf stage {slot} --json --command-line '{BOOTARGS}' {' '.join(files)}"
    m.run(f"cat {' '.join(file for file in files if file.startswith('/'))} > /dev/null")
    m.run(f"{command} > /tmp/stage.json & pid=$!; while cat /proc/$pid/status > /tmp/status.new 2>/dev/null; do "
          "! grep -q VmHWM /tmp/status.new || mv /tmp/status.new /tmp/status; sleep 0.01; done; wait $pid", timeout=300)
    result = json.loads(m.run("cat /tmp/stage.json"))
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", m.run("cat /tmp/status")).group(1))
    return result, peak


def main():
    nodes = [stash.node(slot, base) for slot, base in BASE.items()]
    with stash.direct_machine("bench", nodes, smp=1, extra=["-icount", "shift=0"]) as m:
        dd = dd_rate(m, "/mnt/installer.linux", stash.FILES["installer.linux"].stat().st_size)
        result, peak = stage(m, "a", "--kernel", "/mnt/installer.linux", "--initrd", "/mnt/installer.initrd")
        rate = sum(result[file]["size"] for file in ("kernel", "initrd")) / result["stage_ns"] * 1e9
        print("staging, from page cache       bytes per 1000 instructions")
        print(f"  cat file | dd into tmpfs     {dd / 1e6:8.0f}")
        print(f"  kexec-membuf stage           {rate / 1e6:8.0f}   {100 * rate / dd:.0f} % of it; to be at least 80 %")
        print(f"  peak memory of the command   {peak / 1024:8.1f} MiB, its code and libraries too; "
              f"{sum(result[f]['size'] for f in ('kernel', 'initrd')) / MIB:.0f} MiB staged")
        loop = f"i=0; while [ $i -lt {ROUNDS} ]; do %s > /dev/null; i=$((i + 1)); done"
        print("looking at a slot                instructions")
        for command in ("/bin/busybox cat /sys/fs/kexec/a/state", "kexec-membuf list", "kexec-membuf show a"):
            print(f"  {command:<38} {guest_ns(m, loop % command) / ROUNDS / 1e6:8.2f} M")


if __name__ == "__main__":
    main()
