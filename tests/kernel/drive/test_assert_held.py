"""Functions that want a lock held say so, and a path that has not got it is found out."""

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest

from kernel.drive.lockdep import assert_held
from kernel.errors import InvariantError

KERNEL = Path(__file__).resolve().parents[3] / "kernel"
LOCK = SimpleNamespace(name="siglock")


def kernel(held=(), skipped=()):
    path = SimpleNamespace(held=list(held), skipped=list(skipped), task="somebody", op=("f", 0, 0))
    return SimpleNamespace(stepping=path)


def test_whoever_has_the_lock_passes():
    assert_held(kernel([(LOCK, "f.lock", False)]), LOCK)
    assert_held(kernel([(LOCK, "f.lock", True)]), LOCK)
    assert_held(kernel([(LOCK, "f.lock", False)]), LOCK, exclusive=True)


def test_whoever_has_not_is_told_where_it_stands():
    other = SimpleNamespace(name="siglock")
    with pytest.raises(InvariantError, match="'somebody' has no siglock after f, and needs it"):
        assert_held(kernel([(other, "f.lock", False)]), LOCK)
    with pytest.raises(InvariantError, match="no siglock for writing after f"):
        assert_held(kernel([(LOCK, "f.lock", True)]), LOCK, exclusive=True)


def test_a_lock_that_a_mutation_dropped_counts_as_held():
    assert_held(kernel(skipped=[LOCK]), LOCK)


def test_nothing_is_checked_outside_the_steps_of_a_path():
    assert_held(SimpleNamespace(stepping=None), LOCK)


# Say "Caller holds" and do not check it, each for a reason
UNCHECKED = {
    "for_each_process": "readers of /proc and kill(-1) walk under RCU on Linux",
}


def test_what_says_that_its_caller_holds_a_lock_checks_it():
    silent = []
    for path in sorted(KERNEL.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef) or node.name in UNCHECKED:
                continue
            says = (ast.get_docstring(node) or "").lower()
            needs = "caller holds" in says or "under siglock" in says
            if needs and "assert_held(" not in ast.unparse(node):
                silent.append(f"{path.name}: {node.name}")
    assert silent == []
