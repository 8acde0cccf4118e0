"""A CPU that is not always as fast as a CPU can be: ``RatedCpu``. ``make_cpu`` says which are.

User work is counted in ns of a CPU of full capacity that has its core to itself
(``CpuTask.remaining_ns``). Here it takes longer, in four ways, and user time is what it took:

- *Capacity*: a CPU of capacity c takes 1024/c times as long, for kernel work, too (the costs are
  scaled, ``kernel.costs.scaled``; the kernel does the same for its paths).
- *Siblings*: while other CPUs of its core run something, each runs at a share of its speed
  (``MachineSpec.smt_share``). A CPU tells its siblings when it begins and ends to idle
  (EFF_SIBLING), straight, as tasks are sent; who hears of it burns on at the new speed from that
  time on. Under ``exact`` that is to the ns, under ``barrier`` late by a quantum at most.
- *Caches*: a task that runs on another CPU than before first takes user time to fill the cache
  (``Costs.migration``, ``refill_…``). It is paid as the task computes, and what is not paid when it
  moves again is forgotten.
- *Noise*: interrupts and the hypervisor take the CPU away (``kernel.cpu.noise``). The running task
  is not charged: its clock stands still (``rq_clock_task``).

The work that is done is exact: the part of a ns that a burn leaves over is kept for the next.

Source: kernel/sched/core.c (update_rq_clock_task), kernel/sched/topology.c (cpu_capacity_orig).
Deviation: on a busy core user work becomes slower, kernel work does not. A kernel path is not
interrupted: what strikes meanwhile takes its time when the path ends or the task sleeps.
Hyperthreads share evenly, whatever they run. PELT's clock does not stand still for noise: a task
that is interrupted seems to use its CPU meanwhile.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from kernel import messages as m
from kernel.costs import Costs, scaled
from kernel.cpu import tick as ticks
from kernel.cpu.cpu import Cpu
from kernel.cpu.noise import STEAL, Noises
from kernel.cpu.position import ASKED, IDLE
from kernel.cpu.task import CpuTask
from kernel.events import CACHE_REFILL
from kernel.machine import MachineSpec
from kernel.stats import RatedStats
from kernel.uapi.clock import NSEC_PER_SEC
from kernel.user import Loader

FULL_CAPACITY: Final = 1024
_PERMILLE: Final = 1000
_FULL: Final = FULL_CAPACITY * _PERMILLE  # speed: capacity times share
_TELL_NS: Final = NSEC_PER_SEC // 100  # noise is told when so much time has gone: USER_HZ

# places in MachineSpec.places
_NODE: Final = 1
_CACHE: Final = 2
_CORE: Final = 4
_CAPACITY: Final = 5


def make_cpu(cpu: int, spec: MachineSpec, loader: Loader) -> Cpu:
    """Return CPU number ``cpu`` of the machine: a plain one, if that does."""
    if (
        capacity_of(spec, cpu) != FULL_CAPACITY
        or len(core_of(spec, cpu)) > 1
        or any(refills(spec.costs))
        or any(not each.cpus or cpu in each.cpus for each in spec.noise)
    ):
        return RatedCpu(cpu, spec, loader)
    return Cpu(cpu, spec, loader)


def capacity_of(spec: MachineSpec, cpu: int) -> int:
    """Return the capacity of a CPU, of FULL_CAPACITY."""
    return spec.places[cpu][_CAPACITY] if spec.places else FULL_CAPACITY


def core_of(spec: MachineSpec, cpu: int) -> tuple[int, ...]:
    """Return the CPUs, ``cpu`` included, that slow each other down."""
    if not spec.places or all(share == _PERMILLE for share in spec.smt_share):
        return (cpu,)
    mine = spec.places[cpu]
    return tuple(
        other
        for other, place in enumerate(spec.places)
        if place[_NODE] == mine[_NODE] and place[_CORE] == mine[_CORE]
    )


def refills(costs: Costs) -> tuple[int, ...]:
    """Return the costs of moves and absence, all 0 by default."""
    return (
        costs.migration,
        costs.refill_llc,
        costs.refill_socket,
        costs.refill_node,
        costs.refill_absence,
    )


def _refill_from(spec: MachineSpec, cpu: int) -> Iterator[int]:
    """Yield for each CPU what a task pays that moves from there to ``cpu``."""
    costs = spec.costs
    mine = spec.places[cpu] if spec.places else None
    for other in range(spec.cpus):
        place = spec.places[other] if spec.places else None
        if place is None or mine is None:
            refill = costs.refill_llc
        elif place[_NODE] != mine[_NODE]:
            refill = costs.refill_node
        elif place[_CACHE] != mine[_CACHE]:
            refill = costs.refill_socket
        elif place[_CORE] != mine[_CORE]:
            refill = costs.refill_llc
        else:
            refill = 0
        yield costs.migration + refill


class RatedCpu(Cpu):
    """See the module header."""

    __slots__ = (
        "_capacity",
        "_cold_after_ns",
        "_counts_caches",
        "_fraction",
        "_mates",
        "_noises",
        "_rated",
        "_refill_absence",
        "_refill_from",
        "_running",
        "_share",
        "_speed",
        "_taken",
        "_told_busy",
        "_told_ns",
    )

    def __init__(self, cpu: int, spec: MachineSpec, loader: Loader) -> None:
        super().__init__(cpu, spec, loader)
        self._rated = RatedStats()
        self.stats = self._rated
        self._capacity = capacity_of(spec, cpu)
        costs = scaled(spec.costs, self._capacity, FULL_CAPACITY)
        self._switch_ns = costs.context_switch
        self.tick_cost_ns = costs.tick
        self.ipi_ns = costs.ipi
        self._mates = tuple(other for other in core_of(spec, cpu) if other != cpu)
        self._share = spec.smt_share
        self._running = 0  # mask of the siblings that run something
        self._told_busy = False  # what they think of this one
        self._speed = self._capacity * _PERMILLE
        self._fraction = 0  # of a ns of work that is done and not counted, in parts of _FULL
        self._counts_caches = any(refills(costs))
        self._refill_from = tuple(_refill_from(spec, cpu))
        self._refill_absence = costs.refill_absence
        self._cold_after_ns = costs.cold_after
        self._noises = Noises(spec, cpu)
        self._taken = [0, 0, 0]  # by it, so far, by kind
        self._told_ns = 0  # when the kernel was last told

    def packed_clocks(self) -> tuple[int, ...]:
        """See ``Cpu.packed_clocks``; and what is kept here."""
        noises = tuple(number for each in self._noises.pack() for number in each)
        told = (self._running, int(self._told_busy), self._fraction, self._told_ns)
        return *super().packed_clocks(), *told, *self._taken, *noises

    def unpack_clocks(self, data: Sequence[int]) -> None:
        """Take what ``packed_clocks`` returned."""
        super().unpack_clocks(data)
        self._running, told_busy, self._fraction, self._told_ns = data[4:8]
        self._told_busy = bool(told_busy)
        self._taken = list(data[8:11])
        self._noises.unpack(list(zip(data[11::2], data[12::2])))
        self._set_speed()

    # -- siblings -----------------------------------------------------------------------------

    def _set_speed(self) -> None:
        number = self._running.bit_count() if self._mates else 0
        share = self._share[number] if number else _PERMILLE
        self._speed = self._capacity * share

    def sibling(self, cpu: int, busy: bool) -> None:
        """Another CPU of the core has begun to run something, or to idle: burn on accordingly."""
        bit = 1 << cpu
        self._running = self._running | bit if busy else self._running & ~bit
        self._set_speed()

    def switch(self, prev: CpuTask, prev_state: int) -> None:
        """See ``Cpu.switch``; then tell siblings, and see how cold the cache is."""
        super().switch(prev, prev_state)
        rq = self.rq
        task = rq.curr
        busy = task is not rq.idle
        if self._mates and busy != self._told_busy:
            self._told_busy = busy
            for mate in self._mates:
                self.forwards.append((mate, m.eff_sibling(self.now_ns, self.id, busy)))
        if self._counts_caches and task is not prev:
            if prev is not rq.idle:
                cold_ns = 0 if prev.cache is None else prev.cache[2]
                prev.cache = (self.id, self.now_ns, cold_ns)
            if busy:
                self._find_cache(task)

    def _find_cache(self, task: CpuTask) -> None:
        """``task`` begins to run: find out what it has to pay until its cache is warm."""
        now_ns = self.now_ns
        cache = task.cache
        if cache is None:
            task.cache = (self.id, now_ns, 0)
            return
        cpu, left_ns, cold_ns = cache
        if cpu != self.id:
            cold_ns = due_ns = self._refill_from[cpu]
        elif self._refill_absence > cold_ns and now_ns - left_ns >= self._cold_after_ns:
            cold_ns = due_ns = self._refill_absence
        else:
            due_ns = 0
        task.cache = (self.id, now_ns, cold_ns)
        if due_ns:
            self._rated.refills += 1
            if self.tracing:
                self.trace.append((now_ns, CACHE_REFILL, task.pid, cpu, due_ns))

    # -- time ---------------------------------------------------------------------------------

    def wall_ns(self, task: CpuTask) -> int:
        """Return how long it takes to burn what ``task`` has left, as things are now."""
        left_ns = task.remaining_ns
        speed = self._speed
        if speed != _FULL and left_ns:
            left_ns = -((self._fraction - left_ns * _FULL) // speed)
        return left_ns if task.cache is None else left_ns + task.cache[2]

    def _resume(self, task: CpuTask, due_ns: int, horizon_ns: int) -> None:
        """Run the next blocks; what they take is burnt, unless this is a fast CPU just now."""
        if self._speed != _FULL or (task.cache is not None and task.cache[2]):
            horizon_ns = -1
        super()._resume(task, due_ns, horizon_ns)

    def _burn(self, task: CpuTask, stop_ns: int) -> None:
        """See ``Cpu._burn``: it counts the time, here the work is counted that is done in it."""
        cache = task.cache
        cold_ns = 0 if cache is None else cache[2]
        speed = self._speed
        if speed == _FULL and not cold_ns:
            super()._burn(task, stop_ns)
            return
        work_ns = task.remaining_ns
        wall_ns = self.wall_ns(task)
        task.remaining_ns = wall_ns
        super()._burn(task, stop_ns)
        used_ns = wall_ns - task.remaining_ns
        paid_ns = min(used_ns, cold_ns)
        if cache is not None and paid_ns:
            task.cache = (cache[0], cache[1], cold_ns - paid_ns)
            self._rated.refill_ns += paid_ns
            used_ns -= paid_ns
        if self._running:
            self._rated.shared_ns += used_ns
        done = used_ns * speed + self._fraction
        if task.remaining_ns:
            task.remaining_ns = work_ns - done // _FULL
            self._fraction = done % _FULL
        else:
            self._fraction = done - work_ns * _FULL

    # -- noise --------------------------------------------------------------------------------

    def _run(self, horizon_ns: int) -> None:
        """See ``Cpu._run``; in between noise strikes. An idle CPU learns of it when it wakes."""
        noises = self._noises
        while noises.next_ns <= horizon_ns:
            start_ns = noises.next_ns
            if self.now_ns < start_ns:
                super()._run(start_ns)
            if self.eager and (self.out or self.forwards):
                return
            curr = self.rq.curr
            if curr.at == IDLE:
                due_ns = self.now_ns if self.rq.need_resched else self._due_ns()
                if due_ns > horizon_ns or (horizon_ns == m.END and not self.inbox):
                    return
                self._strike_idle(start_ns, due_ns)
            elif self.now_ns >= start_ns and curr.at < ASKED:
                self._strike(curr)
            else:  # the answer that it waits for comes after the strike
                due_ns = self._due_ns()
                if due_ns > horizon_ns:
                    return
                super()._run(due_ns)
        super()._run(horizon_ns)

    def _due_ns(self) -> int:
        due_ns: int = self.inbox[0][0] if self.inbox else m.NEVER
        return min(due_ns, self.timers.next_ns)

    def _strike(self, curr: CpuTask) -> None:
        """Something takes the CPU from ``curr``, which is not charged for it.

        Source: kernel/sched/core.c:update_rq_clock_task().
        """
        kind, length_ns = self._noises.take()
        start_ns = self.now_ns
        self.close()
        self.now_ns += length_ns
        self._open_ns = self.rq.clock_ns = self.now_ns
        self._count(kind, length_ns)
        curr.exec_start_ns += length_ns
        crossed = start_ns // self.tick_ns != self.now_ns // self.tick_ns
        if crossed and (self.rq.nr_running > 1 or curr.cputimer or self.ticks_alone):
            ticks.tick(self)

    def _strike_idle(self, start_ns: int, due_ns: int) -> None:
        """The same on a CPU that idles, and has to see to something at ``due_ns``.

        What the hypervisor takes from a CPU that has nothing to do is not stolen.

        Source: kernel/sched/cputime.c (irq time is counted in the idle task, too).
        """
        kind, length_ns = self._noises.take()
        if self.now_ns < start_ns:
            ticks.idle(self, start_ns)
        self.close()
        end_ns = self.now_ns + length_ns
        if kind == STEAL:
            stolen_ns = max(0, end_ns - max(due_ns, self.now_ns))
            self.stats.idle_ns += length_ns - stolen_ns
            length_ns = stolen_ns
        self.now_ns = self._open_ns = self.rq.clock_ns = end_ns
        self._count(kind, length_ns)

    def _count(self, kind: int, length_ns: int) -> None:
        """Count what was taken, and tell the kernel now and then: for /proc/stat."""
        taken = self._taken
        taken[kind] += length_ns
        self._rated.irq_ns, self._rated.softirq_ns, self._rated.steal_ns = taken
        if self.now_ns - self._told_ns >= _TELL_NS:
            self._told_ns = self.now_ns
            self.out.append(m.req_noise(self.now_ns, self.id, self.next_seq(), *taken))
