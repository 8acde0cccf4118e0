"""The compiled core: found only if it is that of the source, and the same bytes as the pure one."""

import ast
import builtins
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cluster import compile_core, fast_core
from cluster.catalogue import config_names
from cluster.compile_core import CannotCompile, check_tools, modules
from cluster.core import forms
from tests.cluster.core_outcomes import GRANULARITIES, SCHEMES
from tests.cluster.kinds import KINDS, Outcomes, start

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "kernel").rglob("*.py"))

# A storm with traces under both schemes: forks, execs, exits, waits, wake-ups, pulls, signals.
RUN = """
from pathlib import Path
from cluster import fast_core  # settles the core, so before the kernel
import kernel.state, workloads
from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import RunRequest
programs = Path(workloads.__file__).parent / "programs"
print(fast_core.core(), fast_core.has_forms(), kernel.state.__file__.endswith(".py"))
for name, args in (
    ("fork_exec_storm", ["parents=4", "children=5"]),
    ("fork_exec_storm", ["parents=4", "children=5", "method=vfork"]),
    ("thread_group_exit", ["groups=2", "threads=4", "mode=exec_nonleader"]),
    ("prefork_server", ["workers=3", "requests=30"]),
    ("cow_touch", ["pages=8", "children=2", "rounds=2"]),
):
    for scheme, granularity in (("barrier", "syscall"), ("exact", "syscall"), ("exact", "step")):
        spec = guest_spec(
            programs / (name + ".py"), args, cpus=4, trace=True, granularity=granularity
        )
        result = run_machine(RunRequest(spec, scheme=scheme))
        print(name, scheme, granularity, result.exit_kind, result.digest)
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working tree with a package of one module, taken for this one."""
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "state.py").write_text("x = 1\n")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(fast_core, "ROOT", tmp_path)
    return tmp_path


def test_a_build_is_not_found_after_an_edit(tree: Path) -> None:
    assert fast_core.find() is None
    build = fast_core.builds_dir() / fast_core.key()
    build.mkdir(parents=True)
    assert fast_core.find() == build
    (tree / "kernel" / "state.py").write_text("x = 2\n")
    assert fast_core.find() is None
    (tree / "kernel" / "state.py").write_text("x = 1\n")
    assert fast_core.find() == build
    (tree / "kernel" / "new.py").write_text("")
    assert fast_core.find() is None


def test_old_builds_go_when_a_new_one_is_made(tree: Path) -> None:
    builds = fast_core.builds_dir()
    old, recent, new = builds / "old", builds / "recent", builds / "new"
    for path in (old, recent, new):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    forms.remove_old(fast_core.ROOT, builds, new)
    assert [path.exists() for path in (old, recent, new)] == [False, True, True]


def test_a_wrong_mode_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fast_core.VARIABLE, "fast")
    problem = fast_core.problem()
    assert "'fast'" in problem and "auto, compiled, pure" in problem
    monkeypatch.setenv(fast_core.VARIABLE, "auto")
    assert fast_core.problem() == ""


def test_without_a_compiler_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tree: Path
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -x")
    with pytest.raises(CannotCompile, match="no-such-compiler"):
        check_tools()
    assert compile_core.main([]) == 1
    assert "not built" in capsys.readouterr().err
    assert not fast_core.builds_dir().exists()


def test_a_build_in_the_background_is_not_begun_while_another_one_runs(
    monkeypatch: pytest.MonkeyPatch, tree: Path
) -> None:
    monkeypatch.setattr(compile_core, "check_tools", lambda: None)
    monkeypatch.setattr(compile_core, "_give_way", lambda: None)
    monkeypatch.setenv(fast_core.VARIABLE, "auto")
    builds = fast_core.builds_dir()
    builds.mkdir(parents=True)
    left = builds / "tmp-of-a-process-that-was-killed"
    left.mkdir()
    with compile_core._alone(builds):
        assert not left.exists()
        (builds / "tmp-of-this-one").mkdir()
        line = compile_core.begin_in_background()
        assert line == "compiled core: another process is building it, for later runs"
        assert compile_core.build_on_idle_time() == 0
        assert (builds / "tmp-of-this-one").is_dir()


