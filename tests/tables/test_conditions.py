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
        inner.map(lambda rule: f"NOT {rule}"),
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
    with pytest.raises(InputError, match=r"holds LOWER\(word\) at character 11, which is not allowed there"):
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


def joined(parts: tuple) -> tuple[str, str]:
    """A rule and what it is in SQL: divided by zero is missing, and numbers are floats, not decimals."""
    (left, in_sql), sign, (right, other_in_sql) = parts
    divisor = f"nullif({other_in_sql}, 0)" if sign == "/" else other_in_sql
    return f"({left} {sign} {right})", f"({in_sql} {sign} {divisor})"


number = st.recursive(
    st.sampled_from([("a", "a"), ("b", "b"), *((n, f"({n})::DOUBLE") for n in ("2", "0", "-3", "4.5"))]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(joined),
    max_leaves=4,
)
plain = st.tuples(number, st.sampled_from(["<", ">=", "=", "<>"]), number).map(joined)


@settings(max_examples=100, deadline=None)
@given(st.one_of(plain, st.tuples(plain, st.sampled_from(["OR", "AND"]), plain).map(joined)))
def test_arithmetic_means_what_sql_means_by_it_and_a_division_by_zero_is_missing(rule_and_sql):
    rule, in_sql = rule_and_sql
    with duckdb.connect() as engine:
        engine.register("frame", FRAME[["a", "b"]])
        wanted = [row[0] for row in engine.execute(f"SELECT {in_sql} FROM frame").fetchall()]
    found = [None if j is pd.NA else bool(j) for j in Condition.parse(rule, arithmetic=True).judge(FRAME)]
    assert found == wanted


@pytest.mark.parametrize("rule", ["a + b * 2 > 5", "a - b - 1 < 0", "12 / a * b = 12", "-a < b", "-(a + 1) * 2 < -3"])
def test_signs_bind_as_in_sql(rule):
    with duckdb.connect() as engine:
        engine.register("frame", FRAME[["a", "b"]])
        wanted = [row[0] for row in engine.execute(f"SELECT {rule} FROM frame").fetchall()]
    found = [None if j is pd.NA else bool(j) for j in Condition.parse(rule, arithmetic=True).judge(FRAME)]
    assert found == wanted


@pytest.mark.parametrize(
    ("rule", "python"),
    [
        ("joined - born > 9000", lambda born, joined: (joined - born) / pd.Timedelta(days=1) > 9000),
        ("born + 10 > joined", lambda born, joined: born + pd.Timedelta(days=10) > joined),
        ("joined - 0.5 < '2024-01-01'", lambda born, joined: joined - pd.Timedelta(hours=12) < pd.Timestamp("2024-01-01")),
        ("'2026-01-01' - born < 20000", lambda born, joined: (pd.Timestamp("2026-01-01") - born).days < 20000),
    ],
)  # fmt: skip
def test_days_are_reckoned_with_days(rule, python):
    needed = ["born"] if "joined" not in rule else ["joined"] if "born" not in rule else ["born", "joined"]
    for (_, row), found in zip(FRAME.iterrows(), Condition.parse(rule, arithmetic=True).judge(FRAME), strict=True):
        if row[needed].isna().any():
            assert found is pd.NA
        else:
            assert found == python(row["born"], row["joined"])


def test_rows_that_divide_by_zero_are_told():
    rule = Condition.parse("a / b > 1 OR a / (b - 2) > 1", arithmetic=True)
    assert rule.divides_by_zero(FRAME).tolist() == [True, True, False, False, True]
    assert not Condition.parse("a > 1").divides_by_zero(FRAME).any()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("a > 1 AND word + 1 > 2", "reckons with a text and a number at character 11"),
        ("born + joined > 1", "reckons with a day and a day at character 1"),
        ("born * 2 > joined", "a day less a day is a number of days"),
        ("born + 1e30 > joined", "out of the calendar"),
        ("a > 1 AND a = 'f'", "compares a number with a text at character 11"),
    ],
)
def test_what_cannot_be_reckoned_is_told_with_its_place(rule, says):
    with pytest.raises(InputError, match=says):
        Condition.parse(rule, arithmetic=True).judge(FRAME)


