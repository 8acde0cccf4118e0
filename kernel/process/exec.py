"""exec: a new program in the old process.

Two halves. ``prepare_exec`` finds out what would run and whether it may: everything that can fail
does so here, and the caller goes on unharmed. ``begin_new_exec`` is past the point of no return:
the other threads die, the caller becomes the leader with the process's pid, the memory is replaced
(which lets a vfork parent go), and what must not outlive a program is reset.

What runs: a file with an image; a script, through its ``#!`` line; for the image ``python3`` the
guest program that the arguments name, as CPython would find it.

Source: fs/exec.c, fs/binfmt_script.c.
Deviation: a ``#!/usr/bin/env python3`` line is followed in one step, without running env; the
interpreter of a guest program accepts the option -u only.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import bprm_creds
from kernel.errors import KernelError
from kernel.events import SCHED_PROCESS_EXEC, TASK_ARGS, TASK_RENAME
from kernel.fs.file import do_close_on_exec, dup_fd, put_files_struct
from kernel.fs.inode import is_terminal, set_mm_exe_file
from kernel.mm.mm import exit_mmap, mm_alloc, mmput
from kernel.mm.mm_types import MmStruct
from kernel.points import POINT, Path
from kernel.process.attrs import new_attrs
from kernel.process.binprm import PYTHON, Binprm, Env, prepare_exec
from kernel.process.de_thread import de_thread
from kernel.process.fork import seen_by_tracer
from kernel.process.limits import nproc_exceeded
from kernel.process.resource import setmax_mm_hiwater_rss
from kernel.process.vfork import mm_release
from kernel.ptrace.stops import ptrace_event
from kernel.task import (
    PF_FORKNOEXEC,
    PF_NPROC_EXCEEDED,
    SighandStruct,
    TaskStruct,
    files_of,
    fs_of,
)
from kernel.uapi.errno_ import EAGAIN
from kernel.uapi.ptrace import PTRACE_EVENT_EXEC
from kernel.uapi.signals import SIG_HANDLER, SIG_IGN, SIGCHLD, SIGINT, SIGPIPE, SIGXFSZ
from kernel.uapi.start import START_CLOSED, START_TERMINAL, START_UNBUFFERED

if TYPE_CHECKING:
    from kernel.kernel import Kernel

ARGS_SHOWN: Final = 256  # characters of a command line that the trace keeps

NO_ACTION: Final[dict[int, int]] = {}
# What CPython's start-up sets, where it finds the default.
PYTHON_ACTION: Final[dict[int, int]] = {
    SIGPIPE: SIG_IGN,
    SIGXFSZ: SIG_IGN,
    SIGINT: SIG_HANDLER,
}
_PYTHON_IGNORES: Final[dict[int, int]] = {SIGPIPE: SIG_IGN, SIGXFSZ: SIG_IGN}


class ExecResult:
    """What the CPU is told to start instead of returning to the caller (``kernel.entry``).

    Attributes:
        image: the loader's key. ``python3-cant-open`` is the interpreter that cannot read its
            program: ``argv`` is then (interpreter, absolute path, errno as text).
        argv: the program's arguments; for a guest program ``sys.argv``.
        env: its environment.
        old_pid: the caller's tid before it became the leader.
        start: how it finds itself started (``kernel.uapi.start``).
    """

    __slots__ = ("argv", "env", "image", "old_pid", "start")

    def __init__(
        self, image: str, argv: tuple[str, ...], env: Env, old_pid: int, start: int
    ) -> None:
        self.image = image
        self.argv = argv
        self.env = env
        self.old_pid = old_pid
        self.start = start


def sys_execve(
    k: "Kernel",
    path: str,
    argv: tuple[str, ...],
    env: Env | None,
    nameless: bool = False,
) -> Path[ExecResult]:
    """Run another program in this process.

    Args:
        path: its file.
        argv: its arguments, argv[0] included.
        env: its environment; None: the one the caller's program was started with.
        nameless: an error does not say ``path``, as that of CPython's execv() does not.

    Returns:
        ExecResult.

    Raises:
        KernelError: in this order: ENAMETOOLONG, ENOENT (empty path); EAGAIN (RLIMIT_NPROC was
            exceeded by setuid and still is); ENOENT, ENOTDIR, EACCES, ETXTBSY; E2BIG; ENOEXEC,
            ENOENT and ELOOP of an interpreter; ENOMEM; EAGAIN (another thread execs).
        GuestFault: REFUSED, a use of python3 that is not emulated.

    Source: fs/exec.c:do_execveat_common().
    """
    current = k.current
    try:
        if env is None:
            env = current.signal.env
        if current.flags & PF_NPROC_EXCEEDED and nproc_exceeded(k, current, current.cred):
            raise KernelError(EAGAIN)
        current.flags &= ~PF_NPROC_EXCEEDED
        if fs_of(current).users > 1:
            check_unsafe_exec(current)
        bprm = prepare_exec(k, path, argv, env)
        old_pid = current.pid
        old_tid = current.thread_pid
        yield from begin_new_exec(k, bprm)
    except KernelError as failed:
        k.stats.exec_failures += 1
        if current.fs is not None:
            current.fs.in_exec = False
        if nameless:
            failed.filename = None
        raise
    fs_of(current).in_exec = False
    k.stats.execs += 1
    if k.tracing:
        k.emit(SCHED_PROCESS_EXEC, (path, current.pid, old_pid))
    emit_args(k, current, bprm)
    if current.ptrace:
        yield from ptrace_event(k, PTRACE_EVENT_EXEC, seen_by_tracer(k, old_tid))
    start = start_bits(current, bprm)
    return ExecResult(bprm.key, bprm.argv, bprm.env, old_pid, start)


def start_bits(task: TaskStruct, bprm: Binprm) -> int:
    """Return how the program of ``bprm`` finds itself started by ``task``: kernel.uapi.start."""
    bits = START_UNBUFFERED if bprm.unbuffered else 0
    opened = files_of(task).fd
    for fd in (0, 1, 2):
        file = opened.get(fd)
        if file is None:
            bits |= START_CLOSED << fd
        elif is_terminal(file.inode):
            bits |= START_TERMINAL << fd
    return bits


def emit_args(k: "Kernel", task: TaskStruct, bprm: Binprm) -> None:
    """Record the command line of a new program, where it is more than the program's name."""
    if not k.tracing:
        return
    args = bprm.args
    if len(args) != 1 or args[0].rpartition("/")[2] != task.comm:
        program, rest = " ".join(args[: bprm.words]), " ".join(args[bprm.words :])
        k.emit(TASK_ARGS, (task.pid, program[:ARGS_SHOWN], rest[:ARGS_SHOWN]))


