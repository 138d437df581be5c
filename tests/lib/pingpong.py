# SPDX-License-Identifier: GPL-2.0-or-later
"""Kexec after kexec between two slots, beside a third that must not change: the test and `make soak` share this.

A round is one kexec. Most go from our kernel in one slot to our kernel in the other. Now and then one goes to Debian's
6.1, which knows nothing of the stash, and the round after it back from there by its ordinary kexec.
"""

import contextlib
import dataclasses
import gzip
import json
import random
import re
import time

import libfdt

import stash
from qemu import IMAGE, INITRAMFS, UBOOT, Failure, Machine, make_disk
from stash import MIB, PAYLOAD, SLOT_SIZE, WORK

PAGE = 4096
SLOTS = {**stash.BASE, "rescue": 0x70000000}
OTHER = {"a": "b", "b": "a"}
# A payload is longer by up to this: the first of each kind, all others. Staging costs time
MORE = (8 * MIB, MIB)
# cp; kexec-membuf stage with files; the same with the initrd from a pipe
STAGED_BY = ("cp", "stage", "pipe")
# One entry for each kernel's start, one for each load
IMA = "/sys/kernel/security/ima"
IMA_RULE = "measure func=KEXEC_CMDLINE"
# Ours in place; Debian's in place; ours by Debian's ordinary kexec
OWN, DEBIAN, BACK = "own", "6.1", "back"


def expect(good, what, round_=None):
    if not good:
        raise Failure(f"{f'round {round_.number} ({round_.kind}): ' if round_ else ''}{what}")


# The payloads

def padded_kernel(name, rng, size):
    """Our kernel, made to own more memory, with a file longer by as much."""
    image = bytearray(IMAGE.read_bytes())
    owned = stash.image_size(IMAGE)
    image += bytes(owned - len(image)) + rng.randbytes(size)
    image[16:24] = (owned + size).to_bytes(8, "little")
    path = WORK / f"{name}.linux"
    path.write_bytes(image)
    return path


def padded_initrd(name, rng, size):
    """Our initrd with a file /noise of this size. Its digest shows whether the initrd is whole."""
    noise = WORK / f"{name}.noise"
    noise.write_bytes(rng.randbytes(size))
    digest = stash.sha256(noise)
    path = stash.initrd_with(name, {"noise": noise})
    noise.unlink()
    (WORK / f"{name}.files" / "noise").unlink()
    return path, digest


