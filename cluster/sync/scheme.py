"""What a synchronisation scheme is, what it sees, and which ones there are.

A machine runs in rounds (``cluster.machine_loop``). In a round the CPUs go, as far as the scheme
lets them; what they ask for comes together in ``Pending``; the scheme says what of it the kernel
serves now, in which order, and how far virtual time may go there. That is all a scheme decides, so
it is one class in one file. A further one needs a line in ``BUILTIN``, or, outside this project, an
entry point in the group ``smplab.schemes``, or a configuration that names its file:
``sync: {scheme: "mine.py:Mine"}``.

Schemes of two kinds differ in how messages travel. Under most, what CPUs and kernel send in one
round arrives in the next, which is what lets CPUs live in other processes. A scheme that *settles*
has every message delivered before the next round begins, so its decisions are made about a machine
with nothing under way; on Ray one CPU goes at a time then (``cluster.in_turn``).

Under a scheme that *runs free* (``slack``, ``lax``) there are no rounds: each group of CPUs goes as
soon as it is told how far, and the kernel serves what has arrived, in the order in which it did.
The same three methods are then asked whenever anything has arrived, about the groups that stand
still (``View.waiting``): ``cluster.free_running``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from cluster.plugins import (
    SCHEME,
    Needed,
    PluginError,
    Source,
    complete,
    installed_names,
    is_file,
    load,
    source_of,
    takes,
)
from kernel.messages import Request
from kernel.rounds.group import Horizons as Horizons
from kernel.rounds.view import Pending as Pending
from kernel.rounds.view import View as View

if TYPE_CHECKING:
    from cluster.engine_api import RunRequest

NO_FURTHER: Final = -1  # what ``Scheme.limit`` says when the kernel has done enough in this round

BUILTIN: Final = {
    "exact": "cluster.sync.exact:Exact",
    "barrier": "cluster.sync.barrier:Barrier",
    "redblack": "cluster.sync.redblack:RedBlack",
    "free": "cluster.sync.free:Free",
    "slack": "cluster.sync.slack:Slack",
    "lax": "cluster.sync.lax:Lax",
}


class SchemeError(Exception):
    """A scheme cannot be had, or broke the rules; the message is one line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a scheme is made from."""

    cpus: int
    quantum_ns: int  # the key sync.quantum
    seed: int
    slack_ns: int | None = None  # the key sync.slack


def settings_of(request: "RunRequest") -> Settings:
    """Return what the scheme of a run is made from."""
    return Settings(request.spec.cpus, request.quantum_ns, request.spec.seed, request.slack_ns)


def runs_free(scheme: "Scheme | SchemeClass") -> bool:
    """Return whether CPUs run without rounds: see the module header."""
    return getattr(scheme, "runs_free", False)


def in_halves(scheme: "Scheme | SchemeClass") -> bool:
    """Return whether two supersteps are under way, each of one half of the CPUs: ``redblack``."""
    return getattr(scheme, "halves", False)


class Scheme(Protocol):
    """A synchronisation scheme.

    In every round the engine asks ``limit``, and while that is a time, ``ready`` for what the
    kernel serves up to it; then ``horizons`` for how far the CPUs may go in the next round.

    There is no call for each event or CPU: the decisions of a round are made at once, so a scheme
    pays for what it looks at only.
    """

    name: str
    #: the same configuration gives the same bytes, so nothing need be written down
    deterministic: bool
    #: names of the engines that it runs on; on Ray all CPUs get one horizon, unless it settles
    engines: frozenset[str]
    #: every message arrives before the next round begins: see the module header
    settles: bool

    def limit(self, view: View) -> int:
        """Return how far the kernel may go now, or NO_FURTHER in this round.

        Unless the scheme settles, it calls ``view.advance`` once in a round, when the kernel has
        served what the CPUs asked for.
        """
        ...

    def ready(self, pending: Pending, view: View) -> list[Request]:
        """Take from ``pending`` what the kernel serves now, and return it in that order.

        Each CPU's requests stay in their order (``seq``), and none is later than ``limit`` said.
        """
        ...

    def horizons(self, view: View) -> Horizons:
        """Return how far the CPUs may run in the next round, below NEVER."""
        ...


class SchemeClass(Protocol):
    """The class of a scheme: its four attributes can be asked before one is made.

    A fifth, which it may leave out, is ``parameter``: see ``parameter_of``.
    """

    name: str
    deterministic: bool
    engines: frozenset[str]
    settles: bool

    def __call__(self, settings: Settings) -> Scheme:
        """Return a scheme for one run."""
        ...


_NEEDED: Final[Needed] = {
    "name": str,
    "deterministic": bool,
    "engines": frozenset,
    "settles": bool,
    "limit": "view",
    "ready": "pending, view",
    "horizons": "view",
}
_ENGINES: Final = frozenset(("local", "ray"))


def scheme_class(name: str, source: Source = ()) -> SchemeClass:
    """Return the class of the scheme ``name``: a name, or ``FILE.py:CLASS``.

    Args:
        name: of the scheme.
        source: where a file's is from; by default it is read, relative to this folder.

    Raises:
        SchemeError: there is none, it cannot be loaded, or it is none.
    """
    place = BUILTIN.get(name)
    if place is not None:
        module, _, attribute = place.partition(":")
        return cast(SchemeClass, getattr(import_module(module), attribute))
    try:
        if is_file(name):
            found = load(SCHEME, source or source_of(name, Path()))
        elif name in installed_names(SCHEME):
            found = load(SCHEME, (name,))
        else:
            have = ", ".join(scheme_names())
            raise SchemeError(f"there is no scheme {name!r} (there is: {have})")
        if not callable(found):
            raise PluginError(f"a scheme is a class, not {found!r}")
        called = getattr(found, "__name__", repr(found))
        complete(SCHEME, found, called, _NEEDED)
        wrong = list(_problems(found))
        if wrong:
            raise PluginError(f"{called}: {'; '.join(wrong)}")
    except PluginError as error:
        raise SchemeError(str(error)) from error.__cause__
    return cast(SchemeClass, found)


def _problems(found: Any) -> Iterator[str]:
    """Yield what is wrong with the attributes of a scheme from outside, and with how it is made."""
    name, engines = found.name, found.engines
    if not name.replace("-", "_").isidentifier() or name in BUILTIN:
        yield f"its name must be a word, and no scheme's of smplab (got {name!r})"
    if not engines or engines - _ENGINES:
        have = ", ".join(sorted(map(str, engines))) or "none"
        yield f"its engines must be of {', '.join(sorted(_ENGINES))} (got {have})"
    elif found.settles and engines != {"local"}:
        yield "a scheme that settles is for the local engine"
    if not takes(found, 1):
        yield "__init__ must take settings"


def parameter_of(scheme: SchemeClass) -> str:
    """Return which key of ``sync`` says how far apart CPUs may be under a scheme; "": none does.

    Where a class does not say it, in its attribute ``parameter``, that is ``quantum``, but for
    schemes that settle: they keep all messages in time.
    """
    found: str = getattr(scheme, "parameter", "" if scheme.settles else "quantum")
    return found


def make_scheme(name: str, settings: Settings, engine: str, source: Source = ()) -> Scheme:
    """Return a scheme for one run.

    Args:
        name, source: as for ``scheme_class``.
        settings: what it is made from.
        engine: local or ray.

    Raises:
        SchemeError: there is none of that name, or it does not run on ``engine``.
    """
    made = scheme_class(name, source)
    if engine not in made.engines:
        there = [known for known in BUILTIN if engine in scheme_class(known).engines]
        raise SchemeError(
            f"the {engine} engine has no scheme {name!r} (there is: {', '.join(there)})"
        )
    return made(settings)


def scheme_names() -> list[str]:
    """Return the names of all schemes that can be had by name: our own, then those installed."""
    return [*BUILTIN, *(name for name in installed_names(SCHEME) if name not in BUILTIN)]
