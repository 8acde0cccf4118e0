"""The interpreter of a script has its own existence and permission; both are the caller's error."""

import os
import time

base = f"/tmp/interp-{time.time_ns()}/"
os.mkdir(base, 0o755)


def make(name, data, mode):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(fd, data)
    os.close(fd)
    os.chmod(base + name, mode)


def attempt(name):
    try:
        pid = os.posix_spawn(base + name, ["x", "y"], {})
        print(name, os.waitpid(pid, 0)[1])
    except OSError as error:
        print(name, error.errno, error.filename == base + name)


make("data", b"nothing to run\n", 0o755)
make("plain", b"#!/bin/true\n", 0o644)
make("of-data", f"#!{base}data\n".encode(), 0o755)
make("of-plain", f"#!{base}plain\n".encode(), 0o755)
make("of-none", f"#!{base}none\n".encode(), 0o755)
make("of-folder", f"#!{base}\n".encode(), 0o755)
make("of-file-as-folder", f"#!{base}plain/x\n".encode(), 0o755)
make("of-busy", f"#!{base}busy\n".encode(), 0o755)
make("busy", b"#!/bin/true\n", 0o755)
writer = os.open(base + "busy", os.O_WRONLY)
make("tab", b"#!\t/bin/false\t\n", 0o755)
make("carriage", b"#!/bin/true\r\n", 0o755)
make("space-before", b" #!/bin/true\n", 0o755)
make("only-two", b"#!", 0o755)
make("nul-inside", b"#!/bin/true\0/x\n", 0o755)
make("nul-first", b"#!\0\n", 0o755)
for name in (
    "of-data",
    "of-plain",
    "of-none",
    "of-folder",
    "of-file-as-folder",
    "of-busy",
    "tab",
    "carriage",
    "space-before",
    "only-two",
    "nul-inside",
    "nul-first",
):
    attempt(name)
os.close(writer)
attempt("of-busy")
