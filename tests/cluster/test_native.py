"""The oracle itself: what a run of a guest program on the host's kernel reports."""

import contextlib
import subprocess
import textwrap
from pathlib import Path

import pytest

from cluster.native import SUBREAPER, NativeError, _end, can_pin, isolation, run_native
from cluster.process_tree import (
    Call,
    Fork,
    Node,
    build_tree,
    describe_difference,
    last_calls,
    name_processes,
    outcome,
    same_tree,
)

pytestmark = pytest.mark.native


def program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text), "utf-8")
    return path


def forks(*pairs: tuple[int, int]) -> list[Fork]:
    return [Fork(parent, child, parent) for parent, child in pairs]


def test_output_status_and_tree_are_reported(tmp_path: Path) -> None:
    run = run_native(
        program(
            tmp_path,
            """
            import os, sys
            for code in (3, 4):
                if os.fork() == 0:
                    os._exit(code)
            os.wait(), os.wait()
            print(sys.argv[1:])
            sys.stderr.write("to stderr")
            sys.exit(5)
            """,
        ),
        ["a", "b c"],
    )
    assert run.stdout == b"['a', 'b c']\n"
    assert run.stderr == b"to stderr"
    assert run.outcome == "exit 5"
    assert run.tree == (Node(0, "exit 5"), Node(1, "exit 3"), Node(1, "exit 4"))


def test_orphan_stays_below_the_process_that_forked_it(tmp_path: Path) -> None:
    run = run_native(
        program(
            tmp_path,
            """
            import os, time
            if os.fork() == 0:
                if os.fork() == 0:
                    time.sleep(0.05)
                    os._exit(9)
                os._exit(1)
            os.wait()
            """,
        )
    )
    assert run.tree == (Node(0, "exit 0"), Node(1, "exit 1"), Node(2, "exit 9"))


def test_orphan_sees_init_as_its_parent_in_a_namespace(tmp_path: Path) -> None:
    if isolation()[0] == SUBREAPER:
        pytest.skip("this host allows no PID namespace")
    run = run_native(
        program(
            tmp_path,
            """
            import os
            print(os.getppid(), os.getpid() == os.getpgrp() == os.getsid(0))
            """,
        )
    )
    assert run.stdout == b"1 True\n"


def test_host_without_namespaces_still_reports_orphans_and_ends_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.native.isolation", lambda: (SUBREAPER, ()))
    text = """
        import os, sys, time
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                time.sleep(float(sys.argv[1]))
                os._exit(9)
            os._exit(1)
        print(os.getpid())
        os.wait()
        """
    run = run_native(program(tmp_path, text), ["0.05"])
    assert run.tree == (Node(0, "exit 0"), Node(1, "exit 1"), Node(2, "exit 9"))
    assert run.isolation == SUBREAPER
    with pytest.raises(NativeError, match="still running"):
        run_native(program(tmp_path, text), ["1000"], timeout_s=0.5)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # others end meanwhile
            assert str(tmp_path).encode() not in path.read_bytes()


def test_killed_process_has_no_core_bit(tmp_path: Path) -> None:
    run = run_native(program(tmp_path, "import os\nos.abort()\n"))
    assert run.outcome == "SIGABRT"


def test_posix_spawn_and_waitid_are_noted(tmp_path: Path) -> None:
    run = run_native(
        program(
            tmp_path,
            """
            import os
            pid = os.posix_spawn("/bin/false", ["false"], {})
            os.waitid(os.P_PID, pid, os.WEXITED)
            """,
        )
    )
    assert run.tree == (Node(0, "exit 0"), Node(1, "exit 1"))


def test_programs_started_with_their_own_environment_are_noted(tmp_path: Path) -> None:
    run = run_native(
        program(
            tmp_path,
            """
            import os, sys
            if len(sys.argv) == 1:
                os.execve(sys.executable, [sys.executable, __file__, "again"], {"A": "b"})
            if os.fork() == 0:
                os._exit(2)
            os.wait()
            print(os.environ["A"])
            """,
        )
    )
    assert run.stdout == b"b\n"
    assert run.tree == (Node(0, "exit 0"), Node(1, "exit 2"))


def test_autoreaped_child_has_an_unknown_end(tmp_path: Path) -> None:
    run = run_native(
        program(
            tmp_path,
            """
            import os, signal
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            if os.fork() == 0:
                os._exit(2)
            try:
                os.wait()
            except ChildProcessError:
                print("gone")
            """,
        )
    )
    assert run.tree == (Node(0, "exit 0"), Node(1, "?"))
    assert same_tree(run.tree, (Node(0, "exit 0"), Node(1, "exit 2")))


def test_program_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    path = program(tmp_path, "import os, time\nos.fork()\ntime.sleep(1000)\n")
    with pytest.raises(NativeError, match=r"still running after 0\.5 s"):
        run_native(path, timeout_s=0.5)


def test_missing_program_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NativeError, match="no such file"):
        run_native(tmp_path / "nothing.py")


