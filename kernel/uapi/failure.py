"""How a call that failed is answered: a record of plain data, whatever language the guest speaks.

``(errno, filename, filename2)``: the error, and the files that it is about, or None. Where errno is
not positive, the failure is none of Linux's: REFUSED or NOT_LOCKED. The guest's run time tells its
program in the program's own words.
"""

from typing import Final

Error = tuple[int, str | None, str | None]

REFUSED: Final = 0  # the emulator does not carry this call out; in place of filename: what, and why
NOT_LOCKED: Final = -1  # lock_release() of a lock that nobody has


def failed(errno: int, filename: str | None = None, filename2: str | None = None) -> Error:
    """Return the record of an error of Linux.

    Args:
        errno: E* of ``kernel.uapi.errno_``.
        filename: the file that it is about.
        filename2: of a call with two files, the other.
    """
    return errno, filename, filename2


def refused(what: str) -> Error:
    """Return the record of a call that the emulator does not carry out; ``what`` is a sentence."""
    return REFUSED, what, None
