# SPDX-License-Identifier: GPL-2.0-or-later
"""A board with little memory: the payload is larger than half of what is left beside its slot. Nothing is copied, so that
does not matter."""

import pytest

import stash
from qemu import INITRAMFS
from stash import BASE_A, MIB

MEMORY, SLOT, INITRD = 512 * MIB, 256 * MIB, 205 * MIB


@pytest.mark.steps
class TestHalfOfTheRam:
    @pytest.fixture(scope="class")
    def m(self):
        # The kernel skips zeros behind an initrd
        initrd = stash.WORK / "small.padded"
        initrd.write_bytes(INITRAMFS.read_bytes())
        with open(initrd, "r+b") as file:
            file.truncate(INITRD)
        # make check-debug has a larger kernel
        files, load = stash.staged(BASE_A, initrd=initrd, size=SLOT)
        node = stash.node("a", BASE_A, SLOT, files, bootargs=stash.BOOTARGS)
        with stash.direct_machine("small", [node], load, mem=f"{MEMORY // MIB}M") as machine:
            yield machine

    def test_the_payload_is_more_than_half_of_what_is_left(self, m):
        total = stash.meminfo(m, "MemTotal") << 10
        print(f"{total} bytes of RAM beside the slot, initrd of {INITRD}")
        assert INITRD > total // 2

    def test_is_loaded(self, m):
        assert m.run("kfl -f 0x100 /sys/fs/kexec/a/kernel", None)[0].strip() == "OK", stash.kernel_log(m, "kexec")
        assert stash.state(m, "a") == "loaded"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"

    def test_starts(self, m):
        m.jump("kexec -e")
        m.shell()
        assert stash.state(m, "a") == "running"
