"""Scheduling classes from outside the packages: one file and one line of configuration."""

import ast
import inspect
import shutil
import sys
import textwrap
from pathlib import Path

import pytest

from cluster import sched_classes
from cluster.build import resolve
from cluster.config import ConfigError
from cluster.config.load import parse_config
from cluster.config.sched import classes_text
from cluster.engine import run_machine
from cluster.engine_api import BROKEN, DEADLOCK, DONE, INVARIANT, RunRequest, kernel_failure
from kernel.machine import MachineSpec
from kernel.sched.cfs_rq import CfsTunables
from kernel.sched.classes import classes_of, fair_class_by_name, register, tunables_of
from kernel.sched.rt_rq import RtTunables
from kernel.sched.sched_class import (
    DEADLINE_RANK,
    FAIR_RANK,
    IDLE_RANK,
    RT_RANK,
    STOP_RANK,
    SchedClass,
)
from kernel.uapi.policy import FAIR_POLICIES, SCHED_DEADLINE, SCHED_FIFO

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


@pytest.fixture
def folder(tmp_path):
    shutil.copy(HERE / "toy_class.py", tmp_path)
    shutil.copy(HERE / "toy_deadline.py", tmp_path)
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
            "1:15: sched.fair: toy_class.py: there is no Tox in it (did you mean Toy?) "
            "(got 'toy_class.py:Tox')",
        ),
        (
            'sched: {fair: "toy_class.py:ToyRq"}',
            "1:15: sched.fair: 'ToyRq' is no kernel.sched.sched_class.SchedClass, "
            "nor derived from kernel.sched.ext.ExtScheduler "
            "(got 'toy_class.py:ToyRq')",
        ),
        (
            "sched: {fair: lottery}",
            "1:15: sched.fair: must be one of auto, cfs, eevdf, o1, or FILE.py:CLASS "
            "(got 'lottery')",
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
            "sched: {fair: cfs, latency: 9ms, cfs: {latency: 9ms}}",
            "1:20: sched.latency: says the same as sched.cfs.latency: write one of the two",
        ),
        (
            "sched: {fair: cfs, cfs: {latency: 1ms, min_granularity: 2ms}}",
            "1:57: sched.cfs.min_granularity: must not exceed sched.cfs.latency, 1ms (got 2ms)",
        ),
        (
            "sched: {rt: {fair_server_runtime: 2s}}",
            "1:35: sched.rt.fair_server_runtime: must not exceed sched.rt.fair_server_period, 1s "
            "(got 2s)",
        ),
        (
            'sched: {rt: {fair_server_period: 2s}}\nlinux: "2.6.34"',
            "1:14: sched.rt.fair_server_period: is for linux: 6.12 (linux is 2.6.34)",
        ),
        (
            "sched: {rt: {runtime: 2s}}",
            "1:23: sched.rt.runtime: must not exceed sched.rt.period, 1s (got 2s)",
        ),
        (
            "sched: {rt: {runtime: -2}}",
            "1:23: sched.rt.runtime: needs a unit: must be a duration such as 50us, 1ms or 2s "
            "(got -2)",
        ),
        (
            "sched: {toy: {quantum: 1ms}}",
            "1:9: sched.toy: unknown key (known here: fair, classes, child_runs_first, hrtick, "
            "autogroup, watchdog, latency, min_granularity, wakeup_granularity, rt, cfs, eevdf, "
            "o1)",
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
    assert kernel_failure(caught.value, MachineSpec()) == (
        BROKEN,
        f"the scheduling class fails: broken.py:{line}: "
        "AttributeError: 'CpuTask' object has no attribute 'turns'",
    )


def mine(folder, body):
    """Write a class that does as the toy but for one operation."""
    source = (HERE / "toy_class.py").read_text("utf-8")
    (folder / "mine.py").write_text(f"{source}\n\nclass Mine(Toy):\n    {body}\n", "utf-8")
    return 'sched: {fair: "mine.py:Mine"}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def pick_next_task(self): pass", "Mine: pick_next_task must take rq"),
        (
            "def task_fork(self, rq, parent, child, flags, more): pass",
            "Mine: task_fork must take rq, parent, child, flags",
        ),
        ("check = 3", "Mine: check is no function"),
        (
            "def task_forks(self, rq, parent, child, flags): pass",
            "Mine: task_forks is called by nobody (did you mean task_fork?)",
        ),
        (
            "def __init__(self): super().__init__(); self.policies = 0",
            "Mine: its policies must be a tuple (got 0)",
        ),
        (
            "def __init__(self): super().__init__(); self.title = 'two\\nlines'",
            "Mine: title and as_of must be texts of one line (got 'two\\nlines')",
        ),
        ("def __init__(self): raise SystemExit(3)", "Mine() raises SystemExit: 3"),
    ],
)
def test_an_operation_or_an_attribute_that_does_not_fit_is_refused(folder, body, told):
    expected = f"1:15: sched.fair: {told} (got 'mine.py:Mine')"
    assert messages(folder, mine(folder, body)) == [expected]


