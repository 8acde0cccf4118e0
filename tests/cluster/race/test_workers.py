"""Who makes runs: several processes, tasks of Ray; workers that die; Ctrl-C; audits."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cluster import fast_core
from cluster.cli.main import run_command as main
from cluster.race.again import UNWATCHED, read_record, record_of, replay_unwatched
from cluster.race.audit import audit
from cluster.race.explore import Plan, explore
from cluster.race.run import CLEAN, RACE, Control, Diverged, Scenario, run_once
from cluster.race.watch import Watch
from cluster.race.workers import Here, Processes, WorkerLost

WAIT = str(Path(__file__).parents[3] / "configs" / "races" / "wait_against_exit.yaml")
FOREVER = ("race", "run", WAIT, "--unmutated", "--runs", "1000000")


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["race", "run", WAIT, "--json", *arguments]) == 1
    return json.loads(capsys.readouterr().out)


def twice(given: int, item: int) -> int:
    return given * item


def die_once(folder: str, item: int) -> int:
    """Make an item; the process that first comes to item 3 dies at it."""
    if item == 3:
        try:
            (Path(folder) / "died").touch(exist_ok=False)
        except FileExistsError:
            return item
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_results_come_in_the_order_of_the_items_whoever_makes_them() -> None:
    items = range(20)
    alone = list(Here().results(twice, (3,), items))
    assert list(Processes(2).results(twice, (3,), items)) == alone == [3 * item for item in items]


def test_what_a_dead_worker_was_at_is_made_again_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    results = Processes(1, told.append).results(die_once, (str(tmp_path),), range(6))
    assert list(results) == list(range(6))
    assert told == ["a worker process died; what it was at is made again"]


def test_workers_that_die_again_and_again_end_it() -> None:
    with pytest.raises(WorkerLost, match="4 worker processes died"):
        list(Processes(1).results(die, (), range(2)))


def process_of(_item: int) -> int:
    return os.getpid()


def test_processes_that_are_kept_serve_the_next_call_unless_it_is_about_something_else() -> None:
    processes, given = Processes(1), ()
    with processes.kept():
        one, two = (list(processes.results(process_of, given, range(1))) for _ in range(2))
        assert one == two
        assert list(processes.results(twice, (2,), range(2))) == [0, 2]
    assert list(processes.results(process_of, given, range(1))) != one


def test_a_kept_process_that_dies_between_two_calls_is_told() -> None:
    told: list[str] = []
    processes, given = Processes(1, told.append), ()
    with processes.kept():
        (one,) = processes.results(process_of, given, range(1))
        os.kill(one, signal.SIGKILL)
        assert list(processes.results(process_of, given, range(1))) != [one]
    assert told == ["a worker process died; what it was at is made again"]


def test_whoever_needs_no_more_results_ends_the_workers() -> None:
    with closing(Processes(1).results(twice, (1,), iter(range(10**9)))) as results:
        assert next(results) == 0


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_signal_ends_the_runs_and_what_was_found_is_told(
    number: int, code: int, jobs: str, tmp_path: Path
) -> None:
    begun = f"""
import sys
from cluster.entry import main
from cluster.race import explore
add = explore.Found.add
def tell(self, outcome):
    add(self, outcome)
    if self.runs == 20:
        print("begun", file=sys.stderr, flush=True)
