"""A run that is watched: what it tells while it goes on, and that it is the same run."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster import local_engine, lps, watched
from cluster.api.configuration import load
from cluster.engine import run_machine
from cluster.engine_api import RunRequest, RunResult
from cluster.request import request_of
from cluster.run_lock import RunLock
from cluster.rundir import RunDir
from cluster.top.player import Player
from cluster.top.source import CUT, ENDED, GOES_ON, Source
from cluster.trace import TraceReader, TraceWriter, store, tails
from cluster.watched import LIVE, SHOW_S, STALE_S, WATCHED, Frame, Showing, Watching
from kernel.events import SCHED_PROCESS_FREE
from tests.cluster.small_storm import SMALL


def _request(folder: Path, **settings: Any) -> RunRequest:
    loaded, spec = load("fork_exec_storm", {**SMALL, "workloads.0.params.children": 20, **settings})
    request = request_of(loaded, spec)
    request.out_dir = folder
    return request


class _Watcher:
    """Watches a run from its own progress."""

    def __init__(self, folder: Path) -> None:
        self.directory = RunDir(folder)
        self.directory.start(name="storm", config={}, seed=1, command=[])
        self.lock = RunLock(folder)
        self.source: Source | None = None
        self.player: Player | None = None
        self.heard: list[tuple[int, int]] = []  # until when it is known, records that were taken

    def __call__(self, _virtual_ns: int, _counters: Any) -> None:
        if self.source is None:
            self.source = Source(self.directory.path)
            self.player = Player(self.source)
        self.look()
        if self.source.live:
            self.heard.append((self.source.end_ns, sum(self.player_counts())))

    def look(self) -> None:
        assert self.source is not None and self.player is not None
        self.source.grow()
        if self.source.ready:
            self.player.go_on(None)
            assert self.player.work(60.0)

    def player_counts(self) -> list[int]:
        assert self.player is not None
        return self.player.machine._counts

    def end(self) -> None:
        self.directory.finish(exit_kind="done", exit_code=0)
        self.lock.close()
        self.look()
        assert self.source is not None and self.source.state == ENDED


def _watch(request: RunRequest) -> tuple[_Watcher, RunResult]:
    assert request.out_dir is not None
    watcher = _Watcher(request.out_dir)
    (request.out_dir / WATCHED).touch()
    request.on_progress = watcher
    result = run_machine(request)
    watcher.end()
    return watcher, result


def _check(watcher: _Watcher, looks: int = 4) -> None:
    """The run told what it did as it went, and all of it was seen, once."""
    path = watcher.directory.path
    ends = [end_ns for end_ns, _ in watcher.heard]
    assert len(set(ends)) >= looks and ends == sorted(ends)
    assert not (path / LIVE).exists() and not (path / WATCHED).exists()
    with TraceReader(path / "trace.smpt") as reader:
        counts = [0] * len(watcher.player_counts())
        for batch in reader.batches():
            for row in batch:
                counts[row[1]] += 1
    assert watcher.player_counts() == counts
    whole = Player(Source(path))
    whole.go_on(None)
    assert whole.work(60.0)
    assert watcher.player is not None
    assert watcher.player.machine.current == whole.machine.current
    assert sorted(watcher.player.machine.table.tasks) == sorted(whole.machine.table.tasks)


@pytest.mark.parametrize("scheme", ["barrier", "exact", "lax"])
def test_all_of_a_run_is_seen_while_it_goes_on(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "SHOW_S", 0.0)
    for module in (lps, store, tails):
        monkeypatch.setattr(module, "CHUNK_RECORDS", 64)
    monkeypatch.setattr(local_engine, "LOOK_EVERY_TURNS", 64)
    quantum = {} if scheme == "exact" else {"sync.quantum": "20us"}
    watcher, result = _watch(_request(tmp_path, **{"sync.scheme": scheme, **quantum}))
    assert result.exit_kind == "done"
    _check(watcher)


def test_a_watched_run_is_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SHOW_S", 0.0)
    digests = {}
    for name in ("watched", "alone"):
        request = _request(tmp_path / name, **{"sync.scheme": "barrier", "sync.quantum": "20us"})
        (tmp_path / name).mkdir()
        if name == "watched":
            digests[name] = _watch(request)[1].digest
        else:
            digests[name] = run_machine(request).digest
    assert digests["watched"] == digests["alone"]
    traces = [(tmp_path / name / "trace.smpt").read_bytes() for name in digests]
    assert traces[0] == traces[1]


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("scheme", ["barrier", "lax"])
def test_a_run_on_ray_is_seen_while_it_goes_on(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "SHOW_S", 0.0)
    settings = {"sync.scheme": scheme, "sync.quantum": "20us", "workloads.0.params.children": 60}
    request = _request(tmp_path, engine="ray", **settings)
    watcher, result = _watch(request)
    assert result.exit_kind == "done"
    _check(watcher, 4 if scheme == "barrier" else 1)  # CPUs that run free seldom stop to tell


def _tell(folder: Path, showing: Showing, chunks: int, times: range) -> None:
    """Write so many chunks of one record, and tell the others."""
    (folder / "trace.smpt").unlink(missing_ok=True)
    records = [(now_ns, SCHED_PROCESS_FREE, "task", 7, 120) for now_ns in times]
    writer = TraceWriter(folder / "trace.smpt", ("cpu0", "kernel"))
    for number in range(chunks):
        writer.append(0, store.encode_chunk(records[number : number + 1]))
    writer.close(complete=False)
    tail = (0, chunks, store.encode_chunk(records[chunks:]))
    showing.write(Frame(times[-1], {"lifecycles": len(times)}, [], [tail]))


def test_a_run_that_begins_again_with_new_actors_is_seen_from_its_beginning(tmp_path: Path) -> None:
    RunDir(tmp_path).start(name="storm", config={}, seed=1, command=[])
    lock, showing = RunLock(tmp_path), Showing(tmp_path)
    _tell(tmp_path, showing, 3, range(1000, 1010))
    source = Source(tmp_path)
    player = Player(source)
    source.grow()
    player.go_on(None)
    assert player.work(60.0) and player.now_ns == 1009
    showing.close()
    showing = Showing(tmp_path)
    _tell(tmp_path, showing, 2, range(100, 104))
    for _ in range(2):
        source.grow()
        player.go_on(None)
        assert player.work(60.0)
    assert player.now_ns == 103
    assert player.window().number("lifecycles") == 4
    lock.close()


# -- the two files ---------------------------------------------------------------------------------


def _frame(number: int) -> Frame:
    return Frame(number, {"lifecycles": number}, [{"name": "lock"}], [(0, number, b"chunk")])


def test_nothing_is_written_while_nobody_watches(tmp_path: Path) -> None:
    now_s = [1.0]
    showing = Showing(tmp_path, lambda: now_s[0])
    assert not showing.due()
    Watching(tmp_path).look()
    assert not showing.due()  # it looks again only after a while
    now_s[0] += SHOW_S
    assert showing.due() and showing.begins
    assert not (tmp_path / LIVE).exists()


def test_who_watches_gets_every_frame_once(tmp_path: Path) -> None:
    showing, watching = Showing(tmp_path), Watching(tmp_path)
    assert watching.look() == [] and not watching.heard
    showing.write(_frame(1))
    showing.write(_frame(2))
    assert watching.look() == [_frame(1), _frame(2)] and watching.heard
    assert watching.look() == []
    showing.write(_frame(3))
    assert watching.look() == [_frame(3)]


def test_a_frame_is_read_when_it_is_whole(tmp_path: Path) -> None:
    showing, watching = Showing(tmp_path), Watching(tmp_path)
    showing.write(_frame(1))
    whole = (tmp_path / LIVE).read_bytes()
    (tmp_path / LIVE).write_bytes(whole[:-1])
    assert watching.look() == []
    (tmp_path / LIVE).write_bytes(whole)
    assert watching.look() == [_frame(1)]
    (tmp_path / LIVE).write_bytes(whole + b"\x04\0\0\0nonsense")
    assert watching.look() == []


def test_a_run_shows_no_more_when_nobody_has_watched_for_a_while(tmp_path: Path) -> None:
    now_s = [1.0]
    showing, watching = Showing(tmp_path, lambda: now_s[0]), Watching(tmp_path)
    watching.look()
    assert showing.due()
    showing.write(_frame(1))
    now_s[0] += STALE_S / 2
    assert showing.due()
    now_s[0] += STALE_S
    assert not showing.due()
    assert not (tmp_path / LIVE).exists() and not (tmp_path / WATCHED).exists()
    (tmp_path / WATCHED).touch()
    now_s[0] += SHOW_S
    assert showing.due() and showing.begins


def test_what_cannot_be_shown_is_not_the_run_s_affair(tmp_path: Path) -> None:
    (tmp_path / LIVE).mkdir()
    showing = Showing(tmp_path)
    showing.write(_frame(1))
    showing.close()
    assert showing.begins


def test_a_run_that_was_killed_is_told_from_one_that_goes_on(tmp_path: Path) -> None:
    request = _request(tmp_path)
    directory = RunDir(tmp_path)
    directory.start(name="storm", config={}, seed=1, command=[])
    run_machine(request)
    assert Source(tmp_path).state == CUT
    lock = RunLock(tmp_path)
    assert Source(tmp_path).state == GOES_ON
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    told = (tmp_path / "lock").read_text()
    (tmp_path / "lock").write_text(told.replace(str(os.getpid()), str(ended.pid)))
    assert Source(tmp_path).state == CUT
    ended.wait()
    assert Source(tmp_path).state == CUT
    (tmp_path / "lock").write_text(told.replace('"boot": "', '"boot": "before '))
    assert Source(tmp_path).state == CUT
    lock.close()
