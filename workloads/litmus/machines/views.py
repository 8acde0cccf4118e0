"""``weak``: a machine of views, as weak as the kernel's memory model is.

Each location has a row of stores, its coherence order. A *view* says for each location how far in
its row somebody has got. A CPU has five: what has been propagated to it (P), what its loads may not
be older than (R), what its later plain stores carry along (B), its own stores (O), and what its
loads have brought together (L); and each register has one. A load picks any store from its floor
on; a store any place in the row behind what its CPU knows. A barrier tells everybody what its CPU
knows.

Source: tools/memory-model/Documentation/explanation.txt, AN OPERATIONAL MODEL.
Deviation: smp_rmb() orders loads before later stores, too, a control dependency goes on behind the
``if``, relaxed atomic updates stay in order, sections of SRCU that overlap are one, and plain
accesses are as READ_ONCE, WRITE_ONCE are.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from workloads.litmus.machines.known import Ahead, Kept
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

_MOST_STORES: Final = 1 << 12  # of one CPU

View = tuple[int, ...]  # location -> number of a store


class Stored(NamedTuple):
    """A store. ``message``: what who reads it learns; ``depends``: the view of what it was made
    of; ``update``: it is the second half of a read-modify-write; ``own``: O of who unlocked.
    """

    cpu: int
    location: int
    value: Value
    message: View
    depends: View
    update: bool = False
    own: View | None = None


class Cpu(NamedTuple):
    """One CPU; its views are named in the module header."""

    pc: int
    registers: tuple[Value, ...]
    views: tuple[View, ...]
    p: View
    r: View
    b: View
    o: View
    l: View  # noqa: E741
    stored: int = 0
    pending: tuple[tuple[int, int, int], ...] = ()  # register, location, floor
    readers: tuple[int, ...] = ()
    waits: tuple[int, ...] = ()


Rows = tuple[tuple[int, ...], ...]  # location -> its stores' numbers in coherence order
State = tuple[Rows, tuple[tuple[int, Stored], ...], tuple[Cpu, ...]]


# barriers that are none without what they are written for, before them or behind them
_BEHIND: Final = {
    "after-atomic": (RMW,),
    "after-spinlock": (LOCK, TRYLOCK),
    "after-unlock-lock": (UNLOCK,),
    "after-srcu-read-unlock": (SRCU_UNLOCK,),
}
_BEFORE: Final = {"before-atomic": (RMW,)}


class Views:
    """The machine."""

    __slots__ = ("_ahead", "_instead", "_reach", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        self._reach = Reach(program)
        self._ahead = [Ahead(code) for code in program.codes]
        nothing = Op(FENCE)
        nothing.order = "barrier"
        self._instead = {
            op: nothing
            for code in program.codes
            for at, op in enumerate(code.ops)
            if op.kind == FENCE and _is_idle(op, code.ops[:at], code.ops[at + 1 :])
        }

    def first(self) -> State:
        """Return the state at the start. The first writes have the lowest numbers."""
        bottom: View = tuple(range(len(self.program.first)))
        stores = tuple(
            (place, Stored(-1, place, value, bottom, bottom))
            for place, value in enumerate(self.program.first)
        )
        cpus = tuple(
            Cpu(0, code.first, (bottom,) * len(code.first), bottom, bottom, bottom, bottom, bottom)
            for code in self.program.codes
        )
        return tuple((place,) for place in bottom), stores, cpus

    def final(self, state: State) -> tuple[tuple[Value, ...], ...] | None:
        """Return memory and each process's registers if everything is done, else None."""
        rows, stores, cpus = state
        for code, cpu in zip(self.program.codes, cpus, strict=True):
            if cpu.pc < len(code.ops) or cpu.pending:
                return None
        made = dict(stores)
        return (tuple(made[row[-1]].value for row in rows), *[cpu.registers for cpu in cpus])

    def cpus(self, state: State) -> Iterator[tuple[int, tuple[Value, ...], list[int]]]:
        """Yield of each CPU its pc, its registers, and which of them deferred loads will set."""
        for cpu in state[2]:
            yield cpu.pc, cpu.registers, [entry[0] for entry in cpu.pending]

    def successors(self, state: State) -> list[State]:
        """Return the states that one transition leads to."""
        found: list[State] = []
        step = _Step(self.program, state, found)
        for number, cpu in enumerate(state[2]):
            for at in range(len(cpu.pending)):
                step.finish(number, cpu, at)
            op = self._next(number, cpu)
            if op is not None:
                step.execute(number, cpu, op)
        return found

    def _next(self, number: int, cpu: Cpu) -> Op | None:
        instead = self._instead
        if instead and cpu.pc < len(ops := self.program.codes[number].ops):
            op = ops[cpu.pc]
            if op in instead:
                return instead[op]
        return next_op(self.program, number, cpu.pc, cpu.registers, cpu.pending)

    # -- which transitions are enough ---------------------------------------------------------

    def reduced(self, state: State) -> list[State]:
        """Return as many of ``successors`` as are enough to reach every final state.

        See ``_reduced``; states that nobody can tell apart are one.
        """
        return [self.canonical(each) for each in self._reduced(state)]

    def canonical(self, state: State) -> State:
        """Return ``state`` without what nobody can tell any more."""
        touched, loads = [], 0
        for number, cpu in enumerate(state[2]):
            reads, writes = self._later(number, cpu)
            touched.append(reads | writes)
            loads |= self._reach.loads[number][cpu.pc]
            for entry in cpu.pending:
                loads |= 1 << entry[1]
        return Kept(state, touched, loads).state(state, self.program, self._ahead)

    def _reduced(self, state: State) -> list[State]:
        """Return as many of ``successors`` as are enough to reach every final state.

        To know less is never worse, and nobody has to read a store that is there. So a store is
        made as soon as it can be, a load whose location nobody else will write is done before
        others' barriers, and a load that can be deferred is: to be done at once is to be done next.
        A grace period passes a reader at once if nobody learns anything by that.
        A barrier tells least when it comes soonest, so what counts is to whom it tells something.
        """
        cpus = state[2]
        later = [self._later(number, cpu) for number, cpu in enumerate(cpus)]
        full = self._reach.full
        now: list[Touch] = []
        for number, cpu in enumerate(cpus):
            op = self._next(number, cpu)
            touch = NOTHING
            if op is not None and cpu.waits:
                found = self._passed(state, number, op, later)
                if found:
                    return found
            if op is not None:
                touch = self._touch(number, op)
                if touch[1] & full and op.kind != RMW and not cpu.waits:
                    touch = touch[0], touch[1] & ~full | self._told(state, number, later)
                alone = op.kind in LOCAL or not cpu.pending
                if alone and apart(touch, number, later):
                    found = self._executed(state, number, cpu, op)
                    if found:
                        return found
            reads, writes = touch
            for entry in cpu.pending:
                reads |= 1 << entry[1]
            now.append((reads, writes))
        return persistent(now, later, lambda number: self._of_cpu(state, number, cpus[number]))

    def _told(self, state: State, number: int, later: list[Touch]) -> int:
        """Return whom a full barrier of CPU ``number`` tells what it does not know yet, as a mask.

        Who waits for a reader's grace period tells others what the reader knows.
        """
        rows, _, cpus = state
        known = cpus[number].p
        found = 0
        graces = any(reads & self._reach.gp for reads, _ in later)
        for q, cpu in enumerate(cpus):
            reader = graces and self.program.is_reader(q)
            if q == number or (later[q] == NOTHING and not reader):
                continue
            if any(
                store != other and rows[place].index(store) > rows[place].index(other)
                for place, (store, other) in enumerate(zip(known, cpu.p, strict=True))
            ):
                if reader:
                    return self._reach.full
                found |= self._reach.told(q)
        return found

    def _passed(self, state: State, number: int, op: Op, later: list[Touch]) -> list[State]:
        """Return the state after the grace period of CPU ``number`` has passed one more reader, if
        nobody learns anything by that; else nothing.
        """
        cpus = state[2]
        for each in self._executed(state, number, cpus[number], op):
            after = each[2][number]
            now = cpus[number]._replace(pc=after.pc, waits=after.waits)
            if after == now and all(
                q == number
                or each[2][q] == cpu
                or (later[q] == NOTHING and not self.program.is_reader(q))
                for q, cpu in enumerate(cpus)
            ):
                return [each]
        return []

    def _of_cpu(self, state: State, number: int, cpu: Cpu) -> list[State]:
        found: list[State] = []
        step = _Step(self.program, state, found)
        for at in range(len(cpu.pending)):
            step.finish(number, cpu, at)
        op = self._next(number, cpu)
        return found if op is None else found + self._executed(state, number, cpu, op)

    def _executed(self, state: State, number: int, cpu: Cpu, op: Op) -> list[State]:
        found: list[State] = []
        _Step(self.program, state, found).execute(number, cpu, op)
        return found[-1:] if op.kind == LOAD and op.order != ACQUIRE else found

    def _later(self, number: int, cpu: Cpu) -> Touch:
        reads, writes = self._reach.later(number, cpu.pc, bool(cpu.pending))
        for entry in cpu.pending:
            reads |= 1 << entry[1]
        return reads, writes

    def _touch(self, number: int, op: Op) -> Touch:
        """Return what ``op`` touches outside its CPU."""
        kind, gp, full = op.kind, self._reach.active[number][1], self._reach.full
        if kind in (SET, BRANCH, JUMP, SRCU_UNLOCK):
            return NOTHING
        if kind == SRCU_SYNC or (kind == FENCE and op.order == "sync-rcu"):
            waits = self._reach.waits(self.program, number, op)
            return self._reach.gp if waits else 0, gp | full
        if kind == FENCE:
            if op.order in ("wmb", "rmb", "barrier", "rcu-unlock"):
                return NOTHING
            return 0, gp if op.order == "rcu-lock" else gp | full
        if kind in (SRCU_LOCK, STORE, UNLOCK) or (kind == LOAD and op.order != ACQUIRE):
            return 0, gp
        place = self._reach.place(self.program, op)
        return place, gp | full if kind == RMW and op.order == MB else gp


