"""Frames in pieces: what arrives is what was sent, and no wire is larger than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from cluster.codec import head_of, pack
from cluster.pieces import Answerer, Gatherer, Inbox, Outbox, is_whole, turn

LIMIT = 50
ENVELOPE = 200

frames = st.binary(max_size=400).map(lambda data: pack((1, data)))


@given(frames)
def test_a_frame_of_any_size_arrives_as_it_was_sent(frame: bytes) -> None:
    out, into = Outbox(LIMIT), Inbox()
    arrived = into.take(out.send(frame))
    while arrived is None:
        assert out.sending
        wire = out.next()
        assert len(wire) < LIMIT + ENVELOPE
        arrived = into.take(wire)
    assert arrived == frame
    assert not out.sending


@given(st.lists(st.tuples(frames, frames, frames), min_size=1, max_size=5))
def test_groups_with_reports_of_different_sizes_step_in_the_same_turn(
    rounds: list[tuple[bytes, bytes, bytes]],
) -> None:
    """Two groups and a kernel: every whole frame is seen once by each side, in order."""
    seen: list[list[bytes]] = [[], []]

    def answer(group: int) -> Answerer:
        def step(frame: bytes) -> bytes:
            seen[group].append(frame)
            return rounds[len(seen[group]) - 1][group]

        return Answerer(LIMIT, step)

    groups = [answer(0), answer(1)]
    kernel = Gatherer(LIMIT, 2)
    orders = [pack((2, (number, "", 0, 0, 0, 0, 0), row[2])) for number, row in enumerate(rounds)]
    gathered: list[list[bytes]] = []
    wire = kernel.send(orders[0], head_of(orders[0]))
    while len(gathered) < len(rounds):
        assert head_of(wire)[0] <= len(gathered)
        assert len(seen[0]) == len(seen[1])
        reports = kernel.gather(tuple(group.take(wire) for group in groups))
        if isinstance(reports, bytes):
            wire = reports
            continue
        gathered.append(reports)
        if len(gathered) < len(rounds):
            order = orders[len(gathered)]
            wire = kernel.send(order, head_of(order))
    assert seen == [orders, orders]
    assert gathered == [[row[0], row[1]] for row in rounds]


def test_the_head_that_ends_a_run_comes_with_the_last_piece_only() -> None:
    kernel = Gatherer(LIMIT, 1)
    first, last = (1, "", 0, 0, 0, 0, 0), (2, "done", 0, 0, 0, 0, 0)
    kernel.send(pack((2, first, [])), first)
    wire = kernel.send(pack((2, last, bytes(120))), last)
    heads = [head_of(wire)]
    while not isinstance(wire, list):
        wire = kernel.gather((turn(),))
        heads.append(head_of(wire))
        if heads[-1] == last:
            break
    assert heads == [first] * (len(heads) - 1) + [last]
    assert len(heads) > 2


def test_before_the_first_superstep_a_turn_has_a_head_that_says_nothing() -> None:
    assert head_of(turn())[:2] == (0, "")
    assert not is_whole(turn())
    assert is_whole(pack((2, (1, "", 0, 0, 0, 0, 0), [])))
