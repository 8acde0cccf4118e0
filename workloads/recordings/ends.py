"""Who ended whom, and what must have happened before: the last thing that a reader does.

A signal that ended a process is sent by whom the recording shows to have sent it, or else by the
process itself. What ends a process waits until all of its threads have done what they did before
that others depend on: otherwise a replay at other speeds would have another tree of processes.
"""

from dataclasses import dataclass

from workloads.recordings.model import STRUCTURAL, Recording, Step, Task


@dataclass(slots=True)
class Kill:
    """A signal was sent; its step's targets are None if that failed. ``ended``: it ended one."""

    step: Step
    pid: int
    signal: str
    sender: Task
    ended: bool = False


def finish_ends(recording: Recording, kills: list[Kill]) -> None:
    """Tie ends to their causes, in ``recording``."""
    groups: dict[Task, list[Task]] = {}
    for task in recording.tasks:
        groups.setdefault(task.leader, []).append(task)
    _tie_signals(recording, kills, groups)
    for members in groups.values():
        for task in members:
            if task.ended is not None and task.ended[0] in ("exit", "signal"):
                _await_others(recording, task, members)


def _tie_signals(recording: Recording, kills: list[Kill], groups: dict[Task, list[Task]]) -> None:
    sent: dict[tuple[str, int], list[Kill]] = {}
    for kill in kills:
        if kill.step[2] is not None:
            sent.setdefault((kill.signal, kill.pid), []).append(kill)
    outside = 0
    for leader, members in groups.items():
        if leader.ended is None or leader.ended[0] != "signal":
            continue
        signal = leader.ended[1]
        for member in members[1:]:
            if member.ended is not None and member.ended[0] == "signal":
                member.ended = ("cut",)
        pids = [*(member.pid for member in members), -leader.pid, 0]
        found = [kill for pid in pids for kill in sent.get((signal, pid), [])]
        found = [kill for kill in found if kill.pid or kill.sender is leader.parent]
        if not found:
            outside += 1
            continue
        found[-1].ended = True
        if found[-1].sender.leader is not leader:
            found[-1].step[2].append(_ready_to_die(recording, leader, members))
            leader.ended = ("killed", signal)
    _drop(recording, kills)
    if outside:
        recording.notes.append(
            f"{outside:,} processes ended by a signal that nobody recorded sent: they send it to "
            f"themselves"
        )


def _drop(recording: Recording, kills: list[Kill]) -> None:
    """Take out the kills that ended nobody."""
    for kill in kills:
        if kill.step[2]:
            continue
        steps = kill.sender.steps
        steps[:] = [step for step in steps if step is not kill.step]
        if kill.step[2] is not None and not kill.ended:
            recording.left_out["kill (its target lived on)"] += 1


def _ready_to_die(recording: Recording, leader: Task, members: list[Task]) -> list[int]:
    """Return edges to wait for before the process is killed; the first tells its pid."""
    first = recording.edge()
    leader.steps.insert(_after_structural(leader), ["tell pid", first])
    return [first, *_all_done(recording, members[1:])]


def _after_structural(task: Task) -> int:
    """Return the place after the last step of ``task`` of which others depend."""
    for place in range(len(task.steps) - 1, -1, -1):
        if task.steps[place][0] in STRUCTURAL:
            return place + 1
    return 0


def _all_done(recording: Recording, members: list[Task]) -> list[int]:
    """Return edges of threads: from their ends, or from the last step of which others depend."""
    edges = []
    for member in members:
        place = len(member.steps) if member.ended != ("cut",) else _after_structural(member)
        if place:
            edges.append(recording.edge())
            member.steps.insert(place, ["tell", edges[-1]])
    return edges


def _await_others(recording: Recording, task: Task, members: list[Task]) -> None:
    others = [m for m in members if m is not task and m.ended != task.ended]
    for edge in _all_done(recording, others):
        recording.step(task, "told", edge)
