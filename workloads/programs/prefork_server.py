"""Prefork server: a master keeps a pool of workers that take requests from one shared pipe.

Usage: ``python3 -u prefork_server.py [key=value]...``

workers=4      processes of the pool
requests=200   requests in all
window=8       requests in flight; at most 512, so that both pipes hold them
retire=20      requests after which a worker leaves and is replaced; 0: never
crash=0        every such request kills the worker that took it, after its answer; 0: none
compute=50us   CPU time a request takes

A request and an answer are one record of 16 bytes, which a pipe moves as a whole. The master
checks that each request is answered once and with the right result, that a worker leaves only as
announced (exit 0, or SIGKILL after a crash request), and that the pool is gone at the end.
"""

import os
import signal
import sys

from workloads import guest

DEFAULTS = {
    "workers": "4",
    "requests": "200",
    "window": "8",
    "retire": "20",
    "crash": "0",
    "compute": "50us",
}
KINDS = {
    "workers": "whole 1 10000",
    "requests": "whole 0 9999999",
    "window": "whole 1 512",
    "retire": "whole 0 9999999",
    "crash": "whole 0 9999999",
    "compute": "time",
}
RECORD = 16


def usage(text):
    sys.stderr.write(f"prefork_server: {text}\n")
    sys.exit(2)


def parse(arguments):
    settings = dict(DEFAULTS)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in settings or not equals:
            usage(f"unknown parameter {argument!r} (known: {' '.join(sorted(settings))})")
        settings[name] = value
    return settings


def whole(settings, name, least, most):
    text = settings[name]
    if not text.isdecimal() or not least <= int(text) <= most:
        usage(f"{name}={text}: not a whole number from {least} to {most}")
    return int(text)


def duration(settings, name):
    text = settings[name]
    for suffix, factor in (("ns", 1), ("us", 1000), ("ms", 1000000), ("s", 1000000000)):
        digits = text[: -len(suffix)]
        if text.endswith(suffix) and digits.isdecimal():
            return int(digits) * factor
    usage(f"{name}={text}: not a time like 50us")
    return 0


def record(kind, number, value):
    # kind: 1 byte, number: 7 digits, value: 8 digits
    return f"{kind}{number:07d}{value:08d}".encode("ascii")


def result_of(number):
    return number * number % 99991


def worker(take, answer, retire, crash, compute_ns):
    # Serve until the pipe is closed, until retired, or until a request is the last one.
    me = os.getpid()
    served = 0
    while True:
        request = os.read(take, RECORD)
        if not request:
            os._exit(0)
        assert len(request) == RECORD and request[:1] == b"q"
        number = int(request[1:8])
        guest.compute(compute_ns)
        served += 1
        result = result_of(number)
        if crash and (number + 1) % crash == 0:
            os.write(answer, record("k", number, result) + record("p", 0, me))
            os.kill(me, signal.SIGKILL)
        if served == retire:
            os.write(answer, record("r", number, result) + record("p", 0, me))
            os._exit(0)
        os.write(answer, record("a", number, result))


def spawn(take, give, collect, answer, retire, crash, compute_ns):
    pid = os.fork()
    if pid == 0:
        os.close(give)
        os.close(collect)
        worker(take, answer, retire, crash, compute_ns)
    return pid


def main():
    settings = parse(sys.argv[1:])
    workers = whole(settings, "workers", 1, 10000)
    requests = whole(settings, "requests", 0, 9999999)
    window = whole(settings, "window", 1, 512)
    retire = whole(settings, "retire", 0, 9999999)
    crash = whole(settings, "crash", 0, 9999999)
    compute_ns = duration(settings, "compute")
    take, give = os.pipe()
    collect, answer = os.pipe()
    pool = set()
    for _ in range(workers):
        pool.add(spawn(take, give, collect, answer, retire, crash, compute_ns))
    sent = 0
    answered = 0
    replaced = 0
    open_requests = set()
    while answered < requests:
        if sent < requests and len(open_requests) < window:
            os.write(give, record("q", sent, 0))
            open_requests.add(sent)
            sent += 1
            continue
        reply = os.read(collect, RECORD)
        kind = reply[:1]
        number = int(reply[1:8])
        assert len(reply) == RECORD and kind in (b"a", b"r", b"k")
        assert number in open_requests, f"request {number} was answered twice or never sent"
        assert int(reply[8:]) == result_of(number)
        open_requests.remove(number)
        answered += 1
        if kind != b"a":
            # The leaver's pid follows in the same write, so no other answer comes in between.
            farewell = os.read(collect, RECORD)
            assert farewell[:1] == b"p"
            leaver = int(farewell[8:])
            assert leaver in pool
            pid, status = os.waitpid(leaver, 0)
            assert pid == leaver
            assert status == (0 if kind == b"r" else signal.SIGKILL), f"status {status:#x}"
            pool.remove(leaver)
            pool.add(spawn(take, give, collect, answer, retire, crash, compute_ns))
            replaced += 1
    os.close(give)
    os.close(take)
    while pool:
        pid, status = os.wait()
        assert pid in pool and status == 0, f"worker {pid} ended with status {status:#x}"
        pool.remove(pid)
    os.close(answer)
    assert os.read(collect, 1) == b"", "an answer that no request asked for"
    # Who retires depends on who took which request, so the count is checked, not printed.
    assert replaced >= (requests // crash if crash else 0)
    print(f"prefork_server: {requests} requests, {workers} workers")


if __name__ == "__main__":
    main()
