"""Generated programs print the same natively and emulated, and after packing at every call."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = ("a", "b", "c")

atoms = st.one_of(
    st.sampled_from(NAMES),
    st.integers(-5, 40).map(repr),
    st.sampled_from(["'x'", "'yz'", "[1, 2]", "(3, 4)", "{'k': 1}", "None", "True", "2.5", "b'q'"]),
    st.sampled_from(["os.getpid() * 0", "twice(a)", "twice(os.getpid() * 0 + 1)", "boom(b)"]),
)


def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "//", "%", "==", "<", "and", "or", "in"]), inner
        ).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        two.map(lambda t: f"[{t[0]}, {t[1]}]"),
        two.map(lambda t: f"{t[0]}[{t[1]}]"),
        two.map(lambda t: f"twice({t[0]}, by={t[1]})"),
        two.map(lambda t: f"({t[0]} < {t[1]} <= 9)"),
        inner.map(lambda t: f"[v for v in ({t}, 1) if v]" if "(" not in t else f"(not {t})"),
        inner.map(lambda t: f"len({t})"),
        inner.map(lambda t: f"(-{t})"),
        inner.map(lambda t: f"str({t})"),
        inner.map(lambda t: "f'{" + t.replace("'", '"') + "}'" if "'" not in t else f"({t},)"),
    )


expressions = st.recursive(atoms, wider, max_leaves=6)
errors = st.sampled_from(["TypeError", "(ValueError, KeyError)", "ZeroDivisionError", "Exception"])


def joined(parts: list[list[str]]) -> list[str]:
    return [line for part in parts for line in part]


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


simple = st.one_of(
    expressions.map(lambda e: [f"print({e})"]),
    st.tuples(st.sampled_from(NAMES), expressions).map(lambda t: [f"{t[0]} = {t[1]}"]),
    st.tuples(st.sampled_from(NAMES), st.sampled_from("+-*|"), expressions).map(
        lambda t: [f"{t[0]} {t[1]}= {t[2]}"]
    ),
    st.tuples(expressions, expressions).map(lambda t: [f"a, b = {t[0]}, {t[1]}"]),
    errors.filter(lambda e: e[0] != "(").map(lambda e: [f"raise {e}('made')"]),
    expressions.map(lambda e: [f"return {e}"]),
    st.just(["if steps() > 40:", "    return 'tired'"]),
)
loop_control = st.sampled_from([["break"], ["continue"], ["pass"]])


def blocks(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    body = st.lists(inner, min_size=1, max_size=3).map(joined)
    control = st.tuples(body, loop_control).map(lambda t: t[0] + t[1])
    return st.one_of(
        st.tuples(expressions, body, body).map(
            lambda t: [f"if {t[0]}:", *indented(t[1]), "else:", *indented(t[2])]
        ),
        st.tuples(control, body).map(
            lambda t: ["for i in range(3):", *indented(t[0]), "else:", *indented(t[1])]
        ),
        st.tuples(expressions, control).map(
            lambda t: [f"while steps() < 9 and {t[0]}:", *indented(t[1])]
        ),
        st.tuples(body, errors, body, body).map(
            lambda t: [
                "try:",
                *indented(t[0]),
                f"except {t[1]} as e:",
                *indented(["print('caught', e)", *t[2]]),
                "finally:",
                *indented(["print('finally')", *t[3]]),
            ]
        ),
        st.tuples(body, errors, body, body).map(
            lambda t: [
                "try:",
                *indented(t[0]),
                f"except {t[1]}:",
                *indented(t[2]),
                "else:",
                *indented(t[3]),
            ]
        ),
        st.tuples(control, body).map(
            lambda t: [
                "for i, a in enumerate([1, 'w']):",
                *indented(["try:", *indented(t[0]), "finally:", *indented(t[1])]),
            ]
        ),
    )


bodies = st.lists(
    st.recursive(simple, blocks, max_leaves=8), min_size=1, max_size=4
).map(joined)  # fmt: skip

HEAD = """\
import os

count = [0]


def steps():
    count[0] += 1
    return count[0]


def twice(x, by=2):
    return x * by


def boom(x):
    if x:
        raise ValueError(x)
    return x


def main(a, b, c):
"""
TAIL = """

for values in ((1, 0, 'q'), ([1], 2, (5,)), ('s', None, 3)):
    count[0] = 0
    try:
        print('result', main(values[0], values[1], values[2]))
    except Exception as e:
        print('error', e)
main(1, 2, 3)
"""


def check(folder: Path, guest_type: Any, body: list[str]) -> None:
    source = HEAD + "\n".join(indented(body)) + "\n" + TAIL
    guest_type(folder).agree(source)


@pytest.mark.native
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(bodies)
def test_generated_program_prints_the_same(
    tmp_path_factory: pytest.TempPathFactory, guest_type: Any, body: list[str]
) -> None:
    check(tmp_path_factory.getbasetemp(), guest_type, body)


@pytest.mark.native
@pytest.mark.slow
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(bodies)
def test_many_generated_programs_print_the_same(
    tmp_path_factory: pytest.TempPathFactory, guest_type: Any, body: list[str]
) -> None:
    check(tmp_path_factory.getbasetemp(), guest_type, body)
