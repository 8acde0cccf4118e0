"""``smplab report`` of a sweep: page and figure."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cluster.cli.main import run_command
from cluster.exit_codes import OK, USAGE

EXPERIMENT = """name: small
base: base.yaml
axes: {machine.cpus: [1, 2], sched.fair: [eevdf, cfs]}
seeds: 1..2
measure: [virtual, summary.switches.total, late_max]
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sweep's directory."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "base.yaml").write_text("workloads: [{program: ./work.py}]\n", "utf-8")
    (folder / "work.py").write_text(
        "from workloads import guest\n\nguest.compute(1_000)\n", "utf-8"
    )
    (folder / "small.yaml").write_text(EXPERIMENT, "utf-8")
    words = ["sweep", str(folder / "small.yaml"), "--out", str(folder / "runs"), "--table", "csv"]
    assert run_command(words) == OK
    [directory] = (folder / "runs").iterdir()
    return directory


def made(swept: object, target: Path, *words: str) -> str:
    assert run_command(["report", str(swept), *words, "-o", str(target)]) == OK
    return target.read_text("utf-8")


def test_the_page_fetches_nothing_and_says_in_words_what_it_draws(
    swept: Path, tmp_path: Path
) -> None:
    page = made(swept, tmp_path / "page.html")
    drawn: list[dict[str, str | None]] = []
    opened: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found = dict(attrs)
            assert not found.get("src")
            assert (found.get("href") or "data:").startswith("data:")
            if found.get("role") == "img":
                drawn.append(found)
            if tag not in ("meta", "link"):
                opened.append(tag)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Tags().feed(page)
    assert opened == []
    assert [(each["aria-label"] or "").split(" over")[0] for each in drawn] == [
        "virtual",
        "summary.switches.total",
    ]
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert "program: ./work.py" in page  # the base's text


def test_the_numbers_of_the_page_are_those_of_the_sweep(swept: Path, tmp_path: Path) -> None:
    page = made(swept, tmp_path / "page.html", "--measure", "summary.switches.total")
    results = [json.loads(path.read_bytes()) for path in sorted((swept / "points").iterdir())]
    for cpus in (0, 1):
        for fair in (0, 1):
            pair = results[4 * cpus + 2 * fair :][:2]
            mean = sum(each["measures"]["summary.switches.total"] for each in pair) / 2
            assert f'<td class="number">{mean:,.4g} (' in page
    assert "virtual over" not in page


def test_a_figure_has_the_same_bytes_each_time(swept: Path, tmp_path: Path) -> None:
    first = made(swept, tmp_path / "1.svg", "--format", "svg")
    assert made(swept, tmp_path / "2.svg", "--format", "svg") == first
    assert ">fair eevdf<" in first
    assert "95 % intervals over the seeds" in first


def test_some_points_of_a_sweep_can_be_drawn(swept: Path, tmp_path: Path) -> None:
    svg = made(f"{swept}:sched.fair=cfs", tmp_path / "cfs.svg", "--format", "svg")
    assert "eevdf" not in svg


@pytest.mark.parametrize(
    ("after", "words", "told"),
    [
        ("", ["--x", "cores"], "--x: no axis cores that is free"),
        ("", ["--measure", "virtul"], "--measure: virtul (there is: "),
        (":fair=cfs", [], "no axis fair (there is: machine.cpus, sched.fair)"),
        (":machine.cpus=1,sched.fair=cfs", [], "all axes are fixed"),
    ],
)
def test_what_is_not_there_is_one_line(
    swept: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    after: str,
    words: list[str],
    told: str,
) -> None:
    target = tmp_path / "x.svg"
    words = ["report", f"{swept}{after}", *words, "--format", "svg", "-o", str(target)]
    assert run_command(words) == USAGE
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert told in printed.err
    assert not target.exists()
