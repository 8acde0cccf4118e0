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
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import workloads
from cluster import lps
from cluster.build import guest_spec
from cluster.codec import KernelCodec, ServedLog, ServedReader
from cluster.engine_api import DONE, RunRequest
from cluster.local_engine import LocalRun
from cluster.set_down import MadeAgain
from kernel.machine import MachineSpec
from kernel.messages import Request
from kernel.state import KernelState

PROGRAMS = Path(workloads.__file__).parent / "programs"
CPUS = 64


class Noting(ServedLog):
    """The log of a checkpoint, which knows how long it took to write."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def serve(self, requests: Sequence[Request], limit_ns: int) -> None:
        """See ``ServedLog.serve``."""
        started = perf_counter()
        super().serve(requests, limit_ns)
        self.seconds += perf_counter() - started


def recorded(spec: MachineSpec, scheme: str) -> tuple[LocalRun, bytes, float, float]:
    """Run; return the run, what the kernel served, and seconds in the loop and in the kernel."""
    run = LocalRun(RunRequest(spec, scheme=scheme, quantum_ns=1_000_000))
    log = run.host.served = Noting()
    result = run.run()
    if result.exit_kind != DONE:
        raise RuntimeError(f"{result.exit_kind}: {result.message}")
    loop_s, kernel_s = result.wall["loop_ns"] / 1e9, result.wall["kernel_ns"] / 1e9
    return run, log.take(), loop_s - log.seconds, kernel_s - log.seconds


def rebuilt(spec: MachineSpec, scheme: str, log: bytes) -> tuple[KernelState, float, float]:
    """Feed a fresh kernel; return it, the whole time, and that of decoding."""
    host = LocalRun(RunRequest(spec, scheme=scheme, quantum_ns=1_000_000)).host
    reader = KernelCodec([range(spec.cpus)], lps.loader_of(spec))
    started = perf_counter()
    for _entry in ServedReader(reader).feed(log):
        pass
    decoding_s = perf_counter() - started
    started = perf_counter()
    again = MadeAgain(host, reader)
    again.feed(log)
    again.end()
    return host.kernel, perf_counter() - started, decoding_s


def measure(name: str, arguments: list[str], scheme: str) -> None:
    """Measure one workload and print a line."""
    spec = guest_spec(PROGRAMS / f"{name}.py", arguments, cpus=CPUS, trace=False)
    run, log, loop_s, kernel_s = recorded(spec, scheme)
    kernel, whole_s, decoding_s = rebuilt(spec, scheme, log)
    kernel.stats.peak_frames = kernel.frames.peak
    wanted = run.host.kernel.stats.to_plain()
    found = kernel.stats.to_plain()
    if found != wanted:
        different = [key for key in wanted if wanted[key] != found[key]]
        raise RuntimeError(f"{name}: the rebuilt kernel is another one: {different}")
    requests = wanted["requests"]
    print(
        f"{name:18} {requests:9} {loop_s:8.2f} {kernel_s:8.2f} {whole_s:8.2f} {decoding_s:8.2f} "
        f"{kernel_s / loop_s:9.2f} {whole_s / loop_s:9.2f} {len(log) / requests:6.0f} "
        f"{len(zlib.compress(log, 1)) / requests:6.0f}"
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
