"""Which flags clone refuses, which exit signals can be waited for how, and CLONE_PARENT."""

import os

from workloads import guest

for flags in (
    0x10000,
    0x800,
    0x10800,
    0x8000 | 17,
    0x200 | 17,
    0x400 | 17,
    0x600 | 17,
    0x400000 | 17,
    0x40000 | 17,
    0x800000 | 17,
):
    try:
        pid = guest.clone(flags)
        if pid == 0:
            os._exit(2)
        try:
            print(hex(flags), os.waitpid(pid, 0)[1])
        except ChildProcessError as error:
            print(hex(flags), "wait", error.errno)
    except OSError as error:
        print(hex(flags), error.errno)
for signal in (0, 18, 23, 28, 65, 100, 255, 17):
    pid = guest.clone(signal)
    if pid == 0:
        os._exit(3)
    for options in (0, 0x80000000 - (1 << 32), 0x40000000):
        try:
            print(signal, options, os.waitpid(pid, options)[1])
        except OSError as error:
            print(signal, options, error.errno)
r, w = os.pipe()
tell, told = os.pipe()
never, kept = os.pipe()
for signal in (10, 9, 6, 64, 19):
    pid = os.fork()
    if pid == 0:
        inner = guest.clone(signal)
        if inner == 0:
            os.read(r, 1)
            os._exit(0)
        os.write(told, b"x")
        os.read(never, 1)
        os._exit(0)
    os.read(tell, 1)
    os.write(w, b"x")
    status = os.waitpid(pid, os.WUNTRACED)[1]
    print(signal, hex(status))
    if os.WIFSTOPPED(status):
        os.kill(pid, 9)
        os.waitpid(pid, 0)
# shared descriptors and directory
pid = guest.clone(0x600 | 17)
if pid == 0:
    os.chdir("/tmp")
    os.umask(0o77)
    os.dup2(0, 50)
    os.close(r)
    os._exit(0)
os.waitpid(pid, 0)
print(os.getcwd(), os.umask(0))
os.close(50)
try:
    os.close(r)
except OSError as error:
    print(error.errno)
# an exec makes the exit signal SIGCHLD again
pid = guest.clone(0)
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", "exit 5"])
while True:
    try:
        print(os.waitpid(pid, 0)[1])
        break
    except ChildProcessError:
        os.sched_yield()
