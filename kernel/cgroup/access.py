"""Who may move somebody between groups, and who hears that a group is populated or no more.

Source: kernel/cgroup/cgroup.c.
Deviation: who polls cgroup.events hears of each change at once, however fast they come.
"""

from typing import TYPE_CHECKING

from kernel.cgroup.cgroup import Cgroup, cgroup_exit, check_attach, is_below, join
from kernel.errors import KernelError
from kernel.fs.inode import MAY_WRITE
from kernel.fs.namei import inode_permission
from kernel.points import Path
from kernel.smp.wait import wake_up_all
from kernel.task import TaskStruct
from kernel.uapi.errno_ import EACCES
from kernel.uapi.poll import POLLERR, POLLPRI

if TYPE_CHECKING:
    from kernel.cred.creds import Cred
    from kernel.kernel import Kernel
    from kernel.process.clone import KernelCloneArgs


def may_write(cgroup: Cgroup, cred: "Cred") -> bool:
    """Tell whether who has ``cred`` may write cgroup.procs of a group.

    Source: kernel/cgroup/cgroup.c:cgroup_may_write().
    """
    directory = cgroup.inode
    if directory is None or directory.entries is None:
        raise AssertionError(f"{cgroup!r} has no directory")
    return inode_permission(directory.entries["cgroup.procs"], MAY_WRITE, cred.euid, cred.egid)


def check_attach_permissions(
    source: Cgroup, cgroup: Cgroup, cred: "Cred", threadgroup: bool
) -> None:
    """Check that who has ``cred`` may move somebody from one group to another.

    Raises:
        KernelError: EACCES, the file cgroup.procs of the group above both may not be written; as
            ``check_attach``.

    Source: kernel/cgroup/cgroup.c:cgroup_attach_permissions(), cgroup_procs_write_permission().
    """
    common = source
    while not is_below(cgroup, common) and common.parent is not None:
        common = common.parent
    if not may_write(common, cred):
        raise KernelError(EACCES)
    check_attach(source, cgroup, threadgroup)


def notify(k: "Kernel", changed: list[Cgroup]) -> Path[None]:
    """Wake those who poll cgroup.events of groups that have changed.

    Source: kernel/cgroup/cgroup.c:cgroup_file_notify(), fs/kernfs/file.c:kernfs_notify().
    """
    for cgroup in changed:
        if cgroup.events_wait.active():
            yield from wake_up_all(k, cgroup.events_wait, key=POLLPRI | POLLERR)


def post_fork_cgroup(
    k: "Kernel", cgroup: Cgroup, child: TaskStruct, args: "KernelCloneArgs | None"
) -> Path[None]:
    """A new thread is in ``cgroup``. Source: kernel/cgroup/cgroup.c:cgroup_post_fork()."""
    if args is not None and args.into is not None:
        cgroup.expected -= 1
    changed: list[Cgroup] = []
    join(cgroup, child, changed)
    yield from notify(k, changed)


def exit_cgroup(k: "Kernel", task: TaskStruct) -> Path[None]:
    """``task`` is exiting and in a group. Source: kernel/cgroup/cgroup.c:cgroup_exit()."""
    yield from notify(k, cgroup_exit(k, task))
