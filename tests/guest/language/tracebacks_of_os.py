"""Frames of os.py are in tracebacks where CPython has them: exec, os.environ."""

import os
import traceback


def missing():
    return os.environ["no such variable"]


def main():
    calls = (
        missing,
        lambda: os.execvp("no such program", ["x"]),
        lambda: os.execvp("/no/such", ["x"]),
        lambda: os.execl("/no/such", "x"),
        lambda: os.execle("/no/such", "x", {}),
        lambda: os.execlp("no such program", "x"),
        lambda: os.execlpe("/no/such", "x", {}),
        lambda: os.execvpe("no such program", ["x"], {"PATH": "/nothing"}),
        lambda: os.execvpe("tmp", ["x"], {"PATH": "/:/nothing"}),
        lambda: os.execv("/no/such", ["x"]),
    )
    for call in calls:
        try:
            call()
        except (KeyError, OSError) as e:
            print(type(e).__name__, e)
            traceback.print_exc()
    pid = os.fork()
    if pid == 0:
        os.execlp("no such program", "x")
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
