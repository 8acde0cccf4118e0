"""Mappings and attached segments: making them, their bytes, touching and locking."""

from typing import Any

from kernel.uapi import syscalls as nr
from workloads.language import library
from workloads.language.bounded import tname
from workloads.language.conversions import as_data
from workloads.language.errors import FatalRunError
from workloads.language.frames import CALL, VALUE
from workloads.language.values import (
    CALLABLE,
    MAPPINGS,
    FileHandle,
    LockHandle,
    MmapHandle,
    ShmHandle,
    SyncHandle,
    ThreadHandle,
)

Values = list[Any]


def mmap_new(G: Values, fileno: int, length: int, flags: int) -> Any:
    """Begin ``mmap.mmap(-1, length, flags)``."""
    if fileno != -1:
        raise FatalRunError("only anonymous mappings are in the guest language: mmap.mmap(-1, n)")
    if length < 0:
        raise OverflowError("memory mapped length must be positive")
    if length == 0:
        raise OSError(22, "Invalid argument")
    return (CALL, library.MMAP, [length, flags | 0x20])


def _span(m: MmapHandle | ShmHandle, key: Any) -> tuple[int, int]:
    """Return (offset, length) of an index or a slice of a mapping."""
    if m.address == 0:
        raise ValueError("mmap closed or invalid")
    if type(key) is slice:
        start, stop, step = key.indices(m.length)
        if step != 1:
            raise FatalRunError("a slice of a mapping has step 1 in the guest language")
        return start, max(stop - start, 0)
    if not isinstance(key, int):
        raise TypeError("mmap indices must be integers")
    index = key + m.length if key < 0 else key
    if not 0 <= index < m.length:
        raise IndexError("mmap index out of range")
    return index, 1


def mapping_load(bounded: Any, target: Any, key: Any) -> Any:
    """Begin ``target[key]`` where target may be a mapping."""
    if type(target) not in MAPPINGS:
        return (VALUE, target[key])
    offset, length = _span(target, key)
    if type(key) is slice:
        if length == 0:
            return (VALUE, b"")
        bounded.charge(length, "a slice of a mapping")
        return (nr.NR_LOAD, target.address, offset, length)
    return (CALL, library.LOAD_BYTE, [target.address, offset])


def mapping_store(bounded: Any, target: Any, key: Any, value: Any) -> Any:
    """Begin ``target[key] = value`` where target may be a mapping."""
    if type(target) not in MAPPINGS:
        if type(key) is slice:
            bounded.set_slice(target, key.start, key.stop, key.step, value)
        else:
            target[key] = value
        return (VALUE, None)
    offset, length = _span(target, key)
    if type(key) is slice:
        data = as_data(value)
        if len(data) != length:
            raise IndexError("mmap slice assignment is wrong size")
        if not data:
            return (VALUE, None)
        return (nr.NR_STORE, target.address, offset, data)
    if not isinstance(value, int):
        raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    if not 0 <= value <= 255:
        raise ValueError("mmap item value must be in range(0, 256)")
    return (nr.NR_STORE, target.address, offset, bytes((value,)))


def length(value: Any) -> int:
    """Return ``len(value)``."""
    if type(value) in MAPPINGS:
        _span(value, slice(0, 0))
        return int(value.length)
    if isinstance(value, (*CALLABLE, FileHandle, LockHandle, SyncHandle, ThreadHandle)):
        raise TypeError(f"object of type '{tname(value)}' has no len()")
    return len(value)


def mmap_method(m: MmapHandle, name: str, args: dict[str, Any]) -> Any:
    """Begin the method ``name`` of a mapping with its arguments by name."""
    address = m.address
    if name == "close":
        m.address = 0
        return (nr.NR_MUNMAP, address, m.length) if address else (VALUE, None)
    _span(m, slice(0, 0))
    if "option" not in args:
        raise TypeError("madvise expected at least 1 argument, got 0")
    start, size = args.get("start", 0), args.get("length", m.length)
    for value in (args["option"], start, size):
        if not isinstance(value, int):
            raise TypeError(f"'{tname(value)}' object cannot be interpreted as an integer")
    if not 0 <= start < m.length:
        raise ValueError("madvise start out of bounds")
    if size < 0:
        raise ValueError("madvise length invalid")
    return (nr.NR_MADVISE, address + start, min(size, m.length - start), args["option"])


def _pages_of(name: str, m: Any, first_page: int, pages: int) -> None:
    """Refuse what is not a range of pages of a mapping."""
    if type(m) not in MAPPINGS:
        raise TypeError(f"{name}() needs a mapping, not {tname(m)}")
    _span(m, slice(0, 0))
    if first_page < 0 or pages < 0 or (first_page + pages) * 4096 > -(-m.length // 4096) * 4096:
        raise IndexError("mmap index out of range")


def guest_mlock(G: Values, m: Any, first_page: int, pages: int) -> Any:
    """Begin ``guest.mlock``."""
    _pages_of("mlock", m, first_page, pages)
    return (nr.NR_MLOCK, m.address + first_page * 4096, pages * 4096)


def guest_munlock(G: Values, m: Any, first_page: int, pages: int) -> Any:
    """Begin ``guest.munlock``."""
    _pages_of("munlock", m, first_page, pages)
    return (nr.NR_MUNLOCK, m.address + first_page * 4096, pages * 4096)


def guest_touch(G: Values, m: Any, first_page: int, pages: int, write: Any) -> Any:
    """Begin ``guest.touch``: one access to each page."""
    _pages_of("touch", m, first_page, pages)
    return (nr.NR_TOUCH, m.address, first_page, pages, bool(write))


def guest_addressof(G: Values, m: Any) -> int:
    """Return ``guest.addressof(m)``."""
    if type(m) is not MmapHandle:
        raise TypeError(f"addressof() needs a mapping, not {tname(m)}")
    _span(m, slice(0, 0))
    return m.address
