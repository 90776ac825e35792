"""Tags: what a rule gives is what SQL gives; who is not judged is counted; nothing in a rule runs."""

import datetime
import time

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import tags

DAY = "2026-06-30"
RULES = {
    "regular": "orders >= 3 AND recency_days <= 90",
    "sleeping": "NOT (recency_days <= 90) AND orders > 0",
    "big baskets": "spend / orders > 20",
    "young in town": "age BETWEEN 18 AND 25 AND city IN ('Bonn', 'Köln')",
    "unknown age": "age IS NULL",
    "spring": "last_order >= '2026-03-01' AND last_order < '2026-06-01'",
    "long with us": "last_order - first_order > 365 OR orders > 8",
}


def rule(name="regular", text="orders >= 3", **more):
    return {"name": name, "rule": text, "meaning": "", "from": "2026-01-01", **more}


def hand(**more):
    return {"customer_id": 0, "tag": "founder", "by": "Lena", "why": "knows the owner", "from": "2026-01-01", **more}


def made(seed: int, n: int = 60, first: int = 0) -> pd.DataFrame:
    """Customers with gaps, and with a zero to divide by."""
    rng = np.random.default_rng(seed)
    last = np.datetime64(DAY, "s") - rng.integers(0, 400, n) * np.timedelta64(86_400, "s")
    frame = pd.DataFrame(
        {
            "orders": rng.integers(0, 12, n),
            "spend": rng.gamma(2, 50, n).round(2),
            "recency_days": rng.integers(0, 400, n),
            "age": np.where(rng.random(n) < 0.3, np.nan, rng.integers(16, 80, n)),
            "city": pd.Series(rng.choice(["Bonn", "Köln", "Aachen"], n)).where(rng.random(n) > 0.2),
            "last_order": pd.Series(last).where(rng.random(n) > 0.1),
            "first_order": last - rng.integers(0, 900, n) * np.timedelta64(86_400, "s"),
        }
    )
    return frame.set_axis(pd.RangeIndex(first, first + n, name="customer_id"))


ALL = {"tag": [rule(name, text) for name, text in RULES.items()]}


def pairs(frame: pd.DataFrame) -> set[tuple[int, str]]:
    return set(zip(frame["customer_id"], frame["tag"], strict=True))


def in_duckdb(table: pd.DataFrame, what: str) -> list[tuple]:
    with duckdb.connect() as engine:
        engine.register("people", table.reset_index())
        return engine.execute(what).fetchall()


def days(values: pd.Series) -> list[str]:
    return values.dt.strftime("%Y-%m-%d").fillna("").to_list()


def as_sql(text: str) -> str:
    """Days and divisions by zero the way DuckDB writes them."""
    text = text.replace("last_order - first_order", "date_diff('day', first_order, last_order)")
    return text.replace("/ orders", "/ nullif(orders, 0)")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tags_are_those_that_sql_gives(seed):
    # Another implementation: DuckDB selects by the same condition; days are written its way.
    table = made(seed)
    wanted = set()
    for name, text in RULES.items():
        text = as_sql(text)
        wanted |= {(who, name) for (who,) in in_duckdb(table, f"SELECT customer_id FROM people WHERE {text}")}
    found = tags.apply(table, ALL, as_of=DAY)
    assert pairs(found) == wanted
    assert len(found) == len(wanted)
    assert found["since"].eq(pd.Timestamp(DAY)).all()
    assert found["until"].isna().all()
    assert dict(zip(found["tag"], found["rule"], strict=True)).items() <= RULES.items()


def test_the_preview_counts_what_sql_counts():
    table = made(4, 200)
    found = tags.preview(table, ALL, as_of=DAY).set_index("tag")
    assert list(found.index) == list(RULES)
    for name, text in RULES.items():
        text = as_sql(text)
        ((fits, unjudged),) = in_duckdb(table, f"SELECT count_if({text}), count_if(({text}) IS NULL) FROM people")
        assert found.loc[name, "customers"] == fits
        assert found.loc[name, "share"] == pytest.approx(fits / 200)
        assert found.loc[name, "missing"] + found.loc[name, "divided_by_zero"] == unjudged
    assert found.loc["big baskets", ["missing", "divided_by_zero"]].to_list() == [0, (table["orders"] == 0).sum()]
    assert found.loc["young in town", "missing"] > 0


