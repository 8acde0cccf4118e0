"""A kernel just large enough to run the paths of memory, files and IPC without CPUs and processes.

Tasks sleep and wake through the real ``kernel.smp.ttwu``; the driver here runs whoever is
runnable, first come first served, and checks that locks are taken and given back properly.
"""

from collections import deque
from types import GeneratorType, SimpleNamespace
from typing import Any

import pytest

from kernel.arch import arch_of
from kernel.cred.creds import Cred, UserStruct
from kernel.errors import GuestFault, KernelError, RestartSyscall
from kernel.fs.file import dup_fd, init_files
from kernel.fs.fs_struct import init_fs
from kernel.fs.initramfs import boot_vfs
from kernel.ipc.pipe import recount_pipes
from kernel.kernel import Kernel
from kernel.machine import ImageSpec, MachineSpec
from kernel.mm.frames import Frames
from kernel.mm.ledger import check_committed, check_frames, recount, recount_cache, recount_reserved
from kernel.mm.mm import dup_mm, mm_alloc
from kernel.mm.slab import boot_slabs
from kernel.ns.nsproxy import boot_nsproxy
from kernel.points import ACQUIRE, KIND_NAMES, READ, RELEASE, SCHEDULE
from kernel.process.limits import boot_rlimits
from kernel.smp.load import load_dec
from kernel.smp.ttwu import try_to_wake_up
from kernel.task import TASK_NORMAL, TASK_RUNNING, SighandStruct, SignalStruct, TaskStruct


class Blocked(Exception):
    """The path that was to run to its end went to sleep."""


