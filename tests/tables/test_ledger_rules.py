"""Contract 4: nothing is dropped in silence, and the defaults lose nothing real."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.tables import Transactions


def read(rows: list[tuple], **options) -> Transactions:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "line"][: len(rows[0])])
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"])
    return Transactions.read(frame, **options)


def found(orders: Transactions) -> dict[str, tuple[int, Decimal]]:
    """Rows and money by treatment and reason."""
    assert orders.ledger.reconciles()
    return {
        f"{line.treatment}: {line.reason}": (line.rows, str(line.money)) for line in orders.ledger.table.itertuples()
    }


def test_amounts_that_are_no_money_are_set_aside_and_count_as_nothing():
    amounts = [10.0, -3.0, 0.0, np.inf, -np.inf, np.nan, 1e15]
    assert found(read([(1, "2026-01-01", amount) for amount in amounts])) == {
        "kept: ": (3, "7.00"),
        "flagged: zero amount": (1, "0.00"),
        "flagged: refund": (1, "-3.00"),
        "set aside: infinite amount": (3, "0.00"),
        "set aside: no amount": (1, "0.00"),
    }


def test_a_refund_nets_but_a_customer_who_never_bought_is_set_aside():
    orders = read(
        [
            (1, "2026-01-05", 20),
            (1, "2026-01-09", -20),
            (2, "2026-01-01", -5),  # before any sale: of something older than the data
            (2, "2026-01-02", 8),
            (3, "2026-01-01", -7),
            (3, "2026-01-03", -1),
            (4, "2026-01-01", 0),
            (4, "2026-01-02", -2),
        ]
    )
    assert found(orders) == {
        "kept: ": (6, "1.00"),
        "flagged: zero amount": (1, "0.00"),
        "flagged: refund": (3, "-27.00"),
        "flagged: refund without a sale before it": (1, "-5.00"),
        "set aside: refund, never bought": (2, "-8.00"),
    }
    assert set(orders.ledger.rows("refund, never bought").to_pyarrow()["customer_id"].to_pylist()) == {3}
    assert orders.ledger.rows("refund without a sale before it").to_pyarrow()["source_row"].to_pylist() == [3]


REPEATS = (
    (1, "2026-01-01", 5, 1),
    (1, "2026-01-01", 5, 1),
    (1, "2026-01-01", 5, 2),
    (2, "2026-01-01", 5, 3),
    (2, "2026-01-01", 6, 3),
)


class TestRepeats:
    def test_exact_repeats_are_kept_and_flagged(self):
        orders = read(REPEATS)
        assert found(orders) == {"kept: ": (5, "26.00"), "flagged: exact repeat": (2, "10.00")}
        assert sorted(orders.ledger.rows("exact repeat").to_pyarrow()["source_row"].to_pylist()) == [2, 3]

    def test_they_go_only_if_the_caller_says_so(self):
        assert found(read(REPEATS, duplicates="drop")) == {
            "kept: ": (3, "16.00"),
            "merged: exact repeat, dropped": (2, "10.00"),
        }

    def test_a_line_id_makes_rows_one_and_other_content_is_said_loudly(self):
        orders = read(REPEATS, line_id="line")
        assert found(orders) == {
            "kept: ": (3, "15.00"),
            "merged: line_id repeated": (1, "5.00"),
            "merged: line_id repeated with other content": (1, "6.00"),
        }

    def test_rows_without_a_line_id_are_all_kept(self):
        orders = read(
            [
                (1, "2026-01-01", 5, None),
                (1, "2026-01-01", 5, None),
                (1, "2026-01-01", 5, 4.0),
                (1, "2026-01-01", 5, 4.0),
            ],
            line_id="line",
        )
        assert orders.ledger.table.rows.tolist() == [3, 1]


class TestDatesFarFromTheRest:
    def test_2099_in_a_small_table(self):
        rows = [(1, day, 1) for day in pd.date_range("2026-01-01", periods=30)]
        orders = read([*rows, (2, "2099-01-01", 9)])
        assert found(orders)["set aside: date far beyond the rest"] == (1, "9.00")
        assert any("rows after 2026-01-30 are set aside" in note for note in orders.ledger.notes)

    def test_a_customer_who_comes_back_after_a_year_is_real(self):
        rows = [(1, day, 1) for day in pd.date_range("2025-01-01", periods=30)]
        assert list(found(read([*rows, (2, "2026-01-20", 9)]))) == ["kept: "]  # 355 days later
        assert list(found(read([*rows, (2, "2026-03-20", 9)])))[-1] == "set aside: date far beyond the rest"
        assert list(found(read([*rows, (2, "2026-03-20", 9)], latest="2026-12-31"))) == ["kept: "]

    def test_early_dates_are_flagged_not_lost_because_first_years_are_sparse(self):
        rows = [(1, day, 1) for day in pd.date_range("2026-01-01", periods=30)]
        assert found(read([*rows, (2, "1970-01-01", 9)])) == {
            "kept: ": (31, "39.00"),
            "flagged: date far before the rest": (1, "9.00"),
        }

    @pytest.mark.parametrize(
        ("late", "aside"), [("2026-12-30", 0), ("2027-04-01", 0), ("2027-04-03", 1), ("2099-01-01", 1)]
    )
    def test_from_a_thousand_rows_on_ninety_days_after_the_quantile(self, late, aside):
        """1,999 rows over 2026, so the 99.9 % quantile is 2026-12-31 or near it; 10 % of the span is 36 days, so 90 days count."""
        days = pd.date_range("2026-01-01", "2027-01-02", periods=1999).normalize()
        orders = read([*((1, day, 1) for day in days), (2, late, 1)])
        assert found(orders).get("set aside: date far beyond the rest", (0,))[0] == aside

    def test_latest_names_the_limit(self):
        assert found(read([(1, "2026-01-01", 1), (1, "2026-02-01", 2)], latest="2026-01-31")) == {
            "kept: ": (1, "1.00"),
            "set aside: date far beyond the rest": (1, "2.00"),
        }


def test_each_row_is_set_aside_for_the_first_reason_only():
    orders = read(
        [(None, None, None), (None, "2026-01-01", 1), (1.0, None, 2), (1.0, "2026-01-01", None), (1.0, "2026-01-01", 4)]
    )
    assert found(orders) == {
        "kept: ": (1, "4.00"),
        "set aside: no customer": (2, "1.00"),
        "set aside: no date": (1, "2.00"),
        "set aside: no amount": (1, "0.00"),
    }


def test_if_no_row_is_left_the_reasons_are_named():
    with pytest.raises(InputError, match="none of 2 rows can be used; reasons: no customer, no date"):
        read([(None, "2026-01-01", 1), (1.0, None, 1)])


def test_raw_text_of_what_could_not_be_read_is_kept_in_the_ledger():
    good = [(1, "2026-01-01", "5.00")] * 200
    frame = pd.DataFrame(
        [*good, (2, "2026-02-30", "6.00"), (3, "2026-01-02", "six")], columns=["customer_id", "ordered_at", "amount"]
    )
    ledger = Transactions.read(frame).ledger
    assert ledger.reconciles()
    bad_date = ledger.rows("unreadable date").to_pyarrow().to_pylist()[0]
    assert (bad_date["ordered_at_text"], bad_date["source_row"], bad_date["amount"]) == (
        "2026-02-30",
        201,
        Decimal("6.00"),
    )
    assert ledger.rows("unreadable amount").to_pyarrow()["amount_text"].to_pylist() == ["six"]


def test_the_ledger_as_text_and_by_reason():
    orders = read([(1, "2026-01-01", 5), (1, "2026-01-01", 5)], name="till", currency="EUR")
    assert str(orders.ledger).splitlines()[0] == "till: 2 rows read, 10.00 EUR"
    assert orders.ledger.rows("kept").count().to_pyarrow().as_py() == 2
    with pytest.raises(InputError, match=r"no rows for 'exact repeats'\. Did you mean 'exact repeat'"):
        orders.ledger.rows("exact repeats")


def test_a_ledger_that_does_not_add_up_says_so():
    ledger = read([(1, "2026-01-01", 5)]).ledger
    ledger.rows_read += 1
    assert not ledger.reconciles()
    ledger.rows_read -= 1
    ledger.money_read += Decimal("0.01")
    assert not ledger.reconciles()


def test_lines_without_an_order_number_are_flagged():
    frame = pd.DataFrame(
        {"customer_id": [1, 2], "ordered_at": pd.to_datetime(["2026-01-01"] * 2), "amount": 1, "order_id": ["A", None]}
    )
    assert found(Transactions.read(frame))["flagged: no order_id"] == (1, "1.00")
