"""The command line: exit codes, the one stderr line of each kind, no traceback."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import engine, engine_api
from cluster.catalogue import program_names
from cluster.cli.common import describe_status, overrides
from cluster.cli.main import run_command
from cluster.engine_api import RunRequest, RunResult
from cluster.exit_codes import OF_EXIT_KIND, report

Run = Callable[[RunRequest], RunResult]

SMALL = """\
name: small
machine: {cpus: 2}
workloads:
  - program: fork_exec_storm
    params: {parents: 2, children: 3}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[RunResult], list[RunRequest]]:
    """Replace the engine by one that gives a set result and keeps the requests."""

    def install(result: RunResult) -> list[RunRequest]:
        requests: list[RunRequest] = []

        def run_machine(request: RunRequest) -> RunResult:
            requests.append(request)
            return result

        monkeypatch.setattr(engine, "run_machine", run_machine)
        return requests

    return install


def the_run(tmp_path: Path, out: str = "runs") -> Path:
    [path] = (tmp_path / out).iterdir()
    return path


def test_every_exit_kind_has_an_exit_code() -> None:
    assert set(OF_EXIT_KIND) == set(engine_api.EXIT_KINDS) - {engine_api.DONE}


@pytest.mark.parametrize(
    ("kind", "code", "line"),
    [
        (engine_api.LIMIT, 1, "smplab: limit reached: told\n"),
        (engine_api.DEADLOCK, 1, "smplab: deadlock: told\n"),
        (engine_api.GUEST, 1, "smplab: guest program: told\n"),
        (engine_api.INVARIANT, 4, "smplab: invariant violated: told\n"),
        (engine_api.BROKEN, 3, "smplab: run broke: told\n"),
        (engine_api.INTERRUPTED, 130, "smplab: interrupted: stopped by Ctrl-C\n"),
    ],
)
def test_how_a_run_ends_decides_the_exit_code_and_the_line(
    kind: str,
    code: int,
    line: str,
    config: Path,
    fake_engine: Callable[[RunResult], list[RunRequest]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_engine(RunResult(kind, "told"))
    assert run_command(["run", "--quiet", str(config)]) == code
    assert capsys.readouterr().err == line
    manifest = json.loads((the_run(config.parent) / "manifest.json").read_text())
    assert manifest["exit_code"] == code
    assert manifest["complete"] == (code not in (3, 130))


MUTATED = ("--set", "granularity=step", "--set", "mutations=[do_wait.tasklist_lock]")


@pytest.mark.parametrize(
    "how", [RunResult(engine_api.INVARIANT, "told"), AssertionError("told"), KeyError("told")]
)
def test_a_kernel_with_mutations_that_breaks_has_a_code_of_its_own(
    how: RunResult | Exception,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run_machine(request: RunRequest) -> RunResult:
        if isinstance(how, Exception):
            raise how
        return how

    monkeypatch.setattr(engine, "run_machine", run_machine)
    assert run_command(["run", "--quiet", str(config), *MUTATED]) == 6
    error = capsys.readouterr().err
    assert error.startswith("smplab: mutation found: ")
    assert "told" in error
    assert json.loads((the_run(config.parent) / "manifest.json").read_text())["exit_code"] == 6


@pytest.mark.parametrize("kind", [engine_api.BROKEN, engine_api.INTERRUPTED, engine_api.INVARIANT])
def test_a_run_that_broke_prints_no_digest(
    kind: str,
    config: Path,
    fake_engine: Callable[[RunResult], list[RunRequest]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_engine(RunResult(kind, "told", digest="sha256:0" if kind != engine_api.BROKEN else ""))
    run_command(["run", "--quiet", str(config)])
    assert capsys.readouterr().out == ""


def test_log_lines_are_for_verbose_and_json(
    config: Path,
    fake_engine: Callable[[RunResult], list[RunRequest]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_engine(RunResult(engine_api.DONE))
    assert run_command(["run", str(config)]) == 0
    assert capsys.readouterr().err == ""
    assert run_command(["run", "-v", str(config)]) == 0
    assert "run started" in capsys.readouterr().err
    assert run_command(["run", "--log-format", "json", str(config)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["run started", "run ended"]


def test_names_that_guests_give_themselves_forge_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "prog.py"
    program.write_text(
        "import signal\nfrom workloads import guest\n"
        "guest.prctl(guest.PR_SET_NAME, '\\x1b[31mx\\nsmplab:')\nsignal.pause()\n"
    )
    assert run_command(["guest", str(program)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "\\x1b[31mx\\nsmplab: (3) sleeps in pause" in line


def test_what_a_failed_program_said_steers_no_terminal(
    config: Path,
    fake_engine: Callable[[RunResult], list[RunRequest]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    outputs = {"prog.stderr": b"\x1b]0;title\x07\x85one\r\nsmplab: two\xff\n"}
    fake_engine(RunResult(engine_api.DEADLOCK, "told", outputs=outputs))
    run_command(["run", "-q", str(config)])
    assert capsys.readouterr().err.split("\n")[1:] == [
        "prog: \\x1b]0;title\\x07\\x85one\\r",
        "prog: smplab: two\\xff",
        "",
    ]


def test_an_unexpected_exit_status_fails_the_run_and_shows_what_the_program_said(
    config: Path,
    fake_engine: Callable[[RunResult], list[RunRequest]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    statuses: list[tuple[str, int, int | None]] = [("a", 3, 0), ("b", 4, 1 << 8), ("c", 5, 9)]
    fake_engine(RunResult(engine_api.DONE, statuses=statuses, outputs={"b.stderr": b"oh\n"}))
    assert run_command(["run", "--quiet", str(config)]) == 1
    assert capsys.readouterr().err == (
        "smplab: expectation failed: b (pid 4) exited with 1, expected exit status 0\n"
        "smplab: expectation failed: c (pid 5) was killed by SIGKILL, expected exit status 0\n"
        "b: oh\n"
    )


def test_the_expected_exit_status_is_configurable(
    config: Path, fake_engine: Callable[[RunResult], list[RunRequest]]
) -> None:
    fake_engine(RunResult(engine_api.DONE, statuses=[("a", 3, 7 << 8)]))
    for expected, code in (("7", 0), ("any", 0), ("8", 1)):
        arguments = ["run", "-q", "--set", f"expect.exit_status={expected}", str(config)]
        assert run_command(arguments) == code


def test_flags_reach_the_engine(
    config: Path, fake_engine: Callable[[RunResult], list[RunRequest]]
) -> None:
    requests = fake_engine(RunResult(engine_api.DONE))
    arguments = [
        "run", "-q", str(config), "--engine", "ray", "--address", "head:6379", "--check",
        "--set", "ray.cpus_per_actor=4", "--link", "calls",
        "--set", "sync.quantum=5ms", "--set", "limits.wall_time=2s", "--out", "elsewhere",
    ]  # fmt: skip
    assert run_command(arguments) == 0
    [request] = requests
    assert (request.engine, request.address, request.cpus_per_actor) == ("ray", "head:6379", 4)
    assert (request.link, request.quantum_ns) == ("calls", 5_000_000)
    assert request.max_wall_s == 2.0
    assert request.spec.check
    assert request.out_dir is not None
    assert the_run(config.parent, "elsewhere").name == request.out_dir.name


def test_the_manifest_holds_the_config_with_every_default(
    config: Path, fake_engine: Callable[[RunResult], list[RunRequest]]
) -> None:
    fake_engine(RunResult(engine_api.DONE))
    assert run_command(["run", "-q", str(config)]) == 0
    manifest = json.loads((the_run(config.parent) / "manifest.json").read_text())
    assert manifest["config"]["machine"]["hz"] == 250
    assert manifest["config"]["workloads"][0]["params"]["children"] == "3"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["bogus"], "smplab: usage: No such command 'bogus'"),
        (["run"], "smplab: usage: Missing argument 'CONFIG'. (see smplab run --help)"),
        (["run", "--bogus", "x"], "smplab: usage: No such option: --bogus"),
        (["run", "nowhere.yaml"], "smplab: config error: nowhere.yaml: No such file or directory"),
        (["run", "."], "smplab: config error: .: Is a directory"),
        (["validate", "small.yaml", "--set", "x=1"], "smplab: config error: --set x=1: x: unknown"),
        (["run", "small.yaml", "--engine", "gpu"], "smplab: config error: --engine gpu: engine: "),
        (["run", "small.yaml", "--address", "auto"], "smplab: usage: --address is for --engine"),
        (["run", "small.yaml", "--log-format", "xml"], "smplab: usage: --log-format: must be "),
        (["guest"], "smplab: usage: Missing argument 'PROGRAM'. (see smplab guest --help)"),
        (["guest", "nowhere.py"], "smplab: config error: nowhere.py: No such file or directory"),
        (["guest", "--cpus", "0", "x.py"], "smplab: usage: --cpus: must be from 1 to 4096 (got 0)"),
        (["guest", "--seed", "x", "x.py"], "smplab: usage: Invalid value for '--seed': "),
        (["guest", "/dev/zero"], "smplab: config error: /dev/zero: not a regular file"),
        (["diff", "--cpus", "4097", "x.py"], "smplab: usage: --cpus: must be from 1 to 4096 (got"),
        (["diff", "--cpus", "1,many", "x.py"], "smplab: usage: --cpus: must be numbers with"),
        (
            ["diff", "--scheme", "laxer", "x.py"],
            "smplab: usage: --scheme: there is no scheme 'laxer' (there is: exact, barrier",
        ),
        (["diff", "--granularity", "x", "x.py"], "smplab: usage: --granularity: must be one of "),
        (["diff"], "smplab: usage: Missing argument 'PROGRAM... [-- ARG...]'. (see smplab diff"),
        (["diff", "word"], "smplab: usage: word: no such file; arguments of the program go after"),
        (["diff", "no.py"], "smplab: usage: no.py: no such file"),
        (["diff", "--timeout", "inf", "x.py"], "smplab: usage: Invalid value for '--timeout': "),
        (["guest", "--engine", "x", "x.py"], "smplab: usage: --engine: must be local or ray (got"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], line: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_program_outside_the_language_is_refused_before_anything_starts(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "bad.py").write_text("import socketserver\n")
    assert run_command(["guest", "bad.py"]) == 2
    assert capsys.readouterr().err.startswith("smplab: guest program: bad.py:1:")
    config.write_text("workloads: [{program: ./bad.py}]")
    assert run_command(["run", "small.yaml"]) == 2
    assert capsys.readouterr().err.startswith("smplab: guest program: bad.py:1:")
    assert not (config.parent / "runs").exists()


def test_ctrl_c_leaves_a_partial_run_directory(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_machine(request: RunRequest) -> RunResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "run_machine", run_machine)
    assert run_command(["run", "-q", str(config)]) == 130
    assert capsys.readouterr().err == "smplab: interrupted: stopped by Ctrl-C\n"
    manifest = json.loads((the_run(config.parent) / "manifest.json").read_text())
    assert (manifest["complete"], manifest["exit_code"]) == (False, 130)


def test_a_bug_is_an_internal_error_without_a_traceback(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_machine(request: RunRequest) -> RunResult:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(engine, "run_machine", run_machine)
    assert run_command(["run", "-q", str(config)]) == 3
    assert capsys.readouterr().err == (
        "smplab: internal error: RuntimeError: two lines (SMPLAB_TRACEBACK=1 shows more)\n"
    )


def test_a_host_without_memory_is_one_line_and_the_run_is_partial(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_machine(request: RunRequest) -> RunResult:
        raise MemoryError

    monkeypatch.setattr(engine, "run_machine", run_machine)
    assert run_command(["run", "-q", str(config)]) == 3
    assert capsys.readouterr().err == (
        "smplab: out of memory: the host gives this process no more\n"
    )
    manifest = json.loads((the_run(config.parent) / "manifest.json").read_text())
    assert (manifest["complete"], manifest["exit_code"]) == (False, 3)


def test_every_line_of_a_message_carries_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    report("config error", "a\nb")
    assert capsys.readouterr().err == "smplab: config error: a\nsmplab: config error: b\n"


def test_a_flag_that_stands_for_a_key_is_named_as_it_was_written() -> None:
    assert overrides(["seed=1"], engine=None, ray__address="auto", check=True) == [
        ("--set seed=1", "seed=1"),
        ("--address auto", "ray.address=auto"),
        ("--check", "check=true"),
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exited with 0"),
        (3 << 8, "exited with 3"),
        (int(signal.SIGSEGV), "was killed by SIGSEGV"),
        (50, "was killed by signal 50"),
        (None, "never ended"),
    ],
)
def test_a_wait_status_in_words(status: int | None, words: str) -> None:
    assert describe_status(status) == words


def test_list_names_what_configs_can_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["list"]) == 0
    out = capsys.readouterr().out
    for name in (*program_names(), "default", "cfs", "local", "ray", "exact", "barrier"):
        assert f"  {name}" in out


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "smplab configuration"


def test_help_and_version_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith("smplab ")
    assert run_command(["run", "--help"]) == 0
    assert "CONFIG" in capsys.readouterr().out


def test_the_command_starts_without_ray() -> None:
    code = (
        "import sys; from cluster.cli.main import run_command; run_command(['list']);"
        "sys.exit('ray' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert process.returncode == 0, process.stderr


def run_guest(tmp_path: Path, source: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "prog.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "cluster.entry", "guest", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(engine.__file__).parents[1])},
    )


def test_a_guest_has_the_output_and_exit_status_of_its_program(tmp_path: Path) -> None:
    source = "import sys\nprint(sys.argv)\nsys.stderr.write('to stderr\\n')\nsys.exit(7)\n"
    process = run_guest(tmp_path, source, "--cpus", "1", "prog.py", "--cpus", "--", "-x")
    assert process.stdout == "['prog.py', '--cpus', '--', '-x']\n"
    assert process.stderr == "to stderr\n"
    assert process.returncode == 7


def test_a_guest_that_a_signal_killed_exits_as_a_shell_reports_it(tmp_path: Path) -> None:
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    assert run_guest(tmp_path, source, "prog.py").returncode == 128 + signal.SIGKILL


def test_a_guest_writes_to_both_streams_in_order_while_it_runs(tmp_path: Path) -> None:
    source = (
        "import os, sys, time\n"
        "print('one')\nsys.stderr.write('two\\n')\nprint('three')\n"
        "while True:\n    time.sleep(1)\n"
    )
    (tmp_path / "prog.py").write_text(source)
    with subprocess.Popen(
        [sys.executable, "-m", "cluster.entry", "guest", "-u", "prog.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(engine.__file__).parents[1])},
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == [b"one\n", b"two\n", b"three\n"]
        process.terminate()
        assert process.stdout.read() == b"smplab: interrupted: stopped by SIGTERM\n"
        assert process.wait(60) == 143


def test_a_run_whose_table_nobody_reads_ends_with_its_own_exit_code(config: Path) -> None:
    command = [sys.executable, "-m", "cluster.entry", "run", str(config), "--set"]
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [*command, "expect.exit_status=3"], stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert process.returncode == 1
    assert b"Traceback" not in process.stderr


def test_a_small_run_prints_a_table_and_a_digest_that_comes_again(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = []
    for _ in range(2):
        assert run_command(["run", str(config), "--check"]) == 0
        out = capsys.readouterr().out
        digests += [line for line in out.splitlines() if line.startswith("digest ")]
    assert len(digests) == 2
    assert digests[0] == digests[1]
    assert len(list((config.parent / "runs").iterdir())) == 2


@pytest.mark.parametrize(
    ("settings", "scheme"),
    [
        ([], "exact"),
        (["machine.cpus=64"], "exact"),
        (["machine.cpus=65"], "barrier"),
        (["engine=ray"], "barrier"),
        (["sync.scheme=barrier"], "barrier"),
        (["machine.cpus=65", "sync.scheme=exact"], "exact"),
    ],
)
def test_a_run_takes_exact_where_it_can_and_the_machine_is_not_large(
    settings: list[str],
    scheme: str,
    config: Path,
    tmp_path: Path,
    fake_engine: Callable[[RunResult], list[RunRequest]],
) -> None:
    requests = fake_engine(RunResult(engine_api.DONE))
    options = [word for text in settings for word in ("--set", text)]
    assert run_command(["run", "small.yaml", "-q", *options]) == 0
    assert [request.scheme for request in requests] == [scheme]
    manifest = json.loads((the_run(tmp_path) / "manifest.json").read_text())
    assert manifest["config"]["sync"]["scheme"] == scheme


def test_validate_says_the_scheme_and_that_the_scheduler_is_the_profiles(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["validate", "small.yaml"]) == 0
    assert capsys.readouterr().out == (
        "small.yaml: valid: 2 CPUs, 1 program, engine local, scheme exact\n"
        "small.yaml: Linux 6.12, scheduler EEVDF of 6.12\n"
        "small.yaml: scheduling classes deadline, rt, eevdf, idle; child_runs_first off\n"
    )
    settings = ["--set", "linux=2.6.34", "--set", "sched.cfs.latency=9ms"]
    assert run_command(["validate", "small.yaml", *settings]) == 0
    assert capsys.readouterr().out.endswith(
        "Linux 2.6.34, scheduler CFS of 6.5 with the parameters of 2.6.34\n"
        "small.yaml: scheduling classes rt, cfs (latency 9ms), idle; child_runs_first off\n"
    )
