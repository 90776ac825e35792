"""The grid of divisions and questions: winners in the title, order kept, what foresees nothing drawn as nothing."""

import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError

COLUMNS = ["division", "question", "value", "low", "high"]
ROWS = [
    ("store", "money", -0.01, -0.02, 0.0),
    ("store", "brand", 0.02, 0.01, 0.03),
    ("bands", "money", 0.42, 0.38, 0.46),
    ("cells", "brand", 0.2, 0.16, 0.23),
]


def grid(rows=ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_title_counts_the_winners_and_names_them():
    ax = show.purpose_grid(grid())
    assert ax.get_title().replace("\n", " ") == "2 questions, 2 different winners: bands, cells"
    one = [*ROWS[:3], ("bands", "brand", 0.3, 0.2, 0.4)]
    assert show.purpose_grid(grid(one)).get_title().replace("\n", " ") == "bands foresees most: money, brand"


def test_rows_and_columns_keep_their_order_and_a_missing_pair_stays_empty():
    ax = show.purpose_grid(grid())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["store", "bands", "cells"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["money", "brand"]
    told = [text.get_text() for text in ax.texts]
    assert told == [
        "0.00  (0.00 – 0.00)", "0.02  (0.01 – 0.03)", "0.42  (0.38 – 0.46)", "0.20  (0.16 – 0.23)"
    ]  # fmt: skip


def test_no_colour_for_less_than_nothing():
    mesh = show.purpose_grid(grid()).collections[0]
    assert mesh.get_array().min() == 0


def test_bad_tables_are_refused_by_name():
    with pytest.raises(ColumnError, match="'high' is missing"):
        show.purpose_grid(grid().drop(columns="high"))
    with pytest.raises(InputError, match=r"1 pairs stand there twice, such as \['store', 'money'\]"):
        show.purpose_grid(grid([*ROWS, ROWS[0]]))