def test_the_operations_that_are_looked_at_are_those_of_a_class():
    tree = ast.parse(inspect.getsource(sys.modules["kernel.sched.sched_class"]))
    (base,) = (node for node in tree.body if getattr(node, "name", "") == "SchedClass")
    operations = {
        node.name: ", ".join(each.arg for each in node.args.args[1:])
        for node in base.body
        if isinstance(node, ast.FunctionDef) and node.name != "__init__"
    }
    assert operations == sched_classes._OPERATIONS


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def queued(self, rq): return None", "TypeError"),
        ("def pick_next_task(self, rq): return 3", "the kernel fails: "),
        (
            "def pick_next_task(self, rq): raise SystemExit(0)",
            "fails: mine.py:{line}: SystemExit: 0",
        ),
    ],
)
def test_a_class_that_gives_the_kernel_nonsense_is_named_with_what_came_of_it(folder, body, told):
    loaded = load(folder, mine(folder, body))
    spec = resolve(loaded)
    with pytest.raises((Exception, SystemExit)) as caught:
        run_machine(RunRequest(spec))
    kind, message = kernel_failure(caught.value, spec)
    assert kind == BROKEN
    line = (folder / "mine.py").read_text("utf-8").rstrip().count("\n") + 1
    assert told.format(line=line) in message
    assert "mine.py:" in message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def pick_next_task(self, rq): return asleep(self, rq)", "picks <"),
        ("def detach_one(self, rq, dst): return rq.curr", "gives away <"),
    ],
)
def test_a_class_that_picks_or_gives_away_who_does_not_wait_breaks_an_invariant(folder, body, told):
    helper = """

    last = None
    def asleep(self, rq):
        global last
        p = Toy.pick_next_task(self, rq)
        last = p or last
        return last
"""
    text = mine(folder, body)
    with (folder / "mine.py").open("a") as file:
        file.write(textwrap.dedent(helper))
    spec = resolve(load(folder, text))
    with pytest.raises(AssertionError) as caught:
        run_machine(RunRequest(spec))
    kind, message = kernel_failure(caught.value, spec)
    assert kind == INVARIANT
    assert f"class toy {told}" in message
    assert message.endswith("(the machine has the scheduling class mine.py:Mine, from outside)")


def test_a_deadlock_names_who_is_runnable_and_does_not_run(folder):
    result = run(folder, mine(folder, "def pick_next_task(self, rq): return None"))
    assert result.exit_kind == DEADLOCK
    assert "four.py (3) is runnable on cpu 0, which does not run it" in result.message


def test_the_short_keys_of_cfs_mean_what_its_section_means(folder):
    short = resolve(load(folder, "sched: {fair: cfs, latency: 9ms}"))
    long = resolve(
        load(folder, "sched: {fair: cfs, cfs: {latency: 9ms}, rt: {rr_timeslice: 20ms}}")
    )
    cfs, rt = fair_class_by_name("cfs"), RtTunables(rr_timeslice_ns=20_000_000)
    assert tunables_of(short, cfs) == tunables_of(long, cfs) == CfsTunables(latency_ns=9_000_000)
    assert long.sched_tunables["rt"]["rr_timeslice_ns"] == rt.rr_timeslice_ns


