"""``prove``: certificates of small scenarios, checkpoints, and that no order is left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.race.dpor import Explorer, Step, Walk, clash
from cluster.race.keeping import following_all
from cluster.race.kept import BadCheckpoint, checkpoint_text, read_checkpoint
from cluster.race.kernel_system import KernelSystem
from cluster.race.prove import Proof, prove
from cluster.race.run import Scenario
from cluster.race.workers import Here

from .conftest import SESSION, scenario_of

_PROGRAMS = {
    "exit": """\
import os
pid = os.fork()
if pid == 0:
    os._exit(3)
os.waitpid(pid, 0)
""",
    "pipe": """\
import os
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(w, b"x")
    os._exit(0)
os.read(r, 1)
os.waitpid(pid, 0)
""",
    "kill": """\
import os, signal
pid = os.fork()
if pid == 0:
    signal.pause()
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
""",
    "setpgid": """\
import os
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os._exit(0)
try:
    os.setpgid(pid, pid)
except ProcessLookupError:
    pass
os.waitpid(pid, 0)
""",
    "exec": """\
import os
pid = os.fork()
if pid == 0:
    os.execv("/bin/true", ["true"])
os.waitpid(pid, 0)
""",
    "end of pipe": """\
import os
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(w)
    os.read(r, 10)
    os._exit(0)
os.close(r)
os.close(w)
os.waitpid(pid, 0)
""",
    "futex": """\
import mmap, os
from workloads import guest
m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    try:
        guest.futex_wait(m, 0, 0)
    except BlockingIOError:
        os._exit(3)
    os._exit(4)
guest.WRITE_ONCE(m, 0, 1)
guest.futex_wake(m, 0, 1)
os.waitpid(pid, 0)
""",
    "stop": """\
import os, signal
pid = os.fork()
if pid == 0:
    os._exit(0)
os.kill(pid, signal.SIGSTOP)
os.kill(pid, signal.SIGCONT)
os.waitpid(pid, os.WUNTRACED)
""",
    "nice": """\
import os
pid = os.fork()
if pid == 0:
    os.getpriority(os.PRIO_PROCESS, os.getppid())
    os.setpriority(os.PRIO_PROCESS, 0, 3)
    os._exit(0)
os.waitpid(pid, 0)
""",
    "one offset": """\
import os
fd = os.open("/tmp/two", os.O_RDWR | os.O_CREAT)
pid = os.fork()
if pid == 0:
    os.write(fd, b"child")
    os._exit(0)
os.write(fd, b"me")
os.waitpid(pid, 0)
""",
}


def _scenario(tmp_path: Path, name: str) -> Scenario:
    program = tmp_path / "program.py"
    program.write_text({**_PROGRAMS, **_SLOW}[name])
    return scenario_of(program)


def _trace(steps: Sequence[Step]) -> int:
    """Return what is the same for two runs that differ in the order of steps without conflict."""
    seen: list[tuple[int, Step]] = []
    counts: Counter[int] = Counter()
    for step in steps:
        counts[step.actor] += 1
        before = frozenset(
            number
            for number, one in seen
            if one.actor == step.actor or clash(one.touched, step.touched)
        )
        touched = tuple(sorted((repr(key), mode) for key, mode in step.touched.items()))
        seen.append((hash((step.actor, counts[step.actor], touched, before)), step))
    return hash(frozenset(number for number, _ in seen))


# with a hundred traces and more
_SLOW = {
    "session": SESSION,
    "handler": """\
import os, signal
def hand(number, frame):
    pass
signal.signal(signal.SIGUSR1, hand)
pid = os.fork()
if pid == 0:
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
os.waitpid(pid, 0)
""",
    "spawn": """\
