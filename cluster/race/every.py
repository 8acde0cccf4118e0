"""``run --strategy dpor``: not runs drawn by chance but one for each order that can matter.

The exploration of ``prove`` with the budget and the report of ``run``: it stops at the first run
that fails, or when all that were planned are made, and says whether any order is left.
"""

from collections.abc import Callable
from typing import Final

from cluster.race.explore import Found, Plan
from cluster.race.prove import Proof, prove
from cluster.race.workers import Workers

DPOR: Final = "dpor"


def explore_every(
    plan: Plan,
    workers: Workers | None = None,
    progress: Callable[[Found], None] | None = None,
) -> Found:
    """Explore a scenario order by order; ``plan.seed`` says nothing here.

    Raises:
        ValueError: see ``prove``.
    """

    def told(proof: Proof) -> None:
        if progress is not None:
            progress(_found(plan, proof))

    proof = prove(
        plan.scenario, plan.runs, plan.time_s, None, told, stop=plan.stop, workers=workers
    )
    return _found(plan, proof)


def _found(plan: Plan, proof: Proof) -> Found:
    failed = proof.kinds.total()
    over = proof.complete or proof.traces + proof.blocked >= plan.runs or (plan.stop and failed > 0)
    return Found(
        proof.traces,
        proof.steps,
        failed,
        None if proof.failed is None else proof.first,
        proof.failed,
        proof.kinds,
        set(range(proof.traces)),
        over,
        proof.interrupted,
        proof.lost,
        complete=proof.complete,
    )
