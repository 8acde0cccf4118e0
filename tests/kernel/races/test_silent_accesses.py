"""No step hides an access that races: each has a point in front of it, or a reason in this list.

``lockset.Watch`` finds accesses to what tasks are made of (``lockset.WATCHED``) that neither a
lock nor an order of events keeps apart. In a step with several only the first can be preceded by
another path; the others are *silent*: an order of theirs that Linux has and no schedule shows.
"""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster import fast_core
from kernel.points import POINT, RELEASE

pytestmark = pytest.mark.skipif(fast_core.core() == "compiled", reason="only the pure core")

HERE = Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("smplab_test_lockset", HERE / "lockset.py")
lockset = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(lockset)
SCENARIOS = sorted(path.stem for path in (HERE.parents[1] / "guest" / "race").glob("*.py"))

SHOWN = "shown and not acted upon: a trace record, an accounting record, /proc"
COUNT = "a reference count, an atomic of Linux: one step changes it and acts on the result"
OURS = "the emulator's own, about which half of a task has what; no field of Linux"
ORDERS = "decided once per system call, as on Linux; a change that comes later is seen next time"
SUMS = "times of a thread group, added up when it has ended or nearly; Linux: stats_lock, seqlock"

ANYWHERE = None

# field -> functions, and why the access need not be a point
REASONS = {
    "FilesStruct.count": (("copy_files",), COUNT),
    "FsStruct.in_exec": (
        ("sys_execve",),
        "cleared without the lock of fs, as on Linux; copy_fs() looks at it and counts in one step",
    ),
    "FsStruct.users": (("copy_fs",), COUNT),
    "MmStruct.users": (
        ("mmget", "mm_release", "resume"),
        "raised by who runs in it: see the field; a look at it on Linux too (mm_release), or ours",
    ),
    "SighandStruct.count": (("copy_sighand", "release_task", "_unwind"), COUNT),
    "SignalStruct.ac_flag": (
        ("do_exit",),
        "or-ed in one step; Linux: acct_collect() under siglock",
    ),
    "SignalStruct.count": (("_link_thread", "put_task_struct", "release_task"), COUNT),
    "SignalStruct.flags": (
        ("do_exit", "exit_signals"),
        "a trace record; and SIGNAL_GROUP_EXIT, which stays, read without siglock on Linux, too",
    ),
    "SignalStruct.group_exit_code": (("_end_group", "do_exit"), SHOWN),
    "SignalStruct.live": (("do_exit",), COUNT),
    "SignalStruct.nr_threads": (("resume",), OURS),
    "SignalStruct.shared_pending": (
        ("recalc_sigpending_tsk", "send_signal_locked"),
        "posix_spawn() unblocks signals without siglock; what comes then is seen at its end",
    ),
    "SignalStruct.stime_ns": (("_exit_signal", "wait_task_zombie"), SUMS),
    "SignalStruct.utime_ns": (("_exit_signal", "wait_task_zombie"), SUMS),
    "TaskStruct.blocked": (
        ("_wants_signal", "sys_posix_spawn"),
        "only its task changes it; who sends a signal meanwhile may take either mask, as on Linux",
    ),
    "TaskStruct.ctx": (ANYWHERE, OURS),
    "TaskStruct.exit_state": (
        ("pidfd_poll", "zap_process"),
        "a look without tasklist_lock, on Linux too; who dies later wakes or ignores the signal",
    ),
    "TaskStruct.flags": (("copy_process",), "only its task changes it; the copy may be of before"),
    "TaskStruct.jobctl": (
        ("ptrace_unfreeze_traced",),
        "looked at without siglock first, as on Linux, and again under it",
    ),
    "TaskStruct.msg_ns": (ANYWHERE, OURS),
    "TaskStruct.pi_lock": (("pi_lock",), "the emulator makes locks at their first use"),
    "TaskStruct.ptrace": (("do_exit", "ptrace_event_enabled", "syscall"), ORDERS),
    "TaskStruct.sighand": (("free_task",), "the last reference is gone: RCU on Linux"),
    "TaskStruct.signal": (("check_kill_permission", "free_task"), "read under RCU on Linux"),
    "TaskStruct.sigpending": (
        ("wake_up_new_task", "fatal_signal_pending"),
        "looked at again when the task comes to user mode, or goes round its loop",
    ),
    "TaskStruct.state": (
        ("set_task_state", "try_to_wake_up"),
        "the check of the table of moves; and a waker's second look, under the runqueue's lock",
    ),
    "TaskStruct.tracing": (
        ("_state_of", "ptrace_unlink", "tracing_of"),
        "lives as long as the link; a tracer that goes away clears it under tasklist_lock",
    ),
}


def silent_in(outcome, name, seed, cpus=4):
    with lockset.watching() as watch:
        kind, message, *_ = outcome(
            f"race/{name}.py", cpus=cpus, seed=seed, tie_break="random", check=False
        )
    assert (kind, message) == ("done", "")
    assert watch.step > 50
    return watch.silent()


def unexplained(found):
    missing = []
    for field, function in sorted(found):
        functions, _why = REASONS.get(field, ((), ""))
        if functions is not ANYWHERE and function not in functions:
            missing.append(f"{field} in {function}()")
    return missing


@pytest.mark.parametrize("name", SCENARIOS[::4])
def test_every_racing_access_is_a_point_or_has_a_reason(outcome, name):
    assert unexplained(silent_in(outcome, name, 1)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_racing_access_is_a_point_or_has_a_reason_on_more_schedules(outcome, name):
    for seed in range(2, 6):
        assert unexplained(silent_in(outcome, name, seed, 2 + seed)) == []


# -- the watch itself ------------------------------------------------------------------------------


class Toy:
    """A watched run of two tasks, made by hand."""

    def __init__(self):
        self.watch = lockset.Watch()
        self.tasks = ["a", "b"]
        self.shared = SimpleNamespace()

    def step(self, who, accesses, kind=POINT, obj=None, held=()):
        path = SimpleNamespace(
            op=("p", kind, obj), task=self.tasks[who], held=[(lock, "", False) for lock in held]
        )
        self.watch.begin(path)
        for field, write in accesses:
            code = SimpleNamespace(co_name=f"f{who}", co_filename="toy.py")
            self.watch.note(self.shared, field, write, code)
        self.watch.end()


def test_the_second_racing_access_of_a_step_is_silent_and_the_first_is_not():
    toy = Toy()
    toy.step(0, [("x", True), ("y", True)])
    toy.step(1, [("x", False)])
    toy.step(1, [("y", False)])
    assert toy.watch.silent() == {("SimpleNamespace.y", "f0")}


def test_an_access_behind_a_release_is_silent():
    toy, lock = Toy(), SimpleNamespace()
    toy.step(0, [("x", True)], RELEASE, lock)
    toy.step(1, [("x", True)])
    assert toy.watch.silent() == {("SimpleNamespace.x", "f0")}


def test_what_a_common_lock_guards_or_a_lock_orders_is_no_race():
    toy, lock = Toy(), SimpleNamespace()
    toy.step(0, [("x", True), ("y", True)], held=[lock])
    toy.step(1, [("x", True), ("y", True)], held=[lock])
    toy.step(0, [("z", True)])
    toy.step(0, [], RELEASE, lock)
    toy.step(1, [("z", True)], lockset.ACQUIRE, lock)
    assert toy.watch.silent() == set()
