"""Files of /proc where the host cannot be asked: other kernels, kthreads, what is refused."""

from pathlib import Path

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest, RunResult
from cluster.local_engine import run_local

WRITE = """import os

fd = os.open("/proc/sys/{name}", os.O_RDWR)
print(os.write(fd, os.read(fd, 100)))
os.lseek(fd, 0, 0)
os.write(fd, b"{value}")
print("not reached")
"""
NAMES = """import os

names = os.listdir("/proc/sys/kernel")
print(sorted([name for name in names if name.startswith("sched_")]))
"""


def run(folder: Path, text: str, linux: str = "6.12") -> RunResult:
    path = folder / "guest.py"
    path.write_text(text, "utf-8")
    return run_local(RunRequest(guest_spec(path, [], cpus=2, linux=linux, trace=False)))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("kernel/pid_max", "5000", "kernel/pid_max cannot be changed: machine.pid_max sets it"),
        ("kernel/sched_rt_runtime_us", "-1", "sched.rt.runtime sets it"),
        ("kernel/sched_autogroup_enabled", "0", "sched.autogroup sets it"),
        ("kernel/ns_last_pid", "77", "kernel/ns_last_pid cannot be changed"),
        ("vm/overcommit_memory", "2", "vm.overcommit_memory sets it"),
        ("kernel/sched_cfs_bandwidth_slice_us", "4000", "is always 5000 here"),
    ],
)
def test_what_only_the_configuration_sets_takes_the_value_it_has_and_refuses_another(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    result = run(tmp_path, WRITE.format(name=name, value=value))
    told = result.outputs["guest.py.stderr"].decode() + result.message
    assert said in told
    assert "not reached" not in result.outputs["guest.py.stdout"].decode()


@pytest.mark.parametrize(
    ("linux", "names"),
    [
        ("2.6.34", ["sched_rt_period_us", "sched_rt_runtime_us"]),
        (
            "6.12",
            [
                "sched_autogroup_enabled",
                "sched_cfs_bandwidth_slice_us",
                "sched_deadline_period_max_us",
                "sched_deadline_period_min_us",
                "sched_rr_timeslice_ms",
                "sched_rt_period_us",
                "sched_rt_runtime_us",
            ],
        ),
    ],
)
def test_a_kernel_has_the_parameters_of_its_time(
    tmp_path: Path, linux: str, names: list[str]
) -> None:
    result = run(tmp_path, NAMES, linux)
    assert result.exit_kind == DONE, result.message
    assert result.outputs["guest.py.stdout"].decode() == f"{names}\n"


KTHREAD = """import os

fd = os.open("/proc/2/autogroup", os.O_RDWR)
print(os.read(fd, 99))
for text in (b"0", b"20"):
    try:
        os.write(fd, text)
    except OSError as error:
        print(error.errno)
"""


def test_a_kernel_thread_is_in_no_session_and_its_group_has_no_nice_value(tmp_path: Path) -> None:
    result = run(tmp_path, KTHREAD)
    assert result.exit_kind == DONE, result.message
    assert result.outputs["guest.py.stdout"].decode().splitlines() == ["b''", "22", "22"]
