"""Invariants of control groups: each break is reported as what it is."""

from types import SimpleNamespace

import pytest

from kernel.cgroup.cgroup import Cgroup, CgroupHierarchy, join
from kernel.check.cgroups import check_cgroups
from kernel.machine import MachineSpec
from kernel.smp.task_groups import GroupTable
from kernel.task import EXIT_ZOMBIE, TaskStruct


class World:
    """The group a with b and the threaded t in it; a task is in b, another in t."""

    def __init__(self):
        spec = MachineSpec(cpus=1, cgroups=(("a", 1024), ("a/b", 2048)))
        groups = GroupTable(spec)
        self.k = SimpleNamespace(groups=groups, cgroups=CgroupHierarchy(spec, groups))
        self.a, self.b = self.k.cgroups.at("a"), self.k.cgroups.at("a/b")
        self.t = self.a.children["t"] = Cgroup("t", self.a)
        self.t.css = self.t.group = groups.new(self.a.group)
        self.t.dom = self.a
        self.a.nr_threaded_children = 1
        self.tasks = [TaskStruct(number, number, f"t{number}") for number in (1, 2, 3)]
        join(self.b, self.tasks[0], [])
        join(self.t, self.tasks[1], [])

    def check(self):
        found = []
        check_cgroups(self.k, self.tasks, found)
        return found


def test_a_sound_hierarchy_has_no_violation():
    assert World().check() == []


def elsewhere(world):
    world.tasks[0].cgroup = world.t


def dead(world):
    world.tasks[1].exit_state = EXIT_ZOMBIE


def unknown(world):
    world.tasks[2].cgroup = world.a


def miscounted(world):
    world.a.nr_populated_domain_children += 1


def unthreaded(world):
    world.a.nr_threaded_children = 0


def expected(world):
    world.b.expected = 1


def without_controller(world):
    world.a.cpu_below = False


def wrong_group(world):
    world.b.group = world.a.group


def not_in_the_table(world):
    del world.k.groups.groups[world.b.css.gid]


@pytest.mark.parametrize(
    ("break_it", "story"),
    [
        (elsewhere, "<cgroup /a/b> holds"),
        (dead, "<cgroup /a/t> holds"),
        (unknown, "<cgroup /a>, which does not know it"),
        (miscounted, "<cgroup /a> counts populated children wrongly: 1, 1"),
        (unthreaded, "<cgroup /a> counts threaded children wrongly"),
        (expected, "<cgroup /a/b> is dead, or somebody is expected in it"),
        (without_controller, "<cgroup /a/b> has a task group without the controller"),
        (wrong_group, "<cgroup /a/b> is in another task group than it should be"),
        (not_in_the_table, "the task group of <cgroup /a/b> is not in the table"),
    ],
)
def test_a_break_is_reported(break_it, story):
    world = World()
    break_it(world)
    assert any(story in line for line in world.check()), world.check()
