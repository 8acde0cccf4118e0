"""``weak``: a machine of views, as weak as the kernel's memory model is.

Each place has a row of stores, its coherence order; memory holds the last. A *view* says for each
place how far in its row somebody has got. A CPU has five: what has been propagated to it (P), what
its loads may not be older than (R), what its later plain stores carry along (B), its own stores and
what they carry (O), and what its loads have brought together (L). A store is made at once. A load
may read any store from its floor on, and a store may come before others that its CPU does not know
of: which, is the *way* of the access, a choice like that of who goes next. Way 0 is what happens in
memory.

What is changed by an ordinary statement of a path is changed as if a lock or a barrier stood before
it, and an ordinary statement reads what memory holds.

Source: tools/memory-model/Documentation/explanation.txt, AN OPERATIONAL MODEL; the machine for
litmus tests, ``workloads.litmus.machines.views``, has the same rules.
Deviation: loads are never done after stores behind them, for a path needs their answer (load
buffering is not shown); so dependencies and control from a load to a store always hold. An address
that a load has given orders another load only if it is an object of the kernel: a guest program
that computes one needs an acquire or a barrier. Who goes to sleep, or comes back from it, sees
everything. An atomic update is the last of its row.
"""

from typing import Any, Final

from kernel.memory.drains import Cell, Drain
from kernel.memory.places import MOST_PLACES, MOST_VERSIONS, Place, Places
from kernel.points import (
    BARRIER,
    LOAD,
    LOAD_ACQUIRE,
    READ_BARRIER,
    STORE_RELEASE,
    WRITE_BARRIER,
)

_NOBODY: Final = -1
_PLAIN: Final = (int, bytes, str, type(None))  # what is no object that has fields
# what the step at hand began with: a barrier, which may be an atomic update of no field
_BARRIER: Final = 1
_UPDATE: Final = 2
_MOST_CARRIED: Final = 16  # objects that a CPU has been given by loads

View = dict["Place[Stored]", "Stored"]


class Stored:
    """A store. ``message``: what who reads it learns; ``update``: by an atomic update."""

    __slots__ = ("cpu", "message", "update", "value")

    def __init__(self, cpu: int, value: Any, message: View, update: bool = False) -> None:
        self.cpu = cpu
        self.value = value
        self.message = message
        self.update = update


class _Cpu:
    """The views of one CPU, named in the module header; ``carried``: object -> view of its load."""

    __slots__ = ("b", "carried", "l", "o", "p", "r")

    def __init__(self, known: View) -> None:
        self.p: View = dict(known)
        self.r: View = {}
        self.b: View = {}
        self.o: View = {}
        self.l: View = {}
        self.carried: dict[int, tuple[Any, View]] = {}


