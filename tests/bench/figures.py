# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures from the guest's output and the counts from outside, and their targets."""

import re

from bench import cell, counting
from stash import MIB

# One tick of the counter under -icount shift=0, where an instruction is a nanosecond
KIB_LIMIT = 256
MSEC = 1_000_000
# A block of the kernel's random pool is hashed during a jump, or just before it: 1400 instructions, of 60,000
SLACK = 2000


def nanoseconds(ticks, said):
    return int(ticks) * 1_000_000_000 // int(said["reboot"][1])


def timing(said, stage):
    """A stamp of /sys/kernel/kexec/timing in the new kernel, None if it is unknown."""
    words = said.get(f"timing.{stage}", ["unknown"])
    return None if words[0] == "unknown" else int(words[0])


def jump(said):
    """From reboot() to entry, to /init, and the sum."""
    reboot, init, entry = int(said["reboot"][0]), int(said["init"][0]), timing(said, "entry")
    return {"exec_to_entry": None if entry is None else nanoseconds(entry - reboot, said),
            "entry_to_init": None if entry is None else nanoseconds(init - entry, said),
            "exec_to_init": nanoseconds(init - reboot, said)}


def boot(said):
    """From the first kernel's entry to its /init."""
    if "boot.entry" not in said:
        return None
    return nanoseconds(int(said["boot.init"][0]) - int(said["boot.entry"][0]), said)


def loads(said):
    return {"load_command": nanoseconds(said["load"][0], said),
            "load_call": nanoseconds(said["call"][0], said) if "call" in said else None}


def counted(method, size):
    """All figures of a cell that are the same in each run: nanoseconds, which are instructions, bytes and KiB."""
    option, out = counting.option(f"{method.name}-{size}")
    said = cell.run(method, size, "counted", 1, option)
    raw = counting.read(out)
    counts = [counting.summary(count) for count in raw]
    out.unlink()
    free = {label: int(words[0]) for label, words in said.items() if label.startswith("free.")}
    result = times(said)
    # The start time decides whether the timer ticks during the jump
    interrupts = raw[-1]["interrupt"]["-"]
    if result["exec_to_entry"] is not None:
        result["exec_to_entry"] -= interrupts
    return result | {
        "boot": boot(said),
        "copy_at_exec": int(said["copy_bytes"][0]),
        "held_kib": free["free.before"] - free["free.loaded"],
        "peak_kib": int(said["peak"][0]) - int(said["nothing"][0]),
        "noise_kib": abs(free["free.settled"] - free["free.before"]) + abs(free["free.before"] - free["free.unloaded"]),
        "looks": int(said["peak"][1]),
        "by_command": counts[0],
        # Up to some hundred instructions before the old kernel's last
        "by_exec": {"interrupts": interrupts, "spent_most": counting.most_spent(raw[-1], 100)},
        # The system call alone if it was made apart, the second between marks
        "by_load": counts[1] if method.call else counts[0],
    }


def threaded(method, size):
    """Nanoseconds of wall time, with a thread for each CPU. They differ from run to run."""
    return times(cell.run(method, size, "threaded", 2))


def scaled(method, size, cpus):
    """Nanoseconds, which are instructions of all CPUs together, with more than one."""
    return times(cell.run(method, size, "counted", cpus))


def times(said):
    result = loads(said) | jump(said)
    result["load"] = result["load_call"] or result["load_command"]
    return result


class Target:
    """One target, with the figure found at each place where it applies."""

    def __init__(self, figure, target):
        self.figure, self.target = figure, target
        self.found, self.missed = [], False

    @property
    def reached(self):
        return bool(self.found) and not self.missed

    def ask(self, text, holds):
        self.found.append(text if holds else f"**{text}**")
        self.missed = self.missed or not holds


def where_more(one, other):
    """The functions that take most of the instructions that another cell's exec takes more."""
    then = one["by_exec"]["spent_most"]
    more = {name: number - then.get(name, 0) for name, number in other["by_exec"]["spent_most"].items()}
    most = sorted((name for name in more if more[name] > 100), key=lambda name: -more[name])[:5]
    return [f"more than CMA's: {', '.join(f'{name} {more[name]}' for name in most)} instructions"] if most else []


