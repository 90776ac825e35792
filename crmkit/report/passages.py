"""What every report says in the same words: days and lists, the rows behind the numbers, the control group, the parameters.

Every function takes what the analysis made and returns HTML for a notebook or a page; text from data is escaped.
"""

import platform
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import crmkit
from crmkit import evaluation, periods
from crmkit.errors import InputError
from crmkit.escape import html
from crmkit.show import cards as show_cards
from crmkit.show.ledger_plot import exact
from crmkit.show.style import count, percent

if TYPE_CHECKING:
    from IPython.display import HTML

    from crmkit.tables import Transactions, Verdict

#: Response rates without contact for which the page says what the control group can show.
RATES = (0.02, 0.05, 0.1, 0.2)


def day(value: object) -> str:
    """A day as people write it; no number of it can be read as another.

    >>> day("2026-07-01")
    '1 July 2026'
    """
    date = periods.day(value)
    return f"{date.day} {date:%B %Y}"


def title(report: str, people: pd.DataFrame, source: str) -> "HTML":
    """The heading of a report: its name, the file, how many customers, and the days that are looked at."""
    return shown(
        f"<h1>{report}: {html(source)}</h1>"
        f'<p class="subtitle">{count(len(people), "customer")}, purchases from {day(people["first_order"].min())} '
        f"to {day(people['last_order'].max())}, looked at as of {day(periods.as_of(people))}.</p>"
    )


def limits(lines: Sequence[str]) -> "HTML":
    """What the data cannot show, a line each; the lines are HTML."""
    items = "".join(f"<li>{line}</li>" for line in lines)
    return shown(f"<p><b>What these data cannot show</b></p><ul>{items}</ul>", "limits")


