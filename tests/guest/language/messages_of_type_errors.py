"""The words of TypeError and ValueError that wrong arguments of calls get."""

import os
import signal
import time


def attempt(number):
    if number == 0:
        os.kill("1", 2)
    elif number == 1:
        os.kill(1.5, 2)
    elif number == 2:
        os.waitpid(None, 0)
    elif number == 3:
        os.read(0, -1)
    elif number == 4:
        os.write(1, "text")
    elif number == 5:
        os.open(5.0, os.O_RDONLY)
    elif number == 6:
        os.open(None, os.O_RDONLY)
    elif number == 7:
        time.sleep("x")
    elif number == 8:
        time.sleep(-1)
    elif number == 9:
        signal.signal(0, signal.SIG_DFL)
    elif number == 10:
        signal.signal(signal.SIGUSR1, 7)
    elif number == 11:
        signal.alarm("1")
    elif number == 12:
        os.chdir(1.5)
    elif number == 17:
        os.unlink(7)
    elif number == 13:
        signal.sigwait(5)
    elif number == 14:
        signal.pthread_sigmask(0, 5)
    elif number == 15:
        os.execv("/bin/true", "x")
    elif number == 16:
        os.execv("/bin/true", [])
    elif number == 18:
        os.dup2("a", 3)
    elif number == 19:
        os.nice("x")
    elif number == 20:
        os.umask(None)
    elif number == 21:
        os.mkdir(None)
    elif number == 32:
        os.execvp(3, ["x"])
    elif number == 33:
        os.rename(1, "x")
    elif number == 34:
        os.rename("x", 1)
    elif number == 35:
        os.posix_spawn(1, ["x"], {})
    elif number == 23:
        os.setpgid(1 << 40, 0)
    elif number == 24:
        os.getpgid(1.0)
    elif number == 25:
        os.WEXITSTATUS("x")
    elif number == 26:
        os.waitstatus_to_exitcode(0x137F)
    elif number == 27:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[()])
    elif number == 28:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[(9, 1)])
    elif number == 29:
        signal.raise_signal(65)
    elif number == 30:
        os.chdir(b"/tmp\0x")
    elif number == 31:
        os.kill(os.getpid(), None)
    elif number == 36:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[(os.POSIX_SPAWN_CLOSE,)])
    elif number == 37:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, 1)])
    elif number == 38:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "x", 0)])
    elif number == 39:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[("x", 1)])
    elif number == 40:
        os.posix_spawn("/bin/true", ["x"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, 1, "x")])


for number in range(41):
    try:
        attempt(number)
        print(number, "fine")
    except (TypeError, ValueError, OSError, OverflowError) as error:
        print(number, repr(error))
