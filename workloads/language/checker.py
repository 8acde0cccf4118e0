"""Refuses what is outside the guest language: everything at once, each with what to write instead.

The compiler lowers only what has passed here, so this file is the definition of the syntax, as
``tables`` is of the names. A node type without a ``visit_`` method is not in the language.
"""

import ast
from collections.abc import Callable, Iterable
from typing import Any

from workloads.language import tables
from workloads.language.advice import meant, takes, unbound_by_refusal, unknown_name
from workloads.language.effects import CONSUMING_METHODS, is_starred
from workloads.language.errors import Problem
from workloads.language.function_nodes import Comprehension, FunctionNode, annotations, parameters
from workloads.language.methods import ALL_METHODS
from workloads.language.scopes import IGNORED_MODULES, ProgramScopes, Scope, walk_scope
from workloads.language.tables import Exc, Param, Pure, Routine, Sys

#: Names that the interpreter itself has given a meaning.
_RESERVED = frozenset(
    {"__name__", "__file__", "__doc__", "__builtins__", "__import__", "__loader__", "__spec__"}
    | {"__package__", "__annotations__", "__debug__", "__build_class__"}
)
_METHOD_WORDS = frozenset(
    {
        "reverse",
        "timeout",
        "blocking",
        "block",
        "value",
        "item",
        "n",
        "predicate",
        "sep",
        "maxsplit",
        "keepends",
        "encoding",
        "errors",
        "key",
        "line_buffering",
        "write_through",
    }
)
_FUTURES = frozenset(
    {"nested_scopes", "generators", "division", "absolute_import", "with_statement"}
    | {"print_function", "unicode_literals", "generator_stop", "annotations"}
)
_PRINT_WORDS = frozenset({"sep", "end", "file", "flush"})
_BUILTIN_NAMES = frozenset(
    {*tables.BUILTINS, *tables.TYPES, *tables.EXCEPTIONS, *tables.STREAM_BUILTINS, "print"}
)

#: node type -> what it is called, what to write instead
_REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.ClassDef: ("class definitions are not supported", "write functions over dicts or tuples"),
    ast.AsyncFunctionDef: ("async functions are not supported", "write def, and threads"),
    ast.AsyncFor: ("async for is not supported", "write for"),
    ast.AsyncWith: ("async with is not supported", "write with"),
    ast.Await: ("await is not supported", "write an ordinary call"),
    ast.Match: ("match is not supported", "write if and elif"),
    ast.TryStar: ("except* is not supported", "write except"),
}


def module_takes_more(positional: list[Param], node: ast.Call) -> bool:
    """Tell whether a call gives more positional arguments than the language has parameters."""
    return len(node.args) > len(positional) and not any(p.rest for p in positional)


def check(tree: ast.Module, scopes: ProgramScopes) -> list[Problem]:
    """Return every problem of a module, in no particular order."""
    checker = _Checker(scopes, unbound_by_refusal(tree))
    for scope in (scopes.module, *scopes.scopes.values()):
        checker.scope_names(scope)
    checker.visit_all(tree.body)
    return checker.problems


