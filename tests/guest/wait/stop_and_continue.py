"""Stop and continue are reported once each, and only to who asks for them."""

import os
import signal

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write_end)
    os.read(read_end, 1)
    os._exit(2)
os.kill(pid, signal.SIGSTOP)
reaped, status = os.waitpid(pid, os.WUNTRACED)
print("stopped", reaped == pid, hex(status), os.WIFSTOPPED(status), os.WSTOPSIG(status))
print("once only", os.waitpid(pid, os.WUNTRACED | os.WNOHANG))
os.kill(pid, signal.SIGCONT)
reaped, status = os.waitpid(pid, os.WCONTINUED)
print("continued", reaped == pid, hex(status), os.WIFCONTINUED(status))
print("once only", os.waitpid(pid, os.WCONTINUED | os.WNOHANG))
os.kill(pid, signal.SIGSTOP)
found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
print("waitid", found.si_code == os.CLD_STOPPED, found.si_status == signal.SIGSTOP)
os.kill(pid, signal.SIGKILL)
reaped, status = os.waitpid(pid, 0)
print("killed while stopped", reaped == pid, status)
