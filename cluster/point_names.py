"""The names of all points of the kernel's source, read from the source itself.

A point is written ``yield "name", KIND, object``; nothing registers it. Mutations in a config are
checked against this list, and ``smplab list`` and tests may show it.
"""

import ast
from functools import cache
from pathlib import Path

from kernel import points


@cache
def point_kinds() -> dict[str, int]:
    """Return the kind of every point by its name, in the order of the source.

    Raises:
        ValueError: one name is at two places with different kinds.
    """
    kinds: dict[str, int] = {}
    for name, kind, where in point_places():
        if kinds.setdefault(name, kind) != kind:
            raise ValueError(f"{where}: the point {name} has another kind elsewhere")
    return kinds


def point_places() -> list[tuple[str, int, str]]:
    """Return ``(name, kind, "file:line")`` of every point in the kernel's source."""
    root = Path(__file__).resolve().parents[1] / "kernel"
    found: list[tuple[str, int, str]] = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Yield) or not isinstance(node.value, ast.Tuple):
                continue
            if len(node.value.elts) != 3:
                continue
            name, kind, _obj = node.value.elts
            if not isinstance(name, ast.Constant):
                continue
            where = f"{path.relative_to(root.parent)}:{node.lineno}"
            if isinstance(kind, ast.Name):
                found.append((str(name.value), points.step_kind(getattr(points, kind.id)), where))
            elif isinstance(kind, ast.IfExp):  # taken one way or another
                found.append((str(name.value), points.ACQUIRE, where))
    return found
