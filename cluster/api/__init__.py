"""What ``import smplab`` gives: runs as objects, and a machine to step by hand.

    import smplab
    run = smplab.run("fork_exec_storm", settings={"machine.cpus": 4})
    run.summary["lifecycles"], run.digest
    run.events("sched_switch")          # an Arrow table
    run.tasks(at=1_000_000)             # the processes there were at 1 ms

    machine = smplab.Machine("fork_exec_storm")
    machine.run_to("sched_process_exit")
    machine.tasks()

A run is what ``smplab run`` makes, with the same directory: every command takes it afterwards. A
machine that is stepped writes nothing.

The module is ``cluster/toplevel/smplab.py``; the build puts it beside the packages.
"""

from cluster.api.errors import EmulatorError, MissingError
from cluster.api.machine import Breakpoint, Machine
from cluster.api.run import Run, open_run, run
from cluster.api.tasks import Task
from cluster.config.errors import ConfigError
from cluster.trace import TraceRecord

__all__ = [
    "Breakpoint",
    "ConfigError",
    "EmulatorError",
    "Machine",
    "MissingError",
    "Run",
    "Task",
    "TraceRecord",
    "open_run",
    "run",
]
