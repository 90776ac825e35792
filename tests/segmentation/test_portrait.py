"""The portrait: six parts on one day, what is not known said, and nothing from the future."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import lifecycle
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import portrait, tags
from crmkit.tables import Transactions

DAY = "2026-06-30"


def orders(rows: list[tuple], **roles) -> Transactions:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "category", "channel", "order_id"])
    return Transactions.read(frame, **roles)


ROWS = [
    ("a", "2026-01-05", 5.0, "tea", "app", "o1"),
    ("a", "2026-01-05", 9.0, "books", "app", "o1"),
    ("a", "2026-02-01", 6.0, "tea", "shop", "o2"),
    ("a", "2026-02-02", -6.0, "tea", "shop", "o2"),
    ("b", "2026-03-01", 4.0, "gifts", "web", "o3"),
    ("b", "2026-07-20", 400.0, "tea", "app", "o4"),
    ("d", "2026-07-21", 1.0, "tea", "app", "o5"),
]
PEOPLE = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "late"],
        "region": ["north", None, "south", "north"],
        "tier": ["gold", "basic", "basic", "basic"],
        "dietary": ["diabetic", None, "vegan", None],
        "joined_on": ["2025-01-01", "2025-06-01", "2026-06-30", "2026-07-01"],
        "never_named": 1,
    }
)
TAGS = pd.DataFrame(
    [
        ("a", "VIP table", "2026-01-01", None),
        ("a", "complaint open", "2026-01-01", "2026-06-29"),
        ("b", "complaint open", "2026-01-01", DAY),
        ("b", "diabetic", "2026-01-01", None),
        ("c", "VIP table", "2026-07-01", None),
        ("stranger", "VIP table", "2026-01-01", None),
    ],
    columns=["customer_id", "tag", "since", "until"],
)

LEDGER = pd.DataFrame({"customer_id": ["a", "b"], "booked_at": ["2026-01-01", "2026-01-02"], "points": [5, -1]})


def built(*, transactions=ROWS, **changes):
    given = {"basic": ["region", "dietary"], "member": ["tier"], "recorded_on": "joined_on", "as_of": DAY, "tags": TAGS}
    given |= {"counts": {"category": ["tea"], "channel": ["app"]}, "sensitive": ["dietary", "diabetic"]}
    return portrait.build(PEOPLE, orders(transactions), **given | changes)


def test_every_part_by_hand():
    found = built()
    assert list(found.index) == ["a", "b", "c"]
    assert found.attrs["parts"] == {
        "basic": ["region", "dietary"],
        "member": ["tier", "joined_on"],
        "tags": ["tags", "tag_vip_table", "tag_complaint_open", "tag_diabetic"],
        "assets": [],
        "consumption": ["orders", "spend", "mean_order_value", "first_order", "last_order", "recency_days"],
        "preference": [
            *("favourite_category", "favourite_category_share", "favourite_channel", "favourite_channel_share"),
            *("orders_tea", "orders_app"),
        ],
    }
    a, b, c = (found.loc[one] for one in "abc")
    assert (a["favourite_category"], a["favourite_category_share"]) == ("tea", pytest.approx(11 / 20))
    assert (a["orders_tea"], a["orders_app"], a["orders"], a["spend"]) == (2, 1, 2, 14.0)
    assert (b["spend"], b["orders_tea"], b["favourite_channel"]) == (4.0, 0, "web")  # July is not known yet
    assert c[["orders", "orders_tea", "favourite_category"]].isna().all()
    assert (a["tags"], b["tags"]) == (
        "VIP table",
        "complaint open",
    )  # the last day counts; the sensitive tag is not told
    assert c["tags"] is None or pd.isna(c["tags"])
    assert found["tag_diabetic"].to_list() == [False, True, False]
    assert found.attrs["sensitive"] == ["dietary", "tag_diabetic"]
    assert "1 customers became known after 2026-06-30" in found.attrs["notes"][0]
    assert "1 tags are of nobody" in found.attrs["notes"][-1]


def test_the_future_is_not_known():
    before = built()
    later = orders([row for row in ROWS if row[1] <= DAY])
    same = portrait.build(
        PEOPLE[PEOPLE["joined_on"] <= DAY],
        later,
        basic=["region", "dietary"],
        member=["tier", "joined_on"],
        as_of=DAY,
        tags=TAGS[TAGS["since"] <= DAY],
        counts={"category": ["tea"], "channel": ["app"]},
        sensitive=["dietary", "diabetic"],
    )
    pd.testing.assert_frame_equal(before, same)


def test_the_day_itself_counts():
    rows = [("a", DAY, 5.0, "tea", "app", "o1"), ("a", "2026-07-01", 50.0, "books", "web", "o2")]
    given = pd.DataFrame({"customer_id": "a", "tag": ["new", "tomorrow"], "since": [DAY, "2026-07-01"]})
    found = built(tags=given, sensitive=[], transactions=rows).loc["a"]
    assert (found["orders_tea"], found["favourite_category"], found["tags"]) == (1, "tea", "new")


def test_orders_without_a_number_are_told_apart_by_their_day():
    rows = [("a", on, 5.0, "tea", "app", order) for on, order in (
        ("2026-01-05", None), ("2026-01-05", None), ("2026-01-06", None), ("2026-01-06", "o1"),
    )]  # fmt: skip
    assert built(transactions=rows).loc["a", "orders_tea"] == 3
    bare = Transactions.read(
        pd.DataFrame(rows).iloc[:, :4].set_axis(["customer_id", "ordered_at", "amount", "category"], axis=1)
    )
    assert portrait.build(transactions=bare, counts={"category": ["tea"]})["orders_tea"].to_list() == [2]


def test_consumption_is_the_summary():
    found = portrait.build(transactions=orders(ROWS))
    told = lifecycle.summary(orders(ROWS))
    pd.testing.assert_frame_equal(found[list(portrait._CONSUMPTION)], told[list(portrait._CONSUMPTION)])


def test_transactions_alone_leave_four_parts_and_say_so():
    bare = pd.DataFrame({"who": [1, 1, 2], "on": "2026-01-05", "money": [1.0, 2, 3]})
    found = portrait.build(transactions=Transactions.read(bare, customer_id="who", ordered_at="on", amount="money"))
    assert found.index.dtype.kind == "i"
    covered = portrait.coverage(found)
    assert covered.attrs["empty"] == ["basic", "member", "tags", "assets", "preference"]
    assert covered["all"].to_list() == pytest.approx([1 / 6, 1 / 6])


def test_coverage_by_hand():
    covered = portrait.coverage(built()).round(4)
    assert covered["basic"].to_list() == [1.0, 0.0, 1.0]
    assert covered["tags"].to_list() == [1.0, 1.0, 0.0]
    assert covered["consumption"].to_list() == [1.0, 1.0, 0.0]
    assert covered["assets"].to_list() == [0.0, 0.0, 0.0]
    assert covered.loc["a", "all"] == pytest.approx(5 / 6, abs=1e-4)
    assert covered.attrs["empty"] == ["assets"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 400))
def test_a_stock_is_what_came_in_less_what_went_out_at_every_date(seed, days):
    # closed form: replay the entries one by one in a dict of people
    random = np.random.default_rng(seed)
    n = 60
    who, on = random.integers(0, 8, n), np.sort(random.integers(0, 400, n))
    stock, rows = dict.fromkeys(range(8), 0.0), []
    for person, day in zip(who, on, strict=True):
        move = round(float(random.uniform(0.01, 9)), 2) if stock[person] < 5 else -stock[person]
        stock[person] += move
        rows.append((person, pd.Timestamp("2025-01-01") + pd.Timedelta(days=int(day)), move))
    ledger = pd.DataFrame(rows, columns=["customer_id", "booked_at", "points"])
    as_of = pd.Timestamp("2025-01-01") + pd.Timedelta(days=days)
    people = pd.DataFrame({"customer_id": range(8)})
    found = portrait.build(
        people, assets={"points": portrait.Ledger(ledger.sample(frac=1, random_state=seed % 99), "points")}, as_of=as_of
    )
    held: dict[int, float] = {}
    for person, day, move in rows:
        if day <= as_of:
            held[person] = held.get(person, 0.0) + move
    known = found["points"].dropna()
    assert set(known.index) == set(held)
    for person, amount in held.items():
        assert known[person] == pytest.approx(amount, abs=1e-6)


@pytest.mark.parametrize(
    ("day", "held", "ends"),
    [
        ("2026-01-09", None, None),
        ("2026-01-10", 1, "2026-03-01"),
        ("2026-02-01", 2, "2026-02-10"),
        ("2026-02-05", 1, "2026-02-10"),
        ("2026-02-10", 1, "2026-02-10"),  # its last day
        ("2026-02-11", 0, None),
    ],
)
def test_pieces_are_issued_not_used_and_valid_on_the_day(day, held, ends):
    coupons = pd.DataFrame(
        {
            "customer_id": ["a", "a"],
            "issued_on": ["2026-01-10", "2026-01-20"],
            "valid_until": ["2026-03-01", "2026-02-10"],
            "used_on": ["2026-02-05", None],
        }
    )
    found = portrait.build(PEOPLE, assets={"coupons": portrait.Pieces(coupons)}, as_of=day).loc["a"]
    assert (None if pd.isna(found["coupons"]) else found["coupons"]) == held
    assert (None if pd.isna(found["coupons_next_end"]) else str(found["coupons_next_end"].date())) == ends


def test_cents_leave_no_dust_and_a_time_of_day_is_that_day():
    ledger = pd.DataFrame({"customer_id": "a", "booked_at": ["2026-06-30 23:59"] * 3, "amount": [0.1, 0.2, -0.3]})
    found = portrait.build(PEOPLE, assets={"balance": portrait.Ledger(ledger, "amount")}, as_of=DAY)
    assert found.loc["a", "balance"] == 0


def test_times_count_in_their_own_zone_and_texts_may_mix_days_and_times():
    late = pd.to_datetime(["2026-06-30 23:30", "2026-07-01 00:30"]).tz_localize("Europe/Berlin")
    for on in (late, ["2026-06-30", "2026-07-01 00:30"]):
        ledger = pd.DataFrame({"customer_id": "a", "booked_at": on, "points": [5, 7]})
        found = portrait.build(PEOPLE, assets={"points": portrait.Ledger(ledger, "points")}, as_of=DAY)
        assert found.loc["a", "points"] == 5


def test_who_is_not_in_the_portrait_is_told():
    ledger = pd.DataFrame({"customer_id": ["a", "x", "y"], "booked_at": DAY, "points": 5})
    found = portrait.build(PEOPLE, assets={"points": portrait.Ledger(ledger, "points")}, as_of=DAY)
    assert found.attrs["notes"] == ["2 customers of points are of nobody in the portrait"]


@pytest.mark.parametrize("rows", [0, 1])
def test_there_may_be_no_tag_to_show(rows):
    given = pd.DataFrame({"customer_id": ["b"] * rows, "tag": ["diabetic"] * rows})
    found = built(tags=given, sensitive=["diabetic"] * rows)
    assert found["tags"].isna().all()
    assert [name for name in found if name.startswith("tag_")] == ["tag_diabetic"] * rows
    assert portrait.coverage(found)["tags"].eq(0).all()


def test_a_piece_needs_a_day_of_issue_and_lasts_for_ever_without_an_end():
    coupons = pd.DataFrame({"customer_id": ["a", "a"], "issued_on": [DAY] * 2, "valid_until": None, "used_on": None})
    assets = {"coupons": portrait.Pieces(coupons)}
    assert portrait.build(PEOPLE, assets=assets, as_of="2099-01-01").loc["a", "coupons"] == 2
    with pytest.raises(InputError, match="coupons: 'issued_on' is missing in 1 of 2 rows"):
        portrait.build(PEOPLE, assets={"coupons": portrait.Pieces(coupons.assign(issued_on=[DAY, None]))}, as_of=DAY)


def test_one_name_may_stand_alone():
    found = built(basic="region", member="tier", counts={"category": "tea"}, sensitive="diabetic")
    assert found.attrs["parts"]["basic"] == ["region"]
    assert "orders_tea" in found


def test_a_tag_made_of_something_sensitive_is_hidden_and_needs_leave():
    leave = {"sensitive": ["dietary"], "allow_sensitive": {"dietary": "A. Weber"}}
    used = {"name": "no sugar", "rule": "dietary = 'diabetic'", "meaning": "", "from": "2026-01-01"}
    nobody = {**used, "name": "none", "rule": "dietary = 'paleo'"}
    given = tags.apply(built(), {"tag": [used, nobody], "attributes": leave})
    again = built(tags=given, sensitive=["dietary"])
    assert again.attrs["sensitive"] == ["dietary", "tag_no_sugar"]
    assert again["tags"].isna().all()
    with pytest.raises(InputError, match="'tag_no_sugar' at character 1, which the table marks as sensitive"):
        tags.preview(again, {"tag": [{**used, "rule": "tag_no_sugar = true"}]})


def test_fifths_by_hand():
    # 35 customers with the values 1 … 35: a fifth are 7; the wall is at 7 and 28
    people = pd.DataFrame({"customer_id": range(1, 36), "age": [40.0] * 6 + [None] * 22 + [40.0, None] + [40.0] * 5})
    rows = pd.DataFrame({"customer_id": range(1, 36), "ordered_at": DAY, "amount": np.arange(1, 36)})
    found = portrait.known_by(portrait.build(people, Transactions.read(rows), basic=["age"]))
    assert found.loc["age", ["lowest", "highest"]].to_list() == pytest.approx([6 / 7, 6 / 7])


def test_the_interval_of_known_by_is_newcombes():
    # Newcombe (1998), Statistics in Medicine 17, table II, example (a), method 10: 56/70 less 48/80 is 0.0524 to 0.3339
    known = {"highest": 56, "lowest": 48}
    value = [1] * 80 + [2] * 225 + [3] * 70  # ties: lowest 80 of 375, mean rank below a fifth; highest 70
    age = [40.0] * known["lowest"] + [None] * 32 + [40.0] * 225 + [40.0] * known["highest"] + [None] * 14
    people = pd.DataFrame({"customer_id": range(375), "age": age})
    rows = pd.DataFrame({"customer_id": range(375), "ordered_at": DAY, "amount": value})
    found = portrait.known_by(portrait.build(people, Transactions.read(rows), basic=["age"])).loc["age"]
    assert found[["lowest", "highest"]].to_list() == pytest.approx([0.6, 0.8])
    assert found[["difference", "low", "high"]].astype(float).round(4).to_list() == [0.2, 0.0524, 0.3339]


def test_known_by_finds_what_is_missing_by_value_and_only_that():
    # simulated truth: age is known the more often the more is spent, region by a coin
    random = np.random.default_rng(5)
    money = random.gamma(2, 50, 4000).round(2) + 0.01
    rows = pd.DataFrame({"customer_id": range(4000), "ordered_at": "2026-01-05", "amount": money})
    share = 0.2 + 0.6 * (pd.Series(money).rank(pct=True))
    people = pd.DataFrame(
        {
            "customer_id": range(4000),
            "age": np.where(random.random(4000) < share, 40.0, np.nan),
            "region": pd.Series("x", index=range(4000)).where(random.random(4000) < 0.5),
        }
    )
    found = portrait.known_by(portrait.build(people, Transactions.read(rows), basic=["age", "region"]))
    assert found.loc["age", "low"] < 0.8 * 0.6 < found.loc["age", "high"]
    assert found.loc["region", "low"] < 0 < found.loc["region", "high"]
    assert found.loc["age", "known"] == pytest.approx(people["age"].notna().mean())
    assert found.loc["age", "without_value"] != found.loc["age", "without_value"]  # everybody has bought


def test_rules_of_tags_speak_of_the_portrait_and_respect_what_it_hides():
    found = built()
    rule = {
        "name": "tea",
        "rule": "orders_tea >= 1 AND tag_complaint_open = false",
        "meaning": "",
        "from": "2026-01-01",
    }
    given = tags.apply(found, {"tag": [rule]})
    assert given["customer_id"].to_list() == ["a"]
    for column in ("dietary IS NULL", "tag_diabetic = true"):
        secret = {**rule, "rule": f"orders > 0 AND {column}"}
        with pytest.raises(InputError, match="marks as sensitive") as told:
            tags.preview(found, {"tag": [secret]})
        assert "at character 16" in str(told.value)
    leave = {"sensitive": ["dietary"], "allow_sensitive": {"dietary": "A. Weber"}}
    allowed = {"tag": [{**rule, "rule": "dietary = 'vegan'"}], "attributes": leave}
    assert tags.preview(found, allowed)["customers"].to_list() == [1]


def test_inputs_stay_as_they_were():
    people, given, rows = PEOPLE.copy(deep=True), TAGS.copy(deep=True), orders(ROWS)
    portrait.build(people, rows, basic=["region"], tags=given, as_of=DAY)
    pd.testing.assert_frame_equal(people, PEOPLE)
    pd.testing.assert_frame_equal(given, TAGS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"basic": ["regoin"]}, "Did you mean 'region'"),
        ({"counts": {"category": ["teas"]}}, "no order up to 2026-06-30 has the category 'teas'"),
        ({"counts": {"shelf": ["tea"]}}, "no role 'shelf'"),
        ({"assets": {"points": portrait.Ledger(LEDGER, "points")}}, "1 customers have less than nothing on 2026-06-30"),
        ({"assets": {"points": portrait.Ledger(LEDGER, "point")}}, "has no column 'point'"),
        ({"assets": {"tier": portrait.Ledger(LEDGER.head(1), "points")}}, "would be called 'tier'"),
        ({"sensitive": ["dieting"]}, "sensitive: there is no column or tag 'dieting'"),
        ({"recorded_on": "region"}, "3 values of 'region' are no days"),
        ({"tags": TAGS.assign(tag=[None, *"abcde"]), "sensitive": []}, "tags: 'tag' is missing in 1 of 6 rows"),
        ({"tags": TAGS.assign(customer_id=range(6))}, "none of the 4 tags is in the portrait, such as 0"),
        ({"counts": {"category": ["tea", "books"], "channel": ["tea"]}}, "two columns would be called 'orders_tea'"),
        ({"assets": {"points": LEDGER}}, "'points' is a DataFrame; make it a Ledger"),
        *(
            ({"assets": {"points": portrait.Ledger(LEDGER.assign(**change), "points")}}, words)
            for change, words in (
                ({"points": ["5 pts", "1"]}, "a number in 'points' cannot be added up; there are 1"),
                ({"points": [5, np.inf]}, "a number in 'points' cannot be added up; there are 1"),
                ({"booked_at": ["2026-01-01", None]}, "an entry without a day or a number"),
                ({"booked_at": [20260101, 20260102]}, "2 values of 'booked_at' are no days (20260101)"),
                ({"booked_at": ["05.06.2026", "2026-06-01"]}, "1 values of 'booked_at' are no days ('05.06.2026')"),
                ({"customer_id": [None, "a"]}, "'customer_id' is missing in 1 of 2 rows"),
                (
                    {"customer_id": [1, 2], "points": 5},
                    "none of the 2 customers of points is in the portrait, such as 1",
                ),
            )
        ),
        (
            {"tags": TAGS.assign(tag=["a b", "a-b", "c", "d", "e", "f"]), "sensitive": []},
            "tags: 'a b' and 'a-b' would be one column",
        ),
    ],
)
def test_what_cannot_be_built_says_why(change, words):
    with pytest.raises((InputError, KindError)) as told:
        built(**change)
    assert words in str(told.value)


def test_what_is_not_there_says_why():
    with pytest.raises(InputError, match="customers, transactions, or both"):
        portrait.build()
    with pytest.raises(InputError, match="no customer is in both tables"):
        portrait.build(PEOPLE.assign(customer_id=range(4)), orders(ROWS))
    with pytest.raises(InputError, match="customers: 1 customers stand there twice, such as 'a'"):
        portrait.build(pd.concat([PEOPLE, PEOPLE.head(1)]), orders(ROWS))
    with pytest.raises(KindError, match="needs checked transactions"):
        portrait.build(PEOPLE, PEOPLE)
    with pytest.raises(ColumnError, match="the portrait has no column 'region'"):
        portrait.coverage(built().drop(columns="region"))
    with pytest.raises(KindError, match="'region' holds"):
        portrait.known_by(built(), "region")
    with pytest.raises(InputError, match="lost its notes"):
        portrait.coverage(built().merge(PEOPLE[["customer_id", "never_named"]], on="customer_id"))
    with pytest.raises(InputError, match="need ten at least"):
        portrait.known_by(built())
    alike = pd.DataFrame({"customer_id": range(20), "ordered_at": "2026-01-05", "amount": 5.0})
    with pytest.raises(InputError, match="'spend' has too few different values"):
        portrait.known_by(portrait.build(transactions=Transactions.read(alike)))


def test_a_million_customers_take_seconds():
    n, random = 1_000_000, np.random.default_rng(1)
    rows = pd.DataFrame(
        {
            "customer_id": random.integers(0, n, 2 * n),
            "ordered_at": np.datetime64("2025-01-01") + random.integers(0, 500, 2 * n).astype("timedelta64[D]"),
            "amount": random.integers(100, 9000, 2 * n) / 100,
            "category": random.choice(["tea", "books", "home"], 2 * n),
        }
    )
    people = pd.DataFrame({"customer_id": np.arange(n), "age": np.where(random.random(n) < 0.5, np.nan, 40.0)})
    ledger = pd.DataFrame(
        {"customer_id": random.integers(0, n, n), "booked_at": rows["ordered_at"].head(n), "points": 5}
    )
    given = pd.DataFrame({"customer_id": random.integers(0, n, n), "tag": random.choice(["x", "y", "z"], n)})
    bought = Transactions.read(rows)
    before = time.process_time()
    found = portrait.build(
        people,
        bought,
        basic=["age"],
        assets={"points": portrait.Ledger(ledger, "points")},
        tags=given,
        counts={"category": ["tea"]},
    )
    portrait.coverage(found)
    seconds = time.process_time() - before
    assert len(found) == n
    assert seconds <= 12, f"{seconds:.1f} CPU seconds"  # about 6 on two cores of 2024
