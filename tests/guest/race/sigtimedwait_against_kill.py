"""One waits for signals that two send at once: it gets both, one after the other."""

import os
import signal

wanted = [signal.SIGUSR1, signal.SIGUSR2]
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
pid = os.fork()
if pid == 0:
    found = [signal.sigtimedwait(wanted, 10).si_signo for _ in range(2)]
    os._exit(0 if sorted(found) == wanted else 1)
senders = []
for number in wanted:
    sender = os.fork()
    if sender == 0:
        os.kill(pid, number)
        os._exit(0)
    senders.append(sender)
for sender in (*senders, pid):
    print(os.waitpid(sender, 0)[1])
