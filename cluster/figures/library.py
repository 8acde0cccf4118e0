"""matplotlib, which only figures need: an extra of the distribution; and what all figures share."""

import functools
import importlib
import io
from typing import Any, Final

HOW: Final = "pip install 'smplab[figures]'"
SVG: Final = "svg"
PNG: Final = "png"
FORMATS: Final = (SVG, PNG)

# Okabe and Ito: told apart by people who see few colours, too; the yellow one is darker
COLOURS: Final = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a7d00", "#000000"),
)
_INK: Final = "#222222"
_FAINT: Final = "#777777"
_STYLE: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": _FAINT,
    "axes.grid": True,
    "axes.labelcolor": _INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.titlesize": 10,
    "font.family": ["DejaVu Sans"],  # matplotlib brings it along
    "font.size": 8,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "savefig.dpi": 200,
    "svg.fonttype": "none",  # texts stay texts
    "svg.hashsalt": "smplab",  # instead of a random one
    "text.color": _INK,
    "text.parse_math": False,  # a name may have dollars in it
    "xtick.color": _FAINT,
    "xtick.labelcolor": _INK,
    "ytick.color": _FAINT,
    "ytick.labelcolor": _INK,
}


class NoMatplotlib(Exception):
    """There is no matplotlib; the message is Python's."""


@functools.cache
def matplotlib() -> Any:
    """Return matplotlib, with what figures are made of in it; no window is ever opened.

    Raises:
        NoMatplotlib: it is not installed; HOW helps.
    """
    try:
        found = importlib.import_module("matplotlib")
        for part in ("figure", "backends.backend_svg", "backends.backend_agg"):
            importlib.import_module(f"matplotlib.{part}")
    except ImportError as missing:
        raise NoMatplotlib(str(missing)) from None
    return found


def style() -> Any:
    """Return the context in which figures are made and written, whatever a user's settings say."""
    library = matplotlib()
    plain = {name: value for name, value in library.rcParamsDefault.items() if _is_look(name)}
    return library.rc_context({**plain, **_STYLE})


def _is_look(name: str) -> bool:
    """Tell whether a setting is how things look, not where they are shown."""
    return name not in ("backend", "backend_fallback", "interactive", "toolbar", "timezone")


@functools.cache
def _figure_class() -> Any:
    """Return matplotlib's figure, which a notebook shows of itself."""
    base = matplotlib().figure.Figure
    return type("Figure", (base,), {"_repr_svg_": lambda self: figure_bytes(self, SVG).decode()})


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure; within ``style()``.

    Args:
        width, height: in inches.
    """
    return _figure_class()(figsize=(width, height), layout="constrained")


def laid_out(figure: Any) -> Any:
    """Return a figure that is done, every part at its place: each time it is written the same.

    Left to itself the layout is found anew each time, from where the last one ended.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def figure_bytes(figure: Any, format_: str) -> bytes:
    """Return a figure as a file: the same bytes for the same figure.

    Args:
        format_: one of FORMATS.
    """
    buffer = io.BytesIO()
    about = {"Date": None, "Creator": "smplab"} if format_ == SVG else {"Software": None}
    with style():
        figure.savefig(buffer, format=format_, metadata=about)
    return buffer.getvalue()
