"""Native against emulated: the comparison, sets of outcomes, and the tree read from a trace."""

import json
import textwrap
from pathlib import Path

import pytest

from cluster import diff
from cluster.compare import agree, closest, compare, plain_stderr
from cluster.diff import (
    EmulatedOutcome,
    HostOutcomes,
    NotCompared,
    Plan,
    ProgramReport,
    diff_program,
)
from cluster.diff_report import Failure, render_details, render_table, to_json
from cluster.emulated import EmulatedRun, Machine, family_of, run_emulated
from cluster.engine_api import DEADLOCK, GUEST, INVARIANT, LIMIT
from cluster.native import NativeRun
from cluster.native_start import FIXED
from cluster.process_tree import Node, build_tree
from cluster.trace import TraceReader, TraceWriter, encode_chunk
from kernel import events
from kernel.uapi.clone import CLONE_THREAD

TREE = (Node(0, "exit 0"), Node(1, "exit 3"))
NATIVE = NativeRun(b"one\ntwo\n", b"", 0, TREE, "pid namespace")


def native(**changes: object) -> NativeRun:
    fields: dict[str, object] = {"stdout": b"one\ntwo\n", "stderr": b"", "status": 0, "tree": TREE}
    return NativeRun(isolation="pid namespace", **{**fields, **changes})  # type: ignore[arg-type]


def emulated(**changes: object) -> EmulatedRun:
    fields: dict[str, object] = {
        "stdout": b"one\ntwo\n",
        "stderr": b"",
        "status": 0,
        "tree": TREE,
        "problem": "",
        "digest": "",
    }
    return EmulatedRun(**{**fields, **changes})  # type: ignore[arg-type]


def test_equal_runs_have_no_difference() -> None:
    assert compare(NATIVE, emulated()) == []
    assert agree(NATIVE, emulated())


def test_places_in_a_traceback_are_no_difference() -> None:
    host = b"""\
Exception in thread Thread-1 (f):
Traceback (most recent call last):
  File "threading.py", line 1045, in _bootstrap_inner
    self.run()
  File "p.py", line 3, in f
    g()
ValueError: no
"""
    ours = b"""\
Exception in thread Thread-1 (f):
Traceback (most recent call last):
  File "p.py", line 3, in f
    g()
ValueError: no
"""
    assert compare(native(stderr=host), emulated(stderr=ours)) == []
    other = ours.replace(b"no\n", b"yes\n")
    lines = compare(native(stderr=host), emulated(stderr=other))
    assert lines[0] == "standard error (- host, + emulated):"
    assert "  -ValueError: no" in lines and "  +ValueError: yes" in lines


def test_place_of_the_library_is_no_difference() -> None:
    host = b"Exception ignored in: <module 'threading' from '/opt/lib/threading.py'>\n"
    ours = b"Exception ignored in: <module 'threading' from '/usr/lib/python3.11/threading.py'>\n"
    assert plain_stderr(host) == plain_stderr(ours)


def test_indented_lines_outside_a_traceback_count() -> None:
    assert plain_stderr(b"a\n  b\n") == b"a\n  b\n"


def test_output_differs_line_by_line() -> None:
    lines = compare(NATIVE, emulated(stdout=b"one\nTWO\n", stderr=b"why\n"))
    assert lines[0] == "standard output (- host, + emulated):"
    assert "  -two" in lines and "  +TWO" in lines
    assert lines[-2:] == ["standard error, emulated:", "  why"]


def test_output_that_prints_alike_shows_its_bytes() -> None:
    lines = compare(NATIVE, emulated(stdout=b"one\ntwo"))
    assert lines[1:] == ["  - b'one\\ntwo\\n'", "  + b'one\\ntwo'"]


def test_exit_status_and_unfinished_runs_are_differences() -> None:
    assert compare(NATIVE, emulated(status=9)) == ["exit status: host exit 0, emulated SIGKILL"]
    broken = emulated(status=None, problem="deadlock: 2 tasks sleep")
    assert compare(NATIVE, broken) == [
        "the emulated run did not come to its end:",
        "  deadlock: 2 tasks sleep",
        "exit status: host exit 0, emulated never ended",
    ]
    assert not agree(NATIVE, emulated(problem="limit"))


