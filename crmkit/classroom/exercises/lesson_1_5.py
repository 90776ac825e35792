"""The exercises of lesson 1.5, retention and lifetime value."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from crmkit import evaluation
from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.lifecycle import retention, value

SEPTEMBER, YEAR_END = "1997-09-30", "2025-12-31"


def _known(context: Context, **options: Any) -> pd.DataFrame:
    """CDNOW's customers as of 30 September 1997, in weeks unless told otherwise."""
    return context.summary("cdnow", **{"as_of": SEPTEMBER, "unit": "weeks"} | options)


def _fitted(context: Context, model: type = value.BetaGeometric, **options: Any) -> Any:
    def fit() -> Any:
        with warnings.catch_warnings(action="ignore"):  # a mistake may well give a doubtful model
            return model().fit(_known(context, **options))

    return context.once((model.TITLE, *sorted(options.items())), fit)


def _held(context: Context) -> pd.DataFrame:
    music = context.load("cdnow").transactions
    options = {"calibration_until": SEPTEMBER, "horizon": "39 weeks", "unit": "weeks"}
    return context.once("held out", lambda: value.holdout(music, **options))


def _card(context: Context) -> pd.DataFrame:
    return context.once("card", lambda: value.scorecard(_fitted(context), _held(context))).table


class AgeAtLast(Exercise):
    id, answer, level, digits = "1.5-1", "age_at_last", "do", 2
    nudge = "Which purchases are known on 30 September 1997? Count the days from the first of them to the last of them, and divide by seven."
    meaning = (
        "`t_x` is an age: the clock starts at the customer's own first purchase. The silence since then is T − t_x."
    )

    def _days(self, context: Context) -> pd.Series:
        music = context.load("cdnow").transactions
        days = music.where("customer_id", "00881").table.to_pandas()["day"]
        return pd.to_datetime(days).sort_values(ignore_index=True)

    def expected(self, context: Context) -> float:
        return float(_known(context).loc["00881", "t_x"])

    @wrong("That is the silence: from the last purchase to today. Asked is the age at the last purchase.")
    def silence_instead_of_age(self, context: Context) -> float:
        row = _known(context).loc["00881"]
        return float(row["T"] - row["t_x"])

    @wrong("That is T, the age today. Asked is the age at the last purchase.")
    def age_today(self, context: Context) -> float:
        return float(_known(context).loc["00881", "T"])

    @wrong("The purchase of April 1998 lies in the future: it is 30 September 1997.")
    def the_future_known(self, context: Context) -> float:
        days = self._days(context)
        return (days.iloc[-1] - days.iloc[0]).days / 7

    @wrong("That is in days. A week is seven days.")
    def days_instead_of_weeks(self, context: Context) -> float:
        return self.expected(context) * 7

    @wrong("You counted from 1 January. The clock starts at the customer's own first purchase, on 4 January.")
    def from_new_year(self, context: Context) -> float:
        days = self._days(context)
        return (days[days <= SEPTEMBER].iloc[-1] - pd.Timestamp("1997-01-01")).days / 7

    @wrong("Nearly: you rounded to one digit. Give two digits after the point.")
    def one_digit(self, context: Context) -> float:
        return round(self.expected(context), 1)

    @wrong("You rounded down to whole weeks. Keep the fraction: it will matter in this lesson.")
    def whole_weeks(self, context: Context) -> float:
        return float(self.expected(context) // 1)


class BackIn60Days(Exercise):
    id, answer, level, digits = "1.5-3", "back_in_60_days", "decide", 3
    nudge = (
        'Call `retention.bought_again(music, within="60 days", as_of="1997-03-31")` and take `["estimate"].iloc[0]`.'
    )
    meaning = "Twelve months later one can count it: 25.5 % came back within 60 days. The estimate was near; the owner's 21 % took the youngest customers for lost."

    def _again(self, context: Context, column: str, **options: Any) -> float:
        music = context.load("cdnow").transactions
        wanted = {"within": "60 days", "as_of": "1997-03-31"} | options
        return float(retention.bought_again(music, **wanted)[column].iloc[0])

    def expected(self, context: Context) -> float:
        return self._again(context, "estimate")

    @wrong("That is the owner's figure. Whoever was won in March had no 60 days yet to come back.")
    def all_customers_below(self, context: Context) -> float:
        early = context.summary("cdnow", as_of="1997-03-31")
        return float((early["x"] > 0).mean())

    @wrong("That is `share`: it takes only those whose 60 days are over. Take `estimate`, which uses everybody.")
    def only_those_observed(self, context: Context) -> float:
        return self._again(context, "share")

    @wrong("You looked into the future: without `as_of` all data up to June 1998 are used.")
    def without_as_of(self, context: Context) -> float:
        return self._again(context, "estimate", as_of=None)

    @wrong("With two digits `share` and `estimate` look alike. Give `estimate` with three digits after the point.")
    def two_digits(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("That is the owner's 21 %. He counts customers of March, who had no 60 days yet to come back.")
    def the_owners_figure(self, context: Context) -> float:
        return round(self.all_customers_below(context), 2)

    @wrong("That is the share that did NOT come back.")
    def not_back(self, context: Context) -> float:
        return 1 - self.expected(context)

    @wrong("You divided those of the 60-day group who came back by all customers. Both must be the same people.")
    def wrong_people_below(self, context: Context) -> float:
        return self._again(context, "again") / self._again(context, "customers")

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self.expected(context) * 100


class Published(Exercise):
    id, answer, level, digits = "1.5-4", "published", "do", 3
    nudge = "`value.BetaGeometric().fit(known)` gives the model; its `parameters_` are the four numbers."
    meaning = "Four digits of a paper of 2005, found again from the raw orders. Now you know that unit, ages and data are those of the authors."

    def expected(self, context: Context) -> pd.Series:
        return _fitted(context).parameters_

    @wrong("alpha is seven times too large: your summary is in days. Take the one in weeks, `known`.")
    def in_days(self, context: Context) -> pd.Series:
        return _fitted(context, unit="days").parameters_

    @wrong(
        'Your ages are whole weeks, rounded down. A customer of 10 days is 1.43 weeks old: leave out `ages="whole"`.'
    )
    def whole_weeks(self, context: Context) -> pd.Series:
        return _fitted(context, ages="whole").parameters_

    @wrong("You used all 78 weeks. The authors, and you on 30 September 1997, know 39: use `known`.")
    def the_future_known(self, context: Context) -> pd.Series:
        return _fitted(context, as_of=None).parameters_

    @wrong("You left out the customers who bought once. They are six in ten, and they say most about the rates.")
    def repeat_buyers_only(self, context: Context) -> pd.Series:
        known = _known(context)
        return value.BetaGeometric().fit(known[known["x"] > 0]).parameters_

    @wrong("That is MBG/NBD, the modified model. The published four belong to `BetaGeometric`.")
    def the_modified_model(self, context: Context) -> pd.Series:
        return _fitted(context, value.ModifiedBetaGeometric).parameters_

    @wrong("Those are the standard errors. The parameters are in `parameters_`.")
    def standard_errors(self, context: Context) -> pd.Series:
        return _fitted(context).standard_errors_


class OrdersExpected(Exercise):
    id, answer, level, digits = "1.5-5", "orders_expected", "do", 0
    nudge = "Give the method 39 and the three columns of `known`, then add up its result with `.sum()`."
    meaning = "Two programs, written independently, agree to the order. That is the best test of a program there is."

    def expected(self, context: Context) -> float:
        return self._sum(context, "39 weeks")

    def _sum(self, context: Context, horizon: str) -> float:
        return float(_fitted(context).expected_purchases(_known(context), horizon).sum())

    @wrong("You looked 39 × 7 weeks ahead. The model's unit is weeks: give it 39.")
    def days_for_weeks(self, context: Context) -> float:
        return self._sum(context, "273 weeks")

    @wrong("That is the mean of a customer. The head of purchasing needs the sum.")
    def mean_instead_of_sum(self, context: Context) -> float:
        return self.expected(context) / len(_known(context))

    @wrong("You looked one week ahead. The hold-out has 39.")
    def one_week(self, context: Context) -> float:
        return self._sum(context, "1 weeks")

    @wrong("You multiplied one week by 39. Some customers leave on the way, so later weeks bring fewer orders.")
    def one_week_times_39(self, context: Context) -> float:
        return self._sum(context, "1 weeks") * 39

    @wrong("That is what they bought so far, the sum of `x`. Asked is what is still to come.")
    def the_past(self, context: Context) -> float:
        return float(_known(context)["x"].sum())

    @wrong("That is for customers who are new today: `expected_number_of_purchases_up_to_time` knows no history.")
    def without_history(self, context: Context) -> float:
        return _fitted(context).expected_new("39 weeks") * len(_known(context))


class RCalendar(Exercise):
    id, answer, level, digits = "1.5-6", "r_calendar", "decide", 3
    nudge = 'Make the summary with `freq="W"` and `observation_period_end="1997-09-30"`, fit a `BetaGeoFitter` to `frequency`, `recency`, `T`, and take `.params_["r"]`.'
    meaning = "A fifth more than the published .243, from the same orders. Nothing warned the colleague."

    def _calendar(self, context: Context, until: str | None = SEPTEMBER) -> pd.DataFrame:
        """Calendar weeks counted plainly: what `freq="W"` does, without importing lifetimes for a check."""
        table = context.load("cdnow").transactions.table.select("customer_id", "day").to_pandas()
        days = pd.to_datetime(table["day"])
        end = days.max() if until is None else pd.Timestamp(until)
        monday = pd.Timestamp("1996-12-30")
        last = (end - monday).days // 7
        seen = days < monday + pd.Timedelta(days=7 * (last + 1))  # lifetimes takes the whole last week, future included
        weeks = ((days[seen] - monday).dt.days // 7).groupby(table.loc[seen, "customer_id"])
        first = weeks.min()
        frame = pd.DataFrame({"x": weeks.nunique() - 1, "t_x": weeks.max() - first, "T": last - first}).astype(float)
        frame.attrs = {"unit": "weeks"}
        return frame

    def _fit(self, frame: pd.DataFrame) -> pd.Series:
        with warnings.catch_warnings(action="ignore"):
            return value.BetaGeometric().fit(frame).parameters_

    def expected(self, context: Context) -> float:
        return float(self._fit(self._calendar(context))["r"])

    @wrong('That is the published r, from days divided by seven. The colleague made the summary with `freq="W"`.')
    def days_by_seven(self, context: Context) -> float:
        return float(_fitted(context).parameters_["r"])

    @wrong("You forgot `observation_period_end`: without it the data up to June 1998 are used.")
    def the_future_known(self, context: Context) -> float:
        return float(self._fit(self._calendar(context, None))["r"])

    @wrong("That is alpha. Asked is `r`.")
    def alpha_instead(self, context: Context) -> float:
        return float(self._fit(self._calendar(context))["alpha"])

    @wrong("You rounded our weeks down. Calendar weeks are another thing: they count Mondays.")
    def rounded_down(self, context: Context) -> float:
        return float(_fitted(context, ages="whole").parameters_["r"])

    @wrong("That is the difference to the published r. Asked is r itself.")
    def change_of_r(self, context: Context) -> float:
        return self.expected(context) - self.days_by_seven(context)


class MaeGain(Exercise):
    id, answer, level, digits = "1.5-7", "mae_gain", "decide", 3
    nudge = 'The MAE of the zeros is the mean of `x_holdout`; that of the model the mean of `(forecast - held["x_holdout"]).abs()`. Subtract the second from the first.'
    meaning = "One hundredth of an order. By this measure a model and no model are nearly the same: so the measure is not the one to judge by."

    def _errors(self, context: Context) -> tuple[pd.Series, pd.Series]:
        """What came, and how far the forecast missed it."""
        held = _held(context)
        return held["x_holdout"], _fitted(context).expected_purchases(held, "39 weeks") - held["x_holdout"]

    def expected(self, context: Context) -> float:
        came, miss = self._errors(context)
        return float(came.mean() - miss.abs().mean())

    @wrong("The sign: how much SMALLER is the model's error? Subtract the model's from that of the zeros.")
    def wrong_way_round(self, context: Context) -> float:
        return -self.expected(context)

    @wrong("That is the model's own MAE. Subtract it from the MAE of the zeros.")
    def of_the_model(self, context: Context) -> float:
        return float(self._errors(context)[1].abs().mean())

    @wrong("That is the MAE of the zeros. Subtract the model's MAE from it.")
    def of_the_zeros(self, context: Context) -> float:
        return float(self._errors(context)[0].mean())

    @wrong("You took the errors with their signs, and plus and minus cancelled. Take `.abs()` first.")
    def without_absolute(self, context: Context) -> float:
        came, miss = self._errors(context)
        return float(came.mean() - abs(miss.mean()))

    @wrong("Those are root mean squared errors. The MAE has no squares (and that is its weakness, see below).")
    def squared(self, context: Context) -> float:
        came, miss = self._errors(context)
        return float(np.sqrt((came**2).mean()) - np.sqrt((miss**2).mean()))

    @wrong("You divided by the MAE of the zeros. The difference itself is asked for, in orders a customer.")
    def relative(self, context: Context) -> float:
        return self.expected(context) / self.of_the_zeros(context)

    @wrong("Nearly: you rounded to two digits. Give three digits after the point.")
    def two_digits(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("That is the sum over all customers. The mean is asked for.")
    def sum_instead_of_mean(self, context: Context) -> float:
        return self.expected(context) * len(_held(context))

    @wrong("You looked only at those who bought. The error is a mean over all customers.")
    def buyers_only(self, context: Context) -> float:
        came, miss = self._errors(context)
        return float(came[came > 0].mean() - miss[came > 0].abs().mean())


class SureBought(Exercise):
    id, answer, level, digits = "1.5-8", "sure_bought", "decide", 3
    nudge = "Make `bg_nbd.probability_alive(held) > 0.99`, use it to pick rows of `held`, and take the mean of `x_holdout > 0`."
    meaning = "The model is surest of exactly those who come least. Who are they? Look at their `x`, and think of the coin in the story."

    def _bought(self, context: Context) -> tuple[pd.Series, pd.Series]:
        held = _held(context)
        return _fitted(context).probability_alive(held) > 0.99, held["x_holdout"]

    def expected(self, context: Context) -> float:
        sure, came = self._bought(context)
        return float((came[sure] > 0).mean())

    @wrong("Those are the other customers, of whom the model is less sure. Surprising, is it not? Now the sure ones.")
    def the_others(self, context: Context) -> float:
        sure, came = self._bought(context)
        return float((came[~sure] > 0).mean())

    @wrong("That is the mean P(alive), what the model believes. Asked is what happened: the share that bought.")
    def the_belief(self, context: Context) -> float:
        sure, _ = self._bought(context)
        return float(_fitted(context).probability_alive(_held(context))[sure].mean())

    @wrong("That is how often they bought on average. Asked is the share that bought at least once: `> 0` first.")
    def mean_purchases(self, context: Context) -> float:
        sure, came = self._bought(context)
        return float(came[sure].mean())

    @wrong("That is the number of customers. Divide by all of whom the model is sure.")
    def count_instead_of_share(self, context: Context) -> int:
        sure, came = self._bought(context)
        return int((came[sure] > 0).sum())

    @wrong("You divided by all 2,357 customers. Divide by those of whom the model is sure.")
    def share_of_all(self, context: Context) -> float:
        sure, came = self._bought(context)
        return float((sure & (came > 0)).mean())

    @wrong("That is the share that did NOT buy.")
    def not_bought(self, context: Context) -> float:
        return 1 - self.expected(context)

    @wrong("That is the share of customers of whom the model is sure. What share of these bought?")
    def share_of_sure_ones(self, context: Context) -> float:
        return float(self._bought(context)[0].mean())

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self.expected(context) * 100

    @wrong("Nearly: you rounded to two digits. Give three digits after the point.")
    def two_digits(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("You took all customers. Only those with P(alive) above 0.99 are asked for.")
    def everybody(self, context: Context) -> float:
        return float((self._bought(context)[1] > 0).mean())


class MyBudget(Exercise):
    id, answer, level, points, digits = "1.5-9", "my_budget", "defend", 2, 2
    choices = ("BG/NBD", "days since last order", "same rate as before", "nobody buys")
    nudge = 'The figure is `card.table.loc["…", "bias"]` of your choice: predicted / actual − 1.'
    meaning = "Both the model and the rule by silence miss by about an eighth, downwards. Whoever signs should say so, and add the season by hand."
    rubric = (
        "Full marks: chooses by the total and not by the MAE; names the bias with its interval; says why both defensible "
        "predictors are too low here (a Christmas in the hold-out, none in the calibration; the burst of March 1998), so that "
        "the bias of the next year may differ. Half marks: the right figure with 'it is the best model'. A reason for 'days "
        "since last order' (no model needed, nearly as good for a total) is worth full marks too."
    )

    def expected(self, context: Context) -> dict[str, float]:
        bias = _card(context)["bias"]
        return {choice: float(bias[choice]) for choice in ("BG/NBD", "days since last order")}

    def _answer(self, context: Context, choice: str, column: str = "bias") -> Defence:
        return defend(choice=choice, figure=float(_card(context).loc[choice, column]), because="")

    @wrong("It forgets that people leave: more than half too many orders, and a full store-room in June.")
    def same_rate(self, context: Context) -> Defence:
        return self._answer(context, "same rate as before")

    @wrong("Its MAE is small and its total is nothing: purchasing would order nothing at all.")
    def nobody(self, context: Context) -> Defence:
        return self._answer(context, "nobody buys")

    @wrong("A good choice. But the figure is its MAE, an error per customer; for a total the bias decides.")
    def mae_as_figure(self, context: Context) -> Defence:
        return self._answer(context, "BG/NBD", "mae")

    @wrong("A good choice. The figure is the total itself; give its bias: predicted / actual − 1.")
    def total_as_figure(self, context: Context) -> Defence:
        return self._answer(context, "BG/NBD", "predicted_total")

    @wrong("A good choice. The figure is a percentage; write it as a share, 10 % too few is -0.1.")
    def percentage(self, context: Context) -> Defence:
        return defend(choice="BG/NBD", figure=100 * self.expected(context)["BG/NBD"], because="")

    @wrong("A good choice. The figure is a whole percentage; write it as a share, 10 % too few is -0.1.")
    def whole_percentage(self, context: Context) -> Defence:
        return defend(choice="BG/NBD", figure=round(100 * self.expected(context)["BG/NBD"]), because="")

    @wrong("A good choice. The sign is missing: the model expects too FEW orders.")
    def without_sign(self, context: Context) -> Defence:
        return defend(choice="BG/NBD", figure=-self.expected(context)["BG/NBD"], because="")


class HighestBid(Exercise):
    id, answer, level, digits = "1.5-10", "highest_bid", "decide", 1
    nudge = '30 % of 32.99, plus the `clv` of `just_won`: `value.customer_lifetime_value(bg_nbd, money, just_won, …)` with `horizon="24 months"`, `margin=0.3`, `discount=0.1` and `unit="weeks"`.'
    meaning = "Above this bid an average customer has not paid back after two years. It is a ceiling, not an aim."

    def _clv(
        self, context: Context, *, horizon: str = "24 months", margin: float = 0.3, discount: float = 0.1
    ) -> float:
        known = _known(context)
        money = context.once("gamma-gamma", lambda: value.GammaGamma().fit(known[known["x"] > 0]))
        new = pd.DataFrame({"x": [0.0], "t_x": [0.0], "T": [0.0], "mean_repeat_value": [np.nan]})
        options = {"horizon": horizon, "margin": margin, "discount": discount, "unit": "weeks"}
        return float(value.customer_lifetime_value(_fitted(context), money, new, **options)["clv"].iloc[0])

    def expected(self, context: Context) -> float:
        return 0.3 * 32.99 + self._clv(context)

    @wrong("The first purchase is missing: its margin comes back too.")
    def without_the_first(self, context: Context) -> float:
        return self._clv(context)

    @wrong("Of the first purchase only the margin comes back, 30 % of 32.99. The rest pays for the records.")
    def turnover_of_the_first(self, context: Context) -> float:
        return 32.99 + self._clv(context)

    @wrong("That is for 12 months. The head of marketing gives 24.")
    def twelve_months(self, context: Context) -> float:
        return 0.3 * 32.99 + self._clv(context, horizon="12 months")

    @wrong("You valued the turnover. Only the margin, 30 %, can pay for advertising.")
    def turnover(self, context: Context) -> float:
        return 32.99 + self._clv(context, margin=1.0)

    @wrong("You took the turnover of the later orders. Of them, too, only the margin comes back: `margin=0.3`.")
    def turnover_of_the_later(self, context: Context) -> float:
        return 0.3 * 32.99 + self._clv(context, margin=1.0)

    @wrong("You took the margin twice: `clv` is a margin already. Only the first purchase is multiplied by 0.3.")
    def margin_twice(self, context: Context) -> float:
        return 0.3 * (32.99 + self._clv(context))

    @wrong("You forgot to discount: money of next year is worth less today.")
    def not_discounted(self, context: Context) -> float:
        return 0.3 * 32.99 + self._clv(context, discount=0.0)

    @wrong("You doubled the first year. Some customers leave on the way, so the second year brings less.")
    def twice_a_year(self, context: Context) -> float:
        return 0.3 * 32.99 + 2 * self._clv(context, horizon="12 months")


def _contracts(context: Context) -> pd.DataFrame:
    postmill = context.load("subscription")
    return postmill.subscribers.merge(postmill.cancellations[["customer_id", "cancelled_on"]], how="left")


class HalfHaveLeft(Exercise):
    id, answer, level, digits = "1.5-2", "half_have_left", "decide", 1
    nudge = 'Keep the rows of `curve` with plan "monthly", of those the rows with `survival` 0.5 or less, and take the smallest `age`.'
    meaning = "Half stay for eleven months or more. Asking only those who left would have said four."

    def _half(self, context: Context, unit: str = "months", **plan: Any) -> float:
        contracts = _contracts(context)
        chosen = contracts[contracts["plan"] == plan["plan"]] if plan else contracts
        curve = retention.kaplan_meier(chosen, ended="cancelled_on", as_of=YEAR_END, unit=unit)
        return float(curve.loc[curve["survival"] <= 0.5, "age"].min())

    def expected(self, context: Context) -> float:
        return self._half(context, plan="monthly")

    def _stays(self, context: Context, *, running: bool) -> pd.Series:
        monthly = _contracts(context).query("plan == 'monthly'")
        ends = monthly["cancelled_on"].fillna(pd.Timestamp(YEAR_END)) if running else monthly["cancelled_on"]
        return (ends - monthly["started_on"]).dt.days / 30.4375

    @wrong("That is the median of those who LEFT. Those who are still there count too: read the curve.")
    def median_of_the_leavers(self, context: Context) -> float:
        return float(self._stays(context, running=False).median())

    @wrong("That is the mean stay of those who LEFT. Those who stay longest are missing from it.")
    def mean_of_the_leavers(self, context: Context) -> float:
        return float(self._stays(context, running=False).mean())

    @wrong("You let everybody leave today. Those still there have stayed at least so long: read the curve.")
    def as_if_all_left_today(self, context: Context) -> float:
        return float(self._stays(context, running=True).median())

    @wrong("You rounded to whole months. Give the `age` with one digit after the point.")
    def whole_months(self, context: Context) -> float:
        return float(round(self.expected(context)))

    @wrong("That is for both plans together. Only the monthly one is asked for.")
    def both_plans(self, context: Context) -> float:
        return self._half(context)

    @wrong("That is the annual plan.")
    def the_annual_plan(self, context: Context) -> float:
        return self._half(context, plan="annual")

    @wrong("That is the last age in the curve. Look for the first one at which `survival` is 0.5 or less.")
    def the_last_age(self, context: Context) -> float:
        return float(self._stays(context, running=True).max())

    @wrong("That is in days. The column `age` of `curve` is in months.")
    def in_days(self, context: Context) -> float:
        return self._half(context, unit="days", plan="monthly")


class TimesAsMuch(Exercise):
    id, answer, level, digits = "1.5-11", "times_as_much", "decide", 2
    nudge = "Divide `sbg.residual_lifetime(12, discount=0.1)` by `sbg.residual_lifetime(0, discount=0.1)`."
    meaning = "Nearly twice as much. The benefit is real in the table; what causes it, the table does not say."

    def _model(self, context: Context) -> value.ShiftedBetaGeometric:
        contracts = _contracts(context)
        early = contracts[(contracts["plan"] == "monthly") & (contracts["started_on"] < "2023-07-01")]
        stayed = (early["cancelled_on"] - early["started_on"]).dt.days / 30.4375
        survivors = [int((~(stayed <= month)).sum()) for month in range(13)]
        return value.ShiftedBetaGeometric().fit(survivors, period="1 month")

    def expected(self, context: Context) -> float:
        return self._left(context, 12) / self._left(context, 0)

    def _left(self, context: Context, renewals: int, discount: float = 0.1) -> float:
        return self._model(context).residual_lifetime(renewals, discount=discount)

    @wrong("The other way round: the one who has renewed 12 times, divided by the one who decides for the first time.")
    def wrong_way_round(self, context: Context) -> float:
        return 1 / self.expected(context)

    @wrong("That is the difference in payments. Asked is how many TIMES as much: divide.")
    def difference_in_payments(self, context: Context) -> float:
        return self._left(context, 12) - self._left(context, 0)

    @wrong("Nearly: you rounded to one digit. Give two digits after the point.")
    def one_digit(self, context: Context) -> float:
        return round(self.expected(context), 1)

    @wrong("You compared with one renewal. Whoever decides for the first time has renewed 0 times.")
    def one_renewal(self, context: Context) -> float:
        return self._left(context, 12) / self._left(context, 1)

    @wrong("That is how many payments are to come after 12 renewals. Divide by the same after none.")
    def only_the_old(self, context: Context) -> float:
        return self._left(context, 12)

    @wrong("That is the quotient of two retention rates. Value adds up all renewals to come: `residual_lifetime`.")
    def rates_divided(self, context: Context) -> float:
        rates = self._model(context).retention_rate(13)
        return float(rates.loc[13] / rates.loc[1])

    @wrong("A discount of 10 % is 0.1, a year. You discounted by 1 %.")
    def one_per_cent(self, context: Context) -> float:
        return self._left(context, 12, 0.01) / self._left(context, 0, 0.01)

    @wrong(
        "That would be so if everybody left with the same chance: then the past says nothing. It is the formula's world."
    )
    def constant_rate(self, context: Context) -> float:
        rate = float(self._model(context).survival(12).loc[12] ** (1 / 12))
        lifetimes = [sum((rate / 1.1 ** (1 / 12)) ** month for month in range(600)) for _ in (12, 0)]
        return lifetimes[0] / lifetimes[1]


class CostOfOneKept(Exercise):
    id, answer, level, digits = "1.5-12", "cost_of_one_kept", "decide", 2
    nudge = "100 letters cost 120 euros. How many of these 100 came back who would not have come without a letter?"
    meaning = "Two thirds of what a new customer costs, if one counts customers. The next cells ask how sure that is, and count money."
    COST = 1.2  # a letter, given in the text of the task

    def _effect(self, context: Context) -> Any:
        harbour = context.load("shop")
        letter = harbour.campaigns.query("kind == 'win-back'").iloc[0]
        people = harbour.contacts[harbour.contacts["campaign_id"] == letter["campaign_id"]]
        sent = pd.Timestamp(letter["sent_on"])
        orders = harbour.orders[harbour.orders["amount"] >= 0]
        waited = (orders["ordered_at"] - sent).dt.days
        back = people["customer_id"].isin(orders.loc[waited.between(0, 89), "customer_id"])
        table = people.assign(bought=back, group=people["arm"])
        return evaluation.experiments.read_out(table, "bought", design="randomised")

    def expected(self, context: Context) -> float:
        return self.COST / self._effect(context).estimate

    @wrong("You divided by all who came back after a letter. Some would have come anyway: subtract the control group.")
    def without_control_group(self, context: Context) -> float:
        return self.COST / self._effect(context).means["contact"]

    @wrong("You divided by those who came back WITHOUT a letter. The letter is worth the difference.")
    def by_the_control_group(self, context: Context) -> float:
        return self.COST / self._effect(context).means["control"]

    @wrong("Multiplied instead of divided. If 13 of 100 are brought back, how many letters does one of them take?")
    def multiplied(self, context: Context) -> float:
        return self.COST * self._effect(context).estimate

    @wrong("You divided by the effect rounded to 0.13. Take `.estimate` itself.")
    def rounded_effect(self, context: Context) -> float:
        return self.COST / round(self._effect(context).estimate, 2)

    @wrong("Nearly: you rounded to one digit. Give two digits after the point.")
    def one_digit(self, context: Context) -> float:
        return round(self.expected(context), 1)

    @wrong("That is what all letters cost. Divide by the customers who came back because of them.")
    def all_letters(self, context: Context) -> float:
        return self.COST * self._effect(context).sizes["contact"]

    @wrong("That is how many letters one more customer takes. Multiply by the cost of a letter.")
    def letters_instead_of_euros(self, context: Context) -> float:
        return 1 / self._effect(context).estimate

    @wrong("You divided by percentage points. The effect is a share, 0.1 and not 10.")
    def percentage_points(self, context: Context) -> float:
        return self.COST / (100 * self._effect(context).estimate)
