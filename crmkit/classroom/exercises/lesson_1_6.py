"""The exercises of lesson 1.6, churn warning and win-back."""

from typing import Any

import pandas as pd

from crmkit import lifecycle
from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.evaluation import experiments
from crmkit.lifecycle import churn, churn_evaluation, churn_features, churn_warning, win_back

HORIZONS = ["1 month", "2 months", "3 months", "6 months", "9 months", "12 months"]
KINDS = ["one order", "two orders", "three or more"]
FEATURES = ["days_under_contract", "monthly", "renewal_near", "price", "logins", "skips", "late", "complaints"]


def _silence(context: Context) -> pd.DataFrame:
    orders = context.load("shop").transactions
    return context.once("silence", lambda: churn.by_horizon(orders, cutoff="2024-12-31", horizons=HORIZONS))


def _cases_of(context: Context, day: Any) -> pd.DataFrame:
    """The subscribers of one cut-off: what was known, beside what came of it."""
    firm = context.load("subscription")
    labels = churn.labels_by_contract(
        firm.subscribers, firm.cancellations, cutoff=day, horizon="60 days", data_until="2025-12-31"
    )
    facts = churn_features.FeatureSet(labels, day)
    bills = firm.payments
    bills["noticed_on"] = bills["month"] + pd.Timedelta(days=8)
    bills["late"] = ~((bills["paid_on"] - bills["month"]).dt.days <= 7)
    facts.know("contracts", firm.subscribers, dated="started_on")
    facts.know("usage", firm.usage, dated="month", covers="month")
    facts.know("payments", bills, dated="noticed_on")
    facts.know("tickets", firm.tickets, dated="opened_at")
    facts.add("days_under_contract", "contracts", "days_since")
    facts.add("monthly", "contracts", "count", where={"plan": "monthly"})
    facts.add("price", "contracts", "last", "price")
    facts.add("logins", "usage", "sum", "logins", within="2 months")
    facts.add("skips", "usage", "sum", "skips", within="2 months")
    facts.add("late", "payments", "sum", "late", within="2 months")
    facts.add("complaints", "tickets", "count", within="2 months", where={"kind": "complaint"})
    facts.derive("signs", lambda known: known[["skips", "late", "complaints"]].sum(axis=1))
    facts.derive("renewal_near", lambda known: (known["monthly"] == 0) & (known["days_under_contract"] % 365 > 275))
    return churn_warning.examples(facts, labels)


def _cases(context: Context, year: int | None = None) -> pd.DataFrame:
    days = pd.date_range("2024-02-29", "2025-10-31", freq="2ME")
    cases = context.once("cases of churn", lambda: pd.concat([_cases_of(context, day) for day in days]))
    return cases if year is None else cases[cases["as_of"].dt.year == year]


def _costs() -> churn_evaluation.Costs:
    return churn_evaluation.Costs.of_call(call=6, value=150, saved=0.3)  # given in the lesson


def _lead(context: Context, way: str) -> pd.DataFrame:
    def make() -> dict[str, pd.DataFrame]:
        judged = churn_warning.walk_forward(_cases(context), FEATURES)
        judged = judged[judged["as_of"].dt.year == 2025]
        left_on = judged.loc[judged["left"], "left_on"]
        ways = {"model": judged["risk"] >= _costs().threshold, "two signs": judged["signs"] >= 2}
        return {
            name: churn_evaluation.lead_times(judged.assign(warned=warned), left_on) for name, warned in ways.items()
        }

    return context.once("lead times", make)[way]


