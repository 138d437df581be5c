# SPDX-License-Identifier: GPL-2.0-or-later
"""make run: U-Boot's prompt in QEMU, on this terminal, with a disk of payloads. README.md says what to type."""

import os
import shutil
import subprocess

import stash
from qemu import UBOOT, arguments


def device_tree():
    """The machine's tree, which tells U-Boot not to boot by itself."""
    tree = stash.WORK / "prompt.dtb"
    shutil.copy(stash.PAYLOAD / "virt.dtb", tree)
    subprocess.run(["fdtput", "-p", "-t", "x", tree, "/config", "bootdelay", "ffffffff"], check=True)
    return tree


def main():
    disk = stash.disk()
    print(f"==> on the disk (virtio 0): {' '.join(stash.FILES)}")
    print("==> README.md says what to type. Ctrl-A X ends QEMU; what is written to the disk is gone then", flush=True)
    argv = arguments(bios=UBOOT, dtb=device_tree(), disk=disk) + ["-serial", "mon:stdio"]
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
