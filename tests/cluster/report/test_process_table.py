"""ps and pstree of a run: the table that the trace gives at any virtual time."""

from pathlib import Path

import pytest

from cluster.build import guest_spec, resolve
from cluster.cli.main import run_command
from cluster.config import parse_config
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.report.process_table import ProcessTable
from cluster.report.ps import ColumnError, format_time, parse_columns, ps_lines, pstree_lines
from cluster.trace import TraceReader, TraceRecord

PROGRAM = """
import os
import signal
import threading
import time


def idle():
    time.sleep(0.5)


leader = os.fork()
if leader == 0:
    os.setsid()
    os.nice(7)
    orphan = os.fork()
    if orphan == 0:
        time.sleep(1)
        os._exit(0)
    time.sleep(0.3)
    os._exit(0)
member = os.fork()
if member == 0:
    signal.pause()
os.setpgid(member, member)
os.kill(member, signal.SIGSTOP)
threading.Thread(target=idle, daemon=True).start()
fd = os.open("/proc/self/comm", os.O_WRONLY)
os.write(fd, b"first")
time.sleep(0.4)
os.kill(member, signal.SIGKILL)
time.sleep(0.4)
os.waitpid(member, 0)
os.waitpid(leader, 0)
"""


@pytest.fixture(scope="module", params=[("exact", 1), ("barrier", 4)])
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scheme, cpus = request.param
    folder = tmp_path_factory.mktemp("run")
    program = folder / "prog.py"
    program.write_text(PROGRAM)
    spec = guest_spec(program, [], cpus=cpus, seed=1)
    result = run_machine(RunRequest(spec, scheme=scheme, out_dir=folder))
    assert result.exit_kind == DONE, result.message
    return folder / "trace.smpt"


def table_at(trace: Path, at_ns: int | None) -> ProcessTable:
    with TraceReader(trace) as reader:
        return ProcessTable.at(reader.select(), at_ns)


def rows(trace: Path, at_ns: int, columns: str, *, threads: bool = False) -> list[str]:
    lines = ps_lines(table_at(trace, at_ns), parse_columns(columns), threads=threads)
    return [" ".join(line.split()) for line in lines]


def test_table_at_a_time_has_ids_states_and_names_of_that_time(trace: Path) -> None:
    found = rows(trace, 200_000_000, "ppid,pgid,sid,ni,stat,comm")
    assert found[:5] == [
        "PPID PGID SID NI STAT COMMAND",
        "0 1 1 0 Ss init",
        "0 0 0 0 S [kthreadd]",
        "1 3 3 0 Ssl first",
        "3 4 4 7 SNs python3",
    ]
    assert sorted(found[5:]) == ["3 5 3 0 T python3", "4 4 4 7 SN python3"]


def test_orphan_has_a_new_parent_and_zombies_stay_until_reaped(trace: Path) -> None:
    found = rows(trace, 600_000_000, "ppid,sid,state,comm")[3:]
    assert found[1:] == ["3 4 Z python3 <defunct>", "3 3 Z python3 <defunct>", "1 4 S python3"]


def test_at_the_end_only_what_boot_made_is_left(trace: Path) -> None:
    assert sorted(table_at(trace, None).tasks) == [1, 2]


def test_before_the_first_fork_the_table_is_that_of_boot(trace: Path) -> None:
    assert rows(trace, 20_000, "pid,comm") == ["PID COMMAND", "1 init", "2 [kthreadd]"]


def test_threads_have_lines_of_their_own(trace: Path) -> None:
    found = rows(trace, 200_000_000, "pid,tid,nlwp", threads=True)
    threads = [line.split() for line in found if line.startswith("3 ")]
    assert len(threads) == 2
    assert threads[0] == ["3", "3", "2"]
    assert threads[1][1] != "3"


def test_tree_has_threads_in_braces_and_children_by_pid(trace: Path) -> None:
    lines = pstree_lines(table_at(trace, 200_000_000), 3, pids=False)
    assert lines == ["first", "|-{python3}", "|-python3", "| `-python3", "`-python3"]


