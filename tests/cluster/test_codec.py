"""The wire form of requests, effects and tasks, without actors."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster import codec
from cluster.codec import GroupCodec, KernelCodec, LpFailure, WireError
from cluster.pieces import turn
from kernel import messages as m
from kernel.cpu.task import CpuTask
from kernel.sched.sched_class import FAIR_RANK
from kernel.uapi import syscalls as nr

GROUPS = ((0, 1), (2, 3))
HEAD: codec.Head = (7, "", 1_000, 900, 3, 5, 0)


class Context:
    """A user context that is a value and nothing else."""

    steps = 1

    def __init__(self, state: Any) -> None:
        self.state = state

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and other.state == self.state

    def __repr__(self) -> str:
        return f"Context({self.state!r})"

    def resume(self, value: Any, error: Any) -> tuple[Any, ...]:
        return (nr.NR_EXIT_GROUP, 0)

    def fork(self) -> "Context":
        return Context(self.state)

    share = fork

    def thread(self, start: Any) -> "Context":
        return Context(start)

    def pack(self) -> Any:
        return {"state": self.state, "rows": [["t", 1], ["u"]]}


class Loader:
    def start(self, image: str, argv: Any, env: Any) -> Context:
        return Context(image)

    def unpack(self, data: Any) -> Context:
        assert [list(row) for row in data["rows"]] == [["t", 1], ["u"]]
        return Context(data["state"])


def sides(group: int = 0) -> tuple[GroupCodec, KernelCodec]:
    loader = Loader()
    return GroupCodec(group, GROUPS[group], loader), KernelCodec(GROUPS, loader)


def to_kernel(*requests: m.Request) -> list[m.Request]:
    group, kernel = sides()
    frame = group.encode_report(7, 0, [(0, m.NEVER, list(requests), [])])
    superstep, held, reports = kernel.decode_report(frame)
    assert (superstep, held) == (7, 0)
    ((cpu, next_ns, decoded, forwards),) = reports
    assert (cpu, next_ns, tuple(forwards)) == (0, m.NEVER, ())
    return list(decoded)


def to_cpu(*effects: m.Effect) -> list[m.Effect]:
    group, kernel = sides()
    head, segment = group.decode(kernel.encode(HEAD, {0: list(effects)}))
    assert head == HEAD
    return list(segment[0])


def same_types(one: Any, other: Any) -> bool:
    """Equal, and made of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same_types, one, other))
    return bool(one == other)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(1 << 200), max_value=1 << 200),
    st.sampled_from(
        [1 << 63, (1 << 64) - 1, 1 << 64, -(1 << 63), -(1 << 63) - 1, -(1 << 64), 255, 256]
    ),
    st.floats(allow_nan=False),
    st.text(st.characters(codec=None, exclude_categories=())),
    st.binary(),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12)


@given(st.sampled_from(sorted(m.EFFECTS)), st.data())
@settings(deadline=None)
def test_every_effect_of_plain_data_comes_back_as_it_was(code: int, data: Any) -> None:
    names = m.EFFECTS[code][1]
    values = [data.draw(VALUES, label=name) for name in names]
    if code == m.ARRIVE:
        values[0] = 0  # None stands for a task that stayed in its group
    effect = (12, code, 34, *values)
    (back,) = to_cpu(effect)
    assert same_types(back, effect)


@given(st.sampled_from(sorted(m.REQUESTS)), st.data())
@settings(deadline=None)
def test_every_request_of_plain_data_comes_back_as_it_was(code: int, data: Any) -> None:
    values = [data.draw(VALUES, label=name) for name in m.REQUESTS[code][1]]
    request = (12, 0, 1, code, 34, 5, 6, 7, 8, *values)
    (back,) = to_kernel(request)
    assert same_types(back, request)


