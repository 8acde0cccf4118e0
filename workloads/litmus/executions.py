"""Candidate executions: traces of all processes together, with who reads from whom in which order.

An execution is *coherent* when each location by itself is sequentially consistent, and atomic
read-modify-writes are atomic. Both are questions about one location, so the candidates for each
are found apart and joined: what is yielded satisfies these two axioms already, and those of locks.

Source: Herding cats, section 4; linux-kernel.cat (coherence, atomic) and lock.cat of herdtools7.
"""

from collections.abc import Callable, Iterator
from itertools import islice, permutations, product
from typing import Final

from workloads.litmus.relations import Relation, is_acyclic
from workloads.litmus.test import Litmus, Value
from workloads.litmus.traces import (
    LF,
    LKR,
    LKW,
    READ,
    RL,
    RU,
    SRCU_LOCK,
    SRCU_SYNC,
    SRCU_UNLOCK,
    UL,
    WRITE,
    Event,
    TooLarge,
    Trace,
    Values,
)

MOST_COMBINATIONS: Final = 2_000_000
MOST_ORDERS: Final = 20_000  # of one location
_SRCU: Final = (SRCU_LOCK, SRCU_UNLOCK, SRCU_SYNC)


class Skeleton:
    """One trace of each process, and their events in one row, the first writes at the front.

    ``process[e]``: the process of event e, -1 for a first write; ``po``, ``same`` and so on are
    relations that do not depend on who reads from whom.
    """

    __slots__ = (
        "addr",
        "by_location",
        "ctrl",
        "data",
        "events",
        "first",
        "others",
        "po",
        "process",
        "rmw",
        "same",
        "traces",
        "writers",
    )

    def __init__(self, first: list[Event], traces: tuple[Trace, ...]) -> None:
        self.traces = traces
        self.first = len(first)
        self.events = list(first)
        self.process = [-1] * len(first)
        self.po: Relation = [0] * len(first)
        self.same: Relation = [0] * len(first)
        self.addr: Relation = [0] * len(first)
        self.data: Relation = [0] * len(first)
        self.ctrl: Relation = [0] * len(first)
        self.rmw: Relation = [0] * len(first)
        for number, trace in enumerate(traces):
            self._add(number, trace)
        count = len(self.events)
        everything = (1 << count) - 1
        self.others: Relation = [everything ^ row ^ 1 << e for e, row in enumerate(self.same)]
        for event in range(self.first):
            self.others[event] = everything ^ (1 << self.first) - 1
        self.by_location: dict[Value, list[int]] = {}
        for e, event_ in enumerate(self.events):
            if event_.kind in (READ, WRITE) and event_.role not in _SRCU:
                self.by_location.setdefault(event_.location, []).append(e)

    def _add(self, number: int, trace: Trace) -> None:
        base, count = len(self.events), len(trace.events)
        mine = ((1 << count) - 1) << base
        rows: tuple[Relation, ...] = tuple([0] * count for _ in range(4))
        for place, event in enumerate(trace.events):
            bit = 1 << base + place
            masks = (event.address, event.data, event.control)
            for row, mask in zip(rows, masks, strict=False):
                while mask:
                    low = mask & -mask
                    row[low.bit_length() - 1] |= bit
                    mask ^= low
            self.events.append(event)
            self.process.append(number)
            self.po.append(mine & ~((1 << base + place + 1) - 1))
            self.same.append(mine & ~bit)
        for read, write in trace.rmw:
            rows[3][read] |= 1 << base + write
        for relation, row in zip((self.addr, self.data, self.ctrl, self.rmw), rows, strict=True):
            relation.extend(row)


class LocationOrder:
    """A choice for one location: ``rf`` pairs (write, read), and ``order``, its writes in co."""

    __slots__ = ("order", "rf")

    def __init__(self, rf: list[tuple[int, int]], order: tuple[int, ...]) -> None:
        self.rf = rf
        self.order = order


class Execution:
    """One candidate. ``rf``, ``co``, ``fr`` are relations over ``skeleton.events``."""

    __slots__ = ("co", "fr", "rf", "skeleton")

    def __init__(self, skeleton: Skeleton, choice: tuple[LocationOrder, ...]) -> None:
        count = len(skeleton.events)
        self.skeleton = skeleton
        self.rf: Relation = [0] * count
        self.co: Relation = [0] * count
        self.fr: Relation = [0] * count
        for one in choice:
            later = 0
            for write in reversed(one.order):
                self.co[write] = later
                later |= 1 << write
            for write, read in one.rf:
                self.rf[write] |= 1 << read
                self.fr[read] = self.co[write]


def first_writes(test: Litmus, values: Values) -> list[Event]:
    """Return a write for each location that a test names or reaches."""
    first = [Event(WRITE, "once", name, value) for name, value in test.initial.items()]
    first += [Event(WRITE, "once", name, 0) for name in values if name not in test.initial]
    return first


