"""Shrinking: the same bug, in a run that is short and has few switches."""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.race.explore import Plan, explore
from cluster.race.run import (
    CLEAN,
    RACE,
    Control,
    Run,
    Scenario,
    Verdict,
    explore_once,
    run_once,
    schedule_of,
)
from cluster.race.scenario import load_scenario
from cluster.race.schedule import decode, segments_of
from cluster.race.shrink import Shrunk, Switched, _class_of, shrink
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import Watch, following

from .conftest import GUEST, PING_PONG, scenario_of

RACES = Path(__file__).resolve().parents[3] / "configs" / "races"
ROUNDS = PING_PONG.replace("import os\n", "import os\nimport sys\n", 1).replace(
    "pid = os.fork()", "rounds = int(sys.argv[1])\npid = os.fork()"
)
ROUNDS = ROUNDS.replace(
    """    os.read(r1, 1)
    os.write(w2, b"y")
""",
    """    for _ in range(rounds):
        os.read(r1, 1)
        os.write(w2, b"y")
""",
).replace(
    """os.write(w1, b"x")
os.read(r2, 1)
""",
    """for _ in range(rounds):
    os.write(w1, b"x")
    os.read(r2, 1)
""",
)

pytestmark = pytest.mark.usefixtures("followed")


@pytest.fixture
def ping_pong(tmp_path: Path) -> Scenario:
    """Two tasks that wake each other up, where who wakes takes no lock of the queue."""
    (tmp_path / "ping_pong.py").write_text(PING_PONG)
    return scenario_of(tmp_path / "ping_pong.py", 2, ("wake_up.lock",))


def without_lock(scenario: Scenario, name: str, cpus: int = 2) -> Scenario:
    return replace(scenario, spec=replace(scenario.spec, cpus=cpus, mutations=(name,)))


def failing(scenario: Scenario, first: int = 0) -> Run:
    for seed in range(first, first + 100):
        run, _watch = explore_once(scenario, STRATEGIES["random"], "random", Learned(), seed)
        if run.verdict.kind != CLEAN:
            return run
    raise AssertionError("no run fails")


def signature_of(shrunk: Shrunk) -> str:
    again = run_once(
        shrunk.scenario, Control(shrunk.scenario, None, shrunk.run.actors), watch=Watch()
    )
    assert again.digest == shrunk.run.digest
    return again.verdict.signature


def test_a_wait_without_its_lock_shrinks_to_few_segments_with_the_same_verdict(
    fork: Scenario,
) -> None:
    scenario = without_lock(fork, "do_wait.tasklist_lock")
    run = failing(scenario)
    shrunk = shrink(scenario, run)
    assert signature_of(shrunk) == run.verdict.signature
    assert shrunk.segments <= 5
    assert shrunk.segments <= shrunk.segments_before
    assert shrunk.preemptions <= 1
    assert shrunk.forced <= 1


def test_a_wake_up_without_its_lock_shrinks_to_few_segments_with_the_same_verdict(
    ping_pong: Scenario,
) -> None:
    run = failing(ping_pong)
    shrunk = shrink(ping_pong, run)
    assert signature_of(shrunk) == run.verdict.signature
    assert shrunk.segments <= 8
    assert shrunk.preemptions <= 3


def test_a_broken_invariant_keeps_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watch, "_compare", lambda *_accesses: None)  # it would find a data race
    program = GUEST / "race" / "fifo_opened_from_both_sides.py"
    scenario = scenario_of(program, 2, ("finish_wait.lock",))
    run = failing(scenario)
    shrunk = shrink(scenario, run, most_runs=40)
    assert shrunk.run.verdict.signature == run.verdict.signature
    assert "list.remove" in signature_of(shrunk)
    assert shrunk.segments < shrunk.segments_before


def test_cpus_that_the_bug_does_not_need_are_taken_away(fork: Scenario) -> None:
    scenario = without_lock(fork, "do_wait.tasklist_lock", cpus=4)
    shrunk = shrink(scenario, failing(scenario))
    assert shrunk.scenario.spec.cpus == 2
    assert shrunk.changes == ("cpus 4 -> 2",)


