"""Configurations: what a run is, checked completely before anything starts.

``load_config(path, overrides)`` returns ``Loaded``, whose ``config`` is a frozen ``RunConfig``;
or raises ``ConfigError`` with every problem as ``file:line:col: path: what (got …)``.
"""

from cluster.config.errors import ConfigError, Problem
from cluster.config.load import Loaded, load_config, load_model, parse_config, read_text
from cluster.config.models import CostProfile, RunConfig

__all__ = [
    "ConfigError",
    "CostProfile",
    "Loaded",
    "Problem",
    "RunConfig",
    "load_config",
    "load_model",
    "parse_config",
    "read_text",
]