def check_unsafe_exec(task: TaskStruct) -> None:
    """Keep ``task``'s fs_struct from getting more users, if only its own threads share it.

    Source: fs/exec.c:check_unsafe_exec().
    """
    fs = fs_of(task)
    if fs.users <= sum(thread.fs is fs for thread in task.signal.threads):
        fs.in_exec = True


# -- after it ------------------------------------------------------------------------------------


def begin_new_exec(k: "Kernel", bprm: Binprm) -> Path[None]:
    """Replace the current task's program by ``bprm``.

    Raises:
        KernelError: EAGAIN, another thread execs or the process is being killed; ENOMEM; ETXTBSY,
            a writer came while the other threads were being killed.

    Source: fs/exec.c:begin_new_exec().
    Deviation: memory is allocated, and writers are kept out, after the other threads are gone,
    not before. So ENOMEM and ETXTBSY may find a process that has lost them.
    """
    task = k.current
    if len(task.signal.threads) > 1:
        yield from de_thread(k)
    # a clone's own exit signal was agreed upon with the program that goes
    task.exit_signal = SIGCHLD
    mm = mm_alloc(k, bprm.image)
    try:
        set_mm_exe_file(mm, bprm.inode, bprm.filename)
    except KernelError:
        exit_mmap(k, mm)  # nobody knows it yet
        raise
    # close-on-exec is this program's affair: who shared the table keeps it as it is
    files = files_of(task)
    if files.count > 1:
        task.files = dup_fd(k, files)
        yield from put_files_struct(k, files)
    if task.mm is not None:
        setmax_mm_hiwater_rss(task.signal, task.mm)
    yield from exec_mmap(k, task, mm)
    task.signal.args = ()  # the new memory has no command line until the program is laid out in it
    # handlers are addresses in the old memory: the defaults must not reach who shares them
    sighand = task.sighand
    if sighand.count > 1:
        sighand.count -= 1
        task.sighand = SighandStruct(k.new_lock("siglock"), sighand.action)
    task.flags &= ~PF_FORKNOEXEC
    if files_of(task).close_on_exec:
        yield from do_close_on_exec(k, files_of(task))
    bprm_creds(k, task)
    install_program(k, task, bprm)


def install_program(k: "Kernel", task: TaskStruct, bprm: Binprm) -> None:
    """Give ``task`` the name, environment and signal dispositions of its new program.

    Source: fs/exec.c:begin_new_exec(), setup_new_exec(), flush_signal_handlers().
    """
    if task.comm != bprm.comm:
        if k.tracing:
            k.emit(TASK_RENAME, (task.pid, task.comm, bprm.comm, 0))
        task.comm = bprm.comm
    task.self_exec_id += 1
    if task.attrs is not None and task.attrs.keep_caps:
        new_attrs(task).keep_caps = False
    task.signal.env = bprm.env
    task.signal.args = bprm.args
    task.sighand.action = exec_action(task.sighand.action, bprm.image.program == PYTHON)


def exec_action(action: dict[int, int], python: bool) -> dict[int, int]:
    """Return the dispositions after exec: ignored signals stay ignored, caught ones do not.

    For the Python interpreter, with what its start-up adds.

    Source: kernel/signal.c:flush_signal_handlers(); CPython Modules/signalmodule.c.
    """
    if action is PYTHON_ACTION:
        return action if python else _PYTHON_IGNORES
    base = PYTHON_ACTION if python else NO_ACTION
    new = dict(base)
    for sig, handler in action.items():
        if handler == SIG_IGN:
            new[sig] = SIG_IGN
    return base if new == base else new


def exec_mmap(k: "Kernel", task: TaskStruct, mm: MmStruct) -> Path[None]:
    """Swap the address space and drop the old one, waking a vfork parent and joiners.

    Source: fs/exec.c:exec_mmap().
    """
    old = task.mm
    yield from mm_release(k, task)
    yield "exec_mmap.mm", POINT, task
    task.mm = mm
    if old is not None:
        yield from mmput(k, old)
