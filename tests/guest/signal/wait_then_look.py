"""A signal that arrives between the look and pause is not lost: a blocked one waits for sigwait."""

import os
import signal
import threading

answers = []


def answer(number):
    answers.append(int(signal.sigwait([number])))


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
target = os.getpid()
pid = os.fork()
if pid == 0:
    for _ in range(50):
        os.kill(target, signal.SIGUSR1)
        signal.sigwait([signal.SIGUSR2])
    os._exit(49)
for _ in range(50):
    thread = threading.Thread(target=answer, args=(signal.SIGUSR1,))
    thread.start()
    thread.join()
    os.kill(pid, signal.SIGUSR2)
print(len(answers), os.waitpid(pid, 0)[1] >> 8)
