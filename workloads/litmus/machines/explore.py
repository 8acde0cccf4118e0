"""All that a machine may do with a test, or some of it at random."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from workloads.litmus.condition import Place, holds
from workloads.litmus.machines.commit_clock import CommitClock
from workloads.litmus.machines.program import Program
from workloads.litmus.machines.store_buffers import StoreBuffers
from workloads.litmus.machines.views import Views
from workloads.litmus.oracle import Outcome, shown_places
from workloads.litmus.test import Litmus, Value
from workloads.litmus.traces import TooLarge

MOST_STATES: Final = 2_000_000


class Machine(Protocol):
    """What ``explore`` needs of a machine. Its states are values that can be hashed."""

    program: Program

    def first(self) -> Any:
        """Return the state at the start."""
        ...

    def successors(self, state: Any) -> list[Any]:
        """Return the states that one transition leads to; none at the end or in a deadlock."""
        ...

    def reduced(self, state: Any) -> list[Any]:
        """Return as many of ``successors`` as are enough to reach every final state."""
        ...

    def final(self, state: Any) -> tuple[tuple[Value, ...], ...] | None:
        """Return memory and each process's registers if ``state`` is an end, else None."""
        ...


MACHINES: dict[str, Callable[[Program], Machine]] = {
    "sc": lambda program: StoreBuffers(program, "sc"),
    "tso": lambda program: StoreBuffers(program, "tso"),
    "pso": lambda program: StoreBuffers(program, "pso"),
    "arm": CommitClock,
    "weak": Views,
}


End = tuple[tuple[Value, ...], ...]  # what memory and each process's registers hold at the end


def explore(test: Litmus, model: str, most: int = MOST_STATES) -> Outcome:
    """Return every final state that the machine ``model`` can leave ``test`` in.

    Counts are of what memory and registers hold at the end, the same counted once.

    Raises: TooLarge, more than ``most`` states.
    """
    program = Program(test)
    outcome = Outcome(shown_places(test))
    for end in ends(MACHINES[model](program), most):
        count(outcome, test, program, end)
    return outcome


def ends(machine: Machine, most: int = MOST_STATES) -> list[End]:
    """Return everything that memory and registers can hold when all is done on ``machine``.

    Raises: TooLarge, more than ``most`` states.
    """
    start = machine.first()
    seen = {start}
    todo = [start]
    found: dict[End, None] = {}
    while todo:
        state = todo.pop()
        following = machine.reduced(state)
        if not following:
            end = machine.final(state)
            if end is not None:
                found[end] = None
            continue
        for each in following:
            if each not in seen:
                seen.add(each)
                todo.append(each)
        if len(seen) > most:
            raise TooLarge
    return list(found)


def state_at(program: Program, end: End) -> dict[Place, Value]:
    """Return what stands at each place, at the ``end``."""
    state: dict[Place, Value] = {
        (-1, name): value for name, value in zip(program.locations, end[0], strict=True)
    }
    for number, code in enumerate(program.codes):
        for name, value in zip(code.names, end[number + 1], strict=True):
            state[(number, name)] = value
    return state


def count(outcome: Outcome, test: Litmus, program: Program, end: End) -> None:
    """Add the final state ``end`` to ``outcome``."""
    state = state_at(program, end)
    if test.filter is not None and not holds(test.filter, state):
        return
    key = tuple(state.get(place, 0) for place in outcome.places)
    outcome.states[key] = outcome.states.get(key, 0) + 1
    if holds(test.condition, state):
        outcome.positive += 1
    else:
        outcome.negative += 1
