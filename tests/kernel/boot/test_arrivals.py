"""Arrival patterns: exact integers, the right means, one sequence for one seed."""

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.bits import exponential_ns, log2_fixed, splitmix64
from kernel.boot.arrivals import gap_ns
from kernel.machine import SpawnSpec


def starts(spawn, seed=1):
    gaps = [gap_ns(spawn, index, seed) for index in range(spawn.count - 1)]
    return [0, *accumulate(gaps)]


def spawn(**fields):
    return SpawnSpec("/bin/true", ("true",), **fields)


def test_uniform_instances_start_the_same_time_apart():
    assert starts(spawn(count=4, every_ns=7)) == [0, 7, 14, 21]


def test_a_burst_starts_at_once_and_the_next_one_later():
    pattern = spawn(count=7, every_ns=100, arrivals="burst", burst=3)
    assert starts(pattern) == [0, 0, 0, 100, 100, 100, 200]


def test_poisson_arrivals_are_those_of_the_seed():
    pattern = spawn(count=5, every_ns=1_000_000, arrivals="poisson")
    assert starts(pattern, seed=7) == starts(pattern, seed=7)
    assert starts(pattern, seed=7) != starts(pattern, seed=8)


def test_poisson_gaps_have_mean_and_deviation_of_the_exponential_distribution():
    pattern = spawn(count=20_001, every_ns=1_000_000, arrivals="poisson")
    gaps = [gap_ns(pattern, index, 3) for index in range(20_000)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(1_000_000, rel=0.03)
    assert deviation == pytest.approx(1_000_000, rel=0.05)


@given(st.integers(1, 1 << 64))
def test_the_integer_logarithm_agrees_with_the_real_one(n):
    assert log2_fixed(n) / (1 << 32) == pytest.approx(math.log2(n), abs=1e-8)


def test_the_ends_of_the_exponential_distribution():
    assert exponential_ns(1_000_000, (1 << 64) - 1) == 0
    assert exponential_ns(1_000_000, 0) == int(1_000_000 * 64 * math.log(2))
    assert exponential_ns(0, 0) == 0


def test_splitmix64_gives_the_published_numbers():
    assert [splitmix64(1234567, place) for place in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
