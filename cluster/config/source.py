"""Configuration text to plain data, with the place of every value.

YAML here is what YAML 1.1 (PyYAML) and YAML 1.2 (editors) read alike. Where they differ a plain
scalar is a trap, and is refused with advice: ``1e6`` (a string for the one, a number for the
other), ``010`` (8 or 10), ``1:30`` (90 or a string), ``yes`` (true or a string), dates, ``1_000``.
Anchors, aliases, tags and merge keys are refused: a config says what it means where it says it, and
no small file can unfold into a big one. Duplicate keys, which PyYAML accepts silently, are refused.

libyaml scans; the tree is built here from its events without recursion, so that nesting has a
limit and not a stack overflow. JSON files are read by ``json``; only when something is wrong with
them are they scanned again as YAML, for the places.
"""

import contextlib
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from cluster.config.errors import ConfigError, KeyPath, Problem, dotted

MAX_BYTES: Final = 16 << 20
MAX_DEPTH: Final = 64
MAX_INT_DIGITS: Final = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# In these fields ``on`` and ``off`` are the documented values, read as strings.
_ON_OFF_PATHS: Final[frozenset[KeyPath]] = frozenset(
    {("sched", "child_runs_first"), ("sched", "rt", "runtime"), ("machine", "nohz")}
)

_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+$")
_FLOAT: Final = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?$")
_TRAPS: Final = (
    (
        re.compile(r"(yes|no|on|off)$", re.IGNORECASE),
        "YAML versions disagree whether this is a boolean: write true or false, or quote it",
    ),
    (
        re.compile(r"[-+]?[0-9]*\.?[0-9]+[eE][-+]?[0-9]+$|[-+]?[0-9]+\.[eE][0-9]+$"),
        "YAML versions disagree whether this is a number: write it out, as in 1000000 or 0.001",
    ),
    (
        re.compile(r"[-+]?0[0-9][0-9_]*$"),
        "a leading zero means octal to some readers: drop it, or quote the value",
    ),
    (
        re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?$"),
        "YAML 1.1 reads this in base 60: write a number with a unit, as in 90s, or quote it",
    ),
    (
        re.compile(r"[-+]?(0b|0o|0x)?[0-9a-fA-F]*_[0-9a-fA-F_]*[0-9a-fA-F.]*$"),
        "underscores in numbers are not portable YAML: write the digits only, or quote it",
    ),
    (
        re.compile(r"[-+]?(0b[01]+|0o[0-7]+|\.[0-9]+)$"),
        "YAML versions disagree whether this is a number: write it in decimal, or quote it",
    ),
    (
        re.compile(r"[-+]?\.(inf|nan)$", re.IGNORECASE),
        "infinity and NaN are not values here",
    ),
    (
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$"),
        "YAML 1.1 reads this as a date: quote it",
    ),
    (re.compile(r"[=<]$"), "this character alone is special in YAML: quote it"),
)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


@dataclass(slots=True)
class Document:
    """A configuration file as read. ``problems`` are those of the text itself."""

    name: str
    text: str
    data: Any
    problems: list[Problem] = field(default_factory=list)
    bad_paths: set[KeyPath] = field(default_factory=set)
    marks: dict[KeyPath, tuple[int, int]] | None = None

    def problem(self, path: KeyPath, what: str, *, of_key: bool = False) -> Problem:
        """Return the finding ``what`` at the place of ``path``, or of the nearest value around it.

        With ``of_key`` at the place of the key itself. Marks are made at the first call: a good
        file never pays for them.
        """
        if self.marks is None:
            builder = _Builder(self.name, is_json=self.name.endswith(".json"), keep_marks=True)
            with contextlib.suppress(ConfigError):
                builder.build(_for_marks(self.name, self.text))
            self.marks = builder.marks
        where = (*path, "") if of_key and (*path, "") in self.marks else path
        while where and where not in self.marks:
            where = where[:-1]
        line, column = self.marks.get(where, (1, 1))
        return Problem(self.name, line, column, dotted(path), what)


