"""Spares the pure core what a compiler spares the compiled one: constants and small calls.

CPython looks a constant of a module up each time (``m.EFF_WAKE``: a global and an attribute of it),
and enters a frame for a function of one line. Compiled, a ``Final`` is its value and such a call
costs next to nothing. ``folded`` makes the same of the text of the package for the pure core:

- inside functions, the name of an integer constant (``NAME: Final = …`` at the top level of a
  module of the package, by itself, imported, or as an attribute of an imported module) is replaced
  by the value, unless the function binds that name itself;
- a call of a function at a module's top level that does nothing but ``return`` an expression of its
  parameters and such constants is replaced by the expression;
- a call that is a statement, of a function of ``STATEMENTS``, is replaced by the function's body. A
  method may be one: of what is called, and annotated, as ``RECEIVERS`` says.

What is computed, and in which order, is the same. So a test cannot replace such a constant or
function in either core. Text stays as it is where nothing is replaced; a module's own functions
keep their lines, only a body in a call's place moves what comes after it.
"""

import ast
from collections.abc import Iterator
from typing import Any, Final

from cluster.core.meanings import Key, Meanings, body_of, module_of, names_bound_in, read

#: Functions without a result whose body takes the place of a call: module and name.
STATEMENTS: Final = (
    ("kernel.locking", "acquire"),
    ("kernel.locking", "acquire_shared"),
    ("kernel.locking", "release"),
    ("kernel.cpu.cpu", "Cpu.call"),
    ("kernel.cpu.cpu", "Cpu.enqueue"),
    ("kernel.cpu.cpu", "Cpu.late"),
    ("kernel.cpu.cpu", "Cpu.leave"),
    ("kernel.cpu.handlers", "on_dead"),
    ("kernel.cpu.handlers", "on_exec"),
    ("kernel.cpu.handlers", "on_fork"),
    ("kernel.cpu.handlers", "on_return"),
    ("kernel.cpu.handlers", "on_sleep"),
    ("kernel.cpu.handlers", "on_wake"),
    ("kernel.cpu.position", "move"),
    ("kernel.entry", "_leave"),
    ("kernel.entry", "_reply"),
    ("kernel.entry", "move"),
    ("kernel.kernel", "Kernel.answer"),
    ("kernel.kernel", "Kernel.answer_to"),
    ("kernel.kernel", "Kernel.send"),
    ("kernel.sched.core", "activate_task"),
    ("kernel.sched.core", "check_preempt_curr"),
    ("kernel.sched.core", "deactivate_task"),
    ("kernel.sched.core", "dequeue_task"),
    ("kernel.sched.core", "enqueue_task"),
    ("kernel.sched.core", "put_prev_task"),
    ("kernel.sched.core", "task_dead"),
    ("kernel.sched.core", "task_woken"),
    ("kernel.mm.mm", "mmput__quick"),
    ("kernel.process.resource", "setmax_mm_hiwater_rss"),
    ("kernel.sched.cfs_rq", "clear_buddies"),
    ("kernel.sched.cfs_rq", "place_entity"),
    ("kernel.smp.load", "_count"),
    ("kernel.smp.ttwu", "set_current_state__quick"),
    ("kernel.smp.ttwu", "set_task_state__quick"),
    ("kernel.task", "set_exit_state"),
)
#: What a parameter of this name is, if it is annotated so: its class, in its module.
RECEIVERS: Final = {
    "k": ("kernel.kernel", "Kernel"),
    "cpu": ("kernel.cpu.cpu", "Cpu"),
}
TURNS: Final = 3  # what a body calls is replaced in the next one
PREFIX: Final = "fold__"  # of the names that a body brings along; behind it the turn's number

# what an expression may consist of, if its parameters stand for arguments that are no plain names
_IN_ORDER: Final = (ast.Tuple, ast.Name, ast.Constant, ast.expr_context)


