"""``cpu.max`` on whole machines: what groups get, what the summary says, what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.build import resolve
from cluster.cli.main import run_command
from cluster.config import ConfigError, load_config
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun
from cluster.request import request_of_machine
from kernel.check.invariants import check_machine
from tests.cluster.test_checkpoint import SetDown

SPIN = """
import os
import time

from workloads.guest import compute

for _ in range(TASKS):
    if os.fork() == 0:
        while time.monotonic_ns() < 1_000_000_000:
            compute(300_000)
            PAUSE
        os._exit(0)
for _ in range(TASKS):
    os.wait()
"""
MEDDLER = """
import os
import time

number = 0
while time.monotonic_ns() < 1_000_000_000:
    time.sleep(0.007)
    number += 1
    for pid in range(3, 20):
        try:
            if number % 3:
                policy = os.SCHED_FIFO if (number + pid) % 5 == 0 else os.SCHED_OTHER
                priority = 3 if policy == os.SCHED_FIFO else 0
                os.sched_setscheduler(pid, policy, os.sched_param(priority))
            else:
                os.setpriority(os.PRIO_PROCESS, pid, (number + pid) % 7)
        except (ProcessLookupError, PermissionError):
            pass
"""
WANDER = "os.sched_setaffinity(0, {(os.getpid() + time.monotonic_ns() // 10_000_000) % 4})"
LEVELS = "cpus: 4, topology: {sockets: 2, cores: 2}"
LIMITS = """
name: limits
machine: {cpus: %d}
check: true
sched: {fair: %s}
cgroups:
  web: {cpu.max: %s}
  web/db: {}
  web/api: {cpu.max: 10ms/100ms}
  free: {}
