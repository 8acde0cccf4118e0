"""What exec answers to paths that it cannot execute."""

import os

FOLDER = "/tmp/smplab-exec-errors"


def make(path, mode, data):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    os.write(fd, data)
    os.close(fd)
    os.chmod(path, mode)


def attempt(path, argument):
    try:
        os.execv(path, ["name", argument])
    except OSError as error:
        print(path[:40], len(argument), "errno", error.errno)


try:
    os.mkdir(FOLDER, 0o755)
except FileExistsError:
    pass
make(FOLDER + "/plain", 0o644, b"no program\n")
make(FOLDER + "/empty", 0o755, b"")
make(FOLDER + "/noise", 0o755, b"\x01\x02\x03\x04")
attempt("/nowhere", "")
attempt("", "")
attempt("/bin/true/x", "")
attempt("/tmp", "")
attempt(FOLDER + "/plain", "")
attempt(FOLDER + "/plain/x", "")
attempt(FOLDER + "/empty", "")
attempt(FOLDER + "/noise", "")
attempt("/" + "n" * 300, "")
attempt("/bin/true", "a" * 131072)
attempt("/nowhere", "a" * 131072)
busy = os.open(FOLDER + "/busy", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o755)
attempt(FOLDER + "/busy", "")
os.close(busy)
attempt(FOLDER + "/busy", "")
for name in ("plain", "empty", "noise", "busy"):
    os.unlink(FOLDER + "/" + name)
