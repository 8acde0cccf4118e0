"""Every invariant: a sound machine has no violation, and each break is reported as what it is."""

import os
import re
from types import SimpleNamespace

import pytest

from kernel import messages as m
from kernel.arch import x86
from kernel.arch.stack import StackRegion
from kernel.cgroup.cgroup import CgroupHierarchy
from kernel.check.at_rest import boot_counts, check_end
from kernel.check.invariants import check_kernel, check_machine, check_step
from kernel.costs import Costs
from kernel.cpu.cpu import Cpu
from kernel.cpu.task import CpuTask
from kernel.cred.creds import Cred, UserStruct
from kernel.fs.file import FilesStruct, dup_fd, fd_install
from kernel.fs.file_table import File
from kernel.fs.fs_struct import FsStruct
from kernel.fs.inode import PIPE, REGULAR, Vfs
from kernel.ipc.futex import UserLock
from kernel.ipc.pipe import Pipe, PipeBuffer
from kernel.locking import Lock, LockStat
from kernel.machine import ImageSpec, MachineSpec
from kernel.mm.frames import Frames
from kernel.mm.mm import dup_mm, mm_alloc
from kernel.mm.slab import boot_slabs
from kernel.ns.nsproxy import boot_nsproxy
from kernel.ns.pid_namespace import boot_pid_ns
from kernel.process.attrs import new_attrs
from kernel.process.pid import (
    PIDTYPE_PGID,
    PIDTYPE_PID,
    PIDTYPE_SID,
    PIDTYPE_TGID,
    Pid,
    PidMap,
    attach_pid,
)
from kernel.process.tasklist import TaskList
from kernel.process.wait_task import WaitOpts
from kernel.profiles import PROFILES
from kernel.sched import core
from kernel.sched.sched_class import FAIR_RANK, RT_RANK
from kernel.smp.classes import SchedTable
from kernel.smp.task_groups import GroupTable
from kernel.stats import KernelStats
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PF_EXITING,
    PF_KTHREAD,
    TASK_DEAD,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    SighandStruct,
    SignalStruct,
    TaskStruct,
)
from kernel.uapi.fcntl import O_RDONLY, O_WRONLY
from kernel.uapi.policy import SCHED_FIFO


def new_lock(name):
    return Lock(LockStat(name))


