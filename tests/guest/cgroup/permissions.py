"""Who is not root moves processes where it may write cgroup.procs of the group above both."""

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


def child():
    attempt("to b/c", write, "b/c/cgroup.procs", "0")
    mine = os.open(f"{BASE}/b/d/cgroup.procs", os.O_WRONLY)
    old = os.open(f"{BASE}/cgroup.procs", os.O_WRONLY)
    os.setgid(65534)
    os.setuid(65534)
    attempt("a group", os.mkdir, f"{BASE}/n")
    attempt("a group where it may", os.mkdir, f"{BASE}/b/n")
    for name in ("b/n", "b/n/cgroup.procs", "b/n/cgroup.controllers"):
        status = os.stat(f"{BASE}/{name}")
        print(name, oct(status.st_mode), status.st_uid, status.st_gid, flush=True)
    attempt("write where nobody may", write, "b/n/cgroup.controllers", "x")
    attempt("inside", write, "b/d/cgroup.procs", "0")
    attempt("to its own", write, "b/n/cgroup.procs", "0")
    attempt("from its own", write, "b/c/cgroup.procs", "0")
    attempt("out", write, "cgroup.procs", "0")
    attempt("out by root's descriptor", os.write, old, b"0")
    print(len(read("cgroup.procs").split()), flush=True)
    attempt("and back", write, "b/d/cgroup.procs", "0")
    attempt("and back by root's descriptor", os.write, mine, b"0")
    attempt("somebody from outside", write, "b/d/cgroup.procs", str(os.getppid()))
    attempt("kill", write, "b/cgroup.kill", "1")
    attempt("remove its own", os.rmdir, f"{BASE}/b/n")
    attempt("remove another's where it may", os.rmdir, f"{BASE}/b/e")
    attempt("remove", os.rmdir, f"{BASE}/f")
    os._exit(0)


def main():
    os.umask(0o022)
    for name in ("", "/b", "/b/c", "/b/d", "/b/e", "/f"):
        os.mkdir(BASE + name)
    os.chmod(f"{BASE}/b", 0o777)
    for name in ("b", "b/c", "b/d"):
        os.chmod(f"{BASE}/{name}/cgroup.procs", 0o666)
    pid = os.fork()
    if not pid:
        child()
    os.waitpid(pid, 0)
    for name in ("/b/c", "/b/d", "/b", "/f", ""):
        os.rmdir(BASE + name)


main()
