"""What a CPU gives to whom, on the host's kernel and emulated: the same program, pinned to one CPU.

Shares are of the CPU time that the hogs had together, measured by their own clocks, so other load
on the host does not count. A CPU changes hands at ticks: beside the tolerances stands one of them.
"""

import pytest

from kernel.sched.weights import weight_of
from kernel.uapi.policy import SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL
from tests.host.both import TICK_NS, emulated, native, numbers

POLICIES = {"other": SCHED_NORMAL, "batch": SCHED_BATCH, "idle": SCHED_IDLE}
TRIES = 3
OF_TABLE = 0.02
OF_HOST = 0.05
SCATTER = 0.04

MIXES = [
    ("other:0", "other:1"),
    ("other:0", "other:5"),
    ("other:0", "other:10"),
    ("other:-5", "other:0"),
    ("other:5", "other:10"),
    ("other:0", "other:19"),
    ("other:0", "other:0", "other:5"),
    ("other:0", "other:5", "other:10"),
    ("other:-5", "other:0", "other:5"),
    ("other:0", "batch:0"),
    ("other:0", "batch:5"),
    ("other:0", "idle:0"),
    ("other:0", "other:0", "idle:0"),
]

pytestmark = [pytest.mark.slow, pytest.mark.native]


def weight(hog: str) -> int:
    policy, nice = hog.split(":")
    return weight_of(int(nice), POLICIES[policy])


def shares(measured: list[int]) -> list[float]:
    return [each / sum(measured) for each in measured]


def seconds(mix: tuple[str, ...]) -> int:
    """Longer where somebody gets little."""
    weights = [weight(hog) for hog in mix]
    return 2 if min(weights) * 40 > sum(weights) else 5


def near(got: float, due: float, part: float, tick: float) -> bool:
    return abs(got - due) <= due * part + tick


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
@pytest.mark.parametrize("mix", MIXES, ids=" ".join)
def test_shares_are_those_of_the_weight_table(mix: tuple[str, ...], fair: str) -> None:
    length_ns = 10_000_000_000
    got = shares(numbers(emulated("shares.py", str(length_ns // 1_000_000), *mix, fair=fair)))
    weights = [weight(hog) for hog in mix]
    for each, its in zip(got, weights):
        due = its / sum(weights)
        assert near(each, due, OF_TABLE, TICK_NS / length_ns), (got, weights)


def unlike_the_host(mix: tuple[str, ...], length_ms: int) -> str:
    """Run the mix on both sides; return in what they differ, "" if in nothing."""
    args = (str(length_ms), *mix)
    tries = [numbers(native("shares.py", *args)) for _ in range(TRIES)]
    tick = max(TICK_NS / sum(each) for each in tries)
    by_hog = [sorted(of_one) for of_one in zip(*map(shares, tries))]
    middles = [of_one[TRIES // 2] for of_one in by_hog]
    for of_one, middle in zip(by_hog, middles):
        if of_one[-1] - of_one[0] > middle * SCATTER + 2 * tick:
            return f"the host's own shares scatter: {of_one}"
    got = shares(numbers(emulated("shares.py", *args)))
    if all(near(each, middle, OF_HOST, 2 * tick) for each, middle in zip(got, middles)):
        return ""
    return f"emulated {got}, on the host {middles}"


@pytest.mark.parametrize("mix", MIXES, ids=" ".join)
def test_shares_are_those_of_the_host(mix: tuple[str, ...]) -> None:
    length_ms = seconds(mix) * 1000
    # a host that does much else meanwhile is asked once more, for longer
    why = unlike_the_host(mix, length_ms) and unlike_the_host(mix, 2 * length_ms)
    if why.startswith("the host's own"):
        pytest.skip(why)
    assert not why


@pytest.mark.parametrize("policy", ["fifo", "rr"])
def test_real_time_tasks_take_turns_as_on_the_host(policy: str) -> None:
    assert emulated("rt_turns.py", policy) == native("rt_turns.py", policy)
