"""``smplab outcomes``: how often a configuration ends in which way when its CPUs run free."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.cli.options import ConfigArgument, SetOption, SlackOption
from cluster.exit_codes import BROKEN, FAILED, OK, USAGE, CliError, report

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.config.load import Override
    from cluster.engine_api import RunRequest, RunResult
    from cluster.outcomes import Outcomes


def outcomes(
    config: ConfigArgument,
    runs: Annotated[int, typer.Option(min=1, max=100_000, help="Runs whose CPUs run free.")] = 100,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The first seed; of both kinds of runs.")
    ] = None,
    engine: Annotated[str, typer.Option(help="local or ray, of the free runs.")] = "local",
    scheme: Annotated[
        str | None, typer.Option(help="lax or slack, instead of the configuration's.")
    ] = None,
    slack: SlackOption = None,
    reference: Annotated[
        int, typer.Option(min=1, max=100_000, help="Runs of exact to compare with, at least.")
    ] = 100,
    most: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="And at most, while an outcome is missing.")
    ] = 3000,
    settings: SetOption = None,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder that gets the run directories.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Run a configuration many times with CPUs that run free, and count how it ends.

    An outcome is what programs wrote and how they ended. One run of each is kept, for smplab
    replay. Every outcome must be one that the scheme exact reaches with random tie-breaks.

    Exits 0 if all are; 1 if one is not; else as smplab run does, for a run that broke.
    """
    from cluster.catalogue import config_path
    from cluster.cli.common import overrides
    from cluster.outcomes import REFERENCE, Outcomes, RunFailed, exact_runs, free_runs

    path = config_path(config)
    flags = overrides(settings, engine=engine, sync__scheme=scheme, sync__slack=slack, out=out)
    loaded = _loaded(path, flags)
    if not _runs_free(loaded):
        if scheme is not None:
            what = f"--scheme {scheme}: its CPUs do not run free: take lax or slack"
            raise CliError(USAGE, "usage", what)
        flags += overrides(None, sync__scheme="lax")
        loaded = _loaded(path, flags)
    compared = [*flags, *REFERENCE]
    _loaded(path, compared)  # what is wrong with it is told before anything runs
    first = loaded.config.seed if seed is None else seed
    found = Outcomes()
    try:
        with _one_ray(loaded):
            free = _FreeRuns(path, flags)
            for made, new in free_runs(found, free.make, range(first, first + runs)):
                free.keep(new)
                _tell(f"run {made} of {runs}: {len(found.seen)} outcomes")
        make = partial(_request, path, compared)
        for made in exact_runs(found, make, first, reference, max(reference, most)):
            _tell(f"run {made} of exact: {len(found.outside())} outcomes are missing")
    except RunFailed as failed:
        _tell("")
        return _failure(failed.result, failed.directory)
    _tell("")
    print(_as_json(found) if as_json else "\n".join(_lines(found)))
    outside = found.outside()
    if outside:
        what = f"not reached by {found.exact_runs} runs of exact: "
        report("outside", "\n".join(what + text for text in outside))
    return FAILED if outside else OK


def _loaded(path: Path, flags: "Sequence[Override]") -> "Loaded":
    """Return a configuration, whole and sound."""
    from cluster.cli.common import checked_machine
    from cluster.config import look_at_config

    loaded = look_at_config(path, flags)
    checked_machine(loaded)
    return loaded


def _request(path: Path, flags: "Sequence[Override]", seed: int) -> "RunRequest":
    """Return the run of a seed."""
    from cluster.build import resolve
    from cluster.config import look_at_config
    from cluster.request import request_of

    loaded = look_at_config(path, [*flags, ("--seed", f"seed={seed}")])
    return request_of(loaded, resolve(loaded))


def _runs_free(loaded: "Loaded") -> bool:
    from cluster.sync.scheme import runs_free, scheme_class

    return runs_free(scheme_class(loaded.config.taken_scheme, loaded.scheme_from))


@contextmanager
def _one_ray(loaded: "Loaded") -> Iterator[None]:
    """Have one Ray for all runs, if they are to be on Ray."""
    if loaded.config.engine != "ray":
        yield
        return
    from cluster.interrupt import NEVER, HeldInterrupt
    from cluster.ray_session import RaySession, RayUnreachable

    try:
        session = RaySession(loaded.config.ray.address, loaded.config.machine.cpus + 1)
    except RayUnreachable as error:
        raise CliError(BROKEN, "run broke", str(error)) from None
    try:
        yield
    finally:
        session.close(HeldInterrupt(NEVER))


class _FreeRuns:
    """Runs whose CPUs run free, each with a directory, which is removed again unless it is kept."""

    def __init__(self, path: Path, flags: "Sequence[Override]") -> None:
        self._path = path
        self._flags = flags
        self._directory: Path | None = None

    def make(self, seed: int) -> "tuple[RunResult, Path]":
        """See ``cluster.outcomes.Make``."""
        from cluster.build import resolve
        from cluster.cli.common import outcome
        from cluster.cli.keeping import abandoned_on_failure, begun, record
        from cluster.config import look_at_config
        from cluster.engine import run_machine
        from cluster.request import request_of

        loaded = look_at_config(self._path, [*self._flags, ("--seed", f"seed={seed}")])
        request = request_of(loaded, resolve(loaded))
        with (
            begun(loaded, request) as directory,
            abandoned_on_failure(directory, request.spec, request.scheme),
        ):
            self._directory = directory.path
            result = run_machine(request)
            code, kind, message = outcome(result, loaded.config.expect.exit_status)
            record(directory, result, code, kind, message)
        return result, directory.path

    def keep(self, wanted: bool) -> None:
        """Keep the directory of the last run, or remove it."""
        if not wanted and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
        self._directory = None


def _failure(result: "RunResult", directory: Path | None) -> int:
    """Tell of a run that says nothing of races; return the exit code."""
    from cluster.cli.common import outcome

    code, kind, message = outcome(result, "any")
    where = f" (run directory {directory})" if directory is not None else ""
    report(kind, message + where)
    return code


def _tell(text: str) -> None:
    """Show on a terminal how far it is."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _lines(found: "Outcomes") -> list[str]:
    """Return the histogram: the most frequent first, then those that only exact has."""
    rows = [("FREE", "EXACT", "OUTCOME", "RUN")]
    order = sorted(found.seen.items(), key=lambda item: (-item[1].free, -item[1].exact, item[0]))
    for text, seen in order:
        rows.append((str(seen.free), str(seen.exact), text, seen.directory or "-"))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        f"{free.rjust(widths[0])}  {exact.rjust(widths[1])}  {text.ljust(widths[2])}  {run}"
        for free, exact, text, run in rows
    ]
    outside = len(found.outside())
    told = f"{outside} outcomes are outside what exact reaches" if outside else "all are inside"
    lines.append(f"{found.free_runs} free runs, {found.exact_runs} of exact: {told}")
    return lines


def _as_json(found: "Outcomes") -> str:
    rows = [
        {
            "outcome": text,
            "free": seen.free,
            "exact": seen.exact,
            "seed": seen.first_seed if seen.free else None,
            "run": seen.directory or None,
        }
        for text, seen in found.seen.items()
    ]
    whole = {"free_runs": found.free_runs, "exact_runs": found.exact_runs, "outcomes": rows}
    return json.dumps(whole, indent=1)


def register(app: typer.Typer) -> None:
    """Add the command ``outcomes`` to ``app``."""
    app.command()(outcomes)