def board_dtb(name, rng, size):
    """A board's dtb with a property of this size and a model of its own."""
    tree = libfdt.Fdt((PAYLOAD / "raw.dtb").read_bytes())
    tree.resize(tree.totalsize() + size + PAGE)
    tree.setprop_str(0, "model", name)
    tree.setprop(0, "padding", b"pad" * (size // 3))
    tree.pack()
    path = WORK / f"{name}.dtb"
    path.write_bytes(tree.as_bytearray())
    return path


class Payloads:
    """Files of many sizes, from a seed, and the disk they are on."""

    def __init__(self, name, seed):
        self.seed = seed
        rng = random.Random(seed)
        WORK.mkdir(parents=True, exist_ok=True)
        self.noise, self.files = {}, {"own.linux": IMAGE, "own.initrd": INITRAMFS}
        self.kernels, self.initrds, self.dtbs = ["own.linux"], ["own.initrd"], []
        for i in range(3):
            more = rng.randrange(MORE[min(i, 1)]) & -PAGE
            self._add(self.kernels, f"{i}.linux", padded_kernel(f"{name}-{i}", rng, more))
        for i in range(5):
            path, digest = padded_initrd(f"{name}-{i}", rng, rng.randrange(1, MORE[min(i, 1)]))
            self._add(self.initrds, f"{i}.initrd", path)
            self.noise[f"{i}.initrd"] = digest
        for i in range(2):
            self._add(self.dtbs, f"{i}.dtb", board_dtb(f"{name}-{i}", rng, rng.randrange(1, 64 << 10)))
        self.files["6.1.linux"] = PAYLOAD / "linux"
        self.files["6.1.initrd"] = stash.initrd_with(f"{name}-6.1", {"own.linux": IMAGE, "own.initrd": INITRAMFS})
        self.digest = {file: stash.sha256(path) for file, path in self.files.items()}
        self.disk = make_disk(WORK / f"{name}.img", self.files)

    def _add(self, group, file, path):
        group.append(file)
        self.files[file] = path

    def size(self, file):
        return self.files[file].stat().st_size if file else 0


@dataclasses.dataclass
class Round:
    number: int
    kind: str
    slot: str           # the one to stage and jump to; for BACK: the one that 6.1 runs in
    kernel: str
    initrd: str
    dtb: str
    bootargs: str
    how: str            # how to stage it, one of STAGED_BY
    busy: bool          # the rescue is loaded during staging
    kho: bool           # the next kernel runs with KHO on


# With KHO, kernels have it off for this many rounds, then on for as many
KHO_BLOCK = 10


def plan(payloads, rounds, debian, kho=False):
    """All rounds. debian: the numbers of the rounds that go to 6.1. kho: half of the rounds go to a kernel with KHO on."""
    rng = random.Random(payloads.seed)
    made, slot = [], "b"
    for number in range(1, rounds + 1):
        back = bool(made) and made[-1].kind == DEBIAN
        kind = BACK if back else DEBIAN if number in debian else OWN
        slot = slot if back else OTHER[slot]
        payload = {"kernel": rng.choice(payloads.kernels), "initrd": rng.choice(payloads.initrds), "dtb": None}
        if number > 2 and rng.random() < 0.3:
            payload["dtb"] = rng.choice(payloads.dtbs)
        if kind == DEBIAN:
            payload = {"kernel": "6.1.linux", "initrd": "6.1.initrd", "dtb": None}
        elif kind == BACK:
            payload = {"kernel": "own.linux", "initrd": "own.initrd", "dtb": None}
        with_kho = kho and kind != DEBIAN and (number - 1) // KHO_BLOCK % 2 == 1
        words = [stash.BOOTARGS, f"round={number}", "kho=on" if with_kho else "", "x" * rng.randrange(200)]
        made.append(Round(number, kind, slot, **payload, busy=rng.random() < 0.2, kho=with_kho,
                          bootargs=" ".join(word for word in words if word),
                          how="-" if back else STAGED_BY[number % len(STAGED_BY)]))
    return made


# The device tree that a kernel was given

class Tree:
    def __init__(self, m, name):
        path = WORK / f"{name}.fdt.gz"
        m.run("gzip -c /sys/firmware/fdt > /tmp/fdt.gz")
        stash.guest_file(m, "/tmp/fdt.gz", path)
        m.run("rm /tmp/fdt.gz")
        self.fdt = libfdt.FdtRo(gzip.decompress(path.read_bytes()))
        self.size = self.fdt.totalsize()
        self.memreserve = [tuple(self.fdt.get_mem_rsv(i)[-2:]) for i in range(self.fdt.num_mem_rsv())]

    def digests(self, slot):
        """The digests that a slot's record holds."""
        found = {}
        for file in ("kernel", "initrd", "dtb"):
            path = f"/reserved-memory/kexec-stash@{SLOTS[slot]:x}/{file}/hash-1"
            node = self.fdt.path_offset(path, [libfdt.NOTFOUND])
            if node >= 0:
                found[file] = bytes(self.fdt.getprop(node, "value")).hex()
        return found


class PingPong:
    """The machine, the slot it is in, and a row for each round."""

    def __init__(self, m, name, payloads):
        self.m, self.name, self.payloads = m, name, payloads
        self.rows = []
        self.tree_of = "firmware"
        self.kho = False    # the running kernel has KHO on
        self.ima = (0, "")
        self.recorded = {}
        self.rescue = "staged"

    # The machine's start

    def start(self):
        """U-Boot stages the rescue, reserves two empty slots and boots our Linux outside all of them."""
        m = self.m
        m.uboot_prompt()
        m.uboot("virtio scan")
        for slot, base in SLOTS.items():
            m.uboot(f"kstash reserve {slot} {SLOT_SIZE:#x} {base:#x}")
        m.uboot("kstash load rescue kernel virtio 0 own.linux")
        m.uboot("kstash load rescue initrd virtio 0 own.initrd")
        m.uboot(f'kstash bootargs rescue "{stash.BOOTARGS} rescue"')
        stash.uboot_boot(m)
        self.recorded = Tree(m, self.name).digests("rescue")
        staged = {"kernel": self.payloads.digest["own.linux"], "initrd": self.payloads.digest["own.initrd"]}
        expect(self.recorded == staged, f"U-Boot recorded {self.recorded}, not {staged}")
        self.expect_states({"a": "empty", "b": "empty", "rescue": "staged"})
        self._settle_in()

    def _settle_in(self):
        m = self.m
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        m.run(f"echo '{IMA_RULE}' > {IMA}/policy")

    # Looking

    def states(self):
        lines = self.m.run("cd /sys/fs/kexec && grep . */state").splitlines()
        return {line.split("/")[0]: line.split(":")[1] for line in lines}

    def expect_states(self, wanted, round_=None):
        states = self.states()
        expect(states == wanted, f"slots are {states}, not {wanted}", round_)

    def expect_place(self, slot, round_):
        first, last = stash.kernel_code(self.m)
        base = SLOTS[slot]
        expect(base <= first and last < base + SLOT_SIZE, f"the kernel runs at {first:#x}, not in slot {slot}", round_)

    def expect_quiet_log(self, round_):
        """The log has no warning of ours and no error of others."""
        for line in self.m.run("dmesg -r").splitlines():
            found = re.match(r"<(\d+)>\[ *[\d.]+\] (.*)", line)
            if not found:
                continue
            level, text = int(found.group(1)) & 7, found.group(2)
            ours = re.search(r"kexec|stash|GIC|IMA:|ima:|initramfs|reserved mem|memblock", text, re.I)
            expect(level > (4 if ours else 3), f"the kernel complains: {text}", round_)

    def expect_ima_list(self, round_):
        """IMA's list begins with the whole list of the kernel before."""
        size, digest = self.ima
        binary = f"{IMA}/binary_runtime_measurements"
        now = self.m.run(f"head -c {size} {binary} | sha256sum").split()[0] if size else ""
        expect(now == digest, f"the first {size} bytes of IMA's list are not those of the kernel before", round_)
        return int(self.m.read(f"{IMA}/runtime_measurements_count"))

    def _remember_ima_list(self):
        self.m.run(f"cat {IMA}/binary_runtime_measurements > /tmp/ima")
        size, digest = self.m.run("wc -c < /tmp/ima; sha256sum /tmp/ima; rm /tmp/ima").split()[:2]
        self.ima = int(size), digest

    def measure(self):
        """Figures that must not shrink or grow from kernel to kernel, in KiB, bytes and entries."""
        m = self.m
        m.run("sync; echo 3 > /proc/sys/vm/drop_caches; sleep 0.3; echo 3 > /proc/sys/vm/drop_caches")
        text = m.run("cat /proc/meminfo /proc/zoneinfo")
        seen = {field: int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1))
                for field in ("MemTotal", "MemAvailable", "Slab", "VmallocUsed")}
        # The CPUs' own lists have up to some 10 MiB of free pages, which do not count as free
        at_hand = sum(int(count) for count in re.findall(r"^\s+count:\s+(\d+)", text, re.M))
        seen["MemAvailable"] += at_hand * PAGE // 1024
        tree = Tree(m, self.name)
        expect(tree.digests("rescue") == self.recorded, "the rescue's record is not what U-Boot wrote")
        # The command line is in the tree, in whole words
        args = len(m.read("/proc/cmdline")) + 1
        return {**seen, "dtb": tree.size - (args + 3 & ~3), "memreserve": len(tree.memreserve)}

    # Doing

    def stage(self, round_):
        """Stage into the other slot, from the running system, as docs/file-system.md says."""
        m, slot = self.m, round_.slot
        before = self.states()
        state = before.get(slot, "not there")
        expect(state == "empty", f"slot {slot} is {state}, not free to be staged", round_)
        if round_.busy and self.rescue == "staged":
            m.run("kexec-membuf load rescue", timeout=120)
            before["rescue"] = "loaded"
        files = {"kernel": round_.kernel, "initrd": round_.initrd}
        if round_.dtb:
            files["dtb"] = round_.dtb
        self._write(round_, files)
        origin = m.read(stash.slot_path(slot, "origin"))
        expect(origin == "runtime", f"slot {slot} was not staged by this system", round_)
        self.expect_states({**before, slot: "staged"}, round_)
        for file, source in files.items():
            digest = stash.guest_sha256(m, stash.slot_path(slot, file))
            expect(digest == self.payloads.digest[source], f"{slot}/{file} is not {source}: {digest}", round_)

    def _write(self, round_, files):
        if round_.how == "cp":
            for file, source in files.items():
                self.m.run(f"cp /mnt/{source} {stash.slot_path(round_.slot, file)}", timeout=120)
            self.m.run(f"printf '%s' '{round_.bootargs}' > {stash.slot_path(round_.slot, 'cmdline')}")
            return
        sources = {file: f"/mnt/{source}" for file, source in files.items()}
        stdin = ""
        if round_.how == "pipe":
            stdin, sources["initrd"] = f"cat {sources['initrd']} | ", "-"
        options = " ".join(f"--{file} {source}" for file, source in sources.items())
        self.m.run(f"{stdin}kexec-membuf stage {round_.slot} {options} --command-line '{round_.bootargs}'", timeout=120)

    def load(self, round_):
        m, slot = self.m, round_.slot
        before = self.states()
        # Each kernel passes a seed on. The tree must not keep the old ones
        m.run("until dmesg | grep -q 'crng init done'; do sleep 0.1; done")
        facts = json.loads(m.run(f"kexec-membuf load --json {slot}", timeout=120))
        copied = m.read("/sys/kernel/kexec/copy_bytes")
        expect(copied == "0", f"{copied} bytes to copy at exec", round_)
        # This replaces the image that was loaded before
        given_way = {other: "staged" for other, state in before.items() if state == "loaded"}
        self.expect_states({**before, **given_way, slot: "loaded"}, round_)
        self._remember_ima_list()
        return facts["load_ns"] / 1e9

    def go(self, round_):
        """One kexec, with the checks before and after it. Returns the row."""
        times, row = {}, {"round": round_}
        with self._timed(times, "stage"):
            if round_.kind != BACK:
                self.stage(round_)
        if round_.kind == BACK:
            self.m.run(f"kexec -c -i -l /own.linux --initrd=/own.initrd --command-line='{round_.bootargs}'")
        else:
            row["load"] = self.load(round_)
        with self._timed(times, "kexec"):
            self.m.jump("kexec -e" if round_.kind == BACK else "kexec-membuf exec")
            version = self.m.shell()
        with self._timed(times, "look"):
            self._arrived(round_, version, row)
        row.update(times)
        self.rows.append(row)
        return row

    @staticmethod
    @contextlib.contextmanager
    def _timed(times, what):
        start = time.monotonic()
        yield
        times[what] = time.monotonic() - start

    def _arrived(self, round_, version, row):
        m = self.m
        if round_.dtb:
            self.tree_of = round_.dtb
        expect(m.read("/proc/cmdline") == round_.bootargs, "the command line is not what was staged", round_)
        if self.tree_of != "firmware":
            model = m.read("/proc/device-tree/model").rstrip("\0")
            expect(model == f"{self.name}-{self.tree_of.split('.')[0]}", f"the tree is that of {model}", round_)
        if round_.kind == DEBIAN:
            expect(version.startswith("6.1."), f"Linux {version} came up", round_)
            self.expect_place(round_.slot, round_)
            self._expect_kept_free(round_)
            return
        if round_.kind == BACK:
            self._expect_slots_after_debian(round_)
        else:
            self.expect_place(round_.slot, round_)
            self.expect_states({round_.slot: "running", OTHER[round_.slot]: "empty", "rescue": self.rescue}, round_)
        if round_.initrd in self.payloads.noise:
            digest = stash.guest_sha256(m, "/noise")
            expect(digest == self.payloads.noise[round_.initrd], "the initrd did not come along whole", round_)
            m.run("rm /noise")
        if round_.kho:
            self._expect_kho(round_)
        self.expect_quiet_log(round_)
        row["IMA"] = self.expect_ima_list(round_)
        row.update(self.measure(), tree=self.tree_of, kho=(self.kho, round_.kho))
        self.kho = round_.kho
        self._settle_in()

    def _expect_kho(self, round_):
        """KHO is on. If the kernel before had it on too, it handed its memory over."""
        lines = stash.kernel_log(self.m, "KHO: ")
        expect(not any("disabling" in line for line in lines), f"KHO went off: {lines}", round_)
        expect(self.m.run("test -d /sys/kernel/debug/kho/out", None)[1] == 0, "KHO is not on", round_)
        if self.kho and round_.kind == OWN:
            expect(any("exec from" in line for line in lines), f"KHO handed nothing over: {lines}", round_)

    def _expect_kept_free(self, round_):
        """Debian's kernel uses no memory of the slots that it does not run in."""
        ranges = re.findall(r"^ +([0-9a-f]+)-([0-9a-f]+) : reserved", self.m.run("cat /proc/iomem"), re.M)
        for slot, base in SLOTS.items():
            if slot != round_.slot:
                kept = any(int(first, 16) <= base and base + SLOT_SIZE <= int(last, 16) + 1 for first, last in ranges)
                expect(kept, f"slot {slot} is not reserved", round_)

    def _expect_slots_after_debian(self, round_):
        """The slot that 6.1 ran in is ordinary memory for one more kernel: not shown, or this kernel runs in it."""
        states = self.states()
        used = states.pop(round_.slot, "not shown")
        expect(used in ("not shown", "running"), f"slot {round_.slot} is {used}", round_)
        wanted = {OTHER[round_.slot]: "empty", "rescue": self.rescue}
        expect(states == wanted, f"slots are {states}, not {wanted}", round_)

    # Fall back

    def adopt_rescue(self):
        """The rescue can be adopted at any time, with the digests that U-Boot recorded. Then unload it."""
        m = self.m
        before = self.states()
        expect(Tree(m, self.name).digests("rescue") == self.recorded, "the rescue's record is not what U-Boot wrote")
        m.run("kexec-membuf load rescue", timeout=120)
        self.expect_states({**before, "rescue": "loaded"})
        for file, digest in self.recorded.items():
            seen = stash.guest_sha256(m, stash.slot_path("rescue", file))
            expect(seen == digest, f"rescue/{file} has the digest {seen}, U-Boot recorded {digest}")
        m.run("kexec-membuf unload")
        self.expect_states(before)

    def boot_rescue(self):
        """Kexec into the rescue, which finds both slots free for staging."""
        m = self.m
        m.run("kexec-membuf load rescue", timeout=120)
        m.jump("kexec-membuf exec")
        m.shell()
        first, last = stash.kernel_code(m)
        expect(SLOTS["rescue"] <= first and last < SLOTS["rescue"] + SLOT_SIZE, f"the rescue runs at {first:#x}")
        self.expect_states({"a": "empty", "b": "empty", "rescue": "running"})
        # After the rescue was left, it is a slot like the others
        self.recorded, self.rescue = {}, "empty"
        self._settle_in()


