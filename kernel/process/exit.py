"""The end of a task: do_exit, telling the family, reaping.

do_exit goes through stages that others can tell apart: the memory is left (vfork parent and
joiners wake), then the files are closed (pipe readers see the end), then exit_notify makes the
zombie and tells the parent. Under tasklist_lock exit_notify hands the dying *thread's* children to
another thread of the process, else to the nearest subreaper, else to init; a zombie among them is
announced to its new parent.

A process's leader that exits before its other threads stays a zombie that nobody can wait for and
of which nobody is told; when the last other thread is released, release_task() tells the parent.

A task_struct has two references: one until it is released (reaped), one while a CPU still stands
on its kernel stack. The CPU's next task drops the second.

Source: kernel/exit.c.
Deviation: no POSIX timers. The SIGCHLD of a leader that left before its threads tells
the process's status, as from Linux 6.15 on; up to then it told the leader's own.
"""

from typing import TYPE_CHECKING

from kernel.cgroup.access import exit_cgroup
from kernel.drive.lockdep import assert_held
from kernel.errors import InvariantError, TaskDead
from kernel.events import SCHED_PROCESS_EXIT, TASK_CHANGE
from kernel.fs.file import put_files_struct
from kernel.fs.fs_struct import put_fs_struct
from kernel.ipc.sem import exit_sem
from kernel.mm.mm import mmput
from kernel.ns.nsproxy import exit_task_namespaces
from kernel.ns.pid_namespace import PidNamespace
from kernel.ns.zap import zap_pid_ns_processes
from kernel.points import ACQUIRE, ACQUIRE_INNER, BARRIER, RELEASE, RELEASE_INNER, STORE, Path
from kernel.process.acct import PF_ACCT, acct_flags, acct_mem, acct_process
from kernel.process.pid import (
    PIDTYPE_PGID,
    PIDTYPE_TGID,
    Pid,
    members_of,
    task_tgid_vnr,
)
from kernel.process.release import release_task, thread_group_empty
from kernel.process.resource import setmax_mm_hiwater_rss
from kernel.process.vfork import mm_release
from kernel.ptrace.link import exit_ptrace, ptrace_reparented
from kernel.ptrace.stops import ptrace_event
from kernel.signal.exit_signals import exit_signals
from kernel.signal.notify_parent import do_notify_parent
from kernel.signal.send import check_kill_permission, do_send_sig_info, zap_process
from kernel.smp.ttwu import wake_up_process
from kernel.smp.wait import wake_up_all
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PF_EXITING,
    SIGNAL_GROUP_EXIT,
    SIGNAL_STOP_STOPPED,
    SignalStruct,
    TaskStruct,
    set_exit_state,
)
from kernel.uapi.prio import DEFAULT_PRIO
from kernel.uapi.ptrace import PTRACE_EVENT_EXIT
from kernel.uapi.signals import SI_KERNEL, SIGCHLD, SIGCONT, SIGHUP

if TYPE_CHECKING:
    from kernel.kernel import Kernel


# -- system calls ----------------------------------------------------------------------------------


def sys_exit(k: "Kernel", code: int) -> Path[None]:
    """End the calling thread. Source: kernel/exit.c:exit()."""
    return do_exit(k, (code & 0xFF) << 8)


def sys_exit_group(k: "Kernel", code: int) -> Path[None]:
    """End all threads of the calling process. Source: kernel/exit.c:exit_group()."""
    return do_group_exit(k, (code & 0xFF) << 8)


def do_group_exit(k: "Kernel", exit_code: int) -> Path[None]:
    """End the process with a status, unless one is already fixed; never returns.

    Args:
        exit_code: a wait status: code << 8, or a signal number with 0x80 for a core dump.

    Source: kernel/exit.c:do_group_exit().
    """
    signal = k.current.signal
    if signal.flags & SIGNAL_GROUP_EXIT:
        exit_code = signal.group_exit_code
    elif signal.group_exec_task is not None:
        exit_code = 0
    elif len(signal.threads) > 1:
        return _end_group(k, exit_code)
    return do_exit(k, exit_code)


