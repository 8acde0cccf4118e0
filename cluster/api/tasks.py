"""One task as it was at a moment, from a trace or from a machine."""

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Task:
    """A thread. ``state`` is a letter as in /proc/PID/stat; ``cpu`` where it is or was last."""

    pid: int
    tgid: int
    ppid: int
    comm: str
    state: str
    cpu: int
    nice: int
    pgid: int
    sid: int
    ran_ns: int

    @property
    def is_leader(self) -> bool:
        """Whether its process is named after it."""
        return self.pid == self.tgid


COLUMNS = ("pid", "tgid", "ppid", "state", "cpu", "nice", "ran_ns", "comm")


class Tasks(list[Task]):
    """Tasks by pid, which a notebook shows as a table."""

    def by_pid(self, pid: int) -> Task:
        """Return one.

        Raises:
            KeyError: there is none with this pid.
        """
        for task in self:
            if task.pid == pid:
                return task
        raise KeyError(pid)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{escape(str(getattr(task, name)))}</td>" for name in COLUMNS)
            + "</tr>"
            for task in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