@contextlib.contextmanager
def machine(name, seed):
    """A machine that has just started our Linux, with the rescue staged and two empty slots."""
    payloads = Payloads(name, seed)
    with Machine(name, bios=UBOOT, disk=payloads.disk, extra=["-device", "virtio-rng-pci"]) as m:
        pingpong = PingPong(m, name, payloads)
        pingpong.start()
        yield pingpong


# Leaks

# How much of a figure is chance, in KiB: at least the standard deviation over kernels of the same start
NOISE = {"MemTotal": 4, "MemAvailable": 50, "Slab": 50, "VmallocUsed": 50}
# A leak shrinks these, and grows those
SIGN = {"MemTotal": -1, "MemAvailable": -1, "Slab": 1, "VmallocUsed": 1}
# A round may lose this, in KiB: IMA's list must grow by two entries, at most a page
LOSS = 4


def slope(points):
    """The slope of y over x, from (group, x, y): each group has a level of its own, all have one slope.

    Returns it, and its standard deviation if that of y is 1."""
    groups = {}
    for group, x, y in points:
        groups.setdefault(group, []).append((x, y))
    up = down = 0.0
    for members in groups.values():
        mean_x = sum(x for x, _ in members) / len(members)
        mean_y = sum(y for _, y in members) / len(members)
        up += sum((x - mean_x) * (y - mean_y) for x, y in members)
        down += sum((x - mean_x) ** 2 for x, _ in members)
    return (up / down, down ** -0.5) if down else (0.0, 0.0)


