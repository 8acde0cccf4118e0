"""An init takes signals it has handlers for; a blocked one at its default is dropped later."""

import os
import signal

from workloads import guest

caught = []


def note(number, frame):
    caught.append(int(number))


def main():
    ready, done = os.pipe()
    gate, open_gate = os.pipe()
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid == 0:
        signal.signal(signal.SIGTERM, note)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
        child = os.fork()
        if child == 0:
            os.kill(1, signal.SIGTERM)
            os.kill(1, signal.SIGHUP)
            os._exit(0)
        os.waitpid(child, 0)
        guest.say(f"handled {caught} pending {signal.SIGHUP in signal.sigpending()}")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
        guest.say("a pending one at its default is dropped")
        os.write(done, b"x")
        os.read(gate, 1)
        guest.say(f"from outside {caught}")
        signal.alarm(1)
        signal.signal(signal.SIGALRM, note)
        signal.pause()
        guest.say(f"alarm {caught}")
        os._exit(2)
    os.read(ready, 1)
    os.kill(pid, signal.SIGTERM)
    os.write(open_gate, b"x")
    guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")


main()
