"""How the errors of calls look: text, class, arguments, number, file name."""

import os
import signal


def fail(number):
    if number == 0:
        os.wait()
    elif number == 1:
        os.kill(999999, 0)
    elif number == 2:
        os.setsid()
        os.setsid()
    elif number == 3:
        os.read(os.pipe2(os.O_NONBLOCK)[0], 1)
    elif number == 4:
        read_end, write_end = os.pipe()
        os.close(read_end)
        os.write(write_end, b"x")
    elif number == 5:
        os.open("/no/such/file", os.O_RDONLY)
    elif number == 6:
        os.chdir(__file__ + "/x")
    elif number == 7:
        os.mkdir("/tmp")
    elif number == 8:
        os.open("/tmp", os.O_WRONLY)
    elif number == 9:
        os.close(12345)
    elif number == 10:
        os.waitid(os.P_ALL, 0, 0)
    elif number == 11:
        os.setpgid(0, 999999)
    elif number == 12:
        os.execve("/tmp", ["x"], {})
    elif number == 13:
        os.posix_spawn("/no", ["x"], {})
    elif number == 14:
        os.stat("no such")
    elif number == 15:
        os.unlink("/tmp/")
    elif number == 16:
        os.getpgid(-1)
    elif number == 17:
        os.dup2(999, 5)
    elif number == 18:
        os.lseek(os.pipe()[0], 0, os.SEEK_SET)
    elif number == 19:
        signal.signal(signal.SIGKILL, signal.SIG_IGN)
    elif number == 20:
        os.chmod("/no/such", 0o600)
    elif number == 21:
        os.setpriority(7, 0, 0)
    elif number == 22:
        os.pidfd_open(-1)
    elif number == 23:
        os.killpg(999999, 0)
    elif number == 24:
        os.execvp("no-such-program", ["x"])
    elif number == 25:
        os.open("a\0b", os.O_RDONLY)
    elif number == 26:
        os.fstat(-5)


for number in range(27):
    try:
        fail(number)
    except OSError as error:
        kinds = [isinstance(error, ChildProcessError), isinstance(error, ProcessLookupError)]
        kinds += [isinstance(error, PermissionError), isinstance(error, BlockingIOError)]
        kinds += [isinstance(error, BrokenPipeError), isinstance(error, FileNotFoundError)]
        kinds += [isinstance(error, NotADirectoryError), isinstance(error, FileExistsError)]
        kinds += [isinstance(error, IsADirectoryError), isinstance(error, ValueError)]
        print(number, error, repr(error), error.args, error.errno, error.strerror)
        print(error.filename, error.filename2, kinds.index(True) if any(kinds) else None)
    except ValueError as error:
        print(number, repr(error), error.args)
