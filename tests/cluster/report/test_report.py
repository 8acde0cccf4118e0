import io
import os
from typing import Any
from unittest.mock import patch

import pytest
from rich.console import Console

from cluster.digest import RunDigest, canonical_json, digested_part
from cluster.report import table
from cluster.report.summary import CPU_GROUPS, GROUPS, make_summary
from cluster.report.table import print_summary
from kernel.locking import LockStat
from kernel.machine import MachineSpec
from kernel.process import fork_race
from kernel.stats import CpuStats, KernelStats


def render_summary(
    summary: dict[str, Any], digest: str, *, width: int = 80, complete: bool = True
) -> str:
    """Return what is printed where COLUMNS says how wide a line may be."""
    file = io.StringIO()
    with patch.dict(os.environ, COLUMNS=str(width)):
        print_summary(summary, digest, complete=complete, file=file)
    return file.getvalue()


DIGEST = "sha256:" + "0123456789abcdef" * 4


def lock(name: str, *counts: int) -> dict[str, Any]:
    stat = LockStat(name)
    stat.acquisitions, stat.contended, stat.wait_ns, stat.hold_ns = counts
    return stat.to_plain()


def a_summary(scheme: str = "exact", **wall: Any) -> dict[str, Any]:
    kernel = KernelStats()
    kernel.releases = kernel.exits = kernel.forks = 1_200_000
    kernel.execs, kernel.waits, kernel.clones, kernel.migrations = 1_100_000, 1_199_999, 12, 3456
    kernel.cow_copied, kernel.cow_reused, kernel.ptes_copied = 2_400_000, 1_000, 31_200_000
    kernel.cow_saved = 900
    kernel.fork_order = [1_100_000, 11_000, 100_000, 60_000, 101_000, *[0] * 5, 0, 0, 12, 7, 12]
    kernel.peak_tasks, kernel.peak_zombies, kernel.peak_frames = 321, 45, 67_890
    cpus = []
    for number in range(4):
        cpu = CpuStats()
        cpu.nr_switches, cpu.nr_voluntary, cpu.nr_involuntary = 700, 400, number
        cpu.user_ns, cpu.system_ns = 500_000_000 * number, 20_000_000 * number
        for value in range(100):
            cpu.fork_to_run.record(value * 1000)
            cpu.rq_wait.record(value * value)
        cpus.append(cpu.to_plain())
    return make_summary(
        MachineSpec(cpus=4),
        kernel.to_plain(),
        cpus,
        [
            lock("tasklist_lock", 3_600_000, 1234, 5_000_000, 900_000_000),
            lock("siglock", 9, 0, 0, 90),
        ],
        {
            "virtual_ns": 2_000_000_000,
            "verdict": "done",
            "scheme": scheme,
            "quantum_ns": 20_000,
        },
        {
            "total_ns": 40 * 10**9,
            "engine": "local",
            "guest_ns": 8 * 10**9,
            "kernel_ns": 20 * 10**9,
            **wall,
        },
    )


def test_every_counter_is_in_the_summary() -> None:
    kernel, cpu = KernelStats(), CpuStats()
    for number, name in enumerate(KernelStats.__slots__):
        if isinstance(getattr(kernel, name), int):
            setattr(kernel, name, 1_000_000 + number)
    kernel.fork_order = list(range(3_000_000, 3_000_000 + fork_race.ALL_KINDS))
    for number, name in enumerate(CpuStats.__slots__):
        if isinstance(getattr(cpu, name), int):
            setattr(cpu, name, 2_000_000 + number)
    run = {"virtual_ns": 0, "verdict": "done"}
    plain = make_summary(
        MachineSpec(), kernel.to_plain(), [cpu.to_plain()], [], run, {"total_ns": 0}
    )
    numbers: list[int] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for one in value.values():
                collect(one)
        elif isinstance(value, int):
            numbers.append(value)

    collect(digested_part(plain))
    for number, name in enumerate(KernelStats.__slots__):
        if isinstance(getattr(kernel, name), int):
            assert numbers.count(1_000_000 + number) == 1, name
    assert [numbers.count(number) for number in kernel.fork_order] == [1] * fork_race.ALL_KINDS
    for number, name in enumerate(CpuStats.__slots__):
        if isinstance(getattr(cpu, name), int):
            assert numbers.count(2_000_000 + number) == 1, name


def test_the_groups_name_counters_that_exist() -> None:
    for groups, known in ((GROUPS, KernelStats), (CPU_GROUPS, CpuStats)):
        for names in groups.values():
            assert set(names.values()) <= set(known.__slots__)


def test_rates_are_per_second_of_virtual_and_of_host_time() -> None:
    summary = a_summary()
    assert summary["rates"] == {
        "exits_per_virtual_s": 600_000,
        "forks_per_virtual_s": 600_000,
        "lifecycles_per_virtual_s": 600_000,
    }
    assert summary["wall"]["forks_per_s"] == 30_000
    assert summary["wall"]["other_ns"] == 12 * 10**9


def test_cpus_are_added_up_and_histograms_merged() -> None:
    summary = a_summary()
    assert summary["switches"] == {"involuntary": 6, "total": 2800, "voluntary": 1600}
    latency = summary["latency_ns"]["fork_to_first_run"]
    assert (latency["count"], latency["max"]) == (400, 99_000)
    assert 49_000 <= latency["p50"] <= 51_000


def test_outside_wall_there_are_only_ints_and_strings_in_one_order() -> None:
    summary = a_summary()
    assert canonical_json(digested_part(summary))
    assert list(summary) == sorted(summary)
    assert [one["name"] for one in summary["locks"]] == ["siglock", "tasklist_lock"]


