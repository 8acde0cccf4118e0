"""What few tasks ever change: scheduling policy, CPU mask, timer slack, no_new_privs.

A task that is as init was at boot has no ``TaskAttrs``. One that is not shares its own with its
children until either changes something: an instance is never changed once a task has it.

Source: include/linux/sched.h (struct task_struct), kernel/fork.c:dup_task_struct().
Deviation: fields of task_struct in Linux.
"""

from typing import TYPE_CHECKING, Final

from kernel.sched.sched_class import FAIR_RANK
from kernel.task import TASK_NEW, TaskStruct
from kernel.uapi.policy import FAIR_POLICIES, SCHED_NORMAL, SchedPolicy

if TYPE_CHECKING:
    from kernel.kernel import Kernel

TIMER_SLACK_NS: Final = 50_000


class TaskAttrs:
    """The values; ``cpus_mask`` 0 stands for every CPU. Immutable once a task has it."""

    __slots__ = (
        "cpus_mask",
        "default_timer_slack_ns",
        "keep_caps",
        "no_new_privs",
        "own",
        "policy",
        "reset_on_fork",
        "rt_priority",
        "slice_ns",
        "timer_slack_ns",
    )

    def __init__(self) -> None:
        self.policy: SchedPolicy = SCHED_NORMAL
        self.rt_priority = 0
        self.own: tuple[int, ...] = ()  # what the class of the policy has beside that
        self.slice_ns = 0  # of one's own, kept while the policy is no fair one; 0: the machine's
        self.reset_on_fork = False
        self.cpus_mask = 0
        self.no_new_privs = False
        self.keep_caps = False  # SECBIT_KEEP_CAPS of the credentials
        self.timer_slack_ns = TIMER_SLACK_NS
        self.default_timer_slack_ns = TIMER_SLACK_NS

    def copy(self) -> "TaskAttrs":
        """Return an equal one that may still be changed."""
        new = TaskAttrs()
        new.policy = self.policy
        new.rt_priority = self.rt_priority
        new.own = self.own
        new.slice_ns = self.slice_ns
        new.reset_on_fork = self.reset_on_fork
        new.cpus_mask = self.cpus_mask
        new.no_new_privs = self.no_new_privs
        new.keep_caps = self.keep_caps
        new.timer_slack_ns = self.timer_slack_ns
        new.default_timer_slack_ns = self.default_timer_slack_ns
        return new


BOOT_ATTRS: Final = TaskAttrs()


def attrs_of(task: TaskStruct) -> TaskAttrs:
    """Return the attributes of ``task``, for reading."""
    attrs: TaskAttrs | None = task.attrs
    return BOOT_ATTRS if attrs is None else attrs


def new_attrs(task: TaskStruct) -> TaskAttrs:
    """Give ``task`` attributes of its own, equal to those it has, and return them for changing."""
    new = attrs_of(task).copy()
    task.attrs = new
    return new


def set_timer_slack(attrs: TaskAttrs, slack_ns: int) -> None:
    """Set the slack of one that has its policy: 0 means the first value; only fair tasks have any.

    Source: kernel/sched/syscalls.c:__setscheduler_params(), fs/proc/base.c:timerslack_ns_write().
    """
    if attrs.policy not in FAIR_POLICIES:
        attrs.timer_slack_ns = 0
    else:
        attrs.timer_slack_ns = slack_ns or attrs.default_timer_slack_ns


def sched_fork(k: "Kernel", child: TaskStruct, orig: TaskStruct) -> None:
    """Make ``child`` a task that nobody wakes or runs yet, with the attributes that it inherits.

    From here on others may find it. The timer slack of the parent becomes the child's default.
    SCHED_RESET_ON_FORK takes a policy above the fair ones, a negative nice value and a slice of
    one's own away, and itself.

    Source: kernel/sched/core.c:sched_fork(), kernel/fork.c:copy_process().
    """
    child.state = TASK_NEW
    if orig.attrs is None:
        return
    attrs = attrs_of(orig)
    if attrs.timer_slack_ns != attrs.default_timer_slack_ns or attrs.reset_on_fork:
        attrs = attrs.copy()
        attrs.default_timer_slack_ns = attrs.timer_slack_ns
        if attrs.reset_on_fork:
            attrs.reset_on_fork = False
            attrs.slice_ns = 0
            if k.sched.by_policy[attrs.policy].rank < FAIR_RANK:
                attrs.policy = SCHED_NORMAL
                attrs.rt_priority = 0
                attrs.own = ()
                child.nice = 0
            else:
                attrs.own = ()
                if child.nice < 0:
                    child.nice = 0
    child.attrs = attrs
