"""Invariants of runqueues, of the load table, and of where each task is.

A task's two halves agree once no message about the task is on its way: what KernelState counts as
runnable on a CPU is on that CPU's queue or its current task, what sleeps is parked on the CPU that
ran it last, and no CPU has a half of a task that KernelState does not know. At no time do two CPUs
have the same task.

Source: kernel/sched/core.c; Linux's rule is that a task never runs, nor sits on two queues, on two
CPUs at once.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from kernel.messages import ARRIVE, EFF_FORK, EFF_RENAME, R_PID
from kernel.process.attrs import rt_policy
from kernel.task import TASK_DEAD, TASK_NEW, TaskStruct
from kernel.trace.printable import printable

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.sched.rq import Rq
    from kernel.state import KernelState


def check_load_table(k: "KernelState", found: list[str]) -> None:
    """The load table and the two summaries kept beside it."""
    overloaded = 0
    idle_mask = 0
    for cpu, number in enumerate(k.nr_running):
        if number < -k.pulls_out:  # what was counted as moved may have gone to sleep instead
            found.append(f"load table: cpu {cpu} has {number} runnable tasks")
        if number >= 2:
            overloaded += 1
        elif number == 0:
            idle_mask |= 1 << cpu
    if overloaded != k.overloaded:
        found.append(f"load table: {k.overloaded} overloaded cpus counted, {overloaded} found")
    if idle_mask != k.idle_mask:
        found.append(f"load table: idle mask is {k.idle_mask:#x}, should be {idle_mask:#x}")


def check_real_time(k: "KernelState", tasks: list[TaskStruct], found: list[str]) -> None:
    """The kernel's list of real-time tasks; masks name CPUs that there are."""
    online = (1 << k.spec.cpus) - 1
    for task in tasks:
        attrs = task.attrs
        if attrs is None:
            continue
        if attrs.cpus_mask & ~online:
            found.append(f"{task!r}: may use cpus {attrs.cpus_mask:#x} of {online:#x}")
        real_time = rt_policy(attrs.policy)
        if real_time != (attrs.rt_priority != 0):
            found.append(f"{task!r}: policy {attrs.policy} with priority {attrs.rt_priority}")
        alive = task.state not in (TASK_NEW, TASK_DEAD) and not task.exit_state
        if real_time and alive and task not in k.rt_tasks:
            found.append(f"{task!r}: is not on the list of real-time tasks")
    found += [
        f"{task!r}: is on the list of real-time tasks"
        for task in k.rt_tasks
        if task.state == TASK_DEAD or task.attrs is None or not rt_policy(task.attrs.policy)
    ]


def check_rq(rq: "Rq", found: list[str]) -> None:
    """One runqueue: counts, order, weights, and that the tasks on it know it."""
    cfs = rq.cfs
    where = f"cpu {rq.cpu}"
    curr = cfs.curr if cfs.curr is not None and cfs.curr.on_rq else None
    queued = [task for _, _, task in cfs.timeline]
    runnable = queued if curr is None else [*queued, curr]
    if cfs.nr_running != len(runnable):
        found.append(f"{where}: nr_running of cfs is {cfs.nr_running}, {len(runnable)} tasks found")
    real_time = [task for queue in rq.rt.active.values() for task in queue] if rq.rt else []
    if rq.rt is not None and rq.rt.nr_running != len(real_time):
        found.append(f"{where}: nr_running of rt is {rq.rt.nr_running}, {len(real_time)} found")
    found += [
        f"{where}: {task!r} is in the wrong real-time list"
        for task in real_time
        if not task.on_rq or task not in rq.rt.active.get(task.rt_priority, ())  # type: ignore[union-attr]
    ]
    total = len(runnable) + len(real_time)
    if rq.nr_running != total:
        found.append(f"{where}: nr_running is {rq.nr_running}, {total} tasks found")
    load = sum(task.weight for task in runnable)
    if cfs.load_weight != load:
        found.append(f"{where}: load is {cfs.load_weight}, the weights add up to {load}")
    if cfs.tasks.keys() != dict.fromkeys(runnable).keys():
        found.append(f"{where}: the balancing list does not hold the tasks of the queue")
    for index, (vruntime, seq, task) in enumerate(cfs.timeline):
        if (task.vruntime, task.seq) != (vruntime, seq):
            found.append(f"{where}: {task!r} is queued at a vruntime it no longer has")
        if not task.on_rq:
            found.append(f"{where}: {task!r} is queued and not on_rq")
        if task is curr:
            found.append(f"{where}: {task!r} is queued and current at once")
        if index and cfs.timeline[index - 1][:2] >= (vruntime, seq):
            found.append(f"{where}: {task!r} is out of order")
    if rq.curr in real_time:
        if cfs.curr is not None:
            found.append(f"{where}: a real-time task runs and {cfs.curr!r} does, too")
    elif rq.curr is not rq.idle and cfs.curr is not rq.curr:
        found.append(f"{where}: current is {rq.curr!r}, the fair class says {cfs.curr!r}")


