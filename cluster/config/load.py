"""A configuration file, with overrides, to a checked ``RunConfig``: or every problem at once."""

import difflib
import os
import select
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cluster.config import models
from cluster.config.cgroups import CGROUP_PATTERN, cgroup_conflicts
from cluster.config.cpu_max import CPU_MAX_PATTERN, CPU_MAX_WORDS
from cluster.config.errors import ConfigError, KeyPath, Problem, dotted, got
from cluster.config.models import SCHEMES, RunConfig, Workload, config_with
from cluster.config.noise import noise_specs, wrong_noise
from cluster.config.preset_text import config_of, is_preset
from cluster.config.quantities import OneOf
from cluster.config.sched import FAIR_CLASSES, OTHERS, AnySched, conflicts, sched_with
from cluster.config.sound import Sound
from cluster.config.source import MAX_BYTES, Document, read_document, scalar_value
from cluster.config.ticks import conflicts as nohz_conflicts
from cluster.config.topology import Cpus, Finding, Topology, by_numbers, smt_shares
from cluster.config.topology_files import is_topology_file, read_topology
from cluster.config.topology_models import PROCESSORS, topology_named
from cluster.driver_parts import PartError, load_part
from cluster.mutations.changed import wrong_mutations
from cluster.plugins import (
    SCHED_CLASS,
    PluginError,
    Source,
    is_file,
    is_installed,
    place_of,
    source_of,
)
from cluster.sched_classes import Found, SchedClassError, find
from cluster.sync.scheme import SchemeClass, SchemeError, in_halves, runs_free, scheme_class
from kernel.machine import NoiseSpec, fair_of
from kernel.sched.classes import fair_class_by_name, together
from kernel.sched.eevdf import eevdf_sched_class
from kernel.sched.sched_class import SchedClass
from kernel.smp.mutations import SCHED_MUTATIONS, why_not
from kernel.smp.topology import Topology as KernelTopology
from kernel.smp.topology import build, flat
from workloads.generators import GENERATORS

FIFO_PATIENCE_S: Final = 5

Override = tuple[str, str]
M = TypeVar("M", bound=BaseModel)

# keys that there were, and what is there instead
_FORMER: Final[dict[KeyPath, str]] = {
    ("ray", "compiled_graph"): "it is ray.link now: auto, shm, graph or calls",
}
_PATTERNS: Final = {
    models.NAME_PATTERN: "must be letters, digits, '.', '_' and '-', 64 at most",
    models.WORD_PATTERN: "must be a word of letters, digits and '_'",
    models.IMAGE_PATTERN: "must be a file name or an absolute path",
    models.SERVICE_PATTERN: "must be letters, digits, '.', '_', ':' and '-', 15 at most",
    models.UNIT_PATTERN: "must be ns or ps, with 'per ITEM' where it applies",
    CPU_MAX_PATTERN: CPU_MAX_WORDS,
    CGROUP_PATTERN: "must be names joined by '/', each of letters, digits, '.', '_' and '-'",
}
_WORDS: Final = {
    "int_type": "must be an integer",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "list_type": "must be a list",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} item",
    "too_long": "must have at most {max_length} items",
}


@dataclass(slots=True)
class Loaded:
    """A checked configuration together with where its values came from."""

    config: RunConfig
    document: Document
    folder: Path  # relative paths in the config start here
    origins: dict[KeyPath, str] = field(default_factory=dict)
    fair: SchedClass = eevdf_sched_class
    fair_from: Source = ()  # as in MachineSpec
    tie_break_from: Source = ()
    memory_model_from: Source = ()
    scheme_from: Source = ()  # as in RunRequest
    # what is wrong, if anything is; ``config`` is then that of the values which are sound
    problems: list[Problem] = field(default_factory=list)
    sound: Sound = field(default_factory=lambda: Sound(None))
    others: tuple[Found, ...] = ()  # of other ranks than fair, from outside
    cpus: Cpus = field(default_factory=Cpus)  # as machine.topology says
    smt_share: tuple[int, ...] = ()
    noise: tuple[NoiseSpec, ...] = ()

    @property
    def classes(self) -> tuple[SchedClass, ...]:
        """The scheduling classes of the machine, highest first."""
        others = [found.cls for found in self.others]
        return together(self.fair, others, self.config.linux)

    def problem(self, path: KeyPath, what: str, *, of_key: bool = False) -> Problem:
        """Return the finding ``what`` about the value at ``path``."""
        path = self.sound.written(path)
        return _problem(self.document, self.origins, path, what, of_key=of_key)

    def is_sound(self, *path: str | int) -> bool:
        """Tell whether nothing that the file has at ``path`` was wrong and is left out."""
        return self.sound.is_sound(self.sound.written(path))


