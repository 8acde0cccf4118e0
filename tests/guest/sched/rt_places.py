"""Where a real-time task stands among its equals: after preemption, new priorities, yields."""

import os

FIFO = os.SCHED_FIFO


def say(*words):
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


def start(name, priority, policy=FIFO, body=None):
    """Fork a child that does ``body`` and says its name; it has its priority before it runs."""
    pid = os.fork()
    if pid == 0:
        if body is not None:
            body(name)
        say(name)
        os._exit(0)
    os.sched_setscheduler(pid, policy, os.sched_param(priority))
    return pid


def finish(title, pids):
    say(title)
    for pid in pids:
        os.waitpid(pid, 0)


def sleeps(name):
    os.read(go_r, 1)


def wakes_one(name):
    say(name, "begins")
    os.write(go_w, b"x")
    say(name, "goes on")


def lowers_itself(name):
    os.sched_setscheduler(0, FIFO, os.sched_param(20))
    say(name, "lowered")


def raises_itself(name):
    os.sched_setscheduler(0, FIFO, os.sched_param(21))
    say(name, "raised")
    os.sched_setscheduler(0, FIFO, os.sched_param(20))
    say(name, "lowered")


def same_again(name):
    os.sched_setscheduler(0, FIFO, os.sched_param(20))
    say(name, "has what it had")
    os.write(go_w, b"x")
    say(name, "goes on")


def other_policy(name):
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))
    say(name, "is round robin")
    os.write(go_w, b"x")
    say(name, "goes on")


def yields(name):
    say(name, "yields")
    os.sched_yield()


os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, FIFO, os.sched_param(90))
go_r, go_w = os.pipe()


def with_a_sleeper(title, *others):
    """Let a task of priority 30 come to its sleep, then start the others."""
    pids = [start("high", 95, FIFO, sleeps)]
    os.sched_setscheduler(pids[0], FIFO, os.sched_param(30))
    for name, body in others:
        pids.append(start(name, 20, FIFO, body))
    finish(title, pids)


with_a_sleeper("preempted: goes on before its equal", ("a", wakes_one), ("b", None))
with_a_sleeper("the same again: no change", ("a", same_again), ("b", None))
with_a_sleeper("another policy: no change", ("a", other_policy), ("b", None))

pids = [start("a", 20), start("b", 20), start("was 30", 30), start("was 10", 10)]
os.sched_setparam(pids[2], os.sched_param(20))
os.sched_setparam(pids[3], os.sched_param(20))
finish("lowered: first of its equals; raised: last", pids)

pids = [start("a", 20), start("b", 20), start("c", 20)]
os.sched_setscheduler(pids[0], FIFO, os.sched_param(20))
os.sched_setscheduler(pids[1], os.SCHED_RR, os.sched_param(20))
finish("the same, and another policy: where they are", pids)

pids = [start("a", 20), start("b", 20), start("c", 20)]
os.sched_setscheduler(pids[0], os.SCHED_OTHER, os.sched_param(0))
os.sched_setscheduler(pids[0], FIFO, os.sched_param(20))
os.setpriority(os.PRIO_PROCESS, pids[1], 10)
finish("out of the class and back: last; nice: no change", pids)

finish("lowers itself", [start("a", 25, FIFO, lowers_itself), start("b", 20), start("c", 20)])
finish("raises itself", [start("a", 20, FIFO, raises_itself), start("b", 20)])
finish("yields", [start("a", 20, FIFO, yields), start("b", 20), start("c", 10)])
finish(
    "yields, alone in its list",
    [start("a", 20, FIFO, yields), start("b", 10), start("c", 19)],
)
