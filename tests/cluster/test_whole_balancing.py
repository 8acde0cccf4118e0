"""Balancing of whole machines: nobody idles long while others wait, and nobody is where he may not.

The trace of each run is gone through: who is runnable and who runs on which CPU at every moment.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.build import guest_spec, resolve
from cluster.config import parse_config
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from cluster.trace import TraceReader
from kernel.smp.domains import domains_of
from kernel.smp.topology import build, flat
from tests.cluster.direct_run import run_direct

SHAPES = {
    "flat": "",
    "caches": "{llcs: 2, cores: 2}",
    "smt": "{cores: 3, smt: 2}",
    "nodes": "{sockets: 2, cores: 2, smt: 2}",
    "big.LITTLE": "{llcs: 2, cores: 2, capacity: [400, 1024]}",
}
SETTLED_NS = 60_000_000  # by then every task has bound itself
TICK_MS = 4

PROGRAM = """import os
import time

from workloads import guest

until = time.monotonic() + {seconds}
tasks = {tasks}
for mask, nice, naps in tasks:
    if os.fork() == 0:
        os.nice(nice)
        if mask:
            os.sched_setaffinity(0, mask)
        while time.monotonic() < until:
            guest.compute(700000)
            if naps:
                time.sleep(0.0005)
        os._exit(0)
for _ in tasks:
    os.wait()
"""


def request(folder: Path, shape: str, tasks: list, *, seconds=0.35, scheme="exact", **more):
    path = folder / "spinners.py"
    path.write_text(PROGRAM.format(tasks=tasks, seconds=seconds), "utf-8")
    if shape:
        text = "machine: {topology: " + shape + "}\nworkloads: [{program: cow_touch}]\n"
        base = resolve(parse_config("c.yaml", text, folder))
        more.update(cpus=base.cpus, places=base.places, distances=base.distances)
    else:
        more.update(cpus=4)
    spec = guest_spec(path, [], check=True, **more)
    return RunRequest(spec, scheme=scheme)


def longest_idle_ns(records: Iterable, cpus: int, masks: dict[int, set[int]]) -> int:
    """Return how long a CPU idled at most while a task that may go there waited behind another.

    Asserts that no task runs on two CPUs, nor where it may not.

    Args:
        masks: by pid the CPUs of those tasks that have bound themselves.
    """
    runnable: list[set[int]] = [set() for _ in range(cpus)]
    running = [0] * cpus
    since = [-1] * cpus
    longest = 0
    for record in records:
        what, now = record.fields, record.time_ns
        if record.event in ("sched_wakeup", "sched_wakeup_new"):
            runnable[what["target_cpu"]].add(what["pid"])
        elif record.event == "sched_migrate_task":
            if what["pid"] in runnable[what["orig_cpu"]]:
                runnable[what["orig_cpu"]].discard(what["pid"])
                runnable[what["dest_cpu"]].add(what["pid"])
        elif record.event == "sched_switch":
            if what["prev_state"] not in (0, 256):
                runnable[record.cpu].discard(what["prev_pid"])
            pid = running[record.cpu] = what["next_pid"]
            if pid:
                assert running.count(pid) == 1, f"{pid} runs twice at {now}"
                if pid in masks and now > SETTLED_NS:
                    assert record.cpu in masks[pid], f"{pid} runs on {record.cpu} at {now}"
        else:
            continue
        for cpu in range(cpus):
            waits = not runnable[cpu] and any(
                len(tasks) > 1
                and any(pid != running[other] and cpu in masks.get(pid, (cpu,)) for pid in tasks)
                for other, tasks in enumerate(runnable)
            )
            if since[cpu] >= 0:
                longest = max(longest, now - since[cpu])
            if not waits:
                since[cpu] = -1
            elif since[cpu] < 0:
                since[cpu] = now
    return longest


def bound_ns(spec) -> int:
    """Return how long it may take: passes that fail until all tasks may go, at full intervals."""
    topology = build(spec.places, spec.distances) if spec.places else flat(spec.cpus)
    widest = domains_of(topology, "6.12")[-1][0]
    passes = widest.cache_nice_tries + 4
    return (passes * (widest.max_interval + TICK_MS) + TICK_MS) * 1_000_000


def run_and_look(folder: Path, run: RunRequest, masks: list) -> int:
    run.out_dir = Path(tempfile.mkdtemp(dir=folder))
    result = run_local(run)
    assert result.exit_kind == DONE, result.message
    with TraceReader(run.out_dir / "trace.smpt") as reader:
        records = list(reader.select())
    forks = [r.fields["child_pid"] for r in records if r.event == "sched_process_fork"]
    by_pid = {pid: mask for pid, mask in zip(forks[-len(masks) :], masks) if mask}
    return longest_idle_ns(records, run.spec.cpus, by_pid)


def task_of(cpus: int, bound: bool):
    some = st.sets(st.integers(0, cpus - 1), min_size=1) if bound else st.just(set())
    return st.tuples(some, st.sampled_from([0, 0, 0, 5]), st.just(False))


PROPERTY = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@PROPERTY
@given(data=st.data())
def test_no_cpu_idles_longer_than_its_passes_take_while_a_task_waits(tmp_path, shape, data):
    tasks = data.draw(st.lists(task_of(4, False), min_size=3, max_size=11))
    run = request(tmp_path, shape, tasks)
    assert run_and_look(tmp_path, run, [set()] * len(tasks)) <= bound_ns(run.spec)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@PROPERTY
@given(data=st.data())
def test_nobody_runs_where_he_may_not_or_twice(tmp_path, shape, data):
    tasks = data.draw(st.lists(task_of(4, True), min_size=3, max_size=11))
    run = request(tmp_path, shape, tasks)
    run_and_look(tmp_path, run, [mask for mask, *_ in tasks])


TASKS = [(set(), 0, True), (set(), 5, False), ({0, 1}, 0, False), (set(), 0, True)] * 3


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("shape", list(SHAPES.values())[1:], ids=list(SHAPES)[1:])
def test_a_run_with_averages_has_one_digest_in_every_packing(tmp_path, shape, scheme):
    run = request(tmp_path, shape, TASKS, seconds=0.05, scheme=scheme)
    digests = {run_local(run).digest, run_local(run).digest}
    if scheme == "barrier":
        for per_actor in (1, 3):
            run.cpus_per_actor = per_actor
            digests.add(run_direct(run).digest)
    assert len(digests) == 1


# -- the running task moves, too -------------------------------------------------------------------

PLACED = """import os
import time

