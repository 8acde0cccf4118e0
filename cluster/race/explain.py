"""Why a run fails: which two steps, on what, under which locks, and which order would do.

For a data race the two accesses are known. For everything else, a broken invariant, a deadlock, an
output, the pair is looked for: of the steps that conflict and that nothing orders, the latest
first, the second one is made to go before the first, and the rest of the run goes as before. The
first pair with which the run is clean is the order to be turned round.

A data race is wrong in either order. What it leads to is found by letting it pass: the run is made
once more without the detector, in both orders.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster.race.actors import actor_of
from cluster.race.dpor import Touched, clash
from cluster.race.recorder import Recording, Step, Touch, record
from cluster.race.run import (
    BROKEN,
    CLEAN,
    ENDLESS,
    RACE,
    STUCK,
    Control,
    Run,
    Scenario,
    Verdict,
    run_once,
)
from cluster.race.waits import LOST
from cluster.race.watch import WRITE, Access, Watch
from kernel.drive.chooser import Choice

_BEFORE: Final = 4  # steps shown before the first of the pair
_LAST: Final = 24  # steps shown if there is no pair
_BEGINS: Final = 4  # places from which an actor is held up
_TRIES: Final = 60  # pairs turned round
_LOOP: Final = 60  # steps at the end of a run without one that are looked at


@dataclass(slots=True)
class Side:
    """One of the two steps of a conflict.

    Attributes:
        step: its number, from 1.
        where: the function that made the access; empty: not known.
        locks: names of those held, ``(shared)`` behind what is held for reading.
        dropped: the point whose lock a mutation dropped, with which this access would have been
            guarded; empty: none.
    """

    step: int
    cpu: int
    who: str
    point: str
    where: str
    write: bool
    locks: list[str]
    before: str
    after: str
    dropped: str = ""


@dataclass(slots=True)
class Turned:
    """What happens when the second step of the pair goes before the first.

    Attributes:
        happened: it could be made so.
        verdict: what the run showed; ``passed``: for a data race, what it showed with no detector.
        as_it_was: for a data race, what the run shows in its own order with no detector.
        tried: how many pairs were turned round before.
        actors: of the run that was made, as far as it went.
    """

    happened: bool
    verdict: Verdict
    passed: Verdict | None = None
    as_it_was: Verdict | None = None
    tried: int = 0
    actors: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Explanation:
    """Everything there is to tell of a failing run.

    Attributes:
        what: the name of what both steps touch; empty: no pair was found.
        first, second: the pair, in the order of the run.
        begin: number of the first step to show.
        usual: what guards the field elsewhere in the run: lock, accesses with it, accesses.
        invariant: what was checked, and whether it held before the last step and after it.
        loop: of a run without an end, what is done again and again.
        late: if the second of the pair is a store that was late, which barrier is missing.
    """

    scenario: Scenario
    run: Run
    steps: list[Step]
    verdict: Verdict
    what: str = ""
    first: Side | None = None
    second: Side | None = None
    turned: Turned | None = None
    begin: int = 1
    usual: tuple[str, int, int] | None = None
    invariant: tuple[str, str, str] = ("", "", "")
    dropped: list[str] = field(default_factory=list)
    loop: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    @property
    def cpus(self) -> list[int]:
        """The CPUs of the steps that are shown."""
        return sorted({step.cpu for step in self.shown})

    @property
    def shown(self) -> list[Step]:
        """The steps from a little before the first of the pair to the failure."""
        return self.steps[self.begin - 1 :]


def explain(scenario: Scenario, run: Run) -> Explanation:
    """Explain a run of a scenario; inside ``watch.following()``.

    Raises:
        ValueError: the run is clean.
        Diverged: it is none of this scenario.
    """
    recording = record(scenario, run.actors)
    run = recording.run
    if run.verdict.kind == CLEAN:
        raise ValueError("a clean run has nothing to explain")
    steps = recording.steps
    told = Explanation(scenario, run, steps, run.verdict)
    told.invariant = _invariant(run, len(steps))
    told.dropped = [f"{step.name} at step {step.number}" for step in steps if step.dropped]
    if run.verdict.kind == ENDLESS:
        told.loop = _loop(recording)
    if run.races:
        _explain_race(told, recording)
    else:
        _look_for_pair(told, recording)
    if told.first is not None:
        first = min(told.first.step, told.begin if told.late else told.first.step)
        told.begin = max(1, first - _BEFORE)
    else:
        told.begin = max(1, len(steps) - _LAST + 1)
    return told


def _invariant(run: Run, steps: int) -> tuple[str, str, str]:
    """Return what is asked of the run, and its state before the last step and after it."""
    verdict = run.verdict
    if verdict.kind == RACE:
        asked = "conflicting accesses are ordered, or have a lock in common"
        return asked, f"held up to step {steps - 1}", f"broken at step {steps}"
    if not steps:
        return "the kernel boots", "not known", verdict.text
    if verdict.kind == BROKEN:
        asked = "the invariants of the kernel, checked after every step"
        return asked, f"held up to step {steps - 1}", f"broken after step {steps}: {verdict.text}"
    if verdict.kind in (STUCK, LOST):
        asked = "what a task sleeps for comes, or somebody is left who can bring it about"
        return asked, f"held up to step {steps - 1}", f"broken after step {steps}: {verdict.text}"
    if verdict.kind == ENDLESS:
        return "the run comes to an end", "not known", verdict.text
    return "the run ends as the scenario says", "not known", verdict.text


def _explain_race(told: Explanation, recording: Recording) -> None:
    race = recording.run.races[0]
    watch, names = recording.watch, recording.names
    key = (watch.labels.get(id(race.obj), "unknown"), race.field)
    told.what = names.field(race.obj, race.field)
    told.first = _side(recording, race.first.step, key, race.first)
    told.second = _side(recording, race.second.step, key, race.second)
    told.usual = _usual(recording, key)
    first, second = race.first.step - 1, race.second.step - 1
    turned = _turn(told.scenario, told.run, first, second)
    if turned.happened:
        turned.passed = _passed(told.scenario, turned.actors)
        turned.as_it_was = _passed(told.scenario, told.run.actors)
    told.turned = turned


def _passed(scenario: Scenario, actors: Sequence[int]) -> Verdict:
    """Return what a run shows when data races are let pass."""
    return run_once(scenario, Control(scenario, None, actors, strict=False), watch=None).verdict


def _look_for_pair(told: Explanation, recording: Recording) -> None:
    """Find the latest pair of steps with which the other way round the run is clean."""
    tried = 0
    for first, second in _candidates(recording):
        if tried == _TRIES:
            break
        tried += 1
        turned = _turn(told.scenario, told.run, first, second)
        if not turned.happened or turned.verdict.kind != CLEAN:
            continue
        turned.tried = tried - 1
        key = _shared_key(recording.touched[first], recording.touched[second])
        told.first = _side(recording, first + 1, key, None)
        told.second = _side(recording, second + 1, key, None)
        told.what = _name_of(recording, first, second, key)
        told.usual = _usual(recording, key)
        told.turned = turned
        told.late = _late(told, recording, second)
        return


def _candidates(recording: Recording) -> list[tuple[int, int]]:
    """Return pairs of conflicting steps of two actors, the latest first and the nearest."""
    actors, touched = recording.run.actors, recording.touched
    found = []
    for second in range(len(touched) - 1, 0, -1):
        others: dict[int, None] = {}  # whose later step conflicts already
        for first in range(second - 1, -1, -1):
            actor = actors[first]
            if actor == actors[second] or actor in others:
                continue
            if clash(touched[first], touched[second]):
                others[actor] = None
                found.append((first, second))
    # what programs share, if it is there, says more than how the kernel brought it about
    found.sort(key=lambda pair: not _over_memory(touched[pair[0]], touched[pair[1]]))
    return found


def _over_memory(one: Touched, two: Touched) -> bool:
    """Tell whether two steps conflict over bytes that programs share."""
    keys = [key for key, mode in one.items() if key in two and (mode | two[key]) & WRITE]
    return any(key[1] == "data" for key in keys)


def _late(told: Explanation, recording: Recording, second: int) -> list[str]:
    """Return which barrier would have made a store visible in time; empty: it is no drain."""
    steps = recording.steps
    drain = steps[second]
    if drain.kind != "drain":
        return []
    place = next((touch.name for touch in drain.touches if touch.name), "")
    stores = [
        step
        for step in steps[:second]
        if step.cpu == drain.cpu
        and step.kind in ("store", "store_release")
        and any(touch.name == place for touch in step.touches)
    ]
    if not stores:
        return []
    store = stores[-1]
    behind = [
        step
        for step in steps[store.number : second]
        if step.actor == store.actor and step.kind in ("load", "load_acquire")
    ]
    if not behind:
        return []
    told.begin = store.number
    return [
        f"the store of step {store.number} ({store.name} of {store.who}) still waited in the "
        f"buffer of cpu {store.cpu} when {store.who} took step {behind[0].number} "
        f"({behind[0].name}):",
        "a full barrier between the two is missing",
    ]


def _loop(recording: Recording) -> list[str]:
    """Return what is done again and again at the end of a run without one."""
    steps = recording.steps[-_LOOP:]
    lines = []
    for actor in sorted({step.actor for step in steps}):
        mine = [step for step in steps if step.actor == actor]
        names = list(dict.fromkeys(step.name for step in mine))
        touches = [touch for step in mine for touch in step.touches]
        shared = [touch for touch in touches if touch.key[1] == "data"]
        reads = {touch.name: touch.after for touch in shared or touches[-1:]}
        told = "".join(f"; {name} is {value}" for name, value in sorted(reads.items()))
        lines.append(f"{mine[-1].who} does again and again: {', '.join(names)}{told}")
    return lines


class _HeldUp:
    """Lets anybody go but one, until another has taken so many steps; then whoever can go on."""

    def __init__(self, held: int, until: int, number: int) -> None:
        self.actors: Sequence[int] = ()  # of the run: set when there is one
        self._held = held
        self._until = until
        self._number = number

    def pick(self, enabled: Sequence[Choice]) -> int:
        """See ``Strategy.pick``."""
        actors = [actor_of(entry) for entry in enabled]
        last = self.actors[-1] if self.actors else None
        if self.actors.count(self._until) >= self._number:
            return actors.index(last) if last in actors else 0
        if self._until in actors:
            return actors.index(self._until)
        others = [place for place, actor in enumerate(actors) if actor != self._held]
        return min(others, key=lambda place: (actors[place] != last, actors[place]))


def _turn(scenario: Scenario, run: Run, first: int, second: int) -> Turned:
    """Let ``second`` go before ``first``, by holding up whoever takes ``first``.

    Held up there it may be the only one that can go, for the other comes back to the kernel
    later. Then it is held up from where it began to go, or from earlier.
    """
    actors = run.actors
    one, two = actors[first], actors[second]
    number_one = actors[: first + 1].count(one)
    number_two = actors[: second + 1].count(two)
    begins = [first]
    for place in range(first, 0, -1):
        if actors[place] == one and actors[place - 1] != one and place not in begins:
            begins.append(place)
    turned = Turned(False, run.verdict)
    for begin in begins[:_BEGINS]:
        held = _HeldUp(one, two, number_two)
        control = Control(scenario, held, actors[:begin])
        held.actors = control.actors
        other = run_once(scenario, control, watch=Watch())
        place_one = _place(other.actors, one, number_one)
        place_two = _place(other.actors, two, number_two)
        if place_two < 0 or 0 <= place_one < place_two:
            continue
        if other.names[place_two] == run.names[second]:
            return Turned(True, other.verdict, actors=other.actors)
    return turned


def _place(actors: Sequence[int], actor: int, number: int) -> int:
    """Return where an actor takes its step with this number; -1: never."""
    for place, one in enumerate(actors):
        if one == actor:
            number -= 1
            if not number:
                return place
    return -1


def _shared_key(one: Touched, two: Touched) -> tuple[object, str]:
    """Return the field over which two steps conflict; what is no lock is preferred."""
    keys = [key for key, mode in one.items() if key in two and (mode | two[key]) & WRITE]
    return min(keys, key=lambda key: (key[1] == "lock", _PREFERRED.get(key[1], 1)))


# what most bugs are about, if two steps conflict over more than one field
_PREFERRED: Final = {"state": 0, "exit_state": 0, "tasks": 0, "bufs": 0, "hash": 0}


def _name_of(recording: Recording, first: int, second: int, key: tuple[object, str]) -> str:
    for place in (second, first):
        step = recording.steps[place]
        for touch in step.touches:
            if touch.key == key:
                return touch.name
        if key[1] == "lock" and step.about:
            return step.about
    return str(key[1])


def _touch(step: Step, key: tuple[object, str]) -> Touch | None:
    return next((touch for touch in step.touches if touch.key == key), None)


def _side(
    recording: Recording, number: int, key: tuple[object, str], access: Access | None
) -> Side:
    step = recording.steps[number - 1]
    touch = _touch(step, key)
    locks = [f"{lock.name}{' (shared)' if lock.shared else ''}" for lock in step.held]
    write = bool(recording.touched[number - 1].get(key, 0) & WRITE)
    return Side(
        number,
        step.cpu,
        step.who,
        step.name,
        access.where if access is not None else "",
        access.write if access is not None else write,
        locks,
        touch.before if touch is not None else "",
        touch.after if touch is not None else "",
        _dropped(recording, number),
    )


def _dropped(recording: Recording, number: int) -> str:
    """Return the latest point before a step at which its actor has left out a lock."""
    step = recording.steps[number - 1]
    for earlier in reversed(recording.steps[:number]):
        if earlier.actor == step.actor:
            if earlier.kind == "release" and earlier.number < number:
                return ""
            if earlier.dropped:
                return earlier.name
            if earlier.name == "enter":
                return ""
    return ""


def _usual(recording: Recording, key: tuple[object, str]) -> tuple[str, int, int] | None:
    """Return the lock that most accesses to a field have."""
    counts: Counter[str] = Counter()
    total = 0
    for step in recording.steps:
        if _touch(step, key) is None:
            continue
        total += 1
        for lock in step.held:
            counts[lock.name] += 1
    if not counts:
        return None
    # the lock that a mutation drops, if it is one of them
    dropped = {step.about for step in recording.steps if step.dropped}
    name, count = max(counts.items(), key=lambda item: (item[0] in dropped, item[1], item[0]))
    return name, count, total
