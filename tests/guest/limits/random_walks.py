"""Random changes of limits by a user: each gives the pair, or the error, it must."""

import os
import resource

STEPS = 40
WALKS = 12
LIMITS = (resource.RLIMIT_RTTIME, resource.RLIMIT_MSGQUEUE, resource.RLIMIT_RSS)
VALUES = (0, 1, 5, 100, 100_000, 819_200, 1 << 40, (1 << 63) - 1, -1, -2, -100)


def walk(seed):
    """Print what every step of one walk comes to."""
    state = seed
    for _ in range(STEPS):
        state = (state * 1103515245 + 12345) % (1 << 31)
        which = LIMITS[(state >> 8) % len(LIMITS)]
        soft = VALUES[(state >> 12) % len(VALUES)]
        hard = VALUES[(state >> 18) % len(VALUES)]
        if state >> 25 & 1:
            hard = resource.getrlimit(which)[1]
        try:
            if state >> 26 & 1:
                print(which, resource.prlimit(0, which, (soft, hard)))
            else:
                resource.setrlimit(which, (soft, hard))
        except (OSError, ValueError) as error:
            print(which, soft, hard, repr(error))
        print(resource.getrlimit(which))


for seed in range(WALKS):
    pid = os.fork()
    if pid == 0:
        os.setresuid(61100, 61100, 61100)
        walk(seed * 6007 + 3)
        os._exit(0)
    os.waitpid(pid, 0)
