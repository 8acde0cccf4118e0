"""setuid, setreuid, setresuid and their group kin: which ids may become which."""

import os


def ids():
    return os.getresuid(), os.getresgid()


def attempt(name, call, args):
    try:
        if call == "setuid":
            os.setuid(args[0])
        elif call == "seteuid":
            os.seteuid(args[0])
        elif call == "setreuid":
            os.setreuid(args[0], args[1])
        elif call == "setresuid":
            os.setresuid(args[0], args[1], args[2])
        elif call == "setgid":
            os.setgid(args[0])
        elif call == "setegid":
            os.setegid(args[0])
        elif call == "setregid":
            os.setregid(args[0], args[1])
        else:
            os.setresgid(args[0], args[1], args[2])
        print(name, call, args, ids())
    except OSError as error:
        print(name, call, args, "errno", error.errno)


CALLS = (
    ("setuid", (1,)), ("setuid", (4,)), ("setuid", (0,)), ("setuid", (-1,)),
    ("seteuid", (1,)), ("seteuid", (3,)), ("seteuid", (4,)), ("seteuid", (-1,)),
    ("setreuid", (2, -1)), ("setreuid", (-1, 3)), ("setreuid", (3, -1)), ("setreuid", (1, 2)),
    ("setreuid", (2, 1)), ("setreuid", (-1, -1)), ("setreuid", (-1, 1)), ("setreuid", (4, 4)),
    ("setresuid", (2, 3, 1)), ("setresuid", (3, 3, 3)), ("setresuid", (-1, 4, -1)),
    ("setgid", (1,)), ("setgid", (4,)), ("setgid", (-1,)), ("setegid", (2,)), ("setegid", (4,)),
    ("setregid", (2, -1)), ("setregid", (-1, 3)), ("setregid", (3, -1)), ("setregid", (2, 1)),
    ("setresgid", (2, 3, 1)), ("setresgid", (4, -1, -1)), ("setresgid", (3, 3, 3)),
)  # fmt: skip
for call, args in CALLS:
    for name in ("user", "root", "effective user"):
        pid = os.fork()
        if pid == 0:
            if name == "user":
                os.setresgid(1, 2, 3)
                os.setresuid(1, 2, 3)
            elif name == "effective user":
                os.setresgid(1, 2, 3)
                os.setresuid(0, 2, 3)
            attempt(name, call, args)
            os._exit(0)
        os.waitpid(pid, 0)
