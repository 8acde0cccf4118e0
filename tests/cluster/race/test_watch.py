"""What orders two accesses, and what does not; what the fields of watched structures tell."""

from collections.abc import Iterable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.race.fields import UNSHARED, excused, excused_of
from cluster.race.guards import ONE_WRITER, PUBLISHED
from cluster.race.run import BROKEN, CLEAN, RACE, Control, Scenario, run_once
from cluster.race.strategies import Learned, RandomWalk
from cluster.race.watch import READ, WATCHED, WRITE, Watch, _active, following
from kernel.check.invariants import check_task
from kernel.check.touched import LOOKED_AT, STATES
from kernel.drive.mutations import DROPPED, UNORDERED, WHOLE
from kernel.locking import Lock
from kernel.mm.mm_types import MmStruct, SharedPages
from kernel.points import (
    ACQUIRE,
    BARRIER,
    POINT,
    READ_BARRIER,
    RELEASE,
    STORE,
    UPDATE,
    WRITE_BARRIER,
)
from kernel.points import READ as READ_LOCK
from kernel.process.pid import Pid
from kernel.task import TaskStruct
from tests.cluster.race.conftest import GUEST, scenario_of

POINT_OP = ("p", POINT, None)


class Thing:
    """Something two tasks share."""


def code_of(name: str) -> Any:
    """Return what names the function of an access."""
    return SimpleNamespace(co_name=name)


