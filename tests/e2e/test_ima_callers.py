# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of a slot's file, by a descriptor that was appraised before, gets the content that IMA checks now, or nothing.

Adoptions are in test_signed.py. These are the other callers: what a slot holds is loaded as a file like any other.
"""

import hashlib
import re

import pytest

import repro
import signing
import stash
from signing import KEYS

SLOTS = "kexec_stash=a:64M,b:64M crashkernel=64M"
CALLERS = ("kernel-is-initrd", "kernel-is-dtb", "crash-kernel", "initrd", "module")
EVENTS = ("nothing", "xattr", "refused-load", "verify-ahead", "unlink")
# A slot whose dtb is no device tree is bad, and never verified ahead
ALL = [f"{caller}/{event}" for caller in CALLERS for event in EVENTS
       if not (event == "verify-ahead" and caller in ("kernel-is-dtb", "module"))]


def small_image(path, fill, size=64 << 10):
    """An arm64 Image that loads like any other, and is never started."""
    header = bytearray(64)
    header[0:4] = 0x14000010 .to_bytes(4, "little")
    header[16:24] = (1 << 20).to_bytes(8, "little")
    header[24:32] = 0xa.to_bytes(8, "little")
    header[56:60] = b"ARM\x64"
    path.write_bytes(header + fill * (size - 64))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Good files, and security.ima of each."""
    folder = tmp_path_factory.mktemp("ima")
    module = stash.IMAGE.parents[3] / "scribble/scribble.ko"
    (folder / "module").write_bytes(module.read_bytes())
    small_image(folder / "good", b"g")
    # Another kernel than the one beside the stash's initrd, which would be adopted
    small_image(folder / "other", b"o")
    for name in ("good", "other", "module"):
        content = (folder / name).read_bytes()
        # IMA's hash with its algorithm: "ng", SHA-256
        (folder / f"{name}.hash").write_bytes(b"\x04\x04" + hashlib.sha256(content).digest())
        (folder / f"{name}.sig").write_bytes(signing.ima_signature(folder / name))
    (folder / "signer.der").write_bytes((KEYS / "signer.der").read_bytes())
    return {path.name: path for path in folder.iterdir()}


def outcomes(verdict, files):
    """Result of each attack: for each load the error's name, and how many entries IMA's list got."""
    results = repro.run(f"ima-callers-{verdict}", "ima", f"{SLOTS} verdict={verdict}", files, timeout=180)
    found = {}
    for key, text in results.items():
        found[key] = {load: (err, int(entries)) for load, err, entries in
                      re.findall(r"(good|evil|fresh|again) (\w+) (-?\d+)", text)}
        assert text.startswith("happened 1"), f"{key}: what should happen between the loads did not: {text}"
    return found


def assert_appraised(found, wanted):
    assert sorted(found) == sorted(wanted)
    for load, right in (("good", "OK"), ("fresh", "EACCES"), ("again", "OK"), ("evil", "EACCES")):
        wrong = [key for key, what in found.items() if what[load][0] != right and not may_be(key, load, what[load][0])]
        assert not wrong, f"{load} bytes: not {right}, but {[found[key][load][0] for key in wrong]}: {', '.join(wrong)}"


def may_be(key, load, err):
    """The holder of an unlinked file may get nothing, but never the evil bytes."""
    return key.endswith("/unlink") and (load == "again" or load == "evil" and err != "OK")


@pytest.mark.parametrize("verdict", ["hash", "sig"])
def test_changed_bytes_are_appraised_again(files, verdict):
    assert_appraised(outcomes(verdict, files), ALL)


def test_changed_bytes_are_measured_again(files):
    found = outcomes("measure", files)
    assert sorted(found) == sorted(ALL)
    unseen = [key for key, what in found.items() if what["evil"] != ("OK", 1) and not may_be(key, "evil", what["evil"][0])]
    assert not unseen, f"loaded, and not in IMA's list: {', '.join(unseen)}"


def test_what_was_only_measured_is_appraised_by_a_new_policy(files):
    assert_appraised(outcomes("policy", files), [f"{caller}/policy" for caller in CALLERS])


def test_changed_bytes_are_appraised_when_opened_again(files):
    assert_appraised(outcomes("open", files), ["open/nothing", "open/xattr", "open/unlink"])
