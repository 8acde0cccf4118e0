"""pyarrow, which only some commands need: an extra of the distribution."""

import importlib
from typing import Any, Final

HOW: Final = "pip install 'smplab[data]'"


class NoArrow(Exception):
    """There is no pyarrow; the message is Python's."""


def arrow() -> Any:
    """Return pyarrow, with ``parquet`` and ``compute`` in it.

    Raises:
        NoArrow: it is not installed; HOW helps.
    """
    try:
        importlib.import_module("pyarrow.parquet")
        importlib.import_module("pyarrow.compute")
        return importlib.import_module("pyarrow")
    except ImportError as missing:
        raise NoArrow(str(missing)) from None
