"""The topology of a machine of the user's, from what ``lscpu`` or ``lstopo`` wrote of it.

Of lscpu the table of CPUs (``lscpu -e=CPU,NODE,SOCKET,CORE,CACHE``), as text or as JSON; of hwloc
its XML, version 1 or 2 (``lstopo --of xml``). Only CPUs that are online count. A machine has
numbers without a hole: where those of the file have one (a CPU is offline) the CPUs behind it move
up, and ``Cpus.numbers`` has what the file calls them.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from cluster.config.errors import ConfigError, Problem, got
from cluster.config.source import read_document
from cluster.config.topology import MAX_CPUS, MAX_NODES, Cpus, Row, by_rows, wrong_distances

_SUMMARY: Final = "a summary: use lscpu -J -e=CPU,NODE,SOCKET,CORE,CACHE"
_MAX_NUMBER: Final = 1 << 20
_DEPTH: Final = 64

# a finding about column or key NAME of a row
_Say = Callable[[str, str], None]


def read_topology(name: str, text: str) -> Cpus:
    """Return the CPUs that a file describes.

    Args:
        name: of the file, for messages.

    Raises:
        ConfigError: every problem found, each at its place.
    """
    start = text.lstrip()[:1]
    problems: list[Problem] = []
    distances: dict[tuple[int, int], int] = {}
    at = _first_place(text)  # of the distances
    if start == "<":
        rows, distances, at = _read_xml(name, text, problems)
    elif start == "{":
        rows = _read_json(name, text, problems)
    else:
        rows = _read_table(name, text, problems)
    if not problems:
        problems += _unfit(name, rows, _first_place(text))
    if problems:
        raise ConfigError(problems)
    cpus = by_rows(rows, distances)
    wrong = list(wrong_distances(cpus.distances, len(cpus.distances)))
    if wrong:
        raise ConfigError([Problem(name, *at, "distances", what) for _, what in wrong])
    return cpus


def _first_place(text: str) -> tuple[int, int]:
    """Return line and column of the first word; of an empty file its beginning."""
    before = text[: len(text) - len(text.lstrip())]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _unfit(name: str, rows: list[Row], begin: tuple[int, int]) -> Iterable[Problem]:
    """Yield what is wrong with all rows together, each at the row that makes it so.

    Args:
        begin: line and column where the text begins, for what no row is to blame for.
    """
    if not rows:
        yield Problem(name, *begin, "", "no CPU is online in it")
    if len(rows) > MAX_CPUS:
        row = rows[MAX_CPUS]
        what = f"must have at most {MAX_CPUS} CPUs (got {len(rows)})"
        yield Problem(name, row.line, row.column, "", what)
        return
    known: set[int] = set()
    nodes: set[int] = set()
    full = False
    for row in rows:
        if row.cpu in known:
            yield Problem(name, row.line, row.column, "", f"CPU {row.cpu} is there twice")
        known.add(row.cpu)
        nodes.add(row.node)
        if len(nodes) > MAX_NODES and not full:
            full = True
            what = f"must have at most {MAX_NODES} nodes"
            yield Problem(name, row.line, row.column, "", what)


# -- lscpu ---------------------------------------------------------------------------------------


def _row(values: dict[str, Any], say: _Say) -> Row | None:
    """Return the row of one CPU, None if it is offline or wrong, which ``say`` is told.

    Args:
        values: by column, in lower case.
    """
    if str(values.get("online", "yes")).lower() in ("no", "false"):
        return None
    found: dict[str, int] = {}
    for column in ("cpu", "node", "socket", "core"):
        value = str(values.get(column, "0"))
        if not value.isascii() or not value.isdecimal() or int(value[:8]) > _MAX_NUMBER:
            say(column, f"must be a number from 0 on {got(values.get(column))}")
        else:
            found[column] = int(value[:8])
    caches: dict[str, str] = {}
    for column, value in values.items():
        if _is_caches(column):
            levels = [level for level in column.split(":") if level]
            ids = str(value).split(":")
            if len(ids) != len(levels) or not all(each.isdecimal() or each == "-" for each in ids):
                say(column, f"must be {len(levels)} numbers with ':' between them {got(value)}")
            caches.update(zip(levels, ids))
    if len(found) < 4:
        return None
    row = Row(found["cpu"], found["node"], found["socket"], core=found["core"])
    levels = sorted(level for level in caches if level in ("l2", "l3", "l4"))
    if levels:
        row.cache = (levels[-1], caches[levels[-1]])
    if len(levels) > 1:
        row.cluster = caches["l2"]
    return row


def _is_caches(column: str) -> bool:
    return re.fullmatch(r"l[1-4][di]?(:l[1-4][di]?)*", column) is not None


def _read_table(name: str, text: str, problems: list[Problem]) -> list[Row]:
    """Read what lscpu -e writes: a line of column names, then a line for each CPU."""
    header: list[str] | None = None
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = [(match.group(), match.start() + 1) for match in re.finditer(r"\S+", line)]
        if not words or words[0][0].startswith("#"):
            continue
        if header is None:
            header = [word.lower() for word, _ in words]
            for needed in ("cpu", "core"):
                if needed not in header:
                    what = f"must have a column {needed.upper()}, as lscpu -e writes it"
                    problems.append(Problem(name, number, 1, "", f"{what} {got(line.strip())}"))
            if problems:
                return []
            continue
        if len(words) != len(header):
            what = f"must have {len(header)} columns (got {len(words)})"
            problems.append(Problem(name, number, 1, "", what))
            continue
        columns = {key: column for key, (_, column) in zip(header, words)}

        def say(key: str, what: str, line: int = number, at: dict[str, int] = columns) -> None:
            problems.append(Problem(name, line, at.get(key, 1), key.upper(), what))

        row = _row({key: word for key, (word, _) in zip(header, words)}, say)
        if row is not None:
            row.line, row.column = number, words[header.index("cpu")][1]
            rows.append(row)
    if header is None:
        problems.append(Problem(name, 1, 1, "", "must be of lscpu -e, lscpu -J or lstopo"))
    return rows


def _read_json(name: str, text: str, problems: list[Problem]) -> list[Row]:
    """Read what lscpu -J -e writes: {"cpus": [{"cpu": 0, ...}, ...]}."""
    document = read_document(name if name.endswith(".json") else f"{name}", text)
    problems += document.problems
    data = document.data
    cpus = data.get("cpus") if isinstance(data, dict) else None
    if not isinstance(cpus, list):
        summary = isinstance(data, dict) and "lscpu" in data
        what = f"must have a list of cpus{f'; this is {_SUMMARY}' if summary else ''}"
        problems.append(document.problem(("lscpu",) if summary else (), what))
        return []
    rows = []
    for place, item in enumerate(cpus):
        if not isinstance(item, dict) or not {"cpu", "core"} <= {*item}:
            what = f"must be a mapping with cpu and core {got(item)}"
            problems.append(document.problem(("cpus", place), what))
            continue

        def say(key: str, what: str, place: int = place) -> None:
            problems.append(document.problem(("cpus", place, key), what))

        row = _row(item, say)
        if row is not None:
            where = document.problem(("cpus", place, "cpu"), "")
            row.line, row.column = where.line, where.column
            rows.append(row)
    return rows


# -- hwloc ---------------------------------------------------------------------------------------


class _Xml:
    """What the elements of a file say; ``parser`` calls ``start``, ``end`` and ``text``."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.name = name
        self.problems = problems
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.entity
        self.rows: dict[int, Row] = {}
        self.nodes: dict[int, int] = {}  # CPU -> node
        self.capacities: dict[int, int] = {}
        self.distances: dict[tuple[int, int], int] = {}
        self.distances_at = (1, 1)  # line and column
        self._open: list[tuple[str, str, int]] = []  # element, type of object, its serial number
        self._count = 0
        self._kind: list[int] = []  # CPUs of the cpukind that is open
        self._latency = False
        self._words: list[str] = []
        self._indexes: list[int] = []
        self._values: list[int] = []

    def say(self, path: str, what: str) -> None:
        """Note what is wrong at the place where the parser is."""
        self.problems.append(Problem(self.name, *self.place(), path, what))

    def place(self) -> tuple[int, int]:
        """Return line and column where the parser is."""
        return self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1

    def entity(self, *_: object) -> None:
        """Refuse them: a small file must not unfold into a big one."""
        self.say("", "entities are not supported")

    def number(self, value: str | None, path: str) -> int:
        """Return the number an attribute has, 0 if it is wrong."""
        if value is not None and value.isascii() and value.isdecimal() and len(value) < 8:
            return int(value)
        self.say(path, f"must be a number from 0 on {got(value)}")
        return 0

    def cpus(self, value: str | None, path: str) -> list[int]:
        """Return the CPUs of a set such as 0x00000001,0xffffffff."""
        words = (value or "").split(",")
        if value is None or not all(re.fullmatch(r"(0x[0-9a-fA-F]{1,8})?", word) for word in words):
            self.say(path, f"must be a set of CPUs such as 0x0000000f {got(value)}")
            return []
        mask = 0
        for word in words[-(MAX_CPUS // 32 + 1) :]:
            mask = mask << 32 | int(word or "0", 16)
        return [cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1]

    def start(self, element: str, attributes: dict[str, str]) -> None:
        if not self._open and element != "topology":
            self.say("", f"must be a topology of hwloc {got(element)}")
        if len(self._open) >= _DEPTH:
            what = f"deeper than {_DEPTH} levels"
            raise ConfigError([Problem(self.name, *self.place(), "", what)])
        kind = attributes.get("type", "") if element == "object" else ""
        if kind == "Cache":  # version 1
            kind = f"L{attributes.get('depth', '')}Cache"
        self._count += 1
        self._open.append((element, {"Socket": "Package"}.get(kind, kind), self._count))
        self._words = []
        if kind == "PU":
            self._pu(attributes)
        elif kind == "NUMANode":
            node = self.number(attributes.get("os_index"), "NUMANode.os_index")
            for cpu in self.cpus(attributes.get("cpuset"), "NUMANode.cpuset"):
                self.nodes[cpu] = node
        elif element == "distances2":
            self._latency = attributes.get("name", "NUMALatency") == "NUMALatency"
            self._latency &= attributes.get("type") == "NUMANode"
            self._indexes, self._values = [], []
            if self._latency:
                self.distances_at = self.place()
        elif element == "cpukind":
            self._kind = self.cpus(attributes.get("cpuset"), "cpukind.cpuset")
        elif element == "info" and attributes.get("name") == "LinuxCapacity" and self._kind:
            capacity = self.number(attributes.get("value"), "LinuxCapacity")
            if not 1 <= capacity <= 1024:
                self.say("LinuxCapacity", f"must be from 1 to 1024 {got(capacity)}")
            self.capacities.update(dict.fromkeys(self._kind, capacity))

    def _pu(self, attributes: dict[str, str]) -> None:
        known = len(self.problems)
        cpu = self.number(attributes.get("os_index"), "PU.os_index")
        if len(self.problems) > known:
            return  # nobody knows which CPU it is
        if cpu in self.rows:
            self.say("PU.os_index", f"CPU {cpu} is there twice")
        inside = {kind: serial for _, kind, serial in self._open}
        caches = [kind for kind in ("L2Cache", "L3Cache", "L4Cache") if kind in inside]
        row = Row(cpu, socket=inside.get("Package", 0), core=inside.get("Core", inside["PU"]))
        if caches:
            row.cache = inside[caches[-1]]
        if len(caches) > 1:
            row.cluster = inside["L2Cache"]
        row.line, row.column = self.place()
        self.rows[cpu] = row

    def text(self, data: str) -> None:
        """Collect it: it comes in pieces."""
        self._words.append(data)

    def end(self, element: str) -> None:
        self._open.pop()
        if element in ("indexes", "u64values") and self._latency:
            words = "".join(self._words).split()
            if not all(word.isdecimal() and len(word) < 8 for word in words):
                self.say(element, f"must be numbers {got(' '.join(words))}")
                words = []
            (self._indexes if element == "indexes" else self._values).extend(map(int, words))
        elif element == "distances2" and self._latency:
            self._latency = False
            if len(self._values) != len(self._indexes) ** 2:
                what = f"must have {len(self._indexes) ** 2} values (got {len(self._values)})"
                self.say("distances2", what)
                return
            pairs = ((one, other) for one in self._indexes for other in self._indexes)
            self.distances = dict(zip(pairs, self._values))
        elif element == "cpukind":
            self._kind = []
        self._words = []


def _read_xml(
    name: str, text: str, problems: list[Problem]
) -> tuple[list[Row], dict[tuple[int, int], int], tuple[int, int]]:
    """Read what lstopo --of xml writes; the last result is where the distances stand."""
    xml = _Xml(name, problems)
    try:
        xml.parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        what = f"not XML: {expat.ErrorString(error.code)}"
        problems.append(Problem(name, error.lineno, error.offset + 1, "", what))
    rows = list(xml.rows.values())
    for row in rows:
        row.node = xml.nodes.get(row.cpu, 0)
        row.capacity = xml.capacities.get(row.cpu, 1024)
    return rows, xml.distances, xml.distances_at


def is_topology_file(name: str) -> bool:
    """Tell whether a name is a file's: it has a folder or a suffix."""
    return "/" in name or Path(name).suffix in (".xml", ".json", ".txt", ".lscpu")
