# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that KHO and LUO preserve, and slots: neither lies in the other, and neither is lost."""

import re
import subprocess

import pytest

import early
import kho
import stash
from qemu import BUILD, IMAGE, INITRAMFS, Machine
from scribble import scribble_module
from stash import BOOTARGS, MIB

SELFTESTS = BUILD / "selftests"
SLOTS = "a:256M,b:256M"


def kho_messages(m, slot):
    """The stash's lines on a slot and on KHO."""
    return [line for line in early.messages(m) if line.startswith(f"slot '{slot}'") and "KHO" in line]


def test_what_kho_hands_over_is_in_no_slot():
    """A kernel in slot a is the first with KHO. Its scratch areas and reserve_mem= would lie in the slot."""
    args = f"{BOOTARGS} kho=on kho_scratch=64M,64M,64M reserve_mem=16M:4096:foo"
    with early.machine("kho-ranges", SLOTS) as m:
        kho.hop(m, "a", args)
        total = stash.meminfo(m, "MemTotal")
        kho.hop(m, "b", args)
        assert stash.kernel_log(m, r"KHO: exec from"), "\n".join(stash.kernel_log(m, "KHO"))
        ranges = kho.ranges(m)
        print([(what, hex(start), hex(size)) for what, start, size in ranges])
        assert {what for what, _, _ in ranges} == {"linux,kho-fdt", "linux,kho-scratch", "scratch", "reserve_mem"}
        assert stash.state(m, "a") == "empty"
        base, size = early.place(m, "a")
        assert not [what for what, start, len_ in ranges if kho.runs_into(start, len_, base, size)]
        # The memory that was kept from memblock came back
        assert abs(stash.meminfo(m, "MemTotal") - total) < 4096
        kho.hop(m, "a", args)


@pytest.mark.steps
class TestLiveUpdate:
    """1 GiB in a memfd lives through kexecs between two slots of 256 MiB, each staged again."""

    HOPS = 5

    @pytest.fixture(scope="class")
    def live(self):
        with kho.machine("kho-live") as m:
            yield kho.LiveUpdate(m, 1024)

    @pytest.mark.parametrize("number", range(HOPS))
    def test_hop(self, live, number):
        live.go()

    def test_no_memory_is_lost(self, live):
        totals = [row["total"] for row in live.rows]
        assert len(totals) == self.HOPS and max(totals) - min(totals) < 1024, totals


@pytest.mark.steps
class TestParameter:
    """kexec_stash= in a kernel that got memory handed over."""

    @pytest.fixture(scope="class")
    def m(self):
        with kho.machine("kho-parameter") as machine:
            machine.run("luo new 1024", timeout=120)
            yield machine

    def test_new_slot_keeps_off(self, m):
        kho.hop(m, "a", f"{BOOTARGS} {kho.ARGS} kexec_stash=a:64M,c:256M")
        assert stash.kernel_log(m, r"KHO: exec from")
        place = early.place(m, "c")
        assert place[1] == 256 * MIB
        assert not [what for what, start, size in kho.ranges(m) if kho.runs_into(start, size, *place)]

    def test_memory_lives_on(self, m):
        """Preserved memory survives, though all of the new slot is written."""
        for file in ("kernel", "initrd"):
            m.run(f"cp /mnt/own.{'linux' if file == 'kernel' else 'initrd'} {stash.slot_path('c', file)}")
        m.run(f"dd if=/dev/zero bs=1M count=200 >> {stash.slot_path('c', 'initrd')}", timeout=120)
        assert m.run("luo next", timeout=120) == "1024 MiB, 0 pages are not as they were"

    def test_at_an_address(self, m):
        """A slot over a scratch area, or over preserved memory, is refused with the reason."""
        [scratch, *_] = [start for what, start, _ in kho.ranges(m) if what == "scratch"]
        tree = [start for what, start, _ in kho.ranges(m) if what == "linux,kho-fdt"][0]
        down = 2 * MIB - 1
        wanted = f"d:8M@{scratch & ~down:#x},e:8M@{tree & ~down:#x}"
        kho.hop(m, "b", f"{BOOTARGS} {kho.ARGS} kexec_stash={wanted}")
        for slot, why in (("d", "a scratch area of KHO"), ("e", "memory that KHO has preserved")):
            [line] = kho_messages(m, slot)
            assert line.endswith(f"refused: what kexec_stash= asks for lies over {why}"), line
        assert sorted(stash.slots(m)) == ["a", "b", "c"]
        assert m.run("luo next", timeout=120) == "1024 MiB, 0 pages are not as they were"


