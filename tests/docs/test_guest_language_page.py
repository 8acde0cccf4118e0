"""docs/guest-language.md names all there is."""

import re
from pathlib import Path

from workloads.language.tables import MODULES, Const, Value

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guest-language.md"


def test_every_function_of_the_language_is_on_its_page():
    words = set(re.findall(r"\w+", PAGE.read_text("utf-8")))
    missing = [
        f"{module}.{name}"
        for module, entries in MODULES.items()
        for name, entry in entries.items()
        if not isinstance(entry, Const | Value) and name not in words
    ]
    assert not missing
