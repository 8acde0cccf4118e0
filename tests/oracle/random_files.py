"""Random guest programs about files: pipes, sockets, eventfds, FIFOs, names, descriptors, children.

``program(seed)`` returns the source of one. Each of its operations prints a line: what it did and
its result, or the errno. Nothing in it sleeps: every file is non-blocking, and a child does its
part while its parent waits for it. So there is one outcome, and a difference shows at the first
line that differs; the number in front of it is the operation's.

``python tests/oracle/random_files.py FIRST LAST FOLDER`` writes programs for ``smplab diff``.
"""

import random
import sys
from pathlib import Path

HEAD = '''\
"""Random operations on files; every result is printed."""

import fcntl
import os
import select
import socket
import time

for number in range(3, 64):
    try:
        os.close(number)
    except OSError:
        pass
base = f"/tmp/random{time.time_ns()}"
os.mkdir(base)
os.chdir(base)
for number in range(9):
    os.mkdir("x", 0o777)
    os.chmod("x", 0o777)
    os.chdir("x")
socks = []
K = 0


def data_of(size):
    return b"abcdefgh"[:size] if size <= 8 else bytes(size)


def stat_of(s):
    size = s.st_size if s.st_mode & 0o170000 == 0o100000 else 0
    return f"{s.st_mode:o} {s.st_nlink} {size}"


def io(what, fd, a, b):
    try:
        if what == "read":
            data = os.read(fd, a)
            print(K, what, len(data), data[:12])
        elif what == "write":
            print(K, what, os.write(fd, data_of(a)))
        elif what == "close":
            print(K, what, os.close(fd))
        elif what == "dup":
            print(K, what, os.dup(fd))
        elif what == "dup2":
            print(K, what, os.dup2(fd, a, b))
        elif what == "eventfd_write":
            print(K, what, os.eventfd_write(fd, a))
        elif what == "fcntl":
            print(K, what, fcntl.fcntl(fd, a, b))
        elif what == "lseek":
            # where a directory ends is the file system's affair
            if b not in (2, 4) or os.fstat(fd).st_mode & 0o170000 != 0o040000:
                print(K, what, os.lseek(fd, a, b))
        elif what == "fstat":
            print(K, what, stat_of(os.fstat(fd)))
        elif what == "ftruncate":
            print(K, what, os.ftruncate(fd, a))
        elif what == "flags":
            print(K, what, os.get_inheritable(fd), os.get_blocking(fd))
            os.set_inheritable(fd, a)
    except OSError as error:
        print(K, what, error)


def make(what, a, b):
    if what == "pipe":
        print(K, os.pipe2(os.O_NONBLOCK))
    elif what == "pair":
        one, other = socket.socketpair(socket.AF_UNIX, a | socket.SOCK_NONBLOCK)
        socks.append(one)
        socks.append(other)
        print(K, one.fileno(), other.fileno())
    else:
        print(K, os.eventfd(a, b | os.EFD_NONBLOCK))


def sock(what, which, a, b):
    if not socks:
        return
    one = socks[which % len(socks)]
    try:
        if what == "send":
            print(K, what, one.send(data_of(a), b))
        elif what == "recv":
            data = one.recv(a, b)
            print(K, what, len(data), data[:12])
        else:
            print(K, what, one.shutdown(a))
    except OSError as error:
        print(K, what, error)


def poll(fds):
    asked = select.poll()
    for fd in fds:
        asked.register(fd, 0x3FFF)
    print(K, asked.poll(0))
    try:
        print(K, select.select(fds[:1], fds[:1], fds[:1], 0))
    except OSError as error:
        print(K, error)


def name(what, a, b):
    try:
        if what == "open":
            print(K, what, os.open(a, b | os.O_NONBLOCK, 0o640))
        elif what == "mkdir":
            print(K, what, os.mkdir(a, b))
        elif what == "rmdir":
            print(K, what, os.rmdir(a))
        elif what == "unlink":
            print(K, what, os.unlink(a))
        elif what == "mkfifo":
            print(K, what, os.mkfifo(a, b))
        elif what == "chdir":
            print(K, what, os.chdir(a))
        elif what == "chmod":
            print(K, what, os.chmod(a, b))
        elif what == "listdir":
            print(K, what, sorted(os.listdir(a)))
        elif what == "stat":
            print(K, what, stat_of(os.stat(a)))
        elif what == "getcwd":
            print(K, what, os.getcwd()[len(base) :])
        elif what == "access":
            print(K, what, os.access(a, b), os.path.exists(a))
    except OSError as error:
        print(K, what, error.errno, error.filename == a)


def rename(a, b):
    try:
        print(K, os.rename(a, b))
    except OSError as error:
        print(K, error.errno, error.filename == a, error.filename2 == b)


'''

