"""One process, twelve programs: the pid stays, no descriptors pile up, the last status counts."""

import os
import sys

turn = int(sys.argv[1]) if len(sys.argv) > 1 else 0
fd = os.open("/dev/null", os.O_RDONLY)
if turn:
    print(turn, fd == int(sys.argv[2]), os.getpid() == int(sys.argv[3]), len(sys.argv))
if turn == 6:
    os.execv(
        "/bin/sh",
        ["sh", "-c", "exec $0 -u $1 7 $2 $3", sys.executable] + sys.argv[:1] + sys.argv[2:],
    )
if turn < 12:
    words = [str(turn + 1), str(fd), str(os.getpid())]
    os.execv(sys.executable, [sys.executable, "-u", __file__] + words)
sys.exit(turn)
