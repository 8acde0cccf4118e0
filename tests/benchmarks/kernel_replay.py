"""How fast the kernel LP is rebuilt from its request log: decision 0007.

A run is made on the local engine while every request that the kernel serves is written down in the
wire's form (``cluster.codec``), with the limits up to which it went. Then a fresh KernelState is
fed with that: no CPUs, no guest code but that of contexts which live in the kernel, no Ray. Its
counters must be those of the run.

Printed for each workload: host seconds of the run's loop, of these in the kernel; of the
rebuilding, of these for decoding; kernel and rebuilding as parts of the loop; bytes of the log for
each request, packed and compressed.

Usage: python tests/benchmarks/kernel_replay.py [--lifecycles N] [--scheme SCHEME]
"""

import argparse
import zlib
from pathlib import Path
from time import perf_counter
from typing import Any

import workloads
from cluster import lps
from cluster.build import guest_spec
from cluster.codec import KernelCodec, pack
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun
from kernel.machine import MachineSpec
from kernel.state import KernelState

PROGRAMS = Path(workloads.__file__).parent / "programs"
CPUS = 64


Log = list[tuple[bytes, int]]  # requests in the wire's form, and the limit


def recorded(spec: MachineSpec, scheme: str) -> tuple[LocalRun, Log, float, float]:
    """Run; return the run, what the kernel served, and seconds in the loop and in the kernel."""
    run = LocalRun(RunRequest(spec, scheme=scheme, quantum_ns=1_000_000))
    log: Log = []
    writing = 0.0
    kernel = run.host.kernel
    deliver, serve = kernel.deliver, kernel.run
    batch: list[bytes] = []

    def note(requests: Any) -> None:
        nonlocal writing
        started = perf_counter()
        batch.append(pack(requests))
        writing += perf_counter() - started
        deliver(requests)

    def note_limit(limit_ns: int) -> None:
        log.append((batch.pop() if batch else b"", limit_ns))
        serve(limit_ns)

    run.host.kernel = _Noting(kernel, note, note_limit)  # type: ignore[assignment]
    result = run.run()
    if result.exit_kind != DONE:
        raise RuntimeError(f"{result.exit_kind}: {result.message}")
    loop_s, kernel_s = result.wall["loop_ns"] / 1e9, result.wall["kernel_ns"] / 1e9
    return run, log, loop_s - writing, kernel_s - writing


class _Noting:
    """A kernel with two methods replaced; the class is compiled and takes no others."""

    def __init__(self, kernel: KernelState, deliver: Any, run: Any) -> None:
        self._kernel = kernel
        self.deliver = deliver
        self.run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_kernel", "deliver", "run"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._kernel, name, value)


def rebuilt(spec: MachineSpec, log: Log) -> tuple[KernelState, float, float]:
    """Feed a fresh kernel; return it, the whole time, and that of decoding."""
    loader = lps.loader_of(spec)
    codec = KernelCodec([range(spec.cpus)], loader)
    decoding = 0.0
    started = perf_counter()
    kernel = KernelState(spec, loader)
    with lps.without_collector():
        for data, limit_ns in log:
            if data:
                before = perf_counter()
                requests = codec.unpack_requests(data)
                decoding += perf_counter() - before
                kernel.deliver(requests)
            kernel.run(limit_ns)
            kernel.take_effects()
    return kernel, perf_counter() - started, decoding


def measure(name: str, arguments: list[str], scheme: str) -> None:
    """Measure one workload and print a line."""
    spec = guest_spec(PROGRAMS / f"{name}.py", arguments, cpus=CPUS, trace=False)
    run, log, loop_s, kernel_s = recorded(spec, scheme)
    kernel, whole_s, decoding_s = rebuilt(spec, log)
    kernel.stats.peak_frames = kernel.frames.peak
    wanted = run.host.kernel.stats.to_plain()
    found = kernel.stats.to_plain()
    if found != wanted:
        different = [key for key in wanted if wanted[key] != found[key]]
        raise RuntimeError(f"{name}: the rebuilt kernel is another one: {different}")
    packed = b"".join(data for data, _ in log)
    requests = wanted["requests"]
    print(
        f"{name:18} {requests:9} {loop_s:8.2f} {kernel_s:8.2f} {whole_s:8.2f} {decoding_s:8.2f} "
        f"{kernel_s / loop_s:9.2f} {whole_s / loop_s:9.2f} {len(packed) / requests:6.0f} "
        f"{len(zlib.compress(packed, 1)) / requests:6.0f}"
    )


def main() -> None:
    """Measure the workloads."""
    parser = argparse.ArgumentParser(description="Rebuilding the kernel from its requests.")
    parser.add_argument("--lifecycles", type=int, default=4_000)
    parser.add_argument("--scheme", default="barrier")
    options = parser.parse_args()
    children = max(1, options.lifecycles // CPUS)
    print(f"{'':28} {'seconds of host time':>35} {'parts of the loop':>19} {'bytes':>13}")
    print(
        "workload            requests     loop   kernel  rebuilt decoding    kernel   rebuilt "
        "packed   zlib"
    )
    some = [f"parents={CPUS}", f"children={children}"]
    measure("fork_exec_storm", some, options.scheme)
    measure("fork_exec_storm", [*some, "compute=uniform:2ms:9ms"], options.scheme)
    measure("prefork_server", ["workers=48", f"requests={options.lifecycles}"], options.scheme)
    measure("thread_group_exit", [f"groups={children}", "threads=8"], options.scheme)


if __name__ == "__main__":
    main()
