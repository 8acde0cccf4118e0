"""Parts from outside: one loader for classes, schemes, choosers and memory models."""

import ast
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from cluster import driver_parts, plugins
from cluster.build import resolve
from cluster.codec import pack, unpack_plain
from cluster.config.errors import ConfigError
from cluster.config.load import parse_config
from cluster.driver_parts import GuardedModel
from cluster.engine_api import BROKEN, DONE, RunRequest, RunResult, kernel_failure
from cluster.local_engine import run_local
from cluster.plugins import CHOOSER, KINDS, Kind, PartBroken, PluginError, load, source_of
from cluster.ray_engine import run_ray
from cluster.request import request_of
from cluster.sync import scheme
from kernel.drive import chooser, memory
from kernel.machine import MachineSpec

DATACLASS = """\
from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_type_hints


@dataclass(slots=True)
class Mine:
    seen: list[int] = field(default_factory=list)


assert get_type_hints(Mine) == {"seen": list[int]}
"""
CHOOSER_FILE = """\
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Counting:
    asked: list[int] = field(default_factory=list)

    def begin(self, seed: int) -> None:
        self.asked.clear()

    def choose(self, enabled: list[object]) -> int:
        self.asked.append(len(enabled))
        return len(enabled) - 1

    def number(self, bound: int) -> int:
        return 0
"""
SCHEME_FILE = """\
from cluster.sync.barrier import Barrier


class Mine(Barrier):
    name = "mine"
"""
MEMORY_FILE = """\
from kernel.drive.memory import SequentialConsistency


class Counted(SequentialConsistency):
    loads = 0

    def load(self, cpu, obj, field, kind):
        Counted.loads += 1
        return super().load(cpu, obj, field, kind)
"""


def request(folder: Path, text: str) -> RunRequest:
    config = (
        f"{text}\nworkloads: [{{program: fork_exec_storm, params: {{parents: 2, children: 2}}}}]"
    )
    loaded = parse_config("c.yaml", config, folder)
    return request_of(loaded, resolve(loaded))


def problem(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        request(folder, textwrap.dedent(text))
    return "\n".join(str(each) for each in caught.value.problems)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, "utf-8")


# -- the loader ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_a_file_may_have_a_dataclass_and_annotations_that_are_not_evaluated(
    tmp_path: Path, kind: Kind
) -> None:
    write(tmp_path, "mine.py", DATACLASS)
    assert load(kind, source_of("mine.py:Mine", tmp_path))(seen=[1]).seen == [1]


