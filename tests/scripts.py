"""Scripts that are no modules of a package, as modules."""

import importlib.util
import sys
from pathlib import Path
from typing import Any


def script(path: Path) -> Any:
    """Return the module that a file is."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module
