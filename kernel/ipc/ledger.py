"""What must hold of System V objects: ids, keys, sleepers, undo notes, attachments, frames.

Source: the rules are those of ipc/util.c, ipc/sem.c, ipc/msg.c, ipc/shm.c.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kernel.ipc.msg import MsgQueue
from kernel.ipc.sem_queue import ASLEEP, SemArray, SemQueue
from kernel.ipc.shm import ShmidKernel
from kernel.ipc.util import IPCMNI_IDX_MASK, IpcIds, IpcTables
from kernel.task import TaskStruct
from kernel.uapi.ipc import SEMVMX

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.mm.mm_types import MmStruct, SharedPages


def all_tables(k: "Kernel", tasks: Iterable[TaskStruct]) -> list[IpcTables]:
    """Return the tables of every namespace that is in use."""
    spaces = {k.init_nsproxy.ipc_ns: None}
    for task in tasks:
        if task.nsproxy is not None:
            spaces[task.nsproxy.ipc_ns] = None
    return [ns.ids for ns in spaces if ns.ids is not None]


def segments(tables: Iterable[IpcTables]) -> list[ShmidKernel]:
    """Return every segment, those marked for destruction too."""
    return [shp for space in tables for shp in space.shm.entries.values()]


def recount_shm(tables: Iterable[IpcTables]) -> dict[int, int]:
    """Return ``{frame: 1}`` for the pages of segments that live without being attached."""
    return {
        frame: 1
        for shp in segments(tables)
        if shp.pages.keep
        for frame in shp.pages.frames.values()
    }


def shm_pages(tables: Iterable[IpcTables]) -> "list[SharedPages]":
    """Return the pages objects of all segments."""
    return [shp.pages for shp in segments(tables)]


def check_ipc(
    tables: Iterable[IpcTables],
    tasks: Iterable[TaskStruct],
    mms: "Iterable[MmStruct]",
    found: list[str],
) -> None:
    """Append what does not hold of the objects of ``tables``."""
    attached: Counter[int] = Counter()
    for mm in mms:
        for vma in mm.vmas:
            if vma.pages is not None and vma.pages.segment is not None:
                attached[id(vma.pages)] += 1
    alive = dict.fromkeys(tasks)
    for space in tables:
        for ids in (space.sem, space.msg, space.shm):
            _check_ids(ids, found)
        for sma in space.sem.entries.values():
            _check_sem(sma, alive, found)
        for msq in space.msg.entries.values():
            _check_msg(msq, alive, found)
        found += [
            f"segment {shp.perm.id}: attached {shp.shm_nattch} times by count,"
            f" {attached[id(shp.pages)]} areas found"
            for shp in space.shm.entries.values()
            if shp.shm_nattch != attached[id(shp.pages)]
        ]
    _check_undo_lists(alive, found)


def _check_ids(ids: IpcIds, found: list[str]) -> None:
    """Every object is filed under its own id and key, and nothing else is."""
    used = 0
    keys = {}
    for idx, entry in ids.entries.items():
        perm = entry.perm
        if perm.id & IPCMNI_IDX_MASK != idx or perm.deleted:
            found.append(f"{ids.name} {perm.id}: filed under index {idx}, removed {perm.deleted}")
        if perm.key:
            keys[perm.key] = entry
        if isinstance(entry, SemArray):
            used += len(entry.sems)
        elif isinstance(entry, ShmidKernel):
            used += entry.nr_pages
    if keys != ids.keys:
        found.append(f"{ids.name}: keys {sorted(ids.keys)}, objects have {sorted(keys)}")
    if used != ids.used:
        found.append(f"{ids.name}: {ids.used} semaphores or pages counted, {used} found")


def _check_sem(sma: SemArray, alive: dict[TaskStruct, None], found: list[str]) -> None:
    name = f"semaphore set {sma.perm.id}"
    queues = [sma.pending_alter, sma.pending_const]
    for num, sem in enumerate(sma.sems):
        if not 0 <= sem.semval <= SEMVMX:
            found.append(f"{name}: semaphore {num} has the value {sem.semval}")
        queues += [sem.pending_alter, sem.pending_const]
    sleepers: list[SemQueue] = [q for queue in queues for q in queue]
    if sma.complex_count != sum(len(q.sops) > 1 for q in sleepers):
        found.append(f"{name}: {sma.complex_count} lists of several operations counted")
    if not sma.complex_count and sma.pending_alter:
        found.append(f"{name}: single changes wait on the set's queue")
    found += [
        f"{name}: {q.sleeper!r} waits with status {q.status}"
        for q in sleepers
        if q.status != ASLEEP or q.sleeper not in alive
    ]
    found += [
        f"{name}: an undo note says {un.semid}, or its process has it not"
        for un in sma.list_id
        if un.semid != sma.perm.id or un not in un.ulp.list_proc
    ]


def _check_msg(msq: MsgQueue, alive: dict[TaskStruct, None], found: list[str]) -> None:
    name = f"message queue {msq.perm.id}"
    size = sum(len(text) for _type, text in msq.q_messages)
    if size != msq.q_cbytes:
        found.append(f"{name}: {msq.q_cbytes} bytes counted, {size} found")
    waiting = [*(r.task for r in msq.q_receivers), *(s.task for s in msq.q_senders)]
    found += [f"{name}: {task!r} waits and is gone" for task in waiting if task not in alive]


def _check_undo_lists(alive: dict[TaskStruct, None], found: list[str]) -> None:
    """Undo lists are counted by those who share them; notes are known to their sets."""
    sharers = Counter(id(task.sysvsem) for task in alive if task.sysvsem is not None)
    for task in alive:
        ulp = task.sysvsem
        if ulp is not None and ulp.refcnt != sharers[id(ulp)]:
            found.append(
                f"{task!r}: {ulp.refcnt} tasks share its undo list by count,"
                f" {sharers[id(ulp)]} found"
            )
