"""A blocked signal that is waited for does not end the process; one not waited for does."""

import os
import signal
import time

for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGTSTP, 34):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        os.write(write_end, b"x")
        os._exit(int(signal.sigwait([number])))
    os.read(read_end, 1)
    time.sleep(0.05)
    os.kill(pid, number)
    print(os.waitpid(pid, os.WUNTRACED)[1] >> 8)
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGHUP])
        os.write(write_end, b"x")
        signal.sigwait([signal.SIGUSR1])
        os._exit(3)
    os.read(read_end, 1)
    time.sleep(0.05)
    os.kill(pid, signal.SIGHUP)
    time.sleep(0.05)
    print(os.waitpid(pid, os.WNOHANG))
    os.kill(pid, signal.SIGTERM)
    print(os.waitpid(pid, 0)[1])
    os.close(read_end)
    os.close(write_end)
