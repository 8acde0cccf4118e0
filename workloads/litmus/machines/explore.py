"""All that a machine may do with a test, or some of it at random."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from workloads.litmus.condition import Place, holds, may_be, places_of
from workloads.litmus.machines.commit_clock import CommitClock
from workloads.litmus.machines.program import Code, Program
from workloads.litmus.machines.store_buffers import StoreBuffers
from workloads.litmus.machines.views import Views
from workloads.litmus.oracle import Outcome, shown_places
from workloads.litmus.test import Litmus, Value
from workloads.litmus.traces import TooLarge

MOST_STATES: Final = 2_000_000

End = tuple[tuple[Value, ...], ...]  # what memory and each process's registers hold at the end


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

    def cpus(self, state: Any) -> Iterator[tuple[int, tuple[Value, ...], Sequence[int]]]:
        """Yield of each CPU its pc, its registers, and which of them deferred loads will set."""
        ...

    def final(self, state: Any) -> End | None:
        """Return memory and each process's registers if ``state`` is an end, else None."""
        ...


MACHINES: dict[str, Callable[[Program], Machine]] = {
    "sc": lambda program: StoreBuffers(program, "sc"),
    "tso": lambda program: StoreBuffers(program, "tso"),
    "pso": lambda program: StoreBuffers(program, "pso"),
    "arm": CommitClock,
    "weak": Views,
}


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
    return list(dict.fromkeys(_ends(machine, most, lambda state: True)))


def reaches(test: Litmus, model: str, wanted: bool, most: int = MOST_STATES) -> bool:
    """Tell whether the machine ``model`` can leave the condition of ``test`` as ``wanted``.

    What registers hold already leaves out most of the states, so this answers for tests that are
    too large for ``explore``.

    Raises: TooLarge, more than ``most`` states.
    """
    program = Program(test)
    machine = MACHINES[model](program)
    hopes = Hopes(program, wanted)
    for end in _ends(machine, most, lambda state: hopes.may_be(machine.cpus(state))):
        state = state_at(program, end)
        if holds(test.condition, state) == wanted and (
            test.filter is None or holds(test.filter, state)
        ):
            return True
    return False


def _ends(machine: Machine, most: int, goes_on: Callable[[Any], bool]) -> Iterator[End]:
    """Yield the end of every way, those left out on which some state does not go on.

    Raises: TooLarge, more than ``most`` states.
    """
    start = machine.first()
    seen = {start}
    todo = [start]
    while todo:
        state = todo.pop()
        following = machine.reduced(state)
        if not following:
            end = machine.final(state)
            if end is not None:
                yield end
            continue
        for each in following:
            if each not in seen:
                seen.add(each)
                if goes_on(each):
                    todo.append(each)
        if len(seen) > most:
            raise TooLarge


class Hopes:
    """Whether the condition may still come out as ``wanted``, from the registers that are final."""

    __slots__ = ("_formulas", "_later", "_places")

    def __init__(self, program: Program, wanted: bool) -> None:
        test = program.test
        self._formulas = [(test.condition, wanted)]
        if test.filter is not None:
            self._formulas.append((test.filter, True))
        self._places = [
            (place, place[0], program.codes[place[0]].names[place[1]])
            for formula, _ in self._formulas
            for place in places_of(formula)
            if place[0] >= 0 and place[1] in program.codes[place[0]].names
        ]
        self._later = [_set_later(code) for code in program.codes]

    def may_be(self, cpus: Iterator[tuple[int, tuple[Value, ...], Sequence[int]]]) -> bool:
        """Tell it of a state, by ``Machine.cpus``."""
        rows = list(cpus)
        final: dict[Place, Value] = {}
        for place, number, register in self._places:
            pc, registers, waiting = rows[number]
            if not self._later[number][pc] >> register & 1 and register not in waiting:
                final[place] = registers[register]
        return all(
            may_be(formula, final, final.__contains__, wanted) for formula, wanted in self._formulas
        )


def _set_later(code: Code) -> list[int]:
    """Return for each pc which registers may be set from there on, as a mask."""
    later = [0] * (len(code.ops) + 1)
    for pc in range(len(code.ops) - 1, -1, -1):
        op = code.ops[pc]
        later[pc] = later[pc + 1] | later[max(pc + 1, op.target)]
        if op.register >= 0:
            later[pc] |= 1 << op.register
    return later


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
