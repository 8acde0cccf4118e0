"""Values that travel between host processes are those that a fork copies, whatever they are."""

import os
import signal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.codec import pack, unpack_plain
from workloads.language.copying import Copier
from workloads.language.dict_views import LIVE_VIEWS
from workloads.language.exception_values import EXCEPTION_TYPES
from workloads.language.packing import Packer
from workloads.language.sets import GuestSet
from workloads.language.unpacking import Unpacker
from workloads.language.values import (
    STACK_FRAME,
    UNBOUND,
    BoundMethod,
    Builtin,
    Closure,
    FileHandle,
    LockHandle,
    MmapHandle,
    PollHandle,
    ShmHandle,
    SocketHandle,
    SyncHandle,
    ThreadHandle,
    function_value,
)
from workloads.language.views import DictView, EnumerateView, ReversedView, ZipView

SHARED_FROM = 1_000  # characters, and bits in thousands: what is smaller may be there twice

small = st.integers(0, 200)
texts = st.text(st.characters(), max_size=6) | st.just("\udc80é") | st.just("long" * 400)
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([1 << 63, -(1 << 63) - 1, 1 << 20_000, -(1 << 20_001), 10**5000]),
    st.floats(),
    st.just(float("nan")),
    texts,
    st.binary(max_size=6),
    st.just(bytes(2_000)),
    st.builds(range, st.integers(), st.integers(), st.integers(1, 1 << 70)),
    st.just(UNBOUND),
    st.just(STACK_FRAME),
    st.builds(LockHandle, small),
    st.builds(ThreadHandle, small),
    st.builds(ShmHandle, small, small),
    st.builds(function_value, small, st.just("f")),
    st.builds(Builtin, st.just("os"), st.just("fork")),
    st.builds(os.sched_param, small),
    st.builds(lambda n: os.waitid_result((n,) * 5), small),
    st.builds(lambda n: os.stat_result((n,) * 19), small),
)
leaves = st.one_of(
    st.builds(bytearray, st.binary(max_size=6)),
    st.builds(MmapHandle, small, small),
    st.builds(SocketHandle, small),
    st.builds(PollHandle, st.dictionaries(small, small, max_size=3)),
)
HASHABLE = (int, float, str, bytes, type(None), LockHandle, Builtin, range, BaseException)
EXCEPTIONS = sorted(set(EXCEPTION_TYPES) - {"UnicodeDecodeError", "UnicodeEncodeError"})


def is_hashable(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(is_hashable, value))
    return isinstance(value, HASHABLE)


@st.composite
def heaps(draw: st.DrawFn) -> list[Any]:
    """Return variables: each made of those before it, so that many have more than one name."""
    pool: list[Any] = draw(st.lists(atoms | leaves, min_size=1, max_size=6))
    for _ in range(draw(st.integers(0, 14))):
        parts = draw(st.lists(st.sampled_from(pool), max_size=4))
        keys = [part for part in parts if is_hashable(part)]
        kind = draw(st.integers(0, 12))
        if kind <= 1:
            made: Any = list(parts)
        elif kind <= 3:
            made = tuple(parts)
        elif kind == 4:
            made = {key: draw(st.sampled_from(pool)) for key in keys}
        elif kind == 5:
            made = GuestSet(keys)
            if made.members and draw(st.booleans()):
                made.ordered()
        elif kind == 6:
            try:
                made = EXCEPTION_TYPES[draw(st.sampled_from(EXCEPTIONS))](*parts)
            except (TypeError, ValueError):  # as for a program
                continue
            causes = [part for part in pool if isinstance(part, BaseException)]
            if causes:
                made.__context__ = draw(st.sampled_from(causes))
        elif kind == 7:
            made = OSError(draw(st.sampled_from([1, 2, 9999])), *draw(st.lists(texts, max_size=2)))
        elif kind == 8:
            made = Closure(3, "f", tuple(parts[:1]), tuple(parts[1:]))
        elif kind == 9:
            made = BoundMethod(draw(st.sampled_from(pool)), "append")
        elif kind == 10:
            made = SyncHandle("Condition", list(parts))
            if draw(st.booleans()):
                made = FileHandle("FileIO", {"kind": "FileIO", "fd": 5, "name": parts})
        elif kind == 11:
            source = dict.fromkeys(keys)
            made = DictView(source, tuple(source), draw(st.integers(0, 2)))
            if draw(st.booleans()):
                made = draw(st.sampled_from(LIVE_VIEWS))(source)
        else:
            kinds = [ZipView(*parts), EnumerateView(parts, 3), ReversedView(parts, len(parts) - 1)]
            made = draw(st.sampled_from(kinds))
        pool.append(made)
    lists = [value for value in pool if type(value) is list]
    for value in lists:  # cycles
        value.extend(draw(st.lists(st.sampled_from(pool), max_size=1)))
    return pool


