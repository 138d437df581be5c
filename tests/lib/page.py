# SPDX-License-Identifier: GPL-2.0-or-later
"""Documentation pages whose commands tests run: the blocks whose opening fence names a place."""

import re
import subprocess

from qemu import TOP


class Page:
    def __init__(self, name, blocks):
        """blocks: the names of all blocks of the page, in their order."""
        self.path = TOP / "docs" / name
        self.blocks = blocks

    def block(self, name):
        """The text of a block."""
        assert name in self.blocks, name
        text = subprocess.run([TOP / "scripts/page", self.path, name], check=True, capture_output=True,
                              text=True).stdout
        assert text.strip(), f"the page has no block '{name}'"
        return text

    def fences(self):
        """The names of the blocks that the page has."""
        return re.findall(r"(?m)^```\w+ (.+)$", self.path.read_text())

    def shows(self, output, name):
        """Check that each line of the page's excerpt is in the output, in this order."""
        rest = output
        for line in self.block(name).splitlines():
            assert line in rest, f"no '{line}' (any more) in:\n{output}"
            rest = rest[rest.index(line) + len(line):]
