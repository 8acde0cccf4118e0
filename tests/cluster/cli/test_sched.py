"""smplab sched: which runs and options it takes, and what it says of others."""

from pathlib import Path

import pytest

from cluster.cli.main import run_command

COMMANDS = ("latency", "timehist", "map", "stats", "wasted")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "prog.py").write_text("import time\ntime.sleep(0.01)\n")
    (folder / "c.yaml").write_text("machine: {cpus: 2}\nworkloads: [{program: ./prog.py}]\n")
    out = folder / "runs"
    assert run_command(["run", "-q", "--out", str(out), str(folder / "c.yaml")]) == 0
    (found,) = (path for path in out.iterdir() if path.is_dir())
    return found


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = run_command(["sched", *words])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_traced_run_is_told_in_one_line(
    command: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = refusal([command, str(tmp_path)], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "is no run directory: it has no manifest.json" in err
    (tmp_path / "manifest.json").write_bytes((run / "manifest.json").read_bytes())
    code, err = refusal([command, str(tmp_path)], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("smplab: no trace: ")
    (tmp_path / "trace.smpt").write_text("nonsense")
    code, err = refusal([command, str(tmp_path)], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("smplab: bad trace: ")
    code, err = refusal([command, str(tmp_path / "nowhere")], capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("smplab: no trace: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_trace_that_was_cut_is_read_up_to_there_with_a_note(
    command: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (run / "trace.smpt").read_bytes()
    cut = tmp_path / "cut.smpt"
    cut.write_bytes(whole[:-40])
    code, err = refusal([command, str(cut)], capsys)
    assert (code, err) == (
        0,
        "smplab: note: this trace has no end: its run was stopped, or it was cut\n",
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["latency", "--sort", "size"],
            "--sort: no key 'size'; there are avg, max, switch, runtime",
        ),
        (["latency", "-C", "x"], "--cpu: no list of numbers: 'x' (write 0,2-5)"),
        (["timehist", "--pid", "5-3"], "--pid: no list of numbers: '5-3' (write 0,2-5)"),
        (["timehist", "--time", "5ms"], "--time: write A,B or A, or ,B (got '5ms')"),
        (["timehist", "--time", "5ms,1ms"], "--time: 5ms is not before 1ms"),
        (["map", "--cpus", "0,2"], "--cpus 2: the machine had CPUs 0 to 1"),
        (["stats", "--window", "0"], "--window: must be longer than 0"),
    ],
)
def test_an_option_that_says_nothing_is_refused(
    words: list[str], line: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = refusal([words[0], str(run), *words[1:]], capsys)
    assert code == 2
    assert err.split(": ", 2)[2] == f"{line}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_everything_can_be_had_as_json(
    command: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    assert run_command(["sched", command, str(run), "--json"]) == 0
    values = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert values
    assert all(isinstance(value, dict) for value in values)


def test_summary_of_a_part_of_time_is_no_longer_than_that(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sched", "timehist", str(run), "-s", "--time", "1ms,3ms"]
    assert run_command(words) == 0
    assert "Total scheduling time (msec):  2.000  (x 2)" in capsys.readouterr().out
