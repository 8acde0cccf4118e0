"""An exec is killed while it waits for the other threads of its process to end."""

import os
import signal
import threading


def execute(gate):
    os.read(gate, 1)
    os.execv("/bin/sleep", ["sleep", "100"])


def stay(never):
    os.read(never, 1)


ends = []
for calls in (8, 10, 12, 14, 17, 20, 23, 26):
    gate_read, gate_write = os.pipe()
    never_read, never_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=execute, args=(gate_read,)).start()
        try:
            for _ in range(2):
                threading.Thread(target=stay, args=(never_read,)).start()
        except RuntimeError:
            pass  # EAGAIN: the exec has begun, and the process's fs may not get another user
        stay(never_read)
        os._exit(6)
    os.write(gate_write, b"g")
    for _ in range(calls):
        os.getppid()
    os.kill(pid, signal.SIGKILL)
    ends.append(os.waitpid(pid, 0)[1])
    os.close(gate_read)
    os.close(gate_write)
    os.close(never_read)
    os.close(never_write)
print(ends)
