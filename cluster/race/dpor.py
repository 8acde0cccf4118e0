"""Every order of steps that can matter, each once: source-DPOR with sleep sets.

Two runs whose steps differ only in the order of steps that do not conflict are one *trace*. A tree
of choices is walked depth first. Each run of it is analysed: a *race* is two conflicting steps of
two actors, the second of which did not have to wait for the first; for each race the tree gets, at
the place before the first step, a branch in which another actor goes, unless one that it has
already leads to the reversed order (a source set). A *sleep set* keeps what has been explored at a
place from being explored again under its neighbours, as long as nothing that conflicts with it has
happened. When no branch is left, all traces of the scenario have been seen.

What conflicts is what the steps touched (``cluster.race.watch``), locks included: two acquisitions
of one lock conflict unless both read; a release only enables. Whoever stands before a lock that is
held cannot go (he could only queue), which leaves out the orders of queues.

What is certified is meant at the points of the kernel's source, under the machine's memory model,
with user mode between two system calls taken as one step that shares nothing, and with virtual time
as the hold-ups of ``cluster.race.run`` make it.

Source: Abdulla, Aronis, Jonsson, Sagonas, Source Sets: A Foundation for Optimal Dynamic Partial
Order Reduction (JACM 2017), algorithm 1; Flanagan and Godefroid (POPL 2005) for what locks disable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster.race.run import Control, Run, Scenario, run_once
from cluster.race.strategies import actor_of
from cluster.race.watch import WRITE, StepSeen, Watch
from kernel.drive.chooser import Choice
from kernel.errors import InvariantError
from kernel.points import ACQUIRE, READ, RELEASE

# What a step touched, comparable between runs: (label of the object, field) -> mode
Touched = dict[tuple[object, str], int]


class _Blocked(InvariantError):
    """Whoever could go has been explored already: this run leads nowhere new."""


@dataclass(slots=True)
class Node:
    """A place of the tree: before one step of the run at hand.

    Attributes:
        chosen: who goes here in this run; ``touched``: what that step touched.
        branches: who is to go here, in the end; ``done``: who went, with what his step touched.
        sleep: who need not go here.
    """

    enabled: tuple[int, ...]
    sleep: dict[int, Touched]
    chosen: int = 0
    touched: Touched = field(default_factory=dict)
    branches: list[int] = field(default_factory=list)
    done: dict[int, Touched] = field(default_factory=dict)


@dataclass(slots=True)
class Proof:
    """What an exploration has found so far.

    Attributes:
        complete: all traces have been seen.
        traces: how many; ``blocked``: runs that were cut off because of their sleep sets.
        failed: the first run with a verdict other than clean.
    """

    complete: bool = False
    traces: int = 0
    blocked: int = 0
    steps: int = 0
    failed: Run | None = None
    endings: dict[str, int] = field(default_factory=dict)


class Explorer:
    """Walks the tree of one scenario; inside ``watch.following()``."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.nodes: list[Node] = []
        self.proof = Proof()
        self._begun = False

    def explore(self, most: int, *, stop: bool = True) -> Proof:
        """Make at most so many runs, blocked ones included; ``stop``: at the first that fails."""
        proof = self.proof
        for _ in range(most):
            if self._begun and not self._next():
                proof.complete = True
                break
            self._begun = True
            run, blocked = self._run()
            proof.steps += len(run.actors)
            if blocked:
                proof.blocked += 1
                continue
            proof.traces += 1
            proof.endings[run.verdict.signature] = proof.endings.get(run.verdict.signature, 0) + 1
            if run.verdict.kind != "clean":
                if proof.failed is None:
                    proof.failed = run
                if stop:
                    break
        return proof

    def _next(self) -> bool:
        """Go back to the deepest place with a branch left and take it; False: there is none."""
        nodes = self.nodes
        while nodes:
            node = nodes[-1]
            node.done[node.chosen] = node.touched
            left = [one for one in node.branches if one not in node.done and one not in node.sleep]
            if left:
                node.chosen = left[0]
                return True
            nodes.pop()
        return False

    def _run(self) -> tuple[Run, bool]:
        watch = Watch(keep=True)
        control = _Walk(self, watch)
        try:
            run = run_once(self.scenario, control, strategy="dpor", watch=watch)
        finally:
            control.settle()
        self._analyse(watch)
        return run, control.blocked

    def _analyse(self, watch: Watch) -> None:
        """Find the races of the run, and branch where they ask for it."""
        steps = watch.steps
        nodes = self.nodes
        clocks: list[dict[int, int]] = []
        counts: dict[int, int] = {}  # actor -> its steps so far
        own: dict[int, dict[int, int]] = {}  # actor -> its clock
        writers: dict[tuple[object, str], int] = {}  # the last step that wrote
        readers: dict[tuple[object, str], dict[int, int]] = {}  # actor -> its last read since
        released: dict[object, dict[int, int]] = {}
        woken: dict[int, dict[int, int]] = {}
        place_of: dict[tuple[int, int], int] = {}  # (actor, number) -> step
        actors = [step.task.pid for step in steps]
        for place, step in enumerate(steps[: len(nodes)]):
            actor = actors[place]
            clock = dict(own.get(actor, ()))
            if step.name == "enter":
                _join(clock, woken.get(actor))
            if step.kind in (ACQUIRE, READ) and not step.skipped:
                pass  # the race of two acquisitions is found below, before their order is known
            racing: dict[int, None] = {}
            touched = nodes[place].touched
            after: dict[int, None] = {}
            for key, mode in touched.items():
                writer = writers.get(key)
                if writer is not None:
                    after[writer] = None
                if mode & WRITE:
                    for reader in readers.get(key, {}).values():
                        after[reader] = None
            for other in after:
                who = actors[other]
                if who != actor and clocks[other][who] > clock.get(who, 0):
                    racing[other] = None
            counts[actor] = number = counts.get(actor, 0) + 1
            place_of[actor, number] = place
            for other in after:
                _join(clock, clocks[other])
            if step.kind in (ACQUIRE, READ) and not step.skipped:
                _join(clock, released.get(id(step.obj)))
            clock[actor] = number
            own[actor] = clock
            clocks.append(clock)
            for other in sorted(racing):
                self._branch(other, place, actors, clocks)
            for key, mode in touched.items():
                if mode & WRITE:
                    writers[key] = place
                    readers.pop(key, None)
                else:
                    readers.setdefault(key, {})[actor] = place
            if step.kind == RELEASE:
                before = released.setdefault(id(step.obj), {})
                _join(before, clock)
            for key, mode in touched.items():
                if mode & WRITE and key[1] == "on_rq":
                    task = watch.names.get(_id_of(key, watch))
                    if task is not None and task.pid != actor:
                        woken[task.pid] = dict(clock)

    def _branch(
        self, first: int, second: int, actors: Sequence[int], clocks: Sequence[dict[int, int]]
    ) -> None:
        """Let the order of two racing steps be reversed: see the module header."""
        node = self.nodes[first]
        who = actors[first]
        number = clocks[first][who]
        apart = [place for place in range(first + 1, second) if clocks[place].get(who, 0) < number]
        apart.append(second)
        initials: list[int] = []
        seen: dict[int, None] = {}
        for index, place in enumerate(apart):
            actor = actors[place]
            if actor in seen:
                continue
            seen[actor] = None
            clock = clocks[place]
            if not any(
                clock.get(actors[before], 0) >= clocks[before][actors[before]]
                for before in apart[:index]
            ):
                initials.append(actor)
        if any(actor in node.branches for actor in initials):
            return
        possible = [actor for actor in initials if actor in node.enabled]
        for actor in possible:
            if actor in node.sleep:
                return
        if possible:
            node.branches.append(possible[0])
        else:  # what is missing is not known: everybody
            node.branches += [actor for actor in node.enabled if actor not in node.branches]