def load_config(path: Path, overrides: Iterable[Override] = ()) -> Loaded:
    """Read and check the file at ``path``, or the preset, with ``overrides`` applied in order.

    An override is ``(flag, "a.b=value")``; the flag, such as ``--set a.b=value``, stands for the
    place in messages. The value is read as a YAML scalar.

    Raises:
        ConfigError: with every problem found, each at its place or its ``--set`` flag.
    """
    return parse_config(str(path), config_text(path), path.parent, overrides)


def parse_config(name: str, text: str, folder: Path, overrides: Iterable[Override] = ()) -> Loaded:
    """As ``load_config``, from a text that is called ``name`` in messages."""
    loaded = _look_at(name, text, folder, overrides)
    if loaded.problems:
        raise ConfigError(loaded.problems)
    return loaded


def look_at_config(path: Path, overrides: Iterable[Override] = ()) -> Loaded:
    """As ``load_config``, but problems are in the result: there may be more to find.

    Raises:
        ConfigError: so much is wrong that nothing else can be looked at.
    """
    return _look_at(str(path), config_text(path), path.parent, overrides)


def config_text(path: Path) -> str:
    """Return the text of the configuration at ``path``, or of that which a preset stands for.

    Raises:
        ConfigError: as ``read_text``.
    """
    return config_of(str(path)) if is_preset(path) else read_text(path)


def _look_at(name: str, text: str, folder: Path, overrides: Iterable[Override]) -> Loaded:
    document = read_document(name, text)
    if document.data is None:
        document.data = {}
    origins, problems = _override(document, overrides)
    if is_preset(Path(name)):
        origins[("workloads", 0, "preset")] = name  # the text of this file is ours
    own = _own_classes(document, folder)
    problems += [_problem(document, origins, ("sched", *path), why) for path, why in own.problems]
    config, problems, sound = _validated(own.model, document, origins, problems)
    loaded = Loaded(config, document, folder, origins, problems=problems, sound=sound)
    loaded.others = tuple(own.others)
    sound.bad.update(("sched", *path) for path, _ in own.problems)
    if own.fair is not None:
        loaded.fair, loaded.fair_from = own.fair.cls, own.fair.source
    elif ("sched", "fair") not in sound.bad:
        loaded.fair = fair_class_by_name(fair_of(config.sched.fair, config.linux))
    problems += _take_topology(loaded)
    problems += _check_noise(loaded)
    problems += _cross_checks(loaded)
    return loaded


@dataclass(slots=True)
class _OwnClasses:
    """The scheduling classes from outside that are named, and the model that goes with them."""

    model: type[RunConfig] = RunConfig
    fair: Found | None = None
    others: list[Found] = field(default_factory=list)
    problems: list[tuple[KeyPath, str]] = field(default_factory=list)  # below sched: what

    def find(self, name: Any, path: KeyPath, folder: Path, fair: bool) -> Found | None:
        """Return the class ``name``, None if it is none from outside; problems are noted."""
        if not isinstance(name, str) or name in ("auto", *FAIR_CLASSES, *OTHERS):
            return None
        if not (is_file(name) or is_installed(SCHED_CLASS, name)):
            return None
        try:
            return find(name, folder, fair)
        except SchedClassError as error:
            self.problems.append((path, f"{error} {got(name)}"))
            return None


def _own_classes(document: Document, folder: Path) -> _OwnClasses:
    """Find the classes that ``sched.fair`` and ``sched.classes`` name."""
    own = _OwnClasses()
    sched = document.data.get("sched") if isinstance(document.data, dict) else None
    if not isinstance(sched, dict):
        return own
    own.fair = own.find(sched.get("fair"), ("fair",), folder, fair=True)
    names = sched.get("classes")
    for place, name in enumerate(names if isinstance(names, list) else ()):
        found = own.find(name, ("classes", place), folder, fair=False)
        if found is None:
            continue
        try:
            others = [each.cls for each in (*own.others, found)]
            together(fair_class_by_name(FAIR_CLASSES[0]), others, "")
        except ValueError as error:
            own.problems.append((("classes", place), f"{error} {got(name)}"))
        else:
            own.others.append(found)
    if own.problems:
        own.model = config_with(AnySched)
    elif own.fair is not None or own.others:
        fair = () if own.fair is None else (own.fair.cls,)
        own.model = config_with(sched_with(*fair, *(found.cls for found in own.others)))
    return own


