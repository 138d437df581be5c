# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of a class may share one machine and build on each other: after a failed step, the rest is not run."""

import fresh
import pytest

# Before any test is imported: some read the environment at import
fresh.enter()


def pytest_runtest_makereport(item, call):
    if call.excinfo is not None and "steps" in item.keywords and not call.excinfo.errisinstance(pytest.skip.Exception):
        item.parent.failed_step = item.name


def pytest_runtest_setup(item):
    failed = getattr(item.parent, "failed_step", None)
    if failed and "steps" in item.keywords:
        pytest.fail(f"not run: {failed} failed before it", pytrace=False)
