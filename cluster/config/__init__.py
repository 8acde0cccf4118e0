"""Configurations: what a run is, checked completely before anything starts.

``load_config(path, overrides)`` returns ``Loaded``, whose ``config`` is a frozen ``RunConfig``;
or raises ``ConfigError`` with every problem as ``file:line:col: path: what (got …)``.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from cluster.config.errors import ConfigError, Problem

if TYPE_CHECKING:
    from cluster.config.load import (
        Loaded,
        load_config,
        load_model,
        look_at_config,
        parse_config,
        read_text,
    )
    from cluster.config.models import CostProfile, RunConfig

__all__ = [
    "ConfigError",
    "CostProfile",
    "Loaded",
    "Problem",
    "RunConfig",
    "load_config",
    "load_model",
    "look_at_config",
    "parse_config",
    "read_text",
]

# pydantic and YAML take longer to import than many a command takes to run: they come when one of
# these is first asked for
_LATER: Final = {
    "CostProfile": "cluster.config.models",
    "RunConfig": "cluster.config.models",
    **dict.fromkeys(
        ("Loaded", "load_config", "load_model", "look_at_config", "parse_config", "read_text"),
        "cluster.config.load",
    ),
}


def __getattr__(name: str) -> Any:
    """Import and return what is named in ``_LATER``."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
    return value
