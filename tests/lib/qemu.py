# SPDX-License-Identifier: GPL-2.0-or-later
"""Drive a QEMU arm64 machine over its serial line: U-Boot's prompt, the guest's shell, anything it prints."""

import contextlib
import itertools
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import pexpect

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("KEXEC_MEMBUF_BUILD", TOP / "build"))
LOGS = BUILD / "log"
IMAGE = pathlib.Path(os.environ.get("KEXEC_MEMBUF_IMAGE", BUILD / "linux/arch/arm64/boot/Image"))
INITRAMFS = BUILD / "initramfs.cpio.gz"
UBOOT = BUILD / "u-boot/u-boot.bin"

# With the ITS, which is QEMU's default
MACHINE = "virt,gic-version=3,virtualization=on"

# Time limits fit a quiet machine of 2018. This factor raises them all, for a slow or busy one
SCALE = float(os.environ.get("KEXEC_MEMBUF_TIME_SCALE", "1"))

READY = r"kexec-membuf guest: ready, Linux (\S+)"
PANIC = r"Kernel panic - not syncing[^\r\n]*|Internal error: [^\r\n]*|\"Synchronous Abort\" handler[^\r\n]*"


# A kernel prints these when it finds a fault in itself and goes on
SPLAT = r"WARNING: |BUG: |UBSAN: |KASAN: |Call trace:|possible (circular|recursive) locking|INFO: task .* blocked"


class Failure(AssertionError):
    """The expected output did not come. The message has the end of the log."""


@contextlib.contextmanager
def closed_on_failure(machine):
    """Close a machine if its start fails, since no caller has it yet."""
    try:
        yield
    except BaseException:
        machine.close()
        raise


class _Log:
    """The serial line: its bytes in a file, and the start time of each line in memory."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.lines = []
        self._line = b""

    def write(self, data):
        now = time.monotonic()
        self.file.write(data)
        for piece in data.splitlines(keepends=True):
            if not self._line:
                self._start = now
            self._line += piece
            if piece.endswith((b"\n", b"\r")):
                text = self._line.decode(errors="replace").strip()
                if text:
                    self.lines.append((self._start, text))
                self._line = b""

    def flush(self):
        self.file.flush()

    def time_of(self, regex, after=0.0):
        """Host time of the first matching line that began at or after a time; None without one.

        Lines that are read at once began at the same time.
        """
        for when, text in self.lines:
            if when >= after and re.search(regex, text):
                return when
        return None

    def text(self):
        return "\n".join(text for _, text in self.lines)


def arguments(*, bios=None, kernel=None, initrd=None, append=None, dtb=None, disk=None, load=(), cpu="cortex-a76", smp=2,
              mem="2G", machine="", extra=()):
    """QEMU's command line. bios or kernel: what is started; load: (file, address) pairs put into RAM before that."""
    argv = ["qemu-system-aarch64", "-machine", MACHINE + machine, "-cpu", cpu, "-smp", str(smp), "-m", mem, "-display", "none",
            "-nic", "none"]
    for option, value in (("-bios", bios), ("-kernel", kernel), ("-initrd", initrd), ("-append", append), ("-dtb", dtb)):
        if value is not None:
            argv += [option, str(value)]
    if disk:
        argv += ["-drive", f"file={disk},format=raw,if=none,id=disk,snapshot=on", "-device", "virtio-blk-pci,drive=disk"]
    for path, address in load:
        argv += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
    return argv + list(extra)