def test_tree_is_a_difference() -> None:
    lines = compare(NATIVE, emulated(tree=TREE[:1]))
    assert lines[:2] == [
        "process tree (host | emulated):",
        "  2 processes against 1; they part at process 2:",
    ]


def test_process_whose_fork_nobody_noted_counts_by_its_end_only() -> None:
    host = native(tree=TREE[:1], strays=("exit 3",))
    assert agree(host, emulated())
    assert not agree(native(tree=TREE[:1], strays=("exit 4",)), emulated())


def test_nearest_outcome_is_the_one_that_agrees_in_most() -> None:
    far, near = native(stdout=b"", status=256), native(status=256)
    assert closest([far, near], emulated()) is near


def test_equal_host_runs_are_one_outcome() -> None:
    host = HostOutcomes()
    for run in (native(), native(stdout=b"other\n"), native()):
        host.add(run)
    assert (host.counts, host.total) == ([2, 1], 3)
    assert host.has(emulated(stdout=b"other\n")) and not host.has(emulated(status=9))


def test_plan_takes_every_machine_once() -> None:
    plan = Plan(cpus=(1, 8), seeds=(1, 2), granularities=("step",), schemes=("exact", "barrier"))
    machines = list(plan.machines())
    assert len(machines) == len(set(machines)) == 8
    assert machines[0] == Machine(1, 1, "step", "exact")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch):
    """Return ``script(host, emulated)``: what the runs of either side give, one after the other."""

    def script(host: list[NativeRun], ours: list[EmulatedRun]) -> list[dict[str, object]]:
        made: list[dict[str, object]] = []

        def run_host(*_args: object, **options: object) -> NativeRun:
            made.append(options)
            return host[min(len(made), len(host)) - 1]

        def run_ours(*_args: object, **_options: object) -> EmulatedRun:
            return ours.pop(0)

        monkeypatch.setattr(diff, "run_native", run_host)
        monkeypatch.setattr(diff, "run_emulated", run_ours)
        monkeypatch.setattr(diff, "surroundings", lambda: FIXED)
        return made

    return script


def test_host_runs_again_until_it_gives_the_emulated_outcome(scripted) -> None:
    other = native(stdout=b"other\n")
    made = scripted([NATIVE, NATIVE, NATIVE, other], [emulated(), emulated(stdout=b"other\n")])
    report = diff_program(Path("p.py"), plan=Plan(cpus=(1, 2), granularities=("syscall",)))
    assert report.same
    assert len(made) == 4
    assert {options["jitter_us"] for options in made[1:]} > {0}


def test_a_difference_counts_after_the_most_runs_only(scripted) -> None:
    made = scripted([NATIVE], [emulated(), emulated(stdout=b"other\n")])
    plan = Plan(cpus=(1, 2), granularities=("syscall",), max_runs=7)
    report = diff_program(Path("p.py"), plan=plan, explain=False)
    assert len(made) == 7
    assert [outcome.verdict for outcome in report.emulated] == ["same", "different"]
    assert "  +other" in report.emulated[1].explanation


def test_a_difference_counts_as_soon_as_the_host_shows_nothing_new(scripted) -> None:
    made = scripted([NATIVE], [emulated(stdout=b"other\n")])
    plan = Plan(cpus=(1,), granularities=("syscall",), max_runs=1000)
    report = diff_program(Path("p.py"), plan=plan, explain=False)
    assert report.verdict == "different"
    assert len(made) == diff.ENOUGH_RUNS


def test_an_outcome_that_an_unsaturated_host_has_not_shown_is_inconclusive(scripted) -> None:
    host = [native(stdout=b"%d\n" % number) for number in range(60)]
    made = scripted(host, [emulated(stdout=b"other\n")])
    plan = Plan(cpus=(1,), granularities=("syscall",), max_runs=60)
    report = diff_program(Path("p.py"), plan=plan)
    assert (report.verdict, report.same, len(made)) == ("inconclusive", False, 60)
    assert report.host.unseen == 1.0
    assert (
        report.emulated[0]
        .explanation[0]
        .startswith(
            "not seen on the host so far: 60 runs, 60 outcomes, 60 of them once, so about 100%"
        )
    )


