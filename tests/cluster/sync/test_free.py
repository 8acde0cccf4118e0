"""Scheme ``free``: with nobody who chooses it ends as ``exact``; with somebody any order is had."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.local_engine import LocalRun, run_local
from cluster.sync.scheme import SchemeError, Settings, make_scheme
from kernel.drive.chooser import Choice, InOrder

GUEST = Path(__file__).resolve().parents[2] / "guest"
PROGRAMS = (
    "exit/codes.py",
    "fork/exit_codes_in_a_row.py",
    "race/two_waiters_one_zombie_at_once.py",
    "race/vfork_child_execs.py",
    "race/full_pipe_against_close.py",
    "race/join_against_exit.py",
    "race/stop_against_continue.py",
)
FORK = """\
import os

for number in range(2):
    if os.fork() == 0:
        os._exit(number)
print(sorted(os.wait()[1] >> 8 for _ in range(2)))
"""


class Uniform(InOrder):
    """Takes any that can go, and holds everybody up for long."""

    def __init__(self, seed: int) -> None:
        self.widest = 0
        self._random = Random(seed)

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        self.widest = max(self.widest, len({entry.cpu for entry in enabled}))
        return self._random.randrange(len(enabled))

    def number(self, bound: int) -> int:
        """See ``Chooser.number``."""
        return 1 << 21 | 1


def run(program: Path, scheme: str, granularity: str, cpus: int = 4) -> RunResult:
    """Run a guest program."""
    spec = guest_spec(program, [], cpus=cpus, granularity=granularity, check=True)
    return run_local(RunRequest(spec, scheme=scheme, max_virtual_ns=60_000_000_000))


def outcome(result: RunResult) -> tuple[str, str, list[int], dict[str, bytes]]:
    """Return how a run ended, as far as its programs can tell."""
    assert result.exit_kind == DONE, result.message
    statuses = [status for _label, _pid, status in result.statuses]
    return result.exit_kind, result.message, statuses, result.outputs


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_the_default_chooser_programs_end_as_under_exact(name: str) -> None:
    path = GUEST / name
    assert outcome(run(path, "free", "step")) == outcome(run(path, "exact", "step"))


def test_at_granularity_syscall_it_does_what_exact_does() -> None:
    free, exact = (run(GUEST / PROGRAMS[1], name, "syscall") for name in ("free", "exact"))
    assert outcome(free) == outcome(exact)
    differ = {key for key in free.summary if free.summary[key] != exact.summary[key]}
    assert differ <= {"run", "wall"}  # the name of the scheme, and host time
    assert free.summary["run"]["virtual_ns"] == exact.summary["run"]["virtual_ns"]


def test_two_runs_have_the_same_digest() -> None:
    assert len({run(GUEST / PROGRAMS[0], "free", "step").digest for _ in range(2)}) == 1


def test_paths_of_several_cpus_are_due_at_once_and_any_choice_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "fork.py"
    path.write_text(FORK)
    spec = guest_spec(path, [], cpus=3, granularity="step", check=True)
    widest, digests = 0, set()
    for seed in range(16):
        local = LocalRun(RunRequest(replace(spec), scheme="free", max_virtual_ns=60_000_000_000))
        chooser = Uniform(seed)
        local.host.kernel.chooser = chooser
        result = local.run()
        assert (result.exit_kind, result.message) == (DONE, "")
        assert b"".join(result.outputs.values()) == b"[0, 1]\n"
        widest = max(widest, chooser.widest)
        digests.add(result.digest)
    assert widest == 3
    assert len(digests) > 1


def test_ray_has_it_not() -> None:
    with pytest.raises(SchemeError, match="free"):
        make_scheme("free", Settings(2, 1000, 0), "ray")
