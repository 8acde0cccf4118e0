"""A run made again from its schedule, and told apart from it at the first step that is another.

A replay string has who took each step, and at each k-th a digest of the names of all steps so far;
so a replay that goes another way is told at once where somebody cannot go, and else within k steps.
A record file (``race run --save``) has the names and CPUs themselves, and tells the very step.
"""

import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from cluster.race.actors import actor_of
from cluster.race.run import Control, Diverged, Run, Scenario, Verdict, run_once, schedule_of
from cluster.race.schedule import PREFIX, BadSchedule, Schedule, decode
from cluster.race.watch import Watch
from kernel.check.invariants import check_kernel
from kernel.drive.chooser import Choice
from kernel.errors import InvariantError
from kernel.state import KernelState

RECORD: Final = "smplab race record 1"
_MOST_BYTES: Final = 64 << 20
UNWATCHED: Final = "unwatched"  # the kind of a verdict that only a watch can have
_UNSEEN: Final = "the recorded run ended here, by what is seen only where fields are followed"

Step = tuple[str, int]  # the name of the point a step began at, and the CPU


class Beyond(Diverged):
    """The recorded run had ended before this step."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What could have gone next where a replay was stopped; ``next``: it is what went.

    ``locks``: those that its path has.
    """

    name: str
    cpu: int
    actor: int
    next: bool
    locks: tuple[str, ...]


class _Stopped(InvariantError):
    """The step that a replay was to stop at is reached."""


@dataclass(slots=True)
class Record:
    """A schedule, and what is known of its steps.

    Attributes:
        text: the replay string.
        steps: all of them; empty: not known.
        signature: of the bug it shows; "" if not known.
        digest: of the run; "" if not known.
    """

    text: str
    schedule: Schedule
    steps: tuple[Step, ...] = ()
    signature: str = ""
    digest: str = ""
    report: str = ""

    def as_json(self) -> str:
        """Return what a record file has."""
        names = {name: number for number, name in enumerate(dict(self.steps))}
        data = {
            "format": RECORD,
            "string": self.text,
            "signature": self.signature,
            "digest": self.digest,
            "report": self.report,
            "names": list(names),
            "steps": [[names[name], cpu] for name, cpu in self.steps],
        }
        return json.dumps(data) + "\n"


