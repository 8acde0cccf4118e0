"""Event masks of poll and the file kinds' answers. Source: include/uapi/asm-generic/poll.h."""

from typing import Final

POLLIN: Final = 0x001
POLLPRI: Final = 0x002
POLLOUT: Final = 0x004
POLLERR: Final = 0x008
POLLHUP: Final = 0x010
POLLNVAL: Final = 0x020
POLLRDNORM: Final = 0x040
POLLRDBAND: Final = 0x080
POLLWRNORM: Final = 0x100
POLLWRBAND: Final = 0x200
POLLMSG: Final = 0x400
POLLRDHUP: Final = 0x2000

DEFAULT_POLLMASK: Final = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM
"""Of files that never make anybody wait. Source: include/linux/poll.h."""

FD_SETSIZE: Final = 1024
