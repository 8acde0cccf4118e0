"""Lowering of what makes functions: def, lambda, comprehensions that are cut, generators.

A function value of the module's own level is a ``Function``: its defaults lie in hidden globals.
Any other is a ``Closure``, made anew each time, with its defaults and the cells it uses. The frame
of a function has its parameters first, then the cells of its ``free`` variables, then the rest.

A generator's first block jumps to where the generator stands; ``yield`` leaves its frame with the
value and notes there where to go on. So a suspended generator is data like any other frame.
"""

import ast

from workloads.language import hostast as h
from workloads.language.expressions import Lowering
from workloads.language.function_nodes import (
    ITERATED,
    Comprehension,
    FunctionNode,
    annotations,
)
from workloads.language.scopes import DELEGATED, YIELDED, Scope

_RESULT = ".r"


class FunctionLowering(Lowering):
    """Adds functions to the expressions."""

    def closure(self, node: FunctionNode, defaults: list[ast.expr]) -> ast.expr:
        """Return the function value that ``node`` makes here, given its lowered defaults."""
        code = self.program.code_of(node)
        scope = self.scopes.scopes[node]
        cells = [self.cell(text, node) for text in scope.free]
        args = [h.name(f"f_{code.index}", node), h.tuple_of(defaults, node)]
        return h.call("_closure", [*args, h.tuple_of(cells, node)], node)

    def cell(self, text: str, at: ast.AST) -> ast.expr:
        """Return the cell of a variable that an inner function uses."""
        return h.item("L", self.slots[text], at)

    def make_cells(self, scope: Scope) -> None:
        """Put the function's own variables that inner functions use into cells."""
        at = scope.node
        assert at is not None
        for text in scope.bound:
            if text in scope.cells:
                place = h.item("L", self.slots[text], at, ast.Store())
                value = h.list_of([h.item("L", self.slots[text], at)], at)
                self.out.append(h.assign(place, value, at))

    def defaults_of(self, node: ast.FunctionDef | ast.Lambda) -> list[tuple[str, ast.expr]]:
        """Return (parameter, default) in order of evaluation."""
        args = node.args
        positional = [*args.posonlyargs, *args.args]
        pairs = list(zip(positional[len(positional) - len(args.defaults) :], args.defaults))
        pairs += [
            (arg, default)
            for arg, default in zip(args.kwonlyargs, args.kw_defaults)
            if default is not None
        ]
        return [(arg.arg, default) for arg, default in pairs]

    def expr_Lambda(self, node: ast.Lambda) -> ast.expr:
        """Lower a lambda: a new function value."""
        values = self.many([default for _, default in self.defaults_of(node)])
        return self.closure(node, values)

    def make_function(self, node: ast.FunctionDef) -> ast.expr:
        """Lower a ``def`` up to its value, decorators included."""
        decorators = [self.saved(part) for part in node.decorator_list]
        pairs = self.defaults_of(node)
        values = self.many([default for _, default in pairs])
        code = self.program.code_of(node)
        if self.in_module:
            for (text, _), value in zip(pairs, values, strict=True):
                slot = self.program.default_slot(code, text)
                self.out.append(h.assign(h.item("G", slot, node, ast.Store()), value, node))
            function = h.name(f"v_{code.index}", node)
        else:
            if annotations(node):
                values = [h.item("L", self.save(value, node), node) for value in values]
            function = self.closure(node, values)
        for note in annotations(node):
            self.annotation(note)
        for decorator in reversed(decorators):
            args = [h.name("G", node), decorator, h.tuple_of([function], node), h.const((), node)]
            function = self.stop(h.call("_bind", args, node), node)
        return function

    def saved(self, node: ast.expr) -> ast.expr:
        """Lower an expression into a temporary."""
        return h.item("L", self.save(self.expr(node), node), node)

    def annotation(self, node: ast.expr) -> None:
        """Evaluate an annotation as CPython does; one that only names types shows nowhere."""
        if not self.scopes.deferred_annotations and not self.scopes.is_type_note(node, self.scope):
            self.out.append(h.statement(self.expr(node), node))

    # ---- comprehensions -------------------------------------------------------------------

    def expr_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        """Lower a generator expression: a generator, or host code where it is consumed."""
        if self.scopes.scopes[node].native:
            generators, shadow = self.generators(node.generators)
            return h.put(ast.GeneratorExp(self.inside(shadow, node.elt), generators), node)
        code = self.program.code_of(node)
        first = h.call("_iterable", [self.consumed(node.generators[0].iter)], node)
        local = self._locals_of(node, first)
        return h.call("_generator", [h.name(f"f_{code.index}", node), local], node)

    def _locals_of(self, node: Comprehension, first: ast.expr) -> ast.expr:
        code = self.program.code_of(node)
        cells = [self.cell(text, node) for text in self.scopes.scopes[node].free]
        rest = h.put(ast.Starred(h.name(f"u_{code.index}", node), ast.Load()), node)
        return h.list_of([first, *cells, rest], node)

    def cut_comprehension(self, node: Comprehension) -> ast.expr:
        """Call the function that a comprehension is."""
        code = self.program.code_of(node)
        first = self.consumed(node.generators[0].iter)
        return self.call_code(code.index, self._locals_of(node, first), node)

    # ---- generators -----------------------------------------------------------------------

    def begin_generator(self, at: ast.AST) -> None:
        """Emit the first block of a generator: go on where it stands."""
        self.generator_slot = self.new_temp()
        self.program_slot(self.generator_slot)
        generator = h.item("L", self.generator_slot, at)
        resumed = h.call("_resumed", [h.name("F", at), generator], at)
        self.out.append(h.returns(resumed, at))
        self.enter(self.new_block())

    def program_slot(self, slot: int) -> None:
        """Note where a generator's frame holds the generator."""
        self.program.code_of(self.scope.node).generator = slot

    def expr_Yield(self, node: ast.Yield) -> ast.expr:
        """Lower ``yield``: the frame is left, and goes on at the next block."""
        value = self.expr(node.value) if node.value else h.const(None, node)
        block = self.new_block()
        generator = h.item("L", self.generator_slot, node)
        args = [generator, h.const(block, node), value]
        self.out.append(h.returns(h.call("_yielded", args, node), node))
        self.enter(block)
        return h.name("V", node)

    def expr_YieldFrom(self, node: ast.YieldFrom) -> ast.expr:
        """Lower ``yield from``: a loop that yields each item, then what a generator returned."""
        item = ast.Name(YIELDED, ast.Store())
        inner = ast.Expr(ast.Yield(ast.Name(YIELDED, ast.Load())))
        source = ast.Name(DELEGATED, ast.Store())
        self.statement(_placed(ast.Assign([source], node.value), node))
        walked = ast.Name(DELEGATED, ast.Load())
        self.statement(_placed(ast.For(item, walked, [inner], []), node))
        return h.call("_result_of", [self.expr(_placed_expr(walked, node))], node)

    def statement(self, node: ast.stmt) -> None:
        """Lower a statement; ``statements`` does."""
        raise NotImplementedError


