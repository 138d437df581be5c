# SPDX-License-Identifier: GPL-2.0-or-later
"""Time stamps of a kexec: the new kernel shows where the time went, and accepts no false stamp."""

import json
import socket
import struct
import time

import pytest

import stash
from qemu import READY
from stash import BASE, BASE_B, BOOTARGS, INITRAMFS, MIB, SLOT_SIZE

TIMING = "/sys/kernel/kexec/timing"
STAMPS = ("reboot", "jump", "entry", "init")
# The host's time of a serial line is when it was read; a busy host reads late
TOLERANCE = 2


def stamps(m):
    """The kernel's stamps, None for unknown. entry and init are always known."""
    text = m.read(TIMING)
    print(text)
    lines = [line.split(" ") for line in text.splitlines()]
    assert [name for name, _ in lines] == ["frequency", *STAMPS]
    seen = {name: None if value == "unknown" else int(value) for name, value in lines}
    assert seen["frequency"] and seen["entry"] is not None and seen["entry"] < seen["init"]
    return seen


def seconds(seen, start, end):
    return (seen[end] - seen[start]) / seen["frequency"]


def durations(m, seen):
    """The tool's durations."""
    def ns(start, end):
        return None if None in (seen[start], seen[end]) else (seen[end] - seen[start]) * 10**9 // seen["frequency"]
    assert json.loads(m.run("kexec-membuf timing --json")) == {
        "shutdown_ns": ns("reboot", "jump"), "jump_ns": ns("jump", "entry"), "boot_ns": ns("entry", "init"),
        "total_ns": ns("reboot", "init")}
    text = m.run("kexec-membuf timing")
    print(text)
    assert ("unknown" in text) == (seen["reboot"] is None)


def only_own(m):
    """Check that there is no stamp of the kernel before this one."""
    seen = stamps(m)
    assert seen["reboot"] is None and seen["jump"] is None
    return seen


def stage_at_end(slot_base):
    """A payload whose initrd reaches to the end of the slot, as another maker may put it."""
    files, load = stash.staged(slot_base)
    _, length, digest = files["initrd"]
    offset = SLOT_SIZE - stash.align(length)
    files["initrd"] = (offset, length, digest)
    assert offset + length > SLOT_SIZE - 64 * 1024
    return files, [load[0], (INITRAMFS, slot_base + offset)]


@pytest.mark.steps
class TestTiming:
    """From kexec to kexec, of all kinds."""

    @pytest.fixture(scope="class")
    def m(self):
        files, load = stage_at_end(BASE_B)
        nodes = [stash.node("a", BASE["a"]), stash.node("b", BASE_B, files=files, bootargs=BOOTARGS)]
        with stash.direct_machine("timing", nodes, load) as machine:
            yield machine

    @staticmethod
    def jump(m, command):
        """Kexec to the next kernel. Returns its stamps, which must agree with the times seen from outside."""
        before = stamps(m)
        begin = time.monotonic()
        m.jump(command)
        m.shell()
        seen = stamps(m)
        at, after = {}, begin
        # The old kernel's log, read before the jump, has such lines too
        for line, regex in (("shutdown", r"Starting new kernel"), ("bye", r"Bye!"), ("booting", r"Booting Linux on"),
                            ("run", r"Run /init as init process"), ("ready", READY)):
            after = m.log.time_of(regex, after)
            at[line] = after - begin
        print({line: round(when, 3) for line, when in at.items()})
        durations(m, seen)
        assert seen["entry"] > before["init"]
        assert (at["run"] - at["booting"] - TOLERANCE < seconds(seen, "entry", "init")
                < at["ready"] - at["bye"] + TOLERANCE)
        return seen, at

    def all_known(self, m, command):
        before = stamps(m)
        seen, at = self.jump(m, command)
        values = [seen[name] for name in STAMPS]
        assert None not in values and values == sorted(values)
        assert seen["reboot"] > before["init"]
        assert at["bye"] - at["shutdown"] - TOLERANCE < seconds(seen, "reboot", "jump") < at["bye"] + TOLERANCE
        assert seconds(seen, "jump", "entry") < at["booting"] - at["bye"] + TOLERANCE
        assert at["run"] - at["shutdown"] - TOLERANCE < seconds(seen, "reboot", "init") < at["ready"] + TOLERANCE

    def test_cold_boot(self, m):
        only_own(m)

    def test_file(self, m):
        """For all to read and nobody to write."""
        assert m.run(f"stat -c %a {TIMING}").strip() == "444"
        assert "Permission denied" in m.fails(f"echo 1 > {TIMING}")

    def test_no_room_for_the_page(self, m):
        """A payload is not overwritten, even if it reaches to the end of the slot."""
        last = m.run("sha256sum /sbin/pollstate")
        m.run("kexec-membuf load b")
        self.jump(m, "kexec-membuf exec")
        assert stash.state(m, "b") == "running"
        assert not stash.kernel_log(m, "Initramfs unpacking failed")
        assert m.run("sha256sum /sbin/pollstate") == last
        only_own(m)
        m.run("mount -t ext4 -o ro /dev/vda /mnt")

    def test_stock_exec(self, m):
        stash.stage(m, "a")
        m.run("kexec-membuf load a")
        self.all_known(m, "kexec -e")
        assert stash.state(m, "a") == "running"
        m.run("mount -t ext4 -o ro /dev/vda /mnt")

    def test_own_exec(self, m):
        stash.stage(m, "b")
        m.run("kexec-membuf load b")
        self.all_known(m, "kexec-membuf exec")
        assert stash.state(m, "b") == "running"
        m.run("mount -t ext4 -o ro /dev/vda /mnt")

    def test_ordinary_kexec(self, m):
        """Nobody left stamps for this kernel. Those of the kexec before are not shown again."""
        m.run(f"kexec -s -l /mnt/own.linux --initrd=/mnt/own.initrd --command-line='{BOOTARGS}'")
        self.jump(m, "kexec -e")
        only_own(m)


