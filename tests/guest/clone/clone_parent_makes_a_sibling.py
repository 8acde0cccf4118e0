"""CLONE_PARENT makes a sibling: its parent is the caller's, with the caller's exit signal."""

import os
import signal

from workloads import guest


def main():
    read, write = os.pipe()
    gate, open_gate = os.pipe()
    middle = os.fork()
    if middle == 0:
        sibling = guest.clone(guest.CLONE_PARENT | signal.SIGUSR1)
        if sibling == 0:
            os.read(gate, 1)
            os._exit(7)
        os.write(write, str(sibling).encode())
        try:
            os.waitpid(sibling, 0)
        except ChildProcessError:
            guest.say("no child of its maker")
        os._exit(0)
    os.waitpid(middle, 0)
    sibling = int(os.read(read, 20))
    os.write(open_gate, b"x")
    done, status = os.waitpid(sibling, 0)
    guest.say(f"reaped by the grandparent {done == sibling} {status >> 8}")


main()
