"""Two processes go to groups of their own while a third reads who is there: all are somewhere."""

import os


def mount_point():
    with open("/proc/mounts") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    raise SystemExit("no cgroup2 is mounted")


BASE = f"{mount_point()}/smplab-race-{os.getpid()}"


def use(name, flags, text=b""):
    fd = os.open(f"{BASE}{name}", flags)
    try:
        return os.write(fd, text) if text else os.read(fd, 4096)
    finally:
        os.close(fd)


for name in ("", "/0", "/1"):
    os.mkdir(BASE + name)
children = []
for number in range(2):
    pid = os.fork()
    if pid == 0:
        use(f"/{number}/cgroup.procs", os.O_WRONLY, b"0")
        inside = use(f"/{number}/cgroup.procs", os.O_RDONLY).split()
        use(f"/{1 - number}/cgroup.procs", os.O_WRONLY, b"0")
        os._exit(0 if str(os.getpid()).encode() in inside else 1)
    children.append(pid)
found = b""
for number in range(2):
    found += use(f"/{number}/cgroup.procs", os.O_RDONLY)
statuses = []
for pid in children:
    statuses.append(os.waitpid(pid, 0)[1])
left = use("/0/cgroup.procs", os.O_RDONLY) + use("/1/cgroup.procs", os.O_RDONLY)
for name in ("/0", "/1", ""):
    os.rmdir(BASE + name)
print(statuses, left, all(int(pid) in children for pid in found.split()))
