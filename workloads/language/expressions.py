"""Lowering of expressions: from guest syntax to host syntax over an explicit frame.

``Lowering.expr`` returns a host expression that is valid at the end of the code emitted so far.
If part of an expression stops the block (a system call, a guest call), what was evaluated before
it is first saved in temporaries of the frame, so order of evaluation is CPython's.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from workloads.language import charges, tables, weights
from workloads.language import hostast as h
from workloads.language.effects import CONSUMING_METHODS, builtin_fits, fits, is_starred
from workloads.language.frames import CALL
from workloads.language.function_nodes import Comprehension, parameters
from workloads.language.methods import ALL_METHODS
from workloads.language.scopes import BUILTIN_NAMES, ProgramScopes, Scope
from workloads.language.tables import Const, Exc, Made, Param, Pure, Routine, Sys, Value

#: Operators whose result is a number, at most a word longer, if one operand is a number literal.
CHECKED = (ast.Add, ast.Sub, ast.FloorDiv, ast.RShift, ast.BitOr, ast.BitAnd, ast.BitXor)
#: Augmented assignments that have a helper of their own: it extends what the name holds.
INPLACE = {ast.Add: "_inplace_add", ast.Mult: "_inplace_mul"}
#: kind of parameter -> converter in the block namespace
_CONVERTERS = {
    "i": "_as_int",
    "n": "_as_c_int",
    "m": "_as_pid_int",
    "s": "_as_cut_int",
    "u": "_as_id",
    "p": "_as_path",
    "d": "_as_data",
    "w": "_as_walked",
}
_TAKES_FD = ("chdir", "execve")  # a descriptor would do for the path, in CPython
_PYTHON_SEARCH = ("execvp",)  # written in Python, which asks os.fspath()


class Lowering:
    """The state of one function's compilation, and the expressions; ``statements`` adds to it."""

    def __init__(self, scopes: ProgramScopes, scope: Scope, program: Any) -> None:
        self.scopes = scopes
        self.scope = scope
        self.program = program
        self.in_module = scope.node is None
        self.slots: dict[str, int] = {}
        if scope.node is not None:
            count = len(parameters(scope.node))
            order = [*scope.bound[:count], *scope.free, *scope.bound[count:]]
            self.slots = {text: i for i, text in enumerate(order)}
        self.in_cells = scope.cells | set(scope.free)  # the variables whose slot holds a cell
        self.locals_count = len(self.slots)
        self.free_temps: list[int] = []
        self.used_temps: list[int] = []
        self.defined: set[str] = set(scopes.prologue)
        if scope.node is not None:
            self.defined -= set(self.slots)
            self.defined |= {arg.arg for arg in parameters(scope.node)} - scope.fragile
            self.defined -= self.in_cells
        self.shadow: frozenset[str] = frozenset()  # targets of enclosing comprehensions
        self.comprehensions = 0  # comprehensions around what is lowered now
        self.out: list[ast.stmt] = []
        self.blocks: list[list[ast.stmt]] = []
        self.handlers: list[int] = []
        self.exception_slots: list[int] = []
        self.sites: list[tuple[int, int, int, int] | None] = []
        self.handler = -1
        self.exception_slot = -1
        self.live = True

    # ---- blocks ---------------------------------------------------------------------------

    def new_block(self) -> int:
        """Reserve a block in the current ``try``."""
        self.blocks.append([])
        self.handlers.append(self.handler)
        self.exception_slots.append(self.exception_slot)
        self.sites.append(None)
        return len(self.blocks) - 1

    def enter(self, block: int) -> None:
        """Go on emitting into ``block``."""
        self.out = self.blocks[block]
        self.live = True

    def stop(self, value: ast.expr, at: ast.AST) -> ast.expr:
        """End the block with the op ``value``; return the host name of the call's result."""
        block = self.new_block()
        self.sites[block] = (
            at.lineno,  # type: ignore[attr-defined]
            at.end_lineno,  # type: ignore[attr-defined]
            at.col_offset,  # type: ignore[attr-defined]
            at.end_col_offset,  # type: ignore[attr-defined]
        )
        self.out.append(h.set_pc(block, at))
        self.out.append(h.returns(value, at))
        self.enter(block)
        return h.name("V", at)

    # ---- temporaries ----------------------------------------------------------------------

    def new_temp(self) -> int:
        """Reserve a local for a value that outlives its block; ``release_temps`` frees it."""
        if self.free_temps:
            slot = self.free_temps.pop()
        else:
            slot = self.locals_count
            self.locals_count += 1
        self.used_temps.append(slot)
        return slot

    def release_temps(self, mark: int) -> None:
        """Free the temporaries reserved since ``used_temps`` had ``mark`` entries."""
        self.free_temps.extend(reversed(self.used_temps[mark:]))
        del self.used_temps[mark:]

    def save(self, value: ast.expr, at: ast.AST) -> int:
        """Put ``value`` into a temporary."""
        slot = self.new_temp()
        self.out.append(h.assign(h.item("L", slot, at, ast.Store()), value, at))
        return slot

    # ---- what stops a block ---------------------------------------------------------------

    def stops(self, node: ast.AST | None) -> bool:
        """Return whether evaluating ``node`` may end the block."""
        return self.scopes.effects.stops(node, self.scope)

    def is_handle_method(self, function: ast.Attribute) -> bool:
        """Return whether a method call may be one of a handle."""
        return self.scopes.effects.is_handle_method(function)

    def may_be_mapping(self, node: ast.expr) -> bool:
        """Return whether ``node`` may evaluate to a mapping (see ``mapping_names``)."""
        return self.scopes.effects.may_be_mapping(node)

    def may_iterate(self, node: ast.expr) -> bool:
        """Return whether ``node`` may evaluate to an iterator, which is walked by pulling."""
        return self.scopes.effects.may_iterate(node, self.scope)

    def is_variable(self, text: str) -> bool:
        """Return whether ``text`` is a local or a global of the guest here."""
        return text in self.shadow or self.scopes.is_variable(text, self.scope)

    # ---- variables ------------------------------------------------------------------------

    def variable(self, text: str, at: ast.AST, ctx: ast.expr_context | None = None) -> ast.expr:
        """Return the host place of a guest variable."""
        if text in self.slots:
            if text in self.in_cells:
                cell = h.item("L", self.slots[text], at)
                return h.put(ast.Subscript(cell, h.const(0, at), ctx or ast.Load()), at)
            return h.item("L", self.slots[text], at, ctx)
        return h.item("G", self.program.global_slot(text), at, ctx)

    def load(self, node: ast.Name) -> ast.expr:
        """Return the value of a name, checked to be bound unless that is certain."""
        text = node.id
        if text in self.shadow:
            return h.name("c_" + text, node)
        if self.is_variable(text):
            place = self.variable(text, node)
            if text in self.defined:
                return place
            kind = "_local" if text in self.slots else "_global"
            if kind == "_global" and text in BUILTIN_NAMES:
                return h.call("_global_or", [place, self.builtin_value(text, node)], node)
            if text in self.scope.free:
                kind = "_free"
            return h.call(kind, [place, h.const(text, node)], node)
        if text == "__name__":
            return h.const("__main__", node)
        if text == "__file__":
            return h.item("G", self.program.global_slot("__file__"), node)
        if text == "__doc__":
            return h.const(self.scopes.docstring, node)
        if self.scopes.meaning(node, self.scope, self.shadow) is None:
            return self.builtin_value(text, node)
        meaning = self.scopes.meaning(node, self.scope, self.shadow)
        return self.static(meaning, node)

    @staticmethod
    def builtin_value(text: str, at: ast.AST) -> ast.expr:
        """Return a builtin function, type or exception as a value."""
        if text in tables.TYPES or text in tables.EXCEPTIONS:
            return h.name("y_" + text, at)
        return h.name("k_builtins__" + text, at)

    def static(self, meaning: tuple[str, ...] | None, at: ast.AST) -> ast.expr:
        """Return the value of a constant or start value of a module."""
        assert meaning is not None, ast.dump(at)
        if meaning[0] == "hidden" and meaning[1] in tables.STREAM_FDS:
            fd = h.const(tables.STREAM_FDS[meaning[1]], at)
            return h.call("_stdio", [h.name("G", at), fd], at)
        if meaning[0] == "hidden":
            return h.item("G", self.program.global_slot(meaning[1]), at)
        if meaning == ("module", "os.environ"):
            return h.call("_environ_copy", [h.name("G", at)], at)
        entry = self.scopes.entry(meaning)
        if isinstance(entry, Sys | Pure | Routine):
            return h.name(f"k_{meaning[1].replace('.', '_')}__{meaning[2]}", at)
        if isinstance(entry, Exc):
            return h.name("y_" + entry.name, at)
        if isinstance(entry, Value):
            return h.name(f"s_{meaning[1].replace('.', '_')}__{meaning[2]}", at)
        if isinstance(entry, Made):
            return h.call("_" + entry.helper, [h.name("G", at)], at)
        assert isinstance(entry, Const), meaning
        return h.const(entry.value, at)

    # ---- several expressions in order -----------------------------------------------------

    def many(self, nodes: Sequence[ast.expr | None]) -> list[Any]:
        """Lower several expressions that are evaluated left to right; None stays None."""
        last = max((i for i, node in enumerate(nodes) if self.stops(node)), default=-1)
        values: list[Any] = []
        for i, node in enumerate(nodes):
            if node is None:
                values.append(None)
                continue
            value = self.expr(node)
            if i < last and isinstance(value, ast.Starred):
                kept = h.tuple_of([value], node)  # spread now: what it holds may change
                value = h.item("L", self.save(kept, node), node)
                value = h.put(ast.Starred(value, ast.Load()), node)
            elif i < last and not isinstance(value, ast.Constant):
                value = h.item("L", self.save(value, node), node)
            values.append(value)
        return values

    # ---- expressions ----------------------------------------------------------------------

    def expr(self, node: ast.expr) -> ast.expr:
        """Lower one expression."""
        method: Callable[[Any], ast.expr] = getattr(self, "expr_" + type(node).__name__)
        return method(node)

    def expr_Constant(self, node: ast.Constant) -> ast.expr:
        """Lower a constant."""
        return h.const(node.value, node)

    def expr_Name(self, node: ast.Name) -> ast.expr:
        """Lower a name that is read."""
        return self.load(node)

    def expr_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Lower an attribute: of a module, or one that may be read of a value."""
        meaning = self.scopes.meaning(node, self.scope, self.shadow)
        if meaning is not None:
            return self.static(meaning, node)
        methods = ALL_METHODS | tables.HANDLE_METHODS
        if node.attr in methods and node.attr not in tables.READABLE:
            args = [self.expr(node.value), h.const(node.attr, node)]
            return h.call("_bound_method", args, node)
        return h.call(
            "_attribute", [h.name("G", node), self.expr(node.value), h.const(node.attr, node)], node
        )

    def expr_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Lower ``a + b`` and such: what may grow goes through a charged helper."""
        left, right = self.many([node.left, node.right])
        return self.binary(node.op, left, right, node)

    def binary(self, op: ast.operator, left: ast.expr, right: ast.expr, at: ast.AST) -> ast.expr:
        """Return ``left op right``, through a bounded helper where the result may be large."""
        if isinstance(op, CHECKED) and (is_number(left) or is_number(right)):
            value = h.put(ast.BinOp(left, op, right), at)
            both = is_number(left) and is_number(right)
            return value if both else self.checked(value, at)
        return h.call(charges.OPERATORS[type(op).__name__][0], [left, right], at)

    def checked(self, value: ast.expr, at: ast.AST) -> ast.expr:
        """Return a number that is charged if it turns out to be large."""
        if self.comprehensions:  # a comprehension's names are not the block's
            return h.call("_big", [value], at)
        target = h.put(ast.Name("t", ast.Store()), at)
        test = small(h.put(ast.NamedExpr(target, value), at), at)
        return h.put(ast.IfExp(test, h.name("t", at), h.call("_big", [h.name("t", at)], at)), at)

    def expr_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        """Lower ``name := value``."""
        place = self.variable(node.target.id, node.target)
        assert isinstance(place, ast.Subscript)
        return h.call("_assigned", [place.value, place.slice, self.expr(node.value)], node)

    def expr_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Lower ``-a`` and such."""
        value = self.expr(node.operand)
        helper = charges.OPERATORS[type(node.op).__name__][0]
        if not helper or is_number(value):
            return h.put(ast.UnaryOp(node.op, value), node)
        return h.call(helper, [value], node)

    def expr_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Lower ``a and b``, which may end the block between its parts."""
        if not any(self.stops(value) for value in node.values[1:]):
            return h.put(ast.BoolOp(node.op, [self.expr(value) for value in node.values]), node)
        result = self.new_temp()
        store = h.item("L", result, node, ast.Store())
        end: list[list[ast.stmt]] = []
        for i, value in enumerate(node.values):
            lowered = self.expr(value)  # may open a new block: before self.out is looked up
            self.out.append(h.assign(store, lowered, node))
            if i < len(node.values) - 1:
                test = h.item("L", result, node)
                if isinstance(node.op, ast.And):
                    test = h.put(ast.UnaryOp(ast.Not(), test), node)
                leave = h.put(ast.If(test, [], []), node)
                self.out.append(leave)
                end.append(leave.body)
        join = self.new_block()
        for body in [*end, self.out]:
            body.append(h.returns(h.const(join, node), node))
        self.enter(join)
        return h.item("L", result, node)

    def expr_IfExp(self, node: ast.IfExp) -> ast.expr:
        """Lower ``a if test else b``."""
        if not self.stops(node.body) and not self.stops(node.orelse):
            test = self.expr(node.test)
            return h.put(ast.IfExp(test, self.expr(node.body), self.expr(node.orelse)), node)
        result = self.new_temp()
        branch = h.put(ast.If(self.expr(node.test), [], []), node)
        self.out.append(branch)
        ends = []
        for body, value in ((branch.body, node.body), (branch.orelse, node.orelse)):
            self.out = body
            lowered = self.expr(value)
            self.out.append(h.assign(h.item("L", result, node, ast.Store()), lowered, node))
            ends.append(self.out)
        join = self.new_block()
        for end in ends:
            end.append(h.returns(h.const(join, node), node))
        self.enter(join)
        return h.item("L", result, node)

    def expr_Compare(self, node: ast.Compare) -> ast.expr:
        """Lower a chain of comparisons; each part is evaluated once."""
        if any(self._in_iterator(*pair) for pair in zip(node.ops, node.comparators)) or (
            len(node.ops) > 1 and any(self.stops(part) for part in node.comparators[1:])
        ):
            return self._long_chain(node)
        values = self.many([node.left, *node.comparators])
        op = node.ops[0]
        if len(node.ops) == 1 and isinstance(op, ast.In | ast.NotIn):
            value = h.call("_contains", values, node)
            return value if isinstance(op, ast.In) else h.put(ast.UnaryOp(ast.Not(), value), node)
        return self._compare(node.ops, values, node)

    def _compare(self, ops: list[ast.cmpop], values: list[ast.expr], at: ast.AST) -> ast.expr:
        """Comparisons walk nested values: weigh every operand but the first."""
        checked = [values[0]]
        for i, (op, value) in enumerate(zip(ops, values[1:], strict=True)):
            atomic = isinstance(value, ast.Constant) or isinstance(values[i], ast.Constant)
            helper = charges.COMPARISONS[type(op).__name__]
            if helper == "_container" or (helper and not atomic):
                value = value if isinstance(value, ast.Constant) else h.call(helper, [value], at)
            checked.append(value)
        return h.put(ast.Compare(checked[0], ops, checked[1:]), at)

    def _in_iterator(self, op: ast.cmpop, value: ast.expr) -> bool:
        """Tell whether ``in`` may look into an iterator."""
        return isinstance(op, ast.In | ast.NotIn) and self.may_iterate(value)

    def _long_chain(self, node: ast.Compare) -> ast.expr:
        """``a < f() < g()``: one comparison at a time, stopping at the first false one."""
        result = self.new_temp()
        left = h.item("L", self.save(self.expr(node.left), node), node)
        leaves: list[list[ast.stmt]] = []
        for i, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
            lowered = self.expr(right_node)
            if self._in_iterator(op, right_node):
                lowered = self.collected(lowered, node)
            right = h.item("L", self.save(lowered, node), node)
            value = self._compare([op], [left, right], node)
            self.out.append(h.assign(h.item("L", result, node, ast.Store()), value, node))
            if i < len(node.ops) - 1:
                test = h.put(ast.UnaryOp(ast.Not(), h.item("L", result, node)), node)
                leave = h.put(ast.If(test, [], []), node)
                self.out.append(leave)
                leaves.append(leave.body)
            left = right
        join = self.new_block()
        for body in [*leaves, self.out]:
            body.append(h.returns(h.const(join, node), node))
        self.enter(join)
        return h.item("L", result, node)

    def expr_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Lower ``a[b]``, which may be an access to memory."""
        if self.scopes.meaning(node.value, self.scope, self.shadow) == ("module", "os.environ"):
            return h.call("_environ_get", [h.name("G", node), self.expr(node.slice)], node)
        if self.may_be_mapping(node.value):
            base, *key = self.many([node.value, *self.slice_parts(node.slice)])
            op = h.call("_mapping_load", [base, self.slice_value(node.slice, key)], node)
            return self.stop(op, node)
        base, *key = self.many([node.value, *self.slice_parts(node.slice)])
        if isinstance(node.slice, ast.Slice):
            return h.call("_part", [base, *[p or h.const(None, node) for p in key]], node)
        return h.put(ast.Subscript(base, self.slice_syntax(node.slice, key), ast.Load()), node)

    @staticmethod
    def slice_parts(node: ast.expr) -> list[ast.expr | None]:
        """Return the expressions of a subscript in order of evaluation."""
        if isinstance(node, ast.Slice):
            return [node.lower, node.upper, node.step]
        return [node]

    @staticmethod
    def slice_syntax(node: ast.expr, parts: list[Any]) -> ast.expr:
        """Return the subscript made of lowered parts, as syntax."""
        if isinstance(node, ast.Slice):
            return h.put(ast.Slice(*parts), node)
        value: ast.expr = parts[0]
        return value

    @staticmethod
    def slice_value(node: ast.expr, parts: list[Any]) -> ast.expr:
        """Return the subscript made of lowered parts, as a value."""
        if isinstance(node, ast.Slice):
            return h.call("_slice", [p or h.const(None, node) for p in parts], node)
        value: ast.expr = parts[0]
        return value

    def expr_Tuple(self, node: ast.Tuple) -> ast.expr:
        """Lower a tuple."""
        values = self.many(node.elts)
        result = h.tuple_of(values, node)
        if all(isinstance(value, ast.Constant) for value in values):
            return result
        return h.call("_new_tuple", [result], node)

    def expr_List(self, node: ast.List) -> ast.expr:
        """Lower a list."""
        return h.list_of(self.many(node.elts), node)

    def expr_Set(self, node: ast.Set) -> ast.expr:
        """Lower a set."""
        values = self.many(node.elts)
        if any(isinstance(part, ast.Starred) for part in node.elts):
            return h.call("_new_set", [h.list_of(values, node)], node)
        members = h.put(ast.Dict(values, [h.const(..., part) for part in node.elts]), node)
        copied = len(values) > 2 and all(_is_folded(part) for part in node.elts)
        return h.call("_set_of_constants" if copied else "_set_of", [members], node)

    def expr_Starred(self, node: ast.Starred) -> ast.expr:
        """Lower ``*a`` in a display or a call."""
        value = self.consumed(node.value)
        if self.may_iterate(node.value):
            value = self.collected(value, node)
        return h.put(ast.Starred(h.call("_unpacked", [value], node), ast.Load()), node)

    def expr_Dict(self, node: ast.Dict) -> ast.expr:
        """Lower a dict."""
        flat: list[ast.expr | None] = []
        for key, value in zip(node.keys, node.values, strict=True):
            flat += [key, value]
        values = self.many(flat)
        for i, key in enumerate(node.keys):
            if key is None:
                values[2 * i + 1] = h.call("_mapping", [values[2 * i + 1]], node)
            elif not isinstance(key, ast.Constant):
                values[2 * i] = h.call("_key", [values[2 * i]], key)
        return h.put(ast.Dict(values[::2], values[1::2]), node)

    def expr_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Lower an f-string; its length is charged."""
        fields: list[ast.expr] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                fields.append(part.value)
                if isinstance(part.format_spec, ast.JoinedStr):
                    fields.append(part.format_spec)
        values = iter(self.many(fields))
        parts: list[ast.expr] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = next(values)
                spec = next(values) if part.format_spec is not None else h.const("", node)
                parts.append(h.call("_format", [value, h.const(part.conversion, node), spec], part))
            else:
                parts.append(self.expr(part))
        if len(parts) == 1:
            return parts[0]
        return h.call("_join_text", parts, node)

    # ---- comprehensions -------------------------------------------------------------------

    def cut_comprehension(self, node: Comprehension) -> ast.expr:
        """Call the function that a comprehension is; ``functions`` does."""
        raise NotImplementedError

    def expr_ListComp(self, node: ast.ListComp) -> ast.expr:
        """Lower a list comprehension: host code, or a function of its own if it stops."""
        if not self.scopes.scopes[node].native:
            return self.cut_comprehension(node)
        generators, shadow = self.generators(node.generators)
        element = self.inside(shadow, node.elt)
        return h.put(ast.ListComp(element, generators), node)

    def expr_SetComp(self, node: ast.SetComp) -> ast.expr:
        """Lower a set comprehension."""
        if not self.scopes.scopes[node].native:
            return self.cut_comprehension(node)
        generators, shadow = self.generators(node.generators)
        # a dict keeps the order of insertion; its value ... marks it as a set's, see compiler
        element, mark = self.inside(shadow, node.elt), h.const(..., node)
        members = h.put(ast.DictComp(element, mark, generators), node)
        return h.call("_set_of", [members], node)

    def expr_DictComp(self, node: ast.DictComp) -> ast.expr:
        """Lower a dict comprehension."""
        if not self.scopes.scopes[node].native:
            return self.cut_comprehension(node)
        generators, shadow = self.generators(node.generators)
        key, value = self.inside(shadow, node.key), self.inside(shadow, node.value)
        return h.put(ast.DictComp(key, value, generators), node)

    def inside(self, shadow: frozenset[str], node: ast.expr) -> ast.expr:
        """Lower with the names of a native comprehension as the host's."""
        outer, self.shadow = self.shadow, shadow
        self.comprehensions += 1
        value = self.expr(node)
        self.comprehensions -= 1
        self.shadow = outer
        return value

    def generators(
        self, nodes: list[ast.comprehension]
    ) -> tuple[list[ast.comprehension], frozenset[str]]:
        """Lower the ``for`` parts of a native comprehension."""
        shadow = self.shadow
        lowered = []
        self.comprehensions += 1
        for node in nodes:
            outer, self.shadow = self.shadow, shadow
            iterable = h.call("_iterate", [self.walked(node.iter)], node.iter)
            names = {p.id for p in ast.walk(node.target) if isinstance(p, ast.Name)}
            shadow = shadow | names
            self.shadow = shadow
            target = self._comprehension_target(node.target)
            conditions = [self.expr(test) for test in node.ifs]
            self.shadow = outer
            lowered.append(ast.comprehension(target, iterable, conditions, 0))
        self.comprehensions -= 1
        return lowered, shadow

    def _comprehension_target(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name):
            return h.name("c_" + node.id, node, store=True)
        assert isinstance(node, ast.Tuple | ast.List)
        parts = [self._comprehension_target(part) for part in node.elts]
        return h.put(ast.Tuple(parts, ast.Store()), node)

    # ---- iterators where they are consumed at once ----------------------------------------

    def walked(self, node: ast.expr) -> ast.expr:
        """Lower what a loop walks. Of a display of constants CPython walks the frozenset itself."""
        if isinstance(node, ast.Set) and all(_is_folded(part) for part in node.elts):
            pairs = ast.Dict(self.many(node.elts), [h.const(..., part) for part in node.elts])
            return h.call("_constant_set", [h.put(pairs, node)], node)
        return self.consumed(node)

    def consumed(self, node: ast.expr) -> ast.expr:
        """Lower an expression whose value is iterated at once: zip, items, … make views."""
        if isinstance(node, ast.Call) and not is_starred(node):
            function = node.func
            if (
                isinstance(function, ast.Name)
                and function.id in tables.LAZY
                and not self.is_variable(function.id)
                and builtin_fits(function.id, node)
            ):
                return self._lazy(function.id, node)
            if isinstance(function, ast.Attribute) and function.attr in tables.LAZY_METHODS:
                receiver = self.expr(function.value)
                return h.call("_dict_view", [receiver, h.const(function.attr, node)], node)
        return self.expr(node)

    def _lazy(self, text: str, node: ast.Call) -> ast.expr:
        helper = {"reversed": "_reversed", "enumerate": "_enumerate", "zip": "_zip"}[text]
        args: list[ast.expr] = []
        last = max((i for i, arg in enumerate(node.args) if self.stops(arg)), default=-1)
        words = [word.value for word in node.keywords]
        if last < len(node.args) and any(self.stops(word) for word in words):
            last = len(node.args)
        for i, arg in enumerate(node.args):
            value = self.consumed(arg) if text != "enumerate" or i == 0 else self.expr(arg)
            if i < last:
                value = h.item("L", self.save(value, arg), arg)
            args.append(value)
        # one at the most: start of enumerate(), strict of zip()
        named = {word.arg or "": self.expr(word.value) for word in node.keywords}
        return h.call(helper, [h.name("G", node), *args], node, **named)

    # ---- calls ----------------------------------------------------------------------------

    def expr_Call(self, node: ast.Call) -> ast.expr:
        """Lower a call, by what is called: a module's function, a builtin, a method, a value."""
        function = node.func
        meaning = self.scopes.meaning(function, self.scope, self.shadow)
        if meaning is not None:
            return self._module_call(meaning, node)
        if isinstance(function, ast.Name):
            text = function.id
            if text in self.scopes.plain_functions and not (
                text in self.shadow or text in self.slots
            ):
                return self._direct_call(text, node)
            if self.is_variable(text):
                return self._value_call(node)
            if text == "print":
                return self._print(node)
            if text in tables.STREAM_BUILTINS:
                return self._stream_call(tables.STREAM_BUILTINS[text], node)
            if text in tables.EXCEPTIONS:
                if is_starred(node) or node.keywords:
                    return self._value_call(node)
                args = self.many(node.args)
                return h.call("_exception", [h.name("x_" + text, node), *args], node)
            return self._builtin(text, node)
        if isinstance(function, ast.Attribute):
            return self._method(function, node)
        return self._value_call(node)

    def _arguments(self, node: ast.Call) -> tuple[list[ast.expr], dict[str, ast.expr]]:
        values = self.many([*node.args, *[word.value for word in node.keywords]])
        words = [word.arg or "" for word in node.keywords]
        return values[: len(node.args)], dict(zip(words, values[len(node.args) :], strict=True))

    def _stream_call(self, helper: str, node: ast.Call) -> ast.expr:
        """Call a function that looks at its arguments when it runs."""
        if is_starred(node):
            return self._value_call(node)
        words = tuple([word.arg or "" for word in node.keywords])
        values = self.many([*node.args, *[word.value for word in node.keywords]])
        args = [h.name("G", node), h.tuple_of(values, node), h.const(words, node)]
        return self.stop(h.call(helper, args, node), node)

    def _module_call(self, meaning: tuple[str, ...], node: ast.Call) -> ast.expr:
        entry = self.scopes.entry(meaning)
        if isinstance(entry, Exc):
            name = h.name("x_" + entry.name, node)
            return h.call("_exception", [name, *self.many(node.args)], node)
        assert isinstance(entry, Sys | Pure | Routine), meaning
        if not fits(entry.params, node):
            return self._value_call(node)
        args, words = self._arguments(node)
        values: list[ast.expr] = []
        for i, param in enumerate(entry.params):
            if param.rest:
                values += args[i:]
                break
            value = args[i] if i < len(args) else words.get(param.name)
            values.append(self._converted(meaning, param, value, node))
        if isinstance(entry, Pure):
            return h.call("_" + entry.helper, [h.name("G", node), *values], node)
        if isinstance(entry, Sys):
            op = h.tuple_of([h.const(entry.nr, node), *values], node)
        else:
            op = h.call("_" + entry.helper, [h.name("G", node), *values], node)
        result = self.stop(op, node)
        return h.call("_" + entry.result, [result], node) if entry.result else result

    def _converted(
        self, meaning: tuple[str, ...], param: Param, value: ast.expr | None, at: ast.AST
    ) -> ast.expr:
        if value is None:
            return h.const(param.default, at)
        if isinstance(value, ast.Constant):
            kind = type(value.value)
            number = value.value if isinstance(value.value, int) and kind is int else -1
            if param.kind in "inmsu" and 0 <= number < 1 << 31:
                return value
            if param.kind == "d" and kind is bytes:
                return value
            if param.kind == "p" and _is_plain_path(value.value):
                return value
        converter = _CONVERTERS.get(param.kind)
        if converter is None:
            return value
        if param.kind == "p" and meaning[-1] not in _PYTHON_SEARCH:
            kinds = "string, bytes{} os.PathLike{}".format(
                *((",", " or integer") if meaning[-1] in _TAKES_FD else (" or", ""))
            )
            what = f"{meaning[-1]}: {param.name} should be {kinds}"
            return h.call(converter, [value, h.const(what, at)], at)
        return h.call(converter, [value], at)

    def _direct_call(self, text: str, node: ast.Call) -> ast.expr:
        """Call a function that is known when the program is compiled."""
        function = self.scopes.functions[text][0]
        if not _fits_function(function, node):
            return self._value_call(node)  # which says what is wrong with it
        code = self.program.code_of(function)
        args, words = self._arguments(node)
        if text not in self.defined:
            check = h.call("_global", [self.variable(text, node), h.const(text, node)], node)
            self.out.append(h.statement(check, node))
        values: list[ast.expr] = []
        for i, arg in enumerate(parameters(function)):
            if i < len(args):
                values.append(args[i])
            elif arg.arg in words:
                values.append(words[arg.arg])
            else:
                values.append(h.item("G", self.program.default_slot(code, arg.arg), node))
        # how many locals the callee has is known only when it is compiled: Program fills u_<n>
        rest = h.put(ast.Starred(h.name(f"u_{code.index}", node), ast.Load()), node)
        local = h.list_of([*values, rest], node)
        if self.scopes.scopes[function].generator:
            return h.call("_generator", [h.name(f"f_{code.index}", node), local], node)
        return self.call_code(code.index, local, node)

    def call_code(self, index: int, local: ast.expr, at: ast.AST) -> ast.expr:
        """Call a code of the program with a list of all its locals."""
        name = h.name(f"f_{index}", at)
        return self.stop(h.tuple_of([h.const(CALL, at), name, local], at), at)

    def _value_call(self, node: ast.Call) -> ast.expr:
        """Call whatever a variable or expression holds."""
        if is_starred(node):
            return self._starred_call(node.func, node)
        words = [word.arg or "" for word in node.keywords]
        function, *values = self.many(
            [node.func, *node.args, *[word.value for word in node.keywords]]
        )
        args = h.tuple_of(values, node)
        op = h.call("_bind", [h.name("G", node), function, args, h.const(tuple(words), node)], node)
        return self.stop(op, node)

    def _starred_call(self, callee: ast.expr, node: ast.Call) -> ast.expr:
        """Call a function value with * or ** among the arguments."""
        spread = [arg.value if isinstance(arg, ast.Starred) else arg for arg in node.args]
        words = [word.value for word in node.keywords]
        function, *values = self.many_sequences([callee, *spread, *words], node)
        positional: list[ast.expr] = []
        for arg, value in zip(node.args, values):
            if isinstance(arg, ast.Starred):
                value = h.call("_spread", [h.name("G", node), function, value], node)
                value = h.put(ast.Starred(value, ast.Load()), node)
            positional.append(value)
        pairs = [
            h.tuple_of([h.const(word.arg, node), value], node)
            for word, value in zip(node.keywords, values[len(node.args) :], strict=True)
        ]
        args = [h.name("G", node), function, h.tuple_of(positional, node)]
        return self.stop(h.call("_bind_words", [*args, h.tuple_of(pairs, node)], node), node)

    def many_sequences(self, nodes: list[ast.expr], call: ast.Call) -> list[ast.expr]:
        """As ``many``; what is spread and may be an iterator is collected, all but constants kept.

        The first value, the function, is used more than once.
        """
        spread = {id(arg.value) for arg in call.args if isinstance(arg, ast.Starred)}
        values: list[ast.expr] = []
        for node in nodes:
            value = self.consumed(node) if id(node) in spread else self.expr(node)
            if id(node) in spread and self.may_iterate(node):
                value = self.collected(value, node)
            if not isinstance(value, ast.Constant):
                value = h.item("L", self.save(value, node), node)
            values.append(value)
        return values

    def collected(self, value: ast.expr, at: ast.AST) -> ast.expr:
        """Return ``value``, or the list of what it gives if it is an iterator."""
        return self.stop(h.call("_collected", [h.name("G", at), value], at), at)

    def _print(self, node: ast.Call) -> ast.expr:
        if is_starred(node) and not any(word.arg == "file" for word in node.keywords):
            return self._value_call(node)
        words = {word.arg: word.value for word in node.keywords}
        order = [*node.args, *words.values()]
        values = self.many(order)
        named = dict(zip(words, values[len(node.args) :], strict=True))
        pieces = h.tuple_of(values[: len(node.args)], node)
        sep = named.get("sep", h.const(" ", node))
        end = named.get("end", h.const("\n", node))
        none = h.const(None, node)
        file, flush = named.get("file", none), named.get("flush", none)
        args = [h.name("G", node), file, pieces, sep, end, flush]
        return self.stop(h.call("_print", args, node), node)

    def _builtin(self, text: str, node: ast.Call) -> ast.expr:
        helper = tables.BUILTINS[text][0]
        if not builtin_fits(text, node):
            return self._value_call(node)
        if text == "isinstance":
            return self._isinstance(node)
        if text in tables.KEYED and any(word.arg == "key" for word in node.keywords):
            return self._keyed(text, node)
        if text == "next":
            op = h.call("_next", [h.name("G", node), *self.many(node.args)], node)
            return self.stop(op, node)
        if text in tables.WITH_GLOBALS:
            return h.call(helper, [h.name("G", node), *self.many(node.args)], node)
        if text in tables.LAZY:
            return self._iterator(text, node)
        if text in tables.CONSUMERS and any(self.may_iterate(arg) for arg in node.args[:1]):
            return self._consume(helper, node)
        if text in tables.CONSUMERS and len(node.args) >= 1 and not self.stops(node):
            first = self.consumed(node.args[0])
            args = [first, *[self.expr(arg) for arg in node.args[1:]]]
            words = {word.arg or "": self.expr(word.value) for word in node.keywords}
            return h.call(helper, args, node, **words)
        if text in tables.CONSUMERS and len(node.args) == 1 and not node.keywords:
            return h.call(helper, [self.consumed(node.args[0])], node)
        args, words = self._arguments(node)
        return h.call(helper, args, node, **words)

    def _isinstance(self, node: ast.Call) -> ast.expr:
        if self.is_types(node.args[1]):
            value = self.expr(node.args[0])
            return h.call("_isinstance", [value, self.types(node.args[1])], node)
        return h.call("_is_instance", self.many(node.args), node)

    def _keyed(self, text: str, node: ast.Call) -> ast.expr:
        args, words = self._arguments(node)
        if len(args) == 1 and self.may_iterate(node.args[0]):
            args = [h.item("L", self.save(args[0], node), node)]
        pairs = [h.tuple_of([h.const(key, node), value], node) for key, value in words.items()]
        values = [h.name("G", node), h.const(text, node), h.tuple_of(args, node)]
        return self.stop(h.call("_keyed", [*values, h.tuple_of(pairs, node)], node), node)

    def _iterator(self, text: str, node: ast.Call) -> ast.expr:
        """``enumerate``, ``zip`` or ``reversed`` where its value is not walked at once."""
        g = h.name("G", node)
        if text == "reversed":
            return h.call("_iter", [g, self._lazy(text, node)], node)
        args, words = self._arguments(node)
        helper = "_zipped" if text == "zip" else "_enumerated"
        return h.call(helper, [g, *args], node, **words)

    def _consume(self, helper: str, node: ast.Call) -> ast.expr:
        """Call a builtin that walks its first argument, which may be an iterator."""
        source = h.item("L", self.save(self.consumed(node.args[0]), node), node)
        args, words = self._arguments(
            h.put(ast.Call(node.func, node.args[1:], node.keywords), node)
        )
        pairs = [h.tuple_of([h.const(key, node), value], node) for key, value in words.items()]
        values = [h.name("G", node), h.const(helper, node), source, h.tuple_of(args, node)]
        return self.stop(h.call("_consume", [*values, h.tuple_of(pairs, node)], node), node)

    def is_types(self, node: ast.expr) -> bool:
        """Tell whether ``node`` names types or exceptions when the program is compiled."""
        if isinstance(node, ast.Tuple):
            return all(self.is_types(part) for part in node.elts)
        if self.exception_name(node):
            return True
        return (
            isinstance(node, ast.Name) and node.id in tables.TYPES and not self.is_variable(node.id)
        )

    def types(self, node: ast.expr) -> ast.expr:
        """Lower the names of types and exceptions that isinstance and except accept."""
        if isinstance(node, ast.Tuple):
            return h.tuple_of([self.types(part) for part in node.elts], node)
        text = self.exception_name(node)
        if text:
            return h.name("x_" + text, node)
        assert isinstance(node, ast.Name)
        return h.name("t_" + node.id, node)

    def exception_name(self, node: ast.expr) -> str:
        """Return the name of the exception that ``node`` names; an empty string if it does not."""
        entry = self.scopes.entry(self.scopes.meaning(node, self.scope, self.shadow))
        if isinstance(entry, Exc):
            return entry.name
        if isinstance(node, ast.Name) and not self.is_variable(node.id):
            return node.id if node.id in tables.EXCEPTIONS else ""
        return ""

    def _method(self, function: ast.Attribute, node: ast.Call) -> ast.expr:
        if is_starred(node):
            return self._value_call(node)
        if function.attr == "sort" and any(word.arg == "key" for word in node.keywords):
            receiver, *values = self.many([function.value, *[word.value for word in node.keywords]])
            pairs = [
                h.tuple_of([h.const(word.arg, node), value], node)
                for word, value in zip(node.keywords, values, strict=True)
            ]
            args = [h.name("G", node), receiver, h.tuple_of(pairs, node)]
            return self.stop(h.call("_list_sort", args, node), node)
        if (
            function.attr in CONSUMING_METHODS
            and len(node.args) == 1
            and not node.keywords
            and not self.is_handle_method(function)
            and self.may_iterate(node.args[0])
        ):
            receiver = h.item("L", self.save(self.expr(function.value), node), node)
            source = self.consumed(node.args[0])
            args = [h.name("G", node), receiver, h.const(function.attr, node), source]
            return self.stop(h.call("_consume_method", args, node), node)
        words = [word.arg or "" for word in node.keywords]
        if self.is_handle_method(function):
            receiver, *values = self.many(
                [function.value, *node.args, *[word.value for word in node.keywords]]
            )
            op = h.call(
                "_handle_method",
                [
                    h.name("G", node),
                    receiver,
                    h.const(function.attr, node),
                    h.tuple_of(values, node),
                    h.const(tuple(words), node),
                ],
                node,
            )
            return self.stop(op, node)
        if function.attr in tables.LAZY_METHODS:
            receiver = self.expr(function.value)
            return h.call("_live_view", [receiver, h.const(function.attr, node)], node)
        if (
            function.attr in ("join", "extend", "update")
            and len(node.args) == 1
            and not self.stops(node)
        ):
            receiver = self.expr(function.value)
            values = [self.consumed(node.args[0])]
            return h.call("_method", [receiver, h.const(function.attr, node), *values], node)
        receiver, *values = self.many(
            [function.value, *node.args, *[word.value for word in node.keywords]]
        )
        named = dict(zip(words, values[len(node.args) :], strict=True))
        positional = values[: len(node.args)]
        return h.call(
            "_method", [receiver, h.const(function.attr, node), *positional], node, **named
        )


