"""Where ``smplab race replay`` stops: ``--until STEP`` and ``--break LABEL|INVARIANT``."""

import difflib
from typing import TYPE_CHECKING

from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.race.again import Offer, Record
    from cluster.race.run import Scenario


def stop_at(
    scenario: "Scenario", record: "Record", until: int | None, before: str | None, *, watched: bool
) -> tuple[int, str]:
    """Return the step after which to stop, or 0, and the point before which, or an empty string.

    Inside ``watch.following()``, if it is watched.

    Raises:
        CliError: ``before`` names no point, and nothing that is wrong with the run.
        Diverged: the run goes another way.
    """
    from cluster.point_names import point_kinds
    from cluster.race.again import replay

    if before is None:
        return until or 0, ""
    if until is not None:
        raise CliError(USAGE, "usage", "--until and --break exclude each other")
    if before in point_kinds() or before in ("enter", "store_buffer.drain"):
        return 0, before
    run, _control = replay(scenario, record, watched=watched)
    verdict = run.verdict
    said = f"{verdict.kind}\n{verdict.signature}\n{verdict.text}".lower()
    if before and before.lower() in said:
        return len(run.actors) - 1, ""
    near = difflib.get_close_matches(before, point_kinds(), 1, 0.7)
    hint = f"; did you mean {near[0]}?" if near else "; smplab race points lists the points"
    found = f"the run ends with {verdict.signature or verdict.kind!r}"
    what = f"--break: no point, and nothing that is wrong with the run: {before!r} ({found}){hint}"
    raise CliError(USAGE, "usage", what)


def offer_told(offer: "Offer") -> str:
    """Return what could go next in one line, ``>`` before what does."""
    from cluster.race.actors import actor_told

    mark = ">" if offer.next else " "
    has = f"  has {', '.join(offer.locks)}" if offer.locks else ""
    return f"{mark}cpu {offer.cpu:<2} {actor_told(offer.actor):18} {offer.name}{has}"
