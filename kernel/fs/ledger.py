"""The ledger of open files: counts worked out again from the descriptor tables.

Reference counts of open file descriptions, the ends of pipes, writers and runners of files are
kept by increments; here they are counted from what is really there. The two must agree whenever no
path is in progress. A thread in a call on a pipe holds a reference of its own, so that another
thread can close the descriptor under it, until it has run again: those are in ``vfs.holds``.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kernel.fs.inode import PIPE, REGULAR, SOCKET

if TYPE_CHECKING:
    from kernel.fs.file import FilesStruct
    from kernel.fs.file_table import File
    from kernel.fs.inode import Inode, Vfs
    from kernel.mm.mm_types import MmStruct


def open_files(tables: Iterable["FilesStruct"]) -> dict["File", int]:
    """Return every open file description of ``tables`` with its number of descriptors.

    A map that several tables share is counted once, as the files do.
    """
    counts: Counter[Any] = Counter()
    for table in {id(table.fd): table for table in tables}.values():
        counts.update(table.fd.values())
    return dict(counts)


def check_files(
    vfs: "Vfs", tables: Iterable["FilesStruct"], mms: Iterable["MmStruct"], found: list[str]
) -> None:
    """Report every count of the file layer that is not what descriptors and memory say.

    Args:
        vfs: the file tree; files nobody has open must be counted as such.
        tables: the descriptor tables of all tasks, each once.
        mms: the address spaces of all tasks, each once.
        found: gets one line per violation.
    """
    tables = tuple(tables)
    sharers = Counter(id(table.sharers) for table in tables)
    for table in tables:
        mask = sum(1 << fd for fd in table.fd)
        if table.open_fds != mask | table.reserved:
            found.append(f"descriptors: bit mask {table.open_fds:#x}, open are {mask:#x}")
        if table.sharers.count != sharers[id(table.sharers)]:
            found.append(
                f"descriptors: map of {table.sharers.count} tables, "
                f"{sharers[id(table.sharers)]} found"
            )
        if table.close_on_exec & ~mask:
            found.append(f"descriptors: close-on-exec {table.close_on_exec:#x} of {mask:#x}")
    files = {**dict.fromkeys(vfs.holds, 0), **open_files(tables)}
    if vfs.nr_files != len(files):
        found.append(f"open files: {vfs.nr_files} counted, {len(files)} found")
    opened: Counter[Inode] = Counter()
    readers: Counter[Inode] = Counter()
    writers: Counter[Inode] = Counter()
    for file, references in files.items():
        inode = file.inode
        references += vfs.holds.get(file, 0)
        if file.count != references:
            found.append(f"open {inode!r}: {file.count} references counted, {references} found")
        opened[inode] += 1
        readers[inode] += file.readable
        writers[inode] += file.writable
    used = dict.fromkeys(inode.pipe for inode in opened if inode.pipe is not None)
    found += [
        f"pipe {ino} is open nowhere and was not released"
        for ino, pipe in vfs.pipes.items()
        if pipe not in used
    ]
    charged: Counter[Any] = Counter()
    for sk in vfs.socks.values():
        for skb in sk.receive_queue:
            charged[skb.sk] += skb.truesize
    found += [
        f"socket {ino}: {sk.wmem_alloc} bytes charged, {charged[sk]} are on their way"
        for ino, sk in vfs.socks.items()
        if sk.wmem_alloc != charged[sk]
    ]
    open_socks = {inode.ino for inode in opened if inode.kind == SOCKET}
    found += [f"socket {ino} is open nowhere" for ino in vfs.socks if ino not in open_socks]
    runners = Counter(mm.exe_file for mm in mms if mm.exe_file is not None)
    for inode in dict.fromkeys([*opened, *runners, *_tree(vfs.root)]):
        if inode.kind == PIPE and inode.pipe is not None:
            pipe = inode.pipe
            if pipe.readers != readers[inode] or pipe.writers != writers[inode]:
                found.append(
                    f"{inode!r}: {pipe.readers} readers and {pipe.writers} writers counted, "
                    f"{readers[inode]} and {writers[inode]} found"
                )
        elif inode.kind == REGULAR:
            if inode.nr_open != opened[inode]:
                found.append(f"{inode!r}: open {inode.nr_open} times, {opened[inode]} found")
            count = writers[inode] - runners[inode]
            if inode.i_writecount != count:
                found.append(f"{inode!r}: i_writecount is {inode.i_writecount}, should be {count}")


def _tree(root: "Inode") -> list["Inode"]:
    """Return every inode below ``root``, ``root`` included."""
    inodes = [root]
    for inode in inodes:  # grows while it is walked
        if inode.entries:
            inodes += inode.entries.values()
    return inodes
