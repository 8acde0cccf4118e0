"""A scenario file: a guest program, the machine it races on, and how every run must end.

::

    title: A parent waits while its child exits
    source: kernel/exit.c, do_wait() and exit_notify()
    program: wait_against_exit.py
    cpus: 2
    mutations: [do_wait.tasklist_lock]
    expect: {status: 0, stdout: "reaped\n"}
    verdicts: {sc: found, tso: found}
    budget: {runs: 2000}

The program lies beside the file. The machine has it at ``/srv/NAME.py`` and nothing else of its
folder, so a scenario is the same, with the same hash, wherever it lies. A guest program alone is a
scenario, too: with two CPUs, no mutations, and exit status 0.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from cluster.build import lone_spec, services_of
from cluster.config.errors import ConfigError, Problem, got
from cluster.config.load import load_model
from cluster.config.model import Model
from cluster.config.models import Argument, Kernel, Text
from cluster.config.quantities import Duration, OneOf
from cluster.config.source import Document
from cluster.mutations.changed import wrong_mutations
from cluster.race.run import Expected, Scenario
from kernel.drive.memory import ELSEWHERE, memory_model_names
from workloads.language.compiler import compile_program

CLEAN: Final = "clean"
FOUND: Final = "found"
MOST_CPUS: Final = 64
DEFAULT_CPUS: Final = 2
DEFAULT_RUNS: Final = 2000
MOST_RUNS: Final = 1_000_000_000
_MOST_BYTES: Final = 1 << 16  # of an expected output
_HZ: Final = 100  # the fewest ticks there are; with one task a CPU has none at all


class Expect(Model):
    """How every run must end."""

    status: Annotated[int, Field(ge=0, le=255, description="The program's exit status.")] = 0
    stdout: (
        Annotated[
            str, Field(max_length=_MOST_BYTES, description="What it prints; by default anything.")
        ]
        | None
    ) = None


class Budget(Model):
    """How much is tried, unless the command line says so."""

    runs: Annotated[int, Field(ge=1, le=MOST_RUNS, description="Runs.")] = DEFAULT_RUNS
    time: (
        Annotated[
            int, Duration(1_000_000, 10**18, "Of the host's time; by default as long as it takes.")
        ]
        | None
    ) = None
    steps: Annotated[
        int, Field(ge=100, le=10_000_000, description="A run that takes more steps is endless.")
    ] = 60_000


_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.py\Z", re.ASCII)


def _file_name(name: str) -> str:
    if not _FILE.match(name):
        raise ValueError("must be the name of a file beside this one, NAME.py")
    return name


_Verdict = Annotated[str, OneOf(CLEAN, FOUND)]


class ScenarioKeys(Model):
    """The keys of a scenario file."""

    title: Annotated[str, Field(min_length=1, max_length=200, description="What it is about.")]
    id: Annotated[
        str,
        Field(
            max_length=64,
            pattern=r"^[A-Za-z0-9_.-]*$",
            description="Its name in a catalogue; by default none.",
        ),
    ] = ""
    source: Annotated[
        str, Field(max_length=500, description="Where the public tells of it: a commit, a CVE.")
    ] = ""
    program: Annotated[
        str,
        Field(max_length=64, description="The guest program, a file beside this one: NAME.py."),
        AfterValidator(_file_name),
    ]
    args: Annotated[
        list[Argument], Field(max_length=100, description="Arguments of the program.")
    ] = []
    cpus: Annotated[int, Field(ge=1, le=MOST_CPUS, description="Simulated CPUs.")] = DEFAULT_CPUS
    linux: Annotated[str, OneOf("6.12", "2.6.34"), Field(description="Kernel version.")] = "6.12"
    model: Annotated[
        str,
        OneOf(*memory_model_names(), elsewhere=ELSEWHERE),
        Field(description="When CPUs see each other's stores."),
    ] = "sc"
    mutations: Annotated[
        list[Text], Field(max_length=100, description="Seeded bugs of the kernel.")
    ] = []
    kernel: Kernel = Kernel()
    expect: Expect = Expect()
    verdicts: Annotated[
        dict[Annotated[str, OneOf(*memory_model_names(), elsewhere=ELSEWHERE)], _Verdict],
        Field(description="What exploration shows under each memory model."),
    ] = {}
    budget: Budget = Budget()


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario as it is run, and what its file says besides.

    Attributes:
        verdicts: memory model -> ``clean`` or ``found``.
        id: its name in a catalogue, or an empty string.
        time_ns: of the host; None: as long as it takes.
    """

    scenario: Scenario
    title: str
    source: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)
    runs: int = DEFAULT_RUNS
    time_ns: int | None = None
    id: str = ""

    def changed(
        self,
        *,
        cpus: int | None = None,
        model: str | None = None,
        mutations: Iterable[str] | None = None,
    ) -> "ScenarioFile":
        """Return the same on another machine; None keeps what the file says.

        Raises:
            ConfigError: a name is unknown, or a number out of range; it speaks of the flags.
        """
        spec = self.scenario.spec
        problems = []
        if cpus is not None:
            if not 1 <= cpus <= MOST_CPUS:
                what = f"must be from 1 to {MOST_CPUS} {got(cpus)}"
                problems.append(Problem("--cpus", 0, 0, "", what))
            spec = replace(spec, cpus=cpus)
        if model is not None:
            known = memory_model_names()
            if model not in known:
                what = f"must be one of {', '.join(known)} {got(model)}{_hint(model, known)}"
                if model in ELSEWHERE:
                    what = f"{model} {ELSEWHERE[model]}: use {', '.join(known)}"
                problems.append(Problem("--model", 0, 0, "", what))
            spec = replace(spec, memory_model=model)
        if mutations is not None:
            names = tuple(mutations)
            problems += [Problem("--mutate", 0, 0, "", what) for _, what in _wrong(names)]
            spec = replace(spec, mutations=names)
        if problems:
            raise ConfigError(problems)
        return replace(self, scenario=replace(self.scenario, spec=spec))


