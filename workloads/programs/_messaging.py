"""hackbench and perf bench sched messaging as a guest program; cluster.presets fills in TABLE.

Each group has senders and receivers, as many of each. Every sender writes ``loops`` times a message
to every receiver of its group. All say when they are ready; the clock begins when they are let go,
and ends when all have ended.

Parameters, as name=value arguments (defaults after the equals sign):

report=full     full: print what the tool prints; plain: only that it is done, without times
"""

import os
import select
import socket
import sys
import threading
import time

DEFAULTS = {"report": "full"}
KINDS = {"report": "one of full plain"}

TABLE = None

SOCKETS = {}
THREADS = []


def connection():
    # descriptors: to read from, to write to
    if TABLE["pipe"]:
        return os.pipe()
    pair = socket.socketpair()
    ends = [one.fileno() for one in pair]
    for number in range(2):
        SOCKETS[ends[number]] = pair[number]
    return ends[0], ends[1]


def close(fd):
    if fd in SOCKETS:
        SOCKETS.pop(fd).close()
    else:
        os.close(fd)


def ready(say, gate):
    os.write(say, b"*")
    poll = select.poll()
    poll.register(gate, select.POLLIN)
    poll.poll()


def sender(outputs, say, gate):
    data = b"-" * TABLE["size"]
    ready(say, gate)
    for _ in range(TABLE["loops"]):
        for fd in outputs:
            done = os.write(fd, data)
            while done < TABLE["size"]:
                done += os.write(fd, data[done:])


def receiver(source, say, gate):
    size = TABLE["size"]
    ready(say, gate)
    for _ in range(TABLE["loops"] * TABLE["fds"]):
        left = size
        while left:
            data = os.read(source, left)
            assert data, "a sender has gone"
            left -= len(data)


def start(function, ends, say, gate, unneeded):
    if TABLE["threads"]:
        thread = threading.Thread(target=function, args=(ends, say, gate))
        thread.start()
        THREADS.append(thread)
    elif os.fork() == 0:
        for fd in unneeded:
            close(fd)
        function(ends, say, gate)
        os._exit(0)


def group(say, gate):
    outputs = []
    for _ in range(TABLE["fds"]):
        source, output = connection()
        start(receiver, source, say, gate, [output])
        outputs.append(output)
        if not TABLE["threads"]:
            close(source)
    for _ in range(TABLE["fds"]):
        start(sender, outputs, say, gate, [])
    if not TABLE["threads"]:
        for output in outputs:
            close(output)


def reap(tasks):
    good = True
    for thread in THREADS:
        thread.join()
    if not TABLE["threads"]:
        for _ in range(tasks):
            good = os.wait()[1] == 0 and good
    return good


def main():
    report = "report=plain" not in sys.argv[1:]
    for line in TABLE["head"]:
        print(line, flush=True)
    hear, say = os.pipe()
    gate, opener = os.pipe()
    for _ in range(TABLE["groups"]):
        group(say, gate)
    tasks = 2 * TABLE["fds"] * TABLE["groups"]
    missing = tasks
    while missing:
        missing -= len(os.read(hear, missing))
    begin = time.monotonic_ns()
    os.write(opener, b"*")
    good = reap(tasks)
    took = time.monotonic_ns() - begin
    if report:
        print(f"{TABLE['time'][0]}{took / 1000000000:.6f}{TABLE['time'][1]}")
    else:
        print(f"{tasks} tasks have ended")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
