"""The half of a scheduling class that is KernelState's: policies, placement, push and pull.

``kernel.sched.sched_class`` has the CPU's half, which says who runs of those that wait on one CPU.
This one says which parameters a policy takes and who may set them, to which CPU a task goes, and
which tasks go to another when one comes or leaves. KernelState sees who is runnable where, not who
runs: it asks the CPUs, and a CPU may have nothing to give.

What it keeps about the tasks of its class that have a CPU is ``k.sched.members[rank]``: a number
for each, whose meaning is the class's own. Members are kept for it; the fair class has none, for
almost every task is fair. The base class is a whole class of a policy without parameters whose
tasks stay on their CPU if they may. ``kernel.smp.rt`` and ``kernel.smp.fair`` are examples.

Source: kernel/sched/sched.h (struct sched_class), kernel/sched/syscalls.c.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from mypy_extensions import mypyc_attr

from kernel.errors import KernelError
from kernel.process.attrs import TaskAttrs, attrs_of
from kernel.smp.affinity import cpumask_any_and_distribute
from kernel.uapi.errno_ import EINVAL
from kernel.uapi.prio import DEFAULT_PRIO, MAX_RT_PRIO

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct
    from kernel.uapi.policy import SchedPolicy

# why a CPU is chosen. Source: kernel/sched/sched.h (WF_TTWU, WF_FORK, WF_EXEC)
SELECT_WAKE: Final = 0
SELECT_FORK: Final = 1
SELECT_EXEC: Final = 2


class SchedAttr(NamedTuple):
    """What a task is to have (``struct sched_attr``); ``raw`` as the caller wrote it.

    ``raw``: (runtime, deadline, period) in ns of sched_setattr(), () of the other calls.
    ``flags``: SCHED_FLAG_* of sched_setattr().
    ``old``: what the class of the policy keeps of the task by now, () if it is of another class.
    """

    policy: "SchedPolicy"
    priority: int
    nice: int
    reset_on_fork: bool
    raw: tuple[int, ...] = ()
    flags: int = 0
    old: tuple[int, ...] = ()


@mypyc_attr(allow_interpreted_subclasses=True)
class SmpClass:
    """The operations, each of which may be overridden.

    Args:
        rank: as of the CPU's half.
        priorities: least and greatest ``sched_priority`` of its policies.
    """

    __slots__ = ("priorities", "rank")

    def __init__(self, rank: int, priorities: tuple[int, int] = (0, 0)) -> None:
        self.rank = rank
        self.priorities = priorities

    # -- policies and parameters --------------------------------------------------------------

    def own_attrs(self, k: "Kernel", attr: SchedAttr) -> tuple[int, ...]:
        """Check ``attr`` but for its priority; return what the class keeps of it beside that.

        It is kept in the task's attributes (``TaskAttrs.own``) and travels to the CPU's half
        (``SchedClass.setparam``). This one takes no parameters.

        Raises:
            KernelError: EINVAL.

        Source: kernel/sched/syscalls.c:__sched_setscheduler(), kernel/sched/deadline.c:
            __checkparam_dl().
        """
        if any(attr.raw):
            raise KernelError(EINVAL)
        return ()

    def takes_nice(self, policy: int) -> bool:
        """Tell whether a change to ``policy`` sets the nice value, too."""
        return False

    def may_set(self, k: "Kernel", task: "TaskStruct", attr: SchedAttr) -> bool:
        """Tell whether a caller without privilege may give ``task``, its own, these parameters.

        Source: kernel/sched/syscalls.c:user_check_sched_setscheduler().
        """
        return False

    def admit(self, k: "Kernel", task: "TaskStruct", attr: SchedAttr, own: tuple[int, ...]) -> int:
        """Return 0, or the errno with which ``task`` is turned away. Holds pi_lock.

        Source: kernel/sched/deadline.c:sched_dl_overflow().
        """
        return 0

    def check_affinity(self, k: "Kernel", task: "TaskStruct", mask: int) -> int:
        """Return 0, or the errno if ``task`` may not be kept to the CPUs of ``mask``.

        Source: kernel/sched/deadline.c:dl_task_check_affinity().
        """
        return 0

    def get_params(self, k: "Kernel", attrs: TaskAttrs) -> tuple[int, int, int]:
        """Return runtime, deadline and period in ns, as sched_getattr() tells them.

        Source: kernel/sched/syscalls.c:get_params().
        """
        return 0, 0, 0

    def get_flags(self, attrs: TaskAttrs) -> int:
        """Return SCHED_FLAG_* of the class's own, as sched_getattr() tells them."""
        return 0

    def task_prio(self, task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Return what ``task`` is in /proc/PID/stat: 0 … 39 of nice values, else below 0.

        Source: kernel/sched/syscalls.c:task_prio().
        """
        return DEFAULT_PRIO - MAX_RT_PRIO + task.nice

    def may_fork(self, attrs: TaskAttrs) -> bool:
        """Tell whether a task of the class may fork; a child has all its parent's parameters.

        Source: kernel/sched/core.c:sched_fork(), EAGAIN of SCHED_DEADLINE.
        """
        return True

    def task_load(self, task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Return what ``task`` weighs in load balancing; 0: it is not balanced by load."""
        return 0

    def get_rr_interval(self, k: "Kernel", task: "TaskStruct", attrs: TaskAttrs) -> int:
        """Return the quantum in ns, 0 for none. Source: kernel/sched/sched.h (struct)."""
        return 0

    # -- which CPU ----------------------------------------------------------------------------

    def select_task_rq(self, k: "Kernel", task: "TaskStruct", previous: int, why: int) -> int:
        """Return the CPU for ``task``: SELECT_WAKE, SELECT_FORK or SELECT_EXEC says why.

        Args:
            previous: where it was, for a new one its parent.
        """
        mask = attrs_of(task).cpus_mask
        if not mask or mask >> previous & 1:
            return previous
        return cpumask_any_and_distribute(k, mask, k.cpu)

    def push(self, k: "Kernel") -> None:
        """Send tasks of the class that wait to CPUs where they can run.

        Called when it has members, and one of this class or of a higher one has come to a CPU, left
        one, or changed.
        """

    # -- the life of a task on CPUs -----------------------------------------------------------

    def task_joined(self, k: "Kernel", task: "TaskStruct") -> int:
        """``task``, new or with a new policy, is of this class now. Return its member's number."""
        return 0

    def task_woken(self, k: "Kernel", task: "TaskStruct") -> None:
        """``task`` slept and is runnable on ``task.cpu``."""
        push_from(k, self.rank)

    def task_slept(self, k: "Kernel", task: "TaskStruct") -> None:
        """``task`` has left ``k.cpu`` to sleep."""
        push_from(k, self.rank)

    def told(self, k: "Kernel", task: "TaskStruct", key: int) -> int:
        """The CPU of ``task`` says something of it (``Rq.mail``); ``key`` is the class's own.

        Returns:
            The signal that its process is to get, 0 for none.
        """
        raise NotImplementedError(f"told {key} of {task!r}")

    def said(self, k: "Kernel", cpu: int, key: int, data: tuple[int, ...]) -> None:
        """The class on ``cpu`` says something about no task; ``key`` and ``data`` are its own."""
        raise NotImplementedError(f"said {key} by cpu {cpu}")

    def task_left(self, k: "Kernel", task: "TaskStruct") -> None:
        """``task`` is dead, or has got a policy of another class; it is no member any more."""


def push_from(k: "Kernel", rank: int) -> None:
    """Let the classes from ``rank`` down push: what one of them leaves the next may use.

    Source: kernel/sched/sched.h (balance), kernel/sched/core.c:put_prev_task_balance().
    """
    table = k.sched
    for half in table.halves:
        if half.rank >= rank and table.members[half.rank]:
            half.push(k)
