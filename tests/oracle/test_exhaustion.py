"""Machines that run out of threads, pids or memory: the right errno, nothing lost, and it recovers.

In the manner of xv6's forktest: fork until it fails, let everybody go, and be able to do it again.
Every run checks all invariants at its end, so what leaked would show.
"""

from pathlib import Path
from typing import Any

import pytest

from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import DONE, RunRequest

FORK_UNTIL_IT_FAILS = """
import os

def round():
    r, w = os.pipe()
    children = 0
    error = 0
    while True:
        try:
            pid = os.fork()
        except OSError as failed:
            error = failed.errno
            break
        if pid == 0:
            os.close(w)
            os.read(r, 1)
            os._exit(children % 256)
        children += 1
    os.close(w)
    os.close(r)
    for _ in range(children):
        os.wait()
    try:
        os.wait()
    except ChildProcessError:
        pass
    return children, error

first = round()
print(first[1], first[0] > 5)
second = round()  # numbers below 300 are given once only
print(second[1] == first[1], second[0] > 5)
for _ in range(2):
    print(round() == second)
"""

THREADS_UNTIL_IT_FAILS = """
import os
import threading

gate = threading.Lock()
def body():
    gate.acquire()
    gate.release()

def round():
    gate.acquire()
    threads = []
    try:
        while True:
            thread = threading.Thread(target=body)
            thread.start()
            threads.append(thread)
    except RuntimeError as error:
        print(error)
    except OSError as error:
        print("errno", error.errno)
    gate.release()
    for thread in threads:
        thread.join()
    return len(threads)

first = round()
print(first > 5)
pid = os.fork()
if pid == 0:
    os._exit(3)
print(os.waitpid(pid, 0)[1])
"""

WRITE_UNTIL_IT_FAILS = """
import mmap
import os
from workloads import guest

PAGES = 200
m = mmap.mmap(-1, PAGES * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
guest.touch(m, 0, PAGES)
for attempt in range(3):
    r, w = os.pipe()
    pids = []
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            guest.touch(m, 0, PAGES)
            os.close(w)
            os.read(r, 1)
            os._exit(0)
        pids.append(pid)
    killed = 0
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    os.close(r)
    os.close(w)
    for pid in pids:
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            killed += 1
            if os.WTERMSIG(status) != 9:
                print("signal", os.WTERMSIG(status))
    print(0 < killed < 8)
pid = os.fork()
if pid == 0:
    guest.touch(m, 0, PAGES)
    os._exit(5)
print(os.waitpid(pid, 0)[1] >> 8)
"""

EXEC_WITHOUT_MEMORY = """
import mmap
import os
from workloads import guest

free = 0
errors = set()
m = mmap.mmap(-1, 3000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    for page in range(3000):
        inner = os.fork()
        if inner == 0:
            try:
                os.execv("/bin/true", ["true"])
            except OSError as error:
                os._exit(error.errno)
        status = os.waitpid(inner, 0)[1]
        if status:
            os._exit(status >> 8)
        guest.touch(m, page, 1)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print(os.WIFEXITED(status), os.WEXITSTATUS(status))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 6"], {})
print(os.waitpid(pid, 0)[1] >> 8)
"""

LARGEST_IS_KILLED = """
import mmap
import os
from workloads import guest

def holder(pages, gate, ready):
    pid = os.fork()
    if pid == 0:
        m = mmap.mmap(-1, pages * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        guest.touch(m, 0, pages)
        os.write(ready, b"x")
        os.read(gate, 1)
        os._exit(0)
    return pid

gate, keep = os.pipe()
told, ready = os.pipe()
small = holder(500, gate, ready)
os.read(told, 1)
large = holder(1500, gate, ready)
os.read(told, 1)
middle = holder(800, gate, ready)
os.read(told, 1)
mine = os.fork()
if mine == 0:
    m = mmap.mmap(-1, 1200 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    guest.touch(m, 0, 1200)
    os._exit(7)
names = {small: "small", large: "large", middle: "middle", mine: "mine"}
ended = []
for _ in range(2):
    pid, status = os.wait()
    ended.append((names[pid], status))
print(sorted(ended))
os.write(keep, b"xxxx")
for _ in range(2):
    pid, status = os.wait()
    print(status)
"""

