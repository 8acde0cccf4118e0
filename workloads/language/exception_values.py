"""Exceptions as values of a program: which there are, their parts, what an errno stands for."""

from threading import BrokenBarrierError
from typing import Any

from workloads.language import tables
from workloads.language.constants import STRERROR

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
            BrokenBarrierError,
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


def make_exception(error: tuple[str, tuple[Any, ...]]) -> BaseException:
    """Return the exception an error answer stands for: ``("OSError", (errno, filename?, …))``."""
    name, args = error
    if name == "OSError":
        errno = args[0]
        text = STRERROR.get(errno, f"Unknown error {errno}")
        if len(args) > 2 and args[2] is not None:
            return OSError(errno, text, args[1], None, args[2])
        if len(args) > 1 and args[1] is not None:
            return OSError(errno, text, args[1])
        return OSError(errno, text)
    return EXCEPTION_TYPES[name](*args)
