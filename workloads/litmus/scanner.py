"""Words of a litmus test, with their places.

C code has C's comments, and everything else those of OCaml, which nest: in a body ``(*x`` begins a
dereference.
"""

import re
from typing import Final, NoReturn

from workloads.litmus.errors import LitmusError

_WORD: Final = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*"
    r"|(?P<sign>/\\|\\/|=>|==|!=|<>|<=|>=|&&|\|\||<<|>>|->|\S)"
)
_SPACE: Final = re.compile(r"\s+")

END: Final = ""


class Scanner:
    """Reads words of ``text`` from ``position`` on.

    ``word`` is the one that comes next, END at the end; ``kind`` is ``name``, ``number``, ``sign``
    or ``end``; ``start`` is where it stands.
    """

    __slots__ = ("kind", "ocaml", "position", "start", "text", "word")

    def __init__(self, text: str, position: int = 0, ocaml: bool = True) -> None:
        self.text = text
        self.position = position
        self.ocaml = ocaml
        self.word = self.kind = ""
        self.start = position
        self.next()

    def skip(self) -> None:
        """Pass white space and comments."""
        text = self.text
        while True:
            space = _SPACE.match(text, self.position)
            if space:
                self.position = space.end()
            two = text[self.position : self.position + 2]
            if two == "//":
                end = text.find("\n", self.position)
                self.position = len(text) if end < 0 else end
            elif two == "/*":
                self._skip_to("*/")
            elif two == "(*" and self.ocaml:
                self._skip_nested()
            else:
                return

    def _skip_to(self, closing: str) -> None:
        end = self.text.find(closing, self.position + 2)
        if end < 0:
            self.fail("the comment that begins here has no end", self.position)
        self.position = end + len(closing)

    def _skip_nested(self) -> None:
        begin, depth = self.position, 0
        for found in re.compile(r"\(\*|\*\)").finditer(self.text, begin):
            depth += 1 if found.group() == "(*" else -1
            if not depth:
                self.position = found.end()
                return
        self.fail("the comment that begins here has no end", begin)

    def next(self) -> str:
        """Go to the next word; return the one that was there."""
        passed = self.word
        self.skip()
        self.start = self.position
        found = _WORD.match(self.text, self.position)
        if found is None:
            self.word, self.kind = END, "end"
            return passed
        self.kind = found.lastgroup or "sign"
        self.word = found.group(self.kind)
        self.position = found.end()
        return passed

    def back_to(self, position: int) -> None:
        """Read from ``position`` again."""
        self.position = position
        self.next()

    def mode(self, ocaml: bool) -> None:
        """Change whose comments there are, from the word that comes next on."""
        if self.ocaml != ocaml:
            self.ocaml = ocaml
            self.back_to(self.start)

    def take(self, word: str) -> bool:
        """Pass ``word`` if it comes next; tell whether it did."""
        if self.word != word:
            return False
        self.next()
        return True

    def expect(self, word: str) -> None:
        """Pass ``word``. Raises: LitmusError, something else comes."""
        if not self.take(word):
            self.expected(f"{word!r}")

    def name(self, what: str = "a name") -> str:
        """Pass a name and return it."""
        if self.kind != "name":
            self.expected(what)
        return self.next()

    def number(self) -> int:
        """Pass a number and return it."""
        if self.kind != "number":
            self.expected("a number")
        return int(self.next(), 0) if self.word[:2] in ("0x", "0X") else int(self.next())

    def expected(self, what: str) -> NoReturn:
        """Fail: something else than ``what`` comes."""
        found = repr(self.word) if self.word else "the end of the file"
        self.fail(f"expected {what}, found {found}", self.start)

    def fail(self, message: str, position: int = -1) -> NoReturn:
        """Fail with ``message`` at ``position``, without one where the next word stands."""
        at = self.start if position < 0 else position
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        raise LitmusError(message, line, column)
