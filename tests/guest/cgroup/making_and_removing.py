"""mkdir makes a group with its files, rmdir removes it; what else is tried there fails."""

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


def names(path):
    listed = [name for name in os.listdir(path) if name.startswith("cgroup.")]
    newer = ("cgroup.pressure", "cgroup.stat.local")
    return sorted(name for name in listed if name not in newer)


def make(name):
    return os.close(os.open(f"{BASE}/{name}", os.O_CREAT | os.O_WRONLY))


def main():
    os.mkdir(BASE)
    print(names(BASE))
    root = os.stat(mount_point())
    print(
        oct(root.st_mode & 0o555),
        root.st_dev == os.stat("/").st_dev,
        os.stat(BASE).st_dev == root.st_dev,
    )
    print(oct(os.stat(BASE).st_mode), os.stat(BASE).st_nlink, os.stat(BASE).st_size)
    for name in names(BASE):
        status = os.stat(f"{BASE}/{name}")
        print(name, oct(status.st_mode), status.st_size, status.st_uid)
    for name in ("type", "procs", "threads", "events", "max.depth", "max.descendants", "freeze"):
        print(name, repr(read(f"cgroup.{name}")))
    attempt("again", os.mkdir, BASE)
    attempt("name of a file", os.mkdir, f"{BASE}/cgroup.procs")
    attempt("a newline", os.mkdir, f"{BASE}/a\nb")
    attempt("a dot", os.mkdir, f"{BASE}/.hidden")
    attempt("the dot again", os.rmdir, f"{BASE}/.hidden")
    attempt("too long elsewhere", os.mkdir, f"/tmp/{'a' * 256}")
    attempt("long", os.mkdir, f"{BASE}/{'a' * 256}")
    attempt("long again", os.rmdir, f"{BASE}/{'a' * 256}")
    attempt("long as a file", os.stat, f"{BASE}/{'a' * 300}")
    attempt("nowhere", os.mkdir, f"{BASE}/no/where")
    attempt("in a file", os.mkdir, f"{BASE}/cgroup.procs/a")
    attempt("a name of cpu's", os.mkdir, f"{BASE}/cpu.weight")
    attempt("inside", os.mkdir, f"{BASE}/cpu.weight/inside")
    print(os.stat(BASE).st_nlink)
    attempt("remove with a group inside", os.rmdir, f"{BASE}/cpu.weight")
    attempt("remove the inside", os.rmdir, f"{BASE}/cpu.weight/inside")
    attempt("remove", os.rmdir, f"{BASE}/cpu.weight")
    attempt("remove again", os.rmdir, f"{BASE}/cpu.weight")
    attempt("remove a file", os.rmdir, f"{BASE}/cgroup.procs")
    attempt("remove .", os.rmdir, f"{BASE}/.")
    attempt("remove the root", os.rmdir, mount_point())
    attempt("unlink a file", os.unlink, f"{BASE}/cgroup.procs")
    attempt("unlink a group", os.unlink, BASE)
    attempt("unlink nothing", os.unlink, f"{BASE}/nothing")
    attempt("make a file", make, "file")
    attempt("make one that is there", make, "cgroup.procs")
    attempt("make a fifo", os.mkfifo, f"{BASE}/fifo")
    attempt("rename a group", os.rename, BASE, f"{BASE}x")
    attempt("rename a file", os.rename, f"{BASE}/cgroup.procs", f"{BASE}/other")
    attempt("rename out", os.rename, f"{BASE}/cgroup.procs", "/tmp/other")
    attempt("rename into itself", os.rename, BASE, f"{BASE}/a")
    attempt("chmod", os.chmod, f"{BASE}/cgroup.procs", 0o600)
    print(oct(os.stat(f"{BASE}/cgroup.procs").st_mode))
    os.umask(0o027)
    os.mkdir(f"{BASE}/private")
    print(
        oct(os.stat(f"{BASE}/private").st_mode),
        oct(os.stat(f"{BASE}/private/cgroup.procs").st_mode),
    )
    os.rmdir(f"{BASE}/private")
    os.rmdir(BASE)


main()
