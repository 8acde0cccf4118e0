"""The compiled core: found only if it is that of the source, and the same bytes as the pure one."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import compile_core, fast_core
from cluster.compile_core import CannotCompile, check_tools, modules

ROOT = Path(__file__).resolve().parents[2]

# A storm with traces under both schemes: forks, execs, exits, waits, wake-ups, pulls, signals.
RUN = """
from pathlib import Path
from cluster import fast_core  # settles the core, so before the kernel
import kernel.state, workloads
from cluster.build import guest_spec
from cluster.engine import run_machine
from cluster.engine_api import RunRequest
programs = Path(workloads.__file__).parent / "programs"
print(fast_core.core(), kernel.state.__file__.endswith(".py"))
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
    compile_core._remove_old(builds, new)
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
    assert list(fast_core.builds_dir().iterdir()) == []


def test_every_module_named_as_interpreted_exists() -> None:
    package = ROOT / "kernel"
    for name in compile_core.INTERPRETED:
        assert (package / name).is_file(), name
    names = [path.relative_to(package).as_posix() for path in modules(package)]
    assert "state.py" in names and "sched/fair.py" in names
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
    found = [place for path in fast_core.sources() for place in _points_in_handlers(path)]
    assert not found, "points in except or finally: " + ", ".join(found)


def _digests(tree: Path, mode: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        check=True,
        capture_output=True,
        text=True,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), fast_core.VARIABLE: mode},
    )
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_compiled_and_pure_core_give_the_same_bytes(tmp_path: Path) -> None:
    try:
        check_tools()
    except CannotCompile as missing:
        pytest.skip(str(missing))
    for package in ("kernel", "workloads", "cluster"):
        shutil.copytree(ROOT / package, tmp_path / package)
    subprocess.run(
        [sys.executable, "-m", "cluster.compile_core"],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    pure, compiled = _digests(tmp_path, "pure"), _digests(tmp_path, "compiled")
    assert pure[0] == "pure True"
    assert compiled[0] == "compiled False"
    assert compiled[1:] == pure[1:]
    assert all(" done " in line for line in pure[1:])
