# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/measure counts what it says."""

import importlib.machinery
import importlib.util

import pytest

from qemu import TOP


@pytest.fixture(name="measure")
def fixture_measure(monkeypatch, tmp_path):
    """The script as a module, in a tree of its own."""
    loader = importlib.machinery.SourceFileLoader("measure", str(TOP / "scripts/measure"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("measure", loader))
    loader.exec_module(module)
    monkeypatch.setattr(module, "TOP", tmp_path)
    return module


def test_comments_and_blanks_are_no_code(measure, tmp_path):
    (tmp_path / "x.c").write_text('/* a\n * b\n */\nchar *s = "/* no comment */"; // c\n\nint i; /* d */\n\t/* e */\nchar c = \'"\'; /* "\n */\n')
    assert measure.lines(["x.c"]) == 3


@pytest.mark.parametrize("arrows, found", [
    ({"a": {"b"}, "b": {"c"}}, []),
    ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [("a", "b")]),
    ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}}, [("a", "b", "c"), ("d", "e")]),
])
def test_circles(measure, arrows, found):
    assert measure.circles(arrows) == found


def test_prototypes_are_neither_stubs_nor_macros(measure, tmp_path):
    (tmp_path / "x.h").write_text("""#define m(x) \\
	f(x)
struct s { int (*method)(int); };
int first(struct s *s,
	  int i);
extern void second(void);
#else
static inline int stub(void) { if (1) { return first(0, 0); } return 0; }
static inline void empty(void) {}
#endif
""")
    assert measure.prototypes("x.h") == ["first", "second"]
