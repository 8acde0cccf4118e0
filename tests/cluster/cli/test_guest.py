"""``smplab guest``: settings, run directories, and a program's life at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.main import run_command
from kernel.sched.classes import classes_of, tunables_of

HELLO = """\
import os
import sys

pid = os.fork()
if pid == 0:
    os.execv("/bin/sleep", ["sleep", "0.001"])
_, status = os.waitpid(pid, os.WUNTRACED)
try:
    os.open("/nowhere", os.O_WRONLY | os.O_APPEND)
except OSError:
    os._exit(9)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.py").write_text(HELLO)
    return "hello.py"


def calls(text: str) -> list[str]:
    """Return lines without task and time."""
    return [line.split(" ", 2)[2] for line in text.splitlines()]


def test_strace_shows_calls_by_names_with_signals_and_ends(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["guest", "--strace", program]) == 9
    out, err = capsys.readouterr()
    assert out == ""
    shown = calls(err)
    for line in (
        "fork() = 4",
        "wait4(4, WSTOPPED <unfinished ...>",
        "<... wait4 resumed>) = 4 (WIFEXITED(s) && WEXITSTATUS(s) == 0)",
        'execve("/bin/sleep", ["sleep", "0.001"], environ) = 0',
        "nanosleep({tv_sec=0, tv_nsec=1000000}) = 0",
        'open("/nowhere", O_WRONLY|O_APPEND|O_CLOEXEC) = -1 ENOENT (No such file or directory)',
        "exit_group(9) = ?",
        "+++ exited with 9 +++",
    ):
        assert line in shown
    assert {line.split()[0] for line in err.splitlines()} == {"3", "4"}


def test_pstree_shows_every_process_that_ever_was(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["guest", "--pstree", program]) == 9
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("3 python3 ")
    assert ": exited with 9 after " in first
    assert second.startswith("`-4 python3 ")
    assert " => sleep 0.001: exited with 0 after 1." in second


def test_trace_and_out_keep_a_run_directory_that_other_commands_take(
    program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["guest", "--trace", "--set", "kernel.acct=true", program, "x"]) == 9
    assert run_command(["guest", "--out", "other", program]) == 9
    assert len(list((tmp_path / "other").iterdir())) == 1
    [directory] = (tmp_path / "runs").iterdir()
    manifest = json.loads((directory / "manifest.json").read_text())
    assert (manifest["complete"], manifest["exit_code"]) == (True, 9)
    assert manifest["config"]["workloads"] == [{"program": "hello.py", "args": ["x"]}]
    assert f"run directory runs/{directory.name}" in capsys.readouterr().err
    for command in (["summary", "--verify"], ["ps"], ["trace"], ["acct"], ["output"]):
        assert run_command([*command, "latest"]) == 0, command
    out = capsys.readouterr().out
    assert "sleep" in out


def test_without_them_nothing_is_left(program: str, tmp_path: Path) -> None:
    run_command(["guest", "--strace", "--pstree", program])
    assert [path.name for path in tmp_path.iterdir()] == ["hello.py"]


def test_settings_reach_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.py").write_text(
        "import os\n"
        "if os.fork() == 0:\n"
        "    os.execv('/bin/five', ['x'])\n"
        "status = os.waitstatus_to_exitcode(os.wait()[1])\n"
        "fd = os.open('/proc/sys/kernel/pid_max', os.O_RDONLY)\n"
        "os.write(1, b'%d %d ' % (status, os.cpu_count()) + os.read(fd, 99))\n"
    )
    settings = ["machine.pid_max=12345", "images={/bin/five: {exit_code: 5}}"]
    flags = [part for one in settings for part in ("--set", one)]
    options = ["--cpus", "3", "--granularity", "step", "--scheme", "barrier"]
    assert run_command(["guest", *flags, *options, "p.py"]) == 0
    assert capfdbinary.readouterr().out == b"5 3 12345\n"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--set", "vm.frok=cow"],
            "config error: --set vm.frok=cow: vm.frok: unknown key",
        ),
        (["--scheme", "x"], "config error: --scheme x: sync.scheme: must be"),
        (["--granularity", "x"], "config error: --granularity x: granularity: must be"),
        (["--set", "workloads.0.program=x"], "usage: --set workloads.0.program=x: not of a guest"),
        (["--out", "/proc/nothing"], "usage: --out: /proc/nothing: "),
    ],
)
def test_what_cannot_be_set_is_said(
    options: list[str], line: str, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["guest", *options, program]) == 2
    assert capsys.readouterr().err.startswith(f"smplab: {line}")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cpus": 200, "seed": 7, "granularity": "step", "scheme": "barrier"},
        {"cpus": 1, "seed": 42, "granularity": "syscall", "scheme": "exact"},
    ],
)
def test_a_guest_without_a_configuration_is_one_with_the_defaults_of_all_keys(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    from cluster.cli.guest_run import (
        GuestOptions,
        configured,
        configured_request,
        is_plain,
        plain_request,
    )

    program = tmp_path / "p.py"
    program.write_text("print(1)\n")
    chosen = GuestOptions(program, ["x"], **options)
    given = {"trace": False, "check": True, "unbuffered": True}
    assert is_plain(chosen)
    all_keys = configured_request(chosen, configured(chosen), given)
    no_keys = plain_request(chosen, given)
    for cls in classes_of(all_keys.spec):
        assert tunables_of(no_keys.spec, cls) == tunables_of(all_keys.spec, cls)
    no_keys.spec.sched_tunables = all_keys.spec.sched_tunables
    assert no_keys == all_keys


@pytest.mark.parametrize(
    "options", [{"engine": "ray"}, {"granularity": "stepp"}, {"scheme": "slack"}]
)
def test_what_only_a_configuration_can_say_or_refuse_is_left_to_it(options: dict[str, str]) -> None:
    from cluster.cli.guest_run import GuestOptions, is_plain

    assert not is_plain(GuestOptions(Path("p.py"), **options))


def test_a_run_that_can_never_be_made_again_says_so_in_one_line(
    program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy = Path(__file__).parents[1] / "sync" / "shuffled.py"
    options = ["guest", "--scheme", f"{toy}:Shuffled"]
    assert run_command([*options, program]) == 9
    assert capsys.readouterr().err == (
        "smplab: note: scheme shuffled is not deterministic: this run cannot be made again "
        "without --out, which keeps its order log\n"
    )
    assert run_command([*options, "--out", "kept", program]) == 9
    assert "not deterministic" not in capsys.readouterr().err
    assert len(list((tmp_path / "kept").glob("*/order.log"))) == 1
