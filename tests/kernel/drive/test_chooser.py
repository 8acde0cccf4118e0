"""Who goes next: choosers from inside and outside, and a schedule as the list of their answers."""

import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.build import guest_spec
from cluster.config.errors import ConfigError
from cluster.config.load import parse_config
from cluster.driver_parts import PartError, load_part
from cluster.engine_api import DONE, INVARIANT, RunRequest
from cluster.local_engine import LocalRun
from kernel.drive.chooser import (
    InOrder,
    RandomHoldUps,
    Recording,
    Replaying,
    make_chooser,
    register_chooser,
)
from kernel.errors import ScheduleDiverged

GUEST = Path(__file__).resolve().parents[2] / "guest"
PROGRAM = "race/two_waiters_one_zombie_at_once.py"


def machine(tie_break="random", seed=1, program=PROGRAM, cpus=3):
    spec = guest_spec(
        GUEST / program, [], cpus=cpus, granularity="step", tie_break=tie_break, seed=seed
    )
    return LocalRun(RunRequest(spec, scheme="exact", max_virtual_ns=10_000_000_000))


def entry(name, cpu, now_ns=5):
    return SimpleNamespace(op=(name, 0, None), cpu=cpu, now_ns=now_ns, serial=cpu, task=None)


class LastFirst(InOrder):
    """A toy from outside: of all that can go, what virtual time would take last."""

    passed_over = 0

    def choose(self, enabled):
        LastFirst.passed_over += len(enabled) - 1
        return len(enabled) - 1


register_chooser("last-first", LastFirst)


def test_a_chooser_from_outside_decides_who_goes():
    LastFirst.passed_over = 0
    result = machine("last-first", program="fork/binary_tree.py", cpus=4).run()
    assert (result.exit_kind, result.statuses[0][2]) == (DONE, 0)
    assert LastFirst.passed_over > 0
    assert result.digest != machine("order", program="fork/binary_tree.py", cpus=4).run().digest


def test_whoever_is_passed_over_goes_on_later_and_virtual_time_never_runs_backwards():
    seen = []

    class Watching(LastFirst):
        def choose(self, enabled):
            assert [one.now_ns for one in enabled] == sorted(one.now_ns for one in enabled)
            place = super().choose(enabled)
            seen.append(enabled[place].now_ns)
            return place

    run = machine()
    run.host.kernel.chooser = Watching()
    assert run.run().exit_kind == DONE
    assert seen == sorted(seen)


def test_paths_are_chosen_by_what_they_are_about_to_do():
    names = set()

    class Reading(InOrder):
        def choose(self, enabled):
            names.update(one.op[0] for one in enabled)
            return 0

    run = machine()
    run.host.kernel.chooser = Reading()
    assert run.run().exit_kind == DONE
    assert {"enter", "do_wait.tasklist_lock", "set_task_state.store"} <= names


@pytest.mark.parametrize("seed", range(5))
def test_answers_that_are_given_again_make_the_same_run(seed):
    first = machine(seed=seed)
    recording = first.host.kernel.chooser = Recording(first.host.kernel.chooser)
    digest = first.run().digest
    assert recording.answers
    again = machine("order", seed=seed)
    replaying = again.host.kernel.chooser = Replaying(recording.answers)
    assert again.run().digest == digest
    replaying.finish()


def test_a_schedule_of_another_run_is_an_error_that_says_where():
    first = machine(seed=1)
    recording = first.host.kernel.chooser = Recording(first.host.kernel.chooser)
    first.run()
    again = machine("order", program="fork/binary_tree.py", cpus=4)
    again.host.kernel.chooser = Replaying(recording.answers[:1000])
    result = again.run()
    assert result.exit_kind == INVARIANT
    assert "the schedule diverges after " in result.message


def test_divergence_tells_the_step_the_answer_and_what_could_go():
    two = [entry("do_wait.tasklist_lock", 0), entry("enter", 1, 9)]
    replaying = Replaying([1, 7, 2])
    replaying.begin(0)
    assert replaying.choose(two) == 1
    assert replaying.choose(two[:1]) == 0  # nothing to choose, and nothing was noted
    with pytest.raises(ScheduleDiverged) as diverged:
        replaying.choose(two)
    assert str(diverged.value) == (
        "the schedule diverges after do_wait.tasklist_lock on cpu 0 at 5 ns: answer 1 is 7, and "
        "the run asks for one of 2 (do_wait.tasklist_lock on cpu 0, enter on cpu 1 can go)"
    )
    assert replaying.number(8) == 7
    with pytest.raises(ScheduleDiverged, match="the run is over, and 1 of 3 answers are left"):
        replaying.finish()
    assert replaying.number(8) == 2
    with pytest.raises(ScheduleDiverged, match="it has 3 answers, and the run goes on"):
        replaying.number(8)


def test_random_numbers_belong_to_the_seed_and_stay_below_their_bound():
    drawn = []
    for seed in (1, 1, 2):
        chooser = RandomHoldUps()
        chooser.begin(seed)
        drawn.append([chooser.number(10) for _ in range(100)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == set(range(10))


class Wrong(InOrder):
    def choose(self, enabled):
        return len(enabled)


def test_a_chooser_that_answers_nonsense_ends_the_run():
    run = machine()
    run.host.kernel.chooser = Wrong()
    result = run.run()
    assert (result.exit_kind, result.message.split(",")[0]) == (INVARIANT, "the chooser answers 1")


# -- by name ---------------------------------------------------------------------------------------

FILE = """
from kernel.drive.chooser import InOrder

class Mine(InOrder):
    def number(self, bound):
        return bound - 1  # as none of the kernel's does every time
"""


def config_errors(folder, tie_break, granularity="step"):
    text = f"""\
        granularity: {granularity}
        sync:
          tie_break: {tie_break}
        workloads:
          - program: fork_exec_storm
        """
    try:
        parse_config("c.yaml", textwrap.dedent(text), folder)
    except ConfigError as error:
        return "\n".join(map(str, error.problems))
    return ""


def test_a_file_names_a_chooser_of_its_own(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    assert config_errors(tmp_path, "mine.py:Mine") == ""
    name = f"{tmp_path / 'mine.py'}:Mine"
    assert [make_chooser(name).number(bound) for bound in (5, 9)] == [4, 8]
    assert machine(name).run().exit_kind == DONE


def test_a_chooser_that_is_not_there_is_refused_at_its_place(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    assert "other.py: No such file" in config_errors(tmp_path, "other.py:Mine")
    assert "mine.py: there is no Yours in it" in config_errors(tmp_path, "mine.py:Yours")
    assert "must be one of order, random, or FILE.py:CLASS" in config_errors(tmp_path, "nobody")
    found = config_errors(tmp_path, "mine.py:Mine", "syscall")
    assert "c.yaml:3:14" in found and "is for granularity step" in found


def test_an_installed_chooser_is_found_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "outside_chooser.py").write_text(FILE)
    info = tmp_path / "outside_chooser-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-chooser\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[smplab.choosers]\noutside = outside_chooser:Mine\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert config_errors(tmp_path, "outside") == ""
    assert [make_chooser("outside").number(bound) for bound in (5, 9)] == [4, 8]
    with pytest.raises(PartError, match="there is no chooser 'inside'"):
        load_part("tie_break", "inside")


def test_one_name_stands_for_one_chooser():
    with pytest.raises(ValueError, match="the name 'order' stands for another chooser"):
        register_chooser("order", LastFirst)
    with pytest.raises(ValueError, match="there is no chooser 'none'"):
        make_chooser("none")