def load_model(model: type[M], path: Path) -> tuple[M, Document]:
    """Read another kind of file (a cost profile) with the same rules."""
    document = read_document(str(path), read_text(path))
    problems = list(document.problems)
    try:
        found = model.model_validate(document.data)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        problems += _schema_problems(model, document, {}, errors)
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return found, document


def look_at_keys(
    model: type[M], path: Path, needed: Mapping[str, Any]
) -> tuple[M, Document, list[Problem]]:
    """As ``load_model``, but problems are in the result, and keys that have one are left out.

    A key that is left out, or is not there, has its default.

    Args:
        model, path: as ``load_model`` has them.
        needed: what keys that must be there have instead.

    Raises:
        ConfigError: nothing of it can be looked at.
    """
    document = read_document(str(path), read_text(path))
    problems = list(document.problems)
    try:
        return model.model_validate(document.data), document, problems
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
    problems += _schema_problems(model, document, {}, errors)
    if not isinstance(document.data, dict):
        raise ConfigError(problems)
    wrong = {error["loc"][0] for error in errors}
    sound = {key: value for key, value in document.data.items() if key not in wrong}
    return model.model_construct(**{**needed, **sound}), document, problems


def wrong_values(name: str, text: str, folder: Path) -> list[Problem]:
    """Return what is wrong with single values of a configuration, whatever goes with them.

    Args:
        name, text, folder: as ``parse_config`` has them.
    """
    document = read_document(name, text)
    own = _own_classes(document, folder)
    problems = [_problem(document, {}, ("sched", *path), why) for path, why in own.problems]
    try:
        own.model.model_validate(document.data)
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
        problems += _schema_problems(own.model, document, {}, errors)
    return problems


def has_keys(path: Path, *keys: str) -> bool:
    """Tell whether the file at ``path`` has these keys, and none of a workload.

    What cannot be read has none: who reads it next says why. Nor has what can be read once only.
    """
    if not path.is_file():
        return False
    try:
        data = read_document(str(path), read_text(path)).data
    except ConfigError:
        return False
    return isinstance(data, dict) and set(keys) <= set(data) and "workloads" not in data


def read_text(path: Path) -> str:
    """Return the text of a file the user named.

    Raises:
        ConfigError: it is not there, not readable, not UTF-8, longer than 16 MiB, or a FIFO that
            nobody writes.
    """
    try:
        data = _read(path)
        return data.decode("utf-8-sig")
    except OSError as error:
        what = error.strerror or "cannot be read"
        raise ConfigError([Problem(str(path), 0, 0, "", what)]) from None
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text (byte {error.start})"
        raise ConfigError([Problem(str(path), 0, 0, "", what)]) from None
    except ValueError as error:
        raise ConfigError([Problem(str(path), 0, 0, "", str(error))]) from None


