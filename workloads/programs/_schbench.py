"""schbench as a guest program; cluster.presets fills in TABLE.

Each message thread has workers. A worker tells its message thread that it waits, and waits on a
futex; who is told wakes all that wait. A woken worker does a request: it sleeps, as for a network,
and computes. With a rate the message thread gives out so many requests each second instead. All
threads are processes here, which share a mapping: flags, futexes, and counts of latencies.

Parameters, as name=value arguments (defaults after the equals sign):

report=full     full: print latencies and rates; plain: only that it is done
"""

import mmap
import os
import sys
import time

from workloads import guest

DEFAULTS = {"report": "full"}
KINDS = {"report": "one of full plain"}

TABLE = None

EXACT, STEP = 512, 256
COUNTS = EXACT + 24 * STEP
WAKEUP, REQUEST, STOP, DONE, SLOTS = 0, 4 * COUNTS, 8 * COUNTS, 8 * COUNTS + 4, 8 * COUNTS + 64
# of each thread: futex, waiting, requests, wake time in ns (two words)
FUTEX, WAITING, PENDING, WOKEN, SLOT = 0, 4, 8, 12, 32
MEMORY = mmap.mmap(-1, 262144, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
BLOCKED, RUNNING = 0, 1
SECOND = 1000000000
MOST_PENDING = 128


def get(place):
    low = guest.READ_ONCE(MEMORY, place) & 0xFFFFFFFF
    return (guest.READ_ONCE(MEMORY, place + 4) << 32) + low


def put(place, value):
    guest.WRITE_ONCE(MEMORY, place, value & 0xFFFFFFFF)
    guest.WRITE_ONCE(MEMORY, place + 4, value >> 32)


def place_of(us):
    # exact below 512 us, then 256 steps for each power of two
    if us < EXACT:
        return us
    shift = 1
    while us >> shift >= EXACT:
        shift += 1
    return min(EXACT + (shift - 1) * STEP + (us >> shift) - STEP, COUNTS - 1)


def value_at(place):
    if place < EXACT:
        return place
    shift = (place - EXACT) // STEP + 1
    return (((place - EXACT) % STEP + STEP) << shift) + (1 << shift) // 2


def count(table, ns):
    if ns >= 1000:
        guest.atomic_add(MEMORY, table + 4 * place_of(ns // 1000), 1)


def post(thread):
    if guest.xchg(MEMORY, thread + FUTEX, RUNNING) == BLOCKED:
        guest.futex_wake(MEMORY, thread + FUTEX, 1)


def wait(thread):
    while guest.READ_ONCE(MEMORY, thread + FUTEX) == BLOCKED:
        try:
            guest.futex_wait(MEMORY, thread + FUTEX, BLOCKED)
        except BlockingIOError:
            pass


def stopping():
    return guest.READ_ONCE(MEMORY, STOP)


def request():
    begin = time.monotonic_ns()
    if TABLE["sleep_us"]:
        time.sleep(TABLE["sleep_us"] / 1000000)
    guest.compute(TABLE["compute_ns"])
    guest.atomic_add(MEMORY, DONE, 1)
    count(REQUEST, time.monotonic_ns() - begin)


def message_and_wait(own, master):
    # requests that came meanwhile; else how many there are after a wait
    guest.WRITE_ONCE(MEMORY, own + FUTEX, BLOCKED)
    put(own + WOKEN, time.monotonic_ns())
    if TABLE["rate"]:
        pending = guest.xchg(MEMORY, own + PENDING, 0)
        if pending:
            guest.WRITE_ONCE(MEMORY, own + FUTEX, RUNNING)
            return pending
    else:
        guest.xchg(MEMORY, own + WAITING, 1)
        post(master)
    if not stopping():
        wait(own)
    if not stopping():
        count(WAKEUP, time.monotonic_ns() - get(own + WOKEN))
    return 0 if TABLE["rate"] else 1


def worker(own, master):
    guest.prctl(guest.PR_SET_NAME, "schbench-worker")
    while not stopping():
        for _ in range(message_and_wait(own, master)):
            request()
    os._exit(0)


def wake_all(workers):
    now = time.monotonic_ns()
    for one in workers:
        if guest.xchg(MEMORY, one + WAITING, 0):
            put(one + WOKEN, now)
            post(one)


def answer(own, workers):
    while True:
        guest.WRITE_ONCE(MEMORY, own + FUTEX, BLOCKED)
        wake_all(workers)
        if stopping():
            return
        wait(own)


def give_out(workers):
    turn = 0
    while not stopping():
        begin = time.monotonic_ns()
        for _ in range(TABLE["rate"]):
            if stopping():
                break
            one = workers[turn % len(workers)]
            turn += 1
            if guest.READ_ONCE(MEMORY, one + PENDING) > MOST_PENDING:
                time.sleep(0.0001)
                continue
            put(one + WOKEN, time.monotonic_ns())
            guest.atomic_add(MEMORY, one + PENDING, 1)
            post(one)
        left = begin + SECOND - time.monotonic_ns()
        while left > 0 and not stopping():
            time.sleep(min(left, SECOND // 10) / SECOND)
            left = begin + SECOND - time.monotonic_ns()


def master(own):
    guest.prctl(guest.PR_SET_NAME, "schbench-msg")
    workers = [own + SLOT * (1 + number) for number in range(TABLE["workers"])]
    for one in workers:
        if os.fork() == 0:
            worker(one, own)
    if TABLE["rate"]:
        give_out(workers)
    else:
        answer(own, workers)
    bad = 0
    for one in workers:
        post(one)
    for _ in workers:
        bad += os.wait()[1] != 0
    os._exit(1 if bad else 0)


def tell(table, label):
    counts = [guest.READ_ONCE(MEMORY, table + 4 * place) for place in range(COUNTS)]
    total = sum(counts)
    seconds = TABLE["runtime"]
    print(f"{label} percentiles (usec) runtime {seconds} (s) ({total} total samples)")
    places = [place for place in range(COUNTS) if counts[place]]
    for percent in (50.0, 90.0, 99.0, 99.9):
        seen = 0
        for place in places:
            seen += counts[place]
            if seen >= percent * total / 100:
                mark = "* " if percent == 99.0 else "  "
                print(f"\t{mark}{percent:2.1f}th: {value_at(place):<10}")
                break
    if places:
        print(f"\t  min={value_at(places[0])}, max={value_at(places[-1])}")


def main():
    report = "report=plain" not in sys.argv[1:]
    threads = SLOT * (1 + TABLE["workers"])
    pids = []
    for number in range(TABLE["messages"]):
        own = SLOTS + threads * number
        pid = os.fork()
        if pid == 0:
            master(own)
        pids.append(pid)
    time.sleep(TABLE["runtime"])
    guest.WRITE_ONCE(MEMORY, STOP, 1)
    for number in range(TABLE["messages"]):
        post(SLOTS + threads * number)
    good = True
    for pid in pids:
        good = os.waitpid(pid, 0)[1] == 0 and good
    if report:
        tell(WAKEUP, "Wakeup Latencies")
        tell(REQUEST, "Request Latencies")
        print(f"average rps: {guest.READ_ONCE(MEMORY, DONE) / TABLE['runtime']:.2f}")
    print(f"schbench: {len(pids)} message threads have ended" if good else "schbench: one failed")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
