"""Recorded runs replay to the same digest: every scheme, granularity and engine; damage is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.cli.main import run_command
from cluster.engine_api import (
    BROKEN,
    DEADLOCK,
    DONE,
    INTERRUPTED,
    INVARIANT,
    LIMIT,
    RunRequest,
    RunResult,
)
from cluster.exit_codes import FAILED, OK, USAGE
from cluster.local_engine import LocalRun, run_local
from cluster.replay import replay
from cluster.request import request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import Numbers, OrderLogError, RecordedOrder, put, put_signed
from kernel.costs import Costs
from kernel.errors import InvariantError
from kernel.machine import MachineSpec
from tests.cluster.same_digest import racing, replays

GUEST = Path(__file__).resolve().parents[2] / "guest"
Make = Callable[..., RunRequest]


def recorded(
    spec: MachineSpec, folder: Path, scheme: str = "exact", **options: object
) -> tuple[RunResult, RecordedOrder]:
    """Run and record; return the result and the log."""
    request = RunRequest(spec, scheme=scheme, out_dir=folder, record_order=True, **options)  # type: ignore[arg-type]
    result = run_local(request)
    return result, RecordedOrder(folder / ORDER_LOG)


# -- the same run again ----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_a_recorded_run_replays_to_the_same_digest(
    make_request: Make, tmp_path: Path, scheme: str, granularity: str
) -> None:
    config = f"machine: {{cpus: 6}}\ngranularity: {granularity}\n"
    for workload in ("storm", "thread_group_exit"):
        folder = tmp_path / workload
        folder.mkdir()
        spec = make_request(workload, config=config).spec
        result, log = recorded(spec, folder, scheme)
        assert (result.exit_kind, log.complete, log.stopped) == (DONE, True, False)
        again = run_local(request_of_log(log))
        assert (again.exit_kind, again.digest) == (DONE, result.digest)
        assert again.outputs == result.outputs


@pytest.mark.parametrize(
    "seeds", [range(5), pytest.param(range(100), marks=pytest.mark.slow, id="all")]
)
def test_a_run_at_step_with_random_tie_breaks_replays_to_the_same_digest(seeds: range) -> None:
    pairs = list(replays(seeds))
    assert [again for _, again in pairs] == [first for first, _ in pairs]
    assert len({first for first, _ in pairs}) == len(seeds)


def test_a_replay_asks_no_chooser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule is in the log: neither the seed nor the chooser's code is needed."""
    result, log = recorded(racing(5), tmp_path, "barrier")

    def refuse(_self: object, _bound: int) -> int:
        raise AssertionError("a replay draws no number")

    monkeypatch.setattr("kernel.drive.chooser.RandomHoldUps.number", refuse)
    assert len(log.answers) > 100
    assert run_local(request_of_log(log)).digest == result.digest
    log.answers[len(log.answers) // 2 :] = []
    assert "the schedule diverges after " in run_local(request_of_log(log)).message


def test_recording_changes_nothing(tmp_path: Path) -> None:
    result, _ = recorded(racing(1), tmp_path, "barrier")
    assert run_local(RunRequest(racing(1), scheme="barrier")).digest == result.digest


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_run_that_was_stopped_replays_up_to_where_it_was(tmp_path: Path, scheme: str) -> None:
    program = tmp_path / "spins.py"
    program.write_text("import os\nwhile True:\n    os.getppid()\n")
    spec = guest_spec(program, [], cpus=2)
    result, log = recorded(spec, tmp_path, scheme, max_wall_s=0.2)
    assert (result.exit_kind, log.complete, log.stopped) == (LIMIT, True, True)
    again = run_local(request_of_log(log))
    assert (again.exit_kind, again.digest) == (INTERRUPTED, result.digest)


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_run_that_ends_by_its_limit_or_in_a_deadlock_does_so_again(
    tmp_path: Path, scheme: str
) -> None:
    program = tmp_path / "waits.py"
    program.write_text("import os\nr, w = os.pipe()\nos.read(r, 1)\n")
    result, log = recorded(guest_spec(program, [], cpus=2), tmp_path, scheme)
    assert result.exit_kind == DEADLOCK
    assert run_local(request_of_log(log)).digest == result.digest
    (tmp_path / ORDER_LOG).unlink()
    (tmp_path / "trace.smpt").unlink()
    result, log = recorded(racing(3), tmp_path, scheme, max_virtual_ns=500_000)
    assert result.exit_kind == LIMIT
    assert run_local(request_of_log(log)).digest == result.digest


def test_input_that_came_from_outside_is_given_again(tmp_path: Path) -> None:
    program = tmp_path / "reads.py"
    program.write_text("import sys\nfor line in sys.stdin:\n    print('got', line.strip())\n")
    spec = guest_spec(program, [], cpus=1, stdin=b"", stdin_kind="terminal")
    lines = iter([b"one\n", b"two\n", b""])
    result, log = recorded(spec, tmp_path, feed=lambda _stop: next(lines))
    assert log.input == [b"one\n", b"two\n", b""]
    again = run_local(request_of_log(log))
    assert again.outputs == result.outputs == {"reads.py.stdout": b"got one\ngot two\n"}
    assert again.digest == result.digest


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_run_that_broke_breaks_again_in_the_same_place(tmp_path: Path, scheme: str) -> None:
    """What a broken invariant leaves is a log up to there."""

    def break_it(run: LocalRun, at_step: int) -> RunResult:
        steps = 0

        def count(_kernel: object) -> None:
            nonlocal steps
            steps += 1
            if steps == at_step:
                raise InvariantError(f"step {steps}")

        run.host.kernel.after_step = count
        return run.run()

    request = RunRequest(racing(1), scheme=scheme, out_dir=tmp_path, record_order=True)
    result = break_it(LocalRun(request), 50)
    log = RecordedOrder(tmp_path / ORDER_LOG)
    assert (log.complete, log.stopped) == (True, False)
    again = break_it(LocalRun(request_of_log(log)), 50)
    assert (again.exit_kind, again.message) == (result.exit_kind, result.message)
    assert again.message.startswith("step 50\n  story of <task ")
    other = run_local(request_of_log(log))  # not broken here: it must not go on beyond the log
    assert other.exit_kind in (BROKEN, INVARIANT)
    assert "diverges" in other.message


# -- where a replay differs ------------------------------------------------------------------------


def test_the_first_record_that_differs_is_shown(tmp_path: Path) -> None:
    for name in ("run", "again"):
        (tmp_path / name).mkdir()
    result, log = recorded(racing(1, "order"), tmp_path / "run", "barrier")
    log.machine.costs = Costs(pipe_op=Costs().pipe_op + 1)
    summary = {**result.summary, "digest": result.digest}
    found = replay(log, tmp_path / "run", summary, tmp_path / "again")
    assert found.difference.startswith(("the run has: ", "the replay diverges in round "))


def test_a_request_that_was_served_and_is_not_made_is_told(tmp_path: Path) -> None:
    _, log = recorded(racing(1, "order", "syscall"), tmp_path, "barrier")
    log.machine = guest_spec(GUEST / "exit/codes.py", [], cpus=3)
    result = run_local(request_of_log(log))
    assert "has not asked for what was served" in result.message


# -- the command -----------------------------------------------------------------------------------


def test_replay_says_same_and_different_by_text_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = GUEST / "pipe/two_writers.py"
    options = ["--set", "record=order", "--granularity", "step", "--set", "sync.tie_break=random"]
    assert run_command(["guest", *options, "--out", str(tmp_path), str(program)]) == OK
    [run] = tmp_path.iterdir()
    capsys.readouterr()
    assert run_command(["replay", str(run)]) == OK
    assert capsys.readouterr().out.startswith("same: digest sha256:")
    summary = run / "summary.json"
    summary.write_text(summary.read_text().replace("sha256:", "sha256:0"))
    assert run_command(["replay", str(run)]) == FAILED
    out, err = capsys.readouterr()
    assert out.startswith("different: ")
    assert "smplab: replay differs: the digests differ" in err


def test_a_run_without_log_or_with_a_damaged_one_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = GUEST / "exit/codes.py"
    arguments = ["guest", "--set", "record=order", "--out", str(tmp_path), str(program)]
    run_command(arguments)
    [run] = tmp_path.iterdir()
    log = run / ORDER_LOG
    whole = log.read_bytes()
    for damaged, told in (
        (whole[:-1], "has no end"),
        (whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], "is damaged at byte 0: the header"),
        (whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:], "the checksum is wrong"),
        (whole + b"x", "something follows the end"),
        (whole[:8] + b"\x09" + whole[9:], "is of version 9; this version of smplab reads 2"),
        (b"nothing", "is no order log"),
    ):
        log.write_bytes(damaged)
        capsys.readouterr()
        assert run_command(["replay", str(run)]) == USAGE
        assert told in capsys.readouterr().err
    log.unlink()
    assert run_command(["replay", str(run)]) == USAGE
    assert "has no order.log: run it again with --record order" in capsys.readouterr().err


