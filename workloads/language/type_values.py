"""Types as values: what ``type(x)`` gives, and what ``isinstance`` and ``except`` make of it."""

from typing import Any

from workloads.language import tables
from workloads.language.bounded import tname
from workloads.language.values import TypeValue


def type_of(value: Any) -> TypeValue:
    """Return ``type(value)``."""
    return type_value(type(value), tname(value))


_TYPES: dict[str, TypeValue] = {}


def type_value(kind: type, name: str) -> TypeValue:
    """Return the one value that stands for a type."""
    found = _TYPES.get(name)
    if found is None:
        known = kind in tables.TYPES.values() or issubclass(kind, BaseException)
        found = _TYPES[name] = TypeValue(name, kind if known else None)
    return found


def named_type(name: str) -> TypeValue:
    """Return the value of the type or exception with this name."""
    kind = tables.TYPES.get(name) or tables.EXCEPTIONS.get(name)
    return type_value(kind or object, kind.__name__ if kind else name)


def types_of(value: Any, exceptions_only: bool = False) -> Any:
    """Return what isinstance() or except accepts as host types."""
    if type(value) is tuple:
        return tuple([types_of(part, exceptions_only) for part in value])
    kind = value.kind if type(value) is TypeValue else None
    if exceptions_only and (kind is None or not issubclass(kind, BaseException)):
        raise TypeError("catching classes that do not inherit from BaseException is not allowed")
    if type(value) is not TypeValue:
        raise TypeError("isinstance() arg 2 must be a type, a tuple of types, or a union")
    return _Never if kind is None else kind


class _Never:
    """The type of no guest value."""


def is_instance(value: Any, types: Any) -> bool:
    """Return ``isinstance(value, types)`` for types that are values."""
    return isinstance(value, types_of(types))


def matches(exception: BaseException, types: Any) -> bool:
    """Tell whether ``except types`` catches an exception."""
    return isinstance(exception, types_of(types, True))
