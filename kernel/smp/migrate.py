"""What CPUs say about tasks that moved, or that were asked for and could not.

A CPU that was asked for a task (``kernel.smp.load.pull_task``) gives one, or says that it has none
to give. One that must not keep a task sends it away of its own accord.

Source: kernel/sched/core.c (migration_cpu_stop, move_queued_task), kernel/sched/fair.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.messages import eff_moved_ack
from kernel.smp import averages
from kernel.smp.balance import newly_idle
from kernel.smp.load import (
    PULL_RETRY_NS,
    find_busiest,
    load_dec,
    load_inc,
    pull_refused,
    pull_task,
)
from kernel.smp.schedule import finish_task_switch
from kernel.smp.smp_class import push_from
from kernel.smp.throttled import counts, throttled_hierarchy, trace_throttled
from kernel.smp.weigh import set_task_cpu
from kernel.task import TaskStruct
from kernel.timerq import TimerKind

if TYPE_CHECKING:
    from kernel.kernel import Kernel

_RETRY_MAX_NS: Final = 12_800_000


class PullRetry(TimerKind):
    """Asks all CPUs again for a task, on behalf of the first that idles."""

    def is_live(self, what: None, serial: int) -> bool:
        """Never: it moves tasks that run anyhow."""
        return False

    def expire(self, k: "Kernel", what: None, serial: int) -> object:
        """Ask the busiest, whoever refused the last time."""
        load = k.load
        load.pinned = 0
        if load.overloaded and load.idle_mask:
            pull_task(k, k.topology.nearest(load.idle_mask, 0))
        return None


PULL_RETRY: Final = PullRetry()


def migrated(k: "Kernel", task: TaskStruct, cpu: int, dest: int) -> None:
    """``cpu`` was asked for a task and has given ``task`` to ``dest``."""
    if k.groups.throttled and task.on_rq:
        if throttled_hierarchy(k, task, cpu):
            load_inc(k, cpu)
        if not counts(k, task, dest):
            load_dec(k, dest)
    if task.cpu == cpu:
        set_task_cpu(k, task, dest)
    k.load.pulls_out -= 1
    k.stats.pulls += 1
    k.stats.migrations += 1
    k.load.retry_ns = PULL_RETRY_NS
    _moved_ack(k, cpu, task)


def pull_failed(k: "Kernel", source: int, dest: int) -> None:
    """``source`` had nothing to give to ``dest``: count back, and look again a little later."""
    load = k.load
    pull_refused(k, source, dest)
    if dest in k.dying and not load.nr_running[dest]:
        finish_task_switch(k, dest)  # no task comes whose request would tell of the switch
    if load.overloaded and not load.nr_running[dest]:
        newly_idle(k, dest)
    if k.affinity_used:
        # its queued tasks may be bound: ask the others first, and then less and less often
        load.pinned |= 1 << source
        if load.overloaded and load.idle_mask >> dest & 1 and find_busiest(k, dest) >= 0:
            pull_task(k, dest)
            return
        load.retry_ns = min(load.retry_ns * 2, _RETRY_MAX_NS)
    if load.overloaded:
        k.timers.add(k.now_ns + load.retry_ns, PULL_RETRY, None)


def pushed(k: "Kernel", task: TaskStruct, cpu: int, dest: int) -> None:
    """``task`` has gone from ``cpu``, where it may no longer run, to ``dest``."""
    if k.averages is not None:
        averages.moved(k, task, cpu, dest)
        averages.pulled(k, dest)
    if task.cpu == cpu:
        set_task_cpu(k, task, dest)
    k.stats.migrations += 1
    _moved_ack(k, cpu, task)
    throttled = throttled_hierarchy(k, task, cpu)
    if counts(k, task, dest):
        load_inc(k, dest)
        if throttled:
            trace_throttled(k, task, 0)
    if not throttled:
        load_dec(k, cpu)
    push_from(k, 0)


def _moved_ack(k: "Kernel", cpu: int, task: TaskStruct) -> None:
    """Let ``cpu`` forget ``task`` once it has passed on all that was sent there about it."""
    k.send(cpu, eff_moved_ack(max(k.now_ns, task.msg_ns), task.pid))
