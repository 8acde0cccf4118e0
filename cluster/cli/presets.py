"""What commands make of presets that are named where a program may stand."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.presets.family import Preset


def preset_named(named: Path) -> "Preset | None":
    """Return the preset that ``named`` is; None if it is a file, or looks like one.

    Raises:
        CliError: it looks like a preset and is none.
    """
    from cluster.config.preset_text import is_preset
    from cluster.presets.options import OptionProblems
    from cluster.presets.registry import preset_of

    if not is_preset(named):
        return None
    try:
        return preset_of(str(named))
    except OptionProblems as error:
        lines = "\n".join(f"{named}: {what}" for what in error.problems)
        raise CliError(USAGE, "preset", lines) from None


@contextmanager
def as_files(named: Sequence[Path]) -> Iterator[list[Path]]:
    """Give files instead of presets, as long as the context lasts; all others stay.

    Raises:
        CliError: one looks like a preset and is none.
    """
    from cluster.presets.registry import program_name

    with tempfile.TemporaryDirectory(prefix="smplab-presets-") as folder:
        files = []
        for number, path in enumerate(named):
            preset = preset_named(path)
            if preset is not None:
                name = program_name(str(path))
                path = Path(folder, str(number), f"{name}.py")
                path.parent.mkdir()
                path.write_text(preset.program, "utf-8")
            files.append(path)
        yield files
