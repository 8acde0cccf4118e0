"""``smplab race run --strategy dpor``: every order once, instead of runs drawn by chance."""

from collections.abc import Callable
from typing import Final

from cluster.exit_codes import USAGE, CliError
from cluster.race.every import DPOR, explore_every
from cluster.race.explore import Found, Plan
from cluster.race.workers import Workers

_SEED: Final = 1  # of who asks for none


def every(plan: Plan, who: Workers, told: Callable[[Found], None] | None) -> Found:
    """Explore order by order; what of a plan says nothing here is a usage error."""
    if plan.seed != _SEED:
        raise CliError(USAGE, "usage", f"--seed: --strategy {DPOR} draws nothing by chance")
    if plan.audit:
        raise CliError(USAGE, "usage", f"--audit: --strategy {DPOR} leaves no samples")
    try:
        return explore_every(plan, who, told)
    except ValueError as error:
        raise CliError(USAGE, "usage", str(error)) from None
