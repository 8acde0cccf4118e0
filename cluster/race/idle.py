"""Mutations that cannot matter: nothing that any program could show is another with them.

Each has its reason, which ``smplab race mutants --list`` and ``--only`` print. All others are to be
found.
"""

from typing import Final

from cluster.race.guards import IDLE_LOCKS
from kernel.drive.mutations import DROP, WEAKEN, Mutation

# mutation as it is written, without what stands for itself -> why it cannot matter
IDLE: Final[dict[str, str]] = {}


def reason(mutation: Mutation) -> str:
    """Return why a mutation cannot matter; an empty string if it can."""
    name = mutation.place.point
    if mutation.action in (DROP, WEAKEN) and name in IDLE_LOCKS:
        return IDLE_LOCKS[name]
    if mutation.action == DROP:
        return IDLE.get(f"{DROP}:{name}", "")
    if mutation.action == WEAKEN:
        return IDLE.get(f"{WEAKEN}:{name}:{mutation.how}", "")
    return IDLE.get(repr(mutation), "")


def reasons(name: str) -> list[tuple[str, str]]:
    """Return the mutations of a point that cannot matter, each with its reason."""
    found = [(f"{DROP}:{name}", IDLE_LOCKS[name])] if name in IDLE_LOCKS else []
    return found + [(text, why) for text, why in IDLE.items() if text.split(":")[1] == name]
