"""The site of the documentation: nothing is missing from it, and it builds without a warning."""

import re
from pathlib import Path

import pytest

from cluster.cli.examples import EXAMPLES
from kernel.events import EVENTS
from tests.scripts import script
from workloads.language.tables import MODULES

ROOT = Path(__file__).resolve().parents[2]


make_site = script(ROOT / "docs" / "make_site.py")


def headings(page: str) -> list[str]:
    return re.findall(r"^## (.*)$", page, re.MULTILINE)


def rows(page: str) -> list[list[str]]:
    """Return the cells of all tables but for their heads."""
    lines = [line for line in page.splitlines() if line.startswith("|") and "|---" not in line]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_page_of_commands_has_every_command() -> None:
    assert sorted(headings(make_site.commands_page())) == sorted(
        f"smplab {one}" for one in EXAMPLES
    )


def test_the_page_of_keys_has_every_part_that_a_key_refers_to() -> None:
    page = make_site.configuration_page()
    parts = {one.lower() for one in headings(page)}
    assert {link for link in re.findall(r"\(#([a-z0-9]+)\)", page) if link not in parts} == set()
    assert "`seed`" in {row[0] for row in rows(page)}


def test_every_tracepoint_has_its_fields_and_says_when() -> None:
    assert sorted(make_site.WHEN) == sorted(name for name, _ in EVENTS.values())
    found = {row[0]: row[1] for row in rows(make_site.tracepoints_page())[1:]}
    assert found == {
        f"`{name}`": ", ".join(f"`{field}`" for field in fields) for name, fields in EVENTS.values()
    }


def test_the_page_of_guest_calls_has_every_name_of_the_language() -> None:
    words = set(re.findall(r"\w+", make_site.guest_calls_page()))
    assert {name for entries in MODULES.values() for name in entries} - words == set()


def test_cells_keep_a_table_in_form() -> None:
    for make in make_site.REFERENCE.values():
        page = make()
        widths = [len(row) for row in rows(page)]
        assert set(widths) <= {2, 3, 4}, make


def test_every_page_has_a_place_in_the_navigation(tmp_path: Path) -> None:
    make_site.write_source(tmp_path)
    named = [
        page for part in make_site.navigation(tmp_path)[1:] for page in next(iter(part.values()))
    ]
    there = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")]
    assert sorted(["index.md", *named]) == sorted(there)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_fetches_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert make_site.build(tmp_path / "site") == 0
    assert capfd.readouterr().err == ""
    pages = [path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > 40
    fetched = re.compile(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^"]*"')
    assert [match[0] for page in pages for match in fetched.finditer(page)] == []


@pytest.mark.slow
def test_a_link_to_nothing_is_an_error_and_leaves_the_site_that_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "one.md").write_text("# One\n\n[two](two.md)\n", "utf-8")
    (docs / "guest-language.md").write_text("# Words\n", "utf-8")
    monkeypatch.setattr(make_site, "DOCS", docs)
    monkeypatch.setattr(make_site, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("# Front\n\n[one](docs/one.md)\n", "utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("before", "utf-8")
    assert make_site.build(tmp_path / "site") != 0
    assert "two.md" in capfd.readouterr().err
    assert (tmp_path / "site" / "index.html").read_text("utf-8") == "before"
