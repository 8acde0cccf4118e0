"""Numbers of fcntl, select, socket and eventfd, as CPython exports them."""

from typing import Final

from kernel.uapi import eventfd, fcntl, poll, socket

EVENTFD: Final[dict[str, int]] = {
    name: getattr(eventfd, name) for name in ("EFD_CLOEXEC", "EFD_NONBLOCK", "EFD_SEMAPHORE")
}

FCNTL: Final[dict[str, int]] = {
    name: getattr(fcntl, name)
    for name in (
        "F_DUPFD",
        "F_DUPFD_CLOEXEC",
        "F_GETFD",
        "F_SETFD",
        "F_GETFL",
        "F_SETFL",
        "F_GETPIPE_SZ",
        "F_SETPIPE_SZ",
        "FD_CLOEXEC",
    )
}

SELECT: Final[dict[str, int]] = {
    "PIPE_BUF": fcntl.PIPE_BUF,
    **{
        name: getattr(poll, name)
        for name in (
            "POLLIN",
            "POLLPRI",
            "POLLOUT",
            "POLLERR",
            "POLLHUP",
            "POLLNVAL",
            "POLLRDNORM",
            "POLLRDBAND",
            "POLLWRNORM",
            "POLLWRBAND",
            "POLLMSG",
            "POLLRDHUP",
        )
    },
}

SOCKET: Final[dict[str, int]] = {
    name: getattr(socket, name)
    for name in (
        "AF_UNIX",
        "SOCK_STREAM",
        "SOCK_DGRAM",
        "SOCK_CLOEXEC",
        "SOCK_NONBLOCK",
        "MSG_PEEK",
        "MSG_DONTWAIT",
        "MSG_WAITALL",
        "MSG_NOSIGNAL",
        "SHUT_RD",
        "SHUT_WR",
        "SHUT_RDWR",
    )
}
