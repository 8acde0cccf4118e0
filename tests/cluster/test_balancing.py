"""Whole machines whose CPUs have unequal work: it gets even, by Linux's rules and at its times."""

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun, run_local

SPINNERS = """import os
import sys
import time

from workloads import guest

until = time.monotonic() + {seconds}
for number in range({count}):
    if os.fork() == 0:
        {first}
        while time.monotonic() < until:
            guest.compute(1000000)
        times = os.times()
        os.write(1, f"{{number}} {{int((times.user + times.system) * 100)}}\\n".encode())
        os._exit(0)
for _ in range({count}):
    os.wait()
"""


def shares(tmp_path, count, seconds, *, first="pass", scheme="exact", **spec):
    """CPU time of each spinner, in hundredths of a second, and the run."""
    path = tmp_path / "spinners.py"
    path.write_text(SPINNERS.format(count=count, seconds=seconds, first=first), "utf-8")
    request = RunRequest(guest_spec(path, [], **spec), scheme=scheme)
    run = LocalRun(request)
    result = run.run()
    assert result.exit_kind == DONE, result.message
    lines = result.outputs["spinners.py.stdout"].decode().splitlines()
    times = dict(map(int, line.split()) for line in lines)
    return [times[number] for number in range(count)], run


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_three_equal_spinners_on_two_cpus_get_two_thirds_of_a_cpu_each(
    tmp_path, scheme, granularity
):
    spec = {"cpus": 2, "granularity": granularity}
    times, _ = shares(tmp_path, 3, 2, scheme=scheme, **spec)
    assert sum(times) >= 396
    assert all(abs(time - 133) <= 20 for time in times), times


@pytest.mark.parametrize("fair", ["cfs", "eevdf", "o1"])
def test_nobody_keeps_in_step_with_balancing_and_gets_more_for_it(tmp_path, fair):
    # who waits at a pass goes, so chance moves them: by a twentieth in 8 s. One who keeps in step
    # has a fourth less
    for seed in range(10):
        times, _ = shares(tmp_path, 3, 8, cpus=2, fair=fair, seed=seed, trace=False)
        assert all(abs(time - 533) <= 80 for time in times), (seed, times)


@pytest.mark.parametrize(("count", "cpus"), [(5, 4), (7, 2), (9, 8)])
def test_spinners_share_any_machine_evenly(tmp_path, count, cpus):
    times, _ = shares(tmp_path, count, 4, cpus=cpus)
    fair = 400 * cpus // count
    assert all(abs(time - fair) <= fair * 15 // 100 for time in times), times


def test_without_a_second_cpu_and_with_one_task_a_cpu_nothing_moves(tmp_path):
    for count, cpus in ((3, 1), (2, 2), (4, 2)):
        _, run = shares(tmp_path, count, 1, cpus=cpus)
        moved = sum(lp.stats.migrations_in for lp in run.group.cpus.values())
        assert moved <= cpus, (count, cpus)  # those that started on their parent's CPU


def test_a_spinner_bound_to_its_cpu_stays_and_the_others_make_room(tmp_path):
    first = "os.sched_setaffinity(0, {0}) if number == 0 else None"
    times, _ = shares(tmp_path, 3, 2, cpus=2, first=first)
    assert all(time >= 80 for time in times), times
    assert sum(times) >= 396


def test_nice_counts_by_weight_over_the_cpus(tmp_path):
    # weights 1024, 335, 335, 335: the heavy one has a CPU of its own, the light ones share
    first = "os.nice(5) if number else None"
    times, _ = shares(tmp_path, 4, 4, cpus=2, first=first)
    assert times[0] >= 330, times
    assert all(abs(time - times[1]) <= 25 for time in times[2:]), times


def test_sleepers_that_wake_together_spread_over_all_cpus(tmp_path):
    path = tmp_path / "sleepers.py"
    path.write_text(
        "import os\nimport time\n\nfrom workloads import guest\n\n"
        "until = time.monotonic() + 0.1\n"
        "for _ in range(120):\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(until - time.monotonic())\n"
        "        guest.compute(2000000000)\n"
        "        os._exit(0)\n"
        "time.sleep(2)\n",
        "utf-8",
    )
    spec = guest_spec(path, [], cpus=4, trace=False)
    run = LocalRun(RunRequest(spec, max_virtual_ns=1_500_000_000))
    run.run()
    assert [round(number, -1) for number in run.host.kernel.load.nr_running] == [30] * 4


def test_balancing_gives_the_same_bytes_each_time(tmp_path):
    digests = set()
    for _ in range(2):
        path = tmp_path / "spinners.py"
        path.write_text(SPINNERS.format(count=5, seconds=0.5, first="pass"), "utf-8")
        request = RunRequest(guest_spec(path, [], cpus=3), scheme="barrier")
        digests.add(run_local(request).digest)
    assert len(digests) == 1
