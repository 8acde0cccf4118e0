"""Runqueues with their timers and ticks, and who runs when: for what real-time tasks may have."""

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.invariants import check_rq
from kernel.sched.rq import Rq
from kernel.uapi.policy import SCHED_FIFO, SCHED_NORMAL

MS = 1_000_000
TICK_NS = 4 * MS


class Machine:
    """Queues of CPUs that go on together, from event to event; what they write is delivered."""

    def __init__(self, cpus: int = 1, **spec: object) -> None:
        self.spec = MachineSpec(cpus=cpus, **spec)  # type: ignore[arg-type]
        self.rqs = [Rq(cpu, self.spec) for cpu in range(cpus)]
        self.now_ns = 0
        self.ran: list[list[tuple[str, int, int]]] = [[] for _ in range(cpus)]  # name, from, to

    def add(self, name: str, priority: int = 0, cpu: int = 0) -> CpuTask:
        task = CpuTask(len(name), 1, name, 0, SCHED_FIFO if priority else SCHED_NORMAL)
        rq = self.rqs[cpu]
        core.class_of(rq, task).setparam(rq, task, priority, ())
        self.wake(task, cpu)
        return task

    def wake(self, task: CpuTask, cpu: int = 0) -> None:
        rq = self.rqs[cpu]
        core.activate_task(rq, task, core.ENQUEUE_WAKEUP)
        core.check_preempt_curr(rq, task, core.WF_TTWU)
        self.settle(rq)

    def sleep(self, task: CpuTask, cpu: int = 0) -> None:
        rq = self.rqs[cpu]
        core.deactivate_task(rq, task, core.DEQUEUE_SLEEP)
        rq.need_resched = task is rq.curr or rq.need_resched
        self.settle(rq)

    def settle(self, rq: Rq) -> None:
        if rq.need_resched:
            core.put_prev_task(rq, rq.curr)
            core.pick_next_task(rq)
        found: list[str] = []
        check_rq(rq, found)
        assert found == []

    def run(self, until_ns: int) -> None:
        """Ticks come where two tasks are runnable, or one waits on an idle CPU."""
        while self.now_ns < until_ns:
            tick_ns = (self.now_ns // TICK_NS + 1) * TICK_NS
            next_ns = min(until_ns, tick_ns, *(rq.timers.next_ns for rq in self.rqs))
            for rq, ran in zip(self.rqs, self.ran):
                if ran and ran[-1][0] == rq.curr.comm and ran[-1][2] == self.now_ns:
                    ran[-1] = (rq.curr.comm, ran[-1][1], next_ns)
                elif next_ns > self.now_ns:
                    ran.append((rq.curr.comm, self.now_ns, next_ns))
                rq.clock_ns = next_ns
            self.now_ns = next_ns
            for rq in self.rqs:
                while rq.timers.next_ns <= next_ns:
                    core.hrtimer_run(rq)
                if next_ns == tick_ns and rq.nr_running > 1:
                    core.scheduler_tick(rq)
            self.deliver()
            for rq in self.rqs:
                self.settle(rq)

    def deliver(self) -> None:
        while any(rq.mail for rq in self.rqs):
            for rq in self.rqs:
                mail, rq.mail = rq.mail, []
                for dest, rank, key, data in mail:
                    to = self.rqs[dest]
                    to.by_rank[rank].told(to, key, data)

    def stretches(self, name: str, cpu: int = 0) -> list[tuple[int, int]]:
        """Return when ``name`` ran, in ms."""
        return [(a // MS, b // MS) for who, a, b in self.ran[cpu] if who == name]

    def share(self, name: str, cpu: int = 0) -> float:
        total = sum(b - a for _, a, b in self.ran[cpu])
        return sum(b - a for who, a, b in self.ran[cpu] if who == name) / total
