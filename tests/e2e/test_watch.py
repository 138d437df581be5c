# SPDX-License-Identifier: GPL-2.0-or-later
"""More that an update agent does: wait for a state, and give a slot's memory back."""

import json
import re

import pytest

import stash
from stash import BASE, BOOTARGS, MIB, SLOT_SIZE

RELEASE = stash.slot_path("b", "release")
KEXEC_FILE_MEMBUF = 0x100


@pytest.mark.steps
class TestWatch:
    """poll() on a slot's state."""

    @pytest.fixture(scope="class")
    def m(self):
        with stash.direct_machine("watch", [stash.node(slot, base) for slot, base in BASE.items()]) as machine:
            yield machine

    @staticmethod
    def watch(m, arguments, command):
        """The output and exit status of a process that waits for slot a while a command runs."""
        m.run(f"rm -f /tmp/seen; pollstate {stash.slot_path('a', 'state')} {arguments} > /tmp/seen & watcher=$!; "
              f"while ! [ -s /tmp/seen ]; do sleep 0.1; done; {command}; wait $watcher; echo $? > /tmp/status",
              timeout=120)
        seen, status = m.run("cat /tmp/seen").split(), m.run("cat /tmp/status")
        print(f"{command}: {seen}, {status}")
        assert (status == "1") == ("timeout" in seen)
        return seen

    def test_wakes_while_it_is_staged(self, m):
        """Bad from the first byte until the last one is written, then staged."""
        assert self.watch(m, "20000 staged", "cp /mnt/own.linux /sys/fs/kexec/a/kernel") == ["empty", "bad", "staged"]

    def test_sleeps_while_nothing_changes(self, m):
        """No wake-up for another slot, nor for a change that leaves the state."""
        assert self.watch(m, "3000", "cp /mnt/own.initrd /sys/fs/kexec/b/initrd; "
                          "cat /sys/fs/kexec/a/kernel > /dev/null") == ["staged", "timeout"]

    def test_wakes_for_load_and_unload(self, m):
        assert self.watch(m, "20000 loaded", f"kexec-membuf load a --command-line '{BOOTARGS}'")[-1] == "loaded"
        assert self.watch(m, "20000 staged", "kexec-membuf unload") == ["loaded", "staged"]

    def test_wakes_when_it_is_emptied(self, m):
        assert self.watch(m, "20000 empty", "rm /sys/fs/kexec/a/kernel") == ["staged", "empty"]

    def test_wakes_for_a_killed_writer(self, m):
        """The state stays as the first byte made it: bad."""
        seen = self.watch(m, "20000 bad", "mkfifo /tmp/f; cat /tmp/f > /sys/fs/kexec/a/kernel & writer=$!; exec 3> /tmp/f; "
                          "head -c 100000 /mnt/own.linux >&3; sleep 1; kill -9 $writer; exec 3>&-; rm /tmp/f; true")
        assert seen == ["empty", "bad"]
        assert stash.state(m, "a") == "bad"


