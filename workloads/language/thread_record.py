"""What is known of one thread: a record of ``frames.Process.threads``, a list with these places."""

from typing import Any, Final

FUNCTION: Final = 0
ARGS: Final = 1
NAME: Final = 2  # None: not made by threading.Thread
DAEMON: Final = 3
TID: Final = 4  # 0: not started; -1: gone with the process that this one was forked from
ALIVE_LOCK: Final = 5  # the number of the lock that is held until it ends; 0: none
STARTED_LOCK: Final = 6  # the number of the lock that is held until it runs; 0: none
STOPPED: Final = 7  # somebody has seen its end, or given up waiting for it
JOINING: Final = 8  # how many are in join()
ENDED: Final = 9  # its function is done, and threading has forgotten it


def new_record(function: Any, args: Any, name: str | None, daemon: bool) -> list[Any]:
    """Return the record of a thread that has not been started."""
    return [function, args, name, daemon, 0, 0, 0, False, 0, False]


def is_joined_at_exit(record: list[Any]) -> bool:
    """Say whether the interpreter waits for a thread before it ends."""
    return bool(
        record[TID] > 0 and record[ALIVE_LOCK] and not record[DAEMON] and not record[STOPPED]
    )