def _read(path: Path) -> bytes:
    """Return what is in a file, at most a byte more than is allowed.

    A pipe is read as long as somebody writes it (``smplab run <(generate)``); nobody waits for a
    writer that never comes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.set_blocking(descriptor, True)
            return stream.read(MAX_BYTES + 1)
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        data = b""
        while len(data) <= MAX_BYTES:
            # without a writer the end is there at once
            if not waiting.poll(1000 * FIFO_PATIENCE_S):
                raise ValueError(f"a FIFO that nobody has written for {FIFO_PATIENCE_S} s")
            part = os.read(descriptor, 1 << 16)
            if not part:
                break
            data += part
        if not data:
            raise ValueError("a FIFO that nobody writes")
        return data


def _validated(
    model: type[M], document: Document, origins: dict[KeyPath, str], problems: list[Problem]
) -> tuple[M, list[Problem], Sound]:
    """Return the model of what is sound in a document, and what is not.

    Raises:
        ConfigError: nothing is left.
    """
    problems = problems + document.problems
    sound = Sound(document.data)
    try:
        return model.model_validate(document.data), problems, sound
    except ValidationError as failure:
        errors = failure.errors(include_url=False)
    problems += _schema_problems(model, document, origins, errors)
    if not problems:
        raise AssertionError("a document that does not fit has no problem")
    for path in sorted(document.bad_paths, key=repr):
        sound.take_out(path)
    while True:
        took = [sound.take_out(sound.written(_key_path(error)[0])) for error in errors]
        if not any(took):
            raise ConfigError(problems)
        try:
            return model.model_validate(sound.data()), problems, sound
        except ValidationError as failure:
            errors = failure.errors(include_url=False)


def _schema_problems(
    model: type[BaseModel],
    document: Document,
    origins: dict[KeyPath, str],
    errors: list[ErrorDetails],
) -> Iterable[Problem]:
    """Yield what the model says is wrong, but for values that are told to be wrong already."""
    bad = document.bad_paths
    misspelt = _misspelt(model, errors)
    for error in errors:
        path, of_key = _key_path(error)
        if any(path[: len(start)] == start for start in bad):
            continue
        if error["type"] == "missing" and path in misspelt:
            continue  # the unknown key says so, and where
        what = _words(model, error, path)
        yield _problem(document, origins, path, what, of_key=of_key)


def _problem(
    document: Document,
    origins: dict[KeyPath, str],
    path: KeyPath,
    what: str,
    *,
    of_key: bool = False,
) -> Problem:
    for start, flag in origins.items():
        if path[: len(start)] == start:
            return Problem(flag, 0, 0, dotted(path), what)
    found = document.problem(path, what, of_key=of_key)
    if path and path not in (document.marks or {}):  # a mapping that only flags have written
        for start, flag in origins.items():
            if start[: len(path)] == path:
                return Problem(flag, 0, 0, dotted(path), what)
    return found


def _key_path(error: ErrorDetails) -> tuple[KeyPath, bool]:
    path = error["loc"]
    if path and path[-1] == "[key]":
        return path[:-1], True
    return path, error["type"] == "extra_forbidden"


def _words(model: type[BaseModel], error: ErrorDetails, path: KeyPath) -> str:
    """Say in our own words what pydantic found."""
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        if path in _FORMER:
            return f"unknown key ({_FORMER[path]})"
        return f"unknown key{_hint(str(path[-1]), _keys_at(model, path[:-1]))}"
    if kind == "value_error":
        what = str(context["error"])
    elif kind == "string_pattern_mismatch":
        what = _PATTERNS[context["pattern"]]
    elif kind in _WORDS:
        what = _WORDS[kind].format(**context)
    else:
        what = error["msg"][:1].lower() + error["msg"][1:]
    return f"{what} {got(error['input'])}"


def _misspelt(model: type[BaseModel], errors: list[ErrorDetails]) -> set[KeyPath]:
    """Return the paths that unknown keys were probably meant to be."""
    found: set[KeyPath] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            *parent, word = error["loc"]
            near = difflib.get_close_matches(str(word), _keys_at(model, tuple(parent)), n=1)
            found |= {(*parent, name) for name in near}
    return found


def _hint(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f" (did you mean {close[0]}?)"
    return f" (known here: {', '.join(known)})" if known else ""


def _keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that the mapping at ``path`` may hold."""
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[str(part)].annotation
        else:
            current = get_args(current)[-1]
        while get_origin(current) not in (None, dict, list):
            current = get_args(current)[0]
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _override(
    document: Document, overrides: Iterable[Override]
) -> tuple[dict[KeyPath, str], list[Problem]]:
    """Write the overrides into the document's data; return path -> flag, and what went wrong."""
    origins: dict[KeyPath, str] = {}
    problems = []
    for flag, text in overrides:
        name, equals, value = text.partition("=")
        parts = name.strip().split(".")
        if not equals or not all(parts):
            problems.append(Problem(flag, 0, 0, "", "must be KEY=VALUE, as in machine.cpus=64"))
            continue
        try:
            path = _set(document.data, parts, value.strip())
            origins[path] = flag
        except ValueError as error:
            problems.append(Problem(flag, 0, 0, name.strip(), str(error)))
    return origins, problems


def _set(data: Any, parts: list[str], text: str) -> KeyPath:
    path: KeyPath = ()
    for depth, part in enumerate(parts):
        key: str | int = part
        if isinstance(data, list):
            if not part.isdecimal() or int(part) >= len(data):
                raise ValueError(
                    f"{dotted(path)} is a list of {len(data)}: there is no item {part}"
                )
            key = int(part)
        elif not isinstance(data, dict):
            raise ValueError(f"{dotted(path) or 'the config'} is not a mapping")
        path = (*path, key)
        if depth == len(parts) - 1:
            data[key] = _flag_value(text, path)
        else:
            if isinstance(data, dict) and data.get(key) is None:
                data[key] = {}
            data = data[key]
    return path


