"""Moves, swaps, splits and leaves out code of the kernel's paths, in their syntax trees.

A *unit* is what goes along with a point: its statement alone, or the statements from it up to the
next one in the same list that has a point or a way out. A unit is moved within one function: to the
statement of the innermost list that holds both, or a compound statement around them. Nothing else
is changed, so what then goes wrong is what the mutation is about.

Refused is what would be no seeded bug but a program that is none: a name that is used before it is
bound, code that is never reached, and what changes nothing.
"""

import ast
import copy
from collections.abc import Iterable, Iterator
from typing import Final

from cluster.core.meanings import Key, body_of, names_bound_in
from cluster.mutations.source import Edited, lists_in, point_of
from kernel import points
from kernel.drive.mutations import (
    DROP,
    MOVE,
    WEAKEN,
    Mutation,
    Place,
    admits,
    needs_code,
    weaker,
)
from kernel.errors import BadMutation
from kernel.points import BARRIER, POINT, UPDATE

_JUMPS: Final = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_OURS: Final = ("k.now_ns", "k.stats.", "stats.", "k.emit", "k.current.msg_ns")
_TURNS: Final = 8  # what is brought along may itself need something


def apply(edited: Edited, mutation: Mutation) -> None:
    """Change the functions that ``mutation`` is about; none if it is the driver's alone.

    Raises:
        BadMutation: it makes no sense; then nothing is changed.
    """
    place = mutation.place
    point = edited.paths.point(place.point)
    code = own_code(edited, place)
    stores = any(map(_stores, code))
    if mutation.action == WEAKEN:
        weaker(mutation, point.kind, stores=stores)
    elif mutation.action == DROP:
        _check_drop(point.kind, bool(code))
    if not needs_code(mutation, point.kind):
        _check_function(edited, place)
        return
    if mutation.other is not None:
        key = edited.common(place, mutation.other)
    elif point.kind == BARRIER and not stores:
        return
    elif place.function:
        raise BadMutation(f"changes {point.key[1]}(), whoever calls it: leave out @")
    else:
        key = point.key
    function = edited.function(key)
    was = copy.deepcopy(function)
    try:
        _change(edited, key, mutation)
        _bring_along(function, _unbound(was))
        _check(function, _unbound(was))
        if _spinning(function) > _spinning(was):
            raise BadMutation("leaves a loop without a point: nobody else could go until it ends")
        if nameless(function) == nameless(was):
            raise BadMutation("changes nothing: what stands there does the same already")
    except BadMutation:
        edited.functions[key] = was
        raise


def _change(edited: Edited, key: Key, mutation: Mutation) -> None:
    place, other = mutation.place, mutation.other
    if other is not None and mutation.action == MOVE:
        _move(edited, key, place, other, mutation.side)
    elif other is not None:
        _swap(edited, key, place, other)
    elif mutation.action == DROP:
        _leave_out(edited, key, place)
    else:
        _split(edited, key, place)


def nameless(function: ast.FunctionDef) -> str:
    """Return the code of a function as text, without the names of its points."""
    bare = copy.deepcopy(function)
    for part in ast.walk(bare):
        if point_of(part) is not None:
            assert isinstance(part, ast.Yield) and isinstance(part.value, ast.Tuple)
            part.value.elts[0] = ast.Constant("")
    return ast.dump(bare)


def own_code(edited: Edited, place: Place) -> list[ast.stmt]:
    """Return the statements that belong to a point: none if it is a lock, an access or a sleep."""
    point = edited.paths.point(place.point)
    if point.kind not in (POINT, BARRIER, UPDATE):
        return []
    function = edited.functions.get(point.key) or edited.paths.functions[point.key]
    found = edited.paths.leading(point.key, function, point)
    return _unit(function, found[0], True)[1:] if found else []


def admitted(edited: Edited, name: str) -> list[str]:
    """Return the mutations of the point ``name``, as ``kernel.drive.mutations.admits`` does."""
    code = own_code(edited, Place(name))
    kind = edited.paths.point(name).kind
    return admits(kind, code=bool(code), stores=any(map(_stores, code)))


def _check_drop(kind: int, has_code: bool) -> None:
    if DROP not in admits(kind, code=has_code):
        if kind == POINT:
            raise BadMutation("has no code of its own that could be left out")
        what = points.KIND_NAMES[kind].replace("_", " ")
        raise BadMutation(f"what this {what} reads is needed: weaken or move it")


