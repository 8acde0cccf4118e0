"""What a reader of foreign files is: a ``Format`` in a module of ``cluster.imports.formats``.

A reader gets the name of the file, for messages, and the open file, and returns the text of a guest
program (``docs/guest-language.md``) that does what the file says. Usually that is a program of
``workloads/programs`` whose name begins with ``_``, with its table filled in (``filled``). Whatever
is wrong with the file is raised at once, as problems with line and column.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from cluster.catalogue import PROGRAMS
from cluster.config.errors import Problem

#: no file that is imported is longer
MAX_BYTES: Final = 64 << 20
#: how much of a file ``recognises`` gets
HEAD_BYTES: Final = 1 << 16
_EMPTY: Final = "TABLE = None\n"


class ImportProblems(Exception):
    """A file cannot be imported. ``problems`` holds every finding, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file became.

    Attributes:
        text: of the guest program.
        notes: what a person should know of what is not as in the file, a line each.
        summary: what there is in it, in a line; "" where there is nothing to say.
    """

    text: str
    notes: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Attributes:
        name: as people call it.
        summary: one line, for listings.
        recognises: gets name and first ``HEAD_BYTES`` of a file; whether it looks like this kind.
        read: gets name and file, at its start; or raises ImportProblems. Any bytes may come,
            whether or not ``recognises`` said yes.
        most_bytes: no longer file is read.
    """

    name: str
    summary: str
    recognises: Callable[[str, bytes], bool]
    read: Callable[[str, BinaryIO], Imported]
    most_bytes: int = MAX_BYTES


def filled(program: str, table: object) -> str:
    """Return the shipped program ``program`` with ``table``, made of literals, as its ``TABLE``."""
    text = (PROGRAMS / f"{program}.py").read_text("utf-8")
    if text.count(_EMPTY) != 1:
        raise AssertionError(f"{program} has no empty table")
    return text.replace(_EMPTY, f"TABLE = {table!r}\n")
