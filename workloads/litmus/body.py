"""The body of a process: C as litmus tests use it.

Declarations, assignments, calls of the kernel's primitives, ``if`` and blocks. ``while``, ``for``,
``goto`` and ``switch`` are refused.

Source: herd/CParser.mly of herdtools7.
Deviation: operands of an operator are read from left to right, one after the other.
"""

import difflib
from typing import Final

from workloads.litmus.primitives import (
    FENCE_CALLS,
    KNOWN,
    LOADS,
    LOCK_CALLS,
    RMW_CALLS,
    SRCU_CALLS,
    STORES,
    RmwCall,
)
from workloads.litmus.scanner import Scanner
from workloads.litmus.test import (
    PLAIN,
    Expression,
    Fence,
    If,
    Instruction,
    Load,
    LockOp,
    Rmw,
    Set,
    SrcuOp,
    Store,
)

_TYPE_WORDS: Final = """
    int long short char unsigned signed void const volatile struct union enum static bool size_t
    intptr_t uintptr_t atomic_t atomic_long_t spinlock_t u8 u16 u32 u64 s8 s16 s32 s64
    typeof __typeof__
"""
TYPE_WORDS: Final = frozenset(_TYPE_WORDS.split())
_REFUSED: Final = ("while", "for", "do", "goto", "switch", "return", "break", "continue", "asm")
_LEVELS: Final = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_MOST_DEEP: Final = 100


