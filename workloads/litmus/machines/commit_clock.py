"""``arm``: a machine with delayed stores and old versions, multi-copy atomic as ARMv8 is.

Stores wait in their CPU's buffer as under ``pso``. A commit puts a new version of the location into
memory at the next tick of one clock. A load reads a version that was current at some time since its
CPU's *floor*; so it may be old, which is what a load done too early sees. A barrier for loads
raises the floor to the latest time any load before it has read at. A load whose answer nobody needs
yet may be *deferred* and done after later stores.

``time`` of a register: from when what it holds is known to be current.

Source: the idea of delayed stores and versioned loads is that of OZZ (SOSP 2024); Pulte et al.,
Simplifying ARM Concurrency, POPL 2018, for what must be ordered.
"""

from collections.abc import Iterator
from typing import NamedTuple

from workloads.litmus.machines.persistent import (
    LOCAL,
    NOTHING,
    Reach,
    Touch,
    apart,
    persistent,
)
from workloads.litmus.machines.program import (
    BRANCH,
    FENCE,
    IS_LOCKED,
    JUMP,
    LOAD,
    LOCK,
    RCU,
    RMW,
    SET,
    SRCU_LOCK,
    SRCU_SYNC,
    SRCU_UNLOCK,
    STORE,
    TRYLOCK,
    UNLOCK,
    Op,
    Program,
    answer,
    next_op,
    updated,
    with_item,
    without,
)
from workloads.litmus.test import ACQUIRE, MB, NORETURN, RELEASE, Value


class Entry(NamedTuple):
    """A store that waits. ``time``: of what its address and value were made of."""

    location: int
    value: Value
    epoch: int
    release: bool
    time: int


class Cpu(NamedTuple):
    """One CPU.

    ``pending``: deferred loads, as (register, location, floor); ``released``: when its last release
    was committed, which an acquire after it comes behind.
    """

    pc: int
    registers: tuple[Value, ...]
    times: tuple[int, ...]
    seen: tuple[int, ...]
    buffer: tuple[Entry, ...] = ()
    epoch: int = 0
    pending: tuple[tuple[int, int, int], ...] = ()
    floor: int = 0
    latest: int = 0
    released: int = 0
    readers: tuple[int, ...] = ()
    waits: tuple[int, ...] = ()


Version = tuple[int, Value]
State = tuple[int, tuple[tuple[Version, ...], ...], tuple[Cpu, ...]]


