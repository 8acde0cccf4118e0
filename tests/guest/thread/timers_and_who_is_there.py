"""Timers that run and timers that are cancelled; enumerate() and active_count()."""

import os
import threading
import time


def tell(text, end="!"):
    print("timer", text, end, threading.current_thread().name, threading.active_count())


def names():
    return [thread.name for thread in threading.enumerate()]


def wait(event):
    event.wait()


def main():
    print(threading.active_count(), names())
    go = threading.Event()
    threads = [threading.Thread(target=wait, args=(go,)) for _ in range(3)]
    print(threading.active_count())
    for n in (2, 0, 1):
        threads[n].start()
    print(threading.active_count(), names())
    pid = os.fork()
    if pid == 0:
        print("child", names(), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    go.set()
    for thread in threads:
        thread.join()
    print(names(), threading.enumerate()[0] is threading.main_thread())

    first = threading.Timer(0.02, tell, ("a",), {"end": "?"})
    second = threading.Timer(5, tell, ["never"])
    third = threading.Timer(interval=0.01, function=tell, args=["c"])
    print(first.name, second.name, first.is_alive(), first.daemon)
    for timer in (first, second, third):
        timer.start()
        timer.join(0)
        print(timer.is_alive())
        if timer is second:
            timer.cancel()
        timer.join()
    began = time.monotonic()
    never = threading.Timer(3600, tell)
    never.cancel()
    never.start()
    never.join()
    print(time.monotonic() - began < 1000, names())
    try:
        threads[0].cancel()
    except AttributeError as error:
        print(error)
    try:
        threading.Timer(1)
    except TypeError as error:
        print(error)


main()
