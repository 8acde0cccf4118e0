"""Where the local engine spends its time: cProfile of a storm, the dearest functions first.

Usage: python tests/benchmarks/profile_local.py [--lifecycles N] [--cpus N] [--top N]
       [--scheme barrier|exact] [--sort tottime|cumtime] [--save FILE]

A profiled run is several times slower than a plain one, and calls weigh more in it than they
should: use it to find what to look at, and lifecycles.py to see whether it helped.
"""

import argparse
import cProfile
import pstats
from pathlib import Path
from time import perf_counter

import workloads
from cluster.build import guest_spec
from cluster.engine_api import RunRequest
from cluster.local_engine import LocalRun

STORM = Path(workloads.__file__).parent / "programs" / "fork_exec_storm.py"


def main() -> None:
    """Run the storm once plainly and once profiled, and print the profile."""
    parser = argparse.ArgumentParser(description="Profile the local engine.")
    parser.add_argument("--lifecycles", type=int, default=6_400)
    parser.add_argument("--cpus", type=int, default=64)
    parser.add_argument("--top", type=int, default=40)
    parser.add_argument("--scheme", choices=("barrier", "exact"), default="barrier")
    parser.add_argument("--sort", choices=("tottime", "cumtime"), default="tottime")
    parser.add_argument("--save", type=Path, help="write the profile for other viewers")
    options = parser.parse_args()
    children = max(1, options.lifecycles // options.cpus)
    args = [f"parents={options.cpus}", f"children={children}"]

    def prepared() -> LocalRun:
        spec = guest_spec(STORM, args, cpus=options.cpus, trace=False)
        return LocalRun(RunRequest(spec, scheme=options.scheme))

    plain = prepared()
    start = perf_counter()
    result = plain.run()
    took_s = perf_counter() - start
    count = children * options.cpus
    print(f"{result.exit_kind} {result.statuses}: {count} lifecycles in {took_s:.2f} s,", end=" ")
    print(f"{count / took_s:,.0f} per s, {took_s / count * 1e6:.1f} us each")
    print("wall:", {name: value for name, value in result.wall.items() if value})
    profiled = prepared()
    profile = cProfile.Profile()
    profile.runcall(profiled.run)
    stats = pstats.Stats(profile)
    stats.sort_stats(options.sort).print_stats(options.top)
    if options.save is not None:
        stats.dump_stats(options.save)


if __name__ == "__main__":
    main()