@pytest.mark.parametrize(
    "rule", ["a % 2 = 1", "a ^ 2 = 1", "a || b = 1", "a + (SELECT 1) > 1", "a + abs(b) > 1", "a + 1", "a & 1 = 1"]
)
def test_arithmetic_opens_no_other_door(rule):
    with pytest.raises(InputError, match=r"not allowed there|cannot be read"):
        Condition.parse(rule, arithmetic=True)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("a > 1 AND (b > 2 OR (a = 1)", "bracket at character 11 is never closed"),
        ("a > 1) AND (b > 2", "bracket at character 6 closes nothing"),
        ("a = 1 -- and the rest", "comment near character 5"),
        ("a /* x */ = 1", "comment near character 1"),
        ("a > 'x", "must end with '"),
        ("a > 1\nAND AND b = 1", "at character 7 of line 2"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(rule, says):
    with pytest.raises(InputError, match=says):
        Condition.parse(rule)


@pytest.mark.parametrize("word", ["today", "now", "", "nan", "12.5.2026"])
def test_no_word_reads_the_clock_or_means_no_day(word):
    with pytest.raises(InputError, match="is no day"):
        Condition.parse(f"born < '{word}'").judge(FRAME)


def test_categories_are_what_they_hold_and_times_count_in_their_own_zone():
    odd = pd.DataFrame({"size": pd.Categorical(["s", "l", None]), "at": pd.to_datetime(["2026-01-01"] * 3)})
    assert Condition.parse("size IN ('s', 'm')").judge(odd).to_list() == [True, False, pd.NA]
    odd["at"] = odd["at"].dt.tz_localize("Asia/Tokyo")
    assert Condition.parse("at >= '2026-01-01'").judge(odd).all()


def test_columns_of_every_way_to_store_a_value():
    import datetime

    import pyarrow as pa

    kept = {
        "numbers": [pd.array([1, None, 3], kind) for kind in ("Int64", "Float64", pd.ArrowDtype(pa.int64()))],
        "yes": [pd.array([True, None, False], kind) for kind in ("boolean", pd.ArrowDtype(pa.bool_()))],
        "texts": [pd.array(["b", None, "a"], kind) for kind in ("string[python]", "object", pd.ArrowDtype(pa.string()))],
        "days": [
            pd.array([datetime.date(2026, 2, 1), None, datetime.date(2026, 1, 1)], pd.ArrowDtype(pa.date32())),
            pd.array([datetime.datetime(2026, 2, 1), None, datetime.datetime(2026, 1, 1)], pd.ArrowDtype(pa.timestamp("us"))),
        ],
    }  # fmt: skip
    kept["numbers"].append(pd.Categorical([1, None, 3]))
    kept["texts"].append(pd.Categorical(["b", None, "a"]))
    rules = {"numbers": "v < 2", "yes": "v = true", "texts": "v > 'a'", "days": "v >= '2026-02-01'"}
    for what, columns in kept.items():
        for column in columns:
            assert Condition.parse(rules[what]).judge(pd.DataFrame({"v": column})).to_list() == [True, pd.NA, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("v < '9999-12-31'", True),  # how many systems write "without an end"
        ("v > '9999-12-31'", False),
        ("v > '0001-01-01'", True),
        ("v BETWEEN '0001-01-01' AND '9999-12-31'", True),
        ("v + 1000000 > v", True),
        ("'9999-12-31' - v > 2900000", True),  # 2,912,807 days from 2024-12-31
        ("'9999-12-31' - v < 2913000", True),
        ("v + 0.00001 > v", True),  # not quite a second
    ],
)
def test_days_far_away_are_far_away_however_finely_the_column_counts(unit, rule, holds):
    frame = pd.DataFrame({"v": pd.to_datetime(["2024-12-31", None]).astype(f"datetime64[{unit}]")})
    assert Condition.parse(rule, arithmetic=True).judge(frame).to_list() == [holds, pd.NA]


