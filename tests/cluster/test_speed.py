"""Whole machines whose CPUs are not always fast: what they take, and the same bytes every way."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.build import guest_spec, resolve
from cluster.catalogue import config_path
from cluster.cli.main import run_command
from cluster.config import ConfigError, load_config, parse_config
from cluster.config.topology import by_numbers
from cluster.config.topology_models import PROCESSORS, topology_named
from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.local_engine import LocalRun, run_local
from kernel.costs import Costs
from kernel.machine import MachineSpec, NoiseSpec
from tests.cluster.direct_run import run_direct
from tests.cluster.kinds import paths_as_written
from tests.cluster.test_checkpoint import SetDown

TAIL = "\nworkloads: [{program: cow_touch}]\n"

# each child computes for 20 ms on a CPU of its own; printed is the user time of each, in us
PINNED = """
import os
import sys
import time

from workloads import guest

ends = []
for cpu in sys.argv[1:]:
    read, write = os.pipe()
    if os.fork() == 0:
        os.sched_setaffinity(0, {int(cpu)})
        guest.compute(20_000_000)
        os.write(write, str(time.process_time_ns() // 1000).encode())
        os._exit(0)
    ends.append(read)
for read in ends:
    print(os.read(read, 20).decode())
"""


def pinned(tmp_path: Path, *cpus: int, scheme: str = "exact", **machine: Any) -> list[int]:
    program = tmp_path / "pinned.py"
    program.write_text(PINNED)
    given = [str(cpu) for cpu in cpus]
    spec = replace(guest_spec(program, given, cpus=len(machine["places"])), check=True, **machine)
    result = run_local(RunRequest(spec, scheme=scheme))
    assert result.exit_kind == DONE, result.message
    [output] = result.outputs.values()
    return [int(line) for line in output.split()]


def places(**numbers: Any) -> tuple[tuple[int, ...], ...]:
    text = ", ".join(f"{key}: {value}" for key, value in numbers.items())
    return resolve(
        parse_config("c.yaml", f"machine: {{topology: {{{text}}}}}{TAIL}", Path())
    ).places


# -- how long work takes -------------------------------------------------------------------------


def test_a_small_cpu_takes_longer_by_its_capacity(tmp_path: Path) -> None:
    small, large = pinned(tmp_path, 0, 1, places=places(llcs=2, capacity=[256, 1024]))
    assert small == pytest.approx(80_000, rel=0.02)
    assert large == pytest.approx(20_000, rel=0.02)


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_siblings_slow_each_other_down_and_another_core_does_not(
    tmp_path: Path, scheme: str
) -> None:
    machine: dict[str, Any] = {"places": places(cores=2, smt=2), "smt_share": (1000, 600)}
    first, second, alone = pinned(tmp_path, 0, 2, 1, scheme=scheme, **machine)
    assert first == pytest.approx(33_333, rel=0.02)
    assert second == pytest.approx(33_333, rel=0.02)
    assert alone == pytest.approx(20_000, rel=0.02)


def test_without_loss_siblings_are_as_fast_as_cores(tmp_path: Path) -> None:
    times = pinned(tmp_path, 0, 2, places=places(cores=2, smt=2))
    assert times == [pytest.approx(20_000, rel=0.02)] * 2


HEAVY = """
import os
import time

from workloads import guest

os.sched_setaffinity(0, {0})
guest.compute(100_000_000)
begun = time.process_time_ns()
guest.compute(20_000_000)
print((time.process_time_ns() - begun) // 1000)
os.sched_setaffinity(0, set(range(8)))
for _ in range(4):
    time.sleep(0.001)
    begun = time.process_time_ns()
    guest.compute(20_000_000)
print((time.process_time_ns() - begun) // 1000)
"""


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_heavy_task_that_wakes_on_a_hybrid_processor_comes_to_a_large_cpu(
    tmp_path: Path, scheme: str
) -> None:
    program = tmp_path / "heavy.py"
    program.write_text(HEAVY)
    cpus, _ = by_numbers(topology_named("apple-m1", 1))
    spec = replace(guest_spec(program, [], cpus=8), places=cpus.places, check=True)
    [output] = run_local(RunRequest(spec, scheme=scheme)).outputs.values()
    small, large = map(int, output.split())
    assert small == pytest.approx(20_000 * 1024 / 459, rel=0.02)
    assert large == pytest.approx(20_000, rel=0.02)


# -- which CPUs are filled first -----------------------------------------------------------------

SPINNERS = """
import os
import sys

from workloads import guest

for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        guest.compute(1_000_000_000)
        os._exit(0)
guest.compute(1_000_000_000)
"""


@pytest.mark.parametrize("fair", ["cfs", "eevdf"])
@pytest.mark.parametrize("name", [name for name in PROCESSORS if PROCESSORS[name].topology.smt > 1])
def test_spinners_fill_cores_before_siblings(tmp_path: Path, name: str, fair: str) -> None:
    program = tmp_path / "spinners.py"
    program.write_text(SPINNERS)
    cpus, findings = by_numbers(topology_named(name, 1))
    assert not findings
    cores = {place[4] for place in cpus.places}
    number = min(len(cores), 16)
    for spinners in (number // 2, number):
        spec = replace(
            guest_spec(program, [str(spinners - 1)], cpus=len(cpus.places)),
            places=cpus.places,
            distances=cpus.distances,
            smt_share=(1000, *[600] * 7),
            fair=fair,
            trace=False,
        )
        run = LocalRun(RunRequest(spec, scheme="barrier", max_virtual_ns=60_000_000))
        run.run()
        busy = [
            cpus.places[cpu][4]
            for cpu, lp in run.group.cpus.items()
            if lp.rq.curr is not lp.rq.idle
        ]
        assert len(busy) == spinners
        assert len(set(busy)) == spinners, "two on one core while another is idle"


# -- moves and noise -----------------------------------------------------------------------------


def storm(**changes: Any) -> MachineSpec:
    loaded = load_config(
        config_path(Path("slow_cpus")), [("--set", "workloads.0.params.children=6")]
    )
    return replace(resolve(loaded), check=True, **changes)


def test_what_moves_cost_is_in_the_summary_and_costs_nothing_by_default() -> None:
    paid = run_local(RunRequest(storm(), scheme="exact")).summary
    free = run_local(RunRequest(storm(costs=Costs(), noise=()), scheme="exact")).summary
    assert paid["speed"]["refills"] > 0
    assert paid["speed"]["refill_ns"] >= 2_000 * paid["speed"]["refills"]
    assert free["speed"]["refill_ns"] == 0
    assert (
        "speed"
        not in run_local(
            RunRequest(guest_spec(Path("tests/guest/fork/binary_tree.py"), []))
        ).summary
    )


def test_sched_stats_tell_what_moves_cost_beyond_the_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("--set", "workloads.0.params.children=6", "--set", f"out={tmp_path}")
    assert run_command(["run", "slow_cpus", *settings]) == 0
    table = capsys.readouterr().out
    assert "Slower CPUs" in table and "user time to fill caches" in table
    [summary] = tmp_path.glob("*-slow_cpus/summary.json")
    run = str(summary.parent)
    speed = json.loads(summary.read_text())["speed"]
    capsys.readouterr()
    assert run_command(["sched", "stats", run, "--json"]) == 0
    refills = json.loads(capsys.readouterr().out)["refills_ns"]
    assert sum(refills[why]["count"] for why in ("moved", "away")) == speed["refills"] > 0
    # what is due is not paid by who moves again or ends before
    assert sum(refills[why]["total"] for why in ("moved", "away")) >= speed["refill_ns"]
    assert run_command(["sched", "stats", run]) == 0
    assert "no wait: cache, after a move" in capsys.readouterr().out


STAT = """
from workloads import guest

guest.compute(3_000_000_000)
with open("/proc/stat") as stat:
    for line in stat:
        if line.startswith("cpu0"):
            print(*line.split()[1:])
"""


def test_noise_stands_in_proc_stat_and_in_the_summary(tmp_path: Path) -> None:
    program = tmp_path / "stat.py"
    program.write_text(STAT)
    noise = (
        NoiseSpec("irq", 10_000_000, 500_000),
        NoiseSpec("softirq", 10_000_000, 1_000_000),
        NoiseSpec("steal", 20_000_000, 2_000_000),
    )
    spec = replace(guest_spec(program, [], cpus=1), noise=noise)
    result = run_local(RunRequest(spec, scheme="exact"))
    [output] = result.outputs.values()
    user, nice, _, idle, iowait, irq, softirq, steal, *_ = map(int, output.split())
    # of four seconds; what was taken while it idled or was in the kernel is little
    assert 299 <= user <= 301 and (nice, iowait) == (0, 0)
    assert irq == pytest.approx(20, abs=2)
    assert softirq == pytest.approx(40, abs=2)
    assert steal == pytest.approx(40, abs=2)
    assert idle <= 2
    speed = result.summary["speed"]
    assert speed["irq_ns"] // 10_000_000 == pytest.approx(irq, abs=2)
    assert speed["steal_ns"] // 10_000_000 == pytest.approx(steal, abs=2)


SLEEPER = """
import time

late = []
for _ in range(300):
    begun = time.monotonic_ns()
    time.sleep(0.001)
    late.append(time.monotonic_ns() - begun - 1_000_000)
late.sort()
print(late[150], late[297])
"""


def test_what_is_stolen_makes_the_tail_of_wake_ups_longer_and_leaves_the_middle(
    tmp_path: Path,
) -> None:
    program = tmp_path / "sleeper.py"
    program.write_text(SLEEPER)

    def latencies(*noise: NoiseSpec) -> list[int]:
        spec = replace(guest_spec(program, [], cpus=1), noise=noise)
        [output] = run_local(RunRequest(spec, scheme="exact")).outputs.values()
        return [int(word) for word in output.split()]

    quiet = latencies()
    loud = latencies(NoiseSpec("steal", 20_000_000, 2_000_000, True, True))
    assert loud[0] < 1.2 * quiet[0]
    assert loud[1] > quiet[1] + 200_000


# -- every way gives the same bytes --------------------------------------------------------------


def digest(result: RunResult) -> str:
    assert result.exit_kind == DONE, result.message
    return result.digest


@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_actors_in_any_packing_and_the_local_engine_give_the_same_bytes(granularity: str) -> None:
    spec = storm(granularity=granularity)
    local = digest(run_local(RunRequest(spec, scheme="barrier")))
    for packing in (1, 3):
        request = RunRequest(spec, scheme="barrier", cpus_per_actor=packing)
        assert digest(run_direct(request)) == local


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_paths_as_they_are_written_and_cpus_set_down_give_the_same_bytes(scheme: str) -> None:
    request = RunRequest(storm(), scheme=scheme)
    plain = digest(run_local(request))
    run = SetDown(request)
    assert digest(run.run()) == plain
    assert run.times
    with paths_as_written():
        assert digest(run_local(request)) == plain


# -- what is configured --------------------------------------------------------------------------


def machine(text: str) -> MachineSpec:
    return resolve(parse_config("c.yaml", f"machine: {text}{TAIL}", Path()))


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        machine(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("{topology: {cores: 2, smt: 2}}", (1000, 600)),
        ("{topology: {cores: 2, smt: 2, smt_share: 65}}", (1000, 650)),
        ("{topology: {cores: 2, smt: 2, smt_share: 100}}", ()),
        ("{topology: {cores: 2, smt: 4, smt_share: 60}}", (1000, 600, 400, 300)),
        ("{topology: {cores: 2, smt: 4, smt_share: [60, 45, 40]}}", (1000, 600, 450, 400)),
        ("{topology: {cores: 2}}", ()),
        ("{topology: {model: ryzen-7950x, smt_share: 62}}", (1000, 620)),
        ("{cpus: 2}", ()),
    ],
)
def test_the_share_of_siblings_is_a_number_or_a_list(text: str, shares: tuple[int, ...]) -> None:
    spec = machine(text)
    assert spec.smt_share == shares
    assert MachineSpec.from_plain(spec.to_plain()).smt_share == shares


def test_noise_is_configured_by_kind_and_travels_as_plain_data() -> None:
    spec = machine("{noise: {steal: {every: 8ms, length: 1ms, arrivals: exponential, cpus: [1]}}}")
    assert spec.noise == (NoiseSpec("steal", 8_000_000, 1_000_000, True, False, (1,)),)
    assert MachineSpec.from_plain(spec.to_plain()).noise == spec.noise


def test_what_is_wrong_with_shares_and_noise_is_said_where_it_is() -> None:
    [wrong] = problems("{topology: {cores: 2, smt: 2, smt_share: [60, 50]}}")
    assert "must have 1 items, one for each other CPU of a core (got 2)" in wrong
    [wrong] = problems("{topology: {cores: 2, smt: 2, smt_share: 101}}")
    assert "must be from 1 to 100, or a list of such numbers" in wrong
    too_much, wrong_cpu = problems(
        "{cpus: 2, noise: {irq: {every: 1ms, length: 300us, cpus: [2]}, "
        "steal: {every: 1ms, length: 300us}}}"
    )
    assert "must be below 2, machine.cpus (got 2)" in wrong_cpu
    assert "must take at most 50 % of a CPU (takes 60 % in all)" in too_much


def test_validate_says_what_makes_cpus_slower(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "slow_cpus"]) == 0
    line = (
        "slower CPUs: 4 of less capacity, 60 % of the speed beside busy siblings, "
        "caches filled after moves, irq, steal\n"
    )
    assert line in capsys.readouterr().out
    assert run_command(["validate", "cow_touch"]) == 0
    assert "slower CPUs" not in capsys.readouterr().out
