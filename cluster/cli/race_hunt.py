"""``smplab race mutants --only MUTATION``: whether any program shows it."""

import sys
from typing import TYPE_CHECKING, Any

from cluster.cli.race_files import code_hash
from cluster.exit_codes import BUG_FOUND, INCOMPLETE, OK

if TYPE_CHECKING:
    from cluster.race.hunt import Hunt, Shown


def why_none(text: str) -> str:
    """Return what is wrong with a mutation; an empty string if nothing is."""
    from cluster.mutations.changed import wrong_mutations

    return next((f"{why}{hint}" for _place, why, hint in wrong_mutations([text])), "")


def hunts(
    texts: list[str], runs: int | None, seconds: float, *, told: bool
) -> "list[tuple[Hunt, dict[str, Any]]]":
    """Look for each of these mutations; print a line or more of each if ``told``."""
    from cluster.race.hunt import MOST_RUNS, Hunter
    from cluster.race.watch import following

    found = []
    with following():
        hunter = Hunter()
        for text in texts:
            done = hunter.hunt(text, runs or MOST_RUNS, seconds, told=_shown_on_terminal())
            plain = hunt_plain(done)
            found.append((done, plain))
            if told:
                for line in _lines(done, plain):
                    print(line, flush=True)
    return found


def exit_code(done: "list[Hunt]") -> int:
    """Return how the command ends: 0 if every mutation that can matter was found."""
    missed = [one for one in done if one.told.startswith("not")]
    if not missed:
        return OK
    return BUG_FOUND if any(one.finished for one in missed) else INCOMPLETE


def _shown_on_terminal() -> Any:
    if not sys.stderr.isatty():
        return None

    def told(done: "Hunt") -> None:
        if not done.runs % 50:
            print(f"{done.mutation}: {done.runs:,} runs", end="\r", file=sys.stderr, flush=True)

    return told


def hunt_plain(done: "Hunt") -> dict[str, Any]:
    """Return what came of it as JSON has it."""
    plain: dict[str, Any] = {
        "mutation": done.mutation,
        "result": done.told,
        "reason": done.reason,
        "programs": done.programs,
        "runs": done.runs,
        "finished": done.finished,
    }
    if done.shown is not None:
        plain["bug"] = _bug(done.shown)
    return plain


def _bug(shown: "Shown") -> dict[str, Any]:
    from shlex import quote

    from cluster.race.again import record_of

    run, spec = shown.run, shown.loaded.scenario.spec
    record = record_of(shown.loaded.scenario, run, code_hash())
    name = shown.path.stem if shown.path.suffix == ".yaml" else str(shown.path)
    mutation = spec.mutations[0]
    words = ["smplab race replay", record.text, quote(name), f"--cpus {spec.cpus}"]
    words += [f"--model {spec.memory_model}", f"--mutate {quote(mutation)}"]
    return {
        "program": shown.path.name,
        "cpus": spec.cpus,
        "model": spec.memory_model,
        "strategy": run.strategy,
        "seed": run.seed,
        "kind": run.verdict.kind,
        "signature": run.verdict.signature,
        "report": run.verdict.text,
        "steps": len(run.actors),
        "replay": record.text,
        "command": " ".join(words),
    }


def _lines(done: "Hunt", plain: dict[str, Any]) -> list[str]:
    if done.reason:
        return [f"{done.mutation}: cannot matter: {done.reason}"]
    bug = plain.get("bug")
    tried = f"{done.runs:,} run{'s' * (done.runs != 1)} of {len(done.programs)} programs"
    if bug is None:
        if not done.programs:
            return [f"{done.mutation}: not found: no program comes to its function"]
        cut = "" if done.finished else "; the time was up"
        return [f"{done.mutation}: not found in {tried} that come to its function{cut}"]
    where = f"{bug['program']} ({bug['cpus']} CPUs, {bug['model']}, {bug['strategy']})"
    return [
        f"{done.mutation}: found in run {done.runs:,}, of {where}:",
        *(f"  {line}" for line in bug["report"].splitlines()),
        f"  again: {bug['command']}",
    ]
