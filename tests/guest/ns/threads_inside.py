"""Threads in a pid namespace have its numbers: one pid, tids that follow each other, and join."""

import os
import signal
import threading

from workloads import guest

seen = []


def work(gate):
    gate.acquire()
    seen.append((os.getpid(), guest.gettid(), os.getppid()))


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid:
        guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
        return
    gates = [threading.Lock(), threading.Lock()]
    threads = []
    for gate in gates:
        gate.acquire()
        thread = threading.Thread(target=work, args=(gate,))
        thread.start()
        threads.append(thread)
    child = os.fork()
    if child == 0:
        os._exit(0)
    guest.say(f"a fork after two threads {child} {os.waitpid(child, 0)[0]}")
    for gate, thread in zip(gates, threads):
        gate.release()
        thread.join()
    guest.say(f"{seen}")
    guest.say(f"{os.getpid()} {guest.gettid()}")
    os._exit(3)


main()
