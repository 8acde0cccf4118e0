"""The set of the language: CPython's order wherever that is a function of the values."""

import random
import sys
from typing import Any

import pytest

from workloads.language.loader import Loader
from workloads.language.sets import GuestSet


def _value(numbers: random.Random) -> Any:
    kind = numbers.random()
    if kind < 0.7:
        return numbers.randrange(-3, numbers.choice([8, 40, 1000, 10**6]))
    if kind < 0.8:
        return numbers.random()
    if kind < 0.9:
        return numbers.randrange(9), numbers.randrange(9)
    return numbers.choice([True, False, 0.0, 1.0, 1 << 70, -(1 << 61)])


def _change(numbers: random.Random, name: str, sets: list[Any]) -> None:
    """Do one thing to ``sets[0]``, with ``sets[1]`` and the same values for each kind of set."""
    target, other = sets
    items = [_value(numbers) for _ in range(numbers.choice([0, 1, 3, 5, 20, 100]))]
    if name in ("add", "discard"):
        getattr(target, name)(_value(numbers))
    elif name == "pop":
        if target:
            target.pop()
    elif name == "take":
        if target:
            target.remove(sorted(target, key=repr)[0])
    elif name == "clear":
        target.clear()
    elif name == "copy":
        sets[0] = target.copy()
    elif name in ("update", "difference", "intersection", "union", "symmetric_difference"):
        argument = numbers.choice([items, dict.fromkeys(items), other])
        result = getattr(target, name)(argument)
        sets[0] = target if result is None else result
    elif name == "new":
        sets[1] = type(target)(items)
    else:
        sets[0] = getattr(target, f"__{name}__")(other)


_NAMES = (
    "add add add discard take take pop new new update copy difference intersection union"
    " symmetric_difference or and sub xor ior iand isub ixor clear"
)
CHANGES = _NAMES.split()


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="the table is that of CPython 3.11 to 3.14")
@pytest.mark.parametrize("seed", range(60))
def test_numbers_lie_in_a_set_in_the_order_of_cpython(seed: int) -> None:
    choose = random.Random(seed)
    host: list[Any] = [set(), set()]
    guest: list[Any] = [GuestSet(), GuestSet()]
    for step in range(150):
        name = choose.choice(CHANGES[: choose.choice([6, len(CHANGES)])])
        _change(random.Random(seed * 1000 + step), name, host)
        _change(random.Random(seed * 1000 + step), name, guest)
        for one, two in zip(host, guest, strict=True):
            assert [repr(item) for item in one] == [repr(item) for item in two], (step, name)


def test_other_elements_come_in_the_order_of_insertion() -> None:
    s = GuestSet(["b", "a", None, "c"])
    s.discard("a")
    s.add("a")
    s |= GuestSet([3, "0"])
    assert list(s) == ["b", None, "c", "a", 3, "0"]
    assert [s.pop() for _ in range(6)] == ["b", None, "c", "a", 3, "0"]
    assert s == GuestSet()


def test_nan_makes_the_order_that_of_insertion() -> None:
    s = GuestSet([16, 8])
    assert list(s) == [16, 8]
    nan = float("nan")
    s.add(nan)
    s.add(0)
    assert list(s)[:2] == [16, 8] and list(s)[3] == 0


ORDERS = """\
a = {1, 9, 17, 25}
a.discard(9)
a.add(33)
b = {"x", None, 3, "y"}
c = [a, b, a]
"""


def test_a_set_keeps_its_order_and_its_table_where_it_travels() -> None:
    loader = Loader({"p": ORDERS})
    context = loader.start("p", ("/t/p.py",), ())
    context.resume(None, None)
    copies = [context.fork(), loader.unpack(context.pack())]
    copies.append(loader.unpack(copies[1].pack()))
    numbers, others = (v for v in context.globals if type(v) is GuestSet)
    numbers_before = list(numbers)
    for copy in copies:
        first, second = (v for v in copy.globals if type(v) is GuestSet)
        assert first is not numbers and list(first) == numbers_before
        assert list(second) == list(others) == ["x", None, 3, "y"]
        first.add(41)
        alone = GuestSet([1, 9, 17, 25]).copy()
        alone.discard(9)
        alone.add(33)
        alone.add(41)
        assert list(first) == list(alone)
        assert copy.pack() != context.pack()
