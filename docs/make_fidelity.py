"""Write docs/fidelity.md from the ``Deviation:`` paragraphs of all docstrings.

``python docs/make_fidelity.py`` writes the file; ``--check`` exits 1 if it is not up to date.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "fidelity.md"
PACKAGES = ("kernel", "workloads", "cluster")
_LABEL = re.compile(r"^(Source|Args|Returns|Raises|Deviation|Example|Yields):", re.MULTILINE)

HEAD = """# Fidelity: where smplab differs from Linux

Collected from the `Deviation:` lines of the source by `docs/make_fidelity.py`; do not
edit. What has no line here is meant to behave as the kernel named in its `Source:` line does; a
difference is a bug.

| where | deviation |
|---|---|
"""


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield ``(qualified name, docstring)`` of the module and all it defines, in source order."""

    def visit(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield name, text
            for child in node.body:
                if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from visit(child, f"{name}.{child.name}" if name else child.name)

    yield from visit(tree, "")


def deviations(text: str) -> Iterator[str]:
    """Yield each Deviation paragraph of a docstring as one line."""
    for paragraph in re.split(r"\n\s*\n", text):
        parts = _LABEL.split(paragraph)
        for label, body in zip(parts[1::2], parts[2::2]):
            if label == "Deviation":
                yield " ".join(body.split())


def render() -> str:
    """Return the text of docs/fidelity.md."""
    rows = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            for name, text in docstrings(ast.parse(path.read_text(encoding="utf-8"))):
                for deviation in deviations(text):
                    where = f"`{place}`" + (f" `{name}`" if name else "")
                    rows.append(f"| {where} | {deviation.replace('|', chr(92) + '|')} |\n")
    return HEAD + "".join(rows)


def main() -> int:
    """Write or check the file; return the exit code."""
    text = render()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
            print("docs/fidelity.md is not up to date: run python docs/make_fidelity.py")
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
