"""smplab sched timehist: perf's lines and summary."""

from collections.abc import Iterable

from cluster.report.sched.timehist import Choice, Timehist, head_lines, line, summary_lines
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
