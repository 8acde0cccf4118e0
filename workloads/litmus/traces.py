"""What one process may do: its events, for every choice of what its loads read.

A *trace* is one way through a process. A load may read any value that some store of any process
could have left at its location; ``values_of`` finds these. A trace says of each of its events on
which of its reads the address, the value and the execution depend, and knows what the registers
hold at the end.

Source: Alglave, Maranget, Tautschnig, "Herding cats", TOPLAS 2014, section 8;
Documentation/herd-representation.txt of the kernel's memory model.
"""

from collections.abc import Callable, Iterator
from typing import Final

from workloads.litmus.test import (
    ACQUIRE,
    FAILED,
    MB,
    NORETURN,
    ONCE,
    PLAIN,
    RELEASE,
    Expression,
    Fence,
    If,
    Instruction,
    Litmus,
    Load,
    LockOp,
    Process,
    Rmw,
    Set,
    SrcuOp,
    Store,
    Value,
)

# roles of the events of locks and SRCU; "" is an ordinary access or a fence
LKR: Final = "LKR"
LKW: Final = "LKW"
UL: Final = "UL"
LF: Final = "LF"
RL: Final = "RL"
RU: Final = "RU"
SRCU_LOCK: Final = "srcu-lock"
SRCU_UNLOCK: Final = "srcu-unlock"
SRCU_SYNC: Final = "sync-srcu"

READ: Final = "R"
WRITE: Final = "W"
FENCE: Final = "F"

MOST_TRACES: Final = 20_000

# What a load reads while nothing is known about memory; no location has this name.
UNKNOWN: Final = "?"


class TooLarge(Exception):
    """The test has more executions than anybody waits for."""


class Event:
    """One event. ``tags``: ``once``, ``mb``, …; ``role``: see above; the masks are of the
    process's earlier reads: what its address, its value and its being done depend on.
    """

    __slots__ = ("address", "control", "data", "kind", "location", "role", "tag", "value")

    def __init__(
        self,
        kind: str,
        tag: str,
        location: Value = 0,
        value: Value = 0,
        role: str = "",
        address: int = 0,
        data: int = 0,
        control: int = 0,
    ) -> None:
        self.kind = kind
        self.tag = tag
        self.location = location
        self.value = value
        self.role = role
        self.address = address
        self.data = data
        self.control = control

    def __repr__(self) -> str:
        return f"{self.kind}[{self.tag}{self.role and ' ' + self.role}]{self.location}={self.value}"


class Trace:
    """One way through a process. ``rmw``: pairs of places of a read and its write."""

    __slots__ = ("events", "registers", "rmw")

    def __init__(
        self, events: list[Event], registers: dict[str, Value], rmw: list[tuple[int, int]]
    ) -> None:
        self.events = events
        self.registers = registers
        self.rmw = rmw


class _Run:
    """A trace in the making: where it stands, and what its registers hold and depend on."""

    __slots__ = ("control", "depends", "events", "registers", "rmw", "todo")

    def __init__(self, process: Process) -> None:
        self.registers: dict[str, Value] = dict(process.registers)
        self.depends: dict[str, int] = {}
        self.events: list[Event] = []
        self.rmw: list[tuple[int, int]] = []
        self.control = 0
        # a stack of what is to be done: instructions, or an int, the control to go back to
        self.todo: list[Instruction | int] = list(reversed(process.body))

    def copy(self) -> "_Run":
        new = object.__new__(_Run)
        new.registers = dict(self.registers)
        new.depends = dict(self.depends)
        new.events = list(self.events)
        new.rmw = list(self.rmw)
        new.control = self.control
        new.todo = list(self.todo)
        return new

    def depends_on(self, expression: Expression) -> int:
        if expression[0] == "register":
            return self.depends.get(expression[1], 0)
        if expression[0] == "value":
            return 0
        mask = 0
        for part in expression[1:]:
            mask |= self.depends_on(part)
        return mask

    def set(self, register: str, value: Value, depends: int) -> None:
        if register:
            self.registers[register] = value
            self.depends[register] = depends

    def add(self, event: Event) -> int:
        event.control = self.control
        self.events.append(event)
        return len(self.events) - 1


Values = dict[Value, dict[Value, None]]  # location -> the values that may stand there, in order


def evaluate(expression: Expression, registers: dict[str, Value]) -> Value:
    """Return the value of ``expression``. What was never set is 0.

    Raises: ValueError, an operator on an address that has no meaning.
    """
    kind = expression[0]
    if kind == "value":
        return expression[1]  # type: ignore[no-any-return]
    if kind == "register":
        return registers.get(expression[1], 0)
    left = evaluate(expression[1], registers)
    if left == UNKNOWN:
        return UNKNOWN
    if len(expression) == 2:
        if kind == "!":
            return int(not left)
        if isinstance(left, str):
            raise ValueError(f"{kind} of an address")
        return ~left if kind == "~" else -left
    return _binary(kind, left, evaluate(expression[2], registers))


