"""What was found, as herd7 and litmus7 write it.

Source: herd/top_herd.ml and litmus/skelUtil.ml of herdtools7.
Deviation: no ``Hash=`` line: that is a sum over herd7's own form of the source.
"""

from collections.abc import Iterator

from workloads.litmus.condition import show_place
from workloads.litmus.oracle import Outcome, StateKey
from workloads.litmus.test import Litmus

_KINDS = {"exists": "Allowed", "~exists": "Forbidden", "forall": "Required", "final": "Allowed"}


def verdict_of(test: Litmus, outcome: Outcome) -> bool:
    """Tell whether the condition holds (``Ok``)."""
    if test.quantifier == "forall":
        return not outcome.negative
    if test.quantifier == "~exists":
        return not outcome.positive
    return bool(outcome.positive)


def state_text(outcome: Outcome, key: StateKey) -> str:
    """Return ``0:r0=1; [x]=2;``."""
    places = zip(outcome.places, key, strict=True)
    return " ".join(f"{show_place(place)}={value};" for place, value in places)


def herd_lines(test: Litmus, outcome: Outcome) -> Iterator[str]:
    """Yield the lines that herd7 prints for an exhaustive search."""
    yield f"Test {test.name} {_KINDS[test.quantifier]}"
    texts = sorted(state_text(outcome, key) for key in outcome.states)
    yield f"States {len(texts)}"
    yield from texts
    yield "Ok" if verdict_of(test, outcome) else "No"
    yield "Witnesses"
    yield f"Positive: {outcome.positive} Negative: {outcome.negative}"
    for flag in outcome.flags:
        yield f"Flag {flag}"
    yield f"Condition {test.condition_text}"
    yield f"Observation {_observation(test, outcome)}"
    yield ""


def litmus_lines(test: Litmus, outcome: Outcome, wanted: set[StateKey]) -> Iterator[str]:
    """Yield the lines that litmus7 prints for a number of runs.

    ``wanted``: the states of which the condition's formula is true.
    """
    yield f"Test {test.name} {_KINDS[test.quantifier]}"
    yield f"Histogram ({len(outcome.states)} states)"
    marked = test.quantifier != "forall"
    rows = sorted((state_text(outcome, key), key) for key in outcome.states)
    for text, key in rows:
        mark = "*" if (key in wanted) == marked else ":"
        yield f"{outcome.states[key]:<8}{mark}>{text}"
    ok = verdict_of(test, outcome)
    yield "Ok" if ok else "No"
    yield ""
    yield "Witnesses"
    positive, negative = _witnesses(test, outcome)
    yield f"Positive: {positive}, Negative: {negative}"
    yield f"Condition {test.condition_text} is {'' if ok else 'NOT '}validated"
    yield f"Observation {_observation(test, outcome)}"
    yield ""


def _witnesses(test: Litmus, outcome: Outcome) -> tuple[int, int]:
    """Return what litmus7 counts for the condition and against it."""
    if test.quantifier in ("~exists", "forall"):
        return outcome.negative, outcome.positive
    return outcome.positive, outcome.negative


def _observation(test: Litmus, outcome: Outcome) -> str:
    return f"{test.name} {outcome.observation} {outcome.positive} {outcome.negative}"
