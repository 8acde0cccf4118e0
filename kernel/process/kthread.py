"""Kernel threads: tasks that run kernel code only.

All are made by kthreadd, so that they inherit nothing from whoever wanted them: a creator puts a
request on ``kthread_create_list``, wakes kthreadd and waits. The new thread announces itself and
sleeps uninterruptibly until the first wake_up_process(); between the two it can be bound to a
CPU. It then runs its function, a kernel path, until that returns or calls ``kthread_exit``.

A kernel thread has no address space (``mm`` is None), shares files and directories with kthreadd,
ignores every signal, and is reaped by nobody: kthreadd ignores SIGCHLD. It is scheduled like any
task. While its path runs its CPU is in the kernel, so it is preempted where it sleeps or calls
``cond_resched``.

Stopping: ``kthread_stop`` sets a flag that the function must look at whenever it is woken
(``kthread_should_stop``). Parking (``kthread_park``) puts a per-CPU thread away without ending it.

Source: kernel/kthread.c, kernel/fork.c:kernel_thread(), kernel/smpboot.c.
Deviation: no borrowed address space (active_mm): the emulated CPUs have no TLB whose flush it
would save. No freezer, no kthread workers, no NUMA placement.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import KernelError
from kernel.events import SCHED_PROCESS_FORK, TASK_RENAME
from kernel.locking import Lock
from kernel.points import ACQUIRE, BARRIER, POINT, RELEASE, RESCHED, SCHEDULE, Path
from kernel.process.exit import do_exit
from kernel.process.fork import copy_process
from kernel.smp.affinity import set_cpus_allowed_ptr
from kernel.smp.completion import Completion, complete, wait_for_completion
from kernel.smp.ttwu import (
    set_current_state,
    set_special_state,
    try_to_wake_up,
    wake_up_new_task,
    wake_up_process,
)
from kernel.task import (
    PF_EXITING,
    PF_NO_SETAFFINITY,
    TASK_COMM_LEN,
    TASK_INTERRUPTIBLE,
    TASK_PARKED,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    TaskStruct,
)
from kernel.uapi.clone import CLONE_FILES, CLONE_FS
from kernel.uapi.errno_ import EBUSY, EINTR, ENOSYS
from kernel.uapi.signals import SIGCHLD

if TYPE_CHECKING:
    from kernel.kernel import Kernel

KTHREAD_IS_PER_CPU: Final = 1
KTHREAD_SHOULD_STOP: Final = 2
KTHREAD_SHOULD_PARK: Final = 4


ThreadFn = Callable[["Kernel", Any], Path[Any]]


class KthreadCreateInfo:
    """One request to kthreadd (``kthread_create_info``).

    ``done`` is None once somebody has answered for it: the new thread, or a creator that was
    killed while it waited. ``result`` is the task, or the errno.
    """

    __slots__ = ("data", "done", "full_name", "result", "threadfn")

    def __init__(self, threadfn: ThreadFn, data: Any, full_name: str) -> None:
        self.threadfn = threadfn
        self.data = data
        self.full_name = full_name
        self.done: Completion | None = Completion()
        self.result: TaskStruct | int = 0


class Kthread:
    """What a kernel thread has beside its task (``struct kthread``).

    ``result`` is what its function returned, or -EINTR if it was never called. It outlives the
    task for those who wait in kthread_stop(), so they need no reference on the task.
    """

    __slots__ = (
        "cpu",
        "data",
        "exited",
        "flags",
        "full_name",
        "parked",
        "result",
        "threadfn",
    )

    def __init__(self, threadfn: ThreadFn | None, data: Any, full_name: str) -> None:
        self.flags = 0
        self.cpu = 0
        self.result = 0
        self.threadfn = threadfn
        self.data = data
        self.full_name = full_name
        self.parked = Completion()
        self.exited = Completion()


class KthreadList:
    """``kthread_create_list`` and its lock."""

    __slots__ = ("lock", "requests")

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.requests: list[KthreadCreateInfo] = []


def to_kthread(task: TaskStruct) -> Kthread:
    """Return what makes ``task`` a kernel thread. Source: kernel/kthread.c:to_kthread()."""
    kthread: Kthread | None = task.kthread
    if kthread is None:
        raise AssertionError(f"{task!r} is no kernel thread")
    return kthread


# -- making ----------------------------------------------------------------------------------------


def kthread_create(k: "Kernel", threadfn: ThreadFn, data: Any, name: str) -> Path[TaskStruct]:
    """Make a kernel thread that sleeps until it is woken for the first time; return its task.

    Args:
        threadfn: ``threadfn(k, data)``, a path; its result is the thread's.
        data: handed to it.
        name: cut to 15 bytes for the task; ``Kthread.full_name`` has all of it.

    Raises:
        KernelError: as fork; EINTR, the caller is being killed.

    Source: include/linux/kthread.h:kthread_create(), kernel/kthread.c:__kthread_create_on_node().
    """
    create = KthreadCreateInfo(threadfn, data, name)
    done = create.done
    queue = k.kthread_create_list
    yield "kthread_create_on_node.lock", ACQUIRE, queue.lock
    queue.requests.append(create)
    yield "kthread_create_on_node.unlock", RELEASE, queue.lock
    yield from wake_up_process(k, k.kthreadd)
    if done is None:
        raise AssertionError("a new request has no completion")
    finished = yield from wait_for_completion(k, done, killable=True)
    if not finished:
        yield "kthread_create_on_node.xchg", BARRIER, create
        if create.done is not None:
            create.done = None  # the thread finds that nobody wants it any more
            raise KernelError(EINTR)
        yield from wait_for_completion(k, done)  # kthreadd or the thread is about to complete it
    result = create.result
    if isinstance(result, int):
        raise KernelError(result)
    return result


def kthread_create_on_node(
    k: "Kernel", threadfn: ThreadFn, data: Any, node: int, name: str
) -> Path[TaskStruct]:
    """``kthread_create`` with the NUMA node the thread's memory comes from.

    Source: kernel/kthread.c:kthread_create_on_node().
    Deviation: there is one node, 0; -1 stands for any.
    """
    if node not in (-1, 0):
        raise AssertionError(f"kthread_create_on_node: there is no node {node}")
    return kthread_create(k, threadfn, data, name)


def kthread_create_on_cpu(
    k: "Kernel", threadfn: ThreadFn, data: Any, cpu: int, name: str
) -> Path[TaskStruct]:
    """Make a thread for one CPU, which can be parked; return its task, not yet woken.

    Source: kernel/kthread.c:kthread_create_on_cpu().
    """
    task: TaskStruct = yield from kthread_create(k, threadfn, data, name)
    yield from kthread_bind(k, task, cpu)
    kthread_set_per_cpu(task, cpu)
    return task


def kthread_run(k: "Kernel", threadfn: ThreadFn, data: Any, name: str) -> Path[TaskStruct]:
    """Make a kernel thread and wake it; return its task; raises as ``kthread_create``.

    Source: include/linux/kthread.h:kthread_run().
    """
    task: TaskStruct = yield from kthread_create(k, threadfn, data, name)
    yield from wake_up_process(k, task)
    return task


def kthread_set_per_cpu(task: TaskStruct, cpu: int) -> None:
    """Say that ``task`` belongs to one CPU. Source: kernel/kthread.c:kthread_set_per_cpu()."""
    kthread = to_kthread(task)
    kthread.cpu = cpu
    kthread.flags |= KTHREAD_IS_PER_CPU


def wait_task_inactive(k: "Kernel", task: TaskStruct, state: int) -> Path[bool]:
    """Wait until ``task`` has left its CPU; return False if it does not sleep in ``state``.

    Source: kernel/sched/core.c:wait_task_inactive().
    """
    while task.on_rq:
        if task.state != state:
            return False
        k.now_ns += k.costs.lock_hold
        yield "wait_task_inactive.relax", POINT, task
    return bool(task.state == state)


def kthread_bind(
    k: "Kernel", task: TaskStruct, cpu: int, state: int = TASK_UNINTERRUPTIBLE
) -> Path[None]:
    """Tie a thread that has not run yet (or is parked) to a CPU for good.

    Raises:
        AssertionError: it does not sleep in ``state``: Linux warns and does nothing.

    Source: kernel/kthread.c:kthread_bind(), __kthread_bind_mask().
    """
    quiet = yield from wait_task_inactive(k, task, state)
    if not quiet:
        raise AssertionError(f"kthread_bind: {task!r} is not asleep in {state:#x}")
    lock = k.pi_lock(task)
    yield "kthread_bind_mask.pi_lock", ACQUIRE, lock
    set_cpus_allowed_ptr(k, task, 1 << cpu)
    task.flags |= PF_NO_SETAFFINITY
    yield "kthread_bind_mask.pi_unlock", RELEASE, lock


# -- kthreadd --------------------------------------------------------------------------------------


def kthreadd(k: "Kernel") -> Path[None]:
    """Be kthreadd: make every thread that is asked for, for ever.

    Source: kernel/kthread.c:kthreadd().
    """
    queue = k.kthread_create_list
    while True:
        yield from set_current_state(k, TASK_INTERRUPTIBLE)
        if not queue.requests:
            yield "kthreadd.schedule", SCHEDULE, None
        yield from set_current_state(k, TASK_RUNNING)
        yield "kthreadd.lock", ACQUIRE, queue.lock
        while queue.requests:
            create = queue.requests.pop(0)
            yield "kthreadd.unlock", RELEASE, queue.lock
            yield from create_kthread(k, create)
            yield "kthreadd.lock_again", ACQUIRE, queue.lock
        yield "kthreadd.unlock_last", RELEASE, queue.lock


def create_kthread(k: "Kernel", create: KthreadCreateInfo) -> Path[None]:
    """Fork one thread for a request, or answer it with the errno.

    Source: kernel/kthread.c:create_kthread().
    """
    errno = 0
    try:
        yield from kernel_thread(k, _kthread, create, create.full_name)
    except KernelError as failed:
        errno = failed.errno
    if errno:
        done, create.done = create.done, None
        if done is not None:
            create.result = errno
            yield from complete(k, done)


def kernel_thread(k: "Kernel", fn: ThreadFn, argument: Any, name: str) -> Path[TaskStruct]:
    """Fork a kernel thread that runs ``fn(k, argument)`` at once; return its task.

    Raises:
        KernelError: as fork.

    Source: kernel/fork.c:kernel_thread().
    """
    current = k.current
    child: TaskStruct = yield from copy_process(k, CLONE_FS | CLONE_FILES | SIGCHLD)
    k.nr_kthreads += 1
    k.stats.kthreads += 1
    if k.tracing:
        k.emit(SCHED_PROCESS_FORK, (current.comm, current.pid, child.comm, child.pid))
    comm = name[: TASK_COMM_LEN - 1]
    if k.tracing:
        k.emit(TASK_RENAME, (child.pid, child.comm, comm, 0))
    child.comm = comm
    child.path = k.kernel_thread_path(child, k.form(fn)(k, argument))
    yield from wake_up_new_task(k, child, kthread=True)
    return child


def _kthread(k: "Kernel", create: KthreadCreateInfo) -> Path[None]:
    """What every kernel thread begins with. Source: kernel/kthread.c:kthread()."""
    current = k.current
    self = current.kthread = Kthread(create.threadfn, create.data, create.full_name)
    yield "kthread.xchg", BARRIER, create
    done, create.done = create.done, None
    if done is None:
        yield from kthread_exit(k, -EINTR)
        return
    yield from set_current_state(k, TASK_UNINTERRUPTIBLE)
    create.result = current
    yield from complete(k, done)
    yield "kthread.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)
    result = -EINTR
    if not self.flags & KTHREAD_SHOULD_STOP:
        yield from kthread_parkme(k)
        result = yield from create.threadfn(k, create.data)
    yield from kthread_exit(k, result or 0)


def kthread_exit(k: "Kernel", result: int) -> Path[None]:
    """End the current kernel thread; ``kthread_stop`` gets ``result``. Never returns.

    Source: kernel/kthread.c:kthread_exit().
    """
    to_kthread(k.current).result = result
    yield from do_exit(k, 0)


# -- stopping and parking ------------------------------------------------------------------------


def kthread_should_stop(k: "Kernel") -> bool:
    """Tell whether somebody wants the current thread to end. Source: kernel/kthread.c."""
    return bool(to_kthread(k.current).flags & KTHREAD_SHOULD_STOP)


def kthread_should_park(k: "Kernel") -> bool:
    """Tell whether somebody wants the current thread to park. Source: kernel/kthread.c."""
    return bool(to_kthread(k.current).flags & KTHREAD_SHOULD_PARK)


def kthread_stop(k: "Kernel", task: TaskStruct) -> Path[int]:
    """Make ``task`` end, wait until it has, and return its function's result.

    A thread that was never woken ends without its function being called: -EINTR. One that has
    ended by itself is no error.

    Source: kernel/kthread.c:kthread_stop().
    """
    kthread = to_kthread(task)
    yield "kthread_stop.should_stop", BARRIER, task
    kthread.flags |= KTHREAD_SHOULD_STOP
    yield from kthread_unpark(k, task)
    yield from wake_up_process(k, task)
    yield from wait_for_completion(k, kthread.exited)
    return kthread.result


def kthread_parkme(k: "Kernel") -> Path[None]:
    """Park the current thread as long as it should be parked.

    TASK_PARKED is a special state, set under pi_lock: no stray wake-up takes it back.

    Source: kernel/kthread.c:__kthread_parkme().
    """
    self = to_kthread(k.current)
    while True:
        yield from set_special_state(k, TASK_PARKED)
        if not self.flags & KTHREAD_SHOULD_PARK:
            break
        yield from complete(k, self.parked)
        yield "kthread_parkme.schedule", SCHEDULE, None
    yield from set_current_state(k, TASK_RUNNING)


def kthread_park(k: "Kernel", task: TaskStruct) -> Path[int]:
    """Ask ``task`` to park and wait until it has; return 0, -ENOSYS (it exits) or -EBUSY.

    Source: kernel/kthread.c:kthread_park().
    """
    kthread = to_kthread(task)
    if task.flags & PF_EXITING:
        return -ENOSYS
    if kthread.flags & KTHREAD_SHOULD_PARK:
        return -EBUSY
    yield "kthread_park.should_park", BARRIER, task
    kthread.flags |= KTHREAD_SHOULD_PARK
    if task is not k.current:
        yield from wake_up_process(k, task)
        yield from wait_for_completion(k, kthread.parked)
        yield from wait_task_inactive(k, task, TASK_PARKED)
    return 0


def kthread_unpark(k: "Kernel", task: TaskStruct) -> Path[None]:
    """Let a parked thread go on, on its CPU. Source: kernel/kthread.c:kthread_unpark()."""
    kthread = to_kthread(task)
    if not kthread.flags & KTHREAD_SHOULD_PARK:
        return
    if kthread.flags & KTHREAD_IS_PER_CPU and task.state == TASK_PARKED:
        yield from kthread_bind(k, task, kthread.cpu, TASK_PARKED)
    yield "kthread_unpark.should_park", BARRIER, task
    kthread.flags &= ~KTHREAD_SHOULD_PARK
    yield from try_to_wake_up(k, task, TASK_PARKED)


def cond_resched(k: "Kernel") -> Path[None]:
    """Let the CPU run somebody else here, if it wants to. Source: kernel/sched/core.c."""
    yield "cond_resched", RESCHED, None