import os
pid = os.posix_spawn("/bin/true", ["true"], {})
os.waitpid(pid, 0)
""",
}


@pytest.mark.parametrize(
    "name", [*_PROGRAMS, *(pytest.param(name, marks=pytest.mark.slow) for name in _SLOW)]
)
def test_no_random_run_shows_a_trace_that_prove_leaves_out(tmp_path: Path, name: str) -> None:
    scenario = _scenario(tmp_path, name)
    traces: list[int] = []

    class Noting(KernelSystem):
        def __call__(self, walk: Walk) -> object:  # type: ignore[override]
            run = super().__call__(walk)
            assert run.verdict.kind == "clean", run.verdict.text
            traces.append(_trace(walk.steps))
            return run

    system = Noting(scenario)
    with following_all():
        explorer = Explorer(system)
        while explorer.next() is not None:
            pass
        proved, traces = set(traces), []
        assert len(proved) == explorer.counts.traces  # each once
        for seed in range(25):
            random = Random(seed)
            system(Walk([], lambda awake, last, random=random: random.choice(list(awake))))  # type: ignore[misc]
    assert set(traces) <= proved
    assert explorer.counts.unexplained == 0


def test_small_scenario_is_certified_with_what_is_not_covered(tmp_path: Path) -> None:
    told: list[int] = []
    proof = prove(_scenario(tmp_path, "exit"), progress=lambda proof: told.append(proof.traces))
    assert proof.complete
    assert proof.failed is None
    assert proof.checkpoint is None
    assert told == sorted(told)
    certificate = proof.certificate()
    assert certificate["complete"] is True
    assert certificate["granularity"] == "step"
    assert certificate["memory_model"] == "sc"
    assert any("virtual time" in line for line in certificate["not_covered"])
    text = proof.text()
    assert f"complete: {proof.traces:,} traces, all clean" in text
    assert "not covered" in text


def test_proof_goes_on_from_its_checkpoint_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, "pipe")
    whole = prove(scenario)
    proof, calls = prove(scenario, 7), 1
    while not proof.complete:
        assert proof.checkpoint is not None
        kept = read_checkpoint(checkpoint_text(proof.checkpoint))
        proof, calls = prove(scenario, 7, resume=kept), calls + 1
    assert calls > 2
    assert _sums(proof) == _sums(whole)


class _Stopped(Here):
    """A worker whose runs Ctrl-C ends: of the third share nobody hears."""

    def results(self, job, given, items):  # type: ignore[no-untyped-def]
        for number, item in enumerate(items):
            made = job(*given, item)
            if number == 2:
                raise KeyboardInterrupt
            yield made


def test_proof_that_ctrl_c_stops_goes_on_from_before_the_runs_that_were_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.race.subtrees.ROUND", 4)
    scenario = _scenario(tmp_path, "pipe")
    whole = prove(scenario)
    proof = prove(scenario, workers=_Stopped())
    assert proof.interrupted
    assert 0 < proof.traces < whole.traces
    assert proof.checkpoint is not None
    kept = read_checkpoint(checkpoint_text(proof.checkpoint))
    assert _sums(prove(scenario, resume=kept)) == _sums(whole)


def test_checkpoint_of_a_proof_that_was_stopped_before_its_estimate_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = _scenario(tmp_path, "exit")

    def stopped(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("cluster.race.prove.estimate", stopped)
        proof = prove(scenario)
    assert proof.interrupted
    assert proof.checkpoint is not None
    assert _sums(prove(scenario, resume=proof.checkpoint)) == _sums(prove(scenario))


def test_what_is_kept_while_a_proof_goes_on_leads_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = _scenario(tmp_path, "pipe")
    texts: list[str] = []
    monkeypatch.setattr("cluster.race.subtrees.ROUND", 4)
    with monkeypatch.context() as patched:
        patched.setattr("cluster.race.prove._KEEP_S", 0.0)
        whole = prove(scenario, keep=lambda kept: texts.append(checkpoint_text(kept)))
    assert len(texts) > 1
    again = prove(scenario, resume=read_checkpoint(texts[len(texts) // 2]))
    assert _sums(again) == _sums(whole)


def test_checkpoint_that_was_changed_is_refused(tmp_path: Path) -> None:
    kept = prove(_scenario(tmp_path, "exit"), 1).checkpoint
    assert kept is not None
    text = checkpoint_text(kept)
    for other in (text.replace('"seconds":', '"seconds":1'), text[: text.rindex(",")] + "}"):
        with pytest.raises(BadCheckpoint, match="checksum"):
            read_checkpoint(other)


def _sums(proof: Proof) -> tuple[object, ...]:
    return proof.traces, proof.blocked, proof.steps, proof.endings, proof.estimate


def test_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, "pipe")
    kept = prove(scenario, 2, code="aa").checkpoint
    assert kept is not None
    with pytest.raises(BadCheckpoint, match="of other code: aa, and this is bb"):
        prove(scenario, 2, resume=kept, code="bb")
    with pytest.raises(BadCheckpoint, match="of another machine"):
        prove(replace(scenario, spec=replace(scenario.spec, cpus=3)), 2, resume=kept, code="aa")
    with pytest.raises(BadCheckpoint, match="of another scenario"):
        prove(_scenario(tmp_path, "kill"), 2, resume=kept, code="aa")
    with pytest.raises(BadCheckpoint, match="damaged"):
        prove(scenario, 2, resume={**kept, "parts": [[1]]}, code="aa")
    with pytest.raises(BadCheckpoint, match="no JSON"):
        read_checkpoint("{")
    with pytest.raises(BadCheckpoint, match="no checkpoint"):
        read_checkpoint("[]")


_SPINS = """\
import mmap, os
from workloads import guest
m = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(m, 0, 1)
    os._exit(0)