class World:
    """KernelState's data put together by hand, and the CPUs that go with it.

    init (1) has the children kthreadd (2), shell (3) and the zombie (6); the shell has a thread
    (4) and a child (5). 3 runs on cpu 0 with 5 queued behind it, 4 runs on cpu 1.
    """

    def __init__(self):
        spec = MachineSpec(cpus=2, trace=False, fair="cfs")
        frames = Frames(10_000)
        self.k = k = SimpleNamespace(
            spec=spec,
            arch=x86,
            eager_fork=False,
            sched=SchedTable(spec),
            ns_counts={},
            costs=Costs(),
            stats=KernelStats(),
            now_ns=0,
            cpu=0,
            frames=frames,
            slabs=boot_slabs(frames, 2, packed=True),
            stacks=StackRegion(0x1000000, 0x2000000, 16384, frames),
            pids=PidMap(1000),
            vfs=Vfs(0, 1000),
            tasklist_lock=new_lock("tasklist_lock"),
            pidmap_lock=new_lock("pidmap_lock"),
            load=SimpleNamespace(
                nr_running=[2, 1], overloaded=1, pulls_out=0, idle_mask=0, busy_mask=1
            ),
            boot_kthreads=1,
            nr_kthreads=0,
            services={},
            active=[],
            dying={},
            outbox={},
            requests=[],
            stepping=None,
            nr_dup_mm=0,
            uneven={},
            uneven_cpus={},
            groups=GroupTable(spec),
        )
        k.cgroups = CgroupHierarchy(spec, k.groups)
        k.init_pid_ns = boot_pid_ns(k)
        k.init_nsproxy = boot_nsproxy(k.init_pid_ns)
        swapper = TaskStruct(0, 0, "swapper/0")
        self.user = UserStruct(0)
        swapper.cred = Cred(self.user, 0, 0, 0, 0, 0)
        k.tasks = TaskList(swapper, PROFILES["6.12"], 1000)
        k.tasks.users[0] = self.user
        k.init_task = swapper
        self.group(swapper)
        self.image = ImageSpec("image")
        self.zero = Pid(0)
        attach_pid(k, swapper, PIDTYPE_PID, self.zero)
        attach_pid(k, swapper, PIDTYPE_PGID, self.zero)
        attach_pid(k, swapper, PIDTYPE_SID, self.zero)
        self.init = self.process(swapper, "init", self.zero)
        self.kthreadd = self.process(swapper, "kthreadd", self.zero)
        k.child_reaper = self.init
        for task in (self.init, self.kthreadd):
            self.asleep(task)
        self.kthreadd.flags = PF_KTHREAD
        self.shell = self.process(self.init, "shell", None)
        self.shell.mm = mm_alloc(k, self.image)
        self.open_files(self.shell)
        self.thread = self.add_thread(self.shell)
        self.child = self.process(self.shell, "child", self.shell.thread_pid)
        self.child.mm = dup_mm(k, self.shell.mm)
        self.child.files = dup_fd(k, self.shell.files)
        self.zombie = self.process(self.init, "zombie", self.shell.thread_pid)
        self.die(self.zombie)
        k.current = self.shell
        self.cpus = [Cpu(0, spec, None), Cpu(1, spec, None)]
        for task, cpu in ((self.shell, 0), (self.child, 0), (self.thread, 1)):
            self.run(task, cpu)

    def group(self, task):
        task.signal = SignalStruct()
        task.signal.leader = task
        task.signal.threads.append(task)
        task.sighand = SighandStruct(new_lock("siglock"), {})

    def build(self, comm):
        k = self.k
        task = TaskStruct(0, 0, comm)
        task.slot = k.slabs["task_struct"].alloc()
        task.stack = k.stacks.alloc(task)
        task.cred = k.init_task.cred
        self.user.processes += 1
        task.state = TASK_RUNNING
        task.on_rq = True
        pid = Pid(k.pids.next_number())
        k.pids.hash[pid.nr] = pid
        task.pid = pid.nr
        attach_pid(k, task, PIDTYPE_PID, pid)
        k.tasks.nr_threads += 1
        return task

    def process(self, parent, comm, group):
        task = self.build(comm)
        task.tgid = task.pid
        self.group(task)
        task.real_parent = task.parent = parent
        parent.children[task.pid] = task
        self.k.tasks.link(task)
        attach_pid(self.k, task, PIDTYPE_TGID, task.thread_pid)
        attach_pid(self.k, task, PIDTYPE_PGID, group or task.thread_pid)
        attach_pid(self.k, task, PIDTYPE_SID, group or task.thread_pid)
        return task

    def open_files(self, task):
        """Give ``task`` an executable, a log it writes, and both ends of a pipe."""
        k = self.k
        vfs = k.vfs
        self.exe, self.log = (vfs.new_inode(REGULAR, 0o100755, 0, 0, 0) for _ in range(2))
        vfs.link(vfs.root, "exe", self.exe)
        vfs.link(vfs.root, "log", self.log)
        task.mm.exe_file = self.exe
        self.exe.i_writecount -= 1
        self.pipe = vfs.new_inode(PIPE, 0o10600, 0, 0, 0)
        self.pipe.pipe = vfs.pipes[self.pipe.ino] = Pipe(new_lock("pipe_mutex"), 1)
        self.pipe.pipe.bufs.append(PipeBuffer(k.frames.alloc(), bytearray(b"x")))
        task.files = FilesStruct({}, 0, 0, k.slabs["files_cache"].alloc())
        task.fs = FsStruct(vfs.root, vfs.root, 0o22, k.slabs["fs_cache"].alloc())
        self.log.i_writecount = self.log.nr_open = 1
        for fd, (inode, flags) in enumerate(
            [(self.log, O_WRONLY), (self.pipe, O_RDONLY), (self.pipe, O_WRONLY)]
        ):
            fd_install(task.files, fd, File(inode, flags), cloexec=fd == 2)
            vfs.nr_files += 1

    def add_thread(self, leader):
        task = self.build(leader.comm)
        task.tgid = leader.tgid
        task.group_leader = leader
        task.real_parent = task.parent = leader.real_parent
        signal = task.signal = leader.signal
        signal.threads.append(task)
        signal.nr_threads += 1
        signal.live += 1
        signal.count += 1
        task.sighand = leader.sighand
        task.sighand.count += 1
        task.mm = leader.mm
        task.mm.users += 1
        task.files = leader.files
        task.files.count += 1
        task.fs = leader.fs
        task.fs.users += 1
        return task

    def asleep(self, task):
        task.on_rq = False
        task.state = TASK_INTERRUPTIBLE
        task.path = iter(())

    def die(self, task):
        task.flags |= PF_EXITING
        task.exit_state = EXIT_ZOMBIE
        task.state = TASK_DEAD
        task.on_rq = False
        task.usage = 1
        task.signal.live -= 1

    def run(self, task, cpu):
        task.cpu = cpu
        half = CpuTask(task.pid, task.tgid, task.comm)
        half.remaining_ns = 10**9
        rq = self.cpus[cpu].rq
        self.cpus[cpu].tasks[task.pid] = half
        core.activate_task(rq, half, core.ENQUEUE_INITIAL)
        if rq.curr is rq.idle:
            core.pick_next_task(rq)
        return half

    def half(self, task):
        return self.cpus[task.cpu].tasks[task.pid]


