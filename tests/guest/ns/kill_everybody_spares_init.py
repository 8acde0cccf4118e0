"""kill(-1) in a pid namespace reaches all there but init and the caller, and nobody outside."""

import os
import signal

from workloads import guest


def main():
    pid = guest.clone(guest.CLONE_NEWPID | signal.SIGCHLD)
    if pid:
        guest.say(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
        return
    ready, done = os.pipe()
    victims = []
    for _ in range(3):
        victim = os.fork()
        if victim == 0:
            os.setsid()
            os.write(done, b"x")
            while True:
                signal.pause()
        victims.append(victim)
        os.read(ready, 1)
    killer = os.fork()
    if killer == 0:
        os.kill(-1, signal.SIGKILL)
        os._exit(8)
    guest.say(f"killer {os.waitpid(killer, 0)[1] >> 8}")
    for victim in victims:
        guest.say(f"victim {os.WTERMSIG(os.waitpid(victim, 0)[1])}")
    try:
        os.kill(-1, 0)
    except ProcessLookupError:
        guest.say("init alone: nobody there")
    os._exit(2)


main()
