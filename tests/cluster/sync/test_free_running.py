"""CPUs that run free: bounds that hold, orders that differ, and logs that make each run again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.build import guest_spec, resolve
from cluster.cli.main import run_command
from cluster.config import parse_config
from cluster.config.errors import ConfigError
from cluster.engine_api import (
    BROKEN,
    DEADLOCK,
    DONE,
    INTERRUPTED,
    LIMIT,
    RunRequest,
    RunResult,
)
from cluster.exit_codes import OK
from cluster.free_running import FreeHost
from cluster.local_engine import LocalRun, run_local
from cluster.lps import loader_of
from cluster.request import request_of, request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from cluster.sync.scheme import SchemeError, Settings, make_scheme
from kernel.machine import MachineSpec

GUEST = Path(__file__).resolve().parents[2] / "guest"
CONFIG = """
name: free
seed: {seed}
machine: {{cpus: 4}}
granularity: {granularity}
sync: {{scheme: {scheme}, quantum: 20us}}
workloads:
  - program: {program}
"""
SLACK_NS = 60_000
Make = Callable[..., RunRequest]


def request(
    scheme: str, program: str = "prefork_server", granularity: str = "syscall", seed: int = 1
) -> RunRequest:
    """Return a run of a shipped program with CPUs that run free."""
    bound = f"slack, slack: {SLACK_NS}ns" if scheme == "slack" else scheme
    text = CONFIG.format(scheme=bound, program=program, granularity=granularity, seed=seed)
    loaded = parse_config("free.yaml", text, Path())
    return request_of(loaded, resolve(loaded))


def recorded(asked: RunRequest, folder: Path) -> tuple[RunResult, RecordedOrder]:
    """Run; return the result and the log, which is written though nobody asked for it."""
    folder.mkdir(exist_ok=True)
    asked.out_dir = folder
    result = run_local(asked)
    return result, RecordedOrder(folder / ORDER_LOG)


# -- recorded and made again -----------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["slack", "lax"])
@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_a_run_is_always_recorded_and_replays_to_the_same_digest(
    tmp_path: Path, scheme: str, granularity: str
) -> None:
    program = "thread_group_exit" if granularity == "step" else "prefork_server"
    result, log = recorded(request(scheme, program, granularity), tmp_path)
    assert (result.exit_kind, result.message) == (DONE, "")
    assert (log.complete, log.stopped) == (True, False)
    again = run_local(request_of_log(log))
    assert (again.exit_kind, again.digest) == (DONE, result.digest)
    assert again.outputs == result.outputs


def test_the_seed_makes_the_shuffle_and_each_log_its_own_run(tmp_path: Path) -> None:
    digests = {}
    for seed in (1, 2, 3):
        result, log = recorded(request("lax", "thread_group_exit", seed=seed), tmp_path / str(seed))
        digests[seed] = result.digest, log.arrivals
        assert run_local(request_of_log(log)).digest == result.digest
    same, log = recorded(request("lax", "thread_group_exit", seed=2), tmp_path / "again")
    assert (same.digest, log.arrivals) == digests[2]
    assert len({arrivals for _, arrivals in digests.values()}) == 3


def test_a_request_costs_two_bytes_at_most(tmp_path: Path) -> None:
    _, log = recorded(request("lax"), tmp_path)
    assert len(log.arrivals) <= 2 * log.counts["requests"]


def test_a_run_with_random_tie_breaks_at_step_replays_without_its_chooser(tmp_path: Path) -> None:
    asked = request("lax", "thread_group_exit", "step")
    asked.spec.tie_break = "random"
    result, log = recorded(asked, tmp_path)
    assert len(log.answers) > 100
    assert run_local(request_of_log(log)).digest == result.digest


def spinning(folder: Path) -> MachineSpec:
    program = folder / "spins.py"
    program.write_text("import os\nif os.fork():\n    os.fork()\nwhile True:\n    os.getppid()\n")
    return guest_spec(program, [], cpus=3)


@pytest.mark.parametrize("scheme", ["slack", "lax"])
def test_a_run_that_was_stopped_replays_up_to_where_it_was(tmp_path: Path, scheme: str) -> None:
    asked = RunRequest(spinning(tmp_path), scheme=scheme, slack_ns=SLACK_NS, max_wall_s=0.3)
    result, log = recorded(asked, tmp_path)
    assert (result.exit_kind, log.complete, log.stopped) == (LIMIT, True, True)
    again = run_local(request_of_log(log))
    assert (again.exit_kind, again.digest) == (INTERRUPTED, result.digest)


@pytest.mark.parametrize("scheme", ["slack", "lax"])
def test_a_deadlock_and_the_limit_of_virtual_time_are_told_and_replay(
    tmp_path: Path, scheme: str
) -> None:
    program = tmp_path / "waits.py"
    program.write_text("import os\nr, w = os.pipe()\nos.read(r, 1)\n")
    asked = RunRequest(guest_spec(program, [], cpus=2), scheme=scheme, slack_ns=SLACK_NS)
    result, log = recorded(asked, tmp_path / "one")
    assert result.exit_kind == DEADLOCK
    assert "sleeps in read" in result.message
    assert run_local(request_of_log(log)).digest == result.digest
    asked = RunRequest(spinning(tmp_path), scheme=scheme, slack_ns=SLACK_NS, max_virtual_ns=900_000)
    result, log = recorded(asked, tmp_path / "two")
    assert result.exit_kind == LIMIT
    assert run_local(request_of_log(log)).digest == result.digest


def test_a_sleep_ends_though_nobody_asks_for_anything(tmp_path: Path) -> None:
    program = tmp_path / "sleeps.py"
    program.write_text("import time\ntime.sleep(2)\nprint(time.monotonic() >= 2)\n")
    result = run_local(RunRequest(guest_spec(program, [], cpus=2), scheme="lax"))
    assert (result.exit_kind, result.outputs) == (DONE, {"sleeps.py.stdout": b"True\n"})


def test_a_log_of_another_machine_diverges_and_says_where(tmp_path: Path) -> None:
    _, log = recorded(request("lax", "thread_group_exit"), tmp_path)
    log.machine = guest_spec(GUEST / "exit/codes.py", [], cpus=4)
    result = run_local(request_of_log(log))
    assert result.exit_kind == BROKEN
    assert "the replay diverges in phase " in result.message
    log.arrivals = log.arrivals[:40]
    log.machine = request("lax", "thread_group_exit").spec
    assert "the log ends here" in run_local(request_of_log(log)).message


# -- how far apart ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_under_slack_nobody_is_further_ahead_than_that_and_under_lax_somebody_is(seed: int) -> None:
    slack = run_local(request("slack", seed=seed)).summary
    lax = run_local(request("lax", seed=seed)).summary
    assert SLACK_NS // 2 < slack["run"]["furthest_ahead_ns"] <= SLACK_NS
    assert lax["run"]["furthest_ahead_ns"] > SLACK_NS
    assert lax["causality"]["lateness_ns"]["max"] > SLACK_NS


def test_clocks_of_cpus_stay_within_the_slack_and_what_they_finish() -> None:
    """Not what the scheme knows of them: where they really stand, after each arrival."""
    asked = request("slack")
    run = LocalRun(asked)
    costs = asked.spec.costs
    finished_ns = 4 * (costs.context_switch + costs.tick + costs.ipi)
    widest = 0
    serve = FreeHost.arrive

    def look(host: FreeHost, arrivals: object) -> object:
        nonlocal widest
        gos = serve(host, arrivals)  # type: ignore[arg-type]
        for cpu, lp in run.group.cpus.items():
            if lp.rq.curr is not lp.rq.idle:
                widest = max(widest, lp.now_ns - host.view.virtual_ns)
                assert lp.now_ns <= host.view.virtual_ns + SLACK_NS + finished_ns, cpu
        return gos

    run.host.arrive = look.__get__(run.host)  # type: ignore[union-attr]
    assert run.run().exit_kind == DONE
    assert widest > SLACK_NS // 2


def test_a_cpu_beyond_the_bound_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme whose horizons ignore the bound is found out by the check."""
    from cluster.sync.lax import Lax
    from cluster.sync.slack import Slack

    monkeypatch.setattr(Slack, "horizons", Lax.horizons)
    result = run_local(request("slack"))
    assert result.exit_kind == BROKEN
    assert "ns ahead of the slowest, and 60000 ns are allowed" in result.message


