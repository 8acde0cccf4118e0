"""From a configuration to a ``RunRequest``: the one place where requests are made."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from cluster.engine_api import CheckpointPlan, RunRequest
from cluster.plugins import place_of

if TYPE_CHECKING:  # a request without configuration is made where time to start counts
    from cluster.config import Loaded
    from cluster.config.models import Checkpoint
    from cluster.sync.order_log import RecordedOrder
    from kernel.machine import MachineSpec


def request_of(loaded: "Loaded", spec: "MachineSpec") -> RunRequest:
    """Return the run that a configuration asks for.

    Args:
        loaded: the configuration.
        spec: the machine that was made of it.
    """
    config = loaded.config
    per_actor = config.ray.cpus_per_actor
    return RunRequest(
        spec=spec,
        engine=config.engine,
        scheme=place_of(config.taken_scheme, loaded.folder),
        scheme_from=loaded.scheme_from,
        quantum_ns=config.sync.quantum,
        slack_ns=config.sync.slack,
        address=config.ray.address,
        cpus_per_actor=per_actor if isinstance(per_actor, int) else None,
        beside=config.ray.beside,
        link=config.ray.link,
        hosts=config.ray.hosts if isinstance(config.ray.hosts, int) else None,
        max_virtual_ns=config.limits.virtual_time,
        max_wall_s=config.limits.wall_time / 1e9 if config.limits.wall_time else None,
        record_order=config.record == "order",
        max_recoveries=config.ray.max_recoveries,
        checkpoint=_plan_of(config.checkpoint),
    )


def _plan_of(config: "Checkpoint") -> CheckpointPlan | None:
    if not config.enabled:
        return None
    return CheckpointPlan(config.every / 1e9, config.supersteps)


_OF_PROCESS: Final = frozenset(
    (
        "spec",
        "out_dir",
        "on_progress",
        "on_output",
        "feed",
        "replay",
        "checkpoint",
        "resume",
        "faults",
    )
)


def request_to_plain(request: RunRequest) -> dict[str, Any]:
    """Return as plain data what a run was asked to do, so that it can be gone on with."""
    data: dict[str, Any] = {
        each.name: getattr(request, each.name)
        for each in fields(request)
        if each.name not in _OF_PROCESS
    }
    plan = request.checkpoint
    data["checkpoint"] = None if plan is None else [plan.seconds, plan.supersteps]
    data["machine"] = request.spec.to_plain()
    return data


def request_from_plain(data: Mapping[str, Any], spec: "MachineSpec") -> RunRequest:
    """Return the request that ``request_to_plain`` was given.

    Args:
        data: what it returned.
        spec: the machine, made of ``data["machine"]``.

    Raises:
        ValueError, TypeError, KeyError: it is none of this version of smplab.
    """
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in data.items()
        if name not in ("machine", "checkpoint")
    }
    plan = data["checkpoint"]
    return RunRequest(
        spec,
        checkpoint=None if plan is None else CheckpointPlan(*plan),
        **options,
    )


def request_of_machine(spec: "MachineSpec", scheme: str = "exact", **options: Any) -> RunRequest:
    """Return a run on the local engine, of a machine that comes from no configuration.

    Args:
        spec: the machine.
        scheme: its synchronisation scheme.
        options: further fields of ``RunRequest``.
    """
    return RunRequest(spec, scheme=scheme, cpus_per_actor=None, **options)


def request_of_log(log: "RecordedOrder", **options: Any) -> RunRequest:
    """Return the replay of a recorded run, on the local engine whatever it ran on.

    Args:
        log: what was recorded.
        options: further fields of ``RunRequest``.
    """
    return RunRequest(
        log.machine,
        scheme=log.scheme,
        quantum_ns=log.quantum_ns,
        slack_ns=log.slack_ns,
        max_virtual_ns=log.max_virtual_ns,
        replay=log,
        **options,
    )
