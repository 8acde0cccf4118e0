"""``costs.ipi``: what the reschedule interrupt of another CPU takes, and who pays it."""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from kernel.costs import Costs

GUEST_FOLDER = Path(__file__).resolve().parents[2] / "guest"
PING_PONG = GUEST_FOLDER / "pipe" / "ping_pong.py"
IPI_NS = 5_000


def run(path, *, cpus, ipi, scheme="exact", granularity="syscall"):
    spec = guest_spec(path, [], cpus=cpus, granularity=granularity)
    spec = replace(spec, costs=Costs(ipi=ipi), check=True)
    result = run_local(RunRequest(spec, scheme=scheme))
    assert (result.exit_kind, result.message) == (DONE, "")
    return result


def virtual_ns(path, **how):
    return run(path, **how).summary["run"]["virtual_ns"]


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_every_wake_up_of_a_task_on_another_cpu_takes_the_interrupt(scheme, granularity):
    how = {"cpus": 2, "scheme": scheme, "granularity": granularity}
    without = virtual_ns(PING_PONG, ipi=0, **how)
    once = virtual_ns(PING_PONG, ipi=IPI_NS, **how) - without
    thrice = virtual_ns(PING_PONG, ipi=3 * IPI_NS, **how) - without
    assert once > 100 * IPI_NS  # of the 100 rounds each has two wake-ups
    assert thrice == 3 * once
    assert once % IPI_NS == 0


def test_a_cpu_that_idles_takes_its_time_to_be_there_and_a_busy_one_does_not():
    # in ping_pong both CPUs idle whenever they are woken
    costs = [Costs(), Costs(ipi=IPI_NS), Costs(idle_exit=IPI_NS)]
    plain, interrupted, idle = (
        run_local(RunRequest(replace(guest_spec(PING_PONG, [], cpus=2), costs=each))).summary
        for each in costs
    )
    assert idle["run"]["virtual_ns"] == interrupted["run"]["virtual_ns"]
    assert idle["cpu_time_ns"]["system"] == plain["cpu_time_ns"]["system"]


def test_a_machine_of_one_cpu_has_no_interrupt_of_another():
    results = [run(PING_PONG, cpus=1, ipi=ipi) for ipi in (0, IPI_NS)]
    assert results[0].digest == results[1].digest


def test_a_new_task_starts_later_by_the_interrupt_of_its_cpu():
    times = [
        run(GUEST_FOLDER / "fork" / "binary_tree.py", cpus=64, ipi=ipi).summary["latency_ns"]
        for ipi in (0, IPI_NS)
    ]
    firsts = [time["fork_to_first_run"]["p50"] for time in times]
    assert firsts[1] - firsts[0] >= IPI_NS * 3 // 4  # the histogram has buckets


def test_a_signal_interrupts_who_computes_on_another_cpu(tmp_path):
    path = tmp_path / "kicked.py"
    path.write_text(
        "import os, signal, time\n"
        "from workloads import guest\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "    guest.compute(50_000_000)\n"
        "    os._exit(0)\n"
        "for _ in range(20):\n"
        "    time.sleep(0.001)\n"
        "    os.kill(pid, signal.SIGUSR1)\n"
        "os.wait()\n"
    )
    alone = virtual_ns(path, cpus=1, ipi=IPI_NS) - virtual_ns(path, cpus=1, ipi=0)
    apart = virtual_ns(path, cpus=2, ipi=IPI_NS) - virtual_ns(path, cpus=2, ipi=0)
    assert alone == 0
    assert 20 * IPI_NS <= apart <= 25 * IPI_NS
