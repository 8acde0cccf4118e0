"""What /proc says of an address space: sizes, resident pages, the list of areas.

Source: fs/proc/task_mmu.c.
Deviation: page tables take no frames, so VmPTE is 0, and there is no swap and no huge page.
"""

from typing import TYPE_CHECKING

from kernel.fs.d_path import file_path
from kernel.mm.fault import find_vma
from kernel.mm.frames import ZERO_PAGE
from kernel.mm.mm_types import PTE_SHIFT, MmStruct
from kernel.mm.rss import get_mm_hiwater_rss
from kernel.uapi.mman import (
    PAGE_SHIFT,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
)

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct

_PAGE_KB = 1 << PAGE_SHIFT >> 10


class MmSizes:
    """Sizes of one address space in pages, as /proc/PID/status and statm name them."""

    __slots__ = (
        "anon",
        "data",
        "exec_end",
        "exec_start",
        "file",
        "shmem",
        "stack",
        "text",
        "total",
    )

    def __init__(self, mm: MmStruct) -> None:
        self.total = self.data = self.stack = 0
        self.exec_start = self.exec_end = 0  # page numbers of the program's text
        cache = None if mm.layout is None else mm.layout.cache
        for vma in mm.vmas:
            pages = vma.end - vma.start
            self.total += pages
            if vma.flags & VM_GROWSDOWN:
                self.stack += pages
            elif vma.flags & VM_WRITE and not vma.flags & VM_SHARED:
                self.data += pages
            if vma.flags & VM_EXEC and vma.pages is cache and not self.exec_end:
                self.exec_start, self.exec_end = vma.start, vma.end
        self.text = self.exec_end - self.exec_start
        table = mm.pt
        self.anon = table.nr_reserved + sum(
            pte >> PTE_SHIFT != ZERO_PAGE for pte in table.filled.values()
        )
        self.file = self.shmem = 0
        for vpn in mm.local or ():
            vma_of = find_vma(mm, vpn)
            if vma_of is not None and vma_of.pages is not None and not vma_of.pages.keep:
                self.shmem += 1
            else:
                self.file += 1
        if mm.text_mapped and mm.layout is not None:
            self.file += len(mm.layout.text)

    @property
    def rss(self) -> int:
        """Resident pages."""
        return self.anon + self.file + self.shmem


def task_mem(mm: MmStruct, *, modern: bool) -> str:
    """Return the Vm lines of /proc/PID/status.

    Args:
        modern: with the lines that came after 2.6.34.

    Source: fs/proc/task_mmu.c:task_mem().
    Deviation: VmPeak is VmSize: past peaks of the size are not kept.
    """
    sizes = MmSizes(mm)
    rows = [("VmPeak", sizes.total), ("VmSize", sizes.total), ("VmLck", mm.locked_vm)]
    if modern:
        rows.append(("VmPin", 0))
    rows += [("VmHWM", get_mm_hiwater_rss(mm)), ("VmRSS", sizes.rss)]
    if modern:
        rows += [("RssAnon", sizes.anon), ("RssFile", sizes.file), ("RssShmem", sizes.shmem)]
    rows += [
        ("VmData", sizes.data),
        ("VmStk", sizes.stack),
        ("VmExe", sizes.text),
        ("VmLib", 0),
        ("VmPTE", 0),
        ("VmSwap", 0),
    ]
    if modern:
        rows.append(("HugetlbPages", 0))
    return "".join(f"{name}:\t{pages * _PAGE_KB:8} kB\n" for name, pages in rows)


def proc_pid_statm(k: "Kernel", task: "TaskStruct") -> str:
    """Return /proc/PID/statm: size, resident, shared, text, 0, data, 0, in pages.

    Source: fs/proc/array.c:proc_pid_statm(), fs/proc/task_mmu.c:task_statm().
    """
    mm = task.mm
    if mm is None:
        return "0 0 0 0 0 0 0\n"
    sizes = MmSizes(mm)
    shared = sizes.file + sizes.shmem
    return f"{sizes.total} {sizes.rss} {shared} {sizes.text} 0 {sizes.data + sizes.stack} 0\n"


def show_map(k: "Kernel", task: "TaskStruct") -> str:
    """Return /proc/PID/maps, one line for each area.

    Source: fs/proc/task_mmu.c:show_map_vma().
    Deviation: device and inode numbers are those of the program's file only.
    """
    mm = task.mm
    if mm is None:
        return ""
    lines = []
    for vma in mm.vmas:
        flags = vma.flags
        mode = (
            ("r" if flags & VM_READ else "-")
            + ("w" if flags & VM_WRITE else "-")
            + ("x" if flags & VM_EXEC else "-")
            + ("s" if flags & VM_SHARED else "p")
        )
        offset = vma.offset << PAGE_SHIFT if vma.pages is not None else 0
        device, ino, name = "00:00", 0, vma.name
        if vma.pages is not None and vma.pages.keep and mm.exe_file is not None:
            device, ino, name = "00:0f", mm.exe_file.ino, file_path(mm.exe_file)
        head = (
            f"{vma.start << PAGE_SHIFT:08x}-{vma.end << PAGE_SHIFT:08x} {mode} "
            f"{offset:08x} {device} {ino} "
        )
        lines.append(f"{head:<73}{name}\n" if name else f"{head}\n")
    return "".join(lines)
