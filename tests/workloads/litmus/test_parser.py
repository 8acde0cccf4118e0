"""The C litmus format, with its traps."""

import pytest

from workloads.litmus.condition import holds, show
from workloads.litmus.errors import LitmusError
from workloads.litmus.oracle import observe, outcomes
from workloads.litmus.parser import parse_litmus
from workloads.litmus.test import Load, Set, Store


def litmus(body: str, condition: str = "exists (0:r0=1)", first: str = "") -> str:
    return f"C T\n{{{first}}}\nP0(int *x, int *y) {{\n{body}\n}}\n{condition}\n"


def test_a_star_behind_a_parenthesis_in_a_body_is_a_dereference_and_no_comment() -> None:
    test = parse_litmus(litmus("int r0 = (*x) + 1;"))
    assert [type(each) for each in test.processes[0].body] == [Load, Set]
    assert observe(test) == "Always"


def test_comments_of_ocaml_nest_and_may_stand_between_processes_and_in_the_condition() -> None:
    text = (
        'C T "a { text" (* one (* two *) { *)\nKey=value\n{ (* none *) }\n'
        "P0(int *x) { /* } */ WRITE_ONCE(*x, 1); // }\n}\n(* P9 *) // more\n"
        "P1(int *x) { int r0; r0 = READ_ONCE(*x); }\nexists (* (1:r0=0) *) (1:r0=1) (* . *)\n"
    )
    assert observe(parse_litmus(text)) == "Sometimes"


def test_a_bare_name_as_a_first_value_is_the_address_of_that_location() -> None:
    for first in ("int *p = y;", "p=y;", "p = &y;", "int *p=y; int y = 0;"):
        text = (
            f"C T\n{{{first}}}\nP0(int **p) {{ int *r0; r0 = READ_ONCE(*p); }}\nexists (0:r0=y)\n"
        )
        assert observe(parse_litmus(text)) == "Always", first


def test_what_no_first_value_is_given_for_is_zero() -> None:
    assert observe(parse_litmus(litmus("int r0; r0 = READ_ONCE(*x);", "exists (0:r0=0)"))) == (
        "Always"
    )


def test_first_values_of_registers_are_the_processes_own() -> None:
    for first in ("0:r0=1;", "int 0:r0 = 1;", "P0:r0=1;"):
        assert observe(parse_litmus(litmus("WRITE_ONCE(*x, 1);", first=first))) == "Always"


def test_a_global_that_is_no_parameter_is_a_register() -> None:
    assert observe(parse_litmus(litmus("z = 1; r0 = z;"))) == "Always"


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("0:r0=1 /\\ 0:r1=2 \\/ 0:r0=9", True),
        ("0:r0=9 \\/ 0:r0=1 /\\ 0:r1=2", True),
        ("0:r0=9 /\\ 0:r1=9 \\/ 0:r1=2", True),
        ("0:r0=9 => 0:r1=9 /\\ 0:r1=9", False),
        ("~0:r0=9 /\\ 0:r1=2", True),
        ("not (0:r0=1 /\\ 0:r1=2)", False),
        ("0:r0!=2", True),
        ("0:r0<>1", False),
        ("0:r0==0x1", True),
        ("0:r0=-1", False),
        ("0:r0=0:r1", False),
        ("P0:r0=1 /\\ true", True),
        ("[x]=3 /\\ *x=3 /\\ x=3", True),
        ("x=[y]", False),
    ],
)
def test_operators_of_a_condition_bind_as_in_herd(formula: str, value: bool) -> None:
    test = parse_litmus(litmus("WRITE_ONCE(*x, 3);", f"exists ({formula})"))
    state = {(0, "r0"): 1, (0, "r1"): 2, (-1, "x"): 3, (-1, "y"): 4}
    assert holds(test.condition, state) is value


