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

from typing import TYPE_CHECKING, Any, Final

from kernel.cred.cred_guard import exec_guard_release
from kernel.cred.creds import bprm_creds
from kernel.errors import GuestFault, KernelError
from kernel.events import SCHED_PROCESS_EXEC, TASK_ARGS, TASK_RENAME
from kernel.fs.d_path import d_path
from kernel.fs.file import do_close_on_exec, dup_fd, put_files_struct
from kernel.fs.inode import content, is_terminal, set_mm_exe_file
from kernel.fs.namei import lookup, lookup_inode, path_lookup_exec
from kernel.messages import EFF_RENAME
from kernel.mm.mm import mm_alloc, mmput
from kernel.points import ACQUIRE, POINT, READ, RELEASE, SCHEDULE, Path
from kernel.process.attrs import new_attrs
from kernel.process.binfmt_script import BINPRM_BUF_SIZE, load_script
from kernel.process.fork import mm_release, seen_by_tracer
from kernel.process.limits import nproc_exceeded, rlimit
from kernel.process.pid import exchange_tids, transfer_pid
from kernel.process.release import release_task
from kernel.process.resource import setmax_mm_hiwater_rss
from kernel.ptrace.stops import ptrace_event
from kernel.signal.pending import fatal_signal_pending
from kernel.signal.send import wake_up_parent, zap_process
from kernel.smp.ttwu import set_current_state
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PF_FORKNOEXEC,
    PF_NPROC_EXCEEDED,
    SIGNAL_GROUP_EXIT,
    TASK_DEAD,
    TASK_KILLABLE,
    TASK_RUNNING,
    SighandStruct,
    TaskStruct,
    set_exit_state,
)
from kernel.uapi.errno_ import E2BIG, EAGAIN, EISDIR, ELOOP, ENOEXEC
from kernel.uapi.ptrace import PTRACE_EVENT_EXEC
from kernel.uapi.rlimit import RLIMIT_STACK
from kernel.uapi.signals import SIG_HANDLER, SIG_IGN, SIGCHLD, SIGINT, SIGPIPE, SIGXFSZ
from kernel.uapi.start import START_CLOSED, START_TERMINAL, START_UNBUFFERED

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.machine import ImageSpec
    from kernel.state import KernelState

MAX_ARG_STRLEN: Final = 32 * 4096
ARG_MAX: Final = 131072
ARGS_SHOWN: Final = 256  # characters of a command line that the trace keeps
MAX_INTERPRETERS: Final = 5
MAX_PROGRAMS: Final = 1024  # entries of Vfs.programs
TASK_COMM_LEN: Final = 16
PYTHON: Final = "python3"
PYTHON_PATH: Final = "/usr/bin/python3"
CANT_OPEN: Final = "python3-cant-open"

NO_ACTION: Final[dict[int, Any]] = {}
# What CPython's start-up sets, where it finds the default.
PYTHON_ACTION: Final[dict[int, Any]] = {
    SIGPIPE: SIG_IGN,
    SIGXFSZ: SIG_IGN,
    SIGINT: SIG_HANDLER,
}
_PYTHON_IGNORES: Final[dict[int, Any]] = {SIGPIPE: SIG_IGN, SIGXFSZ: SIG_IGN}

Env = tuple[tuple[str, str], ...]


