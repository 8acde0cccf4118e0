"""Tracebacks of errors in many places: lines, carets, causes, contexts, repeated frames."""

import os
import threading

lock = threading.Lock()


def many_lines(first, second):
    return first + second + os.getpid() // (first - second) + 1


def in_with():
    with lock:
        os.close(-1)


def in_a_loop():
    for number in (3, 2, 1, 0):
        print(6 // number)


def in_a_comprehension():
    return [10 // number for number in (2, 1, 0)]


def cause():
    try:
        os.kill(0, 99)
    except OSError as error:
        raise RuntimeError("could not") from error


def context():
    try:
        in_with()
    except OSError:
        return {}["missing"]


def hidden():
    try:
        in_with()
    except OSError:
        raise ValueError("instead") from None


def three():
    try:
        cause()
    finally:
        [].index(4)


def recursive(n):
    if n == 0:
        raise ValueError("at the bottom")
    return recursive(n - 1)


def unpack():
    first, second = (1, 2, 3)
    return first + second


def types():
    return "text" + 1


def key_in_call():
    return max(len({}["a"]), 3)


def after_print():
    print("partly", end=" ")
    print(undefined_name())


def undefined_name():
    del names["none"]


def reraise():
    try:
        types()
    except TypeError:
        os.getpid()
        raise


names = {}
ALL = (many_lines, in_with, in_a_loop, in_a_comprehension, cause, context, hidden, three)
ALL += (recursive, unpack, types, key_in_call, after_print, reraise)
for number, function in enumerate(ALL):
    pid = os.fork()
    if pid == 0:
        os.dup2(1, 2)
        if number == 0:
            many_lines(2, 2)
        elif number == 8:
            recursive(7)
        else:
            function()
        os._exit(0)
    print(number, os.waitpid(pid, 0)[1])
