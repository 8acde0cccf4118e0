"""PIDFD_THREAD: a pidfd that stands for one thread, its end and the signals it gets."""

import fcntl
import os
import select
import signal
import threading

PIDFD_THREAD = os.O_EXCL
ids = []
ready = threading.Event()
go = threading.Event()


def tell(what, error):
    print(what, error.errno)


def work():
    ids.append(threading.get_native_id())
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    ready.set()
    go.wait()
    print("private", sorted([int(number) for number in signal.sigpending()]))
    info = signal.sigwaitinfo([signal.SIGUSR1])
    print(info.si_signo, info.si_code, info.si_pid == os.getpid())
    info = signal.sigwaitinfo([signal.SIGUSR2])
    print(info.si_signo, info.si_code)


def send(fd, number, flags):
    try:
        print("sent", number, flags, signal.pidfd_send_signal(fd, number, None, flags))
    except OSError as error:
        tell("sent", error)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    own = os.pidfd_open(os.getpid())
    fd = os.pidfd_open(ids[0], PIDFD_THREAD)
    print(oct(os.fstat(fd).st_mode), os.fstat(fd).st_ino == os.fstat(own).st_ino)
    print(os.fstat(fd).st_ino == os.fstat(os.pidfd_open(ids[0], PIDFD_THREAD)).st_ino)
    print("flags", fcntl.fcntl(fd, fcntl.F_GETFL))
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    print(poll.poll(0))
    try:
        os.waitid(os.P_PIDFD, fd, os.WEXITED)
    except OSError as error:
        tell("waitid", error)
    send(fd, 0, 0)
    send(fd, 0, 4)
    send(fd, signal.SIGUSR1, 0)
    send(fd, signal.SIGUSR2, 2)
    print("main", sorted([int(number) for number in signal.sigpending()]))
    go.set()
    thread.join()
    events = poll.poll()
    print(len(events), events[0][1] & select.POLLIN)
    leader = os.pidfd_open(os.getpid(), PIDFD_THREAD)
    send(leader, signal.SIGUSR1, 0)
    print("leader", sorted([int(number) for number in signal.sigpending()]))


if __name__ == "__main__":
    main()
