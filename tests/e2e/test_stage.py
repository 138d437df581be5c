# SPDX-License-Identifier: GPL-2.0-or-later
"""kexec-membuf stage, erase and release: the slot's content, refusals, and what a failure leaves."""

import gzip
import json
import re
import struct
import subprocess
import termios

import pytest

import stash
from qemu import BUILD, IMAGE, INITRAMFS, make_disk
from stash import BASE, BOOTARGS, MIB, WORK

# Room for our kernel, and 2 MiB for an initrd
SMALL_BASE, SMALL_SIZE = 0x70000000, stash.align(stash.image_size(IMAGE), 2 * MIB) + 2 * MIB + 6 * MIB

VMLINUZ = BUILD / "linux/arch/arm64/boot/vmlinuz.efi"

KERNELS = ["Image", "Image.gz", "Image.zst", "Image.xz", "Image.lzma", "Image.lz4", "vmlinuz.efi"]

# Beyond the slot: these, and what a packed file must look back at, which may be all of a kernel
MEMORY_MAX = 4 * MIB
LOOKS_BACK = {"Image": 0, "Image.gz": 0, "Image.lz4": 17 * MIB}

FIT = """/dts-v1/;
/ {{
	description = "an update";
	#address-cells = <1>;
	images {{
		kernel-1 {{ data = /incbin/("{kernel}"); type = "kernel"; arch = "arm64"; os = "linux";
			compression = "gzip"; load = <0>; entry = <0>; hash-1 {{ algo = "sha256"; }};
			hash-2 {{ algo = "crc32"; }}; }};
		ramdisk-1 {{ data = /incbin/("{initrd}"); type = "ramdisk"; arch = "arm64"; os = "linux";
			compression = "none"; hash-1 {{ algo = "sha512"; }}; }};
		fdt-1 {{ data = /incbin/("{dtb}"); type = "flat_dt"; arch = "arm64"; compression = "none";
			hash-1 {{ algo = "sha1"; }}; }};
		tool-1 {{ data = /incbin/("{dtb}"); type = "firmware"; arch = "arm64"; compression = "none"; }};
	}};
	configurations {{
		default = "conf-1";
		conf-1 {{ kernel = "kernel-1"; ramdisk = "ramdisk-1"; fdt = "fdt-1"; loadables = "tool-1"; }};
		conf-2 {{ kernel = "kernel-1"; }};
		conf-3 {{ fdt = "fdt-1"; }};
		conf-4 {{ kernel = "kernel-1"; fdt = "fdt-1", "fdt-1"; }};
	}};
}};
"""


def made_once(name, command, *sources):
    """A file that a command makes from others. It is made again if one of them is newer."""
    out = WORK / name
    with stash.alone(name):
        if not out.exists() or any(source.stat().st_mtime > out.stat().st_mtime for source in sources):
            command(out)
    return out


def output(*argv):
    return subprocess.run([str(arg) for arg in argv], check=True, capture_output=True).stdout


def run(*argv):
    output(*argv)


def make_fit(out, *options):
    """A FIT by U-Boot's own tool."""
    packed = WORK / "stage.Image.gz"
    source = WORK / f"{out.stem}.its"
    source.write_text(FIT.format(kernel=packed, initrd=INITRAMFS, dtb=stash.FILES["virt.dtb"]))
    run("mkimage", *options, "-f", source, out)


def inside_zboot(path):
    """The content of an EFI zboot image: the Image, with all the memory that it owns."""
    data = path.read_bytes()
    assert data[4:8] == b"zimg" and data[0x18:0x1d] == b"zstd\0"
    offset, size = struct.unpack("<II", data[8:16])
    return subprocess.run(["zstd", "-dc"], input=data[offset:offset + size], check=True, capture_output=True).stdout