class MiniKernel(Kernel):
    """What ``k`` is in kernel paths."""

    def __init__(self, **spec: Any) -> None:
        super().__init__(MachineSpec(cpus=1, **spec), None)  # type: ignore[arg-type]
        self.frames = Frames(
            self.spec.memory_bytes // self.spec.page_size,
            commit_limited=self.spec.overcommit_memory == 2,
        )
        self.slabs = boot_slabs(self.frames, self.spec.cpus)
        self.arch = arch_of(self.spec.arch)
        self.stacks = self.arch.boot_stacks(self)
        self.vfs = boot_vfs(self)
        self.tasks = SimpleNamespace(rlimits=boot_rlimits(32768))
        self.pids = SimpleNamespace(kernel=None)  # no pid namespaces
        self.points: list[str] = []
        self.runnable: deque[TaskStruct] = deque()
        self.results: dict[TaskStruct, Any] = {}
        self.alarms: list[tuple[int, TaskStruct]] = []
        self.mms: list[Any] = []
        self.last_pid = 0
        self.user = UserStruct(0)
        self.nsproxy = boot_nsproxy(None)
        self.current: TaskStruct = self.new_task()

    # what paths call

    def emit(self, event: int, *fields: Any) -> None:
        self.trace.append((event, *fields))

    def arm_timer(self, task: TaskStruct, at_ns: int) -> None:
        self.cancel_timer(task)
        self.alarms.append((at_ns, task))

    def cancel_timer(self, task: TaskStruct) -> None:
        self.alarms = [timer for timer in self.alarms if timer[1] is not task]

    def kick(self, task: TaskStruct) -> None: ...

    def send_task(self, cpu: int, task: TaskStruct, *rest: Any) -> None:
        self.runnable.append(task)

    # what tests call

    def new_task(self, *, uid: int = 0, image: ImageSpec | None = None) -> TaskStruct:
        self.last_pid += 1
        task = TaskStruct(self.last_pid, self.last_pid, "task")
        task.state = TASK_RUNNING
        task.on_rq = True
        self.load.count(0, 1)
        task.cred = Cred(UserStruct(uid), uid, uid, uid, uid, uid)
        task.nsproxy = self.nsproxy
        task.signal = SignalStruct()
        task.signal.threads.append(task)
        task.sighand = SighandStruct(self.new_lock("siglock"), {})
        task.files = init_files(self)  # type: ignore[arg-type]
        task.fs = init_fs(self)  # type: ignore[arg-type]
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
        child.files = dup_fd(self, self.current.files)  # type: ignore[arg-type]
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

    def start(self, task: TaskStruct, value: Any) -> None:
        """Begin the call whose value or path is ``value`` on behalf of ``task``; let it run."""
        if type(value) is not GeneratorType:
            self.results[task] = value
            return
        task.path = value
        self.runnable.append(task)

    def run(self) -> None:
        """Run until everybody sleeps or has ended."""
        while self.runnable:
            task = self.runnable.popleft()
            if task.path is not None:
                self._run(task)

    def _run(self, task: TaskStruct) -> None:
        path, task.path = task.path, None
        assert path is not None
        before, self.current = self.current, task
        held: list[Any] = []
        try:
            for name, kind, obj in path:
                self.points.append(name)
                assert kind in range(len(KIND_NAMES))
                if kind in (ACQUIRE, READ):
                    assert obj not in held, f"{name}: {obj.name} is taken already"
                    held.append(obj)
                elif kind == RELEASE:
                    held.remove(obj)
                elif kind == SCHEDULE:
                    assert not held, f"{name}: sleeps with {held[0].name} held"
                    if task.state != TASK_RUNNING:
                        task.on_rq = False
                        load_dec(self, 0)
                        task.path = path
                        return
        except StopIteration:
            raise
        except (KernelError, GuestFault, RestartSyscall) as failed:
            self.results[task] = failed
        finally:
            self.current = before
        assert not held

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
            value = function(self, *args)
            if type(value) is GeneratorType:
                value = self._returning(task, value)
        except (KernelError, GuestFault) as failed:
            value = failed
        finally:
            self.current = before
        self.start(task, value)

    def _returning(self, task: TaskStruct, path: Any) -> Any:
        self.results[task] = yield from path

    def result(self, task: TaskStruct) -> Any:
        """Return what ``task``'s call returned, or raise what it raised."""
        if task not in self.results:
            raise Blocked(task)
        value = self.results[task]
        if isinstance(value, BaseException):
            raise value
        return value

    def sleeps(self, task: TaskStruct) -> bool:
        """Tell whether ``task`` is asleep in its call."""
        return task.path is not None and task not in self.runnable

    def advance(self, to_ns: int) -> None:
        """Let time go on to ``to_ns``, firing timers."""
        while self.alarms and min(self.alarms, key=lambda timer: timer[0])[0] <= to_ns:
            at_ns, task = min(self.alarms, key=lambda timer: timer[0])
            self.alarms.remove((at_ns, task))
            self.now_ns = max(self.now_ns, at_ns)
            for _point in try_to_wake_up(self, task, TASK_NORMAL):  # type: ignore[arg-type]
                pass
            self.run()
        self.now_ns = max(self.now_ns, to_ns)

    def signal(self, task: TaskStruct) -> None:
        """Make a signal pending for ``task`` and wake it as signal_wake_up does."""
        task.sigpending = True
        for _point in try_to_wake_up(self, task, TASK_NORMAL):  # type: ignore[arg-type]
            pass
        self.run()

    def check_memory(self) -> None:
        """Compare all frame reference counts with everything that holds frames."""
        mms = [mm for mm in self.mms if mm.users]
        owners = [recount(mms), recount_cache(self.frames), recount_pipes(self)]  # type: ignore[arg-type]
        owners += [cache.recount() for cache in self.slabs.values()]
        check_frames(self.frames, owners, self.stacks.nr_pages + recount_reserved(mms))
        check_committed(self.frames, mms)


@pytest.fixture
def mini() -> MiniKernel:
    """A fresh small kernel whose current task is root's, with nothing mapped or open."""
    return MiniKernel()


@pytest.fixture(scope="session")
def make_mini() -> type[MiniKernel]:
    """Makes small kernels: ``make_mini(memory_bytes=…)``, fields of MachineSpec."""
    return MiniKernel
