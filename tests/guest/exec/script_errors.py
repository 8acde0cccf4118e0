"""Script lines and paths that exec refuses, each with its errno."""

import os
import time

base = f"/tmp/d{time.time_ns()}/"
os.mkdir(base, 0o700)


def write(name, data, mode):
    fd = os.open(base + name, os.O_WRONLY | os.O_CREAT, 0o777)
    os.write(fd, data)
    os.close(fd)
    os.chmod(base + name, mode)


write("empty", b"", 0o755)
write("noexec", b"#!/bin/true\n", 0o644)
write("text", b"hello\n", 0o755)
write("missing", b"#!/no/such\n", 0o755)
write("dir", b"#!/tmp\n", 0o755)
write("self", ("#!" + base + "self\n").encode(), 0o755)
write("two", ("#!" + base + "three\n").encode(), 0o755)
write("three", b"#!/bin/sh\nexit 3\n", 0o755)
write("blank", b"#!\n", 0o755)
write("spaces", b"#!   \n", 0o755)
write("true", b"#! /bin/true  a b \n", 0o755)
write("nonl", b"#!/bin/true", 0o755)
write("long", b"#!/bin/true" + b"x" * 300 + b"\n", 0o755)
write("longarg", b"#!/bin/true " + b"x" * 300 + b"\n", 0o755)
for name in (
    "empty",
    "noexec",
    "text",
    "missing",
    "dir",
    "self",
    "blank",
    "spaces",
    "true",
    "nonl",
    "long",
    "longarg",
    "no",
    "",
    "empty/x",
    "true/",
):
    try:
        pid = os.posix_spawn(base + name, ["x"], {})
        print(name, os.waitpid(pid, 0)[1])
    except OSError as error:
        print(name, error.errno)
for path in ("/bin/true/", "", ".", "/", "x" * 300, "x/" * 3000, "/dev/null"):
    try:
        pid = os.posix_spawn(path, ["x"], {})
        print(path[:10], os.waitpid(pid, 0)[1])
    except OSError as error:
        print(path[:10], error.errno)
fd = os.open(base + "true", os.O_WRONLY)
try:
    os.posix_spawn(base + "true", ["x"], {})
except OSError as error:
    print("busy", error.errno)
os.close(fd)
print(os.waitpid(os.posix_spawn(base + "true", ["x"], {}), 0)[1])
