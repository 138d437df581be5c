# SPDX-License-Identifier: GPL-2.0-or-later
"""kexec-membuf-pack: its archives, as stock cpio and the kernel's own code read them, and what it refuses."""

import gzip
import os
import shutil
import signal
import subprocess
import time

import pytest

from qemu import BUILD, TOP

PACK = TOP / "tools/kexec-membuf/kexec-membuf-pack"
# As the kernel numbers them, see include/linux/kexec_stash_record.h
FILES = ("kernel", "initrd", "dtb", "cmdline")


@pytest.fixture(scope="module", name="lister")
def fixture_lister():
    """The kernel's reader of cpios, built for this machine."""
    out = BUILD / "tests/unit"
    subprocess.run(["make", "-s", "-C", TOP / "tests/host/unit", f"O={out}", f"{out}/list_cpio"], check=True,
                   capture_output=True)
    return out / "list_cpio"


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    """Files to pack; sizes are no multiples of anything."""
    image = b"MZ" + bytes(54) + b"ARM\x64" + b"kernel" * 1001
    files = {"Image": image, "other.Image": image + b"another", "initrd.img": b"ramdisk" * 333,
             "board.dtb": b"\xd0\x0d\xfe\xed" + b"tree" * 77 + b"x", "Image.sig": b"\x03\x02\x04" + bytes(99),
             "initrd.sig": b"\x03\x02\x04" + b"i" * 70, "dtb.sig": b"\x03" + b"d" * 1023, "empty": b"",
             "Image.gz": gzip.compress(image), "vmlinuz.efi": b"MZ\0\0zimg" + bytes(100), "text": b"no kernel",
             "no.sig": b"\x04\x04hash", "large.sig": b"\x03" + bytes(1024),
             "large.dtb": b"\xd0\x0d\xfe\xed" + bytes(2 << 20)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "tmp").mkdir()
    return tmp_path


def pack(folder, *words, **env):
    """Run it in the folder, with its temporary files below it."""
    done = subprocess.run([PACK, *words], cwd=folder, capture_output=True, text=True, check=False,
                          env={**os.environ, "TMPDIR": str(folder / "tmp"), **env})
    print(words, done)
    assert not os.listdir(folder / "tmp"), "left behind"
    assert not list(folder.glob("*.new")), "left behind"
    return done


def packed(folder, *words):
    done = pack(folder, "-o", "out.cpio", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "out.cpio"


def kernel_sees(lister, path):
    """Name of each entry, the slot, file and whether it is a signature, and its content."""
    done = subprocess.run([lister, path], capture_output=True, text=True, check=False)
    print(done)
    assert done.returncode == 0, "not the whole archive can be read"
    data = path.read_bytes()
    seen = []
    for line in done.stdout.splitlines():
        name, offset, size, what = line.split(" ", 3)
        offset = int(offset)
        seen.append((name, what, data[offset:offset + int(size)]))
    return seen


def expected(slot, **content):
    """kernel_sees()'s result for a slot."""
    return [(f"kernel/kexec/{slot}/{name.replace('_', '.')}",
             f"{slot} {FILES.index(name.removesuffix('_sig'))} {int(name.endswith('_sig'))}", data)
            for name, data in content.items()]


def test_archive_has_what_was_given(folder, lister):
    out = packed(folder, "a", "--kernel", "Image", "--initrd", "initrd.img", "--dtb", "board.dtb", "--command-line",
                 "console=ttyAMA0  quiet", "--kernel-sig", "Image.sig", "--initrd-sig", "initrd.sig", "--dtb-sig",
                 "dtb.sig")
    read = {name: (folder / name).read_bytes() for name in os.listdir(folder) if (folder / name).is_file()}
    want = expected("a", kernel=read["Image"], initrd=read["initrd.img"], dtb=read["board.dtb"],
                    cmdline=b"console=ttyAMA0  quiet", kernel_sig=read["Image.sig"], initrd_sig=read["initrd.sig"],
                    dtb_sig=read["dtb.sig"])
    assert kernel_sees(lister, out) == want
    assert out.read_bytes().startswith(b"070701"), "not what cpio -H newc makes"
    # Stock cpio sees the same files, and only files
    names = subprocess.run(["cpio", "-it", "--quiet"], stdin=out.open("rb"), check=True, capture_output=True,
                           text=True).stdout.split()
    assert names == [name for name, _, _ in want]
    (folder / "unpacked").mkdir()
    subprocess.run(["cpio", "-id", "--quiet"], cwd=folder / "unpacked", stdin=out.open("rb"), check=True)
    assert [(folder / "unpacked" / name).read_bytes() for name in names] == [content for _, _, content in want]


def test_archive_is_that_of_stock_cpio(folder, lister):
    """docs/early.md makes one by hand: the same entries."""
    out = packed(folder, "a", "--kernel=Image", "--initrd=initrd.img")
    slot = folder / "hand/kernel/kexec/a"
    slot.mkdir(parents=True)
    shutil.copy(folder / "Image", slot / "kernel")
    shutil.copy(folder / "initrd.img", slot / "initrd")
    names = "kernel\nkernel/kexec\nkernel/kexec/a\nkernel/kexec/a/kernel\nkernel/kexec/a/initrd\n"
    hand = folder / "hand.cpio"
    hand.write_bytes(subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder / "hand", check=True,
                                    input=names.encode(), capture_output=True).stdout)
    seen = kernel_sees(lister, hand)
    assert [what for _, what, _ in seen[:3]] == ["-"] * 3
    assert seen[3:] == kernel_sees(lister, out)


