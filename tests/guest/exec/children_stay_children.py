"""Children made before exec are the new program's: zombies, running and stopped ones."""

import os
import signal
import sys

if len(sys.argv) > 1:
    pids = [int(word) for word in sys.argv[2:]]
    gate = int(sys.argv[1])
    print(os.waitpid(pids[2], os.WUNTRACED | os.WNOHANG)[0] == pids[2])
    print(os.waitpid(pids[0], 0)[1])
    print(os.waitpid(pids[1], os.WNOHANG))
    os.write(gate, b"x")
    print(os.waitpid(pids[1], 0)[1])
    os.kill(pids[2], signal.SIGCONT)
    print(os.waitpid(pids[2], 0)[1])
    try:
        os.wait()
    except ChildProcessError as error:
        print(error)
    sys.exit(0)
gate = os.pipe()
here = os.getpid()
pids = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        if number == 1:
            os.read(gate[0], 1)
        elif number == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(10 + number if os.getppid() == here else 1)
    pids.append(pid)
os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT)
os.waitid(os.P_PID, pids[2], os.WSTOPPED | os.WNOWAIT)
out = os.dup2(gate[1], 60)
words = [sys.executable, "-u", __file__, str(out)]
os.execv(sys.executable, words + [str(pid) for pid in pids])
