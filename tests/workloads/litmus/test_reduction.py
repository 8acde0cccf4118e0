"""Exploring with persistent sets, against exploring everything."""

from typing import Any

import pytest

from workloads.litmus.machines.explore import MACHINES, Machine
from workloads.litmus.machines.program import Program
from workloads.litmus.parser import parse_litmus
from workloads.litmus.shapes import make_shape, variant_names

_RCU = """C rcu
{}
P0(int *x, int *y) {
    rcu_read_lock(); int r0 = READ_ONCE(*x); WRITE_ONCE(*y, 1); rcu_read_unlock();
}
P1(int *y, int *z) { int r0 = READ_ONCE(*y); synchronize_rcu(); WRITE_ONCE(*z, 1); }
P2(int *x, int *z) { spin_lock(x); int r0 = READ_ONCE(*z); spin_unlock(x); }
exists (0:r0=1)
"""
_LOCKS = """C locks
{}
P0(int *s, int *x) { spin_lock(s); WRITE_ONCE(*x, 1); spin_unlock(s); int r0 = READ_ONCE(*x); }
P1(int *s, int *x) { int r0 = spin_trylock(s); WRITE_ONCE(*x, 2); int r1 = atomic_inc_return(x); }
P2(int *s, int *x) { int r0 = spin_is_locked(s); int r1 = READ_ONCE(*x); WRITE_ONCE(*x, r1 + 5); }
exists (0:r0=1)
"""
_SRCU = """C srcu
{ struct srcu_struct s; }
P0(int *x, int *y, struct srcu_struct *s) {
    int i; i = srcu_read_lock(s); int r0 = READ_ONCE(*x); int r1 = READ_ONCE(*y);
    srcu_read_unlock(s, i);
}
P1(int *x, int *y, struct srcu_struct *s) {
    WRITE_ONCE(*x, 1); synchronize_srcu(s); WRITE_ONCE(*y, 1);
}
exists (0:r0=0 /\\ 0:r1=1)
"""
TEXTS = {"rcu": _RCU, "locks": _LOCKS, "srcu": _SRCU}
TEXTS |= {name: make_shape(name) for name in variant_names()[::5]}


def ends(machine: Machine, step: str) -> tuple[set[Any], int]:
    start = machine.first()
    seen, todo, found = {start}, [start], set()
    while todo:
        state = todo.pop()
        following = getattr(machine, step)(state)
        if not following and (end := machine.final(state)) is not None:
            found.add(end)
        todo += [each for each in dict.fromkeys(following) if each not in seen]
        seen.update(following)
    return found, len(seen)


@pytest.mark.parametrize("model", MACHINES)
@pytest.mark.parametrize("name", TEXTS)
def test_what_is_left_out_leads_to_no_other_end(name: str, model: str) -> None:
    program = Program(parse_litmus(TEXTS[name]))
    whole, most = ends(MACHINES[model](program), "successors")
    reduced, fewer = ends(MACHINES[model](program), "reduced")
    assert reduced == whole
    assert whole and fewer <= most
