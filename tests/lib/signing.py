# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed payload files, good and bad, and how keys, policies and signatures get to the guest's kernel."""

import collections
import pathlib
import re
import shlex
import shutil
import subprocess

import stash
from qemu import BUILD, INITRAMFS, closed_on_failure, make_disk

KEYS = BUILD / "keys"
SIGNED = stash.WORK / "signed"
GUEST = BUILD / "signing-guest.cpio.gz"
SIGN_FILE = BUILD / "linux/scripts/sign-file"
# The signed files, whichever kernel judges them
PAYLOAD = BUILD / "linux/arch/arm64/boot/Image"
SIG_FORCE_IMAGE = BUILD / "linux-sig-force/arch/arm64/boot/Image"
POLICY = "/sys/kernel/security/ima/policy"

IMASIG = "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig"
INITRD_IMASIG = "appraise func=KEXEC_INITRAMFS_CHECK appraise_type=imasig"
MODSIG = "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig|modsig"
POLICY_FILES = {"policy.modsig": [MODSIG]}

LOAD_BEGINS = "load begins"
# The reason of a refusal in the kernel's log, for Python's re and for grep -E
CAUSES = (r"cause=(\S+)", r"(signature verification failed \(-?[0-9]+\))", r"(Lockdown): kfl: .* is restricted",
          r"kexec_stash: slot '\w+': (.*)")

# The guest's shell does each row of the matrix in one command, since each command over the serial line takes time
FUNCTIONS = rf"""
LOAD_BEGINS={shlex.quote(LOAD_BEGINS)}
CAUSES={shlex.quote("|".join(CAUSES))}
""" + r"""
# sign FILE [SIGNATURE]: set security.ima of FILE to SIGNATURE, a file of /signed, or remove it
sign() {
	if [ -n "$2" ]; then
		read -r value < "/signed/$2.hex"
		setfattr -n security.ima -v "0x$value" "$1"
	else
		setfattr -x security.ima "$1"
	fi
}
# load ARGUMENTS: kexec_file_load() by kfl, and the end of the log if it fails. A thread of its own prints the audit log's
# lines, and may be a moment behind
load() {
	echo "$LOAD_BEGINS" > /dev/kmsg
	kfl "$@" && return
	for try in $(seq 50); do
		log=$(dmesg | tail -n 20)
		echo "${log##*$LOAD_BEGINS}" | grep -qE "$CAUSES" && break
		sleep 0.1
	done
	echo "$log"
}
# states: of the loaded image and of all slots. Starts no other program, since that takes time
states() {
	for file in /sys/kernel/kexec/loaded /sys/fs/kexec/*/state /sys/fs/kexec/*/origin; do
		read -r value < "$file"
		echo "$file: $value"
	done
}
"""


BEGINNING = 256 << 10


def run(*argv, **kwargs):
    return subprocess.run([str(arg) for arg in argv], check=True, capture_output=True, **kwargs).stdout


def flip(data, offset):
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1:]


def ima_signature(path, key="signer"):
    """The signature that `evmctl ima_sign --sigfile` writes for a file: the value of security.ima."""
    copy = SIGNED / "to-sign" / pathlib.Path(path).name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    run("evmctl", "ima_sign", "--sigfile", "-a", "sha256", "--key", KEYS / f"{key}.key", copy)
    return copy.with_name(copy.name + ".sig").read_bytes()


def modsig(path, out, key="signer"):
    """The file with a signature that `sign-file` appends to it."""
    run(SIGN_FILE, "sha256", KEYS / f"{key}.key", KEYS / f"{key}.pem", path, out)


def pe_signed(path, out, key="signer"):
    """The file with a PE signature by `sbsign`."""
    run("sbsign", "--key", KEYS / f"{key}.key", "--cert", KEYS / f"{key}.pem", "--output", out, path)


