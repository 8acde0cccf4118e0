"""sched_setaffinity: which masks are taken, by whom, and what fork, exec and threads inherit."""

import os
import sys
import threading


def attempt(name, pid, mask):
    try:
        os.sched_setaffinity(pid, mask)
        print(name, "ok")
    except (OSError, ValueError, TypeError, OverflowError) as error:
        print(name, repr(error))


def thread(everything):
    print("thread inherits", os.sched_getaffinity(0) == {0})
    os.sched_setaffinity(0, everything)


if len(sys.argv) > 1:
    print("after exec", os.sched_getaffinity(0))
    sys.exit(0)
everything = os.sched_getaffinity(0)
print(0 in everything, len(everything) == os.cpu_count())
attempt("empty", 0, [])
attempt("none of the machine's", 0, {700})
attempt("far away", 0, {100000})
attempt("negative", 0, [-1])
attempt("huge", 0, [1 << 31])
attempt("text", 0, ["0"])
attempt("no iterable", 0, 0)
attempt("nobody", 4000000, {0})
attempt("negative pid", -1, {0})
attempt("nobody and empty", 4000000, [])
for pid in (4000000, -1):
    try:
        os.sched_getaffinity(pid)
    except OSError as error:
        print(pid, error.errno)
attempt("some", 0, [0, 700])
print(os.sched_getaffinity(0), os.cpu_count() == len(everything))
worker = threading.Thread(target=thread, args=(everything,))
worker.start()
worker.join()
print("only the thread", os.sched_getaffinity(0))
pid = os.fork()
if pid == 0:
    print("child", os.sched_getaffinity(0))
    os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
os.waitpid(pid, 0)
attempt("all again", 0, everything)
print(os.sched_getaffinity(0) == everything)
go_r, go_w = os.pipe()
done_r, done_w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go_w)
    os.setresuid(62010, 62010, 62010)
    attempt("root's", os.getppid(), {0})
    attempt("own", 0, {0})
    print(os.sched_getaffinity(0), os.sched_getaffinity(os.getppid()) == everything)
    os.write(done_w, b"x")
    os.read(go_r, 1)
    print("set by root", os.sched_getaffinity(0) == everything)
    os._exit(0)
os.read(done_r, 1)
attempt("root to a user's", pid, everything)
os.close(go_w)
os.waitpid(pid, 0)
