"""What is pending for one thread is no other's; what is pending for the process is everyone's."""

import os
import signal
import threading

report = []


def show():
    report.append([int(number) for number in sorted(signal.sigpending())])
    signal.raise_signal(signal.SIGHUP)
    report.append([int(number) for number in sorted(signal.sigpending())])


BLOCKED = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR2)
thread = threading.Thread(target=show)
thread.start()
thread.join()
print(report)
print([int(number) for number in sorted(signal.sigpending())])
pid = os.fork()
if pid == 0:
    print(len(signal.sigpending()), [int(n) for n in sorted(signal.pthread_sigmask(0, []))])
    os._exit(0)
os.waitpid(pid, 0)