def small(value: ast.expr, at: ast.AST) -> ast.expr:
    """Return the test whether a number needs no charge: ``-2**60 < value < 2**60``."""
    bounds = [h.const(-weights.SMALL, at), h.const(weights.SMALL, at)]
    return h.put(ast.Compare(bounds[0], [ast.Lt(), ast.Lt()], [value, bounds[1]]), at)


def _is_folded(node: ast.expr) -> bool:
    """Return whether CPython makes a constant of an element of a set display."""
    if isinstance(node, ast.Tuple):
        return all(_is_folded(part) for part in node.elts)
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant)


def _fits_function(function: ast.FunctionDef, node: ast.Call) -> bool:
    """Tell whether a call has the arguments that a function of the program takes."""
    args = function.args
    positional = [*args.posonlyargs, *args.args]
    optional = {arg.arg for arg in positional[len(positional) - len(args.defaults) :]}
    optional |= {a.arg for a, d in zip(args.kwonlyargs, args.kw_defaults) if d is not None}
    if any(word.arg in {arg.arg for arg in args.posonlyargs} for word in node.keywords):
        return False
    params = tuple(
        Param(arg.arg, "x", arg.arg not in optional, None, arg in args.kwonlyargs)
        for arg in parameters(function)
    )
    return fits(params, node)


def is_number(node: ast.expr) -> bool:
    """Return whether a host expression is a small number literal."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and abs(node.value) < 1 << 64
    )


def _is_plain_path(value: Any) -> bool:
    """Return whether a constant needs no conversion to be a path."""
    return isinstance(value, str) and value.isascii() and "\0" not in value
