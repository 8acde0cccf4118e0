"""``child_runs_first``: whether a forked child goes before its parent, for every fair class.

Source: kernel/sched/fair.c (sysctl_sched_child_runs_first) of Linux 6.1.
"""

from typing import Final

from kernel.sched.sched_class import FORK_HERE, FORK_VFORK

_NEVER: Final = (FORK_HERE | FORK_VFORK) + 1
_LEAST: Final = {"off": _NEVER, "on": FORK_HERE, "vfork_only": FORK_HERE | FORK_VFORK}


def least_flags(child_runs_first: str) -> int:
    """Return the least flags of ``task_fork`` with which the child is to go first.

    With FORK_HERE among them: elsewhere "first" means nothing.

    Raises:
        ValueError: ``MachineSpec.child_runs_first`` is no such word.
    """
    least = _LEAST.get(child_runs_first)
    if least is None:
        raise ValueError(f"child_runs_first: off, on or vfork_only, not {child_runs_first!r}")
    return least
