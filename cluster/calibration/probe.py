"""The probe of ``smplab calibrate``: does one thing over and over and says what that took.

Usage: ``python3 -u probe.py KIND TIMES BLOCKS``

A guest program: it runs on the host and on the emulated machine, and both are asked the same. For
each of BLOCKS it prints a line of numbers in ns, for TIMES of the thing together: ``self``, CPU
time of this process; ``inner``, the part of it within the one call that the kind is about;
``children``, CPU time of processes that have ended; ``wall``, time that went by.
"""

import mmap
import os
import resource
import signal
import sys
import time

from workloads import guest

THREADED = ("lock", "thread", "handover", "stay_thread", "stay_threads", "threads_away")
if len(sys.argv) > 1 and sys.argv[1] in THREADED:
    import threading  # by these only: every child of a process that has it begins with its handler

PAGES = 512
MANY = 4096
AREAS = 256
BULK = 32768
COMPUTE = 10000
THREADS = 8
RING = 4
PARENTS = 17


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((usage.ru_utime + usage.ru_stime) * 1000000) * 1000


def mapping(pages):
    return mmap.mmap(-1, pages * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def clocks(times):
    inner = 0
    for _ in range(times):
        begin = time.thread_time_ns()
        inner += time.thread_time_ns() - begin
    return inner


def blocks(times):
    count = 0
    for _ in range(times):
        if count & 1:
            count += 3
        else:
            count += 1
    return 0


def record(letter, number):
    return f"{letter}{number:07d}".encode("ascii")


def statements(times):
    # what programs are made of: conditions, calls, texts, numbers, containers
    found = []
    seen = set()
    names = {"first": 1, "second": 2}
    for number in range(times):
        blocks(8)
        text = record("a", number)
        assert len(text) == 8 and text[:1] == b"a"
        seen.add(int(text[1:]))
        if number in seen:
            seen.remove(number)
        name, equals, value = "first=12".partition("=")
        if equals and value.isdecimal():
            names[name] = names["second"] + number
        found.append(number)
        while found:
            found.pop()
    return 0


def computes(times):
    for _ in range(times):
        guest.compute(COMPUTE)
    return 0


def calls(times):
    for _ in range(times):
        os.getppid()
    return 0


def stats(times):
    for _ in range(times):
        os.stat("/tmp")
    return 0


def reads(times):
    file = os.open("/dev/null", os.O_RDONLY)
    for _ in range(times):
        os.read(file, 1)
    os.close(file)
    return 0


def pipes(times, size):
    take, give = os.pipe()
    data = b"x" * size
    for _ in range(times):
        os.write(give, data)
        os.read(take, size)
    os.close(take)
    os.close(give)
    return 0


def maps(times):
    for _ in range(times):
        mapping(1).close()
    return 0


def accesses(times, first, write):
    # pages that are there already, or come with a read or a write
    memory = mapping(PAGES)
    if first:
        guest.touch(memory, 0, PAGES)
    inner = 0
    for _ in range(times):
        if not first:
            memory.close()
            memory = mapping(PAGES)
        begin = time.thread_time_ns()
        guest.touch(memory, 0, PAGES, write)
        inner += time.thread_time_ns() - begin
    memory.close()
    return inner


def unmaps(times):
    inner = 0
    for _ in range(times):
        memory = mapping(PAGES)
        guest.touch(memory, 0, PAGES)
        begin = time.thread_time_ns()
        memory.close()
        inner += time.thread_time_ns() - begin
    return inner


def wait_for_byte(gate):
    os.read(gate, 1)


def stay(threads):
    # a child that does a little of everything, and may start threads that are all there at once
    take, give = os.pipe()
    os.write(give, record("b", threads))
    assert int(os.read(take, 8)[1:]) == threads
    guest.compute(COMPUTE)
    started = []
    for _ in range(threads):
        thread = threading.Thread(target=wait_for_byte, args=(take,))
        thread.start()
        started.append(thread)
    for _ in range(threads):
        os.write(give, b"x")
    for thread in started:
        thread.join()
    os._exit(0)


def stays(times, threads):
    for _ in range(times):
        pid = os.fork()
        if pid == 0:
            stay(threads)
        os.waitpid(pid, 0)
        statements(1)
    return 0


def forks(times, image):
    inner = 0
    for _ in range(times):
        begin = time.thread_time_ns()
        pid = os.fork()
        if pid == 0:
            if image:
                os.execv(image, [image])
            os._exit(0)
        inner += time.thread_time_ns() - begin
        reaped, status = os.waitpid(pid, 0)
        assert reaped == pid and status == 0
        statements(1)  # a parent that goes on writes pages, too
    return inner


def forks_apart(times):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    return forks(times, "")


def forks_away(times):
    # the parent keeps to one CPU, so the child begins on the other, which idles
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[:1])
    for _ in range(times):
        os.sched_setaffinity(0, cpus)
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.sched_setaffinity(0, cpus[:1])
        os.waitpid(pid, 0)
        statements(1)
    os.sched_setaffinity(0, cpus)
    return 0


