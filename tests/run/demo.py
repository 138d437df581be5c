# SPDX-License-Identifier: GPL-2.0-or-later
"""make demo: the main job, step by step. U-Boot stages, Linux adopts, nothing is copied."""

import json
import sys

import stash
from qemu import Failure
from stash import MIB, SLOT_SIZE

NEXT_ENTRY = r"Booting Linux on physical CPU"
OLD_LAST = r"Bye!"


def tell(text):
    print(f"==> {text}", flush=True)


def show(text):
    for line in text.strip().splitlines():
        print(f"    {line}", flush=True)


def check(what, good):
    show(f"{what}: {'yes' if good else 'NO'}")
    if not good:
        raise Failure(f"demo: {what}: no")


def stage(m):
    """From U-Boot's prompt to our Linux."""
    stash.uboot_stage(m, "a", "installer.linux", "installer.initrd", "virt.dtb")
    stash.uboot_stage(m, "b", "own.linux", "own.initrd")
    show(m.uboot("kstash list"))
    tell("   U-Boot boots our Linux with booti")
    show(f"Linux {stash.uboot_boot(m)} runs at {stash.kernel_code(m)[0]:#x}, outside both slots")


def compare(m, slot, kernel, initrd):
    for file, source in (("kernel", kernel), ("initrd", initrd)):
        digest = stash.guest_sha256(m, stash.slot_path(slot, file))
        show(f"{slot}/{file}: sha256 {digest}")
        check(f"{slot}/{file} is {source} on the disk", digest == stash.sha256(stash.FILES[source]))


def load(m, slot):
    """Adopt a slot; returns a row of the table."""
    # The kernel checks the digests one second after its start. Show a load after that
    m.run(f"until [ $(cat {stash.slot_path(slot, 'verified')}) = 1 ]; do sleep 0.1; done", timeout=120)
    show(m.run(f"kexec-membuf load {slot}"))
    m.run("kexec-membuf unload")
    # The same again, for the table
    facts = json.loads(m.run(f"kexec-membuf load --json {slot}"))
    copy_bytes = int(m.read("/sys/kernel/kexec/copy_bytes"))
    check("the kernel's count of bytes to copy at exec is 0", copy_bytes == 0)
    return {
        "slot": slot, "range": f"{stash.BASE[slot]:#x}-{stash.BASE[slot] + SLOT_SIZE - 1:#x}",
        "staged": sum(facts["in_place"].values()), "load_ms": facts["load_ns"] / 1e6, "copy": copy_bytes,
    }


def jump(m, row, entry_timeout=30):
    """kexec, and the host's time between the old kernel's last line and the new one's first."""
    before = m.log.lines[-1][0]
    m.jump("kexec-membuf exec")
    m.wait_for(NEXT_ENTRY + r"[^\n]*\n", entry_timeout)
    last = m.log.time_of(OLD_LAST, before)
    row["jump_ms"] = (m.log.time_of(NEXT_ENTRY, last) - last) * 1000


def table(rows):
    names = {"slot": "slot", "what": "payload", "range": "staged at", "staged": "bytes staged", "load_ms": "load",
             "copy": "bytes to copy at exec", "jump_ms": "exec to next kernel"}
    cells = [list(names.values())]
    for row in rows:
        shown = dict(row, load_ms=f"{row['load_ms']:.1f} ms", jump_ms=f"{row['jump_ms']:.0f} ms",
                     staged=f"{row['staged']:,}")
        cells.append([str(shown[key]) for key in names])
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    print()
    for row in cells:
        print("  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("""
  load: the time of kexec_file_load() by the guest's clock. A thread of low priority has checked all digests before, and
  nobody can have changed the bytes since.
  exec to next kernel: from the old kernel's last line on the serial line ("Bye!") to the next one's first ("Booting
  Linux on physical CPU", by earlycon), by the host's clock. QEMU emulates every instruction, so real hardware takes another
  time. It includes the next kernel's decision where to run, its page tables and the serial line itself.""")


def installer(m):
    """Points 1 to 3; returns the table's row."""
    tell("1. U-Boot starts, reserves two slots and reads the payloads from an ext4 disk to their final addresses")
    stage(m)

    tell("2. Linux found the record, reserved the slots and shows them under /sys/fs/kexec")
    show(m.run("kexec-membuf list"))
    compare(m, "a", "installer.linux", "installer.initrd")
    compare(m, "b", "own.linux", "own.initrd")

    tell("3. The Debian installer, from slot a: kexec-membuf load a && kexec-membuf exec")
    row = dict(load(m, "a"), what="Debian 12 installer")
    jump(m, row)
    tell("   its kernel came up in the slot; waiting for the first screen (a minute or so)")
    m.wait_for("Select a language", 240)
    show("the installer asks: Select a language")
    return row


def own_kernel(m):
    """Point 4; returns the table's row."""
    tell("4. The same with our own kernel, from slot b, which can report: once more from power-on")
    stage(m)
    first_total = stash.meminfo(m, "MemTotal")
    tell("   kexec-membuf load b && kexec-membuf exec")
    row = dict(load(m, "b"), what="our own kernel")
    jump(m, row)
    m.shell()
    first, last = stash.kernel_code(m)
    show(f"/proc/iomem: Kernel code {first:#x}-{last:#x}")
    check("the second kernel's code lies inside slot b", stash.BASE["b"] <= first and last < stash.BASE["b"] + SLOT_SIZE)
    check("slot b says running", stash.state(m, "b") == "running")
    total = stash.meminfo(m, "MemTotal")
    show(f"MemTotal: {first_total} kB before, {total} kB now: the slot it runs in is its ordinary memory")
    check("no memory is lost", total - first_total > (SLOT_SIZE - 2 * MIB) // 1024)
    compare(m, "a", "installer.linux", "installer.initrd")
    return row


def main():
    with stash.uboot_machine("demo-installer") as m:
        rows = [installer(m)]
    with stash.uboot_machine("demo-own-kernel") as m:
        rows.append(own_kernel(m))
    tell("5. What was staged, and what it took")
    table(rows)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"demo failed: {failure}")