from workloads import guest

here, seconds = {here}, {seconds}
everywhere = os.sched_getaffinity(0)
for cpu in here:
    if os.fork() == 0:
        os.sched_setaffinity(0, {{cpu}})
        guest.compute(3000000)
        os.sched_setaffinity(0, everywhere)
        guest.compute(int(seconds * 1e9))
        stat = open("/proc/self/stat").read().rpartition(")")[2].split()
        os.write(1, f"{{stat[36]}} ".encode())
        os._exit(0)
for _ in here:
    os.wait()
"""


def ends_on(folder: Path, shape: str, here: list[int], seconds: float) -> list[int]:
    """Return the CPUs on which spinners are after so long that began on the CPUs ``here``."""
    run = request(folder, shape, [])
    Path(folder / "spinners.py").write_text(PLACED.format(here=here, seconds=seconds))
    spec = guest_spec(
        folder / "spinners.py",
        [],
        check=True,
        cpus=run.spec.cpus,
        places=run.spec.places,
        distances=run.spec.distances,
    )
    result = run_local(RunRequest(spec, scheme="exact"))
    assert result.exit_kind == DONE, result.message
    return [int(cpu) for cpu in result.outputs["spinners.py.stdout"].split()]


def test_a_task_that_needs_a_larger_cpu_than_it_has_moves_there_though_it_runs(tmp_path):
    (cpu,) = ends_on(tmp_path, SHAPES["big.LITTLE"], [0], 0.6)
    assert cpu >= 2


def test_two_tasks_on_one_core_part_if_another_core_idles(tmp_path):
    cores = {cpu % 3 for cpu in ends_on(tmp_path, SHAPES["smt"], [0, 3], 0.4)}
    assert len(cores) == 2


def test_tasks_spread_over_caches_though_nobody_waits(tmp_path):
    cpus = ends_on(tmp_path, SHAPES["caches"], [0, 1], 0.4)
    assert len({cpu // 2 for cpu in cpus}) == 2


def test_a_lone_task_stays_where_it_is(tmp_path):
    for shape in ("caches", "smt", "nodes"):
        assert ends_on(tmp_path, SHAPES[shape], [1], 0.3) == [1]
