"""Files are read and written by their rules; those of a removed group are gone: ENODEV."""

import errno
import os


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
    os.mkdir(BASE)
    for name in ("controllers", "events", "stat"):
        attempt(f"write {name}", write, f"cgroup.{name}", "1")
        attempt(f"write nothing to {name}", write, f"cgroup.{name}", "")
    attempt("read kill", read, "cgroup.kill")
    for text in ("0", "2", "x", " ", "-1", "99999999999"):
        attempt(f"kill {text!r}", write, "cgroup.kill", text)
    for text in ("0", "2", "x"):
        attempt(f"freeze {text!r}", write, "cgroup.freeze", text)
    for text in ("cpu", "+", "+nosuch", "*cpu", "+cpu\n-cpu", "+ cpu"):
        attempt(f"subtree_control {text!r}", write, "cgroup.subtree_control", text)
    attempt("not let through", write, "cgroup.subtree_control", "+cpu")
    attempt("off", write, "cgroup.subtree_control", " -cpu  ")
    attempt("on and off", write, "cgroup.subtree_control", "+cpu -cpu")
    fd = os.open(f"{BASE}/cgroup.max.depth", os.O_RDWR | os.O_TRUNC)
    print(os.read(fd, 2), os.read(fd, 100), os.read(fd, 100))
    print(os.lseek(fd, 0, os.SEEK_CUR), os.lseek(fd, 1, os.SEEK_SET), os.read(fd, 100))
    print(os.lseek(fd, 0, os.SEEK_END), os.read(fd, 1))
    print(os.write(fd, b"3\n"), os.lseek(fd, 0, os.SEEK_CUR))
    os.lseek(fd, 0, os.SEEK_SET)
    print(os.read(fd, 100))
    directory = os.open(BASE, os.O_RDONLY)
    os.chdir(BASE)
    print(os.getcwd() == BASE)
    os.rmdir(BASE)
    attempt("read", os.read, fd, 1)
    attempt("write", os.write, fd, b"1")
    attempt("write nothing", os.write, fd, b"")
    attempt("where", os.getcwd)
    attempt("open", os.open, "cgroup.procs", os.O_RDONLY)
    attempt("make", os.mkdir, "inside")
    attempt("list here", os.listdir)
    attempt("stat", os.stat, "cgroup.procs")
    print(os.fstat(directory).st_nlink, os.fstat(fd).st_nlink)
    os.mkdir(BASE)
    attempt("read of the old one", os.read, fd, 1)
    os.chdir("/")
    os.rmdir(BASE)


main()
