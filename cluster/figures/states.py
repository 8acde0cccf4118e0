"""How many tasks were in each state over time, from what a page's history keeps."""

from collections.abc import Iterator
from heapq import merge
from typing import Final

from cluster.page.history import (
    BLOCKED,
    DEAD,
    RUNNABLE,
    SLEEPS,
    STOPPED,
    ZOMBIE,
    Curve,
    History,
    Stays,
)

RUNNING: Final = "running"
#: in the order in which they are drawn, from below
STATES: Final = (RUNNING, "runnable", "sleeping", "uninterruptible", "stopped", "zombie")
_AFTER: Final = {
    RUNNABLE: "runnable",
    SLEEPS: "sleeping",
    BLOCKED: "uninterruptible",
    STOPPED: "stopped",
    ZOMBIE: "zombie",
    DEAD: "",
}
# what happens to a task at one time, in this order
_ENDS, _BORN, _WAKES, _STARTS, _FREED = range(5)


def states_over_time(history: History) -> dict[str, Curve]:
    """Return the number of tasks in each state, who is idle left out.

    Returns:
        A curve for each of STATES; all have bins of one width.
    """
    curves = {name: Curve() for name in STATES}
    numbers = dict.fromkeys(STATES, 0)
    state = [""] * len(history.tasks)
    freed = bytearray(len(history.tasks))
    for time, kind, task, ending in _moves(history):
        old = state[task]
        if kind == _ENDS:
            new = "" if freed[task] else _AFTER[ending]
        elif kind == _STARTS:
            new = RUNNING
        elif kind == _FREED:
            freed[task] = 1
            new = old if old == RUNNING else ""  # it may leave its CPU later
        elif kind == _BORN:  # on no runqueue yet
            new = "sleeping"
        else:  # who runs already runs on
            new = old if old in ("", RUNNING, "zombie") else "runnable"
        if new == old:
            continue
        state[task] = new
        for name, change in ((old, -1), (new, 1)):
            if name:
                numbers[name] += change
                curves[name].set(int(time), numbers[name])
    for curve in curves.values():
        curve.end(history.end_ns)
    width_ns = max(curve.width_ns for curve in curves.values())
    for curve in curves.values():
        curve.widen(width_ns)
    return curves


def _moves(history: History) -> Iterator[tuple[float, int, int, int]]:
    """Yield time, kind, task and (of an end) how a stay ends, in order of time."""
    lives = sorted(
        [(float(task.start_ns), _BORN, place, 0) for place, task in enumerate(history.tasks)]
        + [
            (float(task.end_ns), _FREED, place, 0)
            for place, task in enumerate(history.tasks)
            if task.end_ns >= 0
        ]
    )
    woken = ((ns, _WAKES, task, 0) for ns, task in zip(history.woken_ns, history.woken))
    return merge(lives, woken, *map(_of_cpu, history.stays))


def _of_cpu(stays: Stays) -> Iterator[tuple[float, int, int, int]]:
    """Yield the moves of one CPU's stays; one that takes no time only ends."""
    for start, length, task, ending in zip(stays.start, stays.length, stays.task, stays.state):
        if length:
            yield start, _STARTS, task, 0
        yield start + length, _ENDS, task, ending
