"""Timer slack: a sleep of a normal task may end late, together with another of its CPU.

A sleep that is to end at ``t`` may end up to the task's slack after that (prctl(PR_SET_TIMERSLACK),
50 us to begin with). The CPU's timer is set for the last moment; when it goes off for one sleeper,
all of the CPU whose time has come by then end, too. Real-time tasks have no slack. poll(), select()
and epoll_wait() have a thousandth of what they wait for, a two-hundredth if the task is nice, where
that is more; 100 ms at most.

Source: kernel/time/hrtimer.c (hrtimer_set_expires_range_ns, __hrtimer_run_queues), fs/select.c
(select_estimate_accuracy).
Deviation: only with ``machine.timer_slack: true``. As it is by default a sleep ends when it should:
that is what most experiments mean, and every time in their results would be another. The end of
another sleep of the CPU is the one interrupt at which a sleep ends early; ticks and timers of
setitimer() are none.
"""

from typing import TYPE_CHECKING, Final

from kernel.process.attrs import attrs_of

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

MAX_SLACK_NS: Final = 100_000_000


def slack_of(k: "Kernel", task: "TaskStruct") -> int:
    """Return by how much a sleep of ``task`` may end late, in ns."""
    return attrs_of(task).timer_slack_ns if k.spec.timer_slack else 0


def select_estimate_accuracy(k: "Kernel", task: "TaskStruct", until_ns: int) -> int:
    """Return the slack of a poll() that waits until ``until_ns``; 0 without any.

    Source: fs/select.c:select_estimate_accuracy(), __estimate_accuracy().
    """
    slack_ns = slack_of(k, task)
    if not slack_ns or until_ns <= k.now_ns:
        return slack_ns
    part_ns = (until_ns - k.now_ns) // (200 if task.nice > 0 else 1000)
    return max(slack_ns, min(part_ns, MAX_SLACK_NS))
