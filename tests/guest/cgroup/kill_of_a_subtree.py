"""cgroup.kill kills all processes of a group and of those below it."""

import errno
import os
import threading


def mount_point():
    with open("/proc/mounts") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    raise SystemExit("no cgroup2 is mounted")


BASE = f"{mount_point()}/smplab-{os.getpid()}"


def attempt(what, call, *args):
    try:
        result = call(*args)
    except OSError as error:
        result = errno.errorcode[error.errno]
    print(f"{what}: {result}", flush=True)


def read(name):
    fd = os.open(f"{BASE}/{name}", os.O_RDONLY)
    try:
        return os.read(fd, 65536).decode()
    finally:
        os.close(fd)


def write(name, text):
    fd = os.open(f"{BASE}/{name}", os.O_WRONLY)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def main():
    for name in ("", "/a", "/a/b"):
        os.mkdir(BASE + name)
    attempt("nobody there", write, "cgroup.kill", "1")
    told = os.pipe()
    children = []
    for name in ("a", "a/b", "a"):
        pid = os.fork()
        if not pid:
            write(f"{name}/cgroup.procs", "0")
            threading.Thread(
                target=lambda: os.write(told[1], b"x") and threading.Event().wait()
            ).start()
            threading.Event().wait()
            os._exit(0)
        children.append(pid)
    for _ in children:
        os.read(told[0], 1)
    print(len(read("a/cgroup.procs").split()), len(read("a/b/cgroup.threads").split()))
    attempt("kill", write, "a/cgroup.kill", "1\n")
    for pid in children:
        print(os.waitpid(pid, 0)[1])
    print(read("a/cgroup.events").split()[1], read("a/cgroup.procs"))
    for name in ("/a/b", "/a", ""):
        os.rmdir(BASE + name)


main()
