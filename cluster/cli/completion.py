"""What a shell can complete beyond commands and options: runs and shipped configurations.

A shell that gets nothing from here completes file names.
"""

from pathlib import Path


def complete_run(incomplete: str) -> list[str]:
    """Return ``latest`` and the run directories in ``runs`` that begin with ``incomplete``."""
    from cluster.rundir import DEFAULT_BASE, LATEST

    try:
        found = sorted(
            (str(path) for path in Path(DEFAULT_BASE).iterdir() if path.is_dir()), reverse=True
        )
    except OSError:
        return []  # no run here: latest would mean nothing
    return [name for name in (LATEST, *found) if name.startswith(incomplete)]


def complete_config(incomplete: str) -> list[str]:
    """Return shipped configurations, and families of presets, that begin with ``incomplete``."""
    from cluster.catalogue import config_names, configs_in_folders
    from cluster.presets.registry import families

    known = (*config_names(), *configs_in_folders(), *(f"{name}:" for name in families()))
    return [name for name in known if name.startswith(incomplete)]


def complete_scenario(incomplete: str) -> list[str]:
    """Return the shipped scenarios of races whose names begin with ``incomplete``."""
    from cluster.race.shipped import scenario_names

    return [name for name in scenario_names() if name.startswith(incomplete)]
