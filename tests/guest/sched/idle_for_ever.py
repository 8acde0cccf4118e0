"""Without RLIMIT_NICE a user can raise the nice value and enter SCHED_IDLE, but not go back."""

import os


def attempt(name, nice):
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        print(name, "ok")
    except OSError as error:
        print(name, error.errno)


pid = os.fork()
if pid == 0:
    os.nice(10)
    os.setresuid(62030, 62030, 62030)
    attempt("lower without a limit", 9)
    attempt("higher", 12)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    for policy in (os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE):
        try:
            os.sched_setscheduler(0, policy, os.sched_param(0))
            print(policy, "ok")
        except OSError as error:
            print(policy, error.errno)
    os._exit(0)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    print("root may", os.sched_getscheduler(0))
    os._exit(0)
os.waitpid(pid, 0)
