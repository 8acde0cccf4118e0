"""How fairly the fair class shared the CPUs, over windows of virtual time.

While a CPU runs a task of the fair class, each of those that are runnable there is due a share of
that time, by weight: its fair share. What a task is due in a window less what it got is its lag;
positive: it got too little. A CPU's virtual time makes this cheap: it advances by time / (sum of
weights), and a task that was runnable from V0 to V1 is due weight * (V1 - V0).

Jain's index of n shares x is (sum x)^2 / (n * sum x^2): 1 if all are equal, 1/n if one has all. It
is taken among tasks of equal weight on all CPUs that were runnable all through a window, so that
unequal CPUs count, and sleeping does not. The last window may be shorter than the others.

Source: R. Jain, D. Chiu, W. Hawe, A Quantitative Measure of Fairness, DEC-TR-301 (1984); lag as in
kernel/sched/fair.c (EEVDF), there of one moment, here of a window.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from cluster.report.sched.tasks import SchedTask
from kernel.sched.weights import SCHED_PRIO_TO_WEIGHT, WEIGHT_IDLEPRIO
from kernel.stats import Histogram
from kernel.uapi.policy import SCHED_IDLE
from kernel.uapi.prio import MAX_RT_PRIO

_PPM = 1_000_000
# virtual time is kept in units of 2**-_SHIFT ns per weight, so that a window loses no ns
_SHIFT = 20


@dataclass(slots=True)
class FairTask(SchedTask):
    """A task as the windows see it; times in ns since the window began."""

    policy: int = 0
    cpu: int = -1  # where it is runnable in the fair class; -1: nowhere
    weight: int = 0  # with which it was queued there
    joined: int = 0  # the CPU's virtual time then, or when the window began
    since_ns: int = 0  # since when it is runnable, or when the window began
    due: int = 0  # in 2**-_SHIFT ns
    got_ns: int = 0
    runnable_ns: int = 0

    def load(self) -> int:
        """Return its weight. Source: kernel/sched/core.c:set_load_weight()."""
        if self.policy == SCHED_IDLE:
            return WEIGHT_IDLEPRIO
        place = min(max(self.prio - MAX_RT_PRIO, 0), len(SCHED_PRIO_TO_WEIGHT) - 1)
        return SCHED_PRIO_TO_WEIGHT[place]

    def is_fair(self) -> bool:
        """Tell whether it is in the fair class by its priority."""
        return self.prio >= MAX_RT_PRIO


@dataclass(slots=True)
class _Queue:
    """A CPU's runnable tasks of the fair class."""

    clock: int = 0  # virtual time
    now_ns: int = 0
    weight: int = 0
    running: FairTask | None = None  # of the fair class
    tasks: dict[int, FairTask] = field(default_factory=dict)


