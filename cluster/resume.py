"""A run gone on with after what ended it: from its last whole checkpoint, or from its beginning.

Checkpoints are tried from the newest on. One that is damaged, or that belongs to something else, is
told of and left alone, and the one before is taken; if there are some and none can be used, nothing
is touched. A run that was ended before its first one begins anew: what it was asked to do is at the
head of the log that all its checkpoints share.
"""

from collections.abc import Callable
from pathlib import Path

from cluster.checkpoint import Checkpoint, CheckpointReader
from cluster.codec import WireError
from cluster.engine_api import Resumption, RunRequest, RunResult
from cluster.framed import DamagedFile
from cluster.recorder import STREAMED
from cluster.request import request_from_plain
from cluster.set_down import TakeUpError
from kernel.machine import MachineSpec

_WRITTEN = (*STREAMED, "summary.json", "pacct", "pacct_exact")


class NoResumption(Exception):
    """A run cannot be gone on with; the message is one line for each thing that is wrong."""


class Resumed:
    """What there is to go on with of one run.

    Args:
        run: its directory.
        notice: is told in one line of each checkpoint that cannot be used.

    Raises:
        NoResumption: there is nothing that can be used.
    """

    def __init__(self, run: Path, notice: Callable[[str], None]) -> None:
        self._run = run
        self._notice = notice
        self._problems: list[str] = []
        try:
            self._reader = CheckpointReader(run)
            config = self._reader.config
            spec = MachineSpec.from_plain(config["machine"])
            self.request: RunRequest = request_from_plain(config, spec)
        except DamagedFile as error:
            raise NoResumption(str(error)) from None
        except Exception as error:  # a machine of another version, which says so in its own way
            what = " ".join(str(error).split())[:200]
            raise NoResumption(
                f"{run}: what the run was asked to do is nothing that this version of smplab "
                f"can do: {type(error).__name__}: {what}"
            ) from None
        self.request.out_dir = run
        self._manifests = self._reader.manifests()

    def go_on(
        self, start: Callable[[RunRequest], RunResult], begins: Callable[[Checkpoint | None], None]
    ) -> RunResult:
        """Go on with the run; return how it ended.

        Args:
            start: runs a request; it raises what making a machine of data raises.
            begins: is told from where the run goes on: None: from its beginning.

        Raises:
            NoResumption: no checkpoint can be used.
        """
        for manifest in self._manifests:
            try:
                found = self._reader.read(manifest)
                self.request.resume = self._resumption(found)
                begins(found)
                return start(self.request)
            except (DamagedFile, TakeUpError, WireError) as error:
                self._problems.append(str(error))
                if manifest != self._manifests[-1]:
                    self._notice(f"{error}: going on from the checkpoint before")
        if self._manifests:
            raise NoResumption("\n".join(self._problems))
        self._begin_anew()
        begins(None)
        return start(self.request)

    def _resumption(self, checkpoint: Checkpoint) -> Resumption:
        return Resumption(checkpoint, lambda: self._reader.served(checkpoint))

    def _begin_anew(self) -> None:
        """Remove what the run had written: it is written again."""
        self.request.resume = None
        for name in _WRITTEN:
            (self._run / name).unlink(missing_ok=True)
