"""The house style: one palette, one way to write numbers, and a context that leaves the user's settings alone.

Okabe and Ito's colours are told apart with every common kind of colour blindness; where a colour
carries a meaning, a number, a label or a hatch carries it too, so that a grey print still reads.
"""

import base64
import functools
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.ticker import LogFormatterSciNotation, ScalarFormatter
from matplotlib.transforms import blended_transform_factory

from crmkit import escape
from crmkit.errors import ColumnError, InputError, KindError, near_misses

#: Okabe and Ito (2008), "Color Universal Design".
PALETTE = {
    "blue": "#0072B2",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "orange": "#E69F00",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#8A8A8A",
    "black": "#222222",
}
#: Light to dark, so that more is darker on a projector and in grey print.
AMOUNTS = "Blues"
FONT_SIZE = 12
TITLE_SIZE = 15
DPI = 80
#: Families that know Chinese, Japanese and Korean, in the order they are looked for.
_CJK = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)


@functools.cache
def fonts() -> tuple[str, ...]:
    """DejaVu Sans (it comes with matplotlib), then one family on this machine that knows Chinese."""
    return ("DejaVu Sans", *_chinese()[:1])


@functools.cache
def _chinese() -> list[str]:
    """Installed families that know Chinese, those with a bold face first."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return sorted((name for name in _CJK if name in installed), key=lambda name: name not in _bold())


@functools.cache
def _bold() -> set[str]:
    return {font.name for font in font_manager.fontManager.ttflist if font.weight in (700, "bold")}


def settings() -> dict[str, Any]:
    """The house style as matplotlib's settings."""
    return {
        "font.family": list(fonts()),
        "font.size": FONT_SIZE,
        "axes.labelsize": FONT_SIZE,
        "xtick.labelsize": FONT_SIZE,
        "ytick.labelsize": FONT_SIZE,
        "legend.fontsize": FONT_SIZE,
        "axes.titlesize": TITLE_SIZE,
        "axes.titleweight": "bold"
        if set(fonts()) <= _bold()
        else "normal",  # a family without one is logged at each title
        "axes.titlepad": 12,
        "axes.labelpad": 8,
        "figure.facecolor": "white",
        "figure.constrained_layout.h_pad": 0.1,
        "figure.constrained_layout.w_pad": 0.08,
        "axes.facecolor": "white",
        "axes.edgecolor": "#666666",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": "#E3E3E3",
        "text.color": PALETTE["black"],
        "axes.labelcolor": PALETTE["black"],
        "xtick.color": PALETTE["black"],
        "ytick.color": PALETTE["black"],
        "axes.unicode_minus": True,
        "hatch.linewidth": 0.8,
    }


@contextmanager
def applied() -> Iterator[None]:
    """The house style while drawing. Only its own settings are put back afterwards: `matplotlib.rc_context` would
    also put back the interactive mode that a notebook switches on at its first figure, and no later one would show.
    """
    wanted = settings()
    before = {name: mpl.rcParams[name] for name in wanted}
    mpl.rcParams.update(wanted)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


@contextmanager
def house(ax: Axes | None = None, size: tuple[float, float] = (9, 5)) -> Iterator[Axes]:
    """The Axes to draw on, in the house style; matplotlib's global settings are as before afterwards."""
    if ax is not None and not isinstance(ax, Axes):
        raise KindError(f"ax must be a matplotlib Axes, not {type(ax).__name__}; leave it out for a new figure.")
    with applied():
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=size, dpi=DPI, layout="constrained")
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        for written in (ax.title, ax.xaxis.label, ax.yaxis.label):  # of an Axes made elsewhere in another style
            written.set(family=list(fonts()), size=FONT_SIZE, color=PALETTE["black"])
        # Ticks are made when the figure is drawn, after this context: give them the style now.
        ax.tick_params(
            labelsize=FONT_SIZE, labelfontfamily=list(fonts()), colors=PALETTE["black"], grid_color="#E3E3E3"
        )
        yield ax


