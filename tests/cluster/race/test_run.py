"""Controlled runs: who takes each step, how a run ends, and that it can be made again anywhere."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.race.run import (
    CLEAN,
    ENDLESS,
    OUTCOME,
    RACE,
    Control,
    Diverged,
    Expected,
    Run,
    Scenario,
    config_hash,
    run_once,
    scenario_hash,
    schedule_of,
)
from cluster.race.schedule import decode, digests_of, segments_of
from cluster.race.strategies import Learned, RandomWalk
from cluster.race.watch import Watch, following
from tests.cluster.race.conftest import FORK

ROOT = Path(__file__).resolve().parents[3]

# What a run shows, made in a process of its own: prints verdicts, signatures, strings and digests
ELSEWHERE = """
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from cluster.race.run import Control, run_once, schedule_of
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import Watch, following
from tests.cluster.race.conftest import scenario_of

for mutations in ((), ("exit_notify.tasklist_lock",)):
    scenario = scenario_of(Path(sys.argv[1]), 2, mutations)
    scenario = replace(scenario, fair_after=500, most_steps=1500)
    with following():
        for seed, (name, make) in enumerate(STRATEGIES.items()):
            watch = Watch(keep=True)
            control = Control(scenario, make(Random(seed), Learned()))
            run = run_once(scenario, control, seed=seed, strategy=name, watch=watch)
            print(name, run.verdict, run.digest, schedule_of(scenario, run, b"code").encode())
            print([(s.name, [(watch.labels.get(k[0]), k[1], m) for k, m in s.footprint.items()])
                   for s in watch.steps])
"""


def random_run(scenario: Scenario, seed: int, watch: Watch | None = None) -> Run:
    """Run a scenario once, at random."""
    control = Control(scenario, RandomWalk(Random(seed), Learned()))
    return run_once(scenario, control, seed=seed, watch=watch)


def again(scenario: Scenario, text: str, watch: Watch | None = None) -> Run:
    """Replay a string."""
    control = Control(scenario, None, list(decode(text).actors()))
    return run_once(scenario, control, watch=watch)


# -- replays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_string_gives_the_same_run_again_watched_or_not(fork: Scenario, seed: int) -> None:
    with following():
        run = random_run(fork, seed, Watch())
        text = schedule_of(fork, run, b"code").encode()
        watched = again(fork, text, Watch(keep=True))
    plain = again(fork, text)
    assert run.verdict.kind == CLEAN
    for other in (watched, plain):
        assert (other.digest, other.names, other.actors) == (run.digest, run.names, run.actors)
    assert decode(text).digests == digests_of(plain.names)


def test_runs_of_other_seeds_are_others_and_of_the_same_seed_the_same(fork: Scenario) -> None:
    digests = [random_run(fork, seed).digest for seed in (1, 2, 3, 1, 2, 3)]
    assert digests[:3] == digests[3:]
    assert len(set(digests)) == 3


@pytest.mark.slow
def test_runs_reports_and_labels_are_the_same_in_processes_with_other_hash_seeds(
    tmp_path: Path,
) -> None:
    program = tmp_path / "fork.py"
    program.write_text(FORK)
    found = set()
    for hash_seed in ("0", "1", "4711"):
        made = subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(program)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(made.stdout)
    (text,) = found
    assert "clean" in text
    assert " at 0x" not in text


def test_a_replay_that_cannot_go_on_as_the_run_did_says_at_which_step(fork: Scenario) -> None:
    actors = random_run(fork, 1).actors
    with pytest.raises(Diverged, match=r"^step 11: 77 cannot go \(can: "):
        run_once(fork, Control(fork, None, [*actors[:10], 77]), watch=None)


def test_what_cannot_go_is_left_out_where_that_is_allowed(fork: Scenario) -> None:
    actors = random_run(fork, 1).actors
    control = Control(fork, None, [*actors[:10], 77, *actors[10:]], strict=False)
    assert run_once(fork, control, watch=None).actors == actors


def test_behind_the_prefix_whoever_went_last_goes_on(fork: Scenario) -> None:
    run = run_once(fork, Control(fork, None), watch=None)
    assert run.verdict.kind == CLEAN
    assert len(segments_of(run.actors)) < len(segments_of(random_run(fork, 1).actors))


# -- verdicts --------------------------------------------------------------------------------------


def test_a_run_that_takes_too_many_steps_is_endless(fork: Scenario) -> None:
    run = random_run(replace(fork, most_steps=50), 1)
    assert (run.verdict.kind, run.verdict.signature) == (ENDLESS, ENDLESS)
    assert len(run.actors) == 51


def test_after_so_many_steps_everybody_goes_on_in_turn(fork: Scenario) -> None:
    class Never:
        """Would let one actor go for ever."""

        def pick(self, enabled: object) -> int:
            """See ``Strategy.pick``."""
            raise AssertionError("nobody asks it")

    control = Control(replace(fork, fair_after=0), Never())
    run = run_once(fork, control, watch=None)
    assert run.verdict.kind == CLEAN
    assert run.choices > 0


def test_a_wait_status_that_was_not_expected_is_told(fork: Scenario) -> None:
    expected = Expected(statuses=(("fork.py", 256),))
    verdict = random_run(replace(fork, expected=expected), 1).verdict
    assert verdict.kind == OUTCOME
    assert verdict.text == "fork.py ends with exit status 0, and must with exit status 1"
    assert verdict.signature == "fork.py ends with exit status N, and must with exit status N"


def test_an_output_that_was_not_expected_is_told(fork: Scenario) -> None:
    expected = Expected(outputs=(("fork.py.stdout", b"x"),))
    verdict = random_run(replace(fork, expected=expected), 1).verdict
    assert (verdict.kind, verdict.signature) == (OUTCOME, "fork.py.stdout is another")


def test_a_data_race_has_the_same_signature_whoever_meets_it_first(fork: Scenario) -> None:
    spec = replace(fork.spec, mutations=("exit_notify.tasklist_lock", "do_wait.tasklist_lock"))
    scenario = replace(fork, spec=spec)
    with following():
        verdicts = [random_run(scenario, seed, Watch()).verdict for seed in range(60)]
    races = [verdict for verdict in verdicts if verdict.kind == RACE]
    assert races
    for verdict in races:
        assert not any(letter.isdigit() for letter in verdict.signature)
        assert verdict.text.count("step ") == 2


# -- hashes ----------------------------------------------------------------------------------------


def test_hashes_tell_scenarios_and_machines_apart(fork: Scenario) -> None:
    other_machine = replace(fork, spec=replace(fork.spec, cpus=3))
    other_kernel = replace(fork, spec=replace(fork.spec, mutations=("do_wait.tasklist_lock",)))
    assert scenario_hash(fork) == scenario_hash(other_machine) != scenario_hash(other_kernel)
    assert config_hash(fork) == config_hash(other_kernel) != config_hash(other_machine)
