"""One runqueue without a machine around it, and what tests do with it."""

from kernel.cpu.task import CpuTask
from kernel.machine import MachineSpec
from kernel.sched import core
from kernel.sched.invariants import check_rq
from kernel.sched.rq import Rq

US = 1000
MS = 1_000_000
TICK_NS = 4 * MS


def make_rq(fair="cfs", cpus=1, tunables=None, **fields):
    """A queue of the fair class ``fair`` with these ``tunables`` of it."""
    sched_tunables = {fair: tunables} if tunables else {}
    spec = MachineSpec(cpus=cpus, fair=fair, sched_tunables=sched_tunables, **fields)
    return Rq(0, spec)


def add(rq, pid, nice=0, policy=0, flags=core.ENQUEUE_INITIAL):
    """Put a new task on the queue."""
    task = CpuTask(pid, pid, f"t{pid}", nice, policy)
    core.activate_task(rq, task, flags)
    return task


def switch(rq):
    """Let the queue decide who runs."""
    core.put_prev_task(rq, rq.curr)
    return core.pick_next_task(rq)


def sleep_curr(rq, flags=core.DEQUEUE_SLEEP):
    """Send the running task to sleep; return it."""
    task = rq.curr
    core.deactivate_task(rq, task, flags)
    switch(rq)
    return task


def run(rq, ns, tick_ns=TICK_NS):
    """Let ``ns`` pass, with ticks."""
    end_ns = rq.clock_ns + ns
    while rq.clock_ns < end_ns:
        rq.clock_ns += tick_ns
        core.scheduler_tick(rq)
        if rq.need_resched:
            switch(rq)


def faults(rq):
    """What of the queue's invariants does not hold."""
    found = []
    check_rq(rq, found)
    return found