def test_time_a_task_ran_grows_and_is_never_more_than_the_clock(trace: Path) -> None:
    early, late = table_at(trace, 1_000_000), table_at(trace, 500_000_000)
    assert 0 < early.ran_ns(early.tasks[3]) <= 1_000_000
    assert early.ran_ns(early.tasks[3]) <= late.ran_ns(late.tasks[3]) <= 500_000_000


def test_time_reads_as_in_procps_with_microseconds() -> None:
    assert format_time(0) == "00:00:00.000000"
    assert format_time(((26 * 60 + 3) * 60 + 4) * 10**9 + 5_678) == "1-02:03:04.000005"


def test_unknown_columns_are_named_with_those_there_are() -> None:
    with pytest.raises(ColumnError, match=r"no column foo; there are .*ppid"):
        parse_columns("pid,foo")


def test_another_name_of_a_column_has_its_own_heading(trace: Path) -> None:
    names = "tgid,lwp,spid,pgrp,sess,thcount,cmd,ucmd,cputime"
    found = rows(trace, 200_000_000, names)
    assert found[:2] == [
        "TGID LWP SPID PGRP SESS THCNT CMD CMD TIME",
        rows(trace, 200_000_000, "pid,tid,tid,pgid,sid,nlwp,args,comm,time")[1],
    ]


def test_commands_print_and_complain(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["ps", str(trace), "--at", "200ms", "-o", "pid,comm"]) == 0
    assert "first" in capsys.readouterr().out
    assert run_command(["pstree", str(trace), "--at", "200ms", "--pid", "3"]) == 0
    assert capsys.readouterr().out.startswith("first(3)\n")
    assert run_command(["pstree", str(trace), "--pid", "77"]) == 2
    assert "no process 77" in capsys.readouterr().err
    assert run_command(["ps", str(trace.parent / "nothing")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert run_command(["ps", str(trace), "--at", "soon"]) == 2
    assert "no time" in capsys.readouterr().err


def test_a_command_is_the_name_and_the_arguments_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "a_name_longer_than_comm.py").write_text(
        "import os\nimport sys\n"
        "if len(sys.argv) == 2:\n"
        "    os.posix_spawn('/bin/sleep', ['sleep', '2', '3'], {})\n"
        "    os.execv('/usr/bin/python3', ['python3', sys.argv[0], 'two words', 'a\\x1bb'])\n"
        "os.wait()\n"
    )
    text = "workloads: [{program: ./a_name_longer_than_comm.py, args: [one]}]"
    loaded = parse_config("c.yaml", text, tmp_path)
    run_machine(RunRequest(resolve(loaded), out_dir=tmp_path))
    columns = "command,args"
    started = rows(tmp_path / "trace.smpt", 1_500_000, columns)
    script = "/usr/bin/python3 /srv/a_name_longer_than_comm.py one"
    assert f"a_name_longer_t one {script}" in started
    later = rows(tmp_path / "trace.smpt", 1_000_000_000, columns)
    path = "/srv/a_name_longer_than_comm.py"
    assert f"python3 {path} two words a\\x1bb python3 {path} two words a\\x1bb" in later
    assert "sleep 2 3 sleep 2 3" in later
    assert "init init" in later
    assert rows(tmp_path / "trace.smpt", 1_000_000_000, "comm")[-1] == "sleep"


def test_a_task_that_waits_is_on_the_cpu_that_it_was_moved_to() -> None:
    table = ProcessTable()
    names = {"comm": "task", "prio": 120, "pid": 7}
    made = {"pid": 7, "comm": "task", "clone_flags": 0, "oom_score_adj": 0}
    table.follow(TraceRecord(1, 2, 0, 0, "task_newtask", made))
    table.follow(TraceRecord(2, 0, 0, 0, "sched_wakeup_new", {**names, "target_cpu": 0}))
    moved = {**names, "orig_cpu": 0, "dest_cpu": 1}
    table.follow(TraceRecord(3, 1, 0, 1, "sched_migrate_task", moved))
    assert (table.tasks[7].cpu, table.tasks[7].state) == (1, "R")
