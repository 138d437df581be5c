# SPDX-License-Identifier: GPL-2.0-or-later
"""Hibernation: memory comes back with the same content, but another kernel wrote it. Caches are in another state, so a
verified or loaded slot must be checked again."""

import pytest

import stash
from qemu import Machine, closed_on_failure
from stash import BASE, wait_until_verified

SWAP = stash.WORK / "hibernate.swap"
SIZE = 1 << 30


def options():
    """The same machine is switched off and on again."""
    return {"mem": "1G", "extra": ["-drive", f"file={SWAP},format=raw,if=none,id=swap",
                                   "-device", "virtio-blk-pci,drive=swap"]}


def nodes():
    return [stash.node(slot, base) for slot, base in BASE.items() if slot == "a"]


@pytest.mark.steps
class TestHibernation:
    @pytest.fixture(scope="class")
    def before(self):
        """A machine that has gone to sleep: a slot verified and loaded."""
        SWAP.unlink(missing_ok=True)
        with open(SWAP, "wb") as file:
            file.truncate(SIZE)
        with stash.direct_machine("hibernate", nodes(), **options()) as m:
            m.run("mkswap /dev/vdb && swapon /dev/vdb")
            stash.stage(m, "a")
            # More than is verified before the test looks. The kernel skips zeros behind an initrd
            m.run(f"head -c {48 * stash.MIB} /dev/zero >> {stash.slot_path('a', 'initrd')}")
            wait_until_verified(m, "a")
            m.run("kexec-membuf load a")
            m.jump("echo shutdown > /sys/power/disk; echo disk > /sys/power/state; "
                   "read verified < /sys/fs/kexec/a/verified; read state < /sys/fs/kexec/a/state; "
                   "echo; echo \"woken: $verified $state\"")
            m.wait_for_end(120)
        return m.log.text()

    @pytest.fixture(scope="class")
    def woken(self, before):
        m = Machine("hibernate-woken", kernel=stash.IMAGE, initrd=stash.INITRAMFS,
                    append=f"{stash.BOOTARGS} resume=/dev/vdb", dtb=stash.device_tree("hibernate-woken", nodes()),
                    disk=stash.disk(), **options())
        with closed_on_failure(m):
            m.found = m.wait_for(r"woken: (\d) (\w+)", 120)
        with m:
            m.back_at_shell()
            yield m

    def test_falls_asleep(self, before):
        assert "PM: hibernation: " in before

    def test_what_was_verified_is_not_any_more(self, woken):
        verified, state = (group.decode() for group in woken.found.groups())
        print(f"after waking: verified {verified}, {state}")
        assert verified == "0" and state == "loaded"

    def test_is_verified_again(self, woken):
        wait_until_verified(woken, "a")

    def test_starts_what_was_loaded(self, woken):
        woken.jump("kexec-membuf exec")
        woken.shell()
        assert stash.state(woken, "a") == "running"
