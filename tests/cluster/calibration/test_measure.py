"""Rounds of probes against a clock that the test turns."""

from cluster.calibration.measure import rounds
from cluster.calibration.steps import Numbers


class Clock:
    """A clock that every probe moves by a second."""

    now = 0.0

    def native(self, kind: str) -> Numbers:
        self.now += 1.0
        return Numbers(1_000.0, 100.0, 1_000.0, 1_000.0)


def test_rounds_end_before_the_one_that_would_take_too_long() -> None:
    clock = Clock()
    assert len(rounds(("clock", "call"), clock.native, 11.0, lambda: clock.now)) == 5


def test_three_rounds_are_made_however_long_they_take() -> None:
    clock = Clock()
    assert len(rounds(("clock", "call"), clock.native, 1.0, lambda: clock.now)) == 3


def test_readings_of_the_clock_are_taken_off_what_has_them() -> None:
    clock = Clock()
    (first, *_) = rounds(("clock", "fork", "call"), clock.native, 1.0, lambda: clock.now)
    assert first["fork"] == Numbers(0.0, 0.0, 0.0, 0.0)
    assert first["call"].own == 1_000.0
