"""SIGXCPU tells a deadline task that has asked for it when its budget has run out."""

import os
import signal
import time

from workloads.guest import compute, sched_setattr

SCHED_DEADLINE = 6
OVERRUN = 4
MS = 1000000


def deadline(flags):
    sched_setattr(
        0,
        SCHED_DEADLINE,
        runtime_ns=10 * MS,
        deadline_ns=50 * MS,
        period_ns=50 * MS,
        flags=flags,
    )


def on_overrun(number, frame):
    global overruns
    overruns += 1


def child(what, flags):
    pid = os.fork()
    if pid == 0:
        what(flags)
        os._exit(0)
    print(what.__name__, flags, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def spins(flags):
    deadline(flags)
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        compute(5 * MS)


def counts(flags):
    signal.signal(signal.SIGXCPU, on_overrun)
    deadline(flags)
    end = time.monotonic() + 3
    while overruns < 4 and time.monotonic() < end:
        compute(5 * MS)
    print("overruns", overruns, flush=True)


def sleeps(flags):
    signal.signal(signal.SIGXCPU, on_overrun)
    deadline(flags)
    for _ in range(5):
        compute(MS)
        time.sleep(0.06)
    print("overruns", overruns, flush=True)


def yields(flags):
    signal.signal(signal.SIGXCPU, on_overrun)
    deadline(flags)
    for _ in range(5):
        compute(MS)
        os.sched_yield()
    print("overruns", overruns, flush=True)


def blocks(flags):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGXCPU})
    spins(flags)
    print("pending", signal.SIGXCPU in signal.sigpending(), flush=True)


overruns = 0
child(spins, 0)
child(spins, OVERRUN)
child(counts, OVERRUN)
child(sleeps, OVERRUN)
child(yields, OVERRUN)
child(blocks, 0)
child(blocks, OVERRUN)
