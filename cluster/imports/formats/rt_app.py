"""rt-app's JSON: threads with phases of events, as ``rt-app FILE.json`` runs them.

The text is read as json-c does (``cluster.imports.json_text``) and made into the table of
``workloads/programs/_rt_app.py``, where every reference is a number: of a semaphore, of a place in
the shared mapping, of a task. As in rt-app an event is a key that begins with an event's name
(``run1``, ``timer_b``), and mutexes, conditions, barriers and timers come to be by being named.

Every key either has its meaning, or says nothing about what runs (``_NOTHING``: where rt-app puts
its logs, and such), or is refused with the reason (``_REFUSED``). rt-app itself passes over keys it
does not know; here a misspelt one is a problem.

Source: rt-app 1.0, doc/tutorial.txt and its behaviour.
Deviation: threads are processes (see ``_rt_app``); ``run`` is CPU time, not calibrated loops, and
``perf`` is it divided by ``calibration`` (1000 ns where that names a CPU).
"""

import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from cluster.config.errors import Problem, got
from cluster.imports.format import Format, Imported, ImportProblems, filled
from cluster.imports.json_text import JsonTextError, Node, Plain, read_json

MAX_BYTES: Final = 4 << 20
MAX_THREADS: Final = 10_000
MAX_SEMAPHORES: Final = 32_000  # SEMMSL
MAX_EVENTS: Final = 20_000
MAX_PLACES: Final = 8_000
MAX_NUMBER: Final = 1 << 31
MAX_DURATION_S: Final = 31_536_000
_DEADLINE: Final = 6
_POLICIES: Final = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": _DEADLINE,
}
#: in the order in which a key is compared with their beginnings
_EVENTS: Final = (
    *("lock", "unlock", "wait", "signal", "broad", "sync", "sleep", "runtime", "run", "timer"),
    *("suspend", "resume", "memrun", "mem", "iorun", "yield", "barrier", "fork"),
    *("sem_post", "sem_wait"),
)
_WHY_MEMORY: Final = "the emulated machine has no model of caches, by which its time would be known"
_REFUSED: Final = {
    "memrun": _WHY_MEMORY,
    "mem": _WHY_MEMORY,
    "iorun": "the emulated machine has no block devices",
    "util_min": "utilisation clamps are not modelled",
    "util_max": "utilisation clamps are not modelled",
    "nodes_membind": "memory is not bound to nodes",
    "taskgroup": "name the group in the configuration: cgroup of the workload",
}
#: keys of ``global`` that say nothing about what the threads do
_NOTHING: Final = (
    *("lock_pages", "logdir", "log_basename", "log_size", "ftrace", "gnuplot", "io_device"),
    *("mem_buffer_size", "frag"),
)
_SCHED: Final = ("policy", "priority", "dl-runtime", "dl-period", "dl-deadline")


def _recognises(name: str, head: bytes) -> bool:
    text = re.sub(rb"/\*.*?\*/|//[^\n]*", b"", head, flags=re.DOTALL)
    return text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and name.endswith(".json")


def _read(name: str, source: BinaryIO) -> Imported:
    try:
        text = source.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text (byte {error.start})"
        raise ImportProblems([Problem(name, 0, 0, "", what)]) from None
    reader = _Reader(name, text)
    try:
        root = read_json(text)
    except JsonTextError as error:
        raise ImportProblems([reader.problem(error.at, "", str(error))]) from None
    table = reader.table(root)
    if reader.problems:
        raise ImportProblems(sorted(reader.problems, key=lambda one: (one.line, one.column)))
    return Imported(filled("_rt_app", table))


FORMAT: Final = Format(
    "rt-app",
    "rt-app's JSON: threads with phases of run, sleep, timer, lock, … (rt-app FILE.json)",
    _recognises,
    _read,
    MAX_BYTES,
)


@dataclass(slots=True)
class _Task:
    """What events of a task refer to."""

    name: str
    instances: int
    own: dict[str, int] = field(default_factory=dict)  # its timers