MAGIC, VERSION, FREQUENCY, NUMBER = 0x737473636578656b, 1, 62500000, 0x1122334455667788
# QEMU puts the kernel at the first of these, and its initrd behind the slot
RUNNING_BASE, RUNNING_SIZE = 0x40200000, 64 * MIB
PAGE = RUNNING_BASE + RUNNING_SIZE - 64 * 1024


def page(magic=MAGIC, version=VERSION, number=NUMBER, frequency=FREQUENCY, reboot=10, jump=20):
    """A hand-over page, by default a good one for a machine that has just been started."""
    return struct.pack("<QQQQQQ", magic, version, number, frequency, reboot, jump)


def physical(path, address):
    """A word of the machine's memory, from outside."""
    with socket.socket(socket.AF_UNIX) as qmp:
        qmp.connect(str(path))
        stream = qmp.makefile("rw")
        stream.readline()
        for command in ({"execute": "qmp_capabilities"},
                        {"execute": "human-monitor-command", "arguments": {"command-line": f"xp /1gx {address:#x}"}}):
            stream.write(json.dumps(command) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
    return int(answer["return"].split(":")[1], 16)


@pytest.mark.parametrize("name, content, reboot, jump", [
    ("good", page(), 10, 20),
    ("magic", page(magic=MAGIC ^ 1), None, None),
    ("version", page(version=VERSION + 1), None, None),
    ("frequency", page(frequency=FREQUENCY + 1), None, None),
    ("future", page(jump=1 << 63), None, None),
    ("order", page(reboot=21), None, 20),
    ("stale", page(number=NUMBER + 1), None, None),
], ids=lambda value: value if isinstance(value, str) else "")
def test_page(name, content, reboot, jump):
    """Stamps in the hand-over page are shown only if they can be true, and are taken once."""
    file, qmp = stash.WORK / f"timing-{name}.page", stash.WORK / f"timing-{name}.qmp"
    stash.WORK.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    node = stash.node("a", RUNNING_BASE, RUNNING_SIZE,
                      body=f'status = "disabled"; hand-over = <{NUMBER >> 32:#x} {NUMBER & 0xffffffff:#x}>;')
    with stash.direct_machine(f"timing-{name}", [node], [(file, PAGE)],
                              extra=("-qmp", f"unix:{qmp},server=on,wait=off")) as m:
        assert stash.state(m, "a") == "running"
        seen = stamps(m)
        assert seen["frequency"] == FREQUENCY
        assert (seen["reboot"], seen["jump"]) == (reboot, jump)
        if name == "good":
            assert physical(qmp, PAGE) != MAGIC
