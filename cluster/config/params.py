"""Parameters of workload programs: what a program says of them, and whether values fit.

A program that takes ``name=value`` arguments says so in two literal dicts of its source:
``DEFAULTS`` (name -> default, as text), and ``KINDS`` (name -> kind). Its docstring has a line
``name=default  meaning`` for each; what follows it, indented, belongs to it. Another line
may say how many tasks there will have been when it has ended, itself included: ``lifecycles:`` and
sums and products of numbers and parameters. A kind is a word and conditions, with commas between:

    whole LEAST [MOST]     a whole number
    one of A B C           one of these words
    time                   50us, 1ms, 2s
    times, counts          a distribution, of times or of whole numbers: fixed:V,
                           uniform:LOW:HIGH, exp:MEAN
    image                  an executable of the emulated machine, by path
    text                   anything
    …, at most NAME        no value above that parameter's
    …, 0 if NAME=VALUE     nothing but 0 where another parameter has this value
"""

import ast
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LIFECYCLES: Final = re.compile(r"^lifecycles: (.+)$", re.MULTILINE)
_LINE: Final = re.compile(r"(\w+)=(\S*)(?:\s+(.*))?\Z")
_UNITS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_TIME: Final = re.compile(r"(\d+)(ns|us|ms|s)\Z", re.ASCII)
_DISTRIBUTIONS: Final = {"fixed": 1, "uniform": 2, "exp": 1}
_EXAMPLES: Final = {
    "times": "fixed:50us, uniform:10us:100us or exp:50us",
    "counts": "fixed:4, uniform:0:8 or exp:3",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a program."""

    name: str
    default: str
    kind: str = "text"
    meaning: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The kind's own words, without conditions."""
        return tuple(self.kind.split(",")[0].split())

    @property
    def conditions(self) -> tuple[str, ...]:
        """What else must hold, as written."""
        return tuple(part.strip() for part in self.kind.split(",")[1:])

    def describe(self) -> str:
        """Return the kind for people."""
        words = self.words
        if words[0] == "whole":
            text = f"{words[1]} to {words[2]}" if len(words) > 2 else f"{words[1]} or more"
        elif words[:2] == ("one", "of"):
            text = ", ".join(words[2:])
        else:
            text = {
                "time": "a time",
                "times": "a distribution of times",
                "counts": "a distribution",
                "image": "an executable",
            }.get(words[0], "text")
        return ", ".join([text, *self.conditions])


@lru_cache(maxsize=256)  # the points of a sweep have the same programs
def parameters(source: str) -> Mapping[str, Parameter] | None:
    """Return the parameters that a program's source says it has; None if it says nothing."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # what is wrong with the program is the compiler's to say
    defaults = _literal(tree, "DEFAULTS")
    if defaults is None:
        return None
    kinds = _literal(tree, "KINDS") or {}
    meanings = _meanings(ast.get_docstring(tree) or "", defaults)
    return {
        name: Parameter(name, default, kinds.get(name, "text"), meanings.get(name, ""))
        for name, default in defaults.items()
    }


def _literal(tree: ast.Module, wanted: str) -> dict[str, str] | None:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == wanted
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                return None
            if isinstance(value, dict) and all(
                isinstance(part, str) for item in value.items() for part in item
            ):
                return value
    return None


def lifecycles(source: str, given: Mapping[str, str]) -> int | None:
    """Return how many tasks a program will have had in the end; None: it does not say so.

    Args:
        source: of the program.
        given: values of its parameters, as text; the others have their defaults.
    """
    try:
        tree = ast.parse(source)
        found = _LIFECYCLES.search(ast.get_docstring(tree) or "")
        if found is not None:
            values = {**(_literal(tree, "DEFAULTS") or {}), **given}
            return _value(ast.parse(found[1], mode="eval").body, values)
    except (SyntaxError, ValueError, KeyError, TypeError, RecursionError, MemoryError):
        pass  # it only says how long a run will take
    return None


def _value(node: ast.expr, values: Mapping[str, str]) -> int:
    """Return the value of a sum or product.

    Raises:
        ValueError, KeyError: it is something else, or of something that is no number.
    """
    if isinstance(node, ast.Name):
        return int(values[node.id])
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
        left, right = _value(node.left, values), _value(node.right, values)
        return left + right if isinstance(node.op, ast.Add) else left * right
    raise ValueError(f"no sum or product: {ast.unparse(node)}")


def _meanings(text: str, names: Collection[str]) -> dict[str, str]:
    """Return what a docstring says of each parameter; a line break stays one before a sub-item."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is not None and match[1] in names:
            current = found.setdefault(match[1], [match[3] or ""])
        elif line.startswith(" ") and current is not None:
            current.append(line.strip())
        else:
            current = None
    return {name: "\n".join(lines) for name, lines in found.items()}


def problems(
    known: Mapping[str, Parameter], given: Mapping[str, str], images: Collection[str] | None = None
) -> dict[str, str]:
    """Return, for each parameter whose value does not fit, what is wrong with it.

    Args:
        known: the program's parameters.
        given: the values that are given, of parameters that are known.
        images: absolute paths that can be executed; None: not looked at.
    """
    values = {name: given.get(name, one.default) for name, one in known.items()}
    found = {}
    for name in given:
        what = _misfit(known[name], values[name], images) or _broken_condition(
            known, known[name], values
        )
        if what:
            found[name] = what
    return found


def _misfit(one: Parameter, value: str, images: Collection[str] | None) -> str:
    """Return why ``value`` is none of the kind; empty if it is."""
    words = one.words
    kind = words[0]
    if kind == "whole":
        least, most = int(words[1]), int(words[2]) if len(words) > 2 else None
        if not (value.isascii() and value.isdecimal() and len(value) < 20):
            return "must be a whole number"
        if int(value) < least:
            return f"must be at least {least}"
        if most is not None and int(value) > most:
            return f"must be at most {most}"
    elif kind == "one" and value not in words[2:]:
        return f"must be one of {', '.join(words[2:])}"
    elif kind == "time" and _TIME.match(value) is None:
        return "must be a time like 50us"
    elif kind in _EXAMPLES and _span(value, kind == "times") is None:
        return f"must be a distribution like {_EXAMPLES[kind]}"
    elif kind == "image" and images is not None and value not in images:
        return "there is no such executable"
    return ""


def _broken_condition(
    known: Mapping[str, Parameter], one: Parameter, values: Mapping[str, str]
) -> str:
    """Return which condition does not hold; those on parameters that are wrong themselves do."""
    most = _most(one, values[one.name])
    for condition in one.conditions:
        words = condition.split()
        if words[:2] == ["at", "most"]:
            other = words[2]
            bound = _most(known[other], values[other])
            # an exponential distribution has no greatest value: the program cuts it off
            endless = values[one.name].startswith("exp:")
            if bound is not None and most is not None and most > bound and not endless:
                return f"must be at most {other}, which is {values[other]}"
        elif words[:2] == ["0", "if"]:
            other, _, wanted = words[2].partition("=")
            if values[other] == wanted and most:
                return f"must be 0 where {other} is {wanted}"
    return ""


def _most(one: Parameter, value: str) -> int | None:
    """Return the greatest number a value stands for (the mean of exp); None if it is none."""
    kind = one.words[0]
    if kind in _EXAMPLES:
        return _span(value, kind == "times")
    if kind == "time":
        return _quantity(value, True)
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None


def _quantity(text: str, is_time: bool) -> int | None:
    if is_time:
        match = _TIME.match(text)
        return None if match is None else int(match[1]) * _UNITS[match[2]]
    return int(text) if text.isascii() and text.isdecimal() else None


def _span(text: str, is_time: bool) -> int | None:
    """Return the last number of a distribution; None if the text is no distribution."""
    kind, _, rest = text.partition(":")
    numbers = [_quantity(part, is_time) for part in rest.split(":")]
    if len(numbers) != _DISTRIBUTIONS.get(kind, 0) or None in numbers:
        return None
    first, last = numbers[0], numbers[-1]
    assert first is not None and last is not None
    return last if first <= last else None
