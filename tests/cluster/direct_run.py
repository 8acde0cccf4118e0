"""The Ray engine's run with plain objects of this process for actors, without Ray."""

from collections.abc import Sequence
from typing import Any

from cluster.codec import pack
from cluster.engine_api import RunRequest, RunResult
from cluster.ray_actors import KERNEL_NAME, CpuActor, KernelActor, lp_name
from cluster.ray_engine import RayRun, kernel_options
from cluster.ray_watch import Actors
from cluster.transport.frames import FrameTransport


class DirectLink:
    """Calls the actors' methods where they are."""

    def __init__(self, actors: Actors, layers: int) -> None:
        self.actors = actors
        self.layers = layers
        self.frames = 0

    def round(self, frame: bytes) -> bytes:
        for _ in range(self.layers):
            frame = self.actors.kernel.superstep(*[cpu.step(frame) for cpu in self.actors.cpus])
            self.frames += 1
        return frame

    def close(self) -> bool:
        return True


class DirectRun(RayRun):
    """The Ray engine's run with plain objects for actors."""

    layers = 3

    def _run_on_ray(self) -> RunResult:
        kind, message = self._guarded_loop()
        return self._collect(kind, message)

    def _start(self) -> None:
        request = self.request
        plain = pack(request.spec.to_plain())
        kernel = KernelActor(plain, self.groups, *kernel_options(request, self.record), None)
        cpus = [CpuActor(plain, number, group, None) for number, group in enumerate(self.groups)]
        names = [*(lp_name(group) for group in self.groups), KERNEL_NAME]
        self.actors = Actors(kernel, cpus, names)
        self.transport = FrameTransport(DirectLink(self.actors, self.layers), self._begin)

    def _call(self, method: str, *arguments: Any, kernel: Sequence[Any] | None = None) -> list[Any]:
        assert self.actors is not None
        results = [getattr(cpu, method)(*arguments) for cpu in self.actors.cpus]
        last = arguments if kernel is None else kernel
        return [*results, getattr(self.actors.kernel, method)(*last)]

    def _call_kernel(self, method: str, *arguments: Any) -> Any:
        assert self.actors is not None
        return getattr(self.actors.kernel, method)(*arguments)


def run_direct(request: RunRequest) -> RunResult:
    return DirectRun(request).run()