def test_long_numbers_are_told_apart():
    # 2^53 + 1 is the first whole number that a float cannot hold
    frame = pd.DataFrame({"card": [2**53, 2**53 + 1, 2**63 - 1], "u": pd.Series([0, 1, 2**64 - 1], dtype="uint64")})
    for card in (frame["card"], frame["card"].astype("Int64"), frame["card"].astype("int64[pyarrow]")):
        for number, wanted in (
            ("9007199254740993", [False, True, False]),
            ("9223372036854775807", [False, False, True]),
        ):
            assert Condition.parse(f"card = {number}").judge(frame.assign(card=card)).to_list() == wanted
    assert Condition.parse("u > 18446744073709551614").judge(frame).to_list() == [False, False, True]
    assert not Condition.parse("card > 99999999999999999999999").judge(frame).any()


@pytest.mark.parametrize(
    "rule", ["a < 1e400", "a > -1e400", "a IN (1, 1e400)", "a - (1e400 - 1e400) > 0", "a = " + "9" * 400]
)
def test_a_number_without_end_is_refused(rule):
    with pytest.raises(InputError, match="too large to reckon with"):
        Condition.parse(rule, arithmetic=True)


def test_infinite_less_infinite_is_missing_and_not_a_no():
    frame = pd.DataFrame({"v": [float("inf"), 1.0]})
    for rule, wanted in (("v - v = 0", [pd.NA, True]), ("NOT (v - v = 0)", [pd.NA, False]), ("v > 5", [True, False])):
        assert Condition.parse(rule, arithmetic=True).judge(frame).to_list() == wanted


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, "b", None], "mixed-integer"), ([["a"], "b", None], "mixed"), ([b"x", b"y", None], "bytes"),
        (pd.to_timedelta([1, 2, None], unit="D"), "timedelta"), ([1 + 1j, 2, None], "complex"),
        ([pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-01"), None], "mix of time zones"),
    ],
)  # fmt: skip
def test_a_column_of_what_cannot_be_compared_is_told_and_can_still_be_missing(values, kind):
    frame = pd.DataFrame({"v": pd.Series(values)})
    with pytest.raises(InputError, match=f"compares a column of kind '{kind}.*' with a text at character 1"):
        Condition.parse("v > 'a'").judge(frame)
    with pytest.raises(InputError, match=f"compares a column of kind '{kind}"):
        Condition.parse("v = w").judge(frame.assign(w=frame["v"]))
    assert Condition.parse("v IS NULL").judge(frame).to_list() == [False, False, True]


def test_a_day_with_a_zone_is_refused():
    with pytest.raises(InputError, match="has a time zone"):
        Condition.parse("born < '2025-01-01T00:00+09:00'").judge(FRAME)


@pytest.mark.parametrize("word", ["from", "case", "like", "select", "any", "current_date"])
def test_a_column_with_a_name_that_sql_keeps_to_itself_stands_in_double_quotes(word):
    with pytest.raises(InputError, match=f"if '{word}' is a column, write \"{word}\" in double quotes"):
        Condition.parse(f"a = 1 AND {word} > 2")
    assert Condition.parse(f'"{word}" > 2').judge(pd.DataFrame({word: [1, 3]})).to_list() == [False, True]
    with pytest.raises(InputError) as told:
        Condition.parse("lower(word) = 'f'")
    assert "is a column" not in str(told.value)


@pytest.mark.parametrize("word", ["set", "desc", "use", "comment", "order", "group", "date", "left", "index", "values"])
def test_other_words_are_columns_wherever_they_stand(word):
    frame = pd.DataFrame({word: [1, 3], "a": 1})
    for rule in (f"{word} > 2", f"a = 1 AND {word} > 2"):
        assert Condition.parse(rule).judge(frame).to_list() == [False, True]


def test_the_parser_says_nothing_of_its_own(caplog):
    for rule in ("show >= 2", "explain a = 1", "call x", "kill 1"):
        with pytest.raises(InputError):
            Condition.parse(rule)
    assert not caplog.records