def _check_function(edited: Edited, place: Place) -> None:
    """See that a point that is changed only where a function leads to it is led to by it."""
    if not place.function:
        return
    if place.number:
        raise BadMutation("#… is for what is moved")
    point = edited.paths.point(place.point)
    above = edited.paths.above(point.key)
    if not edited.paths.named(place.function):
        raise BadMutation(f"there is no function {place.function}()")
    if not any(key[1] == place.function for key in above):
        raise BadMutation(f"{place.function}() does not lead to {place.point}")


# -- where things are ------------------------------------------------------------------------------

_Chain = list[tuple[list[ast.stmt], ast.stmt]]


def _chain(function: ast.FunctionDef, wanted: ast.stmt) -> _Chain:
    """Return the lists around a statement, from outermost to innermost, each with what holds it."""

    def of(body: list[ast.stmt]) -> _Chain | None:
        for statement in body:
            if statement is wanted:
                return [(body, statement)]
            for inner in lists_in(statement):
                found = of(inner)
                if found is not None:
                    return [(body, statement), *found]
        return None

    chain = of(function.body)
    assert chain is not None
    return chain


def _at(body: list[ast.stmt], wanted: ast.stmt) -> int:
    return next(place for place, one in enumerate(body) if one is wanted)


def _has_point(statement: ast.stmt) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(statement))


def _spinning(function: ast.FunctionDef) -> int:
    """Return how many loops have no point."""
    return sum(isinstance(part, ast.While) and not _has_point(part) for part in ast.walk(function))


def _leaves(statement: ast.stmt) -> bool:
    return isinstance(statement, _JUMPS)


def _unit(function: ast.FunctionDef, statement: ast.stmt, whole: bool) -> list[ast.stmt]:
    """Return the statements that go along with ``statement``, itself first."""
    body = _chain(function, statement)[-1][0]
    unit = [statement]
    if whole:
        for one in body[_at(body, statement) + 1 :]:
            if _has_point(one) or _leaves(one):
                break
            unit.append(one)
    return unit


def _unit_at(edited: Edited, key: Key, place: Place) -> list[ast.stmt]:
    """Return the unit that ``place`` means in function ``key``."""
    statement = edited.statement(key, place)
    if isinstance(statement, ast.Return):
        raise BadMutation(f"{key[1]}() ends with {place.point}: that cannot be elsewhere")
    at = next((found for part in ast.walk(statement) if (found := point_of(part))), None)
    brings = place.whole or (at is not None and at[1] in (POINT, UPDATE))
    return _unit(edited.function(key), statement, brings)


# -- what is done ----------------------------------------------------------------------------------


def _move(edited: Edited, key: Key, place: Place, other: Place, side: str) -> None:
    function = edited.function(key)
    unit = _unit_at(edited, key, place)
    goal = edited.statement(key, other)
    if any(one is goal for one in unit):
        raise BadMutation(f"{place.point} and {other.point} are in one block of {key[1]}()")
    body, aim = _common(_chain(function, unit[0]), _chain(function, goal), place, other)
    home = _chain(function, unit[0])[-1][0]
    _take(home, unit)
    at = _at(body, aim) + (side == "after")
    if at and _leaves(body[at - 1]):
        raise BadMutation(f"nothing comes after {other.point} in {key[1]}()")
    body[at:at] = unit
    if not home:
        home.append(ast.copy_location(ast.Pass(), unit[0]))


def _common(
    chain: _Chain, goal: _Chain, place: Place, other: Place
) -> tuple[list[ast.stmt], ast.stmt]:
    """Return the innermost list that holds both, and the statement in it that holds the goal."""
    for (body, statement), (goal_body, goal_statement) in zip(chain, goal, strict=False):
        if body is not goal_body:
            raise BadMutation(
                f"{place.point} and {other.point} are in two branches: only one of them is done"
            )
        if statement is not goal_statement:
            return body, goal_statement
    raise BadMutation(f"{place.point} and {other.point} are one statement")


def _swap(edited: Edited, key: Key, place: Place, other: Place) -> None:
    function = edited.function(key)
    one, two = _unit_at(edited, key, place), _unit_at(edited, key, other)
    if any(first is second for first in one for second in two):
        raise BadMutation(f"{place.point} and {other.point} are in one block of {key[1]}()")
    mine, its = _chain(function, one[0])[-1][0], _chain(function, two[0])[-1][0]
    here, there = ast.Pass(), ast.Pass()
    mine.insert(_at(mine, one[0]), here)
    its.insert(_at(its, two[0]), there)
    _take(mine, one)
    _take(its, two)
    _put(mine, here, two)
    _put(its, there, one)