def _is_name(text: str, path: KeyPath) -> bool:
    """Tell whether a key takes ``text`` as one of its names, though it may look like a number.

    In a file ``6.10`` and ``6.1`` are one number; what a flag says is known to the letter.
    """
    model: Any = RunConfig
    found: Iterable[Any] = ()
    for part in path:
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            return False
        model, found = fields[part].annotation, fields[part].metadata
    return any(isinstance(each, OneOf) and text in each.values for each in found)


def _flag_value(text: str, path: KeyPath) -> Any:
    if _is_name(text, path):
        return text
    if text[:1] not in ("'", '"', "[", "{"):
        try:
            return scalar_value(text, path)
        except ValueError as error:
            raise ValueError(f"{error} (got {text[:40]})") from None
    try:
        document = read_document("", text)
    except ConfigError:
        raise ValueError(f"cannot be read as YAML (got {text[:40]})") from None
    if document.problems:
        raise ValueError(document.problems[0].what)
    return document.data


def _cross_checks(loaded: Loaded) -> Iterable[Problem]:
    """Yield what is wrong between several keys."""
    config = loaded.config
    machine, sched = config.machine, config.sched
    if config.sync.scheme != "auto":
        yield from _check_scheme(loaded)
    yield from _check_slack(loaded)
    if config.sync.tie_break != "order":
        yield from _check_part(loaded, ("sync", "tie_break"), config.sync.tie_break)
    if machine.memory_model != "sc":
        yield from _check_part(loaded, ("machine", "memory_model"), machine.memory_model)
    if config.mutations:
        yield from _check_mutations(loaded)
    for key in ("syscalls", "waking"):
        if getattr(config.trace, key) and not config.trace.enabled:
            yield loaded.problem(("trace", key), "is for trace.enabled: true")
    ray = config.ray
    if ray.hosts not in ("auto", 1) and ray.address == "local" and loaded.is_sound("ray"):
        what = f"a Ray of one's own has one host: name a cluster in ray.address {got(ray.hosts)}"
        yield loaded.problem(("ray", "hosts"), what)
    if ray.beside and loaded.is_sound("ray"):
        yield from _check_beside(loaded)
    least = max(301, 8 * machine.cpus)
    cpus_known = loaded.is_sound("machine", "cpus")
    if machine.pid_max is not None and machine.pid_max < least and cpus_known:
        what = f"must be at least {least} for {machine.cpus} CPUs {got(machine.pid_max)}"
        yield loaded.problem(("machine", "pid_max"), what)
    if all(loaded.is_sound("machine", key) for key in ("nohz", "nohz_full", "cpus")):
        for key, what in nohz_conflicts(machine.nohz, machine.nohz_full, machine.cpus):
            yield loaded.problem(("machine", key), what)
    if loaded.is_sound("sched"):
        for path, of_key, what in conflicts(sched, loaded.fair, loaded.classes, config.linux):
            yield loaded.problem(("sched", *path), what, of_key=of_key)
    names = loaded.document.data.get("cgroups", {})
    if isinstance(names, dict):
        for path, of_key, what in cgroup_conflicts(config, loaded.fair, names):
            yield loaded.problem(path, what, of_key=of_key)
    for index, workload in enumerate(config.workloads):
        if loaded.is_sound("workloads", index):
            yield from _check_arrivals(loaded, index, workload)
    for name, image in config.images.items():
        if image.program is None:
            continue
        for key in ("running_time", "exit_code"):
            if key in image.model_fields_set:
                what = "is for images without a program: the program decides"
                yield loaded.problem(("images", name, key), what, of_key=True)


