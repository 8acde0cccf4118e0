"""``run_machine``: one door to all engines."""

from cluster.engine_api import RunRequest, RunResult


def run_machine(request: RunRequest) -> RunResult:
    """Run a machine to its end and return what happened; see ``cluster.engine_api``.

    Raises:
        ValueError: the engine or scheme is not one there is, or the two do not go together.
        workloads.language.errors.GuestProgramError: a guest program is outside the language.
    """
    if request.engine == "local":
        from cluster.local_engine import run_local

        return run_local(request)
    if request.engine == "ray":
        from cluster.ray_engine import run_ray

        return run_ray(request)
    raise ValueError(f"unknown engine {request.engine!r} (there is: local, ray)")