def test_overlaps_by_hand():
    table = pd.DataFrame({"orders": [1, 5, 9, 0]}, index=pd.Index([1, 2, 3, 4], name="customer_id"))
    rules = {"tag": [rule("some", "orders > 0"), rule("more", "orders > 4"), rule("most", "orders > 8")]}
    assert tags.preview(table, rules, as_of=DAY)["overlaps"].to_list() == [2, 2, 1]
    both = tags.overlaps(tags.apply(table, rules, as_of=DAY))
    assert both.to_numpy().tolist() == [[3, 2, 1], [2, 2, 1], [1, 1, 1]]
    assert list(both) == ["some", "more", "most"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False), st.integers(0, 60))
def test_order_of_rows_and_cutting_the_table_change_nothing(seed, random, cut):
    table = made(seed)
    whole = pairs(tags.apply(table, ALL, as_of=DAY))
    shuffled = table.sample(frac=1, random_state=random.randrange(2**32))
    assert pairs(tags.apply(shuffled, ALL, as_of=DAY)) == whole
    parts = [tags.apply(part, ALL, as_of=DAY) for part in (table.iloc[:cut], table.iloc[cut:])]
    assert pairs(parts[0]) | pairs(parts[1]) == whole
    assert len(parts[0]) + len(parts[1]) == len(whole)


def test_input_stays_as_it_was_and_the_order_is_that_of_the_rules_then_of_the_table():
    table = made(5).sample(frac=1, random_state=1)
    before = table.copy(deep=True)
    found = tags.apply(table.reset_index(), ALL, as_of=DAY)
    pd.testing.assert_frame_equal(table, before)
    assert found["tag"].cat.codes.is_monotonic_increasing
    for _, some in found.groupby("tag", observed=True):
        assert table.index.get_indexer(some["customer_id"]).tolist() == sorted(
            table.index.get_indexer(some["customer_id"])
        )


def test_two_tags_may_share_a_rule():
    table = pd.DataFrame({"customer_id": [1], "orders": [4]})
    rules = {"tag": [rule("a"), rule("b", "orders > 1"), rule("c")]}
    found = tags.apply(table, rules, as_of=DAY)
    assert found["rule"].to_list() == ["orders >= 3", "orders > 1", "orders >= 3"]


# --- days -----------------------------------------------------------------------------------------------------------


def test_a_tag_ends_with_its_rule_or_with_its_own_days_whichever_is_sooner():
    table = pd.DataFrame({"customer_id": [1], "orders": [4]})
    rules = [
        rule("a", expires_after="90 days"),
        rule("b", until="2026-07-15", expires_after="90 days"),
        rule("c", until="2026-12-31", expires_after="1 week"),
        rule("d", until=datetime.date(2026, 6, 30)),  # its last day still counts
        rule("e", **{"from": DAY}),
        rule("f", until="2026-06-29"),
        rule("g", **{"from": "2026-07-01"}),
    ]
    found = tags.apply(table, {"tag": rules}, as_of=DAY)
    assert dict(zip(found["tag"], days(found["until"]), strict=True)) == {
        "a": "2026-09-28", "b": "2026-07-15", "c": "2026-07-07", "d": "2026-06-30", "e": "",
    }  # fmt: skip
    assert found.attrs["left_out"] == {"f": ["expired", 1], "g": ["not yet", 1]}
    shown = tags.preview(table, {"tag": rules}, as_of=DAY).set_index("tag")
    assert shown["state"].to_list() == ["holds"] * 5 + ["expired", "not yet"]
    assert shown["customers"].eq(1).all()
    assert shown["overlaps"].to_list() == [1] * 5 + [0, 0]


