"""CPUs whose groups have limits, and the kernel's pools: all messages come at once."""

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.invariants import check_rq
from kernel.sched.rq import Rq
from kernel.sched.sched_class import FAIR_RANK
from kernel.smp import bandwidth
from kernel.smp.classes import SchedTable
from kernel.smp.task_groups import GroupTable
from kernel.timerq import TimerQueue

MS = 1_000_000
FIRST = 2  # number of the first group


class Head:
    """An empty task list."""

    def __init__(self):
        self.tasks_next = self


class Kernel:
    """What the pools need of a kernel; its load table is not looked at."""

    def __init__(self, spec):
        self.spec = spec
        self.now_ns = 0
        self.timers = TimerQueue()
        self.groups = GroupTable(spec)
        self.sched = SchedTable(spec)
        self.tasks = type("Tasks", (), {"head": Head()})()
        self.outbox = {}
        self.active = ()

    def send(self, cpu, effect):
        self.outbox.setdefault(cpu, []).append(effect)


class Machine:
    """CPUs whose tasks always want to run. ``limits``: by path (quota, period, burst) in ms.

    ``delay_ns``: so late an answer of the kernel comes. ``levels``: CPUs have averages.
    """

    def __init__(self, fair, limits, cpus=1, hz=250, autogroup=True, delay_ns=0, levels=False):
        self.delay_ns = delay_ns
        self.coming = []
        self.spec = MachineSpec(
            cpus=cpus,
            fair=fair,
            hz=hz,
            autogroup=autogroup,
            places=tuple((0, 0, 0, 0, cpu, 1024) for cpu in range(cpus)) if levels else (),
            cgroups=tuple((path, 1024) for path in limits),
            cgroup_max=tuple(
                (int(quota * MS) if quota >= 0 else -1, int(period * MS), int(burst * MS))
                for quota, period, burst in limits.values()
            ),
        )
        self.k = Kernel(self.spec)
        self.rqs = [Rq(cpu, self.spec) for cpu in range(cpus)]
        self.tick_ns = 1_000_000_000 // hz
        self.tasks = []
        self.now_ns = 0

    def group(self, path):
        return self.k.groups.cgroups[path]

    def numbers(self, path):
        return self.group(path).path if path else ()

    def add(self, path="", cpu=0, nice=0, policy=0):
        pid = len(self.tasks) + 1
        task = CpuTask(pid, pid, f"t{pid}", nice, policy)
        task.group = self.numbers(path)
        self.tasks.append(task)
        rq = self.rqs[cpu]
        core.activate_task(rq, task, core.ENQUEUE_INITIAL)
        core.check_preempt_curr(rq, task, core.WF_FORK)
        self.settle(rq)
        return task

    def sleep(self, task, cpu=0):
        rq = self.rqs[cpu]
        core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
        if task is rq.curr:
            self.switch(rq)
        self.settle(rq)

    def wake(self, task, cpu=0):
        rq = self.rqs[cpu]
        core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
        core.check_preempt_curr(rq, task, core.WF_TTWU)
        self.settle(rq)

    def migrate(self, task, source, dest):
        core.deactivate_task(self.rqs[source], task, core.DEQUEUE_MOVE)
        self.settle(self.rqs[source])
        core.attach(self.rqs[dest], task)
        self.settle(self.rqs[dest])

    def switch(self, rq):
        core.put_prev_task(rq, rq.curr)
        core.pick_next_task(rq)

    def post(self):
        """Let CPUs and the kernel talk until nobody has anything to say."""
        talking = True
        while talking:
            talking = False
            for rq in self.rqs:
                mail, rq.mail = rq.mail, []
                for _, _, key, data in mail:
                    bandwidth.said(self.k, rq.cpu, key, data)
            outbox, self.k.outbox = self.k.outbox, {}
            for cpu, effects in outbox.items():
                self.coming += [(effect[0] + self.delay_ns, cpu, effect) for effect in effects]
            while self.coming and self.coming[0][0] <= self.now_ns:
                talking = True
                _, cpu, effect = self.coming.pop(0)
                rq = self.rqs[cpu]
                rq.by_rank[FAIR_RANK].told(rq, effect[4], effect[5])

    def settle(self, *_):
        """Until everybody runs who should; then look at the invariants."""
        again = True
        while again:
            self.post()
            again = False
            for rq in self.rqs:
                if rq.need_resched:
                    self.switch(rq)
                    again = True
        for rq in self.rqs:
            found = []
            check_rq(rq, found)
            assert not found, found

    def run(self, ns):
        end_ns = self.now_ns + ns
        while self.now_ns < end_ns:
            tick_ns = (self.now_ns // self.tick_ns + 1) * self.tick_ns
            dues = [rq.timers.next_ns for rq in self.rqs]
            dues += [at_ns for at_ns, _, _ in self.coming[:1]]
            self.now_ns = min(end_ns, tick_ns, self.k.timers.next_ns(), *dues)
            self.k.now_ns = self.now_ns
            for rq in self.rqs:
                rq.clock_ns = self.now_ns
            while self.k.timers.next_ns() <= self.now_ns:
                _, serial, kind, what = self.k.timers.pop()
                kind.expire(self.k, what, serial)
            self.post()
            for rq in self.rqs:
                while rq.timers.next_ns <= self.now_ns:
                    core.hrtimer_run(rq)
                if self.now_ns == tick_ns and rq.curr is not rq.idle:
                    core.scheduler_tick(rq)
            self.settle()

    def used(self, path):
        """What the tasks of a group, and of those in it, have used so far."""
        for rq in self.rqs:
            core.update_rq_curr(rq)
        gid = self.group(path).gid
        return sum(task.sum_exec_ns for task in self.tasks if gid in task.group)

    def periods(self, path, number, ns):
        """Run so many periods; return what the group used in each."""
        got = []
        for _ in range(number):
            before = self.used(path)
            self.run(ns)
            got.append(self.used(path) - before)
        return got
