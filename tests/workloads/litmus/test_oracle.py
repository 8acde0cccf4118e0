"""The kernel's memory model by axioms: locks, atomics, RCU, plain accesses."""

import pytest

from workloads.litmus.machines.explore import explore
from workloads.litmus.oracle import observe, outcomes
from workloads.litmus.parser import parse_litmus


def two(first: str, second: str, condition: str, initial: str = "") -> str:
    arguments = "int *x, int *y, spinlock_t *s, atomic_t *a, struct srcu_struct *u"
    return (
        f"C T\n{{{initial}}}\nP0({arguments}) {{ {first} }}\nP1({arguments}) {{ {second} }}\n"
        f"exists ({condition})\n"
    )


WRITER = "WRITE_ONCE(*x, 1); {} WRITE_ONCE(*y, 1);"
READER = "int r0 = READ_ONCE(*y); {} int r1 = READ_ONCE(*x);"
STALE = "1:r0=1 /\\ 1:r1=0"


@pytest.mark.parametrize(
    ("between", "verdict"),
    [
        ("", "Sometimes"),
        ("smp_wmb();", "Never"),
        ("smp_mb();", "Never"),
        ("barrier();", "Sometimes"),
        ("atomic_inc(a);", "Sometimes"),
        ("atomic_inc_return(a);", "Never"),
        ("atomic_inc_return_relaxed(a);", "Sometimes"),
        ("atomic_inc(a); smp_mb__after_atomic();", "Never"),
        ("smp_mb__before_atomic(); atomic_inc(a);", "Never"),
        ("smp_mb__before_atomic();", "Sometimes"),
        ("synchronize_rcu();", "Never"),
        ("spin_lock(s); spin_unlock(s);", "Sometimes"),
        ("spin_lock(s); smp_mb__after_spinlock(); spin_unlock(s);", "Never"),
        ("int r9 = cmpxchg(a, 0, 1);", "Never"),
        ("int r9 = cmpxchg(a, 5, 1);", "Sometimes"),
        ("int r9 = atomic_add_unless(a, 1, 5);", "Never"),
        ("int r9 = atomic_add_unless(a, 1, 0);", "Sometimes"),
        ("int r9 = xchg(a, 1);", "Never"),
    ],
)
def test_what_orders_two_stores(between: str, verdict: str) -> None:
    text = two(WRITER.format(between), READER.format("smp_rmb();"), STALE)
    assert observe(parse_litmus(text)) == verdict


@pytest.mark.parametrize(
    ("between", "verdict"),
    [
        ("", "Sometimes"),
        ("smp_rmb();", "Never"),
        ("smp_wmb();", "Sometimes"),
        ("if (r0) { } ", "Sometimes"),
        ("synchronize_rcu();", "Never"),
    ],
)
def test_what_orders_two_loads(between: str, verdict: str) -> None:
    text = two(WRITER.format("smp_wmb();"), READER.format(between), STALE)
    assert observe(parse_litmus(text)) == verdict


def test_a_lock_excludes_and_is_handed_on_with_what_was_stored() -> None:
    first = "spin_lock(s); WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1); spin_unlock(s);"
    second = "spin_lock(s); int r0 = READ_ONCE(*x); int r1 = READ_ONCE(*y); spin_unlock(s);"
    found = outcomes(parse_litmus(two(first, second, "1:r0=1 /\\ 1:r1=0")))
    assert found.states == {(0, 0): 1, (1, 1): 1}


def test_taking_a_lock_twice_has_no_execution_at_all() -> None:
    text = two("spin_lock(s); spin_lock(s);", "WRITE_ONCE(*x, 1);", "x=1")
    assert observe(parse_litmus(text)) == ""
    assert not explore(parse_litmus(text), "weak").states


def test_a_failed_trylock_saw_the_lock_held() -> None:
    first = "spin_lock(s); WRITE_ONCE(*x, 1); spin_unlock(s);"
    second = "int r0 = spin_trylock(s); int r1 = spin_is_locked(s);"
    found = outcomes(parse_litmus(two(first, second, "1:r0=0 /\\ 1:r1=0")))
    assert {state[0] for state in found.states} == {0, 1}
    assert (1, 0) not in found.states  # who holds it sees it held


