"""The exercises of lesson 2.5, brand, use and the purchase cycle."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.segmentation import brands, cycles, offers

KNOWN_UNTIL = "2025-08-17"  # the day before the first letter, as in the lesson
LABELS = ["national", "store", "switcher"]


def _pain(context: Context) -> Any:
    def read() -> Any:
        journey = context.load("complete_journey")
        adult = journey.products.query("product_type == 'ADULT ANALGESICS'")["product_id"]
        return journey.transactions.where("product_id", adult)

    return context.once("pain", read)


def _users(context: Context) -> pd.DataFrame:
    return context.once("pain users", lambda: brands.usage(_pain(context)))


def _shares(context: Context) -> brands.Shares:
    return context.once("pain shares", lambda: brands.fit_shares(_users(context)))


def _tablets(context: Context) -> Any:
    return context.load("supermarket").transactions.where("category", "painkillers")


def _test(context: Context) -> pd.DataFrame:
    """One row a household of Millbrook's experiment, as the lesson makes it."""

    def make() -> pd.DataFrame:
        tablets, mailings = _tablets(context), context.load("supermarket").mailings.sort_values("arm")
        cells = brands.matrix(brands.usage(tablets.until(KNOWN_UNTIL)))
        test = mailings.set_index("customer_id").join(cells[["brand_type", "use"]])
        test["bought_store"] = offers.margin_after(tablets, mailings, days=21)["bought_store"]
        long = offers.margin_after(tablets, mailings, days=91)
        usual = offers.margin_after(tablets, mailings.assign(sent_on="2024-01-01"), days=594)["margin"] / 594 * 91
        test["change_in_euros"] = long["margin"] - 0.20 * (test["arm"] != "control") - usual
        test["used"] = test["redeemed_on"].notna()
        return test

    return context.once("millbrook test", make)


class OneTripPercent(Exercise):
    id, answer, level, digits = "2.5-1", "one_trip_percent", "do", 0
    nudge = 'Take the mean of the true/false column `labelled["one_trip"]`, times 100, rounded.'
    meaning = "More than half of the users have shown one choice. About their loyalty we know next to nothing."

    def expected(self, context: Context) -> int:
        return round(self._once(context).mean() * 100)

    def _once(self, context: Context) -> "pd.Series[bool]":
        return _users(context)["trips"] == 1

    @wrong("That is how many households it is. What percentage of all 830?")
    def count(self, context: Context) -> int:
        return int(self._once(context).sum())

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100, rounded.")
    def share(self, context: Context) -> float:
        return self._once(context).mean()

    @wrong("Those bought one *pack*. Some carried home two packs on one trip: `one_trip` asks for trips.")
    def one_pack(self, context: Context) -> int:
        return round((_users(context)["quantity"] == 1).mean() * 100)

    @wrong("Those are the households with more than one trip.")
    def more_trips(self, context: Context) -> int:
        return round((_users(context)["trips"] > 1).mean() * 100)


