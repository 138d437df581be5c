# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests start from the same state, whoever started them: a terminal, nohup, cron, make or a CI.

usage: fresh.py COMMAND [argument...]   (for scripts; conftest.py calls enter())
"""

import os
import pwd
import signal
import sys
import tempfile

# The settings of this project, and the way to the caller's files, caches and proxies
KEPT = {"HOME", "USER", "LOGNAME", "XDG_CACHE_HOME", "CCACHE_DIR", "KDIR", "UBOOT", "KERNEL", "KEXEC_MEMBUF_BUILD",
        "KEXEC_MEMBUF_CACHE", "KEXEC_MEMBUF_IMAGE", "KEXEC_MEMBUF_TIME_SCALE", "PYTHONPATH", "http_proxy", "https_proxy",
        "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
# pytest and its workers talk to each other by these
KEPT_PREFIX = "PYTEST_"
# cron's PATH lacks /usr/sbin, where mkfs.ext4 is
FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]


def environment(caller):
    """The part of the caller's environment that a command gets."""
    kept = {key: value for key, value in caller.items() if key in KEPT or key.startswith(KEPT_PREFIX)}
    path = caller.get("PATH", "").split(":")
    path += [folder for folder in FOLDERS if folder not in path]
    return {"HOME": pwd.getpwuid(os.getuid()).pw_dir, **kept, "PATH": ":".join(filter(None, path)), "LC_ALL": "C.UTF-8",
            "TZ": "UTC", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"}


def enter():
    """Put this process into that state. An ignored signal stays ignored here, but has its default in a child."""
    os.umask(0o022)
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals():
        # A handler that does nothing: exec resets handlers, but not SIG_IGN
        if signal.getsignal(number) == signal.SIG_IGN and number not in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, lambda *_: None)
    found = environment(os.environ)
    os.environ.clear()
    os.environ.update(found)
    tempfile.tempdir = None


def outlive_the_terminal():
    """Under nohup or in the background, go on in a session of its own: signals are at their defaults there, but no terminal
    sends them."""
    # If this one is ignored, waitpid() finds no child
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        os.setsid()
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: os.killpg(child, number))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: fresh.py COMMAND [argument...]")
    if signal.SIG_IGN in map(signal.getsignal, (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)):
        outlive_the_terminal()
    enter()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    # Python ignores these two, and execvp() does not undo that
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        sys.exit(f"fresh.py: {sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()
