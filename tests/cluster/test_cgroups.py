"""The key ``cgroups:``: groups by configuration, what each gets, and what is refused."""

from pathlib import Path

import pytest

from cluster.build import resolve
from cluster.config import ConfigError, load_config
from cluster.engine import run_machine
from cluster.engine_api import DONE
from cluster.request import request_of_machine

SPIN = """
import os
import time

from workloads.guest import compute

if os.fork():
    os.wait()
else:
    os.setsid()
    begun_ns = time.process_time_ns()
    while time.monotonic_ns() < 3_000_000_000:
        compute(500_000)
    print(time.process_time_ns() - begun_ns)
"""
GROUPS = """
name: groups
machine: {cpus: 1}
linux: "%s"
sched: {fair: %s}
cgroups:
  web/db: {cpu.weight.nice: 5}
  web: {cpu.weight: 300}
  web/api: {}
  batch: {}
workloads:
  - {program: ./spin.py, cgroup: web/api, instances: 2}
  - {program: ./spin.py, cgroup: web/db}
  - {program: ./spin.py, cgroup: batch}
  - {program: ./spin.py}
"""


@pytest.mark.parametrize(("linux", "fair"), [("6.12", "eevdf"), ("6.12", "cfs"), ("2.6.34", "cfs")])
def test_groups_share_by_weight_whatever_sessions_there_are_in_them(
    tmp_path: Path, linux: str, fair: str
) -> None:
    (tmp_path / "spin.py").write_text(SPIN)
    path = tmp_path / "groups.yaml"
    path.write_text(GROUPS % (linux, fair))
    spec = resolve(load_config(path))
    result = run_machine(request_of_machine(spec, "exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    times = {name: int(text) for name, text in result.outputs.items() if name.endswith("stdout")}
    got = [times[f"{name}.stdout"] / sum(times.values()) for name in NAMES]
    # at the top: web 3, batch 1, who is in no group 1
    api, db = 1024 / 1359 * 3 / 5, 335 / 1359 * 3 / 5
    assert got == pytest.approx([api / 2, api / 2, db, 1 / 5, 1 / 5], rel=0.03)


NAMES = ("spin-0", "spin-1", "spin.2", "spin.3", "spin.4")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("web: {cpu.weight: 300}", "wab: {}", "there is no group web for it to be in"),
        ("{cpu.weight.nice: 5}", "{cpu.weight.nice: 5, cpu.weight: 9}", "write one of the two"),
        ("cgroup: batch", "cgroup: bitch", "names no group of cgroups"),
        ("cgroup: batch", "cgroup: web", "has groups in it: processes are in the innermost"),
        (
            "batch: {}",
            "batch: {cpu.idle: 1}",
            "unknown key (known here: cpu.weight, cpu.weight.nice, cpu.max, cpu.max.burst)",
        ),
        ("batch: {}", "batch: {cpu.weight: 0}", "cgroups.batch.cpu.weight"),
        ("fair: eevdf", "fair: o1", "the class o1 has no groups of tasks"),
        ("fair: eevdf", "fair: o1, autogroup: true", "the class o1 has no groups of tasks"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "spin.py").write_text(SPIN)
    path = tmp_path / "groups.yaml"
    text = GROUPS % ("6.12", "eevdf")
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        resolve(load_config(path))
    assert said in str(refused.value)


def test_a_wrong_value_hides_nothing_that_is_wrong_with_groups(tmp_path: Path) -> None:
    path = tmp_path / "groups.yaml"
    path.write_text(
        """sched: {watchdog: 5s}
cgroups: {web: {cpu.weight: 0}, bad: 3, bad/x: {}, a/b: {}}
workloads:
  - {program: cow_touch, nice: 1, cgroup: bad/x}
  - {program: cow_touch, cgroup: nowhere}
"""
    )
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    places = [(each.line, each.path) for each in refused.value.problems]
    assert places == [
        (1, "sched.watchdog"),
        (2, "cgroups.web.cpu.weight"),
        (2, "cgroups.bad"),
        (2, "cgroups.a/b"),
        (4, "workloads.0.nice"),
        (5, "workloads.1.cgroup"),
    ]
