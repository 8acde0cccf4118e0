"""A program whose descriptor 1 is closed, or a pipe without readers, learns it from its print."""

import os
import sys

for way in ("closed", "no reader", "closed, no print", "read only"):
    pid = os.fork()
    if pid == 0:
        os.dup2(1, 2)
        if way == "no reader":
            read_end, write_end = os.pipe()
            os.dup2(write_end, 1)
            os.close(read_end)
        elif way == "read only":
            os.dup2(os.open("/dev/null", os.O_RDONLY), 1)
        else:
            os.close(1)
        if way != "closed, no print":
            print("into nothing")
        sys.exit(5)
    print(way, os.waitpid(pid, 0)[1] >> 8)
