"""The logical processes set down as data, and taken up again: what a checkpoint holds.

CPUs are data between two rounds (``kernel.cpu.checkpoint``). The kernel is not: it is made again
from what it served (decision 0007), its effects thrown away, for everybody has had them. Around
both stands what an engine keeps: requests that nobody has served, messages under way, where the
scheme stands, and records of traces that have not come to a whole chunk (chunks are cut by count,
so a run that goes on from here makes the same file).

That the kernel that was made again is the one that was set down is checked by its counters.
"""

from typing import Any, Final

from cluster.codec import KernelCodec, ServedReader, StateCodec, WireError, pack
from cluster.collector import without_collector
from cluster.lps import CpuGroup, KernelHost
from cluster.sync.scheme import Scheme
from kernel.cpu.checkpoint import pack_cpu, unpack_cpu
from kernel.process.acct import OUTPUTS as ACCT_OUTPUTS
from kernel.trace.printable import printable_line

HOST: Final = 1  # sections of a checkpoint: what is around the kernel
GROUPS: Final = 2  # the CPUs, group by group
ENGINE: Final = 3  # how far the engine has come, and messages under way

_OF_VIEW: Final = (
    "cpu_next",
    "virtual_ns",
    "first_ns",
    "kernel_ns",
    "due_ns",
    "order",
    "ordered",
    "under_way_ns",
)
_TRIM: Final = 1 << 16  # records of trace that may come together while the kernel is made again


class NotSetDown(Exception):
    """A run's state cannot be set down; the message says of what."""


class TakeUpError(Exception):
    """Data does not make the state that it was made of; the message is one line."""


# -- schemes --------------------------------------------------------------------------------------


def set_down_scheme(scheme: Scheme) -> Any:
    """Return where a scheme stands: what its ``set_down`` says, else its slots.

    Raises:
        NotSetDown: it is from outside the project, or keeps more than plain data.
    """
    own = getattr(scheme, "set_down", None)
    if own is not None:
        return own()
    if not type(scheme).__module__.startswith("cluster.sync.") or hasattr(scheme, "__dict__"):
        raise NotSetDown(f"the scheme {scheme.name} cannot be set down")
    state = [[name, getattr(scheme, name)] for name in _slots(scheme)]
    if not all(_is_plain(value) for _, value in state):
        raise NotSetDown(f"the scheme {scheme.name} cannot be set down")
    return state


def take_up_scheme(scheme: Scheme, state: Any) -> None:
    """Let a new scheme stand where ``set_down_scheme`` was called."""
    own = getattr(scheme, "take_up", None)
    if own is not None:
        own(state)
        return
    names = _slots(scheme)
    if [name for name, _ in state] != names:
        raise TakeUpError(f"the scheme {scheme.name} keeps other things")
    for name, value in state:
        setattr(scheme, name, value)


def _slots(scheme: Scheme) -> list[str]:
    return sorted(
        name
        for cls in type(scheme).__mro__
        for name in cls.__dict__.get("__slots__", ())
        if not name.startswith("__")
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, (bool, int, str))


# -- CPUs -----------------------------------------------------------------------------------------


def set_down_group(group: CpuGroup) -> bytes:
    """Return CPUs that stand between two rounds, their clocks and what they have traced."""
    cpus = [[cpu, pack_cpu(lp), lp.trace] for cpu, lp in group.cpus.items()]
    return pack([group.standing(), cpus])


def take_up_group(group: CpuGroup, data: bytes, codec: StateCodec) -> None:
    """Make new CPUs those that ``set_down_group`` was given.

    Raises:
        TakeUpError, WireError: they are other CPUs.
    """
    standing, cpus = codec.unpack(data)
    if [cpu for cpu, _, _ in cpus] != list(group.cpus):
        raise TakeUpError("the checkpoint has other CPUs")
    group.stand(standing)
    for cpu, packed, trace in cpus:
        lp = group.cpus[cpu]
        unpack_cpu(lp, packed, codec.context)
        lp.trace[:] = trace


# -- the kernel -----------------------------------------------------------------------------------


def set_down_host(host: KernelHost) -> bytes:
    """Return what stands around the kernel, which stands between two rounds.

    Raises:
        NotSetDown: its scheme cannot be set down.
    """
    view, kernel = host.view, host.kernel
    return pack(
        [
            host.standing(),
            host.pending.requests,
            [getattr(view, name) for name in _OF_VIEW],
            set_down_scheme(host.scheme),
            None if host.log is None else host.log.set_down(),
            len(kernel.trace),
            [kernel.now_ns, kernel.stats.to_plain()],
        ]
    )


def take_up_host(
    host: KernelHost, data: bytes, again: "MadeAgain", codec: StateCodec
) -> list[tuple[str, bytes]]:
    """Make a new kernel the one that ``set_down_host`` was given.

    Args:
        host: new, of the same machine, with its order log and log of requests begun if it had them.
        data: what ``set_down_host`` returned.
        again: made the kernel from the log up to there.
        codec: reads states.

    Returns:
        The accounting records that it made, which no file has yet.

    Raises:
        TakeUpError, WireError: it is another kernel.
    """
    standing, requests, view, scheme, log, records, check = codec.unpack(data)
    acct = again.end()
    lp = host.kernel
    now_ns, stats = check
    if lp.now_ns != now_ns or pack(lp.stats.to_plain()) != pack(stats):
        raise TakeUpError("the kernel that was made again from its requests is another one")
    if len(lp.trace) < records:
        raise TakeUpError("the kernel that was made again has traced less")
    del lp.trace[: len(lp.trace) - records]
    host.stand(standing)
    host.pending.requests = list(requests)
    for name, value in zip(_OF_VIEW, view, strict=True):
        setattr(host.view, name, list(value) if isinstance(value, tuple) else value)
    take_up_scheme(host.scheme, scheme)
    if host.log is not None:
        if log is None:
            raise TakeUpError("the checkpoint has no order log")
        host.log.take_up(log)
    return acct


class MadeAgain:
    """A kernel that is made again from what it served, piece by piece.

    Args:
        host: of the new kernel.
        codec: reads requests.

    Raises:
        TakeUpError, WireError: by everything here: it is no log of this kernel's.
    """

    def __init__(self, host: KernelHost, codec: KernelCodec) -> None:
        self._kernel = host.kernel
        self._reader = ServedReader(codec)
        self._acct: list[tuple[str, bytes]] = []  # accounting records

    def feed(self, piece: bytes) -> None:
        """Serve what the next piece of the log has."""
        kernel = self._kernel
        try:
            with without_collector():
                for requests, limit_ns in self._reader.feed(piece):
                    if requests:
                        kernel.deliver(requests)
                    kernel.run(limit_ns)
                    kernel.take_effects()
                    if kernel.outputs:
                        self._acct += [one for one in kernel.outputs if one[0] in ACCT_OUTPUTS]
                        kernel.outputs = []
                    if len(kernel.trace) >= _TRIM + 4096:
                        del kernel.trace[:_TRIM]
        except WireError:
            raise
        except Exception as error:  # whatever a kernel does that gets what it never got
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
            raise TakeUpError(
                f"the kernel cannot be made again from its requests: {printable_line(what)}"
            ) from error

    def end(self) -> list[tuple[str, bytes]]:
        """Return its accounting records: the log is at its end."""
        self._reader.end()
        return self._acct
