"""Invariants of what is counted: users, page frames, slabs."""

from collections import Counter
from typing import TYPE_CHECKING

from kernel.errors import InvariantError
from kernel.fs.ledger import check_files
from kernel.ipc.ledger import all_tables, check_ipc, recount_shm, shm_pages
from kernel.ipc.pipe import recount_pipes
from kernel.mm.ledger import check_committed, check_frames, recount, recount_cache, recount_reserved
from kernel.task import TaskStruct

if TYPE_CHECKING:
    from kernel.kernel import Kernel


def check_current(k: "Kernel", found: list[str]) -> None:
    """``current`` is found from the machine's register, as the architecture finds it.

    A dead task is on its stack until its CPU has switched away: both must be there so long.
    """
    for task in (k.current, *k.dying.values()):
        if not task.stack:
            if task in k.dying.values():
                found.append(f"{task!r}: its cpu has not switched away, and its stack is gone")
            continue
        try:
            there = k.arch.current_from_register(k, k.arch.register_value(k, task))
        except InvariantError as broken:
            found.append(f"{task!r} is current: {broken}")
            continue
        if there is not task:
            found.append(f"{task!r} is current, its register leads to {there!r}")


def check_users(k: "Kernel", tasks: list[TaskStruct], found: list[str]) -> None:
    """What RLIMIT_NPROC counts: the threads of every real uid."""
    charged = Counter(task.cred.user for task in tasks)
    for uid, user in k.tasks.users.items():
        if user.uid != uid:
            found.append(f"user {user.uid} is filed under {uid}")
        if user.processes != charged[user]:
            found.append(f"user {uid}: {user.processes} threads counted, {charged[user]} found")


def check_memory(k: "Kernel", tasks: list[TaskStruct], found: list[str]) -> None:
    """Page frames and slab objects are held by what is alive, and by nothing else."""
    mms = dict.fromkeys(task.mm for task in tasks if task.mm is not None)
    files = dict.fromkeys(task.files for task in tasks if task.files is not None)
    check_files(k.vfs, files, mms, found)
    try:
        tables = all_tables(k, tasks)
        check_ipc(tables, tasks, mms, found)
        owners = [recount(mms), recount_cache(k.frames), recount_pipes(k), recount_shm(tables)]
        owners += [cache.recount() for cache in k.slabs.values()]
        check_frames(k.frames, owners, k.stacks.nr_pages + recount_reserved(mms))
        check_committed(k.frames, mms, shm_pages(tables))
    except InvariantError as broken:
        found.append(str(broken))
    for stack, info in k.stacks.infos.items():
        if info.task.stack != stack:
            found.append(f"kernel stack {stack:#x} is not that of {info.task!r}")
    structs = dict.fromkeys([*tasks, *k.dying.values()])  # a dead one may be on no list any more
    for name, number in (
        ("task_struct", sum(task.slot >= 0 for task in structs)),
        ("mm_struct", len(mms)),
        ("vm_area_struct", sum(len(mm.vmas) for mm in mms)),
        ("files_cache", len(files)),
        ("fs_cache", len(dict.fromkeys(task.fs for task in tasks if task.fs is not None))),
    ):
        counted = k.slabs[name].active_objs
        if counted != number:
            found.append(f"slab {name}: {counted} objects in use, {number} found")