class NewSwitchers(Exercise):
    id, answer, level = "2.5-2", "new_switchers", "decide"
    nudge = "Make `brands.matrix(users, loyal=(0, 1))` and count the households that are switchers there and not in `labelled`."
    meaning = "Twenty households, a sixth more switchers: nobody bought anything, a bound moved. Write the bound on the slide."

    def expected(self, context: Context) -> int:
        strict, usual = self._switchers(context)
        return int((strict & ~usual).sum())

    def _switchers(self, context: Context) -> "tuple[pd.Series[bool], pd.Series[bool]]":
        users = _users(context)
        return tuple(brands.matrix(users, loyal=loyal)["brand_type"] == "switcher" for loyal in ((0, 1), (0.2, 0.8)))

    @wrong("Those are all switchers under the new bounds. Leave out those that were switchers before.")
    def all_new(self, context: Context) -> int:
        return int(self._switchers(context)[0].sum())

    @wrong("Those were switchers before. Label the users again with `loyal=(0, 1)` and see who joins them.")
    def all_old(self, context: Context) -> int:
        return int(self._switchers(context)[1].sum())

    @wrong(
        "Zero: a stricter loyalty makes more switchers, not fewer. Count the switchers of the *new* table that were not switchers in the old."
    )
    def the_other_way(self, context: Context) -> int:
        strict, usual = self._switchers(context)
        return int((usual & ~strict).sum())

    @wrong("You counted all households with the same label in both tables. Count those who became switchers.")
    def unchanged(self, context: Context) -> int:
        strict, usual = self._switchers(context)
        return int((strict == usual).sum())

    @wrong(
        "You labelled with `least_trips=2` as well. Change only the bounds of loyalty, and leave out those that were switchers before."
    )
    def least_trips_changed(self, context: Context) -> int:
        strict = brands.matrix(_users(context), loyal=(0, 1), least_trips=2)
        return int((strict["brand_type"] == "switcher").sum())

    @wrong("That is a percentage of all households. Their number is asked for.")
    def percentage(self, context: Context) -> int:
        return round(100 * self.expected(context) / len(_users(context)))

    @wrong("That is by how many per cent the switchers grew. Their number is asked for.")
    def growth(self, context: Context) -> int:
        return round(100 * self.expected(context) / self._switchers(context)[1].sum())

    @wrong("That is the share of all households. The number is asked for.")
    def share(self, context: Context) -> float:
        return self.expected(context) / len(_users(context))


class SwitcherPercent(Exercise):
    id, answer, level, digits = "2.5-3", "switcher_percent", "do", 1
    nudge = 'Keep the rows of `twice` whose `brand_type` is national, store or switcher; then take the share of "switcher", times 100, with one digit after the point.'
    meaning = "Three in ten of those who could show it. The nine cells had said one in seven, of everybody."

    def expected(self, context: Context) -> float:
        return round(self._share(context) * 100, 1)

    def _share(self, context: Context) -> float:
        labelled = self._types(context)
        return (labelled[labelled.isin(LABELS)] == "switcher").mean()

    def _types(self, context: Context) -> "pd.Series[Any]":
        return brands.matrix(_users(context), least_trips=2)["brand_type"].astype(str)

    @wrong("You divided by all households. Only those with a label count: leave out too few trips and unknown.")
    def of_all(self, context: Context) -> float:
        return round((self._types(context) == "switcher").mean() * 100, 1)

    @wrong(
        "You left out too few trips, but not *unknown*: a household without a single counted trip has no label either."
    )
    def unknown_counted(self, context: Context) -> float:
        types = self._types(context)
        return round((types[types != "too few trips"] == "switcher").mean() * 100, 1)

    @wrong("Keep one digit after the point: `round(…, 1)`.")
    def whole_number(self, context: Context) -> int:
        return round(self.expected(context))

    @wrong(
        "You took the switchers of `labelled`, some of whom made a single trip, and the households of `twice`. Take both from `twice`."
    )
    def mixed_tables(self, context: Context) -> float:
        labelled = self._types(context).isin(LABELS).sum()
        return round((brands.matrix(_users(context))["brand_type"] == "switcher").sum() / labelled * 100, 1)

    @wrong("You used `labelled`, in which everybody has a label. Take `twice`.")
    def everybody_labelled(self, context: Context) -> float:
        users = _users(context)
        return round((brands.matrix(users)["brand_type"] == "switcher")[users["trips"] > 0].mean() * 100, 1)

    @wrong("That is how many switchers there are. A percentage of those with a label is asked for.")
    def count(self, context: Context) -> int:
        return int((self._types(context) == "switcher").sum())

    @wrong("Those are the loyal ones, national and store together.")
    def the_loyal(self, context: Context) -> float:
        return round(100 - self.expected(context), 1)

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100, rounded.")
    def share(self, context: Context) -> float:
        return self._share(context)


