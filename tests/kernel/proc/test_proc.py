"""/proc where a guest cannot tell: formats of both profiles, load average, memory, numbers."""

from typing import Any

import pytest

from kernel.check.invariants import check_kernel
from kernel.mm.slab import OBJECT_SIZES
from kernel.proc.array import bitmap_list_string, bitmap_string
from kernel.proc.base import kstrtoint, name_to_int
from kernel.smp.loadavg import (
    FIXED_1,
    calc_global_load,
    calc_load,
    get_avenrun,
    load_period_ns,
    nr_uninterruptible,
)
from kernel.task import TASK_IDLE, TASK_PARKED, TASK_UNINTERRUPTIBLE
from kernel.uapi import syscalls as nr
from kernel.uapi.errno_ import EINVAL, ERANGE, ESRCH
from kernel.uapi.fcntl import O_RDONLY


def read(machine: Any, path: str) -> str:
    fd = machine.call(machine.first, nr.NR_OPEN, path, O_RDONLY, 0)
    data: bytes = machine.call(machine.first, nr.NR_READ, fd, 1 << 20)
    machine.call(machine.first, nr.NR_CLOSE, fd)
    return data.decode()


def status(machine: Any, pid: int) -> dict[str, str]:
    lines = read(machine, f"/proc/{pid}/status").splitlines()
    return dict(line.split(":\t", 1) for line in lines)


# -- letters ---------------------------------------------------------------------------------------


def test_vfork_parent_shows_d_and_counts_as_load(make: Any) -> None:
    machine = make()
    parent = machine.fork(machine.first)
    assert machine.call(parent, nr.NR_VFORK, shared=True) == machine.SLEEP
    assert status(machine, parent.pid)["State"] == "D (disk sleep)"
    assert nr_uninterruptible(machine.k) == 1


@pytest.mark.parametrize(
    ("state", "modern", "old"),
    [(TASK_IDLE, "I (idle)", "D (disk sleep)"), (TASK_PARKED, "P (parked)", "S (sleeping)")],
)
def test_states_that_2_6_34_does_not_know(make: Any, state: int, modern: str, old: str) -> None:
    for linux, shown in (("6.12", modern), ("2.6.34", old)):
        machine = make(linux=linux)
        thread = machine.k.kthreadd
        before, thread.state = thread.state, state
        assert status(machine, 2)["State"] == shown
        thread.state = before


