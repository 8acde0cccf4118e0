"""Quick forms: what becomes of a path, and which rules it must keep."""

import ast
import textwrap
from pathlib import Path

import pytest

from cluster.core import forms
from cluster.core.paths import SLEEPING, Package, Refused, kinds_of
from cluster.core.twins import SUFFIX, with_twins

ROOT = Path(__file__).resolve().parents[3]

HEAD = """
from kernel.points import ACQUIRE, BARRIER, LOAD, POINT, READ, RELEASE, SCHEDULE, STORE, Path
"""


def package_of(**sources: str) -> Package:
    """Return a package of small modules ``kernel.NAME``."""
    return Package(
        {
            f"kernel.{name}": (f"kernel/{name}.py", (HEAD + textwrap.dedent(source)).encode())
            for name, source in sources.items()
        }
    )


def twin(source: str, name: str = "f", **others: str) -> str:
    """Return the quick form of a path of a module of this source, without its docstring."""
    package = package_of(here=source, **others)
    text = with_twins(package, package.modules["kernel.here"]).decode()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name + SUFFIX:
            return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
    raise AssertionError(text)


def body(source: str, name: str = "f", **others: str) -> str:
    """Return the quick form without its first line."""
    return textwrap.dedent(twin(source, name, **others).split("\n", 1)[1])


def refusal(source: str, **others: str) -> str:
    with pytest.raises(Refused) as refused:
        package_of(here=source, **others)
    return str(refused.value)


# -- points ----------------------------------------------------------------------------------------


def test_locks_become_calls_and_other_points_nothing():
    assert body(
        """
        def f(k, task) -> Path[None]:
            yield "f.point", POINT, task.mm
            yield "f.lock", ACQUIRE, task.siglock
            task.x = 1  # a comment stays
            yield "f.barrier", BARRIER, (task, k.cpu + 1)
            yield "f.unlock", RELEASE, task.siglock
            yield "f.read", READ, k.lock
        """
    ) == textwrap.dedent(
        """\
        pass
        quick__acquire(k, task.siglock)
        task.x = 1  # a comment stays
        pass
        quick__release(k, task.siglock)
        quick__read(k, k.lock)"""
    )


def test_loads_and_stores_become_plain_accesses_and_checks_of_locks_nothing():
    assert body(
        """
        def f(k, task) -> Path[None]:
            assert_held(k, task.siglock)
            state: int = yield "f.load", LOAD, (task, "state")
            found = yield "f.find", LOAD, (k.table[task.cpu], "curr")
            yield "f.store", STORE, (task.signal, "flags", state | 1)
            yield (
                "f.long",
                STORE,
                (k.find(found), "on_rq", (1, 2)),
            )
        """
    ) == textwrap.dedent(
        """\
        pass
        state: int = task.state
        found = (k.table[task.cpu]).curr
        task.signal.flags = state | 1
        (k.find(found)).on_rq = (1, 2)"""
    )


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ('yield "f.load", LOAD, (k, "a")', "a LOAD is assigned to something"),
        ('x = yield "f.store", STORE, (k, "a", 1)', "a STORE is a statement of its own"),
        ('x = yield "f.load", LOAD, pair', 'is (object, "field"), written out'),
        ('x = yield "f.load", LOAD, (k, name)', 'is (object, "field"), written out'),
        ('yield "f.store", STORE, (k, "a")', 'is (object, "field", value), written out'),
    ],
)
def test_an_access_that_no_plain_one_can_be_made_of_is_refused(point: str, why: str):
    assert why in refusal(f"def f(k, pair, name) -> Path[None]:\n    {point}\n")


def test_a_lock_that_is_taken_in_one_of_two_ways_is_still():
    assert (
        body(
            """
            def f(k, lock) -> Path[None]:
                yield "f.lock", READ if k.shared else ACQUIRE, lock
            """
        )
        == "(quick__read if k.shared else quick__acquire)(k, lock)"
    )


def test_a_kind_inside_another_name_stays():
    assert (
        body(
            """
            def f(k, lock, advice) -> Path[None]:
                yield "f.lock", READ if advice in _READERS else ACQUIRE, lock
            """
        )
        == "(quick__read if advice in _READERS else quick__acquire)(k, lock)"
    )


def test_a_path_that_sleeps_stays_a_generator_of_its_sleep_only():
    text = twin(
        """
        def f(k, lock) -> Path[int]:
            yield "f.lock", ACQUIRE, lock
            yield "f.schedule", SCHEDULE, None
            return 1
        """
    )
    assert text == textwrap.dedent(
        """\
        def f__quick(k, lock) -> Path[int]:
            quick__acquire(k, lock)
            yield "f.schedule", SCHEDULE, None
            return 1"""
    )


@pytest.mark.parametrize(
    ("annotation", "result"),
    [
        ("Path", "quick__Any"),
        ("Path[int]", "'int'"),
        ('Path["TaskStruct | None"]', "'TaskStruct | None'"),
        ('"Path[TaskStruct]"', "'TaskStruct'"),
    ],
)
def test_the_result_of_a_plain_form_is_the_value(annotation: str, result: str):
    source = f'def f(k) -> {annotation}:\n    yield "f.p", POINT, None\n    return 1\n'
    assert twin(source).startswith(f"def f__quick(k) -> {result}:")


