"""Explanations: the conflicting pair, what it is about, and the order to be turned round."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cluster.race.explain import Explanation, explain
from cluster.race.explain_data import as_data, as_trace
from cluster.race.explain_html import as_html
from cluster.race.explain_text import as_text
from cluster.race.run import CLEAN, Control, Scenario, explore_once, run_once
from cluster.race.shrink import shrink
from cluster.race.strategies import STRATEGIES, Learned
from cluster.race.watch import Watch, following

from .conftest import GUEST, PING_PONG, scenario_of


def explained(scenario: Scenario) -> Explanation:
    for seed in range(100):
        run, _watch = explore_once(scenario, STRATEGIES["random"], "random", Learned(), seed)
        if run.verdict.kind != CLEAN:
            shrunk = shrink(scenario, run, most_runs=40)
            return explain(shrunk.scenario, shrunk.run)
    raise AssertionError("no run fails")


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """Two tasks that wake each other up, where who wakes takes no lock of the queue."""
    path = tmp_path_factory.mktemp("race") / "ping_pong.py"
    path.write_text(PING_PONG)
    with following():
        return explained(scenario_of(path, 2, ("wake_up.lock",)))


@pytest.fixture(scope="module")
def oops() -> Explanation:
    """A sleeper that leaves the queue without the queue's lock, and no detector of data races."""
    program = GUEST / "race" / "fifo_opened_from_both_sides.py"
    with following(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Watch, "_compare", lambda *_accesses: None)
        return explained(scenario_of(program, 2, ("finish_wait.lock",)))


def test_a_race_is_told_with_the_name_of_its_field_and_both_values(race: Explanation) -> None:
    assert re.fullmatch(r"task:3\.fd\[\d\]\.pipe\.rd_wait\.tasks", race.what)
    assert race.first is not None and race.second is not None
    assert race.first.write or race.second.write
    values = {race.first.before, race.first.after, race.second.before, race.second.after}
    assert "[]" in values and values & {"[task:3]", "[task:4]"}
    assert {race.first.where, race.second.where} == {"_wake", "prepare_to_wait"}


def test_a_race_is_told_with_the_locks_of_both_sides_and_the_one_that_is_dropped(
    race: Explanation,
) -> None:
    assert race.first is not None and race.second is not None
    queue = f"wait_queue of {race.what.removesuffix('.tasks')}"
    waker, sleeper = sorted((race.first, race.second), key=lambda side: side.where)
    assert (waker.dropped, sleeper.dropped) == ("wake_up.lock", "")
    assert queue in sleeper.locks and queue not in waker.locks
    assert race.usual is not None and race.usual[0] == queue


def test_a_race_turned_round_is_told_with_what_it_leads_to(race: Explanation) -> None:
    turned = race.turned
    assert turned is not None and turned.happened
    assert turned.passed is not None and turned.as_it_was is not None
    assert "if the race is let pass" in as_text(race)


def test_a_broken_invariant_has_the_order_that_must_be_turned_round(oops: Explanation) -> None:
    assert oops.first is not None and oops.second is not None
    assert oops.first.point == "finish_wait.lock"
    assert oops.turned is not None and oops.turned.verdict.kind == CLEAN
    text = as_text(oops)
    assert "this is the order to be turned round" in text
    assert f"held up to step {len(oops.steps) - 1}" in text


def test_the_text_has_a_column_for_each_cpu_and_bars_for_locks(race: Explanation) -> None:
    lines = as_text(race).splitlines()
    heading = next(line for line in lines if line.startswith(" step"))
    assert "cpu 0: task:" in heading and "cpu 1: task:" in heading
    taken = next(line for line in lines if ".lock" in line and re.search(r"[A-Z]\W* \w+\.", line))
    letter = re.search(r"([A-Z])\W* \w+\.", taken)
    assert letter is not None
    assert re.search(rf"{letter[1]} \w+", next(line for line in lines if "locks:" in line))
    assert sum("<==" in line for line in lines) == 2


def test_the_plain_text_is_ascii_only(race: Explanation) -> None:
    assert as_text(race, plain=True).isascii()


def test_no_address_of_the_host_is_told(race: Explanation, oops: Explanation) -> None:
    for told in (race, oops):
        for text in (as_text(told), json.dumps(as_data(told)), as_html(told)):
            assert " at 0x" not in text


def test_the_data_say_what_the_text_says(race: Explanation) -> None:
    data = json.loads(json.dumps(as_data(race)))
    assert data["field"] == race.what
    assert data["first"]["step"] < data["second"]["step"] == len(data["steps"])
    touched = data["steps"][data["first"]["step"] - 1]["touches"]
    assert any(touch["name"] == data["field"] for touch in touched)
    assert data["turned_round"]["possible"] is True


class Page(HTMLParser):
    """Collects what a page asks for from elsewhere, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [name for name, _value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_no_other_file_and_no_script(race: Explanation) -> None:
    page = Page()
    text = as_html(race)
    page.feed(text)
    assert page.open == []
    assert page.outside == []
    assert "<script" not in text and "url(" not in text
    assert text.count('class="pair"') == 2


def test_the_trace_has_every_step_each_hold_and_an_arrow(race: Explanation) -> None:
    events = as_trace(race)["traceEvents"]
    steps = [one for one in events if one["ph"] == "X" and one["pid"] == 1]
    assert len(steps) == len(race.steps)
    assert [one["ph"] for one in events if one["ph"] in "sf"] == ["s", "f"]
    tracks = {one["args"]["name"] for one in events if one["ph"] == "M"}
    assert {"cpu 0", "cpu 1", "tasklist_lock"} <= tracks
    assert all(one["dur"] > 0 for one in events if one["ph"] == "X")


def test_a_long_story_leaves_out_what_has_nothing_to_do_with_the_pair(race: Explanation) -> None:
    long = replace(race, begin=1)
    lines = as_text(long).splitlines()
    assert len(race.steps) > 48
    assert any(re.search(r"\.\.\. \d+ steps", line) for line in lines)
    assert sum("<==" in line for line in lines) == 2


def test_a_clean_run_is_not_explained(fork: Scenario) -> None:
    with following():
        run = run_once(fork, Control(fork, None), watch=Watch())
        with pytest.raises(ValueError, match="clean"):
            explain(fork, run)
