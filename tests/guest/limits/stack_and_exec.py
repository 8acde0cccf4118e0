"""A quarter of RLIMIT_STACK, 128 KiB at least, is what exec takes for arguments and environment."""

import errno
import os
import resource


def attempt(name, size):
    pid = os.fork()
    if pid == 0:
        try:
            os.execve("/bin/true", ["true"] + ["x" * 999] * (size // 1000), {})
        except OSError as error:
            print(name, error.errno == errno.E2BIG)
        os._exit(1)
    print(name, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
resource.setrlimit(resource.RLIMIT_STACK, (2 << 20, hard))
attempt("below a quarter", 400_000)
attempt("above a quarter", 600_000)
resource.setrlimit(resource.RLIMIT_STACK, (512 << 10, hard))
attempt("little stack", 100_000)
attempt("little stack, too much", 140_000)
resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, hard))
attempt("again", 1_900_000)
attempt("again, too much", 2_200_000)
resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
attempt("no limit", 5_800_000)
attempt("three quarters of 8 MiB is all", 6_500_000)
