"""After an exec that failed everything is as before: handlers, mask, descriptors, threads, ids."""

import os
import signal
import threading

seen = []
gate = os.pipe()
answers = []


def note(number, frame):
    seen.append(int(number))


def wait_for_byte():
    answers.append(os.read(gate[0], 1))


thread = threading.Thread(target=wait_for_byte)
thread.start()
signal.signal(signal.SIGUSR1, note)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
fd = os.open(__file__, os.O_RDONLY)
os.read(fd, 3)
before = (os.getpid(), os.getpgrp(), os.getcwd(), os.getpriority(os.PRIO_PROCESS, 0))
for path in ("/no/such", "/tmp", "/dev/null", "", "/bin/true/x", "x" * 5000):
    for argument in ("", "a" * 200000):
        try:
            os.execv(path, ["x", argument])
        except OSError as error:
            print(error.errno)
try:
    os.execv("/bin/true", ["x", "a" * 200000])
except OSError as error:
    print(error.errno)
after = (os.getpid(), os.getpgrp(), os.getcwd(), os.getpriority(os.PRIO_PROCESS, 0))
print(before == after, os.lseek(fd, 0, os.SEEK_CUR), thread.is_alive())
os.kill(os.getpid(), signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGUSR2)
print(seen, signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN)
print([int(n) for n in sorted(signal.sigpending())])
os.write(gate[1], b"y")
thread.join()
print(answers)