def test_2_6_34_has_the_lines_of_its_time_only(make: Any) -> None:
    machine = make(linux="2.6.34")
    assert list(status(machine, machine.first.pid)) == [
        *("Name", "State", "Tgid", "Pid", "PPid", "TracerPid", "Uid", "Gid", "FDSize", "Groups"),
        *("VmPeak", "VmSize", "VmLck", "VmHWM", "VmRSS", "VmData", "VmStk", "VmExe", "VmLib"),
        *("VmPTE", "VmSwap", "Threads", "SigQ", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"),
        *("CapInh", "CapPrm", "CapEff", "CapBnd", "Cpus_allowed", "Cpus_allowed_list"),
        *("Mems_allowed", "Mems_allowed_list", "voluntary_ctxt_switches"),
        "nonvoluntary_ctxt_switches",
    ]


@pytest.mark.parametrize("linux", ["6.12", "2.6.34"])
def test_stat_has_52_fields_and_statm_7(make: Any, linux: str) -> None:
    machine = make(linux=linux)
    text = read(machine, f"/proc/{machine.first.pid}/stat")
    assert len(text[text.rindex(")") :].split()) == 51
    assert len(read(machine, f"/proc/{machine.first.pid}/statm").split()) == 7
    assert read(machine, "/proc/2/statm") == "0 0 0 0 0 0 0\n"


# -- the load average ------------------------------------------------------------------------------


def test_one_sample_of_a_busy_machine_moves_the_averages_by_their_decays() -> None:
    assert calc_load(0, 1884, FIXED_1) == 164
    assert calc_load(0, 2014, FIXED_1) == 34
    assert calc_load(0, 2037, FIXED_1) == 11
    assert calc_load(FIXED_1, 1884, FIXED_1) == FIXED_1


def test_load_of_two_runners_settles_at_two_and_decays_to_nothing(make: Any) -> None:
    k = make().k
    saved = k.load.nr_running
    k.load.nr_running = [2, 0]
    period = load_period_ns(k.spec.hz)
    assert period == 5_004_000_000
    calc_global_load(k, 12 * period)  # a minute
    assert get_avenrun(k)[0] == "1.27"  # 2 * (1 - exp(-1))
    calc_global_load(k, 10_000 * period)
    assert get_avenrun(k) == ("2.00", "2.00", "2.00")
    k.load.nr_running = [0, 0]
    calc_global_load(k, 10_012 * period)
    assert get_avenrun(k)[0] == "0.73"
    calc_global_load(k, 10**9 * period)  # 158 years of virtual time, at once
    assert get_avenrun(k) == ("0.00", "0.00", "0.00")
    assert 10**9 * period < k.calc_load_update_ns <= (10**9 + 1) * period
    k.load.nr_running = saved


def test_parked_and_idle_tasks_are_no_load(make: Any) -> None:
    k = make().k
    for state, load in ((TASK_UNINTERRUPTIBLE, 1), (TASK_IDLE, 0), (TASK_PARKED, 0)):
        before, k.kthreadd.state = k.kthreadd.state, state
        assert nr_uninterruptible(k) == load
        k.kthreadd.state = before


# -- the scheduler ---------------------------------------------------------------------------------


def test_schedstat_has_nine_numbers_of_a_cpu_and_36_of_a_domain(make: Any) -> None:
    lines = read(make(), "/proc/schedstat").splitlines()
    assert lines[0] == "version 16"
    # counted from five minutes before the 32 bits are full: INITIAL_JIFFIES
    assert int(lines[1].removeprefix("timestamp ")) >= (1 << 32) - 300 * 250
    assert [line.split()[0] for line in lines[2:]] == ["cpu0", "domain0", "cpu1", "domain0"]
    assert [len(line.split()) for line in lines[2:]] == [10, 38, 10, 38]
    assert lines[3].split()[1] == "3"


def test_2_6_34_has_schedstat_15_and_no_pressure(make: Any) -> None:
    machine = make(linux="2.6.34")
    assert read(machine, "/proc/schedstat").startswith("version 15\n")
    lines = read(machine, f"/proc/{machine.first.pid}/sched").splitlines()
    assert [line.split(":")[0].strip() for line in lines[2:]] == [
        *("se.exec_start", "se.vruntime", "se.sum_exec_runtime", "se.avg_overlap"),
        *("se.avg_wakeup", "nr_switches", "nr_voluntary_switches", "nr_involuntary_switches"),
        *("se.load.weight", "policy", "prio", "clock-delta"),
    ]
    assert all(line[35] == ":" for line in lines[2:])
    assert machine.k.psi is None


# -- memory, slabs, files --------------------------------------------------------------------------


def kilobytes(machine: Any) -> dict[str, int]:
    lines = read(machine, "/proc/meminfo").splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def test_memory_adds_up_and_a_fork_that_writes_takes_some(make: Any) -> None:
    machine = make()
    before = kilobytes(machine)
    frames = machine.k.frames
    assert before["MemTotal"] == frames.total * 4
    assert before["MemFree"] == frames.nr_free * 4
    used = before["AnonPages"] + before["Cached"] + before["Slab"] + before["KernelStack"]
    assert used == frames.nr_used * 4
    child = machine.fork(machine.first)
    assert kilobytes(machine)["KernelStack"] == before["KernelStack"] + 16
    machine.exit(child)
    machine.wait(machine.first)
    assert kilobytes(machine)["KernelStack"] == before["KernelStack"]


def test_slabinfo_names_every_cache(make: Any) -> None:
    lines = read(make(), "/proc/slabinfo").splitlines()
    assert lines[0] == "slabinfo - version: 2.1"
    assert [line.split()[0] for line in lines[2:]] == [name for name, _ in OBJECT_SIZES]
    sizes = next(line.split()[3:6] for line in lines if line.startswith("mm_struct"))
    assert sizes == ["1600", "20", "8"]


def test_slabinfo_counts_tasks(make: Any) -> None:
    machine = make()
    rows = [line.split() for line in read(machine, "/proc/slabinfo").splitlines()[2:]]
    active = {row[0]: int(row[1]) for row in rows}
    assert active["task_struct"] == machine.k.tasks.nr_threads
    machine.fork(machine.first)
    rows = [line.split() for line in read(machine, "/proc/slabinfo").splitlines()[2:]]
    assert {row[0]: int(row[1]) for row in rows}["task_struct"] == active["task_struct"] + 1


def test_inode_numbers_follow_from_pid_and_entry(make: Any) -> None:
    machine = make()
    pid = machine.first.pid

    def ino(path: str) -> int:
        number: int = machine.call(machine.first, nr.NR_STAT, path)[1]
        return number

    assert ino(f"/proc/{pid}/stat") == ino("/proc/self/stat")
    names = ["", "/stat", "/status", "/comm", f"/task/{pid}", f"/task/{pid}/stat", "/fd"]
    assert len({ino(f"/proc/{pid}{name}") for name in names}) == len(names)
    assert ino("/proc/1/stat") != ino("/proc/2/stat")


def test_open_file_of_a_released_process_never_reads_its_successor(make: Any) -> None:
    machine = make(pid_max=301)

    def next_child() -> Any:
        return machine.fork(machine.first)

    child = next_child()
    while child.pid < 300:  # the numbers below are used once only
        machine.exit(child)
        machine.wait(machine.first)
        child = next_child()
    fd = machine.call(machine.first, nr.NR_OPEN, "/proc/300/stat", O_RDONLY, 0)
    machine.exit(child)
    machine.wait(machine.first)
    assert next_child().pid == 300
    with pytest.raises(Exception) as failed:
        machine.call(machine.first, nr.NR_READ, fd, 100)
    assert failed.value.errno == ESRCH  # type: ignore[attr-defined]
    assert check_kernel(machine.k) == []


# -- small formats ---------------------------------------------------------------------------------


def test_bitmaps_print_in_words_of_32_bits() -> None:
    assert bitmap_string(3, 2) == "3"
    assert bitmap_string((1 << 40) - 1, 40) == "ff,ffffffff"
    assert bitmap_string(1, 64) == "00000000,00000001"
    assert bitmap_list_string(0b1110_1101) == "0,2-3,5-7"
    assert bitmap_list_string(0) == ""


@pytest.mark.parametrize(
    ("text", "value"), [(b"10\n", 10), (b" -5 ", -5), (b"0x1F", 31), (b"017", 15), (b"+3", 3)]
)
def test_numbers_written_to_proc(text: bytes, value: int) -> None:
    assert kstrtoint(text) == value


@pytest.mark.parametrize(
    ("text", "errno"), [(b"", EINVAL), (b"ten", EINVAL), (b"1 2", EINVAL), (b"4294967296", ERANGE)]
)
def test_what_is_no_number(text: bytes, errno: int) -> None:
    with pytest.raises(Exception) as failed:
        kstrtoint(text)
    assert failed.value.errno == errno  # type: ignore[attr-defined]


def test_names_of_processes_have_one_spelling() -> None:
    assert name_to_int("12") == 12
    assert [name_to_int(name) for name in ("012", "-1", "1a", "", "99999999999")] == [-1] * 5
