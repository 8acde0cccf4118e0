"""``sc``, ``tso`` and ``pso``: memory, and a buffer of stores for each CPU.

``sc`` has no buffer. What a buffer does is the kernel's (``kernel.memory.rules``): a machine that
runs a kernel under ``tso`` or ``pso`` has the same. A barrier, an atomic read-modify-write and a
lock wait here until the buffer is empty. A CPU reads the newest of its own stores first.
"""

from collections.abc import Iterator
from typing import Final

from kernel.memory.rules import (
    BUFFERED,
    FULL_BARRIER,
    LOAD_BARRIER,
    STORE_BARRIER,
    drainable,
    epoch_behind,
    must_be_empty,
)
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
    UNLOCK,
    Op,
    Program,
    answer,
    updated,
    with_item,
    without,
)
from workloads.litmus.test import RELEASE, Value

_BARRIERS: Final = {"wmb": STORE_BARRIER, "rmb": LOAD_BARRIER, "barrier": LOAD_BARRIER}

# which commute with the drains of their own CPU; no load is deferred here
_LOCAL: Final = (*LOCAL, IS_LOCKED)

# (location, value, epoch)
Entry = tuple[int, Value, int]
# one CPU: pc, registers, buffer, epoch, depth of readers, what a grace period still waits for
Cpu = tuple[int, tuple[Value, ...], tuple[Entry, ...], int, tuple[int, ...], tuple[int, ...]]
State = tuple[tuple[Value, ...], tuple[Cpu, ...]]


