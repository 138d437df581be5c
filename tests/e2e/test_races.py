# SPDX-License-Identifier: GPL-2.0-or-later
"""Races: releasing a slot during its load, reading files that anybody may read, and not providing a page that a system call
needs."""

import re

import pytest

import repro
import stash


def test_release_while_an_initrd_finds_its_kernel():
    """Whoever wins, nobody reads memory that is not the slot's any more."""
    slots = ",".join(f"{name}:96M" for name in "abcdefgh")
    results = repro.run("race-release", "race", f"kexec_stash={slots}", timeout=240, mem="2560M")
    assert results["races"] == "8", results


def test_readers_keep_nobody_from_loading():
    """Readers cause EBUSY no more often than readers of mainline's own files under /sys/kernel/kexec."""
    results = repro.run("race-readers", "dos", "kexec_stash=a:64M", {"Image": stash.IMAGE}, timeout=240)
    assert results["load"] == "OK" and results["nobody"] == "0", results
    assert int(results["ours"]) <= int(results["mainline"]), \
        f"{results['worst']}: {results['ours']} of 1000 loads are EBUSY while it is read, mainline's make {results['mainline']}"


def test_a_signature_that_is_taken_arrives():
    """A signature set while the kernel is about to jump is refused, or the next kernel has it."""
    results = repro.run("race-sign", "sign", "kexec_stash=a:64M,b:64M retain_initrd", {"Image": stash.IMAGE})
    assert results.get("state") == "running", results
    taken = [int(number) for number in re.findall(r"^TAKEN (\d+)$", results.log, re.M)]
    print(f"{len(taken)} signatures taken, the last one {taken[-1]}; {results['arrived']} has arrived")
    assert len(taken) > 10
    assert int(results["arrived"]) >= taken[-1]


class TestStalledPages:
    """See stall.c: other work does not wait for them."""

    @pytest.fixture(scope="class")
    def results(self):
        return repro.run("race-stall", "stall", "kexec_stash=a:64M,b:64M retain_initrd", {"Image": stash.IMAGE},
                         timeout=600)

    # Result of each while a file of slot a is open for writing, or only for reading
    READ = {"state": "OK", "read": "OK", "read-other": "OK", "xattr": "OK", "open": "OK", "load": "OK", "unload": "OK",
            "load-other": "OK", "load-file": "OK", "unload-file": "OK", "verify-ahead": "OK"}
    WRITE = {**READ, "load": "ETXTBSY"}

    @pytest.mark.parametrize("what,wanted", [("read", READ), ("write", WRITE)])
    def test_does_not_hold_up(self, results, what, wanted):
        seen = {deed: results[f"{what}/{deed}"] for deed in wanted}
        print(seen)
        assert seen == wanted

    @pytest.mark.parametrize("what", ["read", "write"])
    def test_is_done_once_the_page_is_there(self, results, what):
        assert results[what] == "4096"

    def test_does_not_hold_up_exec(self, results):
        """Turning the machine off does not wait either: the started kernel did so with a writer waiting."""
        assert results.get("step-2") == "running", results["exec"]
