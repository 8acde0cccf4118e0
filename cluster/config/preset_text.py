"""A preset where a configuration may stand: it is then the one workload of it.

What a preset means is the business of ``cluster.presets``.
"""

import json
import re
from pathlib import Path
from typing import Final

_BEGINS: Final = re.compile(r"([a-z][a-z0-9_-]*):")


def is_preset(named: Path) -> bool:
    """Tell whether ``named`` is no file and looks like a preset: ``NAME:…``."""
    return bool(_BEGINS.match(str(named))) and not named.exists()


def config_of(preset: str) -> str:
    """Return the text of the configuration that a preset stands for."""
    match = _BEGINS.match(preset)
    assert match is not None, "is_preset() was not asked"
    return f"name: {match[1]}\nworkloads:\n  - preset: {json.dumps(preset)}\n"
