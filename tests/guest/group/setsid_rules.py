"""setsid makes a session and a group, except for who leads a group already."""

import os


def attempt(name):
    try:
        os.setsid()
        print(name, "ok", os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid())
    except PermissionError as error:
        print(name, "errno", error.errno)


def ancestor():
    before = os.getsid(0)
    attempt("first time")
    attempt("second time")
    mine = os.getsid(0)
    print("another session", mine != before)
    if os.fork() == 0:
        print("inherited", os.getsid(0) == mine, os.getpgrp() == mine)
        os.setpgid(0, 0)
        attempt("group leader")
        os._exit(0)
    os.wait()
    pid = os.fork()
    if pid == 0:
        attempt("ordinary member")
        print("left", os.getsid(0) != mine, os.getsid(os.getppid()) == mine)
        os._exit(0)
    os.wait()
    os._exit(0)


if os.fork() == 0:
    ancestor()
print("status", os.wait()[1])
try:
    os.getsid(999999)
except ProcessLookupError as error:
    print("no such process: errno", error.errno)
try:
    os.getpgid(999999)
except ProcessLookupError as error:
    print("no such process: errno", error.errno)
