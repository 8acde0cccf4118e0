"""A file below /proc/sys: how it is opened, read and written, and how numbers in it are read.

A parameter is written at the beginning of its file; a number that is written further on is taken
and has no effect. What is left of a number is not read on: a second read() finds the end.

Source: fs/proc/proc_sysctl.c, kernel/sysctl.c (sysctl_writes_strict 1).
"""

from typing import TYPE_CHECKING, ClassVar, Final

from kernel.errors import KernelError
from kernel.fs.file_table import File
from kernel.fs.inode import FileOperations, Inode
from kernel.points import Path
from kernel.proc.inode import Entry, Node, Show, node_of, proc_create
from kernel.uapi.errno_ import EINVAL, EPERM
from kernel.uapi.fcntl import SEEK_CUR, SEEK_END, SEEK_SET
from kernel.uapi.mman import PAGE_SIZE

if TYPE_CHECKING:
    from kernel.kernel import Kernel

INT_MAX: Final = (1 << 31) - 1
UINT_MAX: Final = (1 << 32) - 1
_ISSPACE: Final = b" \t\n\v\f\r"
_SEPARATORS: Final = b" \t\n"
_LONGEST: Final = 21  # TMPBUFLEN - 1: so many characters are no number


class SysctlEntry(Entry):
    """A parameter. ``text``: it is a string, which is read on and written in the middle."""

    __slots__ = ("text",)

    def __init__(
        self, name: str, mode: int, show: Show, write: Show | None, text: bool = False
    ) -> None:
        super().__init__(name, mode, show=show, write=write)
        self.text = text


class SysctlNode(Node):
    """What an inode of a parameter stands for: root may do what the mode says, and no more."""

    __slots__ = ()

    strict: ClassVar[bool] = True


def register_sysctl(k: "Kernel", directory: Inode, entry: SysctlEntry) -> None:
    """Enter a parameter into a directory below /proc/sys.

    Source: fs/proc/proc_sysctl.c:proc_sys_make_inode().
    """
    inode = proc_create(k, directory, entry)
    inode.i_op = SysctlNode(entry, None)
    inode.i_fop = PROC_SYS_FILE_OPERATIONS


def _entry(file: File) -> SysctlEntry:
    entry = node_of(file.inode).entry
    if not isinstance(entry, SysctlEntry):
        raise AssertionError(f"{file.inode!r} is no parameter")
    return entry


def proc_sys_read(k: "Kernel", file: File, count: int) -> Path[bytes]:
    """Read up to ``count`` bytes. Source: fs/proc/proc_sysctl.c:proc_sys_read()."""
    entry = _entry(file)
    k.now_ns += k.costs.file_op
    data = b""
    if entry.text or file.pos == 0:
        shown: str = entry.show(k)  # type: ignore[misc]
        data = shown.encode("utf-8", "surrogateescape")[file.pos : file.pos + count]
    file.pos += len(data)
    k.now_ns += len(data) * k.costs.copy_byte_x1000 // 1000
    yield from ()
    return data


def proc_sys_write(k: "Kernel", file: File, data: bytes) -> Path[int]:
    """Write a parameter.

    Raises:
        KernelError: EPERM, the caller may not any more; what the parameter's function raises.

    Source: fs/proc/proc_sysctl.c:proc_sys_write(), kernel/sysctl.c:
        proc_first_pos_non_zero_ignore().
    """
    entry = _entry(file)
    k.now_ns += k.costs.file_op + len(data) * k.costs.copy_byte_x1000 // 1000
    cred = k.current.cred
    mode = entry.mode >> 6 if cred.euid == 0 else entry.mode >> 3 if cred.egid == 0 else entry.mode
    if not mode & 2 or entry.write is None:
        raise KernelError(EPERM)
    size = len(data)
    if data and entry.text:
        old = entry.show(k)[:-1].encode("utf-8", "surrogateescape")  # type: ignore[misc]
        if file.pos <= len(old):
            size = entry.write(k, old[: file.pos] + bytes(data)) - file.pos
    elif data and file.pos == 0:
        size = entry.write(k, bytes(data))
    file.pos += size
    yield from ()
    return size


def default_llseek(k: "Kernel", file: File, offset: int, whence: int) -> int:
    """Move the offset; such a file has the size 0.

    Raises:
        KernelError: EINVAL.

    Source: fs/read_write.c:default_llseek().
    """
    if whence == SEEK_CUR:
        offset += file.pos
    elif whence not in (SEEK_SET, SEEK_END):
        raise KernelError(EINVAL)
    if not 0 <= offset < 1 << 63:
        raise KernelError(EINVAL)
    file.pos = offset
    return offset


PROC_SYS_FILE_OPERATIONS: Final = FileOperations(
    read=proc_sys_read, write=proc_sys_write, llseek=default_llseek
)


# -- numbers -------------------------------------------------------------------------------------


def proc_get_long(data: bytes) -> tuple[int, int]:
    """Return the number at the beginning of ``data``, and how many bytes it and blanks take.

    It is decimal, 0x… or 0…, after blanks and perhaps a minus sign; what follows is a blank.

    Raises:
        KernelError: EINVAL.

    Source: kernel/sysctl.c:proc_get_long(), strtoul_lenient().
    """
    beyond = len(data) - len(data[: PAGE_SIZE - 1])  # is not looked at, and counts as taken
    data = data[: PAGE_SIZE - 1]
    rest = data.lstrip(_ISSPACE)
    start = len(data) - len(rest)
    sign = rest[:1] == b"-"
    end = int(sign)
    if rest[end : end + 2].lower() == b"0x" and _is_digit(rest[end + 2 : end + 3], 16):
        base, end = 16, end + 2
    else:
        base = 8 if rest[end : end + 1] == b"0" else 10
    first = end
    while _is_digit(rest[end : end + 1], base):
        end += 1
    after = rest[end : end + 1]
    if end == first or end >= _LONGEST or (after and after not in _SEPARATORS):
        raise KernelError(EINVAL)
    value = int(rest[first:end], base)
    tail = rest[end:]
    left = len(tail.lstrip(_ISSPACE))
    return -value if sign else value, start + len(rest) - left + beyond


def _is_digit(byte: bytes, base: int) -> bool:
    return bool(byte) and byte.lower() in b"0123456789abcdef"[:base]


def proc_dointvec_minmax(
    data: bytes, least: int = -INT_MAX - 1, most: int = INT_MAX
) -> tuple[int, int]:
    """Return the number written to an int parameter, and how many bytes of ``data`` that took.

    Raises:
        KernelError: EINVAL, no number or out of range.

    Source: kernel/sysctl.c:proc_dointvec_minmax().
    """
    value, taken = proc_get_long(data)
    if not max(least, -INT_MAX - 1) <= value <= min(most, INT_MAX):
        raise KernelError(EINVAL)
    return value, taken


def proc_douintvec_minmax(data: bytes, least: int = 0, most: int = UINT_MAX) -> int:
    """Return the number written to an unsigned parameter; all of ``data`` is taken.

    Raises:
        KernelError: EINVAL, no number or out of range.

    Source: kernel/sysctl.c:proc_douintvec_minmax().
    """
    value, _ = proc_get_long(data)
    if value < least or value > min(most, UINT_MAX) or data.lstrip(_ISSPACE)[:1] == b"-":
        raise KernelError(EINVAL)
    return value
