# SPDX-License-Identifier: GPL-2.0-or-later
"""The slots that tests and demo use, and how to make them and look at them."""

import base64
import contextlib
import fcntl
import gzip
import hashlib
import pathlib
import re
import shutil
import subprocess
import time

from qemu import BUILD, IMAGE, INITRAMFS, MACHINE, TOP, UBOOT, Machine, closed_on_failure, make_disk

PAYLOAD = BUILD / "payload"
WORK = BUILD / "tests"
MIB = 1 << 20
BASE_A, BASE_B, SLOT_SIZE = 0x50000000, 0x60000000, 128 * MIB
BASE = {"a": BASE_A, "b": BASE_B}
BOOTARGS = "console=ttyAMA0 earlycon=pl011,0x9000000"
# For tests of the load's own work
NOT_AHEAD = f"{BOOTARGS} kexec_stash.verify_ahead=0"

# Name on the disk and where it comes from
FILES = {
    "installer.linux": PAYLOAD / "linux",
    "installer.initrd": PAYLOAD / "initrd.gz",
    "virt.dtb": PAYLOAD / "virt.dtb",
    "raw.dtb": PAYLOAD / "raw.dtb",
    "own.linux": IMAGE,
    "own.initrd": INITRAMFS,
}


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
            hashlib.sha256(file.read()).hexdigest()


@contextlib.contextmanager
def alone(name):
    """Tests run side by side. One of them makes what all use."""
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def disk():
    """The disk that U-Boot and the guest see, with all of FILES."""
    missing = [str(path) for path in FILES.values() if not path.exists()]
    if missing:
        raise FileNotFoundError(f"not built: {', '.join(missing)}: run make linux initramfs payload")
    image, stamp = WORK / "disk.img", WORK / "disk.files"
    inside = "".join(f"{name} {path} {path.stat().st_mtime_ns}\n" for name, path in FILES.items())
    with alone("disk"):
        if not (image.exists() and stamp.exists() and stamp.read_text() == inside):
            stamp.unlink(missing_ok=True)
            make_disk(image, FILES)
            stamp.write_text(inside)
    return image


# U-Boot

def uboot_stage(m, slot, kernel, initrd=None, dtb=None, bootargs=BOOTARGS):
    """Reserve a slot and stage files of the disk into it."""
    m.uboot(f"kstash reserve {slot} {SLOT_SIZE:#x} {BASE[slot]:#x}")
    m.uboot(f"kstash load {slot} kernel virtio 0 {kernel}")
    if initrd:
        m.uboot(f"kstash load {slot} initrd virtio 0 {initrd}")
    if dtb:
        m.uboot(f"kstash load {slot} dtb virtio 0 {dtb}")
    m.uboot(f'kstash bootargs {slot} "{bootargs}"')


def uboot_boot(m, bootargs=BOOTARGS):
    """Boot our Linux from the disk the ordinary way, up to its shell."""
    m.uboot(f'setenv bootargs "{bootargs}"')
    m.uboot("load virtio 0 ${kernel_addr_r} own.linux")
    m.uboot("load virtio 0 ${ramdisk_addr_r} own.initrd")
    m.send("booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}\r")
    m.wait_for("Starting kernel", fatal=r"(?i)\berror\b[^\r\n]*|Bad Linux[^\r\n]*")
    return m.shell()


def uboot_machine(name, **kwargs):
    """A machine at U-Boot's prompt, with the disk."""
    m = Machine(name, bios=UBOOT, disk=disk(), **kwargs)
    with closed_on_failure(m):
        m.uboot_prompt()
        m.uboot("virtio scan")
    return m


# A machine without U-Boot: the device tree is ours, the content comes from QEMU

def node(label, base, size=SLOT_SIZE, files=None, body="", bootargs=None):
    """Source text of one record. files: name -> (offset, size, digest or None)."""
    text = [f'kexec-stash@{base:x} {{ compatible = "linux,kexec-stash";',
            f"reg = <{base >> 32:#x} {base & 0xffffffff:#x} {size >> 32:#x} {size & 0xffffffff:#x}>;"]
    if label is not None:
        text.append(f'label = "{label}";')
    if bootargs:
        text.append(f'bootargs = "{bootargs}";')
    text.append(body)
    for name, (offset, length, digest) in (files or {}).items():
        text.append(f"{name} {{ data-offset = <{offset >> 32:#x} {offset & 0xffffffff:#x}>; "
                    f"data-size = <{length >> 32:#x} {length & 0xffffffff:#x}>;")
        if digest:
            text.append(f'hash-1 {{ algo = "sha256"; value = [{digest}]; }};')
        text.append("};")
    text.append("};")
    return "\n".join(text)


def device_tree(name, nodes, memreserve="", machine=""):
    """A dtb of QEMU's machine with these nodes under /reserved-memory."""
    WORK.mkdir(parents=True, exist_ok=True)
    dumped = WORK / f"{name}.dumped.dtb"
    subprocess.run(["qemu-system-aarch64", "-machine", f"{MACHINE}{machine},dumpdtb={dumped}", "-cpu", "cortex-a76",
                    "-smp", "2", "-m", "2G", "-display", "none", "-nic", "none"], check=True, capture_output=True)
    base = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dumped], check=True, capture_output=True,
                          text=True).stdout
    dumped.unlink()
    base = base.replace("/dts-v1/;", f"/dts-v1/;\n{memreserve}", 1)
    source = base + ("/ { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n"
                     + "\n".join(nodes) + "\n}; };\n")
    out = WORK / f"{name}.dtb"
    (WORK / f"{name}.dts").write_text(source)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-p", "4096", "-o", out, WORK / f"{name}.dts"], check=True)
    return out