def test_a_tag_that_is_not_in_force_overlaps_with_none():
    table = pd.DataFrame({"customer_id": [1, 2], "orders": [4, 1]})
    rules = {"tag": [rule(), rule("over", "orders > 0", until="2026-06-29"), rule("later", **{"from": "2026-07-01"})]}
    assert tags.preview(table, rules, as_of=DAY)["overlaps"].to_list() == [0, 0, 0]


def test_a_day_outside_is_refused():
    table = pd.DataFrame({"customer_id": [1], "orders": [4]})
    with pytest.raises(
        InputError, match=r"on that day no rule is in force \(regular from 2026-01-01 until 2026-03-31\)"
    ):
        tags.apply(table, {"tag": [rule(until="2026-03-31")]}, as_of=DAY)
    table.attrs["as_of"] = "2026-05-31"
    with pytest.raises(InputError, match="the attributes of the customers are of 2026-05-31"):
        tags.preview(table, {"tag": [rule()]}, as_of=DAY)
    assert tags.apply(table, {"tag": [rule()]})["since"].to_list() == [pd.Timestamp("2026-05-31")]
    with pytest.raises(InputError, match="does not say as of which day"):
        tags.apply(pd.DataFrame({"customer_id": [1], "orders": [4]}), {"tag": [rule()]})


# --- what a rule may not do -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("orders >= 3; DROP TABLE people", "is not one rule: a semicolon stands at character 12"),
        ("orders >= (SELECT max(orders) FROM people)", r"SELECT .* at character \d+, which is not allowed"),
        ("orders IN (SELECT 3)", "not allowed"),
        ("system('ls') = 0", r"holds SYSTEM\('ls'\) at character 1"),
        ("orders > 1 AND length(city) > 3", "at character 16"),
        ("orders >= 3 -- and nothing else", "holds a comment"),
        ("orders >= 3 /* hidden */ OR 1 = 1", "holds a comment"),
        ("orders >= 3 UNION SELECT 1", "not allowed|cannot be read"),
        ("__import__('os').system('ls') = 0", "not allowed|cannot be read"),
        ("(orders >= 3 AND (spend > 1)", "bracket at character 1 is never closed"),
        ("orders >= 3) OR (spend > 1", "bracket at character 12 closes nothing"),
        ("orders >=", r"cannot be read"),
        ("orders >= 'x", "must end with '"),
        ("", "rule is ''; it must be a text that says something"),
        ("   ", "must be a text that says something"),
        (5, "rule is 5; it must be a text"),
        ("orders", "not allowed"),
    ],
)
def test_injection_and_broken_rules_are_refused_with_tag_and_place(text, says):
    with pytest.raises(InputError, match=f"tag 2 \\('odd'\\): .*{says}"):
        tags.read({"tag": [rule(), rule("odd", text)]})