def _end_group(k: "Kernel", exit_code: int) -> Path[None]:
    """do_group_exit() of a process with several threads."""
    current = k.current
    signal = current.signal
    siglock = current.sighand.siglock
    yield "do_group_exit.siglock", ACQUIRE, siglock
    if signal.flags & SIGNAL_GROUP_EXIT:
        exit_code = signal.group_exit_code  # another thread was first
    elif signal.group_exec_task is not None:
        exit_code = 0
    else:
        signal.group_exit_code = exit_code
        signal.flags = SIGNAL_GROUP_EXIT
        yield from zap_process(k, current, spare=current)
    yield "do_group_exit.siglock_done", RELEASE, siglock
    yield from do_exit(k, exit_code)


# -- do_exit -------------------------------------------------------------------------------------


def do_exit(k: "Kernel", code: int) -> Path[None]:
    """End the current thread with wait status ``code``.

    Raises:
        TaskDead: always, at the end; ``kernel.entry`` takes the task off its CPU (do_task_dead).
        InvariantError: init exits; a real kernel panics.

    Source: kernel/exit.c:do_exit().
    """
    task = k.current
    signal = task.signal
    k.now_ns += k.costs.exit_base
    if k.tasks.profile.last_thread_sets_exit_code:
        siglock = task.sighand.siglock
        yield "synchronize_group_exit.siglock", ACQUIRE, siglock
        _synchronize_group_exit(k, signal, code)
        yield "synchronize_group_exit.siglock_done", RELEASE, siglock
    if task.ptrace:
        yield from ptrace_event(k, PTRACE_EVENT_EXIT, code)
    # PF_EXITING from here on: no signal is given to this thread, no children come to it
    yield from exit_signals(k, task)
    yield "do_exit.live", BARRIER, signal  # atomic_dec_and_test()
    signal.live -= 1
    group_dead = signal.live == 0
    if group_dead and task.group_leader is k.child_reaper:
        raise InvariantError(f"Attempted to kill init! exitcode={code:#010x}")
    if group_dead and task.mm is not None:
        setmax_mm_hiwater_rss(signal, task.mm)
    # the leader's own code is not the process's if exit_group() or a signal has set that
    status = code
    if signal.flags & SIGNAL_GROUP_EXIT:  # the last thread comes after whoever has set the code
        status = _code_of_group(signal) if group_dead else signal.group_exit_code
    if k.tracing:
        k.emit(
            SCHED_PROCESS_EXIT, (task.comm, task.pid, DEFAULT_PRIO + task.nice, group_dead, status)
        )
    k.stats.exits += 1
    task.exit_code = code
    if task.flags & PF_ACCT:
        signal.ac_flag |= acct_flags(task)
    # the record is written when the memory is gone, and tells how much it was
    mem_kb = acct_mem(task) if k.accounting and group_dead else 0
    yield from exit_mm(k, task)
    if k.accounting and group_dead:
        acct_process(k, task, mem_kb)
    if task.sysvsem is not None:
        yield from exit_sem(k, task)
    yield from exit_files(k, task)
    yield from exit_fs(k, task)
    if task.nsproxy is not k.init_nsproxy:
        exit_task_namespaces(k, task)
    if task.cgroup is not None:
        yield from exit_cgroup(k, task)
    yield from exit_notify(k, task, group_dead)
    # TASK_DEAD is a special state; who found the task in another one before is done by then
    lock = k.pi_lock(task)
    yield "do_task_dead.pi_lock", ACQUIRE_INNER, lock
    yield "do_task_dead.pi_unlock", RELEASE_INNER, lock
    raise TaskDead


