"""Every place in the kernel that records an event passes as many values as the event has fields.

A wrong one would only show when somebody reads the trace, so all calls are looked at in the source.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel import events

NUMBERS = {
    name: value for name, value in vars(events).items() if name.isupper() and name != "EVENTS"
}
SOURCES = sorted((Path(__file__).parents[3] / "kernel").rglob("*.py"))


def recorded(tree: ast.AST) -> Iterator[tuple[int, str, list[ast.expr]]]:
    """Yield (line, name of the event, values of its fields) of every record that is made."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        values: list[ast.expr] = []
        if node.func.attr == "emit":
            fields = node.args[1]
            values = [node.args[0], *(fields.elts if isinstance(fields, ast.Tuple) else ())]
        elif (
            node.func.attr == "append"
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr == "trace"
            and isinstance(node.args[0], ast.Tuple)
        ):
            values = node.args[0].elts[1:]
        if values:
            event = values[0]
            name = event.attr if isinstance(event, ast.Attribute) else getattr(event, "id", "")
            # a helper that passes on what its callers name is not looked at
            if name in NUMBERS:
                yield node.lineno, name, values[1:]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_record_has_the_fields_of_its_event(path: Path) -> None:
    for line, name, values in recorded(ast.parse(path.read_text())):
        fields = events.EVENTS[NUMBERS[name]][1]
        assert len(values) == len(fields), f"{path.name}:{line}: {name} has {fields}"


def test_the_kernel_records_switches() -> None:
    found = [name for path in SOURCES for _, name, _ in recorded(ast.parse(path.read_text()))]
    assert "SCHED_SWITCH" in found
