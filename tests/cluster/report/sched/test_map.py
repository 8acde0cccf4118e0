"""smplab sched map: perf's map."""

from cluster.report.sched.map import SchedMap, ShortNames, switches
from tests.cluster.report.sched.made import IDLE, Made


def made() -> Made:
    made = Made()
    made.switch(10, IDLE, 7, cpu=1)
    made.switch(20, IDLE, 8, cpu=0)
    made.switch(30, 7, IDLE, cpu=1)
    made.switch(40, IDLE, 7, cpu=1)
    return made


def test_map_has_the_layout_of_perf() -> None:
    assert [one.rstrip() for one in SchedMap([0, 1]).lines(switches(made().records))] == [
        "      *A0       0.000010 secs A0 => t7:7",
        "  *B0  A0       0.000020 secs B0 => t8:8",
        "   B0 *.        0.000030 secs .  => swapper:0",
        "   B0 *A0       0.000040 secs",
    ]


def test_columns_of_a_compact_map_are_the_cpus_that_switched_in_that_order() -> None:
    found = list(SchedMap(list(range(64)), compact=True).lines(switches(made().records)))
    assert [" ".join(one.split()) for one in found] == [
        "*A0 0.000010 secs A0 => t7:7 (CPU 1)",
        "A0 *B0 0.000020 secs B0 => t8:8 (CPU 0)",
        "*. B0 0.000030 secs . => swapper:0",
        "*A0 B0 0.000040 secs",
    ]


def test_only_switches_of_chosen_cpus_are_shown() -> None:
    found = list(SchedMap([0]).lines(switches(made().records, {0})))
    assert [" ".join(one.split()) for one in found] == ["*A0 0.000020 secs A0 => t8:8"]


def test_chosen_tasks_are_coloured_on_a_terminal_only() -> None:
    records = made().records
    plain = list(SchedMap([0, 1], colour_pids={7}).lines(switches(records)))
    assert not any("\x1b" in one for one in plain)
    coloured = list(SchedMap([0, 1], colour_pids={7}, colours=True).lines(switches(records)))
    assert ["\x1b[34mA0\x1b[m" in one for one in coloured] == [True, True, False, True]


def test_short_names_begin_again_after_260_tasks() -> None:
    names = ShortNames()
    found = [names.name(pid) for pid in range(1, 262)]
    assert (found[0], found[25], found[26], found[259], found[260]) == (
        "A0",
        "Z0",
        "A1",
        "Z9",
        "A0",
    )
    assert names.name(0) == "."


def test_a_task_with_a_new_name_is_explained_again() -> None:
    records = made().records
    records[3].fields["next_comm"] = "other"
    assert list(SchedMap([0, 1]).lines(switches(records)))[3].endswith("A0 => other:7")
