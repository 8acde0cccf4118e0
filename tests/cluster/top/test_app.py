"""The application, by its keys."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import smplab

from cluster.top.app import Help, Top
from cluster.top.session import Session
from cluster.top.source import Source

_Act = Callable[[Top, Any], Awaitable[None]]


def _with(run: smplab.Run, act: _Act, *, size: tuple[int, int] = (100, 40), **options: Any) -> Top:
    """Run the application on a screen that is not there, and do something."""
    app = Top(Session(Source(run.path), **options))

    async def go() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(go())
    return app


def _screen(app: Top) -> str:
    return str(app.query_one("#frame").render())  # type: ignore[attr-defined]


def test_it_shows_where_it_stands(storm: smplab.Run) -> None:
    async def act(app: Top, pilot: Any) -> None:
        assert "fork_exec_storm" in _screen(app)
        assert "2.000 ms of" in _screen(app)
        assert "stopped" in _screen(app)

    _with(storm, act, at_ns=2_000_000)


def test_it_goes_back_and_forth_and_to_both_ends(storm: smplab.Run) -> None:
    async def act(app: Top, pilot: Any) -> None:
        player = app.session.player
        await pilot.press("right")
        assert player.now_ns == 2_010_000
        await pilot.press("left", "left")
        assert player.now_ns == 1_990_000
        await pilot.press("greater_than_sign")
        assert player.now_ns == 2_090_000
        await pilot.press("full_stop")
        assert player.now_ns == 2_092_500
        await pilot.press("home")
        assert player.now_ns == 0
        await pilot.press("end")
        assert player.now_ns == app.session.source.end_ns

    _with(storm, act, at_ns=2_000_000, speed_ns=10_000)


def test_it_plays_at_the_speed_that_is_wanted(storm: smplab.Run) -> None:
    now_s = [100.0]

    async def act(app: Top, pilot: Any) -> None:
        player = app.session.player
        before_ns = player.now_ns
        await pilot.press("plus")
        now_s[0] += 0.5
        app.tick()
        assert player.now_ns == before_ns + 10_000
        await pilot.press("space")
        now_s[0] += 0.5
        app.tick()
        assert player.now_ns == before_ns + 10_000
        assert "stopped" in _screen(app)

    _with(storm, act, speed_ns=10_000, clock=lambda: now_s[0])


def test_tasks_are_sorted_and_shown_as_wanted(storm: smplab.Run) -> None:
    async def act(app: Top, pilot: Any) -> None:
        await pilot.press("N")
        lines = _screen(app).splitlines()
        head = next(place for place, line in enumerate(lines) if "COMMAND" in line)
        pids = [int(line.split()[0]) for line in lines[head + 1 :] if line.strip()]
        assert pids == sorted(pids) and len(pids) > 2
        await pilot.press("down")
        assert f"(2 to {len(pids)}" not in _screen(app)  # all have room: nothing moves
        await pilot.press("H")
        assert "    TID" in _screen(app)
        await pilot.press("l")
        assert "LOCK" not in _screen(app)

    _with(storm, act, at_ns=2_000_000)


def test_it_tells_its_keys_and_ends_when_it_is_told(storm: smplab.Run) -> None:
    async def act(app: Top, pilot: Any) -> None:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)
        await pilot.press("q")

    app = _with(storm, act, size=(60, 20))
    assert app.failure is None and app.return_code == 0
