"""A run that was killed anywhere goes on, and ends with the bytes of one that was not."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import CheckpointPlan, RunRequest, StorageError
from cluster.local_engine import LocalRun, run_local
from cluster.resume import NoResumption, Resumed
from tests.cluster.damage import check_damages
from tests.cluster.killed import ROOT, gone_on, request_for, run_until, storm

GUEST = ROOT / "tests" / "guest"
FILES = ("trace.smpt", "outputs.smpo", "order.log")


def same_files(one: Path, other: Path) -> list[str]:
    return [
        name
        for name in FILES
        if (one / name).exists() != (other / name).exists()
        or ((one / name).exists() and (one / name).read_bytes() != (other / name).read_bytes())
    ]


def undisturbed(folder, spec, scheme):
    folder.mkdir()
    return run_local(RunRequest(spec, scheme=scheme, out_dir=folder, record_order=True))


@pytest.mark.parametrize(
    ("scheme", "stops"),
    [
        *(("exact", stops) for stops in (1, 9, 24, 38)),
        *(("barrier", stops) for stops in (9, 70)),
        *(("redblack", stops) for stops in (10, 71)),
        *(("lax", stops) for stops in (8, 100)),
        *(pytest.param("exact", stops, marks=pytest.mark.slow) for stops in range(2, 40, 2)),
        *(pytest.param("barrier", stops, marks=pytest.mark.slow) for stops in range(3, 83, 3)),
        *(pytest.param("redblack", stops, marks=pytest.mark.slow) for stops in range(4, 120, 5)),
        *(pytest.param("lax", stops, marks=pytest.mark.slow) for stops in range(1, 157, 8)),
    ],
)
def test_a_killed_run_ends_with_digest_and_files_of_one_that_was_not(tmp_path, scheme, stops):
    spec = storm()
    plain = undisturbed(tmp_path / "plain", spec, scheme)
    assert run_until(request_for(tmp_path / "run", spec, scheme), stops)
    result = gone_on(tmp_path / "run")
    assert (result.exit_kind, result.digest) == (plain.exit_kind, plain.digest)
    assert result.outputs == plain.outputs
    assert result.statuses == plain.statuses
    assert same_files(tmp_path / "plain", tmp_path / "run") == []


@pytest.mark.parametrize(
    ("program", "changes"),
    [
        ("fork/binary_tree.py", {"granularity": "step", "tie_break": "random", "seed": 5}),
        ("sched/storm.py", {}),
        ("thread/exec_from_non_leader.py", {}),
        ("pipe/ping_pong.py", {"granularity": "step"}),
        ("signal/default_actions.py", {"seed": 3}),
    ],
)
def test_paths_that_sleep_in_the_kernel_are_made_again(tmp_path, program, changes):
    spec = guest_spec(GUEST / program, [], cpus=3, **changes)
    plain = undisturbed(tmp_path / "plain", spec, "exact")
    assert run_until(request_for(tmp_path / "run", spec, "exact"), 5)
    assert list((tmp_path / "run" / "checkpoints").glob("*.manifest"))
    assert gone_on(tmp_path / "run").digest == plain.digest
    assert same_files(tmp_path / "plain", tmp_path / "run") == []


def test_a_run_that_is_killed_again_and_again_still_ends(tmp_path):
    spec = storm()
    plain = undisturbed(tmp_path / "plain", spec, "exact")
    assert run_until(request_for(tmp_path / "run", spec), 6)
    reached = []
    for _ in range(12):
        resumed = Resumed(tmp_path / "run", print)
        killed = resumed.go_on(
            lambda request: run_until(request, 6),
            lambda found: reached.append(found.supersteps if found else 0),
        )
        if not killed:
            break
    assert reached == sorted(reached)
    assert len(set(reached)) > 3
    assert gone_on(tmp_path / "run").digest == plain.digest
    assert same_files(tmp_path / "plain", tmp_path / "run") == []


def test_accounting_records_are_those_of_the_whole_run(tmp_path):
    spec = replace(storm(), acct=True)
    plain = undisturbed(tmp_path / "plain", spec, "exact")
    assert run_until(request_for(tmp_path / "run", spec), 20)
    result = gone_on(tmp_path / "run")
    assert any("acct" in name for name in plain.outputs)
    assert result.outputs == plain.outputs


def test_two_checkpoints_are_kept_and_nothing_else(tmp_path):
    run_until(request_for(tmp_path / "run", storm()), 38)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    numbers = sorted({name.split(".")[0] for name in names if name != "requests.log"})
    assert len(numbers) == 2
    assert int(numbers[1]) == int(numbers[0]) + 1 > 2
    assert names == sorted(
        [*(f"{n}.{kind}" for n in numbers for kind in ("manifest", "part")), "requests.log"]
    )


def test_a_run_without_checkpoints_has_no_folder_of_them(tmp_path):
    undisturbed(tmp_path / "run", storm(), "exact")
    assert not (tmp_path / "run" / "checkpoints").exists()
    with pytest.raises(NoResumption, match="has no checkpoints"):
        Resumed(tmp_path / "run", print)


def test_checkpoints_do_not_change_what_a_run_does(tmp_path):
    plain = undisturbed(tmp_path / "plain", storm(), "barrier")
    result = run_local(request_for(tmp_path / "run", storm(), "barrier"))
    assert result.digest == plain.digest
    assert same_files(tmp_path / "plain", tmp_path / "run") == []


def test_checkpoints_by_time_are_taken_once_the_time_has_passed(tmp_path):
    request = request_for(tmp_path / "run", storm())
    request.checkpoint = CheckpointPlan(3600.0, None)
    run_until(request, 40)
    assert not list((tmp_path / "run" / "checkpoints").glob("*.manifest"))
    request = request_for(tmp_path / "other", storm())
    request.checkpoint = CheckpointPlan(0.0, None)
    run_until(request, 40)
    assert list((tmp_path / "other" / "checkpoints").glob("*.manifest"))


def test_a_damaged_checkpoint_is_told_of_and_the_one_before_is_taken(tmp_path):
    spec = storm()
    plain = undisturbed(tmp_path / "plain", spec, "exact")
    run_until(request_for(tmp_path / "run", spec), 38)
    newest = max((tmp_path / "run" / "checkpoints").glob("*.part"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 0x10
    newest.write_bytes(data)
    notices: list[str] = []
    assert gone_on(tmp_path / "run", notices).digest == plain.digest
    assert len(notices) == 1
    assert newest.name in notices[0]
    assert notices[0].endswith("wrong checksum: going on from the checkpoint before")


def test_of_damaged_checkpoints_alone_nothing_is_overwritten(tmp_path):
    run_until(request_for(tmp_path / "run", storm()), 38)
    folder = tmp_path / "run"
    for part in (folder / "checkpoints").glob("*.part"):
        part.write_bytes(part.read_bytes()[:-1])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(NoResumption) as caught:
        gone_on(folder)
    assert len(str(caught.value).split("\n")) == 2
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_trace_that_was_changed_is_not_gone_on_with(tmp_path):
    run_until(request_for(tmp_path / "run", storm()), 38)
    path = tmp_path / "run" / "order.log"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(NoResumption, match=r"order\.log is damaged: wrong checksum"):
        gone_on(tmp_path / "run")


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    for name in ("run", "other"):
        run_until(request_for(tmp_path / name, storm()), 38)
    ours = tmp_path / "run" / "checkpoints"
    for path in (tmp_path / "other" / "checkpoints").iterdir():
        if path.name != "requests.log":
            shutil.copy(path, ours / path.name)
    with pytest.raises(NoResumption, match="is of another run"):
        gone_on(tmp_path / "run")


def test_a_checkpoint_of_another_version_is_refused(tmp_path, monkeypatch):
    run_until(request_for(tmp_path / "run", storm()), 38)
    monkeypatch.setattr("cluster.checkpoint.code_hash", lambda: "another")
    with pytest.raises(NoResumption, match="was written by another version of smplab"):
        gone_on(tmp_path / "run")


def test_a_kernel_that_does_not_come_out_the_same_is_refused(tmp_path, monkeypatch):
    run_until(request_for(tmp_path / "run", storm()), 38)
    served = "cluster.checkpoint.CheckpointReader.served"
    monkeypatch.setattr(served, lambda self, checkpoint: iter(()))
    with pytest.raises(NoResumption, match="made again from its requests is another one"):
        gone_on(tmp_path / "run")


def test_a_file_that_cannot_be_written_ends_the_run_and_leaves_the_last_checkpoint(
    tmp_path, monkeypatch
):
    spec = storm()
    plain = undisturbed(tmp_path / "plain", spec, "exact")
    writes = 0

    def full(path: Path, data: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes > 5:
            raise OSError(28, "No space left on device", str(path))
        real(path, data)

    from cluster import checkpoint

    real = checkpoint.write_atomically
    monkeypatch.setattr(checkpoint, "write_atomically", full)
    result = LocalRun(request_for(tmp_path / "run", spec)).run()
    assert result.exit_kind == "storage"
    assert result.message == f"{tmp_path / 'run'}: 000003.manifest: No space left on device"
    monkeypatch.setattr(checkpoint, "write_atomically", real)
    assert gone_on(tmp_path / "run").digest == plain.digest
    assert same_files(tmp_path / "plain", tmp_path / "run") == []


def test_a_disk_without_room_for_a_checkpoint_ends_the_run_before_one_is_begun(
    tmp_path, monkeypatch
):
    spec = storm()
    plain = undisturbed(tmp_path / "plain", spec, "exact")
    asked = 0
    real = os.statvfs

    def full(path):
        nonlocal asked
        asked += 1
        found = list(real(path))
        found[4] = 1 if asked > 3 else 1 << 40  # f_bavail
        return os.statvfs_result(found)

    monkeypatch.setattr(os, "statvfs", full)
    result = LocalRun(request_for(tmp_path / "run", spec)).run()
    assert result.exit_kind == "storage"
    said = rf"{tmp_path / 'run'}: no room for a checkpoint: \d+ bytes and 1048576 to spare, "
    assert re.fullmatch(said + r"\d+ are free", result.message)
    monkeypatch.undo()
    names = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert sorted(names)[-3:] == ["000002.manifest", "000002.part", "requests.log"]
    assert gone_on(tmp_path / "run").digest == plain.digest
    assert same_files(tmp_path / "plain", tmp_path / "run") == []


def test_a_disk_that_is_full_ends_a_run_before_it_begins(tmp_path, monkeypatch):
    found = list(os.statvfs(tmp_path))
    found[4] = 0
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(found))
    with pytest.raises(StorageError, match=r"no room for a checkpoint: .* 0 are free"):
        LocalRun(request_for(tmp_path / "run", storm()))


# -- damage by the hundred -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """What is left of a killed run."""
    folder = tmp_path_factory.mktemp("left") / "run"
    assert run_until(request_for(folder, storm()), 38)
    return folder


def test_no_damaged_file_is_taken_for_another_state(left, tmp_path):
    assert check_damages(left, tmp_path / "run", 40) > 250


@pytest.mark.slow
def test_none_of_a_thousand_damaged_files_is_taken_for_another_state(left, tmp_path):
    assert check_damages(left, tmp_path / "run", 250) > 1_250
