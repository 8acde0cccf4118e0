"""The last part of a test: which final states it is about.

A formula is a nested tuple: ``("true",)``, ``("false",)``, ``("not", a)``, ``("and", a, b)``,
``("or", a, b)``, ``("=>", a, b)``, ``("=", place, what)``, ``("<>", place, what)``. A place is
``(process, register)``, or ``(-1, location)``; what it is compared with is a value or a place.

Source: herdtools7's lib/stateParser.mly.
"""

from collections.abc import Callable, Mapping
from typing import Final

from workloads.litmus.scanner import Scanner
from workloads.litmus.test import Expression, Value

Place = tuple[int, str]
State = Mapping[Place, Value]

QUANTIFIERS: Final = ("exists", "~exists", "forall", "final")


def parse_formula(scanner: Scanner) -> Expression:
    """Parse a formula. From tightest: ``~``, ``=>``, ``/\\``, ``\\/``."""
    left = _conjunction(scanner)
    while scanner.take("\\/"):
        left = ("or", left, _conjunction(scanner))
    return left


def _conjunction(scanner: Scanner) -> Expression:
    left = _implication(scanner)
    while scanner.take("/\\"):
        left = ("and", left, _implication(scanner))
    return left


def _implication(scanner: Scanner) -> Expression:
    left = _atom(scanner)
    if scanner.take("=>"):
        return ("=>", left, _implication(scanner))
    return left


def _atom(scanner: Scanner) -> Expression:
    if scanner.take("~") or scanner.take("not"):
        return ("not", _atom(scanner))
    if scanner.take("("):
        inner = parse_formula(scanner)
        scanner.expect(")")
        return inner
    if scanner.word in ("true", "false"):
        return (scanner.next(),)
    place = parse_place(scanner)
    if scanner.word in ("=", "=="):
        operator = "="
    elif scanner.word in ("!=", "<>"):
        operator = "<>"
    else:
        scanner.expected("'=' or '!='")
    scanner.next()
    return (operator, place, _operand(scanner))


def parse_place(scanner: Scanner) -> Place:
    """Parse ``0:r1``, ``P0:r1``, ``x``, ``[x]`` or ``*x``."""
    if scanner.take("["):
        location = scanner.name("a location")
        scanner.expect("]")
        return (-1, location)
    if scanner.take("*"):
        return (-1, scanner.name("a location"))
    if scanner.kind == "number":
        process = scanner.number()
        scanner.expect(":")
        return (process, scanner.name("a register"))
    name = scanner.name("a register or a location")
    if name[0] == "P" and name[1:].isdigit() and scanner.take(":"):
        return (int(name[1:]), scanner.name("a register"))
    return (-1, name)


def _operand(scanner: Scanner) -> Value | Place:
    if scanner.take("-"):
        return -scanner.number()
    if scanner.kind == "number":
        number = scanner.number()
        if scanner.take(":"):
            return (number, scanner.name("a register"))
        return number
    if scanner.take("&"):
        return scanner.name("a location")
    if scanner.word in ("[", "*"):
        return parse_place(scanner)
    name = scanner.name("a value")
    return 0 if name == "NULL" else name


def holds(formula: Expression, state: State) -> bool:
    """Tell whether ``formula`` is true of ``state``."""
    kind = formula[0]
    if kind in ("=", "<>"):
        what = formula[2]
        value = state.get(what, 0) if isinstance(what, tuple) else what
        return bool((state.get(formula[1], 0) == value) == (kind == "="))
    if kind == "and":
        return holds(formula[1], state) and holds(formula[2], state)
    if kind == "or":
        return holds(formula[1], state) or holds(formula[2], state)
    if kind == "not":
        return not holds(formula[1], state)
    if kind == "=>":
        return not holds(formula[1], state) or holds(formula[2], state)
    return bool(kind == "true")


def may_be(formula: Expression, state: State, known: Callable[[Place], bool], wanted: bool) -> bool:
    """Tell whether ``formula`` may come out as ``wanted`` when only places that are ``known`` are
    in ``state``.
    """
    kind = formula[0]
    if kind in ("=", "<>"):
        what = formula[2]
        if not known(formula[1]) or (isinstance(what, tuple) and not known(what)):
            return True
        return holds(formula, state) == wanted
    if kind == "not":
        return may_be(formula[1], state, known, not wanted)
    if kind == "=>":
        left = may_be(formula[1], state, known, not wanted)
        right = may_be(formula[2], state, known, wanted)
        return (left or right) if wanted else (left and right)
    if kind in ("and", "or"):
        left = may_be(formula[1], state, known, wanted)
        right = may_be(formula[2], state, known, wanted)
        return (left and right) if (kind == "and") == wanted else (left or right)
    return bool((kind == "true") == wanted)


def places_of(formula: Expression) -> list[Place]:
    """Return the places that ``formula`` speaks of, each once, in their order."""
    found: dict[Place, None] = {}
    _collect(formula, found)
    return list(found)


def _collect(formula: Expression, found: dict[Place, None]) -> None:
    if formula[0] in ("=", "<>"):
        found[formula[1]] = None
        if isinstance(formula[2], tuple):
            found[formula[2]] = None
    else:
        for part in formula[1:]:
            _collect(part, found)


_TIGHTNESS: Final = {"or": 1, "and": 2, "=>": 3, "not": 4}
_SIGNS: Final = {"or": " \\/ ", "and": " /\\ ", "=>": " => "}


def show_place(place: Place) -> str:
    """Return ``0:r1`` or ``[x]``."""
    return f"[{place[1]}]" if place[0] < 0 else f"{place[0]}:{place[1]}"


def show(formula: Expression, outer: int = 0) -> str:
    """Return the formula as herd7 writes it."""
    kind = formula[0]
    if kind in ("true", "false"):
        return str(kind)
    if kind in ("=", "<>"):
        what = formula[2]
        value = show_place(what) if isinstance(what, tuple) else str(what)
        return f"{show_place(formula[1])}{'=' if kind == '=' else '<>'}{value}"
    if kind == "not":
        return f"not ({show(formula[1])})"
    tightness = _TIGHTNESS[kind]
    text = show(formula[1], tightness) + _SIGNS[kind] + show(formula[2], tightness)
    return f"({text})" if outer > tightness else text
