"""Lists judged by one experiment: arithmetic by hand, intervals by simulation, and the winner who was partly lucky."""

import numpy as np
import pandas as pd
import pytest

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation import targets


def trial(groups: dict[tuple[str, str], tuple[int, int]]) -> pd.DataFrame:
    """(segment, arm) → customers, buyers."""
    rows = [(seg, arm, n < yes) for (seg, arm), (size, yes) in groups.items() for n in range(size)]
    frame = pd.DataFrame(rows, columns=["segment", "group", "bought"])
    return frame.set_axis(pd.RangeIndex(len(frame), name="customer_id"))


TRIAL = trial(
    {
        ("tea", "contact"): (200, 60),
        ("tea", "control"): (100, 10),
        ("rest", "contact"): (800, 16),
        ("rest", "control"): (900, 18),
    }
)
TEA = TRIAL["segment"] == "tea"
COST = {"design": "randomised", "cost_per_contact": 0.4, "coupon": 3.0}


def test_one_more_buyer_by_hand():
    found = targets.compare(TRIAL, {"all": TRIAL.index, "tea": TEA}, "bought", made_for={"tea": 60}, margin=10, **COST)
    tea, everybody = found.loc["tea"], found.loc["all"]
    assert tea[["customers", "contacted", "held_out"]].to_list() == [300, 200, 100]
    assert tea["effect"] == pytest.approx(0.30 - 0.10)
    assert tea["more_buyers"] == pytest.approx(300 * 0.20)
    assert tea["given_anyway"] == pytest.approx(300 * 0.10 * 3)
    assert tea["cost"] == pytest.approx(300 * 0.4 + 300 * 0.30 * 3 + 60)
    assert tea["cost_per_buyer"] == pytest.approx((120 + 270 + 60) / 60)
    assert tea["profit"] == pytest.approx(60 * 10 - 450)
    assert everybody["effect"] == pytest.approx(76 / 1000 - 28 / 1000)
    assert everybody["cost_per_buyer"] == pytest.approx((0.4 + 3 * 0.076) / 0.048)
    assert found.attrs["design"] == "randomised"


def test_a_column_of_what_was_given_is_the_same_as_a_coupon_for_every_buyer_if_all_use_it():
    table = TRIAL.assign(given=TRIAL["bought"] * 3.0)
    one, other = (
        targets.compare(table, {"tea": TEA}, "bought", margin=9, **COST | {"coupon": coupon})
        for coupon in (3.0, "given")
    )
    pd.testing.assert_frame_equal(one, other)
    half = table.assign(given=table["given"] * (np.arange(len(table)) % 2))
    found = targets.compare(half, {"tea": TEA}, "bought", **COST | {"coupon": "given"}).loc["tea"]
    contacted = half[TEA & (half["group"] == "contact")]
    assert found["cost"] == pytest.approx(300 * (0.4 + contacted["given"].mean()))


def test_no_effect_has_no_price_and_no_upper_limit():
    found = targets.compare(TRIAL, {"rest": ~TEA}, "bought", **COST).loc["rest"]
    assert np.isnan(found["cost_per_buyer"])
    assert found["cost_high"] == np.inf
    assert 0 < found["cost_low"] < np.inf


@pytest.mark.parametrize(
    ("size", "with_it", "without", "coupon"), [(400, 0.16, 0.06, 3.0), (900, 0.05, 0.02, 0.0), (250, 0.3, 0.25, 2.0)]
)
def test_the_interval_holds_what_it_promises(size, with_it, without, coupon):
    # simulated truth: the ratio is known, and 95 of 100 intervals should hold it (Fieller's set, unbounded ones too)
    random, held, profits, draws = np.random.default_rng(7), 0, 0, 500
    truth = (0.4 + coupon * with_it) / (with_it - without)
    for _ in range(draws):
        bought = np.r_[random.random(size) < with_it, random.random(size) < without]
        frame = pd.DataFrame({"group": ["contact"] * size + ["control"] * size, "bought": bought})
        frame.index.name = "customer_id"
        found = targets.compare(frame, {"all": frame.index}, "bought", margin=9.0, **COST | {"coupon": coupon}).loc[
            "all"
        ]
        held += found["cost_low"] <= truth <= found["cost_high"]
        gain = 2 * size * ((with_it - without) * 9 - 0.4 - coupon * with_it)
        profits += found["profit_low"] <= gain <= found["profit_high"]
    assert 0.925 <= held / draws <= 0.985
    assert 0.925 <= profits / draws <= 0.975


def test_a_list_may_be_ids_or_yes_and_no_and_strangers_do_not_count():
    lists = {"yes": TEA, "ids": list(TRIAL.index[TEA]), "more": [*TRIAL.index[TEA], 99_999]}
    found = targets.compare(TRIAL.reset_index(), lists, "bought", **COST)
    assert found.loc["yes"].equals(found.loc["ids"])
    assert found.loc["ids"].equals(found.loc["more"])


