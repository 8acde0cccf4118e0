# ruff: noqa: E501
"""Every operation of the language is charged for what it handles and makes, before it is done."""

import ast
import time
from typing import Any

import pytest

from kernel.uapi import syscalls as nr
from workloads.language import charges, tables
from workloads.language.dict_views import DictItems, DictKeys
from workloads.language.loader import Loader
from workloads.language.methods import ALL_METHODS
from workloads.language.sets import GuestSet

BUDGET = 20_000
SIZE = BUDGET - BUDGET // 8

RECEIVERS: dict[type, str] = {
    str: f"v = 'a' * {SIZE}",
    bytes: f"v = b'a' * {SIZE}",
    bytearray: f"v = bytearray(b'a' * {SIZE})",
    list: f"v = [7] * {SIZE}",
    tuple: f"v = (7,) * {SIZE}",
    dict: f"v = {{i: i for i in range({SIZE // 8})}}",
    GuestSet: f"v = {{i for i in range({SIZE // 8})}}",
    DictKeys: f"v = {{i: i for i in range({SIZE // 8})}}.keys()",
    DictItems: f"v = {{i: i for i in range({SIZE // 8})}}.items()",
}
#: What a method is given; t is a large tuple, w a half as large value of the receiver's type.
ARGUMENTS = {
    "removeprefix": "w", "removesuffix": "w", "strip": "w", "lstrip": "w", "rstrip": "w",
    "count": "w", "find": "w", "index": "w[:1]", "partition": "w", "split": "w",
    "rfind": "w", "rindex": "w", "rpartition": "w", "rsplit": "w",
    "startswith": "(w,) * 1000", "endswith": "(w,) * 1000", "center": f"{SIZE}", "ljust": f"{SIZE}",
    "rjust": f"{SIZE}", "zfill": f"{SIZE}", "replace": "w[:1], w[:2]", "join": "[w, w]",
    "insert": "0, 7", "remove": "7", "extend": "w",
    "difference": "w", "intersection": "w", "union": "w", "symmetric_difference": "w",
    "isdisjoint": "set()", "issubset": "w", "issuperset": "w", "difference_update": "set()",
    "intersection_update": "v", "symmetric_difference_update": "w", "update": "w",
    "add": "t", "discard": "t", "get": "t", "setdefault": "t, 1",
}  # fmt: skip
SPECIAL = {
    (list, "count"): f"'a' * {SIZE}", (list, "index"): "7", (tuple, "count"): f"'a' * {SIZE}",
    (tuple, "index"): f"7, {SIZE - 1}", (GuestSet, "remove"): "t", (dict, "pop"): "t, 0",
    (bytearray, "insert"): "0, 7", (bytearray, "remove"): "97",
    (bytearray, "pop"): "0", (list, "pop"): "0", (list, "index "): "7",
}  # fmt: skip
#: Rows whose call does nothing large with these receivers: one element goes each time.
DRAINS = {(GuestSet, "pop"), (list, "remove"), (list, "index"), (tuple, "index")}


def run(source: str) -> tuple[str | None, str]:
    """Run a program on no kernel; return (what broke the run, what it printed)."""
    loader = Loader({"p": source}, BUDGET, guest_memory=16 << 20)
    context = loader.start("p", ("/t/p.py",), ())
    value: Any = None
    text = b""
    for _ in range(100_000):
        op = context.resume(value, None)
        value = None
        if op[0] == nr.NR_FATAL:
            return str(op[1]), text.decode()
        if op[0] == nr.NR_EXIT_GROUP:
            return None, text.decode()
        if op[0] == nr.NR_WRITE:
            text += op[2]
            value = len(op[2])
    raise AssertionError("the program does not end")


def ends_by_a_limit(source: str) -> None:
    began = time.process_time()
    fatal, text = run(source)
    took_s = time.process_time() - began
    if fatal is None:
        assert "MemoryError" in text, text
    else:
        assert "beyond the" in fatal, fatal
    assert took_s < 8, took_s


