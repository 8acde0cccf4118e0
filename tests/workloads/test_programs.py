"""The shipped guest programs, run on the host's kernel."""

from pathlib import Path

import pytest

import workloads
from cluster.native import NativeRun, run_native

PROGRAMS = Path(workloads.__file__).parent / "programs"

pytestmark = pytest.mark.native


def run(name: str, *args: str) -> NativeRun:
    return run_native(PROGRAMS / f"{name}.py", args)


def depths(result: NativeRun) -> list[int]:
    return [sum(node.depth == depth for node in result.tree) for depth in range(4)]


@pytest.mark.parametrize(
    ("name", "args", "output"),
    [
        ("fork_exec_storm", ["parents=2", "children=3"], "2 parents, 6 lifecycles"),
        ("fork_exec_storm", ["parents=1", "children=5", "window=3"], "1 parents, 5 lifecycles"),
        ("fork_exec_storm", ["parents=1", "children=0"], "1 parents, 0 lifecycles"),
        ("fork_exec_storm", ["parents=2", "children=2", "depth=3"], "2 parents, 12 lifecycles"),
        (
            "fork_exec_storm",
            ["parents=1", "children=2", "method=vfork", "image=/bin/false", "expect=1"],
            "1 parents, 2 lifecycles",
        ),
        (
            "fork_exec_storm",
            ["parents=1", "children=2", "method=posix_spawn"],
            "1 parents, 2 lifecycles",
        ),
        (
            "fork_exec_storm",
            ["parents=1", "children=4", "pages=8", "touch=uniform:0:8", "compute=exp:50us"],
            "1 parents, 4 lifecycles",
        ),
        ("thread_group_exit", ["groups=2", "threads=3"], "2 groups of 3 threads, mode exit_group"),
        (
            "thread_group_exit",
            ["groups=2", "threads=3", "mode=sigkill", "window=2"],
            "2 groups of 3 threads, mode sigkill",
        ),
        (
            "thread_group_exit",
            ["groups=2", "threads=3", "mode=leader_first"],
            "2 groups of 3 threads, mode leader_first",
        ),
        (
            "thread_group_exit",
            ["groups=2", "threads=3", "mode=exec_nonleader", "image=/bin/false", "expect=1"],
            "2 groups of 3 threads, mode exec_nonleader",
        ),
        ("prefork_server", ["requests=60", "retire=9"], "60 requests, 4 workers"),
        ("prefork_server", ["requests=40", "crash=7", "workers=2"], "40 requests, 2 workers"),
        ("cow_touch", [], "1 rounds, 4 children, 64 pages, private"),
        ("cow_touch", ["first=parent", "parent=75"], "1 rounds, 4 children, 64 pages, private"),
        ("cow_touch", ["kind=shared", "rounds=2"], "2 rounds, 4 children, 64 pages, shared"),
        (
            "cow_touch",
            ["kind=shared", "first=parent", "parent=75"],
            "1 rounds, 4 children, 64 pages, shared",
        ),
    ],
)
def test_workload_checks_itself_and_ends_well(name: str, args: list[str], output: str) -> None:
    result = run(name, *args)
    assert result.status == 0, result.stderr.decode()
    assert result.stdout.decode() == f"{name}: {output}\n"


def test_storm_makes_one_process_per_lifecycle_below_its_parents() -> None:
    result = run("fork_exec_storm", "parents=3", "children=2", "depth=2")
    assert depths(result) == [1, 3, 6, 6]


def test_storm_reports_an_image_that_ends_differently() -> None:
    result = run("fork_exec_storm", "parents=1", "children=1", "image=/bin/false")
    assert result.outcome == "exit 1"
    assert b"ended with status 0x100" in result.stderr