def test_an_unknown_attribute_and_a_wrong_kind_are_told_with_tag_place_and_near_misses():
    table = made(6)
    with pytest.raises(ColumnError, match=r"tag 'x': .*'recency_day' at character 16.*Did you mean 'recency_days'"):
        tags.apply(table, {"tag": [rule("x", "orders > 1 AND recency_day < 9")]}, as_of=DAY)
    with pytest.raises(InputError, match=r"tag 'x': .*compares a text with a number at character 16"):
        tags.preview(table, {"tag": [rule("x", "orders > 1 AND city > 5")]}, as_of=DAY)
    with pytest.raises(InputError, match=r"'soon' is no day"):
        tags.apply(table, {"tag": [rule("x", "last_order > 'soon'")]}, as_of=DAY)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"tag": [rule(), rule("b"), rule()]}, r"tag 3 \('regular'\): tag 1 \('regular'\) has that name too"),
        ({"tag": [rule(), rule("b"), rule(" Regular")]}, r"tag 3 \(' Regular'\): tag 1 \('regular'\) has that name too"),
        ({"tag": [rule(), rule("ｒegular")]}, r"tag 1 \('regular'\) has that name too"),
        ({"tag": [rule(expires_after="101 years")]}, "from a day to a hundred years"),
        ({"tag": [rule(expires_after="9" * 400 + " years")]}, "from a day to a hundred years"),
        ({"tag": [rule(expires_after="0.5 days")]}, "from a day to a hundred years"),
        ({"tag": [rule(until="2025-12-31")]}, r"until \(2025-12-31\) is before from \(2026-01-01\)"),
        ({"tag": [rule(until="31.12.2026")]}, "is not a day"),
        ({"tag": [rule(expires_after="90")]}, "is not a horizon"),
        ({"tag": [rule(expires_after="90 dayz")]}, "Did you mean 'days'"),
        ({"tag": [rule(exclusiv_with=["b"])]}, "Did you mean 'exclusive_with'"),
        ({"tag": [rule(), rule("b", exclusive_with=["regulra"])]}, "is no tag of these rules. Did you mean 'regular'"),
        ({"tag": [rule(exclusive_with=["regular"])]}, "is the tag itself"),
        ({"tag": [rule(exclusive_with="b")]}, "write a list of names"),
        ({"tag": [{"name": "b", "rule": "a > 1", "meaning": ""}]}, "from is missing"),
        ({"tag": [{"name": "b", "rule": "a > 1", "from": DAY}]}, "meaning is 'missing'"),
        ({"tag": [rule("")]}, "name is ''"),
        ({"tag": []}, "the rules hold no tag"),
        ({}, "the rules hold no tag"),
        ({"tag": rule()}, r"write each as \[\[tag\]\]"),
        ({"tags": [rule()]}, "Did you mean 'tag'"),
        ({"tag": [rule()], "attributes": {"sensitiv": []}}, "Did you mean 'sensitive'"),
        ({"tag": [rule()], "attributes": {"sensitive": ["age"], "allow_sensitive": ["age"]}}, "does not say who"),
        ({"tag": [rule()], "attributes": {"sensitive": ["age"], "allow_sensitive": {"age": " "}}}, "does not say who"),
        ({"tag": [rule()], "attributes": {"sensitive": ["age"], "allow_sensitive": {"agee": "A"}}}, "Did you mean 'age'"),
        ({"tag": [rule()], "by_hand": [{"customer_id": 1, "tag": "x", "by": "A", "from": DAY}]}, "by_hand 1: why is missing"),
        *(
            ({"tag": [rule()], "by_hand": [hand(), hand(**{key: value})]}, f"by_hand 2: {key} is {shown}")
            for key, value, shown in (
                ("by", 5, "5"), ("why", ["x"], r"\['x'\]"), ("tag", " ", "' '"), ("customer_id", True, "True"),
                ("customer_id", 1.5, "1.5"), ("customer_id", [1], r"\[1\]"),
            )
        ),
        ({"tag": [rule()], "by_hand": [hand(tag="Regular")]}, "by_hand 1: the tag 'Regular' is called 'regular' above"),
    ],
)  # fmt: skip
def test_faults_of_the_file_of_rules_are_told(rules, says):
    with pytest.raises(InputError, match=says):
        tags.read(rules)


def test_what_is_no_file_of_rules(tmp_path):
    with pytest.raises(InputError, match="there is no file of rules"):
        tags.read(tmp_path / "rules.toml")
    (tmp_path / "rules.toml").write_text("[[tag]\nname = 1")
    with pytest.raises(InputError, match=r"is no TOML file: .*line 1"):
        tags.read(tmp_path / "rules.toml")
    with pytest.raises(KindError, match="a mapping, not int"):
        tags.read(5)
    for bomb in ("a = " + "[" * 50_000, "a = " + "9" * 5_000, "a = " + "{b = " * 20_000, "a = 2025-02-30"):
        (tmp_path / "rules.toml").write_text(bomb)
        with pytest.raises(InputError, match="is no TOML file"):
            tags.read(tmp_path / "rules.toml")


