"""``prove``: all orders of a scenario's steps that can matter, each once, and a certificate.

First an estimate, then one run for each trace (``cluster.race.dpor``), in parts that workers can
share (``cluster.race.subtrees``), until there is none left, a run fails, the bounds are reached,
Ctrl-C comes, or workers die; then the state of the search is a checkpoint from which a later call
goes on. A checkpoint is good for the same scenario, machine and code only.
"""

import json
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cluster.race.dpor import estimate
from cluster.race.keeping import following_all
from cluster.race.kept import FORMAT as _FORMAT
from cluster.race.kept import BadCheckpoint, packed, unpacked
from cluster.race.kernel_system import KernelSystem
from cluster.race.run import CLEAN, Run, Scenario, config_hash, question_hash
from cluster.race.subtrees import Made, Part, Tree, make_part
from cluster.race.workers import Here, WorkerLost, Workers, no_signals

_DESCENTS: Final = 12
_KEEP_S: Final = 30.0  # between two checkpoints of a call, for one that is killed

NOT_COVERED: Final[tuple[str, ...]] = (
    "user mode between two system calls is one step that shares nothing but what it accesses "
    "through atomics",
    "between two points of the kernel's source nothing comes",
    "virtual time: ticks, timers and periodic balancing come when the run's own clock says, and "
    "each step takes as long as a hold-up of the laboratory",
    "which of several waiters gets a lock first, once they queue",
    "turns of a loop in which nothing is another than in the turn before, until that is written "
    "which they read",
    "on which CPU init runs when all programs have ended",
    "limits that only their sum reaches: frames, files, inodes, CPU time",
)


@dataclass(slots=True)
class Proof:
    """What an exploration has found so far.

    Attributes:
        complete: all traces have been seen, and were clean.
        traces: how many; ``blocked``: runs that were cut off because of their sleep sets.
        steps: of all runs.
        unexplained: how often everybody had to go because a dependence was not told.
        failed: the first run with a verdict other than clean; ``first``: its number among the
            traces, from 0.
        endings: by the signature of the verdict, how many traces; ``kinds``: of this call, those
            that failed, by ``(kind, signature)``.
        estimate: how many traces there may be: mean, least and most of some descents.
        seconds: of wall time, of all calls.
        checkpoint: what ``prove`` takes as ``resume``; None if nothing is left.
        preemptions: how many a run had at most; None: any number.
        interrupted: Ctrl-C ended it.
        lost: why workers could not go on; "" if they could.
    """

    scenario: Scenario
    code: str = ""
    complete: bool = False
    traces: int = 0
    blocked: int = 0
    steps: int = 0
    unexplained: int = 0
    failed: Run | None = None
    first: int = -1
    endings: dict[str, int] = field(default_factory=dict)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    estimate: tuple[float, int, int] | None = None
    seconds: float = 0.0
    checkpoint: dict[str, Any] | None = None
    preemptions: int | None = None
    interrupted: bool = False
    lost: str = ""

    def certificate(self) -> dict[str, Any]:
        """Return what is certified, and what is not, for JSON."""
        spec = self.scenario.spec
        said = {
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
            "preemptions": self.preemptions,
            "hashes": _hashes(self.scenario, self.code),
            "not_covered": self._not_covered(),
        }
        return {**said, "checksum": _sum(said)}

    def _not_covered(self) -> list[str]:
        if self.preemptions is None:
            return list(NOT_COVERED)
        return [f"orders with more than {_preemptions(self.preemptions)}", *NOT_COVERED]

    def text(self) -> str:
        """Return the certificate as lines for people."""
        spec = self.scenario.spec
        if self.failed is not None:
            head = f"failed: {self.failed.verdict.signature} (trace {self.traces})"
        elif self.complete:
            head = f"complete: {self.traces:,} {self._what()}, all clean"
        else:
            head = f"incomplete: {self.traces:,} {self._what()} so far, all clean"
            if self.estimate is not None:
                head += f", of about {self.estimate[0]:,.0f}"
        dropped = ", ".join(spec.mutations) or "none"
        bounds = f"at most {self.scenario.most_steps:,} steps a run"
        if self.preemptions is not None:
            bounds += f", at most {_preemptions(self.preemptions)}"
        lines = [
            f"{self.scenario.name}: {head}",
            f"  {self.blocked:,} runs cut off, {self.steps:,} steps, {self.seconds:.1f} s",
            f"  granularity {spec.granularity}, memory model {spec.memory_model}, "
            f"{spec.cpus} CPUs, Linux {spec.linux}, mutations: {dropped}",
            f"  bounds: {bounds}",
        ]
        if self.failed is None:
            lines += ["  not covered:", *(f"  - {line}" for line in self._not_covered())]
        return "\n".join(lines)

    def _what(self) -> str:
        return "traces" if self.preemptions is None else "runs"


