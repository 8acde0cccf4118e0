"""Which globals a fork leaves uncopied: only those that nothing can change or hold on to."""

import ast

import pytest

from workloads.language.constant_tables import constant_tables


def names(text: str) -> tuple[str, ...]:
    return constant_tables(ast.parse(text))


@pytest.mark.parametrize(
    "use", ["x = T[1]", "x = 1 in T", "x = 1 not in T", "x = dict(T)", "x = sorted(T)", "len(T)"]
)
def test_a_table_that_is_only_read_is_constant(use: str) -> None:
    assert names(f"T = {{1: 2}}\ndef f():\n    {use}\n") == ("T",)


@pytest.mark.parametrize(
    "use",
    [
        "T[1] = 3",
        "T[1] += 3",
        "del T[1]",
        "T.clear()",
        "x = T",
        "x = [T]",
        "f(T)",
        "x = T in [T]",
        "x = 1 in T in [T]",
        "x = T if 1 else 2",
        "for x in T: pass",
        "x = lambda: T",
        "dict(T, a=1)",
        "T = 5",
        "T |= {}",
        "def T(): pass",
        "import T",
        "from os import path as T",
        "for T in [1]: pass",
        "x = (T := [])",
    ],
)
def test_a_table_that_could_change_or_be_held_is_not(use: str) -> None:
    assert names(f"T = {{1: 2}}\n{use}\n") == ()


def test_a_function_that_the_program_defines_itself_may_keep_what_it_gets() -> None:
    assert names("T = {1: 2}\ndef len(x): return x\ny = len(T)\n") == ()
    assert names("T = {1: 2}\nsorted = print\ny = sorted(T)\n") == ()


@pytest.mark.parametrize("value", ["{1: []}", "{**x}", "{1: x}", "{x: 1}", "dict()"])
def test_a_table_of_anything_but_constants_is_not(value: str) -> None:
    assert names(f"T = {value}\ny = T[1]\n") == ()
