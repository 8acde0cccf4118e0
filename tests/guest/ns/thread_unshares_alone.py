"""unshare is about one thread: its namespaces are new, those of the others stay."""

import os
import threading

from workloads import guest

seen = []


def hostname():
    fd = os.open("/proc/sys/kernel/hostname", os.O_RDONLY)
    text = os.read(fd, 100)
    os.close(fd)
    return text


def work(before):
    guest.unshare(guest.CLONE_NEWUTS | guest.CLONE_FS)
    fd = os.open("/proc/sys/kernel/hostname", os.O_WRONLY)
    os.write(fd, b"of-the-thread")
    os.close(fd)
    os.chdir("/tmp")
    own = os.stat("/proc/thread-self/ns/uts").st_ino
    process = os.stat("/proc/self/ns/uts").st_ino
    seen.append((hostname(), own != before, process == before, os.getcwd()))
    child = os.fork()
    if child == 0:
        guest.say(f"its child {hostname()}")
        os._exit(0)
    os.waitpid(child, 0)


def main():
    os.chdir("/")
    name = hostname()
    before = os.stat("/proc/self/ns/uts").st_ino
    thread = threading.Thread(target=work, args=(before,))
    thread.start()
    thread.join()
    guest.say(f"{seen}")
    guest.say(f"main thread {hostname() == name} {os.getcwd()}")


main()