def read_record(text: str) -> Record:
    """Return what a replay string, or the name of a file with one or with a record, stands for.

    Raises:
        BadSchedule: it cannot be used; the message is one line.
    """
    if text.startswith(PREFIX):
        return Record(text, decode(text))
    path = Path(text)
    if not path.exists():
        raise BadSchedule(f"{text}: no such file, and no replay string, which begins with {PREFIX}")
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadSchedule(f"{path}: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise BadSchedule(f"{path}: a record has at most {_MOST_BYTES >> 20} MiB")
    try:
        if data[:1] == b"{":
            return _record(json.loads(data))
        inside = data.decode("ascii").strip()
        if not inside.startswith(PREFIX):
            raise ValueError(inside)
        return Record(inside, decode(inside))
    except BadSchedule as error:
        raise BadSchedule(f"{path}: {error}") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise BadSchedule(f"{path}: neither a replay string nor a record of race run") from None


def _record(data: dict[str, Any]) -> Record:
    if data["format"] != RECORD:
        raise BadSchedule(f"the record has format {data['format']!r}, and this is {RECORD!r}")
    names = [str(name) for name in data["names"]]
    steps = tuple((names[int(number)], int(cpu)) for number, cpu in data["steps"])
    text = str(data["string"])
    schedule = decode(text)
    wanted = sum(many for _actor, many in schedule.segments)
    if steps and len(steps) != wanted:
        raise BadSchedule(f"the record has {len(steps)} steps, and its replay string {wanted}")
    told = [str(data.get(key, "")) for key in ("signature", "digest", "report")]
    return Record(text, schedule, steps, *told)


class Again(Control):
    """Follows a record, and raises Diverged where that is not possible.

    Attributes:
        cpus: where each step was taken.
        offers: what could have gone next when it was stopped.
    """

    def __init__(self, scenario: Scenario, record: Record, until: int = 0, label: str = "") -> None:
        self._schedule = schedule = record.schedule
        super().__init__(scenario, None, list(schedule.actors()))
        self.cpus: list[int] = []
        self.offers: list[Offer] = []
        self._wanted = record.steps
        self._until = until
        self._label = label
        self._crc = 0
        self._agreed = 0  # the last step up to which names are known to be the same

    def choose(self, enabled: Sequence[Choice]) -> int:
        """See ``Chooser.choose``."""
        done = len(self.actors)
        if (self._until and done >= self._until) or (
            self._label and done < len(self._prefix) and self._is_at_label(enabled)
        ):
            self.offers = [self._offer(entry) for entry in enabled]
            raise _Stopped(f"stopped after step {done}")
        if self._prefix and done >= len(self._prefix):
            raise Beyond(
                f"step {done + 1}: expected the end of the run, found {_shown(enabled[0])}"
            )
        if self._wanted and done < len(self._wanted):
            self._expect(done, enabled)
        return super().choose(enabled)

    def _is_at_label(self, enabled: Sequence[Choice]) -> bool:
        actor = self._prefix[len(self.actors)]
        return any(entry.op[0] == self._label and actor_of(entry) == actor for entry in enabled)

    def _offer(self, entry: Choice) -> Offer:
        actor, done = actor_of(entry), len(self.actors)
        held = getattr(entry, "held", ())
        locks = tuple(f"{lock.name}{' (shared)' * shared}" for lock, _point, shared in held)
        goes = done < len(self._prefix) and self._prefix[done] == actor
        return Offer(entry.op[0], entry.cpu, actor, goes, locks)

    def _expect(self, done: int, enabled: Sequence[Choice]) -> None:
        name, cpu = self._wanted[done]
        actor = self._prefix[done]
        found = [entry for entry in enabled if actor_of(entry) == actor]
        if any(entry.op[0] == name and entry.cpu == cpu for entry in found):
            return
        shown = ", ".join(_shown(entry) for entry in found or enabled)
        raise Diverged(f"step {done + 1}: expected {name} on cpu {cpu}, found {shown}")

    def _took(self, enabled: Sequence[Choice], place: int) -> int:
        self.cpus.append(enabled[place].cpu)
        place = super()._took(enabled, place)
        step = len(self.actors)
        schedule = self._schedule
        self._crc = binascii.crc32(self.names[-1].encode(), self._crc)
        number = step // schedule.every - 1
        if not step % schedule.every and number < len(schedule.digests):
            if schedule.digests[number] != (self._crc ^ self._crc >> 16) & 0xFFFF:
                raise Diverged(
                    f"steps {self._agreed + 1} to {step}: other points than in the recorded run, "
                    f"found {', '.join(self.names[self._agreed : step])}"
                )
            self._agreed = step
        return place


def _shown(entry: Choice) -> str:
    return f"{entry.op[0]} on cpu {entry.cpu}"


def replay(
    scenario: Scenario, record: Record, until: int = 0, label: str = "", *, watched: bool = True
) -> tuple[Run, Again]:
    """Make a run again; inside ``following()``.

    Args:
        until: stop after this step, counted from 1; 0: at the end.
        label: stop before the first step that begins at the point of this name; "": none.
        watched: if not, it need not be inside, and ``replay_unwatched`` makes it.

    Raises:
        Diverged: it goes another way; the message says at which step.
    """
    if not watched and not until and not label:
        return replay_unwatched(scenario, record)
    control = Again(scenario, record, until, label)
    watch = Watch() if watched else None
    run = run_once(scenario, control, seed=record.schedule.seed, strategy="replay", watch=watch)
    done, wanted = len(run.actors), len(control._prefix)
    if not control.offers:
        if done < wanted:
            _too_short(record, run, wanted)
        if record.signature and record.signature != run.verdict.signature:
            found = run.verdict.signature or "nothing wrong"
            raise Diverged(f"step {done}: expected {record.signature}, found {found}")
        if record.digest and record.digest != run.digest:
            raise Diverged(f"after step {done}: the same steps, but another digest of the run")
    return run, control


def _too_short(record: Record, run: Run, wanted: int) -> NoReturn:
    done = len(run.actors)
    name, cpu = record.steps[done] if record.steps else ("a step", -1)
    expected = f"{name} on cpu {cpu}" if cpu >= 0 else f"{wanted - done} more steps"
    ending = run.verdict.signature or "the end of the run"
    raise Diverged(f"step {done + 1}: expected {expected}, found {ending}")


class _Unseen(InvariantError):
    """The recorded run ended after this step, and nothing that is seen here says why."""


class _AtTheEnd:
    """What is looked at after the last recorded step, where nothing is watched.

    Args:
        over: that step ended the run.
    """

    def __init__(self, control: Again, over: bool) -> None:
        self._control = control
        self._over = over

    def __call__(self, kernel: KernelState) -> None:
        control = self._control
        if len(control.actors) < len(control._prefix):
            return
        stories = check_kernel(kernel)
        if stories:
            raise InvariantError("\n".join(stories))
        if self._over:
            raise _Unseen(_UNSEEN)


def replay_unwatched(scenario: Scenario, record: Record) -> tuple[Run, Again]:
    """Make a run again without a watch, so on either core, with the digest that it had.

    A data race, and what only a look at each step shows, is not seen. The run then is stopped where
    the recorded one ended, and its verdict says so.

    Raises:
        Diverged: as ``replay``.
    """
    for over in (False, True):
        control = Again(scenario, record)
        try:
            run = run_once(
                scenario,
                control,
                seed=record.schedule.seed,
                strategy="replay",
                watch=None,
                checks=_AtTheEnd(control, over),
            )
        except Beyond:
            if over:
                raise
            continue
        # where the kernel could go no further the recorded run may have been told of that before
        if run.digest == record.digest or not record.digest:
            break
    if len(run.actors) < len(control._prefix):
        _too_short(record, run, len(control._prefix))
    if record.digest and record.digest != run.digest:
        raise Diverged(f"after step {len(run.actors)}: the same steps, but another digest")
    if run.verdict.text.startswith(_UNSEEN):
        run.verdict = Verdict(UNWATCHED, UNWATCHED, _UNSEEN)
    return run, control


def replays(
    scenario: Scenario, record: Record, watched: bool, numbers: range
) -> list[tuple[str, str]]:
    """Make a run again for each of ``numbers``; return kind of verdict and digest of each.

    Raises:
        Diverged: as ``replay``.
    """
    ends = []
    for _ in numbers:
        run, _control = replay(scenario, record, watched=watched)
        ends.append((run.verdict.kind, run.digest))
    return ends


def record_of(scenario: Scenario, run: Run, code: bytes) -> Record:
    """Return the record of a run; it is made again for that, which also shows that it can be.

    Raises:
        Diverged: it cannot.
    """
    schedule = schedule_of(scenario, run, code)
    verdict = run.verdict
    record = Record(schedule.encode(), schedule, (), verdict.signature, run.digest, verdict.text)
    _run, control = replay(scenario, record)
    record.steps = tuple(zip(control.names, control.cpus, strict=True))
    return record
