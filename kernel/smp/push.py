"""Push and pull: as many CPUs as there are run the most urgent tasks of a class.

A task that wakes goes to the CPU it was on if it can run there, else to the one that runs the least
urgent work; and whenever a task of the class, or of a higher one, comes, goes or changes, those
that wait behind others are sent to CPUs that run something less urgent. KernelState sees who is
runnable where, not who runs: a CPU that is told to give away the task it runs gives one of its
equals instead, or nothing.

Source: kernel/sched/rt.c (select_task_rq_rt, find_lowest_rq, push_rt_task, pull_rt_task),
kernel/sched/cpupri.c; kernel/sched/deadline.c and cpudeadline.c are the same with deadlines.
"""

from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from kernel.bits import find_first_bit
from kernel.messages import eff_tune_push
from kernel.process.attrs import attrs_of
from kernel.smp.smp_class import SELECT_EXEC, SmpClass

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


@mypyc_attr(allow_interpreted_subclasses=True)
class PushedClass(SmpClass):
    """A class whose tasks are pushed and pulled: one that says how urgent a task is."""

    __slots__ = ()

    def urgency(self, k: "Kernel", task: "TaskStruct") -> int:
        """Return how urgent ``task``, a member, is: more than 0, greater is more urgent."""
        raise NotImplementedError

    def cpus_by_urgency(self, k: "Kernel", but: "TaskStruct | None") -> dict[int, int]:
        """Return greatest urgency of what is runnable on a CPU -> mask of those CPUs; 0: below.

        CPUs with a task of a higher class are in none of the masks.

        Source: kernel/sched/cpupri.c (struct cpupri).
        """
        free = k.topology.online
        for half in k.sched.halves:
            if half.rank < self.rank:
                for task in k.sched.members[half.rank]:
                    if task.on_rq and task is not but:
                        free &= ~(1 << task.cpu)
        highest: dict[int, int] = {}  # by CPU
        for task in k.sched.members[self.rank]:
            if task.on_rq and task is not but:
                cpu, urgency = task.cpu, self.urgency(k, task)
                if urgency > highest.get(cpu, 0):
                    highest[cpu] = urgency
        masks: dict[int, int] = {}
        below = free
        for cpu, urgency in highest.items():
            bit = 1 << cpu
            below &= ~bit
            masks[urgency] = masks.get(urgency, 0) | bit & free
        masks[0] = below
        return masks

    def find_lowest_rq(
        self, k: "Kernel", task: "TaskStruct", masks: dict[int, int], near: int
    ) -> int:
        """Return the CPU that runs the least urgent work, less than ``task``; -1 for none.

        Args:
            masks: CPUs by urgency, as of ``cpus_by_urgency``.
            near: preferred among equals that have the fewest tasks.

        Source: kernel/sched/rt.c:find_lowest_rq(), kernel/sched/cpupri.c:cpupri_find().
        """
        allowed = attrs_of(task).cpus_mask or k.topology.online
        limit = self.urgency(k, task)
        for urgency in sorted(masks):
            if urgency >= limit:
                break
            mask = masks[urgency] & allowed
            if mask:
                return k.load.least_of(mask, near)
        return -1

    def select_task_rq(self, k: "Kernel", task: "TaskStruct", previous: int, why: int) -> int:
        """Return ``previous`` if ``task`` can run there, else where it can, at exec nowhere else.

        Source: kernel/sched/rt.c:select_task_rq_rt().
        """
        if why == SELECT_EXEC:
            return previous
        cpus = attrs_of(task).cpus_mask
        masks = self.cpus_by_urgency(k, task)
        allowed = not cpus or cpus >> previous & 1
        if allowed:
            limit = self.urgency(k, task)
            for urgency, mask in masks.items():
                if urgency < limit and mask >> previous & 1:
                    return previous
        cpu = self.find_lowest_rq(k, task, masks, previous)
        if cpu >= 0:
            return cpu
        return previous if allowed else find_first_bit(cpus)

    def push(self, k: "Kernel") -> None:
        """Send tasks that wait to CPUs that run something less urgent.

        Source: kernel/sched/rt.c:push_rt_tasks(), pull_rt_task().
        """
        runnable = [
            (-self.urgency(k, task), task) for task in k.sched.members[self.rank] if task.on_rq
        ]
        higher = any(k.sched.members[half.rank] for half in k.sched.halves if half.rank < self.rank)
        if len(runnable) < 2 and not higher:
            return
        runnable.sort(key=_first)
        masks = self.cpus_by_urgency(k, None)
        free = 0  # CPUs without anything of a higher class
        for mask in masks.values():
            free |= mask
        seen = k.topology.online & ~free  # CPUs whose most urgent task has been passed
        for urgency, task in runnable:
            if not seen >> task.cpu & 1:
                seen |= 1 << task.cpu
                continue
            cpu = self.find_lowest_rq(k, task, masks, k.cpu)
            if cpu >= 0:
                bit = 1 << cpu
                for level, mask in masks.items():
                    masks[level] = mask & ~bit
                masks[-urgency] = masks.get(-urgency, 0) | bit
                k.send(task.cpu, eff_tune_push(k.stamp(task), task.pid, cpu))


def _first(entry: "tuple[int, TaskStruct]") -> int:
    return entry[0]