def _test(context: Context) -> pd.DataFrame:
    """The letter of April 2025: everybody of the test, what they had done before, and whether they bought."""

    def make() -> pd.DataFrame:
        shop = context.load("shop")
        letter = shop.contacts.query("campaign_id == 'C07'").set_index("customer_id")
        before = lifecycle.summary(shop.transactions, as_of="2025-04-14")
        after = lifecycle.summary(shop.transactions.between("2025-04-15", "2025-07-13"))
        test = letter[["arm", "opened"]].join(before[["recency_days", "orders", "spend"]])
        test["bought"] = test.index.isin(after.index)
        test["orders before"] = pd.cut(test["orders"], [0, 1, 2, 999], labels=KINDS)
        test["response"] = shop.truth_customers.set_index("customer_id")["response"]
        lines = shop.orders.drop_duplicates()
        lines["margin"] = lines["amount"].astype(float) - lines["cost"].astype(float)
        earned = lines[lines["ordered_at"].between("2025-04-15", "2025-07-14")].groupby("customer_id")["margin"].sum()
        test["margin"] = earned.reindex(test.index).fillna(0)
        return test

    return context.once("letter", make)


def _shortlist(context: Context) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        shop = context.load("shop")
        surveys = shop.feedback.dropna(subset=["reason"]).sort_values("day")
        lost = lifecycle.summary(shop.transactions).query("recency_days >= 180")
        lost["reason"] = surveys.groupby("customer_id")["reason"].last().reindex(lost.index)
        lost["reason"] = lost["reason"].fillna("unknown")
        by_orders = experiments.uplift(_test(context), "bought", "orders before", design="randomised", group="arm")
        kind = pd.cut(lost["orders"], [0, 1, 2, 999], labels=KINDS)
        lost["chance"] = kind.map(by_orders["effect"]).astype(float)
        lost["value"] = 2.8 * 0.44 * lost["mean_order_value"]
        lost["consent"] = shop.customers.set_index("customer_id")["consent"]
        fitting = ["unknown", "price", "delivery", "quality", "range", "other"]
        return win_back.shortlist(lost, p_win="chance", cost=6, fitting=fitting, as_of="2025-12-31")

    return context.once("shortlist", make)


def _calls(context: Context, **options: Any) -> pd.DataFrame:
    plan = pd.DataFrame({"reason": ["unknown", "delivery", "quality", "range", "price"]})
    plan = plan.assign(action="Call", words="as the plan says", days_due=14)
    return win_back.call_list(_shortlist(context), plan, seed=1, **{"budget": 300, "control_share": 0.25} | options)


def _answers(context: Context) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        shop = context.load("shop")
        answers = shop.feedback.dropna(subset=["satisfaction"])
        answers = answers.merge(shop.customers[["customer_id", "region"]], on="customer_id")
        answers = answers[answers["day"] >= "2024-01-01"]
        return answers.assign(
            satisfaction=answers["satisfaction"].astype(float), quarter=answers["day"].dt.to_period("Q").astype(str)
        )

    return context.once("answers", make)


def _offers(context: Context) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        firm = context.load("subscription")
        offers = firm.offers.merge(firm.cancellations[["customer_id", "cancelled_on"]], on="customer_id", how="left")
        days = (offers["cancelled_on"] - offers["offered_on"]).dt.days
        return offers.assign(left=days.between(0, 120), accepted=offers["accepted_on"].notna())

    return context.once("offers", make)


class PointsApart(Exercise):
    id, answer, level, digits = "1.6-1", "points_apart", "do", 1
    nudge = 'Take the `rate` of the rows "2 months" and "6 months" of `silence`, subtract, and multiply by 100.'
    meaning = "The same customers, the same year: a churn rate without its definition says nothing."

    def _rates(self, context: Context, column: str = "rate") -> "pd.Series[float]":
        table = _silence(context)
        return table.set_axis(HORIZONS)[column]

    def expected(self, context: Context) -> float:
        rates = self._rates(context)
        return float((rates["2 months"] - rates["6 months"]) * 100)

    @wrong("That is a difference of shares. Percentage points are a hundred times as many.")
    def shares_instead_of_points(self, context: Context) -> float:
        return round(self.expected(context) / 100, 4)

    @wrong("The sign: the shorter silence gives the higher rate.")
    def wrong_way_round(self, context: Context) -> float:
        return -self.expected(context)

    @wrong("That is the difference in per cent of the smaller rate. Percentage points are the plain difference.")
    def per_cent_instead_of_points(self, context: Context) -> float:
        rates = self._rates(context)
        return float((rates["2 months"] / rates["6 months"] - 1) * 100)

    @wrong("You took `share_back`, those who came back. The churn rate is in the column `rate`.")
    def those_who_came_back(self, context: Context) -> float:
        back = self._rates(context, "share_back")
        return float((back["2 months"] - back["6 months"]) * 100)

    @wrong("You took the row of 3 months. The first manager waits for 2.")
    def three_months(self, context: Context) -> float:
        rates = self._rates(context)
        return float((rates["3 months"] - rates["6 months"]) * 100)

    @wrong("That is one of the two rates. Subtract the other one.")
    def one_rate_alone(self, context: Context) -> float:
        return float(self._rates(context)["2 months"] * 100)

    @wrong("That is right, but rounded too far. Give at least one digit after the point.")
    def rounded_too_far(self, context: Context) -> float:
        return float(round(self.expected(context)))