def test_what_could_not_be_compiled_is_not_begun_again_before_the_source_changes(
    monkeypatch: pytest.MonkeyPatch, tree: Path
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(compile_core, "check_tools", lambda: None)
    monkeypatch.setattr(compile_core.subprocess, "Popen", lambda *_, **__: begun.append(1))
    monkeypatch.setattr(compile_core, "_give_way", lambda: None)
    monkeypatch.setenv(fast_core.VARIABLE, "auto")
    assert "being built beside this" in compile_core.begin_in_background()
    assert begun == [1]

    def refuses(builds: Path) -> Path:
        raise CannotCompile("the C compiler refused it")

    monkeypatch.setattr(compile_core, "_build", refuses)
    assert compile_core.build_on_idle_time() == 1
    assert "not built: the C compiler refused it" in compile_core.begin_in_background()
    assert begun == [1]
    (tree / "kernel" / "state.py").write_text("x = 2\n")
    assert "being built beside this" in compile_core.begin_in_background()
    assert begun == [1, 1]


def test_nothing_is_begun_where_it_is_there_or_not_wanted_or_cannot_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tree: Path
) -> None:
    monkeypatch.setattr(compile_core.subprocess, "Popen", None)
    monkeypatch.setenv(fast_core.VARIABLE, "pure")
    assert compile_core.begin_in_background() == ""
    monkeypatch.setenv(fast_core.VARIABLE, "auto")
    monkeypatch.setenv("CC", "no-such-compiler")
    assert compile_core.main(["--background"]) == 0  # never a failure
    line = "not built: there is no C compiler (no-such-compiler); the pure one is used"
    assert capsys.readouterr().out == f"compiled core: {line}\n"
    (fast_core.builds_dir() / fast_core.key()).mkdir(parents=True)
    assert compile_core.begin_in_background() == ""


@pytest.mark.slow
def test_a_compiler_that_fails_is_one_line_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tree: Path
) -> None:
    try:
        check_tools()
    except CannotCompile as missing:
        pytest.skip(str(missing))
    (tree / "kernel" / "__init__.py").write_text("")
    monkeypatch.setenv("CC", "false")
    assert compile_core.main([]) == 1
    assert "not built: the C compiler refused" in capsys.readouterr().err
    assert [path.name for path in fast_core.builds_dir().iterdir()] == ["lock"]


def test_a_spawned_process_has_the_core_of_the_one_that_spawned_it() -> None:
    """It is given that one's ``sys.path``, in which something may have come to the front since."""
    script = (
        "import sys\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "from cluster import fast_core\n"
        "import kernel.costs\n"
        "sys.path.insert(0, str(fast_core.ROOT))\n"
        "with ProcessPoolExecutor(1, get_context('spawn')) as pool:\n"
        "    print(fast_core.has_forms(), pool.submit(fast_core.has_forms).result())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, fast_core.VARIABLE: "pure"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True True\n"


def test_every_module_named_as_interpreted_exists() -> None:
    package = ROOT / "kernel"
    for name in compile_core.INTERPRETED:
        assert (package / name).is_file(), name
    names = [path.relative_to(package).as_posix() for path in modules(package)]
    assert "state.py" in names and "sched/cfs.py" in names
    assert not any(name.startswith("uapi") for name in names)


def _points_in_handlers(path: Path) -> list[str]:
    lines = [
        line
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Try)
        for clause in (*(handler.body for handler in node.handlers), node.finalbody)
        for line in clause
    ]
    return [
        f"{path.relative_to(ROOT)}:{part.lineno}"
        for line in lines
        for part in ast.walk(line)
        if isinstance(part, ast.Yield | ast.YieldFrom)
    ]


def test_no_path_is_suspended_while_it_handles_an_exception() -> None:
    """Compiled by mypyc, such a path swaps its exception with that of whatever runs meanwhile."""
    found = [place for path in SOURCES for place in _points_in_handlers(path)]
    assert not found, "points in except or finally: " + ", ".join(found)


class _Class(NamedTuple):
    """A class of the source, by its module and name, and the classes it names as its bases.

    ``open``: it says that interpreted classes may derive from it (``mypyc_attr``).
    """

    module: str
    name: str
    line: int
    bases: list[tuple[str, str]]
    open: bool


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _classes(source: str, module: str) -> Iterator[_Class]:
    """Yield the classes of a module, their bases as ``(module, name)`` by what it imports."""
    tree = ast.parse(source)
    names: dict[str, tuple[str, str]] = {}
    modules_by_name: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                modules_by_name[alias.asname or alias.name] = alias.name
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        bases = []
        for base in node.bases:
            if isinstance(base, ast.Subscript):  # Generic[T] and the like
                base = base.value
            place, _, name = ast.unparse(base).rpartition(".")
            if place:  # module.Class, where the module may have been imported either way
                place = modules_by_name.get(place) or ".".join(names.get(place, ("", place)))
                bases.append((place, name))
            else:
                bases.append(names.get(name, (module, name)))
        says = [ast.unparse(decorator) for decorator in node.decorator_list]
        is_open = "mypyc_attr(allow_interpreted_subclasses=True)" in says
        yield _Class(module, node.name, node.lineno, bases, is_open)


