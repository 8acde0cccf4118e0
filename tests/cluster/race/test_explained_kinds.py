"""Every kind of failure has an explanation: as text, as a page that is whole, as a trace."""

from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest

from cluster.race.explain import Explanation, explain
from cluster.race.explain_data import as_data, as_trace
from cluster.race.explain_html import as_html
from cluster.race.explain_text import as_text
from cluster.race.run import CLEAN, Control, run_once
from cluster.race.scenario import load_scenario
from cluster.race.shrink import shrink
from cluster.race.strategies import Learned, Pos
from cluster.race.watch import Watch, following
from tests.cluster.race.test_waits import LOCKS, SPIN

COUNTER = """\
import mmap
import os

from workloads import guest

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
guest.WRITE_ONCE(memory, 0, guest.READ_ONCE(memory, 0) + 1)
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
print(guest.READ_ONCE(memory, 0))
"""

SLEEPER = """\
import mmap
import os

from workloads import guest

memory = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
pid = os.fork()
if pid == 0:
    guest.WRITE_ONCE(memory, 4, 1)
    if guest.READ_ONCE(memory, 0) == 0:
        try:
            guest.futex_wait(memory, 4, 1)
        except BlockingIOError:
            pass
    os._exit(0)
guest.WRITE_ONCE(memory, 0, 1)
if guest.READ_ONCE(memory, 4) == 1:
    guest.WRITE_ONCE(memory, 4, 0)
    guest.futex_wake(memory, 4, 1)
os.waitpid(pid, 0)
"""

RACES = Path(__file__).parents[3] / "configs" / "races"
SPINS = SPIN.replace("VALUE", "0")
# name -> program, keys of the scenario, what the text must say
KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "deadlock": (
        LOCKS,
        "",
        ("deadlock: tasks that wait for each other (futex, futex)", "the run is clean; this is"),
    ),
    "lost wake-up": (
        SLEEPER,
        "model: tso",
        ("nobody can wake it", "still waited in the buffer of cpu", "a full barrier between"),
    ),
    "outcome": (
        COUNTER,
        'expect: {stdout: "2\\n"}',
        ("writes shared bytes 0..3 of page", "the run is clean; this is the order"),
    ),
    "endless": (
        SPINS,
        "budget: {steps: 600}",
        ("task:4 does again and again: ", "atomic.read_once", "shared bytes 0..3 of page"),
    ),
    "data race": ("", "", ("data race on task:", "1st: ", "2nd: ", "is dropped by a mutation")),
}

_VOID = ("meta", "br", "link", "img", "hr", "input")
# what each phase of a trace event must have: Trace Event Format
_NEEDS = {
    "M": {"args"},
    "X": {"ts", "dur"},
    "s": {"ts", "id"},
    "f": {"ts", "id"},
    "i": {"ts", "s"},
}


@pytest.fixture(scope="module", params=KINDS)
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Explanation]:
    """The explanation of a run of each kind that was made short."""
    program, keys, _said = KINDS[request.param]
    path = RACES / "exit_against_reparent.yaml"
    if program:
        path = tmp_path_factory.mktemp("kind") / "scenario.yaml"
        path.with_name("program.py").write_text(program)
        path.write_text(f"title: {request.param}\nprogram: program.py\n{keys}\n")
    scenario = load_scenario(path).scenario
    with following():
        for seed in range(1, 400):
            control = Control(scenario, Pos(Random(seed), Learned()))
            run = run_once(scenario, control, watch=Watch())
            if run.verdict.kind != CLEAN:
                break
        assert run.verdict.kind == request.param
        small = shrink(scenario, run, arguments=False)
        return request.param, explain(small.scenario, small.run)


def test_it_says_what_is_wrong_and_why(told: tuple[str, Explanation]) -> None:
    kind, explanation = told
    text = as_text(explanation)
    for said in KINDS[kind][2]:
        assert said in text
    assert "Cell#" not in text
    assert text.count(f"{kind}: {kind}") == 0
    assert as_text(explanation, plain=True).isascii()


class _Whole(HTMLParser):
    """Sees that all is closed that was opened, and that nothing is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.columns = 0
        self.width = 0
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not {"src", "href"} & {name for name, _value in attrs}
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "tr":
            self.columns = 0
        if tag in ("td", "th"):
            self.columns += int(dict(attrs).get("colspan") or 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "tr":
            self.width = self.width or self.columns
            assert self.columns == self.width

    def handle_data(self, data: str) -> None:
        self.text += data


def test_its_page_is_whole_and_needs_no_other(told: tuple[str, Explanation]) -> None:
    _kind, explanation = told
    page = _Whole()
    page.feed(as_html(explanation))
    page.close()
    assert not page.open
    assert {"html", "head", "title", "style", "body", "table", "thead", "tbody"} <= page.seen
    assert not page.seen & {"script", "link", "img", "iframe"}
    shown = as_text(explanation)
    for line in shown[shown.index("must be:") :].splitlines():
        assert line in page.text


def test_its_trace_has_what_the_format_asks_for(told: tuple[str, Explanation]) -> None:
    _kind, explanation = told
    events = as_trace(explanation)["traceEvents"]
    slices: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event in events:
        assert {"name", "ph", "pid", "tid"} <= set(event)
        assert _NEEDS[event["ph"]] <= set(event)
        if event["ph"] == "X":
            assert event["dur"] > 0
            slices.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["dur"]))
    for (process, _track), found in slices.items():
        if process == 1:  # a CPU takes one step at a time
            found.sort()
            ends = [ts + dur for ts, dur in found]
            assert all(end <= ts for end, (ts, _dur) in zip(ends, found[1:], strict=False))
    steps = [event for event in events if event["ph"] == "X" and event["pid"] == 1]
    assert len(steps) == len(explanation.steps)


def test_its_data_have_every_step(told: tuple[str, Explanation]) -> None:
    kind, explanation = told
    data = as_data(explanation)
    assert data["kind"] == kind
    assert len(data["steps"]) == len(explanation.steps)
    assert [side and side["step"] for side in (data["first"], data["second"])].count(None) in (0, 2)
