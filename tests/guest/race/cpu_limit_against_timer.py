"""A thread limits the CPU time of its process while another sets a timer on it."""

import resource
import signal
import threading

from workloads.guest import compute

caught = []


def note(number, frame):
    caught.append(number)


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))
    resource.setrlimit(resource.RLIMIT_CPU, (900, 1000))


signal.signal(signal.SIGPROF, note)
thread = threading.Thread(target=limit)
thread.start()
signal.setitimer(signal.ITIMER_PROF, 0.003)
while not caught:
    compute(1_000_000)
thread.join()
print(set(caught) == {signal.SIGPROF}, resource.getrlimit(resource.RLIMIT_CPU))