class _Reader:
    """Makes the table; collects problems."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.problems: list[Problem] = []
        self.semaphores = 1  # the first is the gate at which threads wait for the start
        self.free: list[int] = []
        self.named: dict[tuple[str, str], int] = {}
        self.place = 16
        self.shared_timers: dict[str, int] = {}
        self.barriers: dict[str, list[int]] = {}
        self.tasks: dict[str, int] = {}
        self.events = 0

    def problem(self, at: int, path: str, what: str) -> Problem:
        """Return a finding about what stands at ``at``."""
        line = self.text.count("\n", 0, at) + 1
        return Problem(self.name, line, at - self.text.rfind("\n", 0, at), path, what)

    def wrong(self, at: int, path: str, what: str) -> None:
        """Note a finding."""
        if len(self.problems) < 1000:
            self.problems.append(self.problem(at, path, what))

    def typed(self, node: Node | None, path: str, kind: str, default: Any = None) -> Any:
        """Return the value of ``node``, which must be of a kind; the default where it is not."""
        if node is None:
            return default
        if node.kind != kind:
            words = {"int": "a whole number", "object": "an object", "string": "a string"}
            wanted = words.get(kind, "true or false")
            shown = f"an {node.kind}" if node.kind == "object" else f"a {node.kind}"
            if node.kind in ("object", "list"):
                self.wrong(node.at, path, f"must be {wanted} (got {shown})")
            else:
                self.wrong(node.at, path, f"must be {wanted} {got(node.value)}")
            return default
        return node if kind == "object" else node.value

    def whole(self, node: Node | None, path: str, default: int, least: int, most: int) -> int:
        """Return a whole number from ``least`` to ``most``."""
        value: int = self.typed(node, path, "int", default)
        if node is not None and not least <= value <= most:
            self.wrong(node.at, path, f"must be from {least} to {most} {got(value)}")
            return default
        return value

    def once(self, node: Node, path: str, known: tuple[str, ...]) -> dict[str, Node]:
        """Return the keys of an object that are no events; refuse repeated and unknown ones."""
        found: dict[str, Node] = {}
        for key, at, value in node.items:
            where = f"{path}.{key}" if path else key
            if key in _REFUSED:
                if not (key == "taskgroup" and value.value == ""):
                    self.wrong(at, where, f"is not supported: {_REFUSED[key]}")
            elif key not in known:
                self.wrong(at, where, f"unknown key (known here: {', '.join(known)})")
            elif key in found:
                self.wrong(at, where, "stands here twice")
            else:
                found[key] = value
        return found

    def table(self, root: Node) -> dict[str, object]:
        """Return the table of a whole file."""
        if root.kind != "object":
            self.wrong(root.at, "", "must be an object with tasks")
            return {}
        keys = self.once(root, "", ("tasks", "global", "resources"))
        settings = self.settings(keys.get("global"))
        tasks = self.typed(keys.get("tasks"), "tasks", "object")
        if tasks is None:
            if "tasks" not in keys:
                self.wrong(root.at, "tasks", "is required")
            return {}
        found = self.all_tasks(tasks, settings["policy"])
        if self.semaphores > MAX_SEMAPHORES or self.place > MAX_PLACES * 8:
            self.wrong(root.at, "", "names too many mutexes, conditions, barriers and timers")
        return {
            "tasks": found,
            "semaphores": self.semaphores,
            "free": self.free,
            **settings,
        }

    def settings(self, node: Node | None) -> dict[str, Any]:
        """Return what ``global`` says."""
        path = "global"
        made: Any = {"duration": -1, "loop_ns": 1000, "cumulative": False, "policy": 0}
        holder = self.typed(node, path, "object")
        if holder is None:
            return dict(made)
        known = ("duration", "calibration", "default_policy", "pi_enabled", "cumulative_slack")
        keys = self.once(holder, path, (*known, *_NOTHING))
        longest = MAX_DURATION_S
        made["duration"] = self.whole(keys.get("duration"), f"{path}.duration", -1, -1, longest)
        calibration = keys.get("calibration")
        if calibration is not None and calibration.kind != "string":
            where = f"{path}.calibration"
            made["loop_ns"] = self.whole(calibration, where, 1000, 0, MAX_NUMBER) or 1000
        made["policy"] = self.policy(keys.get("default_policy"), f"{path}.default_policy", 0)
        where = f"{path}.cumulative_slack"
        made["cumulative"] = self.typed(keys.get("cumulative_slack"), where, "boolean", False)
        inherits = keys.get("pi_enabled")
        if self.typed(inherits, f"{path}.pi_enabled", "boolean", False):
            assert inherits is not None
            what = "is not supported: mutexes here are semaphores, which lend no priority"
            self.wrong(inherits.at, f"{path}.pi_enabled", what)
        return dict(made)

    def all_tasks(self, tasks: Node, policy: int) -> list[dict[str, object]]:
        """Return what ``tasks`` holds."""
        total = 0
        counts = []
        for number, (name, at, node) in enumerate(tasks.items):
            path = f"tasks.{name}"
            if name in self.tasks:
                self.wrong(at, path, "stands here twice")
            self.tasks[name] = number
            body = self.typed(node, path, "object")
            instances = [item for key, _, item in (body.items if body else ()) if key == "instance"]
            one = instances[-1] if instances else None
            counts.append(self.whole(one, f"{path}.instance", 1, 0, MAX_THREADS))
            total += counts[-1]
        if not tasks.items:
            self.wrong(tasks.at, "tasks", "must not be empty")
        if total > MAX_THREADS:
            self.wrong(tasks.at, "tasks", f"there are at most {MAX_THREADS} threads (got {total})")
        found = [
            self.task(_Task(name, count), node, policy)
            for (name, _, node), count in zip(tasks.items, counts, strict=True)
            if node.kind == "object"
        ]
        self.count_users(found)
        return found

    def task(self, task: _Task, node: Node, policy: int) -> dict[str, object]:
        """Return one task."""
        path = f"tasks.{task.name}"
        plain = tuple(item for item in node.items if not _event_of(item[0]))
        known = ("instance", "loop", "delay", "phases", "cpus", *_SCHED)
        legacy = tuple(key for key, _, _ in plain if key in ("period", "deadline"))
        keys = self.once(Node("object", node.at, items=plain), path, (*known, *legacy))
        loop = self.loops(keys.get("loop"), f"{path}.loop", -1)
        sched = self.sched(keys, path, policy)
        if "phases" in keys:
            for key, at, _ in node.items:
                if _event_of(key):
                    self.wrong(at, f"{path}.{key}", "an event beside phases would never be done")
            holder = self.typed(keys["phases"], f"{path}.phases", "object")
            phases = [
                self.phase(task, each, f"{path}.phases.{name}")
                for name, _, each in (holder.items if holder else ())
            ]
            if holder is not None and not phases:
                self.wrong(holder.at, f"{path}.phases", "must not be empty")
        else:
            phases = [
                {"loop": 1, "cpus": [], "sched": [], "events": self.actions(task, node, path)}
            ]
        return {
            "name": task.name,
            "instances": task.instances,
            "loop": loop,
            "delay": self.whole(keys.get("delay"), f"{path}.delay", 0, 0, MAX_NUMBER),
            "cpus": self.cpus(keys.get("cpus"), f"{path}.cpus"),
            "sched": sched,
            "phases": phases,
        }

    def loops(self, node: Node | None, path: str, default: int) -> int:
        """Return how often something is done; -1: for ever."""
        return self.whole(node, path, default, -1, MAX_NUMBER)

    def phase(self, task: _Task, node: Node, path: str) -> dict[str, object]:
        """Return one phase."""
        if self.typed(node, path, "object") is None:
            return {}
        plain = tuple(item for item in node.items if not _event_of(item[0]))
        keys = self.once(Node("object", node.at, items=plain), path, ("loop", "cpus", *_SCHED))
        return {
            "loop": self.loops(keys.get("loop"), f"{path}.loop", 1),
            "cpus": self.cpus(keys.get("cpus"), f"{path}.cpus"),
            "sched": self.sched(keys, path, None),
            "events": self.actions(task, node, path),
        }

    def cpus(self, node: Node | None, path: str) -> list[int]:
        """Return the CPUs of an affinity; none: all."""
        if node is None:
            return []
        if node.kind != "list":
            self.wrong(node.at, path, "must be a list of CPU numbers")
            return []
        return [self.whole(item, path, 0, 0, 4095) for _, _, item in node.items]

    def policy(self, node: Node | None, path: str, default: int) -> int:
        """Return the number of a policy."""
        name = self.typed(node, path, "string")
        if name is not None and name not in _POLICIES:
            assert node is not None
            self.wrong(node.at, path, f"must be one of {', '.join(_POLICIES)} {got(name)}")
            return default
        return default if name is None else _POLICIES[name]

    def sched(self, keys: dict[str, Node], path: str, default: int | None) -> list[int]:
        """Return policy, priority or nice value, and runtime, deadline, period in ns.

        Nothing if a phase (no default) says nothing; policy -1: only the nice value changes.
        """
        if default is None and not any(key in keys for key in _SCHED):
            return []
        base = -1 if default is None else default
        policy = self.policy(keys.get("policy"), f"{path}.policy", base)
        real_time = policy in (1, 2)
        least, most = (1, 99) if real_time else (-20, 19)
        normal = 10 if real_time else 0
        priority = self.whole(keys.get("priority"), f"{path}.priority", normal, least, most)

        def time_of(word: str, otherwise: int) -> int:
            node = keys.get(f"dl-{word}") or keys.get(word)
            return self.whole(node, f"{path}.dl-{word}", otherwise, 0, MAX_NUMBER)

        runtime = time_of("runtime", 0)
        period = time_of("period", runtime)
        deadline = time_of("deadline", period)
        if policy == _DEADLINE and not 0 < runtime <= deadline <= period:
            node = keys.get("dl-runtime") or keys.get("policy") or next(iter(keys.values()), None)
            what = "SCHED_DEADLINE needs 0 < dl-runtime <= dl-deadline <= dl-period"
            self.wrong(node.at if node else 0, path, what)
        if policy == -1 and runtime:
            self.wrong(keys["dl-runtime"].at, f"{path}.dl-runtime", "needs a policy beside it")
        return [policy, priority, runtime * 1000, deadline * 1000, period * 1000]

    def actions(self, task: _Task, node: Node, path: str) -> list[tuple[object, ...]]:
        """Return the events of an object, in order."""
        found = []
        for key, at, value in node.items:
            event = _event_of(key)
            if not event:
                continue
            self.events += 1
            if event in _REFUSED:
                self.wrong(at, f"{path}.{key}", f"is not supported: {_REFUSED[event]}")
            else:
                found.append(self.action(task, event, value, f"{path}.{key}"))
        if not found and not self.problems:
            self.wrong(node.at, path, "has no events: nothing to do")
        if self.events == MAX_EVENTS + 1:
            self.wrong(node.at, path, f"a file has at most {MAX_EVENTS} events")
        return found

    def action(self, task: _Task, event: str, node: Node, path: str) -> tuple[object, ...]:
        """Return one event as the program takes it."""
        if event in ("run", "runtime", "sleep"):
            return event, self.whole(node, path, 0, 0, MAX_NUMBER)
        if event == "timer":
            return self.timer(task, node, path)
        if event in ("wait", "sync"):
            holder = self.typed(node, path, "object")
            if holder is None:
                return (event,)
            keys = self.once(holder, path, ("ref", "mutex"))
            words = [self.reference(keys.get(key), f"{path}.{key}", holder) for key in keys]
            names = dict(zip(keys, words, strict=True))
            for key in ("ref", "mutex"):
                if key not in keys:
                    self.wrong(holder.at, f"{path}.{key}", "is required")
            condition = self.semaphore("condition", names.get("ref", ""))
            return event, condition, self.semaphore("mutex", names.get("mutex", ""))
        if event == "yield":
            return (event,)
        if event == "suspend":  # its text may miss, or be empty
            return self.suspended(event, node.value if node.value else task.name)
        name = self.reference(node, path, node)
        if event == "resume":
            return self.suspended(event, name)
        if event in ("lock", "unlock"):
            return event, self.semaphore("mutex", name)
        if event in ("signal", "broad"):
            return event, self.semaphore("condition", name)
        if event in ("sem_post", "sem_wait"):
            return event, self.semaphore("semaphore", name)
        if event == "fork":
            if name and name not in self.tasks:
                self.wrong(node.at, path, f"there is no task of this name {got(name)}")
            return event, self.tasks.get(name, 0)
        return "barrier", *self.barrier(task, name), name

    def reference(self, node: Node | None, path: str, beside: Node) -> str:
        """Return a name of something that is shared."""
        name: str = self.typed(node, path, "string", "")
        if node is not None and node.kind == "string" and not name:
            self.wrong(beside.at, path, "must not be empty")
        return name

    def semaphore(self, kind: str, name: str) -> int:
        """Return the number of the (first) semaphore of something named."""
        key = kind, name
        if key not in self.named:
            self.named[key] = self.semaphores
            if kind in ("mutex", "barrier"):
                self.free.append(self.semaphores)
            self.semaphores += 2 if kind in ("condition", "barrier") else 1
        return self.named[key]

    def suspended(self, event: str, name: Plain) -> tuple[object, ...]:
        """Return the event that waits for, or gives, a resume of ``name``."""
        key = f"{name}"
        return event, self.semaphore("condition", key), self.semaphore("mutex", key)

    def barrier(self, task: _Task, name: str) -> tuple[int, int]:
        """Return semaphore and place of a barrier; one use more of it is counted."""
        if name not in self.barriers:
            self.barriers[name] = [self.new_place(), 0]
        self.barriers[name][1] += task.instances
        return self.semaphore("barrier", name), self.barriers[name][0]

    def count_users(self, tasks: list[dict[str, Any]]) -> None:
        """Put the number of its users into every barrier event, once all are known."""
        for task in tasks:
            for phase in task["phases"]:
                phase["events"] = [
                    (*event[:3], max(self.barriers[event[3]][1], 1))
                    if event[0] == "barrier"
                    else event
                    for event in phase.get("events", ())
                ]

    def timer(self, task: _Task, node: Node, path: str) -> tuple[object, ...]:
        """Return a timer event: place, whether it is the thread's own, period, whether relative."""
        holder = self.typed(node, path, "object")
        if holder is None:
            return ("timer",)
        keys = self.once(holder, path, ("ref", "period", "mode"))
        for key in ("ref", "period"):
            if key not in keys:
                self.wrong(holder.at, f"{path}.{key}", "is required")
        name = self.reference(keys.get("ref"), f"{path}.ref", holder)
        mode = self.typed(keys.get("mode"), f"{path}.mode", "string", "relative")
        if mode not in ("relative", "absolute"):
            what = f"must be relative or absolute {got(mode)}"
            self.wrong(keys["mode"].at, f"{path}.mode", what)
        own = name.startswith("unique")
        if own:
            place = task.own.setdefault(name, len(task.own))
        else:
            if name not in self.shared_timers:
                self.shared_timers[name] = self.new_place()
            place = self.shared_timers[name]
        period = self.whole(keys.get("period"), f"{path}.period", 0, 0, MAX_NUMBER)
        return "timer", place, own, period, mode == "relative"

    def new_place(self) -> int:
        """Return a place of eight bytes in the shared mapping that nobody has."""
        self.place += 8
        return self.place - 8


def _event_of(key: str) -> str:
    """Return which event a key is; empty if none."""
    return next((event for event in _EVENTS if key.startswith(event)), "")