class SavedByRule(Exercise):
    id, answer, level, digits = "1.6-2", "saved_by_rule", "decide", 0
    nudge = "Find the smallest `cost` in `curve`, and subtract it from the `cost` of the first row, which calls nobody."
    meaning = (
        "Two signs are the cheapest. One sign catches far more leavers and saves less: most of those calls go to people "
        "who would have stayed."
    )

    def _curve(self, context: Context, year: int | None = 2024) -> pd.DataFrame:
        cases = _cases(context, year)
        return churn_evaluation.cost_curve(cases["signs"], cases["left"], _costs())

    def _saved_from(self, context: Context, threshold: float) -> float:
        cost = self._curve(context).set_index("threshold")["cost"]
        return float(cost.iloc[0] - cost[threshold])

    def expected(self, context: Context) -> float:
        cost = self._curve(context)["cost"]
        return float(cost.iloc[0] - cost.min())

    @wrong(
        "That is what the cheapest threshold costs. Asked is what it saves: subtract it from the cost of calling nobody."
    )
    def the_cost_itself(self, context: Context) -> float:
        return float(self._curve(context)["cost"].min())

    @wrong("You compared with calling everybody, the last row. Compare with calling nobody, the first one.")
    def against_everybody(self, context: Context) -> float:
        cost = self._curve(context)["cost"]
        return float(cost.iloc[-1] - cost.min())

    @wrong(
        "You took one sign, because it catches most, or because its precision is above 13 %. Look at the column `cost`: "
        "another threshold is cheaper."
    )
    def one_sign(self, context: Context) -> float:
        return self._saved_from(context, 1)

    @wrong(
        "You took three signs, whose warnings are mostly right. They are few, and most leavers are missed: look at the "
        "column `cost`."
    )
    def three_signs(self, context: Context) -> float:
        return self._saved_from(context, 3)

    @wrong("You used the cases of 2025. The rule is chosen on the past, 2024; the later year is for judging it.")
    def the_later_year(self, context: Context) -> float:
        cost = self._curve(context, 2025)["cost"]
        return float(cost.iloc[0] - cost.min())

    @wrong("You used both years. The rule is chosen on 2024 alone: use `past`.")
    def both_years(self, context: Context) -> float:
        cost = self._curve(context, None)["cost"]
        return float(cost.iloc[0] - cost.min())


