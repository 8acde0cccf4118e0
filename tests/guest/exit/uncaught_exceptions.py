"""An uncaught exception is shown on standard error and makes the status 1, whatever its kind."""

import os
import sys


def inner(kind):
    if kind == 0:
        os.close(999)
    elif kind == 1:
        os.open("/no/such", os.O_RDONLY)
    elif kind == 2:
        os.setpgid(0, -1)
    elif kind == 3:
        return {}["key"]
    elif kind == 4:
        return [][2]
    elif kind == 5:
        raise RuntimeError
    elif kind == 6:
        raise OSError(2, "a text", "a file")
    elif kind == 7:
        raise ValueError("one", 2, None)
    elif kind == 8:
        assert kind == 9
    elif kind == 9:
        try:
            return 1 % 0
        except ZeroDivisionError:
            raise ValueError("while handling") from None
    elif kind == 10:
        try:
            return 1 % 0
        except ZeroDivisionError:
            os.kill(999999, 0)
    elif kind == 11:
        try:
            os.kill(999999, 0)
        finally:
            os.close(999)
    elif kind == 12:
        os.chdir("/no/such")
    elif kind == 13:
        os.kill(1, 65)
    elif kind == 14:
        raise Exception
    elif kind == 15:
        raise KeyError("a", "b")
    elif kind == 16:
        sys.exit("leave")
    return 0


def outer(kind):
    return inner(kind) + 1


for kind in range(17):
    pid = os.fork()
    if pid == 0:
        os.dup2(1, 2)
        outer(kind)
        os._exit(0)
    print(kind, os.waitpid(pid, 0)[1])
