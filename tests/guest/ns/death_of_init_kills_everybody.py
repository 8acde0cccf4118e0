"""When an init dies everybody in its namespace is killed before it can be reaped itself."""

import os
import signal
import time

from workloads import guest


def main():
    read, write = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        for number in range(4):
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                if number == 3 and os.fork() == 0:
                    os.setsid()
                os.write(write, b"x")
                time.sleep(1000)
                os._exit(1)
        count = 0
        while count < 5:
            count += len(os.read(read, 5 - count))
        guest.say("init ends")
        os._exit(9)
    os.close(write)
    status = os.waitpid(pid, 0)[1]
    guest.say(f"{os.waitstatus_to_exitcode(status)}")
    while os.read(read, 16):
        pass
    guest.say("all have closed the pipe")


main()
