"""Strategies: what they pick comes from their seed, and each keeps to what it is named after."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.race.strategies import (
    PORTFOLIO,
    STRATEGIES,
    Learned,
    Strategy,
    actor_of,
    conflict,
    object_of,
    strategy_names,
    strategy_of,
)
from kernel.points import ACQUIRE, BARRIER, LOAD, POINT, READ, RELEASE, STORE, UPDATE

LOCK, OTHER = object(), object()


@dataclass
class Offer:
    """What can go next: so much of it as strategies look at."""

    pid: int
    op: tuple[str, int, Any]
    cpu: int = 0
    now_ns: int = 0
    serial: int = 0
    branch: int = 0
    task: Any = field(init=False)

    def __post_init__(self) -> None:
        self.task = SimpleNamespace(pid=self.pid)


def play(strategy: Strategy, programs: dict[int, list[tuple[str, int, Any]]]) -> list[int]:
    """Let actors take their operations to the end; return who took each step."""
    left = {pid: list(ops) for pid, ops in programs.items()}
    offers = {pid: Offer(pid, ops.pop(0)) for pid, ops in left.items()}
    taken = []
    while offers:
        enabled = [offers[pid] for pid in sorted(offers)]
        place = strategy.pick(enabled) if len(enabled) > 1 else 0
        pid = enabled[place].pid
        taken.append(pid)
        if left[pid]:
            offers[pid] = Offer(pid, left[pid].pop(0))
        else:
            del offers[pid]
    return taken


def learned(programs: dict[int, list[tuple[str, int, Any]]]) -> Learned:
    """Return what is known of programs all of whose steps are shared."""
    events = Counter((pid, op[0]) for pid, ops in programs.items() for op in ops)
    names = {name for _pid, name in events}
    return Learned(names, sum(events.values()), len(programs), dict(events))


THREE = {pid: [(f"at{number}.lock", ACQUIRE, LOCK) for number in range(6)] for pid in (1, 2, 3)}


@pytest.mark.parametrize("name", STRATEGIES)
@given(seed=st.integers(0, 1 << 62))
def test_every_run_comes_to_its_end_and_is_that_of_its_seed(name: str, seed: int) -> None:
    runs = [play(STRATEGIES[name](Random(seed), learned(THREE)), THREE) for _ in range(2)]
    assert runs[0] == runs[1]
    assert Counter(runs[0]) == {1: 6, 2: 6, 3: 6}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_first_run_of_which_nothing_is_known_is_possible(name: str) -> None:
    assert Counter(play(STRATEGIES[name](Random(1), Learned()), THREE)) == {1: 6, 2: 6, 3: 6}


@pytest.mark.parametrize("name", ["random", "pos", "surw"])
def test_every_order_of_two_steps_each_is_reached(name: str) -> None:
    programs = {pid: THREE[pid][:2] for pid in (1, 2)}
    # points of one object end alike: surw takes them all for its walk
    found = {
        tuple(play(STRATEGIES[name](Random(seed), learned(programs)), programs))
        for seed in range(200)
    }
    assert len(found) == 6


def test_surw_takes_each_interleaving_of_the_chosen_object_equally_often() -> None:
    programs = {1: THREE[1][:1], 2: THREE[2][:5]}
    known = learned(programs)
    rounds = 3000
    found = Counter(
        tuple(play(STRATEGIES["surw"](Random(seed), known), programs)) for seed in range(rounds)
    )
    assert len(found) == 6
    assert all(abs(count - rounds / 6) < 120 for count in found.values())  # 5 sigma


def test_a_random_walk_takes_each_that_can_go_equally_often() -> None:
    offers = [Offer(pid, ("p", POINT, None)) for pid in range(4)]
    walk = STRATEGIES["random"](Random(5), Learned())
    found = Counter(walk.pick(offers) for _ in range(4000))
    assert all(850 < found[place] < 1150 for place in range(4))


@pytest.mark.parametrize(
    ("name", "switches"), [("pct2", 1), ("pct3", 2), ("pct5", 4), ("delay", 3)]
)
def test_preemptions_are_at_most_so_many(name: str, switches: int) -> None:
    for seed in range(100):
        run = play(STRATEGIES[name](Random(seed), learned(THREE)), THREE)
        left = Counter(run)
        preempted = 0
        for one, two in pairwise(run):
            left[one] -= 1
            preempted += one != two and left[one] > 0
        assert preempted <= switches


def test_pct_lowers_priorities_at_shared_steps_only() -> None:
    private = {pid: [("private", POINT, None)] * 40 for pid in (1, 2)}
    known = Learned({"shared.lock"}, 4, 2, {})
    for seed in range(50):
        run = play(STRATEGIES["pct5"](Random(seed), known), private)
        assert run in ([1] * 40 + [2] * 40, [2] * 40 + [1] * 40)


def test_operations_conflict_if_they_are_about_one_thing_and_one_writes() -> None:
    where = SimpleNamespace(state=0, flags=0)
    load = ("a", LOAD, (where, "state"))
    assert not conflict(load, ("b", LOAD, (where, "state")))
    assert conflict(load, ("b", STORE, (where, "state", 1)))
    assert conflict(("a", UPDATE, (where, "state")), load)
    assert not conflict(load, ("b", STORE, (where, "flags", 1)))
    assert not conflict(("a", READ, LOCK), ("b", READ, LOCK))
    assert conflict(("a", READ, LOCK), ("b", ACQUIRE, LOCK))
    assert not conflict(("a", ACQUIRE, LOCK), ("b", ACQUIRE, OTHER))
    assert not conflict(("a", POINT, None), ("b", BARRIER, None))
    assert object_of(("a", RELEASE, LOCK)) == (id(LOCK), "")


def test_an_actor_is_a_task_by_its_pid_or_the_stores_of_a_cpu() -> None:
    assert actor_of(Offer(7, ("p", POINT, None), cpu=3)) == 7
    drain = SimpleNamespace(op=("drain", -1, None), cpu=3, task=None, now_ns=0, serial=0, branch=0)
    assert actor_of(drain) == -4


def test_the_portfolio_has_the_shares_of_its_strategies() -> None:
    assert len(PORTFOLIO) == 20
    shares = Counter(PORTFOLIO)
    assert set(shares) == set(STRATEGIES) - {"hold"}
    assert shares["pos"] == 7
    assert shares["surw"] == 6
    assert [strategy_of("portfolio", number) for number in range(40)] == [*PORTFOLIO, *PORTFOLIO]
    assert strategy_of("surw", 3) == "surw"
    assert [strategy_of("pct", number) for number in range(4)] == ["pct2", "pct3", "pct5", "pct2"]
    assert strategy_names() == ["portfolio", "pct", *STRATEGIES]


def test_where_stores_wait_each_other_run_of_the_portfolio_holds_them_back() -> None:
    names = [strategy_of("portfolio", number, "tso") for number in range(40)]
    assert names[::2] == list(PORTFOLIO)
    assert set(names[1::2]) == {"hold"}


def drain_of(cpu: int) -> SimpleNamespace:
    op = ("store_buffer.drain", -1, None)
    return SimpleNamespace(op=op, cpu=cpu, task=None, now_ns=0, serial=0, branch=0)


def test_stores_are_held_back_until_nothing_else_can_go_or_go_at_once() -> None:
    paths = [Offer(pid, ("p", POINT, None)) for pid in (1, 2)]
    seen = set()
    for seed in range(40):
        strategy = STRATEGIES["hold"](Random(seed), Learned())
        picks = [strategy.pick([*paths, drain_of(0)]) for _ in range(8)]
        seen.add("at once" if set(picks) == {2} else "late" if 2 not in picks else "now and then")
        assert strategy.pick([drain_of(0), drain_of(1)]) in (0, 1)
    assert seen == {"at once", "late", "now and then"}


def test_without_stores_that_wait_hold_is_one_of_the_others() -> None:
    programs = {pid: [("p", POINT, None)] * 3 for pid in (1, 2)}
    played = {
        tuple(play(STRATEGIES["hold"](Random(seed), Learned()), programs)) for seed in range(60)
    }
    assert len(played) > 5
