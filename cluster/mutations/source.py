"""The kernel's paths as their source has them: where each point is, and which calls lead to it."""

import ast
import copy
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cluster.core.meanings import Key, Meanings, Source, module_of, read
from kernel import points
from kernel.drive.mutations import Place
from kernel.errors import BadMutation

_ROOT: Final = Path(__file__).resolve().parents[2]
_YIELD: Final = re.compile(r'yield "([A-Za-z0-9_.]+)", ([A-Z_]+),')


@dataclass(frozen=True, slots=True)
class PointAt:
    """A point: its kind, the function it is in, the object as the source has it, the line."""

    name: str
    kind: int
    key: Key
    about: str
    line: int


class Paths:
    """All functions of the kernel that are paths, or return one."""

    def __init__(self, sources: dict[str, Source], files: dict[str, Path]) -> None:
        self._meanings = Meanings(sources, "")
        self._files = files
        self.functions: dict[Key, ast.FunctionDef] = {}
        self.points: dict[str, PointAt] = {}
        self._calls: dict[Key, list[Key]] = {}
        self._callers: dict[Key, list[Key]] = {}
        for module, source in sources.items():
            for name, node in source.functions.items():
                if "." not in name and not node.decorator_list:
                    self._note((module, name), node)
        for key, called in self._calls.items():
            for other in called:
                self._callers.setdefault(other, []).append(key)

    def _note(self, key: Key, node: ast.FunctionDef) -> None:
        self.functions[key] = node
        called: list[Key] = []
        is_path = False
        for part in ast.walk(node):
            point = point_of(part)
            if point is not None:
                is_path = True
                name, kind, about = point
                self.points.setdefault(name, PointAt(name, kind, key, about, part.lineno))  # type: ignore[attr-defined]
            elif isinstance(part, ast.YieldFrom):
                is_path = True
                called += self._called(key[0], part)
        if not is_path:  # what it returns may be a path
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and part.value is not None:
                    called += self._called(key[0], part)
        self._calls[key] = called

    def _called(self, module: str, node: ast.AST) -> list[Key]:
        found = []
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                key = self._meanings.meant(module, part.func)
                if key is not None:
                    found.append(key)
        return found

    def file(self, key: Key) -> Path:
        """Return the file that a function is in."""
        return self._files[key[0]]

    def place(self, point: PointAt) -> str:
        """Return ``file:line`` of a point."""
        return f"{self._files[point.key[0]].relative_to(_ROOT)}:{point.line}"

    def point(self, name: str) -> PointAt:
        """Return the point of this name.

        Raises:
            BadMutation: there is none.
        """
        found = self.points.get(name)
        if found is None:
            raise BadMutation(f"there is no point {name}", name)
        return found

    def named(self, name: str) -> list[Key]:
        """Return the functions of this name."""
        return [key for key in self.functions if key[1] == name]

    def above(self, key: Key) -> dict[Key, int]:
        """Return every function that leads to ``key``, itself included, and by how many calls."""
        found = {key: 0}
        level = [key]
        while level:
            following = []
            for one in level:
                for caller in self._callers.get(one, ()):
                    if caller not in found:
                        found[caller] = found[one] + 1
                        following.append(caller)
            level = following
        return found

    def leading(self, key: Key, node: ast.FunctionDef, point: PointAt) -> list[ast.stmt]:
        """Return the statements of a function in which ``point`` is, or which lead to it.

        Args:
            node: the function ``key``, as it is by now.
        """
        above = self.above(point.key)
        found = []
        for statement in simple_statements(node):
            for part in ast.walk(statement):
                at = point_of(part)
                if (at is not None and at[0] == point.name) or (
                    isinstance(part, ast.YieldFrom)
                    and any(one in above for one in self._called(key[0], part))
                ):
                    found.append(statement)
                    break
        return found


@cache
def paths() -> Paths:
    """Return what the source of the kernel has, read once."""
    sources, files = {}, {}
    for path in _files():
        text = path.read_bytes()
        if b"yield" in text or b"Path[" in text:
            module = module_of(path.relative_to(_ROOT).as_posix())
            sources[module] = read(ast.parse(text))
            files[module] = path
    return Paths(sources, files)


def _files() -> list[Path]:
    return sorted((_ROOT / "kernel").rglob("*.py"))


@cache
def kinds_by_text() -> dict[str, int]:
    """Return the kinds of points by name, without a parser: for who needs no more than that."""
    found = {}
    for path in _files():
        for name, kind in _YIELD.findall(path.read_text("utf-8")):
            found[name] = points.step_kind(getattr(points, kind))
    return found