def _take(body: list[ast.stmt], unit: Iterable[ast.stmt]) -> None:
    for one in unit:
        del body[_at(body, one)]


def _put(body: list[ast.stmt], mark: ast.stmt, unit: list[ast.stmt]) -> None:
    at = _at(body, mark)
    body[at : at + 1] = unit


def _leave_out(edited: Edited, key: Key, place: Place) -> None:
    function = edited.function(key)
    unit = _unit(function, edited.statement(key, place), True)
    if not place.whole:
        del unit[2:]
    _take(_chain(function, unit[0])[-1][0], unit[1:])


def _split(edited: Edited, key: Key, place: Place) -> None:
    """Let others come in wherever the code of a point stores something."""
    function = edited.function(key)
    statement = edited.statement(key, place)
    unit = _unit(function, statement, True)
    body = _chain(function, statement)[-1][0]
    target = ""
    for part in ast.walk(statement):
        at = point_of(part)
        if at is not None and at[1] == UPDATE:
            assert isinstance(part, ast.Yield) and isinstance(part.value, ast.Tuple)
            cell = part.value.elts[2]
            assert isinstance(cell, ast.Tuple) and isinstance(cell.elts[1], ast.Constant)
            target = f"{ast.unparse(cell.elts[0])}.{cell.elts[1].value!s}"
            part.value.elts[1] = _kind("LOAD")
    splitter = _Splitter(place.point, target)
    code = unit[1:]
    at_first = _at(body, statement) + 1
    body[at_first : at_first + len(code)] = splitter.split(code)
    ast.fix_missing_locations(function)
    if not splitter.count:
        raise BadMutation("has no code of its own that could be split")


def _kind(name: str) -> ast.expr:
    """Return the kind of a point, which not every module has imported under its name."""
    return ast.Constant(getattr(points, name))


