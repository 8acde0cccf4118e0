"""smplab sched latency: perf's table."""

from cluster.report.sched.latency import Latency, latency_lines
from tests.cluster.report.sched.made import DEAD, IDLE, Made, R, S


def table() -> Latency:
    made = Made()
    made.wake(1000, 7)
    made.switch(1100, IDLE, 7)
    made.wake(1200, 8)
    made.wake(1250, 7)  # it runs: no wait begins
    made.switch(3600, 7, 8, R)
    made.switch(4600, 8, 7, S)
    made.switch(5000, 7, IDLE, DEAD)
    return Latency(made.records)


def test_table_has_the_layout_of_perf() -> None:
    lines = list(latency_lines(table().rows()))
    assert lines[4:6] == [
        "  t8:8                  |      1.000 ms |        1 | avg:   2.400 ms | max:   2.400 ms "
        "| max start:     0.001200 s | max end:     0.003600 s",
        "  t7:7                  |      2.900 ms |        2 | avg:   0.550 ms | max:   1.000 ms "
        "| max start:     0.003600 s | max end:     0.004600 s",
    ]
    assert lines[7] == "  TOTAL:                |      3.900 ms |        3 |"
    assert lines[2] == (
        "  Task                  |   Runtime ms  | Switches | Avg delay ms    | Max delay ms    "
        "| Max delay start           | Max delay end          |"
    )


def test_rows_are_sorted_by_the_keys_given() -> None:
    assert [row.pid for row in table().rows(["runtime"])] == [7, 8]
    assert [row.pid for row in table().rows(["switch"])] == [7, 8]
    assert [row.pid for row in table().rows(["max"])] == [8, 7]


def test_tasks_of_one_name_are_one_row_unless_pids_are_wanted() -> None:
    made = Made()
    for pid in (4, 5):
        made.wake(pid * 10, pid)
        made.switch(pid * 10 + 1, IDLE, pid)
        made.switch(pid * 10 + 2, pid, IDLE)
    for record in made.records:
        for name in ("comm", "prev_comm", "next_comm"):
            if record.fields.get(name) in ("t4", "t5"):
                record.fields[name] = "same"
    latency = Latency(made.records)
    assert "  same:(2)              |" in list(latency_lines(latency.rows()))[4]
    assert [row.pid for row in latency.rows(pids=True)] == [4, 5]


def test_a_task_that_moves_to_a_chosen_cpu_waits_from_then_on() -> None:
    made = Made()
    made.wake(10, 4, cpu=0)
    made.move(50, 4, 0, 1)
    made.switch(60, IDLE, 4, cpu=1)
    assert Latency(made.records, {1}).rows()[0].max_ns == 10_000
    assert Latency(made.records).rows()[0].max_ns == 50_000
    assert Latency(made.records, {0}).rows() == []
