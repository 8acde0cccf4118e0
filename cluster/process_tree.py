"""The shape of a process tree: who forked whom in which order, and how each process ended.

Pids differ between runs and machines, so a tree holds none. It is a flat list in preorder, one
``Node(depth, outcome)`` per process, children in the order their parent forked them (where several
threads of one process fork, which is first is chance: its children are sorted); a process stays
below the one that forked it, whoever reaped it in the end. Threads are not part of it.

Where text is about one process it is named by its place: 1 is the topmost, 1.2 its second child.
"""

import signal
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

UNKNOWN: Final = "?"  # nobody could see the status, as with SIGCHLD ignored


class Node(NamedTuple):
    """One process: how many ancestors it has in the tree, and how it ended."""

    depth: int
    outcome: str


Tree = tuple[Node, ...]

_CALLS_SHOWN: Final = 8  # of each process
_PROCESSES_SHOWN: Final = 12


class Call(NamedTuple):
    """A system call began (``text`` says which) or ended (``text`` is empty, ``result`` is not)."""

    pid: int  # of the process
    tid: int  # of the thread in it
    text: str
    result: str


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


class Generations:
    """Names for processes in a run that gives a pid out again (clone3 with set_tid)."""

    def __init__(self) -> None:
        self._count: dict[int, int] = {}

    def born(self, pid: int) -> int:
        """Return the name of a process that begins now: its pid, or for a later one another."""
        self._count[pid] = self._count.get(pid, -1) + 1
        return self.name(pid)

    def name(self, pid: int) -> int:
        """Return the name of the process that has ``pid`` now."""
        return pid + (self._count.get(pid, 0) << 32)


class Fork(NamedTuple):
    """A process was made. ``tid`` is the thread that called fork, ``parent`` its process."""

    parent: int
    child: int
    tid: int


def build_tree(root: int, forks: Iterable[Fork], statuses: Mapping[int, int]) -> Tree:
    """Return the tree below ``root``.

    Args:
        root: pid of the topmost process.
        forks: those of one thread in the order it made them.
        statuses: wait status by pid; a pid that is missing gets UNKNOWN.

    Raises:
        ValueError: a pid was used twice, so pids do not name processes.
    """
    children: dict[int, list[int]] = {}
    forkers: dict[int, dict[int, None]] = {}
    known = {root}
    for fork in forks:
        if fork.child in known:
            message = f"pid {fork.child} was used twice: the run is too long for a process tree"
            raise ValueError(message)
        known.add(fork.child)
        children.setdefault(fork.parent, []).append(fork.child)
        forkers.setdefault(fork.parent, {})[fork.tid] = None
    for pid in reversed(_preorder(root, children)):
        if len(forkers.get(pid, ())) > 1:  # all that is below is sorted already
            children[pid].sort(key=lambda child: _nodes(child, children, statuses))
    return _nodes(root, children, statuses)


def _preorder(root: int, children: Mapping[int, Sequence[int]]) -> list[int]:
    found = []
    todo = [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += reversed(children.get(pid, ()))
    return found


def _nodes(root: int, children: Mapping[int, Sequence[int]], statuses: Mapping[int, int]) -> Tree:
    nodes = []
    todo = [(0, root)]
    while todo:
        depth, pid = todo.pop()
        nodes.append(Node(depth, outcome(statuses.get(pid))))
        todo += [(depth + 1, child) for child in reversed(children.get(pid, ()))]
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


def name_processes(root: int, forks: Iterable[Fork]) -> dict[int, str]:
    """Return the name of every process by its place in the tree, in preorder; see the header."""
    children: dict[int, list[int]] = {}
    for fork in forks:
        children.setdefault(fork.parent, []).append(fork.child)
    names = {}
    todo = [(root, "1")]
    while todo:
        pid, name = todo.pop()
        names[pid] = name
        below = [(child, f"{name}.{place}") for place, child in enumerate(children.get(pid, ()), 1)]
        todo += [pair for pair in reversed(below) if pair[0] not in names]
    return names


def last_calls(
    root: int, forks: Sequence[Fork], calls: Iterable[Call], most: int = _CALLS_SHOWN
) -> list[str]:
    """Return lines with the last system calls of each process below ``root``.

    A call that has no result was never left. Threads are numbered by their first call, and
    named from the second on.
    """
    names = name_processes(root, forks)
    lines: dict[int, list[list[str]]] = {}
    threads: dict[int, list[int]] = {}
    begun: dict[int, list[str]] = {}
    for pid, tid, text, result in calls:
        if not text:
            if tid in begun:
                begun.pop(tid).append(f" = {result}")
            continue
        known = threads.setdefault(pid, [])
        if tid not in known:
            known.append(tid)
        number = known.index(tid) + 1
        begun[tid] = ["" if number == 1 else f"[thread {number}] ", text]
        lines.setdefault(pid, []).append(begun[tid])
    shown = [pid for pid in names if pid in lines]
    found = []
    for pid in shown[:_PROCESSES_SHOWN]:
        found.append(f"process {names[pid]}:" + (" …" if len(lines[pid]) > most else ""))
        found += [f"  {''.join(parts)}" for parts in lines[pid][-most:]]
    if len(shown) > _PROCESSES_SHOWN:
        found.append(f"and {len(shown) - _PROCESSES_SHOWN} more processes")
    return found