class _Splitter:
    """Puts a point before each statement that stores, and evaluates before what it stores."""

    def __init__(self, point: str, target: str) -> None:
        self._point = point
        self._target = target  # what an UPDATE updates: stored by the rules of the memory model
        self.count = 0

    def split(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Return the statements of ``body`` with the points."""
        found: list[ast.stmt] = []
        for statement in body:
            inner = list(lists_in(statement))
            if inner:
                if not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Try):
                    for one in inner:
                        one[:] = self.split(one)
                found.append(statement)
            elif _stores(statement):
                found += self._parts(statement)
            else:
                found.append(statement)
        return found

    def _parts(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        self.count += 1
        name = f"mutation__{self.count}"
        value: ast.expr | None = None
        if isinstance(statement, ast.AugAssign):
            old = copy.deepcopy(statement.target)
            old.ctx = ast.Load()
            value = ast.BinOp(old, statement.op, statement.value)
            target: ast.expr = statement.target
            statement = ast.copy_location(
                ast.Assign([target], ast.Name(name, ast.Load())), statement
            )
        elif isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
            value = statement.value
            statement.value = ast.Name(name, ast.Load())
        if value is not None:
            first = ast.Assign([ast.Name(name, ast.Store())], value)
            yield ast.fix_missing_locations(ast.copy_location(first, statement))
        if (
            self._target
            and isinstance(statement, ast.Assign)
            and ast.unparse(statement.targets[0]) == self._target
        ):
            cell = statement.targets[0]
            assert isinstance(cell, ast.Attribute)
            parts = [cell.value, ast.Constant(cell.attr), statement.value]
            yield self._yield(statement, "STORE", ast.Tuple(parts, ast.Load()))
            return
        yield self._yield(statement, "POINT", ast.Constant(None))
        yield statement

    def _yield(self, where: ast.stmt, kind: str, about: ast.expr) -> ast.stmt:
        parts = [ast.Constant(f"{self._point}.split"), _kind(kind), about]
        point = ast.Expr(ast.Yield(ast.Tuple(parts, ast.Load())))
        return ast.fix_missing_locations(ast.copy_location(point, where))


def _stores(statement: ast.stmt) -> bool:
    """Tell whether a statement, or one in it, changes more than variables of its function."""
    inner = list(lists_in(statement))
    if inner:
        return any(_stores(one) for body in inner for one in body)
    if isinstance(statement, ast.Assign):
        return any(map(_is_shared, statement.targets))
    if isinstance(statement, ast.AugAssign):
        return _is_shared(statement.target)
    if isinstance(statement, ast.Delete):
        return any(map(_is_shared, statement.targets))
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    return isinstance(called, ast.Name) or _is_shared(called)


def _is_shared(node: ast.expr) -> bool:
    """Tell whether what is stored to is memory of the machine: not its clock, counters or trace."""
    text = ast.unparse(node)
    return not isinstance(node, ast.Name) and not text.startswith(_OURS)


# -- what makes no sense ---------------------------------------------------------------------------


def _unbound(function: ast.FunctionDef) -> set[tuple[str, int]]:
    """Return the uses of variables that no statement before has bound, as ``(name, line)``."""
    local = names_bound_in(function)
    bound = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
    found: set[tuple[str, int]] = set()

    def use(node: ast.AST) -> None:
        for part in ast.walk(node):
            if not isinstance(part, ast.Name) or not isinstance(part.ctx, ast.Load):
                continue
            if part.id in local and part.id not in bound:
                found.add((part.id, part.lineno))

    def bind(node: ast.AST) -> None:
        bound.update(
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
        )

    def walk(body: list[ast.stmt]) -> None:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                bound.add(statement.name)
                continue
            inner = list(lists_in(statement))
            for _name, value in ast.iter_fields(statement):
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, ast.expr | ast.withitem):
                        bind_inside = isinstance(one, ast.expr) and not inner
                        if not bind_inside:
                            bind(one)
                        use(one)
            bind_here = [statement] if not inner else []
            for one in bind_here:
                bind(one)
            for handler in getattr(statement, "handlers", ()):
                if handler.name:
                    bound.add(handler.name)
            for case in getattr(statement, "cases", ()):
                bound.update(names_bound_in(case.pattern))
            for one_body in inner:
                walk(one_body)

    walk(body_of(function))
    return found


def _check(function: ast.FunctionDef, before: set[tuple[str, int]]) -> None:
    lost = _lost_jump(function.body, False)
    if lost is not None:
        word = "break" if isinstance(lost, ast.Break) else "continue"
        raise BadMutation(f"line {lost.lineno} of {function.name}() is a {word}, without its loop")
    new = sorted(_unbound(function) - before, key=lambda use: (use[1], use[0]))
    if new:
        name, line = new[0]
        raise BadMutation(
            f"{name}, which line {line} of {function.name}() uses, is not set by then"
        )


def _lost_jump(body: list[ast.stmt], in_loop: bool) -> ast.stmt | None:
    """Return a ``break`` or ``continue`` that is in no loop any more."""
    for statement in body:
        if isinstance(statement, ast.Break | ast.Continue) and not in_loop:
            return statement
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        is_loop = isinstance(statement, ast.For | ast.While)
        for inner in lists_in(statement):
            inside = in_loop or (is_loop and inner is statement.body)  # type: ignore[attr-defined]
            found = _lost_jump(inner, inside)
            if found is not None:
                return found
    return None


def _bring_along(function: ast.FunctionDef, before: set[tuple[str, int]]) -> None:
    """Set what a moved statement needs before it, if that is only a name for what is there.

    So ``lock = task.lock`` comes along with the point that takes the lock.
    """
    for _turn in range(_TURNS):
        new = sorted(_unbound(function) - before, key=lambda use: (use[1], use[0]))
        if not new:
            return
        name, line = new[0]
        user = next(
            (one for one in _all_statements(function) if one.lineno == line and _uses(one, name)),
            None,
        )
        setters = [one for one in _all_statements(function) if _sets(one, name)]
        if user is None or len(setters) != 1 or not _is_name_for(setters[0]):
            return
        body = _chain(function, user)[-1][0]
        body.insert(_at(body, user), copy.deepcopy(setters[0]))


def _all_statements(function: ast.FunctionDef) -> Iterator[ast.stmt]:
    return (
        part for part in ast.walk(function) if isinstance(part, ast.stmt) and part is not function
    )


def _uses(statement: ast.stmt, name: str) -> bool:
    inner = list(lists_in(statement))
    return not inner and any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
        for part in ast.walk(statement)
    )


def _sets(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For):
        targets = [statement.target]
    else:
        return False
    return any(
        isinstance(part, ast.Name) and part.id == name
        for target in targets
        for part in ast.walk(target)
    )


def _is_name_for(statement: ast.stmt) -> bool:
    """Tell whether a statement only gives a name to what fields lead to, or to a task's lock."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    return all(
        isinstance(part, ast.Name | ast.Attribute | ast.BoolOp | ast.Or | ast.Load)
        or (isinstance(part, ast.Call) and ast.unparse(part.func).endswith("_lock"))
        for part in ast.walk(statement.value)
    )
