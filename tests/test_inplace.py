# SPDX-License-Identifier: GPL-2.0-or-later
"""From U-Boot to a kernel that runs where it was staged, with nothing copied."""

import re

import pytest

import stash
from qemu import READY
from stash import MIB, SLOT_SIZE

IN_PLACE = r"head:0x4\b"


@pytest.mark.steps
class TestFirmwareStages:
    """U-Boot stages the Debian installer into a and our own kernel into b, Linux runs both from there."""

    @pytest.fixture(scope="class")
    def m(self):
        with stash.uboot_machine("inplace-firmware") as machine:
            yield machine

    def test_uboot_stages_two_slots_and_boots(self, m):
        stash.uboot_stage(m, "a", "installer.linux", "installer.initrd", "virt.dtb")
        stash.uboot_stage(m, "b", "own.linux", "own.initrd")
        print(m.uboot("kstash list"))
        stash.uboot_boot(m)

    @pytest.mark.parametrize("slot", ["a", "b"])
    def test_record_reaches_linux(self, m, slot):
        assert stash.state(m, slot) == "staged"
        assert m.read(stash.slot_path(slot, "origin")) == "firmware"
        assert int(m.read(stash.slot_path(slot, "base")), 16) == stash.BASE[slot]
        assert int(m.read(stash.slot_path(slot, "size")), 16) == SLOT_SIZE
        assert m.read(stash.slot_path(slot, "cmdline")) == stash.BOOTARGS

    @pytest.mark.parametrize("slot,file,source", [
        ("a", "kernel", "installer.linux"), ("a", "initrd", "installer.initrd"),
        ("b", "kernel", "own.linux"), ("b", "initrd", "own.initrd"),
    ])
    def test_staged_files_are_those_on_the_disk(self, m, slot, file, source):
        assert stash.guest_sha256(m, stash.slot_path(slot, file)) == stash.sha256(stash.FILES[source])

    def test_files_are_private(self, m):
        modes = m.run("stat -c '%n %a' /sys/fs/kexec/a/*")
        assert dict(line.split() for line in modes.splitlines()) == {
            stash.slot_path("a", name): mode for name, mode in
            [("kernel", "600"), ("initrd", "600"), ("dtb", "600"), ("cmdline", "600"),
             ("state", "444"), ("origin", "444"), ("base", "444"), ("size", "444")]}

    def test_load_adopts_in_place(self, m):
        print(m.run("kexec-membuf load --debug b"))
        assert stash.state(m, "b") == "loaded"
        assert m.read("/sys/kernel/kexec/loaded") == "1"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
        heads = stash.kernel_log(m, r"head:0x")
        assert heads and re.search(IN_PLACE, heads[-1]), heads

    def test_loaded_slot_refuses_writes(self, m):
        assert "Text file busy" in m.fails("dd if=/dev/zero of=/sys/fs/kexec/b/kernel bs=1 count=1 conv=notrunc")

    def test_next_kernel_runs_in_the_slot(self, m):
        m.first_total = stash.meminfo(m, "MemTotal")
        m.jump("kexec-membuf exec")
        m.shell()
        first, last = stash.kernel_code(m)
        assert stash.BASE["b"] <= first and last < stash.BASE["b"] + SLOT_SIZE, (hex(first), hex(last))
        assert stash.state(m, "b") == "running"

    def test_no_memory_is_lost(self, m):
        gained = stash.meminfo(m, "MemTotal") - m.first_total
        assert abs(gained - SLOT_SIZE // 1024) < 2 * MIB // 1024, f"gained {gained} KiB"

    def test_other_slot_is_intact(self, m):
        assert stash.state(m, "a") == "staged"
        for file, source in (("kernel", "installer.linux"), ("initrd", "installer.initrd")):
            assert stash.guest_sha256(m, stash.slot_path("a", file)) == stash.sha256(stash.FILES[source])

    def test_debian_installer_reaches_its_first_screen(self, m):
        m.run("kexec-membuf load a")
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
        m.jump("kexec-membuf exec")
        m.wait_for("Booting Linux on physical CPU")
        m.wait_for("Select a language", 240)


@pytest.mark.steps
class TestStockKexec:
    """Stock kexec-tools knows nothing of the stash, and adopts in place all the same."""

    @pytest.fixture(scope="class")
    def m(self):
        with stash.uboot_machine("inplace-stock") as machine:
            yield machine

    def test_boot(self, m):
        stash.uboot_stage(m, "a", "own.linux", "own.initrd")
        stash.uboot_boot(m)

    def test_load(self, m):
        m.run("kexec -s -d -l /sys/fs/kexec/a/kernel --initrd=/sys/fs/kexec/a/initrd --reuse-cmdline")
        assert stash.state(m, "a") == "loaded"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
        heads = stash.kernel_log(m, r"head:0x")
        assert heads and re.search(IN_PLACE, heads[-1]), heads

    def test_unload(self, m):
        m.run("kexec -s -u")
        assert stash.state(m, "a") == "staged"
        assert m.read("/sys/kernel/kexec/loaded") == "0"

    def test_ordinary_file_is_counted_as_copied(self, m):
        """The counter counts: a kernel from the disk has all its bytes to be copied."""
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        m.run("kexec -s -l /mnt/own.linux --initrd=/mnt/own.initrd --reuse-cmdline")
        assert int(m.read("/sys/kernel/kexec/copy_bytes")) >= stash.IMAGE.stat().st_size
        m.run("kexec -s -u")

    def test_ordinary_initrd_beside_a_stash_kernel(self, m):
        m.run("kexec -s -l /sys/fs/kexec/a/kernel --initrd=/mnt/own.initrd --reuse-cmdline")
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"

    def test_exec(self, m):
        m.jump("kexec -e")
        m.shell()
        first, last = stash.kernel_code(m)
        assert stash.BASE["a"] <= first and last < stash.BASE["a"] + SLOT_SIZE
        assert stash.state(m, "a") == "running"


def test_twenty_kexecs_between_two_slots():
    """With the ITS on, each kernel stages its successor into the other slot; nothing dies, leaks or grows."""
    rounds = 20
    nodes = [stash.node(slot, base) for slot, base in stash.BASE.items()]
    seen, gic = [], []
    with stash.direct_machine("inplace-twenty", nodes) as m:
        for i in range(rounds):
            slot, other = "ab" if i % 2 == 0 else "ba"
            assert stash.state(m, slot) == "empty", f"round {i}"
            stash.stage(m, slot)
            m.run(f"kexec-membuf load {slot}")
            assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
            m.jump("kexec-membuf exec")
            m.shell()
            m.run("mount -t ext4 -o ro /dev/vda /mnt")
            assert stash.state(m, slot) == "running"
            assert stash.state(m, other) == "empty"
            seen.append({
                "MemTotal": stash.meminfo(m, "MemTotal"), "Slab": stash.meminfo(m, "Slab"),
                "dtb": int(m.run("wc -c < /sys/firmware/fdt")),
            })
            gic += stash.kernel_log(m, r"GICv3.*(fail|disabl|reserv.*not)")
    assert not gic, "\n".join(gic)
    table = "\n".join(str(row) for row in seen)
    # Kernels in the same slot are alike; the first two still see what QEMU left
    for slot in (0, 1):
        rows = seen[slot + 2::2]
        for what, slack in (("MemTotal", 64), ("Slab", 1024), ("dtb", 0)):
            values = [row[what] for row in rows]
            assert max(values) - min(values) <= slack, f"{what} is not steady:\n{table}"
    print(table)
