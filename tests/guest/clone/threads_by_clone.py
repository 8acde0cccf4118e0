"""clone_thread with pthread's flags makes a thread: same pid, tid of its own, shared variables."""

import os
import threading

from workloads import guest

FLAGS = (
    guest.CLONE_VM
    | guest.CLONE_FS
    | guest.CLONE_FILES
    | guest.CLONE_SIGHAND
    | guest.CLONE_THREAD
    | guest.CLONE_SYSVSEM
)
seen = []
done = threading.Lock()


def work(a, b):
    seen.append((os.getpid(), guest.gettid(), a + b))
    done.release()


def main():
    done.acquire()
    tid = guest.clone_thread(FLAGS, work, 3, 4)
    done.acquire()
    pid, own, total = seen[0]
    guest.say(f"{pid == os.getpid()} {own == tid} {tid != pid} {total}")
    try:
        os.waitpid(tid, 0)
    except ChildProcessError:
        guest.say("no child to wait for")


main()
