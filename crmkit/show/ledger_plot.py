"""The picture of the cleaning ledger: what happened to the rows that were read."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from crmkit import escape
from crmkit.errors import KindError
from crmkit.show import style

#: In the order in which they are told, with colour and hatch (both, for a grey print).
TREATMENTS = {
    "kept": (style.PALETTE["blue"], None),
    "flagged": (style.PALETTE["sky"], ".."),
    "merged": (style.PALETTE["orange"], "////"),
    "set aside": (style.PALETTE["vermillion"], "xx"),
}


def entries(ledger: Any) -> pd.DataFrame:
    """The lines of a ledger, in the order kept, flagged, merged, set aside, most rows first."""
    table = getattr(ledger, "table", None)
    if not isinstance(table, pd.DataFrame):
        raise KindError(f"a Ledger is needed (orders.ledger of your Transactions), not {type(ledger).__name__}.")
    style.needs(table, ["treatment", "reason", "rows", "money"], "orders.ledger")
    order = table["treatment"].map(list(TREATMENTS).index)
    return (
        table.assign(_order=order)
        .sort_values(["_order", "rows"], ascending=[True, False], kind="stable")
        .drop(columns="_order")
    )


def exact(amount: Decimal, currency: str | None = None) -> str:
    """Money to the last digit that it has: a ledger is not rounded.

    >>> exact(Decimal("-4596046.10"), "USD")
    '−4,596,046.10 USD'
    """
    return f"{amount:,}".replace("-", "−") + (f" {currency}" if currency else "")


def totals(table: pd.DataFrame) -> dict[str, tuple[int, Decimal]]:
    """Rows and money by treatment."""
    parts = {name: table[table["treatment"] == name] for name in TREATMENTS}
    return {name: (int(part["rows"].sum()), sum(part["money"], Decimal(0))) for name, part in parts.items()}


def ledger(ledger: Any, *, currency: str | None = None, ax: Axes | None = None) -> Axes:
    """What happened to the rows that were read: kept, flagged, merged or set aside, and why?

    `ledger` is the `.ledger` of a `Transactions`; `currency` names its money if the
    ledger does not. One bar a
    reason, as long as its rows, with rows and money beside it. Where a reason has a hundred times more
    rows than another the scale is logarithmic and says so.

    >>> from crmkit.tables import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 2], "ordered_at": ["2026-01-05", "2026-01-06"], "amount": [5.0, 0.0]})
    >>> ledger(Transactions.read(orders).ledger).get_title()
    'All 2 rows are kept; 1 flag to look at'
    """
    table = entries(ledger)
    currency = currency or ledger.currency
    rows = table["rows"].to_numpy(dtype=float)
    texts = [(style.count(line.rows, "row"), exact(line.money, currency)) for line in table.itertuples()]
    names = [f"{line.treatment}: {line.reason}" if line.reason else line.treatment for line in table.itertuples()]
    logarithmic = rows.max() > 100 * max(rows[rows > 0].min(initial=np.inf), 1)
    start = 0.5 if logarithmic else 0
    with style.house(ax, (9, max(2.4, 1.6 + 0.62 * len(table)))) as ax:
        for place, (treatment, length, text) in enumerate(zip(table["treatment"], rows, texts, strict=True)):
            colour, hatch = TREATMENTS[treatment]
            ax.barh(place, max(length - start, 0), 0.7, left=start, color=colour, hatch=hatch, edgecolor="white")
            ax.annotate(
                escape.label("\n".join(text)),
                (max(length, start), place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
            )
        ax.set_yticks(range(len(names)), [style.label(name, 32) for name in names])
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        # Room for the text behind the longest bar: a letter is about 0.1 inch wide, the chart 5 inches.
        room = min(0.1 * max(len(line) for text in texts for line in text) / 5, 0.6)
        most = max(rows.max(), 1)
        if logarithmic:
            ax.set_xscale("log")
            ax.set_xlim(start, start * (most / start) ** (1 / (1 - room)))
            ax.set_xticks([10**power for power in range(len(str(int(most))))])
            ax.minorticks_off()
        else:
            ax.set_xlim(0, most / (1 - room))
            ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
        ax.xaxis.set_major_formatter(lambda number, _: style.short(number))
        ax.set_xlabel("rows (logarithmic: each step is ten times more)" if logarithmic else "rows")
        found = "; ".join(f"{name}: {', '.join(text)}" for name, text in zip(names, texts, strict=True))
        return style.conclude(ax, _conclusion(totals(table), ledger.rows_read, currency), f"Bars of rows: {found}.")


def _conclusion(sums: dict[str, tuple[int, Decimal]], read: int, currency: str | None) -> str:
    kept = sums["kept"][0]
    if read == 0:
        return "No row was read"
    if kept == read:
        title = f"All {read:,} rows are kept" if read > 1 else "The one row is kept"
    else:
        title = f"{kept:,} of {style.count(read, 'row')} are kept ({style.percent(kept / read)})"
    lost = [
        f"{style.count(sums[name][0], 'row')} {name}, worth {exact(sums[name][1], currency)}"
        for name in ("merged", "set aside")
        if sums[name][0]
    ]
    flags = [f"{style.count(sums['flagged'][0], 'flag')} to look at"] if sums["flagged"][0] and not lost else []
    return "; ".join([title, *lost, *flags])
