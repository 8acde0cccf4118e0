"""``smplab list``: what configurations and guests can name, by topic; a program's parameters."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cluster.exit_codes import OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.sync.scheme import SchemeClass

_WIDTH: Final = 80
Rows = Iterable[tuple[str, str]]


def list_(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC | PROGRAM | FAMILY | FILE.py:CLASS]",
            help="programs, configs, presets, commands, images, costs, points, …; a workload "
            "program; a family of presets; or a scheme, class or chooser of your own.",
        ),
    ] = None,
) -> int:
    """List what can be named: everything in short, one TOPIC whole, a PROGRAM's parameters."""
    from cluster.catalogue import program_names
    from cluster.plugins import is_file
    from cluster.presets.registry import families

    if topic is None:
        _overview()
    elif topic in TOPICS:
        for line in TOPICS[topic]():
            print(line)
    elif topic.removesuffix(":") in families():
        for line in family_lines(topic.removesuffix(":")):
            print(line)
    elif is_file(topic):
        for line in own_lines(topic):
            print(line)
    elif topic in program_names() or topic.endswith(".py"):
        for line in program_lines(topic):
            print(line)
    else:
        known = ", ".join([*TOPICS, *program_names(), *families()])
        raise CliError(USAGE, "usage", f"there is nothing to list as {topic!r}; there is {known}")
    return OK


def _overview() -> None:
    for topic, lines in TOPICS.items():
        if topic in _LONG:
            print(f"{topic}: smplab list {topic}")
            continue
        print(f"{topic}:")
        for line in lines():
            print(f"  {line}")
    print("parameters of a program: smplab list PROGRAM")


def columns(rows: Rows, indent: int = 0) -> Iterator[str]:
    """Yield names and texts side by side, the texts wrapped, in 80 columns less ``indent``."""
    rows = list(rows)
    width = min(max((len(name) for name, _ in rows), default=0), 40)
    for name, text in rows:
        room = max(_WIDTH - indent - width - 2, 30)
        lines = [part for line in text.split("\n") for part in textwrap.wrap(line, room) or [""]]
        first = lines.pop(0) if lines else ""
        if len(name) > width:
            yield name
            name = ""
        yield f"{name:<{width}}  {first}".rstrip()
        for line in lines:
            yield " " * (width + 2) + line


def _programs() -> Iterator[str]:
    from cluster.catalogue import describe_program, program_names

    return columns(((name, describe_program(name)) for name in program_names()), 2)


def _configs() -> Iterator[str]:
    from cluster.catalogue import config_names, configs_in_folders, describe_config

    names = [*config_names(), *configs_in_folders()]
    return columns(((name, describe_config(name)) for name in names), 2)


def _presets() -> Iterator[str]:
    """Every family, with a preset of it; their options: ``smplab list FAMILY``."""
    from cluster.presets.registry import families

    rows = [(f"{one.name}:…", f"{one.summary}\n{one.examples[0]}") for one in families().values()]
    return columns(rows, 2)


def family_lines(name: str) -> Iterator[str]:
    """Yield what a family of presets is, what it can be asked for, and examples."""
    from cluster.presets.registry import families

    family = families()[name]
    yield family.summary
    yield ""
    yield from columns(family.rows)
    yield ""
    for example in family.examples:
        yield f'smplab run "{example}"'


def _races() -> Iterator[str]:
    from cluster.race.shipped import describe_scenario, scenario_names

    return columns(((name, describe_scenario(name)) for name in scenario_names()), 2)


def _generators() -> Iterator[str]:
    from workloads.generators import GENERATORS

    return columns(((name, one.summary) for name, one in GENERATORS.items()), 2)


def _profiles() -> Iterator[str]:
    from cluster.catalogue import cost_profile, cost_profile_names

    return columns(((name, cost_profile(name).description) for name in cost_profile_names()), 2)


def _costs() -> Iterator[str]:
    """Every cost, with its value in the profile ``default``."""
    from cluster.catalogue import cost_profile
    from kernel.costs import Costs, cost_names

    entries = cost_profile("default").costs
    rows = []
    for name in cost_names():
        entry = entries.get(name)
        value = getattr(Costs(), name) if entry is None else entry.value
        text = f"{value:,}" if entry is None else f"{value:,} {entry.unit}: {entry.source}"
        rows.append((name, text))
    return columns(rows)