def test_an_outcome_that_may_follow_from_the_order_of_a_set_is_inconclusive(scripted) -> None:
    scripted([NATIVE], [emulated(stdout=b"other\n", order_seen=True)])
    plan = Plan(cpus=(1,), granularities=("syscall",), max_runs=1000)
    report = diff_program(Path("p.py"), plan=plan)
    assert report.verdict == "inconclusive"
    assert "order is not defined" in report.emulated[0].explanation[0]


def test_a_run_that_breaks_off_is_a_difference_whatever_order_it_saw(scripted) -> None:
    scripted([NATIVE], [emulated(problem="deadlock: stuck", kind=DEADLOCK, order_seen=True)])
    plan = Plan(cpus=(1,), granularities=("syscall",), max_runs=1)
    assert diff_program(Path("p.py"), plan=plan, explain=False).verdict == "different"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("print({'a', 'b'})", True),
        ("for x in {'a', 'b'}:\n    print(x)", True),
        ("print({'a', 'b'}.pop())", True),
        ("a, b = {'a', 'b'}", True),
        ("print([*{'a', 'b'}])", True),
        ("print(sorted({'a', 'b'}), len({'a', 'b'}), 'a' in {'a', 'b'})", False),
        ("print({1, 2}, {'a'})", False),
    ],
)
def test_emulated_run_tells_whether_an_undefined_order_was_seen(
    tmp_path: Path, source: str, seen: bool
) -> None:
    path = tmp_path / "p.py"
    path.write_text(source + "\n")
    assert run_emulated(path, (), Machine(1)).order_seen == seen


def test_one_run_of_the_host_makes_no_difference(scripted) -> None:
    scripted([NATIVE], [emulated(stdout=b"other\n")])
    plan = Plan(cpus=(1,), granularities=("syscall",), max_runs=1)
    assert diff_program(Path("p.py"), plan=plan).verdict == "inconclusive"


def test_unseen_share_of_the_host_is_singletons_over_runs() -> None:
    host = HostOutcomes()
    assert (host.unseen, host.saturated) == (1.0, False)
    for number in (1, 1, 1, 2):
        host.add(native(status=number))
    assert (host.unseen, host.saturated) == (0.25, False)
    host.add(native(status=2))
    assert (host.unseen, host.saturated) == (0.0, True)


@pytest.mark.parametrize(
    ("run", "kind", "message"),
    [
        (
            emulated(problem="limit: too slow", kind=LIMIT),
            "emulated run failed",
            "too slow (on 1 CPU, seed 42, step, exact)",
        ),
        (
            emulated(problem="guest: p.py:3: budget", kind=GUEST),
            "guest program",
            "p.py:3: budget (on 1 CPU, seed 42, step, exact)",
        ),
        (
            emulated(problem="invariant: lost", kind=INVARIANT),
            "invariant violated",
            "lost (on 1 CPU, seed 42, step, exact)",
        ),
        (emulated(not_emulated=("a", "b")), "not emulated", "a\nb"),
    ],
)
def test_emulated_run_that_says_nothing_about_linux_is_not_compared(
    scripted, run: EmulatedRun, kind: str, message: str
) -> None:
    made = scripted([NATIVE], [run])
    with pytest.raises(NotCompared) as caught:
        diff_program(Path("p.py"), plan=Plan(cpus=(1,), granularities=("step",)))
    assert (caught.value.kind, caught.value.message, made) == (kind, message, [])


def test_program_whose_calls_have_no_native_form_is_not_compared(scripted) -> None:
    scripted([native(refused=("no native form",))], [emulated()])
    with pytest.raises(NotCompared, match="no native form"):
        diff_program(Path("p.py"), plan=Plan(cpus=(1,), granularities=("step",)))