class AskItAbout(Exercise):
    id, answer, level, points = "1.6-3", "ask_it_about", "decide", 2
    nudge = (
        "Which column alone tells leavers from stayers far better than anybody would expect? `separation` gives each "
        "column's `auc`. Write the name in quotation marks."
    )
    meaning = (
        "Too good to be true. Now the question for IT is: which rows were counted, and up to which day? The next cell "
        "counts them again."
    )

    def _sharpness(self, context: Context) -> pd.DataFrame:
        export = context.load("subscription").features_export
        left = export["left_within_60_days"]
        return churn_evaluation.separation(export.drop(columns="left_within_60_days"), left)

    def expected(self, context: Context) -> str:
        return str(self._sharpness(context).index[0])

    @wrong(
        "That column is what came of it: what the model shall find. It must know the future. Which *feature* knows it too?"
    )
    def the_label(self, context: Context) -> str:
        columns = context.load("subscription").features_export.columns
        return next(name for name in columns if name.startswith("left"))

    @wrong(
        "That one goes with leaving as it should: less of it, more leaving, and an `auc` that is believable. Is there one "
        "that is not?"
    )
    def the_second_sharpest(self, context: Context) -> str:
        return str(self._sharpness(context).index[1])

    @wrong(
        "A good suspicion: it rises before people leave. But its `auc` is near that of the honest ones, and you can count "
        "it again from a table with dates. Which column is far away from all others?"
    )
    def an_honest_sign(self, context: Context) -> str:
        auc = self._sharpness(context)["auc"].iloc[1:]
        return str(auc.idxmax())

    @wrong(
        "Count it again from the table with dates, as it was known on 31 May: you get the same numbers as IT. Which column "
        "does not pass that test?"
    )
    def another_honest_sign(self, context: Context) -> str:
        sharpness = self._sharpness(context)["auc"].iloc[1:]
        return str(sharpness.drop(sharpness.idxmax()).idxmax())

    @wrong(
        "Young contracts end more often, so this one ought to tell a little, and it does. It follows from the day of the "
        "start, which everybody knew. Which column tells far too much?"
    )
    def how_long_a_subscriber(self, context: Context) -> str:
        columns = context.load("subscription").features_export.columns
        return next(name for name in columns if name.startswith("tenure"))

    @wrong(
        "It is the same day in every row: what the file says of itself. The question is which column does not keep to it."
    )
    def the_date(self, context: Context) -> str:
        columns = context.load("subscription").features_export.columns
        return next(name for name in columns if name == "as_of")

    @wrong("The weakest of them is not suspicious. Look at the other end: which one is too strong?")
    def the_weakest(self, context: Context) -> str:
        return str(self._sharpness(context).index[-1])


class LetterEffect(Exercise):
    id, answer, level, digits = "1.6-4", "letter_effect", "do", 1
    nudge = (
        "Take the share of buyers among all who were sent the letter, minus the share in the control group, times 100."
    )
    meaning = "The control group says what would have happened anyway. The openers say who felt like opening a letter."

    def _share(self, context: Context, arm: str) -> float:
        test = _test(context)
        return float(test.loc[test["arm"] == arm, "bought"].mean() * 100)

    def _opened(self, context: Context, opened: bool = True) -> float:
        test = _test(context)
        rows = (test["arm"] == "contact") & (test["opened"] == opened).fillna(False)
        return float(test.loc[rows, "bought"].mean() * 100)

    def expected(self, context: Context) -> float:
        return self._share(context, "contact") - self._share(context, "control")

    @wrong("You compared the openers with those who did not open. Nobody drew lots about opening: buyers open more.")
    def openers_against_the_others(self, context: Context) -> float:
        return self._opened(context) - self._opened(context, False)

    @wrong(
        "You compared the openers with the control group. In it there are would-be openers too: take all who were sent it."
    )
    def openers_against_control(self, context: Context) -> float:
        return self._opened(context) - self._share(context, "control")

    @wrong(
        "That is the agency's figure: the buyers among the openers. Some of them would have bought without a letter."
    )
    def the_agencys_figure(self, context: Context) -> float:
        return self._opened(context)

    @wrong(
        "That is the share of buyers with the letter. Some of them would have bought anyway: subtract the control group's."
    )
    def without_control(self, context: Context) -> float:
        return self._share(context, "contact")

    @wrong("That is a difference of shares. Percentage points are a hundred times as many.")
    def shares_instead_of_points(self, context: Context) -> float:
        return round(self.expected(context) / 100, 4)

    @wrong("That is by how many per cent the share rose. Percentage points are the plain difference.")
    def per_cent_instead_of_points(self, context: Context) -> float:
        return (self._share(context, "contact") / self._share(context, "control") - 1) * 100

    @wrong("The sign: with the letter minus without it.")
    def wrong_way_round(self, context: Context) -> float:
        return -self.expected(context)

    @wrong("You compared the openers with all who were sent the letter. Compare those with the control group instead.")
    def openers_against_all_contacted(self, context: Context) -> float:
        return self._opened(context) - self._share(context, "contact")

    @wrong("That is right, but rounded too far. Give at least one digit after the point.")
    def rounded_too_far(self, context: Context) -> float:
        return float(round(self.expected(context)))


