"""The ledger's picture and table: what was read is told to the last digit."""

from decimal import Decimal

import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import KindError
from crmkit.tables import Transactions


class Ledger:
    """The documented face of `crmkit.tables` ledgers, with lines chosen by the test."""

    def __init__(self, *lines, currency="EUR", lost=0):
        self.table = pd.DataFrame(
            [(treatment, reason, rows, Decimal(money)) for treatment, reason, rows, money in lines],
            columns=["treatment", "reason", "rows", "money"],
        )
        parts = self.table[self.table["treatment"] != "flagged"]
        self.rows_read = int(parts["rows"].sum()) + lost
        self.money_read = sum(parts["money"], Decimal(0))
        self.currency = currency

    def reconciles(self):
        parts = self.table[self.table["treatment"] != "flagged"]
        return int(parts["rows"].sum()) == self.rows_read


DIRTY = (
    ("set aside", "amount cannot be read", 94, "0.00"),
    ("kept", "", 1469198, "4596046.10"),
    ("flagged", "exact repeat", 323404, "655012.34"),
    ("merged", "same line_id", 12, "88.10"),
    ("set aside", "date <b>far</b> off", 3, "-34.10"),
)


@pytest.fixture
def orders() -> Transactions:
    """Five rows: two good ones, one of zero, and two that cannot be kept."""
    return Transactions.read(
        pd.DataFrame(
            {
                "customer_id": ["a", "a", "b", "c", None],
                "ordered_at": ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-08"],
                "amount": [5.0, 2.5, 0.0, -4.0, 1.0],
            }
        )
    )


def test_bars_are_rows_in_the_order_kept_flagged_merged_set_aside():
    ax = show.ledger(Ledger(*DIRTY))
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert ends == [1469198, 323404, 12, 94, 3]
    assert [tick.get_text().replace("\n", " ") for tick in ax.get_yticklabels()] == [
        "kept",
        "flagged: exact repeat",
        "merged: same line_id",
        "set aside: amount cannot be read",
        "set aside: date <b>far</b> off",
    ]
    assert ax.texts[0].get_text() == "1,469,198 rows\n4,596,046.10 EUR"
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in ax.patches}) == 4


def test_a_few_rows_beside_a_million_are_seen_and_the_scale_says_so():
    ax = show.ledger(Ledger(*DIRTY))
    assert ax.get_xscale() == "log"
    assert "logarithmic" in ax.get_xlabel()
    ax.figure.canvas.draw()
    assert ax.patches[-1].get_window_extent().width > 20  # three rows
    assert show.ledger(Ledger(("kept", "", 10, "1"), ("set aside", "x", 2, "1"))).get_xscale() == "linear"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            DIRTY,
            "1,469,198 of 1,469,307 rows are kept (>99 %); 12 rows merged, worth 88.10 EUR; 97 rows set aside, worth −34.10 EUR",
        ),
        ([("kept", "", 1, "5.00")], "The one row is kept"),
        ([("kept", "", 7, "5.00"), ("flagged", "zero amount", 3, "0.00")], "All 7 rows are kept; 3 flags to look at"),
        (
            [("kept", "", 0, "0.00"), ("set aside", "x", 4, "2.50")],
            "0 of 4 rows are kept (0 %); 4 rows set aside, worth 2.50 EUR",
        ),
        ([("kept", "", 0, "0.00")], "No row was read"),
    ],
)
def test_titles_say_what_became_of_the_rows(lines, said, title):
    assert title(show.ledger(Ledger(*lines))) == said


def test_the_table_shows_that_it_adds_up():
    page = show.ledger_table(Ledger(*DIRTY)).data
    assert "it adds up" in page
    assert page.count("1,469,307") == 2  # the sum, and what was read
    assert page.count("4,596,100.10 EUR") == 2
    assert "&lt;b&gt;far" in page
    assert "<b>far" not in page


def test_the_table_does_not_hide_that_it_does_not_add_up():
    page = show.ledger_table(Ledger(*DIRTY, lost=1)).data
    assert "DOES NOT ADD UP" in page
    assert "it adds up" not in page
    assert "1,469,308" in page


def test_rows_and_money_of_a_ledger_that_was_read(orders, title):
    ledger = orders.ledger
    ax = show.ledger(ledger, currency="GBP")
    kept = int(ledger.table.query("treatment == 'kept'")["rows"].sum())
    assert kept < 5
    assert title(ax).startswith(f"{kept} of 5 rows are kept ({kept * 20} %)")
    assert "GBP" in title(ax)
    page = show.ledger_table(ledger).data
    assert "it adds up" in page
    assert "4.50" in page  # 5 + 2.5 + 0 − 4 + 1


def test_something_else_than_a_ledger_is_refused(orders):
    with pytest.raises(KindError, match=r"orders\.ledger"):
        show.ledger(orders)