def test_a_run_that_breaks_off_is_a_difference_at_once(scripted) -> None:
    made = scripted([NATIVE], [emulated(problem="deadlock: all sleep", kind=DEADLOCK)])
    report = diff_program(
        Path("p.py"), plan=Plan(cpus=(1,), granularities=("step",)), explain=False
    )
    assert not report.same and len(made) == 1


def test_table_and_details_name_programs_machines_and_differences() -> None:
    host = HostOutcomes()
    host.add(NATIVE)
    good = EmulatedOutcome(emulated(), (Machine(1), Machine(2)), "same")
    bad = EmulatedOutcome(
        emulated(status=9), (Machine(8, 3, "step"),), "different", ("exit status: …",)
    )
    open_ = EmulatedOutcome(emulated(status=9), (Machine(1),), "inconclusive", ("not seen",))
    rows = [
        ProgramReport("a.py", host, (good,)),
        ProgramReport("folder/b.py", host, (good, bad)),
        Failure("c.py", "guest program", "c.py:1:1: no classes"),
        ProgramReport("d.py", host, (good, open_)),
    ]
    assert render_table(rows).splitlines() == [
        "program      host runs  outcomes  emulated runs  outcomes  verdict",
        "a.py                 1         1              2         1  same",
        "folder/b.py          1         1              3         2  different",
        "c.py                 -         -              -         -  guest program",
        "d.py                 1         1              3         2  inconclusive",
        "4 programs, 1 different, 1 inconclusive, 1 not compared",
    ]
    assert render_details(rows[0]) == ""
    assert render_details(rows[1]).splitlines() == [
        "folder/b.py: different on (8 CPUs, seed 3, step, exact)",
        "  exit status: …",
    ]
    assert render_details(rows[2]) == "c.py: guest program: c.py:1:1: no classes"
    assert render_details(rows[3]).splitlines() == [
        "d.py: inconclusive on (1 CPU, seed 42, syscall, exact)",
        "  not seen",
    ]
    data = json.loads(json.dumps(to_json(rows)))
    assert [row["verdict"] for row in data] == [
        "same",
        "different",
        "guest program",
        "inconclusive",
    ]
    assert data[1]["emulated"][1]["machines"] == [Machine(8, 3, "step")._asdict()]


@pytest.mark.native
def test_a_difference_is_explained_by_the_last_calls_of_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.py"
    text = """
        import os
        if os.fork() == 0:
            os.kill(os.getpid(), 9)
        print(os.waitpid(-1, 0)[1])
        """
    path.write_text(textwrap.dedent(text), "utf-8")
    real = run_emulated

    def wrong(*args: object, **options: object) -> EmulatedRun:
        run = real(*args, **options)  # type: ignore[arg-type]
        return EmulatedRun(b"137\n", b"", run.status, run.tree, "", "", run.calls)

    monkeypatch.setattr(diff, "run_emulated", wrong)
    plan = Plan(cpus=(1,), granularities=("step",), max_runs=2)
    lines = diff_program(path, plan=plan).emulated[0].explanation
    assert lines[:4] == ("standard output (- host, + emulated):", "  @@ -1 +1 @@", "  -9", "  +137")
    emulated_at = lines.index("last system calls, emulated:")
    host_at = lines.index("last calls, host (noted by its interpreter, in a run of their own):")
    assert any("exit_group(0)" in line for line in lines[emulated_at:host_at])
    assert any(line.strip().startswith("kill(") for line in lines[emulated_at:host_at])
    assert any("waitpid(-1, 0) = " in line for line in lines[host_at:])