def alike(row):
    """Kernels of the same start have the same key."""
    return row["round"].kind, row["tree"], row["kho"]


def losses(rows):
    """For each figure: KiB lost with each round, and the most that chance and IMA explain."""
    rows = [row for row in rows if "MemTotal" in row]
    found = {}
    for figure, sign in SIGN.items():
        per_round, chance = slope([(alike(row), row["round"].number, row[figure]) for row in rows])
        found[figure] = sign * per_round, LOSS + 5 * NOISE[figure] * chance
    return found


def leaks(rows):
    """Leaks from kernel to kernel, as sentences; none if all is well."""
    found = [f"{figure}: {lost:.1f} KiB are lost with each round, at most {limit:.1f} may be"
             for figure, (lost, limit) in losses(rows).items() if lost > limit]
    for figure in ("dtb", "memreserve"):
        levels = {}
        for row in rows:
            if figure in row and row["round"].kind == OWN:
                levels.setdefault((row["tree"], row["kho"]) if figure == "dtb" else "", []).append(row[figure])
        found += [f"{figure} grows: {values}" for values in levels.values() if max(values) > values[0]]
    return found


# Output

HEAD = (f"{'round':>5}  {'to':6} {'by':5} {'kernel':>8} {'initrd':>8} {'dtb':>8} {'stage':>7} {'load':>8} {'kexec':>7} "
        f"{'look':>7} {'MemTotal':>9} {'MemAvailable':>12} {'Slab':>6} {'Vmalloc':>7} {'dtb':>6} {'memrsv':>6} {'IMA':>5}")


def line(payloads, row):
    """A round as a line of the table: sizes staged, times, and the figures of the next kernel."""
    r = row["round"]
    text = f"{r.number:5}  {r.slot} {r.kind:4} {r.how:5}"
    text += "".join(f" {payloads.size(file) / MIB:7.2f}M" for file in (r.kernel, r.initrd, r.dtb))
    load = f"{row['load'] * 1000:.0f} ms" if "load" in row else "-"
    text += f" {row['stage']:5.1f} s {load:>8} {row['kexec']:5.1f} s {row['look']:5.1f} s"
    if "MemTotal" in row:
        text += (f" {row['MemTotal']:9} {row['MemAvailable']:12} {row['Slab']:6} {row['VmallocUsed']:7}"
                 f" {row['dtb']:6} {row['memreserve']:6} {row['IMA']:5}")
    return text
