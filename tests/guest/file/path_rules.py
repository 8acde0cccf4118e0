"""What open, mkdir, unlink, chdir, lseek, dup2 answer for odd paths and arguments."""

import os
import time

base = f"/tmp/f{time.time_ns()}"
os.mkdir(base, 0o755)


def tried(path, flags, mode=0o644):
    try:
        fd = os.open(path, flags, mode)
        found = hex(os.fstat(fd).st_mode)
        os.close(fd)
        return found
    except OSError as error:
        return error.errno


for path in (
    "a",
    "a/",
    "a/b",
    ".",
    "",
    "..",
    "nodir/a",
    "d",
    "d/",
    "dev",
    "/dev/null",
    "/dev/null/",
    "/",
):
    full = path if path.startswith("/") or path == "" else base + "/" + path
    for flags in (
        os.O_RDONLY,
        os.O_WRONLY | os.O_CREAT,
        os.O_RDWR | os.O_CREAT | os.O_EXCL,
        os.O_RDONLY | os.O_DIRECTORY,
        os.O_WRONLY | os.O_TRUNC,
        os.O_RDONLY | os.O_CREAT | os.O_EXCL,
        3,
        os.O_RDONLY | os.O_TRUNC,
    ):
        print(path, hex(flags), tried(full, flags))
    if path == "..":
        os.mkdir(base + "/d", 0o7777)
for path in ("d", "d/", "a", "new/", "no/x", ".", "", "/", "/tmp/.."):
    try:
        os.mkdir(base + "/" + path if not path.startswith("/") and path else path, 0o1755)
        print("mkdir", path, "made")
    except OSError as error:
        print("mkdir", path, error.errno)
for path in ("d", "d/", "a/", "new", ".", "..", "", "/", "no", "no/x", "a/x"):
    try:
        os.unlink(base + "/" + path if not path.startswith("/") and path else path)
        print("unlink", path, "done")
    except OSError as error:
        print("unlink", path, error.errno)
for path in ("d", "a", "no", "", "d/..", "a/.."):
    try:
        os.chdir(base + "/" + path if path else path)
        print("chdir", path, os.getcwd() == base, os.getcwd() == base + "/d")
    except OSError as error:
        print("chdir", path, error.errno)
fd = os.open(base + "/z", os.O_RDWR | os.O_CREAT)
print(hex(os.umask(0o27)), hex(os.umask(0o7777)), hex(os.umask(0o22)))
print(
    os.write(fd, b"abc"),
    os.lseek(fd, 5, 0),
    os.write(fd, b"z"),
    os.lseek(fd, 0, 0),
    os.read(fd, 99),
)
for offset, how in (
    (-1, 0),
    (-3, 1),
    (-100, 2),
    (2, 2),
    (0, 9),
    (0, 3),
    (0, 4),
    (100, 3),
    (3, 4),
    (5, 0),
):
    try:
        print("seek", offset, how, os.lseek(fd, offset, how))
    except OSError as error:
        print("seek", offset, how, error.errno)
rd = os.open(base + "/z", os.O_RDONLY)
for call in range(6):
    try:
        if call == 0:
            os.write(rd, b"x")
        elif call == 1:
            os.read(os.open(base, os.O_RDONLY), 5)
        elif call == 2:
            os.read(-1, 5)
        elif call == 3:
            os.read(rd, -5)
        elif call == 4:
            os.write(os.open(base + "/z", os.O_WRONLY), b"")
            print(os.read(os.open(base + "/z", os.O_WRONLY), 0))
        else:
            os.lseek(os.pipe()[0], 0, 0)
    except OSError as error:
        print("io", call, error.errno)
ap = os.open(base + "/z", os.O_WRONLY | os.O_APPEND)
print(os.write(ap, b"end"), os.lseek(ap, 0, 1))
os.dup2(ap, 1000)
for pair in ((ap, 1 << 20), (999, 4), (999, 999), (ap, ap), (-1, 3)):
    for inheritable in (True, False):
        try:
            print(os.dup2(pair[0], pair[1], inheritable) == pair[1])
        except OSError as error:
            print("dup2", pair[0] == ap, pair[1] == ap, error.errno if pair[0] >= 0 else "")
