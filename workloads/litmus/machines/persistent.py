"""Which CPUs' transitions are enough: persistent sets, from what each may still touch.

Of transitions that do not touch each other's state one order is enough. In each state a machine
takes a set of CPUs of which nobody outside can touch, now or later, what their next transitions
touch, and leaves all other CPUs' transitions for afterwards. Programs have no loops, so nothing is
put off for ever.

What can be touched is a mask: a bit for each location, ``gp`` for what grace periods wait for, and
for each CPU a bit for what it has been told, which a full barrier of another one changes; ``full``
is all of these. A write to a location counts as a read of it, too: two do not change places.

Source: Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996, ch. 4.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

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
)

Touch = tuple[int, int]  # what is read and what is written, as masks

NOTHING: Touch = (0, 0)

# which commute with the drains and the deferred loads of their own CPU
LOCAL: Final = (SET, BRANCH, JUMP, FENCE, LOAD, STORE, UNLOCK, SRCU_LOCK, SRCU_UNLOCK)

_LOADS: Final = (LOAD, IS_LOCKED, RMW, LOCK, TRYLOCK)


class Reach:
    """What the processes of a program may touch."""

    __slots__ = ("active", "full", "future", "gp", "loads", "locations")

    def __init__(self, program: Program) -> None:
        count = len(program.locations)
        self.locations = (1 << count) - 1
        self.gp = 1 << count
        processes = len(program.codes)
        self.full = (1 << processes) - 1 << count + 1
        # who has something to do is told by barriers, and a reader ends grace periods by it
        self.active: list[Touch] = [
            (self.told(number), self.gp if program.is_reader(number) else 0)
            for number in range(processes)
        ]
        # process -> pc -> what is touched from there on
        self.loads: list[list[int]] = []  # the same: what is loaded
        self.future: list[list[Touch]] = [
            self._ahead(program, number) for number in range(processes)
        ]

    def told(self, number: int) -> int:
        """Return the mask of what CPU ``number`` has been told."""
        return self.gp << 1 + number

    def _ahead(self, program: Program, number: int) -> list[Touch]:
        code, active = program.codes[number], self.active[number]
        ahead = [NOTHING] * (len(code.ops) + 1)
        loads = [0] * (len(code.ops) + 1)
        for pc in range(len(code.ops) - 1, -1, -1):
            op = code.ops[pc]
            reads, writes = self._touched(program, number, op)
            if op.kind in _LOADS:
                loads[pc] = self.place(program, op)
            for after in (pc + 1, max(pc + 1, op.target)):
                reads |= ahead[after][0]
                writes |= ahead[after][1]
                loads[pc] |= loads[after]
            ahead[pc] = reads | active[0], writes | active[1]
        self.loads.append(loads)
        return ahead

    def _touched(self, program: Program, number: int, op: Op) -> Touch:
        if op.kind == SRCU_SYNC or (op.kind == FENCE and op.order == "sync-rcu"):
            return (self.gp, 0) if self.waits(program, number, op) else NOTHING
        place = self.place(program, op)
        if op.kind in (LOAD, IS_LOCKED):
            return place, 0
        if op.kind in (STORE, UNLOCK):
            return place, place
        return (place, place) if op.kind in (RMW, LOCK, TRYLOCK) else NOTHING

    def waits(self, program: Program, number: int, op: Op) -> bool:
        """Tell whether the grace period ``op`` may have to wait for anybody."""
        if op.kind == FENCE:
            return bool(program.waited_for(number, RCU))
        domain = None if op.address_uses else program.number.get(op.address(()))
        return domain is None or bool(program.waited_for(number, domain))

    def later(self, number: int, pc: int, holds: bool) -> Touch:
        """Return what a CPU may touch from ``pc`` on; ``holds``: it has held something back."""
        reads, writes = self.future[number][pc]
        if holds:
            reads |= self.active[number][0]
            writes |= self.active[number][1]
        return reads, writes

    def place(self, program: Program, op: Op) -> int:
        """Return the mask of the locations that ``op`` may be about."""
        if op.address_uses:
            return self.locations
        location = program.number.get(op.address(()))
        return 0 if location is None else 1 << location


def apart(now: Touch, number: int, later: Sequence[Touch]) -> bool:
    """Tell whether nobody but CPU ``number`` will touch what ``now`` touches."""
    return not any(q != number and _meet(now, each) for q, each in enumerate(later))


def _meet(one: Touch, other: Touch) -> bool:
    return bool(one[0] & other[1] or one[1] & other[0])


def persistent(
    now: Sequence[Touch], later: Sequence[Touch], following: Callable[[int], list[Any]]
) -> list[Any]:
    """Return the states after a persistent set of transitions.

    Args:
        now: what each CPU's next transitions touch, those included that have to wait.
        later: what each CPU may touch from now on; NOTHING if it has ended.
        following: the states after the transitions that a CPU can make.
    """
    known: list[list[Any] | None] = [None] * len(now)
    best: list[Any] = []
    for number, each in enumerate(later):
        if each == NOTHING:
            continue
        members = [number]
        for member in members:
            touch = now[member]
            members += [
                q for q, each in enumerate(later) if q not in members and _meet(touch, each)
            ]
        found: list[Any] = []
        for member in members:
            states = known[member]
            if states is None:
                states = known[member] = following(member)
            found += states
        if found and (not best or len(found) < len(best)):
            best = found
            if len(best) == 1:
                break
    return best
