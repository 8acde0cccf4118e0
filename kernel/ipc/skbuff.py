"""Socket buffers: how much of a sender's buffer space one piece of data takes.

A sender may begin a piece as long as ``wmem_alloc`` is below ``sk_sndbuf``; each piece is charged
with what it really takes up (``truesize``): a head that comes from a slab of a power of two, the
two structures that describe it, and whole pages for the rest. So 278 single bytes fill a buffer of
212992 bytes as well as six pieces of 36 KiB do. The charge is given back with the last byte read.

Source: net/core/skbuff.c (alloc_skb_with_frags), net/core/sock.c (sock_alloc_send_pskb),
include/linux/skbuff.h (SKB_TRUESIZE, SKB_MAX_ALLOC), net/unix/af_unix.c.
Deviation: the memory is charged to the socket only: it takes no page frames.
"""

from typing import TYPE_CHECKING, Final

from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.ipc.unix import UnixSock

WMEM_DEFAULT: Final = 212992  # net.core.wmem_default
_SKBUFF: Final = 256  # sizeof(struct sk_buff), aligned to a cache line
_SHARED_INFO: Final = 320  # sizeof(struct skb_shared_info), likewise
_CACHE_LINE: Final = 64
_MAX_HEAD: Final = PAGE_SIZE - _SHARED_INFO  # SKB_MAX_HEAD(0)
_MAX_ALLOC: Final = 4 * PAGE_SIZE - _SHARED_INFO  # SKB_MAX_ALLOC
_FRAGS_SZ: Final = 32768  # UNIX_SKB_FRAGS_SZ
_MAX_FRAGS: Final = 17  # MAX_SKB_FRAGS

STREAM_CHUNK: Final = _MAX_HEAD + _FRAGS_SZ
"""The most a stream puts into one piece."""


class SkBuff:
    """One piece of data on its way (``sk_buff``): ``data[offset:]`` is still to be read.

    ``sk``: whose buffer space it takes, ``truesize`` of it.
    """

    __slots__ = ("data", "offset", "sk", "truesize")

    def __init__(self, sk: "UnixSock", data: bytes, truesize: int) -> None:
        self.sk = sk
        self.data = data
        self.offset = 0
        self.truesize = truesize


def _aligned(size: int, unit: int) -> int:
    return -(-size // unit) * unit


def _truesize(head: int, pages_len: int) -> int:
    """Return what a piece with ``head`` bytes in its head and the rest in pages takes up."""
    slab = 1 << (_aligned(head, _CACHE_LINE) + _SHARED_INFO - 1).bit_length()
    return slab + _SKBUFF + _aligned(pages_len, PAGE_SIZE)


def stream_truesize(size: int) -> int:
    """Return the charge for one piece of a stream.

    Source: net/unix/af_unix.c:unix_stream_sendmsg().
    """
    in_pages = min(size, _aligned(max(0, size - _MAX_HEAD), PAGE_SIZE))
    return _truesize(size - in_pages, in_pages)


def dgram_truesize(size: int) -> int:
    """Return the charge for a datagram. Source: net/unix/af_unix.c:unix_dgram_sendmsg()."""
    in_pages = 0
    if size > _MAX_ALLOC:
        in_pages = _aligned(min(size - _MAX_ALLOC, _MAX_FRAGS * PAGE_SIZE), PAGE_SIZE)
    return _truesize(size - in_pages, in_pages)
