"""New files get the effective ids, which also open files; access() asks for the real ones."""

import os
import time

base = f"/tmp/cred{time.time_ns()}"


def attempt(name, path, flags):
    try:
        os.close(os.open(path, flags, 0o640))
        print(name, "ok")
    except OSError as error:
        print(name, error.errno)


os.umask(0o022)
pid = os.fork()
if pid == 0:
    os.setresgid(41, 42, 42)
    os.setresuid(51, 52, 52)
    attempt("create", base, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    found = os.stat(base)
    print(found.st_uid, found.st_gid, found.st_mode & 0o777 == 0o640)
    print("access", os.access(base, os.R_OK), os.access(base, os.F_OK))
    os.seteuid(51)
    attempt("another user, the same group", base, os.O_RDONLY)
    attempt("writing", base, os.O_WRONLY)
    os.setegid(41)
    attempt("another group", base, os.O_RDONLY)
    try:
        os.chmod(base, 0o777)
    except OSError as error:
        print("chmod", error.errno)
    try:
        os.unlink(base)
    except OSError as error:
        print("unlink in a sticky directory", error.errno)
    os.seteuid(52)
    os.chmod(base, 0o000)
    attempt("its owner, no bits", base, os.O_RDONLY)
    os.unlink(base)
    os._exit(0)
print(os.waitpid(pid, 0)[1])