def test_rounds_that_the_bug_does_not_need_are_taken_away(tmp_path: Path) -> None:
    (tmp_path / "rounds.py").write_text(ROUNDS)
    scenario = scenario_of(tmp_path / "rounds.py", 2, ("wake_up.lock",))
    (spawn,) = scenario.spec.spawns
    spec = replace(scenario.spec, spawns=(replace(spawn, argv=(*spawn.argv, "3")),))
    scenario = replace(scenario, spec=spec)
    run = failing(scenario)
    shrunk = shrink(scenario, run)
    assert shrunk.scenario.spec.spawns[0].argv[-1] == "1"
    assert "argument 3 -> 1" in shrunk.changes
    kept = shrink(scenario, run, arguments=False, most_runs=20)
    assert kept.scenario.spec.spawns == spec.spawns


def test_the_same_run_shrinks_to_the_same_run(fork: Scenario) -> None:
    scenario = without_lock(fork, "do_wait.tasklist_lock")
    run = failing(scenario)
    one, two = shrink(scenario, run), shrink(scenario, run)
    assert one.run.actors == two.run.actors
    assert one.runs == two.runs


def test_the_shrunk_run_has_a_replay_string(fork: Scenario) -> None:
    scenario = without_lock(fork, "do_wait.tasklist_lock")
    shrunk = shrink(scenario, failing(scenario))
    text = schedule_of(shrunk.scenario, shrunk.run, b"code").encode()
    assert list(decode(text).actors()) == shrunk.run.actors
    assert len(decode(text).segments) == shrunk.segments


def test_no_more_runs_are_made_than_allowed(fork: Scenario) -> None:
    scenario = without_lock(fork, "do_wait.tasklist_lock", cpus=4)
    shrunk = shrink(scenario, failing(scenario), most_runs=5)
    assert shrunk.runs <= 7  # the first and the last are no search


def test_the_switches_of_a_run_make_it_again(ping_pong: Scenario) -> None:
    run = failing(ping_pong)
    followed = Switched(ping_pong, (), run.actors)
    run_once(ping_pong, followed, watch=Watch())
    again = run_once(ping_pong, Switched(ping_pong, followed.made), watch=Watch())
    assert again.actors == run.actors
    assert len(followed.made) < len(segments_of(run.actors))


def shrunk_scenario(name: str, seed: int) -> Shrunk:
    scenario = load_scenario(RACES / f"{name}.yaml").scenario
    bug = explore(Plan(scenario, "pos", seed=seed, runs=60)).bug
    assert bug is not None
    return shrink(scenario, bug)


def test_segments_of_one_task_become_one_where_what_lies_between_can_wait() -> None:
    shrunk = shrunk_scenario("nproc_of_two", 1)
    assert shrunk.segments <= 8
    assert shrunk.preemptions <= 2
    assert signature_of(shrunk) == shrunk.run.verdict.signature


def test_what_a_store_buffer_does_is_tried_with_who_goes_just_after_it() -> None:
    shrunk = shrunk_scenario("checked_twice", 398)
    assert shrunk.forced <= 2
    assert shrunk.segments <= 8


def test_a_clean_run_is_not_shrunk(fork: Scenario) -> None:
    run = run_once(fork, Control(fork, None), watch=Watch())
    with pytest.raises(ValueError, match="clean"):
        shrink(fork, run)


def test_a_race_met_in_the_other_order_is_of_the_same_class() -> None:
    one = Verdict(RACE, "Pipe.bufs: read in one(), write in two()")
    other = Verdict(RACE, "Pipe.bufs: read in two(), write in one()")
    third = Verdict(RACE, "Pipe.files: read in one(), write in two()")
    assert _class_of(one) == _class_of(other) != _class_of(third)


def test_a_long_run_of_a_bug_that_needs_one_switch_comes_down_to_one() -> None:
    scenario = scenario_of(
        GUEST / "race" / "fifo_opened_from_both_sides.py", 2, ("finish_wait.lock",)
    )
    with following():
        run, _watch = explore_once(scenario, STRATEGIES["random"], "random", Learned(), 1)
        shrunk = shrink(scenario, run, arguments=False)
    assert shrunk.segments_before > 20
    assert shrunk.segments <= 8
    assert shrunk.forced == 1
