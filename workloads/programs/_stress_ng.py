"""Stressors of stress-ng as a guest program; cluster.presets fills in TABLE.

Each worker is a process. It goes on until it has done its operations, or the time is over.

Parameters, as name=value arguments (defaults after the equals sign):

report=full     full: print operations and times; plain: only that it is done
"""

import mmap
import os
import signal
import sys
import time

from workloads import guest

DEFAULTS = {"report": "full"}
KINDS = {"report": "one of full plain"}

TABLE = None

STATE = {"stop": False, "ops": 0}
SLOT = 16
# of each worker: operations, time in ns (two words), what its children have done
MEMORY = mmap.mmap(-1, SLOT * 1024, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
UNUSED_PID = 1 << 22
LEAST = -(1 << 31)


def over(done):
    return STATE["stop"] or 0 < STATE["ops"] <= done


def stop(signum, frame):
    STATE["stop"] = True


def failing(call, *args):
    # a call that is there to fail
    try:
        call(*args)
    except OSError:
        pass


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def brief_child(number):
    # every other child of stress-ng asks for its group first
    if number % 2 == 0:
        os.setpgid(0, 0)
        os.setpgid(os.getpid(), os.getpgid(0))
        failing(os.setpgid, 0, -1)
        failing(os.setpgid, -1, 0)
    os._exit(0)


def fork(most, kind):
    done = 0
    while not over(done):
        pids = []
        for number in range(most):
            pid = guest.vfork() if kind == "vfork" else os.fork()
            if pid == 0:
                if kind == "vfork":
                    os._exit(0)
                brief_child(number)
            pids.append(pid)
            if STATE["stop"]:
                break
        for pid in pids:
            os.waitpid(pid, 0)
            done += 1
    return done


def execute(most):
    made = 0
    done = 0
    while not over(done):
        wait = made - done >= most or 0 < STATE["ops"] <= made
        if not wait:
            if os.fork() == 0:
                os.execv("/bin/true", ["/bin/true"])
            made += 1
        if os.waitpid(-1, 0 if wait else os.WNOHANG)[0]:
            done += 1
    while done < made:
        os.waitpid(-1, 0)
        done += 1
    return done


def zombie(most):
    done = 0
    waiting = []
    while not over(done):
        if len(waiting) < most:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.setpgid(pid, os.getpgid(pid))
            waiting.append(pid)
            done += 1
        else:
            os.waitpid(waiting.pop(0), 0)
    for pid in waiting:
        os.waitpid(pid, 0)
    return done


def pipe(size):
    source, output = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(output)
        while os.read(source, size):
            pass
        os._exit(0)
    os.close(source)
    data = b"x" * size
    done = 0
    while not over(done):
        os.write(output, data)
        done += 1
    os.close(output)
    os.waitpid(pid, 0)
    return done


def take_and_give(semaphores, first):
    try:
        guest.semop(semaphores, [(0, first, guest.SEM_UNDO)])
        guest.semop(semaphores, [(0, -first, guest.SEM_UNDO)])
    except InterruptedError:
        pass  # the time is over


def switch():
    semaphores = guest.semget(guest.IPC_PRIVATE, 1, 0o600)
    pid = os.fork()
    if pid == 0:
        while True:
            take_and_give(semaphores, -1)
    done = 0
    while not over(done):
        done += 1
        take_and_give(semaphores, 1)
    end(pid)
    guest.semctl(semaphores, 0, guest.IPC_RMID)
    return done


def shared_out(processes, task):
    # each of the processes does as many; returns what all have done. They count in pipes of theirs.
    pids = []
    if STATE["ops"]:
        STATE["ops"] = max(STATE["ops"] // processes, 1)
    source, output = os.pipe()
    for _ in range(processes):
        pid = os.fork()
        if pid == 0:
            if TABLE["timeout"]:
                signal.setitimer(signal.ITIMER_REAL, TABLE["timeout"])
            done = 0
            while not over(done):
                task()
                done += 1
            os.write(output, f"{done:8}".encode())
            os._exit(0)
        pids.append(pid)
    total = 0
    for pid in pids:
        os.waitpid(pid, 0)
        total += int(os.read(source, 8))
    return total


def semaphore(processes):
    semaphores = guest.semget(guest.IPC_PRIVATE, 3, 0o600)
    guest.semctl(semaphores, 0, guest.SETVAL, 1)
    done = shared_out(processes, lambda: take_and_give(semaphores, -1))
    guest.semctl(semaphores, 0, guest.IPC_RMID)
    return done


def yielding(processes):
    cpus = len(os.sched_getaffinity(0))
    return shared_out(processes or max(2 * cpus // STATE["workers"], 1), os.sched_yield)


def message(size):
    queue = guest.msgget(guest.IPC_PRIVATE, 0o600)
    pid = os.fork()
    if pid == 0:
        while True:
            guest.msgrcv(queue, size)
    data = b"#" * size
    done = 0
    while not over(done):
        try:
            guest.msgsnd(queue, 1, data)
            done += 1
        except InterruptedError:
            pass  # the time is over
    end(pid)
    guest.msgctl(queue, guest.IPC_RMID)
    return done


def futex(place):
    pid = os.fork()
    if pid == 0:
        done = 0
        while not over(done):
            try:
                guest.futex_wait(MEMORY, place, 0, 5000)
                done += 1
                guest.WRITE_ONCE(MEMORY, place + 4, done)
            except TimeoutError:
                pass
        os._exit(0)
    while not over(guest.READ_ONCE(MEMORY, place + 4)):
        guest.futex_wake(MEMORY, place, 1)
    if STATE["stop"]:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return guest.READ_ONCE(MEMORY, place + 4)


def nothing(signum, frame):
    pass


def kill():
    me = os.getpid()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, nothing)
        while True:
            os.kill(me, 0)
            signal.pause()
    done = 0
    delay_us = 5000
    while not over(done):
        if delay_us >= 1000:
            time.sleep(delay_us / 1000000)
            delay_us -= 500
        os.kill(me, signal.SIGUSR1)
        os.kill(me, 0)
        failing(os.kill, -1, 0)
        for target, number in ((me, -1), (me, LEAST), (0, LEAST), (LEAST, 0)):
            failing(os.kill, target, number)
        for number in (0, signal.SIGSTOP, signal.SIGCONT, signal.SIGUSR1):
            os.kill(pid, number)
        failing(os.kill, UNUSED_PID, 0)
        done += 1
    end(pid)
    return done


def busy():
    done = 0
    while not over(done):
        guest.compute(1000000)
        done += 1
    return done


def stress(stressor, place):
    name = stressor["name"]
    if name == "fork" or name == "vfork":
        return fork(stressor["max"], name)
    if name == "exec":
        return execute(stressor["max"])
    if name == "zombie":
        return zombie(stressor["max"])
    if name == "pipe":
        return pipe(stressor["data-size"])
    if name == "switch":
        return switch()
    if name == "sem-sysv":
        return semaphore(stressor["procs"])
    if name == "yield":
        return yielding(stressor["procs"])
    if name == "msg":
        return message(stressor["bytes"])
    if name == "futex":
        return futex(place)
    if name == "kill":
        return kill()
    assert name == "cpu", f"no stressor is called {name}"
    return busy()


def worker(stressor, place):
    STATE["ops"] = stressor["ops"]
    STATE["workers"] = stressor["workers"]
    guest.prctl(guest.PR_SET_NAME, f"stress-ng-{stressor['name']}"[:15])
    begin = time.monotonic_ns()
    if TABLE["timeout"]:
        signal.setitimer(signal.ITIMER_REAL, TABLE["timeout"])
    done = stress(stressor, place + 8)
    took = time.monotonic_ns() - begin
    guest.WRITE_ONCE(MEMORY, place, done)
    guest.WRITE_ONCE(MEMORY, place + 4, max(took // 1000, 1))
    os._exit(0)


def tell(stressor, first):
    ops = 0
    us = 0
    for number in range(stressor["workers"]):
        ops += guest.READ_ONCE(MEMORY, first + SLOT * number)
        us += guest.READ_ONCE(MEMORY, first + SLOT * number + 4)
    seconds = us / stressor["workers"] / 1000000
    me = os.getpid()
    numbers = f"{ops:8} {seconds:9.6f} {ops / seconds:13.2f}"
    print(f"stress-ng: metrc: [{me}] {stressor['name']:<13} {numbers}")


def main():
    report = "report=plain" not in sys.argv[1:]
    signal.signal(signal.SIGALRM, stop)
    count = 0
    firsts = []
    for stressor in TABLE["stressors"]:
        firsts.append(SLOT * count)
        for _ in range(stressor["workers"]):
            if os.fork() == 0:
                worker(stressor, SLOT * count)
            count += 1
    good = True
    for _ in range(count):
        good = os.wait()[1] == 0 and good
    if report:
        me = os.getpid()
        print(f"stress-ng: metrc: [{me}] stressor      bogo ops real time    bogo ops/s")
        for number, stressor in enumerate(TABLE["stressors"]):
            tell(stressor, firsts[number])
    ended = "1 worker has ended" if count == 1 else f"{count} workers have ended"
    print(f"stress-ng: {ended}" if good else "stress-ng: a worker failed")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