def conclude(ax: Axes, title: str, alternative: str) -> Axes:
    """Write the conclusion above the chart and keep the chart's text alternative as `ax.alt_text`.

    Axes whose numbers nobody has formatted get those of the house, 12,500; give an axis of years a format of its own.
    """
    figure = ax.figure
    _written_out(ax)
    written = ax.set_title(escape.label(" ".join(title.split())), x=0, ha="left")
    inches = width(ax) * 0.88
    if len([other for other in figure.axes if other.get_label() != "<colorbar>"]) == 1:
        # The chart has the figure to itself, and so has its title: from the left edge of the figure on.
        inches = figure.get_size_inches()[0] * 0.97
        written.set_transform(blended_transform_factory(figure.transFigure, ax.transAxes + ax.titleOffsetTrans))
        written.set_x(0.012)
    letters = inches * _width(title) * figure.dpi / max(written.get_window_extent().width, 1)
    written.set_text(escape.label(wrap(title, max(20, int(letters)))))
    ax.alt_text = f"{title}. {alternative}"
    return ax


class _Numbers(ScalarFormatter):
    """12,500 as in texts and titles, and never 1.25e4."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)

    def __call__(self, value: float, pos: int | None = None) -> str:
        whole, point, rest = super().__call__(value, pos).partition(".")
        return re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", whole) + point + rest


class _LogNumbers(LogFormatterSciNotation):
    """The same on a logarithmic axis; what matplotlib leaves without a number has none here."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        return f"{value:,.10g}".replace("-", "−") if super().__call__(value, pos) else ""


def _written_out(ax: Axes) -> None:
    """Put the house's numbers on every axis that still has matplotlib's own."""
    ours = {ScalarFormatter: _Numbers, LogFormatterSciNotation: _LogNumbers}
    for axis in (ax.xaxis, ax.yaxis):
        if (kind := type(axis.get_major_formatter())) in ours:
            axis.set_major_formatter(ours[kind]())
        if (kind := type(axis.get_minor_formatter())) in ours:
            axis.set_minor_formatter(ours[kind]())


def picture(ax: Axes) -> str:
    """A chart as one HTML image tag, with its text alternative; it needs no file beside the page.

    >>> import matplotlib.figure
    >>> ax = matplotlib.figure.Figure().subplots()
    >>> ax.alt_text = "Nothing is drawn yet"
    >>> picture(ax).startswith('<img alt="Nothing is drawn yet" style="max-width:100%" src="data:image/png;base64,')
    True
    """
    file, canvas = io.BytesIO(), ax.figure.canvas
    # matplotlib would write its version into the file: leave it out, so that equal charts are equal bytes.
    if isinstance(canvas, FigureCanvasAgg):
        canvas.print_png(file, metadata={"Software": None})  # savefig draws everything twice
    else:
        ax.figure.savefig(file, format="png", dpi=ax.figure.dpi, metadata={"Software": None})
    code = base64.b64encode(file.getvalue()).decode("ascii")
    text = escape.html(getattr(ax, "alt_text", ""))
    return f'<img alt="{text}" style="max-width:100%" src="data:image/png;base64,{code}">'


_ROLES = LinearSegmentedColormap.from_list(
    "crmkit_roles", [PALETTE[name] for name in ("blue", "sky", "yellow", "orange", "vermillion", "grey")]
)


def segment_colours(segments: Sequence[object]) -> dict[object, str]:
    """A colour for each segment by its place in the map: blue is good, orange is at risk, grey is lost.

    >>> segment_colours(["Champions", "At risk", "Lost"])
    {'Champions': '#0072b2', 'At risk': '#ebc120', 'Lost': '#8a8a8a'}
    """
    last = max(len(segments) - 1, 1)
    return {name: to_hex(_ROLES(place / last)) for place, name in enumerate(segments)}


