"""poll() on cgroup.events tells that a group is populated, or no more; reading takes note of it."""

import errno
import os
import select


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
    for name in ("", "/a"):
        os.mkdir(BASE + name)
    fd = os.open(f"{BASE}/cgroup.events", os.O_RDONLY)
    poller = select.poll()
    poller.register(fd, select.POLLPRI)

    def seen(timeout):
        return [events for _, events in poller.poll(timeout)]

    print(seen(0), os.read(fd, 100).split()[:2], seen(0))
    held = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(held[1])
        os.read(held[0], 1)
        write("a/cgroup.procs", "0")
        os.read(held[0], 1)
        os._exit(0)
    os.write(held[1], b"x")
    print(seen(None), seen(0))
    os.lseek(fd, 0, os.SEEK_SET)
    print(os.read(fd, 100).split()[:2], seen(0))
    os.close(held[1])
    print(seen(None))
    os.lseek(fd, 0, os.SEEK_SET)
    print(os.read(fd, 100).split()[:2], os.read(fd, 100), seen(0))
    os.waitpid(pid, 0)
    poller.modify(fd, select.POLLIN)
    print(seen(0))
    os.rmdir(f"{BASE}/a")
    os.rmdir(BASE)
    os.close(fd)


main()
