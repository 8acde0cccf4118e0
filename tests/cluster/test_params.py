"""Parameters of workload programs: what is refused ahead is what the program refuses itself."""

import ast
from pathlib import Path

import pytest

from cluster.build import expected_lifecycles, resolve
from cluster.catalogue import PROGRAMS, program_names, program_source
from cluster.cli.main import run_command
from cluster.config import ConfigError, parse_config
from cluster.config.params import Parameter, lifecycles, parameters, problems
from cluster.engine_api import RunRequest
from cluster.local_engine import run_local
from cluster.native import run_native

# name=value lists, each wrong in its last part; what is said of it
WRONG = [
    ("fork_exec_storm", ["parents=0"], "must be at least 1"),
    ("fork_exec_storm", ["children=x"], "must be a whole number"),
    ("fork_exec_storm", ["expect=256"], "must be at most 255"),
    ("fork_exec_storm", ["method=clone"], "must be one of fork, vfork, posix_spawn"),
    ("fork_exec_storm", ["compute=50us"], "must be a distribution like fixed:50us"),
    ("fork_exec_storm", ["compute=uniform:9us:1us"], "must be a distribution like"),
    ("fork_exec_storm", ["touch=fixed:1us"], "must be a distribution like fixed:4"),
    ("fork_exec_storm", ["pages=3", "touch=uniform:0:4"], "must be at most pages, which is 3"),
    ("fork_exec_storm", ["method=posix_spawn", "compute=exp:1us"], "must be 0 where method"),
    ("cow_touch", ["child=101"], "must be at most 100"),
    ("cow_touch", ["kind=both"], "must be one of private, shared"),
    ("prefork_server", ["window=513"], "must be at most 512"),
    ("prefork_server", ["compute=50"], "must be a time like 50us"),
    ("thread_group_exit", ["mode=abort"], "must be one of leader_first"),
    ("thread_group_exit", ["threads=0"], "must be at least 1"),
]
RIGHT = [
    ("fork_exec_storm", ["parents=1", "children=1", "pages=3", "touch=uniform:0:3"]),
    ("fork_exec_storm", ["parents=1", "children=1", "method=posix_spawn", "compute=fixed:0ms"]),
    ("fork_exec_storm", ["parents=1", "children=0", "pages=0", "touch=exp:3"]),
    ("cow_touch", ["rounds=0", "child=0", "first=parent"]),
    ("prefork_server", ["workers=1", "requests=1", "window=1", "compute=1ns"]),
    ("thread_group_exit", ["groups=0", "mode=sigkill"]),
]


def said(name: str, arguments: list[str]) -> dict[str, str]:
    known = parameters(program_source(name))
    assert known is not None
    return problems(known, dict(argument.split("=") for argument in arguments))


@pytest.mark.parametrize("name", program_names())
def test_a_shipped_program_gives_kind_and_meaning_of_every_parameter(name: str) -> None:
    source = program_source(name)
    known = parameters(source)
    assert known
    kinds = next(
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "KINDS"
    )
    assert list(kinds) == list(known)
    assert all(one.meaning for one in known.values())
    docstring = ast.get_docstring(ast.parse(source)) or ""
    for one in known.values():
        assert f"\n{one.name}={one.default} " in docstring
    assert problems(known, {one.name: one.default for one in known.values()}) == {}


@pytest.mark.parametrize(("name", "arguments", "what"), WRONG)
def test_a_wrong_value_is_refused_with_what_is_expected(
    name: str, arguments: list[str], what: str
) -> None:
    last = arguments[-1].partition("=")[0]
    found = said(name, arguments)
    assert list(found) == [last]
    assert found[last].startswith(what)


@pytest.mark.native
@pytest.mark.parametrize(("name", "arguments"), [(name, arguments) for name, arguments, _ in WRONG])
def test_the_program_refuses_the_same_value(name: str, arguments: list[str]) -> None:
    run = run_native(PROGRAMS / f"{name}.py", arguments)
    assert run.outcome == "exit 2"


