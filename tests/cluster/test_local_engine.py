"""The local engine: schemes agree, runs repeat to the byte, and every way to end is told apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import (
    DEADLOCK,
    DONE,
    GUEST,
    INTERRUPTED,
    INVARIANT,
    LIMIT,
    RunRequest,
)
from cluster.local_engine import LocalRun, run_local
from cluster.trace import TraceReader
from kernel.errors import InvariantError

ROOT = Path(__file__).resolve().parents[2]
GUEST_FOLDER = ROOT / "tests" / "guest"
DETERMINISTIC = (
    "fork/binary_tree.py",
    "exec/cat_between_pipes.py",
    "thread/exec_from_non_leader.py",
    "signal/default_actions.py",
    "wait/mixed_children.py",
    "pipe/ping_pong.py",
)


def run(program, *, scheme="exact", request=None, **changes):
    spec = guest_spec(Path(program), [], **changes)
    return run_local(RunRequest(spec, scheme=scheme, **(request or {})))


def script(tmp_path, text):
    path = tmp_path / "program.py"
    path.write_text(text, "utf-8")
    return path


def what_happened(result):
    return result.exit_kind, [row[2] for row in result.statuses], result.outputs


# -- schemes and granularities ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "cpus", [3, pytest.param(1, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", DETERMINISTIC)
def test_exact_and_barrier_and_both_granularities_give_the_same_outputs(name, cpus):
    wanted = what_happened(run(GUEST_FOLDER / name, cpus=cpus))
    assert wanted[0] == DONE
    for scheme in ("exact", "barrier"):
        for granularity in ("syscall", "step"):
            result = run(GUEST_FOLDER / name, cpus=cpus, scheme=scheme, granularity=granularity)
            assert what_happened(result) == wanted


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_exact_never_sends_an_effect_into_a_cpus_past(granularity):
    result = run(GUEST_FOLDER / "fork/binary_tree.py", cpus=4, granularity=granularity, check=True)
    assert result.exit_kind == DONE
    assert result.summary["causality"]["violations"] == 0


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match="laxer"):
        run(GUEST_FOLDER / "exit/codes.py", scheme="laxer")


# -- the same bytes --------------------------------------------------------------------------------

VARIANTS = [
    {"granularity": "syscall"},
    {"granularity": "step"},
    {"granularity": "step", "tie_break": "random", "seed": 7},
]


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_repeats_to_the_byte(scheme, variant):
    digests = {
        run(GUEST_FOLDER / "pipe/two_writers.py", cpus=3, scheme=scheme, **variant).digest
        for _ in range(2)
    }
    assert len(digests) == 1


def test_another_seed_gives_another_schedule():
    digests = {
        run(
            GUEST_FOLDER / "pipe/two_writers.py",
            cpus=3,
            granularity="step",
            tie_break="random",
            seed=seed,
        ).digest
        for seed in range(3)
    }
    assert len(digests) == 3


def test_hash_seed_of_the_host_does_not_matter():
    program = """
import sys
from pathlib import Path
from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
for granularity, tie_break in (("syscall", "order"), ("step", "random")):
    spec = guest_spec(Path(sys.argv[1]), [], cpus=4, granularity=granularity, tie_break=tie_break)
    for scheme in ("exact", "barrier"):
        print(run_local(RunRequest(spec, scheme=scheme)).digest)