class ExecResult:
    """What the driver starts instead of returning to the caller.

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


class Binprm:
    """A program about to be run (``linux_binprm``)."""

    __slots__ = (
        "args",
        "argv",
        "comm",
        "env",
        "filename",
        "image",
        "inode",
        "key",
        "unbuffered",
        "words",
    )

    def __init__(self, filename: str, argv: tuple[str, ...], env: Env, inode: "Inode") -> None:
        self.filename = filename
        self.argv = argv  # what the program is given
        self.args = argv  # what is on its stack: for python3 with the options before the file
        self.env = env
        self.inode = inode  # what the address space keeps writers out of
        self.comm = filename.rsplit("/", 1)[-1][: TASK_COMM_LEN - 1]
        self.image: ImageSpec = None  # type: ignore[assignment]  # set by search_binary_handler
        self.key = ""
        self.words = 1  # how many of ``args`` name the program: its interpreter's, from #!, too
        self.unbuffered = False  # python3 -u


def sys_execve(
    k: "KernelState",
    path: str,
    argv: tuple[str, ...],
    env: Env | None,
    nameless: bool = False,
) -> Path:
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
        GuestFault: NotImplementedError, a use of python3 that is not emulated.

    Source: fs/exec.c:do_execveat_common().
    """
    current = k.current
    try:
        if env is None:
            env = current.signal.env
        if current.flags & PF_NPROC_EXCEEDED and nproc_exceeded(k, current, current.cred):
            raise KernelError(EAGAIN)
        current.flags &= ~PF_NPROC_EXCEEDED
        if current.fs.users > 1:
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
    current.fs.in_exec = False
    k.stats.execs += 1
    k.emit(SCHED_PROCESS_EXEC, path, current.pid, old_pid)
    emit_args(k, current, bprm)
    if current.ptrace:
        yield from ptrace_event(k, PTRACE_EVENT_EXEC, seen_by_tracer(k, old_tid))
    start = start_bits(current, bprm)
    return ExecResult(bprm.key, bprm.argv, bprm.env, old_pid, start)


def start_bits(task: TaskStruct, bprm: Binprm) -> int:
    """Return how the program of ``bprm`` finds itself started by ``task``: kernel.uapi.start."""
    bits = START_UNBUFFERED if bprm.unbuffered else 0
    opened = task.files.fd
    for fd in (0, 1, 2):
        file = opened.get(fd)
        if file is None:
            bits |= START_CLOSED << fd
        elif is_terminal(file.inode):
            bits |= START_TERMINAL << fd
    return bits


def emit_args(k: "KernelState", task: TaskStruct, bprm: Binprm) -> None:
    """Record the command line of a new program, where it is more than the program's name."""
    args = bprm.args
    if len(args) != 1 or args[0].rpartition("/")[2] != task.comm:
        program, rest = args[: bprm.words], args[bprm.words :]
        k.emit(TASK_ARGS, task.pid, " ".join(program)[:ARGS_SHOWN], " ".join(rest)[:ARGS_SHOWN])


def check_unsafe_exec(task: TaskStruct) -> None:
    """Keep ``task``'s fs_struct from getting more users, if only its own threads share it.

    Source: fs/exec.c:check_unsafe_exec().
    """
    fs = task.fs
    if fs.users <= sum(thread.fs is fs for thread in task.signal.threads):
        fs.in_exec = True


# -- before the point of no return ---------------------------------------------------------------


def prepare_exec(k: "KernelState", path: str, argv: tuple[str, ...], env: Env) -> Binprm:
    """Find the program and check everything that can be checked; raises as sys_execve.

    A program found once is found again at the price of the search, until the file tree changes:
    ``Vfs.programs`` keeps what was found for whom from where.

    Source: fs/exec.c:alloc_bprm(), bprm_stack_limits(), search_binary_handler().
    """
    task = k.current
    cred, fs = task.cred, task.fs
    programs = k.vfs.programs
    key = (path, argv, env, fs.cwd, fs.root, cred.euid, cred.egid)
    found = programs.get(key)
    if found is not None and found[0].inode.i_writecount <= 0:
        k.now_ns += found[1]
        return found[0]  # type: ignore[no-any-return]
    started_ns = k.now_ns
    inode = path_lookup_exec(k, path)
    k.now_ns += k.costs.exec_base + k.costs.exec_per_arg * (len(argv) + len(env))
    if not argv and k.tasks.profile.exec_empty_argv_gets_name:
        argv = ("",)
    used, room = check_budget(k, path, argv, env)
    bprm = Binprm(path, argv, env, inode)
    search_binary_handler(k, bprm, room)
    # not what may depend on a script's content or on a resource limit
    if inode.image is not None and not inode.size and used <= ARG_MAX:
        if len(programs) >= MAX_PROGRAMS:
            programs.clear()
        programs[key] = (bprm, k.now_ns - started_ns)
    return bprm