def test_several_slots(folder, lister):
    """One file in two slots, even with two names in its file system: each slot has all of it."""
    image = (folder / "Image").read_bytes()
    os.link(folder / "Image", folder / "linked.Image")
    for first, second in (("Image", "Image"), ("Image", "linked.Image"), ("linked.Image", "Image")):
        out = packed(folder, "a", "--kernel", first, "b-1.x", "--kernel", second, "--command-line", "quiet")
        assert kernel_sees(lister, out) == expected("a", kernel=image) + expected("b-1.x", kernel=image,
                                                                                  cmdline=b"quiet")


def test_archives_one_after_the_other_and_an_initrd(folder, lister):
    first = packed(folder, "a", "--kernel", "Image").read_bytes()
    second = packed(folder, "b", "--kernel", "other.Image").read_bytes()
    initrd = folder / "initrd"
    initrd.write_bytes(first + second + gzip.compress(b"070701 is inside of it, and not an entry"))
    assert kernel_sees(lister, initrd) == expected("a", kernel=(folder / "Image").read_bytes()) + \
        expected("b", kernel=(folder / "other.Image").read_bytes())


def test_files_by_any_path(folder, lister):
    (folder / "-odd name'$x").write_bytes((folder / "Image").read_bytes())
    (folder / "link").symlink_to("Image")
    for path in ("-odd name'$x", folder / "Image", "./Image", "link"):
        out = packed(folder, "a", "--kernel", str(path))
        assert kernel_sees(lister, out) == expected("a", kernel=(folder / "Image").read_bytes())


GOOD = ["a", "--kernel", "Image"]


