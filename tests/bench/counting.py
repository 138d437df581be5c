# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes that a load copies, hashes and cleans, counted from outside by tests/bench/count.c."""

import re
import subprocess

from bench.cell import OUT
from qemu import BUILD, IMAGE, TOP

PLUGIN = OUT / "count.so"
VMLINUX = IMAGE.parents[3] / "vmlinux"

# Functions of the kernel and of stock kexec: they copy, hash what x1 points to, hash a block with each call, clean
COPIES = (r"(__(pi_)?)?(memcpy|memmove)(_generic|_simd|_falkor|_thunderx2?)?|__arch_copy_(to|from)_user|"
          r"(__pi_)?copy_page")
HASHES, HASHES_BLOCK = "sha256_ce_transform", "sha256_process"
CLEANS = r"(__pi_)?dcache_clean(_inval)?_poc(_nosync)?"
JUMPS = "machine_kexec"
INTERRUPT = "el1h_64_irq"
# These copy from files
READERS = r"(_?copy|copy_page|copy_folio)_to_iter\w*"


def build():
    OUT.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", PLUGIN, TOP / "tests/bench/count.c"],
                   check=True)
    known = symbols(BUILD / "kexec-tools/kexec", "user.") + symbols(VMLINUX, "")
    (OUT / "symbols").write_text("".join(known))


def symbols(program, prefix):
    """Lines for count.c."""
    listing = subprocess.run(["aarch64-linux-gnu-nm", "-n", program], check=True, capture_output=True, text=True).stdout
    by_address = {}
    for address, kind, name in re.findall(r"^([0-9a-f]+) (\w) (\S+)$", listing, re.M):
        # Names of interest come before other names of the same code, and before those of the assembler
        if kind in "tTwW" and not name.startswith("$"):
            by_address.setdefault(int(address, 16), []).append(name)
    addresses = sorted(by_address)
    lines = []
    for start, end in zip(addresses, addresses[1:]):
        names = by_address[start]
        kind = next((kind for kind, regex in (("c", COPIES), ("s", HASHES), ("b", HASHES_BLOCK), ("j", JUMPS),
                                             ("i", INTERRUPT))
                     if any(re.fullmatch(regex, name) for name in names)), "f")
        lines.append(f"{kind} {start:x} {end:x} {prefix}{names[0][:50]}\n")
    return lines


def option(name):
    """QEMU's options, and the file that the counts go to."""
    out = OUT / f"{name}.counts"
    return f"file={PLUGIN},symbols={OUT / 'symbols'},out={out}", out


def read(out):
    """For each pair of marks: what -> name -> bytes."""
    counts, current = [], {}
    for line in out.read_text().splitlines():
        if line == "end":
            counts.append(current)
            current = {}
        else:
            what, name, number = line.split()
            current.setdefault(what, {})[name] = int(number)
    return counts


def summary(count):
    """Bytes read from files, copied beside that, hashed, cleaned to the point of coherency; and the functions of
    the kernel that took most instructions. Those of a program are not told apart where two have the same addresses."""
    copied, spent = count.get("copied", {}), count["spent"]

    def spent_in(regex):
        return sum(number for name, number in spent.items() if re.fullmatch(regex, name))

    read_from_files = sum(number for name, number in copied.items() if re.fullmatch(READERS, name))
    return {"read": read_from_files, "copied": sum(copied.values()) - read_from_files,
            "hashed": sum(count["hashed"].values()), "cleaned": count["cleaned"]["-"], "cleared": count["cleared"]["-"],
            "interrupts": count["interrupt"]["-"], "spent_hashing": spent_in(HASHES), "spent_cleaning": spent_in(CLEANS),
            "spent_most": most_spent(count, 12)}


def most_spent(count, number):
    """The functions that took most instructions, and how many."""
    return dict(sorted(count["spent"].items(), key=lambda item: -item[1])[:number])