@pytest.fixture
def world():
    return World()


def test_a_sound_machine_has_no_violation(world):
    assert check_kernel(world.k) == []
    assert check_machine(world.k, world.cpus) == []
    assert check_step(world.k) == []
    assert check_end(world.k, boot_counts(world.k)) == [
        "end: the load table has runnable tasks on cpus [0, 1]"
    ]


def cut_ring(w):
    w.shell.tasks_next = None


def skip_backwards(w):
    w.child.tasks_prev = w.init


def loop_ring(w):
    w.zombie.tasks_next = w.shell


def list_thread(w):
    w.k.tasks.link(w.thread)


def unlink_without_count(w):
    w.k.tasks.unlink(w.child)
    w.k.tasks.nr_processes += 1


def forget_pid(w):
    del w.k.pids.hash[w.child.pid]


def free_number(w):
    w.k.pids.used[w.child.pid] = 0


def miscount_numbers(w):
    w.k.pids.taken += 1


def misfile_pid(w):
    pids = w.k.pids.hash
    pids[w.child.pid], pids[w.shell.pid] = pids[w.shell.pid], pids[w.child.pid]


def keep_dead_task_hashed(w):
    w.k.pids.hash[w.zombie.pid].task = TaskStruct(77, 77, "ghost")


def keep_dead_leader_hashed(w):
    w.k.pids.hash[w.zombie.pid].leader = TaskStruct(77, 77, "ghost")


def leave_group_one_way(w):
    del w.shell.thread_pid.pgrp[w.child.pid]


def join_group_one_way(w):
    w.child.thread_pid.pgrp = {w.child.pid: w.child}


def lose_session(w):
    w.child.signal.session = None


def group_of_a_freed_pid(w):
    attach_pid(w.k, w.child, PIDTYPE_PGID, Pid(500))
    del w.shell.thread_pid.pgrp[w.child.pid]


def strange_group_member(w):
    w.shell.thread_pid.pgrp[77] = TaskStruct(77, 77, "ghost")


def reserve_number_for_nobody(w):
    number = w.k.pids.next_number()
    w.k.pids.hash[number] = Pid(number)


def reserve_number_unpublished(w):
    w.k.pids.next_number()


def miscount_threads(w):
    w.k.tasks.nr_threads += 1


def miscount_group(w):
    w.shell.signal.nr_threads = 3


def too_many_alive(w):
    w.shell.signal.live = 5


def miscount_live(w):
    w.shell.signal.live = 1


def thread_before_leader(w):
    w.shell.signal.threads.reverse()


def wrong_tgid(w):
    w.thread.tgid = 99


def wrong_group(w):
    w.thread.group_leader = w.child


def own_handlers(w):
    w.thread.sighand = SighandStruct(new_lock("siglock"), {})


def zombie_thread(w):
    w.die(w.thread)


def leader_of_another_group(w):
    w.shell.signal.leader = w.child


def lost_child(w):
    del w.shell.children[w.child.pid]


def child_of_two(w):
    w.init.children[w.child.pid] = w.child


def thread_as_child(w):
    w.init.children[w.thread.pid] = w.thread


def parent_dies_without_reparenting(w):
    w.die(w.shell)


def zombie_of_a_dead_parent(w):
    w.die(w.child)
    w.die(w.shell)


def parent_released(w):
    w.shell.signal = None
    w.k.tasks.unlink(w.shell)


def thread_of_another_parent(w):
    w.thread.real_parent = w.child


def reaped_not_released(w):
    w.zombie.exit_state = EXIT_DEAD


def too_few_references(w):
    w.shell.usage = 1


def too_many_references(w):
    w.zombie.usage = 2


def zombie_that_never_exited(w):
    w.zombie.flags = 0


