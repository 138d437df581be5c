# SPDX-License-Identifier: GPL-2.0-or-later
"""From the first byte read until unload, nobody changes a payload: neither user space nor the kernel."""

import random
import re

import pytest

import stash
from qemu import IMAGE, SPLAT
from scribble import assert_read_only, assert_writable, may_scribble, scribble_module
from stash import BASE_A, MIB, SLOT_SIZE

KFL_STRICT = "kfl -f 0x100"
LOAD_A = f"{KFL_STRICT} /sys/fs/kexec/a/kernel"


def machine(name, append="", **kwargs):
    """Slot a with a kernel, an initrd and a dtb that firmware staged, empty slots b and c at its ends."""
    files, load = stash.staged(BASE_A, dtb=stash.FILES["virt.dtb"])
    nodes = [stash.node("a", BASE_A, files=files, bootargs=stash.BOOTARGS),
             stash.node("b", BASE_A + SLOT_SIZE), stash.node("c", BASE_A - 16 * MIB, 16 * MIB)]
    m = stash.direct_machine(name, nodes, load, append=f"{stash.NOT_AHEAD} {append}".strip(),
                             initrd=stash.initrd_with(name, {"scribble.ko": scribble_module()}), **kwargs)
    m.files = files
    may_scribble(m)
    return m


def places(files):
    """A byte of each part of slot a, named after the part."""
    (initrd, initrd_size, _), (dtb, _, _) = files["initrd"], files["dtb"]
    return {
        "kernel's first byte": BASE_A,
        "kernel's BSS": BASE_A + stash.image_size(IMAGE) - 1,
        "initrd's last byte": BASE_A + initrd + initrd_size - 1,
        "dtb's first byte": BASE_A + dtb,
        "free room": BASE_A + dtb - 3 * MIB,
        "slot's last byte": BASE_A + SLOT_SIZE - 1,
    }


BESIDE = {"slot before": BASE_A - 1, "slot behind": BASE_A + SLOT_SIZE}


@pytest.mark.parametrize("mapped,append", [("pages", ""), ("blocks", "rodata=noalias")], ids=["pages", "blocks"])
def test_kernel_cannot_write_to_a_sealed_slot(mapped, append):
    """A loaded slot, all of it and nothing else, is read-only in the linear map. After the unload it is writable. A slot is
    mapped by blocks, however the rest of memory is mapped."""
    with machine(f"sealed-{mapped}", append) as m:
        where = places(m.files)
        assert_writable(m, where | BESIDE)
        m.run(LOAD_A)
        before = {name: stash.guest_sha256(m, stash.slot_path("a", name)) for name in m.files}
        assert_read_only(m, where)
        assert_writable(m, BESIDE)
        assert {name: stash.guest_sha256(m, stash.slot_path("a", name)) for name in m.files} == before
        m.run("kexec -s -u")
        assert_writable(m, where | BESIDE)
        print(f"{mapped}: {', '.join(where)}: a fault each while loaded, none before and after")


EDGES = {slot: {f"{slot}'s first byte": base, f"{slot}'s last byte": base + SLOT_SIZE - 1}
         for slot, base in stash.BASE.items()}
A, B = EDGES["a"], EDGES["b"]
LOAD_B = LOAD_A.replace("/a/", "/b/")


