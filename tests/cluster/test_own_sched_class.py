"""Scheduling classes from outside the packages: one file and one line of configuration."""

import shutil
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from cluster.build import resolve
from cluster.config import ConfigError
from cluster.config.load import parse_config
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest, kernel_failure
from kernel.sched import classes
from kernel.sched.cfs_rq import CfsTunables
from kernel.sched.classes import fair_class_by_name, register, tunables_of
from kernel.sched.idle import IdleSchedClass
from kernel.sched.rt import RtTunables

HERE = Path(__file__).parent
FOUR_CHILDREN = """import os

from workloads import guest

os.sched_setaffinity(0, {0})
for number in range(4):
    if os.fork() == 0:
        for turn in range(2):
            os.write(1, f"{number} ".encode())
            guest.compute(4000000)
        os._exit(0)
for _ in range(4):
    os.wait()
os.write(1, b"end\\n")
"""
ONE = "workloads: [{program: ./four.py}]\n"


@pytest.fixture(autouse=True)
def forgotten():
    """What a test registers is this process's, hence the next tests' too: forget it."""
    with patch.dict(classes._registered):
        yield


@pytest.fixture
def folder(tmp_path):
    shutil.copy(HERE / "toy_class.py", tmp_path)
    (tmp_path / "four.py").write_text(FOUR_CHILDREN, "utf-8")
    return tmp_path


def load(folder, text):
    return parse_config("c.yaml", f"{text}\n{ONE}", folder)


def messages(folder, text):
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return [str(problem).removeprefix("c.yaml:") for problem in caught.value.problems]


def run(folder, text, **request):
    return run_machine(RunRequest(resolve(load(folder, text)), **request))


def order(result):
    assert result.exit_kind == DONE, result.message
    return result.outputs["four.stdout"].decode().split()[:-1]


TOY = 'sched: {fair: "toy_class.py:Toy", toy: {quantum: 5ms}}'


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_a_class_in_a_file_decides_who_runs(folder, scheme, granularity):
    text = f"check: true\ngranularity: {granularity}\n"
    toy = order(run(folder, text + TOY, scheme=scheme))
    assert toy == ["0", "0", "1", "1", "2", "2", "3", "3"]
    short = order(run(folder, text + TOY.replace("5ms", "1ms"), scheme=scheme))
    assert short == ["0", "1", "2", "3"] * 2
    cfs = order(run(folder, text + "sched: {fair: cfs}", scheme=scheme))
    assert cfs[0] == "3"


def test_its_tunables_are_keys_of_the_configuration(folder):
    text = TOY.replace("quantum: 5ms", "quantum: 50ms, newest_first: true")
    assert order(run(folder, text)) == ["3", "3", "2", "2", "1", "1", "0", "0"]


def test_its_name_and_no_path_is_in_the_summary(folder):
    machine = run(folder, TOY).summary["machine"]
    assert (machine["fair"], machine["fair_as_of"]) == ("toy", "")


@pytest.mark.ray
@pytest.mark.parametrize("cpus_per_actor", [1, 2])
def test_ray_gives_the_bytes_of_the_local_engine(local_ray, folder, cpus_per_actor):
    (folder / "four.py").write_text(FOUR_CHILDREN.replace("os.sched_setaff", "#"), "utf-8")
    text = "machine: {cpus: 2}\n" + TOY
    local = run(folder, text, scheme="barrier")
    on_ray = run(
        folder,
        text,
        scheme="barrier",
        engine="ray",
        address="auto",
        cpus_per_actor=cpus_per_actor,
    )
    assert (on_ray.exit_kind, on_ray.message) == (DONE, "")
    assert on_ray.digest == local.digest