def dead_without_exit_state(w):
    w.child.state = TASK_DEAD
    w.child.on_rq = False


def runnable_but_dead(w):
    w.zombie.on_rq = True


def lost_wake_up(w):
    w.child.on_rq = False


def sleeps_nowhere(w):
    w.asleep(w.child)
    w.child.path = None


def vfork_of_a_dead_parent(w):
    w.child.vfork_done = w.zombie


def mm_counted_too_often(w):
    w.shell.mm.users = 3


def sighand_counted_too_rarely(w):
    w.shell.sighand.count = 1


def signal_counted_too_often(w):
    w.child.signal.count = 2


def frame_leaked(w):
    w.k.frames.alloc()


def frame_of_a_pte_not_counted(w):
    w.k.frames.refs[next(iter(w.shell.mm.pt.ptes.values())) >> 4] -= 1


def frame_counted_twice(w):
    w.k.frames.get(next(iter(w.shell.mm.pt.ptes.values())) >> 4)


def writable_although_shared(w):
    vpn = next(iter(w.shell.mm.pt.ptes))
    w.shell.mm.pt.ptes[vpn] |= 2


def page_table_holders(w):
    w.shell.mm.pt.users = 3


def slab_object_leaked(w):
    w.k.slabs["mm_struct"].alloc()


def slab_object_free_twice(w):
    slab = next(iter(w.k.slabs["mm_struct"].slabs.values()))
    slab.free.append(slab.free[0])


def files_counted_too_often(w):
    w.child.files.count = 2


def fs_counted_too_rarely(w):
    w.shell.fs.users = 1


def descriptor_mask(w):
    w.child.files.open_fds = 1


def cloexec_of_a_closed_descriptor(w):
    w.child.files.close_on_exec = 1 << 9


def file_references(w):
    w.child.files.fd[0].count += 1


def pipe_ends(w):
    w.pipe.pipe.writers = 0


def pipe_page_lost(w):
    w.pipe.pipe.bufs.clear()


def pipe_open_nowhere(w):
    w.k.vfs.pipes[99] = Pipe(new_lock("pipe_mutex"), 1)


def never_closed(w):
    w.exe.nr_open = 1


def writer_of_a_running_file(w):
    w.exe.i_writecount = 0


def task_struct_leaked(w):
    w.k.slabs["task_struct"].alloc()


def files_struct_leaked(w):
    w.k.slabs["files_cache"].alloc()


def wrong_thread_info(w):
    w.k.stacks.infos[w.shell.stack].task = w.child


def user_overcharged(w):
    w.user.processes += 1


def user_misfiled(w):
    w.k.tasks.users[5] = UserStruct(6)


def lock_held(w):
    w.k.pidmap_lock.owner = "nobody"


def siglock_held(w):
    w.shell.sighand.siglock.owner = "nobody"


def read_lock_held(w):
    w.k.tasklist_lock.readers = 1


def mmap_lock_held(w):
    w.shell.mm.mmap_lock = new_lock("mmap_lock")
    w.shell.mm.mmap_lock.owner = "nobody"


def waiter_that_does_not_wait(w):
    w.shell.signal.wait_chldexit.append(WaitOpts(w.shell, PIDTYPE_TGID, None, 0))


def waiter_of_another_process(w):
    w.asleep(w.child)
    w.shell.signal.wait_chldexit.append(WaitOpts(w.child, PIDTYPE_TGID, None, 0))


def reader_that_does_not_wait(w):
    w.pipe.pipe.rd_wait.tasks.append(w.zombie)


def locker_that_does_not_wait(w):
    lock = UserLock(True)
    lock.waiters.tasks.append(w.shell)
    w.shell.mm.locks = {3: lock}


def load_miscounted(w):
    w.k.load.nr_running[1] = 2
    w.k.load.overloaded = 2
    w.k.load.busy_mask = 3


def load_negative(w):
    w.k.load.nr_running[1] = -1


def idle_mask_wrong(w):
    w.k.load.idle_mask = 2


def busy_mask_wrong(w):
    w.k.load.busy_mask = 3


def real_time_task_forgotten(w):
    attrs = new_attrs(w.shell)
    attrs.policy, attrs.rt_priority = SCHED_FIFO, 3


def real_time_task_that_is_none(w):
    w.k.sched.members[RT_RANK][w.shell] = 0


def real_time_task_without_priority(w):
    new_attrs(w.shell).policy = SCHED_FIFO
    w.k.sched.members[RT_RANK][w.shell] = 0


