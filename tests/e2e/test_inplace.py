# SPDX-License-Identifier: GPL-2.0-or-later
"""From U-Boot to a kernel that runs where it was staged. Nothing is copied."""

import re

import pytest

import stash
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

    def test_uboots_record_is_valid(self, m):
        assert stash.binding_faults(m, "inplace-uboot") == ""

    def test_files_are_private(self, m):
        modes = m.run("stat -c '%n %a' /sys/fs/kexec/a/*")
        assert dict(line.split() for line in modes.splitlines()) == {
            stash.slot_path("a", name): mode for name, mode in
            [("kernel", "600"), ("initrd", "600"), ("dtb", "600"), ("cmdline", "600"),
             ("state", "444"), ("origin", "444"), ("base", "400"), ("size", "400"), ("verified", "444"),
             ("reason", "444"), ("release", "200")]}

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

    def test_linux_record_is_valid(self, m):
        assert stash.binding_faults(m, "inplace-linux") == ""

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


KEXEC_FILE_NO_CMA = 0x10


@pytest.mark.steps
class TestStockKexec:
    """Stock kexec-tools does not know the stash, but adopts in place too. kexec-12 is Debian 12's (2.0.25)."""

    @pytest.fixture(scope="class")
    def m(self):
        with stash.uboot_machine("inplace-stock") as machine:
            yield machine

    def test_boot(self, m):
        stash.uboot_stage(m, "a", "own.linux", "own.initrd")
        stash.uboot_boot(m)
        m.run("mount -t ext4 -o ro /dev/vda /mnt")

    def test_ordinary_image_is_counted_as_copied(self, m):
        """The counter counts: an image that is not in place has all its bytes to copy."""
        m.run(f"kfl -f {KEXEC_FILE_NO_CMA:#x} -i /mnt/own.initrd -c '{stash.BOOTARGS}' /mnt/own.linux")
        size = sum(stash.FILES[name].stat().st_size for name in ("own.linux", "own.initrd"))
        assert int(m.read("/sys/kernel/kexec/copy_bytes")) >= size
        m.run("kexec-12 -s -u")

    def test_newer_kexec_means_the_slot_by_its_initrd(self, m):
        """From 2.0.26 on kexec hands over a copy of the kernel. The initrd tells the slot."""
        m.run("kexec -s -d -l /sys/fs/kexec/a/kernel --initrd=/sys/fs/kexec/a/initrd --reuse-cmdline")
        assert stash.state(m, "a") == "loaded"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
        heads = stash.kernel_log(m, r"head:0x")
        assert heads and re.search(IN_PLACE, heads[-1]), heads
        m.run("kexec -s -u")

    def test_newer_kexec_without_the_slots_initrd_copies(self, m):
        """Without an initrd nothing tells the slot: this is an ordinary load, and the slot does not change."""
        m.run("kexec -s -l /sys/fs/kexec/a/kernel --initrd=/mnt/own.initrd --reuse-cmdline")
        assert stash.state(m, "a") == "staged"
        m.run("kexec -s -u")

    def test_other_kernel_beside_a_stash_initrd_is_not_the_slots(self, m):
        m.run("kexec -s -l /mnt/installer.linux --initrd=/sys/fs/kexec/a/initrd --reuse-cmdline")
        assert stash.state(m, "a") == "staged"
        m.run("kexec -s -u")

    def test_ordinary_initrd_beside_a_stash_kernel(self, m):
        m.run("kexec-12 -s -l /sys/fs/kexec/a/kernel --initrd=/mnt/own.initrd --reuse-cmdline")
        assert stash.state(m, "a") == "loaded"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"

    def test_unload(self, m):
        m.run("kexec-12 -s -u")
        assert stash.state(m, "a") == "staged"
        assert m.read("/sys/kernel/kexec/loaded") == "0"

    def test_load(self, m):
        m.run("kexec-12 -s -l /sys/fs/kexec/a/kernel --initrd=/sys/fs/kexec/a/initrd --reuse-cmdline")
        assert stash.state(m, "a") == "loaded"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"

    def test_exec(self, m):
        m.jump("kexec-12 -e")
        m.shell()
        first, last = stash.kernel_code(m)
        assert stash.BASE["a"] <= first and last < stash.BASE["a"] + SLOT_SIZE
        assert stash.state(m, "a") == "running"


def test_raw_board_dtb():
    """A dtb from a kernel's build boots: what only firmware knows comes from the running tree."""
    nodes = [stash.node(slot, base) for slot, base in stash.BASE.items()]
    with stash.direct_machine("inplace-raw-dtb", nodes) as m:
        total = stash.meminfo(m, "MemTotal")
        stash.stage(m, "a", dtb="/mnt/raw.dtb")
        m.run("kexec-membuf load a")
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
        m.jump("kexec-membuf exec")
        m.shell()
        assert m.read("/proc/device-tree/model").rstrip("\0") == "staged board"
        assert m.read("/proc/cmdline") == stash.BOOTARGS
        assert stash.state(m, "a") == "running" and stash.state(m, "b") == "empty"
        gained = stash.meminfo(m, "MemTotal") - total
        assert abs(gained - SLOT_SIZE // 1024) < 2 * MIB // 1024, f"gained {gained} KiB"


def test_kernel_that_does_not_know_the_stash_keeps_it():
    """Debian's kernel reserves the slot, and kexecs ours the ordinary way. The slot's content survives."""
    files, load = stash.staged(stash.BASE["a"])
    initrd = stash.initrd_with("unaware", {"own.linux": stash.IMAGE, "own.initrd": stash.INITRAMFS})
    # A stock kernel does not come up by kexec with the ITS on, which our hook mends
    with stash.direct_machine("inplace-unaware", [stash.node("a", stash.BASE["a"], files=files)], load,
                              kernel=stash.PAYLOAD / "linux", initrd=initrd, machine=",its=off") as m:
        assert "kexec_stash" not in m.run("cat /proc/filesystems")
        m.run("kexec -c -i -l /own.linux --initrd=/own.initrd --reuse-cmdline")
        m.jump("kexec -e")
        m.shell()
        assert stash.state(m, "a") == "staged"
        for file, path in (("kernel", stash.IMAGE), ("initrd", stash.INITRAMFS)):
            assert stash.guest_sha256(m, stash.slot_path("a", file)) == stash.sha256(path)


def test_twenty_kexecs_between_two_slots():
    """With the ITS on, each kernel stages its successor into the other slot. Nothing dies, leaks or grows."""
    rounds = 20
    nodes = [stash.node(slot, base) for slot, base in stash.BASE.items()]
    seen, gic = [], []
    # With a random number generator each kernel passes a seed on. The tree must not keep the old ones
    with stash.direct_machine("inplace-twenty", nodes, extra=["-device", "virtio-rng-pci"]) as m:
        for i in range(rounds):
            slot, other = "ab" if i % 2 == 0 else "ba"
            assert stash.state(m, slot) == "empty", f"round {i}"
            stash.stage(m, slot)
            m.run("until dmesg | grep -q 'crng init done'; do sleep 0.1; done")
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
    # Kernels in the same slot are alike, apart from the first two, which still see what QEMU left
    for slot in (0, 1):
        rows = seen[slot + 2::2]
        for what, slack in (("MemTotal", 64), ("Slab", 1024), ("dtb", 0)):
            values = [row[what] for row in rows]
            assert max(values) - min(values) <= slack, f"{what} is not steady:\n{table}"
    print(table)
