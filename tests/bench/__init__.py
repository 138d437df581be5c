# SPDX-License-Identifier: GPL-2.0-or-later
"""What kexec takes, by every way that there is; `make bench`, see docs/bench.md."""
