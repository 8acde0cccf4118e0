"""Schemes as plug-ins: found by name, by file and by entry point; asked, and held to the rules."""

import shutil
import sys
from pathlib import Path

import pytest

from cluster.build import guest_spec, resolve
from cluster.config import parse_config
from cluster.config.errors import ConfigError
from cluster.engine_api import BROKEN, DONE, RunRequest, RunResult
from cluster.local_engine import run_local
from cluster.request import request_of, request_of_log
from cluster.sync import ORDER_LOG
from cluster.sync.order_log import RecordedOrder
from cluster.sync.scheme import Pending, SchemeError, Settings, make_scheme, scheme_names

HERE = Path(__file__).resolve().parent
GUEST = HERE.parents[1] / "guest"
TOY = HERE / "shuffled.py"
CONFIG = """
name: toy
machine: {cpus: 4}
sync: {scheme: "shuffled.py:Shuffled", quantum: 20us}
workloads:
  - program: fork_exec_storm
    params: {parents: 6, children: 4}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the toy scheme beside a configuration."""
    shutil.copy(TOY, tmp_path / "shuffled.py")
    return tmp_path


def run_toy(folder: Path, name: str = "Shuffled") -> RunResult:
    """Run the configuration, with a run directory; the toy stands beside it."""
    text = CONFIG.replace("Shuffled", name)
    loaded = parse_config("toy.yaml", text, folder)
    request = request_of(loaded, resolve(loaded))
    request.out_dir = folder / "out"
    request.out_dir.mkdir(exist_ok=True)
    return run_local(request)


# -- found -----------------------------------------------------------------------------------------


def test_a_scheme_is_one_file_and_one_line_of_a_configuration(folder: Path) -> None:
    result = run_toy(folder)
    assert (result.exit_kind, result.message) == (DONE, "")
    assert result.summary["run"]["scheme"] == "shuffled"
    assert [status for _, _, status in result.statuses] == [0]


def test_what_a_scheme_that_is_not_deterministic_does_is_recorded_and_replays_to_the_same_digest(
    folder: Path,
) -> None:
    digests = set()
    for _ in range(3):
        shutil.rmtree(folder / "out", ignore_errors=True)
        result = run_toy(folder)
        log = RecordedOrder(folder / "out" / ORDER_LOG)
        assert log.complete
        assert run_local(request_of_log(log)).digest == result.digest
        digests.add(result.digest)
    assert len(digests) > 1  # the same configuration: nothing but the log knows which run it was