def test_the_same_text_is_the_same_part_and_another_text_of_that_name_another(
    tmp_path: Path,
) -> None:
    write(tmp_path, "mine.py", "class Mine: one = 1")
    first, again = (load(CHOOSER, source_of("mine.py:Mine", tmp_path)) for _ in range(2))
    write(tmp_path, "mine.py", "class Mine: one = 2")
    second = load(CHOOSER, source_of("mine.py:Mine", tmp_path))
    assert first is again
    assert (first.one, second.one) == (1, 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class Mine(:\n", "mine.py:1:12: invalid syntax"),
        ("import os\nnothing()\n", "mine.py:2: NameError: name 'nothing' is not defined"),
        ("", "mine.py: there is no Mine in it"),
        ("class Mina: pass", "mine.py: there is no Mine in it (did you mean Mina?)"),
        ("import sys\nsys.exit('no\\nmore')\n", "mine.py:2: SystemExit: no more"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_the_same_words_for_every_kind(
    tmp_path: Path, text: str, told: str
) -> None:
    write(tmp_path, "mine.py", text)
    for kind in KINDS:
        with pytest.raises(PluginError) as caught:
            load(kind, source_of("mine.py:Mine", tmp_path))
        assert str(caught.value) == told


def test_a_part_that_fails_in_a_run_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "mine.py", CHOOSER_FILE.replace("self.asked.append", "self.asked.push"))
    asked = request(tmp_path, 'granularity: step\nsync: {tie_break: "mine.py:Counting"}')
    with pytest.raises(AttributeError) as caught:
        run_local(asked)
    assert kernel_failure(caught.value, asked.spec) == (
        BROKEN,
        "the chooser fails: mine.py:14: AttributeError: 'list' object has no attribute 'push'",
    )


@pytest.mark.parametrize(
    ("key", "base", "body", "told"),
    [
        (
            "sync: {tie_break",
            "kernel.drive.chooser InOrder",
            "def choose(self, enabled): return None",
            "the chooser Mine fails: choose must return a number from 0 to 0 (got None)",
        ),
        (
            "sync: {tie_break",
            "kernel.drive.chooser InOrder",
            "def number(self, bound): return bound",
            "the chooser Mine fails: number must return a number from 0 to ",
        ),
        (
            "machine: {memory_model",
            "kernel.drive.memory SequentialConsistency",
            "buffers = True\n    def drains(self): return None",
            "the memory model Mine fails: drains must return a list of Drains (got None)",
        ),
        (
            "machine: {memory_model",
            "kernel.drive.memory SequentialConsistency",
            "def store(self, cpu, obj, field, value, kind): return 3",
            "the memory model Mine fails: store must return a Drain or None (got ",
        ),
    ],
)
def test_a_part_that_answers_with_nonsense_ends_the_run_and_is_named(
    tmp_path: Path, key: str, base: str, body: str, told: str
) -> None:
    module, parent = base.split()
    write(tmp_path, "mine.py", f"from {module} import *\nclass Mine({parent}):\n    {body}\n")
    asked = request(tmp_path, f'granularity: step\n{key}: "mine.py:Mine"}}')
    with pytest.raises(PartBroken) as caught:
        run_local(asked)
    failed = kernel_failure(caught.value, asked.spec)
    assert failed is not None
    kind, message = failed
    assert kind == BROKEN
    assert message.startswith(told)


def test_a_drain_that_does_not_make_its_store_visible_ends_the_run() -> None:
    held = memory.Drain(0, None, "field", 1)

    class Stuck(memory.SequentialConsistency):
        def drains(self) -> list[memory.Drain]:
            return [held]

        def drain(self, entry: memory.Drain) -> None:
            pass

    with pytest.raises(PartBroken, match="the memory model Stuck fails: drain has not made <store"):
        GuardedModel(Stuck()).drain(held)


# -- refused ---------------------------------------------------------------------------------------


def test_another_scheduling_class_of_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "toy_class.py").read_text("utf-8")
    write(tmp_path, "one.py", text)
    write(tmp_path, "two.py", text + "\n")
    request(tmp_path, 'sched: {fair: "one.py:Toy"}')
    request(tmp_path, 'sched: {fair: "one.py:Toy"}')
    found = problem(tmp_path, 'sched: {fair: "two.py:Toy"}')
    assert "c.yaml:1:15: sched.fair: the name 'toy' stands for another class" in found


@pytest.mark.parametrize("key", ["sync: {tie_break", "machine: {memory_model", "sync: {scheme"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Mine = 3", "is a class, not 3 (got 'mine.py:Mine')"),
        ("class Mine: pass", " needs "),
        (
            "class Mine:\n    begin = choose = number = limit = ready = horizons = 1\n"
            "    load = store = update = barrier = drains = drain = 1\n"
            "    name = deterministic = engines = settles = buffers = 'a'",
            " is no function",
        ),
    ],
)
def test_a_class_that_is_no_such_part_is_refused_where_it_is_named(
    tmp_path: Path, key: str, text: str, told: str
) -> None:
    write(tmp_path, "mine.py", text)
    found = problem(tmp_path, f'granularity: step\n{key}: "mine.py:Mine"}}')
    assert found.startswith("c.yaml:2:")
    assert told in found


def test_a_part_that_cannot_be_made_is_refused_with_what_it_raises(tmp_path: Path) -> None:
    write(tmp_path, "mine.py", "class Mine:\n    def __init__(self):\n        1 / 0\n")
    found = problem(tmp_path, 'granularity: step\nsync: {tie_break: "mine.py:Mine"}')
    assert "Mine() raises ZeroDivisionError: division by zero" in found


@pytest.mark.parametrize(
    ("of", "needed"),
    [
        ("kernel.drive.chooser Chooser", driver_parts._ROLES["tie_break"].needed),
        ("kernel.drive.memory MemoryModel", driver_parts._ROLES["memory_model"].needed),
        ("cluster.sync.scheme Scheme", scheme._NEEDED),
    ],
    ids=lambda of: of.split()[-1] if isinstance(of, str) else "",
)
def test_what_is_looked_at_is_what_a_kind_of_parts_has(of: str, needed: plugins.Needed) -> None:
    module, name = of.split()
    file = Path(__file__).parents[2] / f"{module.replace('.', '/')}.py"
    tree = ast.parse(file.read_text("utf-8"))
    (kind,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    methods = {
        node.name: ", ".join(each.arg for each in node.args.args[1:])
        for node in kind.body
        if isinstance(node, ast.FunctionDef)
    }
    attributes = {node.target.id for node in kind.body if isinstance(node, ast.AnnAssign)}
    assert {name: what for name, what in needed.items() if isinstance(what, str)} == methods
    assert {name for name, what in needed.items() if not isinstance(what, str)} == attributes


# -- memory models ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "lkmm",
            "lkmm judges executions that are over, for smplab litmus alone: use sc, tso, ",
        ),
        ("x86", "must be one of sc, tso, pso, arm, weak, or FILE.py:CLASS (got 'x86')"),
        ("gone.py:Mine", "gone.py: No such file or directory"),
    ],
)
def test_a_memory_model_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, name: str, told: str
) -> None:
    found = problem(tmp_path, f"granularity: step\nmachine: {{memory_model: {name!r}}}")
    assert found.startswith("c.yaml:2:25: machine.memory_model: ")
    assert told.replace("one of ", "") in found.replace("one of ", "")


