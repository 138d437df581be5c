# SPDX-License-Identifier: GPL-2.0-or-later
"""A module's tests share one machine, in the order they stand in: after a failed step, the rest cannot be judged."""

import signal

import pytest

# Whoever starts the tests may have some ignored, as nohup and cron do, and what tests start would inherit that. SIGPIPE and
# SIGXFSZ are Python's own, which gives them back to its children
for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def pytest_runtest_makereport(item, call):
    if call.excinfo is not None and "steps" in item.keywords and not call.excinfo.errisinstance(pytest.skip.Exception):
        item.parent.failed_step = item.name


def pytest_runtest_setup(item):
    failed = getattr(item.parent, "failed_step", None)
    if failed and "steps" in item.keywords:
        pytest.fail(f"not run: {failed} failed before it", pytrace=False)