class Half(NamedTuple):
    """What of a CpuTask matters here; prints as one."""

    filed: int  # the pid it is found under
    pid: int
    tgid: int
    comm: str
    on_rq: bool

    def __repr__(self) -> str:
        return f"<cputask {self.pid}/{self.tgid} {printable(self.comm)}>"


class CpuPlaces(NamedTuple):
    """One CPU as ``check_places`` sees it: plain data, so it can come from another process."""

    cpu: int
    nr_running: int
    halves: tuple[Half, ...]
    moving: tuple[int, ...]  # pids that messages in the CPU's boxes are about
    carried: tuple[int, ...]  # pids whose half is in one of them
    busy: bool  # there is a message
    found: tuple[str, ...]  # violations within the CPU

    @classmethod
    def of(cls, cpu: "Cpu") -> "CpuPlaces":
        """Check ``cpu`` by itself and describe it."""
        found: list[str] = []
        check_rq(cpu.rq, found)
        _check_cpu(cpu, found)
        effects = [effect for _, _, effect in cpu._inbox]
        effects += [effect for _, effect in cpu.forwards]
        for early in cpu._early.values():
            effects += early
        moving, carried = _subjects(effects, cpu.out)
        moving += cpu._moved
        return cls(
            cpu.id,
            cpu.rq.nr_running,
            tuple(
                Half(filed, half.pid, half.tgid, half.comm, half.on_rq)
                for filed, half in cpu.tasks.items()
            ),
            tuple(moving),
            tuple(carried),
            bool(effects or cpu.out),
            tuple(found),
        )


def check_places(
    k: "KernelState",
    cpus: tuple[CpuPlaces, ...],
    in_flight: tuple[tuple[Any, ...], ...],
    found: list[str],
) -> None:
    """Every task is in one place, and both its halves say the same place."""
    moving, carried, anything = _on_the_way(k, cpus, in_flight)
    holder: dict[int, int] = dict.fromkeys(carried, -1)
    if len(holder) != len(carried):
        found.append(f"a task is on its way twice: {sorted(carried)}")
    halves: dict[int, Half] = {}
    for cpu in cpus:
        found += cpu.found
        for half in cpu.halves:
            pid = half.filed
            if half.pid != pid:
                found.append(f"cpu {cpu.cpu}: {half!r} is filed under {pid}")
            if pid in holder:
                other = "on its way" if holder[pid] < 0 else f"on cpu {holder[pid]}"
                found.append(f"{half!r} is on cpu {cpu.cpu} and {other} at once")
            holder[pid] = cpu.cpu
            halves[pid] = half
    for pid, cpu_id in holder.items():
        if pid not in moving and cpu_id >= 0:
            _check_halves(k, cpu_id, halves[pid], found)
    for pid, entry in k.pids.hash.items():
        task = entry.task
        if task is None or pid in moving or pid in holder:
            continue
        if task.state not in (TASK_NEW, TASK_DEAD):
            found.append(f"{task!r} is on no cpu and on no way to one")
    if anything:
        return
    found += [
        f"cpu {cpu.cpu}: {cpu.nr_running} runnable tasks, the kernel counts {k.nr_running[cpu.cpu]}"
        for cpu in cpus
        if cpu.nr_running != k.nr_running[cpu.cpu]
    ]


