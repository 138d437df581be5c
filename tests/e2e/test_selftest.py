# SPDX-License-Identifier: GPL-2.0-or-later
"""The selftest that travels with the kernel, as its maintainers run it: on the kernel that was built, and on one without slots."""

import os
import subprocess

from qemu import BUILD, IMAGE

TEST = BUILD / "src/linux/tools/testing/selftests/kexec_stash/vmtest.sh"


def run(image):
    """The test's lines for an Image."""
    done = subprocess.run([TEST, "-d", BUILD / "selftests/headers", "-k", image], check=False, timeout=400,
                          env={**os.environ, "CROSS_COMPILE": "aarch64-linux-gnu-"}, capture_output=True, text=True)
    print(done.stdout, done.stderr)
    return done.stdout.splitlines()


def test_payload_is_started_in_place():
    lines = run(IMAGE)
    assert "ok 1 a payload is started in place" in lines
    assert [line for line in lines if "slot 'a'" in line and line.endswith(", running")]


def test_kernel_without_the_stash_fails():
    """Debian's kernel of the installer."""
    assert "not ok 1 a payload is started in place" in run(BUILD / "payload/linux")
