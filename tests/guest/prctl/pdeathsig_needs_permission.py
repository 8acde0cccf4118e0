"""The dying parent sends the signal itself: it must be one it may send to the child as it is."""

import os
import signal

from workloads.guest import PR_SET_PDEATHSIG, prctl

CASES = (
    ((0, 0, 0), (71, 71, 71)),
    ((72, 72, 72), (71, 71, 71)),
    ((71, 71, 71), (71, 71, 71)),
    ((71, 72, 72), (71, 73, 73)),
    ((72, 73, 73), (71, 71, 72)),
    ((72, 73, 73), (73, 71, 71)),
)


def case(parent_ids, child_ids, sig):
    news_r, news_w = os.pipe()
    parent = os.fork()
    if parent == 0:
        ready_r, ready_w = os.pipe()
        child = os.fork()
        if child == 0:
            mine = os.getppid()
            signal.pthread_sigmask(signal.SIG_BLOCK, {sig})
            os.setresuid(child_ids[0], child_ids[1], child_ids[2])
            prctl(PR_SET_PDEATHSIG, sig)
            os.write(ready_w, b"x")
            while os.getppid() == mine:
                os.sched_yield()
            os.setpgid(0, 0)  # waits for tasklist_lock: the parent is through with its children
            came = int(sig) in [int(number) for number in signal.sigpending()]
            os.write(news_w, b"came\n" if came else b"did not come\n")
            os._exit(0)
        os.read(ready_r, 1)
        os.setresuid(parent_ids[0], parent_ids[1], parent_ids[2])
        os._exit(0)
    os.waitpid(parent, 0)
    print(parent_ids, child_ids, int(sig), os.read(news_r, 100))
    os.close(news_r)
    os.close(news_w)


for parent_ids, child_ids in CASES:
    case(parent_ids, child_ids, signal.SIGUSR1)
    case(parent_ids, child_ids, signal.SIGCONT)