def test_customers_that_cannot_be_tagged():
    twice = pd.DataFrame({"customer_id": [1, 1], "orders": [1, 2]})
    with pytest.raises(InputError, match="customers: 1 customers stand there twice, such as 1"):
        tags.apply(twice, {"tag": [rule()]}, as_of=DAY)
    with pytest.raises(ColumnError, match="column or an index `customer_id`"):
        tags.apply(pd.DataFrame({"orders": [1]}), {"tag": [rule()]}, as_of=DAY)
    with pytest.raises(ColumnError, match="without missing values"):
        tags.apply(pd.DataFrame({"customer_id": [1, None], "orders": [1, 2]}), {"tag": [rule()]}, as_of=DAY)
    with pytest.raises(KindError, match="must be a DataFrame"):
        tags.apply([1], {"tag": [rule()]}, as_of=DAY)
    columns = pd.DataFrame([[1, 2, 3]], columns=["customer_id", "orders", "orders"])
    with pytest.raises(InputError, match="1 attributes stand there twice, such as 'orders'"):
        tags.apply(columns, {"tag": [rule()]}, as_of=DAY)
    empty = tags.apply(twice.head(0), {"tag": [rule()]}, as_of=DAY)
    assert list(empty) == ["customer_id", "tag", "rule", "since", "until"]
    assert empty.empty
    assert tags.preview(twice.head(0), {"tag": [rule()]}, as_of=DAY)["share"].to_list() == [0]


# --- sensitive attributes and the audit -----------------------------------------------------------------------------


def test_a_sensitive_attribute_needs_somebody_who_allowed_it_and_the_audit_says_who():
    used = [rule(), rule("senior", "orders > 1 AND age >= 65")]
    with pytest.raises(InputError, match=r"tag 2 \('senior'\) uses 'age' at character 16, which is marked sensitive"):
        tags.read({"tag": used, "attributes": {"sensitive": ["age", "sex"]}})
    for other in ("AGE", '"Age "', '"ａge"'):  # another spelling is no way round
        attributes = {"sensitive": ["age"], "allow_sensitive": {"age": "A"}}
        with pytest.raises(InputError, match=r"uses '[Aａ ]\w+ ?' at character 1, which is marked sensitive"):
            tags.read({"tag": [rule("s", f"{other} > 1")], "attributes": attributes})
    leave = {"sensitive": ["age", "sex"], "allow_sensitive": {"age": "A. Weber, data protection"}}
    found = tags.audit({"tag": used, "attributes": leave})
    assert found["attributes"].to_list() == ["orders", "orders, age"]
    assert found["sensitive"].to_list() == ["", "age"]
    assert found["allowed_by"].to_list() == ["", "age: A. Weber, data protection"]
    assert found["rule"].to_list() == ["orders >= 3", "orders > 1 AND age >= 65"]


# --- conflicts and tags by hand -------------------------------------------------------------------------------------


def test_conflicts_are_declared_pairs_that_occur_and_others_are_none():
    table = pd.DataFrame({"customer_id": list("abcd"), "orders": [1, 2, 3, 4]})
    rules = {
        "tag": [
            rule("few", "orders <= 2", exclusive_with=["many", "two"]),
            rule("many", "orders >= 3", exclusive_with=["few"]),  # declared from both sides: told once
            rule("two", "orders = 2"),
            rule("any", "orders > 0"),
        ]
    }
    given = tags.apply(table, rules, as_of=DAY)
    assert tags.conflicts(given, rules).to_numpy().tolist() == [["few", "two", 1, "b"]]
    more = tags.add_manual(given, "a", "many", by="Lena", why="buys for a school", until=None)
    assert tags.conflicts(more, rules).to_numpy().tolist() == [["few", "many", 1, "a"], ["few", "two", 1, "b"]]


