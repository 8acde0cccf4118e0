"""With a core limit of 0, signals that would dump core are told as plain kills."""

import os
import resource
import signal

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
NAMES = (
    signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGFPE, signal.SIGSEGV,
    signal.SIGBUS, signal.SIGSYS, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGTERM,
)  # fmt: skip
for number in NAMES:
    pid = os.fork()
    if pid == 0:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(0)
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    status = os.waitpid(pid, 0)[1]
    print(int(number), info.si_code, info.si_status, status, os.WCOREDUMP(status))
