# SPDX-License-Identifier: GPL-2.0-or-later
"""A module's tests share one machine, in the order they stand in: after a failed step, the rest cannot be judged."""

import fresh
import pytest

# Before any test is imported: some read the environment then
fresh.enter()


def pytest_runtest_makereport(item, call):
    if call.excinfo is not None and "steps" in item.keywords and not call.excinfo.errisinstance(pytest.skip.Exception):
        item.parent.failed_step = item.name


def pytest_runtest_setup(item):
    failed = getattr(item.parent, "failed_step", None)
    if failed and "steps" in item.keywords:
        pytest.fail(f"not run: {failed} failed before it", pytrace=False)
