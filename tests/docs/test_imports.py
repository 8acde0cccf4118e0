"""Imports: no cycle, none inside a function without a reason, any module can be the first."""

import ast
import fnmatch
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.soak import one_in

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("kernel", "workloads", "cluster")

#: Texts in the guest language, and what the interpreter runs before a native program: no modules.
NOT_MODULES = ("workloads/programs/*", "workloads/language/libraries/*", "cluster/native_site/*")

#: Where a function may import something, and why.
LAZY = {
    "cluster/cli/*.py": "a command imports what it needs when it runs, so that --help is quick",
    "cluster/entry.py": "signals and closed streams are seen to before anything large is imported",
    "cluster/exit_codes.py": "only what fails prints a message",
    "cluster/build.py": "smplab guest has no configuration to read, and pydantic is large",
    "cluster/catalogue.py": "names alone need no pydantic",
    "cluster/core/forms.py": "every start looks for the quick forms; few make them",
    "cluster/fast_core.py": "every start looks for the compiled core; few ask for its key",
    "cluster/engine_api.py": "the command line needs its words, not the machine",
    "cluster/engine.py": "a run needs one engine",
    "cluster/local_engine.py": "the checks are large, and few runs ask for them",
    "cluster/lps.py": "the checks are large, and few runs ask for them",
    "cluster/mutations/install.py": "few machines have mutations, whose code is made of the source",
    "cluster/plugins.py": "looking for what is installed is dear, and few runs have such parts",
    "cluster/compile_core.py": "mypyc need not be installed",
    "cluster/**ray_*.py": "Ray takes a second to import, and a local run does without",
}


#: What of the kernel the CPU's half (cpu, sched) may import besides uapi, and why.
CPU_HALF_MAY = {
    "kernel.bits": "bit masks",
    "kernel.boot.smpboot_names": "both halves make a CPU's first threads, of the same names",
    "kernel.costs": "what a slower CPU pays",
    "kernel.errors": "a broken invariant",
    "kernel.events": "numbers of trace records",
    "kernel.machine": "what is configured",
    "kernel.messages": "what goes between the halves",
    "kernel.stats": "counters of a CPU",
    "kernel.trace.printable": "names in messages about a task",
    "kernel.user": "what a user context is",
}


class Import(NamedTuple):
    """One import: what of our packages it names ("" for others), its line, and where it stands."""

    module: str
    line: int
    in_function: bool
    at_foot: bool


def files() -> dict[str, Path]:
    """Return every module's file by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted(ROOT.joinpath(package).rglob("*.py")):
            name = path.relative_to(ROOT)
            if any(fnmatch.fnmatch(name.as_posix(), pattern) for pattern in NOT_MODULES):
                continue
            parts = name.with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree: ast.Module, modules: set[str]) -> Iterator[Import]:
    """Return the imports that run: not those for type checkers."""
    foot = False

    def of(node: ast.AST, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for part in node.orelse:
                yield from of(part, in_function)
            return
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                module = name if name in modules else node.module or ""
                yield Import(module if module in modules else "", node.lineno, in_function, foot)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.name in modules else ""
                yield Import(module, node.lineno, in_function, foot)
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for part in ast.iter_child_nodes(node):
            yield from of(part, in_function or inner)

    for statement in tree.body:
        yield from of(statement, False)
        foot = foot or isinstance(statement, ast.FunctionDef | ast.ClassDef)


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected parts of more than one module (Tarjan's algorithm)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in order:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == order[module]:
            place = stack.index(module)
            part = stack[place:]
            del stack[place:]
            if len(part) > 1:
                found.append(sorted(part))

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, list[Import]]:
    """Every module's imports."""
    every = files()
    modules = set(every)
    return {
        name: list(imports(ast.parse(path.read_text("utf-8")), modules))
        for name, path in every.items()
    }


def test_no_module_is_in_a_cycle_of_imports_those_in_functions_included(
    found: dict[str, list[Import]],
) -> None:
    graph = {name: {one.module for one in ones} - {"", name} for name, ones in found.items()}
    assert cycles(graph) == []


def test_the_half_of_the_cpus_imports_exactly_what_is_listed(
    found: dict[str, list[Import]],
) -> None:
    half = ("kernel.cpu", "kernel.sched")
    others = {
        one.module
        for name, ones in found.items()
        if name.startswith(half)
        for one in ones
        if one.module and not one.module.startswith(half)
    }
    assert {name for name in others if not name.startswith("kernel.uapi.")} == set(CPU_HALF_MAY)


def test_a_function_imports_only_where_the_list_gives_a_reason(
    found: dict[str, list[Import]],
) -> None:
    every = files()
    places = [
        f"{every[name].relative_to(ROOT)}:{one.line}"
        for name, ones in found.items()
        for one in ones
        if one.in_function
    ]
    patterns = [f"{pattern}:*" for pattern in LAZY]
    unlisted = [p for p in places if not any(fnmatch.fnmatch(p, one) for one in patterns)]
    assert "\n".join(unlisted) == ""
    unused = [one for one in patterns if not fnmatch.filter(places, one)]
    assert unused == []  # the list is no longer than it must be


def test_no_import_stands_below_a_definition(found: dict[str, list[Import]]) -> None:
    every = files()
    assert [
        f"{every[name].relative_to(ROOT)}:{one.line}"
        for name, ones in found.items()
        for one in ones
        if one.at_foot and not one.in_function
    ] == []


#: A process for each module takes a minute: make test takes a part of them.
PARTS = 8
#: Imports the modules named on standard input, in that order.
IN_THIS_ORDER = """
import importlib, sys
for name in sys.stdin.read().split():
    importlib.import_module(name)
"""


@pytest.mark.parametrize("backwards", [False, True])
def test_modules_can_be_imported_in_any_order(backwards: bool) -> None:
    # without cycles no order can fail, unless a module counts on what another one does
    done = subprocess.run(
        [sys.executable, "-c", IN_THIS_ORDER],
        cwd=ROOT,
        input="\n".join(sorted(files(), reverse=backwards)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("part", one_in(PARTS, range(PARTS)))
def test_every_module_can_be_the_first_one_imported(part: int) -> None:
    failed = []
    for name in sorted(files())[part::PARTS]:
        command = [sys.executable, "-c", f"import {name}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if (done.returncode, done.stdout, done.stderr) != (0, "", ""):
            failed.append((name, done.stderr))
    assert failed == []
