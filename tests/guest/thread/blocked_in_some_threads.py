"""A fatal signal that one thread blocks kills the process, unless all of them block it."""

import os
import signal
import threading

ready, gate = os.pipe(), os.pipe()


def blocks(unblocks):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.write(ready[1], b"r")
    os.read(gate[0], 1)
    if unblocks:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    os.read(gate[0], 1)
    os._exit(3)


def scene(main_blocks, unblocks):
    pid = os.fork()
    if pid == 0:
        if main_blocks:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(target=blocks, args=(unblocks,)).start()
        os.read(os.pipe()[0], 1)
    os.read(ready[0], 1)
    os.kill(pid, signal.SIGTERM)
    if main_blocks:
        os.write(gate[1], b"x")
        if not unblocks:
            os.write(gate[1], b"x")
    print(main_blocks, unblocks, os.waitpid(pid, 0)[1])


scene(False, False)
scene(True, True)
scene(True, False)