def skeletons(
    test: Litmus,
    values: Values,
    traces: list[list[Trace]],
    wanted: Callable[[list[Trace]], bool] | None = None,
) -> Iterator[Skeleton]:
    """Yield every choice of traces in which what is read is written somewhere.

    ``wanted`` leaves out choices early: it is asked about the traces of the first processes.

    Raises: TooLarge.
    """
    first = first_writes(test, values)
    known: dict[tuple[Value, Value], int] = {}
    start = 0
    for event in first:
        start |= _bit(known, event)
    summed = [[_needs_and_gives(known, trace) for trace in ways] for ways in traces]
    rest = [0] * (len(traces) + 1)
    for number in range(len(traces) - 1, -1, -1):
        rest[number] = rest[number + 1]
        for _, gives in summed[number]:
            rest[number] |= gives
    chosen: list[Trace] = []

    def choose(number: int, needs: int, gives: int) -> Iterator[tuple[Trace, ...]]:
        if needs & ~(gives | rest[number]):
            return
        if number == len(traces):
            yield tuple(chosen)
            return
        for trace, (more_needs, more_gives) in zip(traces[number], summed[number], strict=True):
            chosen.append(trace)
            if wanted is None or wanted(chosen):
                yield from choose(number + 1, needs | more_needs, gives | more_gives)
            chosen.pop()

    for combination in choose(0, 0, start):
        yield Skeleton(first, combination)


def _bit(known: dict[tuple[Value, Value], int], event: Event) -> int:
    return 1 << known.setdefault((event.location, event.value), len(known))


def _needs_and_gives(known: dict[tuple[Value, Value], int], trace: Trace) -> tuple[int, int]:
    needs = gives = 0
    for event in trace.events:
        if event.role:
            continue
        if event.kind == READ:
            needs |= _bit(known, event)
        elif event.kind == WRITE:
            gives |= _bit(known, event)
    return needs, gives


def executions(skeleton: Skeleton) -> Iterator[Execution]:
    """Yield the coherent executions with the traces of ``skeleton``.

    Raises: TooLarge.
    """
    choices: list[list[LocationOrder]] = []
    size = 1
    for events in skeleton.by_location.values():
        roles = {skeleton.events[e].role for e in events}
        ways = _of_lock(skeleton, events) if roles != {""} else _of(skeleton, events)
        found = list(islice(ways, MOST_ORDERS + 1))
        if not found:
            return
        if len(found) > MOST_ORDERS:
            raise TooLarge
        size *= len(found)
        if size > MOST_COMBINATIONS:
            raise TooLarge
        choices.append(found)
    for choice in product(*choices):
        yield Execution(skeleton, choice)


def _of(skeleton: Skeleton, events: list[int]) -> Iterator[LocationOrder]:
    """Yield the coherent choices for an ordinary location."""
    first, *rest = events
    by_process: dict[int, list[int]] = {}
    for e in rest:
        by_process.setdefault(skeleton.process[e], []).append(e)
    yield from _Line(skeleton, list(by_process.values())).place([first], [])


class _Line:
    """One location: its writes are put in a line one by one, and reads between them as they come.

    What a process sees of one location never goes back: each of its events has a place in the line
    (of a read, that of the write it reads), and the places do not fall. A write comes behind all
    that is there; that of a read-modify-write directly behind what was read.
    """

    __slots__ = ("_at", "_rows", "_seen", "_skeleton")

    def __init__(self, skeleton: Skeleton, rows: list[list[int]]) -> None:
        self._skeleton = skeleton
        self._rows = rows  # of each process, its events
        self._at = [0] * len(rows)  # how many of them have a place
        self._seen = [0] * len(rows)  # the place of the last one

    def place(self, line: list[int], rf: list[tuple[int, int]]) -> Iterator[LocationOrder]:
        """Yield every way to go on from ``line`` and ``rf``, the pairs that there are already."""
        events = self._skeleton.events
        left = False
        for number, row in enumerate(self._rows):
            begin, seen = self._at[number], self._seen[number]
            end = begin
            while end < len(row) and events[row[end]].kind == READ:
                end += 1
            if end == len(row):
                continue
            left = True
            write = row[end]
            for pairs in self._read(row[begin:end], seen, line, write):
                self._at[number], self._seen[number] = end + 1, len(line)
                yield from self.place([*line, write], rf + pairs)
            self._at[number], self._seen[number] = begin, seen
        if not left:
            yield from self._rest(0, line, rf)

    def _rest(
        self, number: int, line: list[int], rf: list[tuple[int, int]]
    ) -> Iterator[LocationOrder]:
        """All writes have their places: yield the ways of the reads that are left."""
        if number == len(self._rows):
            yield LocationOrder(rf, tuple(line))
            return
        reads = self._rows[number][self._at[number] :]
        for pairs in self._read(reads, self._seen[number], line, -1):
            yield from self._rest(number + 1, line, rf + pairs)

    def _read(
        self, reads: list[int], seen: int, line: list[int], write: int
    ) -> Iterator[list[tuple[int, int]]]:
        """Yield what ``reads`` of one process may read of ``line``, from the place ``seen`` on."""
        if not reads:
            yield []
            return
        skeleton = self._skeleton
        read, *rest = reads
        value = skeleton.events[read].value
        begin = seen
        if write >= 0 and skeleton.rmw[read] >> write & 1:
            begin = len(line) - 1
        for place in range(begin, len(line)):
            if skeleton.events[line[place]].value == value:
                for pairs in self._read(rest, place, line, write):
                    yield [(line[place], read), *pairs]


