"""timerslack_ns takes a decimal number, 0 for the first value, and says what prctl() says."""

import os

from workloads import guest


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    data = os.read(fd, 100000)
    os.close(fd)
    return data.decode().strip()


def attempt(path, data):
    fd = os.open(path, os.O_WRONLY)
    try:
        print(data, os.write(fd, data), end=" ")
    except OSError as error:
        print(data, "errno", error.errno, end=" ")
    os.close(fd)
    print(read_file(path), guest.prctl(guest.PR_GET_TIMERSLACK))


own = "/proc/self/timerslack_ns"
print(read_file(own), os.path.exists("/proc/thread-self/timerslack_ns"))
for data in [b"70000\n", b"0", b"+5", b"-1", b"abc", b"", b"0x10", b" 5", b"5 ", b"1\n\n", b"007"]:
    attempt(own, data)
attempt(own, b"18446744073709551616")
pid = os.fork()
if pid == 0:
    attempt(own, b"9")
    attempt(own, b"0")  # its parent's is its first value
    os._exit(0)
os.waitpid(pid, 0)
print(read_file(own))
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
attempt(own, b"300")
print("real-time:", read_file(own), guest.prctl(guest.PR_SET_TIMERSLACK, 20), read_file(own))
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
print("and back:", read_file(own))
