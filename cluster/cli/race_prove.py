"""``smplab race prove …``: certify a small scenario, go on from a checkpoint, check proofs."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.cli import race
from cluster.cli.race_files import code_hash
from cluster.cli.race_workers import LOST, Engine, Jobs, workers
from cluster.cli.writing import check_writable, refuse, write
from cluster.exit_codes import BROKEN, BUG_FOUND, INCOMPLETE, OK, USAGE, CliError

if TYPE_CHECKING:
    from cluster.race.prove import Proof
    from cluster.race.scenario import ScenarioFile


_Most = Annotated[int, typer.Option("--most", min=1, help="Runs at most, of this call.")]
_Seconds = Annotated[
    float | None,
    typer.Option("--time", "--seconds", min=0.001, metavar="S", help="At most so long."),
]
_Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="FILE", help="Go on from this checkpoint.")
]
_Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", metavar="FILE", help="Where the checkpoint goes; else --resume's file."
    ),
]
_Certificate = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", help="Write the certificate, as JSON."),
]
_Check = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", help="Only tell whether this certificate holds."),
]
_Estimate = Annotated[
    bool, typer.Option("--estimate", help="Only estimate how many traces there are.")
]
_Preemptions = Annotated[
    int | None,
    typer.Option(
        "--preemptions",
        min=0,
        metavar="N",
        help="Leave out orders in which one who could go on is held up more than N times.",
    ),
]


def prove(
    path: race._Scenario,
    most: _Most = 100_000,
    seconds: _Seconds = None,
    resume: _Resume = None,
    checkpoint: _Checkpoint = None,
    certificate: _Certificate = None,
    check: _Check = None,
    estimate_only: _Estimate = False,
    preemptions: _Preemptions = None,
    jobs: Jobs = 1,
    engine: Engine = "local",
    cpus: race._Cpus = None,
    model: race._Model = None,
    mutate: race._Mutate = None,
    unmutated: race._Unmutated = False,
    as_json: race._Json = False,
) -> int:
    """Make one run for each order of steps that can matter, until there is none left.

    Exits 0 if all were clean, or the certificate of --check holds; 1 if one failed; 4 if --most
    runs or --time were not enough. Ctrl-C and SIGTERM end it: with --checkpoint FILE, which is
    written now and then as well, --resume FILE goes on.
    """
    loaded = race._load(path, cpus, model, mutate, unmutated)
    from cluster.race.kept import BadCheckpoint, checkpoint_text
    from cluster.race.prove import prove as prove_scenario

    code = code_hash().hex()
    if check is not None:
        _check_certificate(check, loaded, code, as_json)
        return OK
    kept = None if resume is None else _checkpoint(resume)
    to = checkpoint or resume
    check_writable(checkpoint=to, certificate=certificate)

    def keep(state: dict[str, Any]) -> None:
        if to is not None:
            refuse(write("checkpoint", to, checkpoint_text(state)))

    with _telling() as told:
        try:
            proof = prove_scenario(
                loaded.scenario,
                0 if estimate_only else most,
                seconds,
                kept,
                told,
                code=code,
                workers=workers(jobs, engine),
                preemptions=preemptions,
                keep=keep,
            )
        except BadCheckpoint as error:
            raise CliError(USAGE, "checkpoint", f"{resume}: {error}") from None
        except ValueError as error:
            raise CliError(USAGE, "usage", str(error)) from None
    options = race._options(cpus, model, mutate, unmutated)
    bound = [] if preemptions is None else [f"--preemptions={preemptions}"]
    if estimate_only:
        _end_of(proof)
        plain = {**race._machine_plain(loaded), "estimate": list(proof.estimate or ())}
        _print(plain, [race._machine_line(loaded), _estimate_line(proof)], as_json)
        return OK
    problems = []
    if certificate is not None:
        text = json.dumps(proof.certificate(), indent=2) + "\n"
        problems.append(write("certificate", certificate, text))
    if to is not None and proof.checkpoint is not None:
        problems.append(write("checkpoint", to, checkpoint_text(proof.checkpoint)))
    _show(loaded, proof, [race._quoted(str(path)), *options], bound, to, as_json)
    refuse(*problems)
    _end_of(proof)
    if proof.failed is not None:
        return BUG_FOUND
    return OK if proof.complete else INCOMPLETE


def _end_of(proof: "Proof") -> None:
    """End the command where the proof was cut.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM ended it.
        CliError: workers were lost.
    """
    if proof.interrupted or proof.lost:
        sys.stdout.flush()
    if proof.interrupted:
        raise KeyboardInterrupt
    if proof.lost:
        raise CliError(BROKEN, LOST, proof.lost)


def _check_certificate(path: Path, loaded: "ScenarioFile", code: str, as_json: bool) -> None:
    """Print that a certificate holds.

    Raises:
        CliError: it does not.
    """
    from cluster.race.prove import bound_told, holds

    said = _json_of(path, "--check")
    why = holds(said, loaded.scenario, code)
    if why:
        raise CliError(USAGE, "certificate", f"{path}: {why}")
    about = bound_told(said)
    plain = {**race._machine_plain(loaded), "holds": True, "preemptions": said["preemptions"]}
    line = f"{loaded.scenario.name}: the certificate holds" + (about and f" for orders{about}")
    _print(plain, [line], as_json)


def _show(
    loaded: "ScenarioFile",
    proof: "Proof",
    words: list[str],
    bound: list[str],
    to: Path | None,
    as_json: bool,
) -> None:
    """Print what has been proved.

    Args:
        words: of a command line: the scenario and what changes it; ``bound``: and what bounds the
            proof.
        to: where the checkpoint went.
    """
    from cluster.race.watch import following

    lines = [race._machine_line(loaded), *_lines(proof)]
    bug = None
    if proof.failed is not None:
        with following():
            record = race._recorded(loaded, proof.failed)
        command = " ".join(["smplab race replay", record.text, *words])
        bug = race._bug_plain(proof.failed, record, command)
        lines += race._bug_lines(proof.failed, record, command)
    if to is not None and proof.checkpoint is not None:
        again = " ".join(["smplab race prove", *words, *bound, "--resume", race._quoted(str(to))])
        lines.append(f"go on: {again}")
    elif proof.checkpoint is not None:
        lines.append("what was seen is not kept: see --checkpoint FILE")
    plain = {
        **race._machine_plain(loaded),
        **proof.certificate(),
        "seconds": round(proof.seconds, 3),
        "bug": bug,
    }
    _print(plain, lines, as_json)


def _print(plain: dict[str, Any], lines: list[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(plain, indent=2))
    else:
        race._print_lines(lines)


def _json_of(path: Path, option: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CliError(USAGE, "usage", f"{option}: {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise CliError(USAGE, "usage", f"{option}: {path} is no JSON: {error}") from None


def _checkpoint(path: Path) -> dict[str, Any]:
    from cluster.race.kept import BadCheckpoint, read_checkpoint

    try:
        return read_checkpoint(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CliError(USAGE, "usage", f"--resume: {path}: {error.strerror}") from None
    except (BadCheckpoint, UnicodeDecodeError) as error:
        raise CliError(USAGE, "checkpoint", f"{path}: {error}") from None


def _estimate_line(proof: "Proof") -> str:
    if proof.estimate is None:
        return "no estimate: it was stopped before"
    mean, least, most = proof.estimate
    return f"about {mean:,.0f} traces (descents speak for {least:,} to {most:,})"


def _lines(proof: "Proof") -> list[str]:
    from cluster.race.prove import bound_told

    lines = [_estimate_line(proof), *proof.text().splitlines()]
    if proof.failed is not None:
        return lines
    if proof.complete:
        bound = bound_told(proof.certificate())
        return [*lines, f"certified: every order of steps{bound} that can matter is clean"]
    if proof.interrupted or proof.lost:
        return [*lines, "not certified: it was stopped"]
    return [*lines, "not certified: the runs or the time were not enough"]


@contextmanager
def _telling() -> "Iterator[Callable[[Proof], None] | None]":
    """Yield what tells on a terminal how far the proof is; None if nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.fields[traces]:,} traces of about {task.fields[about]:,}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, traces=0, about=0)

        def told(proof: "Proof") -> None:
            about = max(1, round(proof.estimate[0])) if proof.estimate else 1
            about = max(about, proof.traces)
            progress.update(
                task, completed=proof.traces, total=about, traces=proof.traces, about=about
            )

        yield told
