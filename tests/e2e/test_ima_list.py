# SPDX-License-Identifier: GPL-2.0-or-later
"""IMA's list goes from kernel to kernel, in place as well."""

import shlex

import stash
from qemu import IMAGE
from stash import BASE_A, MIB, SLOT_SIZE

LISTS = "/sys/kernel/security/ima"
ROUNDS = ("a", "b", "a")
# Each load adds its command line; files in the guest's root (a tmpfs) are measured when they are first read
POLICY = ["measure func=KEXEC_KERNEL_CHECK", "measure func=KEXEC_INITRAMFS_CHECK", "measure func=KEXEC_CMDLINE",
          "measure func=FILE_CHECK mask=MAY_READ fsmagic=0x01021994"]


def measured(m):
    """The list as IMA shows it: (lines for people, bytes for verifiers)."""
    binary = stash.WORK / "ima-list.binary"
    stash.guest_file(m, f"{LISTS}/binary_runtime_measurements", binary)
    return m.read(f"{LISTS}/ascii_runtime_measurements").splitlines(), binary.read_bytes()


def read_new_files(m, names):
    for name in names:
        m.run(f"echo {name} > /{name}; cat /{name} > /dev/null")


def test_list_is_continuous_over_three_kexecs():
    """Each kernel's list begins with the whole list of the one before, including what came after the load."""
    nodes = [stash.node(slot, base) for slot, base in stash.BASE.items()]
    with stash.direct_machine("ima-list", nodes) as m:
        known = ()
        for i, slot in enumerate(ROUNDS):
            with_policy = "; ".join(f"echo '{rule}'" for rule in POLICY)
            m.run(f"({with_policy}) > {LISTS}/policy")
            early, late = [[f"{when}-{i}-{n}" for n in range(8)] for when in ("early", "late")]
            bootargs = f"{stash.BOOTARGS} round={i}"
            stash.stage(m, slot, bootargs=bootargs)
            read_new_files(m, early)
            m.run(f"kexec-membuf load {slot}")
            assert m.read("/sys/kernel/kexec/copy_bytes") == "0"
            loaded = measured(m)
            read_new_files(m, late)
            lines, binary = measured(m)

            # This round's own entries stand at the end, in their order: files, load, files
            added = [line.split(" ", 4)[2:] for line in lines[len(known):]]
            names = [fields[-1].split(" ")[-1].lstrip("/") for fields in added]
            assert [name for name in names if name in early + late] == early + late, added
            assert len(lines) == len(loaded[0]) + len(late) and binary.startswith(loaded[1])
            hexed = bootargs.encode().hex()
            assert any(hexed in line for line in lines[len(known):len(loaded[0])]), added

            m.jump("kexec-membuf exec")
            m.shell()
            assert stash.state(m, slot) == "running"
            m.run("mount -t ext4 -o ro /dev/vda /mnt")
            carried, carried_binary = measured(m)
            assert carried[:len(lines)] == lines, f"round {i}: {len(lines)} lines, of which not all came along"
            assert carried_binary.startswith(binary), f"round {i}: {len(binary)} bytes, of which not all came along"
            print(f"round {i}: {len(known)} carried, {len(loaded[0])} when loaded, {len(lines)} at exec, "
                  f"{len(carried)} in the next kernel")
            known = carried
        print("\n".join(known))


def test_failed_load_leaves_the_list_of_what_is_loaded():
    """A load fails after the list has got its place, and the list has grown: the image loaded before still starts."""
    tiny = stash.WORK / "ima-list.tiny"
    tiny.write_bytes(IMAGE.read_bytes()[:16] + (64 << 10).to_bytes(8, "little") + IMAGE.read_bytes()[24:64 << 10])
    small = BASE_A + SLOT_SIZE
    nodes = [stash.node("a", BASE_A), stash.node("small", small, 2 * MIB, {"kernel": (0, 64 << 10, None)})]
    with stash.direct_machine("ima-list-failed", nodes, [(tiny, small)]) as m:
        m.run(f"({'; '.join(f'echo {shlex.quote(rule)}' for rule in POLICY)}) > {LISTS}/policy")
        stash.stage(m, "a")
        m.run("kexec-membuf load a")
        before, _ = measured(m)
        m.run("for i in $(seq 300); do echo $i > /grown$i; cat /grown$i > /dev/null; done", timeout=120)
        assert m.fails(f"kfl -f 0x100 -i /mnt/own.initrd {stash.slot_path('small', 'kernel')}") == "ENOSPC"
        m.jump("kexec-membuf exec")
        m.shell()
        assert stash.state(m, "a") == "running"
        # The next kernel has as much as there was room for
        assert measured(m)[0][:len(before)] == before


def mappings(m):
    """The mappings by pages. IMA's place in the next kernel's memory is one of them."""
    return sorted(line.split(None, 1)[1] for line in m.read("/proc/vmallocinfo").splitlines() if " vmap " in f"{line} ")


def test_an_image_that_is_unloaded_leaves_no_mapping_of_the_slot():
    """The memory is not the image's any more: after the next staging nobody may be able to write to it."""
    with stash.direct_machine("ima-list-unload", [stash.node("a", BASE_A)]) as m:
        m.run(f"({'; '.join(f'echo {shlex.quote(rule)}' for rule in POLICY)}) > {LISTS}/policy")
        stash.stage(m, "a")
        before = mappings(m)
        m.run("kexec -s -l /sys/fs/kexec/a/kernel --initrd=/sys/fs/kexec/a/initrd --reuse-cmdline")
        assert stash.state(m, "a") == "loaded" and m.read("/sys/kernel/kexec/copy_bytes") == "0"
        loaded = mappings(m)
        m.run("kexec -s -u")
        after = mappings(m)
        print(f"before: {before}\nloaded: {loaded}\nafter: {after}")
        assert len(loaded) > len(before), "a load maps nothing (any more), see what this test looks for"
        assert after == before