SHARERS_DIE_TOGETHER = """
import mmap
import os
import threading
from workloads import guest

def eat(m):
    guest.touch(m, 0, 4000)

pid = os.fork()
if pid == 0:
    m = mmap.mmap(-1, 4000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    thread = threading.Thread(target=eat, args=(m,))
    thread.start()
    thread.join()
    print("lives")
print(os.waitpid(pid, 0)[1])
pid = os.fork()
if pid == 0:
    m = mmap.mmap(-1, 4000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if guest.vfork() == 0:
        guest.touch(m, 0, 4000)
        os._exit(0)
    print("lives")
    os._exit(0)
print(os.waitpid(pid, 0)[1])
"""

ORPHANS = """
import os

r, w = os.pipe()
for _ in range(50):
    pid = os.fork()
    if pid == 0:
        os.close(r)
        for _ in range(100):
            if os.fork() == 0:
                os._exit(1)
        os._exit(0)
    os.waitpid(pid, 0)
os.close(w)
print(os.read(r, 1))
try:
    os.wait()
except ChildProcessError as error:
    print(error.errno)
"""

NUMBERS_GO_ROUND = """
import os

def child():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid

gate, keep = os.pipe()
leader = os.fork()
if leader == 0:
    os.setpgid(0, 0)
    os.close(keep)
    os.read(gate, 1)
    os._exit(0)
os.setpgid(leader, leader)
member = os.fork()
if member == 0:
    os.close(keep)
    os.read(gate, 1)
    os._exit(0)
os.setpgid(member, leader)
os.kill(leader, 9)
os.waitpid(leader, 0)
seen = []
last = 0
wraps = 0
lowest = 1 << 30
ordered = True
while wraps < __WRAPS__:
    pid = child()
    os.waitpid(pid, 0)
    if pid < last:
        wraps += 1
        lowest = pid
    elif last and pid != last + 1 and not (last < leader < pid and pid == last + 2) and not (
        last < member < pid and pid <= last + 3
    ):
        ordered = False
        print("from", last, "to", pid)
    if pid in (leader, member):
        print("given twice", pid)
    last = pid
print(ordered, lowest)
os.kill(-leader, 9)
os.waitpid(member, 0)
found = False
for _ in range(__LAP__):
    pid = child()
    os.waitpid(pid, 0)
    found = found or pid == leader
print(found == (leader >= 300))
"""

RECYCLED_NUMBER = """
import os
import signal

first = 0
while first < 310:  # numbers below 300 are given once only
    if first:
        os.waitpid(first, 0)
    first = os.fork()
    if first == 0:
        os._exit(0)
fd = os.pidfd_open(first)
os.waitpid(first, 0)
again = 0
while again != first:
    again = os.fork()
    if again == 0:
        signal.pause()
    if again != first:
        os.kill(again, 9)
        os.waitpid(again, 0)
try:
    signal.pidfd_send_signal(fd, 9)
except ProcessLookupError as error:
    print(error.errno)
print(os.waitpid(again, os.WNOHANG))
os.kill(again, 15)
print(os.waitpid(again, 0)[1])
"""


def run(folder: Path, source: str, **changes: Any) -> list[str]:
    """Run a program on a machine; return the lines it printed."""
    path = folder / "prog.py"
    path.write_text(source)
    spec = guest_spec(path, [], **{"cpus": 2, "trace": False, **changes})
    result = run_machine(RunRequest(spec, scheme="exact", max_wall_s=120))
    assert result.exit_kind == DONE, result.message
    assert result.statuses[0][2] == 0, result.outputs
    return result.outputs["prog.py.stdout"].decode().splitlines()


