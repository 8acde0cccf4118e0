"""Who may set whose policy changes with the ids of both: each pair of users, before and after."""

import os


def attempt(what, pid, policy, priority):
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
        print(what, policy, "done")
    except OSError as error:
        print(what, policy, "errno", error.errno)


def child(uid):
    told_read, told_write = os.pipe()
    end_read, end_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end_write)
        if uid:
            os.setresuid(uid, uid, uid)
        os.write(told_write, b"x")
        os.read(end_read, 1)
        os._exit(0)
    os.close(end_read)
    os.read(told_read, 1)
    return pid, end_write


def main():
    mine, mine_end = child(1000)
    theirs, theirs_end = child(1001)
    roots, roots_end = child(0)
    for pid in (mine, theirs, roots):
        attempt("root sets idle", pid, os.SCHED_IDLE, 0)
        attempt("root sets fifo", pid, os.SCHED_FIFO, 3)
        attempt("root sets batch", pid, os.SCHED_BATCH, 0)
    pid = os.fork()
    if pid == 0:
        os.setresuid(1000, 1000, 0)
        for who in (mine, theirs, roots):
            attempt("effective", who, os.SCHED_OTHER, 0)
        os.setresuid(1001, 1000, 0)
        for who in (mine, theirs, roots):
            attempt("effective, real another", who, os.SCHED_BATCH, 0)
        os.setresuid(-1, 0, -1)
        attempt("root again", roots, os.SCHED_RR, 1)
        os.setresuid(1001, 1001, 1001)
        attempt("given up", mine, os.SCHED_OTHER, 0)
        attempt("given up", theirs, os.SCHED_FIFO, 1)
        attempt("given up", theirs, os.SCHED_IDLE, 0)
        attempt("nobody", 4000000, os.SCHED_OTHER, 0)
        os._exit(0)
    os.waitpid(pid, 0)
    for who, end in ((mine, mine_end), (theirs, theirs_end), (roots, roots_end)):
        print(os.sched_getscheduler(who))
        os.close(end)
    for who in (mine, theirs, roots):
        os.waitpid(who, 0)


main()
