"""What of a CPU invariants look at, as plain data: it can come from another process."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from kernel.messages import ARRIVE, EFF_FORK, EFF_RENAME, R_PID
from kernel.sched.invariants import check_rq
from kernel.trace.printable import printable

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu


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
        effects = [effect for _, _, effect in cpu.inbox]
        effects += [effect for _, effect in cpu.forwards]
        for early in cpu.early.values():
            effects += early
        moving, carried = subjects(effects, cpu.out)
        moving += cpu.moved
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


def _check_cpu(cpu: "Cpu", found: list[str]) -> None:
    """The tasks on a CPU's queue are those it has; no time is accounted for twice."""
    stats = cpu.stats
    spent = stats.user_ns + stats.system_ns + stats.idle_ns
    if spent > cpu.now_ns:  # less is possible: a tick's cost is charged to nobody
        found.append(f"cpu {cpu.id}: clock at {cpu.now_ns}, user, system and idle make {spent}")
    curr = cpu.rq.curr
    if curr is not cpu.rq.idle and cpu.tasks.get(curr.pid) is not curr:
        found.append(f"cpu {cpu.id}: current {curr!r} is not one of its tasks")
    queued: set[int] = set()
    for cls in cpu.rq.classes:
        for half in cls.queued(cpu.rq):
            queued.add(half.pid)
            if cpu.tasks.get(half.pid) is not half:
                found.append(f"cpu {cpu.id}: queued {half!r} is not one of its tasks")
    for half in cpu.tasks.values():
        waits = half.on_rq and not half.parked and half is not curr
        if waits and half.pid not in queued:
            found.append(f"cpu {cpu.id}: {half!r} is on_rq, but neither queued nor current")
        if half is curr and not half.on_rq:
            found.append(f"cpu {cpu.id}: current {half!r} is not on_rq")


def subjects(
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
