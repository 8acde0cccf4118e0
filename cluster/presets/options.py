"""Options of a tool as its users write them, read by a table: short and long, alone and in bundles.

Whatever is not in the table is refused, with what is known; whatever the tool has and smplab does
not model stands in the table with the reason.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

Value = int | str | bool | None

FLAG: Final = "flag"
WHOLE: Final = "whole"
TEXT: Final = "text"


class OptionProblems(Exception):
    """Words that are no options of a tool. ``problems`` holds every finding, in their order."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        names: as written, such as ``-g`` and ``--groups``; the last one is its key, less dashes.
        about: one line, for listings.
        kind: ``FLAG``, ``WHOLE`` or ``TEXT``.
        default: what it is if it is not given.
        least: of a whole number.
        most: of a whole number.
        words: of a text: those that it may be; empty: any.
        why_not: of one that the tool has and is not modelled: the reason; empty of all others.
    """

    names: tuple[str, ...]
    about: str
    kind: str = FLAG
    default: Value = None
    least: int = 0
    most: int = 0
    words: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def key(self) -> str:
        """Return by what name ``Given`` has it."""
        return self.names[-1].lstrip("-")

    def shown(self) -> tuple[str, str]:
        """Return it and its meaning with default and bounds, for listings."""
        text = self.about
        if self.kind == WHOLE:
            text += f" ({self.least:,} to {self.most:,}{_default(self.default)})"
        elif self.words:
            text += f" ({', '.join(self.words)}{_default(self.default)})"
        return ", ".join(self.names), text


def flag(names: str, about: str) -> Option:
    """Return an option without a value. ``names``: with blanks between them."""
    return Option(tuple(names.split()), about, default=False)


def whole(names: str, about: str, default: int | None, least: int, most: int) -> Option:
    """Return an option whose value is a whole number within bounds."""
    return Option(tuple(names.split()), about, WHOLE, default, least, most)


def text(names: str, about: str, default: str | None, words: str = "") -> Option:
    """Return an option whose value is a text. ``words``: what it may be, if that is not all."""
    return Option(tuple(names.split()), about, TEXT, default, words=tuple(words.split()))


def refused(names: str, why_not: str, kind: str = FLAG) -> Option:
    """Return an option that the tool has and smplab does not."""
    return Option(tuple(names.split()), "", kind, why_not=why_not)


@dataclass(frozen=True, slots=True)
class Given:
    """What was asked for, by key: the values that were given and the defaults of all others."""

    values: dict[str, Value] = field(default_factory=dict)
    written: tuple[str, ...] = ()  # keys that were given

    def number(self, key: str) -> int:
        """Return a whole number."""
        value = self.values[key]
        assert isinstance(value, int)
        return value

    def text(self, key: str) -> str:
        """Return a text."""
        value = self.values[key]
        assert isinstance(value, str)
        return value

    def flag(self, key: str) -> bool:
        """Tell whether a flag was given."""
        return bool(self.values[key])


def read_options(words: Sequence[str], options: Sequence[Option]) -> Given:
    """Return what ``words`` say; of an option that is given twice the last one counts.

    Raises:
        OptionProblems: with every problem.
    """
    reader = _Reader(options)
    rest = list(words)
    while rest:
        reader.take(rest.pop(0), rest)
    if reader.problems:
        raise OptionProblems(reader.problems)
    values = {option.key: option.default for option in options if not option.why_not}
    return Given(values | reader.values, tuple(reader.values))


class _Reader:
    """One pass over the words; collects values and problems."""

    def __init__(self, options: Sequence[Option]) -> None:
        self.by_name = {name: option for option in options for name in option.names}
        self.known = [
            option.names[0] if len(option.names[0]) > 2 else "/".join(option.names)
            for option in options
            if not option.why_not
        ]
        self.values: dict[str, Value] = {}
        self.problems: list[str] = []

    def take(self, word: str, rest: list[str]) -> None:
        """Take one word, and its value from ``rest`` where it needs one."""
        if not word.startswith("-") or word in ("-", "--"):
            self.problems.append(f"{word}: an option begins with '-'{self._known()}")
            return
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            option = self._find(name)
            if option is not None and equals and option.kind == FLAG:
                self.problems.append(f"{name}: takes no value (got {value!r})")
            elif option is not None:
                self._put(name, option, value if equals else None, rest)
            return
        letters = word[1:]
        while letters:
            name, letters = f"-{letters[0]}", letters[1:]
            option = self._find(name)
            if option is None:
                return
            if option.kind != FLAG:
                self._put(name, option, letters or None, rest)
                return
            self._put(name, option, None, rest)

    def _find(self, name: str) -> Option | None:
        option = self.by_name.get(name)
        if option is None:
            near = difflib.get_close_matches(name, self.by_name, 1) if len(name) > 2 else []
            hint = f" (did you mean {near[0]}?)" if near else self._known()
            self.problems.append(f"{name}: no such option{hint}")
        return option

    def _known(self) -> str:
        """Return what there is, once for all problems."""
        known, self.known = self.known, []
        return f" (known: {', '.join(known)})" if known else ""

    def _put(self, name: str, option: Option, value: str | None, rest: list[str]) -> None:
        if option.kind != FLAG and value is None and rest:
            value = rest.pop(0)
        if option.why_not:
            self.problems.append(f"{name}: {option.why_not}")
        elif option.kind == FLAG:
            self.values[option.key] = True
        elif value is None:
            self.problems.append(f"{name}: needs a value")
        elif option.kind == WHOLE:
            number = int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else -1
            if option.least <= number <= option.most:
                self.values[option.key] = number
            else:
                bounds = f"from {option.least} to {option.most}"
                self.problems.append(f"{name}: must be a whole number {bounds} (got {value!r})")
        elif option.words and value not in option.words:
            words = ", ".join(option.words)
            self.problems.append(f"{name}: must be one of {words} (got {value!r})")
        else:
            self.values[option.key] = value


def _default(value: Value) -> str:
    return "" if value is None else f"; default {value:,}" if type(value) is int else f"; {value}"