workloads:
%s
"""


def resolved(tmp_path: Path, limit: str, loads: list[tuple[str, int]], cpus: int, fair: str) -> Any:
    lines = []
    for number, (group, tasks) in enumerate(loads):
        pause = "time.sleep(0.0005)" if number & 1 else ""
        text = SPIN.replace("TASKS", str(tasks)).replace("PAUSE", pause)
        (tmp_path / f"spin{number}.py").write_text(text)
        lines.append(f"  - {{program: ./spin{number}.py, cgroup: {group}}}")
    path = tmp_path / "limits.yaml"
    path.write_text(LIMITS % (cpus, fair, limit, "\n".join(lines)))
    return resolve(load_config(path))


def run(spec: Any, scheme: str) -> Any:
    result = run_machine(request_of_machine(spec, scheme, max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    assert result.summary is not None
    return result


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_groups_get_their_quota_on_several_cpus(tmp_path: Path, fair: str, scheme: str) -> None:
    loads = [("web/db", 3), ("web/api", 1), ("free", 1)]
    summary = run(resolved(tmp_path, "60ms/100ms", loads, 2, fair), scheme).summary
    web, api = summary["cgroups"]["web"], summary["cgroups"]["web/api"]
    assert web["usage_usec"] == pytest.approx(600_000, abs=30_000)
    assert api["usage_usec"] == pytest.approx(100_000, abs=15_000)
    assert web["nr_periods"] == pytest.approx(10, abs=1)
    assert web["nr_throttled"] >= 8
    assert web["throttled_usec"] > 100_000
    assert summary["cgroups"]["free"]["nr_periods"] == 0
    assert summary["cgroups"]["free"]["usage_usec"] > 800_000


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_limits_hold_on_a_machine_with_levels_while_tasks_wander(tmp_path: Path, fair: str) -> None:
    loads = [("web/db", 3), ("free", 1)]
    resolved(tmp_path, "50ms/50ms", loads, 4, fair)
    path = tmp_path / "limits.yaml"
    path.write_text(path.read_text().replace("cpus: 4", LEVELS))
    spin = tmp_path / "spin0.py"
    spin.write_text(
        spin.read_text().replace("compute(300_000)", f"compute(300_000)\n            {WANDER}")
    )
    summary = run(resolve(load_config(path)), "exact").summary
    web = summary["cgroups"]["web"]
    assert web["usage_usec"] == pytest.approx(1_000_000, abs=60_000)
    assert web["nr_throttled"] >= 15


def test_a_machine_that_has_only_a_throttled_group_idles_and_goes_on(tmp_path: Path) -> None:
    result = run(resolved(tmp_path, "5000 50000", [("web/db", 2)], 2, "eevdf"), "exact")
    web = result.summary["cgroups"]["web"]
    assert web["usage_usec"] == pytest.approx(100_000, abs=12_000)
    assert sum(result.summary["per_cpu"]["idle_ns"]) > 1_800_000_000


def test_a_limit_that_is_never_reached_changes_nothing_but_the_counts(tmp_path: Path) -> None:
    loads = [("web/db", 2), ("free", 1)]
    with_limit = run(resolved(tmp_path, "10s/1s", loads, 2, "eevdf"), "exact").summary
    without = run(resolved(tmp_path, "max", loads, 2, "eevdf"), "exact").summary
    assert with_limit["cgroups"]["web"]["nr_throttled"] == 0
    for key in ("switches", "cpu_time_ns", "migrations"):
        assert with_limit[key] == without[key]


def test_equal_runs_are_equal(tmp_path: Path) -> None:
    loads = [("web/db", 3), ("web/api", 1), ("free", 1)]
    spec = resolved(tmp_path, "60ms/100ms", loads, 2, "eevdf")
    assert run(spec, "barrier").digest == run(spec, "barrier").digest


class Checked(LocalRun):
    """A run whose invariants are looked at every few rounds."""

    def __init__(self, request: RunRequest) -> None:
        super().__init__(request)
        self.throttled = 0
        self.found: list[str] = []

    def look(self) -> None:
        """See ``LocalRun.look``."""
        super().look()
        if not self._rounds % 7:
            kernel, cpus = self.host.kernel, list(self.group.cpus.values())
            self.throttled += bool(kernel.groups.throttled)
            self.found += check_machine(kernel, cpus, self.transport.under_way())


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_both_halves_count_the_same_while_groups_are_throttled(
    tmp_path: Path, fair: str, scheme: str, levels: bool
) -> None:
    loads = [("web/db", 3), ("web/api", 2), ("free", 1)]
    spec = resolved(tmp_path, "30ms/50ms", loads, 4, fair)
    spin = tmp_path / "spin1.py"
    spin.write_text(spin.read_text().replace("time.sleep(0.0005)", WANDER))
    # the one outside makes tasks of limited groups real-time ones, and nice ones, and fair again
    (tmp_path / "spin2.py").write_text(MEDDLER)
    path = tmp_path / "limits.yaml"
    if levels:
        path.write_text(path.read_text().replace("cpus: 4", LEVELS))
    spec = resolve(load_config(path))
    checked = Checked(RunRequest(spec, scheme=scheme))
    assert checked.run().exit_kind == DONE
    assert checked.found == []
    assert checked.throttled > 5


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_cpus_with_throttled_groups_are_set_down_and_taken_up(tmp_path: Path, fair: str) -> None:
    loads = [("web/db", 3), ("web/api", 1), ("free", 1)]
    request = RunRequest(resolved(tmp_path, "30ms/50ms", loads, 2, fair), scheme="barrier")
    down = SetDown(request)
    assert down.run().digest == LocalRun(request).run().digest
    assert down.times > 50


@pytest.mark.ray
def test_limits_give_the_same_bytes_on_ray(tmp_path: Path, local_ray: None) -> None:
    loads = [("web/db", 3), ("web/api", 1), ("free", 1)]
    request = RunRequest(resolved(tmp_path, "30ms/50ms", loads, 2, "eevdf"), scheme="barrier")
    ray = replace(request, engine="ray", address="auto", cpus_per_actor=1)
    assert run_machine(ray).digest == run_machine(request).digest


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("50ms/100ms", (50_000_000, 100_000_000, 0)),
        ("50ms / 100ms", (50_000_000, 100_000_000, 0)),
        ("50000 100000", (50_000_000, 100_000_000, 0)),
        ("1.5ms/1s", (1_500_000, 1_000_000_000, 0)),
        ("2s", (2_000_000_000, 100_000_000, 0)),
        ("30000", (30_000_000, 100_000_000, 0)),
        ("max 20000, cpu.weight: 7", None),
        ("20ms, cpu.max.burst: 5ms", (20_000_000, 100_000_000, 5_000_000)),
        ("20ms, cpu.max.burst: 5000", (20_000_000, 100_000_000, 5_000_000)),
    ],
)
def test_a_limit_is_written_as_in_linux_or_as_other_times_are(
    tmp_path: Path, written: str, limit: tuple[int, int, int] | None
) -> None:
    spec = resolved(tmp_path, written, [("free", 1)], 1, "eevdf")
    # web, free, web/db, web/api
    assert spec.cgroup_max[0] == (limit or (-1, 20_000_000, 0))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("half", "must be a quota and a period such as 50ms/100ms or 50000 100000, or max"),
        ("true", "must be a quota and a period"),
        ("-5", "must be a quota and a period"),
        ("[1, 2]", "must be a quota and a period"),
        ("9" * 90, "must be a quota and a period"),
        ("5ms/" + "9" * 30, "must be a quota and a period"),
        ("5", "must have a quota of at least 1ms, or max"),
        ("999us/10ms", "must have a quota of at least 1ms, or max"),
        ("5ms/2s", "must have a period from 1ms to 1s"),
        ("5ms/500us", "must have a period from 1ms to 1s"),
        ("5ms, cpu.max.burst: 6ms", "must not be more than the quota of cpu.max, 5ms"),
        ("max, cpu.max.burst: 6ms", "means nothing without a quota in cpu.max"),
        ("5ms, cpu.max.burst: -1", "must be 0 or more"),
        ("5ms, cpu.max.burst: soon", "a duration such as 50us, 1ms or 2s"),
    ],
)
def test_what_no_group_can_have_is_refused(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolved(tmp_path, written, [("free", 1)], 1, "eevdf")
    assert said in str(refused.value)
    assert "limits.yaml:7:" in str(refused.value)


def test_a_linux_before_3_2_has_no_limits(tmp_path: Path) -> None:
    resolved(tmp_path, "5ms", [("free", 1)], 1, "cfs")
    path = tmp_path / "limits.yaml"
    path.write_text(path.read_text() + 'linux: "2.6.34"\n')
    with pytest.raises(ConfigError) as refused:
        resolve(load_config(path))
    assert "cgroups.web.cpu.max: Linux 2.6.34 has no limits of groups" in str(refused.value)


def test_who_is_throttled_beside_an_idle_cpu_is_no_wasted_core(tmp_path: Path) -> None:
    resolved(tmp_path, "5ms/900ms", [("web/db", 4), ("free", 1)], 2, "eevdf")
    path = tmp_path / "limits.yaml"
    path.write_text(path.read_text() + "trace: {enabled: true}\n")
    assert run_command(["run", "-q", "--out", str(tmp_path / "runs"), str(path)]) == 0
    (made,) = (each for each in (tmp_path / "runs").iterdir() if not each.is_symlink())
    assert run_command(["sched", "wasted", str(made)]) == 0


# -- limits that programs write -------------------------------------------------------------------

GUEST = """
import errno
import os
import signal
import time