def _points() -> Iterator[str]:
    """Every named point of the kernel, its kind, and where it is; ``*``: it can be dropped."""
    from cluster.point_names import point_places
    from kernel import points
    from kernel.drive.mutations import DROP, admits

    kinds = {
        value: name.lower()
        for name, value in vars(points).items()
        if name.isupper() and type(value) is int
    }
    yield "places are below kernel/; * can be dropped (smplab race mutants --list):"
    rows: dict[str, list[str]] = {}
    for name, kind, where in point_places():
        mark = "*" if DROP in admits(kind) else " "
        rows.setdefault(name, [f"{mark} {kinds[kind]:<8}"]).append(where.removeprefix("kernel/"))
    for name, (kind_text, *places) in sorted(rows.items()):
        yield f"{name:<36} {kind_text} {places[0]}" + (f" +{len(places) - 1}" * (len(places) > 1))


def _mutations() -> Iterator[str]:
    """The seeded bugs of balancing; those of points are among the points."""
    from kernel.smp.mutations import SCHED_MUTATIONS

    yield from columns(SCHED_MUTATIONS.items(), 2)
    yield "and the points marked * of smplab list points, at granularity step"


def _commands() -> Iterator[str]:
    from cluster.catalogue import COMMANDS, OTHER_NAMES, program_text

    rows = []
    for name in sorted({*COMMANDS, *OTHER_NAMES}):
        head = program_text(f"bin_{OTHER_NAMES.get(name, name)}").split("\n\n", 1)[0]
        rows.append((name, " ".join(head.replace("``", "").split())))
    return columns(rows, 2)


def _images() -> Iterator[str]:
    from cluster.build import PYTHON
    from cluster.catalogue import COMMANDS, OTHER_NAMES
    from kernel.machine import ImageSpec

    one = ImageSpec("")
    yield f"{'path':<20} {'text':>5} {'data':>5} {'bss':>5} {'stack':>5}  pages"
    names = sorted({*COMMANDS, *OTHER_NAMES})
    paths = [f"{folder}/{name}" for folder in ("/bin", "/usr/bin") for name in names]
    for path in [*paths, PYTHON]:
        yield (
            f"{path:<20} {one.text_pages:>5} {one.data_pages:>5} {one.bss_pages:>5} "
            f"{one.stack_pages:>5}"
        )


def _sched() -> Iterator[str]:
    """Every scheduling class, highest first, and what of it can be configured."""
    from cluster.config.sched import tunable_rows
    from cluster.plugins import SCHED_CLASS, installed_names
    from kernel.machine import fair_of
    from kernel.sched.classes import CLASSES, scheduler
    from kernel.sched.sched_class import CLASS_ORDER, FAIR_RANK
    from kernel.uapi.policy import POLICY_NAMES

    for linux in ("6.12", "2.6.34"):
        yield f"linux: {linux}, {scheduler(fair_of('auto', linux), linux)}"
    for cls in CLASSES:
        policies = ", ".join(POLICY_NAMES[policy] for policy in cls.policies)
        as_of = f"as of {cls.as_of}" if cls.as_of else ""
        as_of += "".join(f", not in {linux}" for linux in cls.absent)
        yield f"{cls.name:<8} {CLASS_ORDER[cls.rank]:<8} {policies:<36} {as_of}".rstrip()
        if cls.rank == FAIR_RANK:
            yield f"  child_runs_first: auto is {cls.fork_order}"
        yield from columns(tunable_rows(cls))
    for name in installed_names(SCHED_CLASS):
        yield f"{name}: installed"


def _topologies() -> Iterator[str]:
    from cluster.config.topology import by_numbers
    from cluster.config.topology_models import PROCESSORS

    rows = []
    for name, one in PROCESSORS.items():
        cpus = len(by_numbers(one.topology)[0].places)
        rows.append((name, f"{cpus} CPUs: {one.title} ({one.source})"))
    return columns(rows, 2)


def _schemes() -> Iterator[str]:
    from cluster.plugins import SCHEME, is_installed
    from cluster.sync.scheme import BUILTIN, SchemeError, scheme_class, scheme_names

    rows = []
    for name in scheme_names():
        try:
            text = _of_scheme(scheme_class(name))
        except SchemeError as error:  # an installed one that cannot be had
            text = str(error)
        own = name not in BUILTIN and is_installed(SCHEME, name)
        rows.append((name, f"{text}; installed" if own else text))
    return columns(rows, 2)


def _of_scheme(found: "SchemeClass") -> str:
    order = "deterministic" if found.deterministic else "not deterministic: runs are recorded"
    return f"{order}; engines: {', '.join(sorted(found.engines))}"


