"""What pthread_sigmask, sigwait and sigtimedwait make of sets: bad numbers, doubles, none, all."""

import os
import signal


def attempt(call, what):
    try:
        if call == "mask":
            signal.pthread_sigmask(signal.SIG_BLOCK, what)
            result = len(signal.pthread_sigmask(signal.SIG_SETMASK, []))
        elif call == "how":
            result = signal.pthread_sigmask(what, [])
        elif call == "sigtimedwait":
            result = signal.sigtimedwait(what, 0)
        else:
            result = signal.sigtimedwait([signal.SIGUSR1], what)
        print(call, result)
    except (OSError, ValueError, TypeError) as error:
        print(call, error)


for what in ([], [1], [1, 1, 2], (64,), [0], [-1], [65], [9, 19], [1, 100], {5, 6}):
    attempt("mask", what)
    attempt("sigtimedwait", what)
attempt("mask", signal.valid_signals())
for how in (-1, 0, 1, 2, 3, 100):
    attempt("how", how)
for timeout in (0, 0.0, 0.001, -1, -0.5):
    attempt("timeout", timeout)
os.kill(os.getpid(), 0)