class Shrunk(Exercise):
    id, answer, level, digits = "2.5-4", "shrunk", "do", 2
    nudge = "Three store trips of three: (a + 3) / (a + b + 3), with `shares.a` and `shares.b`."
    meaning = "Three of three looks like 100 %. What this category's households teach says: about 80 %, and the label 'store' is right in not quite two of three cases."
    TRIPS = 3  # given in the text of the task

    def expected(self, context: Context) -> float:
        return self._share(context, self.TRIPS, self.TRIPS)

    def _share(self, context: Context, store: float, trips: float) -> float:
        shares = _shares(context)
        return round((shares.a + store) / (shares.a + shares.b + trips), 2)

    @wrong("That is the household's own share. Three trips do not make us so sure: add `a` and `b`.")
    def own_share(self, context: Context) -> float:
        return self.TRIPS / self.TRIPS

    @wrong("That is the share of a household nobody has seen. Add its three trips, above and below.")
    def nobody_seen(self, context: Context) -> float:
        return self._share(context, 0, 0)

    @wrong("You added the trips above only. They belong below, too: a + b + 3.")
    def only_above(self, context: Context) -> float:
        shares = _shares(context)
        return round((shares.a + self.TRIPS) / (shares.a + shares.b), 2)

    @wrong("You forgot `a` above: the borrowed store trips are added to its own.")
    def own_trips_only(self, context: Context) -> float:
        shares = _shares(context)
        return round(self.TRIPS / (shares.a + shares.b + self.TRIPS), 2)

    @wrong("That is one store trip of three. The household chose the store's brand on all three.")
    def one_store_trip(self, context: Context) -> float:
        return self._share(context, 1, self.TRIPS)

    @wrong("That is a household with a single trip, as in the table above. This one made three.")
    def one_trip(self, context: Context) -> float:
        return self._share(context, 1, 1)

    @wrong("You took `b` above. `a` stands for the store's brand.")
    def national_instead(self, context: Context) -> float:
        shares = _shares(context)
        return round((shares.b + self.TRIPS) / (shares.a + shares.b + self.TRIPS), 2)

    @wrong("That is a household whose three trips were all for national brands. Its trips belong above as well.")
    def no_store_trip(self, context: Context) -> float:
        return self._share(context, 0, self.TRIPS)