def _make():
    SIGNED.mkdir(parents=True)
    full = SIGNED / "full"
    shutil.copyfile(PAYLOAD, full)
    # A file's beginning is signed, hashed and refused like the whole file, but faster. It is never started.
    plain = SIGNED / "plain"
    plain.write_bytes(full.read_bytes()[:BEGINNING])
    image = plain.read_bytes()
    ramdisk = SIGNED / "full.initrd"
    shutil.copyfile(INITRAMFS, ramdisk)
    (SIGNED / "initrd").write_bytes(ramdisk.read_bytes()[:BEGINNING])

    # Bytes of a kernel that do not matter to its header
    (SIGNED / "plain.flipped").write_bytes(flip(image, len(image) // 2))
    (SIGNED / "initrd.flipped").write_bytes(flip((SIGNED / "initrd").read_bytes(), BEGINNING // 2))
    for name in ("plain", "initrd"):
        good = ima_signature(SIGNED / name)
        (SIGNED / f"{name}.sig").write_bytes(good)
        (SIGNED / f"{name}.sig-flipped").write_bytes(flip(good, len(good) - 20))
        (SIGNED / f"{name}.sig-truncated").write_bytes(good[:100])
        (SIGNED / f"{name}.sig-stranger").write_bytes(ima_signature(SIGNED / name, "stranger"))

    (SIGNED / "full.sig").write_bytes(ima_signature(full))
    (SIGNED / "full.initrd.sig").write_bytes(ima_signature(ramdisk))

    for kind, sign, of in (("modsig", modsig, plain), ("pe", pe_signed, full)):
        good = SIGNED / kind
        sign(of, good)
        sign(of, SIGNED / f"{kind}.stranger", "stranger")
        (SIGNED / f"{kind}.flipped").write_bytes(flip(good.read_bytes(), of.stat().st_size // 2))
        # A valid signature, but of a kernel that differs in one bit
        flipped = SIGNED / "flipped"
        flipped.write_bytes(flip(of.read_bytes(), of.stat().st_size // 2))
        sign(flipped, SIGNED / f"{kind}.other")
        (SIGNED / f"{kind}.other").write_bytes(flip((SIGNED / f"{kind}.other").read_bytes(), of.stat().st_size // 2))
        flipped.unlink()
    # The end is "<PKCS#7 message> <12 bytes that describe it> ~Module signature appended~\n"
    data = (SIGNED / "modsig").read_bytes()
    (SIGNED / "modsig.sig-flipped").write_bytes(flip(data, len(data) - 28 - 12 - 20))
    (SIGNED / "modsig.sig-truncated").write_bytes(data[:len(data) - 28 - 12 - 64] + data[len(data) - 28 - 12:])
    data = (SIGNED / "pe").read_bytes()
    (SIGNED / "pe.sig-flipped").write_bytes(flip(data, len(data) - 40))
    (SIGNED / "pe.sig-truncated").write_bytes(data[:-64])
    dtb = SIGNED / "dtb"
    shutil.copyfile(stash.PAYLOAD / "virt.dtb", dtb)
    (SIGNED / "dtb.sig").write_bytes(ima_signature(dtb))
    (SIGNED / "dtb.sig-stranger").write_bytes(ima_signature(dtb, "stranger"))
    modsig(dtb, SIGNED / "dtb.modsig")
    (SIGNED / "dtb.flipped").write_bytes(flip(dtb.read_bytes(), 64))
    # Under ima_policy=secure_boot the kernel takes rules only from signed files
    for name, rules in POLICY_FILES.items():
        (SIGNED / name).write_text("".join(f"{rule}\n" for rule in rules))
        (SIGNED / f"{name}.sig").write_bytes(ima_signature(SIGNED / name))
    for path in list(SIGNED.glob("*.sig*")):
        path.with_name(f"{path.name}.hex").write_text(path.read_bytes().hex() + "\n")
    (SIGNED / "functions").write_text(FUNCTIONS)
    shutil.copyfile(initrd(), SIGNED / "signing.initrd")
    for name in ("signer.der", "signer.key", "stranger.der", "stranger.key", "ca.pem"):
        shutil.copyfile(KEYS / name, SIGNED / name)


def files():
    """The folder of all files, made again if kernel, initrd or keys have changed."""
    inputs = (PAYLOAD, INITRAMFS, GUEST, KEYS / "signer.key", pathlib.Path(__file__))
    stamp = "".join(f"{path} {path.stat().st_mtime_ns}\n" for path in inputs)
    mark = SIGNED / "inputs"
    with stash.alone("signed"):
        if not (mark.exists() and mark.read_text() == stamp):
            shutil.rmtree(SIGNED, ignore_errors=True)
            _make()
            mark.write_text(stamp)
    return SIGNED


def initrd():
    """The guest's initrd with evmctl, keyctl, getfattr and setfattr."""
    out = stash.WORK / "signing.initrd"
    with stash.alone("signing-initrd"):
        content = INITRAMFS.read_bytes() + GUEST.read_bytes()
        # A machine may be reading it
        if not (out.exists() and out.read_bytes() == content):
            new = out.with_suffix(".new")
            new.write_bytes(content)
            new.replace(out)
    return out


def disk():
    """An ext4 disk with all of files(), which the guest sees as /dev/vdb."""
    folder, image = files(), stash.WORK / "signed.img"
    stamp, inside = stash.WORK / "signed.files", (folder / "inputs").read_text()
    with stash.alone("signed-disk"):
        if not (image.exists() and stamp.exists() and stamp.read_text() == inside):
            stamp.unlink(missing_ok=True)
            make_disk(image, {path.name: path for path in folder.iterdir() if path.is_file()})
            stamp.write_text(inside)
    return image


def disk_options():
    """QEMU's options for it. What the guest writes to it is lost."""
    return ["-drive", f"file={disk()},format=raw,if=none,id=signed,snapshot=on",
            "-device", "virtio-blk-pci,drive=signed"]


def machine(name, nodes, load=(), append="", **kwargs):
    """A machine at its shell, with signing tools in its root and all signed files in /signed, on ext4."""
    m = stash.direct_machine(name, nodes, load, initrd=initrd(), append=f"{stash.BOOTARGS} {append}",
                             extra=disk_options(), **kwargs)
    with closed_on_failure(m):
        # Each line of the audit log counts here, but the kernel would hold back this many
        prepare(m)
    return m


def prepare(m):
    """In a guest with the disk as /dev/vdb: mount it, and keep the kernel from holding lines of the log back."""
    m.run("echo 0 > /proc/sys/kernel/printk_ratelimit; echo on > /proc/sys/kernel/printk_devkmsg")
    m.run("mkdir -p /signed; mount -t ext4 -o rw,noatime /dev/vdb /signed")
    m.run(". /signed/functions")


def add_key(m, name="signer"):
    """Put a certificate into the guest's .ima; returns the status of keyctl."""
    return m.run(f'keyctl padd asymmetric "" %keyring:.ima < /signed/{name}.der', None)


def write_policy(m, rules):
    """Give IMA these rules instead of its first ones."""
    m.run("printf '%s\\n' " + " ".join(shlex.quote(rule) for rule in rules) + " > /tmp/policy")
    m.run(f"cat /tmp/policy > {POLICY}")


def sign(m, path, signature=None):
    """Make a file of /signed the security.ima of a file, or remove that with None."""
    m.run(f"sign {path} {signature or ''}")


def verdict(output):
    """("OK" or the error's name, the cause that the kernel logged or "") from the output of load."""
    first, _, log = output.partition("\n")
    if first == "OK":
        return first, ""
    assert LOAD_BEGINS in log, output
    log = log.rpartition(LOAD_BEGINS)[2]
    found = [match.group(1) for regex in CAUSES if (match := re.search(regex, log))]
    return first, found[0] if found else ""


def load(m, *arguments):
    """kexec_file_load() by kfl, with verdict()'s result."""
    return verdict(m.run("load " + " ".join(arguments), None)[0])


Entry = collections.namedtuple("Entry", "template digest name more")


def measurements(m):
    """IMA's list. more: the fields of a template behind the name, such as the signature."""
    lines = m.run("cat /sys/kernel/security/ima/ascii_runtime_measurements").splitlines()
    return [Entry(*words[2:5], tuple(words[5:])) for words in (line.split(" ") for line in lines)]
