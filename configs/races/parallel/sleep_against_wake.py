"""A reader sets its state and looks once more, while a writer stores and looks who sleeps.

Whether the reader has to sleep depends on who is first; it must never sleep on.
"""

import os
import resource

read_end, write_end = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(write_end, b"x")
    os._exit(0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
os.read(read_end, 1)
slept = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw > before
os.waitpid(pid, 0)
print("the reader", "slept" if slept else "did not have to sleep")
