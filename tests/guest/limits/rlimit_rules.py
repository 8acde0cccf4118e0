"""getrlimit, setrlimit and prlimit: what may be changed, by whom, and with which error."""

import os
import resource


def attempt(name, which, limits):
    try:
        resource.setrlimit(which, limits)
        print(name, resource.getrlimit(which))
    except (OSError, ValueError) as error:
        print(name, repr(error))


def attempt_prlimit(name, pid, which, limits):
    try:
        if limits is None:
            resource.prlimit(pid, which)
            print(name, "read")
        else:
            resource.prlimit(pid, which, limits)
            print(name, "set", resource.prlimit(pid, which))
    except (OSError, ValueError) as error:
        print(name, repr(error))


INF = resource.RLIM_INFINITY
print(INF)
for which in (-1, 16, 99):
    try:
        print(resource.getrlimit(which))
    except ValueError as error:
        print(which, repr(error))
    attempt("set", which, (1, 1))
attempt("infinite", 10, (INF, INF))
attempt("first", 10, (100, 200))
attempt("soft above hard", 10, (300, 200))
attempt("infinite soft above hard", 10, (INF, 200))
attempt("equal", 10, (200, 200))
attempt("negative is huge", 8 + 7, (-2, -2))
attempt("negative hard is huge", 8 + 7, (3, -3))
for bad in ((1,), (1, 2, 3), 5, None, ("a", 1), (1 << 70, 1)):
    try:
        resource.setrlimit(10, bad)
    except (TypeError, ValueError, OverflowError) as error:
        print(repr(error))
try:
    resource.setrlimit(10, [7, 9])
    print(resource.getrlimit(10))
except TypeError as error:
    print(error)
attempt_prlimit("self", 0, 10, (5, 9))
attempt_prlimit("own pid", os.getpid(), 10, (4, 9))
attempt_prlimit("nobody", 4000000, 10, None)
attempt_prlimit("negative", -5, 10, None)
attempt_prlimit("bad resource", 0, 16, None)
attempt_prlimit("soft above", 0, 10, (10, 9))
pid = os.fork()
if pid == 0:
    print("child has", resource.getrlimit(10))
    os.setresuid(1000, 1000, 1000)
    attempt("lower soft", 10, (3, 9))
    attempt("raise soft", 10, (9, 9))
    attempt("lower hard", 10, (3, 8))
    attempt("raise hard", 10, (3, 9))
    attempt("same", 10, (3, 8))
    attempt_prlimit("self", 0, 10, (2, 8))
    attempt_prlimit("raise hard", 0, 10, (2, 9))
    attempt_prlimit("parent", os.getppid(), 10, None)
    attempt_prlimit("init", 1, 10, (1, 1))
    os._exit(0)
os.waitpid(pid, 0)
print("parent has", resource.getrlimit(10))
attempt("nofile above nr_open", resource.RLIMIT_NOFILE, (10, 1 << 31))
attempt("nofile infinite", resource.RLIMIT_NOFILE, (10, INF))
