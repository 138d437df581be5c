# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests start from a known state: their children inherit nothing of the caller."""

import os
import signal
import subprocess

import pytest

import fresh
from qemu import TOP

# What a child has inherited, one thing a line. For bash: dash unblocks all signals
PROBE = r"""grep -E '^Sig(Ign|Blk):' /proc/self/status; umask; ls /proc/self/fd | tr '\n' ' '; echo
env | grep -vE '^(PYTEST_|PYTHONPATH=|PATH=|_=|PWD=|SHLVL=|OLDPWD=)' | LC_ALL=C sort"""


def hostile():
    """Spoil everything that a child inherits, between fork and exec."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGALRM])
    os.umask(0o077)
    os.close(0)


ENV = {"HOME": os.environ["HOME"], "LANG": "de_DE.UTF-8", "LC_ALL": "C", "LANGUAGE": "de", "TZ": "Asia/Tokyo", "TMPDIR": "/nowhere",
       "MAKEFLAGS": "-n", "CFLAGS": "-Werror", "TERM": "xterm", "COLUMNS": "20", "PATH": "/usr/bin:/bin",
       "KEXEC_MEMBUF_STASH": "/nowhere"}
WAYS = {"script": [TOP / "scripts/python", "-c", "import subprocess, sys; subprocess.run(['bash', '-c', sys.argv[1]], close_fds=False)", PROBE],
        "pytest": ["/usr/bin/python3", "-m", "pytest", "-q", "-s", f"{__file__}::test_probe"]}

# 32 and 33: the C library keeps these for itself and lets nobody change what is done about them
LIBC_SIGNALS = 3 << 31


def state(text):
    """The probe's output, without pytest's."""
    lines = text[text.index("SigBlk:"):].splitlines()
    return [line for line in lines if line != "." and not line.startswith("1 passed")]


def test_probe():
    """The other test starts this one too."""
    print(subprocess.run(["bash", "-c", PROBE], check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("way", WAYS)
def test_a_child_inherits_nothing_of_the_caller(way, tmp_path):
    with open(tmp_path / "left open", "wb") as left_open:
        os.set_inheritable(left_open.fileno(), True)
        got = subprocess.run(WAYS[way], preexec_fn=hostile, env=ENV, close_fds=False, cwd=TOP, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    print(got.stdout)
    assert got.returncode == 0
    want = [f"{key}={value}" for key, value in fresh.environment({"HOME": ENV["HOME"]}).items() if key != "PATH"]
    lines = [line for line in state(got.stdout) if line]
    name, ignored = lines[1].split()
    assert name == "SigIgn:" and not int(ignored, 16) & ~LIBC_SIGNALS
    assert lines[0] == "SigBlk:\t" + "0" * 16 and lines[2:4] == ["0022", "0 1 2 3 "]
    assert lines[4:] == sorted(want)


def test_status_and_signals_reach_the_caller():
    """Under nohup the command runs in a session of its own."""
    argv = [TOP / "scripts/python", "-c", "import time; print('began', flush=True); time.sleep(60)"]
    child = subprocess.Popen(argv, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN), stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "began\n"
    child.send_signal(signal.SIGHUP)
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 128 + signal.SIGTERM
