"""Schedulers of the small protocol (kernel.sched.ext): from a file to a run, and what stops one."""

import re
import sys

import pytest

from cluster.build import resolve
from cluster.cli.listing import TOPICS
from cluster.config import ConfigError
from cluster.config.load import parse_config
from cluster.engine import run_machine
from cluster.engine_api import BROKEN, DONE, RunRequest, kernel_failure
from cluster.plugins import SCHED_CLASS, PluginError
from cluster.plugins import load as load_part
from kernel.sched.ext import weight

FOUR = """import os

from workloads import guest

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
FIFO = """from kernel.sched.ext import SCX_DSQ_LOCAL, SCX_DSQ_LOCAL_ON, SCX_DSQ_GLOBAL, ExtScheduler

class Mine(ExtScheduler):
    def enqueue(self, p, enq_flags):
        self.dsq_insert(p, SCX_DSQ_LOCAL, 50_000_000)
"""
HELD = """from kernel.sched.ext import SCX_DSQ_LOCAL, ExtScheduler

class Mine(ExtScheduler):
    def init(self):
        self.held = []
    def enqueue(self, p, enq_flags):
        self.held.append(p)
    def dequeue(self, p, deq_flags):
        self.held.remove(p)
    def dispatch(self, cpu, prev):
        if self.held:
            self.dsq_insert(self.held.pop(), SCX_DSQ_LOCAL, 50_000_000)
"""
SPREAD = """from kernel.sched.ext import SCX_DSQ_LOCAL_ON, ExtScheduler

class Mine(ExtScheduler):
    def select_cpu(self, p, prev_cpu, wake_flags):
        return 0
    def init(self):
        self.next = 0
    def enqueue(self, p, enq_flags):
        self.next += 1
        self.dsq_insert(p, SCX_DSQ_LOCAL_ON | self.next % self.nr_cpus)
"""
VTIME = """from kernel.sched.ext import ExtScheduler

class Mine(ExtScheduler):
    def init(self):
        self.create_dsq(7)
        self.now_v = 0
    def enqueue(self, p, enq_flags):
        vtime = min(max(p.dsq_vtime, self.now_v - 4_000_000), self.now_v + 4_000_000)
        self.dsq_insert_vtime(p, 7, 1_000_000, vtime, enq_flags)
    def dispatch(self, cpu, prev):
        self.dsq_move_to_local(7)
    def running(self, p):
        self.now_v = max(self.now_v, p.dsq_vtime)
        p.put("began", p.sum_exec_ns)
    def stopping(self, p, runnable):
        p.dsq_vtime += (p.sum_exec_ns - p.get("began")) * 100 // p.weight
"""
LOSES = """from kernel.sched.ext import SCX_DSQ_LOCAL, ExtScheduler

class Mine(ExtScheduler):
    def enqueue(self, p, enq_flags):
        if p.comm != "four.py" or p.pid % 2:
            self.dsq_insert(p, SCX_DSQ_LOCAL)
