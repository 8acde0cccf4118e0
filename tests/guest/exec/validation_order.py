"""Of two faults in one exec the earlier test answers: path, writers, sizes, format."""

import os
import time

base = f"/tmp/order-{time.time_ns()}/"
LONG = "a" * 131072


def make(name, data, mode):
    fd = os.open(base + name, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(fd, data)
    os.close(fd)
    os.chmod(base + name, mode)


def attempt(name, path, argument):
    try:
        os.execv(path, ["x", argument])
    except OSError as error:
        print(name, error.errno, error.filename is None, error.strerror)


os.mkdir(base, 0o700)
make("plain", b"text\n", 0o644)
make("empty", b"", 0o755)
make("script", b"#!/no/such/interpreter\n", 0o755)
make("busy", b"", 0o755)
writer = os.open(base + "busy", os.O_WRONLY)
attempt("no such file", base + "none", LONG)
attempt("a file as a folder", base + "plain/x", LONG)
attempt("a folder", base, LONG)
attempt("not executable", base + "plain", LONG)
attempt("busy and too long", base + "busy", LONG)
attempt("busy and empty", base + "busy", "")
attempt("empty and too long", base + "empty", LONG)
attempt("no interpreter and too long", base + "script", LONG)
attempt("no interpreter", base + "script", "")
attempt("a name too long and a long argument", "/" + "n" * 256, LONG)
attempt("no name and a long argument", "", LONG)
attempt("longest name", base + "n" * 255, "")
attempt("a path of 4096 bytes", "/." * 2048, "")
attempt("a path of 4095 bytes", "/" + "/." * 2047, "")
os.close(writer)
attempt("no longer busy", base + "busy", "")
for name in ("plain", "empty", "script", "busy"):
    os.unlink(base + name)
