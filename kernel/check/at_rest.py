"""A machine whose programs have all ended holds what boot made, and nothing else.

And of one in which nothing can go on, whom that concerns.
"""

from typing import TYPE_CHECKING

from kernel.check.invariants import MOST, check_kernel
from kernel.ipc.ledger import all_tables, recount_shm
from kernel.mm.ledger import recount_cache
from kernel.process.tasklist import for_each_thread
from kernel.task import PF_KTHREAD
from kernel.trace.printable import printable
from kernel.uapi.syscalls import NAMES

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def boot_counts(k: "Kernel") -> dict[str, int]:
    """Return what a machine has at boot and must have again at the end, by name.

    Kernel threads made since boot are not counted: a service runs as long as the machine. Nor are
    frames of the page cache and of System V segments and empty places in slabs: they may stay.
    """
    kthreads = k.nr_kthreads
    counts = {
        "tasks": k.tasks.nr_threads - kthreads,
        "processes": k.tasks.nr_processes - kthreads,
        "pids": k.pids.taken - kthreads,
        "kernel stacks": len(k.stacks.infos) - kthreads,
        "frames": k.frames.nr_used
        - kthreads * k.stacks.pages
        - len(recount_cache(k.frames))
        - len(recount_shm(all_tables(k, ())))
        - sum(cache.nr_pages for cache in k.slabs.values()),
    }
    for name, cache in k.slabs.items():
        counts[f"slab {name}"] = cache.active_objs - (kthreads if name == "task_struct" else 0)
    for kind, number in k.ns_counts.items():
        if number:
            counts[f"namespaces of kind {kind:#x}"] = number
    for uid, user in k.tasks.users.items():
        if user.processes:
            counts[f"threads of user {uid}"] = user.processes - (0 if uid else kthreads)
    return counts


def check_end(k: "Kernel", counts: dict[str, int]) -> list[str]:
    """Return what is left over at the end of a run, besides every violation ``check_kernel`` finds.

    Args:
        k: the kernel after its last program has been reaped; no message is in flight but those of
            services, which may be at work.
        counts: what ``boot_counts`` returned right after boot.
    """
    return [*check_kernel(k), *left_over(k, counts)][:MOST]


def left_over(k: "Kernel", counts: dict[str, int]) -> list[str]:
    """Return what is left over at the end of a run; see ``check_end``."""
    found: list[str] = []
    now = boot_counts(k)
    for name in [*counts, *(name for name in now if name not in counts)]:
        before, after = counts.get(name, 0), now.get(name, 0)
        if before != after:
            found.append(f"leak: {name}: {before} at boot, {after} at the end")
    paths = sum(path.task not in k.services for path in k.active)
    if paths:
        found.append(f"end: {paths} kernel paths are still in progress")
    busy = list(k.load.nr_running)
    for task in k.services:
        busy[task.cpu] -= task.on_rq
    cpus = [cpu for cpu, number in enumerate(busy) if number]
    if cpus and (sum(busy) or not k.services):  # a service may be on its way to another
        found.append(f"end: the load table has runnable tasks on cpus {cpus}")
    return found[:MOST]


def blocked_stories(kernel: "Kernel") -> list[str]:
    """Return one line for each task that nothing will wake, or that its CPU does not let run."""
    stories = []
    for task in for_each_thread(kernel):
        if task.exit_state or task.flags & PF_KTHREAD:
            continue
        who = f"{printable(task.comm)} ({task.pid})"
        if task.on_rq:
            stories.append(f"{who} is runnable on cpu {task.cpu}, which does not run it")
        elif task.pid > 2:
            stories.append(f"{who} sleeps in {NAMES.get(task.in_syscall, 'the kernel')}")
    return stories
