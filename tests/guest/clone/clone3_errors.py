"""clone3 refuses unknown flags, signals among the flags, bad exit signals and flags that clash."""

import errno

from workloads import guest

CASES = [
    ("unknown flag", 1 << 34 << 20, 17),
    ("CLONE_DETACHED", guest.CLONE_DETACHED, 17),
    ("signal among the flags", 17, 17),
    ("signal among the flags, no exit signal", 17, 0),
    ("exit signal 65", 0, 65),
    ("exit signal 255", 0, 255),
    ("exit signal 256", 0, 256),
    ("exit signal -1", 0, -1),
    ("SIGHAND without VM", guest.CLONE_SIGHAND, 17),
    ("THREAD without SIGHAND", guest.CLONE_THREAD, 0),
    ("THREAD with an exit signal", guest.CLONE_THREAD, 17),
    ("PARENT with an exit signal", guest.CLONE_PARENT, 17),
    ("SIGHAND and CLEAR_SIGHAND", guest.CLONE_SIGHAND | guest.CLONE_CLEAR_SIGHAND, 17),
    ("NEWNS and FS", guest.CLONE_NEWNS | guest.CLONE_FS, 17),
    ("NEWUSER and FS", guest.CLONE_NEWUSER | guest.CLONE_FS, 17),
    ("NEWIPC and SYSVSEM", guest.CLONE_NEWIPC | guest.CLONE_SYSVSEM, 17),
    ("INTO_CGROUP without a cgroup", guest.CLONE_INTO_CGROUP, 17),
    ("PIDFD without a place", guest.CLONE_PIDFD, 17),
]


def main():
    for name, flags, exit_signal in CASES:
        try:
            pid = guest.clone3(flags, exit_signal=exit_signal)
        except OSError as error:
            guest.say(f"{name}: {error.errno == errno.EINVAL} {error.strerror}")
        else:
            if pid == 0:
                raise SystemExit(1)
            guest.say(f"{name}: made")


main()