tries = 0
while guest.READ_ONCE(m, 0) == 0COUNTS:
    os.sched_yield()
    NEXT
os.waitpid(pid, 0)
print(tries)
"""


def test_loop_that_waits_is_certified_and_one_that_counts_goes_all_its_turns(
    tmp_path: Path,
) -> None:
    program = tmp_path / "waits.py"
    program.write_text(_SPINS.replace("COUNTS", "").replace("NEXT", "pass"))
    waits = prove(scenario_of(program), 2_000)
    assert waits.complete and waits.unexplained == 0
    program = tmp_path / "counts.py"
    program.write_text(_SPINS.replace("COUNTS", " and tries < 3").replace("NEXT", "tries += 1"))
    turns: set[int] = set()

    class Noting(KernelSystem):
        def __call__(self, walk: Walk) -> object:  # type: ignore[override]
            run = super().__call__(walk)
            turns.add(run.names.count("atomic.read_once"))
            return run

    with following_all():
        explorer = Explorer(Noting(scenario_of(program)))
        while explorer.next() is not None and explorer.counts.traces < 2_000:
            pass
    assert explorer.counts.complete
    assert turns == {1, 2, 3, 4}


def test_loop_that_nobody_can_end_is_told_as_endless(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_SPINS.replace("COUNTS", "").replace("m, 0, 1", "m, 4, 1"))
    program.write_text(program.read_text().replace("NEXT", "pass"))
    proof = prove(scenario_of(program), 2_000)
    assert proof.failed is not None
    assert proof.failed.verdict.kind == "endless"
    assert len(proof.failed.actors) < 1_000


def test_dropped_lock_is_found_by_prove(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAMS["exit"])
    proof = prove(scenario_of(program, mutations=("do_wait.tasklist_lock",)))
    assert proof.failed is not None
    assert not proof.complete or proof.failed.verdict.kind != "clean"
    assert proof.certificate()["complete"] is False


def test_bounded_proof_states_its_bound_and_covers_runs_within_it(tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, "exit")
    proof = prove(scenario, preemptions=1)
    assert proof.complete
    certificate = proof.certificate()
    assert certificate["preemptions"] == 1
    assert certificate["not_covered"][0] == "orders with more than 1 preemption"
    assert "at most 1 preemption\n" in proof.text()
    assert prove(scenario).certificate()["preemptions"] is None
    kept = prove(scenario, 2, preemptions=1).checkpoint
    assert kept is not None
    with pytest.raises(BadCheckpoint, match="at most 1 preemption, and this is of orders of any"):
        prove(scenario, 2, resume=kept)


def test_bounded_search_shows_every_trace_of_runs_within_its_bound(tmp_path: Path) -> None:
    scenario = _scenario(tmp_path, "exit")
    shown: list[set[int]] = []
    for bound in (0, 1, 2, None):
        traces: set[int] = set()

        class Noting(KernelSystem):
            def __call__(self, walk: Walk, traces: set[int] = traces) -> object:  # type: ignore[override]
                run = super().__call__(walk)
                traces.add(_trace(walk.steps))
                return run

        with following_all():
            explorer = Explorer(Noting(scenario), bound=bound)
            while explorer.next() is not None:
                pass
        shown.append(traces)
    assert shown[0] <= shown[1] <= shown[2] <= shown[3]
    assert len(shown[0]) < len(shown[3])
