"""What the command line asks of an engine, and what it gets back.

Both engines (local and Ray) take one ``RunRequest`` and give one ``RunResult``; nothing else
crosses. Files: the caller makes ``out_dir`` and writes ``manifest.json``, ``summary.json`` and
``pacct``; the engine writes what it streams while it runs (``trace.smpt``, ``outputs.smpo``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cluster.plugins import (
    CHOOSER,
    MEMORY_MODEL,
    SCHED_CLASS,
    SCHEME,
    PartBroken,
    failure,
    own_parts,
)

if TYPE_CHECKING:  # the command line needs the words below, not the machine
    from cluster.checkpoint import Checkpoint
    from cluster.sync.order_log import RecordedOrder
    from cluster.transport.faults import FaultPlan
    from kernel.machine import MachineSpec

# How a run ended.
DONE: Final = "done"  # every process that the spec starts has ended
LIMIT: Final = "limit"  # max_virtual_ns or max_wall_s was reached
DEADLOCK: Final = "deadlock"  # processes are left, all asleep, and no timer is armed
INVARIANT: Final = "invariant"  # kernel.errors.InvariantError: the message is the story
BROKEN: Final = "broken"  # an actor was lost, Ray cannot be reached, …
GUEST: Final = "guest"  # a guest program broke its limits: the message names file and line
INTERRUPTED: Final = "interrupted"  # Ctrl-C; what there is so far is valid
STORAGE: Final = "storage"  # a file of the run cannot be written: the disk is full, …

EXIT_KINDS: Final = (DONE, LIMIT, DEADLOCK, INVARIANT, BROKEN, GUEST, INTERRUPTED, STORAGE)

WALL_LIMIT: Final = "the wall-clock limit was reached"  # the message of such a LIMIT

Progress = Callable[[int, dict[str, int]], None]
Outputs = list[tuple[str, bytes]]  # (LABEL.stdout or LABEL.stderr, what was written), in order


class StorageError(Exception):
    """A file of a run cannot be written; the message is one line."""


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """When a run takes checkpoints: whichever comes first. Neither changes what a run does."""

    seconds: float | None = None  # of host time, and at most a twentieth of it goes into them
    supersteps: int | None = None


@dataclass(slots=True)
class Resumption:
    """A checkpoint to go on from."""

    checkpoint: "Checkpoint"
    served: Callable[[], Iterator[bytes]]  # the log of what the kernel served, in pieces


@dataclass(slots=True)
class RunRequest:
    """One run, complete: the same request gives the same trace and summary.

    ``on_progress(virtual_ns, counters)`` is called now and then from the calling thread; it must
    not influence the run. ``on_output(outputs)``, likewise, gets what programs write, soon after
    they wrote it and in that order; the result then has no ``outputs``.
    """

    spec: "MachineSpec"
    engine: str = "local"  # local | ray
    scheme: str = "exact"  # a name of cluster.sync.scheme, or FILE.py:CLASS
    quantum_ns: int = 100_000
    slack_ns: int | None = None  # scheme slack: how far ahead of the slowest a CPU may be
    address: str = "local"  # of Ray: local | auto | HOST:PORT
    cpus_per_actor: int | None = 1  # None: as many actors as the hosts have cores
    beside: int = 0  # so many CPUs, the first ones, are in the process of Ray's kernel actor
    link: str = "auto"  # how Ray's actors exchange frames: auto | shm | graph | calls
    hosts: int | None = None  # of Ray, over which the actors are spread; None: all that are there
    out_dir: Path | None = None
    on_progress: Progress | None = None
    on_output: Callable[[Outputs], None] | None = None
    max_virtual_ns: int | None = None
    max_wall_s: float | None = None
    #: what standard input of kind terminal or late has next; gets whether to give up waiting
    feed: Callable[[Callable[[], bool]], bytes] | None = None
    #: write order.log into out_dir; a scheme that is not deterministic does so anyway
    record_order: bool = False
    #: make this run again, on the local engine: its machine and scheme are those of spec, scheme, …
    replay: "RecordedOrder | None" = None
    #: take checkpoints into out_dir, so that the run can be gone on with; None: no
    checkpoint: "CheckpointPlan | None" = None
    #: how often new actors may take the place of lost ones (Ray); 0: the run is then broken
    max_recoveries: int = 0
    #: let frames of Ray's actors go wrong on their way, for tests; None: they do not
    faults: "FaultPlan | None" = None
    #: go on from here; what out_dir has of the run so far stays
    resume: "Resumption | None" = None
    #: where a file's scheme is from (``cluster.plugins``); empty: the file is read
    scheme_from: tuple[str, ...] = ()


@dataclass(slots=True)
class RunResult:
    """How a run ended and what it found.

    ``statuses`` has one ``(label, pid, status)`` per process the spec started, in order of pid;
    ``status`` is what wait4() would store, or None if the process was still alive at the end.
    ``outputs`` maps ``LABEL.stdout`` and ``LABEL.stderr`` to the bytes that the process started as
    LABEL and its descendants wrote to descriptors 1 and 2: the last ``recorder.MOST_KEPT`` bytes of
    each if the run has a directory, whose file has all of it. ``summary`` is plain JSON data
    without host times; those are in ``wall``. ``not_emulated`` is what programs asked for and were
    told NotImplementedError. ``order_seen``: a program walked a set whose order CPython does not
    define.
    ``totals`` has number and sum of what was counted in each distribution of CpuStats, exact where
    the summary has percentiles.
    """

    exit_kind: str
    message: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    statuses: list[tuple[str, int, int | None]] = field(default_factory=list)
    outputs: dict[str, bytes] = field(default_factory=dict)
    wall: dict[str, Any] = field(default_factory=dict)
    not_emulated: tuple[str, ...] = ()
    order_seen: bool = False
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)


def parts_of(spec: "MachineSpec", scheme: str) -> str:
    """Return in words which parts of a machine are not smplab's; "" if all are."""
    classes = (spec.fair_from, *spec.classes_from)
    named = (
        *((SCHED_CLASS, ":".join(source[::2])) for source in classes),  # FILE.py:CLASS, or a name
        (SCHEME, scheme),
        (CHOOSER, spec.tie_break),
        (MEMORY_MODEL, spec.memory_model),
    )
    return own_parts(named)


def kernel_failure(
    error: BaseException, spec: "MachineSpec", scheme: str = ""
) -> tuple[str, str] | None:
    """Return exit kind and message of an exception that a machine raised; None: it is not its own.

    What a part from outside raises breaks the run. An assertion is a broken invariant. A kernel
    with mutations may stumble over anything that it broke, and one with parts from outside over
    anything that they did; only what the host did to us is then not theirs.

    Args:
        error: what ended the run.
        spec: the machine.
        scheme: of the run.
    """
    from kernel.errors import SchedStalled  # the command line needs none of the machine

    told_by_name = isinstance(error, (PartBroken, SchedStalled))
    own = str(error) if told_by_name else failure(error)
    if own is not None:
        return BROKEN, own
    text = " ".join(str(error).split())
    what = text if isinstance(error, AssertionError) and text else f"{type(error).__name__}: {text}"
    if isinstance(error, (OSError, MemoryError)) or not isinstance(error, Exception):
        return None
    if spec.mutations:
        return INVARIANT, f"the kernel fails: {what}"
    parts = parts_of(spec, scheme)
    told = f"{what} (the machine has {parts}, from outside)" if parts else what
    if isinstance(error, AssertionError):
        return INVARIANT, told
    return (BROKEN, f"the kernel fails: {told}") if parts else None