def test_tree_of_a_trace_counts_threads_to_their_process(tmp_path: Path) -> None:
    path = tmp_path / "trace.smpt"
    fork, new, end = (
        events.SCHED_PROCESS_FORK,
        events.TASK_NEWTASK,
        events.SCHED_PROCESS_EXIT,
    )
    rows = [
        (10, new, 1, 5, "prog", 0, 0),
        (10, fork, 1, "init", 1, "prog", 5),
        (20, new, 1, 6, "prog", CLONE_THREAD, 0),
        (20, fork, 1, "prog", 5, "prog", 6),
        (30, new, 1, 7, "prog", 0, 0),
        (30, fork, 1, "prog", 6, "prog", 7),  # a thread forks: the process's child
        (40, end, 1, "prog", 7, 120, True, 3 << 8),
        (50, end, 1, "prog", 5, 120, False, 0),
        (60, end, 1, "prog", 6, 120, True, 9),  # the last thread has the process's status
    ]
    with TraceWriter(path, ["cpu0", "cpu1", "kernel"]) as writer:
        writer.append(2, encode_chunk(rows))
    with TraceReader(path) as reader:
        family = family_of(reader.select(), 5)
    assert build_tree(5, family.forks, family.statuses) == (Node(0, "SIGKILL"), Node(1, "exit 3"))


def command(*arguments: object) -> int:
    from cluster.cli.main import run_command

    return run_command(["diff", *map(str, arguments), "--cpus", "1", "--granularity", "syscall"])


@pytest.mark.native
def test_command_takes_folders_and_json_and_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cluster.cli.main import run_command

    (tmp_path / "folder").mkdir()
    for name in ("a", "b"):
        (tmp_path / "folder" / f"{name}.py").write_text("import sys\nprint(sys.argv[1:])\n")
    options = ["--cpus", "1,2", "--granularity", "step", "--seeds", "2", "--json"]
    assert run_command(["diff", *options, str(tmp_path / "folder"), "--", "x", "--y"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [Path(row["program"]).name for row in rows] == ["a.py", "b.py"]
    assert [row["host"][0]["stdout"] for row in rows] == ["['x', '--y']\n"] * 2
    assert rows[0]["emulated"][0]["runs"] == 4


@pytest.mark.native
def test_exit_code_is_that_of_the_worst_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, refused, slow = (tmp_path / f"{name}.py" for name in ("good", "refused", "slow"))
    good.write_text("print(1)\n")
    refused.write_text("class C:\n    pass\n")
    slow.write_text("import time\ntime.sleep(5)\n")
    assert command(good) == 0
    assert "1 program, 0 different, 0 inconclusive, 0 not compared" in capsys.readouterr().out
    assert command(good, refused) == 2
    out = capsys.readouterr().out
    assert f"{refused}: guest program: {refused}:1:1: " in out
    assert "2 programs, 0 different, 0 inconclusive, 1 not compared" in out
    assert command(good, slow, refused, "--timeout", "1") == 3
    assert f"{slow}: host run failed: {slow}: still running after 1 s" in capsys.readouterr().out


@pytest.mark.native
def test_a_deadlock_is_a_difference_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.py"
    path.write_text("import os\nr, w = os.pipe()\nos.read(r, 1)\n")
    monkeypatch.setattr(diff, "run_native", lambda *_args, **_options: NATIVE)
    assert command(path) == 1
    out = capsys.readouterr().out
    assert "the emulated run did not come to its end:" in out
    assert "read(3, 1)" in out


def reports(verdicts: list[str]) -> list[ProgramReport | Failure]:
    host = HostOutcomes()
    host.add(NATIVE)
    rows: list[ProgramReport | Failure] = []
    for verdict in verdicts:
        if verdict in ("same", "different", "inconclusive"):
            outcome = EmulatedOutcome(emulated(), (Machine(1),), verdict)
            rows.append(ProgramReport("p.py", host, (outcome,)))
        else:
            rows.append(Failure("p.py", verdict, "why"))
    return rows


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["same"], 0),
        (["same", "inconclusive"], 5),
        (["inconclusive", "different"], 1),
        (["different", "guest program"], 2),
        (["not emulated", "same"], 2),
        (["not emulated", "host run failed"], 3),
        (["internal error", "different"], 3),
        (["invariant violated", "host run failed"], 4),
    ],
)
def test_exit_code_is_that_of_the_worst_verdict(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    verdicts: list[str],
    code: int,
) -> None:
    rows = iter(reports(verdicts))
    monkeypatch.setattr("cluster.cli.diff._diff_one", lambda *_args: next(rows))
    files = [tmp_path / f"{number}.py" for number in range(len(verdicts))]
    for file in files:
        file.write_text("")
    assert command(*files) == code
    assert f"{len(files)} program" in capsys.readouterr().out


