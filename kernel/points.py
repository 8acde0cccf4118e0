"""Named points: where a kernel path can be interleaved with another CPU's.

A kernel path is a generator that yields ``(name, kind, object)``. The drivers in ``kernel.drive``
give each kind its meaning for the granularity in force:

========== ======================================= =======================================
kind       granularity ``syscall``                 granularity ``step``
========== ======================================= =======================================
POINT      nothing                                 others may run here
LOAD       ``x = object.field``                    others may run here; then the memory model
           is the answer of the ``yield``          in force says what this CPU reads
STORE      ``object.field = value``                others may run here; then the memory model
                                                   says who sees the value, and when
UPDATE     ``x = object.field``                    a BARRIER; then the answer is the field, and
                                                   the code behind it may set it: an atomic
                                                   read-modify-write
BARRIER    nothing                                 others may run here; what this CPU has
                                                   stored is seen by all (``MemoryModel.barrier``)
ACQUIRE    wait in virtual time for the lock        real exclusion: the path stops until it has it
READ       the same, shared                         the same, shared
RELEASE    the lock is free from now on             the same; a waiter may go on
SCHEDULE   the task gives up its CPU unless its     the same
           state is TASK_RUNNING again; the path
           goes on when a CPU runs the task
RESCHED    the task's CPU may run another task,    the same
           and this path goes on when it picks
           the task again
========== ======================================= =======================================

ACQUIRE_INNER and RELEASE_INNER are an ACQUIRE and a RELEASE that are nothing at granularity
``syscall``: of a lock that is held for a few instructions, whose time is in what the path charges
anyway. At ``step`` they are no other kind than those.

LOAD_ACQUIRE and STORE_RELEASE are a LOAD and a STORE that order what comes after or came before
them, READ_BARRIER and WRITE_BARRIER half a BARRIER each (smp_load_acquire, smp_store_release,
smp_rmb, smp_wmb): a memory model may make the difference, ``sc`` does not.

The object of a LOAD or an UPDATE is a pair and that of a STORE a triple, always written out, with
the name of the field as a literal, for the fast form of a path is made from the source's text::

    state = yield "try_to_wake_up.state", LOAD, (task, "state")
    yield "set_task_state.store", STORE, (task, "state", state)

They stand where Linux's correctness depends on the order of accesses that no lock orders
(READ_ONCE, WRITE_ONCE, smp_load_acquire, …). An atomic read-modify-write (cmpxchg, xchg) orders
everything: it is an UPDATE with a plain store in the same step, or, where what it changes is no
field, a BARRIER with plain accesses, whose object is what it is on; that of a mere barrier
(smp_mb) is None. What a path has stored with a STORE it reads with a LOAD, or after a BARRIER, or
under the lock under which it stored.

Each path *offers* the operation it stops at, and the code after it runs with the operation: what
stands between two points is one step, which nobody sees half of.

At granularity ``syscall`` nothing can come between two points but a sleep. So a path has a second,
quick form there, which is made from its source (``kernel.drive.forms``): no path asks for the
granularity, and none is written twice. ``cluster.core.paths`` has the rules this needs.

Names are stable (``exit_notify.tasklist_lock``): mutations, schedules and reports refer to them.
A name is unique to its place in the source; the object is the lock, or what the point is about.

``Path[T]`` is a path that returns a T. A function that is annotated so is a path itself or hands
one on. Whoever drives paths and does not care for their values speaks of ``Path[object]``.

No point stands in an ``except`` or ``finally`` clause: a path that is suspended while it handles an
exception corrupts the exception state of the others when it is compiled (decision 0003).
"""

from collections.abc import Generator
from typing import Any, Final, TypeVar

POINT: Final = 0
ACQUIRE: Final = 1
READ: Final = 2
RELEASE: Final = 3
BARRIER: Final = 4
SCHEDULE: Final = 5
RESCHED: Final = 6
LOAD: Final = 7
STORE: Final = 8
LOAD_ACQUIRE: Final = 9
STORE_RELEASE: Final = 10
UPDATE: Final = 11
READ_BARRIER: Final = 12
WRITE_BARRIER: Final = 13
ACQUIRE_INNER: Final = 14
RELEASE_INNER: Final = 15

KIND_NAMES: Final[tuple[str, ...]] = (
    "point",
    "acquire",
    "read",
    "release",
    "barrier",
    "schedule",
    "resched",
    "load",
    "store",
    "load_acquire",
    "store_release",
    "update",
    "read_barrier",
    "write_barrier",
    "acquire",
    "release",
)

# What the driver of granularity ``step`` makes of a kind.
STEP_KINDS: Final[dict[int, int]] = {ACQUIRE_INNER: ACQUIRE, RELEASE_INNER: RELEASE}

_T = TypeVar("_T")


def step_kind(kind: int) -> int:
    """Return what ``kind`` is at granularity ``step``."""
    return STEP_KINDS.get(kind, kind)


Point = tuple[str, int, object]
# A path that returns a T. What is sent into it is the answer to the point it stands at.
Path = Generator[Point, Any, _T]
