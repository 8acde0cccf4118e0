"""waitid on a pidfd sees the stop, the continue, the next stop and the death of its process."""

import os
import signal

reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os.read(reader, 1)  # a second stop would wipe out a continue that nobody has seen
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        signal.pause()
fd = os.pidfd_open(pid)


def told(options):
    info = os.waitid(os.P_PIDFD, fd, options)
    return None if info is None else (info.si_pid == pid, info.si_code, info.si_status)


print(told(os.WSTOPPED))
print(told(os.WSTOPPED | os.WEXITED | os.WNOHANG))
signal.pidfd_send_signal(fd, signal.SIGCONT)
print(told(os.WCONTINUED))
os.write(writer, b"x")
print(told(os.WSTOPPED | os.WNOWAIT), told(os.WUNTRACED))
signal.pidfd_send_signal(fd, signal.SIGKILL)
print(told(os.WEXITED | os.WNOWAIT), told(os.WEXITED))
for options in (os.WEXITED, os.WEXITED | os.WNOHANG, os.WSTOPPED):
    try:
        print(told(options))
    except ChildProcessError as error:
        print(error)
try:
    signal.pidfd_send_signal(fd, 0)
except ProcessLookupError as error:
    print(error)
