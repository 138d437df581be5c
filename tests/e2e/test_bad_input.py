# SPDX-License-Identifier: GPL-2.0-or-later
"""A fault in a record, a payload or a call gets one clear line, and does no harm."""

import re

import pytest

import stash
from qemu import IMAGE, INITRAMFS
from stash import MIB

SLOT = 64 * MIB
GOOD = 0x58000000
KEXEC_FILE_ON_CRASH, KEXEC_FILE_MEMBUF = 0x2, 0x100
FIRST_FAULT, FAULT_STEP = 0x60000000, 0x4000000
# QEMU puts a kernel and an initrd there that it starts itself
KERNEL_AT, INITRD_AT = 0x40200000, 0x48000000


def reg(base, size=SLOT):
    return f"reg = <{base >> 32:#x} {base & 0xffffffff:#x} {size >> 32:#x} {size & 0xffffffff:#x}>;"


def record(at, body, name=None):
    """A record that differs only in what the test is about."""
    return f'kexec-stash@{name or format(at, "x")} {{ compatible = "linux,kexec-stash"; {body} }};'


def file(name="kernel", offset="0", size="0x1000", more=""):
    return f"{name} {{ data-offset = <{offset}>; data-size = <{size}>; {more} }};"


def hashed(algo="sha256", length=32):
    return f'hash-1 {{ algo = "{algo}"; value = [{"00" * length}]; }};'


# label, the node's text beside label and compatible (a function of its address), the words of the line
RECORD_FAULTS = [
    ("base-unaligned", lambda at: reg(at + 0x100000), r"reg .*base.*2 MiB"),
    ("size-unaligned", lambda at: reg(at, SLOT - 0x1000), r"reg .*size.*2 MiB"),
    ("size-zero", lambda at: reg(at, 0), r"reg .*size"),
    ("outside-ram", lambda at: reg(0x1_0000_0000), r"reg .*not all in RAM"),
    ("partly-outside-ram", lambda at: reg(0xbf000000), r"reg .*not all in RAM"),
    ("range-wraps", lambda at: reg(0xffff_ffff_ffe0_0000, 4 * MIB), r"reg .*wraps"),
    ("no-map", lambda at: reg(at) + "no-map;", r"no-map .*linear mapping"),
    ("over-kernel", lambda at: reg(KERNEL_AT), r"reg .*running kernel"),
    ("over-initrd", lambda at: reg(INITRD_AT), r"reg .*initrd"),
    ("over-reserved", lambda at: reg(0x5e000000), r"reg .*memreserve entry"),
    ("reg-missing", lambda at: "", r"reg .*missing"),
    ("reg-twice", lambda at: reg(at).replace(">;", " 0 0 0 0>;"), r"reg .*not one address"),
    ("offset-outside", lambda at: reg(at) + file(size=f"{SLOT + 1:#x}"), r"kernel: data-size .*outside"),
    ("initrd-outside", lambda at: reg(at) + file("initrd", f"{SLOT:#x}"), r"initrd: data-size .*outside"),
    ("files-overlap", lambda at: reg(at) + file(size="0x20000") + file("initrd", "0x10000"),
     r"initrd: data-offset .*overlaps"),
    ("offset-wraps", lambda at: reg(at) + file("initrd", "0xffffffff 0xffff0000", "0x20000"),
     r"initrd: data-size .*outside"),
    ("kernel-not-at-base", lambda at: reg(at) + file(offset="0x10000"), r"kernel: data-offset .*not 0"),
    ("size-missing", lambda at: reg(at) + "kernel { data-offset = <0>; };", r"kernel: data-size .*missing"),
    ("hash-unknown", lambda at: reg(at) + file(more=hashed("md4", 16)), r"kernel: algo .*no known hash"),
    ("hash-truncated", lambda at: reg(at) + file(more=hashed(length=31)), r"kernel: value .*not as long"),
    ("bad/label", lambda at: reg(at), r"label .*cannot name a slot"),
    (None, lambda at: reg(at), r"label .*missing"),
]
IDS = [str(row[0]) for row in RECORD_FAULTS]

# Memory of another user: a memreserve entry
MEMRESERVE = f"/memreserve/ {0x5e000000:#x} 0x1000;"


