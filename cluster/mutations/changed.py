"""Which functions of the kernel are others with given mutations, and what is wrong with these."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from types import CodeType, FunctionType
from typing import Final

from cluster.core.meanings import Key
from cluster.fast_core import core
from cluster.mutations.rewrite import apply
from cluster.mutations.source import Edited, kinds_by_text, nearest, paths
from kernel.drive.mutations import (
    DROP,
    WEAKEN,
    Mutation,
    admits,
    needs_code,
    parse,
)
from kernel.errors import BadMutation
from kernel.points import ACQUIRE
from kernel.smp.mutations import SCHED_MUTATIONS

_NOT_COMPILED: Final = "needs the pure core: run with SMPLAB_CORE=pure"


def changed_functions(mutations: Iterable[str]) -> dict[Key, CodeType]:
    """Return the code of each function that ``mutations`` make another.

    Raises:
        BadMutation: one makes no sense, or needs the pure core and this process has the other.
    """
    texts = [text for text in mutations if text not in SCHED_MUTATIONS]
    of_code = [text for text in texts if changes_code(text)]
    if not of_code:
        return {}
    edited = Edited()
    for text in of_code:
        apply(edited, parse(text))
    codes = {}
    for key, node in edited.functions.items():
        if not isinstance(getattr(import_module(key[0]), key[1]), FunctionType):
            raise BadMutation(_NOT_COMPILED)
        codes[key] = code_of(str(paths().file(key)), node)
    return codes


def code_of(file: str, node: ast.FunctionDef) -> CodeType:
    """Return the code of a function that stands in ``file``."""
    bare = ast.FunctionDef(node.name, _without_annotations(node.args), node.body, [])
    ast.copy_location(bare, node)
    whole = compile(ast.fix_missing_locations(ast.Module([bare], [])), file, "exec")
    return next(
        one for one in whole.co_consts if isinstance(one, CodeType) and one.co_name == node.name
    )


def _without_annotations(args: ast.arguments) -> ast.arguments:
    def bare(of: list[ast.arg]) -> list[ast.arg]:
        return [ast.copy_location(ast.arg(one.arg), one) for one in of]

    return ast.arguments(  # defaults are the function's own, not its code's
        bare(args.posonlyargs),
        bare(args.args),
        args.vararg and bare([args.vararg])[0],
        bare(args.kwonlyargs),
        [None] * len(args.kwonlyargs),
        args.kwarg and bare([args.kwarg])[0],
        [],
    )


def changes_code(text: str) -> bool:
    """Tell whether a mutation, which is one, needs other code, so the pure core."""
    mutation = parse(text)
    return needs_code(mutation, kinds_by_text().get(mutation.place.point, ACQUIRE))


def needs_pure_core(text: str) -> bool:
    """Tell whether a mutation, which is one, can be had in the pure core only."""
    return changes_code(text) or bool(parse(text).place.function)


def _is_simple(mutation: Mutation) -> bool:
    """Tell whether a mutation is right as it stands, for which its point's kind is enough."""
    kind = kinds_by_text().get(mutation.place.point)
    if kind is None or mutation.place.function or needs_code(mutation, kind):
        return False
    what = mutation.action if mutation.action == DROP else f"{WEAKEN}:{mutation.how}"
    return what in admits(kind, code=False, stores=False)


def wrong_mutations(
    names: Iterable[str], others: Sequence[str] = ()
) -> Iterator[tuple[int, str, str]]:
    """Yield ``(place, why, hint)`` for each that is no mutation of a point this process can have.

    They are tried in their order, each on what those before have made.

    Args:
        others: names of what else may be meant.
    """
    edited = Edited()
    compiled = core() == "compiled"
    for place, text in enumerate(names):
        try:
            mutation = parse(text)
            if not _is_simple(mutation):
                apply(edited, mutation)
            if compiled and needs_pure_core(text):
                raise BadMutation(_NOT_COMPILED)
        except BadMutation as error:
            yield place, str(error), nearest(error.point, others) if error.point else ""
