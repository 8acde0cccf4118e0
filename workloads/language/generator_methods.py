"""Methods of generators: ``send``, ``throw`` and ``close``.

Source: CPython Objects/genobject.c.
Deviation: what is thrown into a generator shows no line of it in the traceback.
"""

from typing import Any, Final

from workloads.language import builtins_library
from workloads.language.binding import resume
from workloads.language.bounded import tname
from workloads.language.frames import CALL, RERAISE, RETURN, VALUE, Frame
from workloads.language.library import library
from workloads.language.values import ENDED, RUNNING, Generator, TypeValue

Values = list[Any]

NOT_BEGUN: Final = 1  # ``Generator.pc``
SIGNATURES: Final[dict[type, dict[str, tuple[str, ...]]]] = {
    Generator: {"send": ("value",), "throw": ("value",), "close": ()}
}


def method(G: Values, source: Generator, name: str, args: dict[str, Any]) -> Any:
    """Begin a method of a generator."""
    if name != "close" and "value" not in args:
        raise TypeError(f"generator.{name}() takes exactly one argument (0 given)")
    if source.pc == RUNNING:
        raise ValueError("generator already executing")
    if name == "send":
        return _send(source, args["value"])
    if name == "throw":
        return _throw(source, _raised(args["value"]))
    if source.pc in (ENDED, NOT_BEGUN):
        source.pc = ENDED
        return (VALUE, None)
    source.sent = (True, GeneratorExit())
    return (CALL, _CLOSE, [source])


def _send(source: Generator, value: Any) -> Any:
    if source.pc == NOT_BEGUN and value is not None:
        raise TypeError("can't send non-None value to a just-started generator")
    if source.pc not in (ENDED, NOT_BEGUN):
        source.sent = (False, value)
    return (CALL, builtins_library.NEXT, [source])


def _raised(value: Any) -> BaseException:
    """Return the exception that ``throw(value)`` throws."""
    kind = value.kind if type(value) is TypeValue else None
    if kind is not None and issubclass(kind, BaseException):
        return kind()
    if isinstance(value, BaseException):
        return value
    text = "type" if type(value) is TypeValue else tname(value)
    what = "exceptions must be classes or instances deriving from BaseException"
    raise TypeError(f"{what}, not {text}")


def _throw(source: Generator, exception: BaseException) -> Any:
    if source.pc in (ENDED, NOT_BEGUN):
        source.pc = ENDED
        raise exception
    source.sent = (True, exception)
    return (CALL, builtins_library.NEXT, [source])


def _close_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return resume(G, L[0])


def _close_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if V is not None:
        raise RuntimeError("generator ignored GeneratorExit")
    return (RETURN, None)


def _close_raised(F: Frame, L: Values, G: Values, V: Any) -> Any:
    if isinstance(V, GeneratorExit | StopIteration):
        return (RETURN, None)
    return (RERAISE, V)


#: [generator]: throws a GeneratorExit into it, and expects that it ends
_CLOSE: Final = library("generator.close", (_close_call, 2), (_close_done, 2), (_close_raised, -1))