@pytest.mark.parametrize("text", ["off", "-1", '"off"'])
def test_the_bound_of_real_time_tasks_can_be_off(folder, text):
    spec = resolve(load(folder, f"sched: {{rt: {{runtime: {text}, period: 500ms}}}}"))
    assert spec.sched_tunables["rt"] == {"runtime_ns": -1, "period_ns": 500_000_000}
    assert "rt (runtime off, period 500ms)" in classes_text(spec)


def named(name, rank=DEADLINE_RANK, policies=(SCHED_DEADLINE,)):
    return SchedClass(name, rank, policies)


def test_two_classes_of_one_name_are_refused():
    register(named("mine"))
    with pytest.raises(ValueError, match="the name 'mine' stands for another class"):
        register(named("mine"))
    with pytest.raises(ValueError, match="the name 'rt' is taken by a class of smplab"):
        register(named("rt"))
    with pytest.raises(ValueError, match="of: there is no rank 5"):
        register(named("of", 5))


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((), ["deadline", "rt", "eevdf", "idle"]),
        (("dl",), ["dl", "rt", "eevdf", "idle"]),
        (("dl", "stopper"), ["stopper", "dl", "rt", "eevdf", "idle"]),
        (("mine_rt",), ["deadline", "mine_rt", "eevdf", "idle"]),
        (("naps",), ["deadline", "rt", "eevdf", "naps"]),
    ],
)
def test_a_machine_has_its_classes_in_the_order_of_their_ranks(classes, expected):
    for cls in (
        named("dl"),
        named("stopper", STOP_RANK, ()),
        named("mine_rt", RT_RANK, (SCHED_FIFO,)),
        named("naps", IDLE_RANK, ()),
    ):
        register(cls)
    found = classes_of(MachineSpec(classes=classes))
    assert [cls.name for cls in found] == expected


@pytest.mark.parametrize(
    ("classes", "why"),
    [
        (("gone",), "unknown scheduling class 'gone'"),
        (("dl", "dl2"), "dl and dl2 are both of the rank deadline"),
        (("fifo",), "fifo and rt both schedule SCHED_FIFO"),
        (("fair2",), "eevdf and fair2 are both of the rank fair"),
    ],
)
def test_classes_that_do_not_go_together_are_refused(classes, why):
    register(named("dl"))
    register(named("dl2"))
    register(named("fifo", STOP_RANK, (SCHED_FIFO,)))
    register(named("fair2", FAIR_RANK, FAIR_POLICIES))
    with pytest.raises(ValueError, match=why):
        classes_of(MachineSpec(classes=classes))


DEADLINE = """import os

from workloads import guest

SCHED_DEADLINE = 6
MS = 1000000


def deadline(runtime, ms, period=100):
    guest.sched_setattr(
        0, SCHED_DEADLINE, runtime_ns=runtime * MS, deadline_ns=ms * MS, period_ns=period * MS
    )


os.sched_setaffinity(0, {0})
ready, tell = os.pipe()
go, start = os.pipe()  # who has read its byte wakes the next
last, start_last = os.pipe()
for number, ms in enumerate((30, 10, 0, 20)):
    if os.fork() == 0:
        if ms:
            deadline(1, ms)
        os.write(tell, b"x")
        os.read(go if ms else last, 1)
        for turn in range(2):
            os.write(1, f"{number} ".encode())
            guest.compute(COMPUTE)
        os._exit(0)
for _ in range(4):
    os.read(ready, 1)
os.write(start, b"123")
os.write(start_last, b"4")
for _ in range(4):
    os.wait()
os.write(1, b"end\\n")
"""
EDF = 'sched: {classes: ["toy_deadline.py:Edf"], edf: {longest: 50ms}}'


