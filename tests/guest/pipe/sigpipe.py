"""Writing to a pipe without reader: death by SIGPIPE, a handler and EPIPE, or EPIPE if ignored."""

import os
import signal

r, w = os.pipe()
os.close(r)
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print("ignored at start:", error)
calls = []


def note(number, frame):
    calls.append(number)


signal.signal(signal.SIGPIPE, note)
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print("handler ran first:", calls == [signal.SIGPIPE], error.errno)
print(os.write(w, b""), len(calls))
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.write(w, b"x")
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print(os.WIFSIGNALED(status), os.WTERMSIG(status) == signal.SIGPIPE)
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
    try:
        os.write(w, b"x")
    except BrokenPipeError:
        print("blocked:", signal.sigpending() == {signal.SIGPIPE})
    os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
