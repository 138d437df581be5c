# SPDX-License-Identifier: GPL-2.0-or-later
"""kexec-membuf verify and a slot's reason: exit status and output. That the verdict is the load's, test_signed.py tests."""

import json

import pytest

import signing
import stash
from signed_slots import FIRST, SLOT, Slot, load_slot, start

BASE, PLAIN, GOOD = Slot("base", FIRST, "modsig", "firmware"), Slot("plain", FIRST + SLOT, "unsigned", "firmware"), \
    Slot("good", FIRST + 2 * SLOT, "modsig", "firmware")
ADOPTED, FAILED, MISUSE, REFUSED = 0, 1, 2, 3


@pytest.fixture(scope="module", name="m")
def fixture_m():
    with start("verify", "imasig|modsig", [BASE, PLAIN, GOOD]) as machine:
        yield machine


def verify(m, slot, status):
    """The lines that verify prints; what is loaded stays."""
    lines = m.run(f"kexec-membuf verify {slot}", status).splitlines()
    assert stash.state(m, "base") == "loaded"
    return lines


def reason(m, slot):
    return m.read(stash.slot_path(slot, "reason"))


def test_signed_payload_would_be_adopted(m):
    lines = verify(m, "good", ADOPTED)
    assert lines[0] == "slot:     good, staged" and lines[1].endswith(", sha256 recorded")
    assert lines[2:] == ["  signed: appended signature", "initrd:   none", "dtb:      none", "verdict:  would be adopted"]
    assert reason(m, "good") == ""


def test_refusal_has_the_kernels_reason(m):
    lines = verify(m, "plain", REFUSED)
    assert lines[2] == "  not signed"
    why = reason(m, "plain")
    assert why.startswith("kernel: ")
    assert lines[-1].startswith(f"verdict:  would be refused: {why} (EACCES); ")
    assert f"slot 'plain': {why} (EACCES); " in m.fails("kexec-membuf load plain")
    said = json.loads(m.run("kexec-membuf verify plain --json", REFUSED))
    assert (said["verdict"], said["error"]) == ("refused", "EACCES") and said["why"].startswith(f"{why} (EACCES); ")


def test_keys_are_named(m):
    known = next(line for line in m.run("cat /proc/keys").splitlines() if "Example appliance signer" in line)
    signing.sign(m, PLAIN.path("kernel"), "plain.sig-stranger")
    assert "which is not in /proc/keys" in verify(m, "plain", REFUSED)[2]
    signing.sign(m, PLAIN.path("kernel"), "plain.sig")
    key = verify(m, "plain", ADOPTED)[2].removeprefix("  signed: IMA signature by key ").split(",")[0]
    assert f"X509.rsa {key} " in known
    assert reason(m, "plain") == ""


def test_what_is_no_answer(m):
    verify(m, "", MISUSE)
    assert "does not exist" in verify(m, "none", FAILED)[0]
    m.run("mkdir -p /etc; echo nobody:x:65534:65534::/:/bin/sh > /etc/passwd")
    verify_as_nobody = m.run("su nobody -c 'kexec-membuf verify good'", FAILED)
    assert "run this as root" in verify_as_nobody


def test_no_load_limit_is_used_up(m):
    """A check may be made as often as a load may; then neither may."""
    m.run("echo 1 > /proc/sys/kernel/kexec_load_limit_reboot")
    for _ in range(3):
        verify(m, "good", ADOPTED)
    assert m.read("/proc/sys/kernel/kexec_load_limit_reboot") == "1"
    assert load_slot(m, GOOD) == ("OK", "") and load_slot(m, BASE)[0] == "EPERM"
    line = m.run("kexec-membuf verify base", REFUSED).splitlines()[-1]
    assert "kernel.kexec_load_limit_reboot is used up" in line
