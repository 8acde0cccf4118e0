"""exec: what runs, what fails in which order, what is kept and what is lost."""

import pytest

from kernel.errors import GuestFault
from kernel.process.exec import PYTHON_ACTION
from kernel.task import PF_FORKNOEXEC, PF_NPROC_EXCEEDED
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import (
    E2BIG,
    EACCES,
    EAGAIN,
    EBADF,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOEXEC,
    ENOTDIR,
)
from kernel.uapi.rlimit import RLIMIT_NPROC
from kernel.uapi.signals import (
    SIG_HANDLER,
    SIG_IGN,
    SIGCHLD,
    SIGINT,
    SIGKILL,
    SIGPIPE,
    SIGTERM,
    SIGUSR1,
    SIGXFSZ,
)


def execve(machine, task, path="/bin/true", argv=("true",), env=None):
    return machine.call(task, nr.NR_EXECVE, path, argv, env)


@pytest.mark.parametrize(
    ("path", "errno"),
    [("", ENOENT), ("/no", ENOENT), ("/bin/true/x", ENOTDIR), ("/bin", EACCES),
     ("/bin/private", EACCES), ("/bin/text", ENOEXEC), ("/bin/empty", ENOEXEC),
     ("/bin/lost", ENOENT), ("/bin/self", ELOOP), ("a" * 256, ENAMETOOLONG),
     ("a/" * 2100, ENAMETOOLONG)],
)  # fmt: skip
def test_files_that_do_not_run(machine, path, errno):
    mm = machine.first.mm
    assert machine.errno(machine.first, nr.NR_EXECVE, path, ("x",), None) == errno
    assert machine.first.mm is mm


def test_arguments_have_a_budget(machine):
    first = machine.first
    assert machine.errno(first, nr.NR_EXECVE, "/bin/true", ("a" * 131072,), ()) == E2BIG
    assert machine.errno(first, nr.NR_EXECVE, "/bin/true", ("a" * 1000,) * 3000, ()) == E2BIG
    assert execve(machine, first, argv=("a" * 131071,)) == machine.EXEC


def test_a_missing_file_is_told_before_too_many_arguments(machine):
    assert machine.errno(machine.first, nr.NR_EXECVE, "/no", ("a" * 131072,), ()) == ENOENT


def test_a_program_found_before_is_looked_at_again_after_the_tree_changed(machine):
    first = machine.first
    for mode, expected in ((0o755, machine.EXEC), (0o700, machine.EXEC)):
        child = machine.fork(first)
        machine.call(child, nr.NR_CHMOD, "/bin/true", mode)
        assert execve(machine, child) == expected
        assert execve(machine, child) == expected
    child = machine.fork(first)
    machine.call(child, nr.NR_CHMOD, "/bin/true", 0o644)
    assert machine.errno(child, nr.NR_EXECVE, "/bin/true", ("true",), None) == EACCES
    machine.call(child, nr.NR_UNLINK, "/bin/true")
    assert machine.errno(child, nr.NR_EXECVE, "/bin/true", ("true",), None) == ENOENT


def test_a_program_found_before_takes_as_long_to_find_again(machine):
    spent = []
    for _ in range(3):
        child = machine.fork(machine.first)
        before = machine.k.now_ns
        execve(machine, child)
        spent.append(machine.k.now_ns - before)
    assert len(set(spent)) == 1


def test_pid_parent_group_and_session_stay(machine):
    child = machine.fork(machine.first)
    before = child.pid, child.real_parent, child.signal.pgrp, child.signal.session
    assert execve(machine, child) == machine.EXEC
    assert (child.pid, child.real_parent, child.signal.pgrp, child.signal.session) == before
    assert child.comm == "true"
    assert not child.flags & PF_FORKNOEXEC


def test_comm_is_the_first_15_bytes_of_the_file_name(make):
    machine = make()
    from kernel.process.binprm import Binprm

    assert Binprm("/a/b/0123456789abcdefgh", (), (), None).comm == "0123456789abcde"
    assert machine.first.comm == "first"


def test_script_runs_its_interpreter_under_the_scripts_name(machine):
    execve(machine, machine.first, "/bin/script", ("script", "1"))
    _, _, pid, image, argv, _, comm, *_ = machine.exec_answer
    assert (pid, image, comm) == (machine.first.pid, "true", "script")
    assert argv == ("/bin/true", "-x y", "/bin/script", "1")


