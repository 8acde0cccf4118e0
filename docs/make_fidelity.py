"""Write docs/fidelity.md and docs/catalogue.md.

fidelity.md has the ``Deviation:`` paragraphs of all docstrings and the table of mechanisms, from
docs/mechanisms.yaml; catalogue.md says which tests of other suites have a program of ours, from
docs/catalogue.yaml.

``python docs/make_fidelity.py`` writes them; ``--check`` exits 1 if one is not up to date, or if
the tables name what is not there; ``--unnamed`` lists the guest programs that no mechanism names.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
GUEST = ROOT / "tests" / "guest"
MECHANISMS = ROOT / "docs" / "mechanisms.yaml"
CATALOGUE = ROOT / "docs" / "catalogue.yaml"
PACKAGES = ("kernel", "workloads", "cluster")
PROFILES = ("both", "6.12", "2.6.34")
_LABEL = re.compile(r"^(Source|Args|Returns|Raises|Deviation|Example|Yields):", re.MULTILINE)

HEAD = """# Fidelity: what is checked against Linux, and where smplab differs

Written by `docs/make_fidelity.py`; do not edit.

## Mechanisms

From `docs/mechanisms.yaml`. *Where* are functions of the source, by Linux's names. *Profile* is the
kernel that is meant: `both`, or one of 2.6.34 and 6.12. *Checked by*: guest programs of
`tests/guest` that run on the host's kernel and emulated (the host has only one kernel, so what is
2.6.34's alone has unit tests), and unit tests where a program cannot see it.

Each profile has its own fair class unless told otherwise: 6.12 EEVDF, 2.6.34 CFS
(docs/scheduler.md). The host that programs are compared with has the one of its kernel.

| mechanism | where | profile | checked by |
|---|---|---|---|
"""

DEVIATIONS = """
## Deviations

Collected from the `Deviation:` lines of the source. What has no line here is meant to behave as the
kernel named in its `Source:` line does; a difference is a bug.

| where | deviation |
|---|---|
"""

CATALOGUE_HEAD = """# Tests of other suites, and ours

Written by `docs/make_fidelity.py` from `docs/catalogue.yaml`; do not edit. The tests are those of
the Linux Test Project, the kernel's selftests, gVisor and xv6 that are about process management and
that matter most. Ours were written anew from what each asserts; the programs are in `tests/guest`,
each with its own assertion as its first line.

| test | ours |
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


def sources() -> list[tuple[str, ast.Module]]:
    """Return every module of the packages, parsed, by its path."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in paths
    ]


def functions(modules: list[tuple[str, ast.Module]]) -> set[str]:
    """Return the names of all functions and classes of the kernel."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {
        node.name
        for path, tree in modules
        if path.startswith("kernel/")
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    }


def load(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table; each is a mapping."""
    rows: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return rows


def place(check: str) -> Path:
    """Return the file that a check names: ``wait/nohang`` is a guest program."""
    return ROOT / check if check.startswith("tests/") else GUEST / f"{check}.py"


def programs() -> list[str]:
    """Return the names of all guest programs."""
    return sorted(path.relative_to(GUEST).as_posix()[:-3] for path in GUEST.glob("*/*.py"))


def unnamed() -> list[str]:
    """Return the guest programs that no mechanism names."""
    named = {check for row in load(MECHANISMS) for check in row["checks"]}
    return [name for name in programs() if name not in named]


def problems(modules: list[tuple[str, ast.Module]]) -> list[str]:
    """Return what the tables name that is not there, and what they leave out."""
    known = functions(modules)
    found = [f"docs/mechanisms.yaml: no row names {name}" for name in unnamed()]
    for row in load(MECHANISMS):
        title = row["mechanism"]
        found += [f"{title}: no function {name}" for name in row["functions"] if name not in known]
        found += [f"{title}: no file {name}" for name in row["checks"] if not place(name).is_file()]
        if row.get("profile", "both") not in PROFILES:
            found.append(f"{title}: no profile {row['profile']}")
        if not row["checks"] or not row["functions"]:
            found.append(f"{title}: nothing checks it, or it is nowhere")
    for row in load(CATALOGUE):
        found += [
            f"{row['test']}: no file {name}"
            for name in row.get("ours", ())
            if not place(name).is_file()
        ]
        if bool(row.get("ours")) is bool(row.get("missing")):
            found.append(f"{row['test']}: must have a program or say why there is none")
    return found


def names(words: list[str]) -> str:
    """Return words as code, with commas between."""
    return ", ".join(f"`{word}`" for word in words)


def cell(text: str) -> str:
    """Return text that may stand in a table."""
    return text.replace("|", "\\|")


def render_fidelity(modules: list[tuple[str, ast.Module]]) -> str:
    """Return the text of docs/fidelity.md."""
    rows = [
        f"| {cell(row['mechanism'])} | {names(row['functions'])} | {row.get('profile', 'both')} |"
        f" {names(row['checks'])} |\n"
        for row in load(MECHANISMS)
    ]
    rows.append(DEVIATIONS)
    for path, tree in modules:
        for name, text in docstrings(tree):
            for deviation in deviations(text):
                where = f"`{path}`" + (f" `{name}`" if name else "")
                rows.append(f"| {where} | {cell(deviation)} |\n")
    return HEAD + "".join(rows)


def render_catalogue() -> str:
    """Return the text of docs/catalogue.md."""
    rows = []
    for row in load(CATALOGUE):
        parts = [names(row["ours"])] if row.get("ours") else [f"not covered: {row['missing']}"]
        parts += [row["note"]] if "note" in row else []
        rows.append(f"| {cell(row['test'])} | {cell('; '.join(parts))} |\n")
    return CATALOGUE_HEAD + "".join(rows)


def main() -> int:
    """Write or check the files; return the exit code."""
    if "--unnamed" in sys.argv[1:]:
        print("\n".join(unnamed()))
        return 0
    modules = sources()
    pages = {
        ROOT / "docs" / "fidelity.md": render_fidelity(modules),
        ROOT / "docs" / "catalogue.md": render_catalogue(),
    }
    wrong = problems(modules)
    if wrong:
        print("\n".join(wrong))
    if "--check" in sys.argv[1:]:
        for path, text in pages.items():
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                print(f"docs/{path.name} is not up to date: run python docs/make_fidelity.py")
                wrong.append(path.name)
    else:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
