"""smplab sched timehist: perf's lines and summary."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from cluster.report.sched.timehist import (
    Choice,
    Entry,
    Timehist,
    TimehistTask,
    head_lines,
    line,
    summary_lines,
)
from tests.cluster.report.sched.made import DEAD, IDLE, Made, R, S

SUMMARY = """
Runtime summary
                          comm  parent   sched-in     run-time    min-run     avg-run     max-run  stddev  migrations
                                          (count)       (msec)     (msec)      (msec)      (msec)       %
RULE
                         t8[8]      -1          1        1.000      1.000       1.000       1.000    0.00       0

Terminated tasks:
                         t7[7]      -1          2        3.700      1.200       1.850       2.500   35.14       1

Idle stats:
    CPU  0 idle for      1.500  msec  ( 30.00%)
    CPU  1 idle for      3.800  msec  ( 76.00%)

    Total number of unique tasks: 2
Total number of context switches: 5
           Total run time (msec):  4.700
    Total scheduling time (msec):  5.000  (x 2)
"""  # noqa: E501


def made() -> Made:
    made = Made()
    made.wake(1000, 7)
    made.switch(1100, IDLE, 7)
    made.wake(1200, 8)
    made.switch(3600, 7, 8, R)
    made.move(3700, 7, 0, 1)
    made.switch(3800, IDLE, 7, cpu=1)
    made.switch(4600, 8, IDLE, S)
    made.switch(5000, 7, IDLE, DEAD, cpu=1)
    return made


def lines(choice: Choice) -> list[str]:
    hist = Timehist(2, choice)
    return [line(entry, 2, choice) for entry in hist.entries(made().records)]


def times(found: Iterable[str]) -> list[str]:
    return [" ".join(one.split()) for one in found]


def test_lines_have_the_layout_of_perf() -> None:
    assert [one.rstrip() for one in head_lines(2, Choice())] == [
        "           time    cpu  task name                       wait time  sch delay   run time",
        "                        [tid/pid]                          (msec)     (msec)     (msec)",
        "--------------- ------  ------------------------------  ---------  ---------  ---------",
    ]
    assert lines(Choice(tids={7, 8})) == [
        "       0.003600 [0000]  t7[7]                               0.000      0.100      2.500",
        "       0.004600 [0000]  t8[8]                               0.000      2.400      1.000",
        "       0.005000 [0001]  t7[7]                               0.200      0.000      1.200",
    ]


def test_wake_ups_migrations_next_tasks_and_states_are_shown_if_wanted() -> None:
    found = lines(Choice(wakeups=True, migrations=True, next=True, state=True))
    assert found[0] == (
        "       0.001000 [0000]  <idle>                              "
        "                             awakened: t7[7]"
    )
    assert "migrated: t7[7] cpu 0 => 1" in found[4]
    assert found[1].endswith("      1.100      I  next: t7[7]")
    assert found[3].endswith("      2.500      R  next: t8[8]")
    assert found[-1].endswith("      X  next: <idle>")


def test_a_column_for_each_cpu_shows_where_it_happened() -> None:
    choice = Choice(visual=True, tids={7})
    assert "cpu  01  task name" in head_lines(2, choice)[0]
    assert [one[:33] for one in lines(choice)] == [
        "       0.003600 [0000]  s   t7[7]",
        "       0.005000 [0001]   s  t7[7]",
    ]


def test_tasks_names_and_cpus_choose_lines() -> None:
    assert len(lines(Choice(comms={"t8"}))) == 1
    assert len(lines(Choice(pids={7}))) == 2
    assert {one[16:22] for one in lines(Choice(cpus={1}))} == {"[0001]"}


def test_a_run_is_cut_at_the_ends_of_the_time_chosen() -> None:
    found = times(lines(Choice(from_ns=2_000_000, to_ns=4_000_000, tids={7, 8})))
    assert found == [
        "0.003600 [0000] t7[7] 0.000 0.100 1.600",
        "0.004000 [0000] t8[8] 0.000 2.400 0.400",
        "0.004000 [0001] t7[7] 0.200 0.000 0.200",
    ]


def test_summary_has_the_layout_of_perf() -> None:
    hist = Timehist(2, Choice())
    for _ in hist.entries(made().records):
        pass
    assert "\n".join(summary_lines(hist)) == SUMMARY.replace("RULE", "-" * 117).rstrip()


def test_a_waking_names_who_woke_and_the_wake_up_after_it_is_not_shown_again() -> None:
    made = Made()
    made.wake(1000, 7)  # of a task whose waking is not there
    made.switch(1000, IDLE, 7)
    made.waking(1500, 8, cpu=0, target=1)  # t7 wakes t8, which slept on the other CPU
    made.wake(1600, 8, cpu=1)
    made.switch(1700, IDLE, 8, cpu=1)
    made.switch(2000, 8, IDLE, S, cpu=1)
    made.waking(2500, 8, cpu=1, target=1)  # a timer, while nobody runs there
    made.wake(2600, 8, cpu=0)
    made.switch(3000, 7, 8, R)
    choice = Choice(wakeups=True)
    hist = Timehist(2, choice)
    found = [
        (each.kind, each.time_ns // 1000, each.cpu, each.task.pid, each.other.pid, each.delay_ns)
        for each in hist.entries(made.records)
    ]
    assert [each[:5] for each in found if each[0] == "wakeup"] == [
        ("wakeup", 1000, 0, 0, 7),
        ("wakeup", 1500, 0, 7, 8),
        ("wakeup", 2500, 1, 0, 8),
    ]
    # the delay counts from the waking
    assert [each[5] for each in found if each[:2] == ("run", 2000)] == [200_000]


# as perf 6.1 prints them, of a machine of its own
PERF = """\
   40121.960518 [0000]  perf[26130]                                                      awakened: migration/0[18]
   40121.960523 [0000]  perf[26130]                         0.000      0.000      0.000      D  next: migration/0[18]
   40121.960527 [0000]  migration/0[18]                                                  awakened: perf[26130]
   40121.960528 [0000]  migration/0[18]                                                  migrated: perf[26130] cpu 0 => 1
   40121.960537 [0000]  migration/0[18]                     0.000      0.005      0.013      S  next: python[23667]
   40121.964437 [0000]  python[23667]                       0.000      0.000      3.899      R  next: python[26087]
   40121.964712 [0001]  perf-exec[26146]                    0.000      0.007      0.111      D  next: perf[26130]
   40121.964769 [0001]  perf[26130]                         0.111      0.000      0.056      S  next: python[25451]
