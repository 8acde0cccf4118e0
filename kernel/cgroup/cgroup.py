"""Control groups: which there are, who is in which, and what the rules allow.

A ``Cgroup`` has a place in the hierarchy; a ``TaskGroup`` is what the scheduler makes of it. It has
one of its own if the group above lets the cpu controller through (``cgroup.subtree_control``);
otherwise its tasks belong to the task group of the next one above that has. Each thread is in one
group, ``task.cgroup``; None is the root, which has no list of those in it.

A group is *populated* while somebody who is not exiting is in it or below it. *Threaded* groups
hold threads of processes that belong to their domain, the group ``dom``.

Source: kernel/cgroup/cgroup.c.
Deviation: the one controller is cpu. A group that is removed is gone at once: none is ever dying.
Everything is done in one step, without cgroup_mutex points.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kernel.errors import KernelError
from kernel.sched.classes import fair_class_by_name
from kernel.smp.bandwidth import recount, unlimit
from kernel.smp.group_load import watch_groups
from kernel.smp.task_groups import TaskGroup, sched_destroy_group, sched_move_task
from kernel.smp.throttled import throttled_hierarchy
from kernel.smp.wait import WaitQueueHead
from kernel.task import PF_EXITING, TaskStruct
from kernel.uapi.errno_ import EBUSY, ENOENT, EOPNOTSUPP

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel
    from kernel.machine import MachineSpec
    from kernel.smp.task_groups import GroupTable

NO_LIMIT: Final = (1 << 31) - 1  # of depth and descendants; shown as "max"


class Cgroup:
    """One group of the hierarchy (``struct cgroup``).

    Args:
        name: "" for the root.
        parent: None for the root.

    Attributes:
        tasks: threads in it that are not exiting, in the order in which they came.
        dying: those that are, until they are released; whose CPU time still counts.
        cpu_below: the groups in it may have task groups (``subtree_control``).
        css: its own task group, if it has one; ``group``: the one its tasks belong to, None for
            that of the root.
        dom: the group that is its domain: another than itself if it is threaded.
        utime_ns, stime_ns: of who is no more in it, less what who is in it had before.
        inode: its directory, if there is a file system.
        expected: they keep it from being removed.
        changes: how often populated has changed, for who polls cgroup.events.
    """

    __slots__ = (
        "changes",
        "children",
        "cpu_below",
        "css",
        "dead",
        "dom",
        "dying",
        "events_wait",
        "expected",
        "group",
        "inode",
        "level",
        "max_depth",
        "max_descendants",
        "name",
        "nr_populated_domain_children",
        "nr_populated_threaded_children",
        "nr_threaded_children",
        "parent",
        "stime_ns",
        "tasks",
        "utime_ns",
    )

    def __init__(self, name: str, parent: "Cgroup | None") -> None:
        self.name = name
        self.parent = parent
        self.level: int = 0 if parent is None else parent.level + 1
        self.children: dict[str, Cgroup] = {}
        self.tasks: dict[TaskStruct, None] = {}
        self.dying: dict[TaskStruct, None] = {}
        self.cpu_below = False
        self.css: TaskGroup | None = None
        self.group: TaskGroup | None = None if parent is None else parent.group
        self.dom: Cgroup = self
        self.nr_threaded_children = 0
        self.nr_populated_domain_children = 0
        self.nr_populated_threaded_children = 0
        self.dead = False
        self.expected = 0  # children on their way into it, of clone3()
        self.max_depth = NO_LIMIT
        self.max_descendants = NO_LIMIT
        self.utime_ns = self.stime_ns = 0
        self.inode: Inode | None = None
        self.changes = 1
        self.events_wait = WaitQueueHead()

    def __repr__(self) -> str:
        return f"<cgroup {path_of(self)}>"


class CgroupHierarchy:
    """All groups of a machine (``cgrp_dfl_root``); those of the configuration are there at boot."""

    __slots__ = ("last_ino", "root")

    def __init__(self, spec: "MachineSpec", table: "GroupTable") -> None:
        self.root = Cgroup("", None)
        self.last_ino = 0
        for path, _ in spec.cgroups:
            above, _, name = path.rpartition("/")
            parent = self.at(above)
            parent.cpu_below = True
            made = parent.children[name] = Cgroup(name, parent)
            made.css = made.group = table.cgroups[path]

    def at(self, path: str) -> Cgroup:
        """Return the group with this path, written without a slash in front; it exists."""
        found = self.root
        for name in path.split("/") if path else ():
            found = found.children[name]
        return found


def has_cgroup2(k: "Kernel") -> bool:
    """Tell whether this kernel has the file system: not 2.6.34, nor a class without groups."""
    return k.spec.linux != "2.6.34" and fair_class_by_name(k.spec.fair).takes_groups


def cgroup_of(k: "Kernel", task: TaskStruct) -> Cgroup:
    """Return the group ``task`` is in. Source: task_dfl_cgroup()."""
    root: Cgroup = k.cgroups.root
    return root if task.cgroup is None else task.cgroup


def path_of(cgroup: Cgroup) -> str:
    """Return the path of a group from the root. Source: kernfs_path()."""
    if cgroup.parent is None:
        return "/"
    names = []
    while cgroup.parent is not None:
        names.append(cgroup.name)
        cgroup = cgroup.parent
    return "/" + "/".join(reversed(names))


def descendants(cgroup: Cgroup) -> Iterator[Cgroup]:
    """Yield a group and all below it, those above first."""
    yield cgroup
    for child in cgroup.children.values():
        yield from descendants(child)


def is_below(cgroup: Cgroup, above: Cgroup) -> bool:
    """Tell whether a group is another or below it. Source: cgroup_is_descendant()."""
    while cgroup.level > above.level and cgroup.parent is not None:
        cgroup = cgroup.parent
    return cgroup is above


# -- what kind a group is ------------------------------------------------------------------------


def is_threaded(cgroup: Cgroup) -> bool:
    """Source: kernel/cgroup/cgroup.c:cgroup_is_threaded()."""
    return cgroup.dom is not cgroup


def is_populated(cgroup: Cgroup) -> bool:
    """Source: kernel/cgroup/cgroup-internal.h:cgroup_is_populated()."""
    return bool(
        cgroup.tasks or cgroup.nr_populated_domain_children or cgroup.nr_populated_threaded_children
    )


def can_be_thread_root(cgroup: Cgroup) -> bool:
    """Source: kernel/cgroup/cgroup.c:cgroup_can_be_thread_root()."""
    if cgroup.parent is None:
        return True
    return not is_threaded(cgroup) and not cgroup.nr_populated_domain_children


def is_thread_root(cgroup: Cgroup) -> bool:
    """Source: kernel/cgroup/cgroup.c:cgroup_is_thread_root()."""
    if is_threaded(cgroup):
        return False
    return bool(cgroup.nr_threaded_children or (cgroup.tasks and cgroup.cpu_below))


def is_valid_domain(cgroup: Cgroup) -> bool:
    """Source: kernel/cgroup/cgroup.c:cgroup_is_valid_domain()."""
    if is_threaded(cgroup):
        return False
    above = cgroup.parent
    while above is not None:
        if (above.parent is not None and is_thread_root(above)) or is_threaded(above):
            return False
        above = above.parent
    return True


def has_cpu(cgroup: Cgroup) -> bool:
    """Tell whether the cpu controller is let through to a group. Source: cgroup_control()."""
    return cgroup.parent is None or cgroup.parent.cpu_below


# -- who is in it --------------------------------------------------------------------------------


def _update_populated(cgroup: Cgroup, populated: bool, changed: list[Cgroup]) -> None:
    """The first one has come into ``cgroup``, or the last one has left; append who is another now.

    ``cgroup.tasks`` is changed already.

    Source: kernel/cgroup/cgroup.c:cgroup_update_populated().
    """
    step = 1 if populated else -1
    if cgroup.nr_populated_domain_children or cgroup.nr_populated_threaded_children:
        return
    while True:
        cgroup.changes += 1
        changed.append(cgroup)
        above = cgroup.parent
        if above is None:
            return
        before = is_populated(above)
        if is_threaded(cgroup):
            above.nr_populated_threaded_children += step
        else:
            above.nr_populated_domain_children += step
        if is_populated(above) == before:
            return
        cgroup = above


def join(cgroup: Cgroup, task: TaskStruct, changed: list[Cgroup]) -> None:
    """Enter ``task``, which is in no list; append to ``changed`` whose populated is another now.

    Source: kernel/cgroup/cgroup.c:css_set_move_task().
    """
    task.cgroup = None if cgroup.parent is None else cgroup
    if cgroup.parent is None:
        return
    cgroup.utime_ns -= task.utime_ns
    cgroup.stime_ns -= task.stime_ns
    first = not cgroup.tasks
    cgroup.tasks[task] = None
    if first:
        _update_populated(cgroup, True, changed)


def leave(cgroup: Cgroup, task: TaskStruct, changed: list[Cgroup]) -> None:
    """Take ``task`` out. Source: kernel/cgroup/cgroup.c:css_set_move_task()."""
    if cgroup.parent is None:
        return
    cgroup.utime_ns += task.utime_ns
    cgroup.stime_ns += task.stime_ns
    del cgroup.tasks[task]
    if not cgroup.tasks:
        _update_populated(cgroup, False, changed)


def attach_task(k: "Kernel", cgroup: Cgroup, task: TaskStruct, threadgroup: bool) -> list[Cgroup]:
    """Move a thread, or all threads of its process; who is exiting stays where it is.

    Returns:
        Groups whose populated is another now.

    Source: kernel/cgroup/cgroup.c:cgroup_attach_task(), cgroup_migrate_execute().
    """
    changed: list[Cgroup] = []
    for thread in tuple(task.signal.threads) if threadgroup else (task,):
        before = cgroup_of(k, thread)
        if thread.flags & PF_EXITING or before is cgroup:
            continue
        throttled = throttled_hierarchy(k, thread, thread.cpu)
        join(cgroup, thread, changed)
        leave(before, thread, changed)
        if before.group is not cgroup.group:
            recount(k, [thread], [throttled])
            sched_move_task(k, thread)
    return changed


def check_attach(src: Cgroup, dst: Cgroup, threadgroup: bool) -> None:
    """Check that somebody may come from one group to another, permissions aside.

    Raises:
        KernelError: EOPNOTSUPP, a domain that is none, or a thread would leave its domain; EBUSY,
            no processes where controllers are let through.

    Source: kernel/cgroup/cgroup.c:cgroup_migrate_vet_dst(), cgroup_attach_permissions().
    """
    if not is_valid_domain(dst.dom):
        raise KernelError(EOPNOTSUPP)
    if not can_be_thread_root(dst) and not is_threaded(dst) and dst.cpu_below:
        raise KernelError(EBUSY)
    if not threadgroup and src.dom is not dst.dom:
        raise KernelError(EOPNOTSUPP)


def cgroup_exit(k: "Kernel", task: TaskStruct) -> list[Cgroup]:
    """``task`` is exiting and in a group; that counts it no more.

    Returns:
        Groups whose populated is another now.

    Source: kernel/cgroup/cgroup.c:cgroup_exit().
    """
    cgroup = cgroup_of(k, task)
    changed: list[Cgroup] = []
    cgroup.dying[task] = None
    del cgroup.tasks[task]
    if not cgroup.tasks:
        _update_populated(cgroup, False, changed)
    return changed


def cgroup_release(task: TaskStruct) -> None:
    """A dead task is released: its CPU time is fixed. Source: cgroup.c:cgroup_release()."""
    cgroup: Cgroup | None = task.cgroup
    while cgroup is not None and task not in cgroup.dying:
        cgroup = cgroup.parent  # the dead of a group that is removed are those of the one above
    if cgroup is not None:
        del cgroup.dying[task]
        cgroup.utime_ns += task.utime_ns
        cgroup.stime_ns += task.stime_ns


# -- making, removing, changing ------------------------------------------------------------------


def within_limits(parent: Cgroup) -> bool:
    """Tell whether there may be one more group below. Source: cgroup_check_hierarchy_limits()."""
    above: Cgroup | None = parent
    depth = 1
    while above is not None:
        if depth > above.max_depth or nr_descendants(above) >= above.max_descendants:
            return False
        above = above.parent
        depth += 1
    return True


def nr_descendants(cgroup: Cgroup) -> int:
    """Return how many groups there are below one."""
    return sum(1 for _ in descendants(cgroup)) - 1


def cgroup_create(k: "Kernel", parent: Cgroup, name: str) -> Cgroup:
    """Make a group. Source: kernel/cgroup/cgroup.c:cgroup_create()."""
    made = parent.children[name] = Cgroup(name, parent)
    if parent.cpu_below:
        made.css = made.group = k.groups.new(parent.group)
        watch_groups(k)
    return made


def cgroup_destroy(k: "Kernel", cgroup: Cgroup) -> None:
    """Remove a group that nobody is in.

    Raises:
        KernelError: EBUSY, somebody is in it, or a group.

    Source: kernel/cgroup/cgroup.c:cgroup_destroy_locked().
    """
    parent = cgroup.parent
    if parent is None or is_populated(cgroup) or cgroup.children or cgroup.expected:
        raise KernelError(EBUSY)
    cgroup.dead = True
    if is_threaded(cgroup):
        parent.nr_threaded_children -= 1
    del parent.children[cgroup.name]
    if parent.parent is None:
        cgroup.dying.clear()
    else:
        parent.dying.update(cgroup.dying)
        parent.utime_ns += cgroup.utime_ns
        parent.stime_ns += cgroup.stime_ns
    if cgroup.css is not None:
        unlimit(k, cgroup.css)
        sched_destroy_group(k, cgroup.css)
        cgroup.css = None


def enable_threaded(cgroup: Cgroup) -> None:
    """Let a group join the domain of the one above it.

    Raises:
        KernelError: EOPNOTSUPP.

    Source: kernel/cgroup/cgroup.c:cgroup_enable_threaded().
    """
    if is_threaded(cgroup):
        return
    parent = cgroup.parent
    if parent is None or is_populated(cgroup):
        raise KernelError(EOPNOTSUPP)
    dom = parent.dom
    if not is_valid_domain(dom) or not can_be_thread_root(dom):
        raise KernelError(EOPNOTSUPP)
    for each in descendants(cgroup):
        if each is cgroup or is_threaded(each):
            each.dom = dom
    parent.nr_threaded_children += 1


def set_cpu_below(k: "Kernel", cgroup: Cgroup, enable: bool) -> list[Cgroup]:
    """Let the cpu controller through to the groups in ``cgroup``, or no more; return those.

    Raises:
        KernelError: ENOENT, it does not come to ``cgroup``; EBUSY, a group in it lets it through,
            or processes are in it; EOPNOTSUPP, its domain is none.

    Source: kernel/cgroup/cgroup.c:cgroup_subtree_control_write(),
    cgroup_vet_subtree_control_enable(), cgroup_apply_control().
    """
    if enable == cgroup.cpu_below:
        return []
    if enable:
        if not has_cpu(cgroup):
            raise KernelError(ENOENT)
        if not is_valid_domain(cgroup.dom):
            raise KernelError(EOPNOTSUPP)
        # a threaded controller: groups that could be the root of threaded ones take it
        if not can_be_thread_root(cgroup) and not is_threaded(cgroup) and cgroup.tasks:
            raise KernelError(EBUSY)
    elif any(child.cpu_below for child in cgroup.children.values()):
        raise KernelError(EBUSY)
    cgroup.cpu_below = enable
    children = list(cgroup.children.values())
    for child in children:
        before = child.css
        if before is not None:
            unlimit(k, before)
        child.css = k.groups.new(cgroup.group) if enable else None
        group = child.css if enable else cgroup.group
        for each in descendants(child):
            each.group = group
            for task in each.tasks:
                sched_move_task(k, task)
        if before is not None:
            sched_destroy_group(k, before)
    watch_groups(k)
    return children
