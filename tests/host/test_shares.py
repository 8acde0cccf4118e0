"""What a CPU gives to whom, on the host's kernel and emulated: the same program, pinned to one CPU.

Shares are of the CPU time that the hogs had together, measured by their own clocks, so other load
on the host does not count. A CPU changes hands at ticks: beside the tolerances stands one of them.
"""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE
from cluster.native import run_native, usable_cpu
from cluster.request import request_of_machine
from kernel.sched.weights import weight_of
from kernel.uapi.policy import SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL

PROGRAMS = Path(__file__).resolve().parent / "programs"
POLICIES = {"other": SCHED_NORMAL, "batch": SCHED_BATCH, "idle": SCHED_IDLE}
TICK_NS = 4_000_000
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


def emulated(program: str, *args: str, fair: str = "eevdf") -> str:
    spec = guest_spec(PROGRAMS / program, list(args), cpus=1, fair=fair, trace=False)
    result = run_machine(request_of_machine(spec, "exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    assert not result.outputs.get(f"{program}.stderr")
    return result.outputs[f"{program}.stdout"].decode()


def native(program: str, *args: str) -> str:
    run = run_native(PROGRAMS / program, args, cpu=usable_cpu())
    assert (run.status, run.stderr) == (0, b"")
    text = run.stdout.decode()
    for line in text.splitlines():
        if line.startswith("forbidden: "):
            pytest.skip(f"this host forbids {line.removeprefix('forbidden: ')}")
    return text


def times(text: str) -> list[int]:
    return [int(line) for line in text.split()]


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
    got = shares(times(emulated("shares.py", str(length_ns // 1_000_000), *mix, fair=fair)))
    weights = [weight(hog) for hog in mix]
    for each, its in zip(got, weights):
        due = its / sum(weights)
        assert near(each, due, OF_TABLE, TICK_NS / length_ns), (got, weights)


@pytest.mark.parametrize("mix", MIXES, ids=" ".join)
def test_shares_are_those_of_the_host(mix: tuple[str, ...]) -> None:
    args = (str(seconds(mix) * 1000), *mix)
    tries = [times(native("shares.py", *args)) for _ in range(TRIES)]
    tick = max(TICK_NS / sum(each) for each in tries)
    by_hog = [sorted(of_one) for of_one in zip(*map(shares, tries))]
    middles = [of_one[TRIES // 2] for of_one in by_hog]
    for of_one, middle in zip(by_hog, middles):
        if of_one[-1] - of_one[0] > middle * SCATTER + 2 * tick:
            pytest.skip(f"the host's own shares scatter: {of_one}")
    got = shares(times(emulated("shares.py", *args)))
    for each, middle in zip(got, middles):
        assert near(each, middle, OF_HOST, 2 * tick), (got, middles)


@pytest.mark.parametrize("policy", ["fifo", "rr"])
def test_real_time_tasks_take_turns_as_on_the_host(policy: str) -> None:
    assert emulated("rt_turns.py", policy) == native("rt_turns.py", policy)
