# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to kexec that are compared: what each needs at boot, and how it loads."""

import dataclasses

SIZES = (1, 16, 64, 256, 512)
# Also run with more than one CPU
CPUS, CPUS_SIZE, CPUS_METHODS = (2, 4), 64, ("relocation", "cma", "now", "before")

KERNEL, INITRD = "/bench/Image", "/bench/initrd"
# A pool for payloads of all sizes. All methods have it but the one that must not use CMA
POOL = "cma=704M"
KHO = "kho=on kho_scratch=16M,64M,704M"

STOCK = f"kexec {{how}} -l {KERNEL} --initrd={INITRD} --command-line=\"$NEXT\""


@dataclasses.dataclass(frozen=True)
class Method:
    """command: as a user loads. call: the system call alone, by tests/guest/bench.c; None if that is not the whole load."""
    name: str
    title: str
    how: str
    command: str
    call: str | None
    boot: str = POOL
    adopts: bool = False
    verified: bool = False


FILES = f"{KERNEL} {INITRD} \"$NEXT\""
SLOT = "/sys/fs/kexec/a/kernel"

METHODS = (
    Method("kexec_load", "kexec_load, relocation, purgatory check", "`kexec -c`", STOCK.format(how="-c"), None),
    Method("kexec_load-unchecked", "kexec_load, relocation", "`kexec -c -i`", STOCK.format(how="-c -i"), None),
    Method("relocation", "kexec_file_load, relocation", "`kexec -s`, no CMA", STOCK.format(how="-s"), FILES, "cma=0"),
    Method("cma", "kexec_file_load into CMA", "`kexec -s`", STOCK.format(how="-s"), FILES),
    Method("kho", "kexec_file_load with KHO", "`kexec -s`, `kho=on`", STOCK.format(how="-s"), FILES, f"{POOL} {KHO}"),
    Method("now", "adopted, verified now", "`kexec-membuf load`, `kexec_stash.verify_ahead=0`", "kexec-membuf load a",
           SLOT, f"{POOL} kexec_stash.verify_ahead=0", adopts=True),
    Method("before", "adopted, verified before", "`kexec-membuf load`", "kexec-membuf load a", SLOT, adopts=True,
           verified=True),
)
BY_NAME = {method.name: method for method in METHODS}
