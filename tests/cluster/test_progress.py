import io
import time

from rich.console import Console

from cluster.progress import CheckProgress, DiffProgress, RunProgress


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def plain() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=40)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_off_a_terminal_there_is_one_plain_line_every_five_seconds() -> None:
    clock, console = Clock(), plain()
    with RunProgress(total=4000, console=console, clock=clock) as progress:
        for step in range(110):
            clock.now_s = 100 + step / 10
            progress(step * 1_000_000, {"lifecycles": step * 10, "tasks": 7})
    assert written(console).splitlines() == [
        "5 s: 50.00 ms virtual, 500 lifecycles (12 %), 100/s, 7 tasks, about 35 s left",
        "10 s: 100.0 ms virtual, 1,000 lifecycles (25 %), 100/s, 7 tasks, about 30 s left",
    ]


def test_the_rate_is_that_since_the_last_line() -> None:
    clock, console = Clock(), plain()
    progress = RunProgress(console=console, clock=clock)
    for now_s, done in ((105, 5000), (110, 5500)):
        clock.now_s = now_s
        progress(0, {"lifecycles": done})
    assert "5,000 lifecycles, 1,000/s" in written(console).splitlines()[0]
    assert "5,500 lifecycles, 100/s" in written(console).splitlines()[1]


def test_a_run_that_was_thrown_back_to_a_checkpoint_has_no_rate_below_nothing() -> None:
    clock, console = Clock(), plain()
    progress = RunProgress(console=console, clock=clock)
    for now_s, done in ((105, 5000), (110, 3000), (115, 3500)):
        clock.now_s = now_s
        progress(0, {"lifecycles": done})
    assert "3,000 lifecycles, 0/s" in written(console).splitlines()[1]
    assert "3,500 lifecycles, 100/s" in written(console).splitlines()[2]


def test_supersteps_are_a_rate_where_there_are_any() -> None:
    clock, console = Clock(), plain()
    progress = RunProgress(console=console, clock=clock)
    for now_s, supersteps in ((105, 10_000), (110, 15_000)):
        clock.now_s = now_s
        progress(0, {"lifecycles": 1, "tasks": 1, "supersteps": supersteps})
    assert [line.rpartition("tasks, ")[2] for line in written(console).splitlines()] == [
        "2,000 supersteps/s",
        "1,000 supersteps/s",
    ]


def said_of_the_end(progress: RunProgress, clock: Clock, console: Console) -> list[str]:
    """Return what the line says after the supersteps, second by second of a run."""
    for now_s, virtual_ns, done in ((100, 0, 0), (105, 10, 1000), (110, 20, 2000), (400, 90, 2600)):
        clock.now_s = now_s
        progress(virtual_ns, {"lifecycles": done, "supersteps": 1})
    return [line.rpartition("supersteps/s")[2] for line in written(console).splitlines()]


def test_where_the_lifecycles_are_known_it_says_how_long_it_will_take() -> None:
    clock, console = Clock(), plain()
    progress = RunProgress(total=4000, console=console, clock=clock)
    told = said_of_the_end(progress, clock, console)
    assert told == [", about 15 s left", ", about 10 s left", ", about 3 min left"]


def test_a_limit_of_virtual_time_is_the_latest_end() -> None:
    clock, console = Clock(), plain()
    progress = RunProgress(until_ns=1000, console=console, clock=clock)
    told = said_of_the_end(progress, clock, console)
    assert told[0] == ", at most about 8 min left"
    assert told[2] == ", at most about 51 min left"


def test_a_run_that_is_gone_on_with_is_measured_from_where_it_stood() -> None:
    clock, console = Clock(), plain()
    progress = RunProgress(total=10_000_000, console=console, clock=clock)
    progress(0, {"lifecycles": 9_000_000})
    clock.now_s += 10
    progress(0, {"lifecycles": 9_000_100})
    assert written(console).strip().endswith(", about 27 h 46 min left")


def test_where_no_end_is_known_nothing_is_said_of_it() -> None:
    clock, console = Clock(), plain()
    assert said_of_the_end(RunProgress(console=console, clock=clock), clock, console) == [""] * 3
    clock, console = Clock(), plain()
    progress = RunProgress(total=900, console=console, clock=clock)  # it was wrong
    assert said_of_the_end(progress, clock, console) == [""] * 3


def test_a_short_run_prints_nothing() -> None:
    console = plain()
    with RunProgress(console=console) as progress:
        progress(1, {"lifecycles": 1})
    assert written(console) == ""


def test_on_a_terminal_the_line_is_live_and_gone_at_the_end() -> None:
    clock = Clock()
    console = Console(file=io.StringIO(), force_terminal=True, width=60, _environ={"TERM": "xterm"})
    with RunProgress(console=console, clock=clock) as progress:
        clock.now_s += 1
        progress(1_500_000_000, {"lifecycles": 12, "tasks": 3})
        assert "1.500 s virtual, 12 lifecycles, 12/s" in written(console)
    assert written(console).endswith("\x1b[1A\x1b[2K")


def test_progress_that_is_not_entered_is_quiet_on_a_terminal() -> None:
    clock = Clock()
    console = Console(file=io.StringIO(), force_terminal=True)
    progress = RunProgress(console=console, clock=clock)
    clock.now_s += 10
    progress(1, {})
    assert written(console) == ""


def test_a_call_between_reports_is_cheap() -> None:
    progress = RunProgress(console=plain())
    counters = {"lifecycles": 1}
    started = time.perf_counter()
    for _ in range(10_000):
        progress(1, counters)
    assert (time.perf_counter() - started) / 10_000 < 20e-6


def test_comparison_shows_program_and_run_on_a_terminal_and_leaves_nothing() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=60)
    with DiffProgress(12, console=console) as progress:
        progress.next("tests/a.py")
        progress.tell("host run 3")
        assert "1/12 tests/a.py: host run 3" in written(console)
        progress.next("tests/b.py")
        progress.tell("x" * 100)
        assert "2/12 tests/b.py: xxx" in written(console)
        progress.clear()
    assert written(console).endswith("\x1b[2K") or "\x1b[2K" in written(console)[-40:]


def test_comparison_says_nothing_off_a_terminal() -> None:
    console = plain()
    with DiffProgress(1, console=console) as progress:
        progress.next("a.py")
        progress.tell("host run 1")
        progress.clear()
    assert written(console) == ""


def test_a_check_of_points_is_told_once_and_only_if_it_takes_longer_than_a_second() -> None:
    clock, console = Clock(), plain()
    with CheckProgress(console=console, clock=clock) as progress:
        progress(0, 2400)
        clock.now_s += 0.9
        progress(1000, 2400)
        assert written(console) == ""
        for done in (1200, 1300):
            clock.now_s += 0.5
            progress(done, 2400)
    assert written(console) == "checking 2,400 points\n"