def _size(text: str) -> int:
    """Return the bytes of a C string, its NUL included."""
    if text.isascii():
        return len(text) + 1
    return len(text.encode("utf-8", "surrogateescape")) + 1


def check_budget(k: "KernelState", path: str, argv: tuple[str, ...], env: Env) -> tuple[int, int]:
    """Return the bytes of arguments and environment, pointers included, and how many more fit.

    Raises:
        KernelError: E2BIG, they are too long.

    Source: fs/exec.c:bprm_stack_limits(), copy_strings().
    """
    stack = rlimit(k, k.current.signal, RLIMIT_STACK)
    limit = max(min(k.tasks.profile.exec_budget_ceiling, stack // 4), ARG_MAX)
    used = 8 * (max(len(argv), 1) + len(env)) + _size(path)
    for text in argv:
        size = _size(text)
        if size > MAX_ARG_STRLEN:
            raise KernelError(E2BIG, path)
        used += size
    for name, value in env:
        size = _size(name) + _size(value)  # NAME=VALUE: one NUL less, one "=" more
        if size > MAX_ARG_STRLEN:
            raise KernelError(E2BIG, path)
        used += size
    if used > limit:
        raise KernelError(E2BIG, path)
    return used, limit - used


def search_binary_handler(k: "KernelState", bprm: Binprm, room: int) -> None:
    """Follow ``#!`` lines to an image and set what runs.

    Args:
        room: bytes that the arguments may still grow by.

    Source: fs/exec.c:exec_binprm(), fs/binfmt_script.c:load_script().
    """
    path = bprm.filename
    inode = bprm.inode
    depth = 0
    while True:
        if depth > MAX_INTERPRETERS:
            raise KernelError(ELOOP, bprm.filename)
        if inode.image is not None and not inode.size:
            break  # an image; a guest program's file is its text, run by what its #! names
        depth += 1
        script = load_script(content(k, inode, BINPRM_BUF_SIZE))
        if script is None:
            raise KernelError(ENOEXEC, bprm.filename)
        interpreter, option = script
        words = [interpreter, option, path] if option else [interpreter, path]
        room += _size(bprm.argv[0]) - sum([_size(word) for word in words])
        if room < 0:
            raise KernelError(E2BIG, bprm.filename)
        rest = bprm.argv[1:]
        if interpreter == "/usr/bin/env" and option == PYTHON:
            bprm.argv = (PYTHON, path, *rest)
            bprm.comm = PYTHON
            bprm.words = 1
            interpreter = PYTHON_PATH
        else:
            bprm.argv = (*words, *rest)
            bprm.words += len(words) - 1
        try:
            # no name at all is the working directory here: open_exec() looks up what it is given
            inode = path_lookup_exec(k, interpreter or ".")
        except KernelError as failed:
            raise KernelError(failed.errno, bprm.filename) from None
        path = interpreter
    bprm.inode = inode
    bprm.image = inode.image
    bprm.key = inode.image.program
    bprm.args = bprm.argv
    if bprm.key == PYTHON:
        _find_guest_program(k, bprm)


def _find_guest_program(k: "KernelState", bprm: Binprm) -> None:
    """Choose the guest program that ``python3 [-u] FILE ARG…`` runs.

    Source: CPython Modules/main.c:pymain_run_file_obj().
    """
    argv = bprm.argv
    first = 1
    while first < len(argv) and argv[first] == "-u":
        first += 1
        bprm.unbuffered = True
    if first == len(argv) or argv[first].startswith("-"):
        raise GuestFault(
            "NotImplementedError",
            ("python3 is emulated for program files only: python3 [-u] FILE [ARG...]",),
        )
    script = argv[first]
    path = script if script.startswith("/") else f"{d_path(k, k.current.fs.cwd)}/{script}"
    if path.startswith("//"):
        path = path[1:]
    try:
        inode = lookup_inode(k, script)
        error = EISDIR if inode.entries is not None else 0
    except KernelError as failed:
        error = failed.errno
    if error:
        bprm.key = CANT_OPEN
        # sys.executable where runpy complains, else the name it was called by
        name = PYTHON_PATH if error == EISDIR else argv[0]
        bprm.argv = (name, path, str(error))
        return
    found = lookup(k, script)
    key = f"{d_path(k, found.directory)}/{found.name}".replace("//", "/")
    if inode.image is not None:
        key = inode.image.program
    if key not in k.spec.sources:
        raise GuestFault(
            "NotImplementedError", (f"{path} is not one of the program files of this run",)
        )
    bprm.key = key
    bprm.argv = argv[first:]


# -- after it ------------------------------------------------------------------------------------


def begin_new_exec(k: "KernelState", bprm: Binprm) -> Path:
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
    task.exit_signal = SIGCHLD
    mm = mm_alloc(k, bprm.image)
    try:
        set_mm_exe_file(mm, bprm.inode, bprm.filename)
    except KernelError:
        mmput(k, mm)
        raise
    files = task.files
    if files.count > 1:
        task.files = dup_fd(k, files)
        yield from put_files_struct(k, files)
    if task.mm is not None:
        setmax_mm_hiwater_rss(task.signal, task.mm)
    if k.stepwise or task.clear_child_tid or task.vfork_done is not None or task.mm is None:
        yield from exec_mmap(k, task, mm)
    else:
        old = task.mm
        task.mm = mm
        mmput(k, old)
    task.signal.args = ()  # the new memory has no command line until the program is laid out in it
    sighand = task.sighand
    if sighand.count > 1:
        sighand.count -= 1
        task.sighand = SighandStruct(k.new_lock("siglock"), sighand.action)
    task.flags &= ~PF_FORKNOEXEC
    if task.files.close_on_exec:
        yield from do_close_on_exec(k, task.files)
    bprm_creds(k, task)
    install_program(k, task, bprm)


def install_program(k: "KernelState", task: TaskStruct, bprm: Binprm) -> None:
    """Give ``task`` the name, environment and signal dispositions of its new program.

    Source: fs/exec.c:begin_new_exec(), setup_new_exec(), flush_signal_handlers().
    """
    if task.comm != bprm.comm:
        k.emit(TASK_RENAME, task.pid, task.comm, bprm.comm, 0)
        task.comm = bprm.comm
    task.self_exec_id += 1
    if task.attrs is not None and task.attrs.keep_caps:
        new_attrs(task).keep_caps = False
    task.signal.env = bprm.env
    task.signal.args = bprm.args
    task.sighand.action = exec_action(task.sighand.action, bprm.image.program == PYTHON)


def exec_action(action: dict[int, Any], python: bool) -> dict[int, Any]:
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


def exec_mmap(k: "KernelState", task: TaskStruct, mm: Any) -> Path:
    """Swap the address space and drop the old one, waking a vfork parent and joiners.

    Source: fs/exec.c:exec_mmap().
    """
    old = task.mm
    yield from mm_release(k, task)
    yield "exec_mmap.mm", POINT, task
    task.mm = mm
    if old is not None:
        mmput(k, old)


def de_thread(k: "KernelState") -> Path:
    """Kill the other threads of the process and become its leader, under the leader's pid.

    The caller has seen that there are others.

    Raises:
        KernelError: EAGAIN, the process is being killed or another thread execs.

    Source: fs/exec.c:de_thread().
    """
    task = k.current
    signal = task.signal
    siglock = task.sighand.siglock
    yield "de_thread.siglock", ACQUIRE, siglock
    if signal.flags & SIGNAL_GROUP_EXIT or signal.group_exec_task is not None:
        yield "de_thread.siglock_lost", RELEASE, siglock
        raise KernelError(EAGAIN)
    signal.group_exec_task = task
    signal.notify_count = yield from zap_process(k, task, spare=task)
    if task.group_leader is not task:
        signal.notify_count -= 1
    while signal.notify_count:
        yield from set_current_state(k, TASK_KILLABLE)
        yield "de_thread.siglock_wait", RELEASE, siglock
        if signal.notify_count:
            yield "de_thread.schedule", SCHEDULE, None
        yield from _de_thread_killed(k)
        yield "de_thread.siglock_again", ACQUIRE, siglock
    yield from set_current_state(k, TASK_RUNNING)
    yield "de_thread.siglock_done", RELEASE, siglock
    if task.group_leader is not task:
        yield from _take_leadership(k)
    signal.group_exec_task = None
    signal.notify_count = 0
    yield from exec_guard_release(k, signal)


def _de_thread_killed(k: "KernelState") -> Path:
    """Give the exec up if the caller is being killed.

    Source: fs/exec.c:de_thread(), label killed.
    """
    task = k.current
    if not fatal_signal_pending(task):
        return
    yield from set_current_state(k, TASK_RUNNING)
    yield "de_thread.killed_lock", READ, k.tasklist_lock
    task.signal.group_exec_task = None
    task.signal.notify_count = 0
    yield "de_thread.killed_unlock", RELEASE, k.tasklist_lock
    yield from exec_guard_release(k, task.signal)
    raise KernelError(EAGAIN)


def _take_leadership(k: "KernelState") -> Path:
    """Wait for the leader to be a zombie, take its place, and release it in silence.

    Source: fs/exec.c:de_thread(), the part for a thread that is not the leader.
    Deviation: a leader that is a zombie and still on its way into its last schedule() is waited
    for too, as wait_task_inactive() does: no CPU may know two tasks by one number.
    """
    task = k.current
    signal = task.signal
    leader = task.group_leader
    lock = k.tasklist_lock
    while True:
        yield "de_thread.tasklist_lock", ACQUIRE, lock
        signal.notify_count = -1
        if leader.exit_state:
            break
        yield from set_current_state(k, TASK_KILLABLE)
        yield "de_thread.tasklist_wait", RELEASE, lock
        yield "de_thread.schedule_leader", SCHEDULE, None
        yield from _de_thread_killed(k)
    yield from set_current_state(k, TASK_RUNNING)
    while leader.state != TASK_DEAD:
        yield "de_thread.tasklist_spin", RELEASE, lock
        k.now_ns += k.costs.lock_acquire
        yield "de_thread.tasklist_again", ACQUIRE, lock
    if k.now_ns < leader.msg_ns:
        k.now_ns = leader.msg_ns  # its CPU has been told that it is gone
    task.start_time_ns = leader.start_time_ns
    k.send_task(task.cpu, task, EFF_RENAME, leader.pid)
    exchange_tids(task, leader)
    transfer_pid(leader, task)
    k.tasks.replace(leader, task)
    family = leader.real_parent.children
    family[task.pid] = task
    task.real_parent = leader.real_parent
    if not task.ptrace:
        task.parent = task.real_parent
    task.group_leader = leader.group_leader = task
    signal.leader = task
    signal.threads.remove(task)
    signal.threads.insert(0, task)  # the leader comes first
    task.exit_signal = SIGCHLD
    leader.exit_signal = -1
    set_exit_state(leader, EXIT_ZOMBIE, EXIT_DEAD)
    if leader.ptrace:
        # its tracer may sleep for it and is not told otherwise
        yield from wake_up_parent(k, leader, leader.parent)
    yield "de_thread.tasklist_unlock", RELEASE, lock
    yield from release_task(k, leader)
