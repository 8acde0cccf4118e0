"""``guest.clone3`` and ``guest.clone_thread``: arguments, and how their results come back.

Helpers as in ``calls``, library frames as in ``library``.
"""

from typing import Any

from kernel.uapi.clone import (
    CLONE_CHILD_SETTID,
    CLONE_INTO_CGROUP,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_VM,
)
from kernel.uapi.syscalls import NR_CLONE3
from workloads.language import library, thread_frames
from workloads.language.bounded import tname
from workloads.language.frames import CALL, RETURN, Frame, own_process
from workloads.language.thread_record import new_record
from workloads.language.values import CALLABLE, MmapHandle

Values = list[Any]


def _clone3_call(F: Frame, L: Values, G: Values, V: Any) -> Any:
    F.pc = 1
    return (NR_CLONE3, *L[0])


def _clone3_done(F: Frame, L: Values, G: Values, V: Any) -> Any:
    # the child, which gets 0, has no pidfd
    return (RETURN, (0, -1) if L[1] and V == 0 else V)


#: [arguments of the system call, whether (pid, pidfd) is the result]
CLONE3 = library.library("clone3", (_clone3_call, -1), (_clone3_done, -1))


def _word(place: Any, name: str) -> int:
    """Return the address of a tid's word, given as ``(mapping, offset)``; 0 for None."""
    if place is None:
        return 0
    if type(place) is not tuple or len(place) != 2:
        raise TypeError(f"{name} must be (mmap, offset) or None")
    m, offset = place
    if type(m) is not MmapHandle or not isinstance(offset, int):
        raise TypeError(f"{name} must be (mmap, offset) or None")
    if not m.address:
        raise ValueError("mmap closed or invalid")
    if not 0 <= offset <= m.length - 4:
        raise IndexError("mmap index out of range")
    return m.address + offset


def guest_clone3(
    G: Values,
    flags: int,
    exit_signal: int,
    set_tid: Any,
    pidfd: Any,
    parent_tid: Any,
    child_tid: Any,
    cgroup: Any = None,
) -> Any:
    """Source of the argument rules: ``workloads.guest.clone3``."""
    numbers: tuple[int, ...] = ()
    if set_tid is not None:
        if type(set_tid) not in (tuple, list) or not all(type(n) is int for n in set_tid):
            raise TypeError("set_tid must be a tuple of ints")
        numbers = tuple(set_tid)
        if not all(-(1 << 31) <= n < 1 << 31 for n in numbers):
            raise OverflowError("set_tid: Python int too large to convert to C int")
    if pidfd:
        flags |= CLONE_PIDFD
    parent_word = _word(parent_tid, "parent_tid")
    child_word = _word(child_tid, "child_tid")
    if parent_word:
        flags |= CLONE_PARENT_SETTID
    if child_word:
        flags |= CLONE_CHILD_SETTID
    op: tuple[Any, ...] = (flags, exit_signal, numbers, bool(pidfd), parent_word, child_word)
    if cgroup is not None:
        if not isinstance(cgroup, int):
            raise TypeError(f"'{tname(cgroup)}' object cannot be interpreted as an integer")
        op = (flags | CLONE_INTO_CGROUP, *op[1:], cgroup)
    return (CALL, CLONE3, [op, bool(pidfd)])


def guest_clone_thread(G: Values, flags: int, function: Any, *args: Any) -> Any:
    """Begin ``guest.clone_thread``: a thread with these clone flags that calls a function."""
    if type(function) not in CALLABLE:
        raise TypeError(f"'{tname(function)}' object is not callable")
    if not flags & CLONE_VM:
        raise ValueError("clone_thread() needs CLONE_VM: write clone()")
    values = tuple([value for value in args if value is not ...])
    threads = own_process(G).threads
    threads.append(new_record(function, values, None, True))
    return (CALL, thread_frames.THREAD_START, [len(threads) - 1, flags, None])