class _Checker:
    """Walks one scope at a time; ``shadow`` holds the targets of enclosing comprehensions."""

    def __init__(self, scopes: ProgramScopes, explained: set[str]) -> None:
        self.scopes = scopes
        self.explained = explained  # names whose being unknown follows from another problem
        self.doubtful: set[str] = set()  # variables that hold what a refused expression gives
        self.scope = scopes.module
        self.problems: list[Problem] = []
        self.shadow: frozenset[str] = frozenset()
        self.unknown_imports: set[tuple[str, str]] = set()
        self.handlers = 0  # except clauses around the current statement
        self.cleanups = 0  # with, and try with a finally, around it

    def within(self, node: FunctionNode, parts: Iterable[ast.AST]) -> None:
        """Check what is in a scope of its own."""
        outer = (self.scope, self.handlers, self.cleanups)
        self.scope, self.handlers, self.cleanups = self.scopes.scopes[node], 0, 0
        self.visit_all(parts)
        self.scope, self.handlers, self.cleanups = outer

    def refuse(self, node: ast.AST, what: str, instead: str) -> None:
        """Note a problem at ``node``."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        self.problems.append(Problem(line, column + 1, what, instead))

    def visit(self, node: ast.AST | None) -> None:
        """Check a node and what is in it."""
        if node is None:
            return
        refused = _REFUSED.get(type(node))
        if refused is not None:
            self.refuse(node, *refused)
            return
        method: Callable[[Any], None] | None = getattr(self, "visit_" + type(node).__name__, None)
        if method is None:
            what = type(node).__name__
            self.refuse(node, f"{what} is not supported", "docs/guest-language.md says what is")
            return
        method(node)

    def visit_all(self, nodes: Any) -> None:
        """Check several nodes."""
        for node in nodes:
            self.visit(node)

    # ---- names ----------------------------------------------------------------------------

    def scope_names(self, scope: Scope) -> None:
        """Check the names that a scope binds, at the place of the first binding."""
        if scope.node is not None:
            for arg in parameters(scope.node):
                self._binding(arg, scope)
        for part in walk_scope(scope.body):
            self._binding(part, scope)

    def _binding(self, node: ast.AST, scope: Scope) -> None:
        text = None
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            text = node.id
        elif isinstance(node, ast.FunctionDef):
            text = node.name
        elif isinstance(node, ast.arg):
            text = node.arg
        elif isinstance(node, ast.ExceptHandler):
            text = node.name
        if text is None:
            return
        if text in _RESERVED:
            self.refuse(node, f"the name {text!r} is the interpreter's own", "use another name")
            return
        is_global = scope.node is None or text in scope.globals
        imported = text in self.scopes.imports and text not in self.scopes.starred
        if is_global and imported and not isinstance(node, ast.arg):
            self.refuse(node, f"{text!r} is imported and cannot be rebound", "use another name")

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Check an import."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._module(alias.name, node)
            return
        if node.level:
            self.refuse(node, "relative imports are not supported", "write one file")
            return
        module = node.module or ""
        if module == "workloads":
            for alias in node.names:
                if alias.name != "guest":
                    self.refuse(alias, f"'workloads.{alias.name}' is not in the guest language", "")
            return
        if module == "__future__":
            self._future(node)
            return
        if not self._module(module, node):
            return
        for alias in node.names:
            if alias.name != "*":
                self._static(self.scopes.member(module, alias.name), alias, imported=True)

    visit_ImportFrom = visit_Import

    def _module(self, text: str, node: ast.AST) -> bool:
        if text == "workloads" or text in IGNORED_MODULES:
            return True
        entries = tables.MODULES.get(text)
        if entries is None or text == "os.environ":
            names = ", ".join(sorted(n for n in tables.MODULES if "." not in n))
            self.refuse(
                node,
                f"the module {text!r} is not in the guest language",
                f"its modules are {names}, workloads.guest",
            )
            return False
        return True

    def _future(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name not in _FUTURES:
                what = f"not Python 3.11: future feature {alias.name} is not defined"
                self.refuse(node, what, "")

    def _static(self, meaning: tuple[str, ...], node: ast.AST, imported: bool = False) -> bool:
        """Check that a module's name exists; return whether it does."""
        if meaning[0] == "note" and not imported:
            what = f"{meaning[-1]!r} is for annotations only in the guest language"
            self.refuse(node, what, "")
            return False
        if meaning[0] != "entry":
            return True
        module, text = meaning[1], meaning[2]
        entry = self.scopes.entry(meaning)
        if entry is None:
            if module in tables.MODULES and (module, text) not in self.unknown_imports:
                names = [name for name in tables.MODULES[module] if name != text]
                there = f"docs/guest-language.md lists the names of {module}"
                instead = tables.INSTEAD.get((module, text)) or meant(text, names, there)
                if imported:
                    self.unknown_imports.add((module, text))
                self.refuse(node, f"'{module}.{text}' is not in the guest language", instead)
            return False
        return True

    def visit_Name(self, node: ast.Name) -> None:
        text = node.id
        if self._is_variable(text):
            return
        meaning = self.scopes.imports.get(text)
        if meaning is not None:
            self._value_of(meaning, node, text)
        elif text in ("__name__", "__file__", "__doc__"):
            return
        elif text not in _BUILTIN_NAMES:
            self._unknown(node, text)

    def _unknown(self, node: ast.AST, text: str) -> None:
        """Refuse a name that is neither bound nor a builtin, unless another problem explains it."""
        if not self.explained.isdisjoint((text, "*")):
            return
        known = {*self.scope.bound, *self.scopes.module.bound, *self.scopes.imports}
        functions = {*tables.BUILTINS, *tables.STREAM_BUILTINS, "print"}
        self.refuse(node, *unknown_name(text, known | _BUILTIN_NAMES, functions))

    def _is_explained(self, node: ast.expr) -> bool:
        """Tell whether a problem noted elsewhere explains why a dotted name is not known."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if not isinstance(node, ast.Name) or self._is_variable(node.id):
            return False
        meaning = self.scopes.meaning(node, self.scope, frozenset())
        if meaning is None:
            return not self.explained.isdisjoint((node.id, "*"))
        return meaning[1] not in tables.MODULES or meaning[1:] in self.unknown_imports

    def _is_doubtful(self, node: ast.expr) -> bool:
        """Tell whether a value comes from a refused expression: its type is not known then."""
        return any(
            isinstance(part, ast.Name) and (part.id in self.doubtful or self._is_explained(part))
            for part in ast.walk(node)
        )

    def _bind_checked(self, problems: int, value: ast.expr, targets: list[ast.expr]) -> None:
        """Note the targets of a value that had problems: there are more than ``problems`` now."""
        if len(self.problems) > problems or self._is_doubtful(value):
            self.doubtful |= {
                part.id
                for target in targets
                for part in ast.walk(target)
                if isinstance(part, ast.Name)
            }

    def _is_variable(self, text: str) -> bool:
        return self.scopes.is_variable(text, self.scope)

    def _value_of(self, meaning: tuple[str, ...], node: ast.AST, text: str) -> None:
        """Check a module's name that is used as a value."""
        if not self._static(meaning, node):
            return
        if meaning[0] == "module":
            self.refuse(node, f"the module {text!r} is not a value", f"write {text}.<name>")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.refuse(node, "assignment to an attribute is not supported", "use a dict")
            return
        meaning = self.scopes.meaning(node, self.scope, self.shadow)
        if meaning is not None:
            self._value_of(meaning, node, ast.unparse(node))
            return
        if node.attr.startswith("_") and node.attr not in tables.READABLE:
            self.refuse(
                node,
                f"the attribute {node.attr!r} begins with an underscore",
                "use the names of the language's tables",
            )
        elif node.attr not in (
            tables.READABLE | ALL_METHODS | tables.HANDLE_METHODS
        ) and not self._is_doubtful(node.value):
            self.refuse(
                node,
                f"the attribute {node.attr!r} is not in the guest language",
                "use the names of the language's tables",
            )
        self.visit(node.value)

    # ---- functions ------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.visit_all(node.decorator_list)
        self._defaults(node.args)
        for note in annotations(node):
            self._annotation(note)
        self.within(node, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self.within(node, [node.body])

    def _defaults(self, arguments: ast.arguments) -> None:
        self.visit_all(arguments.defaults)
        self.visit_all([default for default in arguments.kw_defaults if default])

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        if self.cleanups:
            self.refuse(
                node, "yield inside try … finally or with is not supported", "clean up afterwards"
            )
        self.visit(node.value)

    visit_YieldFrom = visit_Yield

    def visit_Starred(self, node: ast.Starred) -> None:
        if isinstance(node.ctx, ast.Load):
            self._consumed(node.value)
        else:
            self.refuse(node, "* in an assignment is not supported", "use slices")

    def _annotation(self, node: ast.expr) -> None:
        """Check an annotation that CPython evaluates."""
        if not self.scopes.deferred_annotations and not self.scopes.is_type_note(node, self.scope):
            self.visit(node)

    # ---- statements -----------------------------------------------------------------------

    def visit_Pass(self, node: ast.AST) -> None:
        """Nothing to check."""

    visit_Break = visit_Continue = visit_Nonlocal = visit_Pass

    def visit_Global(self, node: ast.Global) -> None:
        for text in node.names:
            if text in self.scopes.imports and text not in self.scopes.starred:
                self.refuse(node, f"{text!r} cannot be rebound", "use another name")

    def visit_Expr(self, node: ast.Expr) -> None:
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        before = len(self.problems)
        self.visit(node.value)
        self._bind_checked(before, node.value, node.targets)
        for target in node.targets:
            self._target(target)

    def _target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Tuple | ast.List):
            for part in node.elts:
                self._target(part)
        elif isinstance(node, ast.Subscript):
            self._subscript(node)
        elif not isinstance(node, ast.Name):
            self.visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.value)
        if self.scope.node is None or not node.simple:
            self._annotation(node.annotation)
        if isinstance(node.target, ast.Attribute):
            self.refuse(node, "assignment to an attribute is not supported", "use a dict")
        else:
            self._target(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._operator(node.op, node)
        self._target(node.target)
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                continue
            if isinstance(target, ast.Subscript):
                if self.scopes.meaning(target.value, self.scope, self.shadow):
                    self.refuse(target, "del of an environment variable is not supported", "set it")
                else:
                    self._subscript(target)
            else:
                self.refuse(target, "del of this is not supported", "write del name")

    def visit_Return(self, node: ast.Return) -> None:
        self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        self.visit(node.msg)

    def visit_If(self, node: ast.If | ast.While) -> None:
        self.visit(node.test)
        self.visit_all(node.body)
        self.visit_all(node.orelse)

    visit_While = visit_If

    def visit_For(self, node: ast.For) -> None:
        before = len(self.problems)
        self._consumed(node.iter)
        self._bind_checked(before, node.iter, [node.target])
        self._target(node.target)
        self.visit_all(node.body)
        self.visit_all(node.orelse)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            before = len(self.problems)
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._bind_checked(before, item.context_expr, [item.optional_vars])
                self._target(item.optional_vars)
        self.cleanups += 1
        self.visit_all(node.body)
        self.cleanups -= 1

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is None and not self.handlers:
            self.refuse(
                node, "raise without an exception outside an except clause", "name the exception"
            )
        for part in (node.exc, node.cause):
            if part is None or (isinstance(part, ast.Constant) and part.value is None):
                continue
            if not self._is_exception(part):
                self.visit(part)

    def _is_exception(self, node: ast.expr) -> bool:
        if isinstance(self.scopes.entry(self.scopes.meaning(node, self.scope, self.shadow)), Exc):
            return True
        return (
            isinstance(node, ast.Name)
            and node.id in tables.EXCEPTIONS
            and not self._is_variable(node.id)
        )

    def visit_Try(self, node: ast.Try) -> None:
        self.cleanups += bool(node.finalbody)
        self.visit_all(node.body)
        for handler in node.handlers:
            if self.scopes.effects.stops(handler.type, self.scope):
                self.refuse(handler, "a call in an except clause", "call before the try")
            self._types(handler.type, exceptions_only=True)
            self.handlers += 1
            self.visit_all(handler.body)
            self.handlers -= 1
        self.visit_all(node.orelse)
        self.cleanups -= bool(node.finalbody)
        self.visit_all(node.finalbody)

    def _types(self, node: ast.expr | None, exceptions_only: bool) -> None:
        if node is None:
            return
        if isinstance(node, ast.Tuple):
            for part in node.elts:
                self._types(part, exceptions_only)
        elif not (
            self._is_exception(node)
            or (
                not exceptions_only
                and isinstance(node, ast.Name)
                and node.id in tables.TYPES
                and not self._is_variable(node.id)
            )
        ):
            self.visit(node)

    # ---- expressions ----------------------------------------------------------------------

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, int | float | str | bytes | None):
            what = "complex numbers are" if isinstance(node.value, complex) else "... is"
            self.refuse(node, f"{what} not supported", "use another value")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._operator(node.op, node)
        self.visit(node.left)
        self.visit(node.right)

    def _operator(self, op: ast.operator, node: ast.AST) -> None:
        if isinstance(op, ast.MatMult):
            self.refuse(node, "the operator @ is not supported", "write loops")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self.visit(node.operand)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit_all(node.values)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit_all([node.test, node.body, node.orelse])

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        for op, value in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn) and self._is_environ(value):
                continue
            self.visit(value)

    def _is_environ(self, node: ast.expr) -> bool:
        return self.scopes.meaning(node, self.scope, self.shadow) == ("module", "os.environ")

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._subscript(node)

    def _subscript(self, node: ast.Subscript) -> None:
        if not self._is_environ(node.value):
            self.visit(node.value)
        if isinstance(node.slice, ast.Slice):
            self.visit_all([node.slice.lower, node.slice.upper, node.slice.step])
        elif isinstance(node.slice, ast.Tuple) and any(
            isinstance(part, ast.Slice) for part in node.slice.elts
        ):
            self.refuse(node, "slices in several dimensions are not supported", "use one index")
        else:
            self.visit(node.slice)

    def visit_Tuple(self, node: ast.Tuple | ast.List | ast.Set) -> None:
        self.visit_all(node.elts)

    visit_List = visit_Set = visit_Tuple

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            self.visit(key)
            if not self._is_environ(value):
                self.visit(value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)
                if isinstance(part.format_spec, ast.JoinedStr):
                    self.visit_JoinedStr(part.format_spec)

    def visit_ListComp(self, node: Comprehension) -> None:
        for generator in node.generators:
            if generator.is_async:
                self.refuse(node, "async comprehensions are not supported", "write for")
            for part in ast.walk(generator.target):
                if not isinstance(part, ast.Name | ast.Tuple | ast.List | ast.expr_context):
                    self.refuse(generator.target, "this target is not supported", "use names")
                    break
        self._consumed(node.generators[0].iter)
        outer, self.scope = self.scope, self.scopes.scopes[node]
        for i, generator in enumerate(node.generators):
            if i:
                self._consumed(generator.iter)
            self.visit_all(generator.ifs)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.visit_all(parts)
        self.scope = outer

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    # ---- calls ----------------------------------------------------------------------------

    def _consumed(self, node: ast.expr) -> None:
        """Check an expression that is iterated at once."""
        if isinstance(node, ast.Call):
            function = node.func
            if (
                isinstance(function, ast.Name)
                and function.id in tables.LAZY
                and not self._is_variable(function.id)
            ):
                self._builtin(function.id, node, lazy=True)
                return
            if (
                isinstance(function, ast.Attribute)
                and function.attr in tables.LAZY_METHODS
                and self.scopes.meaning(function, self.scope, self.shadow) is None
            ):
                self.visit(function.value)
                if node.args or node.keywords:
                    self.refuse(node, f"{function.attr}() takes no arguments", "leave them out")
                return
        if self._is_environ(node):
            return
        self.visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        meaning = self.scopes.meaning(function, self.scope, self.shadow)
        if meaning is not None:
            self._module_call(meaning, node)
        elif isinstance(function, ast.Name) and not self._is_variable(function.id):
            self._name_call(function.id, node)
        elif isinstance(function, ast.Attribute):
            self._method(function, node)
        else:
            if not isinstance(function, ast.Name):
                self.visit(function)
            self._arguments(node)

    def _arguments(self, node: ast.Call) -> None:
        for value in [*node.args, *[word.value for word in node.keywords]]:
            if not self._is_environ(value):
                self.visit(value)

    def _module_call(self, meaning: tuple[str, ...], node: ast.Call) -> None:
        text = ast.unparse(node.func)
        self._arguments(node)
        if meaning[0] == "module":
            self.refuse(node.func, f"the module {text!r} cannot be called", f"write {text}.<name>")
            return
        if not self._static(meaning, node.func):
            return
        entry = self.scopes.entry(meaning)
        if not isinstance(entry, Sys | Pure | Routine | Exc):
            self.refuse(node.func, f"{text!r} is not a function", f"write {text} alone")
            return
        if isinstance(entry, Exc):
            return
        more = tables.beyond(meaning[1], meaning[2])
        names = [p.name for p in entry.params]
        for word in node.keywords:
            if word.arg in more and word.arg not in names:
                what = f"{text}() takes no argument {word.arg!r} here in the guest language"
                self.refuse(word.value, what, takes(names))
        positional = [p for p in entry.params if not p.keyword_only]
        own = [name for name in more if name not in names]
        if own and module_takes_more(positional, node) and meaning[1] != "os":
            what = f"{text}() takes at most {len(positional)} positional arguments here"
            self.refuse(node, what, takes(names))

    def _name_call(self, text: str, node: ast.Call) -> None:
        if text == "print":
            self._print(node)
        elif text in tables.STREAM_BUILTINS or text in tables.EXCEPTIONS:
            self._arguments(node)
        elif text in tables.BUILTINS:
            self._builtin(text, node, lazy=False)
        else:
            self._unknown(node.func, text)
            self._arguments(node)

    def _print(self, node: ast.Call) -> None:
        self.visit_all(node.args)
        for word in node.keywords:
            if word.arg not in _PRINT_WORDS:
                what = f"print() takes no argument {word.arg!r}"
                self.refuse(word.value, what, takes(sorted(_PRINT_WORDS)))
            else:
                self.visit(word.value)

    def _builtin(self, text: str, node: ast.Call, lazy: bool) -> None:
        for word in node.keywords:
            self.visit(word.value)
        if text == "type" and len(node.args) == 3 and not is_starred(node):
            what = "type() with three arguments makes a class: there are none in the guest language"
            self.refuse(node, what, "write functions over dicts or tuples")
        if text == "isinstance" and len(node.args) == 2:
            self.visit(node.args[0])
            self._types(node.args[1], exceptions_only=False)
            return
        for i, arg in enumerate(node.args):
            if (lazy and (i == 0 or text == "zip")) or (i == 0 and text in tables.CONSUMERS):
                self._consumed(arg)
            elif not self._is_environ(arg):
                self.visit(arg)

    def _method(self, function: ast.Attribute, node: ast.Call) -> None:
        text = function.attr
        before = len(self.problems)
        self.visit(function.value)
        doubtful = len(self.problems) > before or self._is_doubtful(function.value)
        if text in ("format", "format_map") and text not in ALL_METHODS:
            self.refuse(function, f"the method {text!r} is not supported", "write an f-string")
        elif text.startswith("_"):
            self.refuse(
                function,
                f"the attribute {text!r} begins with an underscore",
                "use the names of the language's tables",
            )
        elif text in tables.LAZY_METHODS:
            if node.args or node.keywords:
                self.refuse(node, f"{text}() takes no arguments", "leave them out")
        elif text in ALL_METHODS or text in tables.HANDLE_METHODS or doubtful:
            pass
        else:
            self.refuse(
                function,
                f"the method {text!r} is not in the guest language",
                meant(text, ALL_METHODS | tables.HANDLE_METHODS, "use the methods of its types"),
            )
        for word in node.keywords:
            if word.arg is not None and word.arg not in _METHOD_WORDS and text != "format":
                self.refuse(
                    word.value,
                    f"{text}() takes no argument {word.arg!r} in the guest language",
                    "put the key first in tuples"
                    if word.arg == "key"
                    else "give the values by position",
                )
            else:
                self.visit(word.value)
        if text in CONSUMING_METHODS and len(node.args) == 1:
            self._consumed(node.args[0])
        else:
            self.visit_all(node.args)