"""
ALL = {"local": FIFO, "held": HELD, "spread": SPREAD, "vtime": VTIME}


def load(folder, source, more="", cpus=1):
    (folder / "four.py").write_text(FOUR, "utf-8")
    (folder / "mine.py").write_text(source, "utf-8")
    text = (
        f"machine: {{cpus: {cpus}}}\nsched: {{fair: 'mine.py:Mine'{more}}}\ncheck: true\n"
        "workloads: [{program: ./four.py}]\n"
    )
    return parse_config("c.yaml", text, folder)


def run(folder, source, *, more="", cpus=1, granularity="syscall", **request):
    spec = resolve(load(folder, source, more, cpus))
    spec.granularity = granularity
    return run_machine(RunRequest(spec, **request))


def failure(folder, source, **how):
    with pytest.raises(Exception) as caught:
        run(folder, source, **how)
    kind, message = kernel_failure(caught.value, resolve(load(folder, source)))
    assert kind == BROKEN
    return message


def order(result):
    assert result.exit_kind == DONE, result.message
    return result.outputs["four.stdout"].decode().split()


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("scheme", ["exact", "barrier"])
def test_a_fifo_of_four_lines_serves_in_order_of_arrival(tmp_path, scheme, granularity):
    found = order(run(tmp_path, FIFO, scheme=scheme, granularity=granularity))
    assert found == ["0", "0", "1", "1", "2", "2", "3", "3", "end"]


def test_a_task_in_custody_runs_when_dispatch_says(tmp_path):
    assert order(run(tmp_path, HELD)) == ["3", "3", "2", "2", "1", "1", "0", "0", "end"]


def test_least_virtual_time_goes_first(tmp_path):
    found = order(run(tmp_path, VTIME))
    assert sorted(found[:4]) == sorted(found[4:8]) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("name", ALL)
def test_every_way_to_dispatch_ends_sound_on_three_cpus(tmp_path, name, granularity):
    result = run(tmp_path, ALL[name], cpus=3, granularity=granularity, scheme="barrier")
    assert len(order(result)) == 9


@pytest.mark.parametrize("name", ALL)
def test_two_runs_have_one_digest(tmp_path, name):
    runs = [run(tmp_path, ALL[name], cpus=2, scheme="barrier") for _ in range(2)]
    assert runs[0].digest == runs[1].digest


@pytest.mark.ray
@pytest.mark.parametrize("name", ["spread", "vtime", "held"])
@pytest.mark.parametrize("granularity", ["syscall", "step"])
@pytest.mark.parametrize("cpus_per_actor", [1, 2])
def test_ray_gives_the_bytes_of_the_local_engine(
    local_ray, tmp_path, cpus_per_actor, granularity, name
):
    how = {"cpus": 2, "granularity": granularity, "scheme": "barrier"}
    local = run(tmp_path, ALL[name], **how)
    on_ray = run(
        tmp_path, ALL[name], **how, engine="ray", address="auto", cpus_per_actor=cpus_per_actor
    )
    assert (on_ray.exit_kind, on_ray.message) == (DONE, "")
    assert on_ray.digest == local.digest


def test_an_installed_scheduler_is_named_by_its_entry_point(tmp_path, monkeypatch):
    (tmp_path / "own_fifo.py").write_text(FIFO, "utf-8")
    info = tmp_path / "own_fifo-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: own_fifo\nVersion: 1\n", "utf-8")
    entry = "[smplab.schedulers]\nown_first_come = own_fifo:Mine\n"
    (info / "entry_points.txt").write_text(entry, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "four.py").write_text(FOUR, "utf-8")
    text = "machine: {cpus: 1}\nsched: {fair: own_first_come}\nworkloads: [{program: ./four.py}]\n"
    assert "own_first_come" in list(TOPICS["schedulers"]())
    try:
        spec = resolve(parse_config("c.yaml", text, tmp_path))
        assert order(run_machine(RunRequest(spec)))[:4] == ["0", "0", "1", "1"]
    finally:
        sys.modules.pop("own_fifo", None)


@pytest.mark.parametrize("answer", ["7", "None"])
def test_a_cpu_that_is_not_there_is_no_answer_of_select_cpu(tmp_path, answer):
    choice = f"    def select_cpu(self, p, prev_cpu, wake_flags):\n        return {answer}\n"
    message = failure(tmp_path, FIFO + choice)
    line = (FIFO + choice)[: (FIFO + choice).index("def select_cpu")].count("\n") + 1
    assert message == (
        f"the scheduling class fails: mine.py:{line}: "
        f"ExtError: Mine.select_cpu: there is no CPU {answer}"
    )


def test_a_task_that_never_runs_is_named_by_the_watchdog(tmp_path):
    message = failure(tmp_path, LOSES, more=", watchdog: 3s")
    assert re.fullmatch(
        r"the scheduler mine stalls: four\.py\[\d*[02468]\] has been runnable on cpu 0 since "
        r"\d\.\d{6} s and has not run for 3 s \(sched\.watchdog\)",
        message,
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("self.dsq_insert(p, 5)", "ExtError: there is no DSQ 5"),
        ("self.dsq_insert(p, SCX_DSQ_LOCAL_ON | 9)", "ExtError: there is no CPU 9"),
        ("self.dsq_insert_vtime(p, SCX_DSQ_GLOBAL, 1, 2)", "ExtError: a DSQ that is not one's own"),
        ("self.idle_cpus()", "ExtError: only select_cpu sees the load of all CPUs"),
        ("p.put('x', [])", "ExtError: what travels with a task is a number, text or None"),
        ("self.kick_cpu(1)", "ExtError: CPU 0 cannot kick CPU 1"),
        ("p.nothing", "AttributeError: "),
        (
            "self.dsq_insert(p, SCX_DSQ_LOCAL) or self.dsq_insert(p, SCX_DSQ_GLOBAL)",
            "ExtError: <four.py[3]> has been inserted already",
        ),
    ],
)
def test_what_cannot_be_ends_the_run_with_the_line_of_the_file(tmp_path, line, expected):
    source = FIFO.replace("self.dsq_insert(p, SCX_DSQ_LOCAL, 50_000_000)", line)
    message = failure(tmp_path, source)
    assert message.startswith(f"the scheduling class fails: mine.py:5: {expected}")


@pytest.mark.parametrize(
    ("more", "source", "expected"),
    [
        (", mine: {watchdog: 1s}, watchdog: 2s", FIFO, "says the same as sched.mine.watchdog"),
        (", watchdog: 1ns", FIFO, "sched.watchdog: must be from 1ms to 60min"),
        ("", FIFO.replace("p, enq_flags", "p"), "Mine: enqueue must take p, enq_flags"),
        (
            "",
            FIFO.replace("enqueue(", "enque("),
            "Mine: enque is called by nobody (did you mean en",
        ),
        ("", FIFO + "    def on_tick(self, p): pass\n", "did you mean tick?)"),
        (
            "",
            FIFO + "    def cpu_online(self, cpu): pass\n",
            "Mine: cpu_online of sched_ext is not h",
        ),
        ("", FIFO + "    Tunables = int\n", "Mine: its Tunables must derive from ExtTunables"),
    ],
)
def test_what_does_not_fit_is_told_where_it_is_named(tmp_path, more, source, expected):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, source, more)
    assert expected in "\n".join(map(str, caught.value.problems))


def test_in_enqueue_nobody_else_is_inserted(tmp_path):
    source = HELD.replace(
        "self.held.append(p)",
        "self.held.append(p)\n        if len(self.held) > 1:\n"
        "            self.dsq_insert(self.held.pop(0), SCX_DSQ_LOCAL)",
    )
    message = failure(tmp_path, source)
    assert re.search(r"mine\.py:9: ExtError: enqueue of <four\.py\[\d+\]> inserts <four", message)


def test_a_helper_may_be_called_like_a_callback(tmp_path):
    source = HELD.replace("self.held.append(p)", "self.enqueued(p)")
    helper = "    def enqueued(self, p):\n        self.held.append(p)\n"
    assert len(order(run(tmp_path, source + helper))) == 9


def test_weights_are_those_of_sched_ext():
    assert [weight(nice, 0) for nice in (-20, 0, 19)] == [8668, 100, 1]
    assert weight(0, 5) == 1  # SCHED_IDLE


def test_a_file_without_the_name_of_a_class_is_told_what_is_missing():
    with pytest.raises(PluginError, match=r"^mine\.py: which scheduling class of the file\?"):
        load_part(SCHED_CLASS, ("mine.py",))


@pytest.mark.parametrize("given", ["-3", "5e6"])
def test_a_slice_is_a_whole_number_of_ns_from_0_on(tmp_path, given):
    message = failure(tmp_path, FIFO.replace("50_000_000", given))
    assert "mine.py:5: ExtError: a slice must be a whole number of ns, from 0 on (got " in message


def test_a_virtual_time_is_a_whole_number(tmp_path):
    message = failure(tmp_path, VTIME.replace("* 100 // p.weight", "* 100 / p.weight"))
    assert "ExtError: a virtual time must be a whole number (got " in message
