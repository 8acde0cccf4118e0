"""``smplab compile``: make the compiled core, which later runs of ``smplab`` then use."""

import typer

from cluster.exit_codes import BROKEN, OK, CliError


def compile_() -> int:
    """Compile the core, once; later runs use it.

    Results do not change, runs take about half the time. Needs mypyc and setuptools (pip install
    'smplab[compile]') and a C compiler. In a source tree, make fast does the same.
    """
    from cluster.compile_core import CannotCompile, build_and_tell

    try:
        build_and_tell()
    except CannotCompile as error:
        raise CliError(BROKEN, "not compiled", f"{error}; the pure core is used") from None
    return OK


def register(app: typer.Typer) -> None:
    """Add the command ``compile`` to ``app``."""
    app.command("compile")(compile_)