def test_every_operation_of_the_language_has_a_row() -> None:
    assert set(charges.BUILTINS) >= set(tables.BUILTINS)
    operators = {
        cls.__name__ for cls in [*ast.operator.__subclasses__(), *ast.unaryop.__subclasses__()]
    }
    assert set(charges.OPERATORS) == operators - {"MatMult"}
    assert set(charges.COMPARISONS) == {cls.__name__ for cls in ast.cmpop.__subclasses__()}
    assert {name for rows in charges.METHODS.values() for name in rows} == ALL_METHODS


def test_every_rule_is_one() -> None:
    words = {"free", "own", "number"}
    for rows in charges.METHODS.values():
        for rule in rows.values():
            assert rule in words or callable(getattr(charges.Rules, rule)), rule


METHODS = [
    (kind, name)
    for kind, rows in charges.METHODS.items()
    for name, rule in rows.items()
    if rule != "free" and name != "join" and (kind, name) not in DRAINS
]


@pytest.mark.parametrize(
    ("kind", "name"), METHODS, ids=[f"{kind.__name__}.{name}" for kind, name in METHODS]
)
def test_method_of_a_large_value_ends_by_a_limit(kind: type, name: str) -> None:
    arguments = SPECIAL.get((kind, name), ARGUMENTS.get(name, ""))
    half = "v[: len(v) // 2]" if kind in (str, bytes, bytearray, list, tuple) else "v.copy()"
    if kind in (DictKeys, DictItems):
        half = "list(v)"
    ends_by_a_limit(
        f"{RECEIVERS[kind]}\nprint('made')\nw = {half}\nprint('half')\nt = (5,) * {SIZE}\nprint('key')\n"
        f"x = [v.{name}({arguments}) for i in range({SIZE})]\n"
    )


