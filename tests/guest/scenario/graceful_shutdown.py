"""A server passes SIGTERM on to its workers, waits for them all and reports how each one ended."""

import os
import signal
import time

ending = []


def pass_on(number, frame):
    signal.signal(number, signal.SIG_IGN)  # the group is also its own
    ending.append(int(number))
    os.killpg(0, number)


def worker(number, ready):
    if number == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    elif number == 1:
        signal.signal(signal.SIGTERM, finish)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(ready, b"r")
    for _ in range(3):
        time.sleep(0.1)
    os._exit(number)


def finish(number, frame):
    time.sleep(0.05)
    os._exit(20)


def server():
    os.setpgid(0, 0)
    read_end, write_end = os.pipe()
    pids = []
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            worker(number, write_end)
        pids.append(pid)
    for _ in pids:
        os.read(read_end, 1)
    signal.signal(signal.SIGTERM, pass_on)
    os.write(told[1], b"s")
    ends = {}
    while len(ends) < 3:
        pid, status = os.wait()
        ends[pids.index(pid)] = os.waitstatus_to_exitcode(status)
    print(sorted(ends.items()), set(ending))
    os._exit(0)


told = os.pipe()
pid = os.fork()
if pid == 0:
    server()
os.read(told[0], 1)
os.kill(pid, signal.SIGTERM)
print(os.waitpid(pid, 0)[1])
