"""A signal of a timer comes while its process changes its mask."""

import signal

signal.signal(signal.SIGALRM, lambda number, frame: None)
signal.alarm(1)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
signal.pause()
print("came")
