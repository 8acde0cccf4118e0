"""What /proc has not got is ENOENT, and nothing can be made or removed in it."""

import os


def attempt_open(path, flags):
    try:
        os.close(os.open(path, flags))
        print(path, flags, "worked")
    except OSError as error:
        print(path, flags, error.errno)


def attempt_write(path):
    fd = os.open(path, os.O_RDWR)
    try:
        print(path, os.write(fd, b"0"))
    except OSError as error:
        print(path, error.errno)
    os.close(fd)


for path in ["/proc/nothing", "/proc/01", "/proc/-1", "/proc/self/nothing", "/proc/99999999999"]:
    attempt_open(path, os.O_RDONLY)
    attempt_open(path, os.O_WRONLY | os.O_CREAT)
attempt_open("/proc/self/task/1/stat", os.O_RDONLY)
attempt_open("/proc/self", os.O_WRONLY)
attempt_open("/proc/loadavg/x", os.O_RDONLY)
attempt_open("/proc/loadavg", os.O_WRONLY | os.O_TRUNC)
try:
    os.mkdir("/proc/new")
except OSError as error:
    print("mkdir", error.errno)
try:
    os.mkdir("/proc/self/new")
except OSError as error:
    print("mkdir", error.errno)
try:
    os.unlink("/proc/uptime")
except OSError as error:
    print("unlink", error.errno)
try:
    os.unlink("/proc/self/stat")
except OSError as error:
    print("unlink", error.errno)
try:
    os.chmod("/proc/self/stat", 0o777)
except OSError as error:
    print("chmod", error.errno)
attempt_write("/proc/uptime")
attempt_write("/proc/self/stat")
try:
    os.read(os.open("/proc/self", os.O_RDONLY), 10)
except OSError as error:
    print("read", error.errno)