def test_a_tag_by_hand_is_signed_and_dated_and_changes_nothing_else():
    table = pd.DataFrame({"customer_id": [1, 2], "orders": [1, 9]})
    given = tags.apply(table, {"tag": [rule()]}, as_of=DAY)
    before = given.copy(deep=True)
    one = tags.add_manual(given, 1, "founder", by="Lena", why="opened the shop with us", until="2026-12-31")
    two = tags.add_manual(
        one, 1, "regular", by="Omar", why="comes every day, pays cash", until=None, since="2026-06-01"
    )
    pd.testing.assert_frame_equal(given, before)
    assert two["tag"].to_list() == ["regular", "founder", "regular"]
    assert two["by"].to_list()[1:] == ["Lena", "Omar"]
    assert two[["by", "why"]].iloc[0].isna().all()
    assert two["rule"].isna().to_list() == [False, True, True]
    assert days(two["since"]) == [DAY, DAY, "2026-06-01"]
    assert days(two["until"]) == ["", "2026-12-31", ""]
    assert two["customer_id"].dtype == given["customer_id"].dtype
    assert two.attrs == given.attrs
    for more, error, says in (
        ({"by": ""}, InputError, "by=''"),
        ({"why": "  "}, InputError, "why='  '"),
        ({"why": None}, InputError, "why=None"),
        ({"until": "2026-06-29"}, InputError, "would end .* before it begins"),
        ({"tag": "founder"}, InputError, "carries 'founder' already"),
        ({"customer_id": "1"}, KindError, "another kind"),
        ({"tag": "founder", "since": "2026-12-31"}, InputError, "carries 'founder' already"),  # its last day
    ):
        call = {"customer_id": 1, "tag": "z", "by": "Lena", "why": "w", "until": None, **more}
        with pytest.raises(error, match=says):
            tags.add_manual(two, **call)


def test_a_tag_by_hand_may_be_given_again_when_it_is_over():
    table = pd.DataFrame({"customer_id": [1], "orders": [1]})
    given = tags.apply(table, {"tag": [rule(), rule("any", "orders > 0")]}, as_of=DAY)
    one = tags.add_manual(given, 1, "host", by="Lena", why="evening", until="2026-07-31", since="2026-07-01")
    for first, last in (("2026-08-01", None), ("2026-01-01", "2026-06-30")):
        both = tags.add_manual(one, 1, "host", by="Lena", why="evening", until=last, since=first)
        assert len(both) == len(one) + 1
    for first, last in (("2026-07-31", None), ("2026-01-01", "2026-07-01"), ("2026-07-10", "2026-07-11"), (DAY, None)):
        with pytest.raises(InputError, match="carries 'host' already"):
            tags.add_manual(one, 1, "host", by="Lena", why="evening", until=last, since=first)


def test_a_tag_made_of_something_sensitive_is_sensitive():
    table = made(7)
    leave = {"sensitive": ["age"], "allow_sensitive": {"age": "A. Weber"}}
    rules = {
        "tag": [rule(), rule("senior", "orders > 1 AND age >= 65"), rule("any", "orders > 0")],
        "attributes": leave,
    }
    assert tags.apply(table, rules, as_of=DAY).attrs["sensitive"] == ["senior"]
    assert tags.apply(table, ALL, as_of=DAY).attrs["sensitive"] == []


def test_leave_is_written_as_toml_reads_it():
    import tomllib

    for column in ("age", "year of birth", "größe"):
        with pytest.raises(InputError) as told:
            tags.read({"tag": [rule("s", f'"{column}" > 1')], "attributes": {"sensitive": [column]}})
        line = str(told.value).split("who allowed it: ")[1].removesuffix(".")
        assert tomllib.loads(line) == {"allow_sensitive": {column: "name and office"}}


def test_a_million_customers_and_twenty_rules_in_three_cpu_seconds():
    n = 1_000_000
    table = pd.concat([made(seed, n // 4, seed * n) for seed in range(4)])
    rules = tags.read({"tag": [rule(f"{name} {k}", text) for k in range(3) for name, text in RULES.items()][:20]})
    start = time.process_time()
    found = tags.apply(table, rules, as_of=DAY)
    assert time.process_time() - start <= 3
    assert len(found) > n