class BuyersAhead(Exercise):
    id, answer, level, points = "1.6-5", "buyers_ahead", "decide", 2
    nudge = (
        "For each list count the persuadable, who buy only with the letter, and take away those who must not be disturbed. "
        "Then subtract the manager's figure from yours."
    )
    meaning = "The same postage, some forty buyers more. Those in most danger were mostly beyond help."

    def _lists(self, context: Context) -> tuple[pd.DataFrame, pd.DataFrame]:
        test = _test(context)
        riskiest = test.sort_values("recency_days", ascending=False).head(200)
        frequent = test.sort_values(["orders", "recency_days"], ascending=[False, True]).head(200)
        return riskiest, frequent

    def _ahead(self, context: Context, weights: dict[str, int]) -> int:
        riskiest, frequent = (int(one["response"].map(weights).fillna(0).sum()) for one in self._lists(context))
        return frequent - riskiest

    def expected(self, context: Context) -> int:
        return self._ahead(context, {"persuadable": 1, "do not disturb": -1})

    @wrong(
        "You forgot that the letter also does harm: those who must not be disturbed would have bought without it. Take them "
        "away."
    )
    def harm_forgotten(self, context: Context) -> int:
        return self._ahead(context, {"persuadable": 1})

    @wrong("You counted everybody who buys with a letter. The sure things buy without it too: they are no gain.")
    def sure_things_counted(self, context: Context) -> int:
        return self._ahead(context, {"persuadable": 1, "sure thing": 1})

    @wrong("That is what your own list gains. By how many is it ahead of the manager's?")
    def your_list_alone(self, context: Context) -> int:
        counts = self._lists(context)[1]["response"].value_counts()
        return int(counts.get("persuadable", 0) - counts.get("do not disturb", 0))

    @wrong("That is what the manager's list gains. By how many is yours ahead of it?")
    def the_managers_list_alone(self, context: Context) -> int:
        counts = self._lists(context)[0]["response"].value_counts()
        return int(counts.get("persuadable", 0) - counts.get("do not disturb", 0))

    @wrong("You counted those who bought in the test. Half of these people got no letter then; use `response`.")
    def buyers_of_the_test(self, context: Context) -> int:
        riskiest, frequent = self._lists(context)
        return int(frequent["bought"].sum() - riskiest["bought"].sum())

    @wrong("The sign: yours minus the manager's.")
    def wrong_way_round(self, context: Context) -> int:
        return -self.expected(context)

    @wrong("You counted how many fewer lost causes your list has. Not all of the others are moved by the letter.")
    def fewer_lost_causes(self, context: Context) -> int:
        return -self._ahead(context, {"lost cause": 1})