def uneven_load_wrong(w):
    w.k.uneven[w.shell] = 512
    w.shell.on_rq = True
    w.k.uneven_cpus = {w.shell.cpu: 256}


def overload_wrong(w):
    w.k.load.overloaded = 0


KERNEL_BREAKS = [
    (cut_ring, r"task list: <task 3/3 .*> has no successor, the ring is open"),
    (skip_backwards, r"task list: between <task 3/3 .*> and <task 5/5 .*> the links do not agree"),
    (loop_ring, r"task list: between <task 6/6 .*> and <task 3/3 .*> the links do not agree"),
    (list_thread, r"task list: <task 4/3 .*> is no group leader"),
    (unlink_without_count, r"task list: 5 processes counted, 4 found"),
    (forget_pid, r"<task 5/5 .*>: its pid is not the one in the hash"),
    (free_number, r"pid map: 5 is published and yet free"),
    (miscount_numbers, r"pid map: 7 numbers counted, 6 found"),
    (misfile_pid, r"pid hash: <pid 5> is filed under 3"),
    (keep_dead_task_hashed, r"pid hash: <pid 6> names <task 77/77 .*>, which is on no list"),
    (keep_dead_leader_hashed, r"<pid 6> names leader <task 77/77 .*>, which is on no list"),
    (leave_group_one_way, r"<task 5/5 .*> is no member of its pgrp 3"),
    (join_group_one_way, r"pgrp 5: <task 5/5 .*> does not know that it is a member"),
    (lose_session, r"<task 5/5 .*> has no session"),
    (group_of_a_freed_pid, r"<task 5/5 .*>: its pgrp 500 is not in the pid hash"),
    (strange_group_member, r"pgrp 3: member <task 77/77 .*> is no process"),
    (reserve_number_for_nobody, r"pid map: 7 is reserved and nothing uses it"),
    (reserve_number_unpublished, r"pid map: 7 numbers taken, 6 published"),
    (miscount_threads, r"task list: 7 threads counted, 6 found"),
    (miscount_group, r"<task 3/3 .*>: 3 threads counted, 2 found"),
    (too_many_alive, r"<task 3/3 .*>: 5 of 2 threads are alive"),
    (miscount_live, r"<task 3/3 .*>: 1 live threads counted, 2 found"),
    (thread_before_leader, r"<task 3/3 .*> is not the first of its threads"),
    (wrong_tgid, r"<task 4/99 .*> is a thread of <task 3/3 .*> and has another tgid"),
    (wrong_group, r"<task 4/3 .*> is listed in the group of <task 3/3 .*> and is not in it"),
    (own_handlers, r"<task 4/3 .*> does not share the handlers of <task 3/3 .*>"),
    (zombie_thread, r"<task 4/3 shell Z> is a zombie that nobody can wait for"),
    (leader_of_another_group, r"<task 3/3 .*>: its group says the leader is <task 5/5 .*>"),
    (lost_child, r"<task 5/5 .*>: its parent <task 3/3 .*> does not list it"),
    (child_of_two, r"<task 1/1 .*> lists 5, but <task 5/5 .*> has another parent"),
    (thread_as_child, r"<task 1/1 .*> lists its child <task 4/3 .*>, which is no process"),
    (parent_dies_without_reparenting, r"<task 3/3 .* Z> is dead and still has children \[5\]"),
    (zombie_of_a_dead_parent, r"<task 5/5 .*>: a zombie whose parent <task 3/3 .*> is dead"),
    (parent_released, r"<task 5/5 .*>: its parent has been released"),
    (thread_of_another_parent, r"<task 4/3 .*> has the parent <task 5/5 .*>, its leader another"),
    (reaped_not_released, r"<task 6/6 zombie X> is reaped and was not released"),
    (too_few_references, r"<task 3/3 .*>: 1 references counted, 2 found"),
    (too_many_references, r"<task 6/6 .*>: 2 references counted, 1 found"),
    (zombie_that_never_exited, r"<task 6/6 .*> has an exit state and never began to exit"),
    (dead_without_exit_state, r"<task 5/5 .*> is dead without an exit state"),
    (runnable_but_dead, r"<task 6/6 .*> is runnable in state 0x80"),
    (lost_wake_up, r"<task 5/5 .*> should run and is on no runqueue: a lost wake-up"),
    (sleeps_nowhere, r"<task 5/5 child S> sleeps in no system call"),
    (vfork_of_a_dead_parent, r"<task 5/5 .*>: the parent that waits for its vfork is dead"),
    (mm_counted_too_often, r"mm of <task 3/3 .*>: users is 3, 2 tasks hold it"),
    (sighand_counted_too_rarely, r"sighand of <task 3/3 .*>: count is 1, 2 tasks hold it"),
    (signal_counted_too_often, r"signal of <task 5/5 .*>: count is 2, 1 tasks hold it"),
    (frame_leaked, r"frame \d+: 1 counted, 0 found"),
    (frame_of_a_pte_not_counted, r"frame \d+: 0 counted, 1 found"),
    (frame_counted_twice, r"frame \d+: 2 counted, 1 found"),
    (writable_although_shared, r"page 0x[0-9a-f]+ is writable in a table of 2"),
    (page_table_holders, r"page table has 3 holders, 2 found"),
    (slab_object_leaked, r"slab mm_struct: 3 objects in use, 2 found"),
    (slab_object_free_twice, r"mm_struct: an object of slab 0 is free twice"),
    (files_counted_too_often, r"files of <task 5/5 .*>: count is 2, 1 tasks hold it"),
    (fs_counted_too_rarely, r"fs of <task 3/3 .*>: users is 1, 2 tasks hold it"),
    (descriptor_mask, r"descriptors: bit mask 0x1, open are 0x7"),
    (cloexec_of_a_closed_descriptor, r"descriptors: close-on-exec 0x200 of 0x7"),
    (file_references, r"open <inode .* log>: 2 references counted, 1 found"),
    (pipe_ends, r"<inode .*>: 1 readers and 0 writers counted, 1 and 1 found"),
    (pipe_page_lost, r"frame \d+: 1 counted, 0 found"),
    (pipe_open_nowhere, r"pipe 99 is open nowhere and was not released"),
    (never_closed, r"<inode .* exe>: open 1 times, 0 found"),
    (writer_of_a_running_file, r"<inode .* exe>: i_writecount is 0, should be -2"),
    (task_struct_leaked, r"slab task_struct: 7 objects in use, 6 found"),
    (files_struct_leaked, r"slab files_cache: 3 objects in use, 2 found"),
    (wrong_thread_info, r"kernel stack 0x[0-9a-f]+ is not that of <task 5/5 .*>"),
    (user_overcharged, r"user 0: 7 threads counted, 6 found"),
    (user_misfiled, r"user 6 is filed under 5"),
    (lock_held, r"pidmap_lock is held and no path runs"),
    (siglock_held, r"siglock of <task 3/3 .*> is held and no path runs"),
    (read_lock_held, r"tasklist_lock is held and no path runs"),
    (mmap_lock_held, r"mmap_lock of <task 3/3 .*> is held and no path runs"),
    (
        waiter_that_does_not_wait,
        r"wait_chldexit of <task 3/3 .*>: <task 3/3 .*> is on it and in no",
    ),
    (waiter_of_another_process, r"wait_chldexit of <task 3/3 .*>: <task 5/5 .*> is of another"),
    (
        reader_that_does_not_wait,
        r"queue of <inode .*>: <task 6/6 .*> is on it and in no system call",
    ),
    (locker_that_does_not_wait, r"user lock 3: <task 3/3 .*> is on it and in no system call"),
    (load_miscounted, r"load table: 4 runnable tasks counted, 3 found"),
    (load_negative, r"load table: cpu 1 has -1 runnable tasks"),
    (idle_mask_wrong, r"load table: idle mask is 0x2, should be 0x0"),
    (busy_mask_wrong, r"load table: busy mask is 0x3, should be 0x1"),
    (real_time_task_forgotten, r"<task 3/3 .*>: is not on the list of real-time tasks"),
    (real_time_task_that_is_none, r"<task 3/3 .*>: is on the list of real-time tasks"),
    (real_time_task_without_priority, r"<task 3/3 .*>: policy 1 with priority 0"),
    (uneven_load_wrong, r"loads that are not of nice 0 are not those of who is runnable where"),
    (overload_wrong, r"load table: 0 overloaded cpus counted, 1 found"),
]


