"""Lowering of statements: control flow becomes blocks and jumps, the rest host statements.

A piece of code stays inside its block, as ordinary host code, until a system call, a guest call,
a loop, ``try`` or ``with`` cuts it. A loop whose body nothing cuts runs natively inside its block
for at most ``TURNS`` turns at a time, so it, too, can be preempted.

Every way out of a ``try … finally`` gets its own copy of the final part, as in CPython, if that is
short; a long one is there once, or nested ones would double the code with each level.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from workloads.language import hostast as h
from workloads.language.expressions import CHECKED, INPLACE, is_number, small
from workloads.language.frames import RERAISE, RETURN
from workloads.language.functions import FunctionLowering, body_of

TURNS = 64
_SHORT = 60  # syntax nodes of a final part that is copied

#: Before a native turn: start a new block after TURNS, or when half the block's budget is gone.
_NEXT_TURN = """\
if n == {0} or (n and _W.left < _W.low):
    _W.turns += n
    return {1}
"""

#: Statements that make blocks of their own.
_CUTTING = (ast.For, ast.While, ast.Try, ast.With)

#: At the end of a loop over what is pulled: ask for the next item.
_PULL_NEXT = """\
if s.__class__ is _Pull and not s.done:
    F.pc = {0}
    return _pull(G, s)
"""

Cleanup = Callable[[], None]


def _walk_code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, bodies of functions in it left out."""
    todo = [node]
    while todo:
        part = todo.pop()
        yield part
        if not isinstance(part, ast.FunctionDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(part))


class _Region:
    """Something a jump leaves: a loop, or a cleanup to run on the way out."""

    def __init__(self, cleanup: Cleanup | None = None) -> None:
        self.cleanup = cleanup
        self.is_loop = cleanup is None
        self.native = False
        self.head = -1
        self.exit = -1
        self.exit_used = False
        self.source = -1
        self.pulled = False  # what the loop walks may be an iterator