class Views:
    """The model. Its methods are those of ``kernel.drive.memory.VersionedModel``."""

    __slots__ = ("_cpus", "_locks", "_places", "_told", "_updating", "way")

    buffers = True
    versions = True

    def __init__(self) -> None:
        self.way = 0
        self._places: Places[Stored] = Places()
        self._cpus: dict[int, _Cpu] = {}
        self._locks: dict[Any, tuple[View, View]] = {}  # who gave it up last: its P and its O
        self._told: View = {}  # what barriers have told everybody
        self._updating = 0

    # -- accesses -------------------------------------------------------------------------------

    def ways(self, cpu: int, kind: int, obj: Any) -> int:
        """Return in how many ways ``cpu`` may do what it offers."""
        place = self._places.find(obj[0], obj[1])
        if place is None:
            return 1
        me = self._cpu(cpu)
        if kind in (LOAD, LOAD_ACQUIRE):
            return len(place.versions) - self._floor(me, place, obj[0])
        return len(_gaps(me, place))

    def load(self, cpu: int, obj: Any, field: str, kind: int) -> Any:
        """Return what the store puts there that ``way`` is about."""
        place = self._places.find(obj, field)
        if place is None:
            if isinstance(obj, Cell):
                return getattr(obj, field)
            place = self._new(obj, field)
        me = self._cpu(cpu)
        at = len(place.versions) - 1 - self._way()
        store = place.versions[max(at, self._floor(me, place, obj))]
        self._reads(me, cpu, place, store)
        if kind == LOAD_ACQUIRE:
            me.r = _join(me.r, me.p)
        return store.value

    def store(self, cpu: int, obj: Any, field: str, value: Any, kind: int) -> Drain | None:
        """Put a store into the row of its place."""
        place = self._places.find(obj, field) or self._new(obj, field)
        me = self._cpu(cpu)
        gaps = _gaps(me, place)
        at = gaps[max(len(gaps) - 1 - self._way(), 0)]
        stored = Stored(cpu, value, dict(me.p if kind == STORE_RELEASE else me.b))
        self._insert(me, place, at, stored)
        return None

    def update(self, cpu: int, obj: Any, field: str) -> Any:
        """Return the field as it is in memory: a full barrier, and one behind what is written."""
        place = self._places.find(obj, field) or self._new(obj, field)
        me = self._cpu(cpu)
        self._everybody(me)
        self._reads(me, cpu, place, place.versions[-1])
        self._updating = _UPDATE
        return getattr(obj, field)

    def settle(self, cpu: int) -> None:
        """A step of ``cpu`` is over: see what it has changed by ordinary statements."""
        updating, self._updating = self._updating, 0
        changed = self._places.changed()
        if not changed and updating != _UPDATE:
            return
        me = self._cpu(cpu)
        for place in changed:
            value = getattr(place.obj, place.field)
            self._insert(me, place, len(place.versions), Stored(cpu, value, dict(me.p), True))
        if updating:
            self._everybody(me)

    # -- what orders them -----------------------------------------------------------------------

    def barrier(self, cpu: int, kind: int) -> None:
        """Raise the floor of loads, let stores carry others along, or tell everybody."""
        me = self._cpu(cpu)
        if kind == READ_BARRIER:
            me.r = _join(me.r, me.l)
        elif kind == WRITE_BARRIER:
            me.b = _join(me.b, me.o)
        else:
            self._everybody(me)
            if kind == BARRIER:
                self._updating = _BARRIER

    def acquire(self, cpu: int, lock: Any) -> None:
        """``cpu`` has got ``lock``: it knows what those knew who gave it up."""
        me = self._cpu(cpu)
        known, own = self._locks.get(lock, _NOTHING)
        me.p = _join(me.p, known)
        me.r = _join(me.r, me.p)
        me.b = _join(_join(me.b, me.o), own)

    def release(self, cpu: int, lock: Any) -> None:
        """``cpu`` gives ``lock`` up."""
        me = self._cpu(cpu)
        known, own = self._locks.get(lock, _NOTHING)
        self._locks[lock] = (_join(known, me.p), _join(own, me.o))

    def arrive(self, cpu: int) -> None:
        """A task comes to ``cpu``, or back from its sleep: it sees everything."""
        me = self._cpu(cpu)
        known = dict(me.p)
        for place in self._places.all():
            known[place] = place.versions[-1]
        me.p = me.r = me.b = me.l = known

    def drains(self) -> tuple[Drain, ...]:
        """Return nothing: no store waits."""
        return ()

    def drain(self, entry: Drain) -> None:
        """Never called: there are none."""
        raise AssertionError(f"{entry!r} under weak")

    # -- the rules ------------------------------------------------------------------------------

    def _cpu(self, cpu: int) -> _Cpu:
        me = self._cpus.get(cpu)
        if me is None:
            me = self._cpus[cpu] = _Cpu(self._told)
        return me

    def _way(self) -> int:
        way, self.way = self.way, 0
        return way

    def _new(self, obj: Any, field: str) -> "Place[Stored]":
        place = self._places.make(obj, field)
        place.versions.append(Stored(_NOBODY, place.held, {}))
        return place

    def _floor(self, me: _Cpu, place: "Place[Stored]", obj: Any) -> int:
        """Return where the oldest store stands that a load may read."""
        floor = max(_at(place, me.r), 0)
        carried = me.carried.get(id(obj))
        if carried is not None:
            floor = max(floor, _at(place, carried[1]))
        return floor

    def _reads(self, me: _Cpu, cpu: int, place: "Place[Stored]", store: Stored) -> None:
        row = place.versions
        at = row.index(store)
        if store.cpu != cpu:
            me.p = _join(me.p, store.message)
            if at > _at(place, me.p):
                me.p = {**me.p, place: store}
            me.l = _join(me.l, me.p)
            if not isinstance(store.value, _PLAIN):
                if len(me.carried) >= _MOST_CARRIED:
                    del me.carried[next(iter(me.carried))]
                me.carried[id(store.value)] = (store.value, me.p)
        if at > _at(place, me.r):
            me.r = {**me.r, place: store}

    def _insert(self, me: _Cpu, place: "Place[Stored]", at: int, stored: Stored) -> None:
        row = place.versions
        row.insert(at, stored)
        me.p = {**me.p, place: stored}
        me.r = {**me.r, place: stored}
        me.o = {**_join(me.o, stored.message), place: stored}
        if at == len(row) - 1:
            place.put(stored.value)
        if len(row) > MOST_VERSIONS:
            del row[0]
        self._places.use(place)

    def _everybody(self, me: _Cpu) -> None:
        """A full barrier: what has been propagated to this CPU is propagated to all."""
        known = me.p
        if len(known) > 2 * MOST_PLACES:
            known = me.p = {place: one for place, one in known.items() if place.versions}
            self._forget()
        for other in self._cpus.values():
            if other is not me:
                other.p = _join(other.p, known)
        self._told = _join(self._told, known)
        me.r = me.b = me.l = known

    def _forget(self) -> None:
        """Forget in every view the places that are not there any more."""
        for me in self._cpus.values():
            me.p, me.r, me.b, me.o, me.l = (
                _living(view) for view in (me.p, me.r, me.b, me.o, me.l)
            )
            me.carried.clear()
        self._told = _living(self._told)
        self._locks = {
            lock: (_living(known), _living(own)) for lock, (known, own) in self._locks.items()
        }


_NOTHING: Final[tuple[View, View]] = ({}, {})


def _living(view: View) -> View:
    return {place: store for place, store in view.items() if place.versions}


def _at(place: "Place[Stored]", view: View) -> int:
    """Return where ``view`` is in the row of ``place``; -1: before all that is kept."""
    store = view.get(place)
    if store is None or store not in place.versions:
        return -1
    return place.versions.index(store)


def _gaps(me: _Cpu, place: "Place[Stored]") -> list[int]:
    """Return where in the row a store of a CPU may go."""
    row = place.versions
    lowest = max(_at(place, me.p), _at(place, me.r), _at(place, me.o), 0)
    return [at for at in range(lowest + 1, len(row) + 1) if at == len(row) or not row[at].update]


def _join(one: View, other: View) -> View:
    """Return the pointwise later of two views."""
    if one is other or not other:
        return one
    if not one:
        return other
    joined = one
    for place, store in other.items():
        mine = one.get(place)
        if mine is not store and (mine is None or _at(place, other) > _at(place, one)):
            if joined is one:
                joined = dict(one)
            joined[place] = store
    return joined
