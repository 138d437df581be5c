# SPDX-License-Identifier: GPL-2.0-or-later
"""make soak: kexec after kexec between two slots, for as many rounds as are asked for."""

import argparse
import collections
import statistics
import sys
import time

import pingpong
from qemu import Failure
from stash import MIB


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, help="of sizes and order; a new one without")
    parser.add_argument("--debian", type=int, default=25, metavar="N", help="go to Debian's 6.1 once in N rounds (25)")
    parser.add_argument("--rescue", type=int, default=10, metavar="N", help="adopt the rescue once in N rounds (10)")
    return parser.parse_args()


def soak(options):
    """The rounds; returns the rows."""
    with pingpong.machine("soak", options.seed) as p:
        # Never in the last round, which is to end in our kernel
        debian = range(options.debian // 2 + 1, options.rounds, options.debian)
        print(pingpong.HEAD)
        try:
            for round_ in pingpong.plan(p.payloads, options.rounds, debian):
                print(pingpong.line(p.payloads, p.go(round_)), flush=True)
                if round_.number % options.rescue == 0 and round_.kind != pingpong.DEBIAN:
                    p.adopt_rescue()
                    print(f"{'':5}  rescue: adopted, its digests are those that U-Boot recorded", flush=True)
        except Failure:
            summary(p)
            raise
        p.boot_rescue()
        print(f"{'':5}  rescue: boots", flush=True)
        return p


def summary(p):
    """How many of which kind, how long they took, what was staged."""
    kinds = collections.defaultdict(list)
    for row in p.rows:
        kinds[row["round"].kind].append(row)
    print(f"\n{'to':5} {'rounds':>6}   {'stage':>18}   {'load':>21}   {'kexec':>18}   {'staged':>9}")
    for kind, rows in kinds.items():
        text = f"{kind:5} {len(rows):6}"
        for what, scale, unit in (("stage", 1, "s"), ("load", 1000, "ms"), ("kexec", 1, "s")):
            times = [row[what] * scale for row in rows if what in row] or [0]
            text += f"   {min(times):.1f} {statistics.median(times):.1f} {max(times):.1f} {unit}".ljust(22)
        sizes = sum(p.payloads.size(file) for row in rows for file in
                    (row["round"].kernel, row["round"].initrd, row["round"].dtb) if kind != pingpong.BACK)
        print(f"{text} {sizes / MIB:8.0f}M")
    print("(least, median, most; of an emulated machine)\n")
    for figure, (lost, limit) in pingpong.losses(p.rows).items():
        values = [row[figure] for row in p.rows if figure in row and row["round"].kind == pingpong.OWN]
        if values:
            print(f"{figure:13} {min(values)} to {max(values)} KiB, {lost:+.2f} KiB lost with each round, "
                  f"{limit:.2f} may be")


def main():
    options = arguments()
    if options.seed is None:
        options.seed = int(time.time())
    print(f"==> {options.rounds} kexecs, seed {options.seed}", flush=True)
    start = time.monotonic()
    try:
        p = soak(options)
    except Failure as failure:
        sys.exit(f"soak failed after {time.monotonic() - start:.0f} s: {failure}\n"
                 f"The same again: make soak ROUNDS={options.rounds} SEED={options.seed}")
    summary(p)
    leaks = pingpong.leaks(p.rows)
    for leak in leaks:
        print(leak)
    print(f"{len(p.rows)} kexecs in {time.monotonic() - start:.0f} s, {len(leaks)} leaks")
    sys.exit(1 if leaks else 0)


if __name__ == "__main__":
    main()
