"""The shape of a process tree: who forked whom in which order, and how each process ended.

Pids differ between runs and machines, so a tree holds none. It is a flat list in preorder, one
``Node(depth, outcome)`` per process, children in the order their parent forked them; a process
stays below the one that forked it, whoever reaped it in the end. Threads are not part of it.
"""

import signal
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Final, NamedTuple

UNKNOWN: Final = "?"  # nobody could see the status, as with SIGCHLD ignored


class Node(NamedTuple):
    """One process: how many ancestors it has in the tree, and how it ended."""

    depth: int
    outcome: str


Tree = tuple[Node, ...]


def outcome(status: int | None) -> str:
    """Return how a wait status reads: ``exit 3``, ``SIGKILL``, ``SIGSEGV core``, or ``?``."""
    if status is None:
        return UNKNOWN
    number = status & 0x7F
    if number == 0:
        return f"exit {status >> 8 & 0xFF}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"{name} core" if status & 0x80 else name


def build_tree(root: int, forks: Iterable[tuple[int, int]], statuses: Mapping[int, int]) -> Tree:
    """Return the tree below ``root``.

    Args:
        root: pid of the topmost process.
        forks: ``(parent, child)`` pids; those of one parent in the order it forked them.
        statuses: wait status by pid; a pid that is missing gets UNKNOWN.

    Raises:
        ValueError: a pid was used twice, so pids do not name processes.
    """
    children: dict[int, list[int]] = {}
    known = {root}
    for parent, child in forks:
        if child in known:
            raise ValueError(f"pid {child} was used twice: the run is too long for a process tree")
        known.add(child)
        children.setdefault(parent, []).append(child)
    nodes = []
    todo = [(0, root)]
    while todo:
        depth, pid = todo.pop()
        nodes.append(Node(depth, outcome(statuses.get(pid))))
        todo += [(depth + 1, child) for child in reversed(children.get(pid, []))]
    return tuple(nodes)


def same_tree(left: Tree, right: Tree) -> bool:
    """Say whether two trees have one shape and the same outcomes; UNKNOWN agrees with any."""
    return len(left) == len(right) and all(map(_agree, left, right))


def _agree(left: Node | None, right: Node | None) -> bool:
    if left is None or right is None or left.depth != right.depth:
        return False
    return left.outcome == right.outcome or UNKNOWN in (left.outcome, right.outcome)


def describe_difference(left: Tree, right: Tree, context: int = 2) -> list[str]:
    """Return lines that show where two trees part: processes numbered in preorder from 1.

    Only the surroundings of the first difference are shown; an empty list says there is none.
    """
    pairs = list(zip_longest(left, right))
    first = next((at for at, pair in enumerate(pairs) if not _agree(*pair)), None)
    if first is None:
        return []
    lines = [f"{len(left)} processes against {len(right)}; they part at process {first + 1}:"]
    for at in range(max(0, first - context), min(len(pairs), first + context + 1)):
        mine, theirs = (_show(node) for node in pairs[at])
        mark = "  " if _agree(*pairs[at]) else "! "
        lines.append(f"{mark}{at + 1:5} {mine:34} | {theirs}")
    return lines


def _show(node: Node | None) -> str:
    return "-" if node is None else "  " * min(node.depth, 10) + node.outcome
