"""docs/tutorial.ipynb, made of the cells below: ``python docs/make_tutorial.py`` writes it.

It has no outputs; tests/docs/test_tutorial.py runs it, and looks whether the file is what this
makes.
"""

import json
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent
NOTEBOOK: Final = ROOT / "tutorial.ipynb"

CELLS: Final[tuple[tuple[str, str], ...]] = (
    (
        "markdown",
        """# smplab from a notebook

A fork-exec storm on two CPUs: eight children for each of two parents. First it is run to its
end and looked at; then the same machine is stepped by hand.

What this needs: `pip install 'smplab[data,figures]'`, and a Jupyter of your choice.""",
    ),
    (
        "code",
        """import smplab

SETTINGS = {
    "engine": "local",
    "machine.cpus": 2,
    "workloads.0.params.parents": 2,
    "workloads.0.params.children": 8,
    "trace.enabled": True,
}
run = smplab.run("fork_exec_storm", settings=SETTINGS)
run""",
    ),
    (
        "markdown",
        """## What was counted

`summary` is everything that was counted, times in virtual ns. The digest is that of all that
happened: whoever runs the same configuration with the same smplab has the same one.""",
    ),
    (
        "code",
        """assert run.exit_kind == "done", run.message
lives = run.summary["lifecycles"]
{name: lives[name] for name in ("forks", "execs", "exits", "waits")}""",
    ),
    (
        "code",
        """locks = sorted(run.summary["locks"], key=lambda lock: -lock["wait_ns"])
[(lock["name"], lock["acquisitions"], lock["contended"], lock["wait_ns"]) for lock in locks[:3]]""",
    ),
    (
        "markdown",
        """## Who ran where

A lane for each CPU, the tasks by their states, the runqueues, and how long tasks waited for a
CPU.""",
    ),
    ("code", "run.plot_timeline()"),
    (
        "markdown",
        """## Events

The trace has Linux's tracepoints. `events` is an Arrow table, which pandas, polars and duckdb
take as it is.""",
    ),
    (
        "code",
        """forks = run.events("sched_process_fork")
exits = run.events("sched_process_exit")
print(forks.num_rows, "forks,", exits.num_rows, "exits")
forks.slice(0, 3).to_pylist()""",
    ),
    (
        "markdown",
        """From fork to exit: how long did each child live?""",
    ),
    (
        "code",
        """born = {row["child_pid"]: row["time_ns"] for row in forks.to_pylist()}
ends = [(row["time_ns"], row["pid"]) for row in exits.to_pylist()]
lived = sorted(time_ns - born[pid] for time_ns, pid in ends if pid in born)
median_ns = lived[len(lived) // 2]
print(f"{len(lived)} children, half of them lived less than {median_ns / 1e6:.2f} ms")""",
    ),
    (
        "markdown",
        """## The process table at a moment

Every task there was at a virtual time. Zombies (`Z`) have ended, and nobody has waited for
them yet.""",
    ),
    (
        "code",
        """middle = (exits.column("time_ns")[0].as_py() + exits.column("time_ns")[-1].as_py()) // 2
run.tasks(at=middle)""",
    ),
    (
        "markdown",
        """## The same machine, step by step

`Machine` makes the same run event by event, and stops at breakpoints. Between two steps
everything can be looked at.""",
    ),
    (
        "code",
        """machine = smplab.Machine("fork_exec_storm", settings=SETTINGS)
fork = machine.run_to("sched_process_fork", pid=5)
child = fork.fields["child_pid"]
print(f"at {fork.time_ns} ns {fork.fields['parent_comm']} forks {child}")
machine.task(child)""",
    ),
    (
        "markdown",
        """The child is there, and has not run. Where does it run first, and after how long?""",
    ),
    (
        "code",
        """machine.breakpoints.append(smplab.Breakpoint("sched_switch", pid=child))
[first] = machine.go_on()
machine.breakpoints.clear()
print(f"on CPU {first.cpu}, {first.time_ns - fork.time_ns} ns after the fork")
print("now running:", machine.current())""",
    ),
    (
        "markdown",
        """When it exits it becomes a zombie: it has a number, a parent and an exit
status, and nothing else. Its parent's `wait()` takes it away.""",
    ),
    (
        "code",
        """machine.run_to("sched_process_exit", pid=child)
while machine.task(child).state not in "ZX":
    machine.step()
zombie = machine.task(child)
machine.run_to("sched_process_free", pid=child)
gone = all(task.pid != child for task in machine.tasks())
print(f"{zombie.comm} {zombie.pid} was {zombie.state}, parent {zombie.ppid}; is gone: {gone}")""",
    ),
    (
        "markdown",
        """To its end, it is the run above, to the nanosecond.""",
    ),
    (
        "code",
        """machine.run()
assert machine.exit_kind == "done"
machine""",
    ),
    (
        "markdown",
        """## Change one thing

Who is quicker, fork or vfork? Each setting is a key of the configuration, as `--set` takes
it.""",
    ),
    (
        "code",
        """vfork = {**SETTINGS, "workloads.0.params.method": "vfork"}
runs = {"fork": run, "vfork": smplab.run("fork_exec_storm", settings=vfork)}
{name: each.summary["run"]["virtual_ns"] / 1e6 for name, each in runs.items()}""",
    ),
)


def notebook() -> dict[str, Any]:
    """Return the notebook as the format 4.5 has it, without outputs."""
    cells: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(CELLS):
        lines = text.splitlines(keepends=True)
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append({**cell, "source": lines})
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def text_of_notebook() -> str:
    """Return the file."""
    return json.dumps(notebook(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(text_of_notebook(), "utf-8")
