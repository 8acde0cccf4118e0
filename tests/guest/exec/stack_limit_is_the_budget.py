"""Arguments may take a quarter of the stack limit, 128 KiB at least and 6 MiB at most."""

import os
import resource

KIB = 1024


def fits(limit, count, size):
    """Tell whether that many arguments of that size can be passed under a stack limit."""
    pid = os.fork()
    if pid == 0:
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        resource.setrlimit(resource.RLIMIT_STACK, (limit, hard))
        try:
            os.execve("/bin/true", ["true"] + ["a" * (size - 9)] * count, {})
        except OSError as error:
            os._exit(error.errno)
    return os.waitpid(pid, 0)[1] >> 8


for limit, kib in (
    (512 * KIB, 120),
    (512 * KIB, 136),
    (2048 * KIB, 500),
    (2048 * KIB, 520),
    (8192 * KIB, 2040),
    (8192 * KIB, 2056),
    (64 * 1024 * KIB, 6100),
    (64 * 1024 * KIB, 6200),
    (resource.RLIM_INFINITY, 6100),
    (resource.RLIM_INFINITY, 6200),
):
    print(limit, kib, fits(limit, kib // 4, 4 * KIB))