def test_the_seal_goes_with_the_image():
    """Another image replaces the loaded one: its slot is sealed instead. A failed load changes nothing."""
    nodes, load = [], []
    for slot, base in stash.BASE.items():
        files, more = stash.staged(base)
        nodes.append(stash.node(slot, base, files=files, bootargs=stash.BOOTARGS))
        load += more
    with stash.direct_machine("sealed-replaced", nodes, load, append=stash.NOT_AHEAD,
                              initrd=stash.initrd_with("sealed-replaced", {"scribble.ko": scribble_module()})) as m:
        may_scribble(m)
        assert m.run(LOAD_A) == "OK"
        assert_read_only(m, A)
        assert_writable(m, B)
        # b fails while a is loaded
        assert m.fails(f"{KFL_STRICT} -i /sys/fs/kexec/a/initrd /sys/fs/kexec/b/kernel") == "EINVAL"
        assert (stash.state(m, "a"), stash.state(m, "b")) == ("loaded", "staged")
        assert_read_only(m, A)
        assert_writable(m, B)
        # b instead of a
        assert m.run(LOAD_B) == "OK"
        assert (stash.state(m, "a"), stash.state(m, "b")) == ("staged", "loaded")
        assert_writable(m, A)
        assert_read_only(m, B)
        # twice the same
        assert m.run(LOAD_B) == "OK"
        assert_read_only(m, B)
        # an ordinary image instead, by file and by segments
        for other in (f"kfl -f 0x10 -i /mnt/own.initrd -c '{stash.BOOTARGS}' /mnt/own.linux",
                      "kexec -c -l /mnt/own.linux --initrd=/mnt/own.initrd --reuse-cmdline"):
            m.run(other)
            assert m.read("/sys/kernel/kexec/loaded") == "1" and stash.state(m, "b") == "staged"
            assert_writable(m, A | B)
            assert m.run(LOAD_B) == "OK"
            assert_read_only(m, B)
        m.run("kexec -c -u")
        assert stash.state(m, "b") == "staged"
        assert_writable(m, A | B)


POLICY = "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig"


@pytest.mark.parametrize("held", [False, True], ids=["closed", "held-open"])
@pytest.mark.parametrize("unload", [False, True], ids=["loaded", "unloaded"])
@pytest.mark.parametrize("measured", [False, True], ids=["no-policy", "measured"])
def test_readoption_after_a_policy_change_is_appraised_anew(measured, unload, held):
    """Once signatures are required, what passed before is refused, even if IMA remembers the file's hash."""
    files, load = stash.staged(BASE_A)
    with stash.direct_machine(f"sealed-policy-{measured:d}{unload:d}{held:d}",
                              [stash.node("a", BASE_A, files=files)], load) as m:
        # Log each verdict, not just ten in five seconds
        m.run("echo 0 > /proc/sys/kernel/printk_ratelimit")
        if measured:
            m.run("echo 'measure func=KEXEC_KERNEL_CHECK' > /sys/kernel/security/ima/policy")
        by = [LOAD_A]
        if held:
            # Opening a descriptor through /proc gives the same inode, without a look-up
            m.run(f"exec 9< {stash.slot_path('a', 'kernel')}")
            by += [f"{KFL_STRICT} /proc/$$/fd/9", LOAD_A]
        for call in by * 2:
            assert m.run(call) == "OK"
        if unload:
            m.run("kexec -s -u")
        m.run(f"echo '{POLICY}' > /sys/kernel/security/ima/policy")
        for call in by * 2:
            assert m.fails(call) == "EACCES", call
        causes = stash.wait_for_log(m, r'op=appraise_data cause=IMA-signature-required.*name="[^"]*a/kernel".*res=0',
                                    2 * len(by))
        assert len(causes) == 2 * len(by), stash.kernel_log(m, "audit")
        print(causes[-1])
        assert stash.state(m, "a") == ("staged" if unload else "loaded")
        assert m.read("/sys/kernel/kexec/loaded") == ("0" if unload else "1")
        if held:
            assert m.run("sha256sum <&9").split()[0] == stash.sha256(IMAGE)
        if not unload:
            m.jump("kexec -e")
            m.shell()
            assert stash.state(m, "a") == "running"


