"""acct() in a pid namespace records that namespace, by its numbers, until its init dies."""

import os
import signal

from workloads import guest

INNER = "/tmp/smplab-acct-inner"
OUTER = "/tmp/smplab-acct-outer"


def number(data, start, size):
    value = 0
    for place in range(size):
        value += data[start + place] << (8 * place)
    return value


def show(name, path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    print(name, len(data) // 64)
    for place in range(len(data) // 64):
        record = data[64 * place : 64 * place + 64]
        pid, parent = number(record, 16, 4), number(record, 20, 4)
        if name == "inner":
            print("pid", pid, "parent", parent, "exit", number(record, 4, 4))
        else:
            print("exit", number(record, 4, 4), "parent is outer", parent == os.getpid())


for path in [INNER, OUTER]:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
guest.acct(OUTER)
init = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
if init == 0:
    guest.acct(INNER)
    for code in [1, 2]:
        pid = os.fork()
        if pid == 0:
            os._exit(code)
        os.waitpid(pid, 0)
    os._exit(3)
print(os.waitpid(init, 0)[1])
guest.acct(None)
show("inner", INNER)
show("outer", OUTER)
os.unlink(INNER)
os.unlink(OUTER)