@pytest.mark.parametrize(
    ("break_it", "story"), KERNEL_BREAKS, ids=[entry[0].__name__ for entry in KERNEL_BREAKS]
)
def test_a_break_in_the_kernel_is_reported(world, break_it, story):
    break_it(world)
    found = check_kernel(world.k)
    assert any(re.search(story, line) for line in found), found
    assert all("\n" not in line for line in found)


def stack_freed_under_a_dying_task(w):
    w.k.dying[1] = w.zombie
    w.k.stacks.release(w.zombie.stack)


STEP_BREAKS = [
    (wrong_thread_info, r"<task 3/3 .*> is current, its register leads to <task 5/5"),
    (stack_freed_under_a_dying_task, r"<task 6/6 .*> is current: no kernel stack in use"),
    (skip_backwards, r"task list: between"),
    (lambda w: setattr(w.shell.thread_pid, "leader", None), r"has the leader None"),
    (miscount_group, r"3 threads counted, 2 found"),
    (lambda w: w.shell.children.update({9: w.zombie}), r"has another parent"),
    (lambda w: setattr(w.shell, "on_rq", False), r"a lost wake-up"),
    (overload_wrong, r"overloaded cpus"),
]


@pytest.mark.parametrize(("break_it", "story"), STEP_BREAKS)
def test_a_break_around_the_current_task_is_reported_by_the_cheap_check(world, break_it, story):
    break_it(world)
    found = check_step(world.k)
    assert any(re.search(story, line) for line in found), found


