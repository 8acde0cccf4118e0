"""The page in a real browser, where there is one: it draws, in silence, and keys move it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import smplab

from cluster.page import make_page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
]
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    run = smplab.run(
        "fork_exec_storm",
        settings={"engine": "local", "machine.cpus": 4, "trace.enabled": True},
        out=folder,
    )
    summary = {**run.summary, "digest": run.digest}
    page = folder / "page.html"
    page.write_text(make_page(run.manifest, summary, run.path / "trace.smpt"), "utf-8")
    return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(params=["light", "dark"])
def page(browser: Any, path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    told: list[str] = []
    opened = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=request.param)
    opened.on("console", lambda message: told.append(message.text))
    opened.on("pageerror", lambda error: told.append(str(error)))
    opened.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:")) else told.append(asked.url),
    )
    opened.goto(path.as_uri())
    opened.wait_for_selector("body[data-drawn=yes]")
    yield opened
    assert told == []
    opened.close()


def view(page: Any) -> list[float]:
    found: list[float] = page.evaluate("[smplab.view.from, smplab.view.to, smplab.end]")
    return found


def test_all_of_the_run_is_drawn_at_first(page: Any) -> None:
    start, to, end = view(page)
    assert (start, to) == (0, end)
    colours = page.evaluate(
        """() => {
            const lanes = document.getElementById("lanes");
            const data = lanes.getContext("2d").getImageData(0, 0, lanes.width, lanes.height).data;
            const found = new Set();
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] === 255) found.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            }
            return [...found];
        }"""
    )
    assert {0xE69F00, 0x009E73} & set(colours)  # names of tasks


def test_keys_zoom_and_go_along(page: Any) -> None:
    page.focus("#lanes")
    page.keyboard.press("+")
    start, to, end = view(page)
    assert 0 < start < to < end
    page.keyboard.press("ArrowRight")
    later = view(page)
    assert later[0] > start
    assert later[1] - later[0] == pytest.approx(to - start)
    page.keyboard.press("Home")
    assert view(page) == [0, end, end]


def test_the_pointer_is_told_who_ran(page: Any) -> None:
    box = page.locator("#lanes").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8)
    told = page.inner_text("#readout")
    assert told.startswith("CPU 0 at ")
    assert "(" in told or "idle" in told


def test_the_tasks_can_be_scrolled(page: Any) -> None:
    before = page.locator("#rows").screenshot()
    page.evaluate("document.getElementById('tasks').scrollTop = 200; smplab.draw()")
    assert page.locator("#rows").screenshot() != before
