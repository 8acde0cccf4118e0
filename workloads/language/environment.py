"""``os.environ``, ``os.getenv``, ``os.putenv``."""

from typing import Any

from workloads.language.bounded import tname
from workloads.language.conversions import as_path
from workloads.language.frames import own_process
from workloads.language.tracebacks import add_frozen

Values = list[Any]


def environ_of(G: Values) -> dict[str, str]:
    """Return what ``os.environ`` holds; it is the process's own only once it was changed."""
    changed: dict[str, str] | None = G[0].environ
    return dict(G[0].env) if changed is None else changed


def _environ_key(key: Any) -> str:
    if type(key) is not str:
        raise TypeError(f"str expected, not {tname(key)}")
    return key


def os_getenv(G: Values, key: Any, default: Any) -> Any:
    """Return ``os.getenv(key, default)``."""
    return environ_of(G).get(_environ_key(key), default)


def environ_get(G: Values, key: Any) -> str:
    """Return ``os.environ[key]``."""
    environ = environ_of(G)
    if _environ_key(key) not in environ:
        error = KeyError(key)
        error.__suppress_context__ = True  # os.py raises it from None
        add_frozen(error, "os", ("__getitem__", 679))
        raise error
    return environ[key]


def environ_copy(G: Values) -> dict[str, str]:
    """Return ``os.environ.copy()``."""
    return dict(environ_of(G))


def os_putenv(G: Values, name: Any, value: Any) -> None:
    """Change what exec passes on; ``os.environ`` does not see it, as in CPython."""
    process = own_process(G)
    if process.environ is None:
        process.environ = dict(process.env)
    if process.c_environ is None:
        process.c_environ = dict(process.env)
    process.c_environ[as_path(_environ_key(name))] = as_path(_environ_key(value))


def environ_set(G: Values, key: Any, value: Any) -> None:
    """Carry out ``os.environ[key] = value``: CPython's dict and the C library's environment."""
    os_putenv(G, key, value)
    G[0].environ[key] = value