def load_scenario(path: Path) -> ScenarioFile:
    """Read a scenario, ``FILE.yaml``, or a guest program as one, ``FILE.py``.

    Raises:
        ConfigError: with every problem, each at its place.
        GuestProgramError: the program is none.
    """
    if path.suffix == ".py":
        return _scenario(path, ScenarioKeys(title=path.stem, program="program.py"), path, None)
    keys, document = load_model(ScenarioKeys, path)
    return _scenario(path, keys, path.parent / keys.program, document)


def _scenario(
    path: Path, keys: ScenarioKeys, program: Path, document: Document | None
) -> ScenarioFile:
    problems: list[Problem] = []
    if document is not None:
        for index, what in _wrong(keys.mutations):
            problems.append(document.problem(("mutations", index), what))
    spec, why = lone_spec(
        program,
        [str(argument) for argument in keys.args],
        cpus=keys.cpus,
        linux=keys.linux,
        memory_model=keys.model,
        mutations=tuple(keys.mutations),
        hz=_HZ,
        kthreads=keys.kernel.kthreads,
        services=services_of(keys.kernel),
        acct=keys.kernel.acct,
    )
    if why:
        shown = Problem(str(path), 0, 0, "", why)
        problems.append(shown if document is None else document.problem(("program",), why))
    if problems:
        raise ConfigError(problems)
    compile_program(spec.sources[f"/srv/{program.name}"], str(program))
    label = spec.spawns[0].label
    expect = keys.expect
    outputs = () if expect.stdout is None else ((f"{label}.stdout", expect.stdout.encode()),)
    scenario = Scenario(
        path.stem,
        spec,
        Expected(((label, expect.status << 8),), outputs),
        most_steps=keys.budget.steps,
    )
    budget = keys.budget
    return ScenarioFile(
        scenario,
        keys.title,
        keys.source,
        dict(keys.verdicts),
        budget.runs,
        budget.time,
        keys.id,
    )


def _wrong(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    for place, why, hint in wrong_mutations(names):
        yield place, f"{why} {got(names[place])}{hint}"


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


__all__ = ["ScenarioFile", "load_scenario"]
