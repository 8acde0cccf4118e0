"""getrandom(2): random bytes that are the same in every run with one seed.

Source: drivers/char/random.c.
Deviation: the bytes are a hash of the run's seed and of how many calls came before; the pool is
always ready, and flags change nothing.
"""

import hashlib
from typing import TYPE_CHECKING

from kernel.errors import KernelError
from kernel.uapi.errno_ import EINVAL

if TYPE_CHECKING:
    from kernel.kernel import Kernel

GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE = 1, 2, 4
_MOST = (1 << 25) - 1  # bytes of one call
_KNOWN = GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE


def sys_getrandom(k: "Kernel", length: int, flags: int = 0) -> bytes:
    """Return ``length`` random bytes, 32 MB - 1 at most.

    Raises:
        KernelError: EINVAL for unknown flags, or GRND_RANDOM with GRND_INSECURE.
    """
    if flags & ~_KNOWN or flags & (GRND_RANDOM | GRND_INSECURE) == GRND_RANDOM | GRND_INSECURE:
        raise KernelError(EINVAL)
    k.random_calls += 1
    state = f"{k.spec.seed}/{k.random_calls}".encode()
    return hashlib.shake_256(state).digest(min(length, _MOST))
