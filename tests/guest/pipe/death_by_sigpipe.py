"""A writer without readers dies of SIGPIPE where it has the default action; EPIPE otherwise."""

import os
import signal


def note(number, frame):
    print("handler", int(number))


for way in (signal.SIG_DFL, signal.SIG_IGN, note, "blocked"):
    pid = os.fork()
    if pid == 0:
        read_end, write_end = os.pipe()
        os.close(read_end)
        if way == "blocked":
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
        else:
            signal.signal(signal.SIGPIPE, way)
        print(os.write(write_end, b""))
        try:
            os.write(write_end, b"x")
        except BrokenPipeError as error:
            print(error, [int(n) for n in sorted(signal.sigpending())])
        os._exit(4)
    print(os.waitpid(pid, 0)[1])
