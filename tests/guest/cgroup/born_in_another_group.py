"""clone3 with CLONE_INTO_CGROUP: the child begins in the group of a directory's descriptor."""

import errno
import os

from workloads import guest


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


def where():
    with open("/proc/self/cgroup") as file:
        lines = [line for line in file if line.startswith("0::")]
    return lines[0].rpartition("/")[2].strip()


def into(fd):
    pid = guest.clone3(0, cgroup=fd)
    if not pid:
        inner = os.fork()
        if not inner:
            print("grandchild", where(), flush=True)
            os._exit(0)
        os.waitpid(inner, 0)
        print("child", where(), len(read("a/cgroup.procs").split()), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    return "made"


def main():
    for name in ("", "/a", "/b", "/b/x", "/b/y"):
        os.mkdir(BASE + name)
    write("b/x/cgroup.type", "threaded")
    first = os.open(f"{BASE}/a", os.O_RDONLY)
    attempt("a", into, first)
    print(read("a/cgroup.events").split()[:2])
    attempt("a file", into, os.open(f"{BASE}/a/cgroup.procs", os.O_WRONLY))
    attempt("no group", into, os.open("/", os.O_RDONLY))
    attempt("closed", into, 1000)
    attempt("-1", into, -1)
    attempt("2**31", into, 1 << 31)
    attempt("threaded", into, os.open(f"{BASE}/b/x", os.O_RDONLY))
    attempt("invalid", into, os.open(f"{BASE}/b/y", os.O_RDONLY))
    print(where() == "a", len(read("a/cgroup.procs").split()))
    os.rmdir(f"{BASE}/a")
    attempt("removed", into, first)
    os.mkdir(f"{BASE}/a")
    pid = os.fork()
    if not pid:
        os.setuid(65534)
        attempt("without the right", into, os.open(f"{BASE}/a", os.O_RDONLY))
        os._exit(0)
    os.waitpid(pid, 0)
    for name in ("/a", "/b/x", "/b/y", "/b", ""):
        os.rmdir(BASE + name)


main()