def test_a_yes_and_no_may_stand_by_the_rows_of_the_table_or_have_gaps():
    # ids that are also places of other rows: 0 … 1999 turned round
    table = TRIAL.set_axis(TRIAL.index[::-1]).reset_index()
    tea = table["segment"] == "tea"
    wanted = targets.compare(table, {"tea": table.loc[tea, "customer_id"]}, "bought", **COST)
    lists = [tea, tea.astype(object).where(tea, None), tea.astype("boolean"), tea.set_axis(table["customer_id"])]
    lists.append(lists[-1].sort_index())  # its index looks like the table's, but says whose it is
    for chosen in (*lists, set(table.loc[tea, "customer_id"]), [*table.loc[tea, "customer_id"]] * 2):
        pd.testing.assert_frame_equal(targets.compare(table, {"tea": chosen}, "bought", **COST), wanted)
    assert wanted.loc["tea", "customers"] == TEA.sum()


def test_the_limits_are_where_the_test_of_a_price_turns():
    # another way: a price R is inside if the contacted, R taken off for each buyer, cost no more nor less than the others by chance
    random, z, kinds = np.random.default_rng(0), 1.959963984540054, set()
    prices = np.r_[0, np.geomspace(0.01, 1e9, 1200)]
    for _ in range(90):
        sizes, base = random.integers(5, 400, 2), random.random() * 0.5
        arms = [random.random(size) < base + lift for size, lift in zip(sizes, (0.12, 0), strict=True)]
        given = arms[0] * (random.random(sizes[0]) < 0.7) * random.choice([0, 3.0, 10.0])
        frame = pd.DataFrame(
            {
                "group": np.repeat(["contact", "control"], sizes),
                "bought": np.concatenate(arms),
                "given": np.r_[given, np.zeros(sizes[1])],
            }
        ).rename_axis("customer_id")
        contact = float(random.choice([0, 0.01, 0.4]))
        costs = COST | {"cost_per_contact": contact, "coupon": "given"}
        found = targets.compare(frame, {"all": frame.index}, "bought", margin=9, **costs).iloc[0]
        cost, effect = contact + given.mean(), arms[0].mean() - arms[1].mean()
        if effect <= 0:
            continue
        spread = [
            np.var(given - price * arms[0]) / sizes[0] + price**2 * np.var(arms[1]) / sizes[1] for price in prices
        ]
        inside = (cost - prices * effect) ** 2 <= z**2 * np.array(spread) + 1e-12
        assert found["cost_low"] == pytest.approx(prices[inside].min(), abs=0.011, rel=0.03)
        if inside[-1] or found["low"] <= 0:
            assert found["cost_high"] == np.inf
        else:
            assert found["cost_high"] == pytest.approx(prices[inside].max(), abs=0.011, rel=0.03)
        kinds.add((bool(inside[-1]), bool(found["low"] <= 0), found["cost_low"] == 0))
        left = arms[0] * 9 - given - contact  # a margin for each buyer, less what the contact cost: a plain mean
        half = z * np.sqrt(np.var(left) / sizes[0] + 81 * np.var(arms[1]) / sizes[1]) * sizes.sum()
        assert found["profit_high"] - found["profit"] == pytest.approx(half)
        assert found["profit"] == pytest.approx(sizes.sum() * (left.mean() - 9 * arms[1].mean()))
    assert {(False, False, False), (True, True, False), (False, True, False), (True, True, True)} <= kinds


def test_nobody_bought_and_a_message_that_repels():
    frame = trial(
        {("x", "contact"): (50, 0), ("x", "control"): (50, 0), ("y", "contact"): (90, 1), ("y", "control"): (90, 40)}
    )
    found = targets.compare(frame, {"x": frame["segment"] == "x", "y": frame["segment"] == "y"}, "bought", **COST)
    assert found[["cost_per_buyer", "cost_low"]].isna().all(axis=None)
    assert (found["cost_high"] == np.inf).all()


def many(seed: int, works: bool) -> tuple[pd.DataFrame, dict]:
    random, n = np.random.default_rng(seed), 3000
    good, contact = random.random(n) < 0.2, random.random(n) < 0.5
    bought = random.random(n) < 0.05 + 0.15 * good * contact * works
    frame = pd.DataFrame({"group": np.where(contact, "contact", "control"), "bought": bought})
    frame.index.name = "customer_id"
    lists = {f"rule {k}": pd.Series(random.random(n) < 0.15, index=frame.index) for k in range(30)}
    return frame, lists | {"good": pd.Series(good, index=frame.index)}


def test_of_thirty_rules_that_do_nothing_the_best_keeps_nothing():
    # closed form: without effects the expectation of `kept` is 0; of `promised` it is the largest of 31 draws of luck
    found = [targets.choose(*many(seed, False), "bought", splits=40).attrs for seed in range(20)]
    kept, promised = ([one[name] for one in found] for name in ("kept", "promised"))
    assert abs(np.mean(kept)) < 3 * np.std(kept) / np.sqrt(20)
    assert min(promised) > 0.03


