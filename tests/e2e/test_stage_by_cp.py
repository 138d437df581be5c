# SPDX-License-Identifier: GPL-2.0-or-later
"""Stage from the running system with nothing but cp."""

import pytest

import stash
from stash import BASE, BOOTARGS, FILES, MIB

KEXEC_FILE_MEMBUF = 0x100


@pytest.mark.steps
class TestStaging:
    """Two empty slots. At the end the machine kexecs into the loaded one."""

    @pytest.fixture(scope="class")
    def m(self):
        nodes = [stash.node(slot, base) for slot, base in BASE.items()]
        with stash.direct_machine("staging", nodes) as machine:
            yield machine

    def test_initrd_alone_is_no_payload(self, m):
        m.run("cp /mnt/own.initrd /sys/fs/kexec/a/initrd")
        assert stash.state(m, "a") == "bad"
        assert stash.kernel_log(m, r"slot 'a': kernel: there is none yet")

    def test_kernel_completes_it(self, m):
        m.run("cp /mnt/own.linux /sys/fs/kexec/a/kernel")
        assert stash.state(m, "a") == "staged"
        assert m.read(stash.slot_path("a", "origin")) == "runtime"

    def test_initrd_makes_way_for_a_larger_kernel(self, m):
        """An initrd without a kernel goes to a quarter of 128 MiB. The installer's kernel owns more."""
        assert stash.image_size(FILES["installer.linux"]) > 32 * MIB
        m.run("cp /mnt/installer.linux /sys/fs/kexec/a/kernel")
        assert stash.state(m, "a") == "staged"
        for file, source in (("kernel", "installer.linux"), ("initrd", "own.initrd")):
            assert stash.guest_sha256(m, stash.slot_path("a", file)) == stash.sha256(FILES[source])

    def test_killed_writer_leaves_it_bad(self, m):
        m.run("mkfifo /tmp/f")
        m.run("cat /tmp/f > /sys/fs/kexec/a/kernel & writer=$!; exec 3> /tmp/f; head -c 1100000 /mnt/own.linux >&3; "
              "sleep 1; kill -9 $writer; wait $writer; exec 3>&-; rm /tmp/f; true")
        assert stash.state(m, "a") == "bad"
        assert stash.kernel_log(m, r"slot 'a': kernel: was not written to its end")

    def test_bad_stays_bad_until_it_is_emptied(self, m):
        m.run("sh -c ': >> /sys/fs/kexec/a/kernel'")
        m.run("sh -c 'echo >> /sys/fs/kexec/a/kernel'")
        assert stash.state(m, "a") == "bad"
        assert m.run(f"kfl -f {KEXEC_FILE_MEMBUF:#x} /sys/fs/kexec/a/kernel", None)[0].strip() == "EBADMSG"
        m.run("rm /sys/fs/kexec/a/kernel /sys/fs/kexec/a/initrd")
        assert stash.state(m, "a") == "empty"
        assert m.run("ls /sys/fs/kexec/a").split() == m.run("ls /sys/fs/kexec/b").split()

    def test_appending_goes_on_where_it_ends(self, m):
        path = stash.slot_path("a", "initrd")
        m.run(f"head -c 5000 /mnt/own.initrd > {path}; tail -c +5001 /mnt/own.initrd >> {path}")
        assert stash.guest_sha256(m, path) == stash.sha256(FILES["own.initrd"])
        m.run(f"rm {path}")

    def test_slot_staged_after_a_load_is_known_to_the_next_kernel(self, m):
        stash.stage(m, "a")
        m.run("kexec-membuf load a")
        m.run("cp /mnt/own.linux /sys/fs/kexec/b/kernel")
        m.run(f"echo '{BOOTARGS} late' > /sys/fs/kexec/b/cmdline")
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
        assert stash.state(m, "b") == "staged"
        assert m.read(stash.slot_path("b", "origin")) == "runtime"
        assert m.read(stash.slot_path("b", "cmdline")) == f"{BOOTARGS} late"
        assert stash.guest_sha256(m, stash.slot_path("b", "kernel")) == stash.sha256(FILES["own.linux"])

    def test_ordinary_kexec_gives_the_running_slot_back(self, m):
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        m.run("kexec -s -l /mnt/own.linux --initrd=/mnt/own.initrd --reuse-cmdline")
        m.jump("kexec -e")
        m.shell()
        first, _ = stash.kernel_code(m)
        assert not any(base <= first < base + stash.SLOT_SIZE for base in BASE.values())
        assert stash.state(m, "a") == "empty"
        assert stash.state(m, "b") == "staged"


def test_no_room_for_what_a_load_adds():
    """Kernel and initrd fill the slot: the load fails, and says so once."""
    size = stash.align(stash.image_size(stash.IMAGE) + stash.INITRAMFS.stat().st_size + MIB, 2 * MIB)
    files, load = stash.staged(BASE["a"], size=size)
    offset, length, _ = files["initrd"]
    # As long as the slot allows: no page is left behind it
    path = stash.WORK / "no-room.initrd"
    path.write_bytes(stash.INITRAMFS.read_bytes().ljust(size - offset, b"\0"))
    files["initrd"] = (offset, path.stat().st_size, stash.sha256(path))
    load[1] = (path, BASE["a"] + offset)
    assert length < path.stat().st_size
    with stash.direct_machine("staging-no-room", [stash.node("a", BASE["a"], size, files)], load) as m:
        assert m.run(f"kfl -f {KEXEC_FILE_MEMBUF:#x} /sys/fs/kexec/a/kernel", None)[0].strip() == "ENOSPC"
        lines = stash.kernel_log(m, r"kexec_stash: slot 'a': no room for another \d+ bytes")
        assert len(lines) == 1, lines
        assert m.read("/sys/kernel/kexec/loaded") == "0"
        assert stash.state(m, "a") == "staged"


def test_kexec_handover_stays_in_place():
    """With KHO on mainline copies everything to its scratch areas. An adopted image has its segments in the slot."""
    files, load = stash.staged(BASE["a"])
    # By itself, a kernel with KASAN asks for more than there is in one piece
    args = BOOTARGS + " kho=on kho_scratch=16M,64M,512M"
    nodes = [stash.node("a", BASE["a"], files=files, bootargs=args), stash.node("b", BASE["b"])]
    with stash.direct_machine("staging-kho", nodes, load, append=args) as m:
        assert not stash.kernel_log(m, "disabling kexec handover")
        m.run("kexec-membuf load a")
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
        assert stash.kernel_log(m, r"KHO: exec from"), "\n".join(stash.kernel_log(m, "KHO"))
