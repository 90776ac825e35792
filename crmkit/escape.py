"""Text that comes from data is hostile until made harmless: for pages, for spreadsheets, for plots."""

import html as _html
from typing import Any

#: What makes Excel, LibreOffice and Google Sheets read a cell as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def html(text: object) -> str:
    """Text for a page: nothing in it can become a tag or an attribute.

    >>> html('<b onclick="x">')
    '&lt;b onclick=&quot;x&quot;&gt;'
    """
    return _html.escape(str(text), quote=True)


def cell(value: Any) -> Any:
    """A spreadsheet cell that is not a formula; numbers and dates pass unchanged.

    >>> cell("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> cell(-3)
    -3
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def cells(frame: Any) -> Any:
    """A copy of a DataFrame whose text cells, headers and index start no formula."""
    import pandas as pd

    safe = frame.copy()
    for position, column in enumerate(frame.columns):
        values = frame[column] if frame.columns.is_unique else frame.iloc[:, position]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
            safe.isetitem(position, values.map(cell))
    safe.columns = [cell(name) for name in frame.columns]
    if not isinstance(frame.index, pd.MultiIndex) and frame.index.dtype.kind not in "iufMmb":
        safe.index = pd.Index([cell(name) for name in frame.index], name=frame.index.name)
    return safe


def label(text: object) -> str:
    r"""Text for a plot: a dollar sign starts no formula.

    >>> label("$5 to $9")
    '\\$5 to \\$9'
    """
    return str(text).replace("$", r"\$")
