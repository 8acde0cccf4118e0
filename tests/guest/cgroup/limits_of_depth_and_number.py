"""cgroup.max.depth and cgroup.max.descendants keep groups from being made: EAGAIN."""

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
    for text in (
        "max",
        "5",
        "-1",
        "x",
        "1\n",
        " 7 ",
        "0x10",
        "010",
        "99999999999",
        "",
        "2147483648",
        "2147483646",
        "max 1",
        "+3",
        "1_0",
    ):
        attempt(f"depth {text!r}", write, "cgroup.max.depth", text)
        print(repr(read("cgroup.max.depth")))
    attempt("more than a page", write, "cgroup.max.depth", " " * 4097)
    attempt("a page", write, "cgroup.max.depth", " " * 4095 + "1")
    print(repr(read("cgroup.max.depth")))
    attempt("a", os.mkdir, f"{BASE}/a")
    attempt("a/b", os.mkdir, f"{BASE}/a/b")
    attempt("lower than there are", write, "cgroup.max.depth", "0")
    attempt("b", os.mkdir, f"{BASE}/b")
    attempt("no limit", write, "cgroup.max.depth", "max")
    attempt("two", write, "cgroup.max.descendants", "2")
    attempt("a/b", os.mkdir, f"{BASE}/a/b")
    attempt("a/b/c", os.mkdir, f"{BASE}/a/b/c")
    print(read("cgroup.stat").splitlines()[0])
    attempt("there, and one too many", os.mkdir, f"{BASE}/a")
    attempt("remove a/b", os.rmdir, f"{BASE}/a/b")
    attempt("b", os.mkdir, f"{BASE}/b")
    for name in ("b", "a"):
        os.rmdir(f"{BASE}/{name}")
    os.rmdir(BASE)


main()
