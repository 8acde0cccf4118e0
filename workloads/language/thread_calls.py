"""Making threads: ``threading.Thread``, ``_thread.start_new_thread``, which is current."""

from typing import Any

from workloads.language import thread_frames
from workloads.language.bounded import tname
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, own_process
from workloads.language.sync import event_new
from workloads.language.thread_record import (
    ALIVE_LOCK,
    ARGS,
    DAEMON,
    ENDED,
    FUNCTION,
    NAME,
    TID,
    new_record,
)
from workloads.language.values import (
    CALLABLE,
    Function,
    Partial,
    ThreadHandle,
    function_name,
    function_value,
)

Values = list[Any]


def thread_new(
    G: Values, group: Any, target: Any, name: Any, args: Any, kwargs: Any, daemon: Any
) -> ThreadHandle:
    """Return ``threading.Thread(…)``, not started."""
    if group is not None:
        raise AssertionError("group argument must be None for now")
    if target is not None and type(target) not in CALLABLE:
        raise FatalRunError("the target of a thread is a function in the guest language")
    if not name:
        name = _next_name(G)
        if target is not None and type(target) is not Partial:
            name += f" ({function_name(target)})"
    if type(args) not in (tuple, list):
        raise FatalRunError(f"{tname(args)} as the arguments of a thread: write a tuple")
    if kwargs:
        if type(kwargs) is not dict:
            raise FatalRunError("the named arguments of a thread are a dict in the guest language")
        target, args = Partial(target, tuple(args), dict(kwargs)), ()
    return _made(G, target, args, str(name), daemon)


def _next_name(G: Values) -> str:
    process = own_process(G)
    process.named += 1
    return f"Thread-{process.named}"


def _made(G: Values, target: Any, args: Any, name: str, daemon: Any) -> ThreadHandle:
    """Return a new thread; ``daemon`` None: as the current one."""
    process = own_process(G)
    if daemon is None:
        current = process.current
        daemon = current >= 0 and process.threads[current][DAEMON]
    process.threads.append(new_record(target, args, name, bool(daemon)))
    return ThreadHandle(len(process.threads) - 1)


def timer_new(G: Values, interval: Any, function: Any, args: Any, kwargs: Any) -> ThreadHandle:
    """Return ``threading.Timer(…)``: a thread that waits for an event before it calls.

    Source: CPython Lib/threading.py:Timer.
    Deviation: its traceback names the lines of Thread, not those of Timer.
    """
    code = G[0].program.runtime.library("threading")["timer_run"]
    run = function_value(code.index, code.name)
    args = () if args is None else args
    kwargs = {} if kwargs is None else kwargs
    given = (event_new(G).state, interval, function, args, kwargs)
    return _made(G, run, given, _next_name(G), None)


def timer_event(G: Values, handle: ThreadHandle) -> Values | None:
    """Return the state of the event that a Timer waits for; None: the thread is no Timer."""
    if handle.index < 0:
        return None
    record = G[0].threads[handle.index]
    code = G[0].program.runtime.library("threading")["timer_run"]
    if type(record[FUNCTION]) is not Function or record[FUNCTION].index != code.index:
        return None
    event: Values = record[ARGS][0]
    return event


def thread_enumerate(G: Values) -> list[ThreadHandle]:
    """Return ``threading.enumerate()``: the main thread, then others in the order of their starts.

    Deviation: a thread of ``_thread.start_new_thread`` is never in it.
    """
    process = G[0]
    others = [
        (record[ALIVE_LOCK], index)
        for index, record in enumerate(process.threads)
        if index != process.main and record[NAME] is not None and record[TID] >= 0
        if record[ALIVE_LOCK] and not record[ENDED]
    ]
    return [ThreadHandle(index) for index in (process.main, *[i for _, i in sorted(others)])]


def active_count(G: Values) -> int:
    """Return ``threading.active_count()``."""
    return len(thread_enumerate(G))


def current_thread(G: Values) -> ThreadHandle:
    """Return ``threading.current_thread()``."""
    return ThreadHandle(G[0].current)


def main_thread(G: Values) -> ThreadHandle:
    """Return ``threading.main_thread()``."""
    return ThreadHandle(G[0].main)


def main_thread_attribute(name: str) -> Any:
    """Return an attribute of the thread that no ``Thread`` was made for."""
    if name in ("name", "daemon"):
        return "MainThread" if name == "name" else False
    raise FatalRunError(f"the {name} of the main thread: write threading.get_{name}()")


def thread_start_new(G: Values, function: Any, args: Any) -> Any:
    """Begin ``_thread.start_new_thread``."""
    if type(function) not in CALLABLE:
        raise TypeError("first arg must be callable")
    if type(args) is not tuple:
        raise TypeError("2nd arg must be a tuple")
    threads = own_process(G).threads
    threads.append(new_record(function, args, None, True))
    return (CALL, thread_frames.THREAD_START, [len(threads) - 1, thread_frames.PTHREAD_FLAGS, True])


def thread_exit(G: Values) -> None:
    """Raise the SystemExit of ``_thread.exit()``."""
    raise SystemExit
