"""Scenario files: those that are shipped, by name, and how one is told from a configuration."""

import difflib
from pathlib import Path

from cluster.catalogue import CONFIGS
from cluster.config.errors import ConfigError, Problem
from cluster.config.load import has_keys, read_text
from cluster.config.source import read_document

_FOLDER = CONFIGS / "races"
_SHIPPED = CONFIGS / "race_programs"  # where a wheel has them
_PROGRAMS = _SHIPPED if _SHIPPED.is_dir() else CONFIGS.parent / "tests" / "guest" / "race"


def scenario_names() -> list[str]:
    """Return the names of the shipped scenarios."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def describe_scenario(name: str) -> str:
    """Return the title of a shipped scenario."""
    path = _FOLDER / f"{name}.yaml"
    return str(read_document(str(path), read_text(path)).data["title"])


def scenario_path(named: Path) -> Path:
    """Return the scenario that a command line names: a file, or a shipped one by its name.

    Raises:
        ConfigError: it looks like a name and there is no such scenario.
    """
    text = str(named)
    names = scenario_names()
    if text in names and not named.exists():
        return _FOLDER / f"{text}.yaml"
    if "/" in text or named.suffix or named.exists():
        return named
    near = difflib.get_close_matches(text, names, 1)
    hint = f"did you mean {near[0]}?" if near else "smplab list races names them"
    what = f"no such file, and no shipped scenario of that name ({hint})"
    raise ConfigError([Problem(text, 0, 0, "", what)])


def is_scenario(path: Path) -> bool:
    """Tell whether the file at ``path`` is a scenario: see ``has_keys``."""
    return has_keys(path, "title", "program")


def race_programs() -> list[Path]:
    """Return all that mutations are looked for in: the shipped scenarios, and programs besides.

    Those are the guest programs of tests that are about what several tasks do at once; a wheel has
    them, too (pyproject.toml).
    """
    return [*sorted(_FOLDER.glob("*.yaml")), *sorted(_PROGRAMS.glob("*.py"))]