def test_a_docstring_is_replaced_and_comments_for_the_checker_stay():
    source = '''
    def f(k) -> Path[None]:
        """Long."""
        yield "f.p", POINT, None
        k.x = None  # type: ignore[assignment]
    '''
    assert body(source) == (
        '"""The quick form of f."""\npass\nk.x = None  # type: ignore[assignment]'
    )


# -- calls -----------------------------------------------------------------------------------------

SLEEPER = """
def sleeper(k) -> Path[int]:
    yield "sleeper.schedule", SCHEDULE, None
    return 1
"""
PLAIN = """
def plain(k, n: int = 0) -> Path[int]:
    yield "plain.point", POINT, None
    return n
"""


def test_what_cannot_sleep_is_called_and_what_may_is_run():
    source = """
    from kernel.other import plain, sleeper

    def f(k) -> Path[int]:
        a = yield from plain(k, 1)
        b: int = yield from plain(k, (yield from plain(k)))
        if (yield from sleeper(k)) and (yield from plain(k)):
            return (yield from sleeper(k))
        return a + b
    """
    assert body(source, other=PLAIN + SLEEPER) == textwrap.dedent(
        """\
        a = plain__quick(k, 1)
        b: int = plain__quick(k, (plain__quick(k)))
        if (yield from sleeper__quick(k)) and (plain__quick(k)):
            return (yield from sleeper__quick(k))
        return a + b"""
    )


def test_quick_forms_of_other_modules_are_imported_by_where_they_are():
    package = package_of(
        here="from kernel.middle import plain as p\n\ndef f(k) -> Path[int]:\n    return p(k)\n",
        middle="from kernel.other import plain\n",
        other=PLAIN,
    )
    text = with_twins(package, package.modules["kernel.here"]).decode()
    assert "\nfrom kernel.other import plain__quick as p__quick\n" in text
    assert text.count("return p__quick(k)") == 1


def test_what_is_held_in_a_variable_may_be_anything():
    assert (
        body(
            """
            def f(k, operation) -> Path[int]:
                result = yield from operation(k, 1)
                return result
            """
        )
        == "result = ((yield from quick__p) if quick__is_path(quick__p := "
        "quick__form(operation)(k, 1)) else quick__p)\nreturn result"
    )


def test_an_attribute_means_what_is_put_under_its_name():
    source = """
    from kernel.other import plain, sleeper

    class Operations:
        def __init__(self, first, second) -> None:
            self.first = first
            self.second = second

    OPERATIONS = Operations(plain, second=sleeper)

    def f(k, fop) -> Path[None]:
        yield from fop.first(k)

    def g(k, fop) -> Path[None]:
        yield from fop.second(k)
    """
    other = PLAIN + SLEEPER
    assert body(source, other=other) == "quick__run(k, quick__form(fop.first)(k))"
    assert body(source, "g", other=other).startswith("((yield from quick__p) if ")


def test_an_attribute_that_is_given_something_unknown_may_sleep():
    source = """
    def f(k, entry) -> Path[None]:
        yield from entry.func(k)

    def fill(entry, function) -> None:
        entry.func = function
    """
    assert body(source).startswith("((yield from quick__p) if ")


def test_a_path_in_progress_is_run_as_it_is():
    source = """
    def f(k, path) -> Path[int]:
        return (yield from path)
    """
    assert body(source) == "return (yield from path)"


def test_a_delegate_hands_on_the_quick_form():
    source = """
    from kernel.other import plain, sleeper

    def f(k) -> Path[int]:
        return plain(k, 1) if k.x else plain(k, 2)

    def g(k) -> Path[int]:
        return sleeper(k)

    def h(k) -> Path[int]:
        if k.x:
            return plain(k)
        return sleeper(k)

    def run(k) -> Path[int]:
        yield from g(k)
        yield from f(k)
    """
    other = PLAIN + SLEEPER
    assert body(source, other=other) == "return plain__quick(k, 1) if k.x else plain__quick(k, 2)"
    assert body(source, "g", other=other) == "return sleeper__quick(k)"
    assert body(source, "h", other=other) == textwrap.dedent(
        """\
        if k.x:
            return plain__quick(k)
        return (yield from sleeper__quick(k))"""
    )
    assert body(source, "run", other=other) == "yield from g__quick(k)\nf__quick(k)"


def test_what_returns_a_path_or_a_value_still_does():
    source = """
    from kernel.other import sleeper

    def f(k) -> "Path[int] | int":
        if k.x:
            return k.y(1)
        if k.fop:
            return k.fop.read(k)
        return sleeper(k)

    OPERATIONS = Operations(read=sleeper)
    """
    assert twin(source, other=SLEEPER) == textwrap.dedent(
        """\
        def f__quick(k) -> quick__Any:
            if k.x:
                return k.y(1)
            if k.fop:
                return quick__form(k.fop.read)(k)
            return sleeper__quick(k)"""
    )