@pytest.mark.parametrize(
    ("path", "argv"),
    [("/usr/bin/python3", ("python3", "prog.py", "1")),
     ("/usr/bin/python3", ("python3", "-u", "/prog.py", "1")),
     ("/prog.py", ("whatever", "1"))],
)  # fmt: skip
def test_python_runs_the_program_its_arguments_name(machine, path, argv):
    execve(machine, machine.first, path, argv)
    _, _, _, image, args, _, comm, *_ = machine.exec_answer
    assert image == "/prog.py"
    assert args[0].endswith("prog.py") and args[1:] == ("1",)
    assert comm == "python3"


def test_python_without_its_program_says_so_as_cpython_does(machine):
    execve(machine, machine.first, "/usr/bin/python3", ("python3", "nope.py"))
    assert machine.exec_answer[3] == "python3-cant-open"
    assert machine.exec_answer[4] == ("python3", "/nope.py", "2")


def test_python_for_anything_but_a_program_file_is_refused(machine):
    for argv in (("python3",), ("python3", "-c", "1"), ("python3", "/bin/text")):
        with pytest.raises(GuestFault):
            execve(machine, machine.first, "/usr/bin/python3", argv)


def test_no_environment_means_the_one_of_the_last_exec(machine):
    execve(machine, machine.first, env=(("A", "1"),))
    child = machine.fork(machine.first)
    execve(machine, child)
    assert machine.exec_answer[5] == (("A", "1"),)


def test_close_on_exec_descriptors_close_and_others_stay(machine):
    first = machine.first
    reader, writer = machine.call(first, nr.NR_PIPE2, 0o2000000)
    execve(machine, first)
    assert machine.errno(first, nr.NR_CLOSE, reader) == EBADF
    assert machine.errno(first, nr.NR_CLOSE, writer) == EBADF
    assert machine.call(first, nr.NR_CLOSE, 1) is None


def test_ignored_signals_stay_ignored_and_caught_ones_do_not(machine):
    machine.first.sighand.action = {SIGTERM: SIG_IGN, SIGUSR1: SIG_HANDLER}
    execve(machine, machine.first)
    assert machine.first.sighand.action == {SIGTERM: SIG_IGN}
    execve(machine, machine.first, "/prog.py", ("x",))
    expected = {SIGTERM: SIG_IGN, SIGPIPE: SIG_IGN, SIGXFSZ: SIG_IGN, SIGINT: SIG_HANDLER}
    assert machine.first.sighand.action == expected


def test_python_guests_ignore_sigpipe_and_so_do_their_execs(machine):
    execve(machine, machine.first, "/prog.py", ("x",))
    assert machine.first.sighand.action is PYTHON_ACTION
    execve(machine, machine.first)
    assert machine.first.sighand.action == {SIGPIPE: SIG_IGN, SIGXFSZ: SIG_IGN}


def test_python_guests_catch_sigint_unless_it_was_ignored(machine):
    execve(machine, machine.first, "/prog.py", ("x",))
    assert machine.first.sighand.action[SIGINT] == SIG_HANDLER
    machine.first.sighand.action = {SIGINT: SIG_IGN}
    execve(machine, machine.first, "/prog.py", ("x",))
    assert machine.first.sighand.action[SIGINT] == SIG_IGN


def test_a_clone_child_that_execs_reports_sigchld(machine):
    pid = machine.call(machine.first, nr.NR_CLONE, 0)
    child = machine.k.find_task(pid)
    execve(machine, child)
    assert child.exit_signal == SIGCHLD


def test_exec_by_a_thread_takes_the_leaders_pid_and_place(machine):
    first = machine.first
    leader = machine.fork(first)
    sibling = machine.fork(first)
    pid = leader.pid
    start_ns = leader.start_time_ns
    threads = [machine.thread(leader) for _ in range(3)]
    caller = threads[1]
    tid = caller.pid
    assert execve(machine, caller) == machine.SLEEP
    for task in (threads[0], threads[2]):
        assert machine.user_work(task) == machine.DEAD
    if caller.on_rq:
        assert machine.resume(caller) == machine.SLEEP
    assert machine.user_work(leader) == machine.DEAD
    assert machine.resume(caller) == machine.EXEC
    assert (caller.pid, caller.tgid, caller.group_leader) == (pid, pid, caller)
    assert caller.start_time_ns == start_ns
    assert machine.exec_answer[2] == pid
    assert not machine.exists(tid)
    assert list(first.children) == [pid, sibling.pid]
    assert first.children[pid] is caller
    machine.exit(caller, 4)
    assert machine.wait(first)[:2] == (pid, 4 << 8)