def listed(parts: Sequence[str]) -> str:
    """
    >>> listed(["two Champions", "one Loyal", "one Lost"])
    'two Champions, one Loyal and one Lost'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else list(parts))


def table(caption: str, rows: pd.DataFrame, texts: Sequence[str], foot: list[list[str]] | None = None) -> str:
    """A frame of values ready to be read as an HTML table; `texts` are the columns to set left."""
    cells = [[html(value) for value in row] for row in rows.itertuples(index=False)]
    return show_cards.table(caption, {name: name in texts for name in rows.columns}, cells, foot)


def shown(content: str, kind: str = "") -> "HTML":
    from IPython.display import HTML

    return HTML(f'<div class="{kind}">{content}</div>' if kind else content)


def shortened(text: str, longest: int = 40) -> str:
    """
    >>> shortened("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def paragraph(text: str) -> "HTML":
    """A sentence from the analysis, escaped."""
    return shown(f"<p>{html(text)}</p>")


def tiles(facts: Sequence[tuple[str, str]]) -> "HTML":
    """A few numbers that say how big all this is, each with its words."""
    return shown("".join(f'<div class="tile"><b>{html(a)}</b><span>{html(b)}</span></div>' for a, b in facts), "tiles")


def reconciled(orders: "Transactions", summary: pd.DataFrame) -> "HTML":
    """Does the money of the customers add up to the money of the rows that were kept? And what was decided while reading?"""
    ledger, as_of = orders.ledger.table, periods.as_of(summary)
    kept = sum(ledger.loc[ledger["treatment"] == "kept", "money"], Decimal(0))
    spent = Decimal(f"{summary['spend'].sum():.{orders.scale}f}")
    sums = f"Kept rows hold {html(exact(kept, orders.currency))}; the customers' spend adds up to "
    sums += html(exact(spent, orders.currency))
    if as_of < orders.last_day:
        sums += f". The rest was paid after {day(as_of)} and is not looked at."
    elif kept == spent:
        sums += ": the same, to the cent."
    else:
        raise InputError(f"the report does not add up: kept rows hold {kept}, the customers' spend is {spent}.")
    notes = "".join(f"<li>{html(note)}</li>" for note in orders.ledger.notes)
    return shown(f"<p>{sums}</p>" + (f"<p>While reading:</p><ul>{notes}</ul>" if notes else ""))


def carries(verdict: "Verdict") -> "HTML":
    """Facts about the data, and for which analyses they are good enough."""
    facts, marks = verdict.facts, {"yes": "✓ yes", "with care": "! with care", "no": "✗ no"}
    lines = {
        "days from first to last row": f"{facts['span_days']:,}",
        "longest time without any order": count(facts["longest_gap_days"], "day"),
        "customers who bought on two days or more": f"{facts['repeat_buyers']:,} of {facts['customers']:,}",
    }
    if facts["median_days_between"] is not None:
        lines["median time between two of a customer's purchases"] = str(
            periods.Horizon(facts["median_days_between"], "days")
        )
    known = pd.DataFrame({"fact": list(lines), "value": list(lines.values())})
    met = verdict.needs.assign(met=verdict.needs["met"].map(marks)).astype("str")
    facts_and_needs = table("What is in the data", known, ["fact"]) + table(
        "What they are good enough for", met, list(met)
    )
    return shown(facts_and_needs, "crmkit scroll carries")


def options(reading: Mapping[str, Any]) -> str:
    """
    >>> options({"decimal": ",", "sheet": None})
    'decimal=,'
    >>> options({})
    'what was found in the file'
    """
    return (
        ", ".join(f"{name}={value}" for name, value in reading.items() if value is not None)
        or "what was found in the file"
    )


def control_group(todo: pd.DataFrame) -> "HTML":
    """Which effect can be seen with this control group, and which not?"""
    contacted, held = todo.attrs["contacted"], todo.attrs["held_out"]
    if not (contacted and held):
        return shown(
            "<p>There is no control group. Whatever the customers on the list do next, nobody can say whether the contact "
            "was the cause: good customers buy anyway. Run the report with a control share above 0 to be able to tell.</p>"
        )
    rises = [(rate, evaluation.actions.smallest_visible_effect(contacted, held, rate)) for rate in RATES]
    frame = pd.DataFrame(
        {
            "respond without contact": [percent(rate) for rate, _ in rises],
            "must respond with contact": [
                f"{percent(rate + rise)} or more" if np.isfinite(rise) else "cannot be seen" for rate, rise in rises
            ],
            "rise": [f"{rise * 100:.0f} points" if np.isfinite(rise) else "–" for _, rise in rises],
        }
    )
    return shown(
        f"<p>{count(contacted, 'customer')} are contacted and {held:,} are left alone, drawn at random from the same list "
        f"(seed {todo.attrs['seed']}). Do not contact those marked <i>control</i>. After the due date compare which share of "
        "each group bought. A smaller difference than in this table will most likely look like chance "
        "(power 80 %, level 5 %); it would not prove that the contact did nothing.</p>"
        + table("Smallest effect that this list can show", frame, []),
        "crmkit",
    )


def method(
    source: str,
    orders: "Transactions",
    as_of: object,
    chosen: Mapping[str, Any],
    recorded: Mapping[str, str],
) -> "HTML":
    """Every choice that made this report, so that somebody else can make it again."""
    read = orders.ledger.table
    read = read[read["treatment"] != "flagged"]
    lines = {
        "Source": source,
        "Read with": options(orders.reading),
        "Rows read": f"{read['rows'].sum():,}",
        **{f"Column for {role}": column for role, column in orders.roles.items()},
        "Time zone of a day": orders.time_zone or "as written in the data",
        "Currency": orders.currency or "not named",
        "Looked at as of": periods.day(as_of).isoformat(),
        **{name: str(value) for name, value in chosen.items()},
        **recorded,
        "Made with": f"crmkit {crmkit.__version__}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("pandas", "ibis-framework", "duckdb")),
    }
    frame = pd.DataFrame({"what": list(lines), "value": list(lines.values())})
    return shown(table("Parameters", frame, ["what", "value"]), "crmkit scroll")
