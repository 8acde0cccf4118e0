"""Exceptions as values of a program: which there are, their parts, what an errno stands for."""

from queue import Empty, Full
from threading import BrokenBarrierError
from typing import Any, Final

from kernel.uapi.failure import NOT_LOCKED, REFUSED, Error
from workloads.language import tables
from workloads.language.constants import STRERROR

#: Exceptions that a program has to import.
IMPORTED_EXCEPTIONS: Final = (BrokenBarrierError, Empty, Full)
#: Exceptions that can be in a guest variable, CPython's own ones beyond the language included.
EXCEPTION_TYPES: dict[str, type[BaseException]] = {
    **tables.EXCEPTIONS,
    **{
        kind.__name__: kind
        for kind in (
            AttributeError,
            NameError,
            UnboundLocalError,
            RecursionError,
            NotImplementedError,
            LookupError,
            ArithmeticError,
            FloatingPointError,
            UnicodeError,
            UnicodeDecodeError,
            UnicodeEncodeError,
            MemoryError,
            BufferError,
            ConnectionError,
            ConnectionResetError,
            ConnectionAbortedError,
            ConnectionRefusedError,
            *IMPORTED_EXCEPTIONS,
        )
    },
}


def exception_parts(exception: BaseException) -> list[Any]:
    """Return what makes an exception besides its type."""
    args: tuple[Any, ...] = exception.args
    if isinstance(exception, OSError) and exception.filename is not None and len(args) == 2:
        args = (*args, exception.filename)
        if exception.filename2 is not None:
            args = (*args, None, exception.filename2)
    return [
        args,
        exception.__context__,
        exception.__cause__,
        exception.__suppress_context__,
        list(getattr(exception, "guest_entries", ())),
    ]


def exception_from(new: BaseException, parts: list[Any]) -> None:
    """Complete an exception made by ``__new__`` from its parts."""
    args, context, cause, suppress, entries = parts
    new.__init__(*args)  # type: ignore[misc]
    new.__context__ = context
    new.__cause__ = cause
    new.__suppress_context__ = suppress
    new.guest_entries = entries  # type: ignore[attr-defined]


def make_exception(error: Error) -> BaseException:
    """Return the exception that CPython would raise where a call fails like this."""
    errno, filename, filename2 = error
    if errno == REFUSED:
        return NotImplementedError(filename)
    if errno == NOT_LOCKED:
        return RuntimeError("release unlocked lock")
    text = STRERROR.get(errno, f"Unknown error {errno}")
    if filename2 is not None:
        return OSError(errno, text, filename, None, filename2)
    if filename is not None:
        return OSError(errno, text, filename)
    return OSError(errno, text)