def _interpreted_of_compiled(classes: list[_Class], compiled: set[str]) -> list[str]:
    """Return the classes outside the compiled modules that derive from a closed one inside."""
    known = {(each.module, each.name) for each in classes if not each.open}
    return [
        f"{each.module}:{each.line}: {each.name} derives from {module}.{name}"
        for each in classes
        if each.module not in compiled
        for module, name in each.bases
        if module in compiled and (module, name) in known
    ]


def test_no_interpreted_class_derives_from_a_compiled_one() -> None:
    """Making an instance of one would raise TypeError, on the compiled core only."""
    compiled = {_module(path, ROOT) for path in modules(ROOT / "kernel")}
    classes = [
        each
        for package in ("kernel", "workloads", "cluster")
        for path in sorted((ROOT / package).rglob("*.py"))
        for each in _classes(path.read_text("utf-8"), _module(path, ROOT))
    ]
    found = _interpreted_of_compiled(classes, compiled)
    assert not found, "move them into a module that is compiled: " + ", ".join(found)


def _of_builtins(classes: list[_Class], compiled: set[str]) -> list[str]:
    """Return the compiled classes that derive, however far, from a builtin mypyc cannot extend."""
    known = {(each.module, each.name): each for each in classes}
    refused = set(dir(builtins)) - {"object", "Exception"}

    def derives(each: _Class) -> bool:
        for module, name in each.bases:
            base = known.get((module, name))
            if derives(base) if base is not None else name in refused:
                return True
        return False

    return [
        f"{each.module}:{each.line}: {each.name}"
        for each in classes
        if each.module in compiled and derives(each)
    ]


def test_no_compiled_class_derives_from_a_builtin_that_mypyc_cannot_extend() -> None:
    """The whole build would fail, and everybody would run the pure core."""
    classes = [
        each for path in SOURCES for each in _classes(path.read_text("utf-8"), _module(path, ROOT))
    ]
    found = _of_builtins(classes, {_module(path, ROOT) for path in modules(ROOT / "kernel")})
    assert not found, "move them into kernel/errors.py: " + ", ".join(found)


def test_a_class_that_derives_from_a_builtin_is_seen() -> None:
    classes = list(_classes("class Bug(AssertionError): ...", "kernel.errors"))
    classes += _classes("from kernel.errors import Bug\nclass More(Bug): ...", "kernel.fast")
    classes += _classes("class Failed(Exception): ...\nclass Plain: ...", "kernel.fast")
    assert _of_builtins(classes, {"kernel.fast"}) == ["kernel.fast:2: More"]


@pytest.mark.parametrize(
    "source",
    [
        "from kernel.fast import Base\nclass Mine(Base): ...",
        "from kernel.fast import Base as Other\nclass Mine(int, Other): ...",
        "from kernel import fast\nclass Mine(fast.Base): ...",
        "import kernel.fast\nclass Mine(kernel.fast.Base): ...",
        "import kernel.fast as f\ndef make():\n    class Mine(f.Base[int]): ...",
    ],
)
def test_a_class_that_derives_from_a_compiled_one_is_seen(source: str) -> None:
    base = list(_classes("class Base: ...", "kernel.fast"))
    mine = list(_classes(source, "kernel.slow"))
    assert len(_interpreted_of_compiled(base + mine, {"kernel.fast"})) == 1
    assert _interpreted_of_compiled(base + mine, {"kernel.fast", "kernel.slow"}) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_written_quick_and_compiled_paths_give_the_same_bytes(compiled_tree: Path) -> None:
    runs = [start(kind, "-c", RUN) for kind in KINDS]
    # one after the other: the output of the others fits into a pipe or waits there
    written, quick, compiled = (run.communicate()[0].splitlines() for run in runs)
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert written[0] == "pure False True"
    assert quick[0] == "pure True True"
    assert compiled[0] == "compiled True False"
    assert written[1:] == quick[1:] == compiled[1:]
    assert all(" done " in line for line in written[1:])


@pytest.fixture(scope="session")
def outcomes(compiled_tree: Path) -> Iterator[list[Outcomes]]:
    """A process of each of KINDS."""
    processes = [Outcomes(kind) for kind in KINDS]
    assert [each.core for each in processes] == ["pure False", "pure True", "compiled True"]
    yield processes
    for each in processes:
        each.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("configurations on every core")
@pytest.mark.parametrize("name", config_names())
def test_configurations_do_the_same_with_every_kind_of_core(
    name: str, outcomes: list[Outcomes]
) -> None:
    for granularity in GRANULARITIES:
        for scheme in SCHEMES:
            written, quick, compiled = (each.of(name, granularity, scheme) for each in outcomes)
            assert written == quick == compiled