def spawns(times):
    inner = 0
    for _ in range(times):
        begin = time.thread_time_ns()
        pid = os.posix_spawn("/bin/true", ["/bin/true"], {})
        inner += time.thread_time_ns() - begin
        os.waitpid(pid, 0)
    return inner


def forks_of_pages(times):
    memory = mapping(MANY)
    guest.touch(memory, 0, MANY)
    inner = forks(times, "")
    memory.close()
    return inner


def forks_of_areas(times):
    # neighbours of another kind: the kernel makes no one area of them
    areas = []
    for index in range(AREAS):
        kind = mmap.MAP_SHARED if index % 2 else mmap.MAP_PRIVATE
        areas.append(mmap.mmap(-1, mmap.PAGESIZE, flags=kind | mmap.MAP_ANONYMOUS))
    inner = forks(times, "")
    for area in areas:
        area.close()
    return inner


def copies(times):
    # the parent writes pages that a child has, too
    memory = mapping(PAGES)
    guest.touch(memory, 0, PAGES)
    inner = 0
    for _ in range(times):
        take, give = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(give)
            os.read(take, 1)
            os._exit(0)
        begin = time.thread_time_ns()
        guest.touch(memory, 0, PAGES)
        inner += time.thread_time_ns() - begin
        os.close(take)
        os.close(give)
        os.waitpid(pid, 0)
    memory.close()
    return inner


def signals(times):
    signal.signal(signal.SIGUSR1, lambda number, frame: None)
    me = os.getpid()
    for _ in range(times):
        os.kill(me, signal.SIGUSR1)
    return 0


def locks(times):
    lock = threading.Lock()
    for _ in range(times):
        lock.acquire()
        lock.release()
    return 0


def futexes(times):
    memory = mapping(1)
    for _ in range(times):
        guest.futex_wake(memory, 0, 1)
    memory.close()
    return 0


def nothing():
    pass


def threads(times):
    for _ in range(times):
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()
    return 0


def relay(mine, others, times):
    for _ in range(times):
        mine.acquire()
        others.release()


def handovers(times):
    # two threads, each of which lets the other go on
    ping = threading.Lock()
    pong = threading.Lock()
    ping.acquire()
    pong.acquire()
    thread = threading.Thread(target=relay, args=(ping, pong, times))
    thread.start()
    for _ in range(times):
        ping.release()
        pong.acquire()
    thread.join()
    return 0


def little(forking):
    if forking:
        forks(1, "")
    else:
        statements(1)


def pass_on(ends, index, forking):
    take = ends[index][0]
    give = ends[(index + 1) % len(ends)][1]
    for _, other in ends:
        if other != give:
            os.close(other)
    while os.read(take, 1):
        little(forking)
        os.write(give, b"x")
    os._exit(0)


def ring(times, size, forking):
    # processes pass a byte on; each does a little before it does, with caches that others have used
    ends = [os.pipe() for _ in range(size)]
    for index in range(1, size):
        if os.fork() == 0:
            pass_on(ends, index, forking)
    take = ends[0][0]
    give = ends[1][1]
    begin = 0
    for lap in range(times + 1):
        if lap == 1:  # what a new process does first is not of a lap
            begin = time.monotonic_ns()
        os.write(give, b"x")
        os.read(take, 1)
        little(forking)
    took = time.monotonic_ns() - begin
    for taken, given in ends:
        os.close(given)
        os.close(taken)
    for _ in range(1, size):
        os.wait()
    return took


def answer(take, give, say):
    os.close(give)
    while os.read(take, 1):
        os.write(say, b"x")
    os._exit(0)


