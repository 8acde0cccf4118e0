"""``sc``, ``tso`` and ``pso``: memory, and a buffer of stores for each CPU.

``sc`` has no buffer. ``tso`` drains its buffer in order; a barrier, an atomic read-modify-write and
a lock wait until it is empty, and nothing else orders anything that is not in order already.
``pso`` drains the stores to one location in order; smp_wmb() and a release open an epoch, and what
is of a later epoch waits for all of the earlier. A CPU reads the newest of its own stores first.

Source: Owens, Sarkar, Sewell, A better x86 memory model: x86-TSO, 2009; SPARC V9 for PSO.
"""

from collections.abc import Iterator

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

# (location, value, epoch)
Entry = tuple[int, Value, int]
# one CPU: pc, registers, buffer, epoch, depth of readers, what a grace period still waits for
Cpu = tuple[int, tuple[Value, ...], tuple[Entry, ...], int, tuple[int, ...], tuple[int, ...]]
State = tuple[tuple[Value, ...], tuple[Cpu, ...]]


class StoreBuffers:
    """The machine. ``kind``: ``sc``, ``tso`` or ``pso``."""

    __slots__ = ("_buffers", "_by_location", "program")

    def __init__(self, program: Program, kind: str) -> None:
        self.program = program
        self._buffers = kind != "sc"
        self._by_location = kind == "pso"

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

    def successors(self, state: State) -> list[State]:
        """Return the states that one transition leads to."""
        found: list[State] = []
        memory, cpus = state
        for number, cpu in enumerate(cpus):
            for at, (location, value, _) in self._drainable(cpu[2]):
                buffer = cpu[2][:at] + cpu[2][at + 1 :]
                changed = (cpu[0], cpu[1], buffer, cpu[3] if buffer else 0, cpu[4], cpu[5])
                found.append((with_item(memory, location, value), with_item(cpus, number, changed)))
            ops = self.program.codes[number].ops
            if cpu[0] < len(ops):
                found.extend(self._execute(state, number, cpu, ops[cpu[0]]))
        return found

    def _drainable(self, buffer: tuple[Entry, ...]) -> Iterator[tuple[int, Entry]]:
        """Yield the stores of ``buffer`` that may become visible next, and where they stand."""
        if not buffer:
            return
        if not self._by_location:
            yield 0, buffer[0]
            return
        seen = 0
        for at, entry in enumerate(buffer):
            if entry[2] != buffer[0][2]:
                return
            if not seen >> entry[0] & 1:
                yield at, entry
            seen |= 1 << entry[0]

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
        if buffer and (op.kind == UNLOCK or op.order == RELEASE):
            epoch = buffer[-1][2] + 1
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
        elif kind == "wmb":
            epoch = buffer[-1][2] + 1 if buffer else 0
        elif kind not in ("rmb", "barrier") and buffer:
            return []
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
            others = tuple(q for q in range(len(cpus)) if q != number)
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


def _read(memory: tuple[Value, ...], buffer: tuple[Entry, ...], location: int) -> Value:
    for entry in reversed(buffer):
        if entry[0] == location:
            return entry[1]
    return memory[location]


def _put(registers: tuple[Value, ...], number: int, value: Value) -> tuple[Value, ...]:
    return registers if number < 0 else with_item(registers, number, value)
