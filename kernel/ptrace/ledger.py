"""What must always be true of tracers and tracees; a part of ``kernel.check.invariants``.

Source: the rules are those of kernel/ptrace.c.
"""

from kernel.task import JOBCTL_TRACED, TASK_TRACED, TaskStruct


def check_ptrace(task: TaskStruct, found: list[str]) -> None:
    """Append what does not hold between ``task``, its tracer and its tracees.

    Nobody may hold tasklist_lock for writing.
    """
    state = task.tracing
    if state is None:
        if task.ptrace:
            found.append(f"{task!r} is traced and has no ptrace state")
        if task.parent is not task.real_parent:
            found.append(f"{task!r} has the tracer {task.parent!r} and is not traced")
        return
    if task.ptrace:
        tracer = task.parent
        if tracer is None or tracer.tracing is None or task not in tracer.tracing.ptraced:
            found.append(f"{task!r} is traced by {tracer!r}, which does not list it")
        elif tracer.signal is task.signal:
            found.append(f"{task!r} is traced by {tracer!r} of its own process")
    elif task.parent is not task.real_parent:
        found.append(f"{task!r} is not traced and has the parent {task.parent!r}")
    elif not state.ptraced:
        found.append(f"{task!r} keeps a ptrace state and neither traces nor is traced")
    if (
        task.jobctl & JOBCTL_TRACED
        and task.state != TASK_TRACED
        and not task.exit_state
        and task.sighand.siglock.owner is None  # who sets both has it, till both are to be seen
    ):
        found.append(f"{task!r} says that it stands in a trap and is in state {task.state:#x}")
    if task.exit_state and state.ptraced:
        found.append(f"{task!r} is dead and still traces {state.ptraced!r}")
    found += [
        f"{task!r} lists the tracee {tracee!r}, which has the parent {tracee.parent!r}"
        for tracee in state.ptraced
        if not tracee.ptrace or tracee.parent is not task
    ]