def test_crashing_worker_is_killed_and_replaced() -> None:
    result = run("prefork_server", "requests=20", "workers=2", "retire=0", "crash=5")
    assert [node.outcome for node in result.tree].count("SIGKILL") == 4
    assert len(result.tree) == 1 + 2 + 4


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("fork_exec_storm", ["speed=1"], "unknown parameter 'speed=1' (known: children compute"),
        ("fork_exec_storm", ["parents"], "unknown parameter 'parents' (known:"),
        ("fork_exec_storm", ["parents=0"], "parents=0: not a whole number of at least 1"),
        ("fork_exec_storm", ["window=-1"], "window=-1: not a whole number of at least 1"),
        ("fork_exec_storm", ["expect=256"], "expect=256: an exit code is at most 255"),
        ("fork_exec_storm", ["method=spoon"], "method=spoon: not fork, vfork or posix_spawn"),
        ("fork_exec_storm", ["compute=50us"], "compute=50us: not a distribution like fixed:50us"),
        ("fork_exec_storm", ["compute=fixed:50"], "compute=fixed:50: not a distribution"),
        ("fork_exec_storm", ["compute=uniform:9us:1us"], "compute=uniform:9us:1us: not a distri"),
        ("fork_exec_storm", ["touch=fixed:4"], "touch=fixed:4: more than pages=0"),
        (
            "fork_exec_storm",
            ["method=posix_spawn", "compute=fixed:1us"],
            "posix_spawn runs no code in the child",
        ),
        ("thread_group_exit", ["mode=gently"], "mode=gently: not leader_first, exit_group"),
        ("thread_group_exit", ["threads=0"], "threads=0: not a whole number of at least 1"),
        ("prefork_server", ["window=513"], "window=513: not a whole number from 1 to 512"),
        ("prefork_server", ["compute=1"], "compute=1: not a time like 50us"),
        ("cow_touch", ["child=101"], "child=101: not a whole number from 0 to 100"),
        ("cow_touch", ["kind=odd"], "kind=odd: not private or shared"),
        ("cow_touch", ["first=nobody"], "first=nobody: not child or parent"),
    ],
)
def test_wrong_parameter_is_one_line_and_status_2(name: str, args: list[str], message: str) -> None:
    result = run(name, *args)
    assert result.outcome == "exit 2"
    text = result.stderr.decode()
    assert text.startswith(f"{name}: {message}")
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "status", "stdout", "stderr"),
    [
        (["bin_true"], "exit 0", b"", b""),
        (["bin_false"], "exit 1", b"", b""),
        (["bin_echo", "a", "b  c"], "exit 0", b"a b  c\n", b""),
        (["bin_echo", "-n", "x"], "exit 0", b"x", b""),
        (["bin_echo", "-e", r"a\tb\x41\0101\n\cno"], "exit 0", b"a\tbAA\n", b""),
        (["bin_echo", "-x"], "exit 0", b"-x\n", b""),
        (["bin_sleep", "0.01"], "exit 0", b"", b""),
        (["bin_cat"], "exit 0", b"", b""),
        (
            ["bin_cat", "/nowhere"],
            "exit 1",
            b"",
            b"cat: /nowhere: No such file or directory\n",
        ),
        (["bin_kill", "-9", "999999"], "exit 1", b"", None),
        (["bin_kill", "-s", "SIGNONE", "1"], "exit 1", b"", b"kill: unknown signal SIGNONE\n"),
        (["bin_sh", "-c", "exit 7"], "exit 7", b"", b""),
        (["bin_sh", "-c", "kill -9 $$"], "SIGKILL", b"", b""),
        (["bin_sh", "-c", "echo 'a  b' \"c\"d\\ e"], "exit 0", b"a  b cd e\n", b""),
        (["bin_sh", "-c", "nothing here"], "exit 127", b"", b"sh: 1: nothing: not found\n"),
        (["bin_sh", "-c", "/"], "exit 126", b"", b"sh: 1: /: Permission denied\n"),
        (["bin_sh", "-c", "  # only a comment"], "exit 0", b"", b""),
    ],
)
def test_images_behave_as_the_real_programs(
    args: list[str], status: str, stdout: bytes, stderr: bytes | None
) -> None:
    result = run(*args)
    assert result.outcome == status
    assert result.stdout == stdout
    if stderr is not None:
        assert result.stderr == stderr


@pytest.mark.parametrize(
    "command", ["`a`", "alias a=b", "trap a INT", "f() { a; }", "ulimit -n 3", "set -x"]
)
def test_shell_refuses_what_it_does_not_have(command: str) -> None:
    result = run("bin_sh", "-c", command)
    assert result.outcome == "exit 2"
    assert b"support" in result.stderr
