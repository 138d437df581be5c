# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot our kernel with its KUnit tests on, and print their results as TAP."""

import re
import sys

from qemu import IMAGE, INITRAMFS, Machine


def main():
    with Machine("kunit", kernel=IMAGE, initrd=INITRAMFS,
                 append="console=ttyAMA0 kunit.enable=1 kunit.filter_glob=kexec*") as m:
        m.shell()
        log = m.run("dmesg")
    results = re.findall(r"\]\s{5,}((?:not )?ok \d+ .*)", log)
    for line in results:
        print(line)
    total = re.search(r"# Totals: pass:(\d+) fail:(\d+)", log)
    if not total or int(total.group(1)) + int(total.group(2)) != len(results):
        print(log)
        sys.exit("KUnit did not come to its end")
    sys.exit(1 if int(total.group(2)) else 0)


if __name__ == "__main__":
    main()
