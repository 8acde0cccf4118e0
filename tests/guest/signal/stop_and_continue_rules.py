"""Stop and continue signals act when they are sent, whatever the target does with them."""

import os
import signal
import time

seen = []


def note(number, frame):
    seen.append(int(number))


def pending():
    return [int(number) for number in sorted(signal.sigpending())]


me = os.getpid()
STOPS = [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU]
signal.pthread_sigmask(signal.SIG_BLOCK, STOPS + [signal.SIGCONT])
signal.signal(signal.SIGCONT, note)
for number in STOPS:
    os.kill(me, number)
print("stops", pending())
os.kill(me, signal.SIGCONT)
print("continue removes them", pending())
os.kill(me, signal.SIGTSTP)
print("and a stop removes it", pending())
os.kill(me, signal.SIGCONT)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
print(seen, pending())


def stopped_child(prepare):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        os.setpgid(0, 0)  # its parent is outside: the group is not orphaned, so SIGTSTP stops it
        if prepare == "blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT])
        elif prepare == "ignored":
            signal.signal(signal.SIGCONT, signal.SIG_IGN)
        elif prepare == "stop caught":
            signal.signal(signal.SIGTSTP, note)
        elif prepare == "stop ignored":
            signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.write(write_end, b"x")
        time.sleep(0.3)
        os._exit(len(seen))
    os.close(write_end)
    os.read(read_end, 1)
    os.close(read_end)
    time.sleep(0.05)
    return pid


for prepare in ("plain", "blocked", "ignored"):
    pid = stopped_child(prepare)
    os.kill(pid, signal.SIGTSTP)
    print(prepare, os.waitpid(pid, os.WUNTRACED)[1])
    os.kill(pid, signal.SIGCONT)
    print(os.waitpid(pid, os.WCONTINUED)[1])
    print(os.waitpid(pid, 0)[1])
for prepare in ("stop caught", "stop ignored"):
    pid = stopped_child(prepare)
    os.kill(pid, signal.SIGTSTP)
    print(prepare, os.waitpid(pid, os.WUNTRACED)[1])

print("others wait while it is stopped, but not SIGKILL")
pid = stopped_child("plain")
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
os.kill(pid, signal.SIGTERM)
time.sleep(0.05)
print(os.waitpid(pid, os.WNOHANG | os.WUNTRACED))
os.kill(pid, signal.SIGCONT)
print(os.waitpid(pid, 0)[1])
pid = stopped_child("plain")
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
os.kill(pid, signal.SIGKILL)
print(os.waitpid(pid, 0)[1])