class StoreBuffers:
    """The machine. ``kind``: ``sc``, ``tso`` or ``pso``."""

    __slots__ = ("_buffers", "_by_location", "_reach", "program")

    def __init__(self, program: Program, kind: str) -> None:
        self.program = program
        self._reach = Reach(program)
        self._buffers = kind != "sc"
        self._by_location = BUFFERED.get(kind, False)

    def first(self) -> State:
        """Return the state at the start."""
        cpus = tuple((0, code.first, (), 0, (), ()) for code in self.program.codes)
        return self.program.first, cpus

    def final(self, state: State) -> tuple[tuple[Value, ...], ...] | None:
        """Return memory and each process's registers if everything is done, else None."""
        memory, cpus = state
        for code, cpu in zip(self.program.codes, cpus, strict=True):
            if cpu[0] < len(code.ops) or cpu[2]:
                return None
        return (memory, *[cpu[1] for cpu in cpus])

    def cpus(self, state: State) -> Iterator[tuple[int, tuple[Value, ...], tuple[int, ...]]]:
        """Yield of each CPU its pc, its registers, and that no deferred load will set any."""
        for cpu in state[1]:
            yield cpu[0], cpu[1], ()

    def successors(self, state: State) -> list[State]:
        """Return the states that one transition leads to."""
        return [each for number in range(len(state[1])) for each in self._of_cpu(state, number)]

    def _of_cpu(self, state: State, number: int) -> list[State]:
        memory, cpus = state
        cpu = cpus[number]
        found: list[State] = []
        for at in drainable(cpu[2], self._by_location, _epoch, _overlap):
            location, value, _ = cpu[2][at]
            buffer = cpu[2][:at] + cpu[2][at + 1 :]
            changed = (cpu[0], cpu[1], buffer, cpu[3] if buffer else 0, cpu[4], cpu[5])
            found.append((with_item(memory, location, value), with_item(cpus, number, changed)))
        ops = self.program.codes[number].ops
        if cpu[0] < len(ops):
            found.extend(self._execute(state, number, cpu, ops[cpu[0]]))
        return found

    # -- which transitions are enough ---------------------------------------------------------

    def reduced(self, state: State) -> list[State]:
        """Return as many of ``successors`` as are enough to reach every final state.

        What stays in its CPU goes first, and so does what a grace period has waited for: sooner is
        never worse.
        """
        cpus = state[1]
        later = [self._later(number, cpu) for number, cpu in enumerate(cpus)]
        now: list[Touch] = []
        for number, cpu in enumerate(cpus):
            touch = NOTHING
            ops = self.program.codes[number].ops
            if cpu[0] < len(ops):
                op = ops[cpu[0]]
                touch = self._touch(number, op, cpu)
                if ((op.kind in _LOCAL or not cpu[2]) and apart(touch, number, later)) or cpu[5]:
                    found = self._execute(state, number, cpu, op)
                    if found:
                        return found[:1]
            written = 0
            for entry in cpu[2]:
                written |= 1 << entry[0]
            now.append((touch[0] | written, touch[1] | written))
        return persistent(now, later, lambda number: self._of_cpu(state, number))

    def _later(self, number: int, cpu: Cpu) -> Touch:
        reads, writes = self._reach.later(number, cpu[0], bool(cpu[2]))
        for entry in cpu[2]:
            reads |= 1 << entry[0]
            writes |= 1 << entry[0]
        return reads, writes

    def _touch(self, number: int, op: Op, cpu: Cpu) -> Touch:
        """Return what ``op`` touches outside its CPU."""
        kind = op.kind
        if kind in (SET, BRANCH, JUMP, SRCU_UNLOCK):
            return NOTHING
        if kind == FENCE and op.order not in ("rcu-lock", "sync-rcu"):
            return NOTHING
        if kind in (SRCU_SYNC, FENCE) and op.order != "rcu-lock":
            return (self._reach.gp, 0) if cpu[5] else NOTHING
        if kind in (SRCU_LOCK, FENCE) or (kind in (STORE, UNLOCK) and self._buffers):
            return 0, self._reach.active[number][1]
        place = self._reach.place(self.program, op)
        if kind in (LOAD, IS_LOCKED):
            return place, 0
        return place, place

    # -- one instruction ----------------------------------------------------------------------

    def _execute(self, state: State, number: int, cpu: Cpu, op: Op) -> list[State]:
        pc, registers, buffer, epoch, readers, waits = cpu
        memory, cpus = state
        kind = op.kind
        if kind == LOAD:
            location = self.program.number.get(op.address(registers))
            if location is None:
                return []
            got = _read(memory, buffer, location)
            changed = (pc + 1, _put(registers, op.register, got), buffer, epoch, readers, waits)
            return [(memory, with_item(cpus, number, changed))]
        if kind in (STORE, UNLOCK):
            return self._store(state, number, cpu, op)
        if kind == FENCE:
            return self._fence(state, number, cpu, op)
        if kind == SET:
            value = op.value(registers)
            changed = (pc + 1, _put(registers, op.register, value), buffer, epoch, readers, waits)
            return [(memory, with_item(cpus, number, changed))]
        if kind in (BRANCH, JUMP):
            to = op.target if kind == JUMP or not op.value(registers) else pc + 1
            return [(memory, with_item(cpus, number, (to, *cpu[1:])))]
        if kind in (SRCU_LOCK, SRCU_UNLOCK, SRCU_SYNC):
            return self._srcu(state, number, cpu, op)
        return self._update(state, number, cpu, op)

    def _store(self, state: State, number: int, cpu: Cpu, op: Op) -> list[State]:
        pc, registers, buffer, epoch, readers, waits = cpu
        memory, cpus = state
        location = self.program.number.get(op.address(registers))
        if location is None:
            return []
        value = 0 if op.kind == UNLOCK else op.value(registers)
        if not self._buffers:
            changed: Cpu = (pc + 1, registers, buffer, epoch, readers, waits)
            return [(with_item(memory, location, value), with_item(cpus, number, changed))]
        if op.kind == UNLOCK or op.order == RELEASE:
            epoch = _behind(buffer, epoch, STORE_BARRIER)
        changed = (pc + 1, registers, (*buffer, (location, value, epoch)), epoch, readers, waits)
        return [(memory, with_item(cpus, number, changed))]

    def _update(self, state: State, number: int, cpu: Cpu, op: Op) -> list[State]:
        """An atomic read-modify-write or a lock; both need an empty buffer."""
        pc, registers, buffer, epoch, readers, waits = cpu
        memory, cpus = state
        location = self.program.number.get(op.address(registers))
        if location is None:
            return []
        kind = op.kind
        if kind == IS_LOCKED:
            got = _read(memory, buffer, location)
            changed: Cpu = (pc + 1, _put(registers, op.register, got), *cpu[2:])
            return [(memory, with_item(cpus, number, changed))]
        if buffer:
            return []
        old = memory[location]
        if kind == RMW:
            new = updated(op, old, registers)
            got = answer(op, old, new)
        elif old:
            if kind == LOCK:
                return []
            new, got = None, 0
        else:
            new, got = 1, 1
        after = memory if new is None else with_item(memory, location, new)
        changed = (pc + 1, _put(registers, op.register, got), buffer, epoch, readers, waits)
        return [(after, with_item(cpus, number, changed))]

    def _fence(self, state: State, number: int, cpu: Cpu, op: Op) -> list[State]:
        pc, registers, buffer, epoch, readers, waits = cpu
        memory, cpus = state
        kind = op.order
        if kind == "sync-rcu":
            return self._grace(state, number, cpu, RCU)
        if kind == "rcu-lock":
            readers = (*readers, RCU)
        elif kind == "rcu-unlock":
            readers = without(readers, RCU)
        else:
            barrier = _BARRIERS.get(kind, FULL_BARRIER)
            if buffer and must_be_empty(barrier):
                return []
            epoch = _behind(buffer, epoch, barrier)
        changed: Cpu = (pc + 1, registers, buffer, epoch, readers, waits)
        return [(memory, with_item(cpus, number, changed))]

    def _srcu(self, state: State, number: int, cpu: Cpu, op: Op) -> list[State]:
        memory, cpus = state
        location = self.program.number.get(op.address(cpu[1]))
        if location is None:
            return []
        if op.kind == SRCU_SYNC:
            return self._grace(state, number, cpu, location)
        if op.kind == SRCU_LOCK:
            readers = (*cpu[4], location)
        else:
            readers = without(cpu[4], location)
        registers = _put(cpu[1], op.register, 0)
        changed = (cpu[0] + 1, registers, cpu[2], cpu[3], readers, cpu[5])
        return [(memory, with_item(cpus, number, changed))]

    def _grace(self, state: State, number: int, cpu: Cpu, domain: int) -> list[State]:
        """Wait until each CPU has once been outside its readers with an empty buffer."""
        pc, registers, buffer, epoch, readers, waits = cpu
        memory, cpus = state
        if buffer or domain in readers:
            return []
        if not waits:
            others = self.program.waited_for(number, domain)
            to = pc if others else pc + 1
            return [(memory, with_item(cpus, number, (to, registers, (), 0, readers, others)))]
        found: list[State] = []
        for q in waits:
            if domain in cpus[q][4] or cpus[q][2]:
                continue
            left = tuple(other for other in waits if other != q)
            changed = (pc if left else pc + 1, registers, buffer, epoch, readers, left)
            found.append((memory, with_item(cpus, number, changed)))
        return found


def _epoch(entry: Entry) -> int:
    return entry[2]


def _overlap(one: Entry, other: Entry) -> bool:
    return one[0] == other[0]


def _behind(buffer: tuple[Entry, ...], epoch: int, barrier: int) -> int:
    return epoch_behind(buffer[-1][2] if buffer else None, epoch, barrier)


def _read(memory: tuple[Value, ...], buffer: tuple[Entry, ...], location: int) -> Value:
    for entry in reversed(buffer):
        if entry[0] == location:
            return entry[1]
    return memory[location]


def _put(registers: tuple[Value, ...], number: int, value: Value) -> tuple[Value, ...]:
    return registers if number < 0 else with_item(registers, number, value)
