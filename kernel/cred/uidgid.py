"""Ids of users and groups: the machine's (``kuid_t``, ``kgid_t``), and those of a namespace.

Everything in the kernel has the machine's ids. They are translated where a call takes or gives one,
by the user namespace of the caller; None stands for that of boot, where both are the same.

Source: include/linux/uidgid.h, kernel/user_namespace.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.uapi.errno_ import EINVAL

if TYPE_CHECKING:
    from kernel.ns.user_namespace import UserNamespace

OVERFLOW_ID: Final = 65534  # what an id without a mapping reads
INVALID_ID: Final = -1  # INVALID_UID, INVALID_GID
KEEP: Final = 0xFFFFFFFF  # (uid_t) -1

# (first id inside, first id of the machine, how many)
Extent = tuple[int, int, int]


def map_id_up(extents: tuple[Extent, ...], number: int) -> int:
    """Return what an id of the machine is inside, or INVALID_ID. Source: map_id_up()."""
    for first, lower, count in extents:
        if lower <= number < lower + count:
            return first + number - lower
    return INVALID_ID


def map_id_down(extents: tuple[Extent, ...], number: int) -> int:
    """Return the machine's id of an id inside, or INVALID_ID. Source: map_id_down()."""
    for first, lower, count in extents:
        if first <= number < first + count:
            return lower + number - first
    return INVALID_ID


def from_kuid_munged(ns: "UserNamespace | None", kuid: int) -> int:
    """Return what ``kuid`` is to somebody in ``ns``; 65534 if it is not mapped.

    Source: kernel/user_namespace.c:from_kuid_munged().
    """
    if ns is None:
        return kuid
    number = map_id_up(ns.uid_map, kuid)
    return OVERFLOW_ID if number == INVALID_ID else number


def from_kgid_munged(ns: "UserNamespace | None", kgid: int) -> int:
    """Return what ``kgid`` is to somebody in ``ns``; 65534 if it is not mapped.

    Source: kernel/user_namespace.c:from_kgid_munged().
    """
    if ns is None:
        return kgid
    number = map_id_up(ns.gid_map, kgid)
    return OVERFLOW_ID if number == INVALID_ID else number


def make_kuid(ns: "UserNamespace | None", uid: int) -> int:
    """Return the machine's id of ``uid`` in ``ns``, or INVALID_ID. Source: make_kuid()."""
    return uid if ns is None else map_id_down(ns.uid_map, uid)


def make_kgid(ns: "UserNamespace | None", gid: int) -> int:
    """Return the machine's id of ``gid`` in ``ns``, or INVALID_ID. Source: make_kgid()."""
    return gid if ns is None else map_id_down(ns.gid_map, gid)


def kuid_argument(ns: "UserNamespace | None", value: int) -> int:
    """Return the uid argument of a call as the machine's id; KEEP for -1.

    Raises:
        KernelError: EINVAL, it is not mapped.
    """
    value &= KEEP
    return value if value == KEEP else _mapped(make_kuid(ns, value))


def kgid_argument(ns: "UserNamespace | None", value: int) -> int:
    """Return the gid argument of a call as the machine's id; KEEP for -1.

    Raises:
        KernelError: EINVAL, it is not mapped.
    """
    value &= KEEP
    return value if value == KEEP else _mapped(make_kgid(ns, value))


def _mapped(number: int) -> int:
    if number == INVALID_ID:
        raise KernelError(EINVAL)
    return number


def ids_mapped(ns: "UserNamespace", kuid: int, kgid: int) -> bool:
    """Tell whether both ids have a meaning in ``ns``. Source: fsuidgid_has_mapping()."""
    return map_id_up(ns.uid_map, kuid) != INVALID_ID and map_id_up(ns.gid_map, kgid) != INVALID_ID
