"""A run's directory: what is written there, and what a failure leaves."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.cli.interrupts import interruption, was_interrupted
from cluster.engine_api import BROKEN as BROKEN_KIND
from cluster.engine_api import INVARIANT as INVARIANT_KIND
from cluster.engine_api import STORAGE, kernel_failure
from cluster.exit_codes import (
    BROKEN,
    MUTATION,
    MUTATION_KIND,
    OF_EXIT_KIND,
    TRY_AGAIN,
    USAGE,
    CliError,
)

if TYPE_CHECKING:
    from cluster.config import Loaded
    from cluster.engine_api import RunRequest, RunResult
    from cluster.rundir import RunDir
    from kernel.machine import MachineSpec


def resolved(loaded: "Loaded") -> dict[str, Any]:
    """Return the configuration as it was understood, every default filled in, as JSON data."""
    from kernel.sched.classes import CLASSES
    from kernel.sched.tunables import key_of

    data: dict[str, Any] = loaded.config.model_dump(mode="json")
    data["sync"]["scheme"] = loaded.config.taken_scheme
    sched = loaded.config.sched
    if sched.fair == "auto":
        data["sched"]["fair"] = loaded.fair.name
    for cls in CLASSES:
        for name, value in sched.tunables(cls, loaded.config.linux).items():
            data["sched"][cls.name][key_of(name)] = value
    return data


@contextmanager
def begun(
    loaded: "Loaded", request: "RunRequest", command: list[str] | None = None
) -> "Iterator[RunDir]":
    """Make the directory of a run, with its manifest, and keep others from writing there.

    Args:
        loaded: the configuration.
        request: the run it asks for; is told its directory.
        command: for the manifest; ``sys.argv`` if None.

    Raises:
        CliError: the directory cannot be made.
    """
    from cluster.run_lock import RunLock
    from cluster.rundir import RunDir

    config = loaded.config
    try:
        directory = RunDir.create(Path(config.out), config.name)
    except OSError as error:
        raise CliError(USAGE, "usage", f"out: {config.out}: {error.strerror}") from None
    request.out_dir = directory.path
    try:
        lock = RunLock(directory.path)
        with abandoned_on_failure(directory, request.spec, request.scheme):
            directory.start(
                name=config.name, config=resolved(loaded), seed=config.seed, command=command
            )
    except OSError as error:
        directory.discard_unstarted()
        told = f"{error.filename or directory.path}: {error.strerror}"
        raise CliError(TRY_AGAIN, "cannot write", told) from None
    with lock:
        yield directory


@contextmanager
def abandoned_on_failure(
    directory: "RunDir | None", spec: "MachineSpec", scheme: str = ""
) -> Iterator[None]:
    """Finish the manifest of a run that an exception ends, and let the exception go on.

    Args:
        directory: of the run; None: it has none.
        spec: the machine.
        scheme: of the run.

    Raises:
        CliError: the exception was one of the emulated kernel, see ``_kernel_failure``.
    """
    try:
        yield
    except KeyboardInterrupt:
        _abandon(directory, "interrupted", *interruption())
        raise
    except (Exception, SystemExit) as error:
        if was_interrupted():
            _abandon(directory, "interrupted", *interruption())
            raise
        failed = _kernel_failure(error, spec, scheme)
        code = BROKEN if failed is None else failed.code
        _abandon(directory, "broken", code, f"{type(error).__name__}: {error}")
        if failed is None or os.environ.get("SMPLAB_TRACEBACK") == "1":
            raise
        raise failed from error


def _abandon(directory: "RunDir | None", kind: str, code: int, message: str) -> None:
    if directory is None or directory.discard_unstarted():
        return
    directory.finish(exit_kind=kind, exit_code=code, message=message, complete=False)


def _kernel_failure(
    error: Exception | SystemExit, spec: "MachineSpec", scheme: str
) -> CliError | None:
    """Return the failure that an exception stands for which the emulated kernel raised."""
    found = None if isinstance(error, CliError) else kernel_failure(error, spec, scheme)
    if found is None:
        return None
    kind, told = found
    if kind == INVARIANT_KIND and spec.mutations:
        return CliError(MUTATION, MUTATION_KIND, told)
    return CliError(*OF_EXIT_KIND[kind], told)


def record(
    directory: "RunDir", result: "RunResult", code: int, kind: str, message: str
) -> tuple[int, str, str]:
    """Write what a run found into its directory, where trace and outputs already are.

    Checkpoints of a run that has ended go; those of another one stay.

    Returns:
        Code, kind and message, or those of what could not be written.
    """
    from cluster import checkpoint
    from cluster.cli.common import is_complete
    from cluster.recorder import storage_cause

    if result.exit_kind == STORAGE and directory.goes_on():
        message = f"{message} (smplab resume {directory.path} goes on when it can be written)"
    elif result.exit_kind == BROKEN_KIND and checkpoint.there_are(directory.path):
        message = f"{message} (smplab resume {directory.path} goes on from its last checkpoint)"
    try:
        _record(directory, result, code, message)
    except OSError as error:
        code, kind = OF_EXIT_KIND[STORAGE]
        return code, kind, f"{directory.path}: {storage_cause(error)}"
    if is_complete(result):
        checkpoint.remove(directory.path)
    return code, kind, message


def _record(directory: "RunDir", result: "RunResult", code: int, message: str) -> None:
    from cluster.cli.common import is_complete
    from kernel.process.acct import OUTPUTS as ACCT_OUTPUTS

    if result.summary:  # before anything else: whoever kills us now has lost nothing of the run
        directory.write_summary(result.summary, result.digest)
    records, exact = (result.outputs.pop(name, None) for name in ACCT_OUTPUTS)
    if records is not None:
        directory.write_acct(records, exact or b"")
    directory.finish(
        exit_kind=result.exit_kind, exit_code=code, message=message, complete=is_complete(result)
    )
