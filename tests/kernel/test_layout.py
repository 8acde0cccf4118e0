"""The kernel's folders stay small enough to be read: a file is split before it is a book."""

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
