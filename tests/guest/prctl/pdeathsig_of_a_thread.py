"""pdeath_signal comes when the thread that forked dies, though its process lives on."""

import os
import signal
import threading

from workloads.guest import PR_SET_PDEATHSIG, prctl

pids = []
ready_r, ready_w = os.pipe()
news_r, news_w = os.pipe()


def forker():
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        before = os.getppid()
        prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
        os.write(ready_w, b"x")
        info = signal.sigwaitinfo({signal.SIGUSR1})
        same = os.getppid() == before
        os.write(news_w, b"%d parent still the same: %d\n" % (info.si_signo, same))
        os._exit(3)
    pids.append(pid)
    os.read(ready_r, 1)


thread = threading.Thread(target=forker)
thread.start()
thread.join()
print(os.read(news_r, 100))
print(os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]))
