"""Runs on Ray that something happens to, at a named point: for tests of recovery."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, Final
from unittest.mock import patch

from cluster import checkpoint
from cluster.engine_api import CheckpointPlan, RunRequest, RunResult
from cluster.ray_engine import RayRun
from cluster.transport.frames import FrameTransport
from tests.cluster.changed_turns import Change, change_turns
from tests.cluster.killed import storm

KERNEL: Final = -1
ALL: Final = (0, 1, KERNEL)
#: in a round; between two; before a checkpoint; between its two phases; while new actors are put
#: back; before the results
POINTS: Final = ("round", "idle", "keep", "commit", "take_up", "finish")
FILES: Final = ("trace.smpt", "outputs.smpo", "order.log")
_IN_ROUND_S: Final = 0.002


@dataclass(frozen=True, slots=True)
class Blow:
    """What happens: at the first such point at or after a superstep these actors get a signal."""

    point: str
    superstep: int
    actors: Sequence[int]
    number: int = signal.SIGKILL


class Struck(RayRun):
    """A run that suffers blows, one after the other. Rounds have few supersteps."""

    layers = 4

    def __init__(
        self, request: RunRequest, blows: Sequence[Blow], changes: Sequence[Change] = ()
    ) -> None:
        super().__init__(request)
        self.blows = list(blows)
        self.changes = changes  # of what the first actors do in their turns
        self.struck: list[tuple[str, int]] = []  # point and superstep of each blow

    def _start(self) -> None:
        super()._start()
        if not self.recoveries:
            assert self.actors is not None
            for change in self.changes:
                change_turns(self.actors, change, self.watch)

    def _loop(self) -> tuple[str, str]:
        transport = self.transport
        assert transport is not None
        if isinstance(transport, FrameTransport):
            transport.link.layers = min(self.layers, transport.link.layers)
        play = transport.round

        def round_() -> None:
            if not self.blows or self.blows[0].point != "round" or not self._due("round"):
                play()
                return
            timer = Timer(_IN_ROUND_S, self._strike, ["round"])
            timer.start()
            try:
                play()
            finally:
                timer.join()

        transport.round = round_  # type: ignore[method-assign]
        return super()._loop()

    def look(self) -> None:
        super().look()
        self._strike("idle")

    def _keep(self, keeper: Any) -> bool:
        self._strike("keep")
        write = checkpoint.write_atomically

        def write_and_strike(path: Path, data: bytes) -> None:
            write(path, data)
            if path.suffix == ".part":
                self._strike("commit")

        with patch.object(checkpoint, "write_atomically", write_and_strike):
            return super()._keep(keeper)

    def _take_up(self, stood: Any) -> None:
        self._strike("take_up")
        super()._take_up(stood)

    def _collect(self, kind: str, message: str) -> RunResult:
        self._strike("finish")
        return super()._collect(kind, message)

    def _superstep(self) -> int:
        if self.transport is None:
            return 1 << 60  # a recovery is as far as any
        return self.transport.head[0]

    def _due(self, point: str) -> bool:
        if not self.blows or self.blows[0].point != point:
            return False
        return point == "finish" or self._superstep() >= self.blows[0].superstep

    def _strike(self, point: str) -> None:
        if not self._due(point):
            return
        blow = self.blows.pop(0)
        self.struck.append((point, self._superstep()))
        assert self.actors is not None
        for actor in blow.actors:
            os.kill(self.actors.places[actor][1], blow.number)


def request_on_ray(folder: Path, link: str = "auto", **changes: Any) -> RunRequest:
    """Return a run of some 106 supersteps on three actors, with all files and checkpoints."""
    folder.mkdir(parents=True)
    options: dict[str, Any] = {
        "engine": "ray",
        "scheme": "barrier",
        "quantum_ns": 20_000,
        "cpus_per_actor": 4,
        "link": link,
        "record_order": True,
        "checkpoint": CheckpointPlan(None, 8),
        "max_recoveries": 3,
        **changes,
    }
    return RunRequest(storm(8), out_dir=folder, **options)


def differences(folder: Path, other: Path) -> list[str]:
    """Return the files in which two runs differ; frames of an order log may be cut elsewhere."""
    found = []
    for name in FILES:
        one, two = folder / name, other / name
        if one.exists() != two.exists() or (
            one.exists() and name != "order.log" and one.read_bytes() != two.read_bytes()
        ):
            found.append(name)
    return found
