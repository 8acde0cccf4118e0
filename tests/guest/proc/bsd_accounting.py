"""acct() appends a record for every process that ends, with its flags, status and parent."""

import os
import signal

from workloads import guest

PATH = "/tmp/smplab-acct"


def number(data, start, size):
    value = 0
    for place in range(size):
        value += data[start + place] << (8 * place)
    return value


def attempt(path):
    try:
        guest.acct(path)
        print(path, "works")
    except OSError as error:
        print(path, error.errno)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def dumped():
    os.kill(os.getpid(), signal.SIGSEGV)


def aborted():
    os.kill(os.getpid(), signal.SIGABRT)


def exits():
    os._exit(3)


def spins():
    guest.compute(300_000_000)


def execs():
    os.execv("/bin/true", ["true"])


def nested():
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(5)
    os._exit(6)


def threads():
    guest.exit_thread(7)


attempt("/tmp/no/such/file")
attempt("/tmp")
attempt("/dev/null")
os.close(os.open(PATH, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
attempt(PATH)
pids = []
for what in [killed, dumped, aborted, exits, spins, execs, nested, threads]:
    pid = os.fork()
    if pid == 0:
        what()
        os._exit(0)
    pids.append(pid)
    print(os.waitpid(pid, 0)[1])
attempt(None)
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
attempt(None)
fd = os.open(PATH, os.O_RDONLY)
data = os.read(fd, 100000)
print("records", len(data) // 64, len(data) % 64)
known = pids + [os.getpid()]
for place in range(len(data) // 64):
    record = data[64 * place : 64 * place + 64]
    name = record[48:].rstrip(b"\0").decode()
    pid, parent = number(record, 16, 4), number(record, 20, 4)
    print(
        "flag",
        record[0],
        "version",
        record[1],
        "exit",
        number(record, 4, 4),
        "uid",
        number(record, 8, 4) == os.getuid(),
        "pid",
        known.index(pid) if pid in known else "grandchild",
        "parent",
        parent == os.getpid() or parent in pids,
        "true" if name == "true" else "python",
        "ran",
        number(record, 32, 2) + number(record, 34, 2) >= 10,
    )
os.unlink(PATH)
