"""Which formats there are, and who reads a file.

Every module of ``cluster.imports.formats`` is one; they are asked in the order of their names. A
file that several of them recognise is read by the first.
"""

import importlib
import pkgutil
import stat
from functools import lru_cache
from pathlib import Path

from cluster.config.errors import Problem
from cluster.imports import formats as modules
from cluster.imports.format import HEAD_BYTES, Format, Imported, ImportProblems


@lru_cache(1)
def formats() -> tuple[Format, ...]:
    """Return every format, by name of its module."""
    names = sorted(module.name for module in pkgutil.iter_modules(modules.__path__))
    return tuple(importlib.import_module(f"{modules.__name__}.{name}").FORMAT for name in names)


def program_of(path: Path) -> str:
    """Return the text of ``imported``."""
    return imported(path).text


def imported(path: Path) -> Imported:
    """Return the guest program that does what the file at ``path`` says.

    Raises:
        ImportProblems: it cannot be read, no format recognises it, or something in it is wrong.
    """
    shown = str(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _problem(shown, "not a regular file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            found = next((each for each in formats() if each.recognises(shown, head)), None)
            if found is None:
                known = ", ".join(each.name for each in formats())
                raise _problem(shown, f"no known kind of file (known: {known})")
            if status.st_size > found.most_bytes:
                what = f"a file of {found.name} has at most {found.most_bytes:,} bytes"
                raise _problem(shown, f"{what} (got {status.st_size:,})")
            file.seek(0)
            return found.read(shown, file)
    except OSError as error:
        raise _problem(shown, error.strerror or "cannot be read") from None


def _problem(shown: str, what: str) -> ImportProblems:
    return ImportProblems([Problem(shown, 0, 0, "", what)])
