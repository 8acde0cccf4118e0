"""Examples that ``--help`` of each command ends with: what people type, and what for.

They are data, so that a test can parse every one of them with the command's own options, and the
reference of the command line is made from the same lines.
"""

from collections.abc import Iterable
from typing import Final

Example = tuple[str, str]

# command, with its group -> (line without the command's name, what it does)
EXAMPLES: Final[dict[str, tuple[Example, ...]]] = {
    "run": (
        ("fork_exec_storm", "a shipped configuration, on a Ray of its own"),
        ("storm.yaml --engine local --set machine.cpus=64", "in one process, with a key changed"),
        ("storm.yaml --engine local --scheme lax --record order", "CPUs run free; for replay"),
        ("storm.yaml --engine ray --address auto", "on the cluster that this host belongs to"),
        ("stressng:fork,ops=1000 --set machine.cpus=4", "a benchmark by its own name and options"),
    ),
    "guest": (
        ("hello.py", "a program, on one CPU"),
        ("--strace --pstree hello.py one two", "with its system calls and processes; arguments"),
        ("--cpus 4 --seed 7 --granularity step hello.py", "another machine, another schedule"),
    ),
    "diff": (
        ("hello.py", "natively and emulated: are they the same?"),
        ("tests/guest --cpus 1,2,64 --seeds 20", "all programs of a folder, 60 schedules each"),
    ),
    "native": (
        ("hello.py one two", "on the host's kernel, as the emulated program begins"),
        ("'hackbench:-p -g 2 -l 100'", "a preset's program"),
    ),
    "validate": (
        ("storm.yaml", "all that is wrong, each at its line and column"),
        ("storm.yaml --set machine.cpus=0", "with a key changed"),
    ),
    "import": (
        ("app.json -o app.py", "what rt-app does with it, as a program"),
        ("make.strace -o make.py", "of strace -f -ttt -T -y -o make.strace make -j2"),
        ("make.data -o make.py", "of perf sched record -o make.data -- make -j2"),
        ("hackbench:-p", "the program of a preset, on standard output"),
    ),
    "schema": (
        ("", "for an editor: smplab schema > schema.json"),
        ("experiment", "that of the files that smplab sweep takes"),
    ),
    "list": (
        ("", "what there is to be named"),
        ("configs", "shipped configurations"),
        ("fork_exec_storm", "a program's parameters"),
        ("hackbench", "the options of a family of presets"),
    ),
    "trace": (
        ("latest --pid 3 --limit 20", "the first lines of a task"),
        ("latest --event sched_switch --cpu 0 --from 10ms --to 20ms", "a CPU's switches"),
    ),
    "summary": (
        ("latest", "the table again"),
        ("latest --verify", "and the digest, computed from the files"),
    ),
    "export": (
        ("latest -o run.pftrace", "for ui.perfetto.dev"),
        ("latest --format perf -o perf.data", "for perf sched latency -i perf.data"),
    ),
    "report": (
        ("latest -o run.html", "one page that needs no network"),
        ("latest --format svg -o run.svg", "a figure for a paper, of a run or a sweep"),
    ),
    "top": (
        ("latest", "a run as it goes, or a replay of one that is over"),
        ("--follow", "the run that goes on in runs, or the next that begins"),
        ("latest --speed 5ms", "5 ms of virtual time a second"),
        ("latest --once --at 10ms", "one frame as text"),
    ),
    "ps": (
        ("latest --at 10ms -L", "the process table then, with threads"),
        ("latest --at 10ms -o pid,ppid,stat,psr,args", "with these columns"),
    ),
    "pstree": (("latest --at 10ms -a -p", "the tree then, with arguments and pids"),),
    "acct": (("latest --precise", "of a run with kernel.acct: true; times in ns, too"),),
    "output": (
        ("latest", "which programs wrote something"),
        ("latest fork_exec_storm", "what one wrote"),
    ),
    "replay": (
        ("latest", "the same run once more; are the digests the same?"),
        ("latest --break sched_process_exit", "stops there, and asks"),
    ),
    "resume": (("latest", "from the last checkpoint to the end"),),
    "sweep": (
        ("experiment.yaml --jobs 2", "two points at a time"),
        ("experiment.yaml --resume latest", "what a sweep that was stopped lacks"),
        ("experiment.yaml --engine ray --address auto", "tasks on a cluster"),
    ),
    "calibrate": (("-o costs.yaml", "what this host's kernel costs; about a minute"),),
    "predict": (
        ("fork_exec_storm --cpus 2 --costs costs.yaml", "emulated and on this host, side by side"),
        ("storm.yaml --within 10%", "exit code 1 if throughput is off by more"),
    ),
    "compare": (
        ("runs/a runs/b", "how b differs from a"),
        ("latest --by sched.fair --measure virtual", "values of an axis of the newest sweep"),
        ("--host 'hackbench:-p -g 2' --costs costs.yaml", "emulated, native, and hackbench itself"),
    ),
    "accuracy": (("fork_exec_storm --cpus 4,16 --seeds 3", "by how much quicker schemes are off"),),
    "outcomes": (
        ("races/parallel/fork_order --runs 100", "how races end when CPUs run free"),
        ("races/parallel/fork_order --engine ray", "the same with real parallelism"),
    ),
    "scheduler": (
        ("check mine.py:Mine --seeds 5", "has it the properties that the kernel counts on?"),
    ),
    "litmus": (
        ("MP.litmus --model tso", "what a test may end in"),
        ("tests --jobs 2", "a line for each test of a folder"),
    ),
    "compile": (("", "once; later runs find it"),),
    "sched latency": (("latest --sort max", "by task, the longest delay first"),),
    "sched timehist": (
        ("latest -s", "the sums by task"),
        ("latest --cpu 0 --time 10ms,20ms", "each run on a CPU in that time"),
    ),
    "sched map": (("latest --compact", "who ran where, a line for each change"),),
    "sched stats": (("latest --longest 5", "waits, fairness, the worst cases"),),
    "sched wasted": (("latest", "CPUs that were idle while tasks waited"),),
    "race points": (("", "where a schedule can be changed"),),
    "race mutants": (("--list", "the mutations there are"),),
    "race run": (
        ("lost_wakeup --strategy pct --runs 1000", "random schedules that find rare orders"),
        ("lost_wakeup --unmutated --runs 1000", "the kernel as it is"),
        ("lost_wakeup --save bug.run", "keeps the schedule that failed"),
    ),
    "race replay": (("bug.run lost_wakeup", "a schedule again; what run printed does, too"),),
    "race prove": (
        ("lost_wakeup --unmutated", "all schedules that differ; none fails, or the one that does"),
    ),
    "race shrink": (("bug.run lost_wakeup", "the fewest switches that still fail"),),
    "race explain": (("bug.run lost_wakeup --html bug.html", "who did what, and what crossed"),),
}


def lines(command: str) -> Iterable[Example]:
    """Yield the whole command lines of a command, and what each is for.

    Of a group of commands the first line of each.
    """
    for words, what in EXAMPLES.get(command, ()):
        yield f"smplab {command} {words}".rstrip(), what
    for name, of_group in EXAMPLES.items():
        if name.startswith(f"{command} "):
            words, what = of_group[0]
            yield f"smplab {name} {words}".rstrip(), what


def epilog(command: str) -> str | None:
    """Return what ``--help`` of a command ends with; None if it has no examples."""
    shown = [f"  {line}\n      {what}" for line, what in lines(command)]
    # \b: the paragraph keeps its lines
    return "\b\nExamples:\n" + "\n".join(shown) if shown else None
