"""Making threads: ``threading.Thread``, ``_thread.start_new_thread``, which is current."""

from typing import Any

from workloads.language import thread_frames
from workloads.language.bounded import tname
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, own_process
from workloads.language.thread_record import new_record
from workloads.language.values import CALLABLE, Partial, ThreadHandle, function_name

Values = list[Any]


def thread_new(
    G: Values, group: Any, target: Any, name: Any, args: Any, kwargs: Any, daemon: Any
) -> ThreadHandle:
    if group is not None:
        raise AssertionError("group argument must be None for now")
    process = own_process(G)
    if target is not None and type(target) not in CALLABLE:
        raise FatalRunError("the target of a thread is a function in the guest language")
    if not name:
        process.named += 1
        name = f"Thread-{process.named}"
        if target is not None and type(target) is not Partial:
            name += f" ({function_name(target)})"
    if daemon is None:
        current = process.current
        daemon = current >= 0 and process.threads[current][3]
    if type(args) not in (tuple, list):
        raise FatalRunError(f"{tname(args)} as the arguments of a thread: write a tuple")
    if kwargs:
        if type(kwargs) is not dict:
            raise FatalRunError("the named arguments of a thread are a dict in the guest language")
        target, args = Partial(target, tuple(args), dict(kwargs)), ()
    process.threads.append(new_record(target, args, str(name), bool(daemon)))
    return ThreadHandle(len(process.threads) - 1)


def current_thread(G: Values) -> ThreadHandle:
    return ThreadHandle(G[0].current)


def main_thread(G: Values) -> ThreadHandle:
    return ThreadHandle(G[0].main)


def main_thread_attribute(name: str) -> Any:
    """Return an attribute of the thread that no ``Thread`` was made for."""
    if name in ("name", "daemon"):
        return "MainThread" if name == "name" else False
    raise FatalRunError(f"the {name} of the main thread: write threading.get_{name}()")


def thread_start_new(G: Values, function: Any, args: Any) -> Any:
    if type(function) not in CALLABLE:
        raise TypeError("first arg must be callable")
    if type(args) is not tuple:
        raise TypeError("2nd arg must be a tuple")
    threads = own_process(G).threads
    threads.append(new_record(function, args, None, True))
    return (CALL, thread_frames.THREAD_START, [len(threads) - 1, thread_frames.PTHREAD_FLAGS, True])


def thread_exit(G: Values) -> None:
    raise SystemExit
