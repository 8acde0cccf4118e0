"""An orphan goes to the nearest ancestor that is a child subreaper; the mark is not inherited."""

import os
import signal

from workloads.guest import PR_GET_CHILD_SUBREAPER, prctl, set_child_subreaper

read_end, write_end = os.pipe()
gate = os.pipe()  # what an orphan takes out of it lets it end
os.write(gate[1], b"g" * 4)


def orphan(first):
    """Say who the parent is once the first one has died."""
    while os.getppid() == first:
        os.sched_yield()
    os.write(write_end, b"%d\n" % os.getppid())
    os.read(gate[0], 1)
    os._exit(5)


def leave_orphan(depth):
    """Fork ``depth`` generations; all but the last die in turn."""
    me = os.getpid()
    pid = os.fork()
    if pid == 0:
        if depth > 1:
            leave_orphan(depth - 1)
            os._exit(0)
        orphan(me)
    return pid


set_child_subreaper()
print(prctl(PR_GET_CHILD_SUBREAPER))
pid = os.fork()
if pid == 0:
    print("child", prctl(PR_GET_CHILD_SUBREAPER))
    leave_orphan(1)
    os._exit(0)
print(os.waitpid(pid, 0)[1])
print("adopted", int(os.read(read_end, 20)) == os.getpid())
print(os.waitstatus_to_exitcode(os.wait()[1]))
# two generations die
pid = os.fork()
if pid == 0:
    leave_orphan(2)
    os._exit(0)
codes = []
for _ in range(3):
    codes.append(os.waitstatus_to_exitcode(os.wait()[1]))
codes.sort()
print(codes, int(os.read(read_end, 20)) == os.getpid())
# the nearest one wins
pid = os.fork()
if pid == 0:
    set_child_subreaper()
    inner = os.fork()
    if inner == 0:
        leave_orphan(1)
        os._exit(0)
    os.waitpid(inner, 0)
    print("nearest", int(os.read(read_end, 20)) == os.getpid())
    print(os.waitstatus_to_exitcode(os.wait()[1]))
    os._exit(0)
os.waitpid(pid, 0)
# set after the fork: the descendants there are count as well
set_child_subreaper(False)
print(prctl(PR_GET_CHILD_SUBREAPER))
go_r, go_w = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go_w)
    os.read(go_r, 1)
    leave_orphan(1)
    os._exit(0)
set_child_subreaper()
os.close(go_w)
os.waitpid(pid, 0)
print("late", int(os.read(read_end, 20)) == os.getpid())
print(os.waitstatus_to_exitcode(os.wait()[1]))
# SIGCHLD for the adopted one
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
pid = os.fork()
if pid == 0:
    leave_orphan(1)
    os._exit(0)
print(signal.sigwaitinfo({signal.SIGCHLD}).si_pid == pid)
os.waitpid(pid, 0)
os.read(read_end, 20)
os.write(gate[1], b"g")
info = signal.sigwaitinfo({signal.SIGCHLD})
print(info.si_status, os.waitpid(info.si_pid, 0)[0] == info.si_pid)
