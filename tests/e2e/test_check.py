# SPDX-License-Identifier: GPL-2.0-or-later
"""KEXEC_FILE_MEMBUF_CHECK: the answer of a load, and nothing loaded; and the file "reason", which says why a load was refused."""

import pytest

import stash
from stash import BASE, BOOTARGS

UNLOAD, ON_CRASH, DEBUG, MEMBUF, CHECK = 0x1, 0x2, 0x8, 0x100, 0x200
LIMIT = "/proc/sys/kernel/kexec_load_limit_reboot"


@pytest.mark.steps
class TestCheck:
    @pytest.fixture(scope="class")
    def m(self):
        """Both slots are staged, and a crash kernel is loaded."""
        with stash.direct_machine("check", [stash.node(slot, base) for slot, base in BASE.items()],
                                  append=f"{BOOTARGS} crashkernel=128M kexec_stash.verify_ahead=0") as machine:
            stash.stage(machine, "a")
            stash.stage(machine, "b")
            machine.run("kexec -s -p /mnt/own.linux --initrd=/mnt/own.initrd --reuse-cmdline")
            yield machine

    @staticmethod
    def kfl(m, flags, slot="a", more=""):
        return m.run(f"kfl -f {flags:#x} {more} {stash.slot_path(slot, 'kernel')}", None)[0].strip()

    @staticmethod
    def loaded(m):
        """What is loaded, and from where."""
        return (m.read("/sys/kernel/kexec/loaded"), m.read("/sys/kernel/kexec/crash_loaded"), stash.state(m, "a"),
                stash.state(m, "b"), m.read("/sys/kernel/kexec/copy_bytes"), m.read(LIMIT))

    def test_good_payload(self, m):
        """Every check is made, nothing is loaded, and no limit is used up."""
        m.run(f"echo 20 > {LIMIT}")
        before = self.loaded(m)
        assert before == ("0", "1", "staged", "staged", "0", "20")
        assert self.kfl(m, MEMBUF | CHECK) == "OK"
        assert self.loaded(m) == before
        assert m.read(stash.slot_path("a", "reason")) == ""

    @pytest.mark.parametrize("flags", [CHECK, CHECK | UNLOAD, MEMBUF | CHECK | UNLOAD, MEMBUF | ON_CRASH,
                                       MEMBUF | CHECK | ON_CRASH])
    def test_flags_that_do_not_go_together(self, m, flags):
        """They cost no image that is loaded, not even the crash kernel, which others are put in the place of."""
        before = self.loaded(m)
        assert self.kfl(m, flags) == "EINVAL"
        assert self.loaded(m)[:5] == before[:5]

    def test_loaded_slot_stays_loaded(self, m):
        left = int(m.read(LIMIT))
        assert self.kfl(m, MEMBUF) == "OK"
        before = self.loaded(m)
        assert before == ("1", "1", "loaded", "staged", "0", str(left - 1))
        assert self.kfl(m, MEMBUF | CHECK) == "OK"
        assert self.loaded(m) == before

    def test_second_load_leaves_the_first_one_whole(self, m):
        """Should it fail, the image that is loaded starts as it would have: what loads add is not put over each other."""
        assert self.kfl(m, MEMBUF | DEBUG) == "OK" and self.kfl(m, MEMBUF | DEBUG) == "OK"
        at = [line.split("Loaded dtb at ")[1].split()[0] for line in stash.kernel_log(m, "Loaded dtb at ")]
        print(at)
        assert len(at) == 2 and at[0] != at[1]

    def test_refusal_and_its_reason(self, m):
        """The check's answer is the load's; the reason is what the log says, and gone after a success."""
        m.run(f"truncate -s 1000 /tmp/x; cat /tmp/x > {stash.slot_path('b', 'dtb')}; true")
        assert stash.state(m, "b") == "bad"
        staged = m.read(stash.slot_path("b", "reason"))
        answers = [(self.kfl(m, flags, "b"), m.read(stash.slot_path("b", "reason"))) for flags in (MEMBUF | CHECK, MEMBUF)]
        print(staged, answers)
        assert staged == "dtb: is not a device tree" and answers[0] == answers[1]
        assert answers[0] == ("EINVAL", staged)
        assert stash.kernel_log(m, "kexec_stash: slot 'b'")[-1].endswith(f"kexec_stash: slot 'b': {staged}")
        m.run(f"rm {stash.slot_path('b', 'dtb')}")
        assert m.read(stash.slot_path("b", "reason")) == "" and self.kfl(m, MEMBUF | CHECK, "b") == "OK"

    def test_limit_that_is_used_up(self, m):
        m.run(f"echo 0 > {LIMIT}")
        assert self.kfl(m, MEMBUF | CHECK) == "EPERM" and self.kfl(m, MEMBUF) == "EPERM"

    def test_loaded_slot_starts(self, m):
        """The checks have written nothing to it: the hand-over page goes with the device tree still."""
        m.jump("kexec -e")
        m.shell()
        timing = m.run("cat /sys/kernel/kexec/timing")
        print(timing)
        assert stash.state(m, "a") == "running" and "jump unknown" not in timing and "reboot unknown" not in timing