def _take_topology(loaded: Loaded) -> Iterable[Problem]:
    """Find out what ``machine.topology`` means, and so how many CPUs there are; yield problems."""
    machine = loaded.config.machine
    topology = machine.topology
    if topology is None or not loaded.is_sound("machine", "topology"):
        return
    where: KeyPath = ("machine", "topology")
    if topology.model is None or not is_topology_file(topology.model):
        findings: list[Finding] = []
        if topology.model is not None:
            topology, findings = _of_processor(topology, topology.model)
        if not findings:
            loaded.cpus, findings = by_numbers(topology)
        for path, what in findings:
            yield loaded.problem((*where, *path), what)
    else:
        for key in sorted(topology.model_fields_set - {"model", "smt_share"}):
            yield loaded.problem((*where, key), "is for numbers: the file has all", of_key=True)
        file = loaded.folder / topology.model
        try:
            text = read_text(file)
        except ConfigError as error:  # it is the configuration that is wrong
            for unread in error.problems:
                yield loaded.problem((*where, "model"), f"{unread.file}: {unread.what}")
            return
        try:
            loaded.cpus = read_topology(str(file), text)
        except ConfigError as error:
            yield from error.problems
    number = len(loaded.cpus.places)
    if not number:
        return
    loaded.smt_share, findings = smt_shares(topology.smt_share, loaded.cpus.places)
    for path, what in findings:
        yield loaded.problem((*where, *path), what)
    if "cpus" not in machine.model_fields_set:
        machine = machine.model_copy(update={"cpus": number})
        loaded.config = loaded.config.model_copy(update={"machine": machine})
    elif machine.cpus != number and loaded.is_sound("machine", "cpus"):
        what = f"must be {number}, as machine.topology says, or left out {got(machine.cpus)}"
        yield loaded.problem(("machine", "cpus"), what)


def _check_noise(loaded: Loaded) -> Iterable[Problem]:
    """Yield what is wrong with ``machine.noise``."""
    machine = loaded.config.machine
    loaded.noise = noise_specs(machine.noise)
    if machine.noise is not None and loaded.is_sound("machine"):
        for path, what in wrong_noise(machine.noise, machine.cpus):
            yield loaded.problem(("machine", "noise", *path), what)


def _of_processor(topology: Topology, name: str) -> tuple[Topology, list[Finding]]:
    """Return the numbers of the processor ``name``, and what is wrong."""
    if name not in PROCESSORS:
        near = difflib.get_close_matches(name, PROCESSORS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PROCESSORS)}"
        what = f"no processor that is known, and no file's name {got(name)}; {hint}"
        return topology, [(("model",), what)]
    findings: list[Finding] = [
        ((key,), f"is known of {name}: only sockets and smt_share may be given beside it")
        for key in sorted(topology.model_fields_set - {"model", "sockets", "smt_share"})
    ]
    named = topology_named(name, topology.sockets)
    return named.model_copy(update={"smt_share": topology.smt_share}), findings


def _check_scheme(loaded: Loaded) -> Iterable[Problem]:
    """Yield why the scheme that is named cannot be had, or not on this engine."""
    config = loaded.config
    name, engine = config.sync.scheme, config.engine
    try:
        loaded.scheme_from = _source(name, loaded.folder)
        made = scheme_class(name, loaded.scheme_from)
    except (PluginError, SchemeError) as error:
        yield loaded.problem(("sync", "scheme"), f"{error} {got(name)}")
        return
    if engine not in made.engines and loaded.is_sound("engine"):
        what = f"{name} runs on the {' and '.join(sorted(made.engines))} engine only"
        hint = f": use barrier with engine {engine}" if engine == "ray" else ""
        yield loaded.problem(("sync", "scheme"), what + hint)
    why = _not_beside(made)
    if engine == "ray" and config.ray.beside and why and loaded.is_sound("ray"):
        yield loaded.problem(("ray", "beside"), why)
    why = _no_graph(made)
    if engine == "ray" and config.ray.link == "graph" and why:
        yield loaded.problem(("ray", "link"), f"{why}: use auto, shm or calls")


def _no_graph(scheme: SchemeClass) -> str:
    """Return why a compiled graph cannot carry a scheme's frames; "" if it can."""
    if in_halves(scheme):
        return f"a compiled graph has one superstep under way, and {scheme.name} two"
    if runs_free(scheme):
        return f"a graph has rounds, and CPUs run free under {scheme.name}"
    if scheme.settles:
        return f"a graph is for all CPUs at once, and one goes under {scheme.name}"
    return ""


def _not_beside(scheme: SchemeClass) -> str:
    """Return why no CPUs can be beside the kernel under a scheme; "" if they can."""
    if runs_free(scheme):
        return f"CPUs run free under {scheme.name}, and those beside the kernel would keep it busy"
    if scheme.settles:
        return f"one CPU goes at a time under {scheme.name}: none is beside the kernel"
    return ""


