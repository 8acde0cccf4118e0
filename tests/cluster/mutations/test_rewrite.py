"""Code that mutations move, swap, split and leave out; and what of that makes no sense."""

import ast
import dis
from importlib import import_module

import pytest

from cluster import fast_core
from cluster.mutations.changed import code_of, needs_pure_core, wrong_mutations
from cluster.mutations.install import install
from cluster.mutations.rewrite import admitted, apply
from cluster.mutations.source import Edited, kinds_by_text, paths
from cluster.point_names import point_kinds
from kernel.drive.mutations import parse


def changed(mutation: str, function: str) -> list[str]:
    """Return the lines of a function of the kernel as ``mutation`` makes it."""
    edited = Edited()
    apply(edited, parse(mutation))
    node = next(node for (_, name), node in edited.functions.items() if name == function)
    return [line.strip() for line in ast.unparse(node).splitlines()]


def why_not(*mutations: str) -> list[str]:
    return [why for _place, why, _hint in wrong_mutations(mutations)]


def test_a_release_is_moved_before_another_one() -> None:
    lines = changed(
        "move:copy_process.tasklist_unlock:before:copy_process.siglock_done", "_link_child"
    )
    assert lines[-2:] == [
        "yield ('copy_process.tasklist_unlock', RELEASE, tasklist_lock)",
        "yield ('copy_process.siglock_done', RELEASE, siglock)",
    ]


def test_a_call_that_leads_to_a_point_is_moved_where_another_one_leads_to_the_other() -> None:
    lines = changed("move:set_task_state.store@do_wait#1:after:do_wait.tasklist_lock", "do_wait")
    at = lines.index("result = (yield from wait_scan(k, wo))")
    assert lines[at - 1] == "while True:"
    assert lines[at + 1] == "yield from set_current_state(k, TASK_INTERRUPTIBLE)"


def test_what_only_names_a_lock_comes_along_with_the_point_that_takes_it() -> None:
    lines = changed("swap:copy_process.tasklist_lock:copy_process.siglock", "_link_child")
    first = lines.index("yield ('copy_process.siglock', ACQUIRE, siglock)")
    assert lines[first - 1] == "siglock = current.sighand.siglock"
    assert first < lines.index("yield ('copy_process.tasklist_lock', ACQUIRE, tasklist_lock)")


def test_a_block_is_moved_out_of_the_way_of_a_compound_statement() -> None:
    lines = changed(
        "move:kthread_unpark.should_park+:before:kthread_bind_mask.pi_lock", "kthread_unpark"
    )
    at = lines.index("yield ('kthread_unpark.should_park', BARRIER, task)")
    assert lines[at + 1] == "kthread.flags &= ~KTHREAD_SHOULD_PARK"
    assert lines[at + 2].startswith("if kthread.flags & KTHREAD_IS_PER_CPU")


def test_an_atomic_operation_is_split_into_its_load_and_its_store() -> None:
    lines = changed("weaken:mmput.users:split", "mmput")
    at = lines.index("mutation__1 = mm.users - 1")
    assert lines[at + 1 : at + 3] == [
        "yield ('mmput.users.split', 0, None)",
        "mm.users = mutation__1",
    ]


def test_what_a_split_update_stores_is_stored_by_the_rules_of_the_memory_model() -> None:
    lines = changed("weaken:atomic.update", "sys_atomic")
    assert "data = (yield ('atomic.update', 7, (word, 'data')))" in lines
    assert "yield ('atomic.update.split', 8, (word, 'data', mutation__1))" in lines


def test_the_test_at_a_plain_point_is_left_out() -> None:
    lines = changed("drop:copy_process.nr_threads", "copy_process")
    assert "yield ('copy_process.nr_threads', POINT, tasks)" in lines
    assert not any("max_threads" in line for line in lines if line.startswith("if"))
    assert "copy_files(k, clone_flags, child)" in lines


def test_every_weakening_and_dropping_that_is_listed_is_one() -> None:
    edited = Edited()
    for name in paths().points:
        words = [word for word in admitted(edited, name) if word not in ("move", "swap")]
        parts = [word.partition(":") for word in words]
        texts = [f"{action}:{name}{colon}{how}" for action, colon, how in parts]
        assert [list(wrong_mutations([text])) for text in texts] == [[] for _ in texts]