def test_sleep_spreads_to_those_who_run_it_however_far_and_round():
    package = package_of(
        here="""
        def a(k) -> Path[None]:
            yield from b(k)

        def b(k) -> Path[None]:
            if k.x:
                yield from a(k)
            yield from c(k)

        def c(k) -> Path[None]:
            yield "c.schedule", SCHEDULE, None

        def d(k) -> Path[None]:
            if k.x:
                yield from d(k)
        """
    )
    paths = package.modules["kernel.here"].paths
    assert [name for name, path in paths.items() if path.sleeps] == ["a", "b", "c"]


# -- rules -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('def f(k) -> Path[None]:\n    yield "f.p", POINT, k.next()', "must have no effects"),
        ('def f(k) -> Path[None]:\n    yield "f.p", BARRIER, (n := 1)', "must have no effects"),
        ('def f(k) -> Path[None]:\n    x = yield "f.p", POINT, k', "a statement of its own"),
        ('def f(k) -> Path[None]:\n    yield "f.p", OTHER, k', "unknown kind of a point: OTHER"),
        ('def f(k) -> Path[None]:\n    yield "f.p", k.kind, k', "unknown kind of a point"),
        ('def f(k) -> Path[None]:\n    yield "f.p", READ if k else POINT, k', "one of a lock"),
        ("def f(k) -> Path[None]:\n    yield 1", "a point is"),
        ('def f(x) -> Path[None]:\n    yield "f.p", POINT, x', "first parameter of f is not k"),
        ('def f(k, x=[]) -> Path[None]:\n    yield "f.p", POINT, x', "no effects"),
        ('@g\ndef f(k) -> Path[None]:\n    yield "f.p", POINT, k', "has a decorator"),
        ("def g():\n    def f(k) -> Path[None]:\n        yield from ()", "not at a module's top"),
        ('def f(k):\n    yield "f.p", POINT, k', "a point in what is no path"),
        ("def f(k) -> Path[None]:\n    return k.x", "is to return a path that it calls"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused_with_its_place(source: str, text: str):
    message = refusal(source)
    assert text in message
    assert message.startswith("kernel/here.py:")


def test_a_path_that_is_made_and_kept_is_refused():
    message = refusal(
        PLAIN
        + """
def f(k) -> Path[int]:
    path = plain(k)
    return (yield from path)
"""
    )
    assert "the path plain is made and not run here" in message


def test_what_may_be_a_plain_value_is_not_run_as_a_path():
    message = refusal(
        PLAIN
        + """
def either(k) -> "Path[int] | int":
    return plain(k) if k.x else 1

def f(k) -> Path[int]:
    return (yield from either(k))
"""
    )
    assert "either may return a plain value: ask is_path" in message


def test_everything_that_is_wrong_is_told_at_once():
    message = refusal(
        """
        def f(x) -> Path[None]:
            yield "f.p", POINT, g()

        def h(k) -> Path[None]:
            yield 1
        """
    )
    assert len(message.splitlines()) == 3


# -- the whole package -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel() -> Package:
    sources = forms.read_sources(ROOT)
    return Package({forms._module(name): (name, text) for name, text in sources.items()})


def test_every_path_of_the_kernel_has_one_quick_form(kernel: Package):
    for module in kernel.modules.values():
        tree = ast.parse(with_twins(kernel, module))
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        twins = [name for name in names if name.endswith(SUFFIX)]
        assert sorted(twins) == sorted(name + SUFFIX for name in module.paths)


def test_no_quick_form_that_never_sleeps_is_a_generator_and_no_other_yields_but_sleep(
    kernel: Package,
):
    for module in kernel.modules.values():
        for node in ast.parse(with_twins(kernel, module)).body:
            if not isinstance(node, ast.FunctionDef) or not node.name.endswith(SUFFIX):
                continue
            path = module.paths[node.name.removesuffix(SUFFIX)]
            for part in ast.walk(node):
                assert path.sleeps or not isinstance(part, ast.Yield | ast.YieldFrom), node.name
                if isinstance(part, ast.Yield):
                    assert isinstance(part.value, ast.Tuple)
                    assert set(kinds_of(part.value.elts[1])) <= set(SLEEPING), node.name


def test_the_source_stands_before_its_quick_forms_line_by_line(kernel: Package):
    for module in kernel.modules.values():
        assert with_twins(kernel, module).startswith(module.source.rstrip(b"\n"))


def test_what_every_process_does_needs_few_generators(kernel: Package):
    """Speed, not behaviour: a careless line can make the whole kernel sleep, as it seems."""
    plain = ("copy_process", "wait_scan", "release_task", "try_to_wake_up", "wake_up_all", "fput")
    found = {
        name: path.sleeps
        for module in kernel.modules.values()
        for name, path in module.paths.items()
        if name in plain
    }
    assert found == dict.fromkeys(plain, False)


def test_no_path_asks_for_the_granularity():
    """Each path is written once: what differs between granularities is the driver's."""
    found = [
        name
        for name, text in forms.read_sources(ROOT).items()
        if b"stepwise" in text
        and not name.startswith(("kernel/drive/", "kernel/boot/"))
        and name not in ("kernel/state.py", "kernel/kernel.py")
    ]
    assert found == []
