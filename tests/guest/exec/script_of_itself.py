#!/usr/bin/python3
"""A program's file is a script: its name is the task's, the interpreter comes first in cmdline."""

import os
import sys


def show(name):
    fd = os.open(f"/proc/self/{name}", os.O_RDONLY)
    data = os.read(fd, 4096)
    os.close(fd)
    return data


def main():
    if len(sys.argv) > 1:
        print("comm", show("comm"))
        words = show("cmdline").split(b"\0")
        print("cmdline", [os.path.basename(word.decode()) for word in words])
        print("argv", [os.path.basename(word) for word in sys.argv])
        sys.exit(3)
    pid = os.fork()
    if pid == 0:
        os.execv(sys.argv[0], ["another name", "one", "two words"])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
