"""clone3 with CLONE_PIDFD also returns a close-on-exec pidfd that stands for the child."""

import os
import signal

from workloads import guest


def main():
    said, say = os.pipe()
    pid, fd = guest.clone3(0, pidfd=True)
    if pid == 0:
        guest.say(f"the child has none: {fd}")
        os.write(say, b"x")
        signal.pause()
    os.read(said, 1)
    os.close(said)
    os.close(say)
    guest.say(f"a descriptor: {fd >= 3} inheritable {os.get_inheritable(fd)}")
    signal.pidfd_send_signal(fd, signal.SIGTERM)
    result = os.waitid(os.P_PIDFD, fd, os.WEXITED)
    guest.say(f"{result.si_pid == pid} {result.si_status}")
    try:
        signal.pidfd_send_signal(fd, 0)
    except ProcessLookupError:
        guest.say("reaped: no such process")
    os.close(fd)
    pid, fd = guest.clone3(0, pidfd=True, exit_signal=0)
    if pid == 0:
        for number in range(3, 8):
            try:
                os.close(number)
                guest.say("in the child's table")
            except OSError:
                pass
        os._exit(4)
    result = os.waitid(os.P_PIDFD, fd, os.WEXITED | 0x40000000)
    guest.say(f"{result.si_status}")


main()