def test_an_installed_scheme_is_known_by_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "outside_scheme.py").write_text((folder / "shuffled.py").read_text())
    info = folder / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[smplab.schemes]\nmixed = outside_scheme:Shuffled\n")
    monkeypatch.syspath_prepend(str(folder))
    try:
        have = ["exact", "barrier", "redblack", "free", "slack", "lax", "mixed"]
        assert scheme_names() == have
        loaded = parse_config("c.yaml", CONFIG.replace("shuffled.py:Shuffled", "mixed"), folder)
        assert run_local(request_of(loaded, resolve(loaded))).exit_kind == DONE
    finally:
        sys.modules.pop("outside_scheme", None)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.py:Shuffled", "none.py: No such file or directory"),
        ("shuffled.py:Other", "shuffled.py: there is no Other in it"),
        ("laxer", "must be one of auto, exact, barrier, redblack, free, slack, lax, or FILE"),
    ],
)
def test_a_scheme_that_cannot_be_had_is_a_problem_of_the_configuration(
    folder: Path, name: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        parse_config("c.yaml", CONFIG.replace("shuffled.py:Shuffled", name), folder)
    assert str(error.value).startswith("c.yaml:4:16: sync.scheme")


def test_a_scheme_is_refused_on_an_engine_that_it_is_not_for(folder: Path) -> None:
    with pytest.raises(ConfigError, match="runs on the local engine only"):
        parse_config("c.yaml", CONFIG + "engine: ray\n", folder)
    there = r"has no scheme 'free' \(there is: exact, barrier, redblack, slack, lax\)"
    with pytest.raises(SchemeError, match=there):
        make_scheme("free", Settings(2, 1000, 0), "ray")


# -- the rules -------------------------------------------------------------------------------------


def test_a_scheme_that_serves_a_cpus_requests_out_of_order_ends_the_run_and_is_named(
    folder: Path,
) -> None:
    result = run_toy(folder, "Forgetful")
    assert result.exit_kind == BROKEN
    assert "scheme forgetful: ready: request" in result.message
    assert "must stay in their order" in result.message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def limit(self, view): return None", "limit: must return a time in ns, or NO_FURTHER"),
        ("def limit(self, view): return 1.5", "limit: must return a time in ns, or NO_FURTHER"),
        ("def ready(self, pending, view): return None", "ready: must return a list of requests"),
        (
            "def ready(self, pending, view): return super().ready(pending, view)[1:]",
            "ready: took 1 of pending, and returns 0",
        ),
        (
            "def limit(self, view): return max(-1, super().limit(view) - 10_000)",
            "ready: a request of ",
        ),
        ("def horizons(self, view): return 1 << 70", "horizons: must be times in ns, below NEVER"),
        (
            "def horizons(self, view): return {77: super().horizons(view)}",
            "horizons: names a CPU that is none (got {77: ",
        ),
        ("def limit(self, view): return -1", "limit: was asked 300 times since a request was"),
        ("def limit(self, view): return 0", "limit: was asked 300 times since a request was"),
        ("def horizons(self, view): return 1000", "limit: was asked 300 times since a request"),
    ],
)
def test_a_scheme_that_breaks_a_rule_or_stands_still_ends_the_run_and_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, body: str, told: str
) -> None:
    monkeypatch.setattr("cluster.sync.guarded._STANDSTILL", 300)
    with (folder / "shuffled.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\nclass Mine(Shuffled):\n    name = 'mine'\n    {body}\n")
    result = run_toy(folder, "Mine")
    assert result.exit_kind == BROKEN
    assert result.message.startswith(f"scheme mine: {told}")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("name = 3", "Mine: name must be a str (got 3)"),
        ("name = 'exact'", "Mine: its name must be a word, and no scheme's of smplab"),
        ("deterministic = 'no'", "Mine: deterministic must be a bool (got 'no')"),
        ("engines = ('local',)", "Mine: engines must be a frozenset"),
        ("engines = frozenset(('lokal',))", "Mine: its engines must be of local, ray (got lokal)"),
        ("def __init__(self): pass", "Mine: __init__ must take settings"),
        ("def ready(self, view): return []", "Mine: ready must take pending, view"),
    ],
)
def test_a_scheme_whose_attributes_or_methods_do_not_fit_is_a_problem_of_the_configuration(
    folder: Path, body: str, told: str
) -> None:
    with (folder / "shuffled.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\nclass Mine(Shuffled):\n    {body}\n")
    with pytest.raises(ConfigError) as error:
        parse_config("c.yaml", CONFIG.replace("Shuffled", "Mine"), folder)
    assert told in str(error.value)


def test_the_kernel_serves_requests_in_the_order_in_which_they_are_handed_to_it() -> None:
    """Not by time: sorting is the scheme's."""
    first, second = (300, 0, 1, 0, 0, 0, 0, 0), (200, 1, 1, 0, 0, 0, 0, 0)
    pending = Pending()
    pending.requests = [first, second]
    assert pending.first_ns() == 200
    assert pending.due(250) == [second]
    assert pending.requests == [first]
    request = RunRequest(guest_spec(GUEST / "exit/codes.py", [], cpus=2))
    from cluster.local_engine import LocalRun

    kernel = LocalRun(request).host.kernel
    kernel.deliver([first, second])
    assert kernel.requests == [first, second]
