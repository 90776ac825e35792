"""A card below a cell: the same words for a page, a terminal and a notebook test, readable in light and dark."""

import re
from dataclasses import dataclass

from crmkit import escape

#: State: icon, word, colour. Icon and word carry the meaning; the colours differ for every kind of colour vision.
STATES = {
    "right": ("✓", "Right", "#0072B2"),
    "wrong": ("✗", "Not yet", "#D55E00"),
    "not answered": ("○", "Not answered yet", "#888888"),
    "not checked": ("!", "Could not be checked", "#CC79A7"),
    "note": ("", "", "#888888"),
}


@dataclass(frozen=True, repr=False)
class Card:
    """A title, paragraphs, rows of a table and a piece of code that opens on a click; all may come from data."""

    state: str
    title: str
    paragraphs: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    solution: str = ""

    def __repr__(self) -> str:
        icon, word, _ = STATES[self.state]
        lines = [f"{icon} {word}: {self.title}" if word else self.title, *self.paragraphs]
        columns = [self.header, *self.rows] if self.rows else []
        widths = [max(map(len, cells)) for cells in zip(*columns, strict=True)]
        lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in columns]
        return "\n".join([*lines, *(["Solution:", self.solution] if self.solution else [])])

    def _repr_html_(self) -> str:
        icon, word, colour = STATES[self.state]
        mark = f'<span style="color:{colour}">{icon}</span> {word} · ' if word else ""
        parts = [f"<strong>{mark}{_line(self.title)}</strong>"]
        parts += [f'<p style="margin:0.4em 0 0">{_line(text)}</p>' for text in self.paragraphs]
        if self.rows:
            body = "".join(_row(row, "td") for row in self.rows)
            parts.append(
                f'<table style="color:inherit"><thead>{_row(self.header, "th")}</thead><tbody>{body}</tbody></table>'
            )
        if self.solution:
            code = f"<pre>{escape.html(self.solution)}</pre>"
            parts.append(f'<details style="margin-top:0.4em"><summary>Show the solution</summary>{code}</details>')
        style = f"border:1px solid {colour};border-left-width:6px;border-radius:4px;padding:0.5em 1em;max-width:60em"
        return f'<div class="crmkit-card" data-state="{self.state}" style="{style}">{"".join(parts)}</div>'


def _row(cells: tuple[str, ...], tag: str) -> str:
    style = "text-align:left;vertical-align:top;word-break:keep-all"  # a Chinese word stays on its line
    return "<tr>" + "".join(f'<{tag} style="{style}">{_line(cell)}</{tag}>' for cell in cells) + "</tr>"


def _line(text: str) -> str:
    """Escaped; what stands in backticks is shown as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape.html(text))
