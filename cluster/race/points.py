"""What there is to explore and to watch: every point of the kernel, and every field with its guard.

``listed_points`` reads the points from the kernel's source, so it can miss none. ``listed_fields``
goes through the slots of the watched structures: each has a lock that guards it (``GUARDS``), needs
none (``REASONS``), or is no memory that CPUs share (``UNSHARED``). One that has neither is listed
as unguarded; a test finds no such field.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.race.fields import REASONS, UNSHARED, WATCHED
from cluster.race.guards import GUARDS, IDLE_LOCKS, ONCE, ORDER, OWN
from kernel import points

_ROOT: Final = Path(__file__).resolve().parents[2]

LOCK: Final = "lock"
REASON: Final = "reason"
UNSHARED_FIELD: Final = "not shared"
UNGUARDED: Final = "unguarded"


@dataclass(frozen=True, slots=True)
class ListedPoint:
    """A point.

    Attributes:
        kind: as in ``points.KIND_NAMES``.
        place: ``file:line`` in the source.
        about: the object, as the source has it; empty if the point is about none.
        function: the path it is in.
        note: why dropping it cannot matter, if it cannot.
    """

    name: str
    kind: str
    place: str
    about: str
    function: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ListedField:
    """A watched field.

    Attributes:
        name: ``Structure.field``.
        place: ``file:line`` of its structure.
        how: LOCK, REASON, UNSHARED_FIELD or UNGUARDED.
        guard: the class of the lock.
        reason: why some uses, or all, need no lock.
        functions: those uses: names of functions; none: all.
    """

    name: str
    place: str
    how: str
    guard: str = ""
    reason: str = ""
    functions: tuple[str, ...] = ()


def listed_points() -> list[ListedPoint]:
    """Return all points of the kernel, in the order of the source."""
    found: list[ListedPoint] = []
    for path in sorted((_ROOT / "kernel").rglob("*.py")):
        text = path.read_text("utf-8")
        where = str(path.relative_to(_ROOT))
        found += sorted(_points_of(ast.parse(text), where, ""), key=_line)
    return found


def listed_fields() -> list[ListedField]:
    """Return all slots of the watched structures, in the order of ``WATCHED``."""
    found: list[ListedField] = []
    for cls in WATCHED:
        place = _place_of(cls)
        found += [_field(cls, field, place) for field in cls.__dict__.get("__slots__", ())]
    return found


def unguarded() -> list[str]:
    """Return the watched fields that have neither a guard nor a reason."""
    return [field.name for field in listed_fields() if field.how == UNGUARDED]


def as_plain() -> dict[str, list[dict[str, object]]]:
    """Return both lists as JSON has them."""
    return {
        "points": [
            {
                "name": point.name,
                "kind": point.kind,
                "place": point.place,
                "object": point.about,
                "function": point.function,
                "note": point.note,
            }
            for point in listed_points()
        ],
        "fields": [
            {
                "name": field.name,
                "place": field.place,
                "how": field.how,
                "guard": field.guard,
                "reason": field.reason,
                "functions": list(field.functions),
            }
            for field in listed_fields()
        ],
    }


def as_text() -> Iterator[str]:
    """Yield both lists, a line each."""
    listed = listed_points()
    width = max(len(point.name) for point in listed)
    yield f"{len(listed)} points:"
    for point in listed:
        about = f"  {point.about}" if point.about else ""
        yield f"  {point.name:<{width}}  {point.kind:<13}  {point.place}{about}"
        if point.note:
            yield f"  {'':<{width}}  cannot matter: {point.note}"
    fields = listed_fields()
    width = max(len(field.name) for field in fields)
    yield f"{len(fields)} fields of {len(WATCHED)} structures:"
    for field in fields:
        told = [field.guard] if field.guard else []
        if field.reason:
            only = f" ({', '.join(field.functions)})" if field.functions else ""
            told.append(f"without{only}: {field.reason}" if field.guard else field.reason + only)
        yield f"  {field.name:<{width}}  {'; '.join(told) or field.how}"


def _line(point: ListedPoint) -> int:
    return int(point.place.rpartition(":")[2])


def _points_of(node: ast.AST, where: str, function: str) -> Iterator[ListedPoint]:
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, ast.FunctionDef):
            inside = child.name
        elif isinstance(child, ast.Yield) and isinstance(child.value, ast.Tuple):
            parts = child.value.elts
            if len(parts) == 3 and isinstance(parts[0], ast.Constant):
                name = str(parts[0].value)
                kind = parts[1]
                if isinstance(kind, ast.IfExp):  # taken one way or another
                    kind = ast.Name("ACQUIRE")
                if isinstance(kind, ast.Name):
                    about = ast.unparse(parts[2])
                    yield ListedPoint(
                        name,
                        points.KIND_NAMES[getattr(points, kind.id)],
                        f"{where}:{child.lineno}",
                        "" if about == "None" else about,
                        inside,
                        IDLE_LOCKS.get(name, ""),
                    )
        yield from _points_of(child, where, inside)


def _place_of(cls: type) -> str:
    """Return where a structure is in the source, from which forms and modules are made."""
    where = f"{cls.__module__.replace('.', '/')}.py"
    for node in ast.parse((_ROOT / where).read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            return f"{where}:{node.lineno}"
    return where


def _field(cls: type, field: str, place: str) -> ListedField:
    name = f"{cls.__name__}.{field}"
    if field in UNSHARED.get(cls, ()):
        return ListedField(name, place, UNSHARED_FIELD)
    functions, reason = REASONS.get(name) or REASONS.get(f"{cls.__name__}.*") or ((), "")
    guard = GUARDS.get(name) or GUARDS.get(f"{cls.__name__}.*") or ""
    if guard in (OWN, ONCE, ORDER):
        reason = f"{guard}; else: {reason}" if reason else guard
        return ListedField(name, place, REASON, "", reason, functions)
    if guard:
        return ListedField(name, place, LOCK, guard, reason, functions)
    if reason and not functions:
        return ListedField(name, place, REASON, "", reason)
    return ListedField(name, place, UNGUARDED, "", reason, functions)
