"""Whole machines under each fair class: affinity, one CPU a task, order of real-time tasks."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.scheduler_check import Watched, workload
from kernel.machine import MachineSpec
from kernel.sched.sched_class import RT_RANK
from tests.kernel.smp.machines import places

FAIR = ("cfs", "eevdf", "o1")
CPUS = 3


class RtWatched(Watched):
    """Sees a real-time task that waits on a CPU that runs one of lower priority, too."""

    def look(self) -> None:
        super().look()
        for cpu in self.group.cpus.values():
            rq = cpu.rq
            curr = rq.curr
            if curr.sched_class.rank != RT_RANK or rq.need_resched:
                continue
            for task in rq.by_rank[RT_RANK].queued(rq):
                if task.rt_priority > curr.rt_priority:
                    self._saw("order", f"{task!r} waits on cpu {cpu.id}, {curr!r} runs")


def real_time(seed: int) -> str:
    """A program whose children are real-time tasks of all priorities, bound here and there."""
    chance = random.Random(seed)
    lines = ["import os", "import time", "", "from workloads import guest", ""]
    for _ in range(8):
        policy = chance.choice(["FIFO", "RR", "RR"])
        lines += [
            "if os.fork() == 0:",
            f"    os.sched_setscheduler(0, os.SCHED_{policy}, "
            f"os.sched_param({chance.choice((5, 10, 10, 50))}))",
        ]
        for _ in range(chance.randint(2, 5)):
            kind = chance.choice("ccssyap")
            first = chance.randrange(CPUS)
            lines.append(
                {
                    "c": f"    guest.compute({chance.choice((100_000, 5_000_000, 120_000_000))})",
                    "s": f"    time.sleep({chance.choice((0.0001, 0.002, 0.01))})",
                    "y": "    os.sched_yield()",
                    "a": f"    os.sched_setaffinity(0, {{{first}, {chance.randrange(CPUS)}}})",
                    "p": f"    os.sched_setparam(0, os.sched_param({chance.randint(1, 99)}))",
                }[kind]
            )
        lines.append("    os._exit(0)")
    lines += ["for _ in range(8):", "    os.wait()"]
    return "\n".join(lines) + "\n"


def seen(folder: Path, text: str, **changes: object) -> dict[str, str]:
    """Run the program; return what was wrong on the way."""
    program = folder / "program.py"
    program.write_text(text, "utf-8")
    spec: MachineSpec = guest_spec(program, [], cpus=CPUS, check=True)
    run = RtWatched(RunRequest(replace(spec, **changes), scheme="exact"))
    result = run.run()
    assert result.exit_kind == DONE, result.message
    return {kind: what for kind, what in run.seen.items() if kind != "idle"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fair", FAIR)
def test_affinity_is_kept_and_no_task_is_on_two_cpus(fair: str, seed: int, tmp_path: Path) -> None:
    assert seen(tmp_path, workload(seed), fair=fair) == {}


@pytest.mark.parametrize("seed", range(4))
def test_so_it_is_on_a_machine_with_levels(seed: int, tmp_path: Path) -> None:
    levels = tuple(places(sockets=3, cores=1))
    assert seen(tmp_path, workload(seed), fair="eevdf", places=levels) == {}


@pytest.mark.parametrize("seed", range(6))
def test_real_time_tasks_run_in_the_order_of_their_priorities(seed: int, tmp_path: Path) -> None:
    assert seen(tmp_path, real_time(seed)) == {}
