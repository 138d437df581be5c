# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures as a page, as JSON and as plots."""

import json

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from bench import figures
from bench.methods import BY_NAME, CPUS, CPUS_METHODS, CPUS_SIZE, METHODS
from stash import MIB

MSEC = figures.MSEC
COLUMNS = ("method", "load, M instr.", "by command", "read, MiB", "copied", "hashed", "cleaned", "held, MiB", "peak",
           "copied at exec, MiB", "exec to entry, M instr.", "entry to /init", "sum", "wall: load, ms", "wall: sum")
COLOURS = dict(zip(BY_NAME, ("#7f7f7f", "#bcbd22", "#d62728", "#ff7f0e", "#9467bd", "#1f77b4", "#2ca02c")))


def million(value, digits=3):
    return "not known" if value is None else f"{value / MSEC:,.{digits}f}"


def mib(value, unit=1):
    return "0" if value == 0 else f"{value * unit / MIB:,.2f}"


def row(method, cell):
    counted, wall, load = cell["counted"], cell.get("threaded"), cell["counted"]["by_load"]
    return (method.title, million(counted["load"]), million(counted["load_command"]), mib(load["read"]),
            mib(load["copied"]), mib(load["hashed"]), mib(load["cleaned"]), mib(counted["held_kib"], 1024),
            mib(counted["peak_kib"], 1024), mib(counted["copy_at_exec"]), million(counted["exec_to_entry"]),
            million(counted["entry_to_init"]), million(counted["exec_to_init"]),
            million(wall["load"], 1) if wall else "-", million(wall["exec_to_init"], 1) if wall else "-")


def table(rows):
    head = "| " + " | ".join(rows[0]) + " |\n| --- |" + " ---: |" * (len(rows[0]) - 1) + "\n"
    return head + "".join("| " + " | ".join(line) + " |\n" for line in rows[1:])


def target_table(targets):
    return table([("figure", "target", "found", "reached")]
                 + [(t.figure, t.target, "; ".join(t.found), "yes" if t.reached else "**no**") for t in targets]
                 ).replace(" ---: |", " --- |")


def cpus_table(data):
    rows = [["method"] + [f"{what}, {cpus} CPU{'s' if cpus > 1 else ''}" for what in ("load, M instr.", "sum")
                          for cpus in (1, *CPUS)]]
    for name in CPUS_METHODS:
        cell = data["cells"][f"{name}/{CPUS_SIZE}"]
        each = [cell["counted"]] + [cell[f"cpus-{cpus}"] for cpus in CPUS]
        rows.append([BY_NAME[name].title] + [million(times[key]) for key in ("load", "exec_to_init") for times in each])
    return table(rows)


def page(data):
    """The whole page, as Markdown."""
    made = data["made"]
    parts = ["# Measured\n\n`make bench` writes this page. [bench.md](../bench.md) says what each column means.\n\n"
             + "".join(f"- {key}: {value}\n" for key, value in made.items()) + "\n## Targets\n\n"
             + target_table(figures.targets(data))]
    for size in data["sizes"]:
        rows = [COLUMNS] + [row(method, data["cells"][f"{method.name}/{size}"]) for method in METHODS
                            if f"{method.name}/{size}" in data["cells"]]
        parts.append(f"## Kernel of {data['kernel_size'] / MIB:.1f} MiB, initrd of {size} MiB\n\n{table(rows)}")
    if CPUS_SIZE in data["sizes"]:
        parts.append(f"## With more CPUs, initrd of {CPUS_SIZE} MiB\n\nInstructions of all CPUs together.\n\n"
                     + cpus_table(data))
    parts.append("## Plots\n\n" + "\n".join(f"![{title}]({name}.svg)" for name, title, *_ in PLOTS) + "\n")
    return "\n".join(parts)


# Name, title, label of the y axis, and the figure
PLOTS = (
    ("load", "Load: the system call, for kexec_load the command", "million instructions", lambda c: c["load"] / MSEC),
    ("exec", "From reboot() to /init", "million instructions", lambda c: c["exec_to_init"] / MSEC),
    ("entry", "From reboot() to kernel entry", "million instructions",
     lambda c: None if c["exec_to_entry"] is None else c["exec_to_entry"] / MSEC),
    ("held", "Memory held until exec", "MiB", lambda c: max(c["held_kib"], 0) / 1024),
    ("peak", "Peak of extra memory during the load", "MiB", lambda c: max(c["peak_kib"], 0) / 1024),
)


def plot(data, folder):
    plt.rcParams["svg.hashsalt"] = "kexec-membuf"
    for name, title, unit, value in PLOTS:
        figure, axes = plt.subplots(figsize=(10, 5))
        for method in METHODS:
            points = [(size, value(data["cells"][f"{method.name}/{size}"]["counted"])) for size in data["sizes"]
                      if f"{method.name}/{size}" in data["cells"]]
            points = [(size, y) for size, y in points if y is not None]
            axes.plot([size for size, _ in points], [y for _, y in points], marker="o", label=method.title,
                      color=COLOURS[method.name])
        axes.set(xscale="log", xlabel="initrd, MiB", ylabel=unit, title=title)
        # From 0 to gigabytes: 0 needs a place on the axis too
        axes.set_yscale("symlog", linthresh=0.1)
        axes.set_ylim(0, axes.get_ylim()[1] * 2)
        axes.set_xticks(data["sizes"], [str(size) for size in data["sizes"]])
        axes.minorticks_off()
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
        figure.tight_layout()
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
            figure.savefig(folder / f"{name}.{suffix}", metadata=metadata, dpi=120)
        plt.close(figure)


def write(data, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / "README.md").write_text(page(data))
    plot(data, folder)