def test_internal_error_is_the_verdict_of_its_program_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, *_args: object, **_options: object) -> ProgramReport:
        if path.name == "a.py":
            raise TypeError("a bug\nof ours")
        return reports(["same"])[0]  # type: ignore[return-value]

    monkeypatch.setattr(diff, "diff_program", broken)
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text("")
    assert command(*files) == 3
    out = capsys.readouterr().out
    assert f"{files[0]}: internal error: TypeError: a bug of ours\n" in out
    assert "2 programs, 0 different, 0 inconclusive, 1 not compared" in out


def test_ctrl_c_leaves_the_table_so_far_and_exit_code_130(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, *_args: object, **_options: object) -> ProgramReport:
        if path.name == "b.py":
            raise KeyboardInterrupt
        return reports(["same"])[0]  # type: ignore[return-value]

    monkeypatch.setattr(diff, "diff_program", interrupted)
    files = [tmp_path / f"{name}.py" for name in "abc"]
    for file in files:
        file.write_text("")
    assert command(*files) == 130
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "1 program, 0 different, 0 inconclusive, 0 not compared"
    assert captured.err == "smplab: interrupted: stopped by Ctrl-C, 1 of 3 programs compared\n"


@pytest.mark.native
def test_program_that_needs_what_is_not_emulated_is_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.py"
    path.write_text(
        "from workloads import guest\n"
        "try:\n"
        "    guest.clone(guest.CLONE_SETTLS | 17)\n"
        "except RuntimeError:\n"
        "    print('caught')\n"
    )
    assert command(path) == 2
    out = capsys.readouterr().out
    assert f"{path}: not emulated: clone(CLONE_SETTLS) needs a TLS block\n" in out


@pytest.mark.native
def test_program_of_the_emulator_alone_is_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.py"
    path.write_text(
        "from workloads import guest\n"
        "guest.clone(guest.CLONE_VM | guest.CLONE_VFORK | 17)\n"
        "guest.compute(1)\n"
    )
    assert command(path) == 2
    assert f"{path}: no native form: clone() with CLONE_VM" in capsys.readouterr().out


def test_a_scheme_of_ones_own_is_compared_like_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "one.py"
    program.write_text("import os\nif os.fork() == 0:\n    os._exit(3)\nprint(os.wait()[1])\n")
    toy = Path(__file__).parent / "sync" / "shuffled.py"
    assert command(program, "--scheme", f"exact,{toy}:Shuffled", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    schemes = [machine["scheme"] for found in row["emulated"] for machine in found["machines"]]
    assert schemes == ["exact", f"{toy}:Shuffled"]


def test_a_scheme_that_the_local_engine_has_not_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy = tmp_path / "far.py"
    text = (Path(__file__).parent / "sync" / "shuffled.py").read_text()
    toy.write_text(text.replace('frozenset(("local",))', 'frozenset(("ray",))'))
    assert command(tmp_path, "--scheme", f"{toy}:Shuffled") == 2
    assert "runs on ray, not on the local engine" in capsys.readouterr().err


def test_both_stands_for_every_granularity_and_scheme() -> None:
    from cluster.cli.diff import _both

    assert _both("both", ("syscall", "step")) == "syscall,step"
    assert _both("step", ("syscall", "step")) == "step"


def test_file_that_is_standard_input_stays_open_as_long_as_somebody_has_it(tmp_path: Path) -> None:
    program = tmp_path / "reads.py"
    program.write_text(
        textwrap.dedent(
            """
            import os

            os.write(1, os.read(0, 4))
            if os.fork() == 0:
                os.close(0)
                os._exit(0)
            os.wait()
            os.write(1, os.read(0, 4))
            """
        )
    )
    run = run_emulated(program, stdin=b"one\ntwo\n", check=True)
    assert (run.problem, run.stdout) == ("", b"one\ntwo\n")