class ValueCalled(Exercise):
    id, answer, level, digits = "1.6-6", "value_called", "decide", 0
    nudge = 'Call `win_back.call_list` with `budget=300` and `control_share=0.25`, keep the group "contact", add up `value`.'
    meaning = (
        "What the calls earn beyond their 300 euros, if a call works like a letter. Whether it does, the held-out quarter "
        "will show."
    )

    def _value(self, calls: pd.DataFrame, group: str | None = "contact") -> float:
        return float(calls.loc[calls["group"].eq(group) | (group is None), "value"].sum())

    def expected(self, context: Context) -> float:
        return self._value(_calls(context))

    @wrong("You added up the whole list. The control group is not called.")
    def control_group_included(self, context: Context) -> float:
        return self._value(_calls(context), None)

    @wrong("That is the control group, those who are left alone.")
    def only_the_control_group(self, context: Context) -> float:
        return self._value(_calls(context), "control")

    @wrong("That is the list shown above, for 240 euros. Make a new one for 300.")
    def the_list_above(self, context: Context) -> float:
        return self._value(_calls(context, budget=240, control_share=0.2))

    @wrong("The budget is right, but one customer in four shall be held out: `control_share=0.25`.")
    def a_fifth_held_out(self, context: Context) -> float:
        return self._value(_calls(context, control_share=0.2))

    @wrong("The budget is right, but one customer in four shall be held out: without saying it, one in ten is.")
    def a_tenth_held_out(self, context: Context) -> float:
        return self._value(_calls(context, control_share=0.1))

    @wrong("That is what the calls cost. Add up the column `value`.")
    def what_the_calls_cost(self, context: Context) -> float:
        calls = _calls(context)
        return float(calls.loc[calls["group"] == "contact", "cost"].sum())

    @wrong("You took away what the calls cost. `value` is the expected value: the cost is taken away in it already.")
    def cost_taken_away_twice(self, context: Context) -> float:
        calls = _calls(context)
        return float(calls.loc[calls["group"] == "contact", "value"].sub(calls["cost"]).sum())

    @wrong('You took the best of the list, as if nobody were held out. Called are those whose `group` is "contact".')
    def best_of_the_list(self, context: Context) -> float:
        calls = _calls(context)
        return float(calls["value"].nlargest((calls["group"] == "contact").sum()).sum())

    @wrong("That is the number of calls. Add up the column `value`.")
    def calls_counted(self, context: Context) -> int:
        return int((_calls(context)["group"] == "contact").sum())


class MyAdvice(Exercise):
    id, answer, level, points, digits = "1.6-7", "my_advice", "defend", 2, 2
    choices = ("repeat by lot", "triple the budget")
    nudge = 'The figure stands in `money`: row "incremental", column `roi`.'
    meaning = (
        "A tenth, with an interval from a clear loss to a clear gain: nothing that anybody should triple, and nothing "
        "that proves the letter useless."
    )
    rubric = (
        "Full marks: says what the 190 % counts (all that the contacted bought, the sure things included); says that the "
        "incremental return is not shown to differ from zero, which is not the same as zero; proposes what the next test "
        "shall change or measure (margin, number of letters, whom to leave out, the voucher). Half marks: only that the "
        "control group bought as well. No marks for 'the interval contains zero' without saying what it is the interval of."
    )

    def _roi(self, context: Context, reading: str = "incremental", column: str = "roi") -> float:
        effect = experiments.read_out(_test(context), "margin", design="randomised", group="arm")
        return float(experiments.profit(effect, margin=1, cost=1.20).loc[reading, column])

    def expected(self, context: Context) -> dict[str, float]:
        return {"repeat by lot": self._roi(context)}

    @wrong(
        "That is the return of the first line: it counts all that the contacted bought. Take what the letter caused."
    )
    def naive_return(self, context: Context) -> Defence:
        return defend(choice="repeat by lot", figure=self._roi(context, "naive"), because="")

    @wrong("The figure is right, and it speaks against you: a tenth, and its interval begins with a loss.")
    def chose_to_triple(self, context: Context) -> Defence:
        return defend(choice="triple the budget", figure=self._roi(context), because="")

    @wrong(
        "The first line counts what would have come without the letter too. Look at the second one, and think about your "
        "choice again."
    )
    def believed_the_first_line(self, context: Context) -> Defence:
        return defend(choice="triple the budget", figure=self._roi(context, "naive"), because="")

    @wrong("That is the profit in euros. Asked is the return on the money, the column `roi`.")
    def profit_instead_of_return(self, context: Context) -> Defence:
        return defend(choice="repeat by lot", figure=self._roi(context, column="profit"), because="")

    @wrong("That is a percentage. Give it as the table has it: 0.5 for 50 %.")
    def percentage(self, context: Context) -> Defence:
        return defend(choice="repeat by lot", figure=self._roi(context) * 100, because="")

    @wrong("That is an end of the interval. Give the estimate, and name the interval in your reasons.")
    def end_of_the_interval(self, context: Context) -> Defence:
        effect = experiments.read_out(_test(context), "margin", design="randomised", group="arm")
        roi = experiments.profit(effect, margin=1, cost=1.20).loc["incremental", "roi_low"]
        return defend(choice="repeat by lot", figure=float(roi), because="")


