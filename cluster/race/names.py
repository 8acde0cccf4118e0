"""Names of kernel objects as people say them: ``task:12``, ``pidhash``, ``siglock of task:3``.

An object is named by the way from the task that has it, the one with the lowest pid:
``task:3.files`` is what task 3 calls its files, whoever else shares them. A few objects of which
there is one have names of their own. What no task leads to yet is named by its class and a number,
in order of first use.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from kernel.locking import Lock
from kernel.memory.drains import Cell
from kernel.task import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    TaskStruct,
)

_DEPTH: Final = 7  # fields on the way from a task
_MOST: Final = 20_000  # objects looked at in one search
_SHOWN: Final = 6  # members of a container

# classes of which a machine has one, or whose field says it all
_ALONE: Final = {"TaskList": "tasklist", "LoadTable": "load"}
_FIELDS: Final = {"PidMap.hash": "pidhash"}
# ways that say nothing more than the task does
_PLAIN: Final = ("sighand", "signal")

_STATES: Final = {
    TASK_RUNNING: "TASK_RUNNING",
    TASK_INTERRUPTIBLE: "TASK_INTERRUPTIBLE",
    TASK_UNINTERRUPTIBLE: "TASK_UNINTERRUPTIBLE",
}
_EXITS: Final = {0: "0", EXIT_ZOMBIE: "EXIT_ZOMBIE", EXIT_DEAD: "EXIT_DEAD"}


class Names:
    """The names of one run's objects; a name once given stays."""

    __slots__ = ("_counts", "_given", "_kept", "_known", "_tasks", "_tried")

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._given: dict[int, str] = {}  # of what no task leads to yet
        self._kept: dict[int, Any] = {}  # so that no id comes again
        self._tasks: dict[int, TaskStruct] = {}
        self._counts: dict[str, int] = {}
        self._tried = False  # nothing new is found in this step

    def note(self, objects: Iterable[Any]) -> None:
        """See objects of one step for the first time: while they still are where they belong."""
        self._tried = False
        for obj in objects:
            if obj is not None:
                self.of(obj)

    def of(self, obj: Any) -> str:
        """Return the name of an object."""
        if isinstance(obj, TaskStruct):
            self._tasks[id(obj)] = obj
            if not obj.pid and not obj.comm.startswith("swapper"):
                return "a new task"  # which has no number yet
            return f"task:{obj.pid}"
        if isinstance(obj, Cell):
            last = obj.start + obj.length - 1
            return f"shared bytes {obj.start}..{last} of page {obj.frame}"
        known = self._known.get(id(obj))
        if known is not None:
            return known
        if not self._tried:
            self._search()
            self._tried = True
            known = self._known.get(id(obj))
        if known is None:
            known = self._give(obj)
        return known

    def field(self, obj: Any, field: str) -> str:
        """Return the name of a field of an object: ``task:12.state``."""
        if isinstance(obj, Cell):
            return self.of(obj)
        alone = _FIELDS.get(f"{type(obj).__name__}.{field}")
        return alone if alone is not None else f"{self.of(obj)}.{field}"

    def value(self, field: str, value: Any) -> str:
        """Return what a field holds, in few words."""
        if isinstance(value, bool) or value is None:
            return str(value).lower()
        if isinstance(value, int):
            if field == "state":
                return _STATES.get(value, hex(value))
            if field == "exit_state":
                return _EXITS.get(value, hex(value))
            return str(value) if -1000 < value < 1000 else hex(value)
        if isinstance(value, bytes) and field == "data" and len(value) in (1, 2, 4, 8):
            return str(int.from_bytes(value, "little"))
        if isinstance(value, (str, bytes)):
            return repr(value[:40])
        if isinstance(value, (list, tuple, deque)):
            members = list(value)
            shown = [self.value("", member) for member in members[:_SHOWN]]
            more = [f"and {len(members) - _SHOWN} more"] if len(members) > _SHOWN else []
            return f"[{', '.join(shown + more)}]"
        if isinstance(value, dict):
            keys = [self.value("", key) for key in list(value)[:_SHOWN]]
            more = [f"and {len(value) - _SHOWN} more"] if len(value) > _SHOWN else []
            return f"{{{', '.join(keys + more)}}}"
        if isinstance(value, bytearray):
            return f"{len(value)} bytes"
        return self.of(value)

    def _give(self, obj: Any) -> str:
        given = self._given.get(id(obj))
        if given is not None:
            return given
        cls = obj.name if isinstance(obj, Lock) else type(obj).__name__
        name = _ALONE.get(cls)
        if name is None:
            number = self._counts.get(cls, 0)
            self._counts[cls] = number + 1
            name = cls if isinstance(obj, Lock) and not number else f"{cls}#{number + 1}"
        self._given[id(obj)] = name
        self._kept[id(obj)] = obj
        return name

    def _keep(self, obj: Any, name: str) -> None:
        self._known[id(obj)] = name
        self._kept[id(obj)] = obj

    def _search(self) -> None:
        """Name all that tasks lead to, breadth first."""
        tasks = sorted(
            (task for task in self._tasks.values() if task.pid), key=lambda task: task.pid
        )
        seen: dict[int, None] = dict.fromkeys(id(task) for task in tasks)
        queue = deque((task, f"task:{task.pid}", 0) for task in tasks)
        looked = 0
        while queue and looked < _MOST:
            obj, way, depth = queue.popleft()
            looked += 1
            if depth == _DEPTH:
                continue
            for part, value in _parts(obj):
                if id(value) in seen or isinstance(value, TaskStruct):
                    continue
                seen[id(value)] = None
                there = f"{way}{part}".replace(".files.fd[", ".fd[").replace(".inode.", ".")
                if not isinstance(value, (list, tuple, dict)) and id(value) not in self._known:
                    self._keep(value, _lock_name(value, way) if type(value) is Lock else there)
                queue.append((value, there, depth + 1))


def _lock_name(lock: Lock, owner: str) -> str:
    """Return the name of a lock that lies in ``owner``."""
    task, _, last = owner.rpartition(".")
    return f"{lock.name} of {task if last in _PLAIN else owner}"


def _parts(obj: Any) -> list[tuple[str, Any]]:
    """Return the objects that an object leads to, and how."""
    parts: list[tuple[str, Any]] = []
    if isinstance(obj, (list, tuple)):
        parts = [(f"[{place}]", value) for place, value in enumerate(obj)]
    elif isinstance(obj, dict):
        parts = [(f"[{key}]", value) for key, value in obj.items() if isinstance(key, (int, str))]
    elif type(obj) is not Lock:  # whose owner has it, and not the other way round
        for cls in type(obj).__mro__:
            for slot in cls.__dict__.get("__slots__", ()):
                value = getattr(obj, slot, None)
                if value is not None:
                    parts.append((f".{slot}", value))
    return [(part, value) for part, value in parts if _is_object(value)]


def _is_object(value: Any) -> bool:
    if isinstance(value, (list, tuple, dict)):
        return bool(value)
    return type(value).__module__.startswith("kernel.") and hasattr(type(value), "__slots__")