def sources():
    """The files to stage, by their names on the guest's second disk."""
    packed = made_once("stage.Image.gz", lambda out: out.write_bytes(gzip.compress(IMAGE.read_bytes(), 6)), IMAGE)
    files = {
        "Image": IMAGE,
        "Image.gz": packed,
        "Image.zst": made_once("stage.Image.zst", lambda out: run("zstd", "-q", "-f", "-19", "--long=27", IMAGE, "-o",
                                                                  out), IMAGE),
        "Image.xz": made_once("stage.Image.xz", lambda out: out.write_bytes(output("xz", "-c", "-T1", IMAGE)), IMAGE),
        "Image.lzma": made_once("stage.Image.lzma", lambda out: out.write_bytes(output("xz", "-c", "--format=lzma", IMAGE)),
                                IMAGE),
        # As the kernel's own build has it
        "Image.lz4": made_once("stage.Image.lz4", lambda out: out.write_bytes(output("lz4", "-c", "-l", IMAGE)), IMAGE),
        "vmlinuz.efi": VMLINUZ,
        "inside.itb": made_once("stage.inside.itb", make_fit, packed, INITRAMFS),
        "outside.itb": made_once("stage.outside.itb", lambda out: make_fit(out, "-E"), packed, INITRAMFS),
        "initrd": INITRAMFS,
        "dtb": stash.FILES["virt.dtb"],
    }
    damaged = bytearray(files["inside.itb"].read_bytes())
    # In the middle of the initrd, the largest file
    damaged[len(damaged) - INITRAMFS.stat().st_size // 2] ^= 1
    files["damaged.itb"] = WORK / "stage.damaged.itb"
    files["damaged.itb"].write_bytes(damaged)
    return files


@pytest.fixture(scope="module")
def disk():
    return make_disk(WORK / "stage.img", sources())


@pytest.fixture(scope="module")
def m(disk):
    """Slot a has a loaded payload, b is staged into, c is small."""
    files, load = stash.staged(BASE["a"])
    nodes = [stash.node("a", BASE["a"], files=files, bootargs=BOOTARGS), stash.node("b", BASE["b"]),
             stash.node("c", SMALL_BASE, SMALL_SIZE)]
    extra = ("-drive", f"file={disk},format=raw,if=none,id=stage,snapshot=on",
             "-device", "virtio-blk-pci,drive=stage,id=stagedisk")
    with stash.direct_machine("stage", nodes, load, extra=extra) as machine:
        machine.run("mkdir /src && mount -t ext4 -o ro /dev/vdb /src && mkfifo /tmp/f")
        machine.run("kexec-membuf load a")
        yield machine


def sizes(m, slot):
    return [int(m.run(f"stat -c %s {stash.slot_path(slot, file)}")) for file in ("kernel", "initrd", "dtb", "cmdline")]


def assert_empty(m, slot):
    assert (stash.state(m, slot), sizes(m, slot)) == ("empty", [0, 0, 0, 0])


def assert_holds(m, slot, kernel=IMAGE, initrd=None, dtb=None):
    """Check that the slot holds these files and nothing else."""
    assert stash.state(m, slot) == "staged"
    for file, source in (("kernel", kernel), ("initrd", initrd), ("dtb", dtb)):
        if source:
            assert stash.guest_sha256(m, stash.slot_path(slot, file)) == stash.sha256(source), file
        else:
            assert int(m.run(f"stat -c %s {stash.slot_path(slot, file)}")) == 0, file


def refused(m, command):
    """The one line of a command that fails, without the program's name."""
    output, got = m.run(f"{command} > /dev/null 2> /tmp/said", None, timeout=120)
    output += m.read("/tmp/said")
    assert got == 1, output
    lines = [line for line in output.splitlines() if not re.search(r"^kexec-membuf: note: | compared in ", line)]
    assert len(lines) == 1 and lines[0].startswith("kexec-membuf: "), output
    return lines[0].removeprefix("kexec-membuf: ")


def held(m, options, script, fed=""):
    """Run a script in the guest while `stage b` waits for more of /tmp/f, of which it was fed something; returns the
    tool's exit status, or 128 and the signal, and what it said. The script finds its process in $pid."""
    output = m.run(f"""sh -c 'exec 3<>/tmp/f; kexec-membuf stage b {options} > /tmp/log 2>&1 3>&- & pid=$!
        {fed}
        {script}
        exec 3>&-; wait $pid; echo "status $?"; cat /tmp/log' 2>/dev/null""", timeout=120)
    found = re.search(r"(?s)status (\d+)\n?(.*)", output)
    assert found, output
    status, log = found.groups()
    return int(status), log


def until(condition):
    """Shell: wait for it, but not for ever."""
    return f"n=0; until {condition} || [ $n -gt 300 ]; do n=$((n + 1)); sleep 0.1; done"


def written(file, size):
    return until(f"[ $(stat -c %s /sys/fs/kexec/b/{file}) -ge {size} ]")


# Everything is written except the rest of an initrd that comes through the pipe
WAITING = "head -c 1200000 /src/initrd >&3; " + written("initrd", 1048576)


class TestStage:
    """Slot b, beside one that is loaded."""

    @pytest.fixture(autouse=True)
    def others_stay(self, m):
        """Whatever happens to slot b, the loaded image stays."""
        yield
        assert stash.state(m, "a") == "loaded"
        assert m.read("/sys/kernel/kexec/loaded") == "1"

    @pytest.mark.parametrize("name", KERNELS)
    def test_each_kind_of_kernel_is_unpacked(self, m, name):
        m.run(f"kexec-membuf stage b --kernel /src/{name} --initrd /src/initrd --dtb /src/dtb --reuse-cmdline",
              timeout=120)
        kernel = IMAGE
        if name == "vmlinuz.efi":
            kernel = WORK / "stage.zboot.Image"
            kernel.write_bytes(inside_zboot(VMLINUZ))
        assert_holds(m, "b", kernel, INITRAMFS, stash.FILES["virt.dtb"])
        assert m.read(stash.slot_path("b", "cmdline")) == m.read("/proc/cmdline")
        assert m.read(stash.slot_path("b", "origin")) == "runtime"

    @pytest.mark.parametrize("name", KERNELS)
    def test_little_memory_is_used(self, m, name):
        """What the program itself is made of counts, too."""
        status, log = held(m, f"--kernel /src/{name} --initrd /tmp/f", "cat /proc/$pid/status > /tmp/status; kill $pid",
                           WAITING)
        assert status == 128 + 15, log
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", m.run("cat /tmp/status")).group(1)) * 1024
        most = MEMORY_MAX + LOOKS_BACK.get(name, stash.image_size(IMAGE))
        print(f"{name}: {peak} bytes of {most}")
        assert peak < most

    def test_kernel_comes_from_standard_input(self, m):
        m.run("cat /src/vmlinuz.efi | kexec-membuf stage b --kernel - --initrd /src/initrd", timeout=120)
        assert stash.state(m, "b") == "staged"
        m.run("gzip -dc /src/Image.gz | kexec-membuf stage b --kernel - --initrd /src/initrd", timeout=120)
        assert_holds(m, "b", IMAGE, INITRAMFS)
        m.run("kexec-membuf stage b --kernel /src/Image --initrd - < /src/initrd", timeout=120)
        assert_holds(m, "b", IMAGE, INITRAMFS)

    @pytest.mark.parametrize("name", ["inside.itb", "outside.itb"])
    def test_fit_is_staged(self, m, name):
        said = json.loads(m.run(f"kexec-membuf stage b --fit /src/{name} --command-line quiet --json 2> /tmp/log",
                                timeout=120))
        assert_holds(m, "b", IMAGE, INITRAMFS, stash.FILES["virt.dtb"])
        assert m.read(stash.slot_path("b", "cmdline")) == "quiet"
        assert said["configuration"] == "conf-1" and said["slot"] == "b" and said["state"] == "staged"
        assert said["kernel"] == {"size": IMAGE.stat().st_size, "source": f"/src/{name}", "image": "kernel-1",
                                  "unpacked_from": "gzip", "checked": "sha256 crc32"}
        assert (said["initrd"]["checked"], said["dtb"]["checked"]) == ("sha512", "sha1")
        assert f"FIT '/src/{name}': its loadables 'tool-1' are not used" in m.read("/tmp/log")

    def test_configuration_of_a_fit_can_be_chosen(self, m):
        m.run("kexec-membuf stage b --fit '/src/inside.itb#conf-2'", timeout=120)
        assert_holds(m, "b", IMAGE)

    def test_mistakes_leave_the_slot_as_it_was(self, m):
        m.run("kexec-membuf stage b --kernel /src/Image --command-line keep")
        m.run(r"mkdir -p /tmp/bad; cd /tmp/bad; printf 'BZh91AY' > bz2; printf '\3757zXZ\0' > xz; "
              r"printf 'MZ\0\0' > x86; dd if=/dev/zero bs=510 count=1 >> x86 2> /dev/null; printf 'HdrS' >> x86; "
              r"head -c 100 /dev/zero > zeros; : > nothing; head -c 3000000 /src/outside.itb > short.itb; cd /")
        for options, said in {
            "b --kernel /tmp/bad/bz2": "slot 'b': kernel '/tmp/bad/bz2': is bzip2 compressed: unpack it first",
            "b --kernel /tmp/bad/xz":
                "slot 'b': kernel '/tmp/bad/xz': is cut off: its compressed data has no end; get the file again",
            "b --kernel /tmp/bad/x86":
                "slot 'b': kernel '/tmp/bad/x86': is a kernel for x86 (bzImage): give one for arm64",
            "b --kernel /bin/busybox": "slot 'b': kernel '/bin/busybox': is an ELF file: give the Image that is built "
                "beside it (arch/arm64/boot/Image)",
            "b --kernel /tmp/bad/zeros": "slot 'b': kernel '/tmp/bad/zeros': is not an arm64 Image",
            "b --kernel /tmp/bad/nothing": "slot 'b': kernel '/tmp/bad/nothing': is empty",
            "b --kernel /src": "slot 'b': kernel '/src': is a directory; give a file",
            "b --kernel /src/none": "slot 'b': kernel '/src/none': cannot be opened: No such file or directory",
            "b --kernel /src/inside.itb":
                "slot 'b': kernel '/src/inside.itb': is a FIT or a device tree: give a FIT with --fit",
            "b --kernel /src/initrd":
                "slot 'b': kernel '/src/initrd': once it is unpacked, is a cpio archive: give an initrd with --initrd",
            "b --kernel /src/Image --dtb /src/initrd":
                "slot 'b': dtb '/src/initrd': has %d bytes, but there is room for 2097152; take a larger slot"
                % INITRAMFS.stat().st_size,
            "b --kernel /src/Image --initrd /sys/fs/kexec/b/kernel":
                "slot 'b': initrd '/sys/fs/kexec/b/kernel': is in the slot itself; give another file",
            "b --fit /src/Image": "slot 'b': FIT '/src/Image': is no FIT",
            "b --fit /src/dtb": "slot 'b': FIT '/src/dtb': is no FIT: it has no images or no configurations",
            "b --fit /tmp/bad/short.itb":
                "slot 'b': FIT '/tmp/bad/short.itb': is cut off: image 'kernel-1' ends behind its end",
            "b --fit /src/inside.itb#conf-3": "slot 'b': FIT '/src/inside.itb': configuration 'conf-3' has no kernel",
            "b --fit /src/inside.itb#conf-4": "slot 'b': FIT '/src/inside.itb': configuration 'conf-4' has more than "
                "one fdt; overlays are not applied here",
            "b --fit /src/inside.itb#conf-9": "slot 'b': FIT '/src/inside.itb': has no configuration 'conf-9'; "
                "there are: 'conf-1', 'conf-2', 'conf-3', 'conf-4'",
            "d --kernel /src/Image": "slot 'd': does not exist; there are: 'a', 'b', 'c'",
            "a --kernel /src/Image": "slot 'a': cannot be changed: is loaded; unload it first, or take another slot",
            "c --kernel /src/Image --initrd /src/initrd":
                "slot 'c': initrd '/src/initrd': has %d bytes, but there is room for 2097152; "
                "take a larger slot or a smaller initrd" % INITRAMFS.stat().st_size,
        }.items():
            assert refused(m, f"kexec-membuf stage {options}") == said
        assert refused(m, "cat /src/inside.itb | kexec-membuf stage b --fit -") == \
            "slot 'b': FIT from standard input: is no file: a FIT is not read in order; put it into a file first"
        m.run("mkdir -p /etc; echo nobody:x:65534:65534::/:/bin/sh > /etc/passwd")
        assert refused(m, "su nobody -c 'kexec-membuf stage b --kernel /src/Image'") == \
            "slot 'b': kernel: cannot be changed: Permission denied; run this as root"
        assert_holds(m, "b", IMAGE)
        assert m.read(stash.slot_path("b", "cmdline")) == "keep"
        assert_empty(m, "c")

    def test_damaged_content_leaves_nothing(self, m):
        assert refused(m, "kexec-membuf stage b --fit /src/damaged.itb") == \
            "slot 'b': initrd '/src/damaged.itb', image 'ramdisk-1': does not have its sha512; get the file again"
        assert_empty(m, "b")
        assert refused(m, "head -c 3000000 /src/Image.gz | kexec-membuf stage b --kernel -") == \
            "slot 'b': kernel from standard input: is cut off: its compressed data has no end; get the file again"
        assert_empty(m, "b")

    def test_full_slot_is_emptied(self, m):
        """Its length is not known before."""
        assert refused(m, "cat /src/initrd | kexec-membuf stage c --kernel /src/Image --initrd -") == \
            "slot 'c': initrd: is larger than the 2097152 bytes of room for it; take a larger slot or a smaller initrd"
        assert_empty(m, "c")

    @pytest.mark.parametrize("signal", ["TERM", "HUP"])
    def test_signal_empties_the_slot(self, m, signal):
        kernel_half = "head -c 3000000 /src/Image >&3; " + written("kernel", 2000000)
        for options, fed in (("--kernel /tmp/f", kernel_half), ("--kernel /src/Image --initrd /tmp/f", WAITING)):
            status, log = held(m, options, f"kill -{signal} $pid", fed)
            assert status == 128 + {"TERM": 15, "HUP": 1}[signal], log
            assert "interrupted; stage it again" in log
            assert_empty(m, "b")

    @pytest.mark.parametrize("file,fed", [
        ("kernel", 70_000), ("kernel", 140_000), ("kernel", 3_000_000),
        ("kernel", IMAGE.stat().st_size - 200_000), ("initrd", 1_000), ("initrd", 70_000), ("initrd", 1_200_000),
        ("initrd", 4_000_000)])
    def test_kill_leaves_it_empty_or_bad(self, m, file, fed):
        """The slot is never staged, wherever the signal comes, and the next stage works."""
        m.run("kexec-membuf erase b")
        source, other = ("Image", "") if file == "kernel" else ("initrd", "--kernel /src/Image ")
        # It waits for the rest of a piece of 128 KiB; the first 1024 bytes are looked at before anything is written
        reached = written(file, fed // 131072 * 131072)
        if file == "initrd" and fed > 1024:
            reached += "; " + written("kernel", IMAGE.stat().st_size)
        status, log = held(m, f"{other}--{file} /tmp/f", f"{reached}; sleep 0.2; kill -9 $pid",
                           f"head -c {fed} /src/{source} >&3")
        assert status == 128 + 9, log
        assert stash.state(m, "b") in ("empty", "bad"), log
        print(f"{file} at {fed}: {stash.state(m, 'b')}, {sizes(m, 'b')}")
        assert refused(m, "kexec-membuf load b")

    def test_interrupt_from_the_terminal(self, m):
        """A terminal shows progress, and Ctrl-C ends the program."""
        # Not for QEMU, but for the guest
        mode = termios.tcgetattr(m.child.fileno())
        mode[3] &= ~termios.ISIG
        termios.tcsetattr(m.child.fileno(), termios.TCSANOW, mode)
        m.send("(head -c 5000000 /src/Image; sleep 60) | kexec-membuf stage b --kernel -\r")
        m.wait_for(r"b/kernel: [^\r\n]*/s", 30)
        m.send("\x03")
        m.wait_for(r"slot 'b': kernel: interrupted; stage it again", 30)
        assert_empty(m, "b")

    def test_others_are_kept_out_meanwhile(self, m):
        script = "for c in \"stage b --kernel /src/Image\" \"erase b\" \"release b\"; do " \
                 "kexec-membuf $c >> /tmp/others 2>&1; done; cat /sys/fs/kexec/b/state >> /tmp/others; kill $pid"
        m.run("rm -f /tmp/others")
        held(m, "--kernel /src/Image --initrd /tmp/f", script, WAITING)
        line = "kexec-membuf: slot 'b': is being staged or erased by another kexec-membuf; wait for it"
        assert m.read("/tmp/others").splitlines() == [line] * 3 + ["bad"]

    def test_source_that_is_cut_off_meanwhile_leaves_nothing(self, m):
        m.run("cp /src/initrd /tmp/initrd")
        status, log = held(m, "--kernel /tmp/f --initrd /tmp/initrd",
                           "head -c 2000000 /src/initrd > /tmp/initrd; tail -c +3000001 /src/Image >&3",
                           "head -c 3000000 /src/Image >&3; " + written("kernel", 2000000))
        assert status == 1
        assert f"initrd '/tmp/initrd': ends after 2000000 of {INITRAMFS.stat().st_size} bytes: it was cut off; stage it again" in log
        assert_empty(m, "b")
        m.run("rm /tmp/initrd")

    def test_erase_empties_a_slot(self, m):
        m.run("kexec-membuf stage b --kernel /src/Image --initrd /src/initrd --reuse-cmdline")
        assert m.run("kexec-membuf erase b") == "slot 'b': erased"
        assert_empty(m, "b")
        assert m.run("kexec-membuf erase b") == "slot 'b': erased"
        assert refused(m, "kexec-membuf erase a") == \
            "slot 'a': cannot be changed: is loaded; unload it first, or take another slot"

    def test_release_gives_the_memory_back(self, m):
        m.run("kexec-membuf stage c --kernel /src/Image")
        assert refused(m, "kexec-membuf release c") == \
            "slot 'c': cannot be released: it holds a payload; erase it first"
        assert refused(m, "kexec-membuf release a") == "slot 'a': cannot be released: it is loaded, or a file of it " \
            "is open for writing; unload it, or wait for who writes"
        m.run("kexec-membuf erase c")
        total = stash.meminfo(m, "MemTotal")
        assert m.run("kexec-membuf release c") == f"slot 'c': {SMALL_SIZE / MIB:.1f}M given back until the next boot"
        assert stash.meminfo(m, "MemTotal") - total == SMALL_SIZE // 1024
        assert re.search(r"^c +released ", m.run("kexec-membuf list"), re.M)
        assert m.run("kexec-membuf release c") == "slot 'c': is released already"
        assert refused(m, "kexec-membuf stage c --kernel /src/Image") == \
            "slot 'c': cannot be changed: its memory was given back until the next boot; take another slot"

    def test_source_that_vanishes_leaves_nothing(self, m):
        """The disk is pulled out after the initrd's first bytes were read."""
        m.run("echo 3 > /proc/sys/vm/drop_caches")
        status, log = held(m, "--kernel /tmp/f --initrd /src/initrd",
                           "echo 1 > /sys/block/vdb/device/../remove; cat /tmp/rest >&3",
                           "tail -c +3000001 /src/Image > /tmp/rest; head -c 3000000 /src/Image >&3; "
                           + written("kernel", 2000000))
        print(log)
        assert status == 1
        assert "initrd '/src/initrd': cannot be read: Input/output error" in log
        assert_empty(m, "b")


def test_what_was_staged_runs(m):
    """The last test: the machine goes on in slot b."""
    m.run("cat /mnt/own.initrd | kexec-membuf stage b --kernel /mnt/own.linux --initrd - --reuse-cmdline")
    m.run("kexec-membuf load b")
    m.jump("kexec-membuf exec")
    m.shell()
    assert [stash.state(m, slot) for slot in "abc"] == ["staged", "running", "empty"]
    m.run("mount -t ext4 -o ro /dev/vda /mnt")
    for command in ("stage b --kernel /mnt/own.linux", "erase b"):
        assert refused(m, f"kexec-membuf {command}") == \
            "slot 'b': cannot be changed: this kernel runs in it; take another slot"
