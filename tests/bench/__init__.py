# SPDX-License-Identifier: GPL-2.0-or-later
"""What each way to kexec costs: `make bench`, see docs/bench.md."""
