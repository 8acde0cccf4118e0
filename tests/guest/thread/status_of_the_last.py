"""The status of a process whose threads leave one by one is that of the last one to leave."""

import os
import threading
import time

from workloads import guest


def leave(code, fd):
    os.read(fd, 1)
    guest.exit_thread(code)


def run(title, leader, others, final):
    """Let the leader leave with a code at its place, the others in turn; then an action."""
    pid = os.fork()
    if pid == 0:
        pipes = []
        for code in others:
            pipe = os.pipe()
            pipes.append(pipe)
            threading.Thread(target=leave, args=(code, pipe[0]), daemon=True).start()
        director = threading.Thread(target=direct, args=(pipes, final), daemon=True)
        director.start()
        guest.exit_thread(leader)
    print(title, os.waitpid(pid, 0)[1])


def direct(pipes, final):
    time.sleep(0.02)
    for _, write_end in pipes:
        os.write(write_end, b"x")
        time.sleep(0.02)
    if final == "kill":
        os.kill(os.getpid(), 9)
        time.sleep(10)
    elif final >= 256:
        os._exit(final - 256)
    else:
        guest.exit_thread(final)


run("leader first", 7, [8, 9], 10)
run("last with 0", 7, [8], 0)
run("last with 300", 1, [], 300 - 256)
run("then _exit", 7, [8], 256 + 11)
run("then a signal", 7, [8], "kill")
pid = os.fork()
if pid == 0:
    pipe = os.pipe()
    threading.Thread(target=leave, args=(3, pipe[0]), daemon=True).start()
    os.write(pipe[1], b"x")
    time.sleep(0.05)
    guest.exit_thread(4)
print("leader last", os.waitpid(pid, 0)[1])