class ByChance(Exercise):
    id, answer, level, digits = "2.5-5", "by_chance", "decide", 0
    nudge = 'Make the true/false column `(seen > 0.2) & (seen < 0.8)`, keep the rows in which `known["use"]` is "high", take the mean, times 100.'
    meaning = "In a world in which use has nothing to do with loyalty, three in ten of the heavy users seem to switch, and none of the light ones: nearly what the nine cells show. Another seed gives a few more or fewer."

    def expected(self, context: Context) -> int:
        return self._percent(context, "high")

    def _world(self, context: Context) -> "tuple[pd.Series[float], pd.Series[Any]]":
        labelled = brands.matrix(_users(context))
        known = labelled[labelled["trips"] > 0]
        random = np.random.default_rng(25)
        true = random.beta(0.42, 0.79, len(known))  # the lesson's rounded a and b, given in the text
        return random.binomial(known["trips"], true) / known["trips"], known["use"].astype(str)

    def _percent(self, context: Context, use: str) -> int:
        seen, uses = self._world(context)
        return round(((seen > 0.2) & (seen < 0.8))[uses == use].mean() * 100)

    @wrong("Those are the medium users. High use is asked for.")
    def medium_use(self, context: Context) -> int:
        return self._percent(context, "medium")

    @wrong("Those are the low users: one pack each, so nobody is seen to switch. High use is asked for.")
    def low_use(self, context: Context) -> int:
        return self._percent(context, "low")

    @wrong("Those are the switchers among all households. Keep those with high use.")
    def everybody(self, context: Context) -> int:
        seen, _ = self._world(context)
        return round(((seen > 0.2) & (seen < 0.8)).mean() * 100)

    @wrong("That is what was really seen. Count the switchers of the drawn world: use `seen`, not `brand_type`.")
    def really_seen(self, context: Context) -> int:
        labelled = brands.matrix(_users(context))
        return round((labelled["brand_type"] == "switcher")[labelled["use"] == "high"].mean() * 100)

    @wrong("You counted those who are exactly at 0.2 or 0.8, too. They are loyal: both ends are excluded.")
    def ends_included(self, context: Context) -> int:
        seen, uses = self._world(context)
        return round(seen[uses == "high"].between(0.2, 0.8).mean() * 100)

    @wrong("You labelled by `true`, which nobody sees. Label by `seen`.")
    def true_shares(self, context: Context) -> int:
        labelled = brands.matrix(_users(context))
        known = labelled[labelled["trips"] > 0]
        true = np.random.default_rng(25).beta(0.42, 0.79, len(known))
        return round(((true > 0.2) & (true < 0.8))[(known["use"] == "high").to_numpy()].mean() * 100)

    @wrong(
        "You turned it round: that is what percentage of the switchers have high use. Asked is: of those with high use, what percentage are switchers?"
    )
    def turned_round(self, context: Context) -> int:
        seen, uses = self._world(context)
        return round((uses[(seen > 0.2) & (seen < 0.8)] == "high").mean() * 100)

    @wrong("That is how many households. What percentage of those with high use?")
    def count(self, context: Context) -> int:
        seen, uses = self._world(context)
        return int(((seen > 0.2) & (seen < 0.8) & (uses == "high")).sum())

    @wrong("Those are households with two trips or more, whatever their use. Keep those whose `use` is high.")
    def by_trips(self, context: Context) -> int:
        labelled = brands.matrix(_users(context))
        seen, _ = self._world(context)
        return round(((seen > 0.2) & (seen < 0.8))[labelled["trips"].reindex(seen.index) > 1].mean() * 100)

    @wrong("Those are the loyal ones. What percentage are switchers?")
    def the_loyal(self, context: Context) -> int:
        return 100 - self.expected(context)

    @wrong("You divided by all households: of the households with high use, what percentage are switchers?")
    def of_all(self, context: Context) -> int:
        seen, uses = self._world(context)
        return round(((seen > 0.2) & (seen < 0.8) & (uses == "high")).mean() * 100)


class Cycle27(Exercise):
    id, answer, level, digits = "2.5-6", "cycle_27", "do", 0
    nudge = 'k = 3, own median 32, m = `due.attrs["borrowed_gaps"]`, median of the category `due.attrs["category_cycle_days"]`. Then round.'
    meaning = "Three gaps of about a month, and still the forecast is over seven weeks: in this category a household's own gaps say little."

    def expected(self, context: Context) -> int:
        k, own, m, category = self._parts(context)
        return round((k * own + m * category) / (k + m))

    def _parts(self, context: Context) -> tuple[float, float, float, float]:
        due = context.once("pain due", lambda: cycles.next_due(_pain(context)))
        own = due.loc[27]
        return own["gaps"], own["own_cycle_days"], due.attrs["borrowed_gaps"], due.attrs["category_cycle_days"]

    @wrong("That is its own median alone. With three gaps it is drawn towards the category.")
    def own_alone(self, context: Context) -> int:
        return round(self._parts(context)[1])

    @wrong("That is the median of the category. The household has three gaps of its own, which count too.")
    def category_alone(self, context: Context) -> int:
        return round(self._parts(context)[3])

    @wrong("You exchanged the weights: the own median counts k times, the category's m times.")
    def weights_exchanged(self, context: Context) -> int:
        k, own, m, category = self._parts(context)
        return round((m * own + k * category) / (k + m))

    @wrong("That is the plain mean of the two medians. Weight them with k and m.")
    def plain_mean(self, context: Context) -> int:
        _, own, _, category = self._parts(context)
        return round((own + category) / 2)

    @wrong("You took k = 4, its purchases. Between four purchases lie three gaps: k = 3.")
    def purchases_for_gaps(self, context: Context) -> int:
        k, own, m, category = self._parts(context)
        return round(((k + 1) * own + m * category) / (k + 1 + m))

    @wrong("You divided by k alone. The weights add up to k + m.")
    def divided_by_k(self, context: Context) -> int:
        k, own, m, category = self._parts(context)
        return round((k * own + m * category) / k)

    @wrong("You rounded m first. Take `borrowed_gaps` as it is, and round only the result.")
    def m_rounded_up(self, context: Context) -> int:
        k, own, m, category = self._parts(context)
        return round((k * own + np.ceil(m) * category) / (k + np.ceil(m)))

    @wrong("You forgot to divide by k + m.")
    def not_divided(self, context: Context) -> int:
        k, own, m, category = self._parts(context)
        return round(k * own + m * category)