class CommitClock:
    """The machine."""

    __slots__ = ("_reach", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self._reach = Reach(program)

    def first(self) -> State:
        """Return the state at the start."""
        seen = (0,) * len(self.program.first)
        cpus = tuple(
            Cpu(0, code.first, (0,) * len(code.first), seen) for code in self.program.codes
        )
        return 0, tuple(((0, value),) for value in self.program.first), cpus

    def final(self, state: State) -> tuple[tuple[Value, ...], ...] | None:
        """Return memory and each process's registers if everything is done, else None."""
        for code, cpu in zip(self.program.codes, state[2], strict=True):
            if cpu.pc < len(code.ops) or cpu.buffer or cpu.pending:
                return None
        memory = tuple(versions[-1][1] for versions in state[1])
        return (memory, *[cpu.registers for cpu in state[2]])

    def cpus(self, state: State) -> Iterator[tuple[int, tuple[Value, ...], list[int]]]:
        """Yield of each CPU its pc, its registers, and which of them deferred loads will set."""
        for cpu in state[2]:
            yield cpu.pc, cpu.registers, [entry[0] for entry in cpu.pending]

    def successors(self, state: State) -> list[State]:
        """Return the states that one transition leads to."""
        found: list[State] = []
        for number, cpu in enumerate(state[2]):
            self._drain(state, number, cpu, found)
            for at in range(len(cpu.pending)):
                self._finish(state, number, cpu, at, found)
            op = self._next(number, cpu)
            if op is not None:
                self._execute(state, number, cpu, op, found)
        return found

    def _next(self, number: int, cpu: Cpu) -> Op | None:
        return next_op(self.program, number, cpu.pc, cpu.registers, cpu.pending)

    # -- which transitions are enough ---------------------------------------------------------

    def reduced(self, state: State) -> list[State]:
        """Return as many of ``successors`` as are enough to reach every final state.

        See ``_reduced``; states that nobody can tell apart are one.
        """
        return [self.canonical(each) for each in self._reduced(state)]

    def _reduced(self, state: State) -> list[State]:
        """Return as many of ``successors`` as are enough to reach every final state.

        A load that can be deferred is: to be done at once is to be done next. It is done as late as
        it can be, for it may read then whatever it might have read before. A full barrier and what
        a grace period has waited for come as soon as they can: the floor is lower then. Two commits
        change places if nobody will read both.
        """
        cpus = state[2]
        later = [self._later(number, cpu) for number, cpu in enumerate(cpus)]
        loads = [self._loads(number, cpu) for number, cpu in enumerate(cpus)]
        graces = any(reads & self._reach.gp for reads, _ in later)
        waited_for = [graces and self.program.is_reader(q) for q in range(len(cpus))]
        now: list[Touch] = []
        for number, cpu in enumerate(cpus):
            op = self._next(number, cpu)
            touch = NOTHING
            if op is not None:
                touch = self._touch(number, op, cpu, loads)
                waits = bool(cpu.waits)
                alone = op.kind in LOCAL or not (cpu.buffer or cpu.pending)
                if waits or (alone and apart(touch, number, later)):
                    found: list[State] = []
                    self._execute(state, number, cpu, op, found)
                    if found and op.kind == LOAD and op.order != ACQUIRE:
                        return found[-1:]  # deferred
                    if found:
                        return found[:1] if waits else found
            reads, writes = touch
            if cpu.pending and (op is None or waited_for[number]):
                for entry in cpu.pending:
                    reads |= 1 << entry[1]
            for each in cpu.buffer:
                writes |= 1 << each.location
                reads |= 1 << each.location | _read_with(1 << each.location, loads)
            now.append((reads, writes))
        return persistent(
            now, later, lambda number: self._of_cpu(state, number, cpus[number], waited_for[number])
        )

    def canonical(self, state: State) -> State:
        """Return ``state`` without what nobody can tell: old versions, and distances of times.

        What nobody will load has one version, and what is read later of floors and times is whether
        one is before another.
        """
        _, memory, cpus = state
        loads = [self._loads(number, cpu) for number, cpu in enumerate(cpus)]
        base = []
        for location, versions in enumerate(memory):
            readers = [
                cpu.seen[location]
                for cpu, each in zip(cpus, loads, strict=True)
                if each >> location & 1
            ]
            base.append(min(readers) if readers else len(versions) - 1)
        bare = tuple(
            versions[at:]
            if any(each >> location & 1 for each in loads)
            else ((0, versions[-1][1]),)
            for location, (versions, at) in enumerate(zip(memory, base, strict=True))
        )
        kept: list[Cpu] = []
        for cpu, each in zip(cpus, loads, strict=True):
            seen = tuple(
                at - base[location] if each >> location & 1 else 0
                for location, at in enumerate(cpu.seen)
            )
            kept.append(cpu._replace(seen=seen) if each else _timeless(cpu, seen))
        return _ranked(bare, kept)

    def _of_cpu(self, state: State, number: int, cpu: Cpu, waited_for: bool) -> list[State]:
        found: list[State] = []
        op = self._next(number, cpu)
        self._drain(state, number, cpu, found)
        if op is None or waited_for:
            for at in range(len(cpu.pending)):
                self._finish(state, number, cpu, at, found)
        if op is not None:
            made: list[State] = []
            self._execute(state, number, cpu, op, made)
            found += made[-1:] if op.kind == LOAD and op.order != ACQUIRE else made
        return found

    def _later(self, number: int, cpu: Cpu) -> Touch:
        reads, writes = self._reach.later(number, cpu.pc, bool(cpu.buffer or cpu.pending))
        for each in cpu.buffer:
            reads |= 1 << each.location
            writes |= 1 << each.location
        for entry in cpu.pending:
            reads |= 1 << entry[1]
        return reads, writes

    def _loads(self, number: int, cpu: Cpu) -> int:
        """Return what ``cpu`` may still load."""
        loads = self._reach.loads[number][cpu.pc]
        for entry in cpu.pending:
            loads |= 1 << entry[1]
        return loads

    def _touch(self, number: int, op: Op, cpu: Cpu, loads: list[int]) -> Touch:
        """Return what ``op`` touches outside its CPU."""
        kind, gp = op.kind, self._reach.active[number][1]
        if kind in (SET, BRANCH, JUMP, SRCU_UNLOCK):
            return NOTHING
        if kind == SRCU_SYNC or (kind == FENCE and op.order == "sync-rcu"):
            return (self._reach.gp, 0) if cpu.waits else NOTHING
        if kind == FENCE:
            return (0, gp) if op.order == "rcu-lock" else NOTHING
        if kind in (SRCU_LOCK, STORE, UNLOCK) or (kind == LOAD and op.order != ACQUIRE):
            return 0, gp
        place = self._reach.place(self.program, op)
        if kind in (LOAD, IS_LOCKED):
            return place, 0
        return place | _read_with(place, loads), place

    # -- what happens by itself ---------------------------------------------------------------

    def _drain(self, state: State, number: int, cpu: Cpu, found: list[State]) -> None:
        now, memory, cpus = state
        passed = 0
        for at, entry in enumerate(cpu.buffer):
            if entry.epoch != cpu.buffer[0].epoch:
                break
            first = not passed >> entry.location & 1
            passed |= 1 << entry.location
            if not first or (entry.release and at):
                continue
            rest = cpu.buffer[:at] + cpu.buffer[at + 1 :]
            location = entry.location
            seen = with_item(cpu.seen, location, len(memory[location]))
            released = now + 1 if entry.release else cpu.released
            epoch = cpu.epoch if rest else 0
            changed = cpu._replace(buffer=rest, seen=seen, epoch=epoch, released=released)
            versions = (*memory[location], (now + 1, entry.value))
            found.append(
                (now + 1, with_item(memory, location, versions), with_item(cpus, number, changed))
            )

    def _finish(self, state: State, number: int, cpu: Cpu, at: int, found: list[State]) -> None:
        """Do the deferred load ``at``."""
        register, location, floor = cpu.pending[at]
        rest = cpu._replace(pending=cpu.pending[:at] + cpu.pending[at + 1 :])
        found.extend(
            (state[0], state[1], with_item(state[2], number, after))
            for after in self._reads(state[1], rest, location, floor, register, False)
        )

    # -- one instruction ----------------------------------------------------------------------

    def _execute(self, state: State, number: int, cpu: Cpu, op: Op, found: list[State]) -> None:
        now, memory, cpus = state
        kind = op.kind
        if kind == SET:
            time = max((cpu.times[use] for use in op.value_uses), default=0)
            after = _answered(cpu, op.register, op.value(cpu.registers), time)
            found.append((now, memory, with_item(cpus, number, after._replace(pc=cpu.pc + 1))))
            return
        if kind in (BRANCH, JUMP):
            to = op.target if kind == JUMP or not op.value(cpu.registers) else cpu.pc + 1
            found.append((now, memory, with_item(cpus, number, cpu._replace(pc=to))))
            return
        if kind == FENCE:
            self._fence(state, number, cpu, op, found)
            return
        location = self.program.number.get(op.address(cpu.registers))
        if location is None:
            return
        floor = max([cpu.floor, *[cpu.times[use] for use in op.address_uses]])
        if kind in (LOAD, IS_LOCKED):
            self._load(state, number, cpu, op, location, floor, found)
        elif kind in (STORE, UNLOCK):
            release = kind == UNLOCK or op.order == RELEASE
            value = 0 if kind == UNLOCK else op.value(cpu.registers)
            time = max((cpu.times[use] for use in op.value_uses + op.address_uses), default=0)
            entry = Entry(location, value, cpu.epoch, release, time)
            after = cpu._replace(pc=cpu.pc + 1, buffer=(*cpu.buffer, entry))
            found.append((now, memory, with_item(cpus, number, after)))
        elif kind in (SRCU_LOCK, SRCU_UNLOCK, SRCU_SYNC):
            self._srcu(state, number, cpu, op, location, found)
        else:
            self._update(state, number, cpu, op, location, floor, found)

    def _load(
        self,
        state: State,
        number: int,
        cpu: Cpu,
        op: Op,
        location: int,
        floor: int,
        found: list[State],
    ) -> None:
        now, memory, cpus = state
        acquire = op.order == ACQUIRE
        if acquire and any(entry.release for entry in cpu.buffer):
            return
        beyond = cpu._replace(pc=cpu.pc + 1)
        if acquire:
            floor = max(floor, cpu.released)
            beyond = beyond._replace(floor=max(cpu.floor, cpu.released))
        found.extend(
            (now, memory, with_item(cpus, number, after))
            for after in self._reads(memory, beyond, location, floor, op.register, acquire)
        )
        if not acquire and op.kind == LOAD:
            after = beyond._replace(pending=(*cpu.pending, (op.register, location, floor)))
            found.append((now, memory, with_item(cpus, number, after)))

    @staticmethod
    def _reads(
        memory: tuple[tuple[Version, ...], ...],
        cpu: Cpu,
        location: int,
        floor: int,
        register: int,
        acquire: bool,
    ) -> list[Cpu]:
        """Return ``cpu`` after each answer that a load of ``location`` may have."""
        for entry in reversed(cpu.buffer):
            if entry.location == location:
                after = _answered(cpu, register, entry.value, entry.time)
                return [_loaded(after, entry.time, acquire)]
        found = []
        versions = memory[location]
        for place in range(cpu.seen[location], len(versions)):
            if place + 1 < len(versions) and versions[place + 1][0] <= floor:
                continue
            time = max(versions[place][0], floor)
            after = _answered(cpu, register, versions[place][1], time)
            after = after._replace(seen=with_item(cpu.seen, location, place))
            found.append(_loaded(after, time, acquire))
        return found

    def _update(
        self,
        state: State,
        number: int,
        cpu: Cpu,
        op: Op,
        location: int,
        floor: int,
        found: list[State],
    ) -> None:
        """An atomic read-modify-write, spin_lock() or spin_trylock()."""
        now, memory, cpus = state
        kind, order = op.kind, op.order if op.kind == RMW else ACQUIRE
        beyond = cpu._replace(pc=cpu.pc + 1)
        if kind != LOCK:  # it may fail, which is a load
            for after in self._reads(memory, beyond, location, floor, -1, False):
                old = _value_read(after, memory, location)
                if kind == RMW and updated(op, old, cpu.registers) is None:
                    got = answer(op, old, None)
                elif kind == TRYLOCK and old:
                    got = 0
                else:
                    continue
                after = _answered(after, op.register, got, after.latest)
                found.append((now, memory, with_item(cpus, number, after)))
        if any(entry.location == location for entry in cpu.buffer):
            return
        if cpu.buffer and (order in (RELEASE, MB) or cpu.buffer[0].epoch != cpu.epoch):
            return
        if order in (ACQUIRE, MB) and any(entry.release for entry in cpu.buffer):
            return
        time, old = memory[location][-1]
        new: Value | None = 1
        if kind == RMW:
            new = updated(op, old, cpu.registers)
        elif old:
            new = None
        if new is None:
            return
        got = answer(op, old, new) if kind == RMW else 1
        time = max(time, floor, cpu.released if order == ACQUIRE else 0)
        versions = (*memory[location], (now + 1, new))
        after = _answered(beyond, op.register, got, time)
        after = after._replace(seen=with_item(cpu.seen, location, len(versions) - 1))
        if order == MB:
            after = after._replace(floor=now + 1, latest=now + 1)
        elif order != NORETURN:
            after = _loaded(after, time, order == ACQUIRE)
        found.append(
            (now + 1, with_item(memory, location, versions), with_item(cpus, number, after))
        )

    def _fence(self, state: State, number: int, cpu: Cpu, op: Op, found: list[State]) -> None:
        now, memory, cpus = state
        kind = op.order
        after = cpu._replace(pc=cpu.pc + 1)
        if kind == "sync-rcu":
            self._grace(state, number, cpu, RCU, found)
            return
        if kind == "rcu-lock":
            after = after._replace(readers=(*cpu.readers, RCU))
        elif kind == "rcu-unlock":
            after = after._replace(readers=without(cpu.readers, RCU))
        elif kind == "wmb":
            after = after._replace(epoch=cpu.buffer[-1].epoch + 1 if cpu.buffer else 0)
        elif kind == "rmb":
            after = after._replace(floor=max(cpu.floor, cpu.latest))
        elif kind != "barrier":
            if cpu.buffer:
                return
            after = after._replace(floor=now)
        found.append((now, memory, with_item(cpus, number, after)))

    def _srcu(
        self, state: State, number: int, cpu: Cpu, op: Op, location: int, found: list[State]
    ) -> None:
        now, memory, cpus = state
        if op.kind == SRCU_SYNC:
            self._grace(state, number, cpu, location, found)
            return
        if op.kind == SRCU_LOCK:
            readers = (*cpu.readers, location)
        else:
            readers = without(cpu.readers, location)
        after = _answered(cpu, op.register, 0, 0)._replace(pc=cpu.pc + 1, readers=readers)
        found.append((now, memory, with_item(cpus, number, after)))

    def _grace(self, state: State, number: int, cpu: Cpu, domain: int, found: list[State]) -> None:
        """A full barrier, and one on behalf of each other CPU while it is no reader."""
        now, memory, cpus = state
        if cpu.buffer or cpu.pending or domain in cpu.readers:
            return
        if not cpu.waits:
            others = self.program.waited_for(number, domain)
            pc = cpu.pc if others else cpu.pc + 1
            after = cpu._replace(pc=pc, floor=now, waits=others)
            found.append((now, memory, with_item(cpus, number, after)))
            return
        for q in cpu.waits:
            other = cpus[q]
            if domain in other.readers or other.buffer or other.pending:
                continue
            left = tuple(each for each in cpu.waits if each != q)
            after = cpu._replace(pc=cpu.pc if left else cpu.pc + 1, floor=now, waits=left)
            told = with_item(cpus, q, other._replace(floor=now))
            found.append((now, memory, with_item(told, number, after)))


def _timeless(cpu: Cpu, seen: tuple[int, ...]) -> Cpu:
    """Return ``cpu``, which will not load anything any more, without its times."""
    buffer = tuple(entry._replace(time=0) for entry in cpu.buffer)
    return cpu._replace(
        seen=seen, times=(0,) * len(cpu.times), buffer=buffer, floor=0, latest=0, released=0
    )


def _ranked(memory: tuple[tuple[Version, ...], ...], cpus: list[Cpu]) -> State:
    """Return the state with its times numbered without gaps."""
    times = {0}
    for versions in memory:
        times.update(time for time, _ in versions)
    for cpu in cpus:
        times.update((cpu.floor, cpu.latest, cpu.released, *cpu.times))
        times.update(entry.time for entry in cpu.buffer)
        times.update(floor for _, _, floor in cpu.pending)
    rank = {time: number for number, time in enumerate(sorted(times))}
    if rank[max(times)] == max(times):
        return max(times), memory, tuple(cpus)
    after = tuple(
        cpu._replace(
            floor=rank[cpu.floor],
            latest=rank[cpu.latest],
            released=rank[cpu.released],
            times=tuple(rank[time] for time in cpu.times),
            buffer=tuple(entry._replace(time=rank[entry.time]) for entry in cpu.buffer),
            pending=tuple((r, place, rank[floor]) for r, place, floor in cpu.pending),
        )
        for cpu in cpus
    )
    ranked = tuple(tuple((rank[time], value) for time, value in versions) for versions in memory)
    return len(rank) - 1, ranked, after


def _read_with(place: int, loads: list[int]) -> int:
    """Return what those load who load ``place``: they may tell which of two commits was first."""
    found = 0
    for each in loads:
        if each & place:
            found |= each
    return found


def _answered(cpu: Cpu, register: int, value: Value, time: int) -> Cpu:
    if register < 0:
        return cpu
    return cpu._replace(
        registers=with_item(cpu.registers, register, value),
        times=with_item(cpu.times, register, time),
    )


def _loaded(cpu: Cpu, time: int, acquire: bool) -> Cpu:
    """A load has read at ``time``."""
    latest = max(cpu.latest, time)
    floor = max(cpu.floor, time) if acquire else cpu.floor
    return (
        cpu
        if (latest, floor) == (cpu.latest, cpu.floor)
        else cpu._replace(latest=latest, floor=floor)
    )


def _value_read(cpu: Cpu, memory: tuple[tuple[Version, ...], ...], location: int) -> Value:
    for entry in reversed(cpu.buffer):
        if entry.location == location:
            return entry.value
    return memory[location][cpu.seen[location]][1]