_ARITHMETIC: Final[dict[str, Callable[[int, int], int]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&~": lambda a, b: a & ~b,
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "/": lambda a, b: (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1) if b else 0,
    "%": lambda a, b: abs(a) % abs(b) * (1 if a >= 0 else -1) if b else 0,
}


def _binary(operator: str, a: Value, b: Value) -> Value:
    if UNKNOWN in (a, b):
        return UNKNOWN
    if operator == "==":
        return int(a == b)
    if operator == "!=":
        return int(a != b)
    if operator == "&&":
        return int(bool(a) and bool(b))
    if operator == "||":
        return int(bool(a) or bool(b))
    if isinstance(a, int) and isinstance(b, int):
        return _ARITHMETIC[operator](a, b)
    if operator in ("+", "-", "^", "|") and b == 0:
        return a
    if operator in ("+", "|") and a == 0:
        return b
    if operator in ("-", "^") and a == b:
        return 0
    if operator == "&" and (a == 0 or b == 0):
        return 0
    raise ValueError(f"{operator} of an address")


def values_of(test: Litmus) -> tuple[Values, list[list[Trace]]]:
    """Return what may stand at each location, and the traces of each process under it.

    First come the values that stores have whatever loads read, on every path: what a load reads may
    depend on a store that depends on the load. A further value is made by a store from what was
    read, so after as many rounds as there are stores nothing new that any execution has can come.

    Raises: TooLarge.
    """
    values: Values = {name: {value: None} for name, value in test.initial.items()}
    nothing: Values = {name: {UNKNOWN: None} for name in values}
    for process in test.processes:
        cut: list[list[Event]] = []
        ways = [trace.events for trace in traces_of(process, nothing, cut)]
        _add_stored(values, ways + cut)
    for _ in range(2 + sum(_stores(process.body) for process in test.processes)):
        cut = []
        traces = [list(traces_of(process, values, cut)) for process in test.processes]
        ways = [trace.events for each in traces for trace in each]
        if not _add_stored(values, ways + cut):
            break
    return values, traces


def _add_stored(values: Values, ways: list[list[Event]]) -> bool:
    """Add what ``ways`` store to ``values``; tell whether something is new."""
    grown = False
    for events in ways:
        for event in events:
            if event.kind != WRITE or event.role or UNKNOWN in (event.location, event.value):
                continue
            at = values.setdefault(event.location, {})
            if event.value not in at:
                at[event.value] = None
                grown = True
    return grown


def _stores(body: list[Instruction]) -> int:
    count = 0
    for instruction in body:
        if isinstance(instruction, If):
            count += _stores(instruction.then) + _stores(instruction.otherwise)
        elif isinstance(instruction, Store | Rmw):
            count += 1
    return count


def traces_of(
    process: Process, values: Values, cut: list[list[Event]] | None = None
) -> Iterator[Trace]:
    """Yield every way through ``process`` when loads read one of ``values``.

    A way on which something that is no address is used as one ends there. It is none, but what it
    has stored by then may be what makes another possible: the events of such go to ``cut``.

    Raises: TooLarge.
    """
    runs = [_Run(process)]
    made = 0
    while runs:
        run = runs.pop()
        while run is not None and run.todo:
            following = _step(run, values)
            if not following:
                if cut is not None:
                    cut.append(run.events)
                break
            runs.extend(reversed(following[1:]))
            if len(runs) > MOST_TRACES:
                raise TooLarge
            run = following[0]
        else:
            made += 1
            if made > MOST_TRACES:
                raise TooLarge
            yield Trace(run.events, run.registers, run.rmw)


def _step(run: _Run, values: Values) -> list[_Run]:
    """Do the next thing; return the runs that there are then: none if it cannot go on."""
    instruction = run.todo.pop()
    if isinstance(instruction, int):
        run.control = instruction
    elif isinstance(instruction, Set):
        depends = run.depends_on(instruction.expression)
        run.set(instruction.register, evaluate(instruction.expression, run.registers), depends)
    elif isinstance(instruction, If):
        holds = evaluate(instruction.condition, run.registers)
        runs = _choices(run, 2 if holds == UNKNOWN else 1)
        arms = [instruction.then if holds else instruction.otherwise, instruction.otherwise]
        depends = run.depends_on(instruction.condition)
        for one, arm in zip(runs, arms, strict=False):
            one.todo.append(one.control)
            one.todo.extend(reversed(arm))
            one.control |= depends
        return runs
    elif isinstance(instruction, Fence):
        run.add(Event(FENCE, instruction.kind))
    elif isinstance(instruction, Load):
        return _load(run, instruction, values)
    elif isinstance(instruction, Store):
        location = evaluate(instruction.address, run.registers)
        if not isinstance(location, str):
            return []
        tag = instruction.order
        event = Event(WRITE, tag, location, evaluate(instruction.value, run.registers))
        event.address = run.depends_on(instruction.address)
        event.data = run.depends_on(instruction.value)
        run.add(event)
    elif isinstance(instruction, Rmw):
        return _rmw(run, instruction, values)
    elif isinstance(instruction, LockOp):
        return _lock(run, instruction)
    else:
        return _srcu(run, instruction)
    return [run]


def _choices(run: _Run, count: int) -> list[_Run]:
    return [run, *[run.copy() for _ in range(count - 1)]] if count else []


def _load(run: _Run, load: Load, values: Values) -> list[_Run]:
    location = evaluate(load.address, run.registers)
    if not isinstance(location, str):
        return []
    depends = run.depends_on(load.address)
    options = list(values.get(location, ()))
    runs = _choices(run, len(options))
    for one, value in zip(runs, options, strict=True):
        place = one.add(Event(READ, load.order, location, value, address=depends))
        one.set(load.register, value, 1 << place)
    return runs


# how the read and the write of an atomic read-modify-write are tagged
_READ_TAGS: Final = {MB: MB, ACQUIRE: ACQUIRE, NORETURN: NORETURN, ONCE: ONCE, RELEASE: ONCE}
_WRITE_TAGS: Final = {MB: MB, ACQUIRE: ONCE, NORETURN: ONCE, ONCE: ONCE, RELEASE: RELEASE}


def _rmw(run: _Run, rmw: Rmw, values: Values) -> list[_Run]:
    location = evaluate(rmw.address, run.registers)
    if not isinstance(location, str):
        return []
    depends = run.depends_on(rmw.address)
    operands = [evaluate(operand, run.registers) for operand in rmw.operands]
    uses = [run.depends_on(operand) for operand in rmw.operands]
    options = list(values.get(location, ()))
    runs = _choices(run, len(options))
    for one, old in zip(runs, options, strict=True):
        new, data = _updated(rmw.operation, old, operands, uses)
        if new is None:
            place = one.add(Event(READ, FAILED, location, old, address=depends))
            one.set(rmw.register, old if rmw.result == "old" else 0, 1 << place)
            continue
        place = one.add(Event(READ, _READ_TAGS[rmw.order], location, old, address=depends))
        if rmw.operation not in ("xchg", "cmpxchg"):
            data |= 1 << place
        event = Event(WRITE, _WRITE_TAGS[rmw.order], location, new, address=depends, data=data)
        one.rmw.append((place, one.add(event)))
        answer: Value = {"old": old, "new": new}.get(rmw.result, 1)
        one.set(rmw.register, answer, 1 << place | (data if rmw.result == "new" else 0))
    return runs


def _updated(
    operation: str, old: Value, operands: list[Value], uses: list[int]
) -> tuple[Value | None, int]:
    """Return what is written, None for nothing, and what that depends on."""
    if operation == "xchg":
        return operands[0], uses[0]
    if operation == "cmpxchg":
        return (operands[1], uses[1]) if old in (operands[0], UNKNOWN) else (None, 0)
    if operation == "add_unless":
        if old == operands[1]:
            return None, 0
        return _binary("+", old, operands[0]), uses[0]
    return _binary(operation, old, operands[0]), uses[0]


def _lock(run: _Run, lock: LockOp) -> list[_Run]:
    location = evaluate(lock.address, run.registers)
    if not isinstance(location, str):
        return []
    depends = run.depends_on(lock.address)
    if lock.operation == "unlock":
        run.add(Event(WRITE, RELEASE, location, 0, UL, depends))
        return [run]
    if lock.operation == "lock":
        _take(run, location, depends)
        return [run]
    runs = _choices(run, 2)
    if lock.operation == "trylock":
        place = _take(runs[0], location, depends)
        runs[0].set(lock.register, 1, 1 << place)
        place = runs[1].add(Event(READ, ONCE, location, 1, LF, depends))
        runs[1].set(lock.register, 0, 1 << place)
        return runs
    for one, role in zip(runs, (RL, RU), strict=True):
        place = one.add(Event(READ, ONCE, location, int(role == RL), role, depends))
        one.set(lock.register, int(role == RL), 1 << place)
    return runs


def _take(run: _Run, location: Value, depends: int) -> int:
    place = run.add(Event(READ, ACQUIRE, location, 0, LKR, depends))
    run.rmw.append((place, run.add(Event(WRITE, ONCE, location, 1, LKW, depends))))
    return place


def _srcu(run: _Run, srcu: SrcuOp) -> list[_Run]:
    location = evaluate(srcu.address, run.registers)
    if not isinstance(location, str):
        return []
    depends = run.depends_on(srcu.address)
    if srcu.operation == "lock":
        # what it answers stands for itself: unlock goes with the lock whose answer it is given
        place = run.add(Event(READ, ONCE, location, 0, SRCU_LOCK, depends))
        run.set(srcu.register, 0, 1 << place)
    elif srcu.operation == "unlock":
        value = evaluate(srcu.value, run.registers)
        event = Event(WRITE, ONCE, location, value, SRCU_UNLOCK, depends)
        event.data = run.depends_on(srcu.value)
        run.add(event)
    else:
        run.add(Event(FENCE, SRCU_SYNC, location, 0, SRCU_SYNC, depends))
    return [run]


__all__ = ["PLAIN", "Event", "TooLarge", "Trace", "traces_of", "values_of"]