from workloads.guest import compute

ROOT = "/sys/fs/cgroup"
def read(name):
    with open(f"{ROOT}/{name}") as file:
        return file.read().strip()
def write(name, text):
    fd = os.open(f"{ROOT}/{name}", os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        os.close(fd)
    return "ok"
def spin(group):
    pid = os.fork()
    if not pid:
        write(f"{group}/cgroup.procs", "0")
        while True:
            compute(300_000)
            os.getppid()  # the kernel knows its CPU time as of its last entry
    return pid
def used(pid, seconds):
    def ticks():
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().split()
        return int(fields[13]) + int(fields[14])
    before = ticks()
    time.sleep(seconds)
    return ticks() - before
def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

write("cgroup.subtree_control", "+cpu")
os.mkdir(ROOT + "/a")
"""


def told_by_guest(tmp_path: Path, text: str, fair: str = "eevdf", cpus: int = 2) -> str:
    """Return what a program writes, with invariants looked at, at both granularities alike."""
    (tmp_path / "prog.py").write_text(GUEST + text)
    path = tmp_path / "guest.yaml"
    outputs = []
    for granularity in ("syscall", "step"):
        path.write_text(
            f"name: g\nmachine: {{cpus: {cpus}}}\ngranularity: {granularity}\ncheck: true\n"
            f"sched: {{fair: {fair}}}\nworkloads: [{{program: ./prog.py}}]\n"
        )
        result = run(resolve(load_config(path)), "exact")
        outputs.append(b"".join(result.outputs.values()).decode())
    assert outputs[0] == outputs[1]
    return outputs[0]


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_a_limit_written_to_a_running_group_holds_until_it_is_taken_back(
    tmp_path: Path, fair: str
) -> None:
    text = """
pid = spin("a")
time.sleep(0.1)
print(write("a/cpu.max", "20000 100000"))
time.sleep(0.2)
print(17 <= used(pid, 1) <= 24, int(read("a/cpu.stat").split("nr_throttled ")[1].split()[0]) > 8)
print(write("a/cpu.max", "max"))
print(used(pid, 0.5) >= 48)
end(pid)
"""
    assert told_by_guest(tmp_path, text, fair).split() == ["ok", "True", "True", "ok", "True"]


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_who_leaves_a_throttled_group_runs_at_once(tmp_path: Path, fair: str) -> None:
    text = """
write("a/cpu.max", "1000 1000000")
pid = spin("a")
time.sleep(0.1)
print(used(pid, 0.2) <= 1, write("cgroup.procs", str(pid)), used(pid, 0.3) >= 28)
print(write("a/cgroup.procs", str(pid)))
time.sleep(0.05)
print(used(pid, 0.2) <= 1, write("cgroup.subtree_control", "-cpu"), used(pid, 0.3) >= 28)
end(pid)
os.rmdir(ROOT + "/a")
"""
    told = told_by_guest(tmp_path, text, fair).split("\n")
    assert told[:3] == ["True ok True", "ok", "True ok True"]


@pytest.mark.parametrize("fair", ["eevdf", "cfs"])
def test_who_is_killed_in_a_throttled_group_dies_and_the_group_can_go(
    tmp_path: Path, fair: str
) -> None:
    text = """
write("a/cpu.max", "1000 200000")
pids = [spin("a") for _ in range(3)]
time.sleep(0.3)
print(write("a/cgroup.kill", "1"))
for pid in pids:
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
os.rmdir(ROOT + "/a")
os.mkdir(ROOT + "/a")
print(read("a/cpu.max"))
"""
    assert told_by_guest(tmp_path, text, fair).split() == ["ok", *["9"] * 3, "max", "100000"]


def test_a_group_has_no_more_than_those_above_it(tmp_path: Path) -> None:
    text = """
write("a/cgroup.subtree_control", "+cpu")
os.mkdir(ROOT + "/a/b")
print(write("a/cpu.max", "10000 100000"), write("a/b/cpu.max", "90000 100000"))
pid = spin("a/b")
time.sleep(0.2)
print(8 <= used(pid, 1) <= 14)
end(pid)
"""
    assert told_by_guest(tmp_path, text).split() == ["ok", "ok", "True"]


def test_cpu_max_and_its_burst_take_what_linux_takes(tmp_path: Path) -> None:
    text = """
for value in ("20000", "max 50000", "30000 60000", "999", "5000 999", "5000 1000001", "", "x"):
    print(repr(value), write("a/cpu.max", value), read("a/cpu.max"))
for value in ("30000", "30001", "-1", "x", "0"):
    print(repr(value), write("a/cpu.max.burst", value), read("a/cpu.max.burst"))
"""
    assert told_by_guest(tmp_path, text).splitlines() == [
        "'20000' ok 20000 100000",
        "'max 50000' ok max 50000",
        "'30000 60000' ok 30000 60000",
        "'999' EINVAL 30000 60000",
        "'5000 999' EINVAL 30000 60000",
        "'5000 1000001' EINVAL 30000 60000",
        "'' ok 30000 60000",
        "'x' EINVAL 30000 60000",
        "'30000' ok 30000",
        "'30001' EINVAL 30000",
        "'-1' EINVAL 30000",
        "'x' EINVAL 30000",
        "'0' ok 0",
    ]