def test_host_times_do_not_change_the_digest() -> None:
    first, second = a_summary(), a_summary(engine="ray", ray_wait_ns=3)
    assert first != second
    assert RunDigest(["kernel"]).finish(first) == RunDigest(["kernel"]).finish(second)


def test_a_run_of_no_time_has_no_rates() -> None:
    summary = make_summary(
        MachineSpec(),
        KernelStats().to_plain(),
        [],
        [],
        {"virtual_ns": 0, "verdict": "done"},
        {"total_ns": 0},
    )
    assert set(summary["rates"].values()) == {0}
    assert render_summary(summary, DIGEST).splitlines()[-1] == f"digest {DIGEST}"


@pytest.mark.parametrize("missing", ["virtual_ns", "verdict"])
def test_a_run_that_does_not_say_how_it_ended_is_refused(missing: str) -> None:
    run = {"virtual_ns": 1, "verdict": "done"}
    del run[missing]
    with pytest.raises(KeyError, match=missing):
        make_summary(MachineSpec(), KernelStats().to_plain(), [], [], run, {"total_ns": 1})


# The table

AT_80 = """\
Run                            count    virtual      wall
ended: done                             2.000 s   40.00 s
CPUs                               4
scheme                         exact
scheduler              EEVDF of 6.12
child runs first                 off
lifecycles                 1,200,000  600,000/s  30,000/s
forks, vforks              1,200,000  600,000/s  30,000/s
exits                      1,200,000  600,000/s  30,000/s
threads                           12
execs                      1,100,000
waits                      1,199,999
switches, voluntary            1,600
switches, involuntary              6
migrations                     3,456
COW faults, copied         2,400,000
COW faults, reused             1,000
COW copies saved                 900
PTEs copied               31,200,000
pages copied by fork               0
peak tasks                       321
peak zombies                      45
peak frames                   67,890
causality violations               0

CPU  busy  user  system
0     0 %   0 %     0 %
1    26 %  25 %     1 %
2    52 %  50 %     2 %
3    78 %  75 %     3 %

Latency                 p50       p90       p99       max
fork to first run  49.15 us  90.11 us  98.30 us  99.00 us
runqueue wait      2.431 us  7.935 us  9.727 us  9.801 us

Lock               taken  contended      wait      hold
tasklist_lock  3,600,000      1,234  5.000 ms  900.0 ms
siglock                9          0      0 ns     90 ns

Children  parent's CPU  first  another  first  ran there
forks        1,100,000    1 %  100,000   60 %    101,000
threads              0      -       12   58 %         12

Host time          time  share
guest programs  8.000 s   20 %
kernel          20.00 s   50 %
rest            12.00 s   30 %

digest sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"""


def test_the_table_at_80_columns() -> None:
    assert render_summary(a_summary(), DIGEST, width=80) == AT_80


def test_a_barrier_run_says_how_far_its_latencies_can_be_trusted() -> None:
    summary = a_summary("barrier")
    # of 0, 1000, … 99,000 ns a fifth, of the squares below 10,000 ns all
    assert summary["causality"]["below_quantum_permille"] == {
        "fork_to_first_run": 200,
        "runqueue_wait": 1000,
    }
    lines = render_summary(summary, DIGEST, width=80).splitlines()
    assert "scheme, quantum              barrier   20.00 us" in lines
    head = next(place for place, line in enumerate(lines) if line.startswith("Latency"))
    assert lines[head : head + 8] == [
        "Latency                 p50       p90       p99       max  <= 20.00 us",
        "fork to first run  49.15 us  90.11 us  98.30 us  99.00 us         20 %",
        "runqueue wait      2.431 us  7.935 us  9.727 us  9.801 us        100 %",
        "",
        "Under the scheme barrier CPUs run up to 20.00 us (the quantum) apart: latencies",
        "up to that are not to be trusted. On the local engine --set sync.scheme=exact",
        "measures them.",
        "",
    ]
    assert "below_quantum_permille" not in a_summary()["causality"]


def test_more_room_changes_nothing() -> None:
    assert render_summary(a_summary(), DIGEST, width=120) == AT_80


def test_at_60_columns_only_the_digest_is_shorter() -> None:
    lines = render_summary(a_summary(), DIGEST, width=60).splitlines()
    assert lines[:-1] == AT_80.splitlines()[:-1]
    assert lines[-1] == "digest sha256:0123456789abcdef"


@pytest.mark.parametrize("width", [1, 40, 47, 60, 80, 120])
def test_no_line_is_wider_than_asked(width: int) -> None:
    text = render_summary(a_summary(), DIGEST, width=width)
    assert max(map(len, text.splitlines())) <= max(width, 40)
    assert "\x1b" not in text and text.isascii()
    assert "..." not in text
    if width >= 60:
        assert " 3,600,000 " in text


def test_an_incomplete_run_is_announced_first() -> None:
    text = render_summary(a_summary(), DIGEST, complete=False)
    assert text.startswith("This run is not complete")


def test_lateness_is_shown_only_if_there_was_any() -> None:
    summary = a_summary()
    assert "effects too late" not in render_summary(summary, DIGEST)
    summary["causality"]["violations"] = 3
    assert "effects too late" in render_summary(summary, DIGEST)


def test_on_a_terminal_the_same_words_have_colours() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard")
    table._print(console, a_summary(), DIGEST, True)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "\x1b[" in text and DIGEST in text


def test_off_a_terminal_print_summary_writes_the_plain_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    print_summary(a_summary(), DIGEST, file=out)
    assert out.getvalue() == AT_80