def test_a_grace_period_waits_for_readers_that_were_there() -> None:
    reader = "rcu_read_lock(); int r0 = READ_ONCE(*x); int r1 = READ_ONCE(*y); rcu_read_unlock();"
    writer = "WRITE_ONCE(*x, 1); synchronize_rcu(); WRITE_ONCE(*y, 1);"
    text = two(writer, reader, "1:r0=0 /\\ 1:r1=1")
    assert observe(parse_litmus(text)) == "Never"
    without = text.replace("rcu_read_lock();", "").replace("rcu_read_unlock();", "")
    assert observe(parse_litmus(without)) == "Sometimes"


def test_srcu_is_one_domain_for_each_structure() -> None:
    reader = (
        "int i = srcu_read_lock(u); int r0 = READ_ONCE(*x); int r1 = READ_ONCE(*y);"
        "srcu_read_unlock(u, i);"
    )
    writer = "WRITE_ONCE(*x, 1); synchronize_srcu(u); WRITE_ONCE(*y, 1);"
    text = two(writer, reader, "1:r0=0 /\\ 1:r1=1")
    assert observe(parse_litmus(text)) == "Never"
    assert observe(parse_litmus(text.replace("synchronize_srcu(u)", "synchronize_srcu(s)"))) == (
        "Sometimes"
    )


def test_plain_accesses_that_nothing_orders_are_a_data_race() -> None:
    found = outcomes(parse_litmus(two("*x = 1;", "int r0 = *x;", "1:r0=1")))
    assert found.flags == ["data-race"]
    locked = two(
        "spin_lock(s); *x = 1; spin_unlock(s);",
        "spin_lock(s); int r0 = *x; spin_unlock(s);",
        "1:r0=1",
    )
    assert outcomes(parse_litmus(locked)).flags == []


def test_a_value_out_of_thin_air_is_not_made_up() -> None:
    text = two("int r0 = READ_ONCE(*x); WRITE_ONCE(*y, r0);", WRITER.format(""), "0:r0=42")
    assert observe(parse_litmus(text)) == "Never"


def test_an_atomic_update_never_loses_another() -> None:
    found = outcomes(parse_litmus(two("atomic_inc(a);", "atomic_inc(a);", "a=2")))
    assert found.observation == "Always"
    plain = "int r0 = READ_ONCE(*a); WRITE_ONCE(*a, r0 + 1);"
    assert observe(parse_litmus(two(plain, plain, "a=2"))) == "Sometimes"


@pytest.mark.parametrize("model", ["sc", "tso", "pso", "arm", "weak"])
def test_a_filter_leaves_executions_out(model: str) -> None:
    text = two(WRITER.format(""), READER.format(""), "1:r1=1")
    text = text.replace("exists", "filter (1:r0=1)\nexists")
    found = explore(parse_litmus(text), model)
    assert found.observation == ("Always" if model in ("sc", "tso") else "Sometimes")


def test_a_read_of_an_update_that_fails_stands_between_the_barriers_for_atomics() -> None:
    between = "int r9 = cmpxchg_relaxed(a, 5, 1); {}"
    loose = two(WRITER.format(between.format("")), READER.format("smp_rmb();"), STALE)
    assert observe(parse_litmus(loose)) == "Sometimes"
    fenced = between.format("smp_mb__after_atomic();")
    text = two(WRITER.format(fenced), READER.format("smp_rmb();"), STALE)
    assert observe(parse_litmus(text)) == "Never"


@pytest.mark.parametrize(
    ("body", "flags"),
    [
        ("rcu_read_lock(); rcu_read_unlock();", []),
        ("rcu_read_lock(); rcu_read_lock(); rcu_read_unlock();", ["unmatched-rcu-lock"]),
        ("rcu_read_unlock();", ["unmatched-rcu-unlock"]),
        ("int i = srcu_read_lock(u); srcu_read_unlock(u, i);", []),
        ("int i = srcu_read_lock(u);", ["unmatched-srcu-lock"]),
        ("srcu_read_unlock(u, 0);", ["unmatched-srcu-unlock"]),
        ("int i = srcu_read_lock(u); srcu_read_unlock(u, i + 1);", ["srcu-bad-value-match"]),
        ("rcu_read_lock(); synchronize_srcu(u); rcu_read_unlock();", ["invalid-sleep"]),
        (
            "int i = srcu_read_lock(u); srcu_read_unlock(u, i); srcu_read_unlock(u, i);",
            ["multiple-srcu-matches"],
        ),
    ],
)
def test_sections_that_do_not_match_are_flagged(body: str, flags: list[str]) -> None:
    found = outcomes(parse_litmus(two(body, "WRITE_ONCE(*x, 1);", "x=1")))
    assert found.flags == flags
