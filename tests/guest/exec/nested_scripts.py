"""A script may be the interpreter of a script, five deep; each level adds arguments in front."""

import os
import time

base = f"/tmp/nest-{time.time_ns()}/"
os.mkdir(base, 0o755)
for level in range(8):
    fd = os.open(base + str(level), os.O_CREAT | os.O_WRONLY, 0o755)
    if level == 0:
        os.write(fd, b"#!/bin/echo start\n")
    else:
        os.write(fd, f"#!{base}{level - 1} option {level}\n".encode())
    os.close(fd)
for level in range(8):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write_end, 1)
        try:
            os.execv(base + str(level), ["name", "word", ""])
        except OSError as error:
            os._exit(error.errno)
    os.close(write_end)
    said = os.read(read_end, 1000).decode().replace(base, "")
    os.close(read_end)
    print(level, os.waitpid(pid, 0)[1] >> 8, repr(said))
