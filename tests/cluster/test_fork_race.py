"""Who goes on first after a fork, on which CPU, and what that saves: the report of whole runs."""

import json

import pytest

from cluster.build import guest_spec
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import run_local
from kernel.cpu.task import CpuTask

FORKS, PAGES = 10, 8

# after each fork the parent writes all its pages, and the child's last write is long past
WRITES = """import mmap
import os

from workloads import guest

memory = mmap.mmap(-1, {pages} * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(memory, 0, {pages})
for _ in range({forks}):
    pid = {call}
    if not pid:
        {child}
    guest.touch(memory, 0, {pages})
    os.waitpid(pid, 0)
"""
LEAVES = "os._exit(0)"
EXECS = 'os.execv("/bin/true", ["true"])'
COPIES = f"guest.touch(memory, 0, {PAGES})\n        os._exit(0)"

THREADS = f"""import _thread
import time


def work():
    pass


for _ in range({FORKS}):
    _thread.start_new_thread(work, ())
    time.sleep(0.01)
"""


def report(tmp_path, text=WRITES, child=LEAVES, call="os.fork()", cpus=1, **fields):
    path = tmp_path / "forks.py"
    path.write_text(text.format(forks=FORKS, pages=PAGES, child=child, call=call), "utf-8")
    result = run_local(RunRequest(guest_spec(path, [], cpus=cpus, trace=False, **fields)))
    assert result.exit_kind == DONE, result.message
    order, memory = result.summary["fork_order"], result.summary["memory"]
    return order, (memory["cow_copied"], memory["cow_saved"])


def first_here(counts):
    return counts["on_parents_cpu_first"], counts["on_parents_cpu"], counts["ran_elsewhere"]


FAIR = ("eevdf", "cfs", "o1")
# of the children on their parent's CPU: forked ones, and those of a vfork, whose parent waits
FIRST = {"on": (FORKS, FORKS), "off": (0, FORKS), "vfork_only": (0, FORKS)}


@pytest.mark.parametrize("fair", FAIR)
@pytest.mark.parametrize("word", FIRST)
def test_on_one_cpu_every_child_is_first_or_none_as_configured(tmp_path, fair, word):
    forked, vforked = FIRST[word]
    order, _ = report(tmp_path, fair=fair, child_runs_first=word)
    assert first_here(order["forks"])[:2] == (forked, FORKS)
    order, _ = report(tmp_path, fair=fair, child_runs_first=word, call="guest.vfork()")
    assert first_here(order["vforks"])[:2] == (vforked, FORKS)


@pytest.mark.parametrize("fair", FAIR)
def test_as_linux_did_it_only_o1_lets_children_first_and_no_thread(tmp_path, fair):
    order, _ = report(tmp_path, fair=fair)
    assert first_here(order["forks"]) == (FORKS * (fair == "o1"), FORKS, 0)
    order, _ = report(tmp_path, THREADS, fair=fair)
    assert first_here(order["threads"]) == (0, FORKS, 0)


@pytest.mark.parametrize("fair", FAIR)
@pytest.mark.parametrize(
    ("child", "copied", "saved"),
    [(LEAVES, 0, FORKS * PAGES), (EXECS, 0, FORKS * PAGES), (COPIES, FORKS * PAGES, 0)],
)
def test_a_child_that_leaves_first_saves_its_parent_the_copies(
    tmp_path, fair, child, copied, saved
):
    plain = "" if child is EXECS else "os._exit(0)"
    base = report(tmp_path, text="import os\n" + plain, fair=fair)[1][0]
    _, (copies, found) = report(tmp_path, child=child, fair=fair, child_runs_first="on")
    assert found == saved
    assert copied <= copies - base < copied + 3 * FORKS  # and what a child writes of its own


@pytest.mark.parametrize("fair", FAIR)
def test_a_parent_that_writes_before_its_child_leaves_saves_nothing(tmp_path, fair):
    _, (copies, saved) = report(tmp_path, fair=fair, child_runs_first="off")
    assert saved == 0
    assert copies >= FORKS * PAGES


