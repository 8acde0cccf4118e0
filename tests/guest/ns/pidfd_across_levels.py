"""A pidfd opened outside works on a process inside; its init's death makes it stand for nobody."""

import os
import signal

from workloads import guest


def main():
    ready, done = os.pipe()
    pid, fd = guest.clone3(guest.CLONE_NEWPID, pidfd=True)
    if pid == 0:
        child = os.fork()
        if child == 0:
            os.write(done, b"x")
            while True:
                signal.pause()
        other = os.pidfd_open(child)
        guest.say(f"inside {os.getpid()} {child}")
        result = os.waitid(os.P_PIDFD, other, os.WEXITED)
        guest.say(f"reaped {result.si_pid} {result.si_status}")
        os._exit(1)
    os.read(ready, 1)
    signal.pidfd_send_signal(fd, signal.SIGTERM)  # an init does not mind
    signal.pidfd_send_signal(fd, signal.SIGKILL)
    result = os.waitid(os.P_PIDFD, fd, os.WEXITED)
    guest.say(f"{result.si_pid == pid} {result.si_status}")
    try:
        signal.pidfd_send_signal(fd, 0)
    except ProcessLookupError:
        guest.say("gone")


main()
