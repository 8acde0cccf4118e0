"""A function is read at one sight: none has more than 80 lines, the docstring counted."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 80
#: what is longer, how long it may be, and why
LONGER = {
    "workloads/language/context.py:resume": (
        96,
        "the loop that runs blocks: a call in it would cost at each block or system call",
    ),
}


def lengths() -> Iterator[tuple[str, int]]:
    for package in ("kernel", "cluster", "workloads"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno is not None
                    where = f"{path.relative_to(ROOT).as_posix()}:{node.name}"
                    yield where, node.end_lineno - node.lineno + 1


def test_no_function_has_more_than_80_lines() -> None:
    too_long = {
        where: lines for where, lines in lengths() if lines > LONGER.get(where, (MOST_LINES, ""))[0]
    }
    assert too_long == {}


def test_every_exception_is_still_one() -> None:
    longest: dict[str, int] = {}
    for where, lines in lengths():
        longest[where] = max(lines, longest.get(where, 0))
    assert {where for where in LONGER if longest.get(where, 0) <= MOST_LINES} == set()
