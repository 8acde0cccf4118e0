"""Mutations: points of the kernel's source that a run leaves out, and which can be."""

from kernel.points import ACQUIRE, BARRIER, READ, READ_BARRIER, RELEASE, WRITE_BARRIER


def check_name(name: str, kinds: dict[str, int]) -> str:
    """Return why ``name`` cannot be mutated, or an empty string if it can.

    Args:
        kinds: the kind of every point of the kernel, by name.
    """
    kind = kinds.get(name)
    if kind is None:
        return "there is no such point"
    if kind in (ACQUIRE, READ, BARRIER, READ_BARRIER, WRITE_BARRIER):
        return ""
    if kind == RELEASE:
        return "a release goes with its acquisition: name that"
    return "neither a lock nor a barrier: there is nothing to drop"
