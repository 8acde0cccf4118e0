"""posix_spawn reports a failed exec to its caller and makes an ordinary child otherwise."""

import os

for image in ("/bin/true", "/bin/false", "/nowhere/true", "/tmp"):
    try:
        pid = os.posix_spawn(image, [image], {})
    except OSError as error:
        print(image, "errno", error.errno)
        continue
    reaped, status = os.waitpid(pid, 0)
    print(image, reaped == pid, status)
try:
    os.wait()
except ChildProcessError:
    print("a failed spawn leaves no child")