def prove(
    scenario: Scenario,
    most_runs: int = 100_000,
    seconds: float | None = None,
    resume: dict[str, Any] | None = None,
    progress: Callable[[Proof], None] | None = None,
    *,
    code: str = "",
    stop: bool = True,
    workers: Workers | None = None,
    preemptions: int | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> Proof:
    """Explore all traces of a scenario, or as many as the bounds allow.

    Args:
        most_runs: of this call, blocked ones included.
        seconds: of wall time of this call; None: any number.
        resume: the ``checkpoint`` of an earlier call.
        progress: is called after some runs each.
        code: names the code that is explored; a checkpoint of other code is refused.
        stop: at the first run that fails.
        workers: who makes the runs; by default this process.
        preemptions: leave out orders with more; a run then may show a trace that another has shown.
        keep: is called with a checkpoint now and then.

    Returns:
        the same for any workers, but for when ``seconds`` end it.

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
    until = None if seconds is None else begun + seconds
    proof = Proof(scenario, code, preemptions=preemptions)
    tree = Tree() if resume is None else _restored(resume, proof)
    before, who = proof.seconds, workers or Here()

    def so_far() -> None:
        proof.seconds = before + time.monotonic() - begun

    try:
        if proof.estimate is None:
            with following_all():
                proof.estimate = estimate(
                    KernelSystem(scenario),
                    _DESCENTS,
                    go_on=lambda: until is None or time.monotonic() < begun + (until - begun) / 4,
                    bound=preemptions,
                )
        kept_at = ready = time.monotonic()
        with who.kept() if most_runs else nullcontext():
            if until is not None:
                until += time.monotonic() - ready  # that workers start does not count
            for number, made in _parts_made(proof, tree, most_runs, until, stop, who):
                with no_signals():
                    tree.parts[number] = made.part
                    _count(proof, made, tree)
                so_far()
                if progress is not None:
                    progress(proof)
                if keep is not None and time.monotonic() >= kept_at + _KEEP_S:
                    keep(_kept(proof, tree))
                    kept_at = time.monotonic()
    except KeyboardInterrupt:
        proof.interrupted = True
    except WorkerLost as error:
        proof.lost = str(error)
    so_far()
    proof.complete = tree.complete and (proof.failed is None or not stop)
    if not proof.complete and proof.failed is None:
        proof.checkpoint = _kept(proof, tree)
    return proof


def _parts_made(
    proof: Proof, tree: Tree, most_runs: int, until: float | None, stop: bool, who: Workers
) -> Iterator[tuple[int, Made]]:
    """Yield the numbers of parts with what runs of them have shown, until the bounds are reached.

    What is yielded must be in ``tree`` and ``proof`` before the next is asked for. Until then both
    are as they were before those runs: workers have copies of the parts.
    """
    start = proof.traces + proof.blocked
    fixed = (proof.scenario, stop, until, proof.preemptions)
    while not tree.complete and (proof.failed is None or not stop):
        shares = list(tree.shares(most_runs + start - proof.traces - proof.blocked))
        if not shares and tree.round_is_over():
            with no_signals():
                tree.next_round()
            continue
        if not shares or (until is not None and time.monotonic() >= until):
            return
        items = ((pickle.loads(pickle.dumps(tree.parts[at])), share) for at, share in shares)
        with closing(who.results(explore_part, fixed, items)) as found:
            for (number, _share), made in zip(shares, found, strict=True):
                yield number, made
                if stop and proof.failed is not None:
                    return


def explore_part(
    scenario: Scenario,
    stop: bool,
    until: float | None,
    preemptions: int | None,
    item: tuple[Part, int],
) -> Made:
    """Make some runs of a part of the tree, in whatever process.

    Args:
        stop: at the first run that fails.
        until: of the host's monotonic clock: no run begins after it.
        preemptions: see ``prove``.
    """
    part, most = item

    def go_on(end: Any) -> bool:
        if stop and end is not None and end.verdict.kind != CLEAN:
            return False
        return until is None or time.monotonic() < until

    with following_all():
        made = make_part(KernelSystem(scenario), part, most, go_on, preemptions)
    for run in made.ends:
        run.races = []  # they hold on to the whole machine; the verdict has what they say
    first = next((at for at, run in enumerate(made.ends) if run.verdict.kind != CLEAN), -1)
    made.ends = [
        (run.verdict.kind, run.verdict.signature, run if at == first else None)
        for at, run in enumerate(made.ends)
    ]
    return made


def _preemptions(number: int) -> str:
    return f"{number} preemption" + ("" if number == 1 else "s")


def bound_told(certificate: dict[str, Any]) -> str:
    """Return what bounds the orders that a certificate speaks of, in words; "" if nothing does."""
    number = certificate.get("preemptions")
    return "" if number is None else f" with at most {_preemptions(number)}"


def _sum(said: dict[str, Any]) -> str:
    """Return the checksum of what a certificate says: no seal, but nobody changes it by mistake."""
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


# what a certificate says; what else stands beside it, as in the command's JSON, is no part of it
_SAID: Final = (
    "kind", "format", "scenario", "complete", "verdict", "traces", "blocked", "steps",
    "unexplained", "estimate", "endings", "granularity", "memory_model", "cpus", "linux",
    "mutations", "most_steps", "preemptions", "hashes", "not_covered",
)  # fmt: skip


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
    if certificate.get("checksum") != _sum({key: certificate.get(key) for key in _SAID}):
        return "the certificate was changed: its checksum is wrong"
    if certificate.get("complete") is not True:
        return f"nothing is certified: {certificate.get('verdict')}, incomplete"
    return ""


def _count(proof: Proof, made: Made, tree: Tree) -> None:
    counts = made.counts
    before = proof.traces
    proof.traces += counts.traces
    proof.blocked += counts.blocked
    proof.steps += counts.steps
    tree.unexplained += counts.unexplained
    proof.unexplained = tree.unexplained
    for number, (kind, signature, run) in enumerate(made.ends, before):
        proof.endings[signature] = proof.endings.get(signature, 0) + 1
        if kind != CLEAN:
            proof.kinds[kind, signature] += 1
        if proof.failed is None and run is not None:
            proof.failed, proof.first = run, number


def _hashes(scenario: Scenario, code: str) -> dict[str, str]:
    return {
        "code": code,
        "explorer": _explorer_hash(),
        "scenario": question_hash(scenario).hex(),
        "config": config_hash(scenario).hex(),
    }


@cache
def _explorer_hash() -> str:
    """Return what names the code of the laboratory itself, on which a certificate rests as well."""
    digest = sha256()
    for name in _EXPLORER:
        path = Path(__file__).with_name(f"{name}.py")
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


# what decides which traces there are, and which of them are clean
_EXPLORER: Final = (
    "actors", "dpor", "explored", "fields", "guards", "keeping", "kernel_system", "loads", "pids",
    "prove", "run", "spins", "subtrees", "waits", "watch",
)  # fmt: skip

_WHAT: Final = {
    "code": "of other code",
    "explorer": "of another laboratory",
    "scenario": "of another scenario",
    "config": "of another machine",
}


def _kept(proof: Proof, tree: Tree) -> dict[str, Any]:
    return {
        "kind": "prove",
        "format": _FORMAT,
        "hashes": _hashes(proof.scenario, proof.code),
        "counts": [proof.traces, proof.blocked, proof.steps],
        "seconds": round(proof.seconds, 3),
        "preemptions": proof.preemptions,
        "endings": proof.endings,
        "estimate": proof.estimate,
        **packed(tree),
    }


def _restored(kept: dict[str, Any], proof: Proof) -> Tree:
    for name, value in _hashes(proof.scenario, proof.code).items():
        found = kept["hashes"].get(name) if isinstance(kept.get("hashes"), dict) else None
        if found != value:
            raise BadCheckpoint(f"the checkpoint is {_WHAT[name]}: {found}, and this is {value}")
    if kept.get("preemptions") != proof.preemptions:
        bounds = (kept, {"preemptions": proof.preemptions})
        found, now = (bound_told(each) or " of any kind" for each in bounds)
        raise BadCheckpoint(f"the checkpoint is of orders{found}, and this is of orders{now}")
    tree = unpacked(kept)
    proof.unexplained = tree.unexplained
    try:
        proof.traces, proof.blocked, proof.steps = map(int, kept["counts"])
        proof.endings = {str(name): int(many) for name, many in kept["endings"].items()}
        proof.seconds = float(kept["seconds"])
        if kept["estimate"] is not None:
            mean, least, most = kept["estimate"]
            proof.estimate = (float(mean), int(least), int(most))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise BadCheckpoint(f"the checkpoint is damaged: {error!r}") from None
    return tree
