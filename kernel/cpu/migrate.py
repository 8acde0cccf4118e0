"""Tasks that leave a CPU for another, and tasks that come from one.

The CPU-resident half travels in an ARRIVE message. The kernel learns of a move that it has not
ordered from a request (REQ_MIGRATED, REQ_PUSHED); until it says that it knows, the CPU passes on
what comes for the task.

Source: kernel/sched/core.c (move_queued_task, migration_cpu_stop), kernel/sched/fair.c
(detach_task, attach_task, load_balance).
"""

from typing import TYPE_CHECKING

from kernel import messages as m
from kernel.events import SCHED_MIGRATE_TASK
from kernel.sched import core
from kernel.sched.bandwidth import KERNEL
from kernel.sched.detach import detach_tasks
from kernel.uapi.task_state import TASK_REPORT_MAX

if TYPE_CHECKING:
    from kernel.cpu.cpu import Cpu
    from kernel.cpu.task import CpuTask


def _note_move(cpu: "Cpu", pid: int, dest: int) -> None:
    """Pass on what comes for the task until the kernel has heard of the move."""
    before = cpu.moved.get(pid)
    cpu.moved[pid] = (dest, 1 if before is None else before[1] + 1)


def _pushed(cpu: "Cpu", pid: int, dest: int) -> None:
    """Tell the kernel of a move of the CPU's own accord."""
    _note_move(cpu, pid, dest)
    cpu.out.append(m.req_pushed(cpu.now_ns, cpu.id, cpu.next_seq(), pid, dest))


def moved_ack(cpu: "Cpu", pid: int) -> None:
    """The kernel knows of one move: whatever it sent here about the task has come."""
    dest, unknown = cpu.moved.pop(pid)
    if unknown > 1:  # it has been back and left again
        cpu.moved[pid] = (dest, unknown - 1)


def send_away(cpu: "Cpu", task: "CpuTask", dest: int, reason: int, since_ns: int) -> None:
    """Pass a task's CPU half to another CPU; ``since_ns`` is when it became runnable."""
    cpu.tasks.pop(task.pid, None)
    if cpu.rq.mail:
        send_mail(cpu)
    cpu.stats.migrations_out += 1
    if cpu.tracing and reason != m.BY_FORK:
        cpu.trace.append(
            (
                cpu.now_ns,
                SCHED_MIGRATE_TASK,
                task.comm,
                task.pid,
                task.prio,
                cpu.id,
                dest,
            )
        )
    if reason != m.BY_PULL:
        task.enqueued_at_ns = since_ns
    at_ns = cpu.now_ns if reason == m.BY_PULL else since_ns
    cpu.forwards.append((dest, m.arrive(at_ns, task.pid, task, reason)))


def push(cpu: "Cpu", task: "CpuTask", dest: int) -> None:
    """Move a runnable task that may not run here, or has to wait here, to CPU ``dest``."""
    rq = cpu.rq
    running = task is rq.curr
    core.deactivate_task(rq, task, core.DEQUEUE_MOVE)
    if running:
        cpu.switch(task, TASK_REPORT_MAX)
    _pushed(cpu, task.pid, dest)
    send_away(cpu, task, dest, m.BY_PUSH, cpu.now_ns)


def push_moves(cpu: "Cpu") -> None:
    """Send queued tasks to the CPUs that their class has said (``Rq.moves``)."""
    rq = cpu.rq
    moves, rq.moves = rq.moves, []
    for task, dest in moves:
        push(cpu, task, dest)


def send_mail(cpu: "Cpu") -> None:
    """Send what classes have to say to themselves elsewhere (``Rq.mail``)."""
    rq = cpu.rq
    mail, rq.mail = rq.mail, []
    for dest, rank, key, data in mail:
        if dest == KERNEL:
            seq = cpu.next_seq()
            cpu.out.append(m.req_said(cpu.now_ns, cpu.id, seq, rank, key, data))
        elif dest < 0:
            seq = cpu.next_seq()
            cpu.out.append(m.req_tell(cpu.now_ns, cpu.id, seq, data[0], rank, key))
        else:
            cpu.forwards.append((dest, m.eff_told(cpu.now_ns, rank, key, data)))


def run_timer(cpu: "Cpu") -> None:
    """A timer of a class is due. Source: kernel/time/hrtimer.c:hrtimer_interrupt()."""
    rq = cpu.rq
    rq.clock_ns = cpu.now_ns
    core.hrtimer_run(rq)
    if rq.mail:
        send_mail(cpu)


def give(cpu: "Cpu", dest: int) -> None:
    """Give a queued task to ``dest``, which idles, or say that there is none to give."""
    rq = cpu.rq
    rq.clock_ns = cpu.now_ns
    # the last one of a queue runs here next
    task = core.detach_one(rq, cpu.now_ns, dest) if rq.nr_running > 1 else None
    if task is None:
        cpu.stats.pull_failures += 1
        cpu.out.append(m.req_pull_failed(cpu.now_ns, cpu.id, cpu.next_seq(), dest))
        return
    _note_move(cpu, task.pid, dest)
    cpu.out.append(m.req_migrated(cpu.now_ns, cpu.id, cpu.next_seq(), task.pid, dest))
    send_away(cpu, task, dest, m.BY_PULL, task.enqueued_at_ns)


def balance(cpu: "Cpu", effect: m.Effect) -> None:
    """This CPU is too busy for another: give what may go, and say how much that was.

    Source: kernel/sched/fair.c:load_balance(), active_load_balance_cpu_stop().
    Deviation: active balance takes the running task at its next return to user mode; Linux's
    stopper takes the first task that may go, once it has the CPU.
    """
    dest: int = effect[3]
    dest_idle: int = effect[4]
    kind: int = effect[5]
    imbalance: int = effect[6]
    failed: int = effect[7]
    active: bool = effect[8]
    tries: int = effect[9]
    rq = cpu.rq
    rq.clock_ns = cpu.now_ns
    tasks, pinned = detach_tasks(rq, dest, dest_idle, kind, imbalance, failed, tries)
    for task in tasks:
        _pushed(cpu, task.pid, dest)
        send_away(cpu, task, dest, m.BY_PULL, task.enqueued_at_ns)
    curr = rq.curr
    pushes = (
        active
        and not tasks
        and curr.sched_class is not None
        and curr.sched_class.weighted
        and (rq.nr_running > 1 or rq.pelt is not None)
        and core.is_cpu_allowed(curr, dest)
    )
    if pushes:
        rq.push_cpu = dest
        rq.need_resched = True
    seq, moved = cpu.next_seq(), len(tasks)
    cpu.out.append(m.req_balanced(cpu.now_ns, cpu.id, seq, dest, moved, pinned, pushes))