"""
    outputs = set()
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(GUEST_FOLDER / "thread/fork_in_thread.py")],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 4


def test_a_trace_file_changes_nothing_but_the_file(tmp_path):
    name = GUEST_FOLDER / "fork/binary_tree.py"
    bare = run(name, cpus=2)
    written = run(name, cpus=2, request={"out_dir": tmp_path})
    assert written.digest == bare.digest
    with TraceReader(tmp_path / "trace.smpt") as reader:
        assert sum(1 for _ in reader.select()) > 100


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_tracing_and_checking_change_no_outcome_and_no_time(granularity):
    name = GUEST_FOLDER / "wait/mixed_children.py"
    results = [
        run(name, cpus=2, granularity=granularity, trace=trace, check=check)
        for trace in (True, False)
        for check in (True, False)
    ]
    assert len({str(what_happened(result)) for result in results}) == 1
    assert len({result.summary["run"]["virtual_ns"] for result in results}) == 1


# -- how a run can end -----------------------------------------------------------------------------

WAITS_FOR_EVER = """
import os
import threading
gate = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(gate[0], 1)
os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_who_waits_for_ever_is_named(tmp_path, scheme, granularity):
    result = run(script(tmp_path, WAITS_FOR_EVER), cpus=2, scheme=scheme, granularity=granularity)
    assert result.exit_kind == DEADLOCK
    assert "python3 (3) sleeps in wait4" in result.message
    assert "python3 (4) sleeps in read" in result.message
    assert [row[2] for row in result.statuses] == [None]


SPINS = """
import os
print("begun", flush=True)
while True:
    os.getppid()
"""


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_limit_of_virtual_time_ends_a_run_that_would_not_end(tmp_path, scheme):
    result = run(
        script(tmp_path, SPINS), cpus=2, scheme=scheme, request={"max_virtual_ns": 20_000_000}
    )
    assert result.exit_kind == LIMIT
    assert 20_000_000 <= result.summary["run"]["virtual_ns"] < 30_000_000
    assert result.outputs["program.py.stdout"] == b"begun\n"


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_limit_of_wall_time_ends_a_run_that_would_not_end(tmp_path, scheme):
    result = run(script(tmp_path, SPINS), cpus=2, scheme=scheme, request={"max_wall_s": 0.2})
    assert result.exit_kind == LIMIT
    assert "wall" in result.message


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_block_over_its_budget_ends_the_run_with_file_and_line(tmp_path, scheme):
    path = script(tmp_path, "text = 'a' * 1000\nprint(len(text * 100_000))\n")
    result = run(path, cpus=2, scheme=scheme, block_budget=10_000)
    assert result.exit_kind == GUEST
    assert f"{path}:2" in result.message


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_ctrl_c_leaves_what_there_is_so_far(tmp_path, scheme):
    calls = 0

    def interrupt(virtual_ns, counters):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt

    result = run(
        script(tmp_path, SPINS),
        cpus=2,
        scheme=scheme,
        request={"out_dir": tmp_path, "on_progress": interrupt},
    )
    assert result.exit_kind == INTERRUPTED
    assert result.outputs["program.py.stdout"] == b"begun\n"
    assert result.summary["run"]["virtual_ns"] > 0
    with TraceReader(tmp_path / "trace.smpt") as reader:
        assert any(record.event == "sched_process_exec" for record in reader.select())


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_broken_invariant_is_reported_with_its_story(scheme):
    spec = guest_spec(
        GUEST_FOLDER / "fork/binary_tree.py", [], cpus=2, granularity="step", check=True
    )
    machine = LocalRun(RunRequest(spec, scheme=scheme))
    steps = 0

    def break_it(kernel):
        nonlocal steps
        steps += 1
        if steps == 100:
            raise InvariantError("the story")

    machine.host.kernel.after_step = break_it
    result = machine.run()
    assert result.exit_kind == INVARIANT
    assert result.message.startswith("the story\n  story of <task ")


LONG_BLOCK = """\
t = tuple(range(900_000))
d = {t: 1}
print("begun", flush=True)
x = [d[t] for i in range(900_000)]
"""


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_limit_of_wall_time_ends_a_block_that_takes_too_long(tmp_path, scheme):
    result = run(script(tmp_path, LONG_BLOCK), cpus=2, scheme=scheme, request={"max_wall_s": 0.5})
    assert result.exit_kind == LIMIT
    assert "wall" in result.message
