"""Costs found again from numbers that were made with known ones."""

from dataclasses import replace

import pytest

from cluster.calibration.solve import check, solve
from cluster.calibration.steps import PROBES, STEPS, Numbers, Step
from kernel.costs import Costs

CALL = Step(("syscall_entry",), "call", "own")
FORK = Step(("copy_mm",), "fork", "inner")
TURN = Step(("context_switch", "try_to_wake_up"), "ring", "busy")


def machine(kind: str, costs: Costs) -> Numbers:
    """Stand for the emulator: sums of costs."""
    call = 100.0 + 2 * costs.syscall_entry
    inner = call + costs.copy_mm if kind == "fork" else 0.0
    turns = 2 * (costs.context_switch + costs.try_to_wake_up) if kind == "ring" else 0.0
    own = call + inner + turns
    if kind == "clock":
        own = inner = 50.0
    return Numbers(own, inner, own, own)


def host(costs: Costs, *speeds: float) -> list[dict[str, Numbers]]:
    """Return what a host of ``costs`` says in as many rounds, less the clock readings."""
    rounds = []
    for speed in speeds:
        numbers = {}
        for kind in ("clock", "call", "fork", "ring"):
            less = 50.0 if PROBES[kind].timed else 0.0
            numbers[kind] = Numbers(*((each - less) * speed for each in machine(kind, costs)))
        rounds.append(numbers)
    return rounds


def test_costs_are_found_again_though_later_ones_stand_on_earlier_ones() -> None:
    true = replace(Costs(), syscall_entry=333, copy_mm=77_000)
    costs, _ = solve(host(true, 1.0, 1.0, 1.0), machine, (FORK, CALL))
    assert costs.syscall_entry == pytest.approx(333, abs=1)
    assert costs.copy_mm == pytest.approx(77_000, rel=0.001)


def test_costs_that_make_one_number_together_keep_their_shares() -> None:
    true = replace(Costs(), context_switch=3_600, try_to_wake_up=2_100)
    costs, _ = solve(host(true, 1.0, 1.0, 1.0), machine, (TURN,))
    assert (costs.context_switch, costs.try_to_wake_up) == (3_600, 2_100)


def test_a_cost_that_would_be_less_than_nothing_is_nothing_and_says_so() -> None:
    true = replace(Costs(), syscall_entry=333)
    samples = [{**each, "call": Numbers(1.0, 0.0, 1.0, 1.0)} for each in host(true, 1.0)]
    costs, (found,) = solve(samples, machine, (CALL,))
    assert (costs.syscall_entry, found.bounded) == (0, True)


def test_a_cost_that_is_nothing_in_the_default_profile_can_be_found() -> None:
    def charged(kind: str, costs: Costs) -> Numbers:
        return Numbers(*(each + costs.reap for each in machine(kind, costs)))

    samples = [{"call": charged("call", replace(Costs(), reap=4_321))}]
    costs, _ = solve(samples, charged, (Step(("reap",), "call", "own"),))
    assert costs.reap == 4_321


def test_the_interval_of_a_cost_is_what_its_number_spans() -> None:
    true = replace(Costs(), copy_mm=100_000, syscall_entry=0)
    _, (found,) = solve(host(true, 0.9, 1.0, 1.2), machine, (FORK,))
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(30_000, rel=0.01)
    assert found.noisy


def test_a_step_whose_costs_have_no_part_in_its_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="tick: no part of the probe call"):
        solve(host(Costs(), 1.0), machine, (Step(("tick",), "call", "own"),))


def test_a_probe_that_the_host_cannot_run_leaves_its_costs_alone() -> None:
    costs, found = solve(host(Costs(), 1.0), machine, (Step(("ipi",), "apart", "trip"),))
    assert (costs.ipi, found) == (0, [])


def test_checks_tell_how_far_off_numbers_are_that_nothing_was_fitted_to() -> None:
    true = replace(Costs(), copy_mm=90_000)
    samples = host(true, 1.0)
    found = {each.step.probe: each for each in check(Costs(), samples, machine)}
    assert found["fork"].error == pytest.approx(-0.5, abs=0.01)


def test_a_cost_that_would_be_less_than_nothing_is_among_the_checks() -> None:
    samples = [{**each, "call": Numbers(1.0, 0.0, 1.0, 1.0)} for each in host(Costs(), 1.0)]
    costs, found = solve(samples, machine, (CALL,))
    (checked,) = (each for each in check(costs, samples, machine, found) if each.step == CALL)
    assert checked.error == pytest.approx(99.0)


def test_no_cost_goes_by_two_numbers() -> None:
    names = [name for step in STEPS for name in step.costs]
    assert len(names) == len(set(names))
