"""When others see that a lock was given up.

Under a model that has ``unlock`` (``kernel.drive.memory.UnlockingModel``) the release of a spinning
lock is a store behind those that wait: the path goes on, and the lock is free when it drains. So
what the path loads next may come before what it has stored under the lock, as on x86. Whoever
takes a lock there finds his own stores in memory, so he can have the one he gave up himself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kernel.drive.lockdep import SLEEPING_LOCKS
from kernel.drive.memory import Drain, late_unlock
from kernel.drive.mutations import UNORDERED
from kernel.drive.ways import versioned
from kernel.points import RELEASE, STORE, STORE_RELEASE

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import MemoryModel
    from kernel.locking import Lock


def may_be_late(memory: "MemoryModel", lock: "Lock") -> bool:
    """Tell whether the one who has ``lock`` for himself gives it up by a store."""
    return late_unlock(memory) is not None and lock.name not in SLEEPING_LOCKS and not lock.readers


def give_up(
    memory: "MemoryModel", path: "ActivePath", lock: "Lock", seen: Callable[[Any], None]
) -> Drain | None:
    """Order memory for ``path``, which gives ``lock`` up; return what will make that visible.

    Args:
        seen: frees the lock.

    Returns:
        None if it is visible at once.
    """
    ordered = path.mutated != UNORDERED
    versions = versioned(memory)
    if versions is not None:
        if ordered:
            versions.release(path.cpu, lock)
        return None
    unlock = late_unlock(memory)
    if unlock is not None and may_be_late(memory, lock):
        return unlock(path.cpu, lock, STORE_RELEASE if ordered else STORE, seen)
    if ordered:
        memory.barrier(path.cpu, RELEASE)
    return None