@pytest.mark.steps
class TestPreservedInSlot:
    """Memory of a running slot is preserved: the next kernel does not have the slot."""

    ARGS = f"{BOOTARGS} {kho.ARGS}"

    @pytest.fixture(scope="class")
    def m(self):
        files = stash.initrd_with("kho-kept", {"scribble.ko": scribble_module()})
        with early.machine("kho-kept", "a:128M,b:128M,c:128M", append=kho.ARGS, initrd=files) as machine:
            yield machine

    def preserve(self, m, where):
        return m.run(f"echo {where:x} 4 > /sys/kernel/debug/preserve", None)

    def test_in_a_slot_that_is_not_memory(self, m):
        """Preserving memory of the stash is refused, and the slot stays."""
        m.run("insmod /scribble.ko")
        output, status = self.preserve(m, early.place(m, "b")[0])
        assert status and "busy" in output, output
        assert kho_messages(m, "b") == ["slot 'b': KHO cannot preserve memory in it"]
        assert stash.state(m, "b") == "empty"

    def test_in_the_running_slot(self, m):
        m.run("(cat /mnt/own.initrd; cd /; echo scribble.ko | cpio -o -H newc | gzip) > /tmp/initrd")
        kho.hop(m, "a", self.ARGS, "/tmp/initrd")
        m.run("insmod /scribble.ko; rm /scribble.ko")
        assert kho_messages(m, "a") == []
        m.run("kexec-membuf stage b --kernel /mnt/own.linux --initrd /mnt/own.initrd "
              f"--command-line '{self.ARGS}' && kexec-membuf load b", timeout=120)
        base, _ = early.place(m, "a")
        # After the load: the next kernel's tree is written again
        for page in 0, 4096 * 8, 4096 * 16:
            output, status = self.preserve(m, base + page)
            assert not status, output
        assert kho_messages(m, "a") == ["slot 'a': memory in it is preserved by KHO, so the next kernel does not get it"]

    def test_next_kernel_does_not_have_it(self, m):
        m.jump("kexec-membuf exec")
        m.shell()
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        assert sorted(stash.slots(m)) == ["b", "c"]
        assert kho_messages(m, "a") == ["slot 'a': lies over memory that KHO has preserved"]

    def test_it_comes_back_when_nothing_lies_in_it(self, m):
        kho.hop(m, "c", self.ARGS)
        assert {slot: stash.state(m, slot) for slot in "abc"} == {"a": "empty", "b": "empty", "c": "running"}
        kho.hop(m, "a", self.ARGS)


def test_released_slot_takes_nothing_that_is_preserved():
    """Its memory is taken first, and the next kernel has it again."""
    with kho.machine("kho-released", "a:128M,b:256M", mem="2G") as m:
        m.run(f"echo 1 > {stash.slot_path('b', 'release')}")
        m.run("luo new 512", timeout=120)
        kho.hop(m, "a", f"{BOOTARGS} {kho.ARGS}")
        assert stash.state(m, "b") == "empty"
        m.run(f"dd if=/dev/zero of={stash.slot_path('b', 'kernel')} bs=1M count=200", None, timeout=120)
        assert m.run("luo end", timeout=120) == "512 MiB, 0 pages are not as they were"


# Mainline's own selftests, as their vmtest.sh run them: with our kernel, and with our kernel in a slot

LUO = ("luo_kexec_simple", "luo_multi_session", "luo_stress_files", "luo_stress_sessions")
PROGRAMS = {"kho": ("kho-init", {}, "KHO restore succeeded"),
            **{name: ("luo-init", {"test_binary": SELFTESTS / name}, "TEST PASSED") for name in LUO}}
VMTEST = "console=ttyAMA0 kho=on liveupdate=on panic=-1"


def selftest(name):
    """The initramfs that vmtest.sh makes for a selftest."""
    init, files, _ = PROGRAMS[name]
    if files:
        files = {**files, "initrd.img": pack(f"{name}-inner", init, files)}
    return pack(name, init, {**files, "kernel": IMAGE})


def pack(name, init, files):
    lines = [f"dir /{folder} 0755 0 0" for folder in ("dev", "proc", "debugfs")]
    lines += ["nod /dev/console 0600 0 0 c 5 1", f"file /init {SELFTESTS / init} 0755 0 0"]
    lines += [f"file /{file} {path} 0755 0 0" for file, path in files.items()]
    stash.WORK.mkdir(parents=True, exist_ok=True)
    listed, out = stash.WORK / f"{name}.list", stash.WORK / f"{name}.cpio"
    listed.write_text("\n".join(lines) + "\n")
    with open(out, "wb") as file:
        subprocess.run([BUILD / "initramfs/gen_init_cpio", listed], stdout=file, check=True)
    return out


@pytest.mark.parametrize("name", PROGRAMS)
def test_selftest(name):
    with Machine(f"kho-{name}", kernel=IMAGE, initrd=selftest(name), append=VMTEST, mem="1G") as m:
        m.wait_for(PROGRAMS[name][2])


@pytest.mark.parametrize("name", PROGRAMS)
def test_selftest_from_a_slot(name):
    cpio = early.payload(f"kho-{name}", "a", kernel=IMAGE, initrd=selftest(name), cmdline=VMTEST.encode())
    with early.machine(f"kho-{name}-slot", "a:128M,b:64M", initrd=early.initrd(f"kho-{name}", cpio, INITRAMFS)) as m:
        m.run("kexec-membuf load a", timeout=120)
        m.jump("kexec-membuf exec")
        m.wait_for("slot 'a' at 0x[0-9a-f]+, 128 MiB, running")
        m.wait_for("slot 'a' at 0x[0-9a-f]+, 128 MiB, empty")
        m.wait_for(PROGRAMS[name][2])


def test_selftest_of_the_device():
    """liveupdate.c, in a kernel that runs in a slot."""
    with kho.machine("kho-device", "a:128M,b:64M", mem="2G") as m:
        kho.hop(m, "a", f"{BOOTARGS} {kho.ARGS}")
        output = m.run("liveupdate", timeout=120)
        print(output)
        assert re.search(r"^# Totals: pass:\d+ fail:0 ", output, re.M), output
        assert kho_messages(m, "a") == []
