"""Nested functions, lambdas, cells, decorators, stars: over fork, threads, signals and exec."""

import os
import signal
import sys
import threading
import time


def counter(start, step=1):
    total = start

    def add(times=1, *, by=None):
        nonlocal total
        total += times * (step if by is None else by)
        return total

    def get():
        return total

    return add, get


def traced(label):
    def wrap(function):
        def inner(*args, **words):
            print(label, function.__name__, args, sorted(words.items()))
            return function(*args, **words)

        return inner

    return wrap


@traced("outer")
@traced("inner")
def decorated(a, b=2, *rest, c=3, **more):
    return a, b, rest, c, sorted(more)


def recursive(n):
    def down(k):
        return [] if k == 0 else [k, *down(k - 1)]

    return down(n)


def late_and_early():
    late = [lambda: i for i in range(3)]
    early = [lambda i=i: i for i in range(3)]
    loop = []
    for j in range(3):
        loop.append(lambda: j)
    return [f() for f in late], [f() for f in early], [f() for f in loop]


def across_fork():
    add, get = counter(10)
    add()
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        add(5)
        os.write(w, b"%d" % get())
        os._exit(0)
    os.waitpid(pid, 0)
    print("child", os.read(r, 10), "parent", get())


def across_threads():
    add, get = counter(0)
    lock = threading.Lock()
    done = []

    def work(n):
        for _ in range(n):
            with lock:
                add()
        done.append(n)

    threads = [threading.Thread(target=work, args=(n,), name=f"w{n}") for n in (3, 4)]
    threads.append(threading.Thread(target=lambda: done.append("lambda")))
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(get(), sorted(map(str, done)), threads[2].name)


def in_handlers():
    seen = []

    def handler(number, frame):
        seen.append(number)

    old = signal.signal(signal.SIGUSR1, handler)
    os.kill(os.getpid(), signal.SIGUSR1)
    print(old == signal.SIG_DFL, signal.getsignal(signal.SIGUSR1) is handler)
    signal.signal(signal.SIGUSR2, lambda number, frame: seen.append("lambda"))
    pid = os.fork()
    if pid == 0:
        signal.raise_signal(signal.SIGUSR2)
        os._exit(len(seen))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), len(seen))


def wrong_calls():
    def two(a, b):
        return a

    def only(a, /, b, *, c):
        return a

    for call in (
        lambda: two(1),
        lambda: two(1, 2, 3),
        lambda: two(1, a=2),
        lambda: two(1, 2, d=3),
        lambda: only(1, 2),
        lambda: only(a=1, b=2, c=3),
        lambda: only(1, 2, 3, c=4),
        lambda: two(*[1], **{"b": 2, "c": 3}),
        lambda: two(*5),
        lambda: two(**5),
        lambda: (lambda x: x)(),
        lambda: two(**{"a": 1}, **{"a": 2}),
        lambda: counter(),
        lambda: decorated(*(), **{}),
    ):
        try:
            print(call())
        except TypeError as e:
            print(e)


def unbound():
    def inner():
        return later

    try:
        inner()
    except NameError as e:
        print(type(e).__name__, e)
    later = 3
    return inner()


def failing():
    def deep(n):
        if n:
            return (lambda: deep(n - 1))()
        raise ValueError("bottom")

    return [deep(k) for k in (2,)]


def hiding_builtins():
    global abs, list
    print(abs(-1), list("ab"))
    abs = len
    print(abs("xyz"))
    del abs
    print(abs(-2))


def main():
    hiding_builtins()
    print(recursive(4), late_and_early(), unbound())
    print(decorated(1), decorated(1, 2, 3, 4, c=5, d=6))
    across_fork()
    across_threads()
    in_handlers()
    wrong_calls()
    import time as clock

    print(clock.monotonic() <= time.monotonic())
    if len(sys.argv) < 2:
        os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
    failing()


main()