class FunctionCompiler(FunctionLowering):
    """Compiles one function (or the module body) into the bodies of its blocks."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.regions: list[_Region] = []

    def compile(self) -> None:
        """Lower the whole body; the result is ``blocks``, ``handlers``, ``sites``, ``slots``."""
        self.enter(self.new_block())
        node = self.scope.node
        body: list[Any] = self.scope.body if node is None else body_of(node)
        place = ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
        last = body[-1] if body else place
        if node is not None and self.scope.generator:
            self.begin_generator(body[0])
        if self.scope.cells:
            self.make_cells(self.scope)
        if self.scope.generator:
            self._try_finally(lambda: self.body(body), lambda: self._end_generator(last), last)
        else:
            self.body(body)
        if self.live:
            self.out.append(h.returns(self._returned(h.const(None, last), last), last))

    def _end_generator(self, at: ast.AST) -> None:
        generator = h.item("L", self.generator_slot, at)
        self.out.append(h.statement(h.call("_ended", [generator], at), at))

    def statement(self, node: ast.stmt) -> None:
        """Lower one statement."""
        getattr(self, "stmt_" + type(node).__name__)(node)

    def body(self, nodes: list[ast.stmt]) -> None:
        """Lower statements until one does not fall through."""
        for node in nodes:
            if not self.live:
                return
            mark = len(self.used_temps)
            getattr(self, "stmt_" + type(node).__name__)(node)
            self.release_temps(mark)

    def jump(self, block: int, at: ast.AST) -> None:
        """End the current block by going on at ``block``."""
        if self.live:
            self.out.append(h.returns(h.const(block, at), at))
            self.live = False

    # ---- simple statements ----------------------------------------------------------------

    def stmt_Pass(self, node: ast.Pass) -> None:
        """Lower ``pass``: nothing."""
        self.out.append(h.put(ast.Pass(), node))

    stmt_Import = stmt_ImportFrom = stmt_Global = stmt_Nonlocal = stmt_Pass

    def stmt_Expr(self, node: ast.Expr) -> None:
        """Lower an expression that is a statement."""
        value = self.expr(node.value)
        if not (isinstance(value, ast.Name | ast.Constant)):
            self.out.append(h.statement(value, node))
        elif not self.out:
            self.out.append(h.put(ast.Pass(), node))

    def stmt_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Lower ``def``, decorators included."""
        value = self.make_function(node)
        place = self.variable(node.name, node, ast.Store())
        self.out.append(h.assign(place, value, node))
        self.note_bound(node.name)

    def note_bound(self, text: str) -> None:
        """Remember that a variable has a value from here on."""
        if text in self.in_cells:
            return
        if text not in self.scope.fragile and text not in self.scopes.module.fragile:
            self.defined.add(text)

    def stmt_Assign(self, node: ast.Assign) -> None:
        """Lower an assignment to one or more targets."""
        value: ast.expr
        if isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple):
            # no tuple is made that could outlive the statement
            value = h.tuple_of(self.many(node.value.elts), node.value)
        else:
            value = self.expr(node.value)
            unpacks = any(isinstance(target, ast.Tuple | ast.List) for target in node.targets)
            if unpacks and self.scopes.effects.gives_iterator(node.value, self.scope):
                value = self.collected(value, node.value)
        single = len(node.targets) == 1
        if not single or (
            self.target_stops(node.targets[0]) and not isinstance(value, ast.Constant)
        ):
            value = h.item("L", self.save(value, node), node)
        for target in node.targets:
            self.store(target, value, node)

    def stmt_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Lower an annotated assignment; the annotation is evaluated where CPython does."""
        if node.value is not None:
            simple = h.put(ast.Assign([node.target], node.value), node)
            self.stmt_Assign(simple)
        if self.in_module or not node.simple:
            self.annotation(node.annotation)

    def target_stops(self, target: ast.expr) -> bool:
        """Return whether storing into ``target`` may end the block."""
        return any(self.stops(part) for part in ast.walk(target))

    def store(self, target: ast.expr, value: ast.expr, at: ast.AST) -> None:
        """Emit ``target = value``."""
        if isinstance(target, ast.Name):
            self.out.append(h.assign(self.variable(target.id, target, ast.Store()), value, at))
            self.note_bound(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, at)
        else:
            assert isinstance(target, ast.Subscript)
            parts = self.many([target.value, *self.slice_parts(target.slice)])
            self._store_item(target, parts[0], parts[1:], value, at)

    def _store_item(
        self, target: ast.Subscript, base: ast.expr, key: list[Any], value: ast.expr, at: ast.AST
    ) -> None:
        meaning = self.scopes.meaning(target.value, self.scope, self.shadow)
        if meaning == ("module", "os.environ"):
            args = [h.name("G", at), key[0], value]
            self.out.append(h.statement(h.call("_environ_set", args, at), at))
        elif self.may_be_mapping(target.value):
            args = [base, self.slice_value(target.slice, key), value]
            self.stop(h.call("_mapping_store", args, target), target)
        elif isinstance(target.slice, ast.Slice):
            bounds = [part or h.const(None, at) for part in key]
            call = h.call("_set_slice", [base, *bounds, value], target)
            self.out.append(h.statement(call, at))
        else:
            where = key[0]
            if not isinstance(where, ast.Constant | ast.UnaryOp | ast.JoinedStr):
                where = h.call("_key", [where], target)
            place = h.put(ast.Subscript(base, where, ast.Store()), target)
            self.out.append(h.assign(place, value, at))

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr, at: ast.AST) -> None:
        names = [part.id for part in target.elts if isinstance(part, ast.Name)]
        if not isinstance(value, ast.Tuple):
            value = h.call("_unpack", [value], at)
        if len(names) == len(target.elts):
            places = [self.variable(text, target, ast.Store()) for text in names]
            self.out.append(h.assign(h.put(ast.Tuple(places, ast.Store()), target), value, at))
            for text in names:
                self.note_bound(text)
            return
        slots = [self.new_temp() for _ in target.elts]
        places = [h.item("L", slot, at, ast.Store()) for slot in slots]
        self.out.append(h.assign(h.put(ast.Tuple(places, ast.Store()), target), value, at))
        for slot, part in zip(slots, target.elts, strict=True):
            self.store(part, h.item("L", slot, at), at)

    def stmt_AugAssign(self, node: ast.AugAssign) -> None:
        """Lower ``a += b`` and such."""
        target = node.target
        if isinstance(target, ast.Name):
            if isinstance(node.op, CHECKED) and is_number(node.value):
                self._count(node, target)
                return
            if self.stops(node.value):
                old: ast.expr = h.item("L", self.save(self.load_name(target), node), node)
            else:
                old = self.load_name(target)
            value = self._augmented(node, old, self.expr(node.value))
            self.out.append(h.assign(self.variable(target.id, target, ast.Store()), value, node))
            return
        assert isinstance(target, ast.Subscript)
        parts: list[Any] = []
        for part in self.many([target.value, *self.slice_parts(target.slice)]):
            if part is not None and not isinstance(part, ast.Constant):
                part = h.item("L", self.save(part, target), target)
            parts.append(part)
        if self.scopes.meaning(target.value, self.scope, self.shadow) == ("module", "os.environ"):
            old = h.call("_environ_get", [h.name("G", node), parts[1]], node)
        elif self.may_be_mapping(target.value):
            key = self.slice_value(target.slice, parts[1:])
            old = self.stop(h.call("_mapping_load", [parts[0], key], target), target)
        else:
            key = self.slice_syntax(target.slice, parts[1:])
            old = h.put(ast.Subscript(parts[0], key, ast.Load()), target)
        if self.stops(node.value):
            old = h.item("L", self.save(old, node), node)
        value = self._augmented(node, old, self.expr(node.value))
        if self.may_be_mapping(target.value):
            value = h.item("L", self.save(value, node), node)
        self._store_item(target, parts[0], parts[1:], value, node)

    def _count(self, node: ast.AugAssign, target: ast.Name) -> None:
        """Lower ``n += 1`` and the like: the host's own operator, and a look at the result."""
        t = h.name("t", node)
        self.out.append(h.assign(h.name("t", node, store=True), self.load_name(target), node))
        changed = h.put(ast.Name("t", ast.Store()), node)
        change = ast.AugAssign(changed, node.op, self.expr(node.value))
        self.out.append(h.put(change, node))
        value = h.put(ast.IfExp(small(t, node), t, h.call("_big", [t], node)), node)
        self.out.append(h.assign(self.variable(target.id, target, ast.Store()), value, node))

    def load_name(self, target: ast.Name) -> ast.expr:
        """Return the value of the variable that an augmented assignment changes."""
        return self.load(h.put(ast.Name(target.id, ast.Load()), target))

    def _augmented(self, node: ast.AugAssign, old: ast.expr, value: ast.expr) -> ast.expr:
        helper = INPLACE.get(type(node.op))
        if helper:
            return h.call(helper, [old, value], node)
        if isinstance(node.op, ast.BitOr | ast.BitAnd | ast.BitXor | ast.Sub):
            operator = h.const(type(node.op).__name__, node)
            return h.call("_inplace", [operator, old, value], node)
        return self.binary(node.op, old, value, node)

    def stmt_Delete(self, node: ast.Delete) -> None:
        """Lower ``del``."""
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.out.append(h.statement(self.load_name(target), node))
                self._unbind(target.id, node)
            else:
                assert isinstance(target, ast.Subscript)
                parts = self.many([target.value, *self.slice_parts(target.slice)])
                key = self.slice_syntax(target.slice, parts[1:])
                place = h.put(ast.Subscript(parts[0], key, ast.Del()), target)
                self.out.append(h.put(ast.Delete([place]), node))

    def _unbind(self, text: str, at: ast.AST) -> None:
        place = self.variable(text, at, ast.Store())
        self.out.append(h.assign(place, h.name("_U", at), at))

    def stmt_Assert(self, node: ast.Assert) -> None:
        """Lower ``assert``."""
        test = h.put(ast.UnaryOp(ast.Not(), self.expr(node.test)), node.test)
        branch = h.put(ast.If(test, [], []), node)
        self.out.append(branch)
        rest = self.out
        self.out = branch.body
        args = [self.expr(node.msg)] if node.msg else []
        error = h.call("_exception", [h.name("x_AssertionError", node), *args], node)
        # CPython reports the test as the place of a failed assertion
        self.out.append(h.put(ast.Raise(error, None), node.test))
        if self.out is branch.body:
            self.out = rest
        else:
            self._go_on_after(rest, node)

    def _go_on_after(self, rest: list[ast.stmt], at: ast.AST) -> None:
        """Continue in a fresh block after ``rest``, a list that something cut off."""
        block = self.new_block()
        rest.append(h.returns(h.const(block, at), at))
        self.enter(block)

    def stmt_Raise(self, node: ast.Raise) -> None:
        """Lower ``raise``."""
        if node.exc is None:
            handled = h.item("L", self.exception_slot, node)
            self.out.append(h.returns(h.tuple_of([h.const(RERAISE, node), handled], node), node))
            self.live = False
            return
        parts: list[ast.expr | None] = [node.exc]
        if node.cause is not None:
            parts.append(node.cause)
        values = self.many_exceptions(parts)
        if len(values) == 1:
            error = h.call("_raisable", values, node)
        else:
            error = h.call("_caused", values, node)
        self.out.append(h.put(ast.Raise(error, None), node))
        self.live = False

    def many_exceptions(self, nodes: list[ast.expr | None]) -> list[ast.expr]:
        """Lower what ``raise`` names: a bare exception name stands for an instance."""
        values: list[ast.expr] = []
        for node in nodes:
            assert node is not None
            text = self.exception_name(node)
            if text:
                values.append(h.call("_exception", [h.name("x_" + text, node)], node))
            else:
                value = self.expr(node)
                values.append(h.item("L", self.save(value, node), node))
        return values

    def stmt_Return(self, node: ast.Return) -> None:
        """Lower ``return``, through every ``finally`` around it."""
        value = self.expr(node.value) if node.value else h.const(None, node)
        if any(region.cleanup for region in self.regions):
            if not isinstance(value, ast.Constant):
                value = h.item("L", self.save(value, node), node)
            self.count_turns(node)  # a native loop lies inside of what has to be cleaned up
            self._leave(0, node)
        elif self.live:
            self.count_turns(node)
        if self.live:
            self.out.append(h.returns(self._returned(value, node), node))
        self.live = False

    def _returned(self, value: ast.expr, at: ast.AST) -> ast.expr:
        if isinstance(value, ast.Constant) and value.value is None:
            return h.name("_RETURN_NONE", at)
        if self.scope.generator:
            generator = h.item("L", self.generator_slot, at)
            return h.call("_finished", [generator, value], at)
        return h.tuple_of([h.const(RETURN, at), value], at)

    # ---- if -------------------------------------------------------------------------------

    def cut(self, nodes: list[ast.stmt]) -> bool:
        """Return whether some statement ends its block."""
        return any(
            self.stops(node) or any(isinstance(part, _CUTTING) for part in _walk_code(node))
            for node in nodes
        )

    def stmt_If(self, node: ast.If) -> None:
        """Lower ``if``."""
        branch = h.put(ast.If(self.expr(node.test), [], []), node)
        self.out.append(branch)
        rest = self.out
        cut = self.cut(node.body) or self.cut(node.orelse)
        before = set(self.defined)
        after: list[set[str]] = []
        ends: list[list[ast.stmt]] = []
        for out, nodes in ((branch.body, node.body), (branch.orelse, node.orelse)):
            self.out, self.live, self.defined = out, True, set(before)
            self.body(nodes)
            if self.live:
                after.append(self.defined)
                ends.append(self.out)
        if not branch.body:
            branch.body.append(h.put(ast.Pass(), node))
        self.defined = set.intersection(*after) if after else before
        self.live = bool(ends)
        if not cut:
            self.out = rest
        elif ends:
            join = self.new_block()
            for out in ends:
                out.append(h.returns(h.const(join, node), node))
            self.enter(join)

    # ---- loops ----------------------------------------------------------------------------

    def _loop(self, node: ast.For | ast.While) -> _Region:
        region = _Region()
        region.native = not self.cut([*node.body]) and not (
            isinstance(node, ast.While) and self.stops(node.test)
        )
        if isinstance(node, ast.For) and self.target_stops(node.target):
            region.native = False
        region.pulled = isinstance(node, ast.For) and self.may_iterate(node.iter)
        region.head = self.new_block()
        self.jump(region.head, node)
        self.enter(region.head)
        region.exit = self.new_block()
        return region

    def _pull_next(self, node: ast.For | ast.While, region: _Region) -> None:
        """At the end of what a loop walks: an iterator is asked for its next item."""
        if not region.pulled:
            return
        block = self.new_block()
        assert isinstance(node, ast.For)
        at = node.iter
        end_line, end = at.end_lineno or at.lineno, at.end_col_offset or 0
        self.sites[block] = (at.lineno, end_line, at.col_offset, end)
        self._emit(_PULL_NEXT, node, block)
        rest, self.out = self.out, self.blocks[block]
        self._emit("_pulled(L[{0}], V)\nreturn {1}", node, region.source, region.head)
        self.out = rest

    def stmt_While(self, node: ast.While) -> None:
        """Lower ``while``."""
        region = self._loop(node)
        before = set(self.defined)
        if region.native:
            self._native_while(node, region)
        else:
            test = node.test
            endless = isinstance(test, ast.Constant) and bool(test.value)
            if not endless:
                negated = h.put(ast.UnaryOp(ast.Not(), self.expr(test)), node)
                self._leave_loop_when(negated, node, region)
            self._turn(node, region)
        self._after_loop(region, before)

    def _turn(self, node: ast.For | ast.While, region: _Region) -> None:
        """Lower the body of a loop that is cut, and the jump back."""
        self.regions.append(region)
        self.body(node.body)
        self.regions.pop()
        self.jump(region.head, node)

    def _leave_loop_when(self, test: ast.expr, node: ast.For | ast.While, region: _Region) -> None:
        """Emit ``if test: else part; leave the loop``."""
        branch = h.put(ast.If(test, [], []), node)
        self.out.append(branch)
        rest = self.out
        defined = set(self.defined)
        self.out = branch.body
        self._pull_next(node, region)
        self.body(node.orelse)
        if self.live:
            self.out.append(h.returns(h.const(region.exit, node), node))
            region.exit_used = True
        self.out, self.live, self.defined = rest, True, defined

    def _after_loop(self, region: _Region, before: set[str]) -> None:
        self.defined = before
        self.enter(region.exit)
        self.live = region.exit_used

    def stmt_For(self, node: ast.For) -> None:
        """Lower ``for``: an index into a view, or pulls from an iterator."""
        source, index = self.new_temp(), self.new_temp()
        helper = "_pull_source" if self.may_iterate(node.iter) else "_loop_source"
        walked = h.call(helper, [self.walked(node.iter)], node.iter)
        self.out.append(h.assign(h.item("L", source, node, ast.Store()), walked, node.iter))
        self.out.append(h.assign(h.item("L", index, node, ast.Store()), h.const(0, node), node))
        region = self._loop(node)
        region.source = source
        before = set(self.defined)
        if region.native:
            self._native_for(node, region, source, index)
        else:
            self._emit("s = L[{0}]; i = L[{1}]", node, source, index)
            test = _parse("i >= _len(s)", node)
            self._leave_loop_when(test, node, region)
            if isinstance(node.target, ast.Name):
                self._emit("L[{0}] = i + 1", node, index)
                self.store(node.target, _parse("s[i]", node), node.target)
            else:
                value = h.item("L", self.save(_parse("s[i]", node), node), node)
                self._emit("L[{0}] = i + 1", node, index)
                self.store(node.target, value, node.target)
            self._turn(node, region)
        self._after_loop(region, before)
        # the source may hold much: let go of it
        if self.live:
            self._emit("L[{0}] = None", node, source)

    def _emit(self, text: str, at: ast.AST, *numbers: int) -> None:
        """Append host statements given as text."""
        self.out += _parse_statements(text.format(*numbers), at)

    def _native_while(self, node: ast.While, region: _Region) -> None:
        self._emit("n = 0", node)
        loop = h.put(ast.While(h.const(True, node), [], []), node)
        self.out.append(loop)
        self.out = loop.body
        self._emit(_NEXT_TURN, node, TURNS, region.head)
        self._emit("n += 1", node)
        test = node.test
        if not (isinstance(test, ast.Constant) and test.value):
            negated = h.put(ast.UnaryOp(ast.Not(), self.expr(test)), node)
            self._native_end(negated, node, region)
        self._native_turn(node, region)

    def _native_for(self, node: ast.For, region: _Region, source: int, index: int) -> None:
        self._emit("s = L[{0}]; n = 0", node, source)
        loop = h.put(ast.While(h.const(True, node), [], []), node)
        self.out.append(loop)
        self.out = loop.body
        self._emit("i = L[{0}]", node, index)
        self._native_end(_parse("i >= _len(s)", node), node, region)
        self._emit(_NEXT_TURN, node, TURNS, region.head)
        self._emit("n += 1", node)
        if isinstance(node.target, ast.Name):
            self._emit("L[{0}] = i + 1", node, index)
            self.store(node.target, _parse("s[i]", node), node.target)
        else:
            self._emit("v = s[i]\nL[{0}] = i + 1", node, index)
            self.store(node.target, _parse("v", node), node.target)
        self._native_turn(node, region)

    def _native_end(self, test: ast.expr, node: ast.For | ast.While, region: _Region) -> None:
        """Emit the normal end of a native loop: leave, and do the else part outside."""
        branch = h.put(ast.If(test, [], []), node)
        self.out.append(branch)
        rest = self.out
        self.out = branch.body
        self.count_turns(node, True)
        self._pull_next(node, region)
        defined = set(self.defined)
        self.body(node.orelse)
        if self.live:
            self.out.append(h.returns(h.const(region.exit, node), node))
            region.exit_used = True
        self.out, self.live, self.defined = rest, True, defined

    def _native_turn(self, node: ast.For | ast.While, region: _Region) -> None:
        self.regions.append(region)
        self.body(node.body)
        self.regions.pop()
        self.live = False

    def count_turns(self, at: ast.AST, inside: bool = False) -> None:
        """On the way out of a native loop, add its turns to the steps of this resume."""
        if inside or any(region.native for region in self.regions):
            self._emit("_W.turns += n", at)

    def stmt_Break(self, node: ast.Break) -> None:
        """Lower ``break``, through every ``finally`` inside the loop."""
        region = self._to_loop(node)
        if not self.live:
            return
        if region.native:
            self.count_turns(node)
        region.exit_used = True
        self.jump(region.exit, node)

    def stmt_Continue(self, node: ast.Continue) -> None:
        """Lower ``continue``, through every ``finally`` inside the loop."""
        region = self._to_loop(node)
        if not self.live:
            return
        if region.native:
            self.out.append(h.put(ast.Continue(), node))
            self.live = False
        else:
            self.jump(region.head, node)

    def _to_loop(self, at: ast.AST) -> _Region:
        """Run the cleanups between here and the innermost loop; return the loop."""
        for depth in range(len(self.regions) - 1, -1, -1):
            if self.regions[depth].is_loop:
                region = self.regions[depth]
                self._leave(depth + 1, at)
                return region
        raise AssertionError("break outside a loop: CPython's parser refuses it")

    def _leave(self, depth: int, at: ast.AST) -> None:
        """Emit the cleanups of ``regions[depth:]``, innermost first."""
        kept = self.regions
        state = (self.handler, self.exception_slot)
        while len(self.regions) > depth and self.live:
            region = self.regions[-1]
            self.regions = self.regions[:-1]
            if region.cleanup:
                region.cleanup()
        self.regions = kept
        self.handler, self.exception_slot = state

    # ---- try ------------------------------------------------------------------------------

    def _within(self, handler: int, slot: int, at: ast.AST) -> None:
        """Start a block in another region."""
        self.handler, self.exception_slot = handler, slot
        block = self.new_block()
        self.jump(block, at)
        self.enter(block)

    def stmt_Try(self, node: ast.Try) -> None:
        """Lower ``try``."""
        if node.finalbody:
            inner = ast.Try(node.body, node.handlers, node.orelse, [])
            h.put(inner, node)

            def protected() -> None:
                if node.handlers:
                    self._try_except(inner)
                else:
                    self.body(node.body)

            if _is_short(node.finalbody):
                self._try_finally(protected, lambda: self.body(node.finalbody), node)
            else:
                self._try_shared(protected, lambda: self.body(node.finalbody), node)
        else:
            self._try_except(node)

    def _try_finally(self, protected: Cleanup, final: Cleanup, at: ast.AST) -> None:
        """Emit ``try: protected finally: final``."""
        outer, outer_slot = self.handler, self.exception_slot
        on_error = self.new_block()
        before = set(self.defined)

        def cleanup() -> None:
            self._within(outer, outer_slot, at)
            mark = len(self.used_temps)
            final()
            self.release_temps(mark)

        self._within(on_error, outer_slot, at)
        self.regions.append(_Region(cleanup))
        protected()
        self.regions.pop()
        if self.live:
            cleanup()
        else:
            self.handler, self.exception_slot = outer, outer_slot
        live, out, after = self.live, self.out, set(self.defined)

        self.enter(on_error)
        self.defined = before
        slot = self.new_temp()
        self.out.append(h.assign(h.item("L", slot, at, ast.Store()), h.name("V", at), at))
        self.regions.append(_Region(lambda: self._forget(slot, at)))
        self._within(outer, slot, at)
        final()
        if self.live:
            error = h.item("L", slot, at)
            self.out.append(h.returns(h.tuple_of([h.const(RERAISE, at), error], at), at))
        self.regions.pop()
        self.handler, self.exception_slot = outer, outer_slot
        self.live, self.out = live, out
        self.defined = after if live else before

    def _try_shared(self, protected: Cleanup, final: Cleanup, at: ast.AST) -> None:
        """Emit ``try: protected finally: final`` with one copy of the final part.

        Every way out notes in a local where it goes on, and the final part ends by going there.
        """
        outer, outer_slot = self.handler, self.exception_slot
        on_error, shared = self.new_block(), self.new_block()
        slot, way = self.new_temp(), self.new_temp()
        before = set(self.defined)
        ways: list[int] = []

        def cleanup() -> None:
            self._within(outer, outer_slot, at)
            if outer_slot < 0:
                self._forget(slot, at)
            else:  # what is being handled around this is being handled inside, too
                self._emit("L[{0}] = L[{1}]", at, slot, outer_slot)
            self._emit("L[{0}] = {1}", at, way, len(ways))
            after = self.new_block()
            ways.append(after)
            self.jump(shared, at)
            self.enter(after)

        self._within(on_error, outer_slot, at)
        self.regions.append(_Region(cleanup))
        protected()
        self.regions.pop()
        if self.live:
            cleanup()
        self.handler, self.exception_slot = outer, outer_slot
        live, out, after = self.live, self.out, set(self.defined)

        self.enter(on_error)
        self.defined = set(before)
        self.out.append(h.assign(h.item("L", slot, at, ast.Store()), h.name("V", at), at))
        self._emit("L[{0}] = -1", at, way)
        self.jump(shared, at)
        self.enter(shared)
        self.regions.append(_Region(lambda: self._forget(slot, at)))
        # what a way out has saved is needed after the final part: it gets temporaries of its own
        kept, self.free_temps = self.free_temps, []
        self._within(outer, slot, at)
        final()
        self.free_temps += kept
        if self.live:
            for number, block in enumerate(ways):
                branch = h.put(ast.If(_parse(f"L[{way}] == {number}", at), [], []), at)
                branch.body += _parse_statements(f"L[{slot}] = None", at)
                branch.body += [h.returns(h.const(block, at), at)]
                self.out.append(branch)
            error = h.item("L", slot, at)
            self.out.append(h.returns(h.tuple_of([h.const(RERAISE, at), error], at), at))
            after |= self.defined
        else:
            live = False
        self.regions.pop()
        self.handler, self.exception_slot = outer, outer_slot
        self.live, self.out = live, out
        self.defined = after if live else before

    def _forget(self, slot: int, at: ast.AST) -> None:
        """Clear the place of an exception that is no longer being handled."""
        self._emit("L[{0}] = None", at, slot)

    def _try_except(self, node: ast.Try) -> None:
        outer, outer_slot = self.handler, self.exception_slot
        on_error = self.new_block()
        before = set(self.defined)
        exits: list[list[ast.stmt]] = []
        after: list[set[str]] = []

        self._within(on_error, outer_slot, node)
        self.regions.append(_Region(lambda: self._within(outer, outer_slot, node)))
        self.body(node.body)
        self.regions.pop()
        if self.live:
            self._within(outer, outer_slot, node)
            self.body(node.orelse)
        self.handler, self.exception_slot = outer, outer_slot
        if self.live:
            exits.append(self.out)
            after.append(self.defined)

        self.enter(on_error)
        slot = self.new_temp()
        self.out.append(h.assign(h.item("L", slot, node, ast.Store()), h.name("V", node), node))
        for handler in node.handlers:
            self.defined = set(before)
            self._handler(handler, slot, outer, exits, after)
            if handler.type is None:
                break
        else:
            error = h.name("V", node)
            self.out.append(h.returns(h.tuple_of([h.const(RERAISE, node), error], node), node))
        self.handler, self.exception_slot = outer, outer_slot
        self.live = bool(exits)
        self.defined = set.intersection(*after) if after else before
        if exits:
            join = self.new_block()
            for out in exits:
                out.append(h.returns(h.const(join, node), node))
            self.enter(join)

    def _handler(
        self,
        node: ast.ExceptHandler,
        slot: int,
        outer: int,
        exits: list[list[ast.stmt]],
        after: list[set[str]],
    ) -> None:
        """Lower one ``except`` clause into a branch of the dispatching block."""
        dispatch = self.out
        test = h.const(True, node)
        if node.type is not None and self.is_types(node.type):
            test = h.call("_caught", [h.name("V", node), self.types(node.type)], node)
        elif node.type is not None:
            test = h.call("_matches", [h.name("V", node), self.expr(node.type)], node.type)
        branch = h.put(ast.If(test, [], []), node)
        dispatch.append(branch)
        outer_slot = self.exception_slot
        self.out, self.live = branch.body, True
        self.regions.append(_Region(lambda: self._end_handler(slot, outer, outer_slot, node)))
        if node.name:
            name = node.name
            place = self.variable(name, node, ast.Store())
            self.out.append(h.assign(place, h.name("V", node), node))
            # the name is deleted on every way out, that by an exception included
            self.exception_slot = slot
            self._try_finally(lambda: self.body(node.body), lambda: self._unbind(name, node), node)
        else:
            self._within(outer, slot, node)
            self.body(node.body)
        self.regions.pop()
        if self.live:
            self._end_handler(slot, outer, outer_slot, node)
            exits.append(self.out)
            after.append(self.defined)
        self.handler, self.exception_slot = outer, outer_slot
        self.out, self.live = dispatch, True

    def _end_handler(self, slot: int, outer: int, outer_slot: int, at: ast.AST) -> None:
        self._within(outer, outer_slot, at)
        self._forget(slot, at)

    # ---- with -----------------------------------------------------------------------------

    def stmt_With(self, node: ast.With) -> None:
        """Lower ``with``."""
        self._with_items(list(node.items), node)

    def _with_items(self, items: list[ast.withitem], node: ast.With) -> None:
        if not items:
            self.body(node.body)
            return
        at = items[0].context_expr
        target = items[0].optional_vars
        lock = self.save(self.expr(at), at)
        entered = self.stop(h.call("_enter", [h.name("G", at), h.item("L", lock, at)], at), at)
        if target is not None:
            entered = h.item("L", self.save(entered, at), at)

        def inside() -> None:
            if target is not None:
                self.store(target, entered, at)
            self._with_items(items[1:], node)

        def release() -> None:
            self.stop(h.call("_leave", [h.name("G", at), h.item("L", lock, at)], at), at)

        self._try_finally(inside, release, at)


def _is_short(nodes: list[ast.stmt]) -> bool:
    """Return whether a final part is copied for each way out: no other try, a few lines."""
    parts = [part for node in nodes for part in ast.walk(node)]
    return len(parts) <= _SHORT and not any(isinstance(part, ast.Try | ast.With) for part in parts)


def _parse_statements(text: str, at: ast.AST) -> list[ast.stmt]:
    """Return host statements given as text."""
    nodes = ast.parse(text).body
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.expr | ast.stmt):
                h.put(part, at)
    return nodes


def _parse(text: str, at: ast.AST) -> ast.expr:
    """Return a host expression given as text."""
    value = ast.parse(text, mode="eval").body
    for part in ast.walk(value):
        if isinstance(part, ast.expr):
            h.put(part, at)
    return value