def _check_cpu(cpu: "Cpu", found: list[str]) -> None:
    """The tasks on a CPU's queue are those it has; no time is accounted for twice."""
    stats = cpu.stats
    spent = stats.user_ns + stats.system_ns + stats.idle_ns
    if spent > cpu.now_ns:  # less is possible: a tick's cost is charged to nobody
        found.append(f"cpu {cpu.id}: clock at {cpu.now_ns}, user, system and idle make {spent}")
    curr = cpu.rq.curr
    if curr is not cpu.rq.idle and cpu.tasks.get(curr.pid) is not curr:
        found.append(f"cpu {cpu.id}: current {curr!r} is not one of its tasks")
    for _, _, half in cpu.rq.cfs.timeline:
        if cpu.tasks.get(half.pid) is not half:
            found.append(f"cpu {cpu.id}: queued {half!r} is not one of its tasks")
    queued = {half.pid for _, _, half in cpu.rq.cfs.timeline}
    if cpu.rq.rt is not None:
        queued |= {half.pid for queue in cpu.rq.rt.active.values() for half in queue}
    for half in cpu.tasks.values():
        if half.on_rq and half is not curr and half.pid not in queued:
            found.append(f"cpu {cpu.id}: {half!r} is on_rq, but neither queued nor current")
        if half is curr and not half.on_rq:
            found.append(f"cpu {cpu.id}: current {half!r} is not on_rq")


def _check_halves(k: "KernelState", cpu: int, half: Half, found: list[str]) -> None:
    """The half on ``cpu`` and the one in the kernel tell the same."""
    entry = k.pids.hash.get(half.filed)
    task = None if entry is None else entry.task
    if task is None:
        found.append(f"cpu {cpu}: {half!r} is a task the kernel does not know")
        return
    if task.state == TASK_DEAD:
        found.append(f"cpu {cpu}: {half!r} is dead and still there")
        return
    if task.cpu != cpu:
        found.append(f"{task!r} is on cpu {cpu}, the kernel says on {task.cpu}")
    if task.on_rq != half.on_rq:
        found.append(f"{task!r} on cpu {cpu}: on_rq is {half.on_rq}, the kernel says {task.on_rq}")
    if half.tgid != (task.tgid if task.thread_pid.numbers is None else 0):
        found.append(f"{task!r} on cpu {cpu}: tgid is {half.tgid}")


def _subjects(
    effects: Iterable[tuple[Any, ...]], requests: Iterable[tuple[Any, ...]]
) -> tuple[list[int], list[int]]:
    """Return the pids that messages are about, and those whose CPU half is in one."""
    moving = [request[R_PID] for request in requests]
    carried: list[int] = []
    for effect in effects:
        code, pid = effect[1], effect[2]
        moving.append(pid)
        if code == ARRIVE:
            carried.append(pid)
        elif code in (EFF_FORK, EFF_RENAME):
            moving.append(effect[3])  # the child, the new number
    return moving, carried


def _on_the_way(
    k: "KernelState", cpus: tuple[CpuPlaces, ...], in_flight: tuple[tuple[Any, ...], ...]
) -> tuple[set[int], list[int], bool]:
    """Return pids that messages are about, pids whose CPU half travels, and whether any does."""
    effects = [effect for box in k._outbox.values() for effect in box]
    effects += [message[1] for message in in_flight if len(message) == 2]
    requests = [*k._requests, *(message for message in in_flight if len(message) != 2)]
    about, carried = _subjects(effects, requests)
    moving = set(about)
    moving.update(path.task.pid for path in k._active)
    for cpu in cpus:
        moving.update(cpu.moving)
        carried += cpu.carried
    anything = bool(effects or requests or k._active) or any(cpu.busy for cpu in cpus)
    return moving, carried, anything
