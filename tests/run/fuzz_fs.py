# SPDX-License-Identifier: GPL-2.0-or-later
"""make fuzz-fs: random operations on the stash from several processes of a guest, on a debug kernel.

The seed decides the operations and their order in each process, but not their order between processes.
"""

import argparse
import re
import sys
import time

import repro
from qemu import BUILD, IMAGE, PANIC, SPLAT, Failure

DEBUG_IMAGE = BUILD / "linux-debug/arch/arm64/boot/Image"
# More than Machine looks for
REPORT = (rf"{SPLAT}|{PANIC}|Oops|Unable to handle|scheduling while atomic|rcu: .*stall|page allocation failure|"
          r"Bad page|refcount_t: |list_(add|del) corruption|DEBUG_LOCKS|ODEBUG")
SPARES = ",".join(f"{name}:24M" for name in "cdefgh")
SLOTS = f"kexec_stash=a:64M,b:64M,{SPARES} crashkernel=64M log_buf_len=4M"
# After this many tries an operation must have succeeded, except for those that depend on others
TRIES = 50
SELDOM = ("did/release_slot", "did/release_spare", "did/load_spare")
# The share of operations that succeed. The rest meets a loaded slot, or bytes that are not there
GOOD_SHARE = 0.2


def hammer(name, seconds, seed, image=IMAGE, stuck=40, per_second=2):
    """One run. An operation that takes stuck seconds is a failure. Returns operation -> (successes, tries)."""
    results = repro.run(name, "hammer", f"{SLOTS} slab_debug=FZPU seconds={seconds} seed={seed} stuck={stuck}",
                        timeout=seconds * 1.5 + 240, image=image, splat=False, mem="2G")
    if results["stuck"] != "0":
        # The log says who waits for whom
        raise Failure("; ".join(re.findall(r"^worker \d+ is stuck in .*", results.log, re.M)) or "somebody is stuck")
    reports = [line for line in results.log.splitlines() if re.search(REPORT, line)]
    if reports:
        raise Failure("the kernel reports:\n" + "\n".join(reports[:50]))
    if "KMSG hammer: begins" not in results.log:
        raise Failure("nobody has watched the kernel's log")
    counts = {key: tuple(int(word) for word in text.split(" of ")) for key, text in results.items() if " of " in text}
    good, done = counts.pop("good")
    if done < per_second * seconds or good < GOOD_SHARE * done:
        raise Failure(f"too few operations: {good} of {done} in {seconds} s succeeded")
    idle = [key for key, (came, tried) in counts.items()
            if not tried or not came and tried >= TRIES and key not in SELDOM]
    if idle:
        raise Failure(f"never succeeded: {', '.join(idle)}")
    return {**counts, "good": (good, done)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, help="a new one without")
    parser.add_argument("--stuck", type=int, default=40, help="seconds that no operation may take (40)")
    parser.add_argument("--image", default=DEBUG_IMAGE, help="the kernel")
    options = parser.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    print(f"==> {options.seconds} s, seed {seed}", flush=True)
    try:
        counts = hammer("fuzz-fs", options.seconds, seed, options.image, options.stuck)
    except Failure as failure:
        sys.exit(f"{failure}\nfuzz-fs failed. To repeat: make fuzz-fs SECONDS={options.seconds} SEED={seed}")
    good, done = counts["good"]
    print(f"fuzz-fs: {done} operations in {options.seconds} s, {good} succeeded, no report")


if __name__ == "__main__":
    main()