@pytest.mark.steps
class TestRelease:
    """A slot that nobody needs becomes memory until the next kernel starts."""

    @pytest.fixture(scope="class")
    def m(self):
        # With little memory beside the slots, theirs is soon needed
        nodes = [stash.node(slot, base) for slot, base in BASE.items()]
        with stash.direct_machine("release", nodes, mem="640M") as machine:
            yield machine

    @staticmethod
    def refused(m, message, value="1"):
        output = m.run(f"echo {value} > {RELEASE}", 1)
        print(output)
        assert message in output

    def test_only_root_may_write_and_nobody_read(self, m):
        assert m.run(f"stat -c %a {RELEASE}").strip() == "200"
        assert "Permission denied" in m.run(f"cat {RELEASE}", 1)
        assert "Permission denied" in m.run(f"echo empty > {stash.slot_path('b', 'state')}", 1)
        self.refused(m, "Invalid argument", "0")
        self.refused(m, "Invalid argument", "now")

    def test_not_with_a_payload(self, m):
        stash.stage(m, "b")
        self.refused(m, "Directory not empty")
        assert stash.state(m, "b") == "staged"

    def test_not_while_loaded(self, m):
        m.run("kexec-membuf load b")
        self.refused(m, "Text file busy")
        m.run("kexec-membuf unload; rm /sys/fs/kexec/b/kernel /sys/fs/kexec/b/initrd /sys/fs/kexec/b/cmdline")

    def test_not_while_open_for_writing(self, m):
        m.run("exec 7>> /sys/fs/kexec/b/initrd")
        self.refused(m, "Text file busy")
        m.run("exec 7>&-")

    def test_memory_is_there(self, m):
        before = {field: stash.meminfo(m, field) for field in ("MemTotal", "MemFree")}
        type(self).elsewhere = before["MemFree"] + sum(
            stash.meminfo(m, field) for field in (r"Active\(file\)", r"Inactive\(file\)", "SReclaimable"))
        m.run(f"echo 1 > {RELEASE}")
        after = {field: stash.meminfo(m, field) for field in before}
        print(before, after)
        assert after["MemTotal"] - before["MemTotal"] == SLOT_SIZE // 1024
        assert after["MemFree"] - before["MemFree"] > SLOT_SIZE // 1024 * 3 // 4
        assert stash.state(m, "b") == "released"
        assert m.read(stash.slot_path("b", "origin")) == "none"

    def test_memory_can_be_used(self, m):
        """A file larger than the memory before, read back completely."""
        size = (stash.meminfo(m, "MemAvailable") - 64 * 1024) // 1024
        copies = size // 16 - 1
        m.run("mount -t tmpfs -o size=95% none /run")
        m.run("dd if=/dev/urandom of=/run/part bs=1M count=16 2>/dev/null")
        m.run(f"(for i in $(seq {copies}); do cp /run/part /run/$i || exit 1; done)", timeout=300)
        assert len(set(line.split()[0] for line in m.run("md5sum /run/*", timeout=300).splitlines())) == 1
        left = stash.meminfo(m, "MemAvailable") // 1024
        print(f"filled {(copies + 1) * 16} MiB of {size}, {left} MiB left")
        assert left < SLOT_SIZE // MIB
        m.run("umount /run")

    def test_memory_is_mapped_by_pages(self, m):
        """Like all other memory: no page could be taken out of the linear map of a slot, which is mapped by blocks."""
        size = (stash.meminfo(m, "MemFree") - stash.meminfo(m, "CmaFree")) // 1024 - 24
        others = self.elsewhere // 4
        pages = int(m.run(f"ulimit -l unlimited; secret {size}", timeout=300))
        m.check_log()
        print(f"{pages} pages taken out of the linear map and put back, where {others} could be had elsewhere")
        assert pages == size * MIB // 4096 > others

    def test_released_slot_takes_nothing(self, m):
        assert "Device or resource busy" in m.run("cp /mnt/own.linux /sys/fs/kexec/b/kernel", 1)
        assert m.run(f"kfl -f {KEXEC_FILE_MEMBUF:#x} /sys/fs/kexec/b/kernel", None)[0].strip() == "EBUSY"
        assert stash.kernel_log(m, r"slot 'b': kernel: the slot was released")

    def test_once_more_is_no_error(self, m):
        total = stash.meminfo(m, "MemTotal")
        m.run(f"echo 1 > {RELEASE}")
        assert stash.meminfo(m, "MemTotal") == total

    def test_listed(self, m):
        assert re.search(r"^b\s+released\s+none\s", m.run("kexec-membuf list"), re.M)
        slots = json.loads(m.run("kexec-membuf list --json"))
        assert [slot["state"] for slot in slots["slots"] if slot["name"] == "b"] == ["released"], slots

    def test_next_kernel_has_the_slot_again(self, m):
        stash.stage(m, "a")
        m.run("kexec-membuf load a")
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
        assert stash.state(m, "b") == "empty"
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        stash.stage(m, "b")
        assert stash.state(m, "b") == "staged"

    def test_running_slot_is_not_released(self, m):
        output = m.run(f"echo 1 > {stash.slot_path('a', 'release')}", 1)
        assert "Device or resource busy" in output
        assert stash.state(m, "a") == "running"