def test_an_installed_class_is_named_by_its_entry_point(folder, monkeypatch):
    info = folder / "toy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: toy\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text(
        "[smplab.sched_classes]\nfirst_come = toy_class:Toy\n", "utf-8"
    )
    monkeypatch.syspath_prepend(folder)
    try:
        text = "sched: {fair: first_come, toy: {newest_first: true}}"
        assert order(run(folder, text))[0] == "3"
    finally:
        sys.modules.pop("toy_class", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'sched: {fair: "gone.py:Toy"}',
            "1:15: sched.fair: gone.py: No such file or directory (got 'gone.py:Toy')",
        ),
        (
            'sched: {fair: "toy_class.py:Tox"}',
            "1:15: sched.fair: toy_class.py: there is no Tox in it (got 'toy_class.py:Tox')",
        ),
        (
            'sched: {fair: "toy_class.py:ToyRq"}',
            "1:15: sched.fair: 'ToyRq' is no kernel.sched.sched_class.SchedClass "
            "(got 'toy_class.py:ToyRq')",
        ),
        (
            "sched: {fair: lottery}",
            "1:15: sched.fair: must be cfs, or FILE.py:CLASS (got 'lottery')",
        ),
        (
            'sched: {fair: "toy_class.py:Toy", toy: {quantum: 1us}}',
            "1:50: sched.toy.quantum: must be from 100us to 1s (got '1us')",
        ),
        (
            'sched: {fair: "toy_class.py:Toy", toy: {quantam: 1us}}',
            "1:41: sched.toy.quantam: unknown key (did you mean quantum?)",
        ),
        (
            'sched: {fair: "toy_class.py:Toy", latency: 1ms}',
            "1:35: sched.latency: is for fair: cfs (sched.fair is toy)",
        ),
        (
            'sched: {fair: "toy_class.py:Toy", cfs: {latency: 1ms}}',
            "1:35: sched.cfs: is for fair: cfs (sched.fair is toy)",
        ),
        (
            "sched: {latency: 9ms, cfs: {latency: 9ms}}",
            "1:9: sched.latency: says the same as sched.cfs.latency: write one of the two",
        ),
        (
            "sched: {cfs: {latency: 1ms, min_granularity: 2ms}}",
            "1:46: sched.cfs.min_granularity: must not exceed sched.cfs.latency, 1ms (got 2ms)",
        ),
        (
            "sched: {rt: {fair_server_runtime: 2s}}",
            "1:35: sched.rt.fair_server_runtime: must not exceed sched.rt.fair_server_period, 1s "
            "(got 2s)",
        ),
        (
            "sched: {toy: {quantum: 1ms}}",
            "1:9: sched.toy: unknown key (known here: fair, child_runs_first, latency, "
            "min_granularity, wakeup_granularity, rt, cfs)",
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_is(folder, text, expected):
    assert messages(folder, text) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class Mine(:\n", "mine.py:1:12: invalid syntax"),
        ("import os\nnothing()\n", "mine.py:2: NameError: name 'nothing' is not defined"),
        (
            "from kernel.sched.sched_class import SchedClass\n"
            "class Mine(SchedClass):\n    def __init__(self):\n        super().__init__('mine')\n",
            "Mine: it has no enqueue_task; it has no dequeue_task; it has no pick_next_task; "
            "it has no queued",
        ),
        (
            "import toy_class\nclass Mine(toy_class.Toy):\n    def __init__(self):\n"
            "        super().__init__()\n        self.name = 'my class'; self.rank = 2\n",
            "Mine: its name must be an identifier, and no key of sched (got 'my class'); "
            "its rank must be that of the fair class, 3 (got 2)",
        ),
        (
            "import toy_class\nclass Mine(toy_class.Toy):\n    def __init__(self):\n"
            "        super().__init__()\n        self.name = 'cfs'\n",
            "the name 'cfs' is taken by a class of smplab",
        ),
        (
            "import toy_class\nfrom dataclasses import dataclass\n"
            "@dataclass(frozen=True)\nclass T:\n    a: int = 3\n"
            "class Mine(toy_class.Toy):\n    def __init__(self):\n"
            "        super().__init__()\n        self.tunables = T\n",
            "Mine: the tunable a must be made by a function of kernel.sched.tunables",
        ),
    ],
)
def test_a_class_that_is_none_is_refused_and_the_rest_of_the_file_is_looked_at(
    folder, monkeypatch, source, expected
):
    monkeypatch.syspath_prepend(folder)
    (folder / "mine.py").write_text(source, "utf-8")
    try:
        found = messages(folder, 'sched: {fair: "mine.py:Mine", mine: {x: 1}}\nseed: -1')
    finally:
        sys.modules.pop("toy_class", None)
    assert found[0] == f"1:15: sched.fair: {expected} (got 'mine.py:Mine')"
    assert [line for line in found[1:] if "sched" in line] == []
    assert len(found) == 2


def test_a_class_that_fails_while_it_runs_ends_the_run_with_its_error(folder):
    source = (HERE / "toy_class.py").read_text("utf-8").replace("p.se.turns += 1", "p.turns += 1")
    (folder / "broken.py").write_text(source, "utf-8")
    with pytest.raises(AttributeError) as caught:
        run(folder, 'sched: {fair: "broken.py:Toy"}')
    line = source[: source.index("p.turns += 1")].count("\n") + 1
    assert kernel_failure(caught.value, False) == (
        f"the scheduling class fails: broken.py:{line}: "
        "AttributeError: 'CpuTask' object has no attribute 'turns'"
    )


def test_the_short_keys_of_cfs_mean_what_its_section_means(folder):
    short = resolve(load(folder, "sched: {latency: 9ms}"))
    long = resolve(load(folder, "sched: {cfs: {latency: 9ms}, rt: {rr_timeslice: 20ms}}"))
    cfs, rt = fair_class_by_name("cfs"), RtTunables(rr_timeslice_ns=20_000_000)
    assert tunables_of(short, cfs) == tunables_of(long, cfs) == CfsTunables(latency_ns=9_000_000)
    assert long.sched_tunables["rt"]["rr_timeslice_ns"] == rt.rr_timeslice_ns


def test_only_fair_classes_come_from_outside():
    mine = IdleSchedClass()
    mine.name = "mine"
    with pytest.raises(ValueError, match="a class of one's own is a fair one"):
        register(mine)
