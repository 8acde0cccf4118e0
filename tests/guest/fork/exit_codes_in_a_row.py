"""Fork, exit and wait many times: no pid twice in a row, each exit code arrives."""

import os

last = 0
total = 0
for number in range(300):
    pid = os.fork()
    if pid == 0:
        os._exit(number % 256)
    assert pid != last
    last = pid
    reaped, status = os.waitpid(pid, 0)
    assert reaped == pid
    assert os.WEXITSTATUS(status) == number % 256
    total += status >> 8
print("sum of codes", total)