def test_a_list_in_the_hands_of_a_writer_is_not_judged(world):
    skip_backwards(world)
    world.k.tasklist_lock.owner = "a path"
    assert check_kernel(world.k) == []
    assert check_step(world.k) == []


def test_counts_are_not_judged_while_a_path_builds_a_task(world):
    reserve_number_unpublished(world)
    user_overcharged(world)
    world.k.active.append(SimpleNamespace(task=world.child))
    assert check_kernel(world.k) == []


def test_a_reader_may_hold_a_pipe_whose_descriptor_was_closed(world):
    held = File(world.pipe, os.O_RDONLY)
    world.k.vfs.nr_files += 1
    world.k.vfs.holds[held] = 1
    world.pipe.pipe.readers += 1
    assert check_kernel(world.k) == []
    del world.k.vfs.holds[held]
    assert check_kernel(world.k) != []


def on_two_cpus(w):
    w.cpus[1].tasks[w.child.pid] = w.half(w.child)


def on_no_cpu(w):
    half = w.cpus[0].tasks.pop(w.child.pid)
    core.deactivate_task(w.cpus[0].rq, half, core.DEQUEUE_SLEEP)


def known_to_no_kernel(w):
    w.cpus[1].tasks[55] = CpuTask(55, 55, "ghost")


def filed_wrong(w):
    w.half(w.child).pid = 42


def dead_half_left(w):
    w.cpus[0].tasks[w.zombie.pid] = CpuTask(6, 6, "zombie")


def on_another_cpu(w):
    w.child.cpu = 1


def half_asleep(w):
    core.deactivate_task(w.cpus[0].rq, w.half(w.child), core.DEQUEUE_SLEEP)


def other_tgid(w):
    w.half(w.child).tgid = 3


def queue_length(w):
    w.cpus[0].rq.nr_running = 1


def cfs_length(w):
    w.cpus[0].rq.of[FAIR_RANK].nr_running = 1


def load_weight(w):
    w.cpus[0].rq.of[FAIR_RANK].load_weight += 1


def stale_vruntime(w):
    w.half(w.child).se.vruntime += 1


def queued_not_on_rq(w):
    w.half(w.child).on_rq = False


def queued_and_current(w):
    rq = w.cpus[0].rq
    rq.of[FAIR_RANK].timeline.append((rq.curr.se.vruntime, rq.curr.se.seq, rq.curr))


def out_of_order(w):
    rq = w.cpus[0].rq
    w.run(w.process(w.init, "late", None), 0).se.vruntime += 0
    rq.of[FAIR_RANK].timeline.reverse()


def balancing_list(w):
    w.cpus[0].rq.of[FAIR_RANK].tasks.clear()


def two_currents(w):
    w.cpus[0].rq.of[FAIR_RANK].curr = None


def current_from_elsewhere(w):
    del w.cpus[0].tasks[w.shell.pid]


def on_rq_nowhere(w):
    half = CpuTask(99, 99, "x")
    half.on_rq = True
    w.cpus[1].tasks[99] = half


def time_accounted_twice(w):
    w.cpus[1].stats.idle_ns = w.cpus[1].stats.user_ns = 400
    w.cpus[1].now_ns = 400


def table_disagrees(w):
    w.k.load.nr_running[:] = [1, 2]


