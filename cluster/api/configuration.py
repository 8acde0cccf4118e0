"""A configuration as Python gives it: a name, a file, or a mapping; and what is set on top."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cluster.api.errors import told_plainly
from cluster.catalogue import config_path
from cluster.cli.common import checked_machine
from cluster.config import Loaded, look_at_config, parse_config
from kernel.machine import MachineSpec

Config = str | Path | Mapping[str, Any]


def load(config: Config, settings: Mapping[str, Any]) -> tuple[Loaded, MachineSpec]:
    """Return a configuration and its machine.

    Args:
        config: the name of a shipped configuration, a file, or what such a file would hold.
        settings: key, as ``machine.cpus``, to value.

    Raises:
        ConfigError: all that is wrong, a line each.
        EmulatorError: a program is outside the guest language.
    """
    changes = [(f"settings[{key!r}]", f"{key}={_text(value)}") for key, value in settings.items()]
    if isinstance(config, Mapping):
        text = yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True)
        loaded = parse_config("config", text, Path.cwd(), changes)
    else:
        loaded = look_at_config(config_path(Path(config)), changes)
    with told_plainly():
        return loaded, checked_machine(loaded)


def _text(value: Any) -> str:
    """Return a value as ``--set`` takes it: text as it is, all else as YAML has it in a line."""
    return value if isinstance(value, str) else json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    """Return a value of lists, mappings and scalars."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (int, float, str)) or value is None:
        return value
    return str(value)
