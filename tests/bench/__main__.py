# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`: measure every way to kexec, and staging, and compare with the committed figures."""

import argparse
import concurrent.futures
import datetime
import json
import shutil
import subprocess
import sys
import time

from bench import cell, counting, figures, report, staging
from bench.methods import BY_NAME, CPUS, CPUS_METHODS, CPUS_SIZE, METHODS, SIZES
from qemu import IMAGE, TOP

OUT = cell.OUT / "out"
COMMITTED = TOP / "docs/bench"


def made():
    """What the figures were made with."""
    banner = subprocess.run(["strings", "-n", "20", counting.VMLINUX], capture_output=True, text=True).stdout
    version = next(line for line in banner.splitlines() if line.startswith("Linux version "))
    qemu = subprocess.run(["qemu-system-aarch64", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return {"command": "`make bench`", "kernel": version.split(" (")[0].removeprefix("Linux version "), "QEMU": qemu,
            "counted with": f"`{' '.join(cell.COUNTED)}`, 1 CPU, {cell.MEMORY}",
            "wall time with": f"`{' '.join(cell.THREADED)}`, 2 CPUs, {cell.MEMORY}",
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def show(name, kind, result, begun):
    what = f"load {result['load'] / 1e6:10.3f}, reboot to /init {result['exec_to_init'] / 1e6:10.3f}"
    unit = "ms" if kind == "threaded" else "million instructions"
    print(f"==> {name:<26} {what} {unit}  ({time.monotonic() - begun:.0f} s)", flush=True)


def one(results, kind, method, size, cpus=None):
    """Measure one cell into results."""
    begun = time.monotonic()
    name = f"{method.name}/{size}"
    if kind == "scaled":
        result = results[name][f"cpus-{cpus}"] = figures.scaled(method, size, cpus)
        name += f", {cpus} CPUs"
    else:
        result = results[name][kind] = getattr(figures, kind)(method, size)
    show(name, kind, result, begun)


def measure_counted(cells, jobs):
    """Measure each cell, large ones first. The first failure ends the run."""
    results = {f"{method.name}/{size}": {} for method, size in cells}
    for size in {size for _, size in cells}:
        cell.payload(size)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, results, "counted", method, size)
                   for method, size in sorted(cells, key=lambda cell: -cell[1])]
        futures += [pool.submit(one, results, "scaled", method, size, cpus) for method, size in cells for cpus in CPUS
                    if method.name in CPUS_METHODS and size == CPUS_SIZE]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def judge(data):
    """Print the targets and the changes since the committed figures. False if something is worse."""
    for target in figures.targets(data):
        print(f"{'reached' if target.reached else 'NOT REACHED':<12} {target.figure}: {target.target}\n"
              f"{'':<12} {'; '.join(target.found)}")
    committed = COMMITTED / "figures.json"
    if not committed.exists():
        print(f"nothing to compare with in {COMMITTED}: make bench-update puts these figures there")
        return True
    worse, better = figures.regressions(data["cells"], json.loads(committed.read_text())["cells"])
    for line in better:
        print(f"better       {line}")
    for line in worse:
        print(f"WORSE        {line}")
    print(f"{len(worse)} instruction counts are more than 2 % worse than the committed ones, {len(better)} better")
    if worse or better:
        print("to commit these figures instead: make bench-update")
    return not worse


def update():
    """Take the figures of the last run into docs/bench."""
    data = json.loads((OUT / "figures.json").read_text())
    missing = [f"{method.name}/{size}" for method in METHODS for size in SIZES
               if "counted" not in data["cells"].get(f"{method.name}/{size}", {})]
    if missing:
        sys.exit(f"bench: the last run did not measure {', '.join(missing)}")
    COMMITTED.mkdir(parents=True, exist_ok=True)
    for file in OUT.iterdir():
        shutil.copyfile(file, COMMITTED / file.name)
    print(f"{COMMITTED}: figures of {data['made']['date']}")


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--update", action="store_true", help="the figures of the last run become the committed ones")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="initrds, in MiB")
    parser.add_argument("--methods", default=",".join(BY_NAME), help="of " + ", ".join(BY_NAME))
    parser.add_argument("--jobs", type=int, default=2, help="machines side by side")
    parser.add_argument("--no-threads", action="store_true", help="no wall time")
    parser.add_argument("--no-staging", action="store_true", help="not what staging takes")
    args = parser.parse_args()
    if args.update:
        return update()
    sizes, methods = [int(size) for size in args.sizes.split(",")], [BY_NAME[name] for name in args.methods.split(",")]
    begun = time.monotonic()
    counting.build()
    cells = [(method, size) for size in sizes for method in methods]
    data = {"made": made(), "sizes": sizes, "kernel_size": IMAGE.stat().st_size,
            "cells": measure_counted(cells, args.jobs)}
    shutil.rmtree(OUT, ignore_errors=True)
    if len(methods) == len(METHODS):
        report.write(data, OUT)
    # Wall time is measured alone
    for method, size in [] if args.no_threads else cells:
        one(data["cells"], "threaded", method, size)
    if len(methods) < len(METHODS):
        print(json.dumps(data["cells"], indent=1))
        return 0
    report.write(data, OUT)
    print(f"\n{OUT / 'README.md'}: tables and plots, {(time.monotonic() - begun) / 60:.0f} minutes")
    if not args.no_staging:
        staging.main()
    return 0 if judge(data) else 1


if __name__ == "__main__":
    sys.exit(main())