class Machine:
    """One QEMU. Use it in a `with`, which always ends it."""

    def __init__(self, name, **settings):
        """settings: see arguments()."""
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log_path = LOGS / f"{name}.log"
        self.log = _Log(self.log_path)
        self._marks = itertools.count()
        self._at_shell = False
        argv = arguments(**settings) + ["-no-reboot", "-monitor", "none", "-serial", "stdio"]
        self.child = pexpect.spawn(argv[0], argv[1:], timeout=None, maxread=65536, searchwindowsize=None, echo=False)
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        try:
            if failed is None:
                self.check_log()
        finally:
            self.close()

    def close(self):
        """Stop QEMU at once. pexpect's own close() gives up on a busy machine, after a tenth of a second."""
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close()
        self.log.flush()

    def wait_for(self, regex, timeout=60, fatal=PANIC):
        """Wait until the serial line matches; returns the match. A panic ends the wait early."""
        patterns = [regex.encode(), pexpect.EOF, pexpect.TIMEOUT] + ([fatal.encode()] if fatal else [])
        found = self.child.expect(patterns, timeout=timeout * SCALE)
        if found == 0:
            return self.child.match
        why = {1: "QEMU ended", 2: f"nothing came for {timeout * SCALE:.0f} s", 3: "the guest crashed"}[found]
        if found == 3:
            self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1)
        self.log.flush()
        raise Failure(f"{self.name}: waiting for {regex!r}: {why}\n--- end of {self.log_path} ---\n"
                      + "\n".join(self.log.text().splitlines()[-40:]))

    def wait_for_end(self, timeout=30):
        """The guest turned the machine off."""
        if self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=timeout * SCALE):
            raise Failure(f"{self.name}: QEMU did not end within {timeout * SCALE:.0f} s, see {self.log_path}")

    def send(self, text):
        self.child.send(text)

    def _command(self, wrapped, mark, timeout):
        self.send(wrapped + "\r")
        self.wait_for(rf"@@B{mark}@@\r*\n", timeout)
        match = self.wait_for(rf"@@E{mark}:(-?\d+)@@", timeout)
        # Not a group of the pattern: pexpect would try that again with every piece that comes
        return self.child.before.decode(errors="replace").replace("\r", "").removesuffix("\n"), int(match.group(1))

    # U-Boot

    def uboot_prompt(self, timeout=60):
        """From power-on to U-Boot's prompt."""
        self.wait_for(r"Hit any key to stop autoboot", timeout)
        self.send("\r")
        self.wait_for(r"=> ", timeout)

    def uboot(self, command, status=0, timeout=60):
        """Run a command at U-Boot's prompt; returns what it prints. status: what is expected, None for any."""
        mark = next(self._marks)
        # The quotes keep the echo of the command from looking like the marks
        output, got = self._command(f'echo @@B""{mark}@@; {command}; echo @@E""{mark}:$?@@', mark, timeout)
        output = re.sub(r"^.*?\n", "", output, count=1) if output.startswith("=> ") else output
        if status is not None and got != status:
            raise Failure(f"{self.name}: U-Boot: `{command}` returned {got}, not {status}:\n{output}")
        return output if status is not None else (output, got)

    # The guest's shell

    def shell(self, timeout=90):
        """Wait for the guest's shell; returns the version of its kernel."""
        # Up to the end of the line, which may come in pieces
        version = self.wait_for(READY + r"\s", timeout).group(1).decode()
        self._at_shell = True
        self.run("stty -echo; PS1=; PS2=")
        return version

    def back_at_shell(self):
        """After a jump that led back: the same shell as before."""
        self._at_shell = True
        self.run("PS1=; PS2=")

    def check_log(self):
        """Check that the guest's kernel, if a shell runs, has logged no fault."""
        if not self._at_shell:
            return
        lines = self.run("dmesg").splitlines()
        for i, line in enumerate(lines):
            if re.search(SPLAT, line):
                raise Failure(f"{self.name}: the kernel complains:\n" + "\n".join(lines[max(i - 2, 0):i + 30]))

    def jump(self, command):
        """Start the next kernel. The console is loud from here on, to show the old kernel's last line and the new one's
        first."""
        self.check_log()
        self.run("dmesg -n 8")
        self._at_shell = False
        self.send(command + "\r")

    def run(self, command, status=0, timeout=60):
        """Run a command in the guest's shell; returns its output. With status=None: (output, status)."""
        mark = next(self._marks)
        output, got = self._command(f"printf '@@%s@@\\n' B{mark}; {command}\nprintf '\\n@@%s:%d@@\\n' E{mark} $?", mark, timeout)
        output = output.removesuffix("\n")
        if status is not None and got != status:
            raise Failure(f"{self.name}: `{command}` returned {got}, not {status}:\n{output}")
        return output if status is not None else (output, got)

    def fails(self, command, timeout=60):
        """Run a command that must fail; returns its output."""
        output, got = self.run(command, None, timeout)
        if got == 0:
            raise Failure(f"{self.name}: `{command}` must fail, but did not:\n{output}")
        return output

    def read(self, path):
        """A small text file's content, without the newline at its end."""
        return self.run(f"cat {path}").rstrip("\n")


def make_disk(path, files):
    """Make an ext4 image of files, a dict of name and path. Needs no root."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        size = 0
        for name, source in files.items():
            os.link(source, f"{folder}/{name}") if os.stat(source).st_dev == os.stat(folder).st_dev else \
                subprocess.run(["cp", str(source), f"{folder}/{name}"], check=True)
            size += os.stat(source).st_size
        path.unlink(missing_ok=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^metadata_csum,^64bit,^orphan_file", "-d", folder, str(path),
                        f"{size // 1024 // 1024 * 11 // 10 + 16}M"], check=True, capture_output=True)
    return path
