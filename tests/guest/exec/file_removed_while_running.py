"""exec finds what a path names now: unlinked, renamed, replaced, below a removed folder."""

import os
import time

base = f"/tmp/gone-{time.time_ns()}/"
os.mkdir(base)


def make(name, data):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o755)
    os.write(fd, data)
    os.close(fd)


def run(name):
    try:
        return os.waitpid(os.posix_spawn(base + name, ["x"], {}), 0)[1]
    except OSError as error:
        return -error.errno


make("tool", b"#!/bin/false\n")
print(run("tool"))
os.rename(base + "tool", base + "other")
print(run("tool"), run("other"))
make("tool", b"#!/bin/true\n")
print(run("tool"), run("other"))
os.rename(base + "other", base + "tool")
print(run("tool"), run("other"))
fd = os.open(base + "tool", os.O_WRONLY)
os.unlink(base + "tool")
make("tool", b"#!/bin/true\n")
print("the open one is another file", run("tool"))
os.close(fd)
os.unlink(base + "tool")
print(run("tool"))
os.mkdir(base + "tool")
print(run("tool"))
os.chdir(base + "tool")
os.rmdir(base + "tool")
for path in ("./x", "../tool", "..", "/bin/true"):
    try:
        print(path, os.waitpid(os.posix_spawn(path, ["x"], {}), 0)[1])
    except OSError as error:
        print(path, error.errno)