def point_of(node: ast.AST) -> tuple[str, int, str] | None:
    """Return name, kind and object of a point, if ``node`` is the ``yield`` of one.

    A lock that is taken one way or another (``READ if … else ACQUIRE``) is an ACQUIRE.
    """
    if not isinstance(node, ast.Yield) or not isinstance(node.value, ast.Tuple):
        return None
    parts = node.value.elts
    if len(parts) != 3 or not isinstance(parts[0], ast.Constant):
        return None
    kinds = [part.id for part in ast.walk(parts[1]) if isinstance(part, ast.Name)]
    known = [getattr(points, kind, None) for kind in kinds if kind.isupper()]
    values = [points.step_kind(kind) for kind in known if type(kind) is int]
    if not values:
        return None
    kind = values[0] if isinstance(parts[1], ast.Name) else points.ACQUIRE
    return str(parts[0].value), kind, ast.unparse(parts[2])


def lists_in(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements that a compound statement consists of."""
    for name in ("body", "orelse", "finalbody"):
        found = getattr(statement, name, None)
        if found:
            yield found
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
    for case in getattr(statement, "cases", ()):
        yield case.body


def simple_statements(function: ast.FunctionDef) -> Iterator[ast.stmt]:
    """Yield the statements of a function that consist of no others, in their order."""

    def of(body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            inner = list(lists_in(statement))
            if not inner:
                yield statement
            elif not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                for one in inner:
                    yield from of(one)

    return of(function.body)


def nearest(name: str, others: Sequence[str] = ()) -> str:
    """Return a hint at the point, or other name, that is most like ``name``."""
    known = [*kinds_by_text(), *others]
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; the nearest is {difflib.get_close_matches(name, known, 1, 0.0)[0]}"


class Edited:
    """Functions of the kernel on their way to others: a copy of each that is changed."""

    def __init__(self) -> None:
        self.paths = paths()
        self.functions: dict[Key, ast.FunctionDef] = {}

    def function(self, key: Key) -> ast.FunctionDef:
        """Return the function as it is by now, to be changed."""
        node = self.functions.get(key)
        if node is None:
            node = self.functions[key] = copy.deepcopy(self.paths.functions[key])
        return node

    def statement(self, key: Key, place: Place) -> ast.stmt:
        """Return the statement of function ``key`` that ``place`` means.

        Raises:
            BadMutation: there is none, or more than one.
        """
        point = self.paths.point(place.point)
        found = self.paths.leading(key, self.function(key), point)
        if not found:
            raise BadMutation(f"{key[1]}() does not lead to {place.point}")
        if place.number > len(found):
            raise BadMutation(
                f"{key[1]}() leads to {place.point} by {len(found)} statements, there is no "
                f"#{place.number}"
            )
        if len(found) > 1 and not place.number:
            lines = ", ".join(str(one.lineno) for one in found)
            raise BadMutation(
                f"{key[1]}() leads to {place.point} by {len(found)} statements (lines {lines}): "
                f"write {place.point}@{key[1]}#1 to #{len(found)}"
            )
        return found[max(place.number, 1) - 1]

    def common(self, one: Place, other: Place) -> Key:
        """Return the function in which both places are to be found.

        The one that is named; else the one in which the fewest calls lead to the two points.

        Raises:
            BadMutation: there is none, or more than one that is as good.
        """
        first, second = self.paths.point(one.point), self.paths.point(other.point)
        above, beside = self.paths.above(first.key), self.paths.above(second.key)
        named = [place.function for place in (one, other) if place.function]
        if len(set(named)) > 1:
            raise BadMutation(f"{named[0]}() and {named[1]}() are two functions")
        both = [key for key in above if key in beside]
        if named:
            if not self.paths.named(named[0]):
                near = difflib.get_close_matches(named[0], [key[1] for key in both], 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise BadMutation(f"there is no function {named[0]}(){hint}")
            both = [key for key in both if key[1] == named[0]]
            if not both:
                raise BadMutation(
                    f"{named[0]}() does not lead to both {one.point} and {other.point}"
                )
        fit = sorted(
            (above[key] + beside[key], key) for key in both if self._apart(key, first, second)
        )
        if not fit:
            if both:
                raise BadMutation(
                    f"no function has {one.point} and {other.point} in two statements of its own"
                )
            raise BadMutation(f"no path leads to both {one.point} and {other.point}")
        if len(fit) > 1 and fit[0][0] == fit[1][0]:
            known = [key[1] for calls, key in fit if calls == fit[0][0]]
            names = ", ".join(f"{one.point}@{name}" for name in known[:4])
            raise BadMutation(f"in which function? write {names}{', …' * (len(known) > 4)}")
        return fit[0][1]

    def _apart(self, key: Key, first: PointAt, second: PointAt) -> bool:
        node = self.functions.get(key) or self.paths.functions[key]
        one = self.paths.leading(key, node, first)
        other = self.paths.leading(key, node, second)
        return (
            bool(one) and bool(other) and not (len(one) == len(other) == 1 and one[0] is other[0])
        )