class TimesByLot(Exercise):
    id, answer, level, digits = "2.5-7", "times_by_lot", "do", 2
    nudge = 'Call `cycles.back_test(coffee, cut="2025-08-17", window_days=3)` and take the column `times` in the first row, with two digits.'
    meaning = "A fifth more hits than by lot. It is worth a reminder that costs nothing, and hardly a project."

    def expected(self, context: Context) -> float:
        return round(self._test(context, 3).loc["own cycle, shrunk", "times"], 2)

    def _test(self, context: Context, window: int, category: str = "coffee") -> pd.DataFrame:
        def run() -> pd.DataFrame:
            orders = context.load("supermarket").transactions.where("category", category)
            return cycles.back_test(orders, cut=KNOWN_UNTIL, window_days=window)

        return context.once(("back-test", category, window), run)

    @wrong("That is the hit rate of the due date. How many times the hit rate of a day by lot is it? Column `times`.")
    def hit_rate(self, context: Context) -> float:
        return round(self._test(context, 3).loc["own cycle, shrunk", "hit_rate"], 2)

    @wrong("That is the window of ten days. Here it is three: `window_days=3`.")
    def wide_window(self, context: Context) -> float:
        return round(self._test(context, 10).loc["own cycle, shrunk", "times"], 2)

    @wrong("That is a window of seven days to each side. Three before and three after: `window_days=3`.")
    def week_to_each_side(self, context: Context) -> float:
        return round(self._test(context, 7).loc["own cycle, shrunk", "times"], 2)

    @wrong('That is the row "own cycle alone", or one digit too few. Take "own cycle, shrunk", with two digits.')
    def own_alone(self, context: Context) -> float:
        return round(self._test(context, 3).loc["own cycle alone", "times"], 2)

    @wrong('That is the row "one day for all". Take "own cycle, shrunk".')
    def one_day(self, context: Context) -> float:
        return round(self._test(context, 3).loc["one day for all", "times"], 2)

    @wrong("That is by how much it is better. How many times as often? The column `times` as it stands.")
    def only_the_gain(self, context: Context) -> float:
        return round(self._test(context, 3).loc["own cycle, shrunk", "times"] - 1, 2)

    @wrong("That is the row of the category's cycle. Take the household's own, shrunk.")
    def category_row(self, context: Context) -> float:
        return round(self._test(context, 3).loc["cycle of the category", "times"], 2)

    @wrong("Those are the painkillers. Coffee is asked for.")
    def painkillers(self, context: Context) -> float:
        return round(self._test(context, 3, "painkillers").loc["own cycle, shrunk", "times"], 2)

    @wrong('A day by lot is once itself. Take the row "own cycle, shrunk".')
    def by_lot(self, context: Context) -> float:
        return self._test(context, 3).loc["a day by lot", "times"]


