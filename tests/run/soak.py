# SPDX-License-Identifier: GPL-2.0-or-later
"""make soak: kexec after kexec between two slots."""

import argparse
import collections
import statistics
import subprocess
import sys
import threading
import time

import pingpong
from qemu import Failure
from stash import MIB


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, help="of sizes and order; a new one without")
    parser.add_argument("--machines", type=int, default=2, metavar="N",
                        help="how many run side by side and share the rounds, each with its own seed (2)")
    parser.add_argument("--machine", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--kho", action="store_true", help="half of the kernels run with KHO on")
    parser.add_argument("--debian", type=int, default=25, metavar="N", help="go to Debian's 6.1 once in N rounds (25)")
    parser.add_argument("--rescue", type=int, default=10, metavar="N", help="adopt the rescue once in N rounds (10)")
    return parser.parse_args()


def soak(options):
    """Do the rounds. Returns their rows."""
    name = "soak" if options.machine is None else f"soak-{options.machine}"
    with pingpong.machine(name, options.seed) as p:
        # Not in the last round, which must end in our kernel
        debian = range(options.debian // 2 + 1, options.rounds, options.debian)
        print(pingpong.HEAD)
        try:
            for round_ in pingpong.plan(p.payloads, options.rounds, debian, options.kho):
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
    """How many rounds of each kind, their times, and the payloads."""
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
    print("(lowest, median, highest; of an emulated machine)\n")
    for figure, (lost, limit) in pingpong.losses(p.rows).items():
        values = [row[figure] for row in p.rows if figure in row and row["round"].kind == pingpong.OWN]
        if values:
            print(f"{figure:13} {min(values)} to {max(values)} KiB, {lost:+.2f} KiB lost with each round, "
                  f"limit {limit:.2f}")


def soak_one(options):
    """Run one machine to its end."""
    start = time.monotonic()
    try:
        p = soak(options)
    except Failure as failure:
        sys.exit(f"soak failed after {time.monotonic() - start:.0f} s: {failure}")
    summary(p)
    leaks = pingpong.leaks(p.rows)
    for leak in leaks:
        print(leak)
    print(f"{len(p.rows)} kexecs in {time.monotonic() - start:.0f} s, {len(leaks)} leaks")
    return 1 if leaks else 0


def pass_on(machine, process):
    """Print the lines of one of several machines, each with its number."""
    for line in process.stdout:
        print(f"{machine}: {line}", end="", flush=True)


def soak_all(options):
    """Run several machines side by side, each a process with its share of the rounds. The first failure ends them all."""
    processes = []
    for i in range(options.machines):
        rounds = options.rounds // options.machines + (i < options.rounds % options.machines)
        argv = [sys.executable, __file__, str(rounds), "--machine", str(i), "--seed", str(options.seed + i),
                "--debian", str(options.debian), "--rescue", str(options.rescue)] + ["--kho"] * options.kho
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        thread = threading.Thread(target=pass_on, args=(i, process))
        thread.start()
        processes.append((process, thread))
    while any(process.poll() is None for process, _ in processes):
        if any(process.poll() for process, _ in processes):
            break
        time.sleep(1)
    for process, thread in processes:
        # A machine's QEMU ends with the terminal that it was started on
        if process.poll() is None:
            process.terminate()
        process.wait()
        thread.join()
    return 1 if any(process.returncode for process, _ in processes) else 0


def main():
    options = arguments()
    if options.seed is None:
        options.seed = int(time.time())
    options.machines = min(options.machines, options.rounds)
    if options.machine is not None or options.machines == 1:
        sys.exit(soak_one(options))
    again = f"make soak ROUNDS={options.rounds} SEED={options.seed} MACHINES={options.machines}" + " KHO=1" * options.kho
    print(f"==> {options.rounds} kexecs of {options.machines} machines, seed {options.seed}", flush=True)
    start = time.monotonic()
    failed = soak_all(options)
    print(f"{options.rounds} kexecs in {time.monotonic() - start:.0f} s, {'failed' if failed else 'all is well'}. "
          f"To repeat: {again}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