def _placed(node: ast.stmt, at: ast.AST) -> ast.stmt:
    """Give every part of a made statement that has no place the place of ``at``."""
    for part in ast.walk(node):
        if isinstance(part, ast.expr | ast.stmt) and not hasattr(part, "lineno"):
            h.put(part, at)
    return node


def body_of(node: FunctionNode) -> list[ast.stmt]:
    """Return the statements of a function, made up for a lambda or a comprehension."""
    if isinstance(node, ast.FunctionDef):
        return node.body
    if isinstance(node, ast.Lambda):
        return [_placed(ast.Return(node.body), node.body)]
    return [*_start(node), _loops(node), *_end(node)]


def _start(node: Comprehension) -> list[ast.stmt]:
    empty: ast.expr
    if isinstance(node, ast.GeneratorExp):
        return []
    if isinstance(node, ast.ListComp):
        empty = ast.List([], ast.Load())
    elif isinstance(node, ast.SetComp):
        empty = ast.Set([])
    else:
        empty = ast.Dict([], [])
    return [_placed(ast.Assign([ast.Name(_RESULT, ast.Store())], empty), node)]


def _end(node: Comprehension) -> list[ast.stmt]:
    if isinstance(node, ast.GeneratorExp):
        return []
    return [_placed(ast.Return(ast.Name(_RESULT, ast.Load())), node)]


def _loops(node: Comprehension) -> ast.stmt:
    inner: list[ast.stmt]
    if isinstance(node, ast.GeneratorExp):
        inner = [ast.Expr(_placed_expr(ast.Yield(node.elt), node.elt))]
    elif isinstance(node, ast.DictComp):
        inner = [
            ast.Assign([ast.Name(".k", ast.Store())], node.key),
            ast.Assign([ast.Name(".v", ast.Store())], node.value),
            ast.Assign(
                [
                    ast.Subscript(
                        ast.Name(_RESULT, ast.Load()), ast.Name(".k", ast.Load()), ast.Store()
                    )
                ],
                ast.Name(".v", ast.Load()),
            ),
        ]
    else:
        add = "append" if isinstance(node, ast.ListComp) else "add"
        method = ast.Attribute(ast.Name(_RESULT, ast.Load()), add, ast.Load())
        inner = [ast.Expr(ast.Call(method, [node.elt], []))]
    for i in range(len(node.generators) - 1, -1, -1):
        generator = node.generators[i]
        for test in reversed(generator.ifs):
            inner = [ast.If(test, inner, [])]
        source = generator.iter if i else ast.Name(ITERATED, ast.Load())
        inner = [ast.For(generator.target, source, inner, [])]
    return _placed(inner[0], node)


def _placed_expr(node: ast.expr, at: ast.AST) -> ast.expr:
    return h.put(node, at)


def made_names(node: FunctionNode) -> list[str]:
    """Return the variables of the made-up statements of a comprehension."""
    if isinstance(node, ast.DictComp):
        return [_RESULT, ".k", ".v"]
    return [_RESULT] if isinstance(node, ast.ListComp | ast.SetComp) else []
