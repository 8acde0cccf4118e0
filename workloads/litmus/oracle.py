"""What a test's final states are under a model that is given by axioms."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from workloads.litmus.condition import Place, holds, may_be, places_of
from workloads.litmus.executions import Execution, Skeleton, executions, skeletons
from workloads.litmus.lkmm import Fixed, Lkmm
from workloads.litmus.test import Expression, Litmus, Value
from workloads.litmus.traces import TooLarge, Trace, Values, values_of

StateKey = tuple[Value, ...]


MOST_EXECUTIONS: Final = 50_000  # that are looked at for one test


class Outcome:
    """What was found.

    ``places``: what is shown of a state, in this order; ``states``: each with the number of
    executions that end in it; ``positive`` and ``negative``: executions of which the condition's
    formula is true, and false; ``flags``: what is remarkable about some execution.
    """

    __slots__ = ("flags", "negative", "places", "positive", "states")

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        self.states: dict[StateKey, int] = {}
        self.positive = 0
        self.negative = 0
        self.flags: list[str] = []

    @property
    def observation(self) -> str:
        """``Never``, ``Always`` or ``Sometimes``."""
        if not self.positive:
            return "Never"
        return "Sometimes" if self.negative else "Always"


def shown_places(test: Litmus) -> list[Place]:
    """Return what is shown of a state: what the condition names, and what is to be shown besides.

    Registers first, by process and name, then locations by name.
    """
    places = {*places_of(test.condition), *test.locations}
    return sorted(places, key=lambda place: (place[0] < 0, place[0], place[1]))


def outcomes(test: Litmus) -> Outcome:
    """Return the states of ``test`` under the kernel's model, all executions counted.

    Raises: TooLarge.
    """
    outcome = Outcome(shown_places(test))
    flags: dict[str, None] = {}
    for state, verdict in _allowed(test, *values_of(test)):
        for flag in verdict.flags:
            flags[flag] = None
        key = tuple(state.get(place, 0) for place in outcome.places)
        outcome.states[key] = outcome.states.get(key, 0) + 1
        if holds(test.condition, state):
            outcome.positive += 1
        else:
            outcome.negative += 1
    outcome.flags = list(flags)
    return outcome


def observe(test: Litmus) -> str:
    """Return ``Never``, ``Always``, ``Sometimes``, or ``""``: there is no execution.

    Looks for one execution of which the condition is true and for one of which it is not, and only
    at candidates that could be such.

    Raises: TooLarge.
    """
    values, traces = values_of(test)
    positive = _is_reached(test, values, traces, True)
    negative = _is_reached(test, values, traces, False)
    if positive:
        return "Sometimes" if negative else "Always"
    return "Never" if negative else ""


def is_reached(test: Litmus, most: int) -> bool:
    """Tell whether the model allows an execution after which the condition's formula is true.

    Raises: TooLarge, more than ``most`` candidates.
    """
    return _is_reached(test, *values_of(test), True, most)


def states_of(test: Litmus, places: Sequence[Place], most: int) -> set[StateKey]:
    """Return what ``places`` hold at the end of the executions that the model allows.

    Raises: TooLarge, more than ``most`` candidates.
    """
    found: set[StateKey] = set()

    def is_new(state: dict[Place, Value]) -> bool:
        return _key(state, places) not in found

    for state, _ in _allowed(test, *values_of(test), wanted=is_new, most=most):
        found.add(_key(state, places))
    return found


def forbidden(
    test: Litmus, places: Sequence[Place], states: Iterable[StateKey], most: int
) -> list[StateKey]:
    """Return those of ``states`` that no execution ends in which the model allows.

    Only candidates are looked at that end in one of them. So this answers for tests of which there
    are too many to look at all.

    Args:
        places: what is shown of a state; all registers should be among them.

    Raises: TooLarge, more than ``most`` candidates.
    """
    left = dict.fromkeys(states)
    known: list[set[StateKey]] = []  # of so many processes, what their registers hold
    shown: list[list[int]] = []
    for count in range(len(test.processes) + 1):
        shown.append([at for at, place in enumerate(places) if 0 <= place[0] < count])
        known.append({tuple(state[at] for at in shown[count]) for state in left})

    def may_end_in_one(chosen: list[Trace]) -> bool:
        registers = _registers(chosen)
        held = tuple(registers.get(places[at], 0) for at in shown[len(chosen)])
        return held in known[len(chosen)]

    def is_asked(state: dict[Place, Value]) -> bool:
        return _key(state, places) in left

    for state, _ in _allowed(test, *values_of(test), may_end_in_one, is_asked, most):
        del left[_key(state, places)]
        if not left:
            break
    return list(left)


def _key(state: dict[Place, Value], places: Sequence[Place]) -> StateKey:
    return tuple(state.get(place, 0) for place in places)


def _is_reached(
    test: Litmus,
    values: Values,
    traces: list[list[Trace]],
    wanted: bool,
    most: int = MOST_EXECUTIONS,
) -> bool:
    """Tell whether some execution leaves the condition ``wanted``."""

    def may_be_wanted(chosen: list[Trace]) -> bool:
        return _may_be(test.condition, chosen, wanted)

    def is_wanted(state: dict[Place, Value]) -> bool:
        return holds(test.condition, state) == wanted

    return any(True for _ in _allowed(test, values, traces, may_be_wanted, is_wanted, most))


def _allowed(
    test: Litmus,
    values: Values,
    traces: list[list[Trace]],
    may_be_wanted: Callable[[list[Trace]], bool] | None = None,
    wanted: Callable[[dict[Place, Value]], bool] | None = None,
    most: int = MOST_EXECUTIONS,
) -> Iterator[tuple[dict[Place, Value], Lkmm]]:
    """Yield what the test's filter lets through and the model allows: final state and verdict.

    Args:
        may_be_wanted: whether to look on, with these traces of the first processes.
        wanted: whether to ask the model about a final state; None: about all.
        most: so many candidates are looked at.

    The state is the same dictionary each time.

    Raises: TooLarge.
    """
    through = test.filter

    def goes_on(chosen: list[Trace]) -> bool:
        if through is not None and not _may_be(through, chosen, True):
            return False
        return may_be_wanted is None or may_be_wanted(chosen)

    left = most
    for skeleton in skeletons(test, values, traces, goes_on):
        fixed: Fixed | None = None
        state = _registers(skeleton.traces)
        for execution in executions(skeleton):
            _final(state, execution, skeleton)
            if through is not None and not holds(through, state):
                continue
            left -= 1
            if left < 0:
                raise TooLarge
            if wanted is not None and not wanted(state):
                continue
            if fixed is None:
                fixed = Fixed(skeleton)
            verdict = Lkmm(execution, fixed)
            if verdict.allowed:
                yield state, verdict


def _may_be(formula: Expression, chosen: list[Trace], wanted: bool) -> bool:
    """Tell whether ``formula`` may come out as ``wanted`` after these traces of the first
    processes.
    """
    count = len(chosen)
    return may_be(formula, _registers(chosen), lambda place: 0 <= place[0] < count, wanted)


def _registers(traces: Sequence[Trace]) -> dict[Place, Value]:
    return {
        (number, name): value
        for number, trace in enumerate(traces)
        for name, value in trace.registers.items()
    }


def _final(state: dict[Place, Value], execution: Execution, skeleton: Skeleton) -> None:
    """Put into ``state`` what stands at each location at the end: its last write in co."""
    for events in skeleton.by_location.values():
        for e in events:
            event = skeleton.events[e]
            if event.kind == "W" and not execution.co[e]:
                state[(-1, str(event.location))] = event.value