def _code_of_group(signal: SignalStruct) -> int:
    """Return the status that the group has been given, for its last thread.

    It takes no lock, for it comes after all others by ``signal.live``. That this is so the race
    laboratory checks here; what do_exit() reads before it may race, as on Linux.
    """
    return signal.group_exit_code


def _synchronize_group_exit(k: "Kernel", signal: SignalStruct, code: int) -> None:
    """Fix the process's status if this is the last thread to begin its exit.

    The caller holds siglock.

    Source: kernel/exit.c:synchronize_group_exit() (6.1).
    """
    assert_held(k, k.current.sighand.siglock)
    signal.quick_threads -= 1
    if not signal.quick_threads and not signal.flags & SIGNAL_GROUP_EXIT:
        signal.flags = SIGNAL_GROUP_EXIT
        signal.group_exit_code = code
        signal.group_stop_count = 0


def exit_mm(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Leave the address space; the first thing others can see of an exit.

    Source: kernel/exit.c:exit_mm().
    Deviation: without alloc_lock, nobody else looks at a task's mm.
    """
    yield from mm_release(k, task)
    mm = task.mm
    if mm is None:
        return
    yield "exit_mm.clear_mm", STORE, (task, "mm", None)
    yield from mmput(k, mm)


def exit_files(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Leave the descriptor table; its last user closes every file.

    Source: fs/file.c:exit_files().
    """
    files = task.files
    if files is None:
        return
    yield "exit_files.clear_files", STORE, (task, "files", None)
    yield from put_files_struct(k, files)


def exit_fs(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Leave the fs_struct. Source: fs/fs_struct.c:exit_fs()."""
    fs = task.fs
    if fs is None:
        return
    yield "exit_fs.clear_fs", STORE, (task, "fs", None)
    yield from put_fs_struct(k, fs)


# -- exit_notify: the family ---------------------------------------------------------------------


def exit_notify(k: "Kernel", task: TaskStruct, group_dead: bool) -> Path[None]:
    """Give the children away, become a zombie, tell the parent; vanish if nobody is to wait.

    Source: kernel/exit.c:exit_notify().
    """
    lock = k.tasklist_lock
    yield "exit_notify.tasklist_lock", ACQUIRE, lock
    k.now_ns += k.costs.exit_notify
    dead: list[TaskStruct] = []
    if task.tracing is not None:
        yield from exit_ptrace(k, task, dead)
    if task.children or task.thread_pid.numbers is not None:
        yield from forget_original_parent(k, task, dead)
    signal = task.signal
    # its exit may take away the last parent outside a group with stopped members, who would then
    # stop for ever: they get SIGHUP and SIGCONT
    if group_dead and may_orphan_pgrp(task.group_leader, None):
        yield from kill_orphaned_pgrp(k, task.group_leader, None)
    # what it has spent since it entered the kernel, which no request of its CPU will tell any more
    spent_ns = k.now_ns - task.msg_ns
    if spent_ns > 0:
        task.stime_ns += spent_ns
        times = k.cpu_system_ns
        times[task.cpu] = times[task.cpu] + spent_ns
    set_exit_state(task, 0, EXIT_ZOMBIE)
    tasks = k.tasks
    zombies = tasks.nr_zombies = tasks.nr_zombies + 1
    pollers = task.thread_pid.wait_pidfd
    if pollers is not None and len(signal.threads) > 1:
        yield from wake_up_all(k, pollers)  # those of PIDFD_THREAD
    if zombies > k.stats.peak_zombies:
        k.stats.peak_zombies = zombies
    if task.ptrace:
        sig = task.exit_signal
        if not thread_group_empty(task) or ptrace_reparented(task):
            sig = SIGCHLD
        autoreap = yield from do_notify_parent(k, task, sig)
    elif task.group_leader is not task:
        autoreap = True  # nobody waits for a thread but by pthread_join(), which needs no zombie
    elif len(signal.threads) == 1:
        autoreap = yield from do_notify_parent(k, task, task.exit_signal)
        if autoreap:
            k.stats.autoreaped += 1
    else:
        # a leader whose threads live on: its parent hears of it from the last of them
        autoreap = False
    if autoreap:
        set_exit_state(task, EXIT_ZOMBIE, EXIT_DEAD)
        dead.append(task)
    if signal.notify_count < 0:
        # de_thread() waits for its leader to be a zombie
        waiter = signal.group_exec_task
        if waiter is not None:
            yield from wake_up_process(k, waiter)
    yield "exit_notify.tasklist_unlock", RELEASE, lock
    # releasing takes tasklist_lock itself
    for zombie in dead:
        yield from release_task(k, zombie)


def find_alive_thread(task: TaskStruct) -> TaskStruct | None:
    """Return a thread of ``task``'s process that is not exiting.

    Source: kernel/exit.c:find_alive_thread().
    """
    for thread in task.signal.threads:
        if not thread.flags & PF_EXITING:
            return thread
    return None


def find_child_reaper(k: "Kernel", father: TaskStruct, dead: list[TaskStruct]) -> Path[TaskStruct]:
    """Return the init of ``father``'s pid namespace; ``father`` itself if that is what is dying.

    Then another of its threads takes the office over, or everybody in the namespace is killed
    before this returns. Caller holds tasklist_lock, which is given up meanwhile.

    Args:
        dead: zombies to release; they are, before the namespace is waited for.

    Source: kernel/exit.c:find_child_reaper().
    """
    assert_held(k, k.tasklist_lock, exclusive=True)
    pid = father.thread_pid
    if pid.numbers is None:
        return k.child_reaper
    ns: PidNamespace = pid.numbers[-1][0]
    init = ns.child_reaper
    if init is None:
        raise AssertionError(f"{father!r} dies in a pid namespace that never had an init")
    if init is not father:
        return init
    reaper = find_alive_thread(father)
    if reaper is not None:
        ns.child_reaper = reaper
        return reaper
    lock = k.tasklist_lock
    yield "find_child_reaper.tasklist_unlock", RELEASE, lock
    while dead:
        yield from release_task(k, dead.pop(0))
    yield from zap_pid_ns_processes(k, ns)
    yield "find_child_reaper.tasklist_again", ACQUIRE, lock
    return father


def find_new_reaper(k: "Kernel", father: TaskStruct, child_reaper: TaskStruct) -> TaskStruct:
    """Return who becomes the parent of ``father``'s children.

    A living thread of the same process; else the nearest ancestor process in the same pid namespace
    that is a child subreaper and has a living thread; else ``child_reaper``, the namespace's init.

    Source: kernel/exit.c:find_new_reaper().
    """
    thread = find_alive_thread(father)
    if thread is not None:
        return thread
    if k.tasks.profile.subreapers and father.signal.has_child_subreaper:
        reaper = father.real_parent
        level = father.thread_pid.numbers
        while reaper is not k.init_task and reaper is not k.child_reaper:
            numbers = reaper.thread_pid.numbers
            if level is not numbers and (
                level is None or numbers is None or len(level) != len(numbers)
            ):
                break
            if reaper.signal.is_child_subreaper:
                thread = find_alive_thread(reaper)
                if thread is not None:
                    return thread
            reaper = reaper.real_parent
    return child_reaper


def forget_original_parent(k: "Kernel", father: TaskStruct, dead: list[TaskStruct]) -> Path[None]:
    """Give the children of a dying thread a new parent, at the end of its list.

    Args:
        dead: gets the zombies nobody waits for; the caller releases them without the lock.

    Source: kernel/exit.c:forget_original_parent(), reparent_thread() (2.6).
    """
    child_reaper: TaskStruct = yield from find_child_reaper(k, father, dead)
    if not father.children:
        return
    reaper = find_new_reaper(k, father, child_reaper)
    stats = k.stats
    cost = k.costs.reparent_child
    other_group = reaper.signal is not father.signal
    for child in tuple(father.children.values()):
        k.now_ns += cost
        stats.reparented += 1
        if k.tracing:
            k.emit(TASK_CHANGE, (child.pid, "ppid", reaper.pid))
        for thread in tuple(child.signal.threads):
            thread.real_parent = reaper
            if not thread.ptrace:
                thread.parent = reaper
            sig = thread.pdeath_signal
            if sig and not check_kill_permission(k, sig, thread):
                info = (sig, 0, task_tgid_vnr(k, father), father.cred.uid, 0)
                yield from do_send_sig_info(k, sig, info, thread, PIDTYPE_TGID)
        if other_group:
            yield from reparent_leader(k, father, child, dead)
    reaper.children.update(father.children)
    father.children = {}


def reparent_leader(
    k: "Kernel", father: TaskStruct, child: TaskStruct, dead: list[TaskStruct]
) -> Path[None]:
    """Do what follows from ``child``'s new parent being another process.

    Source: kernel/exit.c:reparent_leader().
    """
    if child.exit_state == EXIT_DEAD:
        return
    child.exit_signal = SIGCHLD
    if not child.ptrace and child.exit_state == EXIT_ZOMBIE and thread_group_empty(child):
        ignored = yield from do_notify_parent(k, child, child.exit_signal)
        if ignored:
            set_exit_state(child, EXIT_ZOMBIE, EXIT_DEAD)
            dead.append(child)
    yield from kill_orphaned_pgrp(k, child, father)


# -- orphaned process groups ---------------------------------------------------------------------


def will_become_orphaned_pgrp(k: "Kernel", pgrp: Pid, ignored: TaskStruct | None) -> bool:
    """Tell whether no member of ``pgrp`` has a parent in another group of the same session.

    Source: kernel/exit.c:will_become_orphaned_pgrp().
    """
    for task in members_of(pgrp, PIDTYPE_PGID):
        if task is ignored or (task.exit_state and thread_group_empty(task)):
            continue
        parent = task.real_parent
        if parent.group_leader is k.child_reaper:
            continue
        if parent.signal.pgrp is not pgrp and parent.signal.session is task.signal.session:
            return False
    return True


def has_stopped_jobs(pgrp: Pid) -> bool:
    """Tell whether a process of ``pgrp`` is stopped. Source: kernel/exit.c:has_stopped_jobs()."""
    return any(task.signal.flags & SIGNAL_STOP_STOPPED for task in members_of(pgrp, PIDTYPE_PGID))


def may_orphan_pgrp(task: TaskStruct, parent: TaskStruct | None) -> bool:
    """Tell whether kill_orphaned_pgrp() has to look at the group: the parent is another job's."""
    signal = task.signal
    above = (task.real_parent if parent is None else parent).signal
    return above.pgrp is not signal.pgrp and above.session is signal.session


def kill_orphaned_pgrp(k: "Kernel", task: TaskStruct, parent: TaskStruct | None) -> Path[None]:
    """If ``task``'s death or its parent's orphans a group with stopped members, hang it up.

    Args:
        task: the dying process's leader (``parent`` None), or a child whose parent is dying.

    Source: kernel/exit.c:kill_orphaned_pgrp().
    """
    if not may_orphan_pgrp(task, parent):
        return
    pgrp: Pid = task.signal.pgrp
    ignored = task if parent is None else None
    # the cheap test first: stopped jobs are rare
    if not has_stopped_jobs(pgrp) or not will_become_orphaned_pgrp(k, pgrp, ignored):
        return
    for sig in (SIGHUP, SIGCONT):
        for member in members_of(pgrp, PIDTYPE_PGID):
            info = (sig, SI_KERNEL, 0, 0, 0)
            yield from do_send_sig_info(k, sig, info, member, PIDTYPE_PGID)