def refusals(m):
    return stash.kernel_log(m, r"kexec_stash: .*refused")


class TestRecordFaults:
    """A third of the faults in each boot, with a good slot between them: all at once would be too many slots."""

    @pytest.fixture(scope="class")
    def booted(self):
        """The results of three boots: refused lines, slots shown, whether the good slot is whole."""
        files, load = stash.staged(GOOD, size=SLOT)
        seen = []
        for part in range(3):
            rows = RECORD_FAULTS[part::3]
            nodes = []
            for i, (label, body, _) in enumerate(rows):
                at = FIRST_FAULT + i * FAULT_STEP
                text = (f'label = "{label}"; ' if label else "") + body(at)
                nodes.append(record(at, text))
            nodes.insert(len(nodes) // 2, stash.node("good", GOOD, SLOT, files, bootargs=stash.BOOTARGS))
            with stash.direct_machine(f"bad-record-{part}", nodes, load, memreserve=MEMRESERVE) as m:
                seen.append((refusals(m), stash.slots(m)))
                assert stash.state(m, "good") == "staged"
                assert stash.guest_sha256(m, stash.slot_path("good", "kernel")) == stash.sha256(IMAGE)
                m.run("kexec-membuf load good")
                assert stash.state(m, "good") == "loaded"
        return seen

    @pytest.mark.parametrize("row", range(len(RECORD_FAULTS)), ids=IDS)
    def test_slot_is_refused_with_one_line(self, booted, row):
        label, _, why = RECORD_FAULTS[row]
        refused, shown = booted[row % 3]
        # Without a valid label, only the reason identifies the record
        name = f"'{label}'" if label and "/" not in label else "''"
        lines = [line for line in refused if name in line and (name != "''" or re.search(why, line))]
        assert len(lines) == 1, f"{label}: {lines or refused}"
        assert re.search(why, lines[0]), lines[0]
        assert label not in shown

    def test_good_slot_is_not_affected(self, booted):
        for refused, shown in booted:
            assert shown == ["good"]
            assert not [line for line in refused if "'good'" in line]


def test_slots_that_cannot_both_be():
    """Of two slots with one name, or over each other, the first stays. A ninth is one too many."""
    def slot(label, at, size=8 * MIB):
        return stash.node(label, at, size)

    nodes = [slot("good", GOOD), slot("first", 0x60000000, 16 * MIB), slot("second", 0x60800000),
             slot("first", 0x62000000).replace("@62000000", "@62000000")]
    with stash.direct_machine("bad-record-conflict", nodes) as m:
        assert sorted(stash.slots(m)) == ["first", "good"]
        assert int(m.read(stash.slot_path("first", "base")), 16) == 0x60000000
        lines = refusals(m)
        assert len(lines) == 2, lines
        assert [line for line in lines if re.search(r"'second' at 0x60800000 refused: reg overlaps", line)], lines
        assert [line for line in lines if re.search(r"'first' at 0x62000000 refused: label is used twice", line)], lines

    nodes = [slot(f"s{i}", 0x60000000 + i * 0x1000000) for i in range(9)]
    with stash.direct_machine("bad-record-nine", nodes) as m:
        assert len(stash.slots(m)) == 8
        lines = refusals(m)
        assert len(lines) == 1 and "too many" in lines[0], lines


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 0x10
    return bytes(data)


def patch(data, at, value):
    return data[:at] + value.to_bytes(8, "little") + data[at + 8:]


PAGE_16K = 0b10 << 1


class Payloads:
    """Payloads in slots of their own, in one machine. Each slot is named after its fault."""

    def __init__(self):
        self.image = IMAGE.read_bytes()
        self.initrd = INITRAMFS.read_bytes()
        self.dtb = (stash.PAYLOAD / "virt.dtb").read_bytes()
        self.nodes, self.load = [], []

    def add(self, label, kernel=None, initrd=None, dtb=None, good=None):
        """kernel, initrd, dtb: content. good: the content that the recorded digests belong to, if that differs."""
        base = FIRST_FAULT + len(self.nodes) * FAULT_STEP if label != "good" else GOOD
        content = {"kernel": kernel or self.image, "initrd": initrd or self.initrd, "dtb": dtb or self.dtb}
        files, offset = {}, 0
        for name, data in content.items():
            path = stash.WORK / f"bad-payload.{label}.{name}"
            path.write_bytes(data)
            if name == "dtb":
                offset = SLOT - 6 * MIB
            recorded = (good or {}).get(name, data)
            files[name] = (offset, len(data), stash.hashlib.sha256(recorded).hexdigest())
            self.load.append((path, base + offset))
            offset += stash.align(max(len(data), stash.image_size(IMAGE) if name == "kernel" else 0))
        self.nodes.append(stash.node(label, base, SLOT, files, bootargs=stash.BOOTARGS))

    def faults(self):
        """Add all faults. Returns label -> (errno, file, words of the line)."""
        image, initrd, dtb = self.image, self.initrd, self.dtb
        stash.WORK.mkdir(parents=True, exist_ok=True)
        rows = [
            ("kernel-bit", {"kernel": flip(image, len(image) // 2)}, {"kernel": image}, "EBADMSG", "its sha256 is .* recorded"),
            ("kernel-last-bit", {"kernel": flip(image, -1)}, {"kernel": image}, "EBADMSG", "its sha256 is .* recorded"),
            ("initrd-bit", {"initrd": flip(initrd, 100)}, {"initrd": initrd}, "EBADMSG", "its sha256 is .* recorded"),
            ("dtb-bit", {"dtb": flip(dtb, len(dtb) - 20)}, {"dtb": dtb}, "EBADMSG", "its sha256 is .* recorded"),
            ("no-image", {"kernel": flip(image, 56)}, {}, "ENOEXEC", "is not an arm64 Image"),
            ("size-0", {"kernel": patch(image, 16, 0)}, {}, "EINVAL", "image_size of 0"),
            ("size-large", {"kernel": patch(image, 16, SLOT + 1)}, {}, "EINVAL", "image_size larger than"),
            ("text-offset", {"kernel": patch(image, 8, 0x80000)}, {}, "ENOEXEC", "has a text_offset"),
            # second machine
            ("size-small", {"kernel": patch(image, 16, 0x10000)}, {}, "EINVAL", "larger than its image_size"),
            ("page-size", {"kernel": patch(image, 24, 8 | PAGE_16K)}, {}, "EINVAL", "page size"),
            ("dtb-none", {"dtb": b"no device tree" * 10}, {}, "EINVAL", "is not a device tree"),
            ("dtb-short", {"dtb": dtb[:-100]}, {}, "EINVAL", "is truncated"),
            ("dtb-large", {"dtb": dtb + bytes(2 * MIB)}, {}, "EINVAL", "larger than 2 MiB"),
            ("dtb-broken", {"dtb": dtb[:0x48] + b"\xff" * 64 + dtb[0x88:]}, {}, "EINVAL", "broken device tree"),
        ]
        return rows


class TestPayloadFaults:
    """Seven bad payloads and a good one in each of two machines. Their CPU has no 16 KiB pages."""

    @pytest.fixture(scope="class")
    def seen(self):
        """label -> (errno, file, expected line, kfl's output, new lines, state after, loaded slot after)."""
        result = {}
        rows = Payloads().faults()
        for part, some in enumerate((rows[:7], rows[7:])):
            payloads = Payloads()
            payloads.add("good")
            for label, content, good, _, _ in some:
                payloads.add(label, good=good, **content)
            with stash.direct_machine(f"bad-payload-{part}", payloads.nodes, payloads.load, cpu="cortex-a72",
                                      append=stash.NOT_AHEAD) as m:
                m.run("kexec-membuf load good")
                for label, content, _, errno, why in some:
                    before = len(m.run("dmesg").splitlines())
                    said = m.run(f"kfl -f {KEXEC_FILE_MEMBUF:#x} {stash.slot_path(label, 'kernel')}", None)[0].strip()
                    new = m.run("dmesg").splitlines()[before:]
                    result[label] = {
                        "errno": (said, errno), "lines": new, "why": why, "file": next(iter(content)),
                        "state": stash.state(m, label), "good": stash.state(m, "good"),
                        "loaded": m.read("/sys/kernel/kexec/loaded"),
                        "copy": m.read("/sys/kernel/kexec/copy_bytes"),
                    }
                # The image that was loaded all the time still starts
                m.jump("kexec-membuf exec")
                m.shell()
                assert stash.state(m, "good") == "running"
        return result

    @pytest.mark.parametrize("label", [row[0] for row in Payloads().faults()] if IMAGE.exists() else ["not built"])
    def test_load_fails(self, seen, label):
        got = seen[label]
        said, errno = got["errno"]
        assert said == errno
        lines = [line for line in got["lines"] if "kexec" in line]
        assert len(lines) == 1, lines
        assert re.search(rf"kexec_stash: slot '{label}': {got['file']}: .*{got['why']}", lines[0]), lines[0]
        assert got["state"] == "bad"
        assert (got["good"], got["loaded"], got["copy"]) == ("loaded", "1", "0"), "what was loaded must stay loaded"


@pytest.mark.steps
class TestMisuse:
    """Calls that are wrong, and calls that are not allowed. The last ones cannot be undone."""

    @pytest.fixture(scope="class")
    def m(self):
        good, load_good = stash.staged(GOOD, size=SLOT)
        other, load_other = stash.staged(FIRST_FAULT, size=SLOT)
        nodes = [stash.node("good", GOOD, SLOT, good, bootargs=stash.BOOTARGS),
                 stash.node("other", FIRST_FAULT, SLOT, other, bootargs=stash.BOOTARGS),
                 stash.node("empty", FIRST_FAULT + FAULT_STEP, SLOT)]
        with stash.direct_machine("bad-misuse", nodes, load_good + load_other) as machine:
            yield machine

    def kfl(self, m, args, expected, line=None):
        before = len(m.run("dmesg").splitlines())
        assert m.run(f"kfl {args}", None)[0].strip() == expected
        new = [text for text in m.run("dmesg").splitlines()[before:] if "kexec" in text]
        if line:
            assert len(new) == 1 and re.search(line, new[0]), new

    @pytest.mark.parametrize("args,expected,line", [
        ("-f 0x100 /mnt/own.linux", "EINVAL", "own.linux.*not a slot's kernel"),
        ("-f 0x100 /sys/fs/kexec/good/initrd", "EINVAL", "initrd.*not a slot's kernel"),
        ("-f 0x100 -i /sys/fs/kexec/other/initrd /sys/fs/kexec/good/kernel", "EINVAL", "'good': initrd: "),
        ("-f 0x100 -i /sys/fs/kexec/good/kernel /sys/fs/kexec/good/kernel", "EINVAL", "'good': initrd: "),
        ("-f 0x100 -i /sys/fs/kexec/empty/initrd /sys/fs/kexec/good/kernel", "EINVAL", "'good': initrd: "),
        ("-f 0x100 /sys/fs/kexec/empty/kernel", "ENODATA", "'empty': kernel: .*none"),
        (f"-f {KEXEC_FILE_MEMBUF | KEXEC_FILE_ON_CRASH:#x} /sys/fs/kexec/good/kernel", "EINVAL", "crash kernel"),
        ("-f 0x100 -w /sys/fs/kexec/good/kernel", "ETXTBSY", "'good': kernel: .*writing"),
        ("-f 0x10000 /sys/fs/kexec/good/kernel", "EINVAL", None),
        ("-f 0x100 -C /sys/fs/kexec/good/kernel", "EPERM", None),
    ])
    def test_call_is_refused(self, m, args, expected, line):
        self.kfl(m, args, expected, line)
        assert m.read("/sys/kernel/kexec/loaded") == "0"

    def test_good_slot_still_loads(self, m):
        """An open for writing touched it, but wrote nothing."""
        self.kfl(m, "-f 0x100 /sys/fs/kexec/good/kernel", "OK")
        assert stash.state(m, "good") == "loaded"
        assert m.read("/sys/kernel/kexec/copy_bytes") == "0"

    def test_loaded_slot_refuses_to_be_changed(self, m):
        for command in ("cp /mnt/own.linux /sys/fs/kexec/good/kernel", "truncate -s 0 /sys/fs/kexec/good/initrd",
                        "sh -c ': > /sys/fs/kexec/good/cmdline'", "rm -f /sys/fs/kexec/good/kernel"):
            assert "Text file busy" in m.fails(command), command
        assert stash.guest_sha256(m, stash.slot_path("good", "kernel")) == stash.sha256(IMAGE)

    def test_payload_larger_than_its_room_is_bad(self, m):
        assert "No space left" in m.fails("cat /mnt/installer.* > /sys/fs/kexec/empty/initrd")
        assert stash.state(m, "empty") == "bad"
        m.run(": > /sys/fs/kexec/empty/initrd")
        assert stash.state(m, "empty") == "empty"

    def test_what_is_no_image_is_bad_as_soon_as_it_is_written(self, m):
        m.run("cp /mnt/virt.dtb /sys/fs/kexec/empty/kernel", None)
        assert stash.state(m, "empty") == "bad"
        self.kfl(m, "-f 0x100 /sys/fs/kexec/empty/kernel", "ENOEXEC", "'empty': kernel: is not an arm64 Image")
        m.run(": > /sys/fs/kexec/empty/kernel")

    def test_running_slot_cannot_be_loaded(self, m):
        m.jump("kexec-membuf exec")
        m.shell()
        m.run("mount -t ext4 -o ro /dev/vda /mnt")
        assert stash.state(m, "good") == "running"
        self.kfl(m, "-f 0x100 /sys/fs/kexec/good/kernel", "EBUSY", "'good': kernel: .*runs in the slot")
        m.fails("cp /mnt/own.linux /sys/fs/kexec/good/kernel")

    def test_load_limit(self, m):
        m.run("echo 1 > /proc/sys/kernel/kexec_load_limit_reboot")
        self.kfl(m, "-f 0x100 /sys/fs/kexec/other/kernel", "OK")
        self.kfl(m, "-f 0x100 /sys/fs/kexec/other/kernel", "EPERM")
        assert stash.state(m, "other") == "loaded"

    def test_load_disabled(self, m):
        m.run("echo 1 > /proc/sys/kernel/kexec_load_disabled")
        self.kfl(m, "-f 0x100 /sys/fs/kexec/other/kernel", "EPERM")
        assert stash.state(m, "other") == "loaded"


class TestEachRefusalHasALine:
    """Mainline refuses these without a line, or with an unclear one. The order matters: each step asks more of a kernel."""

    KERNEL = "/sys/fs/kexec/good/kernel"
    POLICY = "/sys/kernel/security/ima/policy"

    @pytest.fixture(scope="class")
    def m(self):
        good, load = stash.staged(GOOD, size=SLOT)
        node = stash.node("good", GOOD, SLOT, good, bootargs=stash.BOOTARGS)
        with stash.direct_machine("bad-refusals", [node], load) as machine:
            machine.run(": > /empty")
            yield machine

    @pytest.mark.parametrize("before,args,expected,line", [
        ("", "-f 0x100 -I 99", "EBADF", "initrd"),
        ("", "-I 99", "EBADF", "initrd"),
        ("", "-f 0x100 -i /sys", "EINVAL", "initrd"),
        ("", "-f 0x100 -i /empty", "EINVAL", "initrd"),
        ("", "-f 0x100 -N", "EINVAL", "command line"),
        ("", "-f 0x100 -P", "EFAULT", "command line"),
        (f"echo appraise func=KEXEC_INITRAMFS_CHECK > {POLICY}", "-f 0x100", "EACCES", "initrd"),
        (f"echo appraise func=KEXEC_INITRAMFS_CHECK > {POLICY}", "-f 0x100 -i /mnt/own.initrd", "EACCES", "initrd"),
        ("echo integrity > /sys/kernel/security/lockdown", "-f 0x100", "EPERM", "kernel"),
        (f"echo appraise func=KEXEC_KERNEL_CHECK > {POLICY}", "-f 0x100", "EACCES", "kernel"),
    ])
    def test_of_a_load_that_names_a_slot(self, m, before, args, expected, line):
        if before:
            m.run(f"sh -c '{before}'")
        old = len(m.run("dmesg").splitlines())
        assert m.run(f"kfl {args} {self.KERNEL}", None)[0].strip() == expected
        new = m.run("dmesg").splitlines()[old:]
        ours = [text for text in new if re.search(r"kexec_\w+: slot 'good': ", text)]
        assert len(ours) == 1 and re.search(line, ours[0]), new
        assert stash.state(m, "good") == "staged"
