"""From source text to a ``Program``: parse, check, lower each function and compile its blocks.

Compiling takes longer than most runs of a small program, and one process may make many machines
(``smplab diff``, tests, sweeps). So what does not depend on a run time is made once for a text and
kept, and a program of a machine is a copy bound to its run time.
"""

import ast
import functools
from typing import Final

from workloads.language import kept_programs
from workloads.language.checker import check
from workloads.language.errors import GuestProgramError, Problem
from workloads.language.program import Program, quietly
from workloads.language.runtime import Runtime
from workloads.language.scopes import ProgramScopes
from workloads.language.source_text import check_decoded
from workloads.language.syntax import parse, refusal

DEFAULT_BLOCK_BUDGET = 1_000_000

_KEPT: Final = 64  # compiled texts


def compile_program(
    source: str,
    path: str,
    *,
    block_budget: int = DEFAULT_BLOCK_BUDGET,
    runtime: Runtime | None = None,
    key: str | None = None,
) -> Program:
    """Compile a guest program.

    Args:
        source: the text of the file.
        path: the file name to use in messages.
        block_budget: units of work one block may do (see ``bounded``).
        runtime: the run time to use, if it is shared with other programs.
        key: the name a loader knows the program by; default: the path.

    Raises:
        GuestProgramError: the program is outside the language; holds every problem.
    """
    return _compiled(source, path).bind(runtime or Runtime(block_budget), key or path)


@functools.lru_cache(maxsize=_KEPT)
def _compiled(source: str, path: str) -> Program:
    """Return a program that is bound to no run time yet; errors as of ``compile_program``."""
    kept = kept_programs.load(source, path)
    if kept is not None:
        return Program.from_plain(path, source, kept)
    program = _made(source, path)
    kept_programs.save(source, path, program.to_plain())
    return program


def _made(source: str, path: str) -> Program:
    check_decoded(source, path)
    tree = quietly(lambda: parse(source, path))
    refused = quietly(lambda: refusal(source, path))
    try:
        if refused is not None:
            raise GuestProgramError(path, _problems(tree, refused))
        scopes = ProgramScopes(tree)
        problems = check(tree, scopes)
        if problems:
            raise GuestProgramError(path, problems)
        program = Program(path, source)
        program.uses_argv = _uses_argv(tree, scopes)
        program.compile(tree, scopes)
        return program
    except RecursionError:
        what = "expressions or statements nested too deeply"
        raise GuestProgramError(path, [Problem(1, 1, what, "split them")]) from None


def _problems(tree: ast.Module, refused: Problem) -> list[Problem]:
    """Return what the checker says of a program that CPython refuses, and why that refuses it."""
    try:
        problems = check(tree, ProgramScopes(tree))
    except (AssertionError, KeyError, IndexError, AttributeError):  # it expects what compiles
        return [refused]
    # CPython stops at its first error; one cause is told once, in the checker's words
    return problems or [refused]


def _uses_argv(tree: ast.Module, scopes: ProgramScopes) -> bool:
    return any(
        scopes.meaning(node, scopes.module, frozenset()) == ("hidden", "sys.argv")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    )
