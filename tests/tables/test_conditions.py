"""Typed rules: what is allowed means what SQL means by it, and everything else is refused."""

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables.conditions import Condition

FRAME = pd.DataFrame(
    {
        "a": [1.0, 2.0, None, 4.0, -3.0],
        "b": [2.0, 2.0, 5.0, None, 0.0],
        "word": ["f", "m", None, "it's", "F"],
        "born": pd.to_datetime(["1985-04-12", None, "2001-01-01", "1960-06-30", "1985-04-13"]),
        "joined": pd.to_datetime(
            ["2024-01-01 00:00", "2024-01-01 00:00", "1999-12-31 00:00", "2024-01-01 12:00", None]
        ),
        "vip": pd.array([True, False, None, True, False], dtype="boolean"),
    }
)

value = st.sampled_from(["a", "b", "1", "2", "-3", "4.5"])
comparison = st.one_of(
    st.tuples(value, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), value).map(" ".join),
    st.tuples(value, value, value).map(lambda p: f"{p[0]} BETWEEN {p[1]} AND {p[2]}"),
    st.tuples(value, value, value).map(lambda p: f"{p[0]} IN ({p[1]}, {p[2]})"),
    st.sampled_from(
        ["a IS NULL", "word IS NOT NULL", "word = 'it''s'", "word IN ('f', 'm')", "word <> 'f'", "vip = true"]
    ),
    st.sampled_from(["born < joined", "born >= '1985-04-12'", "joined BETWEEN '2000-01-01' AND '2024-01-01'"]),
)
rules = st.recursive(
    comparison,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(" ".join),
        inner.map(lambda rule: f"NOT ({rule})"),
        inner.map(lambda rule: f"({rule})"),
    ),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(rules)
def test_a_rule_means_what_sql_means_by_it(rule):
    # Another implementation: DuckDB runs the same text on the same table, with SQL's three values.
    frame = FRAME.astype({"vip": object})
    with duckdb.connect() as engine:
        engine.register("frame", frame)
        wanted = [row[0] for row in engine.execute(f"SELECT ({rule}) FROM frame").fetchall()]
    found = [None if judged is pd.NA else bool(judged) for judged in Condition.parse(rule).judge(FRAME)]
    assert found == wanted


@pytest.mark.parametrize(
    "rule",
    [
        "a = (SELECT 1)", "a IN (SELECT a FROM frame)", "EXISTS (SELECT 1)", "system('ls') = 0", "a + 1 > 2", "lower(word) = 'f'",
        "word LIKE 'f%'", "a = CURRENT_DATE", "CAST(a AS INT) = 1", "a::int = 1", "a[0] = 1", "frame.a = 1", "a = *", "a > ?", "a > @x",
        "a", "1", "true", "NOT a", "a AND b", "a = b = 1", "a = NULL", "a IS TRUE", "CASE WHEN a = 1 THEN 1 END = 1", "a <=> b",
        "DROP TABLE frame", "a = 1; DROP TABLE frame", "INSERT INTO frame VALUES (1)", "COPY frame TO 'x'", "a = 1 UNION SELECT 2",
        "a =", "a = 1)", "(a = 1", "a == == 1", "a = 'x", "", "   ", ";", "__import__('os').system('ls')", "a.__class__ = 1",
        "a BETWEEN 1 AND (SELECT 2)", "-a = 1", "a = -'1'", "a IN ()", "word = 'f' COLLATE x",
    ],
)  # fmt: skip
def test_everything_else_is_refused(rule):
    with pytest.raises(InputError, match=r"rule|1 to 2,000 characters"):
        Condition.parse(rule)


def test_rules_built_to_break_a_parser_are_refused():
    for rule in ("(" * 900 + "a = 1" + ")" * 900, "NOT " * 490 + "a = 1", "a = 1 OR " * 400 + "a = 1"):
        with pytest.raises(InputError, match=r"too many parts|1 to 2,000 characters"):
            Condition.parse(rule)
    with pytest.raises(KindError, match="a rule is a text"):
        Condition.parse(5)


def test_the_message_names_the_part_and_the_column():
    with pytest.raises(InputError, match=r"holds LOWER\(word\), which is not allowed there"):
        Condition.parse("a = 1 AND lower(word) = 'f'")
    with pytest.raises(InputError, match=r"cannot be read at character \d+"):
        Condition.parse("a = 1 AND")
    with pytest.raises(ColumnError, match=r"speaks of 'wrod'.*Did you mean 'word'"):
        Condition.parse("wrod = 'f'").judge(FRAME)
    with pytest.raises(ColumnError, match=r"speaks of 'f'.*A text stands in single quotes"):
        Condition.parse('word = "f"').judge(FRAME[["word", "born"]])


@pytest.mark.parametrize("rule", ["a = 'f'", "word > 3", "born < 5", "vip = 1", "word < born", "born = a"])
def test_two_kinds_are_not_compared(rule):
    with pytest.raises(InputError, match="compares a"):
        Condition.parse(rule).judge(FRAME)


def test_a_text_that_is_no_day_is_said():
    with pytest.raises(InputError, match="'soon' is no day"):
        Condition.parse("born < 'soon'").judge(FRAME)


def test_names_with_blanks_stand_in_double_quotes_and_columns_are_told_in_order():
    rule = Condition.parse('"first visit" <= joined AND a > 0')
    assert rule.columns == ("first visit", "joined", "a")
    assert rule.judge(FRAME.assign(**{"first visit": FRAME["joined"]})).to_list() == [True, True, pd.NA, True, False]


def test_an_empty_table_and_a_column_of_nothing():
    assert Condition.parse("a < b").judge(FRAME.head(0)).empty
    assert Condition.parse("a < b OR word = 'x'").judge(FRAME.head(2).assign(a=None, word=None)).isna().all()


def test_columns_of_plain_python_values():
    import datetime
    from decimal import Decimal

    odd = pd.DataFrame(
        {
            "day": pd.Series([datetime.date(2025, 1, 1), None, datetime.date(2025, 3, 1)], dtype=object),
            "price": pd.Series([Decimal("1.50"), None, Decimal("2.50")], dtype=object),
            "yes": pd.Series([True, None, False], dtype=object),
        }
    )
    for rule in ("day < '2025-02-01'", "price < 2", "yes = true"):
        assert Condition.parse(rule).judge(odd).to_list() == [True, pd.NA, False]
