"""The SIGHUP and SIGCONT of a group that becomes orphaned are the kernel's own, sent once."""

import os
import signal

ready, told = os.pipe(), os.pipe()
middle = os.fork()
if middle == 0:
    os.setsid()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, signal.SIGCONT])
        os.write(ready[1], b"r")
        os.kill(os.getpid(), signal.SIGSTOP)
        facts = []
        for number in (signal.SIGHUP, signal.SIGCONT):
            info = signal.sigwaitinfo([number])
            facts.append((info.si_signo, info.si_code, info.si_pid, info.si_uid))
        facts.append(signal.sigtimedwait([signal.SIGHUP, signal.SIGCONT], 0))
        os.write(told[1], repr(facts).encode())
        os._exit(0)
    os.read(ready[0], 1)
    print(hex(os.waitpid(pid, os.WUNTRACED)[1]))
    os._exit(0)
print(os.waitpid(middle, 0)[1])
print(os.read(told[0], 1000))
