"""Any mutation is looked for in every program that passes its point."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from cluster.cli.main import run_command as main
from cluster.race.hunt import Hunter, _Passing, _turns, models_of, points_of
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
FILES_OF_PIPES = [path for path in race_programs() if path.name == "write_against_close.yaml"]


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


def test_a_program_is_run_on_every_machine_before_it_has_more_runs_on_one() -> None:
    programs = [_Passing(path, load_scenario(path)) for path in FILES[:2]]
    first = list(islice(_turns(programs, ("tso", "sc")), 24))
    machines = [(one.path, cpus, model) for one, cpus, model, _ in first[:12]]
    assert len(set(machines)) == 12
    assert len({(one.path, number) for one, _, _, number in first}) == 24


def test_the_likeliest_programs_have_more_runs_and_all_have_some() -> None:
    loaded = load_scenario(FILES[0])
    programs = [_Passing(Path(f"{number:03}.py"), loaded) for number in range(100)]
    runs = Counter(one.path.stem for one, *_ in islice(_turns(programs, ("sc",)), 400))
    assert len(runs) == 100
    assert runs["000"] > 5 * runs["099"]


def test_who_shares_what_a_point_is_about_is_tried_first() -> None:
    names, point = ("cow_of_two_threads.yaml", "wake_against_sleep.yaml"), "put_files_struct.count"
    files = [path for path in race_programs() if path.name in names]
    with following():
        threads, processes = Hunter(files).passing((point,))
    assert (threads.path.name, processes.path.name) == names
    assert point in threads.shared and point not in processes.shared
    threads.steps, processes.steps = 9, 1
    assert threads.missing((point,)) < processes.missing((point,))
    processes.about = frozenset((point,))
    assert processes.missing((point,)) < threads.missing((point,))


def test_a_program_is_about_the_points_of_all_its_scenarios() -> None:
    files = [path for path in race_programs() if path.stem in ("lost_wakeup", "futex_waiters")]
    assert points_of(parse("swap:a.b:c.d@f")) == ("a.b", "c.d")
    about = frozenset[str]().union(*(one.about for one in Hunter(files)._programs()))
    assert {"smp_barrier.smp_mb", "futex_hb_waiters_pending.smp_mb"} <= about


def test_who_comes_to_the_callers_is_tried_where_nobody_comes_to_the_function() -> None:
    files = [path for path in race_programs() if path.name == "ptrace_two_tracers.py"]
    with following():
        (one,) = Hunter(files).passing(("cred_guard_mutex.schedule",))
    assert "ptrace_attach.tasklist_lock" in one.points


def test_who_comes_to_the_function_may_pass_a_point_that_nobody_was_seen_to_pass() -> None:
    point = "pipe_write.mutex_relock"
    with following():
        programs = Hunter(FILES_OF_PIPES).passing((point,))
    assert programs and not any(point in one.points for one in programs)


def test_the_command_finds_any_mutation_and_tells_how_to_see_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["race", "mutants", "--only", "drop:msgsnd.lock", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["mutation"], row["result"]) == ("drop:msgsnd.lock", "found")
    assert row["bug"]["command"].startswith("smplab race replay smp1.")
    assert main(["race", "mutants", "--only", "drop:complete_all.lock"]) == 0
    assert "cannot matter: a kernel thread" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--jobs", "2"], "--jobs: about"),
        (["--more", "3", "--keep", "rows"], "--more, --keep: about"),
        (["--table", "--into", "docs/races.md"], "--table, --into: about"),
    ],
)
def test_what_is_about_scenarios_only_is_refused_for_other_mutations(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["race", "mutants", "--only", "drop:msgsnd.lock", *options]) == 2
    error = capsys.readouterr().err
    assert told in error and len(error.splitlines()) == 1


def test_a_mutation_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["race", "mutants", "--only", "weaken:do_wait.schedule"]) == 2
    assert "--only: 'weaken:do_wait.schedule'" in capsys.readouterr().err
