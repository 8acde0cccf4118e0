"""RLIMIT_NPROC counts a user's threads, zombies too: fork and thread start fail with EAGAIN."""

import os
import resource
import threading


def idle(lock):
    lock.acquire()


def try_fork(name):
    try:
        pid = os.fork()
    except OSError as error:
        print(name, error.errno)
        return 0
    if pid == 0:
        os._exit(0)
    print(name, "ok")
    return pid


pid = os.fork()
if pid == 0:
    os.setresuid(61001, 61001, 61001)
    resource.setrlimit(resource.RLIMIT_NPROC, (2, 2))
    first = try_fork("first")
    try_fork("second, over the limit")
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    try_fork("the zombie counts")
    os.waitpid(first, 0)
    os.waitpid(try_fork("after the reaping"), 0)
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=idle, args=(lock,))
    thread.start()
    try_fork("a thread counts")
    try:
        threading.Thread(target=idle, args=(lock,)).start()
        print("thread ok")
    except RuntimeError as error:
        print(error)
    lock.release()
    thread.join()
    os._exit(0)
os.waitpid(pid, 0)
# root is exempt, whatever its limit
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.waitpid(try_fork("root"), 0)
    os.seteuid(61002)
    os.waitpid(try_fork("real uid 0"), 0)
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.setresuid(61003, 0, 0)
    os.waitpid(try_fork("effective uid 0"), 0)
    os.seteuid(61003)
    try_fork("neither")
    os._exit(0)
os.waitpid(pid, 0)