class StayNeeded(Exercise):
    id, answer, level = "2.5-8", "stay_needed", "decide"
    nudge = 'Call `plan(assumed, later=0)`, `plan(assumed, later=1)`, … In which is `value` in the row "50 %" above zero for the first time?'
    meaning = "Each household that was won must come back so often, or half of the price was given away for a visit."
    ADDED: ClassVar = {"30 %": 0.20, "50 %": 0.30}  # the department's assumptions, given in the text

    def expected(self, context: Context) -> int:
        return self._first(context, "50 %")

    def _first(self, context: Context, arm: str, column: str = "value") -> int:
        return next(later for later in range(200) if self._plan(context, arm, later)[column] > 0)

    def _plan(self, context: Context, arm: str, later: int, without: float = 0.05) -> "pd.Series[float]":
        packs = context.load("supermarket").products.query("category == 'painkillers' and doses == 48")
        store, calmex = (packs[packs["brand"] == brand].iloc[0] for brand in ("Millbrook", "Calmex"))
        return offers.value(
            pd.DataFrame({"without": [without], "added": [self.ADDED[arm]]}),
            store_margin=float(store["price"] - store["unit_cost"]),
            national_margin=float(calmex["price"] - calmex["unit_cost"]),
            discount=float(arm.removesuffix(" %")) / 100 * float(store["price"]),
            contact_cost=0.20,
            later=later,
        ).iloc[0]

    @wrong('That is the coupon of 30 %. Look at the row "50 %".')
    def thirty_percent(self, context: Context) -> int:
        return self._first(context, "30 %")

    @wrong("You looked at `naive`, which counts every purchase with a coupon as won. Look at `value`.")
    def naive(self, context: Context) -> int:
        return self._first(context, "50 %", "naive")

    @wrong("You counted the purchase with the coupon, too. `later` are those after it.")
    def first_purchase_counted(self, context: Context) -> int:
        return self.expected(context) + 1

    @wrong("That is the value at this number of later purchases. The number of purchases is asked for.")
    def value_instead(self, context: Context) -> float:
        return round(float(self._plan(context, "50 %", self.expected(context))["value"]), 2)


