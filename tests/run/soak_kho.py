# SPDX-License-Identifier: GPL-2.0-or-later
"""make soak-kho: kexec after kexec between two slots, with memory that lives through all of them."""

import argparse
import sys

import kho
from qemu import Failure


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hops", type=int, nargs="?", default=100)
    parser.add_argument("--mib", type=int, default=1024, help="of memory (1024)")
    options = parser.parse_args()
    with kho.machine("soak-kho") as m:
        live = kho.LiveUpdate(m, options.mib)
        try:
            for _ in range(options.hops):
                live.go()
        except Failure as failure:
            sys.exit(f"failed in kexec {len(live.rows) + 1}: {failure}")
        totals = [row["total"] for row in live.rows]
        print(f"{options.hops} kexecs, MemTotal {min(totals)} to {max(totals)} KiB")
        m.run("luo end", 1)


if __name__ == "__main__":
    main()