MACHINE_BREAKS = [
    (on_two_cpus, r"<cputask 5/5 child> is on cpu 1 and on cpu 0 at once"),
    (on_no_cpu, r"<task 5/5 .*> is on no cpu and on no way to one"),
    (known_to_no_kernel, r"cpu 1: <cputask 55/55 ghost> is a task the kernel does not know"),
    (filed_wrong, r"cpu 0: <cputask 42/5 child> is filed under 5"),
    (dead_half_left, r"cpu 0: <cputask 6/6 zombie> is dead and still there"),
    (on_another_cpu, r"<task 5/5 .*> is on cpu 0, the kernel says on 1"),
    (half_asleep, r"<task 5/5 .*> on cpu 0: on_rq is False, the kernel says True"),
    (other_tgid, r"<task 5/5 .*> on cpu 0: tgid is 3"),
    (queue_length, r"cpu 0: nr_running is 1, 2 tasks found"),
    (cfs_length, r"cpu 0: nr_running of cfs is 1, 2 tasks found"),
    (load_weight, r"cpu 0: load is 2049, the weights add up to 2048"),
    (stale_vruntime, r"<cputask 5/5 child> is queued at a vruntime it no longer has"),
    (queued_not_on_rq, r"cpu 0: <cputask 5/5 child> is queued and not on_rq"),
    (queued_and_current, r"cpu 0: <cputask 3/3 shell> is queued and current at once"),
    (out_of_order, r"cpu 0: <cputask 5/5 child> is out of order"),
    (balancing_list, r"cpu 0: the balancing list does not hold the tasks of the queue"),
    (two_currents, r"cpu 0: current is <cputask 3/3 shell>, the fair class says None"),
    (current_from_elsewhere, r"cpu 0: current <cputask 3/3 shell> is not one of its tasks"),
    (on_rq_nowhere, r"cpu 1: <cputask 99/99 x> is on_rq, but neither queued nor current"),
    (time_accounted_twice, r"cpu 1: clock at 400, user, system and idle make 800"),
    (table_disagrees, r"cpu 0: 2 runnable tasks, the kernel counts 1"),
]


@pytest.mark.parametrize(
    ("break_it", "story"), MACHINE_BREAKS, ids=[entry[0].__name__ for entry in MACHINE_BREAKS]
)
def test_a_break_between_kernel_and_cpus_is_reported(world, break_it, story):
    break_it(world)
    found = check_machine(world.k, world.cpus)
    assert any(re.search(story, line) for line in found), found


def travelling(w):
    """Take the child's half off cpu 0 and return the message that carries it to cpu 1."""
    half = core.detach_one(w.cpus[0].rq, 0)
    del w.cpus[0].tasks[half.pid]
    w.k.load.nr_running[:] = [1, 2]
    w.k.load.busy_mask = 2
    return (1, (10, m.ARRIVE, half.pid, half, m.BY_PULL))


def test_a_task_on_its_way_is_in_no_queue_and_that_is_right(world):
    message = travelling(world)
    assert check_machine(world.k, world.cpus, [message]) == []
    world.cpus[1].step(20, [message[1]])
    world.child.cpu = 1
    assert check_machine(world.k, world.cpus) == []


def test_a_task_that_travels_twice_is_reported(world):
    message = travelling(world)
    found = check_machine(world.k, world.cpus, [message, message])
    assert "a task is on its way twice: [5, 5]" in found


def test_a_task_that_travels_and_stays_is_reported(world):
    message = travelling(world)
    half = message[1][3]
    core.attach(world.cpus[0].rq, half)
    world.cpus[0].tasks[half.pid] = half
    found = check_machine(world.k, world.cpus, [message])
    assert "<cputask 5/5 child> is on cpu 0 and on its way at once" in found


def test_leaks_are_reported_by_name(world):
    counts = boot_counts(world.k)
    world.run(world.process(world.init, "left", None), 0)
    world.k.frames.alloc()
    found = check_end(world.k, counts)
    for line in (
        "leak: tasks: 6 at boot, 7 at the end",
        "leak: pids: 6 at boot, 7 at the end",
        "leak: slab task_struct: 6 at boot, 7 at the end",
        "leak: kernel stacks: 6 at boot, 7 at the end",
        "leak: threads of user 0: 6 at boot, 7 at the end",
    ):
        assert line in found
    assert any(line.startswith("leak: frames: ") for line in found)


def test_reports_are_cut_after_fifty_lines(world):
    for number in range(200, 300):
        world.k.pids.hash[number] = Pid(number)
    assert len(check_kernel(world.k)) == 50
