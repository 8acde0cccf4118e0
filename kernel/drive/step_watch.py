"""What somebody sees who follows the steps of kernel paths."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kernel.drive.active_path import ActivePath
    from kernel.drive.memory import Drain
    from kernel.task import TaskStruct


class StepWatch(Protocol):
    """Follows what the steps of paths do (granularity ``step``); it must change nothing."""

    def begin(self, entry: "ActivePath | Drain") -> None:
        """What ``entry`` offers is about to be carried out."""
        ...

    def go_on(self, path: "ActivePath") -> None:
        """That was done, and the code of ``path`` runs on to its next point, or its end."""
        ...

    def end(self) -> None:
        """The step is over. A path that waits for a lock, or sleeps, has not gone on."""
        ...

    def aside(self, on: bool, of: "TaskStruct | None" = None, timed: bool = False) -> None:
        """The kernel begins, or ends, what it does between steps: a request, a timer comes in.

        Args:
            of: at the end, whose request it was, which goes on as a path; None: nobody's.
            timed: it was a timer.
        """
        ...
