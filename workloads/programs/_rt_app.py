"""What a JSON file for rt-app says, as a guest program; cluster.imports fills in TABLE.

Each thread of the file is a process here: the threads of one CPython process take turns, those of
rt-app do not. What they share is one System V semaphore set and one shared mapping:

mutex       one semaphore, 1 when free;
condition   two: how many wait, and the wake-ups given. To wait is one operation on the first and on
            the mutex; to signal takes from the first and gives to the second at once, or finds that
            nobody waits, and then it is lost, as pthread_cond_signal()'s is;
barrier     a mutex and a semaphore, with the number of those that have come in the mapping;
timer       when it is due next, in the mapping, or in the process if it is the thread's own.

When the duration is over the set is removed, which wakes all that wait, and each thread ends before
its next event.

Parameters, as name=value arguments (defaults after the equals sign):

log=on          on: print rt-app's columns for each loop of a phase; off: print only the last line
"""

import errno
import mmap
import os
import signal
import sys
import time

from workloads import guest

DEFAULTS = {"log": "on"}
KINDS = {"log": "one of on off"}

TABLE = None

COLUMNS = "#task idx perf run period start end rel_st slack c_duration c_period wu_lat"
STOP, ZERO, FIRST = 0, 8, 16
LINES = 64
STATE = {"set": -1, "log": True, "born": 0}
MEMORY = mmap.mmap(-1, 65536, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def get(place):
    low = guest.READ_ONCE(MEMORY, place) & 0xFFFFFFFF
    return (guest.READ_ONCE(MEMORY, place + 4) << 32) + low


def put(place, value):
    guest.WRITE_ONCE(MEMORY, place, value & 0xFFFFFFFF)
    guest.WRITE_ONCE(MEMORY, place + 4, value >> 32)


def operate(operations):
    guest.semop(STATE["set"], operations)


def sleep_until(due_ns):
    left = due_ns - time.monotonic_ns()
    if left > 0:
        time.sleep(left / 1_000_000_000)


def wait_for(condition, mutex):
    operate([(condition, 1, 0), (mutex, 1, 0)])
    operate([(condition + 1, -1, 0)])
    operate([(mutex, -1, 0)])


def wake(condition):
    try:
        operate([(condition, -1, guest.IPC_NOWAIT), (condition + 1, 1, 0)])
    except BlockingIOError:
        return False
    return True


def wake_all(condition):
    while wake(condition):
        pass


def meet(first, place, users):
    operate([(first, -1, 0)])
    here = get(place) + 1
    put(place, here % users)
    operate([(first, 1, 0)])
    if here < users:
        operate([(first + 1, -1, 0)])
    elif users > 1:
        operate([(first + 1, users - 1, 0)])


def set_scheduling(sched):
    policy, priority, runtime, deadline, period = sched
    if policy == os.SCHED_FIFO or policy == os.SCHED_RR:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    elif policy == 6:
        guest.sched_setattr(0, policy, runtime_ns=runtime, deadline_ns=deadline, period_ns=period)
    elif policy >= 0 and runtime:
        guest.sched_setattr(0, policy, nice=priority, runtime_ns=runtime)
    else:
        if policy >= 0:
            os.sched_setscheduler(0, policy, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, priority)


def run_for(us, log):
    began = time.monotonic_ns()
    guest.compute(us * 1000)
    log["run"] += time.monotonic_ns() - began
    log["c_duration"] += us


def run_until(us, log):
    began = time.monotonic_ns()
    while time.monotonic_ns() - began < us * 1000:
        guest.compute(32_000)
    log["run"] += time.monotonic_ns() - began
    log["c_duration"] += us


def timer(event, timers, first, log):
    _, place, own, period, relative = event
    before = timers.get(place, 0) if own else get(place)
    due = (before or first) + period * 1000
    now = time.monotonic_ns()
    slack = due - now
    log["c_period"] += period
    log["slack"] = log["slack"] + slack if TABLE["cumulative"] else slack
    late = due
    if now < due:
        sleep_until(due)
        log["wu_lat"] += max(time.monotonic_ns() - due, 0)
    else:
        log["wu_lat"] = 0
        if relative:
            late = time.monotonic_ns()
    if own:
        timers[place] = late
    else:
        put(place, late)


def start_fork(task, forked):
    number = forked.get(task, 0)
    forked[task] = number + 1
    name = TABLE["tasks"][task]["name"]
    if os.fork() == 0:
        thread(task, f"{name}-{task}-{number}", number, True)


def do_event(event, timers, forked, first, log):
    kind = event[0]
    if kind == "run":
        run_for(event[1], log)
    elif kind == "runtime":
        run_until(event[1], log)
    elif kind == "sleep":
        time.sleep(event[1] / 1_000_000)
    elif kind == "timer":
        timer(event, timers, first, log)
    elif kind == "lock" or kind == "sem_wait":
        operate([(event[1], -1, 0)])
    elif kind == "unlock" or kind == "sem_post":
        operate([(event[1], 1, 0)])
    elif kind == "wait":
        wait_for(event[1], event[2])
    elif kind == "signal":
        wake(event[1])
    elif kind == "broad":
        wake_all(event[1])
    elif kind == "sync":
        wake(event[1])
        wait_for(event[1], event[2])
    elif kind == "suspend":
        operate([(event[2], -1, 0)])
        wait_for(event[1], event[2])
        operate([(event[2], 1, 0)])
    elif kind == "resume":
        operate([(event[2], -1, 0)])
        wake_all(event[1])
        operate([(event[2], 1, 0)])
    elif kind == "barrier":
        meet(event[1], event[2], event[3])
    elif kind == "yield":
        os.sched_yield()
    elif kind == "fork":
        start_fork(event[1], forked)


def line(name, index, began, ended, log):
    perf = log["c_duration"] * 1000 // TABLE["loop_ns"]
    slack = log["slack"] // 1000
    times = f"{log['run'] // 1000} {(ended - began) // 1000} {began // 1000} {ended // 1000}"
    rest = f"{(began - get(ZERO)) // 1000} {slack} {log['c_duration']} {log['c_period']}"
    return f"{name} {index} {perf} {times} {rest} {log['wu_lat'] // 1000}"


def one_loop(phase, timers, forked, first, log):
    # Whether all of it was done.
    for event in phase["events"]:
        if MEMORY[STOP]:
            return False
        try:
            do_event(event, timers, forked, first, log)
        except OSError as error:
            if MEMORY[STOP] and error.errno in (errno.EIDRM, errno.EINVAL):
                return False
            raise
    return True


def phases_of(task, name, index, first):
    timers = {}
    forked = {}
    lines = []
    turns = 0
    while turns != task["loop"]:
        for phase in task["phases"]:
            loops = 0
            while loops != phase["loop"]:
                if phase["cpus"]:
                    os.sched_setaffinity(0, phase["cpus"])
                if phase["sched"]:
                    set_scheduling(phase["sched"])
                log = {"run": 0, "slack": 0, "c_duration": 0, "c_period": 0, "wu_lat": 0}
                began = time.monotonic_ns()
                if not one_loop(phase, timers, forked, first, log):
                    return lines
                if STATE["log"]:
                    lines.append(line(name, index, began, time.monotonic_ns(), log))
                    if len(lines) == LINES:
                        tell(lines)
                        lines = []
                loops += 1
        turns += 1
    return lines


def tell(lines):
    if lines:
        guest.say("\n".join(lines))


def reap():
    # Wait for every child; whether all ended well.
    good = True
    while True:
        try:
            good = os.wait()[1] == 0 and good
        except ChildProcessError:
            return good


def thread(number, name, index, forked):
    task = TABLE["tasks"][number]
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    guest.prctl(guest.PR_SET_NAME, name[:15])
    if not forked:
        operate([(0, -1, 0)])
    first = get(ZERO)
    if task["delay"]:
        first += task["delay"] * 1000
        sleep_until(first)
    if task["cpus"]:
        os.sched_setaffinity(0, task["cpus"])
    set_scheduling(task["sched"])
    tell(phases_of(task, name, index, first))
    os._exit(0 if reap() else 1)


def time_is_over(signum, frame):
    MEMORY[STOP] = 1
    guest.semctl(STATE["set"], 0, guest.IPC_RMID)


def start_all():
    count = 0
    for number, task in enumerate(TABLE["tasks"]):
        for _ in range(task["instances"]):
            if os.fork() == 0:
                thread(number, f"{task['name']}-{count}", count, False)
            count += 1
    return count


def main():
    for word in sys.argv[1:]:
        if word not in ("log=on", "log=off"):
            guest.say(f"rt-app: {word}: expected log=on or log=off")
            sys.exit(2)
        STATE["log"] = word == "log=on"
    STATE["set"] = guest.semget(guest.IPC_PRIVATE, TABLE["semaphores"], 0o600)
    for place in TABLE["free"]:
        guest.semctl(STATE["set"], place, guest.SETVAL, 1)
    if STATE["log"]:
        guest.say(COLUMNS)
    count = start_all()
    put(ZERO, time.monotonic_ns())
    if TABLE["duration"] > 0:
        signal.signal(signal.SIGALRM, time_is_over)
        signal.setitimer(signal.ITIMER_REAL, TABLE["duration"])
    if count:
        operate([(0, count, 0)])
    good = reap()
    signal.setitimer(signal.ITIMER_REAL, 0)
    if not MEMORY[STOP]:
        guest.semctl(STATE["set"], 0, guest.IPC_RMID)
    guest.say(f"rt-app: {count} threads" if good else "rt-app: a thread failed")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
