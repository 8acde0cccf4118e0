"""What is listed is what there is: points, watched fields, their guards and reasons."""

import ast
import json
from pathlib import Path

import pytest

from cluster import fast_core
from cluster.cli.main import run_command as main
from cluster.point_names import point_kinds

pytestmark = pytest.mark.skipif(fast_core.core() == "compiled", reason="only the pure core")

from cluster.race.fields import REASONS, UNSHARED, WATCHED, excused  # noqa: E402
from cluster.race.guards import GUARDS, IDLE_LOCKS  # noqa: E402
from cluster.race.points import LOCK, listed_fields, listed_points, unguarded  # noqa: E402
from kernel.points import ACQUIRE, BARRIER, KIND_NAMES, READ  # noqa: E402

KERNEL = Path(__file__).parents[3] / "kernel"
SLOTS = {cls.__name__: tuple(cls.__dict__["__slots__"]) for cls in WATCHED}


def test_every_field_that_is_watched_has_a_guard_or_a_reason():
    assert unguarded() == []


def test_guards_and_reasons_name_fields_that_are_watched():
    for name in (*GUARDS, *REASONS):
        of, field = name.split(".")
        assert field == "*" or field in SLOTS[of], name
    for cls, fields in UNSHARED.items():
        assert not set(fields) - set(cls.__dict__["__slots__"])


def test_a_lock_that_guards_is_one_that_the_kernel_makes():
    texts = "".join(path.read_text("utf-8") for path in KERNEL.rglob("*.py"))
    for field in listed_fields():
        if field.how == LOCK:
            name = field.guard.removeprefix("ids.")
            assert f'"{name}"' in texts or f'{name}"' in texts, field


def test_reasons_name_functions_of_the_kernel():
    known = {
        node.name
        for path in KERNEL.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for field, (functions, why) in REASONS.items():
        assert why, field
        assert [name for name in functions if name.removesuffix(" reads") not in known] == [], field


def test_all_points_are_listed_with_kind_and_place():
    listed = {point.name: point for point in listed_points()}
    assert {name: point.kind for name, point in listed.items()} == {
        name: KIND_NAMES[kind] for name, kind in point_kinds().items()
    }
    point = listed["exit_notify.tasklist_lock"]
    assert (point.kind, point.about, point.function) == ("acquire", "lock", "exit_notify")
    file, _, line = point.place.partition(":")
    text = (KERNEL.parent / file).read_text("utf-8").splitlines()[int(line) - 1]
    assert '"exit_notify.tasklist_lock"' in text


def test_locks_that_guard_nothing_are_locks():
    kinds = point_kinds()
    for name, why in IDLE_LOCKS.items():
        assert kinds[name] in (ACQUIRE, READ, BARRIER) and why


def test_a_function_may_read_what_it_may_not_write():
    assert excused("KthreadList", "requests", "kthreadd", False)
    assert not excused("KthreadList", "requests", "kthreadd", True)
    assert not excused("TaskStruct", "children", "do_wait", False)


def test_the_command_prints_both_lists(capsys):
    assert main(["race", "points"]) == 0
    out = capsys.readouterr().out
    assert "exit_notify.tasklist_lock" in out and "SighandStruct.action" in out
    assert main(["race", "points", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["points"]) == len(point_kinds())
    fields = {field["name"]: field for field in data["fields"]}
    assert fields["SighandStruct.action"]["guard"] == "siglock"
