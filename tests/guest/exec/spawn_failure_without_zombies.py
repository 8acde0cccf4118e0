"""A spawn of nothing fails with ENOENT also where SIGCHLD is ignored and no zombie is left."""

import os
import signal


def spawn():
    try:
        os.posix_spawn("/no/such", ["such"], {})
    except OSError as error:
        print(error.errno, error.filename)
    try:
        print(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        print("no children")


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
spawn()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
spawn()