def test_a_report_of_a_group_that_was_not_told_to_go_is_refused() -> None:
    spec = request("lax").spec
    scheme = make_scheme("lax", Settings(4, 20_000, 1), "local")
    host = FreeHost(spec, loader_of(spec), scheme, 20_000, None, None, [[0], [1], [2], [3]])
    host.begin()
    host.on_way[3] = False
    with pytest.raises(AssertionError, match="group 3, which was not told to go"):
        host.arrive([(3, [])])


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sync", "told"),
    [
        ("scheme: slack", "c.yaml:2:16: sync.scheme: slack needs sync.slack, such as 1ms"),
        ("scheme: barrier, slack: 1ms", "sync.slack: is for scheme slack (got 'barrier')"),
        ("slack: 1ms", "sync.slack: is for scheme slack (got 'auto')"),
        ("scheme: slack, slack: 1ns", "sync.slack: must be from 1us to 1440min"),
    ],
)
def test_a_bound_is_there_exactly_where_it_means_something(sync: str, told: str) -> None:
    text = f"name: c\nsync: {{{sync}}}\nworkloads: [{{program: cow_touch}}]\n"
    with pytest.raises(ConfigError) as error:
        parse_config("c.yaml", text, Path())
    assert told in str(error.value)


def test_a_scheme_without_its_bound_cannot_be_made() -> None:
    with pytest.raises(SchemeError, match=r"needs sync\.slack"):
        make_scheme("slack", Settings(2, 1000, 0), "local")


def test_the_command_line_takes_scheme_quantum_and_slack_and_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--scheme", "slack", "--slack", "1ms", "--quantum", "50us", "--out", str(tmp_path)]
    assert run_command(["run", "prefork_server", *options]) == OK
    shown = capsys.readouterr().out
    assert "scheme, slack" in shown
    assert "furthest ahead" in shown
    [run] = tmp_path.iterdir()
    assert run_command(["replay", str(run)]) == OK
    assert "same: digest" in capsys.readouterr().out