@pytest.mark.parametrize("scheme", ["exact", "barrier"])
@pytest.mark.parametrize("granularity", ["syscall", "step"])
def test_a_deadline_class_from_one_file_has_its_policy_parameters_and_admission(
    folder, scheme, granularity
):
    text = f"check: true\ngranularity: {granularity}\n"
    (folder / "four.py").write_text(DEADLINE.replace("COMPUTE", "400000"), "utf-8")
    found = order(run(folder, text + EDF, scheme=scheme))
    assert found == ["1", "1", "3", "3", "0", "0", "2", "2"]


def test_its_timer_takes_the_cpu_from_one_whose_turn_is_too_long(folder):
    (folder / "four.py").write_text(DEADLINE.replace("COMPUTE", "25000000"), "utf-8")
    assert order(run(folder, EDF))[:2] == ["1", "1"]
    assert order(run(folder, EDF.replace("50ms", "4ms")))[:2] == ["1", "3"]


REFUSALS = """import os

from workloads import guest


def attempt(policy, runtime, deadline, period):
    try:
        guest.sched_setattr(
            0, policy, runtime_ns=runtime, deadline_ns=deadline, period_ns=period
        )
        os.write(1, f"{os.sched_getscheduler(0)} ".encode())
    except OSError as error:
        os.write(1, f"{error.strerror.split()[0]} ".encode())


attempt(6, 0, 0, 0)
attempt(6, 3000, 2000, 4000)
attempt(6, 96000, 100000, 100000)
attempt(6, 90000, 100000, 100000)
with open("/proc/self/stat") as stat:
    os.write(1, f"{stat.read().split()[17]} ".encode())
try:
    os.fork()
except OSError as error:
    os.write(1, f"{error.strerror.split()[0]} ".encode())
attempt(0, 0, 0, 0)
if os.fork() == 0:
    os._exit(0)
os.wait()
os.write(1, b"end\\n")
"""


def test_its_other_half_says_which_parameters_it_takes_and_whom_it_admits(folder):
    (folder / "four.py").write_text(REFUSALS, "utf-8")
    found = order(run(folder, "machine: {cpus: 1}\ncheck: true\n" + EDF))
    assert found == ["Invalid", "Invalid", "Device", "6", "-101", "Resource", "0"]


@pytest.mark.ray
def test_a_deadline_class_goes_with_the_run_to_ray(local_ray, folder):
    (folder / "four.py").write_text(DEADLINE.replace("COMPUTE", "400000"), "utf-8")
    text = "machine: {cpus: 2}\n" + EDF
    local = run(folder, text, scheme="barrier")
    on_ray = run(folder, text, scheme="barrier", engine="ray", address="auto", cpus_per_actor=1)
    assert (on_ray.exit_kind, on_ray.message) == (DONE, "")
    assert on_ray.digest == local.digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'sched: {classes: ["toy_class.py:Toy"]}',
            "1:19: sched.classes.0: Toy: its rank must be one of 0 stop, 1 deadline, 2 rt, 4 idle "
            "(got 3; a fair class is named in sched.fair); policies that it cannot have: 0, 3, 5 "
            "(got 'toy_class.py:Toy')",
        ),
        (
            'sched: {classes: ["toy_deadline.py:Edf", "toy_deadline.py:Edf2"]}',
            "1:42: sched.classes.1: toy_deadline.py: there is no Edf2 in it (did you mean Edf?) "
            "(got 'toy_deadline.py:Edf2')",
        ),
        (
            "sched: {classes: [edf]}",
            "1:19: sched.classes.0: must be one of deadline, rt, idle, or FILE.py:CLASS"
            " (got 'edf')",
        ),
        (
            'sched: {classes: ["toy_deadline.py:Edf"], edf: {longest: 1ns}}',
            "1:58: sched.edf.longest: must be from 1us to 1s (got '1ns')",
        ),
        (
            'sched: {classes: [deadline]}\nlinux: "2.6.34"',
            "1:19: sched.classes.0: Linux 2.6.34 has no class deadline (got 'deadline')",
        ),
    ],
)
def test_what_is_wrong_with_classes_of_other_ranks_is_told_where_it_is(folder, text, expected):
    assert messages(folder, text) == [expected]
