"""User namespaces: which ids mean whom, and over what a task is privileged.

Kernel code knows users by the ids of the machine (``kuid_t``). A task in a nested user namespace
sees them through its namespace's ``uid_map`` and ``gid_map``, which can be written once
(/proc/PID/uid_map); an id without a mapping reads 65534. Whoever makes a user namespace has every
capability in it, over what belongs to it and to the namespaces below, and none outside. Each other
namespace belongs to the user namespace it was made in.

The user namespace of boot is None here: almost every task is in it, and nothing is looked up then.

Source: kernel/user_namespace.c, include/linux/user_namespace.h, include/linux/uidgid.h.
Deviation: how many there are is not limited, only how deep they nest.
"""

from typing import TYPE_CHECKING, Final

from kernel.cred.creds import Cred, ns_capable
from kernel.cred.uidgid import INVALID_ID, Extent, ids_mapped, map_id_down, map_id_up
from kernel.errors import KernelError
from kernel.ns.common import Namespace, new_ino
from kernel.uapi.clone import CLONE_NEWUSER
from kernel.uapi.errno_ import EINVAL, ENOSPC, EPERM

if TYPE_CHECKING:
    from kernel.kernel import Kernel

MAX_USER_NS_LEVEL: Final = 32
UID_GID_MAP_MAX_EXTENTS: Final = 340


class UserNamespace(Namespace):
    """One set of user and group ids (``struct user_namespace``)."""

    __slots__ = ("gid_map", "group", "level", "owner", "parent", "setgroups", "uid_map")

    def __init__(self, ino: int, parent: "UserNamespace | None", owner: int, group: int) -> None:
        super().__init__(CLONE_NEWUSER, ino, parent)
        self.parent = parent
        self.level: int = 1 if parent is None else parent.level + 1
        self.owner = owner
        self.group = group
        self.uid_map: tuple[Extent, ...] = ()
        self.gid_map: tuple[Extent, ...] = ()
        self.setgroups = True


def create_user_ns(k: "Kernel", old: Cred) -> Cred:
    """Return credentials like ``old`` in a new user namespace, with every capability there.

    Raises:
        KernelError: ENOSPC, nested too deep; EPERM, the caller's ids are not mapped.

    Source: kernel/user_namespace.c:create_user_ns(), set_cred_user_ns().
    """
    parent: UserNamespace | None = old.user_ns
    if parent is not None:
        if parent.level >= MAX_USER_NS_LEVEL:
            raise KernelError(ENOSPC)
        if not ids_mapped(parent, old.euid, old.egid):
            raise KernelError(EPERM)
    new = Cred(old.user, old.euid, old.suid, old.gid, old.egid, old.sgid)
    new.user_ns = UserNamespace(new_ino(k), parent, old.euid, old.egid)
    new.ns_capable = True
    return new


# -- the maps --------------------------------------------------------------------------------------


def parse_id_map(text: str) -> tuple[Extent, ...]:
    """Return the extents a write to uid_map describes, in the ids of the parent namespace.

    Raises:
        KernelError: EINVAL, not lines of three numbers, an empty or overlapping range.

    Source: kernel/user_namespace.c:map_write().
    """
    extents: list[Extent] = []
    for line in text.rstrip("\n").split("\n"):
        words = line.split()
        if len(words) != 3 or not all(word.isascii() and word.isdigit() for word in words):
            raise KernelError(EINVAL)
        first, lower, count = (int(word) for word in words)
        if not count or max(first, lower) + count > 0xFFFFFFFF:
            raise KernelError(EINVAL)
        for other, other_lower, many in extents:
            if first < other + many and other < first + count:
                raise KernelError(EINVAL)
            if lower < other_lower + many and other_lower < lower + count:
                raise KernelError(EINVAL)
        extents.append((first, lower, count))
        if len(extents) > UID_GID_MAP_MAX_EXTENTS:
            raise KernelError(EINVAL)
    return tuple(extents)


def write_id_map(k: "Kernel", ns: UserNamespace, text: str, *, groups: bool) -> None:
    """Set the uid_map (or gid_map) of ``ns``, which must be empty.

    Args:
        text: lines ``inside outside count``; outside in the ids of the parent namespace.

    Raises:
        KernelError: EPERM, it has been set, or the caller may not map these ids; EINVAL.

    Source: kernel/user_namespace.c:map_write(), new_idmap_permitted().
    """
    cred: Cred = k.current.cred
    if ns.gid_map if groups else ns.uid_map:
        raise KernelError(EPERM)
    if not ns_capable(cred, ns):
        raise KernelError(EPERM)
    parsed = parse_id_map(text)
    parent = ns.parent
    extents: list[Extent] = []
    for first, lower, count in parsed:
        if parent is None:
            start = lower
        else:
            above = parent.gid_map if groups else parent.uid_map
            start = map_id_down(above, lower)
            if start == INVALID_ID or map_id_down(above, lower + count - 1) != start + count - 1:
                raise KernelError(EPERM)
        extents.append((first, start, count))
    own = len(extents) == 1 and extents[0][2] == 1 and ns.owner == cred.euid
    if own and groups:
        own = not ns.setgroups and extents[0][1] == cred.egid
    elif own:
        own = extents[0][1] == cred.euid
    if not own and not ns_capable(cred, parent):
        raise KernelError(EPERM)
    if groups:
        ns.gid_map = tuple(extents)
    else:
        ns.uid_map = tuple(extents)


def write_setgroups(k: "Kernel", ns: UserNamespace, text: str) -> None:
    """Allow or deny setgroups() in ``ns``; denying is for ever.

    Raises:
        KernelError: EINVAL, neither "allow" nor "deny"; EPERM, allowing what is denied, denying
            once gid_map is set, or no privilege over ``ns``.

    Source: kernel/user_namespace.c:proc_setgroups_write().
    """
    word = text.rstrip()
    if word not in ("allow", "deny"):
        raise KernelError(EINVAL)
    if not ns_capable(k.current.cred, ns):
        raise KernelError(EPERM)
    if word == "allow":
        if not ns.setgroups:
            raise KernelError(EPERM)
    elif ns.gid_map:
        raise KernelError(EPERM)
    else:
        ns.setgroups = False


def show_id_map(ns: UserNamespace | None, seen_from: UserNamespace | None, *, groups: bool) -> str:
    """Return the text of uid_map (or gid_map) as a task of user namespace ``seen_from`` reads it.

    Source: kernel/user_namespace.c:uid_m_show().
    """
    if ns is None:
        extents: tuple[Extent, ...] = ((0, 0, 0xFFFFFFFF),)
    else:
        extents = ns.gid_map if groups else ns.uid_map
    above = seen_from
    if seen_from is ns and ns is not None:
        above = ns.parent
    lines = []
    for first, lower, count in extents:
        outside = lower
        if above is not None:
            outside = map_id_up(above.gid_map if groups else above.uid_map, lower) & 0xFFFFFFFF
        lines.append(f"{first:10} {outside:10} {count:10}\n")
    return "".join(lines)
