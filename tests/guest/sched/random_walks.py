"""Random changes of policy, priority, nice value and owner: each comes to what it must."""

import os

STEPS = 30
WALKS = 30
POLICIES = (os.SCHED_OTHER, os.SCHED_FIFO, os.SCHED_RR, os.SCHED_BATCH, os.SCHED_IDLE, 4)


def step(state, other):
    """Do one thing; return it and its errno."""
    what = (state >> 8) % 6
    policy = POLICIES[(state >> 12) % 6]
    if state >> 16 & 3 == 0:
        policy |= os.SCHED_RESET_ON_FORK
    priority = (0, 0, 1, 10, 50, 99, 100)[(state >> 18) % 7]
    nice = (state >> 21) % 45 - 23
    pid = other if state >> 27 & 7 == 0 else 0
    try:
        if what < 2:
            os.sched_setscheduler(pid, policy, os.sched_param(priority))
        elif what == 2:
            os.sched_setparam(pid, os.sched_param(priority))
        elif what == 3:
            os.setpriority(os.PRIO_PROCESS, pid, nice)
        elif what == 4:
            os.nice(nice)
        elif state >> 24 & 7 == 0:
            os.setresuid(62060, 62060, 62060)
    except OSError as error:
        return what, error.errno
    return what, 0


def show(pid):
    return (
        hex(os.sched_getscheduler(pid)),
        os.sched_getparam(pid).sched_priority,
        os.getpriority(os.PRIO_PROCESS, pid),
        os.sched_rr_get_interval(pid),
    )


def walk(seed, other):
    """Print what every step of one walk comes to, and what a child would inherit at its end."""
    state = seed
    for _ in range(STEPS):
        state = (state * 1103515245 + 12345) % (1 << 31)
        done = step(state, other)
        print(done, show(0), show(other))
    pid = os.fork()
    if pid == 0:
        print("child", show(0))
        os._exit(0)
    os.waitpid(pid, 0)


for seed in range(WALKS):
    go_r, go_w = os.pipe()
    other = os.fork()
    if other == 0:
        os.close(go_w)
        os.read(go_r, 1)
        os._exit(0)
    pid = os.fork()
    if pid == 0:
        walk(seed * 104729 + 5, other)
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(go_w)
    os.close(go_r)
    os.waitpid(other, 0)