class BodyParser:
    """Parses the body of one process.

    Args:
        scanner: stands behind the ``{`` of the body, with C's comments.
        parameters: the process's, which name locations.
    """

    def __init__(self, scanner: Scanner, parameters: tuple[str, ...]) -> None:
        self._in = scanner
        self._parameters = frozenset(parameters)
        self._temporaries = 0
        self._depth = 0

    def block(self) -> list[Instruction]:
        """Parse up to and with the ``}`` that ends the block."""
        out: list[Instruction] = []
        while not self._in.take("}"):
            self._statement(out)
        return out

    # -- statements ---------------------------------------------------------------------------

    def _statement(self, out: list[Instruction]) -> None:
        scanner = self._in
        self._deeper()
        if scanner.take(";"):
            pass
        elif scanner.take("{"):
            out.extend(self.block())
        elif scanner.word == "if":
            self._if(out)
        elif scanner.word in _REFUSED:
            scanner.fail(f"{scanner.word!r} is not supported in a litmus test: if and blocks are")
        elif scanner.kind == "name" and self._is_declaration():
            self._declaration(out)
        else:
            self._simple(out)
            scanner.expect(";")
        self._depth -= 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MOST_DEEP:
            self._in.fail(f"more than {_MOST_DEEP} levels within each other")

    def _if(self, out: list[Instruction]) -> None:
        scanner = self._in
        scanner.expect("if")
        scanner.expect("(")
        condition = self._expression(out)
        scanner.expect(")")
        then: list[Instruction] = []
        self._statement(then)
        otherwise: list[Instruction] = []
        if scanner.take("else"):
            self._statement(otherwise)
        out.append(If(condition, then, otherwise))

    def _is_declaration(self) -> bool:
        """Tell whether a declaration comes: a type's name, stars, and a name."""
        scanner = self._in
        if scanner.word in TYPE_WORDS:
            return True
        begin = scanner.start
        scanner.next()
        while scanner.take("*"):
            pass
        found = scanner.kind == "name"
        scanner.back_to(begin)
        return found

    def _declaration(self, out: list[Instruction]) -> None:
        scanner = self._in
        self._type()
        while True:
            while scanner.take("*"):
                pass
            register = scanner.name("the name of a register")
            if scanner.word == "[":
                scanner.fail("arrays are not supported")
            if scanner.take("="):
                self._assign(register, out)
            if not scanner.take(","):
                break
        scanner.expect(";")

    def _type(self) -> None:
        """Pass the words of a type, without its stars."""
        scanner = self._in
        word = ""
        while scanner.word in TYPE_WORDS:
            word = scanner.next()
            if word in ("typeof", "__typeof__"):
                self._parenthesis()
        if not word or word in ("struct", "union", "enum"):
            scanner.name("a type")
        elif word in ("const", "volatile", "static") and scanner.kind == "name":
            scanner.next()

    def _parenthesis(self) -> None:
        scanner = self._in
        scanner.expect("(")
        depth = 1
        while depth:
            if scanner.kind == "end":
                scanner.expected("')'")
            depth += {"(": 1, ")": -1}.get(scanner.next(), 0)

    def _simple(self, out: list[Instruction]) -> None:
        """An assignment, a call, or an expression whose value nobody takes."""
        scanner = self._in
        if scanner.word == "*":
            scanner.next()
            address = self._unary(out)
            if scanner.word == "=":
                scanner.next()
                out.append(Store(address, self._expression(out), PLAIN))
            else:  # a plain load, for nothing
                out.append(Load(self._temporary(), address, PLAIN))
            return
        if scanner.kind == "name":
            begin = scanner.start
            name = scanner.next()
            if scanner.word == "=":
                scanner.next()
                self._assign(name, out)
                return
            scanner.back_to(begin)
            if name in STORES:
                self._store(out)
                return
            if name in FENCE_CALLS or name in LOCK_CALLS or name in SRCU_CALLS:
                self._marker(out)
                return
            if name in RMW_CALLS and not RMW_CALLS[name].result:
                self._rmw(out, "")
                return
        self._expression(out)

    def _assign(self, register: str, out: list[Instruction]) -> None:
        """``register = expression``; what reads memory last answers into the register itself."""
        value = self._expression(out)
        last = out[-1] if out else None
        if value[0] == "register" and value[1].startswith("$") and last is not None:
            answering = getattr(last, "register", None)
            if answering == value[1] and not isinstance(last, Set):
                last.register = register  # type: ignore[union-attr]
                return
        out.append(Set(register, value))

    # -- calls --------------------------------------------------------------------------------

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"${self._temporaries}"

    def _place(self, pointer: bool, out: list[Instruction]) -> Expression:
        """Parse an argument that says a place: a pointer, or ``*pointer``."""
        if not pointer:
            if self._in.word != "*":
                if self._in.kind == "name":
                    return self._expression(out)  # a location by its name, as herd takes it
                self._in.expected("'*' and a pointer")
            self._in.next()
            return self._unary(out)
        return self._expression(out)

    def _store(self, out: list[Instruction]) -> None:
        scanner = self._in
        name = scanner.next()
        order, pointer = STORES[name]
        scanner.expect("(")
        address = self._place(pointer, out)
        scanner.expect(",")
        value = self._expression(out)
        scanner.expect(")")
        out.append(Store(address, value, order))
        if name == "smp_store_mb":
            out.append(Fence("mb"))

    def _marker(self, out: list[Instruction]) -> Expression | None:
        """A fence, or a call for a lock or SRCU; return its answer if it has one."""
        scanner = self._in
        name = scanner.next()
        scanner.expect("(")
        if name in FENCE_CALLS:
            scanner.expect(")")
            out.append(Fence(FENCE_CALLS[name]))
            return None
        address = self._expression(out)
        if name in LOCK_CALLS:
            operation, answers = LOCK_CALLS[name]
            scanner.expect(")")
            register = self._temporary() if answers else ""
            out.append(LockOp(operation, address, register))
        else:
            operation, arguments, answers = SRCU_CALLS[name]
            value: Expression = ("value", 0)
            if arguments == 2:
                scanner.expect(",")
                value = self._expression(out)
            scanner.expect(")")
            register = self._temporary() if answers else ""
            out.append(SrcuOp(operation, address, register, value))
        return ("register", register) if answers else None

    def _rmw(self, out: list[Instruction], register: str) -> Expression:
        scanner = self._in
        name = scanner.next()
        call: RmwCall = RMW_CALLS[name]
        scanner.expect("(")
        address: Expression = ("value", 0)
        operands: list[Expression] = []
        for number, letter in enumerate(call.form):
            if number:
                scanner.expect(",")
            argument = self._expression(out)
            if letter == "p":
                address = argument
            else:
                operands.append(argument)
        scanner.expect(")")
        if call.form == "p":
            operands.append(("value", 1))
        out.append(Rmw(register, address, call.operation, tuple(operands), call.order, call.result))
        answer: Expression = ("register", register)
        return (call.test, answer, ("value", 0)) if call.test else answer

    def _call(self, out: list[Instruction]) -> Expression:
        """Parse a call that has a value; return that."""
        scanner = self._in
        name = scanner.word
        if name in LOADS:
            scanner.next()
            order, pointer = LOADS[name]
            scanner.expect("(")
            address = self._place(pointer, out)
            scanner.expect(")")
            register = self._temporary()
            out.append(Load(register, address, order))
            return ("register", register)
        if name in RMW_CALLS and RMW_CALLS[name].result:
            return self._rmw(out, self._temporary())
        if name in LOCK_CALLS or name in SRCU_CALLS:
            begin = scanner.start
            answer = self._marker(out)
            if answer is None:
                scanner.fail(f"{name}() has no value", begin)
            return answer
        if name in STORES or name in FENCE_CALLS or name in RMW_CALLS:
            scanner.fail(f"{name}() has no value")
        near = difflib.get_close_matches(name, KNOWN, 1)
        hint = f": did you mean {near[0]}()?" if near else ""
        scanner.fail(f"{name}() is not a primitive of the kernel that litmus tests know{hint}")

    # -- expressions --------------------------------------------------------------------------

    def _expression(self, out: list[Instruction], level: int = 0) -> Expression:
        self._deeper()
        result = self._binary(out, level)
        self._depth -= 1
        return result

    def _binary(self, out: list[Instruction], level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary(out)
        left = self._binary(out, level + 1)
        while self._in.word in _LEVELS[level]:
            operator = self._in.next()
            left = (operator, left, self._binary(out, level + 1))
        if level == 0 and self._in.word == "?":
            self._in.fail("'?:' is not supported in a litmus test: if and else are")
        return left

    def _unary(self, out: list[Instruction]) -> Expression:
        scanner = self._in
        self._deeper()
        result = self._unary_of(scanner, out)
        self._depth -= 1
        return result

    def _unary_of(self, scanner: Scanner, out: list[Instruction]) -> Expression:
        if scanner.word in ("!", "~", "-"):
            return (scanner.next(), self._unary(out))
        if scanner.take("*"):
            address = self._unary(out)
            register = self._temporary()
            out.append(Load(register, address, PLAIN))
            return ("register", register)
        if scanner.take("&"):
            return ("value", scanner.name("the name of a location"))
        if scanner.kind == "number":
            return ("value", scanner.number())
        if scanner.take("("):
            if scanner.word in TYPE_WORDS:
                self._type()
                while scanner.take("*"):
                    pass
                scanner.expect(")")
                return self._unary(out)
            inner = self._expression(out)
            scanner.expect(")")
            return inner
        name = scanner.word
        if scanner.kind != "name":
            scanner.expected("an expression")
        begin = scanner.start
        scanner.next()
        if scanner.word == "(":
            scanner.back_to(begin)
            return self._call(out)
        if scanner.word == "[":
            scanner.fail("arrays are not supported")
        if name == "NULL":
            return ("value", 0)
        return ("value", name) if name in self._parameters else ("register", name)
