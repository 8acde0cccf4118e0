"""Where nothing can be written, nobody reads, or a signal comes early: a code and one line each."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """\
name: small
machine: {cpus: 1}
kernel: {acct: true}
workloads: [{program: ./prog.py}]
"""
PROGRAM = "import os\nprint('hello')\nos.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)\n"
LOST = "smplab: i/o error: standard output: "

# every command, with the exit code it has where all is well
COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "list": ["list"],
    "list of a program": ["list", "cow_touch"],
    "list of a topic": ["list", "points"],
    "schema": ["schema"],
    "validate": ["validate", "small.yaml"],
    "run": ["run", "small.yaml"],
    "run -q": ["run", "-q", "small.yaml"],
    "guest": ["guest", "prog.py"],
    "trace": ["trace", "latest"],
    "summary": ["summary", "latest"],
    "ps": ["ps", "latest"],
    "pstree": ["pstree", "latest"],
    "acct": ["acct", "latest"],
    "output": ["output", "latest"],
    "output of one": ["output", "latest", "prog"],
    "diff": ["diff", "prog.py", "--cpus", "1", "--granularity", "syscall"],
}
# the fast set has one that prints little, one that prints while it runs, one with a run directory
SAMPLE = ("validate", "guest", "run")
RARELY = [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow) for name in COMMANDS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("edges")
    (path / "small.yaml").write_text(CONFIG)
    (path / "prog.py").write_text(PROGRAM)
    done = smplab(path, "run", "-q", "small.yaml")
    assert done.returncode == 0, done.stderr
    return path


def smplab(folder: Path, *arguments: str, redirect: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f'exec "$0" -m cluster.entry "$@" {redirect}', sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )


@pytest.mark.parametrize("name", RARELY)
@pytest.mark.parametrize(
    ("redirect", "why"),
    [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")],
)
def test_a_stdout_that_cannot_be_written_is_one_line_and_code_3(
    name: str, redirect: str, why: str, folder: Path
) -> None:
    done = smplab(folder, *COMMANDS[name], redirect=redirect)
    assert (done.returncode, done.stderr) == (3, f"{LOST}{why}\n")


@pytest.mark.parametrize("name", RARELY)
@pytest.mark.parametrize("redirect", ["2>/dev/full", "2>&-"])
def test_a_stderr_that_cannot_be_written_changes_nothing_else(
    name: str, redirect: str, folder: Path
) -> None:
    done = smplab(folder, *COMMANDS[name], redirect=redirect)
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize("name", RARELY)
def test_a_stdout_that_nobody_reads_ends_a_command_without_a_word(name: str, folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cluster.entry", *COMMANDS[name]],
            cwd=folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failure_keeps_its_code_where_its_line_cannot_be_written(folder: Path) -> None:
    for redirect in ("2>/dev/full", "2>&-"):
        assert smplab(folder, "validate", "nothing.yaml", redirect=redirect).returncode == 2


def test_a_closed_descriptor_does_not_become_the_trace(folder: Path) -> None:
    done = smplab(folder, "run", "small.yaml", "--out", "closed", redirect=">&- 2>&- <&-")
    assert done.returncode == 3
    assert smplab(folder, "summary", "closed/latest", "--verify").returncode == 0


def test_a_config_that_is_a_fifo_nobody_writes_is_a_config_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cluster.cli.main import run_command
    from cluster.config import load

    monkeypatch.setattr(load, "FIFO_PATIENCE_S", 0)
    os.mkfifo(folder / "fifo.yaml")
    assert run_command(["validate", str(folder / "fifo.yaml")]) == 2
    assert "fifo.yaml: a FIFO that nobody has written for 0 s" in capsys.readouterr().err


def test_a_config_may_come_from_a_pipe(folder: Path) -> None:
    redirect = "< <(echo 'workloads: [{program: prefork_server}]')"
    assert smplab(folder, "validate", "/dev/stdin", redirect=redirect).returncode == 0


@pytest.mark.parametrize("command", ["acct", "summary", "ps", "pstree", "trace"])
def test_a_folder_that_is_no_run_directory_is_said_to_be_none(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cluster.cli.main import run_command

    assert run_command([command, str(tmp_path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(("smplab: bad run directory:", "smplab: no trace:"))


# A finder that raises a signal when a module is looked for: an interrupt in the midst of imports.
INTERRUPTED = """\
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            signal.raise_signal(int(sys.argv[2]))
sys.meta_path.insert(0, Finder())
where, number = sys.argv[1:3]
from cluster import entry
sys.argv = ["smplab", *sys.argv[3:]]
Finder.find_spec.__globals__["sys"] = type("S", (), {"argv": [0, where, number]})
entry.main()
"""


@pytest.mark.parametrize("module", ["typer", "cluster.build", "cluster.local_engine"])
@pytest.mark.parametrize(
    ("number", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_a_signal_during_imports_is_one_line_and_leaves_no_open_manifest(
    module: str, number: int, code: int, name: str, folder: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c", INTERRUPTED, module, str(int(number))),
            *("run", "small.yaml", "--out", str(tmp_path / "out")),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    assert (done.returncode, done.stderr) == (code, f"smplab: interrupted: stopped by {name}\n")
    for manifest in tmp_path.glob("out/*/manifest.json"):
        data = json.loads(manifest.read_text())
        assert (data["exit_code"], data["complete"]) == (code, False)
        assert data["finished"]


# An interrupt whose exception is lost, as in a finalizer, before the run begins.
LOST_INTERRUPT = """\
import signal, sys
import cluster.build
look_at_machine = cluster.build.look_at_machine
def lose(loaded):
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        pass
    return look_at_machine(loaded)
cluster.build.look_at_machine = lose
from cluster import entry
sys.argv[0] = "smplab"
entry.main()
"""


def test_an_interrupt_whose_exception_got_lost_still_ends_the_run(
    folder: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST_INTERRUPT, "run", "small.yaml", "--out", str(tmp_path)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    assert done.returncode == 143, done.stderr
    assert done.stderr == "smplab: interrupted: stopped by SIGTERM\n"
    [manifest] = tmp_path.glob("*/manifest.json")
    data = json.loads(manifest.read_text())
    assert (data["exit_kind"], data["exit_code"], data["complete"]) == ("interrupted", 143, False)
