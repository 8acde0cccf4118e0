"""The driver of granularity ``syscall``: a path runs from its request to its end or its sleep.

Nothing comes between two of its points, so POINT and BARRIER mean nothing; locks are calendars in
virtual time (``kernel.locking``).
"""

from typing import TYPE_CHECKING

from kernel.drive.forms import next_point, pass_point
from kernel.points import RESCHED, SCHEDULE
from kernel.smp.schedule import offer_cpu, schedule_out
from kernel.task import TASK_RUNNING

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.points import Path


def run_to_sleep(k: "Kernel", path: "Path[object]") -> None:
    """Run ``path``, which is that of ``k.current``, to its end or its sleep."""
    point = next_point(path, None)
    while point is not None:
        _name, kind, obj = point
        answer = None
        if kind == SCHEDULE:
            if k.current.state != TASK_RUNNING:
                schedule_out(k, k.current, path)
                return
        elif kind == RESCHED:
            offer_cpu(k, k.current, path)
            return
        else:
            answer = pass_point(k, kind, obj)
        point = next_point(path, answer)
