# SPDX-License-Identifier: GPL-2.0-or-later
"""make run, with what README.md tells its reader to type."""

import pexpect
import pytest

from page import Page
from qemu import LOGS, READY, SCALE, TOP

README = Page("../README.md", ["u-boot", "linux"])
UBOOT_PROMPT, SHELL_PROMPT = r"\n=> ", r"\n/ # "


@pytest.fixture(name="terminal")
def fixture_terminal():
    """The reader's terminal."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / "run.log", "wb") as log:
        child = pexpect.spawn(str(TOP / "scripts/python"), [str(TOP / "tests/run/prompt.py")], timeout=60 * SCALE, logfile=log)
        yield child
        child.close(force=True)


def type_lines(terminal, block, prompt):
    """Type a block. The last line's output is left for the caller."""
    lines = README.block(block).splitlines()
    for line in lines[:-1]:
        terminal.sendline(line)
        terminal.expect(prompt)
    terminal.sendline(lines[-1])


def test_readme_leads_from_the_prompt_to_the_next_kernel(terminal):
    terminal.expect(UBOOT_PROMPT)
    type_lines(terminal, "u-boot", UBOOT_PROMPT)
    terminal.expect(READY)
    terminal.expect(SHELL_PROMPT)
    type_lines(terminal, "linux", SHELL_PROMPT)
    terminal.expect(READY)
    terminal.expect(SHELL_PROMPT)
    terminal.sendline("kexec-membuf list")
    terminal.expect(r"\na +running ")
    # README says so too
    terminal.send("\x01x")
    terminal.expect(pexpect.EOF)