class _Step:
    """One transition from ``state``; what there may be after it goes to ``found``."""

    __slots__ = ("_bottom", "_cpus", "_found", "_made", "_program", "_rows", "_stores")

    def __init__(self, program: Program, state: State, found: list[State]) -> None:
        self._program = program
        self._rows, self._stores, self._cpus = state
        self._made = dict(self._stores)
        self._found = found
        self._bottom: View = tuple(row[0] for row in self._rows)

    # -- views --------------------------------------------------------------------------------

    def _at(self, location: int, store: int) -> int:
        return self._rows[location].index(store)

    def _join(self, one: View, other: View) -> View:
        """Return the pointwise later of two views."""
        if one == other:
            return one
        rows = self._rows
        return tuple(
            a if a == b or rows[place].index(a) > rows[place].index(b) else b
            for place, (a, b) in enumerate(zip(one, other, strict=True))
        )

    def _uses(self, cpu: Cpu, uses: tuple[int, ...]) -> View:
        view = self._bottom
        for use in uses:
            view = self._join(view, cpu.views[use])
        return view

    def _put(self, number: int, cpu: Cpu) -> None:
        self._found.append((self._rows, self._stores, with_item(self._cpus, number, cpu)))

    # -- loads --------------------------------------------------------------------------------

    def finish(self, number: int, cpu: Cpu, at: int) -> None:
        """Do the deferred load ``at``."""
        register, location, floor = cpu.pending[at]
        rest = cpu._replace(pending=cpu.pending[:at] + cpu.pending[at + 1 :])
        for store in self._rows[location][floor_of(self._rows[location], floor) :]:
            self._put(number, self._reads(rest, number, location, store, register))

    def _reads(self, cpu: Cpu, number: int, location: int, store: int, register: int) -> Cpu:
        """Return ``cpu`` after a load of ``location`` that reads ``store``."""
        made = self._made[store]
        p = cpu.p
        if made.cpu != number:
            if made.cpu >= 0:
                p = self._join(p, made.message)
            if self._at(location, store) > self._at(location, p[location]):
                p = with_item(p, location, store)
            view = p
        else:
            view = made.depends
        r = cpu.r
        if self._at(location, store) > self._at(location, r[location]):
            r = with_item(r, location, store)
        registers, views = cpu.registers, cpu.views
        if register >= 0:
            registers = with_item(registers, register, made.value)
            views = with_item(views, register, view)
        return cpu._replace(registers=registers, views=views, p=p, r=r, l=self._join(cpu.l, view))

    def _floor(self, cpu: Cpu, op: Op, location: int) -> int:
        """Return the oldest store that a load of ``location`` may read."""
        view = self._join(cpu.r, self._uses(cpu, op.address_uses))
        return view[location]

    # -- one instruction ----------------------------------------------------------------------

    def execute(self, number: int, cpu: Cpu, op: Op) -> None:
        """Do ``op`` in every way."""
        kind = op.kind
        beyond = cpu._replace(pc=cpu.pc + 1)
        if kind == SET:
            value = op.value(cpu.registers)
            view = self._uses(cpu, op.value_uses)
            self._put(number, _answered(beyond, op.register, value, view))
            return
        if kind in (BRANCH, JUMP):
            to = op.target if kind == JUMP or not op.value(cpu.registers) else cpu.pc + 1
            self._put(number, cpu._replace(pc=to))
            return
        if kind == FENCE:
            self._fence(number, cpu, beyond, op)
            return
        location = self._program.number.get(op.address(cpu.registers))
        if location is None:
            return
        if kind in (LOAD, IS_LOCKED):
            self._load(number, cpu, beyond, op, location)
        elif kind == STORE:
            self._store(number, cpu, beyond, op, location)
        elif kind == UNLOCK:
            last = len(self._rows[location])
            made = Stored(number, location, 0, cpu.p, self._bottom, own=cpu.o)
            self._insert(number, beyond, location, last, made)
        elif kind in (SRCU_LOCK, SRCU_UNLOCK, SRCU_SYNC):
            self._srcu(number, cpu, beyond, op, location)
        else:
            self._update(number, cpu, beyond, op, location)

    def _load(self, number: int, cpu: Cpu, beyond: Cpu, op: Op, location: int) -> None:
        row = self._rows[location]
        floor = self._floor(cpu, op, location)
        for store in row[floor_of(row, floor) :]:
            after = self._reads(beyond, number, location, store, op.register)
            if op.order == ACQUIRE:
                after = after._replace(r=self._join(after.r, after.p))
            self._put(number, after)
        if op.order != ACQUIRE and op.kind == LOAD:
            pending = (*cpu.pending, (op.register, location, floor))
            self._put(number, beyond._replace(pending=pending))

    def _store(self, number: int, cpu: Cpu, beyond: Cpu, op: Op, location: int) -> None:
        row = self._rows[location]
        lowest = max(self._at(location, view[location]) for view in (cpu.p, cpu.r, cpu.o))
        message = cpu.p if op.order == RELEASE else cpu.b
        depends = self._uses(cpu, op.address_uses + op.value_uses)
        made = Stored(number, location, op.value(cpu.registers), message, depends)
        for place in range(lowest + 1, len(row) + 1):
            if place < len(row) and self._made[row[place]].update:
                continue
            self._insert(number, beyond, location, place, made)

    def _insert(
        self, number: int, cpu: Cpu, location: int, place: int, made: Stored
    ) -> tuple[int, Cpu]:
        """Put ``made`` at ``place`` of the row and record the state that this leads to."""
        store, after, rows, stores = self._placed(number, cpu, location, place, made)
        self._found.append((rows, stores, with_item(self._cpus, number, after)))
        return store, after

    def _placed(
        self, number: int, cpu: Cpu, location: int, place: int, made: Stored
    ) -> tuple[int, Cpu, Rows, tuple[tuple[int, Stored], ...]]:
        store = len(self._rows) + number * _MOST_STORES + cpu.stored
        row = self._rows[location]
        rows = with_item(self._rows, location, (*row[:place], store, *row[place:]))
        stores = tuple(sorted((*self._stores, (store, made)), key=_number))
        after = cpu._replace(
            stored=cpu.stored + 1,
            p=with_item(cpu.p, location, store),
            r=with_item(cpu.r, location, store),
            o=with_item(self._join(cpu.o, made.message), location, store),
        )
        return store, after, rows, stores

    def _update(self, number: int, cpu: Cpu, beyond: Cpu, op: Op, location: int) -> None:
        """An atomic read-modify-write, spin_lock() or spin_trylock()."""
        kind = op.kind
        row = self._rows[location]
        floor = self._floor(cpu, op, location)
        full = kind == RMW and op.order == MB
        lowest = max(self._at(location, view[location]) for view in (cpu.p, cpu.r, cpu.o))
        for place in range(floor_of(row, floor), len(row)):
            store = row[place]
            old = self._made[store].value
            if kind == RMW:
                new = updated(op, old, cpu.registers)
                got = answer(op, old, new)
            else:
                new = None if old else 1
                got = int(not old)
            if new is None:
                if kind != LOCK:
                    after = self._reads(beyond, number, location, store, -1)
                    view = after.p if self._made[store].cpu != number else self._made[store].depends
                    self._put(number, _answered(after, op.register, got, view))
                continue
            if place < lowest or (place + 1 < len(row) and self._made[row[place + 1]].update):
                continue
            self._done(number, beyond, op, location, place, (old, new, got), full)

    def _done(
        self,
        number: int,
        beyond: Cpu,
        op: Op,
        location: int,
        place: int,
        values: tuple[Value, Value, Value],
        full: bool,
    ) -> None:
        """The read-modify-write reads the store at ``place`` and puts its own behind it."""
        _old, new, got = values
        store = self._rows[location][place]
        read = self._made[store]
        cpus = self._cpus
        cpu = beyond
        if full:
            cpus, cpu = self._everybody(cpus, number, cpu)
        loaded = cpu.l
        cpu = self._reads(cpu, number, location, store, -1)
        view = cpu.p if read.cpu != number else read.depends
        cpu = _answered(cpu, op.register, got, view)
        order = op.order if op.kind == RMW else ACQUIRE
        if order == NORETURN:
            cpu = cpu._replace(l=loaded)
        if order == ACQUIRE:
            cpu = cpu._replace(r=self._join(cpu.r, cpu.p))
        if op.kind != RMW:
            cpu = cpu._replace(b=self._join(cpu.b, cpu.o))
            if read.own is not None:
                cpu = cpu._replace(b=self._join(cpu.b, read.own))
        message = cpu.p if order == RELEASE or full else cpu.b
        if read.cpu >= 0:
            message = self._join(message, read.message)
        depends = self._uses(cpu, op.address_uses + op.value_uses)
        made = Stored(number, location, new, message, depends, update=True)
        _, after, rows, stores = self._placed(number, cpu, location, place + 1, made)
        if full:
            then = _Step(self._program, (rows, stores, cpus), self._found)
            cpus, after = then._everybody(cpus, number, after)
        self._found.append((rows, stores, with_item(cpus, number, after)))

    # -- barriers -----------------------------------------------------------------------------

    def _everybody(
        self, cpus: tuple[Cpu, ...], number: int, cpu: Cpu
    ) -> tuple[tuple[Cpu, ...], Cpu]:
        """A full barrier: what has been propagated to this CPU is propagated to all."""
        told = tuple(
            other if q == number else other._replace(p=self._join(other.p, cpu.p))
            for q, other in enumerate(cpus)
        )
        return told, cpu._replace(r=cpu.p, b=cpu.p, l=cpu.p)

    def _fence(self, number: int, cpu: Cpu, beyond: Cpu, op: Op) -> None:
        kind = op.order
        if kind == "sync-rcu":
            self._grace(number, cpu, RCU)
        elif kind == "rcu-lock":
            self._put(number, beyond._replace(readers=(*cpu.readers, RCU)))
        elif kind == "rcu-unlock":
            self._put(number, beyond._replace(readers=without(cpu.readers, RCU)))
        elif kind == "wmb":
            self._put(number, beyond._replace(b=self._join(cpu.b, cpu.o)))
        elif kind == "rmb":
            self._put(number, beyond._replace(r=self._join(cpu.r, cpu.l)))
        elif kind == "barrier":
            self._put(number, beyond)
        else:
            cpus, after = self._everybody(self._cpus, number, beyond)
            self._found.append((self._rows, self._stores, with_item(cpus, number, after)))

    def _srcu(self, number: int, cpu: Cpu, beyond: Cpu, op: Op, location: int) -> None:
        if op.kind == SRCU_SYNC:
            self._grace(number, cpu, location)
        elif op.kind == SRCU_LOCK:
            after = _answered(beyond, op.register, 0, self._bottom)
            self._put(number, after._replace(readers=(*cpu.readers, location)))
        else:
            self._put(number, beyond._replace(readers=without(cpu.readers, location)))

    def _grace(self, number: int, cpu: Cpu, domain: int) -> None:
        """A full barrier, one on behalf of each other CPU while it is no reader, and another."""
        if cpu.pending or domain in cpu.readers:
            return
        if not cpu.waits:
            others = self._program.waited_for(number, domain)
            cpus, after = self._everybody(self._cpus, number, cpu)
            after = after._replace(pc=cpu.pc if others else cpu.pc + 1, waits=others)
            self._found.append((self._rows, self._stores, with_item(cpus, number, after)))
            return
        for q in cpu.waits:
            other = self._cpus[q]
            if domain in other.readers or other.pending:
                continue
            cpus, told = self._everybody(self._cpus, q, other)
            cpus = with_item(cpus, q, told)
            left = tuple(each for each in cpu.waits if each != q)
            after = cpus[number]._replace(pc=cpu.pc if left else cpu.pc + 1, waits=left)
            if not left:
                cpus, after = self._everybody(cpus, number, after)
            self._found.append((self._rows, self._stores, with_item(cpus, number, after)))


def _is_idle(fence: Op, before: list[Op], behind: list[Op]) -> bool:
    """Tell whether a barrier is not next to what it is written for, and so orders nothing."""
    if fence.order in _BEHIND:
        return not any(op.kind in _BEHIND[fence.order] for op in before)
    if fence.order in _BEFORE:
        return not any(op.kind in _BEFORE[fence.order] for op in behind)
    return False


def floor_of(row: tuple[int, ...], store: int) -> int:
    """Return where ``store`` stands in ``row``."""
    return row.index(store)


def _number(entry: tuple[int, Stored]) -> int:
    return entry[0]


def _answered(cpu: Cpu, register: int, value: Value, view: View) -> Cpu:
    if register < 0:
        return cpu
    return cpu._replace(
        registers=with_item(cpu.registers, register, value),
        views=with_item(cpu.views, register, view),
    )
