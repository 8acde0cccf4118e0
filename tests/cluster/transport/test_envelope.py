"""Envelopes: each turn is made once, and nobody acts on what is of other actors."""

import pytest

from cluster.transport.envelope import ANSWER, ASK, Answering, Asking, Envelope, seal, unseal


class Turns:
    """Counts the turns it makes."""

    def __init__(self) -> None:
        self.made: list[bytes] = []

    def __call__(self, payload: bytes) -> bytes:
        self.made.append(payload)
        return b"answer %d to %s" % (len(self.made), payload)


@pytest.fixture
def turns():
    return Turns()


@pytest.fixture
def actor(turns):
    return Answering(7, 2, 3, turns)


@pytest.fixture
def asking():
    return Asking(7, 2, 3)


def test_a_question_gets_its_answer(actor, asking, turns):
    asking.ask(b"one")
    assert asking.answer is None
    asking.take(actor.take(asking.packet))
    assert asking.answer == b"answer 1 to one"
    asking.ask(b"two")
    asking.take(actor.take(asking.packet))
    assert asking.answer == b"answer 2 to two"


def test_who_is_asked_again_answers_the_same_and_makes_no_turn(actor, asking, turns):
    asking.ask(b"one")
    assert actor.take(asking.packet) == actor.take(asking.packet)
    assert turns.made == [b"one"]
    assert actor.counts["repeated"] == 1


def test_a_question_that_comes_late_is_not_answered(actor, asking, turns):
    asking.ask(b"one")
    late = asking.packet
    asking.take(actor.take(late))
    asking.ask(b"two")
    asking.take(actor.take(asking.packet))
    assert actor.take(late) is None
    assert (turns.made, actor.counts["old"]) == ([b"one", b"two"], 1)


def test_an_answer_that_comes_late_or_twice_is_thrown_away(actor, asking):
    asking.ask(b"one")
    answer = actor.take(asking.packet)
    asking.take(answer)
    asking.take(answer)
    asking.ask(b"two")
    asking.take(answer)
    assert asking.answer is None
    assert asking.counts["old"] == 2


@pytest.mark.parametrize("incarnation", [1, 3])
def test_a_question_of_another_incarnation_is_refused_and_never_executed(actor, turns, incarnation):
    other = Asking(7, incarnation, 3)
    other.ask(b"one")
    other.take(actor.take(other.packet))
    assert (other.answer, turns.made) == (None, [])
    assert (actor.counts["stale"], other.counts["stale"]) == (1, 1)


@pytest.mark.parametrize(("incarnation", "sender"), [(1, 3), (3, 3), (2, 4)])
def test_an_answer_of_another_incarnation_or_actor_is_refused(asking, incarnation, sender):
    asking.ask(b"one")
    asking.take(seal(Envelope(ANSWER, 7, incarnation, sender, 1), b"from the past"))
    assert asking.answer is None
    assert asking.counts["stale"] == 1


def test_a_packet_of_another_run_does_not_exist(actor, turns):
    other = Asking(8, 2, 3)
    other.ask(b"one")
    assert actor.take(other.packet) is None
    assert (turns.made, actor.counts["foreign"]) == ([], 1)


def test_a_packet_is_refused_with_any_bit_changed_and_cut_anywhere(actor, turns):
    packet = seal(Envelope(ASK, 7, 2, 3, 1), b"a question")
    for place in range(len(packet) * 8):
        changed = bytearray(packet)
        changed[place // 8] ^= 1 << place % 8
        assert unseal(bytes(changed)) is None
    for length in range(len(packet)):
        assert actor.take(packet[:length]) is None
    assert turns.made == []


def test_a_question_from_the_future_is_a_bug(actor, asking):
    asking.ask(b"one")
    asking.ask(b"two")
    with pytest.raises(AssertionError, match="question 2 comes after 0"):
        actor.take(asking.packet)
