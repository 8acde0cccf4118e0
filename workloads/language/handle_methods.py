"""Methods of handles: threads, locks, mappings, and those that have a module of their own."""

from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language import filecalls, generator_methods, queues, streams, sync, thread_frames
from workloads.language.bounded import tname
from workloads.language.conversions import ns_of
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, VALUE
from workloads.language.memory_calls import mmap_method
from workloads.language.thread_calls import timer_event
from workloads.language.values import FileHandle, LockHandle, MmapHandle, SyncHandle, ThreadHandle

Values = list[Any]


def _timeout_ns(value: Any) -> int:
    if value is None:
        return -1
    if not isinstance(value, int | float):
        raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    return max(ns_of(value, "timeout value is too large"), 0)


def _thread_method(G: Values, handle: ThreadHandle, name: str, args: dict[str, Any]) -> Any:
    if name == "cancel":
        event = timer_event(G, handle)
        if event is None:
            raise AttributeError("'Thread' object has no attribute 'cancel'")
        return sync.call(G, "event_set", event)
    if handle.index < 0:
        if name == "is_alive":
            return (VALUE, True)
        if name == "start":
            raise RuntimeError("threads can only be started once")
        if G[0].current < 0:
            raise RuntimeError("cannot join current thread")
        raise FatalRunError("joining the main thread is not in the guest language")
    record = G[0].threads[handle.index]
    tid = record[4]
    if name == "start":
        if tid != 0:
            raise RuntimeError("threads can only be started once")
        return (CALL, thread_frames.THREAD_BEGIN, [handle.index])
    # a thread may run before the one that started it goes on and notes its id
    current = handle.index == G[0].current
    if name == "is_alive":
        if current or tid <= 0:
            return (VALUE, current)
        return (CALL, thread_frames.THREAD_ALIVE, [handle.index])
    if current:
        raise RuntimeError("cannot join current thread")
    if tid == 0:
        raise RuntimeError("cannot join thread before it is started")
    if tid < 0:
        return (VALUE, None)
    return (CALL, thread_frames.THREAD_JOIN, [handle.index, _timeout_ns(args.get("timeout")), None])


def _lock_method(handle: LockHandle, name: str, args: dict[str, Any]) -> Any:
    if name == "release":
        return (nr.NR_LOCK_RELEASE, handle.number)
    if name == "locked":
        return (nr.NR_LOCK_LOCKED, handle.number)
    blocking = bool(args.get("blocking", True))
    timeout = args.get("timeout", -1)
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout == -1:
        return (nr.NR_LOCK_ACQUIRE, handle.number, blocking, -1)
    if isinstance(timeout, int | float) and timeout < 0:
        raise ValueError("timeout value must be positive")
    return (nr.NR_LOCK_ACQUIRE, handle.number, blocking, _timeout_ns(timeout))


_SIGNATURES: dict[type, dict[str, tuple[str, ...]]] = {
    ThreadHandle: {"start": (), "join": ("timeout",), "is_alive": (), "cancel": ()},
    LockHandle: {"acquire": ("blocking", "timeout"), "release": (), "locked": ()},
    MmapHandle: {"close": (), "madvise": ("option", "start", "length")},
    **filecalls.SIGNATURES,
    **generator_methods.SIGNATURES,
}


def handle_method(
    call_method: Any, G: Values, receiver: Any, name: str, args: Any, words: Any
) -> Any:
    """Begin a method call that is one of a handle, or perhaps an ordinary one of that name."""
    kind = type(receiver)
    if kind is SyncHandle:
        methods = queues.METHODS if receiver.kind in queues.KINDS else sync.METHODS
        signatures = methods[receiver.kind]
    elif kind is FileHandle:
        signatures = streams.METHODS[receiver.kind]
    else:
        signatures = _SIGNATURES.get(kind, {})
    signature = signatures.get(name)
    if signature is None:
        split = len(args) - len(words)
        named = dict(zip(words, args[split:], strict=True))
        return (VALUE, call_method(receiver, name, *args[:split], **named))
    split = len(args) - len(words)
    if split > len(signature):
        raise TypeError(f"{name}() takes {len(signature)} arguments but {split} were given")
    given = dict(zip(signature, args[:split]))
    for word, value in zip(words, args[split:], strict=True):
        if word not in signature:
            raise TypeError(f"{name}() got an unexpected keyword argument '{word}'")
        given[word] = value
    if kind is ThreadHandle:
        return _thread_method(G, receiver, name, given)
    if kind is LockHandle:
        return _lock_method(receiver, name, given)
    if kind is SyncHandle and receiver.kind in queues.KINDS:
        return queues.method(G, receiver, name, given)
    if kind is SyncHandle:
        return sync.method(G, receiver, name, given, _lock_method)
    if kind is FileHandle:
        return streams.method(G, receiver, name, given)
    if kind in generator_methods.SIGNATURES:
        return generator_methods.method(G, receiver, name, given)
    if kind in filecalls.SIGNATURES:
        return filecalls.method(receiver, name, given)
    return mmap_method(receiver, name, given)


def enter(G: Values, value: Any) -> Any:
    """Begin ``with value:``."""
    if type(value) is SyncHandle and value.kind not in queues.KINDS:
        return sync.enter(G, value, _lock_method)
    if type(value) is FileHandle:
        return streams.enter(G, value)
    if type(value) is not LockHandle:
        raise TypeError(f"'{tname(value)}' object does not support the context manager protocol")
    return (nr.NR_LOCK_ACQUIRE, value.number, True, -1)


def leave(G: Values, value: Any) -> Any:
    """Begin the end of ``with value:``."""
    if type(value) is SyncHandle:
        return sync.method(G, value, "release", {}, _lock_method)
    if type(value) is FileHandle:
        return streams.method(G, value, "close", {})
    return (nr.NR_LOCK_RELEASE, value.number)
