"""Lowering of expressions: from guest syntax to host syntax over an explicit frame.

``Lowering.expr`` returns a host expression that is valid at the end of the code emitted so far.
If part of an expression stops the block (a system call, a guest call), what was evaluated before
it is first saved in temporaries of the frame, so order of evaluation is CPython's.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from workloads.language import hostast as h
from workloads.language import tables
from workloads.language.frames import CALL
from workloads.language.scopes import ProgramScopes, Scope, parameters
from workloads.language.tables import Const, Exc, Param, Pure, Routine, Sys

_OPERATORS = {
    ast.Add: "_add",
    ast.Mult: "_mul",
    ast.Mod: "_modulo",
    ast.Pow: "_power",
    ast.LShift: "_lshift",
}
_INPLACE = {ast.Add: "_inplace_add", ast.Mult: "_inplace_mul"}
#: kind of parameter -> converter in the block namespace
_CONVERTERS = {
    "i": "_as_int",
    "n": "_as_c_int",
    "m": "_as_pid_int",
    "s": "_as_cut_int",
    "u": "_as_id",
    "p": "_as_path",
    "d": "_as_data",
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
        self.slots = {} if self.in_module else {text: i for i, text in enumerate(scope.bound)}
        self.locals_count = len(self.slots)
        self.free_temps: list[int] = []
        self.used_temps: list[int] = []
        self.defined: set[str] = set(scopes.prologue)
        if scope.node is not None:
            self.defined |= {arg.arg for arg in parameters(scope.node)} - scope.fragile
        self.shadow: frozenset[str] = frozenset()  # targets of enclosing comprehensions
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
        if node is None:
            return False
        return any(self._stops_here(part) for part in ast.walk(node))

    def _stops_here(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript):
            return self.may_be_mapping(node.value)
        if not isinstance(node, ast.Call):
            return False
        function = node.func
        meaning = self.scopes.meaning(function, self.scope, self.shadow)
        if meaning is not None:
            entry = self.scopes.entry(meaning)
            return isinstance(entry, Sys | Routine)
        if isinstance(function, ast.Name):
            if self.is_variable(function.id):
                return True
            return function.id == "print"
        if isinstance(function, ast.Attribute):
            return self.is_handle_method(function)
        return True

    def is_handle_method(self, function: ast.Attribute) -> bool:
        """Return whether a method call may be one of a handle."""
        if function.attr not in tables.HANDLE_METHODS:
            return False
        if function.attr in tables.COMMON_METHODS and not self.scopes.uses("threading"):
            return False
        return not (function.attr == "join" and isinstance(function.value, ast.Constant))

    def may_be_mapping(self, node: ast.expr) -> bool:
        """Return whether ``node`` may evaluate to a mapping (see ``scopes.mapping_names``)."""
        names = self.scopes.mappings
        return bool(names) and any(
            isinstance(part, ast.Name) and part.id in names for part in ast.walk(node)
        )

    def is_variable(self, text: str) -> bool:
        """Return whether ``text`` is a local or a global of the guest here."""
        return text in self.shadow or text in self.scope.bound or text in self.scopes.module.bound

    # ---- variables ------------------------------------------------------------------------

    def variable(self, text: str, at: ast.AST, ctx: ast.expr_context | None = None) -> ast.expr:
        """Return the host place of a guest variable."""
        if text in self.slots:
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
            return h.call(kind, [place, h.const(text, node)], node)
        if text == "__name__":
            return h.const("__main__", node)
        if text == "__file__":
            return h.item("G", self.program.global_slot("__file__"), node)
        if text == "__doc__":
            return h.const(self.scopes.docstring, node)
        meaning = self.scopes.meaning(node, self.scope, self.shadow)
        return self.static(meaning, node)

    def static(self, meaning: tuple[str, ...] | None, at: ast.AST) -> ast.expr:
        """Return the value of a constant or start value of a module."""
        assert meaning is not None, ast.dump(at)
        if meaning[0] == "hidden":
            return h.item("G", self.program.global_slot(meaning[1]), at)
        if meaning == ("module", "os.environ"):
            return h.call("_environ_copy", [h.name("G", at)], at)
        entry = self.scopes.entry(meaning)
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
            if i < last and not isinstance(value, ast.Constant):
                value = h.item("L", self.save(value, node), node)
            values.append(value)
        return values

    # ---- expressions ----------------------------------------------------------------------

    def expr(self, node: ast.expr) -> ast.expr:
        """Lower one expression."""
        method: Callable[[Any], ast.expr] = getattr(self, "expr_" + type(node).__name__)
        return method(node)

    def expr_Constant(self, node: ast.Constant) -> ast.expr:
        return h.const(node.value, node)

    def expr_Name(self, node: ast.Name) -> ast.expr:
        return self.load(node)

    def expr_Attribute(self, node: ast.Attribute) -> ast.expr:
        meaning = self.scopes.meaning(node, self.scope, self.shadow)
        if meaning is not None:
            return self.static(meaning, node)
        return h.call(
            "_attribute", [h.name("G", node), self.expr(node.value), h.const(node.attr, node)], node
        )

    def expr_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.many([node.left, node.right])
        return self.binary(node.op, left, right, node)

    def binary(self, op: ast.operator, left: ast.expr, right: ast.expr, at: ast.AST) -> ast.expr:
        """Return ``left op right``, through a bounded helper where the result may be large."""
        helper = _OPERATORS.get(type(op))
        if helper == "_add" and (_is_number(left) or _is_number(right)):
            helper = None
        if helper == "_modulo" and (_is_number(left) or _is_number(right)):
            # a number on the right may still format: '%d' % 5
            helper = None if _is_number(left) else helper
        if helper is None:
            return h.put(ast.BinOp(left, op, right), at)
        return h.call(helper, [left, right], at)

    def expr_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        place = self.variable(node.target.id, node.target)
        assert isinstance(place, ast.Subscript)
        return h.call("_assigned", [place.value, place.slice, self.expr(node.value)], node)

    def expr_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return h.put(ast.UnaryOp(node.op, self.expr(node.operand)), node)

    def expr_BoolOp(self, node: ast.BoolOp) -> ast.expr:
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
        if len(node.ops) > 1 and any(self.stops(part) for part in node.comparators[1:]):
            return self._long_chain(node)
        values = self.many([node.left, *node.comparators])
        return self._compare(node.ops, values, node)

    def _compare(self, ops: list[ast.cmpop], values: list[ast.expr], at: ast.AST) -> ast.expr:
        """Comparisons walk nested values: weigh every operand but the first."""
        checked = [values[0]]
        for i, (op, value) in enumerate(zip(ops, values[1:], strict=True)):
            atomic = isinstance(value, ast.Constant) or isinstance(values[i], ast.Constant)
            if not isinstance(op, ast.Is | ast.IsNot) and not (
                atomic and not isinstance(op, ast.In | ast.NotIn)
            ):
                helper = "_container" if isinstance(op, ast.In | ast.NotIn) else "_weigh"
                value = value if isinstance(value, ast.Constant) else h.call(helper, [value], at)
            checked.append(value)
        return h.put(ast.Compare(checked[0], ops, checked[1:]), at)

    def _long_chain(self, node: ast.Compare) -> ast.expr:
        """``a < f() < g()``: one comparison at a time, stopping at the first false one."""
        result = self.new_temp()
        left = h.item("L", self.save(self.expr(node.left), node), node)
        leaves: list[list[ast.stmt]] = []
        for i, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = h.item("L", self.save(self.expr(right_node), node), node)
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
        if self.scopes.meaning(node.value, self.scope, self.shadow) == ("module", "os.environ"):
            return h.call("_environ_get", [h.name("G", node), self.expr(node.slice)], node)
        if self.may_be_mapping(node.value):
            base, *key = self.many([node.value, *self.slice_parts(node.slice)])
            op = h.call("_mapping_load", [base, self.slice_value(node.slice, key)], node)
            return self.stop(op, node)
        base, *key = self.many([node.value, *self.slice_parts(node.slice)])
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
        values = self.many(node.elts)
        result = h.tuple_of(values, node)
        if all(isinstance(value, ast.Constant) for value in values):
            return result
        return h.call("_new_tuple", [result], node)

    def expr_List(self, node: ast.List) -> ast.expr:
        return h.list_of(self.many(node.elts), node)

    def expr_Set(self, node: ast.Set) -> ast.expr:
        values = self.many(node.elts)
        members = h.put(ast.Dict(values, [h.const(..., part) for part in node.elts]), node)
        copied = len(values) > 2 and all(_is_folded(part) for part in node.elts)
        return h.call("_set_of_constants" if copied else "_set_of", [members], node)

    def expr_Dict(self, node: ast.Dict) -> ast.expr:
        flat: list[ast.expr | None] = []
        for key, value in zip(node.keys, node.values, strict=True):
            flat += [key, value]
        values = self.many(flat)
        return h.put(ast.Dict(values[::2], values[1::2]), node)

    def expr_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
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

    def expr_ListComp(self, node: ast.ListComp) -> ast.expr:
        generators, shadow = self._generators(node.generators)
        element = self._inside(shadow, node.elt)
        return h.put(ast.ListComp(element, generators), node)

    def expr_SetComp(self, node: ast.SetComp) -> ast.expr:
        generators, shadow = self._generators(node.generators)
        # a dict keeps the order of insertion; its value ... marks it as a set's, see compiler
        element, mark = self._inside(shadow, node.elt), h.const(..., node)
        members = h.put(ast.DictComp(element, mark, generators), node)
        return h.call("_set_of", [members], node)

    def expr_DictComp(self, node: ast.DictComp) -> ast.expr:
        generators, shadow = self._generators(node.generators)
        key, value = self._inside(shadow, node.key), self._inside(shadow, node.value)
        return h.put(ast.DictComp(key, value, generators), node)

    def _inside(self, shadow: frozenset[str], node: ast.expr) -> ast.expr:
        outer, self.shadow = self.shadow, shadow
        value = self.expr(node)
        self.shadow = outer
        return value

    def _generators(
        self, nodes: list[ast.comprehension]
    ) -> tuple[list[ast.comprehension], frozenset[str]]:
        shadow = self.shadow
        lowered = []
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
        if isinstance(node, ast.Call) and not node.keywords:
            function = node.func
            if (
                isinstance(function, ast.Name)
                and function.id in tables.LAZY
                and not self.is_variable(function.id)
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
        for i, arg in enumerate(node.args):
            value = self.consumed(arg) if text != "enumerate" or i == 0 else self.expr(arg)
            if i < last:
                value = h.item("L", self.save(value, arg), arg)
            args.append(value)
        return h.call(helper, args, node)

    # ---- calls ----------------------------------------------------------------------------

    def expr_Call(self, node: ast.Call) -> ast.expr:
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
            if text in tables.EXCEPTIONS:
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

    def _module_call(self, meaning: tuple[str, ...], node: ast.Call) -> ast.expr:
        entry = self.scopes.entry(meaning)
        assert isinstance(entry, Sys | Pure | Routine), meaning
        args, words = self._arguments(node)
        values = [
            self._converted(
                meaning, param, args[i] if i < len(args) else words.get(param.name), node
            )
            for i, param in enumerate(entry.params)
        ]
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
            if param.kind == "p" and isinstance(value.value, str) and "\0" not in value.value:
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
        name = h.name(f"f_{code.index}", node)
        return self.stop(h.tuple_of([h.const(CALL, node), name, local], node), node)

    def _value_call(self, node: ast.Call) -> ast.expr:
        """Call whatever a variable or expression holds."""
        words = [word.arg or "" for word in node.keywords]
        function, *values = self.many(
            [node.func, *node.args, *[word.value for word in node.keywords]]
        )
        args = h.tuple_of(values, node)
        op = h.call("_bind", [h.name("G", node), function, args, h.const(tuple(words), node)], node)
        return self.stop(op, node)

    def _print(self, node: ast.Call) -> ast.expr:
        words = {word.arg: word.value for word in node.keywords}
        target = words.pop("file", None)
        fd = 1
        if target is not None:
            meaning = self.scopes.meaning(target, self.scope, self.shadow)
            fd = 2 if meaning == ("module", "sys.stderr") else 1
        order = [*node.args, *words.values()]
        values = self.many(order)
        named = dict(zip(words, values[len(node.args) :], strict=True))
        pieces = h.tuple_of(values[: len(node.args)], node)
        sep = named.get("sep", h.const(" ", node))
        end = named.get("end", h.const("\n", node))
        return self.stop(h.call("_print", [h.const(fd, node), pieces, sep, end], node), node)

    def _builtin(self, text: str, node: ast.Call) -> ast.expr:
        helper = tables.BUILTINS[text][0]
        if text == "isinstance":
            value = self.expr(node.args[0])
            return h.call(helper, [value, self.types(node.args[1])], node)
        if text in tables.CONSUMERS and len(node.args) >= 1 and not self.stops(node):
            first = self.consumed(node.args[0])
            args = [first, *[self.expr(arg) for arg in node.args[1:]]]
            words = {word.arg or "": self.expr(word.value) for word in node.keywords}
            return h.call(helper, args, node, **words)
        if text in tables.CONSUMERS and len(node.args) == 1 and not node.keywords:
            return h.call(helper, [self.consumed(node.args[0])], node)
        args, words = self._arguments(node)
        return h.call(helper, args, node, **words)

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
            return h.call("_dict_view", [receiver, h.const(function.attr, node)], node)
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


def _is_folded(node: ast.expr) -> bool:
    """Return whether CPython makes a constant of an element of a set display."""
    if isinstance(node, ast.Tuple):
        return all(_is_folded(part) for part in node.elts)
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant)


def _is_number(node: ast.expr) -> bool:
    """Return whether a host expression is a small number literal."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and abs(node.value) < 1 << 64
    )
