"""``os.posix_spawn``: its attributes and file actions, as the kernel takes them.

Source: CPython Modules/posixmodule.c:py_posix_spawn(), parse_posix_spawn_flags().
"""

from typing import Any, Final

from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EINVAL
from workloads.language import streams, tracebacks
from workloads.language.bounded import tname
from workloads.language.constants import STRERROR
from workloads.language.conversions import argv_of, as_c_int, as_int, as_path, as_pid_int, env_of
from workloads.language.process_calls import search
from workloads.language.resources import priority_of
from workloads.language.signals import mask_of

Values = list[Any]

_POLICIES: Final = (0, 1, 2)  # SCHED_OTHER, SCHED_FIFO, SCHED_RR
_FILE_ACTIONS: Final = {0: ("open", 5), 1: ("close", 2), 2: ("dup2", 3)}


def _file_action(action: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a file action for the kernel, or raise what CPython does about its form.

    Source: CPython Modules/posixmodule.c:parse_file_actions().
    """
    kind = as_int(action[0])
    if kind not in _FILE_ACTIONS:
        raise TypeError("Unknown file_actions identifier")
    word, length = _FILE_ACTIONS[kind]
    if len(action) != length:
        raise TypeError(f"A {word} file_action tuple must have {length} elements")
    return tuple(
        [
            as_path(item) if word == "open" and place == 2 else as_pid_int(item)
            for place, item in enumerate(action)
        ]
    )


def _file_actions(value: Any) -> tuple[Any, ...]:
    if value is None or value is ...:
        return ()
    if type(value) not in (list, tuple):
        raise TypeError("file_actions must be a sequence or None")
    actions = []
    for action in value:
        if type(action) is not tuple or not action:
            raise TypeError("Each file_actions element must be a non-empty tuple")
        actions.append(_file_action(action))
    return tuple(actions)


def _scheduler(value: Any) -> tuple[int | None, int] | None:
    """Return (policy or None, priority)."""
    if value is ...:
        return None
    if type(value) is not tuple:
        raise SystemError("new style getargs format but argument is not a tuple")
    if len(value) != 2:
        raise TypeError("A scheduler tuple must have two elements")
    policy, param = value
    priority = priority_of(param)
    if policy is not None and as_c_int(policy) not in _POLICIES:
        # Source: glibc posix/spawnattr_setschedpolicy.c
        raise OSError(EINVAL, STRERROR[EINVAL])
    return (None if policy is None else as_c_int(policy), priority)


def _tail(
    name: str,
    argv: Any,
    env: Any,
    actions: Any,
    group: Any,
    rest: Any,
    candidates: tuple[str, ...] = (),
) -> tuple[Any, ...]:
    resetids, setsid, setsigmask, setsigdef, scheduler = rest
    arguments = argv_of(argv, f"{name}: argv")
    environment = env_of(env, name)
    files = _file_actions(actions)
    if group is None:
        raise TypeError(f"'{tname(group)}' object cannot be interpreted as an integer")
    attributes = (
        bool(resetids),
        bool(setsid),
        None if setsigmask is ... else mask_of(setsigmask),
        0 if setsigdef is ... else mask_of(setsigdef),
        _scheduler(scheduler),
        candidates,
    )
    return (arguments, environment, files, None if group is ... else as_c_int(group), attributes)


def os_posix_spawn(
    G: Values, path: str, argv: Any, env: Any, file_actions: Any, setpgroup: Any, *rest: Any
) -> Any:
    """Begin ``os.posix_spawn``."""
    tail = _tail("posix_spawn", argv, env, file_actions, setpgroup, rest)
    return (nr.NR_POSIX_SPAWN, path, *tail)


def os_posix_spawnp(
    G: Values, path: str, argv: Any, env: Any, file_actions: Any, setpgroup: Any, *rest: Any
) -> Any:
    """Begin ``os.posix_spawnp``."""
    candidates = () if "/" in path else search(G, path)
    tail = _tail("posix_spawnp", argv, env, file_actions, setpgroup, rest, candidates)
    return (nr.NR_POSIX_SPAWN, path, *tail)


# ---- os.spawn*: written in Python, in os.py -----------------------------------------------------


def os_spawnv(G: Values, mode: Any, file: Any, args: Any) -> Any:
    """Begin ``os.spawnv(…)``. Source: CPython Lib/os.py:_spawnvef()."""
    return _spawn(G, (("spawnv", 881),), mode, file, args)


def os_spawnve(G: Values, mode: Any, file: Any, args: Any, env: Any) -> Any:
    """Begin ``os.spawnve(…)``."""
    return _spawn(G, (("spawnve", 891),), mode, file, args, env)


def os_spawnvp(G: Values, mode: Any, file: Any, args: Any) -> Any:
    """Begin ``os.spawnvp(…)``."""
    return _spawn(G, (("spawnvp", 903),), mode, file, args, search=True)


def os_spawnvpe(G: Values, mode: Any, file: Any, args: Any, env: Any) -> Any:
    """Begin ``os.spawnvpe(…)``."""
    return _spawn(G, (("spawnvpe", 913),), mode, file, args, env, search=True)


def os_spawnl(G: Values, mode: Any, file: Any, *args: Any) -> Any:
    """Begin ``os.spawnl(…)``."""
    return _spawn(G, (("spawnv", 881), ("spawnl", 930)), mode, file, args)


def os_spawnle(G: Values, mode: Any, file: Any, *args: Any) -> Any:
    """Begin ``os.spawnle(…)``, whose last argument is the environment."""
    env = args[-1]
    return _spawn(G, (("spawnve", 891), ("spawnle", 941)), mode, file, args[:-1], env)


def os_spawnlp(G: Values, mode: Any, file: Any, *args: Any) -> Any:
    """Begin ``os.spawnlp(…)``."""
    return _spawn(G, (("spawnvp", 903), ("spawnlp", 958)), mode, file, args, search=True)


def os_spawnlpe(G: Values, mode: Any, file: Any, *args: Any) -> Any:
    """Begin ``os.spawnlpe(…)``, whose last argument is the environment."""
    env, entries = args[-1], (("spawnvpe", 913), ("spawnlpe", 969))
    return _spawn(G, entries, mode, file, args[:-1], env, search=True)


def _spawn(
    G: Values,
    entries: tuple[tuple[str, int], ...],
    mode: Any,
    file: Any,
    args: Any,
    env: Any = None,
    *,
    search: bool = False,
) -> Any:
    """Begin any of them; ``entries`` are the frames of os.py, inner first."""
    error: Exception | None = None
    line = 0
    if type(args) not in (tuple, list):
        error, line = TypeError("argv must be a tuple or a list"), 850
    elif not args or not args[0]:
        error, line = ValueError("argv first element cannot be empty"), 852
    if error is not None:
        tracebacks.add_frozen(error, "os", ("_spawnvef", line), *entries)
        raise error
    return streams.call(G, None, "run_spawn", mode, search, file, args, env, env is not None)
