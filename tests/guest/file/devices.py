"""/dev/null swallows, /dev/zero gives zeros, /dev/full has no room."""

import os

for name in ("null", "zero", "full"):
    fd = os.open("/dev/" + name, os.O_RDWR)
    data = os.read(fd, 10)
    try:
        count = os.write(fd, b"abc")
    except OSError as error:
        count = -error.errno
    print(name, data, count, os.write(fd, b"") if name != "full" else "", os.lseek(fd, 5, 0))
    print(f"{os.fstat(fd).st_mode:o}", os.fstat(fd).st_size)
