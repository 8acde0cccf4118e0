"""The module ``traceback``: the text of the exception that is being handled.

Source: CPython Lib/traceback.py.
Deviation: None may stand for the traceback of an exception, nothing else.
"""

from typing import Any, Final

from workloads.language import tracebacks
from workloads.language.errors import FatalRunError
from workloads.language.frames import VALUE
from workloads.language.values import TypeValue

Values = list[Any]


def handled(G: Values) -> BaseException | None:
    """Return the exception that is being handled, as ``sys.exc_info()`` finds it."""
    for frame in reversed(G[0].program.runtime.work.frames):
        slot = frame.code.slots[frame.pc]
        if slot >= 0 and isinstance(frame.locals[slot], BaseException):
            found: BaseException = frame.locals[slot]
            return found
    return None


_ENTRY: Final = 200  # units of one entry, whose line and marks are looked up


def _lines(G: Values, exception: BaseException | None) -> list[str]:
    if exception is None:
        return ["NoneType: None\n"]
    process = G[0]
    path, lines = process.path, process.program.lines
    told = tracebacks.format_exception(exception, path, lines, uncaught=False)
    process.program.runtime.bounded.charge(sum(map(len, told)) + _ENTRY * len(told), "a traceback")
    return told


def _print(G: Values, lines: list[str]) -> Any:
    op = G[0].program.runtime.report(G, lines)
    return (VALUE, None) if op is None else op


def traceback_print_exc(G: Values) -> Any:
    """Begin ``traceback.print_exc``."""
    return _print(G, _lines(G, handled(G)))


def traceback_format_exc(G: Values) -> str:
    """Return ``traceback.format_exc()``."""
    return "".join(_lines(G, handled(G)))


def _given(exc: Any, value: Any, tb: Any) -> BaseException | None:
    if type(exc) is TypeValue and isinstance(value, BaseException):
        exc = value
    elif value is not ...:
        raise FatalRunError("traceback functions take an exception in the guest language")
    if exc is not None and not isinstance(exc, BaseException):
        raise FatalRunError("traceback functions take an exception in the guest language")
    if tb is not ... and tb is not None:
        raise FatalRunError("there are no traceback objects in the guest language")
    return exc


def traceback_print_exception(G: Values, exc: Any, value: Any, tb: Any) -> Any:
    """Begin ``traceback.print_exception``."""
    return _print(G, _lines(G, _given(exc, value, tb)))


def traceback_format_exception(G: Values, exc: Any, value: Any, tb: Any) -> list[str]:
    """Return ``traceback.format_exception(…)``."""
    return _lines(G, _given(exc, value, tb))
