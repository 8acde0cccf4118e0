"""What models allow by axioms over whole executions, for the classic shapes.

Neither the parser nor the machines have a part in this: a shape's accesses become events, all ways
to read and to order stores are tried, and what a model forbids is a cycle.

Source: Lamport 1979 (SC); Owens, Sarkar, Sewell 2009 and Herding cats, section 4.8 (TSO, and PSO
with stores to other locations out of order, too); Deacon's and Pulte's aarch64.cat (ARMv8), with
the kernel's mapping: smp_rmb() is DMB ISHLD, smp_wmb() DMB ISHST, smp_mb() DMB ISH.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

from workloads.litmus.shapes import SHAPES

Pairs = set[tuple["Event", "Event"]]
Place = tuple[int, str]


@dataclass(frozen=True)
class Event:
    """An access: process -1 for the stores that were there at the start."""

    process: int
    place: int
    kind: str
    location: str
    value: int = 0


@dataclass
class Execution:
    """Who reads from whom, and the order of the stores to each location."""

    events: list[Event]
    links: list[str]
    source: dict[Event, Event]
    order: dict[str, list[Event]]

    def before(self) -> Pairs:
        """po: pairs of accesses of one process in the order of the program."""
        return {
            (a, b)
            for a, b in product(self.events, repeat=2)
            if a.process == b.process >= 0 and a.place < b.place
        }

    def reads_from(self) -> Pairs:
        return {(store, load) for load, store in self.source.items()}

    def coherence(self) -> Pairs:
        return {
            (a, b)
            for row in self.order.values()
            for number, a in enumerate(row)
            for b in row[number + 1 :]
        }

    def from_reads(self) -> Pairs:
        co = self.coherence()
        return {(load, b) for load, store in self.source.items() for a, b in co if a is store}

    def link(self, one: Event) -> str:
        return self.links[one.process]


def states_of(name: str, model: str, places: list[Place]) -> set[tuple[int, ...]]:
    """Return the values of ``places`` in every execution of a shape that ``model`` allows."""
    allowed = {"sc": _sc, "tso": _tso, "pso": _pso, "arm": _arm}[model]
    return {_state(x, places) for x in executions(name) if _coherent(x) and allowed(x)}


def executions(name: str) -> Iterator[Execution]:
    """Yield all candidate executions of a shape."""
    shape_name = max((each for each in SHAPES if name.startswith(each + "+")), key=len)
    shape = SHAPES[shape_name]
    links = name[len(shape_name) + 1 :].split("+")
    processes = [
        [Event(p, at, kind, where, value) for at, (kind, where, value) in enumerate(accesses)]
        for p, accesses in enumerate(shape.processes)
    ]
    first = [
        Event(-1, 0, "W", where) for where in sorted({e.location for p in processes for e in p})
    ]
    conditional = [p for p, link in enumerate(links) if link == "ctrl"]
    for taken in product((True, False), repeat=len(conditional)):
        skipped = {p for p, yes in zip(conditional, taken, strict=True) if not yes}
        kept = [
            e for p, row in enumerate(processes) for e in row if p not in skipped or not e.place
        ]
        stores = first + [e for e in kept if e.kind == "W"]
        loads = [e for e in kept if e.kind == "R"]
        to = [[s for s in stores if s.location == load.location] for load in loads]
        rows = [
            [
                [s, *rest]
                for rest in permutations(
                    [e for e in stores if e is not s and e.location == s.location]
                )
            ]
            for s in first
        ]
        for sources in product(*to):
            source = dict(zip(loads, sources, strict=True))
            if any(
                (source[processes[p][0]].value == processes[p][0].value) is (p in skipped)
                for p in conditional
            ):
                continue
            for chosen in product(*rows):
                order = {row[0].location: row for row in chosen}
                yield Execution(first + kept, links, source, order)


def _state(x: Execution, places: list[Place]) -> tuple[int, ...]:
    found: dict[Place, int] = {(-1, where): row[-1].value for where, row in x.order.items()}
    found |= {(load.process, f"r{load.place}"): store.value for load, store in x.source.items()}
    return tuple(found.get(place, 0) for place in places)


def _acyclic(pairs: Pairs) -> bool:
    follows: dict[Event, list[Event]] = {}
    for a, b in pairs:
        follows.setdefault(a, []).append(b)
    done: set[Event] = set()
    open_: set[Event] = set()

    def visit(event: Event) -> bool:
        open_.add(event)
        for other in follows.get(event, ()):
            if other in open_ or (other not in done and not visit(other)):
                return False
        open_.discard(event)
        done.add(event)
        return True

    return all(event in done or visit(event) for event in list(follows))


def _external(pairs: Pairs) -> Pairs:
    return {(a, b) for a, b in pairs if a.process != b.process}


def _coherent(x: Execution) -> bool:
    """Each location by itself is sequentially consistent."""
    here = {(a, b) for a, b in x.before() if a.location == b.location}
    return _acyclic(here | x.reads_from() | x.coherence() | x.from_reads())


def _sc(x: Execution) -> bool:
    return _acyclic(x.before() | x.reads_from() | x.coherence() | x.from_reads())


def _buffered(x: Execution, stores_in_order: bool) -> bool:
    def kept(a: Event, b: Event) -> bool:
        link = x.link(a)
        if a.kind == "R" or link == "mb":
            return True
        return b.kind == "W" and (stores_in_order or link in ("wmb", "rel"))

    ordered = {(a, b) for a, b in x.before() if kept(a, b)}
    return _acyclic(ordered | _external(x.reads_from()) | x.coherence() | x.from_reads())


def _tso(x: Execution) -> bool:
    return _buffered(x, True)


def _pso(x: Execution) -> bool:
    return _buffered(x, False)


def _arm(x: Execution) -> bool:
    def kept(a: Event, b: Event) -> bool:
        link = x.link(a)
        if link in ("mb", "rel", "data", "addr"):  # rel: the second is a store-release
            return True
        if link in ("rmb", "acq"):
            return a.kind == "R"
        if link == "ctrl":
            return b.kind == "W"
        return link == "wmb" and a.kind == b.kind == "W"

    observed = _external(x.reads_from() | x.coherence() | x.from_reads())
    return _acyclic({(a, b) for a, b in x.before() if kept(a, b)} | observed)
