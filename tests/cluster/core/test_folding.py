"""What the pure core is spared: constants are their values, small calls their bodies."""

import ast
from pathlib import Path

import pytest

from cluster.core import folding, forms
from cluster.core.folding import RECEIVERS, STATEMENTS, folded
from cluster.core.meanings import Meanings, module_of, read

ROOT = Path(__file__).resolve().parents[3]

NUMBERS = b"""
from typing import Final

ONE: Final = 1
MANY: Final = ONE << 4
LESS: Final = -ONE
NAME: Final = "one"


def pair(at, what):
    return (at, MANY, what)


def both(task):
    return task.left + task.left


def note(task, number):
    task.number = number + ONE


def look(task):
    if task is None:
        return
    task.number = ONE
"""


def fold(text: str) -> str:
    """Return what becomes of a module that uses ``kernel.numbers``."""
    files = {"kernel/numbers.py": NUMBERS, "kernel/here.py": text.encode()}
    return folded(files)["kernel/here.py"].decode()


def body(*lines: str) -> str:
    """Return a module with a function of these lines."""
    head = "from kernel import numbers as n\nfrom kernel.numbers import ONE, NAME, note, pair\n\n\n"
    return head + "def here(task, x):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return ONE", "return 1"),
        ("return x == n.MANY", "return x == 16"),
        ("return x + n.LESS", "return x + (-1)"),
        ("return NAME", "return NAME"),
        ('return f"{ONE}"', 'return f"{ONE}"'),
        ("return pair(x.at, ONE)", "return ((x.at, 16, 1))"),
        ("return n.both(x)", "return (x.left + x.left)"),
        ("return n.both(x.y)", "return n.both(x.y)"),
        ("return pair(at=x, what=x)", "return pair(at=x, what=x)"),
    ],
)
def test_constants_and_expressions_take_the_place_of_names_and_calls(
    line: str, expected: str
) -> None:
    assert fold(body(line)).rstrip().endswith(expected)


def test_a_name_that_the_function_binds_itself_is_left_alone() -> None:
    text = body("ONE = x", "return ONE")
    assert fold(text) == text


def test_a_call_of_a_listed_function_is_replaced_by_its_statements(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folding, "STATEMENTS", (("kernel.numbers", "note"),))
    text = fold(body("note(task, x.y)"))
    assert "fold__0_number = x.y\n    task.number = fold__0_number + 1\n" in text


def test_a_function_that_is_left_early_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "STATEMENTS", (("kernel.numbers", "look"),))
    text = body("n.look(task)")
    assert fold(text) == text


def test_a_method_is_known_by_the_annotation_of_what_it_is_called_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = "class Kernel:\n    def send(self, what):\n        self.sent = what\n"
    files = {
        "kernel/kernel.py": kernel.encode(),
        "kernel/here.py": b'def one(k: "Kernel"):\n    k.send(1)\n\n\ndef two(k):\n    k.send(1)\n',
    }
    monkeypatch.setattr(folding, "STATEMENTS", (("kernel.kernel", "Kernel.send"),))
    text = folded(files)["kernel/here.py"].decode()
    assert text == 'def one(k: "Kernel"):\n    k.sent = 1\n\n\ndef two(k):\n    k.send(1)\n'


def _kernel() -> dict[str, bytes]:
    return forms.with_quick_forms(forms.read_sources(ROOT))


def test_whatever_is_listed_is_in_the_kernel_and_can_be_replaced() -> None:
    sources = {module_of(path): read(ast.parse(text)) for path, text in _kernel().items()}
    meanings = Meanings(sources, "")
    assert [key for key in STATEMENTS if meanings.statements(key) is None] == []
    assert [name for name, (at, owner) in RECEIVERS.items() if at not in sources or not owner] == []


def test_no_module_of_the_kernel_loses_a_function_or_a_line_of_its_own() -> None:
    before = _kernel()
    for path, text in folded(before).items():
        trees = ast.parse(before[path]), ast.parse(text)
        names = [
            [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
            for tree in trees
        ]
        assert names[0] == names[1], path