class Spring(Exercise):
    id, answer, level, digits = "2.5-9", "spring", "defend", 2
    choices = ("50 % to all heavy users", "30 % to heavy users of national brands", "no offer")
    nudge = (
        "Take `effect`, rounded to two digits and with its sign: for the 30 % from `money_by_brand`, row (national, 30 %); for no "
        "offer from `money`, row (high, 50 %)."
    )
    meaning = "Both answers are honest. The deepest discount for all heavy users is the one that the data refuse."
    rubric = (
        "Names the interval of the chosen figure and says that it holds losses (30 %) or leaves out zero (50 % to all). Says what 13 "
        "weeks cannot show: whether the won stay. Sees that heavy store users and switchers get the discount for what they buy "
        "anyway. A full answer asks for the next test (30 %, a control group, half a year) or says what no offer gives up."
    )

    def expected(self, context: Context) -> dict[str, float]:
        return {
            "30 % to heavy users of national brands": self._national(context, "30 %"),
            "no offer": self._all_heavy(context, "50 %"),
        }

    def _national(self, context: Context, arm: str) -> float:
        test = _test(context)
        by_brand = offers.effects(test[test["use"] == "high"], "change_in_euros", by="brand_type")
        return round(by_brand.loc[("national", arm), "effect"], 2)

    def _all_heavy(self, context: Context, arm: str) -> float:
        return round(offers.effects(_test(context), "change_in_euros", by="use").loc[("high", arm), "effect"], 2)

    @wrong(
        "You took the deepest discount. Look at its interval in `money`, heavy users: on which side of zero does it lie?"
    )
    def the_story(self, context: Context) -> Defence:
        return defend("50 % to all heavy users", self.expected(context)["no offer"], "")

    @wrong("That is the effect among heavy users of all brands. Your rule writes to national users: `money_by_brand`.")
    def all_brands(self, context: Context) -> Defence:
        return defend("30 % to heavy users of national brands", self._all_heavy(context, "30 %"), "")

    @wrong("That is the share that took it. The deciding figure is money: the effect on `change_in_euros`.")
    def take_up(self, context: Context) -> Defence:
        test = _test(context)
        took = offers.effects(test[test["brand_type"] == "national"], "bought_store", by="use")
        return defend("30 % to heavy users of national brands", round(took.loc[("high", "30 %"), "effect"], 2), "")

    @wrong("For no offer the figure is what the story's plan would have cost: 50 %, all heavy users, in `money`.")
    def no_offer_national(self, context: Context) -> Defence:
        return defend("no offer", self._national(context, "50 %"), "")

    @wrong(
        "That is what the 30 % would bring. For no offer give the effect of the plan that you refuse: 50 %, all heavy users, in `money`."
    )
    def no_offer_thirty(self, context: Context) -> Defence:
        return defend("no offer", self._national(context, "30 %"), "")

    @wrong("The story's plan loses money: the figure is below zero. Keep its sign.")
    def sign_lost(self, context: Context) -> Defence:
        return defend("no offer", -self._all_heavy(context, "50 %"), "")

    @wrong("That is the arithmetic with one later purchase, which we assumed. Take what was counted: `money_by_brand`.")
    def arithmetic(self, context: Context) -> Defence:
        test = _test(context)
        took = offers.effects(test[test["brand_type"] == "national"], "bought_store", by="use").loc[("high", "30 %")]
        packs = context.load("supermarket").products.query("category == 'painkillers' and doses == 48")
        store, calmex = (packs[packs["brand"] == brand].iloc[0] for brand in ("Millbrook", "Calmex"))
        found = offers.value(
            pd.DataFrame({"without": [took["control"]], "added": [took["effect"]]}),
            store_margin=float(store["price"] - store["unit_cost"]),
            national_margin=float(calmex["price"] - calmex["unit_cost"]),
            discount=0.30 * float(store["price"]),
            contact_cost=0.20,
            later=1,
        )
        return defend("30 % to heavy users of national brands", round(found["value"].iloc[0], 2), "")

    @wrong("That is the 50 % among national users. Your rule sends them 30 %.")
    def wrong_depth(self, context: Context) -> Defence:
        return defend("30 % to heavy users of national brands", self._national(context, "50 %"), "")