def initrd_with(name, files):
    """The guest's initrd with more files in its root, a dict of name and path."""
    out = WORK / f"{name}.initrd"
    folder = WORK / f"{name}.files"
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in files.items():
        shutil.copy(source, folder / file)
    more = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder, input="\n".join(files).encode(),
                          check=True, capture_output=True).stdout
    out.write_bytes(INITRAMFS.read_bytes() + gzip.compress(more, 1))
    return out


def align(value, to=64 * 1024):
    return (value + to - 1) // to * to


def image_size(path):
    """The memory that an arm64 Image owns, from its header."""
    with open(path, "rb") as file:
        return int.from_bytes(file.read(64)[16:24], "little")


# The MiB that a slot needs more for a kernel with KASAN and lockdep (make check-debug), else 0
MORE_MIB = max(0, align(image_size(IMAGE), 2 * MIB) // MIB - 16) if IMAGE.exists() else 0


def staged(base, kernel=IMAGE, initrd=INITRAMFS, dtb=None, size=SLOT_SIZE, hashes=True):
    """A payload put in place as a bootloader would: (files for node(), load list for Machine)."""
    files, load, offset = {}, [], 0
    for name, path in (("kernel", kernel), ("initrd", initrd), ("dtb", dtb)):
        if path is None:
            continue
        path = pathlib.Path(path)
        if name == "dtb":
            offset = size - 6 * MIB
        files[name] = (offset, path.stat().st_size, sha256(path) if hashes else None)
        load.append((path, base + offset))
        offset += align(max(path.stat().st_size, image_size(path) if name == "kernel" else 0))
    return files, load


def direct_machine(name, nodes, load=(), kernel=IMAGE, initrd=INITRAMFS, append=BOOTARGS, memreserve="", machine="",
                   **kwargs):
    """Our Linux with these records, started by QEMU itself, at its shell."""
    m = Machine(name, kernel=kernel, initrd=initrd, append=append, dtb=device_tree(name, nodes, memreserve, machine),
                load=load, disk=disk(), machine=machine, **kwargs)
    with closed_on_failure(m):
        m.shell()
        if kernel == IMAGE:
            m.run("mount -t ext4 -o ro /dev/vda /mnt")
    return m


# In the guest

def slot_path(slot, file=""):
    return f"/sys/fs/kexec/{slot}/{file}"


def slots(m):
    """Names of the slots that the stash shows."""
    return [name for name in m.run("ls /sys/fs/kexec").split() if name != "timing"]


def state(m, slot):
    return m.read(slot_path(slot, "state"))


def verified(m, slot):
    return m.read(slot_path(slot, "verified")) == "1"


def wait_until_verified(m, slot):
    """The thread starts a second after the last change, and has the lowest priority."""
    for _ in range(300):
        if verified(m, slot):
            return
        time.sleep(0.1)
    raise AssertionError(f"slot {slot} is not verified: {state(m, slot)}")


def guest_sha256(m, path):
    return m.run(f"sha256sum {path}", timeout=120).split()[0]


def guest_file(m, path, out):
    """Copy a small file out of the guest."""
    out.write_bytes(base64.b64decode(m.run(f"base64 {path}")))


def binding_faults(m, name):
    """dt-validate's messages on the records in the running kernel's tree."""
    # dt-validate knows a tree by the end of its name
    tree = WORK / f"{name}.running.dtb"
    guest_file(m, "/sys/firmware/fdt", tree)
    checked = subprocess.run([TOP / "tests/host/binding/check", WORK / "binding", tree], capture_output=True, text=True)
    assert checked.returncode == 0 or checked.stdout, f"no tree was looked at: {checked}"
    return checked.stdout


def stage(m, slot, kernel="/mnt/own.linux", initrd="/mnt/own.initrd", dtb=None, bootargs=BOOTARGS):
    """Stage from the running system, by plain cp."""
    m.run(f"cp {kernel} {slot_path(slot, 'kernel')}", timeout=120)
    if initrd:
        m.run(f"cp {initrd} {slot_path(slot, 'initrd')}", timeout=120)
    if dtb:
        m.run(f"cp {dtb} {slot_path(slot, 'dtb')}")
    if bootargs:
        m.run(f"printf '%s' '{bootargs}' > {slot_path(slot, 'cmdline')}")


def kernel_log(m, regex):
    """Lines of the kernel's log that match."""
    return [line for line in m.run("dmesg").splitlines() if re.search(regex, line)]


def wait_for_log(m, regex, count=1):
    """Lines of the kernel's log that match: waits until there are count of them, or some seconds.

    For the audit log: its lines are printed by a thread of its own, which may be a moment behind.
    """
    for _ in range(100):
        lines = kernel_log(m, regex)
        if len(lines) >= count:
            break
        time.sleep(0.1)
    return lines


def meminfo(m, field):
    """A field of /proc/meminfo in KiB."""
    return int(re.search(rf"^{field}:\s+(\d+) kB", m.run("cat /proc/meminfo"), re.M).group(1))


def kernel_code(m):
    """Physical range of the running kernel's code: first and last byte."""
    found = re.search(r"([0-9a-f]+)-([0-9a-f]+) : Kernel code", m.run("cat /proc/iomem"))
    return int(found.group(1), 16), int(found.group(2), 16)

