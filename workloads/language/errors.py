"""What the compiler says about a program that is outside the guest language."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One refusal: where (line from 1, column from 1), what, and what to write instead."""

    line: int
    column: int
    what: str
    instead: str


class GuestProgramError(Exception):
    """A source file is not a guest program; holds every problem found, in source order.

    ``str()`` is one ``file:line:col: what; write instead`` line for each of them.
    """

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = sorted(set(problems))
        super().__init__(path, self.problems)

    @property
    def messages(self) -> list[str]:
        """Return the lines ``str()`` joins."""
        return [
            f"{self.path}:{p.line}:{p.column}: {p.what}" + (f"; {p.instead}" if p.instead else "")
            for p in self.problems
        ]

    def __str__(self) -> str:
        return "\n".join(self.messages)


class FatalRunError(BaseException):
    """The guest program broke a limit of the emulator; ends the run, no guest handler sees it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class StoppedRunError(BaseException):
    """Somebody outside ends the run in the middle of a block; no guest handler sees it."""


class OutOfMemoryError(BaseException):
    """A process goes on growing beyond its limit; it is killed."""


class BudgetExceededError(FatalRunError):
    """One block did more work, or made a larger value, than ``block_budget`` allows."""
