"""A task faults that it holds back while another sends it signals: it dies of the fault."""

import os
import signal
import threading

signal.signal(signal.SIGUSR1, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    threading.Thread(target=os.getppid).start()
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
    os.abort()
sender = os.fork()
if sender == 0:
    try:
        for _ in range(3):
            os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError:
        pass
    os._exit(0)
print(os.waitpid(pid, 0)[1] & 0x7F, os.waitpid(sender, 0)[1])
