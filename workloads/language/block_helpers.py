"""What blocks call where a name may be unbound, and where an exception is raised."""

from typing import Any

from workloads.language.values import UNBOUND, TypeValue

Values = list[Any]


def assigned(variables: Values, place: int, value: Any) -> Any:
    """Do ``(variable := value)``."""
    variables[place] = value
    return value


def local(value: Any, name: str) -> Any:
    """Return a local that may not have a value yet."""
    if value is UNBOUND:
        raise UnboundLocalError(
            f"cannot access local variable '{name}' where it is not associated with a value"
        )
    return value


def global_(value: Any, name: str) -> Any:
    """Return a global that may not have a value yet."""
    if value is UNBOUND:
        raise NameError(f"name '{name}' is not defined")
    return value


def exception(kind: type[BaseException], *args: Any) -> BaseException:
    """Return a new exception."""
    return kind(*args)


def global_or(value: Any, builtin: Any) -> Any:
    """Return a global that hides a builtin, if it has a value."""
    return builtin if value is UNBOUND else value


def free(value: Any, name: str) -> Any:
    """Return a variable of an enclosing function that may not have a value yet."""
    if value is UNBOUND:
        raise NameError(
            f"cannot access free variable '{name}' where it is not associated with a value in"
            " enclosing scope"
        )
    return value


def raisable(value: Any) -> BaseException:
    """Return what ``raise value`` raises."""
    if type(value) is TypeValue and value.kind and issubclass(value.kind, BaseException):
        value = value.kind()
    if isinstance(value, BaseException):
        return value
    raise TypeError("exceptions must derive from BaseException")


def caused(value: Any, cause: Any) -> BaseException:
    """Return what ``raise value from cause`` raises."""
    error = raisable(value)
    if cause is not None and not isinstance(cause, BaseException):
        raise TypeError("exception causes must derive from BaseException")
    error.__cause__ = cause
    error.__suppress_context__ = True
    return error
