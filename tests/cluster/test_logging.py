"""Logging: the same lines from the command line and from actors."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from cluster.logging_setup import HeldLines, get_logger, relay, setup_logging


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_json_line_has_run_cpu_level_and_virtual_time() -> None:
    stream = io.StringIO()
    setup_logging("json", "20260101-storm", cpu=3, stream=stream)
    get_logger().info("superstep", sim_ns=1500, requests=2)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "superstep",
        "level": "info",
        "run_id": "20260101-storm",
        "cpu": 3,
        "sim_ns": 1500,
        "requests": 2,
    }


def test_a_console_line_is_plain_text_off_a_terminal() -> None:
    stream = io.StringIO()
    setup_logging("console", "r1", stream=stream)
    get_logger().warning("actor lost", sim_ns=7)
    text = stream.getvalue()
    assert "actor lost" in text
    assert "run_id=r1" in text
    assert "sim_ns=7" in text
    assert "\x1b" not in text
    assert text.count("\n") == 1


def test_lines_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    setup_logging("json", level="warning", stream=stream)
    get_logger().info("quiet")
    get_logger().error("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_setting_up_again_forgets_what_was_bound() -> None:
    stream = io.StringIO()
    setup_logging("json", "first", cpu=1, stream=stream)
    setup_logging("json", "second", cpu=2, stream=stream)
    get_logger().info("x")
    line = json.loads(stream.getvalue())
    assert (line["run_id"], line["cpu"]) == ("second", 2)


def test_an_unknown_format_or_level_is_refused() -> None:
    with pytest.raises(ValueError, match="console, json"):
        setup_logging("xml")
    with pytest.raises(ValueError, match="debug, info"):
        setup_logging(level="loud")


def test_without_a_setup_only_warnings_are_shown_and_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.reset_defaults()
    get_logger().info("actors are up")
    get_logger().warning("actor lost")
    out, err = capsys.readouterr()
    assert out == ""
    assert "actor lost" in err
    assert "actors are up" not in err


def test_what_an_actor_logs_is_logged_by_the_engine_with_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    held, stream = HeldLines(), io.StringIO()
    setup_logging("json", "r1", cpu=3, stream=held)  # as the actor does
    get_logger().warning("late", sim_ns=1500)
    lines = held.take()
    assert capsys.readouterr().err == "".join(lines)
    assert held.take() == []
    setup_logging("json", "r1", stream=stream)  # as the command line does
    relay("cpu actor 3", lines)
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "actor": "cpu actor 3",
        "cpu": 3,
        "event": "late",
        "level": "warning",
        "run_id": "r1",
        "sim_ns": 1500,
    }


def test_an_actor_that_logs_without_end_keeps_the_first_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.logging_setup._MOST_LINES", 2)
    held = HeldLines()
    for line in ("1", "2", "3"):
        held.write(line)
    assert held.take() == ["1", "2"]
    assert capsys.readouterr().err == "123"
