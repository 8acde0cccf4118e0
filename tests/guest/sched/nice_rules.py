"""nice, getpriority and setpriority: ranges, selectors, and who may do what to whom."""

import os


def attempt(name, which, who, nice):
    try:
        os.setpriority(which, who, nice)
        print(name, "ok", os.getpriority(which, who))
    except OSError as error:
        print(name, error.errno)


def get(name, which, who):
    try:
        print(name, os.getpriority(which, who))
    except OSError as error:
        print(name, error.errno)


os.setpgid(0, 0)
for which in (-1, 3):
    get(f"which {which}", which, 0)
    attempt(f"which {which}", which, 0, 0)
get("nobody", os.PRIO_PROCESS, 4000000)
get("no group", os.PRIO_PGRP, 4000000)
get("no user", os.PRIO_USER, 4000000)
get("negative", os.PRIO_PROCESS, -1)
attempt("nobody", os.PRIO_PROCESS, 4000000, 0)
attempt("no user", os.PRIO_USER, 4000000, 0)
attempt("far too high", os.PRIO_PROCESS, 0, 1000)
attempt("far too low", os.PRIO_PROCESS, 0, -1000)
attempt("back", os.PRIO_PROCESS, 0, 0)
for step in (3, 0, 4, 100, -5, -100, 20):
    print("nice", step, os.nice(step))
os.setpriority(os.PRIO_PROCESS, 0, 0)
# the lowest of a group; a group is set as a whole
go_r, go_w = os.pipe()
pids = []
for nice in (7, -3, 2):
    pid = os.fork()
    if pid == 0:
        os.close(go_w)
        os.read(go_r, 1)
        os._exit(os.getpriority(os.PRIO_PROCESS, 0) + 50)
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    pids.append(pid)
get("the lowest of the group", os.PRIO_PGRP, 0)
attempt("all of them", os.PRIO_PGRP, 0, 4)
os.setpriority(os.PRIO_PROCESS, pids[0], 9)
os.close(go_w)
for pid in pids:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) - 50)
os.setpriority(os.PRIO_PROCESS, 0, 0)
# a zombie has a nice value too
pid = os.fork()
if pid == 0:
    os.nice(6)
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
get("zombie", os.PRIO_PROCESS, pid)
os.waitpid(pid, 0)
# without privilege
go_r, go_w = os.pipe()
is_r, is_w = os.pipe()
other = os.fork()
if other == 0:
    os.close(go_w)
    os.setresuid(62020, 62020, 62020)
    os.write(is_w, b"x")
    os.read(go_r, 1)
    os._exit(0)
os.read(is_r, 1)
pid = os.fork()
if pid == 0:
    os.close(go_w)
    parent = os.getppid()
    os.setresuid(62021, 62021, 62021)
    attempt("raise", os.PRIO_PROCESS, 0, 5)
    attempt("same", os.PRIO_PROCESS, 0, 5)
    attempt("lower", os.PRIO_PROCESS, 0, 4)
    attempt("root's", os.PRIO_PROCESS, parent, 5)
    attempt("another user's", os.PRIO_PROCESS, other, 5)
    attempt("another user", os.PRIO_USER, 62020, 5)
    attempt("own user", os.PRIO_USER, 62021, 6)
    attempt("own user 0", os.PRIO_USER, 0, 7)
    get("root's", os.PRIO_PROCESS, parent)
    for step in (-1, -100, 0, 1):
        try:
            print("nice", os.nice(step))
        except OSError as error:
            print("nice", step, error.errno)
    os._exit(0)
os.waitpid(pid, 0)
os.close(go_w)
os.waitpid(other, 0)
# a mixed owner: the effective uid counts
pid = os.fork()
if pid == 0:
    os.nice(1)
    os.setresuid(62022, 62023, 62022)
    attempt("real and effective differ", os.PRIO_PROCESS, 0, 3)
    child = os.fork()
    if child == 0:
        os.setresuid(62022, 62022, 62022)
        attempt("the parent's real uid", os.PRIO_PROCESS, os.getppid(), 5)
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)
os.waitpid(pid, 0)
