"""``prove``: all orders of a scenario's steps that can matter, each once, and a certificate.

First an estimate, then one run for each trace (``cluster.race.dpor``), until there is none left, a
run fails, or the bounds are reached; then the state of the search is a checkpoint from which a
later call goes on. A checkpoint is good for the same scenario, machine and code only.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cluster.race.dpor import Counts, Explorer, Node, Touched, estimate
from cluster.race.keeping import following_all
from cluster.race.kernel_system import KernelSystem
from cluster.race.run import Run, Scenario, config_hash, scenario_hash

_FORMAT: Final = 2
_DESCENTS: Final = 12

NOT_COVERED: Final[tuple[str, ...]] = (
    "user mode between two system calls is one step that shares nothing but what it accesses "
    "through atomics",
    "between two points of the kernel's source nothing comes",
    "virtual time: ticks, timers and periodic balancing come when the run's own clock says, and "
    "each step takes as long as a hold-up of the laboratory",
    "which of several waiters gets a lock first, once they queue",
    "limits that only their sum reaches: frames, files, inodes, CPU time",
)


class BadCheckpoint(Exception):
    """A checkpoint is damaged, or of something else; the message is one line."""


@dataclass(slots=True)
class Proof:
    """What an exploration has found so far.

    Attributes:
        complete: all traces have been seen, and were clean.
        traces: how many; ``blocked``: runs that were cut off because of their sleep sets.
        steps: of all runs.
        unexplained: how often everybody had to go because a dependence was not told.
        failed: the first run with a verdict other than clean.
        endings: by the signature of the verdict, how many traces.
        estimate: how many traces there may be: mean, least and most of some descents.
        seconds: of wall time, of all calls.
        checkpoint: what ``prove`` takes as ``resume``; None if nothing is left.
    """

    scenario: Scenario
    code: str = ""
    complete: bool = False
    traces: int = 0
    blocked: int = 0
    steps: int = 0
    unexplained: int = 0
    failed: Run | None = None
    endings: dict[str, int] = field(default_factory=dict)
    estimate: tuple[float, int, int] | None = None
    seconds: float = 0.0
    checkpoint: dict[str, Any] | None = None

    def certificate(self) -> dict[str, Any]:
        """Return what is certified, and what is not, for JSON."""
        spec = self.scenario.spec
        return {
            "kind": "certificate",
            "format": _FORMAT,
            "scenario": self.scenario.name,
            "complete": self.complete and self.failed is None,
            "verdict": "clean" if self.failed is None else self.failed.verdict.kind,
            "traces": self.traces,
            "blocked": self.blocked,
            "steps": self.steps,
            "unexplained": self.unexplained,
            "estimate": None if self.estimate is None else list(self.estimate),
            "endings": dict(sorted(self.endings.items())),
            "granularity": spec.granularity,
            "memory_model": spec.memory_model,
            "cpus": spec.cpus,
            "linux": spec.linux,
            "mutations": list(spec.mutations),
            "most_steps": self.scenario.most_steps,
            "hashes": _hashes(self.scenario, self.code),
            "not_covered": list(NOT_COVERED),
        }

    def text(self) -> str:
        """Return the certificate as lines for people."""
        spec = self.scenario.spec
        if self.failed is not None:
            head = f"failed: {self.failed.verdict.signature} (trace {self.traces})"
        elif self.complete:
            head = f"complete: {self.traces:,} traces, all clean"
        else:
            head = f"incomplete: {self.traces:,} traces so far, all clean"
            if self.estimate is not None:
                head += f", of about {self.estimate[0]:,.0f}"
        dropped = ", ".join(spec.mutations) or "none"
        bounds = f"at most {self.scenario.most_steps:,} steps a run"
        lines = [
            f"{self.scenario.name}: {head}",
            f"  {self.blocked:,} runs cut off, {self.steps:,} steps, {self.seconds:.1f} s",
            f"  granularity {spec.granularity}, memory model {spec.memory_model}, "
            f"{spec.cpus} CPUs, Linux {spec.linux}, mutations: {dropped}",
            f"  bounds: {bounds}",
        ]
        if self.failed is None:
            lines += ["  not covered:", *(f"  - {line}" for line in NOT_COVERED)]
        return "\n".join(lines)


def prove(
    scenario: Scenario,
    most_runs: int = 100_000,
    seconds: float | None = None,
    resume: dict[str, Any] | None = None,
    progress: Callable[[Proof], None] | None = None,
    *,
    code: str = "",
    stop: bool = True,
) -> Proof:
    """Explore all traces of a scenario, or as many as the bounds allow.

    Args:
        most_runs: of this call, blocked ones included.
        seconds: of wall time of this call; None: any number.
        resume: the ``checkpoint`` of an earlier call.
        progress: is called after each run.
        code: names the code that is explored; a checkpoint of other code is refused.
        stop: at the first run that fails.

    Raises:
        BadCheckpoint: ``resume`` is damaged, or of another scenario, machine or code.
        ValueError: the memory model is none of sc, tso and pso.
    """
    model = scenario.spec.memory_model
    if model in ("arm", "weak"):
        raise ValueError(
            f"under {model} which store a load reads is a choice as well, and prove does not try "
            "them all; it does under sc, tso and pso"
        )
    begun = time.monotonic()
    proof = Proof(scenario, code)
    system = KernelSystem(scenario)
    explorer = Explorer(system)
    if resume is not None:
        _restore(resume, proof, explorer)
    before = proof.seconds
    with following_all():
        if proof.estimate is None:
            proof.estimate = estimate(system, _DESCENTS)
        for _ in range(most_runs):
            found = explorer.next()
            proof.seconds = before + time.monotonic() - begun
            _count(proof, explorer.counts)
            if found is None:
                break
            blocked, run = found
            if not blocked:
                signature = run.verdict.signature
                proof.endings[signature] = proof.endings.get(signature, 0) + 1
                if run.verdict.kind != "clean" and proof.failed is None:
                    proof.failed = run
            if progress is not None:
                progress(proof)
            if stop and proof.failed is not None:
                break
            if seconds is not None and time.monotonic() - begun >= seconds:
                break
    if not proof.complete and proof.failed is None:
        proof.checkpoint = _kept(proof, explorer)
    return proof


def checkpoint_text(checkpoint: dict[str, Any]) -> str:
    """Return a checkpoint as the contents of a file."""
    return json.dumps(checkpoint, separators=(",", ":")) + "\n"


def read_checkpoint(text: str) -> dict[str, Any]:
    """Return the checkpoint in a file.

    Raises:
        BadCheckpoint: it is none.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadCheckpoint(f"the checkpoint is no JSON: {error}") from None
    if not isinstance(found, dict) or found.get("kind") != "prove":
        raise BadCheckpoint("the file is no checkpoint of a proof")
    if found.get("format") != _FORMAT:
        raise BadCheckpoint(
            f"the checkpoint has format {found.get('format')}, and this is {_FORMAT}"
        )
    return found


