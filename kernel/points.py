"""Named points: where a kernel path can be interleaved with another CPU's.

A kernel path is a generator that yields ``(name, kind, object)``. The driver (``kernel.drive``)
gives each kind its meaning for the granularity in force:

========== ======================================= =======================================
kind       granularity ``syscall``                 granularity ``step``
========== ======================================= =======================================
POINT      nothing                                 others may run here
BARRIER    nothing                                 others may run here; orders memory
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

KIND_NAMES: Final = ("point", "acquire", "read", "release", "barrier", "schedule", "resched")

_T = TypeVar("_T")

Point = tuple[str, int, Any]
# A path that returns a T. What is sent into it is the answer to the point it stands at.
Path = Generator[Point, Any, _T]