@pytest.mark.parametrize("words, status, line", [
    ([], 2, "the name of a slot is missing"),
    (["-o", "out.cpio"], 2, "the name of a slot is missing"),
    (["-o", "out.cpio", "a"], 2, "slot 'a': no kernel is given"),
    (["-o", "out.cpio", *GOOD, "b", "--initrd", "initrd.img"], 2, "slot 'b': no kernel is given"),
    (["-o", "out.cpio", "b", *GOOD], 2, "slot 'b': no kernel is given"),
    (["-o", "out.cpio", "--kernel", "Image"], 2, "the name of a slot must stand before option '--kernel'"),
    (GOOD, 2, "option '-o' is missing"),
    (["-o"], 2, "option '-o' needs a value"),
    (["-o", "", *GOOD], 2, "option '-o' needs a value"),
    (["-o", "out.cpio", "-o", "x", *GOOD], 2, "option '-o' is given twice"),
    (["-o", "out.cpio", "a", "--kernel"], 2, "option '--kernel' needs a value"),
    (["-o", "out.cpio", *GOOD, "--kernel", "Image"], 2, "slot 'a': option '--kernel' is given twice"),
    (["-o", "out.cpio", *GOOD, "--fit", "x"], 2, "there is no option '--fit'"),
    (["-o", "out.cpio", *GOOD, *GOOD], 2, "slot 'a' is given twice"),
    (["-o", "out.cpio", "../a", "--kernel", "Image"], 2, "'../a' cannot name a slot"),
    (["-o", "out.cpio", ".", "--kernel", "Image"], 2, "'.' cannot name a slot"),
    (["-o", "out.cpio", "a b", "--kernel", "Image"], 2, "'a b' cannot name a slot"),
    (["-o", "out.cpio", "", "--kernel", "Image"], 2, "'' cannot name a slot"),
    (["-o", "out.cpio", "a" * 32, "--kernel", "Image"], 2, f"'{'a' * 32}' is longer than a slot's name may be"),
    (["-o", "out.cpio", *GOOD, "--initrd-sig", "initrd.sig"], 2,
     "slot 'a': the signature of its initrd is given, but no initrd"),
    (["-o", "out.cpio", "a", "--kernel", "nosuch"], 1, "slot 'a': kernel: there is no file '{}/nosuch'"),
    (["-o", "out.cpio", "a", "--kernel", "tmp"], 1, "slot 'a': kernel: '{}/tmp' is not a regular file"),
    (["-o", "out.cpio", "a", "--kernel", "text"], 1, "slot 'a': kernel: '{}/text' is not an arm64 Image"),
    (["-o", "out.cpio", "a", "--kernel", "Image.gz"], 1,
     "slot 'a': kernel: '{}/Image.gz' is compressed; unpack it, a slot has the kernel as it runs"),
    (["-o", "out.cpio", "a", "--kernel", "vmlinuz.efi"], 1,
     "slot 'a': kernel: '{}/vmlinuz.efi' is compressed; unpack it, a slot has the kernel as it runs"),
    (["-o", "out.cpio", *GOOD, "--initrd", "empty"], 1, "slot 'a': initrd: '{}/empty' is empty"),
    (["-o", "out.cpio", *GOOD, "--dtb", "Image"], 1, "slot 'a': dtb: '{}/Image' is not a device tree"),
    (["-o", "out.cpio", *GOOD, "--dtb", "large.dtb"], 1,
     "slot 'a': dtb: '{}/large.dtb' is larger than 2097152 bytes"),
    (["-o", "out.cpio", *GOOD, "--kernel-sig", "no.sig"], 1,
     "slot 'a': kernel.sig: '{}/no.sig' is not a signature of the kind that evmctl ima_sign --sigfile makes"),
    (["-o", "out.cpio", *GOOD, "--kernel-sig", "large.sig"], 1,
     "slot 'a': kernel.sig: '{}/large.sig' is larger than 1024 bytes"),
    (["-o", "out.cpio", *GOOD, "--command-line", "x" * 2048], 1, "slot 'a': cmdline: is longer than 2047 bytes"),
    (["-o", "out.cpio", *GOOD, "--command-line", ""], 1, "slot 'a': cmdline: is empty"),
    (["-o", "tmp", *GOOD], 1, "'tmp' is not a regular file"),
    (["-o", "nosuch/out.cpio", *GOOD], 1, "cannot write 'nosuch/out.cpio.new'"),
], ids=lambda value: None if isinstance(value, int) else " ".join(value) if isinstance(value, list) else "")
def test_refusal(folder, words, status, line):
    """One line, and the old archive stays."""
    (folder / "out.cpio").write_text("before")
    done = pack(folder, *words)
    also = "; see 'kexec-membuf-pack --help'" if status == 2 else ""
    assert (done.returncode, done.stdout, done.stderr) == \
        (status, "", f"kexec-membuf-pack: {line.format(folder)}{also}\n")
    assert (folder / "out.cpio").read_text() == "before"


def fake_cpio(folder, script):
    """A cpio that does something else, before the real one in PATH."""
    (folder / "bin").mkdir()
    (folder / "bin/cpio").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin/cpio").chmod(0o755)
    return f"{folder}/bin:{os.environ['PATH']}"


def test_cpio_that_fails_leaves_what_was_there(folder):
    (folder / "out.cpio").write_text("before")
    done = pack(folder, "-o", "out.cpio", *GOOD, PATH=fake_cpio(folder, "echo half; echo 'no space' >&2; exit 1"))
    assert (done.returncode, done.stderr) == (1, "no space\nkexec-membuf-pack: cpio failed\n")
    assert (folder / "out.cpio").read_text() == "before"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_killed_leaves_nothing(folder, number):
    path = fake_cpio(folder, "echo half; touch began; sleep 1")
    child = subprocess.Popen([PACK, "-o", "out.cpio", *GOOD], cwd=folder, stderr=subprocess.DEVNULL,
                             env={**os.environ, "TMPDIR": str(folder / "tmp"), "PATH": path})
    for _ in range(200):
        if list(folder.glob("tmp/*/began")):
            break
        time.sleep(0.05)
    else:
        pytest.fail("cpio was not called")
    child.send_signal(number)
    assert child.wait(10) == 1
    assert not os.listdir(folder / "tmp") and not list(folder.glob("out.cpio*"))


def test_help_names_all_options(folder):
    done = pack(folder, "--help")
    assert done.returncode == 0 and done.stderr == ""
    for option in ("-o", *(f"--{name}" for name in FILES[:3]), "--command-line", "--kernel-sig", "--help"):
        assert f"    {option}" in done.stdout
