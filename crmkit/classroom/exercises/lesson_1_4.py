"""The exercises of lesson 1.4, acquisition and AARRR."""

from typing import Any, ClassVar

import pandas as pd

from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.evaluation import predictions
from crmkit.lifecycle import acquisition, attribution, funnels, lead_scores

STEPS = ["first_visit", "registered_on", "first_order", "second_order"]
END = "2025-12-31"


def _visits(context: Context) -> pd.DataFrame:
    return context.once("1.4 visits", lambda: attribution.recognise(context.load("shop").visits))


def _people(context: Context) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        shop, visits = context.load("shop"), _visits(context)
        customers = shop.customers.set_index("customer_id")
        first_year = acquisition.first_days(shop.transactions, within="12 months", payback=15)
        first_visit = visits.groupby(visits["customer_id"].fillna(visits["visitor_id"]))["started_at"].min()
        people = customers.reindex(customers.index.union(first_visit.index)).join(first_year)
        people["first_visit"] = first_visit
        people.loc[people["registered_on"] < "2025-01-01", "first_visit"] = pd.NaT
        return people

    return context.once("1.4 people", make)


def _goods(context: Context) -> pd.DataFrame:
    orders = context.load("shop").orders
    return orders[orders["amount"] > 0].sort_values("ordered_at")


def _credit(context: Context, *, window: str = "30 days", of: str = "conversions", **options: Any) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        goods = _goods(context)
        first = goods.groupby("customer_id", as_index=False).first().rename(columns={"ordered_at": "converted_at"})
        first["money"] = first["order_id"].map(goods.groupby("order_id")["amount"].sum())
        first = first.loc[first["converted_at"] >= "2025-02-01", ["customer_id", "converted_at", "money"]]
        visits = _visits(context)
        without = options.get("without")
        visits = visits if without is None else visits[visits["source"] != without]
        alone = options.get("only_if_alone", ())
        paths = attribution.touch_paths(visits, first, window=window, only_if_alone=alone)
        return attribution.credit(paths, of=of)

    return context.once(("1.4 credit", window, of, str(options)), make)


def _leads(context: Context) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        leads = context.load("shop").leads.set_index("lead_id")
        leads["points"] = lead_scores.points(leads)["points"]
        leads["bought"] = lead_scores.outcome(leads, within="60 days", as_of=END)
        return leads

    return context.once("1.4 leads", make)