"""  # noqa: E501


def test_the_columns_are_where_perf_has_them() -> None:
    perf, migration = TimehistTask(26130, "perf"), TimehistTask(18, "migration/0")
    python, later = TimehistTask(23667, "python"), TimehistTask(26087, "python")
    execs, last = TimehistTask(26146, "perf-exec"), TimehistTask(25451, "python")
    start_ns = 40_121 * 10**9

    def at(us: int) -> int:
        return start_ns + us * 1000

    entries = [
        Entry("wakeup", at(960518), 0, perf, migration),
        Entry("run", at(960523), 0, perf, migration, 0, 0, 0, "D"),
        Entry("wakeup", at(960527), 0, migration, perf),
        Entry("migration", at(960528), 0, migration, perf, from_cpu=0, to_cpu=1),
        Entry("run", at(960537), 0, migration, python, 0, 5_000, 13_000, "S"),
        Entry("run", at(964437), 0, python, later, 0, 0, 3_899_000, "R"),
        Entry("run", at(964712), 1, execs, perf, 0, 7_000, 111_000, "D"),
        Entry("run", at(964769), 1, perf, last, 111_000, 0, 56_000, "S"),
    ]
    choice = Choice(wakeups=True, migrations=True, next=True, state=True)
    assert [line(entry, 2, choice) for entry in entries] == PERF.splitlines()


def test_the_heading_is_that_of_the_perf_that_is_installed(tmp_path: Path) -> None:
    perf = shutil.which("perf")
    if perf is None:
        pytest.skip("perf is not installed")
    data = tmp_path / "perf.data"
    record = [perf, "sched", "record", "-o", str(data), "--", "true"]
    try:
        done = subprocess.run(record, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("perf sched record does not end here")
    if done.returncode or not data.exists():
        pytest.skip("perf may not record the scheduler here")
    show = [perf, "sched", "timehist", "-i", str(data), "--state"]
    shown = subprocess.run(show, capture_output=True, text=True, timeout=60).stdout
    if not shown.strip():
        pytest.skip("perf has recorded nothing")
    heading = [one.rstrip() for one in shown.splitlines() if one.strip()][:3]
    assert heading == [one.rstrip() for one in head_lines(2, Choice(state=True))]