explore.Found.add = tell
sys.argv[1:] = {[*FOREVER, "--jobs", jobs]!r}
main()
"""
    with subprocess.Popen(
        [sys.executable, "-c", begun], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "begun\n"
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == code, err
    runs = re.search(r"^([0-9,]+) runs of portfolio", out, re.MULTILINE)
    assert runs is not None and int(runs[1].replace(",", "")) >= 20
    assert "stopped before all runs were made" in out
    assert err.startswith("smplab: interrupted: stopped by ")


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_tasks_of_ray_make_the_runs_that_this_process_makes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ("--keep-going", "--runs", "25")
    here = found(capsys, *arguments)
    assert found(capsys, *arguments, "--engine", "ray", "--jobs", "2") == here
    text = here["bug"]["replay"]
    ends = []
    for engine in ("local", "ray"):
        command = ["race", "replay", text, WAIT, "--times", "12", "--json", "--engine", engine]
        assert main([*command, "--jobs", "2"]) == 1
        ends.append(json.loads(capsys.readouterr().out))
    assert ends[0] == ends[1]
    assert len(ends[0]["endings"]) == 1


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_what_a_dead_worker_of_ray_was_at_is_made_again_and_told(tmp_path: Path) -> None:
    from cluster.race.ray_workers import OnRay

    told: list[str] = []
    results = OnRay(1, told.append).results(die_once, (str(tmp_path),), range(6))
    assert list(results) == list(range(6))
    assert told[0] == "Ray starts; that takes some ten seconds"
    assert len(told) == 2 and "a worker of Ray died" in told[1]


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_one_ray_serves_all_calls_while_it_is_kept() -> None:
    from cluster.race.ray_workers import OnRay

    told: list[str] = []
    ray = OnRay(1, told.append)
    with ray.kept():
        ids = [*ray.results(process_of, (), range(2)), *ray.results(process_of, (), range(2))]
    assert len(told) == 1 and len(ids) == 4


@pytest.fixture
def audited(fork: Scenario, followed: None) -> Iterator[tuple[Plan, object]]:
    plan = Plan(fork, runs=20, stop=False, audit=5)
    yield plan, explore(plan)


def test_every_nth_run_is_the_same_under_other_hashes_and_on_the_compiled_core(audited) -> None:
    plan, made = audited
    assert [sample.number for sample in made.samples] == [0, 5, 10, 15]
    differences, compiled = audit(plan, made.learned, made.samples)
    assert differences == []
    assert compiled == (fast_core.find() is not None)


def test_an_audit_tells_what_is_not_the_same(audited) -> None:
    plan, made = audited
    from dataclasses import replace

    samples = [replace(made.samples[1], digest="sha256:0"), replace(made.samples[2], trace=7)]
    differences, _compiled = audit(plan, made.learned, samples)
    assert differences[:2] == [
        "run 6: under other hashes of strings, other digest",
        "run 11: under other hashes of strings, other trace",
    ]


def test_a_replay_without_a_watch_has_the_digest_of_the_run(fork: Scenario, followed: None) -> None:
    run = run_once(fork, Control(fork, None), watch=Watch())
    again, _control = replay_unwatched(fork, record_of(fork, run, b"code"))
    assert (again.verdict.kind, again.digest) == (CLEAN, run.digest)


def test_a_replay_without_a_watch_ends_where_a_data_race_ended_the_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cluster.race.scenario import load_scenario

    saved = str(tmp_path / "bug.json")
    found(capsys, "--save", saved)
    scenario = load_scenario(Path(WAIT)).scenario
    record = read_record(saved)
    assert record.signature.startswith(("SignalStruct.", "TaskStruct."))
    again, control = replay_unwatched(scenario, record)
    assert again.verdict.kind == UNWATCHED
    assert (again.digest, len(control.actors)) == (record.digest, len(record.steps))
    record.digest = "sha256:0"
    with pytest.raises(Diverged, match="another digest"):
        replay_unwatched(scenario, record)


@pytest.mark.skipif(fast_core.find() is None, reason="there is no compiled core")
def test_a_replay_on_the_compiled_core_has_the_same_digest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved = str(tmp_path / "bug.json")
    assert found(capsys, "--save", saved)["bug"]["kind"] == RACE
    record = read_record(saved)
    done = subprocess.run(
        [sys.executable, "-m", "cluster.entry", "race", "replay", saved, WAIT],
        env={**os.environ, fast_core.VARIABLE: "compiled", "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    steps = len(record.steps)
    assert f"the same {steps} steps: unwatched, digest {record.digest}" in done.stdout