def test_mutations_of_one_function_add_up() -> None:
    edited = Edited()
    for text in (
        "move:copy_process.tasklist_unlock:before:copy_process.siglock_done",
        "swap:copy_process.tasklist_lock:copy_process.siglock",
    ):
        apply(edited, parse(text))
    (node,) = edited.functions.values()
    names = [
        part.value.elts[0].value  # type: ignore[attr-defined]
        for part in ast.walk(node)
        if isinstance(part, ast.Yield) and isinstance(part.value, ast.Tuple)
    ]
    assert names.index("copy_process.siglock") < names.index("copy_process.tasklist_lock")
    assert names.index("copy_process.tasklist_unlock") < names.index("copy_process.siglock_done")


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        ("drop:nowhere.lock", "there is no point nowhere.lock"),
        ("drop:try_to_wake_up.state", "what this load reads is needed: weaken or move it"),
        ("weaken:try_to_wake_up.state", "a load that can be no weaker: move it"),
        ("weaken:set_task_state.smp_mb:split", "can be weakened to wmb, rmb, not to 'split'"),
        ("drop:wait_task_inactive.relax", "has no code of its own that could be left out"),
        (
            "move:do_wait.tasklist_lock:before:try_to_wake_up.nothing",
            "there is no point try_to_wake_up.nothing",
        ),
        (
            "move:exit_mm.clear_mm:before:copy_process.siglock@_link_child",
            "_link_child() does not lead to both exit_mm.clear_mm and copy_process.siglock",
        ),
        ("drop:do_wait.tasklist_lock@do_exti", "there is no function do_exti()"),
        ("drop:do_wait.tasklist_lock@exit_mm", "exit_mm() does not lead to do_wait.tasklist_lock"),
        (
            "move:set_task_state.store@do_wait:after:do_wait.tasklist_lock",
            "do_wait() leads to set_task_state.store by 2 statements",
        ),
        (
            "move:copy_process.siglock_done:before:copy_process.tasklist_unlock",
            "changes nothing: what stands there does the same already",
        ),
        (
            "move:alloc_pid.publish_lock:before:alloc_pid.publish_lock",
            "no function has alloc_pid.publish_lock and alloc_pid.publish_lock in two statements",
        ),
        (
            "move:futex.retry_cmpxchg+:before:futex.lock_cmpxchg",
            "line ",
        ),
        (
            "move:setns.user:before:unshare.task_lock",
            "no path leads to both setns.user and unshare.task_lock",
        ),
        (
            "move:ptrace_check_attach.inactive:before:ptrace_freeze_traced.siglock_done",
            "leaves a loop without a point",
        ),
        (
            "swap:do_group_exit.siglock:do_group_exit.siglock_done@do_exit",
            "do_exit() does not lead to both",
        ),
    ],
)
def test_what_makes_no_sense_is_told(mutation: str, why: str) -> None:
    (told,) = why_not(mutation)
    assert told.startswith(why)


def test_an_unknown_point_brings_the_nearest_name() -> None:
    ((_place, _why, hint),) = wrong_mutations(["drop:do_wait.tasklst_lock"])
    assert hint == "; did you mean do_wait.tasklist_lock?"


def test_of_two_points_the_one_that_there_is_not_is_named_with_the_nearest_even_if_none_is_near():
    swap = "swap:do_wait.tasklist_lock:"
    told = list(wrong_mutations([swap + "do_wait.tasklst_unlock", swap + "nothing.here"]))
    assert told[0][1] == "there is no point do_wait.tasklst_unlock"
    assert told[0][2] == "; did you mean do_wait.tasklist_unlock?"
    assert told[1][1] == "there is no point nothing.here"
    assert told[1][2].startswith("; the nearest is ")


def test_a_mutation_that_makes_no_sense_leaves_the_function_as_it_was() -> None:
    edited = Edited()
    key = paths().points["copy_process.siglock"].key
    before = ast.dump(edited.function(key))
    with pytest.raises(ValueError, match="changes nothing"):
        apply(edited, parse("move:copy_process.siglock_done:before:copy_process.tasklist_unlock"))
    assert ast.dump(edited.function(key)) == before


def test_all_lists_of_points_have_the_same() -> None:
    assert {point.name: point.kind for point in paths().points.values()} == point_kinds()
    others = {name: kind for name, kind in point_kinds().items() if name not in kinds_by_text()}
    assert set(others) <= {"do_madvise.mmap_lock"}
    assert kinds_by_text().items() <= point_kinds().items()


def test_the_code_of_every_path_finds_its_names_in_its_module() -> None:
    for key, node in paths().functions.items():
        if not any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node)):
            continue
        known = {*vars(import_module(key[0])), *vars(import_module("builtins"))}
        code = code_of(str(paths().file(key)), node)
        globals_read = {
            one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL"
        }
        assert globals_read <= known, key


@pytest.fixture
def pure_core() -> None:
    if fast_core.core() == "compiled":
        pytest.skip("code is changed in the pure core only")


@pytest.mark.usefixtures("pure_core")
def test_code_is_changed_in_place_and_comes_back() -> None:
    module, name = paths().points["mmput.users"].key
    function = getattr(import_module(module), name)
    own = function.__code__
    install(["weaken:mmput.users:split"])
    assert function.__code__ is not own
    assert function.__code__.co_filename.endswith("kernel/mm/mm.py")
    install(["drop:mmput.users"])
    assert function.__code__ is own
    install(["move:alloc_pid.pidmap_unlock:before:alloc_pid.pidmap_lock"])
    assert function.__code__ is own
    install([])


def test_what_moves_code_or_asks_who_calls_needs_the_pure_core() -> None:
    assert needs_pure_core("move:alloc_pid.pidmap_unlock:before:alloc_pid.pidmap_lock")
    assert needs_pure_core("drop:do_wait.tasklist_lock@do_wait")
    assert not needs_pure_core("drop:do_wait.tasklist_lock")
