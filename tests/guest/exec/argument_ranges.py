"""Arguments that fit no C type, and vectors that exec does not take: CPython's own errors."""

import os

BIG = 1 << 31
HUGE = 1 << 80
for value in (BIG - 1, BIG, -BIG, -BIG - 1, HUGE, (1 << 32) + 1, True):
    for call in range(12):
        try:
            if call == 0:
                os.waitpid(value, os.WNOHANG)
            elif call == 1:
                os.waitpid(-1, value)
            elif call == 2:
                os.getpgid(value)
            elif call == 3:
                os.kill(99999, value)
            elif call == 4:
                os.setpgid(value, 0)
            elif call == 5:
                os.waitid(os.P_PID, value, os.WEXITED)
            elif call == 6:
                os.close(value + 77)
            elif call == 7:
                os.nice(value)
            elif call == 8:
                os.setuid(value << 40)
            elif call == 9:
                os.getpriority(value, 0)
            elif call == 10:
                os.WEXITSTATUS(value)
            else:
                os.lseek(0, value, 7)
            print(call, "done")
        except OSError as error:
            print(call, error.errno)
        except OverflowError:
            print(call, "overflow")
    os.setpriority(os.PRIO_PROCESS, 0, 0)
for vector in ([], [""], "x", ["x", 1], ["a\0b"], ()):
    for call in range(3):
        try:
            if call == 0:
                os.execv("/no/such", vector)
            elif call == 1:
                os.execve("/no/such", vector, {})
            else:
                os.posix_spawn("/no/such", vector, {})
        except OSError as error:
            print(call, error.errno)
        except (TypeError, ValueError) as error:
            print(call, error)
for env in ({"": "x"}, {"A=B": "x"}, {"A": "=x"}, {"=A": "x"}, {"A": 1}):
    try:
        os.execve("/no/such", ["x"], env)
    except OSError as error:
        print(error.errno)
    except (TypeError, ValueError) as error:
        print(error)