def test_tree_lists_children_in_fork_order_whatever_their_pids() -> None:
    tree = build_tree(7, forks((7, 20), (20, 9), (7, 8), (9, 30)), {7: 0, 20: 256, 8: 9, 9: 512})
    assert tree == (
        Node(0, "exit 0"),
        Node(1, "exit 1"),
        Node(2, "exit 2"),
        Node(3, "?"),
        Node(1, "SIGKILL"),
    )


def test_children_that_two_threads_forked_are_sorted() -> None:
    statuses = {1: 0, 2: 256, 3: 0, 4: 512, 5: 0}
    one = [Fork(1, 2, 1), Fork(1, 3, 9), Fork(2, 4, 2), Fork(2, 5, 8)]
    other = [Fork(2, 5, 8), Fork(1, 3, 9), Fork(2, 4, 2), Fork(1, 2, 1)]
    assert build_tree(1, one, statuses) == build_tree(1, other, statuses)


def test_processes_are_named_by_their_place() -> None:
    assert name_processes(7, forks((7, 20), (20, 9), (7, 8))) == {
        7: "1",
        20: "1.1",
        9: "1.1.1",
        8: "1.2",
    }


def test_last_calls_are_told_by_process_with_their_results() -> None:
    calls = [
        Call(7, 7, "fork()", ""),
        Call(8, 8, "read(3, 1)", ""),
        Call(7, 7, "", "8"),
        Call(7, 70, "wait4(-1, 0)", ""),
        Call(8, 8, "", "b''"),
        Call(8, 8, "exit_group(0)", ""),
        Call(7, 70, "", "-1 EINTR"),
    ]
    assert last_calls(7, forks((7, 8)), calls) == [
        "process 1:",
        "  fork() = 8",
        "  [thread 2] wait4(-1, 0) = -1 EINTR",
        "process 1.1:",
        "  read(3, 1) = b''",
        "  exit_group(0)",
    ]
    assert last_calls(7, forks((7, 8)), calls, most=1)[:2] == [
        "process 1: …",
        "  [thread 2] wait4(-1, 0) = -1 EINTR",
    ]


def test_calls_are_noted_on_demand_and_held_up_on_demand(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        """
        import os, time
        if os.fork() == 0:
            os._exit(3)
        try:
            os.kill(1 << 22, 0)
        except ProcessLookupError:
            pass
        print(os.wait()[1])
        """,
    )
    run = run_native(path, calls=True, cpu=0 if can_pin() else None)
    assert run.stdout == b"768\n"
    assert "  kill(4194304, 0) = -1 ESRCH" in run.calls
    assert "process 1.1:" in run.calls and "  _exit(3)" in run.calls
    assert run_native(path).calls == ()
    held_up = run_native(path, jitter_us=2000)
    assert (held_up.stdout, held_up.tree, held_up.calls) == (run.stdout, run.tree, ())


def test_tree_refuses_a_pid_used_twice() -> None:
    with pytest.raises(ValueError, match="pid 5 was used twice"):
        build_tree(1, forks((1, 5), (1, 5)), {})


def test_tree_of_a_deep_chain_needs_no_recursion() -> None:
    tree = build_tree(1, forks(*((pid, pid + 1) for pid in range(1, 5000))), {})
    assert tree[-1].depth == 4999


def test_difference_of_trees_shows_the_first_place_only() -> None:
    left = build_tree(1, forks((1, 2), (1, 3), (3, 4)), {1: 0, 2: 0, 3: 256, 4: 0})
    right = build_tree(1, forks((1, 2), (1, 3)), {1: 0, 2: 0, 3: 9})
    assert describe_difference(left, left) == []
    lines = describe_difference(left, right)
    assert lines[0] == "4 processes against 3; they part at process 3:"
    assert [line[:2] for line in lines[1:]] == ["  ", "  ", "! ", "! "]
    assert "exit 1" in lines[3] and "SIGKILL" in lines[3]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "exit 0"),
        (0xFF00, "exit 255"),
        (9, "SIGKILL"),
        (0x8B, "SIGSEGV core"),
        (40, "signal 40"),
        (None, "?"),
    ],
)
def test_statuses_in_words(status: int | None, text: str) -> None:
    assert outcome(status) == text


def test_limits_that_a_program_sets_do_not_keep_its_forks_from_being_noted(
    tmp_path: Path,
) -> None:
    run = run_native(
        program(
            tmp_path,
            """
            import os, resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
            if os.fork() == 0:
                os._exit(5)
            os.wait()
            """,
        )
    )
    assert run.tree == (Node(0, "exit 0"), Node(1, "exit 5"))


def test_run_that_has_ended_by_itself_is_ended_without_a_word() -> None:
    with subprocess.Popen(["true"], start_new_session=True) as process:
        process.wait()
        _end(process, "pid namespace")
        _end(process, SUBREAPER)
        assert process.returncode == 0