# -- the file --------------------------------------------------------------------------------------


def test_numbers_of_any_size_are_read_as_they_were_written() -> None:
    values = [0, 1, 127, 128, 300, 1 << 40, (1 << 64) - 1]
    out = bytearray()
    for value in values:
        put(out, value)
        put_signed(out, value)
        put_signed(out, -value)
    numbers = Numbers(bytes(out))
    for value in values:
        assert (numbers.take(), numbers.take_signed(), numbers.take_signed()) == (
            value, value, -value,
        )  # fmt: skip
    assert not numbers.more()


def test_a_request_costs_a_byte_or_two(make_request: Make, tmp_path: Path) -> None:
    config = "machine: {cpus: 32}\n"
    request = make_request("storm", config=config)
    _, log = recorded(request.spec, tmp_path, "barrier")
    rounds = log.counts["rounds"]
    assert len(log.rounds) - 10 * rounds <= 2 * log.counts["requests"]


def test_a_file_that_is_cut_is_read_up_to_its_last_whole_frame(tmp_path: Path) -> None:
    _, log = recorded(racing(1), tmp_path, "barrier")
    path = tmp_path / ORDER_LOG
    path.write_bytes(path.read_bytes()[:-3])
    cut = RecordedOrder(path)
    assert (cut.complete, cut.rounds) == (False, log.rounds)
    path.write_bytes(b"SMPR")
    with pytest.raises(OrderLogError, match="is no order log"):
        RecordedOrder(path)