BIG = "a = (1 << 4000) - 1\nb = (1 << 2000) - 1\nprint(0)\n"
EXPRESSIONS = [
    "a / (a >> 1)", *(f"a {op} b" for op in ("+", "-", "*", "//", "%", "|", "&", "^")),
    "a // 3", "a + 1", "a - 1", "1 - a", "a >> 1", "a >> i % 2", "a | 1", "a ^ 1", "a & -1", "-a",
    "~a", "a << 5", "b ** 2", "1 << 4000", "3 << 4000 + i % 2", "abs(a)", "divmod(a, b)", "hex(a)",
    "sum([a, a])", "a == a + i % 2", "[a, a] == [a, a + i % 2]", "f'{a:x}'",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_large_numbers_end_by_a_limit(expression: str) -> None:
    ends_by_a_limit(BIG + f"x = [{expression} for i in range({SIZE})]\n")


SIZED = [
    "'-'.join([s, s])", "b'-'.join([y, y])",     "s[1:]", "s[::2]", "l[1:]", "l[::-1]", "s + s[:9]", "l + l", "s * 2", "'b' in s", "7 in l", "9 in l",
    "s == s[:]", "l == l[:]", "l < l[:]", "d | d", "e | e", "e & e", "e - {1}", "e ^ e", "str(l)", "repr(l)",
    "str(ValueError(l))", "repr(ValueError(s))", "f'{l}'", "f'{s}'", "'%s' % (l,)", "'%s' % s",
    "str(e)", "len(sorted(l))", "max(l)", "min(s)", "any(z)", "all(l)", "sum(l)", "list(l)", "tuple(l)",
    "set(l)", "dict(d)", "bytes(s, 'ascii')", "bytearray(s, 'ascii')", "bytes(17000)", "str(y, 'ascii')",
    "list(zip(l, l))", "list(enumerate(l))", "list(reversed(l))", "list(d.items())", "[x for x in s]",
    "float(n)", "int('1' * 600)", "os.path.join(s, s)", "os.path.basename(s)", "t in [t, t]", "{t: 1}",
    "(t, t)", "bool([t] == [t])",
    "d.keys() & d.keys()", "d.keys() | l", "d.items() - {1}", "l ^ d.keys()", "d.keys() == d.keys()",
    "d.items() <= d.items()", "-1 in d.values()", "repr(d.items())", "'%s' % d.values()", "list(*[d.keys()])",
]  # fmt: skip


@pytest.mark.parametrize("expression", SIZED)
def test_large_texts_and_containers_end_by_a_limit(expression: str) -> None:
    names = (
        f"import os\ns = 'a' * {SIZE}\nprint(1)\ny = b'a' * {SIZE}\nprint(2)\nl = [7] * {SIZE}\n"
        f"print(3)\nz = [0] * {SIZE}\nprint(4)\nd = {{i: i for i in range({SIZE // 2})}}\nprint(5)\n"
        f"e = {{i for i in range({SIZE // 8})}}\nprint(6)\nt = (5,) * {SIZE // 4}\nprint(7)\n"
        f"t = (t, t)\nn = '1' * {SIZE}\nprint(8)\n"
    )
    ends_by_a_limit(names + f"x = [{expression} for i in range({SIZE})]\n")


DEEP = [
    "t = ()\nfor i in range(200000):\n    t = ValueError(t).args\nprint(len({t}))",
    "t = (1,)\nfor i in range(60):\n    t = ValueError(t, t).args\nprint(len({t}))",
    "t = ()\nwhile True:\n    try:\n        d = {}\n        d[t]\n    except KeyError as e:\n        t = e.args",
    "d = {0: ()}\nwhile True:\n    for t in d.items():\n        pass\n    d[0] = t",
    "d = {0: ()}\nwhile True:\n    i = d.items()\n    d[0] = list(i)[0]",
    "d = {0: ()}\nwhile True:\n    i = d.items()\n    [d[0]] = i",
    "t = (1,)\nwhile True:\n    for t in zip([t], [t]):\n        pass",
    "t = 0\nwhile True:\n    for t in enumerate([t]):\n        pass\n    t = (t, t)",
    "import sys\nt = ()\nwhile True:\n    try:\n        sys.exit(t)\n    except SystemExit as e:\n        t = e.args",
    "x = {k * ((1 << 61) - 1) for k in range(5000)} | {-1}\nprint(1)\nx = set(list(x))",
    "x = set([k * ((1 << 61) - 1) for k in range(5000)])",
    "x = dict([(k * ((1 << 61) - 1), 0) for k in range(5000)])",
]


@pytest.mark.parametrize("source", DEEP)
def test_values_that_are_deep_shared_or_collide_end_by_a_limit(source: str) -> None:
    ends_by_a_limit(source + "\n")


def test_what_is_nested_too_deep_to_print_or_compare_is_a_recursion_error() -> None:
    source = (
        "a = []\nb = []\nfor i in range(5000):\n    a = [a]\n    b = [b]\n"
        "try:\n    print(a)\nexcept RecursionError as e:\n    print(e)\n"
        "try:\n    print(a == b)\nexcept RecursionError as e:\n    print(e)\n"
        "x = ValueError()\nfor i in range(5000):\n    x = ValueError(x)\n"
        "try:\n    print(repr(x))\nexcept RecursionError as e:\n    print(e)\n"
    )
    fatal, text = run(source)
    assert fatal is None
    assert text.splitlines() == [
        "maximum recursion depth exceeded while getting the repr of an object",
        "maximum recursion depth exceeded in comparison",
        "maximum recursion depth exceeded while getting the repr of an object",
    ]


def test_a_process_that_holds_too_much_gets_a_memory_error_and_may_go_on() -> None:
    source = (
        "l = []\ntry:\n    while True:\n        l.append(str(len(l)) * 900)\n"
        "except MemoryError:\n    print('caught', len(l) > 2000)\n    l = None\nl = [0] * 1000\nprint(len(l))\n"
    )
    assert run(source) == (None, "caught True\n1000\n")


def test_a_process_that_goes_on_growing_is_killed() -> None:
    source = (
        "l = []\nwhile True:\n    try:\n        while True:\n            l.append(str(len(l)) * 900)\n"
        "    except MemoryError:\n        pass\n"
    )
    loader = Loader({"p": source}, BUDGET, guest_memory=32 << 20)
    context = loader.start("p", ("/t/p.py",), ())
    op = context.resume(None, None)
    for _ in range(100_000):
        if op[0] not in (nr.NR_PREEMPT_POINT, nr.NR_GETPID, nr.NR_GETTID):
            break
        op = context.resume(7 if op[0] != nr.NR_PREEMPT_POINT else None, None)
    assert 9 in op, op