def holds(certificate: Any, scenario: Scenario, code: str) -> str:
    """Return why a certificate does not hold for a scenario and code; "" if it does."""
    if not isinstance(certificate, dict) or certificate.get("kind") != "certificate":
        return "this is no certificate of a proof"
    if certificate.get("format") != _FORMAT:
        return f"the certificate has format {certificate.get('format')}, and this is {_FORMAT}"
    said = certificate.get("hashes")
    for name, value in _hashes(scenario, code).items():
        found = said.get(name) if isinstance(said, dict) else None
        if found != value:
            return f"the certificate is {_WHAT[name]}: {found}, and this is {value}"
    if certificate.get("complete") is not True:
        return f"nothing is certified: {certificate.get('verdict')}, incomplete"
    return ""


def _count(proof: Proof, counts: Counts) -> None:
    proof.complete = counts.complete
    proof.traces, proof.blocked = counts.traces, counts.blocked
    proof.steps, proof.unexplained = counts.steps, counts.unexplained


def _hashes(scenario: Scenario, code: str) -> dict[str, str]:
    return {
        "code": code,
        "explorer": _explorer_hash(),
        "scenario": scenario_hash(scenario).hex(),
        "config": config_hash(scenario).hex(),
    }


@cache
def _explorer_hash() -> str:
    """Return what names the code of the laboratory itself, on which a certificate rests as well."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


_WHAT: Final = {
    "code": "of other code",
    "explorer": "of another laboratory",
    "scenario": "of another scenario",
    "config": "of another machine",
}


def _kept(proof: Proof, explorer: Explorer) -> dict[str, Any]:
    """Return the state of a search as plain lists and dictionaries; each key once."""
    numbers: dict[Any, int] = {}

    def put(touched: Touched) -> list[int]:
        flat: list[int] = []
        for key, mode in touched.items():
            flat += (numbers.setdefault(key, len(numbers)), mode)
        return flat

    def all_of(by_actor: dict[int, Touched]) -> list[Any]:
        return [[actor, put(touched)] for actor, touched in by_actor.items()]

    nodes = [
        [list(one.enabled), one.chosen, put(one.touched), list(one.branches), all_of(one.done),
         all_of(one.sleep)]
        for one in explorer.nodes
    ]  # fmt: skip
    counts = explorer.counts
    return {
        "kind": "prove",
        "format": _FORMAT,
        "hashes": _hashes(proof.scenario, proof.code),
        "counts": [counts.traces, counts.blocked, counts.steps, counts.unexplained],
        "seconds": round(proof.seconds, 3),
        "endings": proof.endings,
        "estimate": proof.estimate,
        "begun": explorer.begun,
        "keys": [[label, name] for label, name in numbers],
        "nodes": nodes,
    }


def _restore(kept: dict[str, Any], proof: Proof, explorer: Explorer) -> None:
    read_checkpoint(json.dumps(kept))
    for name, value in _hashes(proof.scenario, proof.code).items():
        if kept.get("hashes", {}).get(name) != value:
            raise BadCheckpoint(
                f"the checkpoint is {_WHAT[name]}: {kept.get('hashes', {}).get(name)}, "
                f"and this is {value}"
            )
    try:
        keys = [(_label(label), str(name)) for label, name in kept["keys"]]

        def get(flat: list[int]) -> Touched:
            return {keys[flat[at]]: flat[at + 1] for at in range(0, len(flat), 2)}

        def all_of(pairs: list[Any]) -> dict[int, Touched]:
            return {int(actor): get(flat) for actor, flat in pairs}

        explorer.nodes = [
            Node(tuple(enabled), all_of(sleep), chosen, get(touched), branches, all_of(done))
            for enabled, chosen, touched, branches, done, sleep in kept["nodes"]
        ]
        explorer.counts = Counts(*kept["counts"])
        explorer.begun = bool(kept["begun"])
        proof.endings = {str(name): int(many) for name, many in kept["endings"].items()}
        proof.seconds = float(kept["seconds"])
        mean, least, most = kept["estimate"]
        proof.estimate = (mean, least, most)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise BadCheckpoint(f"the checkpoint is damaged: {error!r}") from None


def _label(label: Any) -> Any:
    """Return a label as it was before JSON: lists were tuples."""
    return tuple(map(_label, label)) if isinstance(label, list) else label
