"""Two processes of a user who may have one more fork at the same time: at most one of them may."""

import os
import resource

USER = 54321

stay, go = os.pipe()  # everybody stays until this is closed
done, tell = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(go)
    os.setuid(USER)
    resource.setrlimit(resource.RLIMIT_NPROC, (3, 3))
    os.fork()
    try:
        child = os.fork()
    except BlockingIOError:
        os.write(tell, b"-")
    else:
        if child == 0:
            os.write(tell, b"+")
    os.read(stay, 1)
    os._exit(0)
told = os.read(done, 1) + os.read(done, 1)
os.close(go)
os.waitpid(pid, 0)
print("not both", told.count(b"+") < 2)
