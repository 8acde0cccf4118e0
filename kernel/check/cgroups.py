"""Invariants of control groups: who is in which, and which are populated."""

from typing import TYPE_CHECKING

from kernel.cgroup.cgroup import Cgroup, descendants, is_populated, is_threaded

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import TaskStruct


def check_cgroups(k: "Kernel", tasks: list["TaskStruct"], found: list[str]) -> None:
    """Append what is wrong with the hierarchy; ``tasks`` are all that are not released."""
    for cgroup in descendants(k.cgroups.root):
        _check_cgroup(k, cgroup, found)
    for task in tasks:
        where: Cgroup | None = task.cgroup
        if where is None or where.dead:  # those of a group that is removed are with the one above
            continue
        if task not in where.tasks and task not in where.dying:
            found.append(f"{task!r} is in {where!r}, which does not know it")


def _check_cgroup(k: "Kernel", cgroup: Cgroup, found: list[str]) -> None:
    children = cgroup.children.values()
    found += [
        f"{cgroup!r} holds {task!r}, which is dead or elsewhere"
        for task in cgroup.tasks
        if task.cgroup is not cgroup or task.exit_state
    ]
    threaded = sum(is_threaded(child) and is_populated(child) for child in children)
    domains = sum(not is_threaded(child) and is_populated(child) for child in children)
    if (cgroup.nr_populated_threaded_children, cgroup.nr_populated_domain_children) != (
        threaded,
        domains,
    ):
        found.append(f"{cgroup!r} counts populated children wrongly: {threaded}, {domains}")
    if cgroup.nr_threaded_children != sum(is_threaded(child) for child in children):
        found.append(f"{cgroup!r} counts threaded children wrongly")
    if cgroup.dead or cgroup.expected:
        found.append(f"{cgroup!r} is dead, or somebody is expected in it")
    above = cgroup.parent
    if above is None:
        return
    if (cgroup.css is not None) != above.cpu_below:
        found.append(f"{cgroup!r} has a task group without the controller, or none with it")
    if cgroup.group is not (above.group if cgroup.css is None else cgroup.css):
        found.append(f"{cgroup!r} is in another task group than it should be")
    if cgroup.css is not None and k.groups.groups.get(cgroup.css.gid) is not cgroup.css:
        found.append(f"the task group of {cgroup!r} is not in the table")
