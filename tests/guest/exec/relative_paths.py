"""exec resolves a relative path from the working directory, and never searches for a bare name."""

import os
import time

base = f"/tmp/rel-{time.time_ns()}/"
os.mkdir(base, 0o755)
os.mkdir(base + "in", 0o755)
for name, data in (
    ("tool", b"#!/bin/false\n"),
    ("in/up", b"#!../tool\n"),
    ("in/here", b"#!tool\n"),
):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o755)
    os.write(fd, data)
    os.close(fd)


def attempt(folder, path):
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        try:
            os.execv(path, ["x"])
        except OSError as error:
            os._exit(100 + error.errno)
    print(folder.replace(base, ""), path, os.waitpid(pid, 0)[1] >> 8)


attempt(base, "tool")
attempt(base, "./tool")
attempt(base, "in/../tool")
attempt(base, "in/none/../../tool")
attempt(base, "tool/../tool")
attempt(base, "tool/")
attempt(base, "in/up")
attempt(base + "in", "up")
attempt(base, "in/here")
attempt(base + "in", "here")
attempt(base + "in", "tool")
attempt(base, "true")
attempt("/bin", "true")
attempt("/", "bin/true")
attempt("/", "bin//true")
attempt("/", "./bin/./true")
attempt("/", "../../bin/true")