@pytest.mark.native
@pytest.mark.parametrize(("name", "arguments"), RIGHT)
def test_what_is_accepted_the_program_accepts(name: str, arguments: list[str]) -> None:
    assert said(name, arguments) == {}
    assert run_native(PROGRAMS / f"{name}.py", arguments).outcome == "exit 0"


def test_a_condition_on_a_value_that_is_wrong_itself_is_not_looked_at() -> None:
    assert list(said("fork_exec_storm", ["pages=many", "touch=fixed:9"])) == ["pages"]


def test_the_parameters_of_a_program_of_ones_own_are_read_from_its_source(tmp_path: Path) -> None:
    source = '"""Mine.\n\nn=3  how many\n  of them\n"""\nDEFAULTS = {"n": "3"}\n'
    assert parameters(source) == {"n": Parameter("n", "3", "text", "how many\nof them")}
    for nothing in ("", "DEFAULTS = 3", "DEFAULTS = {1: 2}", "DEFAULTS = f()", "def"):
        assert parameters(nothing) is None


def test_every_wrong_parameter_of_a_config_is_said_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.yaml").write_text(
        "workloads:\n"
        "  - program: fork_exec_storm\n"
        "    params: {parents: 0, childs: 3, image: /bin/nothing}\n"
        "    args: [window=0, fast]\n"
        "  - program: cow_touch\n"
        "    params: {child: 101}\n"
    )
    assert run_command(["validate", str(tmp_path / "c.yaml")]) == 2
    lines = [line.partition("c.yaml:")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "3:23: workloads.0.params.parents: must be at least 1 (got '0')",
        "3:26: workloads.0.params.childs: unknown parameter (known: parents, children, window, "
        "image, expect, method, compute, touch, pages, depth, seed)",
        "3:44: workloads.0.params.image: there is no such executable (got '/bin/nothing')",
        "4:12: workloads.0.args.0: must be at least 1 (got '0')",
        "4:22: workloads.0.args.1: must be NAME=VALUE (got 'fast')",
        "6:21: workloads.1.params.child: must be at most 100 (got '101')",
    ]


def test_a_declared_image_is_an_executable(tmp_path: Path) -> None:
    from cluster.build import resolve

    text = (
        "images: {mine: {exit_code: 0}}\n"
        "workloads: [{program: fork_exec_storm, params: {image: /usr/bin/mine}}]\n"
    )
    resolve(parse_config("c.yaml", text, tmp_path))
    with pytest.raises(ConfigError, match="no such executable"):
        resolve(parse_config("c.yaml", text.replace("bin/mine", "bin/thine"), tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"method": "vfork", "window": "3"},
        {"method": "posix_spawn", "children": "2"},
        {"depth": "3", "parents": "2"},
        {"children": "0"},
    ],
)
def test_the_storm_has_the_lifecycles_that_it_says(tmp_path: Path, changes: dict[str, str]) -> None:
    params = {"parents": "3", "children": "4", **changes}
    text = f"name: c\nworkloads: [{{program: fork_exec_storm, instances: 2, params: {params}}}]\n"
    spec = resolve(parse_config("c.yaml", text, tmp_path))
    result = run_local(RunRequest(spec))
    assert result.summary["lifecycles"]["completed"] == expected_lifecycles(spec)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lifecycles: 1 + 2 * n", 15),
        ("lifecycles: n", 7),
        ("lifecycles: 2 - n", None),
        ("lifecycles: f(n)", None),
        ("lifecycles: m", None),
        ("lifecycles: 1 +", None),
        ("lifecycles: word", None),
        ("nothing", None),
    ],
)
def test_lifecycles_are_sums_and_products_of_parameters(text: str, expected: int | None) -> None:
    source = f'"""A program.\n\n{text}\n"""\nDEFAULTS = {{"n": "3", "word": "a"}}\n'
    assert lifecycles(source, {"n": "7"}) == expected
