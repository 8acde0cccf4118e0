"""Long runs need no more memory than short ones: driver, kernel and CPUs, all in this process."""

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

import workloads
from cluster import recorder
from cluster.build import guest_spec
from cluster.engine_api import DONE, CheckpointPlan, RunRequest
from cluster.recorder import Recorder
from tests.cluster.direct_run import DirectRun

STORM = Path(workloads.__file__).parent / "programs" / "fork_exec_storm.py"
PARENTS = 4
WRITER = """
for _ in range(300):
    print("x" * 999)
"""


class Sampled(DirectRun):
    """Notes now and then how many lifecycles there were, and what is held."""

    every = 400

    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)
        self.samples: list[tuple[int, int]] = []  # lifecycles, blocks of memory
        self.held: list[int] = []  # bytes that the actors say that they hold

    def look(self) -> None:
        super().look()
        assert self.transport is not None
        lifecycles, _, held = self.transport.head[4:]
        self.held.append(held)
        if lifecycles >= (self.samples[-1][0] if self.samples else 0) + self.every:
            gc.collect()
            self.samples.append((lifecycles, sys.getallocatedblocks()))


def storm(folder: Path, lifecycles: int, **changes: Any) -> RunRequest:
    arguments = [f"parents={PARENTS}", f"children={lifecycles // PARENTS}"]
    trace = changes.pop("trace", False)
    return RunRequest(
        guest_spec(STORM, arguments, cpus=PARENTS, trace=trace),
        engine="ray",
        scheme="barrier",
        quantum_ns=1_000_000,
        cpus_per_actor=2,
        out_dir=folder,
        **changes,
    )


@pytest.fixture(autouse=True)
def fetched_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What actors hold is fetched whenever the engine looks, not now and then by host time."""
    monkeypatch.setattr("cluster.ray_engine._HELD_BYTES", 0)


@pytest.mark.slow
def test_nothing_is_kept_of_a_lifecycle_that_is_over(tmp_path: Path) -> None:
    plan = CheckpointPlan(3600.0, 300)
    run = Sampled(storm(tmp_path, 12_000, checkpoint=plan, record_order=True))
    result = run.run()
    assert (result.exit_kind, result.message) == (DONE, "")
    assert len(list((tmp_path / "checkpoints").glob("*.manifest"))) == 2
    begun, *_, last, _ended = run.samples[len(run.samples) // 2 :]
    lifecycles, blocks = (now - then for then, now in zip(begun, last))
    assert lifecycles > 5_000
    assert blocks / lifecycles < 0.1  # one object in ten of them


def test_a_trace_is_on_the_disk_before_much_of_it_has_come_together(tmp_path: Path) -> None:
    run = Sampled(storm(tmp_path, 4_000, trace=True))
    assert run.run().exit_kind == DONE
    size = (tmp_path / "trace.smpt").stat().st_size
    assert max(run.held) > 0
    # what is held at a look is what the rounds since the last one have brought to whole chunks
    assert max(run.held) < size


def test_of_what_programs_write_the_last_bytes_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cluster.engine import run_machine
    from cluster.outputs import OUTPUTS, OutputReader

    monkeypatch.setattr(recorder, "MOST_KEPT", 50_000)
    program = tmp_path / "writer.py"
    program.write_text(WRITER)
    folder = tmp_path / "run"
    folder.mkdir()
    result = run_machine(RunRequest(guest_spec(program, []), out_dir=folder))
    whole = b"x" * 999 + b"\n"
    assert result.exit_kind == DONE
    assert result.outputs["writer.py.stdout"] == (whole * 300)[-50_000:]
    with OutputReader(folder / OUTPUTS) as reader:
        assert b"".join(piece.data for piece in reader.pieces()) == whole * 300


def test_without_a_directory_all_that_programs_write_is_in_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cluster.engine import run_machine

    monkeypatch.setattr(recorder, "MOST_KEPT", 50_000)
    program = tmp_path / "writer.py"
    program.write_text(WRITER)
    result = run_machine(RunRequest(guest_spec(program, [])))
    assert len(result.outputs["writer.py.stdout"]) == 300_000


def test_old_pieces_of_an_output_are_let_go(tmp_path: Path) -> None:
    request = storm(tmp_path, 4)
    kept = Recorder(request)
    try:
        for number in range(3_000):
            kept.output([("p.stdout", b"%04d" % number * 256)])
        held = kept._outputs["p.stdout"]
        assert sum(map(len, held._pieces)) < recorder.MOST_KEPT + 1024
        assert held.data().endswith(b"2999" * 256)
    finally:
        kept.abandon()