# -- locks ---------------------------------------------------------------------------------------


def _of_lock(skeleton: Skeleton, events: list[int]) -> Iterator[LocationOrder]:
    """Yield the choices for a lock: its critical sections one after the other.

    Source: lock.cat.
    """
    all_events = skeleton.events
    first = events[0]
    takes = [e for e in events if all_events[e].role == LKW]
    frees = [e for e in events if all_events[e].role == UL]
    section: dict[int, int] = {}  # LKW -> the UL that ends it
    for take in takes:
        later = [e for e in events if skeleton.po[take] >> e & 1 and all_events[e].role != LF]
        later = [e for e in later if all_events[e].role in (LKR, UL, RU)]
        if later and all_events[later[0]].role != UL:
            return  # taken again, or seen free, while it is held
        if later:
            section[take] = later[0]
    open_ended = [take for take in takes if take not in section]
    if len(open_ended) > 1 or len(section) != len(frees):
        return
    for order in permutations(takes):
        if open_ended and order[-1] != open_ended[0]:
            continue
        line = [first]
        for take in order:
            line.append(take)
            if take in section:
                line.append(section[take])
        yield from _lock_reads(skeleton, events, tuple(line))


def _lock_reads(
    skeleton: Skeleton, events: list[int], order: tuple[int, ...]
) -> Iterator[LocationOrder]:
    """Yield the choices of what reads of the lock read, with ``order`` of its writes."""
    all_events = skeleton.events
    place = {write: number for number, write in enumerate(order)}
    fixed: list[tuple[int, int]] = []
    free: list[int] = []
    options: list[list[int]] = []
    for e in events[1:]:
        role = all_events[e].role
        if role == LKR:
            take = skeleton.rmw[e].bit_length() - 1
            fixed.append((order[place[take] - 1], e))
        elif role in (LF, RL):
            free.append(e)
            options.append(_held_for(skeleton, order, e))
        elif role == RU:
            free.append(e)
            options.append(_free_for(skeleton, order, e))
        elif role == "":
            return  # an ordinary access to a lock: herd flags it, no execution is valid
    if not all(options):
        return
    for sources in product(*options):
        rf = fixed + list(zip(sources, free, strict=True))
        if _lock_is_coherent(skeleton, events, rf, order):
            yield LocationOrder(rf, order)


def _held_for(skeleton: Skeleton, order: tuple[int, ...], e: int) -> list[int]:
    """Return the LKW events that a failed trylock, or a look at a lock that is held, may read."""
    own = [w for w in order[1:] if skeleton.po[w] >> e & 1]
    if own:
        last = max(own)  # events of a process are numbered in its order
        if skeleton.events[last].role == LKW:
            return [last]
    return [
        w
        for w in order[1:]
        if skeleton.events[w].role == LKW and skeleton.process[w] != skeleton.process[e]
    ]


def _free_for(skeleton: Skeleton, order: tuple[int, ...], e: int) -> list[int]:
    """Return the events that a look at a lock that is free may read."""
    own = [w for w in order[1:] if skeleton.po[w] >> e & 1 and skeleton.events[w].role == UL]
    found = [
        w
        for w in order[1:]
        if skeleton.events[w].role == UL and skeleton.process[w] != skeleton.process[e]
    ]
    return [*found, max(own) if own else order[0]]


def _lock_is_coherent(
    skeleton: Skeleton, events: list[int], rf: list[tuple[int, int]], order: tuple[int, ...]
) -> bool:
    """Tell whether po-loc, rf, co and fr of the lock have no cycle."""
    number = {e: i for i, e in enumerate(events)}
    rows = [0] * len(events)
    for e in events:
        for other in events:
            if skeleton.po[e] >> other & 1:
                rows[number[e]] |= 1 << number[other]
    later: dict[int, int] = {}
    behind = 0
    for write in reversed(order):
        later[write] = behind
        rows[number[write]] |= behind
        behind |= 1 << number[write]
    for write, read in rf:
        rows[number[write]] |= 1 << number[read]
        rows[number[read]] |= later[write]
    return is_acyclic(rows)
