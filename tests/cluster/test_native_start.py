"""Where native runs begin: the same, whoever starts the oracle; or the emulated machine follows."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.emulated import Machine, run_emulated
from cluster.native import surroundings
from cluster.native_start import FIXED, NotComparable, Surroundings, taken_over
from kernel.machine import SpawnSpec
from kernel.uapi.rlimit import RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_STACK

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "guest" / "start" / "inherited.py"

COMPARE = """
import json, sys
from pathlib import Path
from cluster.diff import Plan, diff_program
from cluster.diff_report import render_details
report = diff_program(Path(sys.argv[1]), plan=Plan((2,), granularities=("syscall",), max_runs=2))
print(json.dumps([report.verdict, render_details(report), report.host.runs[0].stdout.decode()]))
"""

# what stands in front of the command; "$@" is the command
CALLERS = {
    "nice": 'exec nice -n 5 "$@"',
    "umask": 'umask 077; exec "$@"',
    "descriptors": 'ulimit -n 128; exec "$@"',
    "cores and stack": 'ulimit -c unlimited; ulimit -s 4096; exec "$@"',
    "one CPU": 'exec taskset -c "$(taskset -cp $$ | sed "s/.*[:, -]//")" "$@"',
    "nohup": "trap '' HUP; exec \"$@\"",
    "ignored signals": "trap '' CHLD PIPE INT TERM USR1; exec \"$@\"",
    "environment and no input": (
        "export HOME=/nowhere PYTHONSAFEPATH=1 PYTHONHASHSEED=7 LANG=C SMPLAB_NATIVE_CALLS=1; "
        'exec "$@" <&-'
    ),
    "open files": 'exec "$@" 7</dev/null 9</dev/null',
    "batch": 'exec chrt --batch 0 "$@"',
}


def compare_from(caller: str, **options: object) -> list[str]:
    command = ["sh", "-c", caller, "sh", sys.executable, "-c", COMPARE, str(PROGRAM)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    result: list[str] = json.loads(done.stdout)
    return result


@pytest.mark.native
@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_outcome_does_not_depend_on_the_caller(caller: str) -> None:
    for tool in ("taskset", "chrt", "nice"):
        if tool in caller and shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    verdict, details, _ = compare_from(caller)
    assert verdict == "same", details


@pytest.mark.native
def test_blocked_signals_of_the_caller_are_not_blocked_in_a_native_run() -> None:
    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1))

    verdict, details, stdout = compare_from('exec "$@"', preexec_fn=block)
    assert verdict == "same", details
    assert "blocked []\n" in stdout


@pytest.mark.native
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give capabilities up like this")
@pytest.mark.parametrize("caller", ["nice -n 5", "env", "prlimit --nofile=128:256 --cpu=900:1000"])
def test_what_the_caller_may_not_set_back_is_taken_over(caller: str) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here")
    bound = "--bounding-set=-sys_nice,-sys_resource --no-new-privs"
    verdict, details, stdout = compare_from(f'exec {caller} setpriv {bound} "$@"')
    assert verdict == "same", details
    if "nice" in caller:
        assert stdout.startswith(f"nice {min(os.nice(0) + 5, 19)} ")
    if "prlimit" in caller:
        assert "limit 7 (256, 256)\n" in stdout and "limit 0 (1000, 1000)\n" in stdout
    assert "no_new_privs 1\n" in stdout


@pytest.mark.native
def test_native_runs_of_this_process_begin_at_the_fixed_place_or_say_where() -> None:
    start = surroundings()
    assert (start.umask, start.blocked, start.ignored) == (0o022, 0, 0)
    assert len(start.rlimits) == len(FIXED.rlimits)


def start_with(**changes: object) -> Surroundings:
    return FIXED._replace(**changes)  # type: ignore[arg-type]


def with_limit(which: int, soft: int, hard: int) -> Surroundings:
    limits = list(FIXED.rlimits)
    limits[which] = (soft, hard)
    return start_with(rlimits=tuple(limits))


SPAWN = SpawnSpec(path="/usr/bin/python3", argv=("python3", "p.py"))


def test_fixed_place_changes_nothing() -> None:
    assert taken_over(FIXED, SPAWN) == SPAWN


def test_nice_value_limits_and_adjustment_are_taken_over() -> None:
    spawn = taken_over(with_limit(RLIMIT_NOFILE, 64, 64)._replace(nice=5, oom_score_adj=300), SPAWN)
    assert (spawn.nice, spawn.oom_score_adj) == (5, 300)
    assert spawn.rlimits == ((RLIMIT_NOFILE, 64, 64),)


def test_what_cannot_be_taken_over_is_refused_with_every_reason() -> None:
    start = start_with(policy=5, umask=0o077, blocked=1 << 14, ignored=1)
    with pytest.raises(NotComparable) as refused:
        taken_over(start, SPAWN)
    text = str(refused.value)
    assert "policy 5" in text and "umask 077" in text
    assert "blocked on this host: SIGTERM" in text and "ignored on this host: SIGHUP" in text


def test_emulated_program_begins_where_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_text(
        "import os, resource\n"
        "print(os.nice(0), os.getuid(), resource.getrlimit(resource.RLIMIT_STACK), flush=True)\n"
        "if os.fork() == 0:\n"
        "    print(os.nice(1), resource.getrlimit(resource.RLIMIT_STACK), flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    start = with_limit(RLIMIT_STACK, 1 << 20, 2 << 20)._replace(nice=3, uid=7, gid=8)
    run = run_emulated(path, (), Machine(), check=True, start=start)
    assert run.problem == ""
    assert run.stdout == b"3 7 (1048576, 2097152)\n4 (1048576, 2097152)\n"


def test_emulated_program_that_begins_with_a_cpu_limit_is_held_to_it(tmp_path: Path) -> None:
    path = tmp_path / "p.py"
    path.write_text("while True:\n    pass\n")
    run = run_emulated(path, (), Machine(1), start=with_limit(RLIMIT_CPU, 1, 2))
    assert (run.problem, run.status) == ("", signal.SIGXCPU)