@given(st.dictionaries(st.sampled_from([cpu for cpus in GROUPS for cpu in cpus]), VALUES))
@settings(deadline=None)
def test_a_groups_part_of_a_frame_says_what_the_whole_does(values: dict[int, Any]) -> None:
    _, kernel = sides()
    effects = {cpu: [(5, m.EFF_RETURN, 9, value)] for cpu, value in values.items()}
    frame = kernel.encode(HEAD, effects)
    parts = codec.split(frame, len(GROUPS))
    assert len(parts) == len(GROUPS)
    for group, part in enumerate(parts):
        whole = sides(group)[0].decode(frame)
        assert same_types(tuple(whole[1].items()), tuple(sides(group)[0].decode(part)[1].items()))
        assert whole[0] == sides(group)[0].decode(part)[0] == codec.head_of(part)


def test_a_wire_that_is_no_superstep_frame_is_every_groups() -> None:
    for wire in (turn(HEAD), codec.failure_frame("kernel", "error", "lost", "")):
        assert codec.split(wire, 3) == [wire, wire, wire]


@given(st.lists(VALUES, max_size=5))
@settings(deadline=None)
def test_plain_data_comes_back_with_tuples_for_sequences(values: list[Any]) -> None:
    assert same_types(codec.unpack_plain(codec.pack(values)), tuple(values))


@pytest.mark.parametrize("number", [1 << 64, -(1 << 63) - 1, 1 << 10_000, -(1 << 10_000)])
def test_an_int_of_any_size_survives(number: int) -> None:
    (back,) = to_cpu((0, m.EFF_RETURN, 1, number))
    assert back[3] == number


def test_a_file_name_that_is_no_text_survives() -> None:
    path = "/tmp/\udcff"
    op = (nr.NR_STAT, path)
    (back,) = to_kernel((0, 0, 1, m.REQ_SYSCALL, 9, 0, 0, 0, 0, op, None))
    assert back[m.R_ARGS] == op


def test_a_context_travels_with_a_vfork_request_and_back_with_take() -> None:
    context = Context([1, "two", 1 << 70])
    (request,) = to_kernel((0, 0, 1, m.REQ_SYSCALL, 9, 0, 0, 0, 0, (nr.NR_VFORK,), context))
    assert request[m.R_ARGS + 1] == Context((1, "two", 1 << 70))
    (effect,) = to_cpu((5, m.EFF_TAKE, 9, context, 11, None))
    assert effect == (5, m.EFF_TAKE, 9, Context((1, "two", 1 << 70)), 11, None)


def test_a_forked_context_comes_with_its_effect() -> None:
    effect = (5, m.EFF_FORK, 9, 10, 10, "sh", 0, 1, False, Context("child"), False)
    assert to_cpu(effect) == [effect]


def moving_task() -> CpuTask:
    task = CpuTask(9, 9, "worker", nice=5)
    task.kept = {FAIR_RANK: [-(1 << 40), 1, 7]}
    task.op = (nr.NR_WAIT4, -1, 0)
    task.value = (3, b"\x00", (None, 1.5))
    task.utime_ns = 123
    task.ctx = Context("heap")
    return task


def deliver(source: int, dest: int, task: CpuTask, group_to: int) -> CpuTask:
    """Send a task from a CPU to another one by way of the kernel."""
    loader = Loader()
    codecs = [GroupCodec(number, cpus, loader) for number, cpus in enumerate(GROUPS)]
    kernel = KernelCodec(GROUPS, loader)
    group_from = 0 if source in GROUPS[0] else 1
    message = (50, m.ARRIVE, task.pid, task, m.BY_WAKE)
    frame = codecs[group_from].encode_report(7, 0, [(source, 60, [], [(dest, message)])])
    _, _, reports = kernel.decode_report(frame)
    forwards = reports[0][3]
    assert [to for to, _ in forwards] == [dest]
    _, segment = codecs[group_to].decode(kernel.encode(HEAD, {dest: [forwards[0][1]]}))
    ((at_ns, code, pid, arrived, reason),) = segment[dest]
    assert (at_ns, code, pid, reason) == (50, m.ARRIVE, task.pid, m.BY_WAKE)
    assert isinstance(arrived, CpuTask)
    return arrived


def test_a_task_that_changes_the_group_arrives_whole() -> None:
    task = moving_task()
    arrived = deliver(0, 3, task, 1)
    assert arrived is not task
    for name in ("pid", "tgid", "comm", "nice", "prio", "op", "value", "utime_ns"):
        assert same_types(getattr(arrived, name), getattr(task, name)), name
    assert arrived.ctx == task.ctx


