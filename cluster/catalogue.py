"""What is shipped and can be named: programs, configurations, profiles, the guest's commands."""

import ast
import difflib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import workloads
from cluster.config.errors import ConfigError, Problem
from cluster.config.preset_text import is_preset

if TYPE_CHECKING:
    from cluster.config import CostProfile

# each is a guest program, ``workloads/programs/bin_NAME.py``
COMMANDS: Final = (
    *("true", "false", "sleep", "echo", "cat", "kill", "sh", "env", "grep", "head", "id", "ls"),
    *("printf", "pwd", "rm", "seq", "sort", "test", "touch", "uname", "wc", "yes", "ps", "date"),
    *("basename", "cut", "dirname", "expr", "hostname", "mkdir", "mv", "tee", "tr", "whoami"),
)
# other names of commands, which do what they are called
OTHER_NAMES: Final = {"[": "test", "cp": "mv", "egrep": "grep", "fgrep": "grep", "tail": "head"}
PROGRAMS: Final = Path(workloads.__file__).parent / "programs"
_HERE: Final = Path(__file__).resolve().parent
_INSTALLED: Final = _HERE / "shipped_configs"  # where a wheel has them (pyproject.toml)
CONFIGS: Final = _INSTALLED if _INSTALLED.is_dir() else _HERE.parent / "configs"


def program_names() -> list[str]:
    """Return the names of the shipped programs (the guest's commands are not among them)."""
    return sorted(
        path.stem for path in PROGRAMS.glob("*.py") if not path.stem.startswith(("_", "bin_"))
    )


@cache  # every machine has the commands
def program_source(name: str) -> str:
    """Return the source of a shipped program, or of a command as ``bin_NAME``."""
    return (PROGRAMS / f"{name}.py").read_text("utf-8")


def describe_program(name: str) -> str:
    """Return the first line of a shipped program's docstring."""
    return program_text(name).split("\n", 1)[0]


def program_text(name: str) -> str:
    """Return a shipped program's docstring."""
    return ast.get_docstring(ast.parse(program_source(name))) or ""


def cost_profile_names() -> list[str]:
    """Return the names of the shipped cost profiles."""
    return sorted(path.stem for path in (CONFIGS / "costs").glob("*.yaml"))


def cost_profile(name: str) -> "CostProfile":
    """Return a shipped cost profile."""
    from cluster.config import CostProfile, load_model

    return load_model(CostProfile, CONFIGS / "costs" / f"{name}.yaml")[0]


def config_names() -> list[str]:
    """Return the names of the shipped configurations that stand in no folder."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


def configs_in_folders() -> list[str]:
    """Return the names, as FOLDER/NAME, of those that belong together; experiments, too."""
    names = ("wasted_cores", "experiments", "races/parallel")
    folders = [CONFIGS / name for name in names]
    paths = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return [path.relative_to(CONFIGS).with_suffix("").as_posix() for path in paths]


def describe_config(name: str) -> str:
    """Return the comment at the head of a shipped configuration."""
    lines = (CONFIGS / f"{name}.yaml").read_text("utf-8").splitlines()
    heads = []
    for line in lines:
        if not line.startswith("#"):
            break
        if not line.startswith("# yaml-language-server"):
            heads.append(line[1:].strip())
    return " ".join(heads)


def config_path(named: Path) -> Path:
    """Return the configuration that a command line names: a file, or a shipped one by its name.

    A preset stands for itself: ``load_config`` knows what to make of it.

    Raises:
        ConfigError: it looks like a name and there is no such configuration.
    """
    text = str(named)
    if is_preset(named):
        return named
    if text in configs_in_folders() and not named.exists():
        return CONFIGS / f"{text}.yaml"
    if "/" in text or named.suffix or (named.exists() and not named.is_dir()):
        return named
    if text in config_names():
        return CONFIGS / f"{text}.yaml"
    if named.is_dir():
        return named  # reading it says what it is
    known = {name.rpartition("/")[2]: name for name in (*configs_in_folders(), *config_names())}
    near = difflib.get_close_matches(text, known, 1)
    hint = (
        f"did you mean {known[near[0]]}?"
        if near
        else "smplab list names configurations, and presets"
    )
    what = f"no such file, and no shipped configuration of that name ({hint})"
    raise ConfigError([Problem(text, 0, 0, "", what)])