def folded(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the text of every file with constants and small calls replaced.

    Args:
        files: text by path below the import root.
    """
    for turn in range(TURNS):
        sources = {module_of(path): read(ast.parse(text)) for path, text in files.items()}
        folder = Meanings(sources, f"{PREFIX}{turn}_")
        files = {
            path: _Text(folder, module_of(path), text).result() for path, text in files.items()
        }
    return files


class _Bodies(ast.NodeTransformer):
    """Puts arguments and constants into what came from another function."""

    def __init__(
        self,
        folder: Meanings,
        module: str,
        target: str,
        names: dict[str, ast.expr],
        others: set[Key],
    ) -> None:
        self._folder = folder
        self._module = module
        self._target = target
        self._names = names
        self._others = others

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A parameter, a constant, a variable of the function's own, or something of its module."""
        new = self._names.get(node.id)
        if new is not None:
            if isinstance(node.ctx, ast.Load) or not isinstance(new, ast.Name):
                return new
            return ast.Name(new.id, node.ctx)
        value = self._folder.value(self._module, node)
        if value is not None:
            return ast.Constant(value)
        key = self._folder.meant(self._module, node)
        if key is None:
            return node
        if key[0] == self._target:
            return ast.Name(key[1], ast.Load())
        self._others.add(key)
        return ast.Name(self._folder.prefix + key[1], ast.Load())

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A constant of a module that the function's module imports, or anything."""
        if isinstance(node.value, ast.Name) and node.value.id not in self._names:
            value = self._folder.value(self._module, node)
            if value is not None:
                return ast.Constant(value)
        return self.generic_visit(node)


class _Text:
    """One module's text, and what is replaced in it."""

    def __init__(self, folder: Meanings, module: str, source: bytes) -> None:
        self._folder = folder
        self._module = module
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._bound: set[str] = set()
        self._receivers: set[str] = set()
        self._others: set[Key] = set()

    def result(self) -> bytes:
        """Return the module's text, folded."""
        tree = self._folder.tree(self._module)
        edits: list[tuple[int, int, bytes]] = []
        for node in _functions(tree):
            self._bound = names_bound_in(node)
            self._receivers = {name for name in RECEIVERS if _receives(node, name)}
            for statement in body_of(node):
                edits += self._edits(statement)
        text = self._applied(0, len(self._source), edits)
        imports = "".join(
            f"from {place} import {name} as {self._folder.prefix}{name}\n"
            for place, name in sorted(self._others)
        )
        return text + (b"\n" + imports.encode() if imports else b"")

    def _edits(self, node: ast.AST) -> list[tuple[int, int, bytes]]:
        """Return what is replaced in a node: places in the text, ascending, and the new text."""
        if isinstance(node, ast.JoinedStr | ast.MatchValue | ast.MatchMapping):
            return []  # places inside are not those in the file, or a pattern is wanted
        new = None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            new = self._statement(node, node.value)
        elif isinstance(node, ast.Call):
            new = self._call(node)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            new = self._constant(node)
        if new is not None:
            assert isinstance(node, ast.expr | ast.stmt)
            return [(*self._span(node), new.encode())]
        found: list[tuple[int, int, bytes]] = []
        if isinstance(node, ast.AnnAssign):
            return self._edits(node.value) if node.value is not None else []
        if isinstance(node, ast.FunctionDef):
            return [edit for statement in body_of(node) for edit in self._edits(statement)]
        for child in ast.iter_child_nodes(node):
            found += self._edits(child)
        return found

    def _constant(self, node: ast.Name | ast.Attribute) -> str | None:
        value = self._folder.value(self._module, node) if self._global(node) else None
        return None if value is None else _number(value)

    def _global(self, node: ast.expr) -> bool:
        """Tell whether a name, or that of a module before an attribute, is the module's own."""
        name = node.value if isinstance(node, ast.Attribute) else node
        return isinstance(name, ast.Name) and name.id not in self._bound

    def _call(self, node: ast.Call) -> str | None:
        """Return the expression that stands for a call, or None."""
        if node.keywords or not self._global(node.func):
            return None
        key = self._folder.meant(self._module, node.func)
        known = self._folder.expression(key)
        if known is None or key is None or len(known[0]) != len(node.args):
            return None
        parameters, result = known
        plain = all(isinstance(arg, ast.Name | ast.Constant) for arg in node.args)
        if not plain:
            used = [part.id for part in _names(result) if part.id in parameters]
            if used != parameters or not all(
                isinstance(part, _IN_ORDER) for part in ast.walk(result)
            ):
                return None
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            return None
        holes = {name: ast.Name(f"{PREFIX}{place}__") for place, name in enumerate(parameters)}
        names: dict[str, ast.expr] = {**holes}
        others: set[Key] = set()
        made = _Bodies(self._folder, key[0], "", names, others).visit(_copy(result))
        if others:
            return None
        text = ast.unparse(made)
        for place, arg in enumerate(node.args):
            text = text.replace(f"{PREFIX}{place}__", self._piece(arg))
        return f"({text})"

    def _statement_of(self, call: ast.Call) -> tuple[Key | None, list[ast.expr]]:
        """Return what a statement calls, and the arguments: whose method it is, is the first."""
        func = call.func
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            name = func.value.id
            if name in self._receivers:
                module, owner = RECEIVERS[name]
                return (module, f"{owner}.{func.attr}"), [func.value, *call.args]
        return (self._folder.meant(self._module, func) if self._global(func) else None), call.args

    def _statement(self, node: ast.Expr, call: ast.Call) -> str | None:
        """Return the statements that stand for a call, or None."""
        key, given_args = self._statement_of(call)
        if key not in STATEMENTS or key is None or call.keywords:
            return None
        function = self._folder.statements(key)
        start, _ = self._span(node)
        before = self._source[self._starts[node.lineno - 1] : start]
        if function is None or before.strip() or len(given_args) != len(function.args.args):
            return None
        prefix = self._folder.prefix
        names: dict[str, ast.expr] = {
            name: ast.Name(f"{prefix}{name}", ast.Load()) for name in names_bound_in(function)
        }
        lines = []
        for arg, given in zip(function.args.args, given_args, strict=True):
            value = self._folder.value(self._module, given) if self._global(given) else None
            if value is not None:
                names[arg.arg] = ast.Constant(value)
            elif isinstance(given, ast.Name | ast.Constant):
                names[arg.arg] = given
            else:
                lines.append(f"{prefix}{arg.arg} = {self._piece(given)}")
        others: set[Key] = set()
        bodies = _Bodies(self._folder, key[0], self._module, names, others)
        for part in body_of(function):
            copied = _copy(part)
            if isinstance(copied, ast.Return) and copied.value is not None:
                copied = ast.Expr(copied.value)
            lines += ast.unparse(bodies.visit(copied)).splitlines()
        self._others |= others
        return ("\n" + before.decode()).join(lines)

    # -- text ---------------------------------------------------------------------------------

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def _piece(self, node: ast.expr) -> str:
        """Return an expression's text, folded."""
        return self._applied(*self._span(node), self._edits(node)).decode()

    def _applied(self, start: int, end: int, edits: list[tuple[int, int, bytes]]) -> bytes:
        parts = []
        for first, last, text in sorted(edits):
            parts += [self._source[start:first], text]
            start = last
        return b"".join([*parts, self._source[start:end]])


def _number(value: int) -> str:
    return str(value) if value >= 0 else f"({value})"


def _copy(node: Any) -> Any:
    """Return a copy of a node for a transformer to change."""
    return ast.parse(ast.unparse(node)).body[0] if isinstance(node, ast.stmt) else _expression(node)


def _expression(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def _names(node: ast.expr) -> Iterator[ast.Name]:
    """Return the names in an expression in the order in which they are looked up."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            yield from _names(part)
    if isinstance(node, ast.Name):
        yield node


def _receives(node: ast.FunctionDef, name: str) -> bool:
    """Tell whether a function has a parameter as in ``RECEIVERS``, and leaves it alone."""
    parameters = [arg for arg in node.args.args if arg.arg == name and arg.annotation is not None]
    if len(parameters) != 1 or parameters[0].annotation is None:
        return False
    again = sum(
        part.arg == name
        if isinstance(part, ast.arg)
        else isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load)
        for part in ast.walk(node)
    )
    return again == 1 and ast.unparse(parameters[0].annotation).strip("'\"") == RECEIVERS[name][1]


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Return the functions at the top level and the methods of classes there."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (part for part in node.body if isinstance(part, ast.FunctionDef))