def shape(values: list[Any]) -> list[Any]:
    """Return what a program can see of values: texts of scalars, and which containers are one."""
    numbers: dict[int, int] = {}
    rows: list[Any] = []
    todo: list[Any] = []
    keep: list[Any] = []

    def name(value: Any) -> Any:
        kind = type(value)
        if kind in (bool, type(None)):
            return value
        if kind is int and value.bit_length() <= 8 * SHARED_FROM:
            return value
        if kind in (str, bytes) and len(value) <= SHARED_FROM:
            return value
        if kind is float and value == value:
            return value.hex()
        if id(value) not in numbers:
            numbers[id(value)] = len(numbers)
            todo.append(value)
            keep.append(value)
        return ("#", numbers[id(value)])

    rows.append([name(value) for value in values])
    rows.extend([type(value).__name__, *map(name, parts_of(value))] for value in todo)
    return rows


def parts_of(value: Any) -> list[Any]:
    """Return what there is inside a value, atoms and other values."""
    kind = type(value)
    if kind is int:
        return [hex(value)]
    if kind in (str, bytes, bytearray):
        return [bytes(value) if kind is not str else value.encode("utf-8", "surrogatepass")]
    if kind is float:
        return ["nan"]
    if kind is range:
        return [hex(value.start), hex(value.stop), hex(value.step)]
    if kind is dict:
        return [part for pair in value.items() for part in pair]
    if kind is GuestSet:
        return [value.stable, *value.members, "in order", *value.ordered()]
    if isinstance(value, BaseException):
        extra = [getattr(value, name, None) for name in ("errno", "filename", "value", "code")]
        return [value.args, value.__context__, value.__cause__, value.__suppress_context__, *extra]
    if isinstance(value, list | tuple):
        return list(value)
    if hasattr(value, "parts"):
        return list(value.parts())
    if kind is os.sched_param:
        return [value.sched_priority]
    return [getattr(value, slot) for slot in value.__slots__]


def travelled(values: list[Any]) -> list[Any]:
    packer = Packer()
    plain = packer.pack_all(values)
    plain, objects = unpack_plain(pack((plain, packer.finish())))
    return Unpacker(objects, program=None).values(plain)


def forked(values: list[Any]) -> list[Any]:
    copier = Copier()
    copies = [copier.copy(value) for value in values]
    copier.finish()
    return copies


@settings(max_examples=300, deadline=None)
@given(heaps())
def test_what_travels_is_what_a_fork_copies(values: list[Any]) -> None:
    before = shape(values)
    assert shape(travelled(values)) == before
    assert shape(forked(values)) == before
    assert shape(travelled(forked(travelled(values)))) == before


def test_a_nan_is_found_where_it_was_put() -> None:
    nan = float("nan")
    for values in (travelled, forked):
        copy, inside, key = values([nan, [nan], {nan: 1}])
        assert copy in inside
        assert copy in key


def test_a_large_text_with_many_names_travels_once() -> None:
    data = bytes(100_000)
    packer = Packer()
    plain = packer.pack_all([[data] * 1000, {"x": data}])
    assert len(pack((plain, packer.finish()))) < 110_000


def test_nesting_has_no_limit_that_depends_on_the_engine() -> None:
    value: Any = ()
    for _ in range(50_000):
        value = [value] if len(value) % 2 else (value,)
    for copy in (travelled([value])[0], forked([value])[0]):
        depth = 0
        while copy:
            copy, depth = copy[0], depth + 1
        assert depth == 50_000


def test_numbers_that_are_signals_travel() -> None:
    assert [int(number) for number in travelled([int(signal.SIGTERM)])] == [15]
