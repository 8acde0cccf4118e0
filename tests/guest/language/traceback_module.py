"""traceback.print_exc and its like, in handlers, functions called from there, and threads."""

import functools
import os
import sys
import threading
import traceback


def fail(n):
    if n:
        return fail(n - 1)
    return [1 // x for x in (1, 0)]


def report():
    traceback.print_exc()
    return traceback.format_exc().count("\n")


def chained():
    try:
        fail(0)
    except ZeroDivisionError as e:
        raise ValueError("second") from e


def in_child():
    pid = os.fork()
    if pid == 0:
        try:
            os.execvp("no such program", ["x"])
        except OSError:
            report()
            os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def in_thread(n, *, m):
    try:
        fail(n)
    except Exception as e:
        traceback.print_exception(e)
        print("".join(traceback.format_exception(e)).splitlines()[-1], m)


def main():
    try:
        fail(2)
    except ZeroDivisionError:
        print(report())
    try:
        chained()
    except ValueError:
        traceback.print_exc()
    try:
        try:
            os.close(-1)
        except OSError:
            {}["missing"]
    except KeyError as e:
        report()
        print(repr(e))
    traceback.print_exc()
    print(traceback.format_exc())
    t = threading.Thread(target=functools.partial(in_thread, 1, m="word"))
    t.start()
    t.join()
    add = functools.partial(print, "a", sep="-")
    add("b")
    add("b", sep="+")
    sys.exit(traceback.format_exc() == "NoneType: None\n")


main()
