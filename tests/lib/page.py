# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages of docs/ whose commands are run by tests: the blocks whose opening fence names a place."""

import re
import subprocess

from qemu import TOP


class Page:
    def __init__(self, name, blocks):
        """blocks: every block of the page, in its order."""
        self.path = TOP / "docs" / name
        self.blocks = blocks

    def block(self, name):
        """What stands in a block."""
        assert name in self.blocks, name
        text = subprocess.run([TOP / "scripts/page", self.path, name], check=True, capture_output=True,
                              text=True).stdout
        assert text.strip(), f"the page has no block '{name}'"
        return text

    def fences(self):
        """What the page really has."""
        return re.findall(r"(?m)^```\w+ (.+)$", self.path.read_text())

    def shows(self, output, name):
        """Each line of the page's excerpt is in the output, in this order."""
        rest = output
        for line in self.block(name).splitlines():
            assert line in rest, f"no '{line}' (any more) in:\n{output}"
            rest = rest[rest.index(line) + len(line):]
