"""Groups of tasks that send each other messages: hackbench, and perf bench sched messaging."""

from typing import Final

from cluster.imports.format import filled
from cluster.presets.options import Given, OptionProblems

MOST_TASKS: Final = 30_000  # of a pid_max of 32,768


def messaging(given: Given, head: list[str], time: tuple[str, str]) -> str:
    """Return the program for groups that send messages, which perf bench has, too.

    Args:
        given: has ``groups``, ``loops``, ``fds``, ``datasize``, ``pipe`` and ``threads``.
        head: lines to print first.
        time: what stands before and after the seconds, in the last line.

    Raises:
        OptionProblems: there would be too many tasks.
    """
    tasks = 2 * given.number("groups") * given.number("fds")
    if tasks > MOST_TASKS:
        raise OptionProblems([f"{tasks:,} tasks: at most {MOST_TASKS:,} (groups * fds * 2)"])
    table = {
        "groups": given.number("groups"),
        "loops": given.number("loops"),
        "fds": given.number("fds"),
        "size": given.number("datasize"),
        "pipe": given.flag("pipe"),
        "threads": given.flag("threads"),
        "head": head,
        "time": list(time),
    }
    return filled("_messaging", table)


def messages(given: Given) -> int:
    """Return how many messages are sent in all."""
    return given.number("groups") * given.number("fds") ** 2 * given.number("loops")