class DidByHand(Exercise):
    id, answer, level, digits = "1.6-8", "did_by_hand", "do", 2
    nudge = "Four means: city before and after, plain before and after. The change of city minus the change of plain."
    meaning = "By hand as by machine: two regions are less sure than five, but the idea is all there."

    def _mean(self, context: Context, region: str, *, after: bool, first: str = "2025Q2") -> float:
        answers = _answers(context)
        then = answers["quarter"] >= first if after else answers["quarter"] < "2025Q1"
        return float(answers.loc[then & (answers["region"] == region), "satisfaction"].mean())

    def _change(self, context: Context, region: str, first: str = "2025Q2") -> float:
        return self._mean(context, region, after=True, first=first) - self._mean(context, region, after=False)

    def expected(self, context: Context) -> float:
        return self._change(context, "city") - self._change(context, "plain")

    @wrong("That is how much city changed. Part of it happened in plain as well: subtract plain's change.")
    def before_and_after_alone(self, context: Context) -> float:
        return self._change(context, "city")

    @wrong("You compared city with plain afterwards. They differed before, too: subtract that difference.")
    def afterwards_alone(self, context: Context) -> float:
        return self._mean(context, "city", after=True) - self._mean(context, "plain", after=True)

    @wrong("You compared city with plain before it began. That is the second difference; the first one is missing.")
    def before_alone(self, context: Context) -> float:
        return self._mean(context, "city", after=False) - self._mean(context, "plain", after=False)

    @wrong("The sign: the change of city minus the change of plain.")
    def wrong_way_round(self, context: Context) -> float:
        return -self.expected(context)

    @wrong(
        "You took the first quarter of 2025 into the time after. City had the new delivery for one month of it only."
    )
    def with_the_first_quarter(self, context: Context) -> float:
        first = "2025Q1"
        return self._change(context, "city", first) - self._change(context, "plain", first)

    @wrong("You compared with lakes. The task says plain.")
    def with_lakes(self, context: Context) -> float:
        return self._change(context, "city") - self._change(context, "lakes")


