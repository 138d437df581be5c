# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of tests/guest/repro: each is the only process of its guest, and ends with the machine turned off."""

import re

import pytest

import stash
from qemu import BUILD, IMAGE, PANIC, SPLAT, Failure, Machine

PROGRAMS = BUILD / "tests/repro"


def initrd(name, program, files=None):
    """The guest's initrd with a program, and files beside it: a dict of name and path."""
    return stash.initrd_with(name, {program: PROGRAMS / program, **(files or {})})


def check_log(m):
    """Check that the kernel found no fault in itself."""
    lines = m.log.text().splitlines()
    for i, line in enumerate(lines):
        if re.search(f"{SPLAT}|{PANIC}", line):
            raise Failure(f"{m.name}: the kernel complains:\n" + "\n".join(lines[max(i - 2, 0):i + 30]))


class Results(dict):
    """A program's results, by their keys, and everything that it and the kernel printed."""

    def __init__(self, log):
        super().__init__(re.findall(r"^RESULT (\S+): (.*)$", log, re.M))
        self.log = log


def run(name, program, args="", files=None, timeout=120, fatal=PANIC, image=IMAGE, splat=True, **machine):
    """Run a program to its end. Its output goes to the test's output too. splat: a complaint of the kernel is a failure."""
    with Machine(name, kernel=image, initrd=initrd(name, program, files),
                 append=f"console=ttyAMA0 loglevel=1 rdinit=/{program} {args}", **machine) as m:
        try:
            m.wait_for(r"DONE\r*\n", timeout, fatal)
            m.wait_for_end()
        finally:
            print("\n".join(line for line in m.log.text().splitlines() if not re.match(r"(<\d+>)?\[ *\d+\.\d+\]|TAKEN ", line)))
        if splat:
            check_log(m)
    results = Results(m.log.text())
    if not results:
        pytest.fail(f"{program} found nothing, see {m.log_path}")
    return results