def wakes(times):
    # several processes that wait are woken, one after the other; how they run is not of it
    back, say = os.pipe()
    gates = []
    for _ in range(RING):
        take, give = os.pipe()
        if os.fork() == 0:
            for gate in gates:
                os.close(gate)
            answer(take, give, say)
        os.close(take)
        gates.append(give)
    inner = 0
    for lap in range(times + 1):
        begin = time.thread_time_ns()
        for gate in gates:
            os.write(gate, b"x")
        if lap:  # what a new process does first is not of it
            inner += time.thread_time_ns() - begin
        for _ in gates:
            os.read(back, 1)
    for gate in gates:
        os.close(gate)
        os.wait()
    os.close(back)
    os.close(say)
    return inner


def spin(cpu):
    # keep a CPU from idling, and give way to whoever else wants it
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, [cpu])
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while True:
            pass
    return pid


def turns(times, busy):
    # two processes, each on a CPU of its own, pass a byte to and fro; busy: no CPU idles meanwhile
    take, give = os.pipe()
    back, answer = os.pipe()
    cpus = sorted(os.sched_getaffinity(0))
    spinners = []
    if busy:
        spinners = [spin(cpu) for cpu in cpus[:2]]
    os.sched_setaffinity(0, cpus[:1])
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, cpus[1:2])
        os.close(give)
        os.close(back)
        while os.read(take, 1):
            os.write(answer, b"x")
        os._exit(0)
    os.write(give, b"x")  # once before: what a new process does first is not of a turn
    os.read(back, 1)
    begin = time.monotonic_ns()
    for _ in range(times):
        os.write(give, b"x")
        os.read(back, 1)
    took = time.monotonic_ns() - begin
    os.sched_setaffinity(0, cpus)
    for spinner in spinners:
        os.kill(spinner, signal.SIGKILL)
        os.waitpid(spinner, 0)
    for file in (give, take, back, answer):
        os.close(file)
    os.waitpid(pid, 0)
    return took


# what to call for each kind, and with what beside the number of times
KINDS = {
    "clock": (clocks, ()),
    "block": (blocks, ()),
    "statement": (statements, ()),
    "compute": (computes, ()),
    "call": (calls, ()),
    "stat": (stats, ()),
    "read": (reads, ()),
    "map": (maps, ()),
    "unmap": (unmaps, ()),
    "copy": (copies, ()),
    "fork_pages": (forks_of_pages, ()),
    "fork_areas": (forks_of_areas, ()),
    "fork_away": (forks_away, ()),
    "spawn": (spawns, ()),
    "signal": (signals, ()),
    "lock": (locks, ()),
    "thread": (threads, ()),
    "futex": (futexes, ()),
    "handover": (handovers, ()),
    "wake": (wakes, ()),
    "pipe": (pipes, (1,)),
    "bulk": (pipes, (BULK,)),
    "touch": (accesses, (True, True)),
    "zero": (accesses, (False, False)),
    "anon": (accesses, (False, True)),
    "fork": (forks, ("",)),
    "exec": (forks, ("/bin/true",)),
    "fork_beside": (forks_apart, ()),
    "stay": (stays, (0,)),
    "stay_thread": (stays, (1,)),
    "stay_threads": (stays, (THREADS,)),
    "threads_away": (stays, (THREADS,)),
    "ring": (ring, (RING, False)),
    "fork_turns": (ring, (PARENTS, True)),
    "apart": (turns, (False,)),
    "apart_busy": (turns, (True,)),
}


def watch(child, busy):
    # wait for a child; if busy do what it does meanwhile, on a CPU apart
    if busy:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    reaped = 0
    while not reaped:
        if busy:
            forks(1, "")
        reaped, status = os.waitpid(child, os.WNOHANG if busy else 0)
    return status


def main():
    kind = sys.argv[1]
    call, arguments = KINDS[kind]
    times = int(sys.argv[2])
    child = os.fork()  # what is measured was forked, as nearly all processes are
    if child:
        sys.exit(os.waitstatus_to_exitcode(watch(child, kind == "fork_beside")))
    if kind in ("thread", "handover"):
        threads(1)  # the first one of a process is another matter
    for _ in range(int(sys.argv[3])):
        before = spent()
        wall = time.monotonic_ns()
        own = time.process_time_ns()
        inner = call(times, *arguments)
        own = time.process_time_ns() - own
        wall = time.monotonic_ns() - wall
        print(own, inner, spent() - before, wall)


if __name__ == "__main__":
    main()
