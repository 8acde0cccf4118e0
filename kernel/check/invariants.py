"""What must always be true of the emulated machine, checked from outside.

A check walks the real structures and returns one line per violation: the story of what it found.
It changes nothing, so it can run at any point. What kernel code holds together under a lock may
be apart while a path holds that lock, and a task under construction is linked nowhere yet; so
each check states when it applies:

=========== =================================================================================
always       the load table; states; pid numbers that are published are taken
list         tasklist_lock is not held for writing: task list, pid links, families, groups
quiet        no path is in progress (always so at granularity ``syscall``): reference counts,
             page frames, slab caches, per-user counts, locks, pid numbers that are reserved
=========== =================================================================================

``check_kernel`` is O(everything). ``check_step`` looks only at what one step of a path usually
touches (the current task, its group and its parent, the load table) and is meant to run after
every step. ``check_machine`` adds the CPUs: see ``kernel.check.places``. ``check_end``
asks for the state of boot: nothing leaked.

Source: the rules are those of kernel/fork.c, kernel/exit.c, kernel/pid.c, mm/memory.c.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kernel.check.cgroups import check_cgroups
from kernel.check.memory import check_current, check_memory, check_users
from kernel.check.places import check_classes, check_load_table, check_places
from kernel.cpu.places import CpuPlaces
from kernel.fs.inode import EVENTFD, SOCKET
from kernel.fs.ledger import open_files
from kernel.ns.ledger import check_namespaces
from kernel.process.kthread import KTHREAD_IS_PER_CPU
from kernel.ptrace.ledger import check_ptrace
from kernel.smp.throttled import throttled_hierarchy
from kernel.smp.weigh import sum_uneven
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PF_EXITING,
    PF_KTHREAD,
    TASK_DEAD,
    TASK_NEW,
    TASK_RUNNING,
    TaskStruct,
)

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.kernel import Kernel
    from kernel.locking import Lock
    from kernel.process.pid import Pid

MOST = 50  # violations reported by one check; the first ones tell the story


def check_kernel(k: "Kernel") -> list[str]:
    """Return every violation within KernelState, at most ``MOST``; an empty list if there is none.

    Which invariants apply depends on the paths in progress; see the module header.
    """
    found: list[str] = []
    check_load_table(k, found)
    check_current(k, found)
    _check_pid_numbers(k, found)
    if k.tasklist_lock.owner is None:
        leaders = _check_task_list(k, found)
        tasks = [thread for leader in leaders for thread in leader.signal.threads]
        _check_pid_links(k, leaders, tasks, found)
        for leader in leaders:
            _check_group(leader, found)
        for task in tasks:
            _check_family(k, task, found)
            check_state(task, found)
        # a zombie may be reaped while it is still on its way into its last schedule()
        everybody = dict.fromkeys([*tasks, *(path.task for path in k.active)])
        check_classes(k, tasks, found)
        counted = sum(
            task.on_rq and not throttled_hierarchy(k, task, task.cpu) for task in everybody
        )
        table = sum(k.load.nr_running)
        if counted != table:
            found.append(f"load table: {table} runnable tasks counted, {counted} found")
        if k.uneven_cpus != sum_uneven(k):
            found.append("loads that are not of nice 0 are not those of who is runnable where")
        if is_quiet(k):
            _check_quiet(k, leaders, tasks, found)
    return found[:MOST]


def check_machine(
    k: "Kernel", cpus: Iterable["Cpu"], in_flight: Iterable[tuple[Any, ...]] = ()
) -> list[str]:
    """Return every violation within KernelState and between it and the CPUs.

    Args:
        k: the kernel.
        cpus: all CPUs.
        in_flight: messages the engine holds that are in no LP's boxes: effects as
            ``(cpu, effect)`` and requests as they are. Where a task is, is judged only for tasks
            about which no message is on its way, and CPU counts only once there is none at all.
    """
    return check_parts(k, [CpuPlaces.of(cpu) for cpu in cpus], in_flight)


def check_parts(
    k: "Kernel", cpus: Iterable[CpuPlaces], in_flight: Iterable[tuple[Any, ...]] = ()
) -> list[str]:
    """As ``check_machine``, with CPUs that are in other processes and described themselves."""
    found = check_kernel(k)
    check_places(k, tuple(cpus), tuple(in_flight), found)
    return found[:MOST]


def check_step(k: "Kernel") -> list[str]:
    """Return the violations around the current task: what one step usually touches.

    Cost: its threads, its children and the CPUs (5 us for a simple task, against milliseconds for
    everything). Misses what a step breaks elsewhere; ``check_kernel`` from time to time finds that.
    """
    found: list[str] = []
    check_load_table(k, found)
    task = k.current
    if k.tasklist_lock.owner is not None or task is None or task.signal is None:
        return found
    if task is k.init_task:
        return found  # a timer interrupt
    check_current(k, found)
    check_task(k, task, found)
    return found


def check_task(k: "Kernel", task: TaskStruct, found: list[str]) -> None:
    """Append what is wrong with one task, its links, its group, and its family.

    Nobody may hold tasklist_lock for writing.
    """
    if task.signal is None or task is k.init_task:
        return
    check_state(task, found)
    if not is_listed(k, task):
        return
    leader = task.group_leader
    after, before = leader.tasks_next, leader.tasks_prev
    if after is None or before is None:
        found.append(f"{leader!r} leads {task!r} and is not on the task list")
    else:
        if after.tasks_prev is not leader:
            found.append(_broken_link(leader, after))
        if before.tasks_next is not leader:
            found.append(_broken_link(before, leader))
    _check_links_of(k, task, found)
    _check_group(leader, found)
    _check_family(k, task, found)


def is_listed(k: "Kernel", task: TaskStruct) -> bool:
    """Tell whether a task is on the lists: no swapper, not under construction, not released."""
    pid = k.pids.hash.get(task.pid)
    return pid is not None and pid.task is task


def is_quiet(k: "Kernel") -> bool:
    """Tell whether no path is between two of its points (sleeping ones do not count)."""
    return not k.active


# -- the task list and the pid hash ----------------------------------------------------------------


def _broken_link(left: TaskStruct, right: TaskStruct) -> str:
    return f"task list: between {left!r} and {right!r} the links do not agree"


def _check_task_list(k: "Kernel", found: list[str]) -> list[TaskStruct]:
    """Walk the ring forwards; return the leaders on it, each once, without init_task."""
    head = k.tasks.head
    leaders: dict[TaskStruct, None] = {}
    last = head
    while True:
        task = last.tasks_next
        if task is None:
            found.append(f"task list: {last!r} has no successor, the ring is open")
            break
        if task.tasks_prev is not last:
            found.append(_broken_link(last, task))
        if task is head:
            break
        if task in leaders:
            found.append(f"task list: {task!r} follows {last!r} and was there before")
            break
        leaders[task] = None
        if task.group_leader is not task:
            found.append(f"task list: {task!r} is no group leader")
        last = task
    if len(leaders) != k.tasks.nr_processes:
        found.append(f"task list: {k.tasks.nr_processes} processes counted, {len(leaders)} found")
    return [leader for leader in leaders if leader.signal is not None]


def _check_pid_numbers(k: "Kernel", found: list[str]) -> None:
    """Published numbers are taken; the count of taken ones is right."""
    pids = k.pids
    used = pids.used
    taken = len(used) - used.count(0) - 1  # number 0 is never given out
    if pids.taken != taken:
        found.append(f"pid map: {pids.taken} numbers counted, {taken} found")
    for number, pid in pids.hash.items():
        if pid.nr != number:
            found.append(f"pid hash: {pid!r} is filed under {number}")
        if not used[number]:
            found.append(f"pid map: {number} is published and yet free")


def _check_pid_links(
    k: "Kernel", leaders: list[TaskStruct], tasks: list[TaskStruct], found: list[str]
) -> None:
    """Tasks and pids name each other, both ways, for all four kinds of link."""
    if len(tasks) != k.tasks.nr_threads:
        found.append(f"task list: {k.tasks.nr_threads} threads counted, {len(tasks)} found")
    for task in tasks:
        _check_links_of(k, task, found)
    listed = dict.fromkeys(tasks)
    listed_leaders = dict.fromkeys(leaders)
    for pid in k.pids.hash.values():
        if pid.task is not None and pid.task not in listed:
            found.append(f"pid hash: {pid!r} names {pid.task!r}, which is on no list")
        if pid.leader is not None and pid.leader not in listed_leaders:
            found.append(f"pid hash: {pid!r} names leader {pid.leader!r}, which is on no list")
        for kind in ("pgrp", "session"):
            for number, member in (getattr(pid, kind) or {}).items():
                # init_task belongs to the group and session 0 and is on no list of its own
                if member not in listed_leaders and member is not k.init_task:
                    found.append(f"{kind} {pid.nr}: member {member!r} is no process")
                elif member.pid != number or getattr(member.signal, kind) is not pid:
                    found.append(f"{kind} {pid.nr}: {member!r} does not know that it is a member")


def _check_links_of(k: "Kernel", task: TaskStruct, found: list[str]) -> None:
    """``task`` is where the pids it names say it is."""
    published = k.pids.hash
    pid: Pid | None = task.thread_pid
    if pid is None or published.get(task.pid) is not pid:
        found.append(f"{task!r}: its pid is not the one in the hash")
        return
    if pid.task is not task:
        found.append(f"{task!r}: its number names {pid.task!r}")
    leads = task.group_leader is task
    if (pid.leader is task) is not leads:
        found.append(f"{task!r}: process {pid.nr} has the leader {pid.leader!r}")
    if not leads:
        return
    signal = task.signal
    for kind, link in (("pgrp", signal.pgrp), ("session", signal.session)):
        if link is None:
            found.append(f"{task!r} has no {kind}")
        elif (getattr(link, kind) or {}).get(task.pid) is not task:
            found.append(f"{task!r} is no member of its {kind} {link.nr}")
        elif link.nr and published.get(link.nr) is not link:
            found.append(f"{task!r}: its {kind} {link.nr} is not in the pid hash")


# -- groups and families ---------------------------------------------------------------------------


def _check_group(leader: TaskStruct, found: list[str]) -> None:
    """One thread group: members, counts, and who may be a zombie."""
    signal = leader.signal
    threads = signal.threads
    if signal.leader is not leader:
        found.append(f"{leader!r}: its group says the leader is {signal.leader!r}")
    if not threads or threads[0] is not leader:
        found.append(f"{leader!r} is not the first of its threads {threads!r}")
    if signal.nr_threads != len(threads):
        found.append(f"{leader!r}: {signal.nr_threads} threads counted, {len(threads)} found")
    if not 0 <= signal.live <= signal.nr_threads:
        found.append(f"{leader!r}: {signal.live} of {signal.nr_threads} threads are alive")
    if leader.tgid != leader.pid:
        found.append(f"{leader!r} leads a group of another number")
    for task in threads:
        if task.signal is not signal or task.group_leader is not leader:
            found.append(f"{task!r} is listed in the group of {leader!r} and is not in it")
        elif task.tgid != leader.tgid:
            found.append(f"{task!r} is a thread of {leader!r} and has another tgid")
        elif task.sighand is not leader.sighand:
            found.append(f"{task!r} does not share the handlers of {leader!r}")
        if task is not leader and task.exit_state == EXIT_ZOMBIE and not task.ptrace:
            found.append(f"{task!r} is a zombie that nobody can wait for")


def _check_family(k: "Kernel", task: TaskStruct, found: list[str]) -> None:
    """Children and parents know each other; nobody has a parent that is gone."""
    check_ptrace(task, found)
    for number, child in task.children.items():
        if child.pid != number or child.real_parent is not task:
            found.append(f"{task!r} lists {number}, but {child!r} has another parent")
        if child.group_leader is not child:
            found.append(f"{task!r} lists its child {child!r}, which is no process")
    if task.exit_state and task.children:
        found.append(f"{task!r} is dead and still has children {list(task.children)}")
    parent = task.real_parent
    if parent is k.init_task:
        return
    if parent is None or parent.signal is None:
        found.append(f"{task!r}: its parent has been released")
    elif task.group_leader is task and parent.children.get(task.pid) is not task:
        found.append(f"{task!r}: its parent {parent!r} does not list it")
    elif parent.exit_state:
        what = "zombie" if task.exit_state == EXIT_ZOMBIE else "child"
        found.append(f"{task!r}: a {what} whose parent {parent!r} is dead")
    elif task.real_parent is not task.group_leader.real_parent:
        found.append(f"{task!r} has the parent {parent!r}, its leader another one")


def check_state(task: TaskStruct, found: list[str]) -> None:
    """``state``, ``exit_state``, ``on_rq`` and the flags of one task go together."""
    state = task.state
    if task.exit_state and not task.flags & PF_EXITING:
        found.append(f"{task!r} has an exit state and never began to exit")
    if state == TASK_DEAD and not task.exit_state:
        found.append(f"{task!r} is dead without an exit state")
    if task.on_rq:
        if state in (TASK_NEW, TASK_DEAD):
            found.append(f"{task!r} is runnable in state {state:#x}")
    elif state == TASK_RUNNING:
        found.append(f"{task!r} should run and is on no runqueue: a lost wake-up")
    elif state not in (TASK_NEW, TASK_DEAD) and task.path is None:
        found.append(f"{task!r} sleeps in no system call")
    if task.flags & PF_KTHREAD:
        _check_kthread(task, found)


def _check_kthread(task: TaskStruct, found: list[str]) -> None:
    """A kernel thread has no user side, and one that is bound runs on its CPU only."""
    if task.mm is not None or task.ctx is not None:
        found.append(f"kernel thread {task!r} has an address space")
    kthread = task.kthread
    if (
        kthread is not None
        and kthread.flags & KTHREAD_IS_PER_CPU
        and task.on_rq
        and task.cpu != kthread.cpu
    ):
        found.append(f"{task!r} is bound to cpu {kthread.cpu} and runs on {task.cpu}")


# -- what holds when no path is in progress --------------------------------------------------------


def _check_quiet(
    k: "Kernel", leaders: list[TaskStruct], tasks: list[TaskStruct], found: list[str]
) -> None:
    pids = k.pids
    if len(pids.hash) != pids.taken:
        found.append(f"pid map: {pids.taken} numbers taken, {len(pids.hash)} published")
    found += [
        f"pid map: {pid.nr} is reserved and nothing uses it"
        for pid in pids.hash.values()
        if not pid.in_use()
    ]
    check_cgroups(k, tasks, found)
    standing = tuple(k.dying.values())
    for task in tasks:
        if task.exit_state == EXIT_DEAD:
            found.append(f"{task!r} is reaped and was not released")
        holders = 1 + (task.state != TASK_DEAD or task in standing)
        if task.usage != holders:
            found.append(f"{task!r}: {task.usage} references counted, {holders} found")
        parent = task.vfork_done
        if parent is not None and (parent.exit_state or parent.signal is None):
            found.append(f"{task!r}: the parent that waits for its vfork is dead")
    for leader in leaders:
        # an init that waits for its namespace to be empty is on its way out and no zombie yet
        live = sum(not task.flags & PF_EXITING for task in leader.signal.threads)
        if leader.signal.live != live:
            found.append(f"{leader!r}: {leader.signal.live} live threads counted, {live} found")
    made = sum(task.flags & PF_KTHREAD != 0 for task in tasks) - k.boot_kthreads
    if made != k.nr_kthreads:
        found.append(f"{k.nr_kthreads} kernel threads made since boot are counted, {made} found")
    everybody = [k.init_task, *tasks]
    _check_holders(everybody, found)
    check_users(k, tasks, found)
    check_memory(k, everybody, found)
    check_namespaces(k, tasks, found)
    _check_wait_queues(leaders, everybody, found)
    for lock in (k.tasklist_lock, k.pidmap_lock):
        _check_lock(lock, "", found)
    for task in tasks:
        mmap_lock = None if task.mm is None else task.mm.mmap_lock
        for own in (task.pi_lock, task.alloc_lock, task.sighand.siglock, mmap_lock):
            if own is not None:
                _check_lock(own, f" of {task!r}", found)


def _check_lock(lock: "Lock", whose: str, found: list[str]) -> None:
    if (lock.owner is not None and not lock.given_up) or lock.readers:
        found.append(f"{lock.name}{whose} is held and no path runs")


def _check_wait_queues(
    leaders: list[TaskStruct], tasks: list[TaskStruct], found: list[str]
) -> None:
    """Who is on a wait queue is inside the system call that put it there."""
    queues: list[tuple[str, Any]] = []
    for leader in leaders:
        signal = leader.signal
        waiters = [wait.waiter for wait in signal.wait_chldexit]
        queues.append((f"wait_chldexit of {leader!r}", waiters))
        found += [
            f"wait_chldexit of {leader!r}: {task!r} is of another process"
            for task in waiters
            if task.signal is not signal
        ]
    for mm in dict.fromkeys(task.mm for task in tasks if task.mm is not None):
        for number, lock in (mm.locks or {}).items():
            queues.append((f"user lock {number}", lock.waiters))
    tables = dict.fromkeys(task.files for task in tasks if task.files is not None)
    of_files = {  # both ends of a pipe have the same queues
        queue: file.inode for file in open_files(tables) for queue in _queues_of(file)
    }
    queues += [(f"queue of {inode!r}", queue.sleepers()) for queue, inode in of_files.items()]
    for name, waiters in queues:
        for task in waiters:
            if task.signal is None or task.exit_state or task.path is None:
                found.append(f"{name}: {task!r} is on it and in no system call")


def _queues_of(file: Any) -> tuple[Any, ...]:
    """Return the wait queues of an open file."""
    inode = file.inode
    if inode.pipe is not None:
        return inode.pipe.rd_wait, inode.pipe.wr_wait
    if inode.kind == SOCKET:
        return inode.sock.rd_wait, inode.sock.wr_wait
    return (inode.wqh,) if inode.kind == EVENTFD else ()


def _check_holders(tasks: list[TaskStruct], found: list[str]) -> None:
    """Shared structures count the tasks that hold them."""
    for field, counter in (
        ("mm", "users"),
        ("files", "count"),
        ("fs", "users"),
        ("sighand", "count"),
        ("signal", "count"),
    ):
        holders: dict[Any, list[TaskStruct]] = {}
        for task in tasks:
            held = getattr(task, field)
            if held is not None:
                holders.setdefault(held, []).append(task)
        for held, who in holders.items():
            counted = getattr(held, counter)
            if counted != len(who):
                found.append(
                    f"{field} of {who[0]!r}: {counter} is {counted}, {len(who)} tasks hold it"
                )