def test_a_condition_is_written_as_herd_writes_it() -> None:
    condition = "exists (0:r0=1 /\\ (x=2 \\/ ~y=3))"
    test = parse_litmus(litmus("WRITE_ONCE(*x, 1);", condition))
    assert f"({show(test.condition)})" == "(0:r0=1 /\\ ([x]=2 \\/ not ([y]=3)))"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("int r0 = 1 + 2 * 3 == 7;", 1),
        ("int r0 = 1 | 2 & 4;", 1),
        ("int r0 = 5 & 4 == 4;", 1),
        ("int r0 = !0 && ~0;", 1),
        ("int r0 = 0 || -3 < 2;", 1),
        ("int r0 = (int) 4 - 3;", 1),
        ("unsigned long r0; r0 = 7 / 2 - 5 % 3;", 1),
    ],
)
def test_operators_of_an_expression_bind_as_in_c(body: str, value: int) -> None:
    found = outcomes(parse_litmus(litmus(body)))
    assert found.states == {(value,): 1}


def test_smp_load_acquire_takes_a_pointer_and_read_once_what_it_points_at() -> None:
    test = parse_litmus(litmus("int r0 = smp_load_acquire(x); int r1 = READ_ONCE(*x);"))
    loads = [each for each in test.processes[0].body if isinstance(each, Load)]
    assert [(load.address, load.order) for load in loads] == [
        (("value", "x"), "acquire"),
        (("value", "x"), "once"),
    ]


def test_an_assignment_through_a_pointer_is_a_plain_store() -> None:
    test = parse_litmus(litmus("*x = 1;"))
    store = test.processes[0].body[0]
    assert isinstance(store, Store)
    assert store.order == "plain"


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("smp_mbb();", (4, 1), "did you mean smp_mb"),
        ("WRITE_ONCE(*x 1);", (4, 15), "expected ',', found '1'"),
        ("while (1) { }", (4, 1), "'while' is not supported"),
        ("int a[3];", (4, 6), "arrays are not supported"),
        ("WRITE_ONCE(*x, smp_mb());", (4, 16), "smp_mb() has no value"),
        ("r0 = 1 ? 2 : 3;", (4, 8), "'?:' is not supported"),
        ("/* never", (4, 1), "the comment that begins here has no end"),
        ("int r0 = " + "(" * 200, (4, 44), "more than 100 levels"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    body: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(LitmusError) as caught:
        parse_litmus(litmus(body))
    assert message in caught.value.message
    if "levels" not in message:
        assert (caught.value.line, caught.value.column) == place
    else:
        assert caught.value.line == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 'C' and the test's name"),
        ("PPC T\n{}\nP0 | P1 ;\n", "only C is supported"),
        ("C T\n", "expected '{' and the first values"),
        ("C T\n{}\nexists (x=1)\n", "expected a process"),
        ("C T\n{}\nP1(int *x) {}\nexists (x=1)\n", "expected P0, found P1"),
        ("C T\n{}\nP0(int *x) {}\nwhen (x=1)\n", "expected a condition"),
        ("C T\n{}\nP0(int *x) {}\nexists (1:r0=1)\n", "there is no process 1"),
        ("C T\n{}\nP0(int *x) {}\nexists (x=1) more\n", "expected the end of the file"),
        ("C T\n{3:r0=1;}\nP0(int *x) {}\nexists (x=1)\n", "process 3, which there is none of"),
        ("C T\n{int x[2];}\nP0(int *x) {}\nexists (x=1)\n", "arrays are not supported"),
    ],
)
def test_a_file_that_is_no_litmus_test_is_refused(text: str, message: str) -> None:
    with pytest.raises(LitmusError) as caught:
        parse_litmus(text)
    assert message in caught.value.message


def test_the_result_of_a_comment_is_known() -> None:
    text = litmus("WRITE_ONCE(*x, 1);").replace("{", "(*\n * Result: Never DATARACE\n *)\n{", 1)
    test = parse_litmus(text)
    assert (test.result, test.racy) == ("Never", True)


@pytest.mark.parametrize(
    ("written", "quantifier", "formula"), [("", "forall", "true"), ("(x=1)", "exists", "[x]=1")]
)
def test_a_condition_may_be_left_out_or_have_no_quantifier(
    written: str, quantifier: str, formula: str
) -> None:
    test = parse_litmus(f"C T\n{{}}\nP0(int *x) {{}}\n{written}\n")
    assert (test.quantifier, show(test.condition)) == (quantifier, formula)
