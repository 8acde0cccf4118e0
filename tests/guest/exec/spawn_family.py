"""os.spawn*: wait or not, search or not, an environment of one's own, what cannot be run."""

import os
import signal
import sys

print(os.P_WAIT, os.P_NOWAIT, os.P_NOWAITO, flush=True)
print(os.spawnv(os.P_WAIT, "/bin/true", ["true"]))
print(os.spawnl(os.P_WAIT, "/bin/false", "false"))
print(os.spawnlp(os.P_WAIT, "sh", "sh", "-c", "exit 7"))
print(os.spawnvp(os.P_WAIT, "sh", ("sh", "-c", "kill -9 $$")))
print(os.spawnv(os.P_WAIT, "/no/such", ["such"]))
print(os.spawnvp(os.P_WAIT, "no-such-command", ["such"]))
print("the child does not write this twice", end=" ")
print(os.spawnle(os.P_WAIT, "/bin/sh", "sh", "-c", 'test "$ONE" = two', {"ONE": "two"}))
print(os.spawnlpe(os.P_WAIT, "sh", "sh", "-c", "exit 3", {"PATH": "/bin"}))
print(os.spawnvpe(os.P_WAIT, "sh", ["sh", "-c", "exit 4"], {"PATH": "/nowhere"}))
print(os.spawnve(os.P_WAIT, "/bin/sh", ["sh", "-c", "exit 5"], {}))
pid = os.spawnlp(os.P_NOWAIT, "sh", "sh", "-c", "exit 6")
print(os.waitpid(pid, 0) == (pid, 6 << 8))
for args in ([], "true", [""], None):
    try:
        os.spawnv(os.P_WAIT, "/bin/true", args)
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
print(os.spawnv(os.P_WAIT, "/bin/true", ["a", 1]))
print(os.spawnv(os.P_WAIT, "/bin/\0true", ["a"]))
seen = []
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.05)
print(os.spawnlp(os.P_WAIT, "sleep", "sleep", "0.2"), seen)
signal.signal(signal.SIGALRM, lambda number, frame: 1 // 0)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    os.spawnlp(os.P_WAIT, "sleep", "sleep", "0.2")
except ZeroDivisionError as error:
    print(error, os.wait()[1])
run = os.spawnl
print(run(os.P_WAIT, "/bin/true", "true"))
sys.stdout.flush()
os.spawnl(os.P_WAIT, "/bin/true")
