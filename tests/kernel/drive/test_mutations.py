"""Mutations as they are written, and what the driver of steps makes of them."""

import pytest

from kernel.drive.active_path import ActivePath
from kernel.drive.mutations import (
    DROPPED,
    IRQS_ON,
    UNORDERED,
    WHOLE,
    admits,
    needs_code,
    offer,
    parse,
    rules_of,
    weaker,
)
from kernel.errors import BadMutation
from kernel.points import (
    ACQUIRE,
    BARRIER,
    KIND_NAMES,
    LOAD,
    LOAD_ACQUIRE,
    POINT,
    READ,
    READ_BARRIER,
    RELEASE,
    SCHEDULE,
    STORE,
    STORE_RELEASE,
    UPDATE,
    WRITE_BARRIER,
)


def outer():
    yield from inner()


def inner():
    yield "inner.lock", ACQUIRE, "lock"


def offered(kind, *mutations, name="inner.lock"):
    """Return kind and state of what a path offers that stands at ``inner.lock``."""
    gen = outer()
    next(gen)
    path = ActivePath(gen, None, 0, 0, 1)
    path.op = (name, kind, "object")
    offer(rules_of(mutations), path)
    return path.op[1], path.mutated


@pytest.mark.parametrize(
    ("kind", "mutation", "becomes"),
    [
        (ACQUIRE, "inner.lock", (ACQUIRE, DROPPED)),
        (READ, "drop:inner.lock", (READ, DROPPED)),
        (BARRIER, "drop:inner.lock", (BARRIER, DROPPED)),
        (STORE, "drop:inner.lock", (POINT, WHOLE)),
        (RELEASE, "drop:inner.lock", (POINT, WHOLE)),
        (SCHEDULE, "drop:inner.lock", (POINT, WHOLE)),
        (ACQUIRE, "weaken:inner.lock", (READ, WHOLE)),
        (ACQUIRE, "weaken:inner.lock:plain", (ACQUIRE, UNORDERED)),
        (ACQUIRE, "weaken:inner.lock:irq", (ACQUIRE, IRQS_ON)),
        (RELEASE, "weaken:inner.lock", (RELEASE, UNORDERED)),
        (BARRIER, "weaken:inner.lock", (WRITE_BARRIER, WHOLE)),
        (BARRIER, "weaken:inner.lock:rmb", (READ_BARRIER, WHOLE)),
        (LOAD_ACQUIRE, "weaken:inner.lock", (LOAD, WHOLE)),
        (STORE_RELEASE, "weaken:inner.lock", (STORE, WHOLE)),
        (ACQUIRE, "drop:other.lock", (ACQUIRE, WHOLE)),
        (ACQUIRE, "drop:inner.lock@outer", (ACQUIRE, DROPPED)),
        (ACQUIRE, "drop:inner.lock@nobody", (ACQUIRE, WHOLE)),
    ],
)
def test_what_a_mutation_makes_of_an_offer(kind, mutation, becomes):
    assert offered(kind, mutation) == becomes


def test_two_mutations_of_one_point_both_count():
    assert offered(ACQUIRE, "weaken:inner.lock", "weaken:inner.lock:plain") == (READ, UNORDERED)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "weeken:a.b",
            "there is no kind of mutation 'weeken' (there is: drop, weaken, move, swap)",
        ),
        ("drop:a.b:c", "is to be written as drop:POINT"),
        (
            "move:a.b:under:c.d",
            "is to be written as move:POINT:before:OTHER or move:POINT:after:OTHER",
        ),
        ("swap:a.b", "is to be written as swap:POINT:OTHER"),
        ("a b", "'a b' is no POINT, POINT+, POINT@FUNCTION or POINT@FUNCTION#2"),
        (
            "move:a.b@f#0:after:c.d",
            "'a.b@f#0' is no POINT, POINT+, POINT@FUNCTION or POINT@FUNCTION#2",
        ),
    ],
)
def test_what_is_written_wrongly_is_told(text, why):
    with pytest.raises(BadMutation) as told:
        parse(text)
    assert str(told.value) == why


def test_a_place_is_a_point_with_its_code_in_a_function_by_a_statement():
    mutation = parse("move:a.b+@f#2:after:c.d@f")
    assert repr(mutation.place) == "a.b+@f#2" and repr(mutation.other) == "c.d@f"
    assert (mutation.place.whole, mutation.place.number, mutation.side) == (True, 2, "after")


@pytest.mark.parametrize("kind", range(len(KIND_NAMES)))
def test_every_kind_of_point_can_be_moved_and_swapped(kind):
    assert admits(kind)[-2:] == ["move", "swap"]


def test_what_a_load_reads_is_needed():
    assert "drop" not in admits(LOAD)
    assert "drop" not in admits(UPDATE)


def test_what_can_be_no_weaker_says_what_can_be_done():
    with pytest.raises(BadMutation, match="a write barrier that can be no weaker: drop or move it"):
        weaker(parse("weaken:a.b"), WRITE_BARRIER, stores=False)
    with pytest.raises(BadMutation, match="can be weakened to shared, plain, irq, not to 'wmb'"):
        weaker(parse("weaken:a.b:wmb"), ACQUIRE, stores=False)


def test_what_leaves_the_code_as_it_is_is_the_drivers():
    assert not needs_code(parse("drop:a.b"), ACQUIRE)
    assert not needs_code(parse("weaken:a.b:wmb"), BARRIER)
    assert needs_code(parse("weaken:a.b:split"), BARRIER)
    assert needs_code(parse("drop:a.b"), POINT)
    assert needs_code(parse("move:a.b:before:c.d"), RELEASE)