# The errors while the slot is loaded, by tests/guest/tamper.c's names
TAMPER = {
    # The loaded slot stops these
    "ETXTBSY": ["open O_WRONLY", "open O_RDWR", "open O_APPEND", "open O_CREAT", "open O_TRUNC",
                "open O_RDONLY|O_TRUNC", "open /proc/self/fd", "open /proc/self/fd of O_PATH", "second mount",
                "bind mount", "truncate", "unlink"],
    # A descriptor for reading cannot write
    "EBADF": ["write", "pwritev2", "io_submit", "fallocate", "fallocate PUNCH_HOLE", "sendfile", "copy_file_range",
              "splice", "vmsplice"],
    "EINVAL": ["ftruncate", "truncate to a page"],
    # Mappings are for reading, even for callers who ignore permissions
    "EACCES": ["mmap shared, writable", "mmap private, writable", "mprotect"],
    "EIO": ["/proc/self/mem", "ptrace POKEDATA", "/proc/kcore"],
    "EFAULT": ["process_vm_writev"],
    # The file system has no handles, links or new names
    "EOPNOTSUPP": ["open_by_handle_at"],
    "EPERM": ["link", "rename away", "rename other file over", "rename EXCHANGE"],
    "EEXIST": ["link over", "symlink over"],
    "EXDEV": ["FICLONE", "rename over"],
    "ENOENT": ["/dev/mem"],
    # These write to a copy of the file
    "OK": ["write behind splice", "vmsplice out of pipe", "mmap shared", "mmap private"],
}
# The command line is not in the slot: nothing to map
MAPPINGS = ("mmap shared", "mmap private", "mmap private, writable", "mprotect", "/proc/self/mem", "ptrace POKEDATA",
            "process_vm_writev")
PAYLOAD_FILES = ("kernel", "initrd", "dtb", "cmdline")


def expected(file):
    ways = {way: error for error, ways in TAMPER.items() for way in ways}
    if file == "cmdline":
        ways |= {way: "ENODEV" for way in MAPPINGS} | {"mmap shared, writable": "EACCES"}
    return ways


def tamper(m, file):
    other = "initrd" if file == "kernel" else "kernel"
    output = m.run(f"tamper {stash.slot_path('a', file)} {stash.slot_path('a', other)}")
    return dict(line.rsplit(": ", 1) for line in output.splitlines())


def payload_sums(m):
    return {file: stash.guest_sha256(m, stash.slot_path("a", file)) for file in PAYLOAD_FILES}


@pytest.mark.steps
class TestUserSpace:
    """Root tries every way to change a loaded slot's payload."""

    @pytest.fixture(scope="class")
    def m(self):
        files, load = stash.staged(BASE_A, dtb=stash.FILES["virt.dtb"])
        nodes = [stash.node("a", BASE_A, files=files, bootargs=stash.BOOTARGS)]
        with stash.direct_machine("sealed-user", nodes, load) as machine:
            yield machine

    @pytest.mark.parametrize("file", PAYLOAD_FILES)
    def test_open_for_writing_there_is_no_load(self, m, file):
        m.run(f"exec 9<> {stash.slot_path('a', file)}")
        assert m.fails(LOAD_A) == "ETXTBSY"
        m.run("exec 9>&-")
        assert m.run(LOAD_A) == "OK"
        m.run("kexec -s -u")

    @pytest.mark.parametrize("file", PAYLOAD_FILES)
    def test_loaded_it_stays_what_it_is(self, m, file):
        assert m.run(LOAD_A) == "OK"
        before = payload_sums(m)
        seen = tamper(m, file)
        print("\n".join(f"{way}: {error}" for way, error in seen.items()))
        assert seen == expected(file)
        assert payload_sums(m) == before
        assert stash.state(m, "a") == "loaded"

    def test_exec_still_works(self, m):
        m.jump("kexec -e")
        m.shell()
        assert stash.state(m, "a") == "running"


def test_it_is_the_seal_that_keeps_user_space_out():
    """If the slot is not loaded, everything that gave ETXTBSY works and changes the file. The rest gives the same errors."""
    files, load = stash.staged(BASE_A)
    with stash.direct_machine("sealed-open", [stash.node("a", BASE_A, files=files)], load) as m:
        m.run(LOAD_A)
        m.run("kexec -s -u")
        seen = tamper(m, "initrd")
        assert seen == {way: "OK" if error == "ETXTBSY" else error for way, error in expected("initrd").items()}
        assert m.run(f"wc -c < {stash.slot_path('a', 'initrd')}") == "0"


TINY = 64 << 10


def tiny_image(name, seed=0):
    """An arm64 Image by its header, which is all that a load looks at."""
    stash.WORK.mkdir(parents=True, exist_ok=True)
    path = stash.WORK / f"{name}.tiny"
    header = bytearray(IMAGE.read_bytes()[:64])
    header[16:24] = TINY.to_bytes(8, "little")
    path.write_bytes(bytes(header) + random.Random(seed).randbytes(TINY - len(header)))
    return path


