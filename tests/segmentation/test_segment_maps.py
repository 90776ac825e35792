"""Segment maps: data that says for every combination of scores who wins, and is checked before use."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import rfm

SHIPPED = ("ten_segments", "eleven_segments")


def all_scores(bins: int = 5) -> pd.DataFrame:
    grid = itertools.product(range(1, bins + 1), repeat=3)
    frame = pd.DataFrame(grid, columns=["r_score", "f_score", "m_score"])
    frame.attrs = {"bins": dict.fromkeys("rfm", bins)}
    return frame


def rules(*rows, **columns) -> pd.DataFrame:
    """A map as a table: name, range of r, range of f."""
    return pd.DataFrame(rows, columns=["segment", "r", "f"]).assign(**columns)


REST = ("Others", "remainder", "remainder")


# --- the shipped maps -------------------------------------------------------------------------------------


def test_ten_segments_cover_the_grid_once():
    # The grid in wide use, written out: rows are recency 1 to 5, columns frequency 1 to 5.
    grid = [
        "Hibernating Hibernating At_risk At_risk Cannot_lose_them",
        "Hibernating Hibernating At_risk At_risk Cannot_lose_them",
        "About_to_sleep About_to_sleep Need_attention Loyal_customers Loyal_customers",
        "Promising Potential_loyalists Potential_loyalists Loyal_customers Loyal_customers",
        "New_customers Potential_loyalists Potential_loyalists Champions Champions",
    ]
    expected = {
        (r, f): name.replace("_", " ") for r, row in enumerate(grid, 1) for f, name in enumerate(row.split(), 1)
    }
    result = rfm.segment(all_scores(), "ten_segments")
    assert all(row.segment == expected[row.r_score, row.f_score] for row in result.itertuples())
    assert rfm.SegmentMap.load("ten_segments").check().empty


def test_eleven_segments_have_the_published_ranges():
    # CRAN, package rfm, manual of version 0.2.0, rfm_segment: names and limits as in its example;
    # "Hibernating" (1-2 on all three) stands before "Lost" in the same version's vignette.
    names = [
        "Champions", "Loyal customers", "Potential loyalists", "New customers", "Promising", "Need attention",
        "About to sleep", "At risk", "Cannot lose them", "Lost",
    ]  # fmt: skip
    recency = zip([4, 2, 3, 4, 3, 2, 2, 1, 1, 1], [5, 5, 5, 5, 4, 3, 3, 2, 1, 2], strict=True)
    frequency = zip([4, 3, 1, 1, 1, 2, 1, 2, 4, 1], [5, 5, 3, 1, 1, 3, 2, 5, 5, 2], strict=True)
    published = {
        name: [f"{low}-{high}" if low < high else str(low) for low, high in limits]
        for name, *limits in zip(names, recency, frequency, strict=True)
    }
    table = rfm.SegmentMap.load("eleven_segments").table.set_index("segment")
    assert (table["m"] == table["f"]).all()  # the published limits of money are those of frequency
    assert {name: table.loc[name, ["r", "f"]].tolist() for name in names} == published
    assert table.loc["Hibernating", ["r", "f"]].tolist() == ["1-2", "1-2"]
    assert len(table) == 12


def test_the_check_finds_what_a_plain_reading_of_eleven_segments_finds():
    table = rfm.SegmentMap.load("eleven_segments").table.iloc[:-1]
    limits = [[tuple(map(int, (side.split("-") * 2)[:2])) for side in row] for row in table[["r", "f", "m"]].to_numpy()]
    claims = {
        cell: [i for i, sides in enumerate(limits) if all(low <= s <= high for s, (low, high) in zip(cell, sides, strict=True))]
        for cell in itertools.product(range(1, 6), repeat=3)
    }  # fmt: skip
    found = rfm.SegmentMap.load("eleven_segments").check().set_index("finding")
    assert found.loc["gap", "combinations"] == sum(not who for who in claims.values()) == 36
    pairs = [pair for who in claims.values() for pair in itertools.combinations(who, 2)]
    assert len(found.loc["overlap"]) == len(set(pairs)) == 21
    assert found.loc["overlap", "combinations"].sum() == len(pairs)
    winners = {who[0] for who in claims.values() if who}
    never = [name for i, name in enumerate(table["segment"]) if i not in winners]
    assert found.loc["never wins", "segment"].tolist() == never
    assert never == ["New customers", "Promising", "Cannot lose them", "Lost"]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_segment_says_what_to_do(name):
    table = rfm.SegmentMap.load(name).table
    named = table.iloc[:-1]
    assert (named[["meaning", "action", "owner", "kpi"]].map(len) > 3).all(axis=None)
    assert named["owner"].isin(["marketing", "store", "service", "sales"]).all()
    assert named["days_due"].between(1, 90).all()
    assert table["action"].iloc[-1] == ""  # customers whom no rule describes are not contacted by a rule


def test_two_maps_name_different_champions():
    scores = all_scores()
    champions = [(rfm.segment(scores, name)["segment"] == "Champions").sum() for name in SHIPPED]
    assert champions == [10, 8]  # of 125 combinations: 5-4/5-any, and 4/5-4/5-4/5


# --- segment ----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.tuples(st.integers(1, 5), st.integers(1, 5))] * 2), min_size=1, max_size=6))
def test_the_first_rule_that_fits_wins_and_the_rest_is_the_remainder(limits):
    boxes = [[sorted(side) for side in box] for box in limits]
    table = rules(*[(f"s{i}", *(f"{low}-{high}" for low, high in box)) for i, box in enumerate(boxes)], REST)
    result = rfm.segment(all_scores(), table)
    for row in result.itertuples():
        fit = (
            f"s{i}"
            for i, ((r0, r1), (f0, f1)) in enumerate(boxes)
            if r0 <= row.r_score <= r1 and f0 <= row.f_score <= f1
        )
        assert row.segment == next(fit, "Others")
    check = rfm.SegmentMap.load(table).check(all_scores())
    gap = check.loc[check["finding"] == "gap", "customers"].sum()
    assert gap == (result["segment"] == "Others").sum()


def test_segments_are_ordered_as_the_map_and_carry_its_name():
    scores = all_scores()
    result = rfm.segment(scores, "ten_segments")
    assert result["segment"].cat.ordered
    assert tuple(result["segment"].cat.categories) == rfm.SegmentMap.load("ten_segments").segments
    assert result.attrs["segment_map"] == "ten_segments"
    assert "segment" not in scores.columns


def test_other_bins_are_refused_or_stretched():
    with pytest.raises(InputError, match=r"written for 5 bins and 'r_score' has 3.*rescale=True"):
        rfm.segment(all_scores(3), "ten_segments")
    stretched = rfm.segment(all_scores(3), "ten_segments", rescale=True).set_index(["r_score", "f_score"])["segment"]
    assert stretched.loc[3, 3].unique().tolist() == ["Champions"]
    assert stretched.loc[2, 2].unique().tolist() == ["Need attention"]
    assert stretched.loc[1, 1].unique().tolist() == ["Hibernating"]
    ten = rfm.segment(all_scores(10), "ten_segments", rescale=True).set_index(["r_score", "f_score"])["segment"]
    assert ten.loc[10, 7].iloc[0] == "Champions"  # ten scores fall on five in pairs: 7 and 8 are 4
    assert ten.loc[10, 6].iloc[0] == "Potential loyalists"


def test_scores_that_lost_their_note_ask_for_the_bins():
    scores = all_scores().merge(all_scores()[["r_score"]].drop_duplicates(), on="r_score")
    scores.attrs = {}
    with pytest.raises(InputError, match="does not say how many bins"):
        rfm.segment(scores)
    assert len(rfm.segment(scores, bins=5)) == 125


@pytest.mark.parametrize("bad", [0, 6, 2.5, np.nan])
def test_values_that_are_no_scores(bad):
    scores = all_scores().astype(float)
    scores.loc[0, "f_score"] = bad
    with pytest.raises(InputError, match="'f_score' has 1 values that are no score from 1 to 5"):
        rfm.segment(scores)


def test_a_map_of_other_dimensions_names_the_missing_score():
    with pytest.raises(ColumnError, match="reads 'm_score'"):
        rfm.segment(all_scores().drop(columns="m_score"), "eleven_segments")
    with pytest.raises(KindError):
        rfm.segment("scores")


# --- check ------------------------------------------------------------------------------------------------


def test_check_counts_customers_and_finds_empty_segments():
    table = rules(("Good", "4-5", "1-5"), ("Fair", "3-4", "1-5"), ("Shadow", "4", "2"), REST)
    scores = pd.DataFrame({"r_score": [5, 4, 1], "f_score": [1, 1, 1]})
    scores.attrs = {"bins": {"r": 5, "f": 5}}
    found = rfm.SegmentMap.load(table).check(scores)
    rows = found[["finding", "segment", "other", "combinations", "customers"]].to_numpy().tolist()
    assert rows == [
        ["gap", "Others", "", 10, 1],
        ["overlap", "Good", "Fair", 5, 1],
        ["overlap", "Good", "Shadow", 1, 0],
        ["overlap", "Fair", "Shadow", 1, 0],
        ["empty", "Fair", "", 5, 0],
        ["never wins", "Shadow", "", 1, 0],
    ]
    assert "such as 1-1" in found["what"].iloc[0]


def test_without_scores_customers_are_not_known():
    assert rfm.SegmentMap.load("eleven_segments").check()["customers"].isna().all()


# --- a user's own map -------------------------------------------------------------------------------------

TOML = """
name = "mine"
bins = 4
dimensions = ["r", "m"]
[[segment]]
segment = "Guests <b>"
r = "1-2, 4"
m = 3
action = "Write"
days_due = 5
[remainder]
segment = "Everyone else"
"""


def test_a_map_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TOML, encoding="utf-8")
    for source in (path, str(path)):
        mine = rfm.SegmentMap.load(source)
        assert (mine.name, mine.bins, mine.dimensions) == ("mine", 4, ("r", "m"))
        assert np.argwhere(mine.winners() == 0).tolist() == [[0, 2], [1, 2], [3, 2]]
        assert mine.segments == ("Guests <b>", "Everyone else")
        assert mine.table["days_due"].tolist() == [5, 30]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_maps_table_is_a_map_again(name):
    first = rfm.SegmentMap.load(name)
    again = rfm.SegmentMap.load(first.table)
    assert (again.winners() == first.winners()).all()
    pd.testing.assert_frame_equal(again.table, first.table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4-6", r"rule 1 \('A'\), r = '4-6': '4-6' at character 1 is no range of scores from 1 to 5"),
        ("1,5-4", r"'5-4' at character 3"),
        ("0", "'0' at character 1"),
        ("4..5", r"not a range from character 1 on \('4..5'\)"),
        ("4-5,", r"from character 5 on \(''\)"),
        (">=4", "not a range from character 1"),
        ("__import__('os')", "not a range from character 1"),
        ("-1", "not a range from character 1"),
        ("", 'the range is missing; write "1-5"'),
        (None, "the range is missing"),
        (2.5, "the range is missing"),
    ],
)
def test_a_range_that_is_none_is_refused_with_its_place(text, message):
    with pytest.raises(InputError, match=message):
        rfm.SegmentMap.load(rules(("A", text, "1-5"), REST).astype(object))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[remainder]\nsegment", "[[segment]]\nr = 1\nm = 1\nsegment", r"add a \[remainder\]"),
        ("action =", "acton =", r"'acton' is not known; use .*Did you mean 'action'"),
        ("bins = 4", "bin = 4", "'bin' is not known; use .*Did you mean 'bins'"),
        ("bins = 4", "bins = 11", "3 to 10, not 11"),
        ("bins = 4", "", "3 to 10, not None"),
        ('dimensions = ["r", "m"]', "", "say the dimensions"),
        ("m = 3", "", "m: the range is missing"),
        ("days_due = 5", "days_due = -5", "days_due must be a whole number of days, not -5"),
        ("days_due = 5", "days_due = true", "not True"),
        ('action = "Write"', "action = 3", "action must be text, not 3"),
        ('"Everyone else"', '"Guests <b>"', "two rules have this name"),
        ('segment = "Guests <b>"', "", "name of the segment is missing"),
        ("name = ", "name : ", r"not TOML in UTF-8: .*line 2"),
        ("[[segment]]", "[segment]", r"under a line \[\[segment\]\]"),
    ],
)
def test_a_file_with_a_mistake_says_where(tmp_path, old, new, message):
    assert TOML.count(old) == 1
    path = tmp_path / "mine.toml"
    path.write_text(TOML.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        rfm.SegmentMap.load(path)


def test_sources_that_are_no_map(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'ten_segments'"):
        rfm.SegmentMap.load("ten_segment")
    with pytest.raises(InputError, match="nor a TOML file"):
        rfm.SegmentMap.load(tmp_path / "none.toml")
    with pytest.raises(KindError):
        rfm.SegmentMap.load({"segment": "A"})
    with pytest.raises(InputError, match="last row"):
        rfm.SegmentMap.load(rules(("A", "1-5", "1-5")))
    with pytest.raises(InputError, match="last row"):
        rfm.SegmentMap.load(rules(REST, ("A", "1-5", "1-5")))
    with pytest.raises(InputError, match="has no rules"):
        rfm.SegmentMap.load(rules(REST))
    (tmp_path / "latin.toml").write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        rfm.SegmentMap.load(tmp_path / "latin.toml")
