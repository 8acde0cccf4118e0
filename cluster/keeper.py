"""When a run takes a checkpoint, and what then happens: the same for all engines.

A checkpoint that is due by host time waits until nineteen twentieths of the time since the last one
began have gone into the run, so a machine that is large, or a disk that is slow, does not make
checkpoints more than a twentieth of the whole. When they are taken changes nothing that the run
does.
"""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

from cluster.checkpoint import CheckpointWriter
from cluster.engine_api import RunRequest
from cluster.logging_setup import get_logger
from cluster.recorder import Recorder, storing
from cluster.request import request_to_plain
from cluster.set_down import NotSetDown

_SHARE: Final = 20  # a checkpoint takes no more than this part of the time


class Keeper:
    """Takes the checkpoints of one run.

    Args:
        request: the run; it has a plan of checkpoints and a directory.
        recorder: of the run; its files are open.

    Raises:
        StorageError: by everything here: a file cannot be written.
    """

    most_entries: Final = 4096  # of the log that may wait for its file

    def __init__(self, request: RunRequest, recorder: Recorder) -> None:
        assert request.checkpoint is not None and request.out_dir is not None
        self._plan = request.checkpoint
        self._folder = Path(request.out_dir)
        self._recorder = recorder
        self._virtual_ns = 0
        self._supersteps = 0  # at the last one
        after = None
        if request.resume is not None:
            after = request.resume.checkpoint
            self._supersteps = after.supersteps
        self._next_s = self._after(0.0)
        self._stopped = False
        with storing(self._folder):
            self._writer = CheckpointWriter(self._folder, request_to_plain(request), after)

    def due(self, supersteps: int) -> bool:
        """Tell whether a checkpoint is to be taken now."""
        if self._stopped:
            return False
        every = self._plan.supersteps
        if every is not None and supersteps - self._supersteps >= every:
            return True
        return self._next_s is not None and perf_counter() >= self._next_s

    def log(self, entries: bytes) -> None:
        """Take what the kernel served since the last call."""
        with storing(self._folder):
            self._writer.log(entries)

    def keep(
        self, states: Callable[[], dict[int, bytes]], virtual_ns: int, supersteps: int
    ) -> None:
        """Take a checkpoint, after ``log`` was given all that was served.

        Args:
            states: returns the states of the logical processes, by kind.
            virtual_ns: virtual time.
            supersteps: made so far.
        """
        started = perf_counter()
        try:
            sections = states()
        except NotSetDown as error:
            self._stopped = True
            get_logger().warning("no checkpoints are taken", why=str(error))
            return
        position = self._recorder.position()
        with storing(self._folder):
            self._writer.commit(sections, position, virtual_ns, supersteps)
        self._supersteps = supersteps
        took = perf_counter() - started
        self._next_s = self._after(took)
        get_logger().info(
            "checkpoint", number=self._writer.epoch, superstep=supersteps, seconds=round(took, 3)
        )

    def close(self) -> None:
        """Close the files; the checkpoints stay."""
        self._writer.close()

    def _after(self, took: float) -> float | None:
        """Return when the next one is due, after one that took so many seconds."""
        if self._plan.seconds is None:
            return None
        return perf_counter() + max(self._plan.seconds, took * (_SHARE - 1))
