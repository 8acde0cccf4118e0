"""``child_runs_first``: whether a forked child goes before its parent, for every fair class.

Source: kernel/sched/fair.c (sysctl_sched_child_runs_first) of Linux 6.1; kernel/sched.c
(wake_up_new_task) of 2.6.11.
"""

from typing import TYPE_CHECKING, Final

from kernel.sched.sched_class import FORK_HERE, FORK_VFORK, FORK_VM

if TYPE_CHECKING:
    from kernel.sched.sched_class import SchedClass

AUTO: Final = "auto"
_ALL: Final = range((FORK_HERE | FORK_VFORK | FORK_VM) + 1)
_HERE: Final = tuple(flags for flags in _ALL if flags & FORK_HERE)
# with which flags of ``task_fork`` the child goes first; elsewhere than here it means nothing
_FIRST: Final = {
    "off": (),
    "on": _HERE,
    "vfork_only": tuple(flags for flags in _HERE if flags & FORK_VFORK),
    "unless_vm": tuple(flags for flags in _HERE if not flags & FORK_VM),
}
WORDS: Final[tuple[str, ...]] = (AUTO, "off", "on", "vfork_only")


def order_of(child_runs_first: str, cls: "SchedClass") -> str:
    """Return who runs first after a fork: what is configured, or the class's own habit.

    Returns:
        ``off``, ``on``, ``vfork_only``; ``unless_vm``: the child, unless it shares memory.

    Raises:
        ValueError: ``MachineSpec.child_runs_first`` is no such word.
    """
    if child_runs_first not in WORDS:
        known = f"{', '.join(WORDS[:-1])} or {WORDS[-1]}"
        raise ValueError(f"child_runs_first: {known}, not {child_runs_first!r}")
    return cls.fork_order if child_runs_first == AUTO else child_runs_first


def first_flags(order: str) -> int:
    """Return for ``order_of`` a word of bits: bit *n* is set if the child goes first at flags *n*.

    So ``first >> flags & 1`` tells it of the flags of ``task_fork``.
    """
    return sum(1 << flags for flags in _FIRST[order])
