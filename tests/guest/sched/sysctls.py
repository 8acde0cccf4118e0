"""The scheduler's parameters below /proc/sys/kernel: what can be written, and who may."""

import os

DIRECTORY = "/proc/sys/kernel/"
NAMES = (
    "sched_rr_timeslice_ms",
    "sched_deadline_period_max_us",
    "sched_deadline_period_min_us",
    "sched_cfs_bandwidth_slice_us",
)
WRONG = (
    b"\n",
    b"x",
    b"12x",
    b"+5",
    b"-",
    b"0x",
    b"09",
    b"- 5",
    b"200\0",
    b"100\r",
    b"4294967296",
    b"99999999999999999999999",
    b"0000000000000000000000000100",
)
# written in this order; what a parameter does not take stays without effect
TAKEN = {
    "sched_rr_timeslice_ms": (
        *(b"50\n", b"1", b"0", b"-1", b"7", b"  12  \n", b"12 13", b"0x20", b"0X1f", b"010"),
        *(b"2147483647", b"2147483648", b"-2147483648", b"\t33\t", b"44\n\n", b"45\n46", b""),
        b"100" + b" " * 5000,
        b" " * 5000 + b"100",
    ),
    "sched_deadline_period_max_us": (
        *(b"99", b"0", b"-1", b"100", b"5000000\n", b"4294967295", b"5000000 x", b"4194304"),
    ),
    "sched_deadline_period_min_us": (
        *(b"0", b"1", b"-0", b"-1", b"0x20", b"45\n46", b"4194304", b"4194305", b"100"),
    ),
    "sched_cfs_bandwidth_slice_us": (b"0", b"-1", b"2147483648", b"5000", b"0x1388\n"),
}


def attempt(call, *args):
    try:
        return call(*args)
    except OSError as error:
        return f"error {error.errno}"


def write_at(fd, data, place):
    os.lseek(fd, place, 0)
    return os.write(fd, data)


def value(name):
    with open(DIRECTORY + name) as file:
        return file.read()


before = [value(name) for name in NAMES]
print(before)
for name in NAMES:
    stat = os.stat(DIRECTORY + name)
    print(name, oct(stat.st_mode), stat.st_size, stat.st_uid, stat.st_gid)
    fd = os.open(DIRECTORY + name, os.O_RDWR)
    for data in (*WRONG, *TAKEN[name]):
        taken = attempt(write_at, fd, data, 0)
        print(name, data[:20], taken, value(name).strip())
    os.close(fd)

# a number is written at the beginning, and read in one piece
name = NAMES[0]
fd = os.open(DIRECTORY + name, os.O_RDWR)
print(os.read(fd, 2), os.read(fd, 2), os.lseek(fd, 0, os.SEEK_CUR), os.lseek(fd, 1, 0))
print(os.read(fd, 9), os.lseek(fd, 0, os.SEEK_END), attempt(os.lseek, fd, -1, 0))
print(os.write(fd, b"7"), value(name), os.write(fd, b"8"), value(name), os.write(fd, b"x"))
print(write_at(fd, b"9", 3), value(name), write_at(fd, b"100", 0), value(name))
pid = os.fork()
if pid == 0:
    os.setresuid(65534, 65534, 65534)
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        print(isinstance(attempt(os.open, DIRECTORY + name, flags), int))
    print(attempt(write_at, fd, b"9", 0), os.lseek(fd, 0, 0), os.read(fd, 9))
    os._exit(0)
os.waitpid(pid, 0)

# root may do no more than the mode says; strings can be read on
for name in ("osrelease", "ostype", "hostname"):
    path = DIRECTORY + name
    print(name, oct(os.stat(path).st_mode), os.access(path, os.R_OK), os.access(path, os.W_OK))
    fd = os.open(path, os.O_RDONLY)
    text = os.read(fd, 100)
    os.lseek(fd, 0, 0)
    print(os.read(fd, 2) + os.read(fd, 200) == text, attempt(os.write, fd, b"x"))
    os.close(fd)
print(attempt(os.open, DIRECTORY + "osrelease", os.O_WRONLY))
print(attempt(os.open, DIRECTORY + "ostype", os.O_RDWR))
fd = os.open(DIRECTORY + "pid_max", os.O_RDONLY)
print(len(os.read(fd, 2)), os.read(fd, 9))
print([value(name) for name in NAMES] == before)
