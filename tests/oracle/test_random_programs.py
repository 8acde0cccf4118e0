"""Random programs do on the emulator what they do on the host's kernel.

``python tests/oracle/random_programs.py`` runs many more. SCRIPTS are kept because they once
differed, or because they reach what few random ones reach.
"""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.native


def _load() -> ModuleType:
    path = Path(__file__).with_name("random_programs.py")
    spec = importlib.util.spec_from_file_location("random_programs", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


oracle = _load()
CHECKS = list(HealthCheck)

SCRIPTS = (
    # an exec'd child: no setpgid by its parent, wait by its new parent
    "1 fork 2; 2 again; 1 setpgid #2 0; 2 fork 3; 2 exit 4; 3 who; 1 wait -1 0; 3 exit 5",
    # the leader goes first; the process is waited for when the thread has gone
    "1 fork 2; 2 thread 3; 2 exit_thread 7; 1 wait #2 1; 1 kill #2 0; 3 exit_thread 9; 1 wait #2 0",
    # exec by a thread that is not the leader keeps the pid
    "1 fork 2; 2 thread 3; 3 fork 4; 3 again; 1 kill #2 19; 1 wait #2 2; 1 kill #2 9; 1 wait -1 0",
    # an orphaned group with a stopped member hangs up
    "1 fork 2; 2 fork 3; 2 setpgid #3 0; 2 kill #3 19; 2 exit 1; 1 wait -1 0; 1 wait -1 1",
    # a lock held over fork stays held in the child
    "1 acquire 1; 1 fork 2; 2 acquire 0; 2 release; 2 acquire 0; 1 acquire 0; 1 release; 1 release",
)


def host_allows() -> bool:
    """Tell whether this host can make PID namespaces."""
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if not host_allows():
        pytest.skip("this host has no PID namespaces for us")


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_script_does_what_it_does_on_the_host(script: str) -> None:
    pair = oracle.different(script)
    assert pair is None, f"host:\n{pair[0]}\nemulated:\n{pair[1]}"


@pytest.mark.slow
def test_invariants_hold_while_a_woken_reader_still_holds_a_closed_pipe() -> None:
    script = (
        "1 thread 2; 1 pipe 1; 2 close 1 1; 1 fork 3; 1 fork 4; 1 load 2; 2 nice 1; 1 store 1 8;"
        " 3 fork 5; 1 load 1; 2 who; 1 who"
    )
    machines = [(1, seed) for seed in range(1, 24, 2)]
    pair = oracle.different(script, machines=machines)
    assert pair is None, f"host:\n{pair[0]}\nemulated:\n{pair[1]}"


@pytest.mark.slow
@settings(max_examples=25, deadline=None, phases=(Phase.generate,), suppress_health_check=CHECKS)
@given(st.randoms(use_true_random=False), st.sampled_from((1, 2, 8)), st.integers(0, 1 << 32))
def test_random_script_does_what_it_does_on_the_host(
    choices: random.Random, cpus: int, seed: int
) -> None:
    # not shrunk here, each try takes seconds: --script ... --shrink does it
    script = oracle.Author(choices).script()
    pair = oracle.different(script, machines=[(cpus, seed)])
    assert pair is None, f"{script}\nhost:\n{pair[0]}\nemulated:\n{pair[1]}"
