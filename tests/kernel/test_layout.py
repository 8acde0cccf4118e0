"""The kernel's folders stay small enough to be read: a file is split before it is a book."""

import ast
from pathlib import Path

KERNEL = Path(__file__).resolve().parents[2] / "kernel"
MOST_LINES = 500
MOST_FILES = 19


def test_no_file_of_the_kernel_has_more_than_500_lines():
    lengths = {
        path.relative_to(KERNEL).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sorted(KERNEL.rglob("*.py"))
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_the_root_of_the_kernel_has_fewer_than_20_files():
    assert len(list(KERNEL.glob("*.py"))) <= MOST_FILES


def test_a_tuple_that_is_looked_through_has_a_length_that_its_type_leaves_open():
    """Of a tuple of ten numbers mypyc keeps ten registers, and makes a tuple of them at each use.

    A constant that is indexed by a variable, iterated or searched is to be declared
    ``Final[tuple[int, ...]]``; then it is one object. Two or three numbers do not matter.
    """
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(KERNEL.rglob("*.py"))}
    fixed = {name for tree in trees.values() for name in _fixed_tuples(tree)}
    found = {
        f"{path.relative_to(KERNEL).as_posix()}: {name}"
        for path, tree in trees.items()
        for name in _looked_through(tree)
        if name in fixed
    }
    assert found == set()


def _fixed_tuples(tree):
    """Return the constants of a module that are tuples of more than three, of one kind."""
    for node in tree.body:
        if not isinstance(node, ast.AnnAssign) or ast.unparse(node.annotation) != "Final":
            continue
        value = node.value
        if isinstance(value, ast.BinOp):
            value = value.left  # (0,) * 16
            least = 1
        else:
            least = 4
        if isinstance(value, ast.Tuple) and len(value.elts) >= least:
            yield from [node.target.id] if all(map(_is_constant, value.elts)) else []


def _is_constant(node):
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def _looked_through(tree):
    """Return the names that functions of a module index by a variable, iterate or search."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
                places = [node.value]
            elif isinstance(node, ast.Compare):
                places = node.comparators
            elif isinstance(node, (ast.For, ast.comprehension)):
                places = [node.iter]
            else:
                continue
            yield from (place.id for place in places if isinstance(place, ast.Name))
