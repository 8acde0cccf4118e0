"""How late a short sleeper runs beside 1, 4 and 16 spinners of its CPU, on this host and emulated.

    python -m tests.host.latency [--alone] [--slack] [--naps N] [--fair CLASS] [--spinners N,N]

prints the distributions beside each other, in us. The host's tell of its scheduler only if the CPU
had little else to do: its share is in the head of the column. ``--alone`` gets it for the time of
the run, by the nice value of the session's autogroup (needs root, and holds up other sessions).
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

import pytest

from tests.host.both import emulated, native, numbers

PERCENTS = (0, 10, 25, 50, 75, 90, 99, 100)


def late_by(text: str) -> tuple[int, list[int]]:
    """Return the share of the CPU that the tasks had, in per cent, and the latencies in ns."""
    share, *late = numbers(text)
    return share, late


def quantile(ordered: Sequence[int], percent: int) -> int:
    """Return the value that ``percent`` of ``ordered`` do not exceed."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def host_cpus() -> int:
    """Return the number of CPUs by which this host's kernel scales its slices."""
    return os.cpu_count() or 1


def table(spinners: int, naps: int, fair: str, alone: bool, slack: bool) -> Iterator[str]:
    """Yield the lines of one comparison."""
    args = (str(spinners), str(naps))
    ours, mine = late_by(emulated("latency.py", *args, fair=fair, cpus=host_cpus(), slack=slack))
    theirs, its = late_by(native("latency.py", *args, *(["alone"] if alone else [])))
    yield f"beside {spinners}: late by us {f'{fair} ({ours} %)':>16} {f'host ({theirs} %)':>16}"
    for percent in PERCENTS:
        one, other = quantile(mine, percent) / 1000, quantile(its, percent) / 1000
        yield f"{percent:>21} % {one:>17,.0f} {other:>16,.0f}"


def main(words: Sequence[str] | None = None) -> int:
    """Print the tables that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.host.latency")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--slack", action="store_true")
    parser.add_argument("--naps", type=int, default=300)
    parser.add_argument("--fair", default="eevdf")
    parser.add_argument("--spinners", default="1,4,16")
    options = parser.parse_args(words)
    for spinners in options.spinners.split(","):
        try:
            for line in table(
                int(spinners), options.naps, options.fair, options.alone, options.slack
            ):
                print(line)
        except pytest.skip.Exception as why:
            print(f"beside {spinners}: {why}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