@pytest.mark.parametrize("cpus", [4, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("limit", [{"threads_max": 30}, {"pid_max": 400}])
def test_fork_fails_with_eagain_and_works_again(
    tmp_path: Path, limit: dict[str, int], cpus: int
) -> None:
    lines = run(tmp_path, FORK_UNTIL_IT_FAILS, cpus=cpus, **limit)
    assert lines == ["11 True", "True True", "True", "True"]


def test_thread_start_fails_and_works_again(tmp_path: Path) -> None:
    lines = run(tmp_path, THREADS_UNTIL_IT_FAILS, threads_max=30)
    assert lines == ["can't start new thread", "True", str(3 << 8)]


@pytest.mark.parametrize("cpus", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_fork_without_memory_fails_with_enomem_and_works_again(tmp_path: Path, cpus: int) -> None:
    lines = run(tmp_path, FORK_UNTIL_IT_FAILS, cpus=cpus, memory_bytes=16 << 20, threads_max=9000)
    assert lines == ["12 True", "True True", "True", "True"]


@pytest.mark.parametrize("cpus", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_copy_on_write_without_memory_kills_and_gives_all_back(tmp_path: Path, cpus: int) -> None:
    small = {"cpus": cpus, "memory_bytes": 6 << 20, "oom_kill_allocating_task": True}
    lines = run(tmp_path, WRITE_UNTIL_IT_FAILS, **small)
    assert lines == ["True"] * 3 + ["5"]


@pytest.mark.parametrize("cpus", [1, 4])
def test_out_of_memory_kills_the_largest_and_the_others_go_on(tmp_path: Path, cpus: int) -> None:
    lines = run(tmp_path, LARGEST_IS_KILLED, cpus=cpus, memory_bytes=14 << 20)
    assert lines == ["[('large', 9), ('mine', 1792)]", "0", "0"]


def test_out_of_memory_kills_who_faults_if_told_so(tmp_path: Path) -> None:
    change = {"oom_kill_allocating_task": True}
    lines = run(
        tmp_path, LARGEST_IS_KILLED.replace("2):", "1):", 1), memory_bytes=14 << 20, **change
    )
    assert lines[0] == "[('mine', 9)]"


def test_out_of_memory_ends_all_who_share_the_memory(tmp_path: Path) -> None:
    assert run(tmp_path, SHARERS_DIE_TOGETHER, memory_bytes=10 << 20, overcommit_memory=1) == [
        "9",
        "9",
    ]


def test_out_of_memory_may_be_a_panic(tmp_path: Path) -> None:
    path = tmp_path / "prog.py"
    path.write_text(LARGEST_IS_KILLED)
    spec = guest_spec(path, [], memory_bytes=14 << 20, panic_on_oom=True)
    result = run_machine(RunRequest(spec, scheme="exact", max_wall_s=120))
    assert "Kernel panic - not syncing: Out of memory" in result.message


def test_exec_without_memory_fails_with_enomem(tmp_path: Path) -> None:
    assert run(tmp_path, EXEC_WITHOUT_MEMORY, memory_bytes=12 << 20) == ["True 12", "6"]


@pytest.mark.parametrize("cpus", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_init_reaps_five_thousand_orphans(tmp_path: Path, cpus: int) -> None:
    assert run(tmp_path, ORPHANS, cpus=cpus) == ["b''", "10"]


@pytest.mark.parametrize(
    ("pid_max", "wraps", "more"),
    [(400, 2, 400), pytest.param(32768, 1, 10, marks=pytest.mark.slow)],
)
def test_numbers_go_round_and_a_group_keeps_its_leaders(
    tmp_path: Path, pid_max: int, wraps: int, more: int
) -> None:
    source = NUMBERS_GO_ROUND.replace("__LAP__", str(more)).replace("__WRAPS__", str(wraps))
    lines = run(tmp_path, source, pid_max=pid_max)
    assert lines[-2:] == ["True 300", "True"], lines


def test_a_pidfd_does_not_reach_a_later_process_of_the_same_number(tmp_path: Path) -> None:
    assert run(tmp_path, RECYCLED_NUMBER, pid_max=400) == ["3", "(0, 0)", "15"]
