"""The driver of granularity ``syscall``: a path runs from its request to its end or its sleep.

Nothing comes between two of its points, so POINT and BARRIER mean nothing; locks are calendars in
virtual time (``kernel.locking``).
"""

from typing import TYPE_CHECKING

from kernel.drive.forms import next_point, pass_point
from kernel.points import LOAD, LOAD_ACQUIRE, RESCHED, SCHEDULE, UPDATE
from kernel.smp.schedule import offer_cpu, schedule_out
from kernel.task import TASK_RUNNING

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.points import Path, Point


def run_to_sleep(k: "Kernel", path: "Path[object]") -> None:
    """Run ``path``, which is that of ``k.current``, to its end or its sleep."""
    # A loop sees the end of a path without an exception, which send() does not: that is dear, and
    # only what reads needs its answer. Quick forms have none.
    for start in path:
        point: Point | None = start
        while point is not None:
            _name, kind, obj = point
            if kind == SCHEDULE:
                if k.current.state != TASK_RUNNING:
                    schedule_out(k, k.current, path)
                    return
                break
            if kind == RESCHED:
                offer_cpu(k, k.current, path)
                return
            answer = pass_point(k, kind, obj)
            if kind not in (LOAD, LOAD_ACQUIRE, UPDATE):
                break
            point = next_point(path, answer)