class Fairness:
    """Windows of equal length, from time 0. Calls come in the order of virtual time."""

    def __init__(self, cpus: int, window_ns: int) -> None:
        self.window_ns = window_ns
        self.windows = 0
        self.behind = Histogram()  # lags of tasks that got too little, or just enough
        self.ahead = Histogram()  # of those that got more than their share, without the sign
        self.jain: list[int] = [0, 0, _PPM]  # windows with an index, their sum, the least; in ppm
        self._start_ns = 0
        self._end_ns = window_ns
        self._queues = [_Queue() for _ in range(cpus)]
        self._seen: dict[int, FairTask] = {}  # those that were runnable in this window

    def join(self, task: FairTask, cpu: int, now_ns: int) -> None:
        """A task of the fair class is runnable on a CPU."""
        if task.cpu >= 0:
            self.leave(task, now_ns)
        if not task.is_fair():
            return
        queue = self._advance(cpu, now_ns)
        task.cpu, task.weight = cpu, task.load()
        task.joined, task.since_ns = queue.clock, now_ns
        queue.weight += task.weight
        queue.tasks[id(task)] = task
        self._seen[id(task)] = task

    def reweigh(self, task: FairTask, now_ns: int) -> None:
        """A task's weight has changed."""
        if task.cpu >= 0:
            cpu, running = task.cpu, self._queues[task.cpu].running
            self.join(task, cpu, now_ns)
            self.run(running, cpu, now_ns)

    def leave(self, task: FairTask, now_ns: int) -> None:
        """A task is not runnable any more, or not there."""
        if task.cpu < 0:
            return
        queue = self._advance(task.cpu, now_ns)
        self._settle(task, queue)
        queue.weight -= task.weight
        del queue.tasks[id(task)]
        if queue.running is task:
            queue.running = None
        task.cpu = -1

    def run(self, task: FairTask | None, cpu: int, now_ns: int) -> None:
        """A CPU runs ``task`` from now on; None: nobody of the fair class."""
        queue = self._advance(cpu, now_ns)
        queue.running = task if task is not None and task.cpu == cpu else None

    def _advance(self, cpu: int, now_ns: int) -> _Queue:
        queue = self._queues[cpu]
        passed_ns = now_ns - queue.now_ns
        if passed_ns > 0:
            queue.now_ns = now_ns
            if queue.running is not None:
                queue.clock += (passed_ns << _SHIFT) // queue.weight
                queue.running.got_ns += passed_ns
        return queue

    def _settle(self, task: FairTask, queue: _Queue) -> None:
        task.due += task.weight * (queue.clock - task.joined)
        task.joined = queue.clock
        task.runnable_ns += max(queue.now_ns - task.since_ns, 0)
        task.since_ns = queue.now_ns

    def close_windows(self, now_ns: int) -> None:
        """Close every window that ends at or before ``now_ns``."""
        while self._end_ns <= now_ns:
            if not self._seen:  # nobody is runnable: nothing happens until now
                passed = (now_ns - self._end_ns) // self.window_ns + 1
                self.windows += passed
                self._start_ns = self._end_ns + (passed - 1) * self.window_ns
                self._end_ns = self._start_ns + self.window_ns
                return
            self._close()

    def finish(self, now_ns: int) -> None:
        """Close all windows; the last one ends now."""
        self.close_windows(now_ns)
        if now_ns > self._start_ns and self._seen:
            self._end_ns = now_ns
            self._close()

    def _close(self) -> None:
        length_ns = self._end_ns - self._start_ns
        for cpu, queue in enumerate(self._queues):
            self._advance(cpu, self._end_ns)
            for task in queue.tasks.values():
                self._settle(task, queue)
        equal: dict[int, list[int]] = {}
        for task in self._seen.values():
            lag_ns = (task.due >> _SHIFT) - task.got_ns
            if lag_ns >= 0:
                self.behind.record(lag_ns)
            else:
                self.ahead.record(-lag_ns)
            if task.runnable_ns >= length_ns and task.cpu >= 0:
                equal.setdefault(task.weight, []).append(task.got_ns)
            task.due = task.got_ns = task.runnable_ns = 0
        for shares in equal.values():
            if len(shares) > 1 and any(shares):
                index = jain(shares)
                self.jain[0] += 1
                self.jain[1] += index
                self.jain[2] = min(self.jain[2], index)
        self._seen = {key: task for queue in self._queues for key, task in queue.tasks.items()}
        self.windows += 1
        self._start_ns = self._end_ns
        self._end_ns += self.window_ns

    def plain(self) -> dict[str, Any]:
        """Return what was found, as plain data: times in ns, the index in millionths."""
        count, total, least = self.jain
        return {
            "window_ns": self.window_ns,
            "windows": self.windows,
            "behind_ns": self.behind.summary(),
            "ahead_ns": self.ahead.summary(),
            "jain_ppm": {
                "windows": count,
                "mean": total // count if count else None,
                "min": least if count else None,
            },
        }


def jain(shares: list[int]) -> int:
    """Return Jain's index of fairness of ``shares``, in millionths, cut off.

    Raises:
        ZeroDivisionError: all shares are 0, or there are none.
    """
    squares = len(shares) * sum(share * share for share in shares)
    return int(Fraction(sum(shares) ** 2, squares) * _PPM)
