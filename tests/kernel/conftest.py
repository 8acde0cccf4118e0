"""A real kernel without programs: memory, files and IPC, tasks made by hand, no CPUs.

``SmallKernel`` is a ``Kernel`` at either granularity, with the drivers of a real one. Tasks sleep
and wake through the kernel's own code; what it sends to CPUs is looked through for who may run, and
they do, one at a time, first come first served. At ``syscall`` the quick forms run, at ``step`` the
paths as they are written, and locks are watched. Locks take no time.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from kernel.arch import arch_of
from kernel.arch.stack import boot_stacks
from kernel.cred.creds import Cred, UserStruct
from kernel.drive.forms import is_path, pass_point, run_through
from kernel.drive.interleave import StepDriver
from kernel.drive.run_through import run_to_sleep
from kernel.errors import GuestFault, KernelError, RestartSyscall
from kernel.fs.file import dup_fd, init_files
from kernel.fs.fs_struct import init_fs
from kernel.fs.initramfs import boot_vfs
from kernel.ipc.pipe import recount_pipes
from kernel.kernel import Kernel
from kernel.machine import ImageSpec, MachineSpec
from kernel.messages import EFF_RESCHED, EFF_WAKE, NEVER
from kernel.mm.frames import Frames
from kernel.mm.ledger import check_committed, check_frames, recount, recount_cache, recount_reserved
from kernel.mm.mm import dup_mm, mm_alloc
from kernel.mm.slab import boot_slabs
from kernel.ns.nsproxy import boot_nsproxy
from kernel.ns.pid_namespace import boot_pid_ns
from kernel.points import ACQUIRE, READ, RELEASE
from kernel.process.limits import boot_rlimits
from kernel.process.pid import PidMap
from kernel.process.tasklist import TaskList
from kernel.profiles import profile_named
from kernel.smp.ttwu import try_to_wake_up
from kernel.task import TASK_NORMAL, TASK_RUNNING, SighandStruct, SignalStruct, TaskStruct
from tests.kernel.whole_kernel import machine, make  # noqa: F401 fixtures

FAILURES = (KernelError, GuestFault, RestartSyscall)


class Blocked(Exception):
    """The path that was to run to its end went to sleep."""


class SmallKernel(Kernel):
    """See the module header.

    Args:
        spec: fields of MachineSpec.
    """

    def __init__(self, **spec: Any) -> None:
        shape = MachineSpec(cpus=1, check=True, **spec)
        free = replace(shape.costs, lock_acquire=0, lock_hold=0)
        super().__init__(replace(shape, costs=free), None)  # type: ignore[arg-type]
        self.frames = Frames(
            self.spec.memory_bytes // self.spec.page_size,
            commit_limited=self.spec.overcommit_memory == 2,
        )
        self.slabs = boot_slabs(self.frames, self.spec.cpus, packed=self.spec.slab == "caches")
        self.arch = arch_of(self.spec.arch)
        self.stacks = boot_stacks(self)
        self.vfs = boot_vfs(self)
        self.pids = PidMap(32768)
        self.init_pid_ns = boot_pid_ns(self)
        self.init_nsproxy = boot_nsproxy(self.init_pid_ns)
        self.init_task = TaskStruct(0, 0, "swapper/0")
        self.tasks = TaskList(self.init_task, profile_named(self.spec.linux), 32768)
        self.tasks.rlimits = boot_rlimits(32768)
        self.by_pid: dict[int, TaskStruct] = {}
        self.runnable: deque[TaskStruct] = deque()
        self.results: dict[TaskStruct, Any] = {}
        self.driver = StepDriver(self)  # type: ignore[arg-type]  # what it needs is below
        self.after_step = None
        self.walked: Any = None
        self._stands_at: dict[Any, Any] = {}  # a path that is walked -> its point
        self.mms: list[Any] = []
        self.current: TaskStruct = self.new_task()

    def new_task(self, *, uid: int = 0, image: ImageSpec | None = None) -> TaskStruct:
        """Return a runnable task with nothing mapped or open, a process of its own."""
        pid = len(self.by_pid) + 1
        task = self.by_pid[pid] = TaskStruct(pid, pid, "task")
        task.state = TASK_RUNNING
        task.on_rq = True
        self.load.count(0, 1)
        task.cred = Cred(UserStruct(uid), uid, uid, uid, uid, uid)
        task.nsproxy = self.init_nsproxy
        task.signal = SignalStruct()
        task.signal.threads.append(task)
        task.sighand = SighandStruct(self.new_lock("siglock"), {})
        task.files = init_files(self)
        task.fs = init_fs(self)
        task.mm = mm_alloc(self, image)
        self.mms.append(task.mm)
        return task

    def fork(self) -> TaskStruct:
        """Return a child with copies of the current task's memory and descriptors."""
        child = self.new_task()
        old = self.mms.pop()
        self.frames.committed -= old.committed
        for name, slots in (("mm_struct", old.slots[-1:]), ("vm_area_struct", old.slots[:-1])):
            self.slabs[name].free_bulk(slots)
        child.mm = dup_mm(self, self.current.mm)
        self.mms.append(child.mm)
        self.slabs["files_cache"].free(child.files.slot)
        child.files = dup_fd(self, self.current.files)
        return child

    def thread(self) -> TaskStruct:
        """Return a thread of the current task."""
        task = self.new_task()
        self.mms.pop()
        parent = self.current
        task.tgid, task.signal, task.sighand = parent.tgid, parent.signal, parent.sighand
        task.signal.threads.append(task)
        task.mm, task.files, task.fs = parent.mm, parent.files, parent.fs
        task.mm.users += 1
        task.files.count += 1
        return task

    def run(self) -> None:
        """Run until everybody sleeps or has ended."""
        self._take_wakes()
        while self.runnable:
            task = self.runnable.popleft()
            if task.path is not None:
                self._run(task)
                self._take_wakes()

    def _take_wakes(self) -> None:
        """Note who may run, again or further; a CPU would run them now."""
        for effect in self.outbox.pop(0, ()):
            if effect[1] in (EFF_WAKE, EFF_RESCHED):
                self.runnable.append(self.by_pid[effect[2]])

    def _run(self, task: TaskStruct) -> None:
        """Run the path of ``task`` to its end or its sleep."""
        path, task.path = task.path, None
        assert path is not None
        before, self.current = self.current, task
        try:
            if self.stepwise:
                self._step_through(task, path)
            else:
                run_to_sleep(self, path)
        finally:
            self.active.clear()  # of a path that a test lets fail
            self.current = before

    def _step_through(self, task: TaskStruct, path: Any) -> None:
        self.requests.append((self.now_ns, task, path))
        self.driver.run(self.now_ns)
        while self.active:
            step_ns = self.driver.next_ns()
            assert step_ns < NEVER, f"{self.active[0]!r} waits for a lock that nobody gives back"
            self.driver.run(step_ns)

    def open(self, request: Any) -> Any:
        """For the driver of ``step``: whose path it is that begins or goes on."""
        _at_ns, self.current, path = request
        return path

    def open_timer(self) -> Any:
        """Take the first timer; return the path it starts, or what came of it."""
        at_ns, serial, kind, what = self.timers.pop()
        self.now_ns = max(self.now_ns, at_ns)
        return kind.expire(self, what, serial)

    def as_task(self, task: TaskStruct, function: Any, *args: Any) -> Any:
        """Call ``function(k, *args)`` as ``task`` and return its value or raise its error.

        Raises:
            Blocked: it went to sleep; ``result(task)`` tells later how it ended.
        """
        self.begin(task, function, *args)
        self.run()
        return self.result(task)

    def call(self, function: Any, *args: Any) -> Any:
        """``as_task`` for the current task."""
        return self.as_task(self.current, function, *args)

    def begin(self, task: TaskStruct, function: Any, *args: Any) -> None:
        """Make ``task`` start a call without waiting for it."""
        before, self.current = self.current, task
        self.results.pop(task, None)
        try:
            value = self.form(function)(self, *args)
        except FAILURES as failed:
            value = failed
        finally:
            self.current = before
        if is_path(value):
            task.path = self._returning(task, value)
            self.runnable.append(task)
        else:
            self.results[task] = value

    def _returning(self, task: TaskStruct, path: Any) -> Any:
        try:
            self.results[task] = yield from path
        except FAILURES as failed:
            self.results[task] = failed

    def result(self, task: TaskStruct) -> Any:
        """Return what ``task``'s call returned, or raise what it raised."""
        if task not in self.results:
            raise Blocked(task)
        value = self.results[task]
        if isinstance(value, BaseException):
            raise value
        return value

    def acquired(self, name: str) -> int:
        """Return how often locks of the class ``name`` have been taken."""
        stat = self.lock_stats.get(name)
        return 0 if stat is None else stat.acquisitions

    def sleeps(self, task: TaskStruct) -> bool:
        """Tell whether ``task`` is asleep in its call."""
        return task.path is not None and task not in self.runnable

    def advance(self, to_ns: int) -> None:
        """Let time go on to ``to_ns``, firing timers."""
        while self.timers.next_ns() <= to_ns:
            before = self.current
            self._finish(self.open_timer())
            self.current = before
            self.run()
        self.now_ns = max(self.now_ns, to_ns)

    def signal(self, task: TaskStruct) -> None:
        """Make a signal pending for ``task`` and wake it as signal_wake_up does."""
        task.sigpending = True
        self._finish(self.form(try_to_wake_up)(self, task, TASK_NORMAL))
        self.run()

    def _finish(self, value: Any) -> None:
        """Run what is a path and never sleeps to its end."""
        if is_path(value):
            run_through(self, value)

    def walk(self, path: Any, until: str | None = None) -> list[str]:
        """Run ``path`` for the current task up to the point ``until``, or to its end.

        Sleeps are passed, and locks: whoever runs meanwhile finds them free. Returns the names of
        the points passed; ``walked`` is then the result.
        """
        names = []
        point = self._stands_at.pop(path, None)
        try:
            while True:
                answer = None
                if point is not None and point[1] not in (ACQUIRE, READ, RELEASE):
                    answer = pass_point(self, point[1], point[2])
                point = path.send(answer)
                if point[0] == until:
                    self._stands_at[path] = point
                    break
                names.append(point[0])
        except StopIteration as done:
            self.walked = done.value
        return names

    def check_memory(self) -> None:
        """Compare all frame reference counts with everything that holds frames."""
        mms = [mm for mm in self.mms if mm.users]
        owners = [recount(mms), recount_cache(self.frames), recount_pipes(self)]
        owners += [cache.recount() for cache in self.slabs.values()]
        check_frames(self.frames, owners, self.stacks.nr_pages + recount_reserved(mms))
        check_committed(self.frames, mms)


@pytest.fixture(params=["syscall", "step"])
def mini(request: pytest.FixtureRequest) -> SmallKernel:
    """A fresh small kernel whose current task is root's, with nothing mapped or open."""
    return SmallKernel(granularity=request.param)


@pytest.fixture(params=["syscall", "step"], scope="session")
def make_mini(request: pytest.FixtureRequest) -> Callable[..., SmallKernel]:
    """Makes small kernels: ``make_mini(memory_bytes=…)``, fields of MachineSpec."""
    return partial(SmallKernel, granularity=request.param)