class ToFriends(Exercise):
    id, answer, level, digits = "2.5-10", "to_friends", "decide", 0
    nudge = 'Keep the rows of `letters` with arm "50 %" and `used`; what percentage of them has brand_type store or switcher?'
    meaning = "More than half of the half-price packs went to households that buy the store's brand anyway, always or now and then."

    def expected(self, context: Context) -> int:
        return self._percent(context, "50 %", ["store", "switcher"])

    def _percent(self, context: Context, arm: str, types: list[str]) -> int:
        test = _test(context)
        return round(test.loc[(test["arm"] == arm) & test["used"], "brand_type"].isin(types).mean() * 100)

    @wrong("Those are the store's loyal users alone. The switchers buy the store's brand now and then as well.")
    def store_only(self, context: Context) -> int:
        return self._percent(context, "50 %", ["store"])

    @wrong("Those are the switchers alone. The store's loyal users buy its brand anyway, too.")
    def switchers_only(self, context: Context) -> int:
        return self._percent(context, "50 %", ["switcher"])

    @wrong("Those are the national users, whom the coupon was meant for.")
    def national(self, context: Context) -> int:
        return self._percent(context, "50 %", ["national"])

    @wrong("You counted those who were sent a coupon. Only coupons that were **used** are asked for.")
    def sent(self, context: Context) -> int:
        test = _test(context)
        return round(test.loc[test["arm"] == "50 %", "brand_type"].isin(["store", "switcher"]).mean() * 100)

    @wrong("You counted the used coupons of all three depths. Only those of 50 % are asked for.")
    def all_depths(self, context: Context) -> int:
        test = _test(context)
        used = test[test["used"] & (test["arm"] != "control")]
        return round(used["brand_type"].isin(["store", "switcher"]).mean() * 100)

    @wrong("You divided by all letters with 50 %. Divide by the coupons that were used.")
    def of_all_letters(self, context: Context) -> int:
        test = _test(context)
        deep = test[test["arm"] == "50 %"]
        return round((deep["used"] & deep["brand_type"].isin(["store", "switcher"])).mean() * 100)

    @wrong("That is how many coupons. What percentage of the used ones?")
    def count(self, context: Context) -> int:
        test = _test(context)
        deep = test[(test["arm"] == "50 %") & test["used"]]
        return int(deep["brand_type"].isin(["store", "switcher"]).sum())

    @wrong("You asked what percentage of the store users and switchers used it. Asked is whose the used coupons are.")
    def other_way_round(self, context: Context) -> int:
        test = _test(context)
        deep = test[(test["arm"] == "50 %") & test["brand_type"].isin(["store", "switcher"])]
        return round(deep["used"].mean() * 100)

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100, rounded.")
    def share(self, context: Context) -> float:
        test = _test(context)
        return test.loc[(test["arm"] == "50 %") & test["used"], "brand_type"].isin(["store", "switcher"]).mean()


class Unsure(Exercise):
    id, answer, level, digits = "2.5-11", "unsure", "decide", 0
    nudge = "Make `brands.fit_shares(cereal).label(cereal)`, take `certainty`, drop the missing ones, and count those below 0.8."
    meaning = "Even in a category that most households buy several times a year, more than half of the labels are shaky. Use the chances, not the labels, where money depends on them."

    def expected(self, context: Context) -> int:
        return self._below(context, 0.8)

    def _certainty(self, context: Context) -> "pd.Series[float]":
        def make() -> "pd.Series[float]":
            cereal = brands.usage(context.load("complete_journey").transactions.where("category", "COLD CEREAL"))
            return brands.fit_shares(cereal).label(cereal)["certainty"]

        return context.once("cereal", make)

    def _below(self, context: Context, bound: float) -> int:
        return round((self._certainty(context).dropna() < bound).mean() * 100)

    @wrong("Those are surer than that. Asked is: less than 80 %.")
    def surer(self, context: Context) -> int:
        return 100 - self._below(context, 0.8)

    @wrong("You counted below one half. A label that is right with 60 % is also unsure: below 0.8.")
    def below_a_half(self, context: Context) -> int:
        return self._below(context, 0.5)

    @wrong("You took `shares`, learned from pain relievers. Learn anew: `brands.fit_shares(cereal)`.")
    def other_shares(self, context: Context) -> int:
        cereal = brands.usage(context.load("complete_journey").transactions.where("category", "COLD CEREAL"))
        return round((_shares(context).label(cereal)["certainty"].dropna() < 0.8).mean() * 100)

    @wrong("That is pain relievers. Cold cereal is asked for.")
    def pain_relievers(self, context: Context) -> int:
        return round((_shares(context).label(_users(context))["certainty"].dropna() < 0.8).mean() * 100)

    @wrong("You divided by all households. Two have no trip and no certainty: `.dropna()` first.")
    def missing_counted(self, context: Context) -> int:
        return round((self._certainty(context) < 0.8).mean() * 100)

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100, rounded.")
    def share(self, context: Context) -> float:
        return (self._certainty(context).dropna() < 0.8).mean()

    @wrong("That is how many households. What percentage?")
    def count(self, context: Context) -> int:
        return int((self._certainty(context) < 0.8).sum())
