"""Sessions share a CPU equally whatever is in them, on the host's kernel and emulated."""

import pytest

from tests.host.both import TICK_NS, emulated, native, numbers
from tests.host.test_shares import OF_HOST, SCATTER, TRIES, shares

MIXES = [("1", "3"), ("1", "1:10"), ("2:5", "1", "4")]

pytestmark = [pytest.mark.slow, pytest.mark.native]


@pytest.mark.parametrize("mix", MIXES, ids=" ".join)
def test_sessions_share_equally(mix: tuple[str, ...]) -> None:
    got = shares(numbers(emulated("sessions.py", "8000", *mix)))
    for each in got:
        assert each == pytest.approx(1 / len(mix), rel=0.02), got


@pytest.mark.parametrize("mix", MIXES, ids=" ".join)
def test_shares_of_sessions_are_those_of_the_host(mix: tuple[str, ...]) -> None:
    args = ("2000", *mix)
    tries = [shares(numbers(native("sessions.py", *args))) for _ in range(TRIES)]
    got = shares(numbers(emulated("sessions.py", *args)))
    for each, of_one in zip(got, zip(*tries)):
        low, middle, high = sorted(of_one)
        if high - low > middle * SCATTER + TICK_NS / 1e9:
            pytest.skip(f"the host's own shares scatter: {of_one}")
        assert abs(each - middle) <= middle * OF_HOST, (got, tries)
