"""Guest: as many processes as argv[1] says; each loops argv[3] times before each of argv[2] calls.

The loop is the program's own work, which the host does block by block; the call is the kernel's.
All processes begin at once, when the last one is there.
"""

import os
import sys


def crunch(calls, turns):
    total = 0
    for _ in range(calls):
        for turn in range(turns):
            total += turn & 7
        assert os.getppid() > 0
    assert total == calls * (turns // 8 * 28 + turns % 8 * (turns % 8 - 1) // 2)


def main():
    processes, calls, turns = map(int, sys.argv[1:])
    start, hold = os.pipe()
    for _ in range(processes):
        if os.fork() == 0:
            os.close(hold)
            assert os.read(start, 1) == b""
            crunch(calls, turns)
            os._exit(0)
    os.close(hold)
    for _ in range(processes):
        _, status = os.wait()
        assert status == 0


if __name__ == "__main__":
    main()
