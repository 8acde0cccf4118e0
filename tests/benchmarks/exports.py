"""Records per second of CPU time that each format of ``smplab export`` takes.

``python -m tests.benchmarks.exports [--children 300] [--rounds 3]``

A storm of fork and exec on 64 CPUs is run once; its trace is written in every format, in turns, and
the best round of each is printed, beside that of reading the trace alone.
"""

import argparse
import tempfile
import time
from pathlib import Path

from cluster.api.run import run
from cluster.collector import without_collector
from cluster.export import FORMATS, export
from cluster.trace import TraceReader


def read_all(trace: Path) -> int:
    """Go through the records of a trace by time; return how many there are."""
    with TraceReader(trace) as reader, without_collector():
        return sum(map(len, reader.batches()))


def main() -> None:
    """Print a line for each format."""
    parser = argparse.ArgumentParser(description="Records per second of CPU time, of exports.")
    parser.add_argument("--children", type=int, default=300, help="of each of the 100 parents")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        done = run(
            "storm_100k",
            engine="local",
            out=base,
            settings={
                "trace.enabled": True,
                "workloads.0.params.children": options.children,
            },
        )
        trace = done.path / "trace.smpt"
        records = read_all(trace)
        best: dict[str, float] = {}
        for _ in range(options.rounds):
            for name in ("(reading)", *FORMATS):
                begin = time.process_time()
                if name in FORMATS:
                    export(trace, name, base / "out")
                else:
                    read_all(trace)
                took = time.process_time() - begin
                best[name] = min(best.get(name, took), took)
    print(f"{records:,} records")
    for name, took in best.items():
        print(f"{name:10} {records / took / 1000:6.0f} k records/s")


if __name__ == "__main__":
    main()
