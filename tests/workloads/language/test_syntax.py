"""What CPython itself refuses is no guest program, whatever else is wrong with it."""

import pytest

from workloads.language.compiler import compile_program
from workloads.language.errors import GuestProgramError

REFUSED = {
    "break": "'break' outside loop",
    "for i in range(3):\n    pass\ncontinue": "'continue' not properly in loop",
    "return 5": "'return' outside function",
    "def f(a, a):\n    return a": "duplicate argument 'a' in function definition",
    "def f(a):\n    global a": "name 'a' is parameter and global",
    "def f():\n    print(x)\n    global x\nx = 1": "name 'x' is used prior to global declaration",
    "def f():\n    x = 1\n    global x": "name 'x' is assigned to before global declaration",
    "x = 1\n  y = 2": "unexpected indent",
    "x = 'a\0b'": "null bytes",
    "-" * 100_000 + "1": "not Python 3.11",
    "(" * 300 + ")" * 300: "too many nested parentheses",
    "x = " + "[" * 180 + "]" * 180 + "\n" + "if x:\n    pass\n" + "".join(
        f"{' ' * i}if x:\n" for i in range(99)
    ) + " " * 99 + "x = " + "not " * 250 + "x": "deep",
    "x = 1" + " + 1" * 5000: "deep",
    "#" * 1_000_001: "more than 1000000 characters",
}  # fmt: skip


@pytest.mark.parametrize(("source", "message"), REFUSED.items(), ids=range(len(REFUSED)))
def test_program_is_refused_with_its_place(source: str, message: str) -> None:
    with pytest.raises(GuestProgramError) as refused:
        compile_program(source + "\n", "p.py")
    assert message in str(refused.value)
    assert str(refused.value).startswith("p.py:")


def nested_finally(levels: int) -> str:
    text = "def f():\n"
    for level in range(1, levels + 1):
        outer = " " * level
        text += f"{outer}try:\n{outer} pass\n{outer}finally:\n"
    return text + " " * (levels + 1) + "pass\nf()\n"


def blocks_of(source: str) -> int:
    return sum(len(code.blocks) for code in compile_program(source, "p.py").codes)


def test_nested_final_parts_grow_with_their_depth_alone() -> None:
    assert blocks_of(nested_finally(18)) - blocks_of(nested_finally(12)) == (
        blocks_of(nested_finally(12)) - blocks_of(nested_finally(6))
    )


def test_nested_final_parts_are_checked_and_compiled_in_a_moment() -> None:
    assert blocks_of(nested_finally(90)) < 2000


def test_many_ways_out_of_a_long_final_part_share_it() -> None:
    body = "".join(f"        if x == {n}:\n            return {n}\n" for n in range(60))
    final = "".join(f"        print({n})\n" for n in range(60))
    source = f"def f(x):\n    try:\n{body}        pass\n    finally:\n{final}f(3)\n"
    assert blocks_of(source) < 600