class WarnedInTime(Exercise):
    id, answer, level, digits = "1.6-9", "warned_in_time", "do", 3
    nudge = 'In `lead["model"]` count the rows whose `lead_days` is 30 or more, and divide by all rows.'
    meaning = "So many could have been called in peace. The others were warned of late, or not at all."

    def expected(self, context: Context) -> float:
        return float((_lead(context, "model")["lead_days"] >= 30).mean())

    @wrong("You divided by those who were warned of. The leavers whom nobody saw coming belong to all leavers.")
    def of_the_warned(self, context: Context) -> float:
        return float((_lead(context, "model")["lead_days"].dropna() >= 30).mean())

    @wrong("That is the share who were warned of at all. Asked is at least 30 days before.")
    def warned_at_all(self, context: Context) -> float:
        return float(_lead(context, "model")["lead_days"].notna().mean())

    @wrong("That is the rule of two signs. Asked is the model.")
    def the_rule(self, context: Context) -> float:
        return float((_lead(context, "two signs")["lead_days"] >= 30).mean())

    @wrong("That is the number of leavers. Divide by all of them.")
    def count_instead_of_share(self, context: Context) -> int:
        return int((_lead(context, "model")["lead_days"] >= 30).sum())

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self.expected(context) * 100

    @wrong("That is the figure of the picture, rounded. Count, and give at least three digits.")
    def rounded_too_far(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("You left out those who were warned of exactly 30 days before. *At least* takes them in.")
    def more_than_thirty(self, context: Context) -> float:
        return float((_lead(context, "model")["lead_days"] > 30).mean())

    @wrong("Those were warned of *less* than 30 days before. Turn the comparison round.")
    def too_late(self, context: Context) -> float:
        return float((_lead(context, "model")["lead_days"] < 30).mean())


class SubscribersNeeded(Exercise):
    id, answer, level = "1.6-10", "subscribers_needed", "do"
    nudge = "`experiments.sample_size(-0.12, rate=0.40)` gives the called and the held out; add them up."
    meaning = "On a day Postmill has about 70 such subscribers, so the test takes more than a year. Better begin today."

    def expected(self, context: Context) -> int:
        return sum(experiments.sample_size(-0.12, rate=0.40))

    @wrong("That is one of the two groups. Asked is the number in all.")
    def one_group(self, context: Context) -> int:
        return experiments.sample_size(-0.12, rate=0.40).contacted

    @wrong("A call shall *lower* the share who leave: a fall is a negative effect.")
    def a_rise_instead(self, context: Context) -> int:
        return sum(experiments.sample_size(0.12, rate=0.40))

    @wrong("You took 12 % of the 40 %. The fall is 12 percentage points, from 40 to 28 in 100.")
    def twelve_per_cent_of_it(self, context: Context) -> int:
        return sum(experiments.sample_size(-0.12 * 0.40, rate=0.40))

    @wrong("`rate` is the share who leave *without* a call: 0.40, not what is hoped for.")
    def from_the_hoped_for_share(self, context: Context) -> int:
        return sum(experiments.sample_size(-0.12, rate=0.28))

    @wrong("Half of them shall be held out, which is the default: leave `control_share` out.")
    def a_tenth_held_out(self, context: Context) -> int:
        return sum(experiments.sample_size(-0.12, rate=0.40, control_share=0.1))


class ReportOffBy(Exercise):
    id, answer, level, digits = "1.6-11", "report_off_by", "decide", 1
    nudge = (
        "The report: share left among those who accepted minus among those who were offered and did not accept. The lot: "
        "share left in contact minus control. Subtract the second from the first, in percentage points."
    )
    meaning = (
        "Whoever accepts a reason to stay was likelier to stay. The report's figure is not the effect, however near it "
        "may come by luck."
    )

    def _report(self, context: Context) -> float:
        offered = _offers(context).query("arm == 'contact'")
        share = offered.groupby("accepted")["left"].mean()
        return float((share[True] - share[False]) * 100)

    def _randomised(self, context: Context) -> float:
        share = _offers(context).groupby("arm")["left"].mean()
        return float((share["contact"] - share["control"]) * 100)

    def expected(self, context: Context) -> float:
        return self._report(context) - self._randomised(context)

    @wrong("That is the report's own difference. Asked is how far it is from the randomised effect.")
    def the_report_itself(self, context: Context) -> float:
        return self._report(context)

    @wrong("That is the randomised effect. Asked is how far the report is from it.")
    def the_randomised_effect(self, context: Context) -> float:
        return self._randomised(context)

    @wrong("The sign: report minus randomised.")
    def wrong_way_round(self, context: Context) -> float:
        return -self.expected(context)

    @wrong(
        "You counted the control group among those who did not accept. They were not asked: the report compares people who "
        "were offered."
    )
    def control_among_the_refusers(self, context: Context) -> float:
        share = _offers(context).groupby("accepted")["left"].mean()
        return float((share[True] - share[False]) * 100) - self._randomised(context)

    @wrong("Those are shares. Percentage points are a hundred times as many.")
    def shares_instead_of_points(self, context: Context) -> float:
        return round(self.expected(context) / 100, 4)

    @wrong("You added the two. How far is one from the other?")
    def added(self, context: Context) -> float:
        return self._report(context) + self._randomised(context)