def bad_slots(name):
    """Slots whose loads fail, with the call that fails, its errno and the state after it: (rows, nodes, load)."""
    good, other = tiny_image(f"{name}-good"), tiny_image(f"{name}-other", 1)
    noise = stash.WORK / f"{name}.noise"
    noise.write_bytes(bytes(range(256)) * (TINY // 256))
    ordinary = "-i /sys/fs/kexec/other/initrd"
    # slot, kernel, content of its digest, initrd, content of its digest, size, arguments, errno, state
    rows = [
        ("digest", good, other, good, good, 16 * MIB, "", "EBADMSG", "bad"),
        ("image", noise, noise, good, good, 16 * MIB, "", "ENOEXEC", "bad"),
        ("initrd-digest", good, good, good, other, 16 * MIB, "", "EBADMSG", "bad"),
        ("foreign-initrd", good, good, good, good, 16 * MIB, ordinary, "EINVAL", "staged"),
        ("no-room", good, good, None, None, 2 * MIB, "-i /mnt/own.initrd", "ENOSPC", "staged"),
        ("other", good, good, good, good, 16 * MIB, "", None, "staged"),
    ]
    nodes, load, base, calls = [], [], BASE_A, []
    for label, kernel, kernel_hash, initrd, initrd_hash, size, arguments, errno, state in rows:
        files = {"kernel": (0, TINY, stash.sha256(kernel_hash))}
        load.append((kernel, base))
        if initrd:
            files["initrd"] = (2 * MIB, TINY, stash.sha256(initrd_hash))
            load.append((initrd, base + 2 * MIB))
        nodes.append(stash.node(label, base, size, files, bootargs=stash.BOOTARGS))
        calls.append((label, base, size, f"{KFL_STRICT} {arguments} {stash.slot_path(label, 'kernel')}", errno, state))
        base += size
    return [call for call in calls if call[4]], nodes, load


def memory(m):
    """Memory in use, in KiB. Without vmap_area: each process leaves one behind for a while."""
    m.run("sync; echo 3 > /proc/sys/vm/drop_caches; echo 1 > /proc/sys/vm/compact_memory")
    return {
        "pages": stash.meminfo(m, "MemTotal") - stash.meminfo(m, "MemFree"),
        "slab": int(m.run("awk '!/^(slabinfo|#|vmap_area)/ {n += $2 * $4} END {print n}' /proc/slabinfo")) // 1024,
        "vmalloc": stash.meminfo(m, "VmallocUsed"),
    }


class TestFailedLoad:
    """A load that fails, early or late, leaves no seal and no memory behind."""

    @pytest.fixture(scope="class")
    def m(self):
        calls, nodes, load = bad_slots("sealed-failed")
        with stash.direct_machine("sealed-failed", nodes, load, append=stash.NOT_AHEAD,
                                  initrd=stash.initrd_with("sealed-failed", {"scribble.ko": scribble_module()})) as m:
            m.calls = {call[0]: call for call in calls}
            may_scribble(m)
            # Fill the caches that any process fills, by a call that is refused before it looks at a slot
            m.run(f"for i in $(seq 200); do kfl -f 0x102 {stash.slot_path('other', 'kernel')}; done > /dev/null; "
                  "dmesg -c > /dev/null")
            yield m

    LABELS = ("digest", "image", "initrd-digest", "foreign-initrd", "no-room")

    @pytest.mark.parametrize("label", LABELS)
    def test_leaves_no_seal(self, m, label):
        label, base, size, call, errno, state = m.calls[label]
        assert stash.state(m, label) == "staged"
        assert m.fails(call) == errno
        assert stash.state(m, label) == state
        assert m.read("/sys/kernel/kexec/loaded") == "0"
        assert_writable(m, {"first byte": base, "last byte": base + size - 1})
        m.run(f": <> {stash.slot_path(label, 'kernel')}")

    def test_leaves_the_seal_of_what_is_loaded(self, m):
        """Adopting a loaded slot again fails: it stays loaded, and sealed until the unload."""
        label, base, size, call, errno, _ = m.calls["foreign-initrd"]
        edges = {"first byte": base, "last byte": base + size - 1}
        assert m.run(f"{KFL_STRICT} {stash.slot_path(label, 'kernel')}") == "OK"
        assert m.fails(call) == errno
        assert stash.state(m, label) == "loaded"
        assert_read_only(m, edges)
        m.run("kexec -s -u")
        assert stash.state(m, label) == "staged"
        assert_writable(m, edges)

    @pytest.mark.parametrize("label", LABELS)
    def test_two_hundred_of_them_leave_no_memory(self, m, label):
        _, _, _, call, errno, _ = m.calls[label]

        def after(rounds):
            said = m.run(f"for i in $(seq {rounds}); do {call}; done | sort | uniq -c", timeout=120)
            assert said.split() == [str(rounds), errno]
            # Read each line of the log only once, since that takes longer than everything else
            log = m.run(r"dmesg -c | sed 's/^\[[^]]*\] //' | sort | uniq -c")
            assert not re.search(SPLAT, log), log
            print(log.strip())
            return memory(m)

        seen = after(50)
        # A leak grows each time. Memory that RCU has not freed, and half-full slabs, come and go
        for _ in range(3):
            before, seen = seen, after(200)
            lost = {field: seen[field] - before[field] for field in seen}
            print(f"{before}\n{seen}")
            # Some MiB of the last freed buffer are in the CPUs' own lists. This varies, but does not grow
            if lost["pages"] < 12 * 1024 and lost["slab"] < 96 and lost["vmalloc"] < 256:
                return
        raise AssertionError(f"lost in 200 loads, three times: {lost}")


RACE_ROUNDS = 3000


def test_writers_race_loads():
    """Four threads change the payload, each in its own way, during thousands of loads and unloads."""
    nodes = [stash.node("a", BASE_A, 8 * MIB)]
    initrd = stash.initrd_with("sealed-race", {"tiny": tiny_image("sealed-race")})
    with stash.direct_machine("sealed-race", nodes, append=f"{stash.BOOTARGS} log_buf_len=4M", initrd=initrd) as m:
        m.run("echo 'measure func=KEXEC_KERNEL_CHECK' > /sys/kernel/security/ima/policy")
        m.run(f"race {RACE_ROUNDS} {stash.slot_path('a', 'kernel')} /tiny > /race", timeout=300)
        ended = {}
        for line in m.run("grep -v '^loaded ' /race").splitlines():
            print(line)
            what, _, counts = line.partition(": ")
            ended[what] = counts
        # Each call succeeded and failed, and only with known errors
        writers = ("write", "write by descriptor", "truncate", "unlink")
        for what in ("load",) + writers:
            fields = ended[what].split()
            counts = {errno: int(count) for errno, count in zip(fields[::2], fields[1::2])}
            assert counts["OK"] > 0 and counts["ETXTBSY"] > 0, (what, counts)
            known = {"OK", "ETXTBSY"} | ({"ENODATA", "ENOEXEC", "EBADMSG"} if what == "load" else set())
            assert set(counts) <= known, (what, counts)
        assert all(int(ended[f"{what} while loaded"]) > 0 for what in writers)
        assert ended["violations"] == "0"

        # IMA hashed what is loaded: no change came in between
        m.run("sed -n 's/^loaded //p' /race | sort -u > /loaded; grep -o 'sha256:.* /sys/fs/kexec/a/kernel' "
              "/sys/kernel/security/ima/ascii_runtime_measurements | cut -c8-71 | sort -u > /hashed")
        loaded, hashed = (int(m.run(f"wc -l < {name}")) for name in ("/loaded", "/hashed"))
        print(f"{loaded} different payloads loaded, {hashed} hashed")
        assert hashed > loaded > RACE_ROUNDS // 100
        assert m.run("grep -vxFf /hashed /loaded", 1) == ""
        log = m.run(r"dmesg -c | sed 's/^\[[^]]*\] //' | sort | uniq -c | sort -n | tail -n 100")
        assert not re.search(SPLAT, log), log
        assert stash.state(m, "a") != "loaded" and m.read("/sys/kernel/kexec/loaded") == "0"