def ink(colour: str) -> str:
    """Black or white: what reads on a ground of this colour (relative luminance as in WCAG 2)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour))
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179 else PALETTE["black"]


def percent(share: float) -> str:
    """A share in words: never "0 %" for a few and never "100 %" for not quite all.

    >>> [percent(share) for share in (0, 0.0004, 0.172, 0.9996, 1)]
    ['0 %', '<1 %', '17 %', '>99 %', '100 %']
    """
    if not math.isfinite(share):
        return "–"
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{share * 100:.0f} %".replace("-", "−")


def count(number: float, thing: str) -> str:
    """A count with its noun.

    >>> count(1, "customer"), count(2469, "customer")
    ('1 customer', '2,469 customers')
    """
    return f"{number:,.0f} {thing}" + ("" if number == 1 else "s")


def everyone(number: int) -> str:
    """
    >>> everyone(1), everyone(2469)
    ('The only customer is', 'All 2,469 customers are')
    """
    return "The only customer is" if number == 1 else f"All {number:,.0f} customers are"


def money(amount: float, currency: str | None = None) -> str:
    """An amount short enough for a chart; the currency by its code, because one sign serves many countries.

    >>> money(1234567.8, "USD"), money(43.5), money(-1250, "EUR")
    ('1,234,568 USD', '43.50', '−1,250 EUR')
    """
    if not math.isfinite(amount):
        return "–"
    digits = 2 if abs(amount) < 100 and round(amount, 2) != round(amount) else 0
    number = f"{round(amount, digits) + 0:,.{digits}f}".replace("-", "−")
    return f"{number} {currency}" if currency else number


def short(number: float) -> str:
    """A number that fits a cell of a grid.

    >>> [short(number) for number in (7.25, 980, 12345, 2_000_000)]
    ['7.25', '980', '12.3k', '2M']
    """
    for limit, divisor, letter in ((999_500, 1e6, "M"), (9_999.5, 1e3, "k")):
        if abs(number) >= limit:
            return f"{number / divisor:,.3g}{letter}".replace("-", "−")
    return money(number)


def wrap(text: object, width: int) -> str:
    """Text in lines of at most `width` letters; a Chinese letter counts two, "17 %" stays together.

    >>> print(wrap("Champions: 17 % of customers", 13))
    Champions:
    17 % of
    customers
    """
    lines, line, used = [], "", 0
    for token in re.findall(r"\S+ %\S*|\S+", " ".join(str(text).split())):
        for piece in _pieces(token, width):
            long = _width(piece)
            if line and used + 1 + long > width:
                lines.append(line)
                line, used = "", 0
            line, used = (f"{line} {piece}", used + 1 + long) if line else (piece, long)
    return "\n".join([*lines, line])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pieces(token: str, width: int) -> list[str]:
    """A word that is longer than a line, and Chinese text, in parts that fit."""
    if _width(token) <= width:
        return [token]
    pieces, piece = [], ""
    for letter in token:
        if _width(piece + letter) > width:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]


def label(name: object, width: int) -> str:
    """A segment's name, written by a person, in lines that fit and without formulas."""
    lines = wrap(name, width).split("\n")
    return escape.label("\n".join(lines[:2]) + ("…" if len(lines) > 2 else ""))


def heat(ax: Axes, values: Any, texts: Any, **how: Any) -> None:
    """A grid of coloured cells, each with its text in the colour that reads on it; `how` is for seaborn.

    A missing value leaves its cell to the hatched ground.
    """
    sns.heatmap(values.astype(float), ax=ax, linewidths=1.5, linecolor="white", **how)
    mesh = ax.collections[-1]
    mesh.update_scalarmappable()
    grounds = mesh.get_facecolors().reshape(*values.shape, 4)
    for row, column in np.argwhere(values.notna().to_numpy()):
        colour = ink(to_hex(grounds[row, column]))
        text = texts.iat[row, column]
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize=FONT_SIZE)
    ax.patch.set(hatch="////", facecolor="white", edgecolor="#C8C8C8")
    ax.tick_params(length=0, rotation=0)
    for bar in (other for other in ax.figure.axes if other is not ax and other.get_label() == "<colorbar>"):
        bar.tick_params(labelsize=FONT_SIZE, labelfontfamily=list(fonts()))
        _written_out(bar)


def width(ax: Axes) -> float:
    """Inches that a chart has in its figure."""
    return ax.get_position().width * ax.figure.get_size_inches()[0]


def needs(frame: Any, columns: Sequence[str], made_by: str) -> None:
    """Raise unless `frame` is a DataFrame with at least one row and these columns."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise KindError(f"a DataFrame from {made_by} is needed, not {type(frame).__name__}.")
    for column in columns:
        if column not in frame.columns:
            raise ColumnError(
                f"column {column!r} is missing; make the table with {made_by}." + near_misses(column, frame.columns)
            )
    if len(frame) == 0:
        raise InputError(f"the table from {made_by} has 0 rows: there is nothing to draw.")
