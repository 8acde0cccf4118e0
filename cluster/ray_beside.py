"""The kernel and one group of CPUs in one process: what they say to each other does not travel.

With as many processes as the host has cores, and the kernel in one of its own, a core has nothing
to do while the kernel works, or the kernel waits for one. So some CPUs may live beside the kernel
(``ray.beside``): they are group 0, an actor's worth of their own (``PackBeside``) that is held by
the kernel's (``KernelBesideActor``).

All that knows of it is the codec and the line. Frames go round as with groups that are apart, so
whoever gathers, numbers and counts them need not know; but the segment of group 0 is empty, and its
report frame has no reports. The messages themselves are laid on a ``Shelf``, as they are, in the
order of the frames. The line of group 0 (``Here``) makes a step when it is asked for the answer,
which is when all others have been told to make theirs.

A task that comes from another group is still packed when it gets here; one that goes there is
packed when it leaves. So the bytes of a run are those of any other packing.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cluster.codec import (
    TASK,
    ExtType,
    GroupCodec,
    Head,
    KernelCodec,
    Segment,
    pack,
    report_frame,
)
from cluster.lps import CpuReport
from cluster.ray_actors import CpuActor, KernelActor
from kernel.machine import MachineSpec
from kernel.messages import ARRIVE, Effect
from workloads.language.loader import Loader

_ARRIVE_TASK = 3


class Shelf:
    """Messages between the kernel and the CPUs of its process, in the order of their frames."""

    def __init__(self) -> None:
        self.inboxes: deque[Segment] = deque()
        self.reports: deque[Sequence[CpuReport]] = deque()


class _GroupSide(GroupCodec):
    """The side of the CPUs."""

    def __init__(self, cpus: Sequence[int], loader: Loader, shelf: Shelf) -> None:
        super().__init__(0, cpus, loader)
        self._shelf = shelf

    def encode_report(self, superstep: int, held: int, reports: Sequence[CpuReport]) -> bytes:
        """See ``GroupCodec.encode_report``."""
        self._shelf.reports.append(reports)
        return report_frame(superstep, held, None)

    def decode(self, frame: bytes) -> tuple[Head, Segment]:
        """See ``GroupCodec.decode``."""
        head, _ = super().decode(frame)
        inboxes = self._shelf.inboxes.popleft()
        for effects in inboxes.values():
            for index, effect in enumerate(effects):
                if effect[1] == ARRIVE and effect[_ARRIVE_TASK].__class__ is ExtType:
                    at_ns, code, pid, body, reason = effect
                    effects[index] = (at_ns, code, pid, self._hook(TASK, body.data), reason)
        return head, inboxes


class _KernelSide(KernelCodec):
    """The kernel's side: of all groups but the first it is the usual one."""

    def __init__(self, groups: Sequence[Sequence[int]], loader: Loader, shelf: Shelf) -> None:
        super().__init__(groups, loader)
        self._shelf = shelf

    def encode(self, head: Head, inboxes: Mapping[int, Sequence[Effect]]) -> bytes:
        """See ``KernelCodec.encode``."""
        near: Segment = {}
        far: dict[int, Sequence[Effect]] = {}
        group_of = self._group_of
        for cpu, effects in inboxes.items():
            if group_of[cpu]:
                far[cpu] = effects
            else:
                near[cpu] = list(effects)
        self._shelf.inboxes.append(near)
        return super().encode(head, far)

    def _reports_beside(self) -> Sequence[CpuReport]:
        return self._shelf.reports.popleft()


class Here:
    """The line to a group of this process; see ``cluster.transport.sockets.Line``."""

    def __init__(self, step: Callable[[bytes], bytes]) -> None:
        self._step = step
        self._wires: deque[bytes] = deque()

    def send(self, wire: bytes) -> None:
        """Keep a wire until its answer is asked for."""
        self._wires.append(wire)

    def take(self) -> bytes:
        """Answer the oldest wire."""
        return self._step(self._wires.popleft())

    def close(self) -> None:
        """Nobody hangs up here."""


class PackBeside(CpuActor):
    """The CPUs beside the kernel.

    Args:
        plain: ``MachineSpec.to_plain()`` in msgpack.
        cpus: which they are, ascending.
        halves: as for ``CpuActor``.
        loader: the kernel's: contexts pass between the two as they are.
        shelf: for messages.
    """

    def __init__(
        self, plain: bytes, cpus: Sequence[int], halves: bool, loader: Loader, shelf: Shelf
    ) -> None:
        self._loader = loader
        self._shelf = shelf
        super().__init__(plain, 0, cpus, None, halves)

    def _loader_of(self, _spec: MachineSpec) -> Loader:
        return self._loader

    def _codec_of(self, _group: int, cpus: Sequence[int], loader: Loader) -> GroupCodec:
        return _GroupSide(cpus, loader, self._shelf)

    def set_down(self) -> bytes:
        """See ``CpuActor.set_down``; with the messages of all supersteps that are under way."""
        shelf = self._shelf
        return pack([super().set_down(), list(shelf.inboxes), list(shelf.reports)])

    def take_up(self, data: bytes) -> str:
        """See ``CpuActor.take_up``."""
        try:
            state, inboxes, reports = self._states.unpack(data)
            self._shelf.reports.extend(reports)
            for segment in inboxes:
                near = {cpu: list(effects) for cpu, effects in segment.items()}
                self._shelf.inboxes.append(near)
        except (ValueError, TypeError, AttributeError) as error:
            return f"{type(error).__name__}: {error}"
        return super().take_up(state)


class KernelBesideActor(KernelActor):
    """The kernel, and group 0; arguments as for ``KernelActor``."""

    def __init__(self, plain: bytes, groups: Sequence[Sequence[int]], *options: Any) -> None:
        super().__init__(plain, groups, *options)
        shelf = Shelf()
        self._codec = _KernelSide(groups, self._loader, shelf)
        self.pack = PackBeside(plain, groups[0], self._host.halves, self._loader, shelf)
        self.near = [Here(self.pack.step)]

    def of_pack(self, method: str, *arguments: Any) -> Any:
        """Call a method of the CPUs beside the kernel."""
        return getattr(self.pack, method)(*arguments)


# -- in the driver --------------------------------------------------------------------------------


class _Method:
    def __init__(self, call: Any, name: str) -> None:
        self._call = call
        self._name = name

    def options(self, **options: Any) -> "_Method":
        return _Method(self._call.options(**options), self._name)

    def remote(self, *arguments: Any) -> Any:
        return self._call.remote(self._name, *arguments)


class PackHandle:
    """What the engine has of the CPUs beside the kernel in place of an actor's handle.

    Args:
        kernel: the handle of a ``KernelBesideActor``.
    """

    beside = True

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel

    def __getattr__(self, name: str) -> Any:
        if name == "__ray_call__":  # a function for the process
            return self._kernel.__ray_call__
        return _Method(self._kernel.of_pack, name)
