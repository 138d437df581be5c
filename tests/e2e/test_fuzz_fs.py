# SPDX-License-Identifier: GPL-2.0-or-later
"""Half a minute of make fuzz-fs, from one seed, on the kernel that all other tests run on."""

import fuzz_fs
from qemu import SCALE


def test_random_operations_leave_no_report():
    counts = fuzz_fs.hammer("fuzz-fs-check", 30, seed=1, stuck=int(12 * SCALE))
    print("\n".join(f"{key}: {good} of {done}" for key, (good, done) in counts.items()))