def read_document(name: str, text: str) -> Document:
    """Parse ``text``; ``name`` is the file's for messages, and its suffix tells JSON from YAML.

    Raises:
        ConfigError: the text is not YAML (or JSON) at all, is too long or nested too deeply. What
            is wrong with single values is collected in ``Document.problems`` instead.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(
            [
                Problem(
                    name, 0, 0, "", f"the file is longer than {MAX_BYTES >> 20} MiB; use instances"
                )
            ]
        )
    if name.endswith(".json"):
        return _read_json(name, text)
    builder = _Builder(name, is_json=False, keep_marks=False)
    data = builder.build(text)
    if builder.problems:
        builder = _Builder(name, is_json=False, keep_marks=True)
        data = builder.build(text)
    return Document(name, text, data, builder.problems, builder.bad_paths)


def scalar_value(text: str, path: KeyPath) -> Any:
    """Return what the plain scalar ``text`` means at ``path``.

    Raises:
        ValueError: it is one of the traps; the message is the advice.
    """
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if len(text) <= MAX_INT_DIGITS:
        if _INT.match(text):
            return int(text)
        if _HEX.match(text):
            return int(text, 16)
    if _FLOAT.match(text):
        value = float(text)
        if math.isinf(value):
            raise ValueError("the number is too large")
        return value
    for pattern, advice in _TRAPS:
        if pattern.match(text):
            if path in _ON_OFF_PATHS and text in ("on", "off"):
                return text
            raise ValueError(advice)
    if _INT.match(text):
        raise ValueError(f"the number has more than {MAX_INT_DIGITS} digits")
    return text


def _read_json(name: str, text: str) -> Document:
    duplicates = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicates
        result = dict(items)
        duplicates = duplicates or len(result) != len(items)
        return result

    def constant(word: str) -> Any:
        # json does not say where: look for the word, strings blanked out
        blank = re.sub(r'"(\\.|[^"\\])*"', lambda match: "x" * len(match.group()), text)
        line, column = _line_column(text, blank.index(word))
        what = f"infinity and NaN are not values here (got {word})"
        raise ConfigError([Problem(name, line, column, "", what)])

    def integer(digits: str) -> int:
        if len(digits) > MAX_INT_DIGITS:
            raise ValueError(f"a number has more than {MAX_INT_DIGITS} digits")
        return int(digits)

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=integer)
    except json.JSONDecodeError as error:
        problem = Problem(name, error.lineno, error.colno, "", f"not JSON: {error.msg}")
        raise ConfigError([problem]) from None
    except ValueError as error:
        raise ConfigError([Problem(name, 0, 0, "", str(error))]) from None
    except RecursionError:
        raise ConfigError(
            [Problem(name, 0, 0, "", f"nested deeper than {MAX_DEPTH} levels")]
        ) from None
    document = Document(name, text, data)
    if duplicates:
        builder = _Builder(name, is_json=True, keep_marks=True)
        builder.build(_for_marks(name, text))
        document.problems, document.bad_paths = builder.problems, builder.bad_paths
        document.marks = builder.marks
    return document


def _for_marks(name: str, text: str) -> str:
    """Return ``text`` as libyaml can scan it, every character in its place.

    JSON allows tabs between tokens and surrogate escapes; neither is inside a key that we know.
    """
    if not name.endswith(".json"):
        return text
    text = text.replace("\t", " ")
    return re.sub(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", "??????", text)


class _Builder:
    """Builds data from events. One instance reads one text."""

    def __init__(self, name: str, *, is_json: bool, keep_marks: bool) -> None:
        self.name = name
        self.is_json = is_json
        self.keep_marks = keep_marks
        self.marks: dict[KeyPath, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.bad_paths: set[KeyPath] = set()

    def build(self, text: str) -> Any:
        """Return the only document of ``text`` as dicts, lists and scalars (None if empty)."""
        try:
            loader = _LOADER(text)
        except yaml.reader.ReaderError as error:
            raise ConfigError([_unreadable(self.name, text, error)]) from None
        try:
            return self._run(loader)
        except yaml.MarkedYAMLError as error:
            raise ConfigError([self._syntax(error)]) from None
        except yaml.reader.ReaderError as error:
            raise ConfigError([_unreadable(self.name, text, error)]) from None
        finally:
            loader.dispose()

    def _run(self, loader: Any) -> Any:
        root: Any = None
        documents = 0
        # The open collections: [container, path, pending key or None, seen index]
        stack: list[list[Any]] = []
        while loader.check_event():
            event = loader.get_event()
            kind = type(event)
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._fail(event, (), "the file holds more than one document")
                continue
            if kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                stack.pop()
                continue
            if kind not in _NODE_EVENTS:
                continue
            top = stack[-1] if stack else None
            if top is not None and type(top[0]) is dict and top[2] is None:
                self._key(event, top)
                continue
            path = self._path(top)
            if self.keep_marks:
                self.marks[path] = (event.start_mark.line + 1, event.start_mark.column + 1)
            value: Any
            if kind is yaml.MappingStartEvent:
                value = {}
            elif kind is yaml.SequenceStartEvent:
                value = []
            else:
                value = self._scalar(event, path)
            if kind is not yaml.AliasEvent:
                self._plain(event, path)
            if top is None:
                root = value
            elif type(top[0]) is dict:
                if top[2] not in top[0]:
                    top[0][top[2]] = value
                top[2] = None
            else:
                top[0].append(value)
            if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    raise ConfigError(
                        [self._problem(event, (), f"nested deeper than {MAX_DEPTH} levels")]
                    )
                stack.append([value, path, None])
        return root

    def _path(self, top: list[Any] | None) -> KeyPath:
        if top is None:
            return ()
        if type(top[0]) is dict:
            return (*top[1], top[2])
        return (*top[1], len(top[0]))

    def _key(self, event: Any, top: list[Any]) -> None:
        mark = event.start_mark
        if not isinstance(event, yaml.ScalarEvent):
            raise ConfigError([self._problem(event, top[1], "a key must be a plain word")])
        key = event.value
        path = (*top[1], key)
        self._plain(event, path)
        if key == "<<" and not event.style:
            self._fail(event, path, "merge keys are not supported: write the keys out")
        if key in top[0]:
            line = self.marks.get((*path, ""), None)
            where = f" (first on line {line[0]})" if line else ""
            self._fail(event, path, f"duplicate key{where}")
        elif self.keep_marks:
            self.marks[(*path, "")] = (mark.line + 1, mark.column + 1)
        top[2] = key

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        if type(event) is yaml.AliasEvent:
            self._fail(event, path, "aliases are not supported: write the value out")
            return None
        if event.style or self.is_json:
            return event.value
        try:
            return scalar_value(event.value, path)
        except ValueError as error:
            self._fail(event, path, f"{error} (got {event.value[:40]})")
            return None

    def _plain(self, event: Any, path: KeyPath) -> None:
        if event.anchor is not None:
            self._fail(event, path, "anchors are not supported: write the value out")
        if event.tag is not None:
            self._fail(event, path, f"tags are not supported (got {event.tag[:40]})")

    def _fail(self, event: Any, path: KeyPath, what: str) -> None:
        self.problems.append(self._problem(event, path, what))
        self.bad_paths.add(path)

    def _problem(self, event: Any, path: KeyPath, what: str) -> Problem:
        mark = event.start_mark
        return Problem(self.name, mark.line + 1, mark.column + 1, dotted(path), what)

    def _syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        marks: list[Any] = [error.problem_mark, error.context_mark]
        line, column = next(((mark.line + 1, mark.column + 1) for mark in marks if mark), (0, 0))
        what = error.problem or "cannot be read"
        return Problem(self.name, line, column, "", f"not YAML: {what}")


_NODE_EVENTS: Final = frozenset(
    {yaml.ScalarEvent, yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent}
)


def _unreadable(name: str, text: str, error: yaml.reader.ReaderError) -> Problem:
    line, column = _line_column(text, error.position)
    return Problem(name, line, column, "", "not YAML: a control character")


def _line_column(text: str, index: int) -> tuple[int, int]:
    """Return line and column, from 1, of ``text[index]``."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
