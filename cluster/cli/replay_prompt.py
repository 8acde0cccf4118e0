"""The prompt of ``smplab replay --break``: looks at a machine that stands still.

It reads lines from standard input, which may be a terminal or not; what it says goes to standard
output. At the end of the input the replay goes on to its end.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cluster.inspection import Inspected

_HELP: Final = (
    "ps             all threads: state, CPU, the system call they are in",
    "tree           who is whose child",
    "locks          classes of locks; at granularity step who has which",
    "queues         each CPU: clock, current task, runnable tasks; what is under way",
    "step [N]       go on one round, or N; at granularity step, steps of paths",
    "continue       go on to the next place of --break, or to the end",
    "quit           end the replay here",
)
_SHOW: Final = {
    "ps": "ps_lines",
    "tree": "tree_lines",
    "locks": "lock_lines",
    "queues": "queue_lines",
}


class Prompt:
    """Asks what to do wherever a replay stops; ``stops`` counts how often it did.

    Args:
        lines: what is typed; None: standard input.
    """

    def __init__(self, lines: Iterable[str] | None = None) -> None:
        self.stops = 0
        self._terminal = lines is None and sys.stdin is not None and sys.stdin.isatty()
        self._lines: Iterator[str] = iter(
            sys.stdin if lines is None and sys.stdin is not None else lines or ()
        )
        self._ended = False

    def __call__(self, run: "Inspected", why: str) -> int:
        """See ``Inspected``: show what is asked for; return how far to go on."""
        from cluster.inspection import Quit

        if self._ended:
            return 0
        self.stops += 1
        print(f"stopped: {why}\n  {run.place()}")
        while True:
            words = self._read().split()
            if self._ended:
                return 0
            command, *rest = words or [""]
            if command in ("quit", "q"):
                raise Quit
            if command in ("continue", "c"):
                return 0
            if command in ("step", "s"):
                steps = _count(rest)
                if steps:
                    return steps
                print("step takes a number of steps, from 1 on")
                continue
            self._show(run, command)

    def _show(self, run: "Inspected", command: str) -> None:
        if not command:
            return
        if command in _SHOW:
            lines: Callable[[], list[str]] = getattr(run, _SHOW[command])
            print("\n".join(lines()))
            return
        if command not in ("help", "h", "?"):
            print(f"there is no {command!r}; there is:")
        print("\n".join(_HELP))

    def _read(self) -> str:
        if self._terminal:
            print("(replay) ", end="", flush=True)
        line = next(self._lines, None)
        if line is None:
            self._ended = True
            return ""
        return line


def _count(words: list[str]) -> int:
    """Return the number after ``step``: 1 if there is none, 0 if it is no number."""
    if not words:
        return 1
    return int(words[0]) if len(words) == 1 and words[0].isdecimal() else 0