def _check_beside(loaded: Loaded) -> Iterable[Problem]:
    """Yield what keeps CPUs from being in the kernel actor's process."""
    ray, cpus = loaded.config.ray, loaded.config.machine.cpus
    if loaded.is_sound("machine", "cpus") and ray.beside >= cpus:
        what = f"leaves no CPU of {cpus} to another actor {got(ray.beside)}"
        yield loaded.problem(("ray", "beside"), what)
    if ray.link not in ("auto", "shm"):
        yield loaded.problem(("ray", "beside"), f"takes the link shm, not {ray.link}")
    if ray.hosts not in ("auto", 1):
        yield loaded.problem(("ray", "beside"), "all actors are then on one host (ray.hosts)")


def _check_slack(loaded: Loaded) -> Iterable[Problem]:
    """Yield why there must be a bound on how far CPUs run ahead, or must be none."""
    sync = loaded.config.sync
    if not loaded.is_sound("sync", "scheme") or not loaded.is_sound("sync", "slack"):
        return
    if sync.scheme == "slack":
        if sync.slack is None:
            yield loaded.problem(("sync", "scheme"), "slack needs sync.slack, such as 1ms")
    elif sync.slack is not None and sync.scheme in (*SCHEMES, "auto"):
        yield loaded.problem(("sync", "slack"), f"is for scheme slack {got(sync.scheme)}")


def _source(name: str, folder: Path) -> Source:
    """Return where a part is from, if it is a file's: its text is what counts from now on."""
    return source_of(name, folder) if is_file(name) else ()


def _check_part(loaded: Loaded, path: tuple[str, str], name: str) -> Iterable[Problem]:
    """Yield what is wrong with a part of the driver of granularity step, and read its file."""
    role = path[1]
    if loaded.config.granularity != "step" and loaded.is_sound("granularity"):
        yield loaded.problem(path, f"{name} is for granularity step")
        return
    try:
        source = _source(name, loaded.folder)
        load_part(role, place_of(name, loaded.folder), source)
    except (PluginError, PartError) as error:
        yield loaded.problem(path, f"{error} {got(name)}")
        return
    setattr(loaded, f"{role}_from", source)


def _check_mutations(loaded: Loaded) -> Iterable[Problem]:
    """Yield what is wrong with the seeded bugs: those of points, and those of balancing."""
    config = loaded.config
    of_points = [
        (index, name) for index, name in enumerate(config.mutations) if name not in SCHED_MUTATIONS
    ]
    if of_points and config.granularity != "step" and loaded.is_sound("granularity"):
        yield loaded.problem(("mutations",), "are for granularity step")
    for index, name in enumerate(config.mutations):
        if name in SCHED_MUTATIONS and loaded.is_sound("machine", "topology"):
            why = why_not(name, _topology_of(loaded))
            if why:
                yield loaded.problem(("mutations", index), f"{why} {got(name)}")
    names = [name for _, name in of_points]
    for place, why, hint in wrong_mutations(names, tuple(SCHED_MUTATIONS)):
        what = f"{why} {got(names[place])}{hint}"
        yield loaded.problem(("mutations", of_points[place][0]), what)


def _topology_of(loaded: Loaded) -> KernelTopology:
    """Return the levels of the machine that is configured."""
    cpus, config = loaded.cpus, loaded.config
    if not cpus.places:
        return flat(config.machine.cpus)
    return build(cpus.places, cpus.distances, config.linux)


def _check_arrivals(loaded: Loaded, index: int, workload: Workload) -> Iterable[Problem]:
    """Yield what is wrong between the keys that say when the instances of a workload start."""
    arrivals = workload.arrivals
    if arrivals is None:
        return
    where: KeyPath = ("workloads", index, "arrivals")
    if "every" in workload.model_fields_set:
        what = "says the same as arrivals: write one of the two"
        yield loaded.problem(("workloads", index, "every"), what, of_key=True)
    needed = GENERATORS[arrivals.pattern].keys
    for key in needed:
        if getattr(arrivals, key) is None:
            yield loaded.problem(where, f"{key} is required for pattern {arrivals.pattern}")
    for key in ("every", "size", "rate"):
        if key not in needed and getattr(arrivals, key) is not None:
            what = f"is not for pattern {arrivals.pattern} (which has: {', '.join(needed)})"
            yield loaded.problem((*where, key), what, of_key=True)