def test_a_rule_that_works_is_chosen_and_keeps_its_effect():
    found = targets.choose(*many(3, True), "bought", splits=50)
    assert (found["chosen"] == "good").mean() > 0.8
    assert found.attrs["promised"] > found.attrs["kept"] > 0.08
    assert found.attrs["lists"] == 31


def test_lots_do_not_know_the_order_of_rows():
    frame, lists = many(4, True)
    one = targets.choose(frame, lists, "bought", splits=10)
    other = targets.choose(frame.sample(frac=1, random_state=2), lists, "bought", splits=10)
    pd.testing.assert_frame_equal(one, other)
    assert not one.equals(targets.choose(frame, lists, "bought", splits=10, seed=2))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"lists": {"tea": TEA & (TRIAL["group"] == "contact")}}, InputError, "not in both groups"),
        ({"lists": {"nobody": []}}, InputError, "has 0 customers of the experiment"),
        ({"lists": [1, 2]}, KindError, "lists is a mapping"),
        ({"coupon": -1}, InputError, "coupon=-1 must be an amount of money"),
        ({"coupon": "gift"}, ColumnError, "no column 'gift'"),
        (
            {"table": TRIAL.assign(gift=np.nan), "coupon": "gift"},
            InputError,
            "'gift' is missing in 2,000 of 2,000 rows; who was given nothing has a 0",
        ),
        ({"made_for": {"coffee": 3}}, InputError, "made_for: 'coffee' is not known; use 'tea'"),
        ({"made_for": {"tea": -1}}, InputError, "tea=-1 must be an amount of money"),
        ({"table": TRIAL.assign(gift=-1.0), "coupon": "gift"}, InputError, "the lowest 'gift'=-1.0"),
        ({"table": TRIAL.assign(gift="x"), "coupon": "gift"}, KindError, "column 'gift' holds"),
        ({"cost_per_contact": np.nan}, InputError, "cost_per_contact=nan"),
        ({"margin": "10"}, InputError, "margin='10' must be an amount"),
        ({"level": 95}, InputError, "level=95 must be a number above 0 and below 1"),
        ({"group": "arm"}, ColumnError, "no column 'arm'"),
        # the list knows two groups, the experiment has three
        ({"table": TRIAL.assign(group=TRIAL["group"].mask(~TEA, "other"))}, InputError, "one other value"),
        *(
            ({"lists": {"tea": chosen}}, KindError, "list 'tea' must be ids of customers")
            for chosen in (None, "tea", {0: True}, TRIAL, TEA.to_numpy(), TEA.astype(int), 5)
        ),
        ({"outcome": "buys"}, ColumnError, "no column 'buys'"),
        ({"design": "by eye"}, InputError, "design='by eye'"),
        ({"table": TRIAL.assign(bought=TRIAL["bought"] * 2.5)}, KindError, "must be yes/no"),
        (
            {"table": pd.concat([TRIAL, TRIAL.head(1)])},
            InputError,
            "the experiment: 1 customers stand there twice, such as 0",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(change, error, words):
    given = {"table": TRIAL, "lists": {"tea": TEA}, "outcome": "bought", **COST} | change
    with pytest.raises(error, match=words):
        targets.compare(**given)


def test_too_small_lists_cannot_choose():
    with pytest.raises(InputError, match="two at least"):
        targets.choose(TRIAL, {"tea": TEA, "one": [1]}, "bought")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"splits": 0}, InputError, "splits=0 must be a whole number from 1 on"),
        ({"splits": 2.5}, InputError, "splits=2.5"),
        ({"smallest": 0}, InputError, "smallest=0"),
        ({"seed": -1}, InputError, "seed=-1"),
        ({"table": TRIAL.assign(bought=TRIAL["bought"] * 2.5)}, KindError, "must be yes/no"),
        ({"group": "arm"}, ColumnError, "no column 'arm'"),
    ],
)
def test_what_cannot_be_chosen_says_why(change, error, words):
    given = {"table": TRIAL, "lists": {"tea": TEA, "rest": ~TEA}, "outcome": "bought"} | change
    with pytest.raises(error, match=words):
        targets.choose(**given)


def test_the_two_halves_are_halves_of_each_group():
    # closed form: with one list of everybody, what is promised and what is kept are the two halves' effects, mirrored
    # about the whole effect (even groups); and of two equal lists the first is chosen
    found = targets.choose(TRIAL, {"all": TRIAL.index, "again": TRIAL.index}, "bought", splits=20, smallest=500)
    assert set(found["chosen"]) == {"all"}
    assert (found["promised"] + found["kept"]).to_numpy() == pytest.approx(2 * (0.076 - 0.028))
    assert found["promised"].nunique() > 5
    three = targets.choose(TRIAL, {"all": TRIAL.index, "again": TRIAL.index, "few": [1, 2]}, "bought", splits=2)
    assert three.attrs["lists"] == 2
    with pytest.raises(InputError, match="two at least"):
        targets.choose(TRIAL, {"all": TRIAL.index, "again": TRIAL.index}, "bought", splits=2, smallest=501)
