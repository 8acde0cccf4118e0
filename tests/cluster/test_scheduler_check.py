"""The properties of smplab scheduler check: a sound scheduler has all, a broken one is told why."""

from pathlib import Path

import pytest

from cluster import scheduler_check
from cluster.sched_classes import find
from cluster.scheduler_check import PROPERTIES, check, workload

SHIPPED = Path(__file__).parents[2] / "configs" / "schedulers"
HEAD = "from kernel.sched.ext import SCX_DSQ_LOCAL, SCX_SLICE_INF, ExtScheduler\n\ncount = [0]\n\n"
HOG = "        self.dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF)\n"
SHARES = (
    "        count[0] += 1\n"
    "        self.dsq_insert(p, SCX_DSQ_LOCAL, 1_000_000 + 3_000_000 * (count[0] % 7))\n"
)
UNPACKABLE = "        self.seen = {p.pid}\n        self.dsq_insert(p, SCX_DSQ_LOCAL)\n"


def outcomes(monkeypatch, folder, body, *names):
    text = f"{HEAD}class Mine(ExtScheduler):\n    def enqueue(self, p, enq_flags):\n{body}"
    (folder / "mine.py").write_text(text, "utf-8")
    monkeypatch.setattr(scheduler_check, "PROPERTIES", {name: PROPERTIES[name] for name in names})
    return [outcome.reason for outcome in check(find("mine.py:Mine", folder), 1)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fifo.py:Fifo", "lottery.py:Lottery", "vtime_llc.py:VtimeLlc"])
def test_a_shipped_scheduler_has_every_property(name):
    found = list(check(find(name, SHIPPED), 2))
    assert [(each.name, each.reason) for each in found] == [(name, "") for name in PROPERTIES]


def test_one_that_never_ends_a_slice_starves_the_others(monkeypatch, tmp_path):
    (reason,) = outcomes(monkeypatch, tmp_path, HOG, "no task starves")
    assert reason.startswith("the scheduler mine stalls: ")


def test_state_that_cpus_share_is_found_by_other_bytes(monkeypatch, tmp_path):
    (reason,) = outcomes(monkeypatch, tmp_path, SHARES, "two runs have one digest")
    assert reason.startswith("workload 0, syscall: sha256:")


def test_state_that_cannot_be_packed_is_named(monkeypatch, tmp_path):
    (reason,) = outcomes(monkeypatch, tmp_path, UNPACKABLE, "packed and unpacked, it goes on alike")
    assert "attributes of a scheduler are numbers, texts, lists, dicts, tasks" in reason


def test_a_workload_follows_from_its_seed():
    assert workload(3) == workload(3) != workload(4)
