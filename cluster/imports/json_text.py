"""JSON as json-c reads it, with the place of every value and with repeated keys kept.

Beyond JSON that is: comments (``/* */`` and ``//``), a comma after the last item, strings in single
quotes, ``true``, ``false`` and ``null`` in any case; and, as rt-app's workgen takes, a key without
a value, whose value is null. An object is a list of pairs: files for rt-app
repeat keys, and their order is what is done.

Source: json-c's json_tokener.c, without its strict flag.
Deviation: numbers with an exponent or a point are kept, but nothing here takes them.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 32  # json-c's
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"[A-Za-z]+")
_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_WORDS: Final = {"true": True, "false": False, "null": None}
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
MAX_DIGITS: Final = 18

Plain = str | int | float | bool | None


@dataclass(slots=True, frozen=True)
class Node:
    """A value and where it begins: index into the text. Objects and lists have ``items``."""

    kind: str  # object, list, string, int, double, boolean, null
    at: int
    value: Plain = None
    items: "tuple[tuple[str, int, Node], ...]" = ()


class JsonTextError(Exception):
    """The text is none; ``at`` says where."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


def read_json(text: str) -> Node:
    """Return the value that is all of ``text``.

    Raises:
        JsonTextError: with the place.
    """
    reader = _Reader(text)
    node = reader.value(1)
    reader.space()
    if reader.at < len(text):
        raise JsonTextError(reader.at, "expected the end of the file" + reader.found())
    return node


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def found(self) -> str:
        rest = self.text[self.at : self.at + 12].split("\n")[0]
        return f" (found {rest!r})" if rest else " (found the end)"

    def space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        if self.text.startswith("/*", self.at):
            raise JsonTextError(self.at, "a comment that does not end")

    def peek(self) -> str:
        self.space()
        return self.text[self.at : self.at + 1]

    def take(self, wanted: str, what: str) -> None:
        if self.peek() != wanted:
            raise JsonTextError(self.at, f"expected {what}{self.found()}")
        self.at += 1

    def value(self, depth: int) -> Node:
        first = self.peek()
        if depth > MAX_DEPTH:
            raise JsonTextError(self.at, f"nested deeper than {MAX_DEPTH} levels")
        if first == "{":
            return self.object(depth)
        if first == "[":
            return self.list(depth)
        at = self.at
        if first and first in "\"'":
            return Node("string", at, self.string())
        return self.number() or self.word()

    def object(self, depth: int) -> Node:
        at, items = self.at, []
        self.at += 1
        while self.peek() != "}":
            key_at = self.at
            if self.text[self.at : self.at + 1] not in ('"', "'"):
                raise JsonTextError(self.at, f"expected a key or '}}'{self.found()}")
            key = self.string()
            if self.peek() in (",", "}"):
                items.append((key, key_at, Node("null", key_at)))
            else:
                self.take(":", "':'")
                items.append((key, key_at, self.value(depth + 1)))
            if self.peek() != ",":
                break
            self.at += 1
        self.take("}", "',' or '}'")
        return Node("object", at, items=tuple(items))

    def list(self, depth: int) -> Node:
        at, items = self.at, []
        self.at += 1
        while self.peek() != "]":
            items.append(("", self.at, self.value(depth + 1)))
            if self.peek() != ",":
                break
            self.at += 1
        self.take("]", "',' or ']'")
        return Node("list", at, items=tuple(items))

    def number(self) -> Node | None:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            return None
        at, self.at = self.at, match.end()
        if match[1] or match[2]:
            return Node("double", at, match[0])
        if len(match[0]) > MAX_DIGITS:
            raise JsonTextError(at, f"a number has at most {MAX_DIGITS} digits")
        return Node("int", at, int(match[0]))

    def word(self) -> Node:
        match = _WORD.match(self.text, self.at)
        name = match[0].lower() if match else ""
        if match is None or name not in _WORDS:
            raise JsonTextError(self.at, f"expected a value{self.found()}")
        at, self.at = self.at, match.end()
        return Node("null" if name == "null" else "boolean", at, _WORDS[name])

    def string(self) -> str:
        start, quote = self.at, self.text[self.at]
        parts: list[str] = []
        at = start + 1
        while True:
            char = self.text[at : at + 1]
            if char in ("", "\n"):
                raise JsonTextError(start, "a string that does not end on its line")
            if char == quote:
                self.at = at + 1
                return "".join(parts)
            if char != "\\":
                parts.append(char)
                at += 1
                continue
            escape = self.text[at + 1 : at + 2]
            if escape == "u":
                digits = self.text[at + 2 : at + 6]
                if not re.fullmatch("[0-9a-fA-F]{4}", digits):
                    raise JsonTextError(at, "\\u needs four hexadecimal digits")
                parts.append(chr(int(digits, 16)))
                at += 6
            elif escape in _ESCAPES or escape in ("/", "\\", '"', "'"):
                parts.append(_ESCAPES.get(escape, escape))
                at += 2
            else:
                raise JsonTextError(at, "an unknown escape in a string")