def test_a_memory_model_is_one_class_in_one_file_and_does_the_accesses_of_paths(
    tmp_path: Path,
) -> None:
    write(tmp_path, "mine.py", MEMORY_FILE)
    text = 'granularity: step\nmachine: {memory_model: "mine.py:Counted"}'
    asked = request(tmp_path, text)
    given = run_local(asked)
    plain = run_local(request(tmp_path, "granularity: step\nmachine: {memory_model: sc}"))
    assert (given.exit_kind, given.digest) == (DONE, plain.digest)
    assert load(plugins.MEMORY_MODEL, asked.spec.memory_model_from).loads > 0
    found = problem(tmp_path, 'machine: {memory_model: "mine.py:Counted"}')
    assert "mine.py:Counted is for granularity step" in found


# -- on other hosts --------------------------------------------------------------------------------

ALL = """\
granularity: step
engine: {engine}
machine: {{cpus: 2, memory_model: "memory_file.py:Counted"}}
sync: {{scheme: "scheme_file.py:Mine", tie_break: "chooser_file.py:Counting"}}
"""


def with_all(folder: Path, engine: str) -> RunRequest:
    write(folder, "chooser_file.py", CHOOSER_FILE)
    write(folder, "scheme_file.py", SCHEME_FILE)
    write(folder, "memory_file.py", MEMORY_FILE)
    asked = request(folder, ALL.format(engine=engine))
    for file in folder.glob("*_file.py"):
        file.unlink()
    plugins._modules.clear()
    chooser._CHOOSERS.clear()
    memory._MODELS.clear()
    return asked


def test_a_run_needs_no_file_of_its_parts_once_its_configuration_was_read(
    tmp_path: Path,
) -> None:
    asked = with_all(tmp_path, "local")
    asked.spec = MachineSpec.from_plain(unpack_plain(pack(asked.spec.to_plain())))
    result = run_local(asked)
    assert (result.exit_kind, result.summary["run"]["scheme"]) == (DONE, "mine")


@pytest.mark.ray
def test_the_actors_of_a_cluster_need_no_file_of_a_scheme_a_chooser_or_a_memory_model(
    local_ray: object, tmp_path: Path
) -> None:
    asked = with_all(tmp_path, "ray")
    on_ray: RunResult = run_ray(replace(asked, address="auto"))
    assert (on_ray.exit_kind, on_ray.message) == (DONE, "")
    assert on_ray.digest == run_local(asked).digest
