"""Any mutation is looked for in every program that passes its point."""

import json
from itertools import islice

import pytest

from cluster.cli.main import run_command as main
from cluster.race.hunt import Hunter, _Passing, _turns, models_of
from cluster.race.idle import IDLE, UNREACHED, reason, reasons
from cluster.race.scenario import load_scenario
from cluster.race.shipped import race_programs
from cluster.race.watch import following
from kernel.drive.mutations import parse

FILES = [
    path
    for path in race_programs()
    if path.name in ("wake_against_sleep.yaml", "forks_at_once.yaml", "setpgid_by_both.py")
]


def test_a_mutation_is_found_in_a_program_that_nobody_named() -> None:
    with following():
        done = Hunter(FILES).hunt("weaken:setpgid.tasklist_lock:shared")
    assert done.told == "found" and done.shown is not None
    assert done.shown.path.name == "setpgid_by_both.py"
    assert done.shown.loaded.scenario.spec.mutations == ("weaken:setpgid.tasklist_lock:shared",)


def test_what_no_program_passes_is_told_as_such() -> None:
    with following():
        done = Hunter(FILES).hunt("drop:msgsnd.lock")
    assert (done.told, done.runs, done.programs) == ("not passed", 0, [])


def test_runs_end_a_hunt_and_it_is_the_same_again() -> None:
    with following():
        one, other = (Hunter(FILES).hunt("drop:try_to_wake_up.select_task_rq", 9) for _ in range(2))
    assert (one.told, one.runs, one.finished) == ("not found", 9, True)
    assert one == other


def test_what_cannot_matter_is_not_looked_for() -> None:
    with following():
        done = Hunter(FILES).hunt("drop:complete_all.lock")
    assert done.told == "cannot matter" and done.reason and not done.runs


def test_every_reason_is_of_a_mutation_that_there_is() -> None:
    for text in IDLE:
        assert reason(parse(text)) == IDLE[text]
        assert (text, IDLE[text]) in reasons(parse(text).place.point)


def test_what_is_done_to_a_point_that_nothing_comes_to_cannot_matter() -> None:
    for name, why in UNREACHED.items():
        assert reason(parse(f"drop:{name}")) == reason(parse(f"weaken:{name}:plain")) == why
        assert reasons(name) == [(name, why)]


def test_what_memory_orders_is_looked_for_under_every_memory_model() -> None:
    assert models_of(parse("do_wait.tasklist_lock")) == ("sc",)
    assert models_of(parse("set_task_state.smp_mb")) == ("weak", "arm", "pso", "tso", "sc")
    assert "sc" not in models_of(parse("weaken:do_wait.tasklist_lock:plain"))


def test_interrupts_that_stay_on_are_found_where_an_interrupt_may_wait_and_nowhere_else() -> None:
    with following():
        hunter = Hunter(FILES)
        assert hunter.hunt("weaken:wake_up_new_task.pi_lock:irq", 50).told == "found"
        for point in ("setpgid.tasklist_lock", "do_notify_parent.siglock"):
            assert hunter.hunt(f"weaken:{point}:irq").told == "cannot matter"


def test_each_program_has_a_run_on_every_machine_before_any_has_more() -> None:
    programs = [_Passing(path, load_scenario(path)) for path in FILES[:2]]
    first = list(islice(_turns(programs, ("tso", "sc")), 24))
    machines = [(one.path, cpus, model) for one, cpus, model, _ in first[:12]]
    assert len(set(machines)) == 12
    assert len({(one.path, number) for one, _, _, number in first}) == 24


def test_the_command_finds_any_mutation_and_tells_how_to_see_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["race", "mutants", "--only", "drop:msgsnd.lock", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["mutation"], row["result"]) == ("drop:msgsnd.lock", "found")
    assert row["bug"]["command"].startswith("smplab race replay smp1.")
    assert main(["race", "mutants", "--only", "drop:complete_all.lock"]) == 0
    assert "cannot matter: a kernel thread" in capsys.readouterr().out


def test_a_mutation_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["race", "mutants", "--only", "weaken:do_wait.schedule"]) == 2
    assert "--only: 'weaken:do_wait.schedule'" in capsys.readouterr().err
