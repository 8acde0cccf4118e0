"""Mutations that cannot matter: nothing that any program could show is another with them.

Each has its reason, which ``smplab race mutants --list`` and ``--only`` print. All others are to be
found.
"""

from typing import Final

from cluster.mutations.source import kinds_by_text
from cluster.race.guards import IDLE_LOCKS
from kernel.drive.mutations import DROP, IRQ, MOVE, PLAIN, WEAKEN, Mutation
from kernel.points import BARRIER

# mutation as it is written, without what stands for itself -> why it cannot matter
IDLE: Final[dict[str, str]] = dict.fromkeys(
    (
        f"{one}:wp_page_copy.flush{how}"
        for one, how in ((DROP, ""), (WEAKEN, ":wmb"), (WEAKEN, ":rmb"))
    ),
    "no CPU has a TLB of its own here, so that nobody goes by the old entry once the step has "
    "changed it; and no program may rely on a page fault as a barrier",
) | dict.fromkeys(
    (
        "drop:kthread.xchg",
        "weaken:kthread.xchg:wmb",
        "weaken:kthread.xchg:rmb",
        "weaken:kthread.xchg:split",
    ),
    "nobody takes a request for a thread back, for who asks is not killed; and what it says comes "
    "to the thread by the fork, what the thread answers by the lock of the completion",
)

# point that nothing comes to -> why; whatever is done to it cannot matter
NO_STOPS: Final = (
    "no module is unloaded here and no CPU goes offline: nobody stops or parks a thread"
)
UNREACHED: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "kthread_park.should_park",
            "kthread_parkme.schedule",
            "kthread_stop.should_stop",
            "kthread_unpark.should_park",
        ),
        NO_STOPS,
    ),
    **dict.fromkeys(
        ("complete_all.lock", "complete_all.unlock"),
        "a kernel thread that ends tells who stops it, and none ends: nobody stops one",
    ),
    "smpboot_thread_fn.schedule": "passed at boot, before time starts, and not again: " + NO_STOPS,
    "kthread_create_on_node.xchg": "only the kernel's own threads ask for threads, and no signal "
    "kills one while it waits for that",
}


_IDLE_BARRIERS: Final = frozenset(
    name
    for text in IDLE
    if (name := text.removeprefix(f"{DROP}:")) != text and kinds_by_text()[name] == BARRIER
)

# released: the lock of IDLE_LOCKS
_IDLE_RELEASES: Final[dict[str, str]] = {
    "complete_all.unlock": "complete_all.lock",
    "kthread_bind_mask.pi_unlock": "kthread_bind_mask.pi_lock",
    "unix_recvmsg.iolock_release": "unix_recvmsg.iolock",
}

NO_INTERRUPT: Final = (
    "no interrupt waits for a lock of this class, nor for one whose holder waits for it"
)
_SIGLOCKS: Final = ("copy_process.fork_out_lock", "copy_process.multiprocess_lock")


NESTED: Final = "tasklist_lock is held for writing there, which has turned interrupts off already"
_NESTED: Final = (
    "copy_process.siglock",
    "do_notify_parent.siglock",
    "exit_signal.siglock",
    "ptrace_set_stopped.siglock",
    "ptrace_unlink.siglock",
)


def irqs_left_on(point: str) -> str:
    """Return why it cannot matter that the lock taken at a point leaves interrupts on, or ""."""
    name = point.rpartition(".")[2]
    if not name.startswith(("siglock", "pi_lock")) and point not in _SIGLOCKS:
        return NO_INTERRUPT
    return NESTED if point in _NESTED else ""


def reason(mutation: Mutation) -> str:
    """Return why a mutation cannot matter; an empty string if it can."""
    name = mutation.place.point
    if name in UNREACHED:
        return UNREACHED[name]
    if mutation.action in (DROP, WEAKEN) and name in IDLE_LOCKS:
        return IDLE_LOCKS[name]
    if mutation.action == WEAKEN and mutation.how == IRQ:
        return irqs_left_on(name)
    if mutation.action == WEAKEN and mutation.how == PLAIN and name in _IDLE_RELEASES:
        return IDLE_LOCKS[_IDLE_RELEASES[name]]
    if mutation.action == DROP:
        return IDLE.get(f"{DROP}:{name}", "")
    if mutation.action == WEAKEN:
        return IDLE.get(f"{WEAKEN}:{name}:{mutation.how}", "")
    if mutation.action == MOVE and not mutation.place.whole and name in _IDLE_BARRIERS:
        return IDLE[f"{DROP}:{name}"]  # where it is not it is not missed, elsewhere it does no harm
    return ""


def reasons(name: str, *, irq: bool = False) -> list[tuple[str, str]]:
    """Return the mutations of a point that cannot matter, each with its reason.

    Args:
        irq: it takes a lock, which can be weakened so that interrupts stay on.
    """
    if name in UNREACHED:
        return [(name, UNREACHED[name])]
    found = [(f"{DROP}:{name}", IDLE_LOCKS[name])] if name in IDLE_LOCKS else []
    if irq and name not in IDLE_LOCKS and irqs_left_on(name):
        found.append((f"{WEAKEN}:{name}:{IRQ}", irqs_left_on(name)))
    if name in _IDLE_RELEASES:
        found.append((f"{WEAKEN}:{name}:{PLAIN}", IDLE_LOCKS[_IDLE_RELEASES[name]]))
    return found + [(text, why) for text, why in IDLE.items() if text.split(":")[1] == name]
