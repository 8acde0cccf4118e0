"""What presets do: the same emulated and natively, and as much as they say."""

from pathlib import Path

import pytest

from cluster.diff import Plan, diff_program
from cluster.emulated import Machine, run_emulated
from cluster.presets.family import QUIET
from cluster.presets.registry import families, preset_of

SMALL = {
    "hackbench": (
        "hackbench:-p -g 2 -f 2 -l 3",
        "hackbench:-g 1 -f 2 -l 2 -s 5",
        "hackbench:-Tf2 -g1",
    ),
    "ostep": (
        *("ostep:fork -s 10", "ostep:fork -A a+b,b+c,c+d,c+e,b-,e- -P line1 -L", "ostep:fork -F"),
        *("ostep:scheduler -p SJF -l 3,1", "ostep:process-run -P c2,i,c1:c3"),
    ),
    "perfbench": (
        *("perfbench:pipe,loop=5", "perfbench:pipe -T -l 3", "perfbench:fork,loop=2"),
        *("perfbench:execve,loop=2", "perfbench:getpgid,loop=5"),
    ),
    "schbench": ("schbench:-m 2 -t 2 -r 1",),
    "stressng": (
        *("stressng:fork,ops=5,workers=2,max=2", "stressng:vfork,ops=3", "stressng:exec,ops=3"),
        *("stressng:zombie,ops=5,max=2", "stressng:pipe,ops=9", "stressng:switch,ops=5"),
        *("stressng:sem-sysv,ops=8", "stressng:yield,ops=9,procs=3", "stressng:msg,ops=5"),
        *("stressng:futex,ops=3", "stressng:kill,ops=3", "stressng:--pipe 1 --switch 1 -t 0.02"),
    ),
}
EVERY = [preset for presets in SMALL.values() for preset in presets]


def program(folder: Path, preset: str) -> Path:
    path = folder / "preset.py"
    path.write_text(preset_of(preset).program)
    return path


def test_every_family_is_compared_with_the_host() -> None:
    assert list(SMALL) == list(families())


SLOW = ("schbench:-m 2 -t 2 -r 1",)  # a second natively


@pytest.mark.native
@pytest.mark.parametrize(
    "preset", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in EVERY]
)
def test_a_preset_ends_emulated_as_natively(preset: str, tmp_path: Path) -> None:
    plan = Plan(cpus=(2,), granularities=("syscall",))
    report = diff_program(program(tmp_path, preset), [QUIET], plan)
    assert report.verdict == "same", report


@pytest.mark.parametrize(
    ("preset", "rates"),
    [
        ("hackbench:-p -g 1 -f 3 -l 4", {"messages/s": 36}),
        ("perfbench:messaging -g 1 -l 1", {"messages/s": 400}),
        ("perfbench:pipe,loop=7", {"ops/s": 7}),
        ("schbench:-t 2 -r 1 -n 50", {}),
        ("stressng:fork,ops=7,workers=2", {"ops/s": 8}),
        ("stressng:--pipe 1 --pipe-ops 9 --msg 1 --msg-ops 5", {"msg ops/s": 5, "pipe ops/s": 9}),
    ],
)
def test_time_and_rate_are_read_from_what_a_program_prints(
    preset: str, rates: dict[str, int], tmp_path: Path
) -> None:
    run = run_emulated(program(tmp_path, preset), [], machine=Machine(cpus=2))
    found = preset_of(preset).read(run.stdout.decode())
    assert found
    for name, count in rates.items():
        seconds = found[name.replace(name.split()[-1], "time")]
        assert count == pytest.approx(found[name] * seconds, rel=0.01)


TOOLS = {
    "hackbench:-p -g 1 -l 10": (
        "Running in process mode with 1 groups using 40 file descriptors each (== 40 tasks)\n"
        "Each sender will pass 10 messages of 100 bytes\nTime: 0.005\n",
        {"time": 0.005, "messages/s": 800_000.0},
    ),
    "perfbench:pipe -l 1000": (
        "# Running 'sched/pipe' benchmark:\n# Executed 1000 pipe operations between two processes\n"
        "\n     Total time: 0.003 [sec]\n\n       3.108000 usecs/op\n         321750 ops/sec\n",
        {"time": 0.003, "ops/s": 1000 / 0.003},
    ),
    "schbench:-t 2 -r 2": (
        "Wakeup Latencies percentiles (usec) runtime 2 (s) (322 total samples)\n"
        "\t  50.0th: 3          (64 samples)\n\t* 99.0th: 13296      (29 samples)\n"
        "\t  min=1, max=584590\n"
        "Request Latencies percentiles (usec) runtime 2 (s) (322 total samples)\n"
        "\t  50.0th: 3004       (97 samples)\n\t  99.9th: 123776     (3 samples)\n"
        "\t  min=2650, max=123886\n"
        "RPS percentiles (requests) runtime 2 (s) (3 total samples)\n"
        "\t  20.0th: 0          (1 samples)\n\t* 50.0th: 98         (1 samples)\n"
        "average rps: 161.00\nsched delay: message 0 (usec) worker 0 (usec)\n",
        {
            "wakeup 50%": 3e-6,
            "wakeup 99%": 13296e-6,
            "request 50%": 3004e-6,
            "request 99.9%": 123776e-6,
            "requests/s": 161.0,
        },
    ),
    "stressng:--fork 1 --fork-ops 100 --pipe 1 --pipe-ops 10000": (
        "stress-ng: info:  [24963] dispatching hogs: 1 fork, 1 pipe\n"
        "stress-ng: metrc: [24963] stressor       bogo ops real time  usr time  sys time   "
        "bogo ops/s     bogo ops/s\n"
        "stress-ng: metrc: [24963] fork                100      0.03      0.01      0.01      "
        "3596.93        3701.78\n"
        "stress-ng: metrc: [24963] pipe              10000      0.01      0.00      0.01    "
        "847830.85      877423.88\n"
        "stress-ng: metrc: [24963] pipe                 432.59 MB per sec pipe write rate\n",
        {
            "fork time": 100 / 3596.93,
            "fork ops/s": 3596.93,
            "pipe time": 10000 / 847830.85,
            "pipe ops/s": 847830.85,
        },
    ),
}


@pytest.mark.parametrize("preset", TOOLS)
def test_time_and_rate_are_read_from_what_the_tool_prints(preset: str) -> None:
    printed, found = TOOLS[preset]
    assert preset_of(preset).read(printed) == pytest.approx(found)
    assert preset_of(preset).read("Segmentation fault\n") == {}


@pytest.mark.parametrize(
    ("preset", "command"),
    [
        ("hackbench:pipe,groups=2", "hackbench --pipe --groups=2"),
        ("perfbench:messaging -l 5", "perf bench sched messaging -l 5"),
        ("schbench:rps=5 -m 2", "schbench --rps=5 -m 2 -t 8"),
        (
            "stressng:switch,ops=5,workers=2,timeout=1m",
            "stress-ng --metrics-brief --switch 2 --switch-ops 5 --switch-method sem-sysv "
            "--timeout 60s",
        ),
        ("stressng:exec,ops=5", ""),
    ],
)
def test_the_tool_is_asked_for_the_same(preset: str, command: str) -> None:
    found = preset_of(preset)
    assert " ".join(found.tool) == command
    assert bool(found.no_tool) == (command == "")
