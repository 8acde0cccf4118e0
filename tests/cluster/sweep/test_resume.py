"""A sweep that was cut short and gone on with: only what misses runs, and the table is the same."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.run_lock import RunLock
from cluster.sweep import directory as sweep_directory
from cluster.sweep import measure

TABLE = "results.csv"


@pytest.fixture
def whole(sweep, newest):
    """The table of a sweep that nothing happened to."""
    sweep("--table", "csv")
    return (newest() / TABLE).read_bytes()


@pytest.fixture
def made(monkeypatch):
    """The indices of the points that run from here on, in this process."""
    indices = []
    run = measure.run_point

    def noted(task, *arguments, **options):
        indices.append(task.index)
        return run(task, *arguments, **options)

    monkeypatch.setattr(measure, "run_point", noted)
    return indices


def resume(sweep, *options, code=0):
    return sweep("--table", "csv", "--resume", "latest", *options, code=code)


def test_a_sweep_that_a_ctrl_c_cut_short_goes_on_to_the_same_table(
    sweep, newest, whole, made, monkeypatch
):
    with monkeypatch.context() as patched:
        set_down = sweep_directory.SweepDir.set_down

        def cut(self, result):
            set_down(self, result)
            if result["index"] == 2:
                raise KeyboardInterrupt

        patched.setattr(sweep_directory.SweepDir, "set_down", cut)
        err = sweep("--table", "csv", code=130).err
    path = newest()
    assert err.splitlines()[-1] == (
        f"smplab: interrupted: stopped by Ctrl-C; --resume {path} goes on"
    )
    assert not (path / TABLE).exists()
    assert json.loads((path / "sweep.json").read_text())["complete"] is False
    made.clear()
    assert "3 of 8 points are there" in resume(sweep).err
    assert made == [3, 4, 5, 6, 7]
    assert (path / TABLE).read_bytes() == whole
    manifest = json.loads((path / "sweep.json").read_text())
    assert (manifest["complete"], manifest["failed"]) == (True, 0)
    assert sorted(each.name for each in path.iterdir()) == ["points", TABLE, "sweep.json"]


KILLED = """
import os, signal, sys
from cluster.cli.main import run_command
from cluster.sweep.directory import SweepDir

set_down = SweepDir.set_down
left = int(sys.argv[1])

def killed(self, result):
    global left
    set_down(self, result)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    SweepDir.set_down = killed
    sys.exit(run_command(["sweep", "small.yaml", "--table", "csv", "--jobs", sys.argv[2]]))
"""


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_sweep_that_was_killed_goes_on_to_the_same_table(sweep, newest, whole, made, jobs):
    Path("killed.py").write_text(KILLED, "utf-8")
    root = Path(measure.__file__).resolve().parents[2]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r})\n"
            f"sys.argv = ['killed.py', '3', '{jobs}']\n"
            "import runpy; runpy.run_path('killed.py', run_name='__main__')",
        ],
        check=False,
        capture_output=True,
    )
    assert done.returncode == -9, done.stderr
    path = newest()
    there = {int(each.stem) for each in (path / "points").glob("*.json")}
    assert len(there) == 3
    resume(sweep)
    assert (path / TABLE).read_bytes() == whole
    assert set(made) == set(range(8)) - there
    assert not (path / "work").exists()


def test_a_sweep_that_is_complete_runs_nothing_again(sweep, newest, whole, made):
    before = resume(sweep).out
    assert made == []
    assert (newest() / TABLE).read_bytes() == whole
    assert resume(sweep).out == before


def test_a_disk_that_is_full_ends_a_sweep_and_what_there_is_can_be_gone_on_with(
    sweep, newest, whole, monkeypatch
):
    with monkeypatch.context() as patched:
        write = sweep_directory.write_atomically
        left = [4]

        def full(path, data):
            left[0] -= 1
            if not left[0]:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            write(path, data)

        patched.setattr(sweep_directory, "write_atomically", full)
        err = sweep("--table", "csv", code=75).err
    path = newest()
    assert err.splitlines()[-1] == (
        f"smplab: cannot write: {path}/points/00002.json: No space left on device; "
        f"--resume {path} goes on"
    )
    assert len(list((path / "points").iterdir())) == 2
    resume(sweep)
    assert (path / TABLE).read_bytes() == whole


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("small.yaml", "1..2\n  sched", "1..3\n  sched", "small.yaml has changed since"),
        ("base.yaml", "instances: 2", "instances: 3", "base.yaml has changed since"),
        ("work.py", "done", "made", "a program or another file that it names has changed since"),
    ],
)
def test_a_sweep_whose_experiment_has_changed_is_refused(sweep, whole, made, file, old, new, what):
    text = Path(file).read_text("utf-8")
    assert old in text
    Path(file).write_text(text.replace(old, new), "utf-8")
    err = resume(sweep, code=2).err
    assert err.startswith("smplab: no sweep: runs/")
    assert err.endswith(f" is of another experiment: {what}\n")
    assert made == []


def test_a_sweep_of_another_smplab_is_refused(sweep, whole, monkeypatch):
    monkeypatch.setattr(sweep_directory, "code_digest", lambda: "another")
    assert "was begun by another smplab" in resume(sweep, code=2).err


def test_a_program_that_changes_while_the_sweep_runs_ends_it(sweep, monkeypatch):
    set_down = sweep_directory.SweepDir.set_down

    def change(self, result):
        set_down(self, result)
        Path("work.py").write_text("print('other 1')\n", "utf-8")

    monkeypatch.setattr(sweep_directory.SweepDir, "set_down", change)
    assert "a file that the experiment names was changed while it ran" in sweep(code=2).err


def test_a_result_that_is_damaged_is_named(sweep, newest, whole, made):
    path = newest() / "points" / "00003.json"
    path.write_bytes(path.read_bytes()[:20])
    err = resume(sweep, code=2).err
    assert f"{path} is damaged: " in err
    assert err.endswith("(remove it to have the point run again)\n")
    path.write_text("{}")
    assert f"{path} is damaged: remove it to have the point run again" in (
        resume(sweep, code=2).err
    )
    path.unlink()
    resume(sweep)
    assert made == [3]


def test_a_sweep_that_another_process_writes_is_left_alone(sweep, newest, whole):
    with RunLock(newest()):
        assert "is being written by process" in resume(sweep, code=75).err


def test_what_is_no_directory_of_a_sweep_is_refused(sweep):
    assert sweep("--resume", "nothing", code=2).err == (
        "smplab: no sweep: nothing is no directory\n"
    )
    Path("empty").mkdir()
    assert sweep("--resume", "empty", code=2).err == (
        "smplab: no sweep: empty is no directory of a sweep: it has no sweep.json\n"
    )
    assert "there is no latest sweep" in sweep("--resume", "latest", code=2).err
    (Path("empty") / "sweep.json").write_text("[")
    assert "empty/sweep.json is damaged" in sweep("--resume", "empty", code=2).err


def test_a_point_that_failed_is_kept_and_one_whose_workers_died_runs_again(
    sweep, newest, whole, made
):
    points = newest() / "points"
    for index, extra in ((1, {}), (2, {"lost": True})):
        path = points / f"{index:05d}.json"
        data = json.loads(path.read_text())
        path.write_text(json.dumps({**data, "measures": {}, "error": "x", **extra}))
    resume(sweep, code=1)
    assert made == [2]
