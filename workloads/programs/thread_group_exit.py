"""Thread-group exit: every way a process of several threads can end.

Usage: ``python3 -u thread_group_exit.py [key=value]...``

groups=4         processes, each of them one thread group
threads=8        threads of each, the leader not counted
window=4         groups alive at once
mode=exit_group  how a group ends:
    leader_first    the leader leaves with 7, its threads follow one by one with 9
    exit_group      one thread ends the whole group with 4
    sigkill         the parent kills the group once all its threads are up
    exec_nonleader  one thread executes the image
image=/bin/true  what exec_nonleader executes
expect=0         the exit code the image must end with

A group is ready when each of its threads has written a byte into a pipe of its own; only then does
the end begin. The parent checks that each group leaves one status, the right one, and that a
leader that left first is not reported before its last thread.
"""

import os
import signal
import sys
import threading
import time

from workloads import guest

DEFAULTS = {
    "groups": "4",
    "threads": "8",
    "window": "4",
    "mode": "exit_group",
    "image": "/bin/true",
    "expect": "0",
}
KINDS = {
    "groups": "whole 0",
    "threads": "whole 1",
    "window": "whole 1",
    "mode": "one of leader_first exit_group sigkill exec_nonleader",
    "image": "image",
    "expect": "whole 0 255",
}
MODES = ("leader_first", "exit_group", "sigkill", "exec_nonleader")


def usage(text):
    sys.stderr.write(f"thread_group_exit: {text}\n")
    sys.exit(2)


def parse(arguments):
    settings = dict(DEFAULTS)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in settings or not equals:
            usage(f"unknown parameter {argument!r} (known: {' '.join(sorted(settings))})")
        settings[name] = value
    return settings


def whole(settings, name, least):
    text = settings[name]
    if not text.isdecimal() or int(text) < least:
        usage(f"{name}={text}: not a whole number of at least {least}")
    return int(text)


def follow(ready, gate, passed, first):
    # A thread that leaves when it gets the byte that goes round; the last one does not pass it on.
    os.write(ready, b"r")
    os.read(gate, 1)
    if first:
        # Nothing tells when the leader is gone, and the group's status is that of the last to go.
        time.sleep(0.02)
    if passed >= 0:
        os.write(passed, b"g")
    guest.exit_thread(9)


def end_group(ready, gate):
    os.write(ready, b"r")
    os.read(gate, 1)
    os._exit(4)


def execute(ready, gate, image):
    os.write(ready, b"r")
    os.read(gate, 1)
    os.execv(image, [image])


def stay(ready, gate):
    os.write(ready, b"r")
    os.read(gate, 1)
    raise AssertionError("a thread went on after the end of its group")


def leave_first(threads, ready, done, report):
    # A chain of pipes: thread n waits on pipe n and passes the byte on to pipe n + 1.
    gate, opener = os.pipe()
    for index in range(threads):
        if index + 1 < threads:
            following, passed = os.pipe()
        else:
            following, passed = -1, -1
        thread = threading.Thread(target=follow, args=(ready, gate, passed, index == 0))
        thread.start()
        gate = following
    await_ready(done, threads)
    os.write(report, b"u")
    os.write(opener, b"g")
    guest.exit_thread(7)


def await_ready(done, threads):
    seen = 0
    while seen < threads:
        seen += len(os.read(done, threads - seen))


def group(mode, threads, image, report):
    # One process of threads + 1 threads that ends as mode says. Tells report when all are up.
    done, ready = os.pipe()
    if mode == "leader_first":
        leave_first(threads, ready, done, report)
    # Nobody writes into shut, and its write end stays open: to read it is to wait for ever.
    shut, _ = os.pipe()
    gate, opener = os.pipe()
    for index in range(threads):
        if index == threads // 2 and mode == "exit_group":
            thread = threading.Thread(target=end_group, args=(ready, gate))
        elif index == threads // 2 and mode == "exec_nonleader":
            thread = threading.Thread(target=execute, args=(ready, gate, image))
        else:
            thread = threading.Thread(target=stay, args=(ready, shut))
        thread.start()
    await_ready(done, threads)
    os.write(report, b"u")
    os.write(opener, b"g")
    os.read(shut, 1)
    raise AssertionError("the leader went on after the end of its group")


def main():
    settings = parse(sys.argv[1:])
    groups = whole(settings, "groups", 0)
    threads = whole(settings, "threads", 1)
    window = whole(settings, "window", 1)
    expect = whole(settings, "expect", 0)
    mode = settings["mode"]
    if mode not in MODES:
        usage(f"mode={mode}: not {', '.join(MODES)}")
    if expect > 255:
        usage(f"expect={expect}: an exit code is at most 255")
    wanted = {
        "leader_first": 9 << 8,
        "exit_group": 4 << 8,
        "sigkill": signal.SIGKILL,
        "exec_nonleader": expect << 8,
    }[mode]
    up, report = os.pipe()
    live = set()
    started = 0
    reaped = 0
    while reaped < groups:
        if started < groups and len(live) < window:
            pid = os.fork()
            if pid == 0:
                os.close(up)
                group(mode, threads, settings["image"], report)
            live.add(pid)
            started += 1
            assert os.read(up, 1) == b"u"
            if mode == "sigkill":
                os.kill(pid, signal.SIGKILL)
        else:
            pid, status = os.wait()
            assert pid in live, f"reaped {pid}, which is not an outstanding group"
            assert status == wanted, f"group {pid} ended with status {status:#x}"
            live.remove(pid)
            reaped += 1
    try:
        os.wait()
        raise AssertionError("a thread was waited for as if it were a process")
    except ChildProcessError:
        pass
    print(f"thread_group_exit: {groups} groups of {threads} threads, mode {mode}")


if __name__ == "__main__":
    main()