def test_a_task_that_stays_in_the_group_is_not_copied() -> None:
    task = moving_task()
    assert deliver(0, 1, task, 0) is task


def test_messages_of_one_cpu_keep_their_order() -> None:
    effects = [(time, m.EFF_WAKE, 4, 1, False) for time in (9, 3, 3, 7)]
    assert to_cpu(*effects) == effects


def test_a_group_sees_its_own_cpus_only() -> None:
    loader = Loader()
    kernel = KernelCodec(GROUPS, loader)
    frame = kernel.encode(HEAD, {3: [(1, m.EFF_DEAD, 5)], 0: [(2, m.EFF_USER, 6)]})
    _, first = GroupCodec(0, GROUPS[0], loader).decode(frame)
    _, second = GroupCodec(1, GROUPS[1], loader).decode(frame)
    assert {cpu: list(effects) for cpu, effects in first.items()} == {0: [(2, m.EFF_USER, 6)]}
    assert {cpu: list(effects) for cpu, effects in second.items()} == {3: [(1, m.EFF_DEAD, 5)]}


def test_the_head_is_read_without_the_segments() -> None:
    _, kernel = sides()
    frame = kernel.encode(HEAD, {0: [(5, m.EFF_TAKE, 9, Context("x"), 11, None)]})
    assert codec.head_of(frame) == HEAD


@pytest.mark.parametrize(
    "request_",
    [
        (0, 0, 1, 99, 9, 0, 0, 0),
        (0, 0, 1, 0, 9, 0, 0, 0),
        (0, 0, 1, m.REQ_CONTINUE, 9, 0, 0, 0, 0, "more"),
        (0, 0, 1, m.REQ_SYSCALL, 9, 0, 0, 0, 0, (1,)),
        (0, 0, 1),
    ],
)
def test_a_request_outside_the_closed_set_is_refused(request_: m.Request) -> None:
    with pytest.raises(WireError, match="no such request"):
        to_kernel(request_)


@pytest.mark.parametrize("effect", [(0, 99, 9), (0, m.EFF_DEAD, 9, 1), (0, m.EFF_RETURN, 9), (0,)])
def test_an_effect_outside_the_closed_set_is_refused(effect: m.Effect) -> None:
    with pytest.raises(WireError, match="no such effect"):
        to_cpu(effect)


@pytest.mark.parametrize("value", [{1, 2}, object(), 1j, WireError("x"), print])
def test_what_is_no_plain_data_is_refused_by_name(value: Any) -> None:
    with pytest.raises(WireError, match="cannot travel"):
        to_cpu((0, m.EFF_RETURN, 1, value))


def test_an_unknown_extension_type_is_refused() -> None:
    with pytest.raises(WireError, match="extension type 77"):
        to_cpu((0, m.EFF_RETURN, 1, codec.ExtType(77, b"")))


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x93\x01", b"abc", b"\x90", codec.pack((9, 9))])
def test_bytes_that_are_no_frame_are_refused(junk: bytes) -> None:
    group, kernel = sides()
    with pytest.raises(WireError):
        kernel.decode_report(junk)
    with pytest.raises(WireError):
        group.decode(junk)


def test_a_cpu_of_another_group_is_refused() -> None:
    loader = Loader()
    foreign = GroupCodec(0, (5,), loader).encode_report(1, 0, [(5, 1, [], [])])
    with pytest.raises(WireError, match="cpu 5"):
        KernelCodec(GROUPS, loader).decode_report(foreign)


def test_a_failure_frame_raises_on_every_side() -> None:
    group, kernel = sides()
    frame = codec.failure_frame("cpu actor 3", "invariant", "a story", "Traceback")
    for read in (group.decode, kernel.decode_report, codec.head_of):
        with pytest.raises(LpFailure) as caught:
            read(frame)
        assert caught.value.lp == "cpu actor 3"
        assert (caught.value.kind, caught.value.message) == ("invariant", "a story")


def test_a_task_without_body_that_did_not_stay_is_refused() -> None:
    with pytest.raises(WireError, match="task 9 arrives"):
        to_cpu((0, m.ARRIVE, 9, None, m.BY_WAKE))