@pytest.mark.parametrize(("last", "saved"), [(False, PAGES), (True, PAGES - 2)])
def test_the_last_to_leave_a_page_decides_whether_its_copy_was_saved(tmp_path, last, saved):
    text = f"""import mmap
import os
import time

from workloads import guest

memory = mmap.mmap(-1, {PAGES} * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(memory, 0, {PAGES})
for copies in (False, {last}):
    if os.fork() == 0:
        if copies:
            time.sleep(0.05)
            guest.touch(memory, 0, 2)
        os._exit(0)
time.sleep(0.1)
guest.touch(memory, 0, {PAGES})
"""
    assert report(tmp_path, text)[1][1] == saved


def test_a_child_that_outlives_its_parent_has_saved_it_nothing(tmp_path):
    text = f"""import mmap
import os
import time

from workloads import guest

memory = mmap.mmap(-1, {PAGES} * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(memory, 0, {PAGES})
if os.fork():
    os._exit(0)
time.sleep(0.1)
guest.touch(memory, 0, {PAGES})
"""
    _, (_, saved) = report(tmp_path, text)
    assert saved == 0


def test_children_elsewhere_are_told_from_those_beside_their_parent(tmp_path):
    text = WRITES.replace("os.waitpid(pid, 0)", "os.waitpid(pid, 0)\n    guest.compute(50000)")
    order, _ = report(tmp_path, text, cpus=4)
    forks = order["forks"]
    assert forks["on_parents_cpu"] + forks["elsewhere"] == FORKS
    assert forks["elsewhere"] == forks["ran_elsewhere"] == FORKS  # there are idle CPUs
    assert 0 <= forks["elsewhere_first"] <= FORKS


def test_a_parent_that_has_to_wait_for_its_cpu_lets_a_child_elsewhere_go_first(tmp_path):
    # four spinners on two CPUs: at its return from fork the parent's turn is over now and then
    text = """import os

from workloads import guest

for _ in range(4):
    if os.fork() == 0:
        for _ in range(40):
            pid = os.fork()
            if not pid:
                os._exit(0)
            guest.compute(3000000)
            os.waitpid(pid, 0)
        os._exit(0)
for _ in range(4):
    os.wait()
"""
    order, _ = report(tmp_path, text, cpus=2)
    forks = order["forks"]
    assert forks["on_parents_cpu"] + forks["elsewhere"] == 164
    assert forks["ran_elsewhere"] > 0


def test_a_killed_parent_leaves_its_fork_undecided_and_breaks_nothing(tmp_path):
    text = """import os
import signal

if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0:
        os.kill(parent, signal.SIGKILL)
        os._exit(0)
    while True:
        pass
os.wait()
"""
    order, _ = report(tmp_path, text, child_runs_first="on")
    assert order["forks"]["on_parents_cpu"] == 2


@pytest.mark.parametrize("word", ["on", "off"])
def test_exact_and_barrier_agree_on_one_cpu(tmp_path, word):
    path = tmp_path / "forks.py"
    text = WRITES.format(forks=FORKS, pages=PAGES, child=LEAVES, call="os.fork()")
    path.write_text(text, "utf-8")
    spec = guest_spec(path, [], cpus=1, trace=False, child_runs_first=word)
    found = [run_local(RunRequest(spec, scheme=scheme)).summary for scheme in ("exact", "barrier")]
    assert found[0]["fork_order"] == found[1]["fork_order"]


def test_what_the_kernel_is_to_hear_of_a_fork_travels_with_the_task():
    task = CpuTask(5, 5, "child")
    task.fork_of, task.went_on, task.went_on_ns, task.went_on_cpu = 7, 5, 1_000, 3
    packed = json.loads(json.dumps(task.pack()))
    again = CpuTask.unpack(packed, None)
    assert (again.fork_of, again.went_on, again.went_on_ns, again.went_on_cpu) == (7, 5, 1_000, 3)
