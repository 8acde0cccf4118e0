"""posix_spawn fails with the error of the step that failed: file action, group or exec."""

import os


def attempt(name, path, actions=(), group=None):
    try:
        if group is None:
            pid = os.posix_spawn(path, ["x"], {}, file_actions=actions)
        else:
            pid = os.posix_spawn(path, ["x"], {}, file_actions=actions, setpgroup=group)
        print(name, os.waitpid(pid, 0)[1])
    except OSError as error:
        print(name, error.errno, error.filename)


attempt("fine", "/bin/true")
attempt("no file", "/no/such")
attempt("no x bit", __file__ if not os.access(__file__, os.X_OK) else "/etc/hostname")
attempt("a folder", "/tmp")
attempt("bad dup2", "/bin/true", [(os.POSIX_SPAWN_DUP2, 999, 1)])
attempt("bad dup2 and no file", "/no/such", [(os.POSIX_SPAWN_DUP2, 999, 1)])
attempt("close of nothing", "/bin/true", [(os.POSIX_SPAWN_CLOSE, 999)])
attempt("open of nothing", "/bin/true", [(os.POSIX_SPAWN_OPEN, 5, "/no", os.O_RDONLY, 0)])
attempt("its own group", "/bin/true", (), 0)
attempt("no such group", "/bin/true", (), 999999)
attempt("no such group and no file", "/no/such", (), 999999)
attempt("no such group and bad dup2", "/bin/true", [(os.POSIX_SPAWN_DUP2, 999, 1)], 999999)
try:
    os.wait()
except ChildProcessError as error:
    print(error)
