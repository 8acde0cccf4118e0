"""A test as machines run it: one row of instructions for each process, registers by number.

Locations are numbers, too, in the order of ``Program.locations``; an address that stands in a
register is the location's name, as everywhere.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from workloads.litmus.test import (
    MB,
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
    Store,
    Value,
)
from workloads.litmus.traces import _binary, values_of

_T = TypeVar("_T")

Registers = tuple[Value, ...]
Compiled = Callable[[Registers], Value]

RCU: Final = -1  # the domain of rcu_read_lock(); those of SRCU are locations

LOAD: Final = 0
STORE: Final = 1
RMW: Final = 2
FENCE: Final = 3
LOCK: Final = 4
UNLOCK: Final = 5
TRYLOCK: Final = 6
IS_LOCKED: Final = 7
SET: Final = 8
BRANCH: Final = 9
JUMP: Final = 10
SRCU_LOCK: Final = 11
SRCU_UNLOCK: Final = 12
SRCU_SYNC: Final = 13

_LOCKS: Final = {"lock": LOCK, "unlock": UNLOCK, "trylock": TRYLOCK, "is_locked": IS_LOCKED}


class Op:
    """One instruction.

    ``register``: what gets the answer, -1 for none; ``address`` and ``value``: functions of the
    registers; ``address_uses`` and ``value_uses``: the registers they read; ``order``: of an
    access, or the kind of a fence; ``operation``, ``operands`` and ``result``: of an Rmw;
    ``target``: of a branch, taken if ``value`` is 0, or a jump.
    """

    __slots__ = (
        "address",
        "address_uses",
        "kind",
        "operands",
        "operation",
        "order",
        "register",
        "result",
        "target",
        "value",
        "value_uses",
    )

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.register = -1
        self.address: Compiled = _zero
        self.value: Compiled = _zero
        self.address_uses: tuple[int, ...] = ()
        self.value_uses: tuple[int, ...] = ()
        self.order = ""
        self.operation = ""
        self.operands: tuple[Compiled, ...] = ()
        self.result = ""
        self.target = 0


def _zero(registers: Registers) -> Value:
    return 0


class Code:
    """The program of one process: its ops, and the names and first values of its registers."""

    __slots__ = ("first", "names", "ops")

    def __init__(self, process: Process) -> None:
        self.names: dict[str, int] = {}
        self.ops: list[Op] = []
        for name in process.registers:
            self.number(name)
        self._block(process.body)
        self.first: Registers = tuple(process.registers.get(name, 0) for name in self.names)

    def number(self, name: str) -> int:
        """Return the number of the register ``name``, a new one if it has none yet."""
        return self.names.setdefault(name, len(self.names))

    def _block(self, body: list[Instruction]) -> None:
        for instruction in _sets_late(body):
            if isinstance(instruction, If):
                self._if(instruction)
            else:
                self.ops.append(self._op(instruction))

    def _if(self, branch: If) -> None:
        op = Op(BRANCH)
        op.value, op.value_uses = self._compile(branch.condition)
        self.ops.append(op)
        self._block(branch.then)
        if branch.otherwise:
            jump = Op(JUMP)
            self.ops.append(jump)
            op.target = len(self.ops)
            self._block(branch.otherwise)
            jump.target = len(self.ops)
        else:
            op.target = len(self.ops)

    def _op(self, instruction: Instruction) -> Op:
        if isinstance(instruction, Set):
            op = Op(SET)
            op.value, op.value_uses = self._compile(instruction.expression)
        elif isinstance(instruction, Fence):
            op = Op(FENCE)
            op.order = instruction.kind
            return op
        else:
            op = Op(self._kind(instruction))
            op.address, op.address_uses = self._compile(instruction.address)  # type: ignore[union-attr]
            if isinstance(instruction, Load | Store | Rmw):
                op.order = instruction.order
            if isinstance(instruction, Store):
                op.value, op.value_uses = self._compile(instruction.value)
            if isinstance(instruction, Rmw):
                compiled = [self._compile(operand) for operand in instruction.operands]
                op.operands = tuple(each for each, _ in compiled)
                op.value_uses = tuple(use for _, uses in compiled for use in uses)
                op.operation = instruction.operation
                op.result = instruction.result
        name = getattr(instruction, "register", "")
        if name:
            op.register = self.number(name)
        return op

    @staticmethod
    def _kind(instruction: Instruction) -> int:
        if isinstance(instruction, Load):
            return LOAD
        if isinstance(instruction, Store):
            return STORE
        if isinstance(instruction, Rmw):
            return RMW
        if isinstance(instruction, LockOp):
            return _LOCKS[instruction.operation]
        kinds = {"lock": SRCU_LOCK, "unlock": SRCU_UNLOCK, "sync": SRCU_SYNC}
        return kinds[instruction.operation]  # type: ignore[union-attr]

    def _compile(self, expression: Expression) -> tuple[Compiled, tuple[int, ...]]:
        kind = expression[0]
        if kind == "value":
            value = expression[1]
            return (lambda registers: value), ()
        if kind == "register":
            number = self.number(expression[1])
            return (lambda registers: registers[number]), (number,)
        left, uses = self._compile(expression[1])
        if len(expression) == 2:
            if kind == "!":
                return (lambda registers: int(not left(registers))), uses
            if kind == "~":
                return (lambda registers: _binary("^", left(registers), -1)), uses
            return (lambda registers: _binary("-", 0, left(registers))), uses
        right, more = self._compile(expression[2])
        return (lambda registers: _binary(kind, left(registers), right(registers))), uses + more


def _sets_late(body: list[Instruction]) -> list[Instruction]:
    """Return ``body`` with what is computed as late as it can be, so that no load must be done
    because of a register that nobody asks for yet.
    """
    late: list[Instruction] = []
    for instruction in reversed(body):
        at = 0
        if isinstance(instruction, Set):
            reads, writes = _registers_of(instruction)
            while at < len(late):
                other_reads, other_writes = _registers_of(late[at])
                if writes & (other_reads | other_writes) or reads & other_writes:
                    break
                at += 1
        late.insert(at, instruction)
    return late


def _registers_of(instruction: Instruction) -> tuple[set[str], set[str]]:
    """Return the registers that an instruction reads, and those that it sets."""
    reads: set[str] = set()
    writes: set[str] = set()
    if isinstance(instruction, If):
        _read_by(instruction.condition, reads)
        for each in (*instruction.then, *instruction.otherwise):
            more_reads, more_writes = _registers_of(each)
            reads |= more_reads
            writes |= more_writes
        return reads, writes
    for name in ("address", "value", "expression"):
        expression = getattr(instruction, name, None)
        if expression is not None:
            _read_by(expression, reads)
    for operand in getattr(instruction, "operands", ()):
        _read_by(operand, reads)
    if register := getattr(instruction, "register", ""):
        writes.add(register)
    return reads, writes


def _read_by(expression: Expression, reads: set[str]) -> None:
    if expression[0] == "register":
        reads.add(expression[1])
    elif expression[0] != "value":
        for part in expression[1:]:
            _read_by(part, reads)


class Program:
    """A test that machines can run."""

    __slots__ = ("_domains", "codes", "first", "locations", "number", "test")

    def __init__(self, test: Litmus) -> None:
        self.test = test
        values, _ = values_of(test)
        self.locations: list[str] = [str(name) for name in values]
        self.number: dict[Value, int] = {name: i for i, name in enumerate(self.locations)}
        self.first: Registers = tuple(test.initial.get(name, 0) for name in self.locations)
        self.codes = [Code(process) for process in test.processes]
        self._domains = [self._read(code) for code in self.codes]

    def _read(self, code: Code) -> set[int] | None:
        """Return the domains in which a process is a reader; None: that is not known."""
        domains: set[int] = set()
        for op in code.ops:
            if op.kind == FENCE and op.order == "rcu-lock":
                domains.add(RCU)
            elif op.kind == SRCU_LOCK:
                if op.address_uses:
                    return None
                domains.add(self.number.get(op.address(()), RCU))
        return domains

    def waited_for(self, number: int, domain: int) -> tuple[int, ...]:
        """Return the CPUs that a grace period of CPU ``number`` in ``domain`` waits for.

        Those are the ones that are readers in it at some time. A CPU that never is one has no
        promise of RCU, which speaks of readers and grace periods only.
        """
        return tuple(
            q
            for q, domains in enumerate(self._domains)
            if q != number and (domains is None or domain in domains)
        )

    def is_reader(self, number: int) -> bool:
        """Tell whether grace periods may have to wait for CPU ``number``."""
        return self._domains[number] is None or bool(self._domains[number])


def updated(op: Op, old: Value, registers: Registers) -> Value | None:
    """Return what the read-modify-write ``op`` stores when it reads ``old``; None for nothing."""
    operands = op.operands
    if op.operation == "xchg":
        return operands[0](registers)
    if op.operation == "cmpxchg":
        return operands[1](registers) if old == operands[0](registers) else None
    if op.operation == "add_unless":
        return None if old == operands[1](registers) else _binary("+", old, operands[0](registers))
    return _binary(op.operation, old, operands[0](registers))


def answer(op: Op, old: Value, new: Value | None) -> Value:
    """Return what the register of the read-modify-write ``op`` gets."""
    if op.result == "old":
        return old
    if op.result == "new" and new is not None:
        return new
    return int(new is not None)


def is_full(op: Op) -> bool:
    """Tell whether the read-modify-write ``op`` is a full barrier on both sides if it is done."""
    return op.order == MB


# -- what machines with deferred loads share -----------------------------------------------------


def next_op(
    program: Program,
    number: int,
    pc: int,
    registers: Registers,
    pending: tuple[tuple[int, int, int], ...],
) -> Op | None:
    """Return the next instruction of a CPU; None: it has ended, or waits for a deferred load.

    Args:
        pending: the deferred loads, as (register, location, floor).
    """
    ops = program.codes[number].ops
    if pc == len(ops):
        return None
    op = ops[pc]
    return None if pending and _needs_pending(program, pending, registers, op) else op


def _needs_pending(
    program: Program, pending: tuple[tuple[int, int, int], ...], registers: Registers, op: Op
) -> bool:
    """Tell whether a deferred load has to be done before ``op``."""
    waiting = {entry[0] for entry in pending}
    if any(use in waiting for use in (*op.address_uses, *op.value_uses, op.register)):
        return True
    if op.kind == FENCE:
        return op.order not in ("wmb", "barrier", "rcu-lock", "rcu-unlock")
    if op.kind in (SET, BRANCH, JUMP):
        return False
    if op.kind in (UNLOCK, SRCU_LOCK, SRCU_UNLOCK, SRCU_SYNC) or op.order in (RELEASE, MB):
        return True
    location = program.number.get(op.address(registers))
    return any(entry[1] == location for entry in pending)


def with_item(row: tuple[_T, ...], at: int, item: _T) -> tuple[_T, ...]:
    """Return ``row`` with ``item`` at place ``at``."""
    return (*row[:at], item, *row[at + 1 :])


def without(readers: tuple[int, ...], domain: int) -> tuple[int, ...]:
    """Return ``readers`` after one of ``domain`` has ended."""
    if domain not in readers:
        return readers
    at = readers.index(domain)
    return readers[:at] + readers[at + 1 :]