class Machine:
    """Takes steps of tasks, and lets a watch know of them as the driver does."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.thing = Thing()

    def step(
        self,
        task: Any,
        cpu: int,
        op: tuple[str, int, Any] = POINT_OP,
        *,
        reads: bool = False,
        writes: bool = False,
        held: Sequence[tuple[Lock, str, bool]] = (),
        wakes: Iterable[Any] = (),
        mutated: int = WHOLE,
        interrupt: bool = False,
    ) -> None:
        """Take one step; it may touch the thing, and wake tasks."""
        path = SimpleNamespace(
            op=op, task=task, cpu=cpu, held=list(held), skipped=[], mutated=mutated,
            interrupt=interrupt,
        )  # fmt: skip
        self.watch.begin(path)
        self.watch.go_on(path)
        if reads:
            self.watch.first(self.thing, (id(self.thing), "x"), 0, code_of("looks"))
        for other in wakes:
            self.watch.write(other, "on_rq", True, code_of("wakes"))
        if writes:
            self.watch.write(self.thing, "x", 1, code_of("changes"))
        self.watch.end()

    def races(self) -> list[tuple[Any, bool, Any, bool]]:
        """Return who raced with whom, and who wrote."""
        return [
            (race.first.task, race.first.write, race.second.task, race.second.write)
            for race in self.watch.races
            if race.obj is self.thing
        ]


@pytest.fixture
def machine() -> Machine:
    """Nobody has done anything."""
    return Machine()


def task(pid: int) -> TaskStruct:
    """Return a task of which there is only the pid."""
    made = TaskStruct.__new__(TaskStruct)
    made.pid = pid
    return made


def lock() -> Lock:
    """Return a lock."""
    return Lock("a_lock")


# -- what orders -----------------------------------------------------------------------------------


def test_two_writes_on_two_cpus_race(machine: Machine) -> None:
    machine.step("a", 0, writes=True)
    machine.step("b", 1, writes=True)
    assert machine.races() == [("a", True, "b", True)]


def test_two_reads_do_not_race_and_a_write_races_with_both(machine: Machine) -> None:
    machine.step("a", 0, reads=True)
    machine.step("b", 1, reads=True)
    assert machine.races() == []
    machine.step("c", 2, writes=True)
    assert machine.races() == [("a", False, "c", True), ("b", False, "c", True)]


def test_a_lock_that_both_hold_keeps_them_apart(machine: Machine) -> None:
    held = [(lock(), "at.lock", False)]
    machine.step("a", 0, writes=True, held=held)
    machine.step("b", 1, writes=True, held=held)
    assert machine.races() == []


def test_a_lock_held_by_two_readers_does_not_keep_a_write_apart(machine: Machine) -> None:
    shared = [(lock(), "at.lock", True)]
    machine.step("a", 0, reads=True, held=shared)
    machine.step("b", 1, writes=True, held=shared)
    assert machine.races() == [("a", False, "b", True)]


@pytest.mark.parametrize("kind", [ACQUIRE, READ_LOCK])
def test_who_takes_a_lock_comes_after_who_gave_it_back(machine: Machine, kind: int) -> None:
    one = lock()
    machine.step("a", 0, writes=True)
    machine.step("a", 0, ("unlock", RELEASE, one))
    machine.step("b", 1, ("lock", kind, one))
    machine.step("b", 1, writes=True)
    assert machine.races() == []


@pytest.mark.parametrize(("kind", "ordered"), [(ACQUIRE, True), (READ_LOCK, False)])
def test_readers_of_a_lock_come_in_no_order_and_a_writer_comes_after_them(
    machine: Machine, kind: int, ordered: bool
) -> None:
    one = lock()
    machine.step("a", 0, writes=True)
    machine.step("a", 0, ("unlock", RELEASE, one), held=[(one, "at.lock", True)])
    machine.step("b", 1, ("lock", kind, one))
    machine.step("b", 1, writes=True)
    assert machine.races() == ([] if ordered else [("a", True, "b", True)])


@pytest.mark.parametrize(
    ("model", "taken", "given", "races"),
    [
        ("sc", UNORDERED, UNORDERED, False),
        ("tso", UNORDERED, UNORDERED, False),
        ("pso", UNORDERED, WHOLE, False),
        ("pso", WHOLE, UNORDERED, True),
        ("arm", UNORDERED, WHOLE, True),
        ("weak", WHOLE, UNORDERED, True),
        ("weak", WHOLE, WHOLE, False),
    ],
)
def test_a_lock_that_orders_nothing_keeps_nobody_apart_where_memory_needs_it(
    machine: Machine, model: str, taken: int, given: int, races: bool
) -> None:
    one = lock()
    held = [(one, "at.lock", False)]
    machine.watch.of_model(model)
    machine.step("a", 0, ("lock", ACQUIRE, one), writes=True, held=held)
    machine.step("a", 0, ("unlock", RELEASE, one), mutated=given)
    machine.step("b", 1, ("lock", ACQUIRE, one), writes=True, held=held, mutated=taken)
    assert bool(machine.races()) == races


def test_a_lock_taken_in_order_again_keeps_apart_again(machine: Machine) -> None:
    one = lock()
    held = [(one, "at.lock", False)]
    machine.watch.of_model("weak")
    machine.step("a", 0, ("lock", ACQUIRE, one), held=held, mutated=UNORDERED)
    machine.step("a", 0, ("unlock", RELEASE, one), mutated=UNORDERED)
    machine.step("a", 0, ("lock", ACQUIRE, one), writes=True, held=held)
    machine.step("a", 0, ("unlock", RELEASE, one))
    machine.step("b", 1, ("lock", ACQUIRE, one), writes=True, held=held)
    assert machine.races() == []


@pytest.mark.parametrize(("model", "races"), [("sc", False), ("tso", False), ("arm", True)])
def test_an_atomic_operation_without_its_order_orders_nothing_where_memory_needs_it(
    machine: Machine, model: str, races: bool
) -> None:
    count = Thing()
    machine.watch.of_model(model)
    machine.step("a", 0, writes=True)
    machine.step("a", 0, ("put", BARRIER, count), mutated=DROPPED)
    machine.step("b", 1, ("put", BARRIER, count), mutated=DROPPED)
    machine.step("b", 1, writes=True)
    assert bool(machine.races()) == races


def test_a_barrier_alone_orders_nobody_after_whoever_had_one(machine: Machine) -> None:
    machine.step("a", 0, writes=True)
    machine.step("a", 0, ("smp_mb", BARRIER, None))
    machine.step("b", 1, ("smp_mb", BARRIER, None))
    machine.step("b", 1, writes=True)
    assert machine.races() == [("a", True, "b", True)]


@pytest.mark.parametrize(("other", "races"), [("put.count", False), ("get.users", True)])
def test_atomic_operations_on_one_part_of_an_object_come_one_after_the_other(
    machine: Machine, other: str, races: bool
) -> None:
    counts = Thing()
    machine.step("a", 0, writes=True)
    machine.step("a", 0, ("get.count", BARRIER, counts))
    machine.step("b", 1, (other, BARRIER, counts))
    machine.step("b", 1, writes=True)
    assert bool(machine.races()) == races


@pytest.mark.parametrize(("cpu", "races"), [(0, False), (1, True)])
def test_interrupts_of_two_cpus_race_whoever_they_came_upon(
    machine: Machine, cpu: int, races: bool
) -> None:
    machine.step("swapper", 0, writes=True, interrupt=True)
    machine.step("swapper", cpu, writes=True, interrupt=True)
    assert bool(machine.races()) == races


@pytest.mark.parametrize(("cpu", "races"), [(0, False), (1, True)])
def test_an_interrupt_comes_between_what_its_cpu_does_and_in_no_order_with_other_cpus(
    machine: Machine, cpu: int, races: bool
) -> None:
    machine.step("a", 0, writes=True)
    machine.step("a", cpu, writes=True, interrupt=True)
    assert bool(machine.races()) == races


def test_who_an_interrupt_wakes_comes_after_it(machine: Machine) -> None:
    sleeper = task(7)
    machine.step(sleeper, 0, writes=True, wakes=[sleeper], interrupt=True)
    machine.step(sleeper, 1, ("enter", POINT, None), writes=True)
    assert machine.races() == []


def test_what_is_done_after_a_lock_was_given_back_is_not_ordered(machine: Machine) -> None:
    one = lock()
    machine.step("a", 0, ("unlock", RELEASE, one))
    machine.step("a", 0, writes=True)
    machine.step("b", 1, ("lock", ACQUIRE, one))
    machine.step("b", 1, writes=True)
    assert machine.races() == [("a", True, "b", True)]


def test_what_a_task_knows_of_another_does_not_grow_by_itself(machine: Machine) -> None:
    one = lock()
    machine.step("a", 0, ("unlock", RELEASE, one))
    machine.step("b", 1, ("lock", ACQUIRE, one))
    for _ in range(20):
        machine.step("b", 1)
        machine.step("c", 1)
    machine.step("a", 0, writes=True)
    machine.step("b", 1, writes=True)
    assert machine.races() == [("a", True, "b", True)]


def test_tasks_of_one_cpu_come_one_after_the_other(machine: Machine) -> None:
    machine.step("a", 0, writes=True)
    machine.step("b", 0, writes=True)
    machine.step("a", 0, writes=True)
    assert machine.races() == []


def test_what_a_task_did_before_it_left_a_cpu_comes_before_what_is_done_there(
    machine: Machine,
) -> None:
    machine.step("a", 0, writes=True)
    machine.step("a", 1)
    machine.step("b", 0, reads=True)
    assert machine.races() == []
    machine.step("a", 1, writes=True)
    machine.step("b", 0, reads=True)
    assert machine.races()[-1] == ("a", True, "b", False)


def test_who_is_woken_comes_after_the_whole_step_that_woke_it(machine: Machine) -> None:
    sleeper = task(7)
    machine.step("a", 0, writes=True, wakes=[sleeper])
    machine.step(sleeper, 1, ("enter", POINT, None), writes=True)
    assert machine.races() == []


def test_a_store_and_an_update_of_one_field_order_what_is_before_and_after(
    machine: Machine,
) -> None:
    flag = Thing()
    machine.step("a", 0, writes=True)
    machine.step("a", 0, ("store", STORE, (flag, "set", 1)))
    machine.step("b", 1, ("update", UPDATE, (flag, "set")))
    machine.step("b", 1, writes=True)
    assert machine.races() == []


def test_a_report_keeps_the_accesses_as_they_were(machine: Machine) -> None:
    machine.step("a", 0, writes=True)
    machine.step("b", 1, writes=True)
    machine.step("b", 1, writes=True)
    (race,) = machine.watch.races
    assert (race.first.step, race.second.step) == (1, 2)
    assert (race.first.where, race.field) == ("changes", "x")


class Checked(Thing):
    """Something that checks look at."""


def test_what_is_written_is_kept_for_checks(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.step("a", 0, writes=True)
    assert machine.watch.written == {}  # nobody would look
    monkeypatch.setitem(LOOKED_AT, Checked, frozenset("x"))
    machine.thing = Checked()
    machine.step("a", 0, reads=True)
    assert machine.watch.written == {}
    machine.step("a", 0, writes=True)
    assert list(machine.watch.written.values()) == [machine.thing]


def test_what_a_constructor_sets_is_no_access(machine: Machine) -> None:
    machine.step("a", 0)
    machine.watch.write(machine.thing, "x", 1, code_of("__init__"))
    assert machine.watch.where == {}


# -- what the fields tell --------------------------------------------------------------------------


def run(scenario: Scenario, seed: int, *, keep: bool = False) -> tuple[Any, Watch]:
    """Run a scenario once, at random."""
    watch = Watch(keep=keep)
    control = Control(scenario, RandomWalk(Random(seed), Learned()))
    return run_once(scenario, control, seed=seed, watch=watch), watch


def test_fields_are_slots_again_when_nobody_follows_them() -> None:
    before = [dict(cls.__dict__) for cls in (*WATCHED, Lock)]
    with following():
        assert type(TaskStruct.__dict__["state"]) is property
    assert [dict(cls.__dict__) for cls in (*WATCHED, Lock)] == before


@pytest.mark.usefixtures("followed")
def test_a_step_has_what_it_read_and_wrote(fork: Scenario) -> None:
    verdict, watch = run(fork, 1, keep=True)
    assert verdict.verdict.kind == CLEAN
    step = next(step for step in watch.steps if step.name == "exit_notify.tasklist_lock")
    modes = {
        (type(watch.names[number]).__name__, field): mode
        for (number, field), mode in step.footprint.items()
    }
    assert modes["TaskStruct", "exit_state"] & WRITE
    assert modes["TaskStruct", "real_parent"] == READ


@pytest.mark.usefixtures("followed")
def test_objects_have_the_same_labels_in_another_run_of_the_same_schedule(fork: Scenario) -> None:
    found = []
    for _ in range(2):
        _verdict, watch = run(fork, 3, keep=True)
        found.append(
            [
                (step.name, [(watch.labels.get(key[0]), key[1]) for key in step.footprint])
                for step in watch.steps
            ]
        )
    assert found[0] == found[1]


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize(
    "name",
    [
        "race/orphans_against_their_own_end.py",
        "race/two_waiters_one_zombie_at_once.py",
        "race/births_against_the_death_of_init.py",
    ],
)
def test_the_kernel_as_it_is_has_no_data_race(name: str) -> None:
    scenario = scenario_of(GUEST / name, cpus=4)
    for seed in range(3):
        verdict = run(scenario, seed)[0].verdict
        assert (verdict.kind, verdict.text) == (CLEAN, "")


@pytest.mark.usefixtures("followed")
def test_a_dropped_lock_shows_whenever_two_cpus_touch_what_it_guards() -> None:
    program = GUEST / "race" / "orphans_against_their_own_end.py"
    scenario = scenario_of(program, cpus=3, mutations=("exit_notify.tasklist_lock",))
    kinds = [run(scenario, seed)[0].verdict.kind for seed in range(4)]
    assert set(kinds) <= {RACE, BROKEN}


@pytest.mark.usefixtures("followed")
def test_a_fork_that_a_signal_comes_before_takes_its_note_back_under_siglock() -> None:
    scenario = scenario_of(GUEST / "race" / "births_against_the_death_of_init.py", cpus=4)
    names = set()
    for seed in range(6):
        verdict, watch = run(scenario, seed, keep=True)
        assert verdict.verdict.kind == CLEAN
        names |= {step.name for step in watch.steps}
    assert "copy_process.fork_out_lock" in names


def test_an_access_in_a_comprehension_is_that_of_its_function(machine: Machine) -> None:
    code = (lambda values: [value for value in values]).__code__.co_consts[1]  # noqa: C416
    assert code.co_name == "<listcomp>"
    machine.step("a", 0, writes=True)
    path = SimpleNamespace(op=POINT_OP, task="b", cpu=1, held=[], skipped=[], interrupt=False)
    machine.watch.begin(path)
    machine.watch.go_on(path)
    machine.watch.first(machine.thing, (id(machine.thing), "x"), 0, code)
    machine.watch.end()
    (race,) = machine.watch.races
    assert race.second.where == "test_an_access_in_a_comprehension_is_that_of_its_function"


def test_a_second_writer_of_a_field_of_one_writer_is_reported_whatever_lets_it_do_so() -> None:
    assert excused("TaskStruct", "flags", "copy_process", write=True)
    for functions in (("copy_process", "copy_process"), ("copy_process", "exit_signals")):
        machine = Machine()
        task = TaskStruct.__new__(TaskStruct)
        for number, name in enumerate(functions):
            path = SimpleNamespace(  # neither comes after the other
                op=POINT_OP,
                task=f"task {number}",
                cpu=number,
                held=[],
                skipped=[],
                interrupt=False,
            )
            machine.watch.begin(path)
            machine.watch.go_on(path)
            machine.watch.write(task, "flags", 0, code_of(name))
            machine.watch.end()
        assert [race.field for race in machine.watch.races] == ["flags"]


def test_a_field_of_one_writer_may_go_from_one_to_the_next_in_order() -> None:
    machine = Machine()
    task = TaskStruct.__new__(TaskStruct)
    for actor in ("task 1", "task 2"):
        path = SimpleNamespace(op=POINT_OP, task=actor, cpu=0, held=[], skipped=[], interrupt=False)
        machine.watch.begin(path)
        machine.watch.go_on(path)
        machine.watch.write(task, "flags", 0, code_of("copy_process"))
        machine.watch.end()
    assert machine.watch.races == []


def follow(held: Sequence[tuple[Any, str, bool]], found: object) -> list[str]:
    """Set a pointer to what was changed before; return in what who follows it races with that."""
    machine = Machine()
    pid, leader = Pid.__new__(Pid), object()
    steps = (
        ("setter", 0, "copy_process", (lock(), "a_lock", False)),
        ("finder", 1, "find_task_by_vpid", *held),
    )
    for who, cpu, name, *locks in steps:
        path = SimpleNamespace(
            op=POINT_OP, task=who, cpu=cpu, held=locks, skipped=[], interrupt=False
        )
        machine.watch.begin(path)
        machine.watch.go_on(path)
        if cpu:
            machine.watch.first(pid, (id(pid), "task"), found, code_of(name))
            machine.watch.first(leader, (id(leader), "y"), 1, code_of(name))
        else:
            machine.watch.write(leader, "y", 1, code_of(name))
            machine.watch.write(pid, "task", found, code_of(name))
        machine.watch.end()
    return [race.field for race in machine.watch.races]


def test_who_follows_a_pointer_of_rcu_comes_after_what_was_done_before_it_was_set() -> None:
    assert follow((), object()) == []


def test_who_finds_a_pointer_of_rcu_taken_away_comes_after_nothing() -> None:
    assert follow((), None) == ["y"]


def test_who_relies_on_the_lock_of_a_pointer_is_not_ordered_by_the_pointer() -> None:
    tasklist_lock = SimpleNamespace(name="tasklist_lock")
    assert follow(((tasklist_lock, "here", False),), object()) == ["task", "y"]


@pytest.mark.parametrize(
    ("of", "field", "by_reader", "told"),
    [
        (Pid, "session", True, "Pid.session in writes(), with tasklist_lock held"),
        (Pid, "session", False, ""),
        (TaskStruct, "exit_state", True, ""),  # a compare-and-exchange
        (TaskStruct, "blocked", True, ""),  # this lock is not the field's
    ],
)
def test_who_has_the_lock_of_a_field_for_reading_only_may_not_write_it(
    of: Any, field: str, by_reader: bool, told: str
) -> None:
    machine = Machine()
    obj, held = of.__new__(of), (SimpleNamespace(name="tasklist_lock"), "here", by_reader)
    path = SimpleNamespace(op=POINT_OP, task="a", cpu=0, held=[held], skipped=[], interrupt=False)
    machine.watch.begin(path)
    machine.watch.go_on(path)
    machine.watch.write(obj, field, 1, code_of("writes"))
    machine.watch.end()
    found = machine.watch.shared_writes
    assert found == ([f"a reader writes: {told} for reading only"] if told else [])


def test_nobody_writes_whom_a_mutation_has_made_a_reader_excused_or_not() -> None:
    for point, told in (
        ("shmat.lock", ["SharedPages.users in attaches(), with shm_perm held for reading only"]),
        ("do_wait.tasklist_lock", []),  # a reader in any case
    ):
        machine = Machine()
        pages = SharedPages.__new__(SharedPages)
        held = [(SimpleNamespace(name="shm_perm"), point, True)]
        path = SimpleNamespace(
            op=POINT_OP, task="a", cpu=0, held=held, skipped=[], interrupt=False
        )  # fmt: skip
        machine.watch.begin(path)
        machine.watch.go_on(path)
        machine.watch.write(pages, "users", 2, code_of("attaches"))
        machine.watch.end()
        assert machine.watch.shared_writes == [f"a reader writes: {one}" for one in told]


def test_a_point_that_stores_is_a_write_of_who_has_the_lock() -> None:
    for by_reader in (True, False):
        machine = Machine()
        child = task(7)
        held = [(SimpleNamespace(name="alloc_lock"), "complete_vfork_done.task_lock", by_reader)]
        store = ("complete_vfork_done.done", STORE, (child, "vfork_done", None))
        machine.step(child, 0, store, held=held)
        assert bool(machine.watch.shared_writes) == by_reader


@pytest.mark.parametrize(
    ("order", "mutated", "raced"),
    [
        (BARRIER, WHOLE, False),
        (BARRIER, DROPPED, True),
        (READ_BARRIER, WHOLE, True),
        (WRITE_BARRIER, WHOLE, True),
    ],
)
def test_the_last_user_frees_memory_after_all_that_others_did_in_it(
    order: int, mutated: int, raced: bool
) -> None:
    machine = Machine()
    machine.watch.of_model("arm")
    mm = MmStruct.__new__(MmStruct)
    for pid, code in ((1, "mmap_region"), (2, "exit_mmap")):
        user = task(pid)
        user.mm = mm
        for name, kind in (("use", POINT), ("mmput.users", order), ("free", POINT)):
            path = SimpleNamespace(
                op=(name, kind, mm if kind == order else None),
                task=user, cpu=pid, held=[], skipped=[], interrupt=False, mutated=mutated,
            )  # fmt: skip
            machine.watch.begin(path)
            machine.watch.go_on(path)
            if name == ("use" if pid == 1 else "free"):
                machine.watch.first(mm, (id(mm), "vmas"), [], code_of(code))
            if kind == order:  # what the count has come to orders nobody who was let not
                machine.watch.first(mm, (id(mm), "users"), 3 - pid, code_of("mmput"))
                machine.watch.write(mm, "users", 2 - pid, code_of("mmput"))
            machine.watch.end()
    found = [(race.field, race.second.where) for race in machine.watch.races]
    assert found == ([("vmas", "exit_mmap")] if raced else [])


def test_who_has_seen_a_task_off_its_cpu_comes_after_what_it_did() -> None:
    for still in (True, False):
        machine = Machine()
        sleeper = task(7)
        machine.step(sleeper, 0, writes=True)
        machine.step(sleeper, 0, wakes=() if still else (sleeper,))
        path = SimpleNamespace(
            op=POINT_OP, task="other", cpu=1, held=[], skipped=[], interrupt=False
        )
        machine.watch.begin(path)
        machine.watch.go_on(path)
        machine.watch.first(sleeper, (id(sleeper), "on_rq"), still, code_of("looks"))
        machine.watch.end()
        machine.step("other", 1, writes=True)
        assert len(machine.races()) == still


def test_marks_name_fields_that_are_followed() -> None:
    followed = {
        f"{cls.__name__}.{field}"
        for cls in WATCHED
        for field in cls.__dict__.get("__slots__", ())
        if field not in UNSHARED.get(cls, ())
    }
    assert set(ONE_WRITER) | PUBLISHED <= followed


@pytest.mark.parametrize("program", ["thread/exec_from_non_leader.py", "ptrace/follow_forks.py"])
def test_checks_of_what_was_written_look_at_no_field_that_is_not_listed(program: str) -> None:
    looks = Watch(keep=True)
    looks._clocks[None] = {}  # nobody's steps

    def look(kernel: Any) -> None:
        task = kernel.current
        if kernel.tasklist_lock.owner is None and task is not None:
            looks.step += 1
            before, _active[0] = _active[0], looks
            check_task(kernel, task, [])
            _active[0] = before

    scenario = scenario_of(GUEST / program)
    control = Control(scenario, RandomWalk(Random(1), Learned()))
    with following():
        run_once(scenario, control, watch=Watch(), checks=look)
    fields = {(type(looks.names[number]), field) for number, field in looks.where}
    of_others = {
        (of, field)
        for of, field in fields
        if of in LOOKED_AT and field not in LOOKED_AT[of] and field not in STATES
    }
    assert {field for of, field in fields if of is TaskStruct} >= {"children", "state", "signal"}
    assert of_others == set()


def test_a_published_pointer_is_followed_by_somebody_without_its_lock() -> None:
    assert all(excused_of(*name.split(".")) is not None for name in PUBLISHED)