UNPRIVILEGED = "os.setgid(1000)\nos.setuid(1000)\n"
SIZES = (
    0, 1, 2, 3, 5, 8, 100, 192, 193, 1000, 4000, 4095, 4096, 4097, 5000, 9000, 16384, 40000,
    65536, 70000, 200000,
)  # fmt: skip
OPEN_FLAGS = (
    0, 0o1, 0o2, 0o101, 0o102, 0o301, 0o1001, 0o1102, 0o2001, 0o2102, 0o200000, 0o200100, 0o1000,
    0o100,
)  # fmt: skip
MODES = (0o644, 0o4755, 0, 0o777)
NAME_CALLS = (
    "mkdir", "rmdir", "unlink", "mkfifo", "chdir", "chmod", "listdir", "stat", "getcwd", "access",
)  # fmt: skip
ARGUMENTS = {
    0: (0, 5, 12),
    1: (0,),
    2: (0, 1),
    3: (0,),
    4: (0o4000, 0o6000),
    1030: (0, 9),
    1031: (0, 4096, 5000, 65536, 200000),
    1032: (0,),
}  # of fcntl, by command


class Source:
    """Where the choices of one program come from."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def fd(self) -> int:
        return self.random.randrange(3, 17)

    def size(self) -> int:
        return self.random.choice(SIZES)

    def path(self) -> str:
        choice = self.random.choice
        text = choice("abcdepq")
        shape = self.random.random()
        if shape < 0.25:
            text += "/" + choice("abcdepq")
        elif shape < 0.42:
            text = choice(
                ("../" + text, text + "/..", text + "/.", text + "/", ".", "..", "", "x" * 300)
            )
        return repr(text)

    def operation(self) -> str:
        """Return one call of a function of HEAD."""
        choice = self.random.choice
        kind = choice(
            ("read",) * 5 + ("write",) * 5 + ("poll",) * 4 + ("open",) * 5 + ("name",) * 6
            + ("send", "recv") * 2 + ("pipe", "pair", "close") * 2
            + ("eventfd", "dup", "dup2", "eventfd_write", "shutdown", "fcntl", "fcntl", "lseek")
            + ("fstat", "ftruncate", "flags", "rename", "rename")
        )  # fmt: skip
        fd, size = self.fd(), self.size()
        if kind in ("read", "write", "close", "dup", "fstat"):
            return f"io({kind!r}, {fd}, {size}, 0)"
        if kind == "dup2":
            return f"io({kind!r}, {fd}, {self.fd()}, {choice((True, False))})"
        if kind == "eventfd_write":
            return f"io({kind!r}, {fd}, {choice((0, 1, 7, 2**64 - 2, 2**64 - 3))}, 0)"
        if kind == "fcntl":
            command = choice(tuple(ARGUMENTS))
            return f"io({kind!r}, {fd}, {command}, {choice(ARGUMENTS[command])})"
        if kind == "lseek":
            return f"io({kind!r}, {fd}, {choice((0, 3, -2, 5000))}, {choice((0, 1, 2, 3, 4, 9))})"
        if kind == "ftruncate":
            return f"io({kind!r}, {fd}, {choice((0, 3, 5000, 4096, 8191))}, 0)"
        if kind == "flags":
            return f"io({kind!r}, {fd}, {choice((True, False))}, 0)"
        if kind in ("pipe", "pair", "eventfd"):
            return f"make({kind!r}, {choice((1, 1, 2))}, {choice((0, 1))})"
        if kind == "send":
            return f"sock({kind!r}, {size % 8}, {size}, {choice((0, 0, 0x40, 0x4000))})"
        if kind == "recv":
            return f"sock({kind!r}, {fd % 8}, {size}, {choice((0, 0, 2, 0x40, 0x100))})"
        if kind == "shutdown":
            return f"sock({kind!r}, {fd % 8}, {choice((0, 1, 2))}, 0)"
        if kind == "poll":
            return f"poll({sorted(self.random.sample(range(3, 17), choice(range(1, 9))))})"
        if kind == "rename":
            return f"rename({self.path()}, {self.path()})"
        if kind == "open":
            return f"name({kind!r}, {self.path()}, {choice(OPEN_FLAGS):#o})"
        what = choice(NAME_CALLS)
        argument = choice({"mkdir": (0o755, 0o1777), "access": (0, 1, 2, 4, 7)}.get(what, MODES))
        return f"name({what!r}, {self.path()}, {argument:#o})"


def program(seed: int, operations: int = 250) -> str:
    """Return the source of the program of a seed; every third is run by an ordinary user."""
    source = Source(seed)
    lines = []
    child = 0  # operations left of the child being written
    for number in range(operations):
        if not child and source.random.random() < 0.04:
            child = source.random.randrange(2, 15)
            lines += ["pid = os.fork()", "if pid == 0:"]
        indent = "    " if child else ""
        lines += [f"{indent}K = {number}", indent + source.operation()]
        if child:
            child -= 1
            if not child or number == operations - 1:
                lines += ["    os._exit(0)", "print(K, os.waitpid(pid, 0)[1])"]
    return HEAD + (UNPRIVILEGED if seed % 3 == 2 else "") + "\n".join(lines) + "\n"


if __name__ == "__main__":
    first, last, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    for seed in range(first, last):
        (folder / f"files_{seed}.py").write_text(program(seed), encoding="utf-8")
