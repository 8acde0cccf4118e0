"""Every way to leave, and the status the parent gets."""

import os
import sys


def leave(way):
    if way == "zero":
        os._exit(0)
    if way == "255":
        os._exit(255)
    if way == "256":
        os._exit(256)
    if way == "300":
        os._exit(300)
    if way == "negative":
        os._exit(-1)
    if way == "sys.exit":
        sys.exit(3)
    if way == "sys.exit none":
        sys.exit()
    if way == "sys.exit text":
        sys.exit("a farewell")
    if way == "sys.exit true":
        sys.exit(True)
    if way == "raise":
        raise SystemExit(7)
    if way == "error":
        raise ValueError("not caught")
    if way == "assert":
        assert way == "", "it holds not"
    if way == "zero division":
        return 1 // 0
    return 0


ways = ["zero", "255", "256", "300", "negative", "sys.exit", "sys.exit none", "sys.exit text"]
ways += ["sys.exit true", "raise", "error", "assert", "zero division"]
for way in ways:
    pid = os.fork()
    if pid == 0:
        leave(way)
        os._exit(99)
    status = os.waitpid(pid, 0)[1]
    print(way, status, os.WIFEXITED(status), os.WIFSIGNALED(status), os.WEXITSTATUS(status))
