"""Kernel threads that work on their own account, as the configuration wants them.

A service wakes up every period, uses its CPU for a while in kernel mode, and sleeps again: the
noise of a real machine's kworkers, to measure what it does to a workload. A per-CPU service has one
thread bound to each CPU. The work is done in slices, and between two slices the CPU may run
somebody else.

pid 1 starts them through kthreadd before anything else, as the initcalls of Linux do. They never
end, and one whose work takes its whole period never sleeps either: what the programs do decides
when a run is over (``KernelState.finished``, ``stuck``).

Source: init/main.c:kernel_init(), do_initcalls(); kernel/workqueue.c:worker_thread().
Deviation: ours; Linux's kworkers have the work of others to do.
"""

from typing import TYPE_CHECKING

from kernel.machine import ServiceSpec
from kernel.points import Path
from kernel.process.kthread import (
    cond_resched,
    kthread_create_on_cpu,
    kthread_parkme,
    kthread_run,
    kthread_should_park,
    kthread_should_stop,
)
from kernel.smp.ttwu import set_current_state, wake_up_process
from kernel.task import TASK_IDLE, TASK_INTERRUPTIBLE, TASK_RUNNING, TaskStruct
from kernel.time.timeout import schedule_timeout

if TYPE_CHECKING:
    from kernel.kernel import Kernel

SLICE_NS = 50_000


def do_initcalls(k: "Kernel") -> Path[None]:
    """Start every service of the configuration; the current task is pid 1.

    Source: init/main.c:do_initcalls().
    """
    for service in k.spec.services:
        if not service.per_cpu:
            alone: TaskStruct = yield from kthread_run(k, service_thread, service, service.name)
            k.services[alone] = None
            continue
        for cpu in range(k.spec.cpus):
            name = f"{service.name}/{cpu}"
            task: TaskStruct = yield from kthread_create_on_cpu(
                k, service_thread, service, cpu, name
            )
            k.services[task] = None
            yield from wake_up_process(k, task)


def service_thread(k: "Kernel", data: ServiceSpec) -> Path[int]:
    """Work ``work_ns`` every ``period_ns`` until stopped; return the number of rounds."""
    service: ServiceSpec = data
    # an idle kworker is no load; 2.6.34 had no such state
    asleep = TASK_IDLE if k.tasks.profile.idle_and_parked else TASK_INTERRUPTIBLE
    next_ns = k.now_ns + service.period_ns
    rounds = 0
    while True:
        yield from set_current_state(k, asleep)
        if kthread_should_stop(k):
            break
        if kthread_should_park(k):
            yield from set_current_state(k, TASK_RUNNING)
            yield from kthread_parkme(k)
            continue
        yield from schedule_timeout(k, next_ns, None, awake=k.now_ns >= next_ns)
        yield from set_current_state(k, TASK_RUNNING)
        if k.now_ns < next_ns:
            continue  # woken for something else: to stop, or to park
        left_ns = service.work_ns
        while left_ns > 0:
            k.now_ns += min(left_ns, SLICE_NS)
            left_ns -= SLICE_NS
            yield from cond_resched(k)
        rounds += 1
        next_ns = max(next_ns + service.period_ns, k.now_ns)
    yield from set_current_state(k, TASK_RUNNING)
    return rounds


def only_services_run(k: "Kernel") -> bool:
    """Tell whether every task that has a CPU or waits for one is a service, or none is there.

    Paths in progress count (a timer's may outlive the task it was for), and so does a dead task
    that its CPU has not switched away from.
    """
    services = k.services
    if not services:
        return not any(k.load.nr_running) and not k.active
    if k.dying:
        return False
    running = 0
    for task in services:
        running += task.on_rq
    if sum(k.load.nr_running) != running:
        return False
    return all(path.task in services for path in k.active)
