"""``smplab report``: one file, whole in itself, that says in words what it draws."""

import base64
import json
import re
import resource
import subprocess
import sys
import zlib
from array import array
from html.parser import HTMLParser
from pathlib import Path

import pytest
import smplab

from cluster.page import make_page
from tests.cluster.small_storm import small_storm


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> smplab.Run:
    return small_storm(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def page(run: smplab.Run) -> str:
    return make_page(run.manifest, {**run.summary, "digest": run.digest}, run.path / "trace.smpt")


def report(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cluster.entry", "report", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


class Tags(HTMLParser):
    """Checks that tags are closed in order; collects attributes."""

    VOID = ("meta", "link", "rect", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    assert parser.open == []
    return parser.found


def test_the_page_fetches_nothing(page: str, tags: list[tuple[str, dict[str, str | None]]]) -> None:
    outside = [
        value
        for _, attributes in tags
        for name, value in attributes.items()
        if name in ("src", "href") and not (value or "").startswith("data:")
    ]
    assert outside == []
    assert not re.search(r"https?://|@import|url\(", page)


def test_what_is_drawn_is_told_in_words(
    page: str, run: smplab.Run, tags: list[tuple[str, dict[str, str | None]]]
) -> None:
    drawn = [attributes for tag, attributes in tags if attributes.get("role") == "img"]
    assert len(drawn) >= 5
    assert all(attributes.get("aria-label") for attributes in drawn)
    assert run.digest in page
    assert "tasklist_lock" in page
    assert "child_runs_first" in page  # of the configuration, with every default


def test_columns_are_the_numbers_of_the_trace(page: str, run: smplab.Run) -> None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    lengths = 0
    for cpu in data["cpus"]:
        kind, text = cpu["length"]
        lengths += sum(array(kind, zlib.decompress(base64.b64decode(text))))
    ran, since = 0, {}
    for row in run.events("sched_switch").to_pylist():
        if row["prev_pid"]:
            ran += row["time_ns"] - since[row["cpu"]]
        since[row["cpu"]] = row["time_ns"]
    assert lengths == ran
    assert len(data["tasks"]) == run.events("sched_process_fork").num_rows


def test_a_name_that_looks_like_a_tag_stays_a_name(tmp_path: Path) -> None:
    program = tmp_path / "named.py"
    program.write_text("from workloads import guest\nguest.prctl(15, '</script><b>')\n", "utf-8")
    made = smplab.run(
        {"name": "x", "trace": {"enabled": True}, "workloads": [{"program": str(program)}]},
        out=tmp_path,
    )
    page = make_page(
        made.manifest, {**made.summary, "digest": made.digest}, made.path / "trace.smpt"
    )
    assert page.count("</script>") == 2
    assert "&lt;/script&gt;&lt;b&gt;" in page


def test_the_command_writes_the_page_beside_the_run_and_says_where(run: smplab.Run) -> None:
    done = report(run.path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{run.path / 'report.html'}\n", "")
    assert (run.path / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_run_without_trace_has_a_page_without_timeline(tmp_path: Path) -> None:
    made = small_storm(tmp_path / "runs", **{"trace.enabled": False})
    done = report(made.path, "-o", tmp_path / "page.html")
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "This run has no trace" in text
    assert "<canvas" not in text


def test_what_has_no_page_is_one_line_and_nothing_is_written(
    tmp_path: Path, run: smplab.Run
) -> None:
    target = tmp_path / "page.html"
    empty, swept = tmp_path / "empty", tmp_path / "swept"
    empty.mkdir()
    swept.mkdir()
    (swept / "sweep.json").write_text("{}", "utf-8")
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("manifest.json", "summary.json"):
        (broken / name).write_bytes((run.path / name).read_bytes())
    (broken / "trace.smpt").write_bytes(b"no trace")
    for path, told in (
        (empty, "is no run directory"),
        (swept, "of another version"),
        (broken, "trace"),
    ):
        done = report(path, "-o", target)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert told in done.stderr
        assert not target.exists()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, run: smplab.Run) -> None:
    target = tmp_path / "page.html"
    target.write_text("before", "utf-8")
    done = report(
        run.path,
        "-o",
        target,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.returncode == 75
    assert done.stderr == f"smplab: cannot write: {target}: File too large\n"
    assert target.read_text("utf-8") == "before"
    assert list(tmp_path.iterdir()) == [target]