def test_exec_by_the_leader_kills_the_other_threads(machine):
    leader = machine.fork(machine.first)
    thread = machine.thread(leader)
    assert execve(machine, leader) == machine.SLEEP
    assert machine.user_work(thread) == machine.DEAD
    assert machine.resume(leader) == machine.EXEC
    assert leader.signal.nr_threads == 1


def test_a_killed_process_gives_its_exec_up(machine):
    leader = machine.fork(machine.first)
    machine.thread(leader)
    execve(machine, leader)
    machine.call(machine.first, nr.NR_KILL, leader.pid, SIGKILL)
    assert machine.resume(leader) == machine.DEAD


def test_setuid_over_the_process_limit_fails_at_exec(machine):
    first = machine.first
    first.flags |= PF_NPROC_EXCEEDED
    first.signal.rlim = {RLIMIT_NPROC: (0, 0)}
    assert machine.errno(first, nr.NR_EXECVE, "/bin/true", ("true",), None) == EAGAIN
    first.signal.rlim = {}
    assert execve(machine, first) == machine.EXEC
    assert not first.flags & PF_NPROC_EXCEEDED


def spawn(machine, path, actions=(), group=None):
    return machine.call(
        machine.first, nr.NR_POSIX_SPAWN, path, ("x",), None, actions, group, shared=True
    )


def run_spawn_child(machine):
    """Make the calls the child's context asks for, until it has exec'd or died."""
    child = machine.k.find_task(machine.k.pids.last)
    op = child.ctx.resume(None, None)
    while True:
        answer = machine.send(child, 1, op, None)
        if answer in (machine.EXEC, machine.DEAD):
            return child
        op = next(e for e in machine.effects if e[1] == 3)[3]


def test_posix_spawn_returns_after_the_exec(machine):
    assert spawn(machine, "/bin/true", group=0) == machine.SLEEP
    child = run_spawn_child(machine)
    assert child.comm == "true"
    assert child.signal.pgrp is child.thread_pid
    assert machine.resume(machine.first) == child.pid


def test_posix_spawn_gives_the_childs_errno_and_leaves_no_child(machine):
    assert spawn(machine, "/no") == machine.SLEEP
    pid = machine.k.pids.last
    run_spawn_child(machine)
    with pytest.raises(Exception, match=str(ENOENT)):
        machine.resume(machine.first)
    assert not machine.exists(pid)
    assert not machine.first.children
    assert machine.first.blocked == 0


def test_posix_spawn_does_its_file_actions_in_the_child_only(machine):
    actions = ((0, 1, "/dev/null", 0, 0), (2, 1, 5), (1, 2), (1, 77))
    spawn(machine, "/bin/true", actions)
    child = run_spawn_child(machine)
    null = child.files.fd[0].inode
    assert sorted(child.files.fd) == [0, 1, 5]
    assert child.files.fd[1].inode is null and child.files.fd[5].inode is null
    assert sorted(machine.first.files.fd) == [0, 1, 2]


@pytest.mark.parametrize(("extra", "fits"), [(-1, True), (0, True), (1, False)])
def test_the_budget_is_exact_to_the_byte(machine, extra, fits):
    # measured on Linux 6.18: path, strings and pointers, of a stack limit of 8 MiB a quarter
    words = ("z", *["x" * 4000] * 510)
    used = len("/bin/true") + 1 + 8 * (len(words) + 1 + 1) + 2 + 510 * 4001 + len("NAME=value") + 1
    argv = (*words, "y" * ((2 << 20) - used - 1 + extra))
    env = (("NAME", "value"),)
    if fits:
        assert execve(machine, machine.first, argv=argv, env=env) == machine.EXEC
    else:
        assert machine.errno(machine.first, nr.NR_EXECVE, "/bin/true", argv, env) == E2BIG