def targets(data):
    """The targets with the figures found, from the data that report.py writes as JSON."""
    sizes = data["sizes"]

    def at(method, size):
        return data["cells"][f"{method}/{size}"]["counted"]

    both = [(name, size) for name in ("now", "before") for size in sizes]
    copied = Target("bytes to copy at exec", "0 at every size")
    for name, size in both:
        copied.ask(f"{at(name, size)['copy_at_exec']}", at(name, size)["copy_at_exec"] == 0)
    copied.found = sorted(set(copied.found))

    entry = Target("exec to kernel entry",
                   f"the same at {sizes[0]} and {sizes[-1]} MiB within 1 %; no more than CMA's; relocation's grows")
    times = {(name, size): at(name, size)["exec_to_entry"] for name in ("before", "cma", "relocation")
             for size in sizes}
    if None in times.values():
        entry.ask("not known: no `entry` in /sys/kernel/kexec/timing", False)
    else:
        first, last = times["before", sizes[0]], times["before", sizes[-1]]
        entry.ask(f"{100 * (last - first) / first:+.3f} %", abs(last - first) * 100 <= first)
        for size in sizes:
            entry.ask(f"{times['before', size]:,} at {size} MiB, CMA {times['cma', size]:,}",
                      times["before", size] <= times["cma", size])
        entry.found += where_more(at("cma", sizes[0]), at("before", sizes[0]))
        least, most = times["relocation", sizes[0]], times["relocation", sizes[-1]]
        entry.ask(f"relocation's from {least / MSEC:.1f} to {most / MSEC:.1f} M", most > least)

    before = Target("load, verified before", "under 1 M instructions at every size")
    for size in sizes:
        before.ask(f"{at('before', size)['load'] / MSEC:.3f} M", at("before", size)["load"] < MSEC)

    now = Target("load, verified now",
                 "a pass of SHA-256 and one of cache maintenance over the payload, and 1 M instructions; "
                 "no byte hashed twice")
    for size in sizes:
        figures = at("now", size)
        load = figures["by_load"]
        # The timer interrupts anything that lasts so long
        rest = figures["load"] - load["spent_hashing"] - load["spent_cleaning"] - load["interrupts"]
        payload = size * MIB + data["kernel_size"]
        most = [f"{name} {number / MSEC:.1f}" for name, number in load["spent_most"].items()
                if not re.fullmatch(f"{counting.HASHES}|{counting.CLEANS}", name)]
        now.ask(f"{size} MiB: {rest / MSEC:.3f} M beside both ({', '.join(most[:2])}) and the timer's "
                f"{load['interrupts'] / MSEC:.3f}, "
                f"{load['hashed'] / payload:.3f} times hashed, {load['cleaned'] / payload:.3f} cleaned",
                rest < MSEC and load["hashed"] < payload + 4096 and load["cleaned"] < payload + MIB)

    against = Target("against `kexec_file_load` into CMA, 256 MiB", "50 times less to load when verified before")
    if 256 not in sizes:
        against.ask("not measured", False)
    else:
        times = at("cma", 256)["load"] / at("before", 256)["load"]
        against.ask(f"{times:.0f} times", times >= 50)

    memory = Target("extra memory at load",
                    f"under {KIB_LIMIT} KiB at every size (CMA: one payload held, two at the peak)")
    for name, size in both:
        held, peak = at(name, size)["held_kib"], at(name, size)["peak_kib"]
        memory.ask(f"{held} and {peak} KiB ({name}, {size} MiB)", max(held, peak) < KIB_LIMIT)
    last = at("cma", sizes[-1])
    memory.found.insert(0, "held and at the peak")
    memory.found.append(f"CMA at {sizes[-1]} MiB: {last['held_kib'] / 1024:.0f} MiB held, "
                        f"{last['peak_kib'] / 1024:.0f} at the peak")

    booted = Target("boot to `/init` with a payload staged", "within 1 % of a boot without")
    for size in sizes:
        with_it, without = at("before", size)["boot"], at("cma", size)["boot"]
        if with_it is None or without is None:
            booted.ask("not known", False)
        else:
            booted.ask(f"{100 * (with_it - without) / without:+.2f} % at {size} MiB",
                       (with_it - without) * 100 <= without)
    return [copied, entry, before, now, against, memory, booted]


def without_interrupts(counted, key):
    """A figure to compare. In a load shorter than a tick, the start time decides whether the timer ticks."""
    count = {"load_command": "by_command", "load_call": "by_load"}.get(key)
    value = counted.get(key)
    return value - counted[count]["interrupts"] if count and value is not None else value


def regressions(new, old, percent=2):
    """The instruction counts that are clearly worse, and those that are clearly better, than the committed ones."""
    worse, better = [], []
    keys = ("load_command", "load_call", "exec_to_entry", "entry_to_init", "exec_to_init", "boot")
    for name in new:
        for key in keys:
            now, then = (without_interrupts(cells.get(name, {}).get("counted", {}), key) for cells in (new, old))
            if now is None or then is None:
                if now is None and then is not None:
                    worse.append(f"{name}: {key} is not known any more, it was {then}")
                continue
            change = f"{name}: {key} {then / MSEC:.3f} -> {now / MSEC:.3f} M ({100 * (now - then) / then:+.1f} %)"
            if abs(now - then) <= SLACK:
                continue
            if now * 100 > then * (100 + percent):
                worse.append(change)
            elif now * 100 < then * (100 - percent):
                better.append(change)
    return worse, better