def _parts(context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The leads that the model learns from, and those it is judged on."""
    leads = _leads(context)
    return leads[leads["created_on"] < "2025-01-01"], leads[
        (leads["created_on"] > "2025-03-01") & leads["bought"].notna()
    ]


TRAITS = ["source", "device", "pages", "minutes", "return_visits", "favourites", "newsletter"]


def _probability(context: Context, name: str, on: int = 1) -> "pd.Series[float]":
    def make() -> "pd.Series[float]":
        past = _parts(context)[0]
        model = lead_scores.LeadModel(TRAITS if name == "model" else ["points"]).fit(past, past["bought"])
        return model.probability(_parts(context)[on])

    return context.once(("1.4 probability", name, on), make)


def _judged(context: Context, name: str, on: int = 1) -> predictions.Judgement:
    part = _parts(context)[on]
    return context.once(
        ("1.4 judged", name, on), lambda: predictions.judge(_probability(context, name, on), part["bought"])
    )


def _truth(context: Context, on: int = 1) -> "pd.Series[float]":
    truth = context.load("shop").truth_leads.set_index("lead_id")["probability"]
    return truth.reindex(_parts(context)[on].index)


class CameBack(Exercise):
    id, answer, level, digits = "1.4-1", "came_back", "decide", 3
    nudge = 'Call `funnel` as for `three_steps`, with all four `steps`, and take the `rate` in the row "second_order".'
    meaning = "One in three, in the same 90 days for everybody. The report divided one group of people by another."

    def expected(self, context: Context) -> float:
        return self._rate(context)

    def _rate(self, context: Context, column: str = "rate", step: str = "second_order", **options: Any) -> float:
        how = {"first": "2025-01-01", "within": "90 days", "as_of": END} | options
        table = context.once(("1.4 funnel", str(how)), lambda: funnels.funnel(_people(context), STEPS, **how))
        return float(table.set_index("step").loc[step, column])

    @wrong("That is the snapshot of October: second orders of old customers divided by first orders of new ones.")
    def the_snapshot(self, context: Context) -> float:
        return self._rate(context, first="2025-10-01", last="2025-10-31", within=None, kind="snapshot")

    @wrong("You left out `within`: those of January had eleven months for their second order, those of December days.")
    def without_a_time(self, context: Context) -> float:
        return self._rate(context, within=None)

    @wrong("You began the 90 days with the first order. Here they begin with the first visit: use all four `steps`.")
    def from_the_first_order(self, context: Context) -> float:
        first, second = STEPS[2:]
        table = funnels.funnel(_people(context), [first, second], first="2025-01-01", within="90 days", as_of=END)
        return float(table.set_index("step").loc[second, "rate"])

    @wrong("You counted every second order, whenever it came. Each person has 90 days: let `funnel` count them.")
    def any_second_order(self, context: Context) -> float:
        people = _people(context)
        return float(people.loc[people["first_order"] >= "2025-01-01", "second_order"].notna().mean())

    @wrong("That is the share of all visitors (`of_first`). Asked is the share of those who placed a first order.")
    def of_all_visitors(self, context: Context) -> float:
        return self._rate(context, "of_first")

    @wrong("That is the step before: the share of the registered who placed a first order.")
    def the_step_before(self, context: Context) -> float:
        return self._rate(context, step="first_order")

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self._rate(context) * 100

    @wrong("That is the number of people. The share is asked for, in the column `rate`.")
    def people_instead_of_share(self, context: Context) -> float:
        return self._rate(context, "people")


class SocialCost(Exercise):
    id, answer, level, digits = "1.4-2", "social_cost", "do", 2
    nudge = "Add up `spend` over the rows of social in 2025, count the people of social whose first order is in 2025, and divide."
    meaning = (
        "A number with two sides: change whom you call a customer, or which months you take, and it is another one."
    )

    def expected(self, context: Context) -> float:
        return self._spend(context) / self._people(context, "first_order")

    def _spend(self, context: Context, since: str = "2025-01-01", source: str | None = "social") -> float:
        costs = context.load("shop").costs
        rows = (costs["month"] >= since) & ((costs["source"] == source) | (source is None))
        return float(costs.loc[rows, "spend"].sum())

    def _people(self, context: Context, day: str, since: str = "2025-01-01", source: str | None = "social") -> int:
        people = _people(context)
        return int(((people[day] >= since) & ((people["source"] == source) | (source is None))).sum())

    @wrong("You divided by those who registered. Somebody who never bought is not yet a customer.")
    def per_registration(self, context: Context) -> float:
        return self._spend(context) / self._people(context, "registered_on")

    @wrong("The months do not match: that is the spend of 2025 for the customers of all three years.")
    def customers_of_all_years(self, context: Context) -> float:
        return self._spend(context) / self._people(context, "first_order", since="2023-01-01")

    @wrong("The months do not match: that is the spend of all three years for the customers of 2025.")
    def spend_of_all_years(self, context: Context) -> float:
        return self._spend(context, since="2023-01-01") / self._people(context, "first_order")

    @wrong("Those are all three years, for spend and customers alike. The year 2025 is asked for.")
    def all_years(self, context: Context) -> float:
        return self._spend(context, since="2023-01-01") / self._people(context, "first_order", since="2023-01-01")

    @wrong("That is the average of all sources. Keep only `source == 'social'`, in the spend and among the people.")
    def all_sources(self, context: Context) -> float:
        return self._spend(context, source=None) / self._people(context, "first_order", source=None)

    @wrong("You divided the spend of social by the new customers of all sources.")
    def customers_of_all_sources(self, context: Context) -> float:
        return self._spend(context) / self._people(context, "first_order", source=None)

    @wrong("Upside down: that is customers per euro.")
    def upside_down(self, context: Context) -> float:
        return round(1 / self.expected(context), 3)

    @wrong("That is the whole spend. Divide it by the new customers.")
    def not_divided(self, context: Context) -> float:
        return self._spend(context)


class EmailCredit(Exercise):
    id, answer, level, digits = "1.4-3", "email_credit", "do", 3
    nudge = "Write down four places. The first gets 0.4, the fourth 0.4. What is left for the two between, and who are they?"
    meaning = "Twice on the way and never at an end: under first and under last touch email would get nothing here."
    PATH: ClassVar = ["social", "email", "email", "search"]  # given in the text of the task

    def expected(self, context: Context) -> float:
        return self._credit("position")

    def _credit(self, rule: str, source: str = "email") -> float:
        path = pd.DataFrame({"conversion": 0, "source": self.PATH, "place": range(1, 5), "touches": 4})
        return float(attribution.credit(path, rule).loc[source, rule])

    @wrong("That is the linear rule: equal parts. Position gives 40 % to each end.")
    def linear(self, context: Context) -> float:
        return self._credit("linear")

    @wrong("That is one of the two visits by email. Add the other.")
    def one_visit_only(self, context: Context) -> float:
        return self._credit("position") / self.PATH.count("email")

    @wrong("The 20 % are for all between together, not for each of them.")
    def twenty_each(self, context: Context) -> float:
        return self._credit("position") * self.PATH.count("email")

    @wrong("Position leaves 20 % for those between the ends. Last (and first) touch would give email nothing.")
    def last_touch(self, context: Context) -> float:
        return self._credit("last")

    @wrong("That is what is left for social and search together. Email stands between them.")
    def the_ends(self, context: Context) -> float:
        return 1 - self._credit("position")

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self._credit("position") * 100


class Shift(Exercise):
    id, answer, level, digits = "1.4-4", "shift", "decide", 3
    nudge = 'Subtract one column of `credit` from the other: `credit["last"] - credit["first"]`.'
    meaning = (
        "Email and direct win what referral, social, search and partner lose. The sum is zero: not one customer more."
    )

    def expected(self, context: Context) -> "pd.Series[float]":
        credit = _credit(context)
        return credit["last"] - credit["first"]

    @wrong("The sign is the wrong way round: the change is the new rule (last) less the old one (first).")
    def first_less_last(self, context: Context) -> "pd.Series[float]":
        return -self.expected(context)

    @wrong("You compared with the linear rule. The agency proposes last touch.")
    def linear_instead_of_last(self, context: Context) -> "pd.Series[float]":
        credit = _credit(context)
        return credit["linear"] - credit["first"]

    @wrong("That is a change in per cent of what the source had. The change in customers is asked for.")
    def per_cent(self, context: Context) -> "pd.Series[float]":
        return self.expected(context) / _credit(context)["first"] * 100

    @wrong("That is the change as a share of what the source had. The change in customers is asked for: subtract only.")
    def relative(self, context: Context) -> "pd.Series[float]":
        return self.expected(context) / _credit(context)["first"]

    @wrong("That is the change in euros. The change in customers is asked for: use `credit`.")
    def in_money(self, context: Context) -> "pd.Series[float]":
        money = _credit(context, of="money")
        return money["last"] - money["first"]

    @wrong("Those are shares of all customers. Give the number of customers.")
    def shares(self, context: Context) -> "pd.Series[float]":
        return self.expected(context) / _credit(context)["first"].sum()

    @wrong("That is what each source gets by last touch. Subtract what it gets by first touch.")
    def last_alone(self, context: Context) -> "pd.Series[float]":
        return _credit(context)["last"]

    @wrong("The sizes are right, but a source that loses has a minus sign: leave out the absolute value.")
    def without_sign(self, context: Context) -> "pd.Series[float]":
        return self.expected(context).abs()


class LiftTopTenth(Exercise):
    id, answer, level, digits = "1.4-5", "lift_top_tenth", "do", 2
    nudge = 'In the table `judged["model"].lift` take the row with `share` 0.1 and the column `lift`.'
    meaning = "Three and a half times as many buyers in the same working hours. Whether a call made them buy, no lift can say."

    def expected(self, context: Context) -> float:
        return self._cell(context)

    def _cell(
        self, context: Context, column: str = "lift", share: float = 0.1, name: str = "model", on: int = 1
    ) -> float:
        return float(_judged(context, name, on).lift.set_index("share").loc[share, column])

    @wrong("That is the share that bought among the first tenth (`rate`). Lift compares it with the rate of all.")
    def the_rate(self, context: Context) -> float:
        return self._cell(context, "rate")

    @wrong("That is the share of all buyers that is found in the first tenth (`found`).")
    def share_found(self, context: Context) -> float:
        return self._cell(context, "found")

    @wrong("That is the lift of the points. Asked is the model.")
    def of_the_points(self, context: Context) -> float:
        return self._cell(context, name="points")

    @wrong("That is the first twentieth. A tenth is `share` 0.1, the second row.")
    def a_twentieth(self, context: Context) -> float:
        return self._cell(context, share=0.05)

    @wrong("That is the first fifth; a tenth is `share` 0.1. (Or did you take 1 away? Lift says 'times as many'.)")
    def a_fifth(self, context: Context) -> float:
        return self._cell(context, share=0.2)

    @wrong("You judged the model on the leads it had learned from. Use `judged`, which holds later leads.")
    def on_the_past(self, context: Context) -> float:
        return self._cell(context, on=0)

    @wrong("That is the number of buyers in the first tenth. Lift is a factor.")
    def buyers(self, context: Context) -> float:
        return self._cell(context, "yes")


class GapToTruth(Exercise):
    id, answer, level, digits = "1.4-6", "gap_to_truth", "decide", 4
    nudge = 'For each score: subtract `truth`, take `.abs()`, then `.mean()`. Put both into {"model": …, "points": …}.'
    meaning = (
        "The order is nearly the same, the promise is not: the model's probabilities are about three times nearer."
    )

    def expected(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: (values - truth).abs().mean())

    def _both(self, context: Context, how: Any, on: int = 1) -> dict[str, float]:
        bought, truth = _parts(context)[on]["bought"].astype(float), _truth(context, on)
        return {name: float(how(_probability(context, name, on), truth, bought)) for name in ("model", "points")}

    @wrong("You compared with what happened (0 or 1). Compare with `truth`, the probability.")
    def against_what_happened(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: (values - bought).abs().mean())

    @wrong("Without the absolute value too high and too low cancel. Take `.abs()` before the mean.")
    def signs_cancel(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: (values - truth).mean())

    @wrong("Those are mean squared differences. Take the mean of the absolute differences.")
    def squared(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: ((values - truth) ** 2).mean())

    @wrong(
        "You subtracted the two means: too high and too low cancel. Subtract lead by lead, then `.abs()`, then `.mean()`."
    )
    def of_the_means(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: abs(values.mean() - truth.mean()))

    @wrong("Those are medians. The mean is asked for.")
    def medians(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: (values - truth).abs().median())

    @wrong("The two are the wrong way round.")
    def swapped(self, context: Context) -> dict[str, float]:
        right = self.expected(context)
        return {"model": right["points"], "points": right["model"]}

    @wrong("Those are the largest differences. Take the mean.")
    def largest(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: (values - truth).abs().max())

    @wrong("Those are the Brier scores: squared distances from what happened. Asked is the distance from `truth`.")
    def brier(self, context: Context) -> dict[str, float]:
        return self._both(context, lambda values, truth, bought: ((values - bought) ** 2).mean())


def _welcome(context: Context, days: int = 30) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        shop = context.load("shop")
        sent = shop.contacts.merge(shop.campaigns, on="campaign_id")
        welcome = sent[sent["kind"] == "welcome"].copy()
        orders = _goods(context)[["customer_id", "ordered_at", "campaign_id"]]
        answers = welcome.merge(orders, on="customer_id", suffixes=("", "_used"))
        answers = answers[(answers["ordered_at"] - answers["sent_on"]).dt.days.between(0, days - 1)]
        answers["used"] = answers["campaign_id"] == answers["campaign_id_used"]
        found = answers.groupby(["campaign_id", "customer_id"])["used"].max()
        key = pd.MultiIndex.from_frame(welcome[["campaign_id", "customer_id"]])
        welcome["bought"], welcome["used_code"] = key.isin(found.index), key.isin(found[found].index)
        return welcome

    return context.once(("1.4 welcome", days), make)


class CostPerAdditional(Exercise):
    id, answer, level, digits = "1.4-7", "cost_per_additional", "decide", 2
    nudge = "Two shares (bought ÷ people), their difference, times the letters: so many bought because of the letter. Then 0.30 times the letters, divided by that."
    meaning = "More than the report's cost per code, because many would have come anyway. Only the control group can say how many."

    def expected(self, context: Context) -> float:
        bought, people, cost = self._numbers(context)
        return cost / (
            (bought["contact"] / people["contact"] - bought["control"] / people["control"]) * people["contact"]
        )

    def _numbers(self, context: Context) -> tuple[Any, Any, float]:
        arms = _welcome(context).groupby("arm")["bought"]
        campaigns = context.load("shop").campaigns
        price = float(campaigns.loc[campaigns["kind"] == "welcome", "cost_per_contact"].iloc[0])
        return arms.sum(), arms.size(), float(arms.size()["contact"] * price)

    @wrong("That is the cost of a used code, as the report has it. Who would have bought without one?")
    def per_code(self, context: Context) -> float:
        return self._numbers(context)[2] / float(_welcome(context)["used_code"].sum())

    @wrong("You divided by all who bought after a letter. Part of them would have bought without it.")
    def per_buyer(self, context: Context) -> float:
        bought, _, cost = self._numbers(context)
        return cost / bought["contact"]

    @wrong("You subtracted the buyers of two groups of different size. Compare the shares, then go back to people.")
    def counts_subtracted(self, context: Context) -> float:
        bought, _, cost = self._numbers(context)
        return cost / (bought["contact"] - bought["control"])

    @wrong("The control group got no letter: its people cost nothing.")
    def control_paid_too(self, context: Context) -> float:
        _, people, _ = self._numbers(context)
        return self.expected(context) * people.sum() / people["contact"]

    @wrong("Multiply the difference of the shares by those who got a **letter**, not by everybody.")
    def times_everybody(self, context: Context) -> float:
        _, people, _ = self._numbers(context)
        return self.expected(context) * people["contact"] / people.sum()

    @wrong("You divided 30 by the difference of the shares: that is in cents. A letter costs 0.30 euros.")
    def in_cents(self, context: Context) -> float:
        return self.expected(context) * 100

    @wrong("That is the number of additional buyers. Divide the cost of the letters by it.")
    def the_additional(self, context: Context) -> float:
        return self._numbers(context)[2] / self.expected(context)


class MoveTheBudget(Exercise):
    id, answer, level, points, digits = "1.4-8", "my_decision", "defend", 2, 2
    choices = ("move all", "move a part and measure", "leave it")
    nudge = "The room speaks for a test, and it is an average. A euro brings margin ÷ cost. Compute it from `worth` for search and for partner; the figure is the first divided by the second."
    meaning = "There is much room, so a test is worth its trouble. How much of the room the next euro uses up, only the test can say."
    rubric = (
        "Full marks: says that the costs are averages and the next euro in search may buy less (those who search are limited "
        "in number); says that customers who came by a source need not have come because of it; proposes how to measure "
        "(regions or weeks by lot, all sales compared) and what result would decide. Half marks: one of the two doubts, "
        "without a test. No marks for 'search is cheaper' alone."
    )

    def expected(self, context: Context) -> dict[str, float]:
        return {"move a part and measure": self._room(context)}

    def _worth(self, context: Context, first: str = "2023-01-01", last: str = "2024-12-31") -> pd.DataFrame:
        people = _people(context)
        new = people[people["first_order"].notna()]
        table = acquisition.cost_by_source(new, context.load("shop").costs, first=first, last=last)
        inside = new["first_order"].between(first, last)
        return table.assign(margin=new[inside].groupby("source")["margin"].mean())

    def _room(self, context: Context, **years: str) -> float:
        worth = self._worth(context, **years)
        brings = worth["margin"] / worth["cost"]
        return float(brings["search"] / brings["partner"])

    def _decide(self, figure: float, choice: str = "move a part and measure") -> Defence:
        return defend(choice=choice, figure=figure, because="")

    @wrong(
        "The figure is right, and it is an average. Nothing in the data says that the partners' money would do as well there."
    )
    def move_everything(self, context: Context) -> Defence:
        return self._decide(self._room(context), "move all")

    @wrong("The figure is right, and it speaks against you: a difference of this size is worth a test.")
    def leave_everything(self, context: Context) -> Defence:
        return self._decide(self._room(context), "leave it")

    @wrong("That compares the costs alone. The customers of the two sources bring different margins.")
    def costs_alone(self, context: Context) -> Defence:
        cost = self._worth(context)["cost"]
        return self._decide(cost["partner"] / cost["search"])

    @wrong("Upside down: divide what a euro brings in search by what it brings with partners.")
    def upside_down(self, context: Context) -> Defence:
        return self._decide(1 / self._room(context))

    @wrong("That is what a euro brings in search. Divide it by what a euro brings with partners.")
    def search_alone(self, context: Context) -> Defence:
        worth = self._worth(context)
        return self._decide(float(worth.at["search", "margin"] / worth.at["search", "cost"]))

    @wrong("You took 2025. Those customers have not had their first year yet; use `worth`.")
    def the_last_year(self, context: Context) -> Defence:
        return self._decide(self._room(context, first="2025-01-01", last="2025-12-31"))

    @wrong("That compares the margins alone. Divide each by its cost first.")
    def margins_alone(self, context: Context) -> Defence:
        margin = self._worth(context)["margin"]
        return self._decide(float(margin["search"] / margin["partner"]))


class DirectLoses(Exercise):
    id, answer, level, digits = "1.4-9", "direct_loses", "decide", 1
    nudge = 'Make the paths again with `only_if_alone=["direct"]`, compute the credit by "last", and subtract the two values of direct.'
    meaning = (
        "One word in the settings, and most of the best source is gone. Ask for the setting, not only for the rule."
    )

    def expected(self, context: Context) -> float:
        return float(_credit(context).loc["direct", "last"] - self._modest(context).loc["direct", "last"])

    def _modest(self, context: Context, window: str = "30 days") -> pd.DataFrame:
        return _credit(context, window=window, only_if_alone=["direct"])

    @wrong("That is what is left to direct. Asked is what it loses.")
    def what_is_left(self, context: Context) -> float:
        return float(self._modest(context).loc["direct", "last"])

    @wrong("That is the loss by first touch. Asked is last touch.")
    def by_first(self, context: Context) -> float:
        return float(_credit(context).loc["direct", "first"] - self._modest(context).loc["direct", "first"])

    @wrong("The number is asked for without a minus sign.")
    def with_a_sign(self, context: Context) -> float:
        return -self.expected(context)

    @wrong("You removed all visits by direct. Then it loses everything, also where nobody else was there.")
    def all_of_it(self, context: Context) -> float:
        return float(_credit(context).loc["direct", "last"])

    @wrong("That is the share of its credit that direct loses. The number of customers is asked for.")
    def share(self, context: Context) -> float:
        return self.expected(context) / float(_credit(context).loc["direct", "last"])

    @wrong("That is what email gains. Not only email takes over from direct.")
    def what_email_gains(self, context: Context) -> float:
        return float(self._modest(context).loc["email", "last"] - _credit(context).loc["email", "last"])


class Overstated(Exercise):
    id, answer, level, digits = "1.4-10", "overstated", "decide", 3
    nudge = 'Judge `later["points"] / 100` against `later["bought"]` and take `.bias`.'
    meaning = "Points sort, they do not promise. A plan made with them would expect three times the buyers that come."

    def expected(self, context: Context) -> float:
        return self._gap(context)

    def _gap(self, context: Context, on: int = 1) -> float:
        part = _parts(context)[on]
        return float(part["points"].mean() / 100 - part["bought"].astype(float).mean())

    @wrong("That is the mean of the points as a chance. Subtract the share that bought.")
    def the_mean_alone(self, context: Context) -> float:
        return float(_parts(context)[1]["points"].mean() / 100)

    @wrong("That is the share that bought. By how much do the points lie above it?")
    def the_rate_alone(self, context: Context) -> float:
        return float(_parts(context)[1]["bought"].astype(float).mean())

    @wrong("The sign: he is too high, so the number is positive.")
    def wrong_sign(self, context: Context) -> float:
        return -self._gap(context)

    @wrong("Those are the leads that the model learned from. Use `later`.")
    def on_the_past(self, context: Context) -> float:
        return self._gap(context, 0)

    @wrong(
        "That is the bias of the model that translates the points. The colleague takes the points themselves, divided by 100."
    )
    def the_translated_points(self, context: Context) -> float:
        return _judged(context, "points").bias

    @wrong("That is in points. Divide by 100: 20 points are a share of 0.20.")
    def in_points(self, context: Context) -> float:
        return self._gap(context) * 100


class BoughtBeforeScoring(Exercise):
    id, answer, level, digits = "1.4-11", "bought_before_scoring", "decide", 3
    nudge = "Keep the leads of `later` that bought, count the days from `created_on` to `converted_on`, and take the share of 7 days or less."
    meaning = (
        "So many were customers before anybody could have written to them. A score is worth something only for those who are "
        "left; judge it on them. (The lift stays about the same, the number of buyers falls.)"
    )

    def expected(self, context: Context) -> float:
        return self._share(context)

    def _share(self, context: Context, days: int = 7, on: int = 1) -> float:
        part = _parts(context)[on]
        buyers = part[part["bought"].astype(bool)]
        return float(((buyers["converted_on"] - buyers["created_on"]).dt.days <= days).mean())

    @wrong("You divided by all leads. Asked is the share of those who bought.")
    def of_all_leads(self, context: Context) -> float:
        part = _parts(context)[1]
        return float(((part["converted_on"] - part["created_on"]).dt.days <= 7).mean())

    @wrong("That is the share that bought later. Turn it round.")
    def later_instead(self, context: Context) -> float:
        return 1 - self._share(context)

    @wrong("You left out the seventh day: at most 7 days, so `<= 7`.")
    def seventh_day_left_out(self, context: Context) -> float:
        return self._share(context, 6)

    @wrong("You took everybody with a `converted_on`, also those who bought after their 60 days.")
    def late_buyers_too(self, context: Context) -> float:
        part = _parts(context)[1].dropna(subset="converted_on")
        return float(((part["converted_on"] - part["created_on"]).dt.days <= 7).mean())

    @wrong("Those are the leads of 2024. Use `later`.")
    def on_the_past(self, context: Context) -> float:
        return self._share(context, on=0)

    @wrong("That is the number of leads. The share is asked for.")
    def number(self, context: Context) -> int:
        part = _parts(context)[1]
        return round(self._share(context) * int(part["bought"].sum()))


class ActivatedInAWeek(Exercise):
    id, answer, level, digits = "1.4-12", "activated_in_a_week", "do", 3
    nudge = "Give `aarrr` a list with the changed definition and take `rate` of its only row."
    meaning = (
        "The customers are the same, the rate is lower: whoever compares two firms must first compare two definitions."
    )

    def expected(self, context: Context) -> float:
        return self._rate(context, within="7 days")

    def _rate(self, context: Context, column: str = "rate", place: int = 1, **changes: str) -> float:
        rate = funnels.AARRR[place]._replace(**changes)
        return float(funnels.aarrr(_people(context), [rate], as_of=END).loc[0, column])

    @wrong("That is the old definition with 30 days. `_replace` gives a new one: put that into the list.")
    def thirty_days(self, context: Context) -> float:
        return self._rate(context)

    @wrong("You changed the first definition, acquisition. Activation is `AARRR[1]`: Python counts from 0.")
    def acquisition_instead(self, context: Context) -> float:
        people = _people(context).assign(first_referral=pd.NaT)
        rate = funnels.AARRR[0]._replace(within="7 days")
        return float(funnels.aarrr(people, [rate], as_of=END).loc[0, "rate"])

    @wrong("You changed retention, the third definition. Activation is `AARRR[1]`.")
    def retention_instead(self, context: Context) -> float:
        return self._rate(context, place=2, within="7 days")

    @wrong("That is the number of people (`did`). The rate is asked for.")
    def people_instead(self, context: Context) -> float:
        return self._rate(context, "did", within="7 days")

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self.expected(context) * 100


class NaiveReturn(Exercise):
    id, answer, level, digits = "1.4-13", "naive_return", "decide", 2
    nudge = "Three numbers: the margin of the lines with code C11, the contacts of C11 times their price, and (margin − cost) ÷ cost."
    meaning = (
        "A splendid number, and it counts everybody who used a code as won by it. `shop.truth_effects` knows better: only about three in "
        "a hundred of those asked bought because of the promotion. Without a control group no firm can find that out."
    )

    def expected(self, context: Context) -> float:
        margin, paid = self._margin(context), self._paid(context)
        return (margin - paid) / paid

    def _margin(self, context: Context, goods: bool = True, refunds: bool = True) -> float:
        orders = context.load("shop").orders
        lines = orders[(orders["campaign_id"] == "C11") & (refunds | (orders["amount"] > 0))]
        return float((lines["amount"] - (lines["cost"] if goods else 0)).sum())

    def _paid(self, context: Context, arms: bool = True) -> float:
        shop = context.load("shop")
        contacts = shop.contacts["campaign_id"] == "C11"
        price = shop.campaigns.set_index("campaign_id").loc["C11", "cost_per_contact"]
        return float(contacts.sum() * price) if arms else float(price)

    @wrong("That is margin divided by cost. A return subtracts the cost first.")
    def cost_not_subtracted(self, context: Context) -> float:
        return self._margin(context) / self._paid(context)

    @wrong("You divided by the margin. A return divides by what was spent.")
    def of_the_margin(self, context: Context) -> float:
        margin = self._margin(context)
        return (margin - self._paid(context)) / margin

    @wrong("You took the revenue. The goods cost the shop money: margin is `amount` less `cost`.")
    def revenue_instead(self, context: Context) -> float:
        return (self._margin(context, goods=False) - self._paid(context)) / self._paid(context)

    @wrong("That is the gain in euros. Divide it by what the contacts cost.")
    def in_euros(self, context: Context) -> float:
        return self._margin(context) - self._paid(context)

    @wrong("That is the cost of one contact. Multiply by the number of contacts.")
    def one_contact(self, context: Context) -> float:
        margin, paid = self._margin(context), self._paid(context, arms=False)
        return (margin - paid) / paid

    @wrong("That is per cent. Give the factor: 3 for 300 %.")
    def per_cent(self, context: Context) -> float:
        return self.expected(context) * 100
