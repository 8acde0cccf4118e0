"""siginfo names the sender by its number in the receiver's namespace, 0 if it is outside."""

import os
import signal

from workloads import guest


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD])
    ready, done = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        os.write(done, b"x")
        info = signal.sigwaitinfo([signal.SIGUSR1])
        guest.say(f"from outside: pid {info.si_pid} code {info.si_code}")
        child = os.fork()
        if child == 0:
            os.kill(1, signal.SIGUSR2)
            os._exit(0)
        info = signal.sigwaitinfo([signal.SIGUSR2])
        guest.say(f"from its child: {info.si_pid == child} code {info.si_code}")
        info = signal.sigwaitinfo([signal.SIGCHLD])
        guest.say(f"of its child: {info.si_pid == child} code {info.si_code}")
        os._exit(1)
    os.read(ready, 1)
    os.kill(pid, signal.SIGUSR1)
    info = signal.sigwaitinfo([signal.SIGCHLD])
    guest.say(f"SIGCHLD of the init: {info.si_pid == pid} status {info.si_status}")
    result = os.waitid(os.P_PID, pid, os.WEXITED)
    guest.say(f"waitid: {result.si_pid == pid} {result.si_status}")


main()
