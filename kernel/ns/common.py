"""What every namespace has: a kind, a number in /proc/PID/ns, an owner, a count.

Source: include/linux/ns_common.h, include/linux/proc_ns.h, kernel/ucount.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.uapi.clone import CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWUTS
from kernel.uapi.errno_ import ENOSPC

if TYPE_CHECKING:
    from kernel.ipc.util import IpcTables
    from kernel.kernel import Kernel
    from kernel.ns.user_namespace import UserNamespace


# Source: include/linux/proc_ns.h
PROC_IPC_INIT_INO: Final = 0xEFFFFFFF


PROC_UTS_INIT_INO: Final = 0xEFFFFFFE


PROC_USER_INIT_INO: Final = 0xEFFFFFFD


PROC_PID_INIT_INO: Final = 0xEFFFFFFC


PROC_CGROUP_INIT_INO: Final = 0xEFFFFFFB


PROC_TIME_INIT_INO: Final = 0xEFFFFFFA


PROC_NET_INIT_INO: Final = 0xF0000000


PROC_MNT_INIT_INO: Final = 0xF0000001


FIRST_INO: Final = 0xF0000002  # of a namespace made later


class Namespace:
    """What every namespace has: its kind (CLONE_NEW*), its number in /proc/PID/ns, its owner."""

    __slots__ = ("count", "ino", "kind", "user_ns")

    def __init__(self, kind: int, ino: int, user_ns: "UserNamespace | None") -> None:
        self.kind = kind
        self.ino = ino
        self.user_ns = user_ns  # whose capabilities count for it
        self.count = 1

    def __repr__(self) -> str:
        return f"<namespace {self.kind:#x} {self.ino}>"


class UtsNamespace(Namespace):
    """The name of the host (``struct uts_namespace``)."""

    __slots__ = ("nodename",)

    def __init__(self, ino: int, user_ns: "UserNamespace | None", nodename: str) -> None:
        super().__init__(CLONE_NEWUTS, ino, user_ns)
        self.nodename = nodename


class IpcNamespace(Namespace):
    """The System V objects that have keys of their own (``struct ipc_namespace``).

    ``ids`` is filled at first use by the modules that own the objects.
    """

    __slots__ = ("ids",)

    def __init__(self, ino: int, user_ns: "UserNamespace | None") -> None:
        super().__init__(CLONE_NEWIPC, ino, user_ns)
        self.ids: IpcTables | None = None


def new_ino(k: "Kernel") -> int:
    """Return the number of a new namespace. Source: fs/proc/generic.c:proc_alloc_inum()."""
    number = k.next_ns_ino
    k.next_ns_ino = number + 1
    return number


def check_ns_limit(k: "Kernel", kind: int) -> None:
    """Count one more namespace of ``kind``; put_ns() counts it back.

    Raises:
        KernelError: ENOSPC, there are too many.

    Source: kernel/ucount.c:inc_ucount().
    """
    counts = k.ns_counts
    number = counts.get(kind, 0)
    if number >= k.tasks.max_threads // 2:
        raise KernelError(ENOSPC)
    counts[kind] = number + 1


def get_any_ns(ns: Namespace) -> None:
    """Take a reference to a namespace of any kind; of a user namespace none is counted."""
    if ns.kind != CLONE_NEWUSER:
        ns.count += 1
