"""An HTML file that is whole in itself: style and script are in it, and nothing is fetched."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

_STYLE: Final = Path(__file__).parent / "page.css"


def document(name: str, parts: Iterable[str], *, style: str = "", script: str = "") -> str:
    """Return a page.

    Args:
        name: its title.
        parts: HTML, one after the other.
        style: more of it, after what all pages have.
        script: HTML at the end.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(name)} - smplab</title>"
        '<link rel="icon" href="data:,">'
        f"<style>{_STYLE.read_text('utf-8')}{style}</style></head>\n<body>\n"
        f"<main>{''.join(parts)}</main>\n{script}</body></html>\n"
    )


def heading(name: str, lines: Sequence[tuple[str, str]]) -> str:
    """Return the head of a page: a name, and a table of what is known at once; no empty lines."""
    rows = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{escape(value)}</td></tr>'
        for key, value in lines
        if value
    )
    return f"<header><h1>{escape(name)}</h1><table>{rows}</table></header>"
