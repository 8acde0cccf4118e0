"""The text of a program's file: bytes that are no UTF-8 are problems of the program."""

import re
from typing import Final

from workloads.language.errors import GuestProgramError, Problem

_UNDECODED: Final = re.compile("[\udc80-\udcff]")


def decode(data: bytes) -> str:
    """Return the text in a program's bytes; what is no UTF-8 becomes surrogates (PEP 383)."""
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def check_decoded(source: str, path: str) -> None:
    """Raise GuestProgramError, with every line of it, if ``decode`` met bytes that are no UTF-8."""
    problems = []
    for number, line in enumerate(source.split("\n"), 1):
        found = _UNDECODED.search(line)
        if found is not None:
            byte = ord(found[0]) - 0xDC00
            what = f"not UTF-8 text (byte 0x{byte:02x})"
            problems.append(Problem(number, found.start() + 1, what, "save the file as UTF-8"))
    if problems:
        raise GuestProgramError(path, problems)