def _parts(role: str) -> Callable[[], Iterator[str]]:
    def lines() -> Iterator[str]:
        from cluster.driver_parts import all_names

        return iter(all_names(role))

    return lines


def own_lines(name: str) -> Iterator[str]:
    """Yield what the class ``name``, FILE.py:CLASS, is a part of, once for each kind it fits.

    Raises:
        CliError: it cannot be loaded, or is no part of any kind; the message says why.
    """
    from cluster.driver_parts import PartError, load_part
    from cluster.plugins import CHOOSER, MEMORY_MODEL, SCHED_CLASS, SCHEME
    from cluster.sched_classes import SchedClassError, find
    from cluster.sync.scheme import SchemeError, scheme_class
    from kernel.uapi.policy import POLICY_NAMES

    def of_class(name: str) -> str:
        cls = find(name, Path()).cls
        return f"policies {', '.join(POLICY_NAMES[policy] for policy in cls.policies)}"

    def of_role(role: str) -> Callable[[str], str]:
        def load(name: str) -> str:
            load_part(role, name)
            return f"for {role} of a configuration"

        return load

    tries: dict[str, Callable[[str], str]] = {
        SCHEME.word: lambda name: _of_scheme(scheme_class(name)),
        SCHED_CLASS.word: of_class,
        CHOOSER.word: of_role("tie_break"),
        MEMORY_MODEL.word: of_role("memory_model"),
    }
    problems: dict[str, None] = {}
    found = []
    for word, describe in tries.items():
        try:
            found.append(f"{name}: a {word}; {describe(name)}")
        except (SchemeError, SchedClassError, PartError) as error:
            problems[str(error)] = None
    if not found:
        raise CliError(USAGE, "usage", "\n".join(problems))
    yield from found


def _words(*names: str) -> Callable[[], Iterator[str]]:
    return lambda: iter(names)


def _choices() -> dict[str, Callable[[], Iterator[str]]]:
    from cluster.config.models import ENGINES
    from cluster.config.sched import FAIR_CLASSES
    from cluster.plugins import SCHED_CLASS, installed_names

    return {
        "schedulers": _words(*FAIR_CLASSES, *installed_names(SCHED_CLASS)),
        "engines": _words(*ENGINES),
    }


TOPICS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "programs": _programs,
    "configs": _configs,
    "presets": _presets,
    "races": _races,
    "generators": _generators,
    "profiles": _profiles,
    "sched": _sched,
    "commands": _commands,
    **{
        name: (lambda name=name: _choices()[name]())  # type: ignore[misc]
        for name in ("schedulers", "engines")
    },
    "schemes": _schemes,
    "choosers": _parts("tie_break"),
    "memory_models": _parts("memory_model"),
    "topologies": _topologies,
    "mutations": _mutations,
    "images": _images,
    "costs": _costs,
    "points": _points,
}
_LONG: Final = frozenset({"images", "costs", "mutations", "points"})


def program_lines(name: str) -> Iterator[str]:
    """Yield what a program says of itself and of its parameters.

    Raises:
        CliError: it is a file that cannot be read.
    """
    import ast

    from cluster.catalogue import program_names, program_source
    from cluster.config.load import read_text
    from cluster.config.params import parameters
    from kernel.trace.printable import printable_line

    source = program_source(name) if name in program_names() else read_text(Path(name))
    known = parameters(source)
    try:
        text = ast.get_docstring(ast.parse(source)) or ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CliError(USAGE, "guest program", f"{name}: not Python 3.11") from None
    yield from textwrap.wrap(printable_line(text.split("\n", 1)[0]), _WIDTH)
    if known is None:
        yield "It says nothing of parameters (DEFAULTS)."
        return
    yield ""
    rows = []
    for one in known.values():
        meaning = "\n".join(printable_line(line) for line in one.meaning.split("\n"))
        head, *rest = (meaning or "?").split("\n")
        name = f"{one.name}={printable_line(one.default)}"
        rows.append((name, "\n".join([f"{head} ({one.describe()})", *rest])))
    yield from columns(rows)
    for paragraph in text.split("\n\n")[2:]:
        if "=" in paragraph.split("\n", 1)[0].split(" ", 1)[0]:
            continue
        yield ""
        yield from textwrap.wrap(printable_line(" ".join(paragraph.split())), _WIDTH)


def register(app: typer.Typer) -> None:
    """Add the command ``list`` to ``app``."""
    app.command("list")(list_)