class _Walk(Control):
    """The chooser of one run of an explorer."""

    def __init__(self, explorer: Explorer, watch: Watch) -> None:
        super().__init__(explorer.scenario, None)
        self.blocked = False
        self._nodes = explorer.nodes
        self._watch = watch
        self._known = len(explorer.nodes)

    def settle(self) -> None:
        """Note what the last step has touched."""
        done = len(self.actors)
        if done and len(self._watch.steps) >= done:
            node = self._nodes[done - 1]
            node.touched = touched_by(self._watch.steps[done - 1], self._watch)

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        step = len(self.actors)
        self.settle()
        nodes = self._nodes
        able = [place for place, entry in enumerate(enabled) if _can_go(entry)]
        if not able:
            able = list(range(len(enabled)))
        actors = {actor_of(enabled[place]): place for place in reversed(able)}
        if step < self._known:
            node = nodes[step]
            place = actors[node.chosen]
        else:
            sleep: dict[int, Touched] = {}
            if step:
                before = nodes[step - 1]
                sleep = {
                    actor: touched
                    for actor, touched in (*before.sleep.items(), *before.done.items())
                    if actor != before.chosen and not clash(touched, before.touched)
                }
            awake = [actor for actor in actors if actor not in sleep]
            if not awake:
                self.blocked = True
                raise _Blocked("blocked")
            last = self.actors[-1] if self.actors else None
            chosen = last if last in awake else min(awake)
            node = Node(tuple(actors), sleep, chosen, branches=[chosen])
            nodes.append(node)
            place = actors[chosen]
        return self._took(enabled, place)


def _can_go(entry: Choice) -> bool:
    """Tell whether an offer is no lock that is held."""
    _name, kind, obj = entry.op
    if kind not in (ACQUIRE, READ) or getattr(entry, "granted", False):
        return True
    if kind == READ:
        return obj.owner is None
    return obj.owner is None and not obj.readers


def touched_by(step: StepSeen, watch: Watch) -> Touched:
    """Return what a step touched, by labels that other runs have, too."""
    labels = watch.labels
    touched: Touched = {
        (labels.get(key[0], "unknown"), key[1]): mode for key, mode in step.footprint.items()
    }
    if step.kind in (ACQUIRE, READ) and not step.skipped:
        touched[labels.get(id(step.obj), "unknown"), "lock"] = WRITE if step.kind == ACQUIRE else 1
    return touched


def clash(one: Touched, two: Touched) -> bool:
    """Tell whether two steps conflict."""
    if len(two) < len(one):
        one, two = two, one
    for key, mode in one.items():
        other = two.get(key)
        if other is not None and (mode | other) & WRITE:
            return True
    return False


def _id_of(key: tuple[object, str], watch: Watch) -> int:
    for number, label in watch.labels.items():
        if label == key[0]:
            return number
    return 0


def _join(clock: dict[int, int], other: dict[int, int] | None) -> None:
    if other:
        for actor, number in other.items():
            if clock.get(actor, 0) < number:
                clock[actor] = number


MOST_RUNS: Final = 100_000
