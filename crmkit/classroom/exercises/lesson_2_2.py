"""The exercises of lesson 2.2, value bands and purchase patterns."""

import numpy as np
import pandas as pd

from crmkit import lifecycle, segmentation
from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong

value = segmentation.value
SERVICE = {"high": 40, "middle": 10, "low": 2}  # the prices of the lesson, given in its text
NEGLECT = {"high": 60, "middle": 20, "low": 0}
PLACES = 588  # households of the telephone line: the text of the task gives it


def _households(context: Context) -> pd.DataFrame:
    return context.summary("complete_journey")


def _half(context: Context, which: int) -> pd.DataFrame:
    days = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")][which - 1]
    orders = context.load("complete_journey").transactions
    return context.once(("half", which), lambda: lifecycle.summary(orders.between(*days)))


def _served(context: Context, shares: tuple[float, float] = (1 / 3, 2 / 3)) -> pd.DataFrame:
    return value.bands(_half(context, 1), shares=shares)


def _turned_out(context: Context) -> pd.DataFrame:
    return value.bands(_half(context, 2), cuts=_served(context).attrs["cuts"])


class TenthBrings(Exercise):
    id, answer, level, digits = "2.2-1", "tenth_brings", "do", 0
    nudge = 'Call `segmentation.value.top_share(households["spend"], 0.10)`, take `.value`, times 100, rounded.'
    meaning = "A tenth of the households, a third of the money: far from the proverb, and still worth a telephone."

    def expected(self, context: Context) -> int:
        return self._top(context, 0.10)

    def _top(self, context: Context, share: float, name: str = "complete_journey") -> int:
        return round(value.top_share(context.summary(name)["spend"], share, draws=2).value * 100)

    @wrong("That is the best-paying fifth. A tenth is asked for: 0.10.")
    def a_fifth(self, context: Context) -> int:
        return self._top(context, 0.20)

    @wrong("That is what the other nine tenths bring. The best-paying tenth is asked for.")
    def the_others(self, context: Context) -> int:
        return 100 - self._top(context, 0.10)

    @wrong("That is the music shop. Take `households`, the supermarket.")
    def music_shop(self, context: Context) -> int:
        return self._top(context, 0.10, "cdnow")

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100, rounded to a whole number.")
    def share_instead_of_percent(self, context: Context) -> float:
        return value.top_share(_households(context)["spend"], 0.10, draws=2).value


class RichButRare(Exercise):
    id, answer, level = "2.2-2", "rich_but_rare", "do"
    nudge = (
        "Keep the households whose spend is above the upper cut point, and count those whose value_band is not high."
    )
    meaning = "They leave much money on few trips. By money alone they would have had the telephone; by frequency they do not."

    def expected(self, context: Context) -> int:
        banded = value.bands(_households(context))
        return self._count(banded, banded["spend"] > banded.attrs["cuts"]["spend"][1])

    def _count(self, banded: pd.DataFrame, chosen: "pd.Series[bool]") -> int:
        return int((chosen & (banded["value_band"] != "high")).sum())

    @wrong("You used the lower cut point. The upper one is asked for: the second of the two.")
    def lower_cut_point(self, context: Context) -> int:
        banded = value.bands(_households(context))
        return self._count(banded, banded["spend"] > banded.attrs["cuts"]["spend"][0])

    @wrong("Those are all above the upper cut point of spend, the high band included. Leave the high band out.")
    def high_counted_too(self, context: Context) -> int:
        banded = value.bands(_households(context))
        return int((banded["spend"] > banded.attrs["cuts"]["spend"][1]).sum())

    @wrong(
        "That is the other corner: many trips and not enough money. Here much money and too few trips are asked for."
    )
    def often_and_poor(self, context: Context) -> int:
        banded = value.bands(_households(context))
        return self._count(banded, banded["orders"] > banded.attrs["cuts"]["orders"][1])

    @wrong(
        "Who lies exactly on the upper cut point of orders is not above it, and so not high: compare with `<=`, or ask `value_band`."
    )
    def on_the_cut_point(self, context: Context) -> int:
        banded = value.bands(_households(context))
        (_, orders), (_, spend) = banded.attrs["cuts"]["orders"], banded.attrs["cuts"]["spend"]
        return int(((banded["spend"] > spend) & (banded["orders"] < orders)).sum())

    @wrong(
        "You compared the orders with the lower cut point. Too seldom for the high band is: not above the upper one."
    )
    def lower_cut_point_of_orders(self, context: Context) -> int:
        banded = value.bands(_households(context))
        (seldom, _), (_, spend) = banded.attrs["cuts"]["orders"], banded.attrs["cuts"]["spend"]
        return int(((banded["spend"] > spend) & (banded["orders"] <= seldom)).sum())

    @wrong("You counted the whole middle band. Only those above the upper cut point of spend are asked for.")
    def whole_middle(self, context: Context) -> int:
        return int((value.bands(_households(context))["value_band"] == "middle").sum())


class ChangedBand(Exercise):
    id, answer, level = "2.2-3", "changed_band", "decide"
    nudge = "Make a second table with `shares=(1/4, 3/4)` and count where its `value_band`, as text, differs from that of `banded`."
    meaning = "About 15 in 100 households get another band, and not one of them did anything."

    def expected(self, context: Context) -> int:
        return self._moved(context, (1 / 4, 3 / 4))

    def _moved(self, context: Context, shares: tuple[float, float]) -> int:
        households = _households(context)
        other = value.bands(households, shares=shares)["value_band"].astype(str)
        return int((other != value.bands(households)["value_band"].astype(str)).sum())

    @wrong(
        "You moved one cut point, or looked at one end alone. Both move, and households leave the low band too: `shares=(1/4, 3/4)`."
    )
    def one_end_only(self, context: Context) -> int:
        return self._moved(context, (1 / 3, 3 / 4))

    @wrong("You cut at fifths. Quarters are asked for: `shares=(1/4, 3/4)`.")
    def fifths(self, context: Context) -> int:
        return self._moved(context, (1 / 5, 4 / 5))

    @wrong("You counted those who kept their band. Count those that changed.")
    def kept_counted(self, context: Context) -> int:
        return len(_households(context)) - self.expected(context)

    @wrong("That is the share. The number of households is asked for.")
    def share_instead(self, context: Context) -> float:
        return self.expected(context) / len(_households(context))


class BulkPercent(Exercise):
    id, answer, level, digits = "2.2-4", "bulk_percent", "decide", 1
    nudge = 'Call `patterns(songs, bulk=100)` and take the share of rows with the pattern "one-off bulk", times 100.'
    meaning = "Of the 170 about a fifth are left, by one number that stood on no slide. Say it beside the count."

    def expected(self, context: Context) -> float:
        return self._percent(context, 100)

    def _percent(self, context: Context, bulk: float, pattern: str = "one-off bulk") -> float:
        return round((self._patterns(context, bulk)["pattern"] == pattern).mean() * 100, 1)

    def _patterns(self, context: Context, bulk: float) -> pd.DataFrame:
        orders = context.load("cdnow").transactions
        return context.once(("patterns", bulk), lambda: value.patterns(orders, bulk=bulk))

    @wrong("That is with 50 dollars. You think bulk begins at 100: `bulk=100`.")
    def with_fifty(self, context: Context) -> float:
        return self._percent(context, 50)

    @wrong("Those bought once and little. One-off bulk is asked for.")
    def one_off_small(self, context: Context) -> float:
        return self._percent(context, 100, "one-off small")

    @wrong("You divided by the one-time buyers. All customers are asked for.")
    def among_one_time_buyers(self, context: Context) -> float:
        table = self._patterns(context, 100)
        return round((table.loc[table["purchases"] == 1, "pattern"] == "one-off bulk").mean() * 100, 1)

    @wrong("You took all who spent 100 dollars in the whole time. One-off bulk is one purchase, of at least 100.")
    def spent_a_hundred(self, context: Context) -> float:
        return round((self._patterns(context, 100)["spend"] >= 100).mean() * 100, 1)

    @wrong("You divided by the colleague's bulk buyers. All customers are asked for.")
    def among_the_bulk_buyers(self, context: Context) -> float:
        bulk = [(self._patterns(context, money)["pattern"] == "one-off bulk").sum() for money in (100, 50)]
        return round(float(bulk[0] / bulk[1] * 100), 1)

    @wrong("That is a number of customers. The percentage of all customers is asked for.")
    def count_instead(self, context: Context) -> int:
        return int((self._patterns(context, 100)["pattern"] == "one-off bulk").sum())

    @wrong("That is their share of the money. The share of the customers is asked for.")
    def share_of_money(self, context: Context) -> float:
        table = self._patterns(context, 100)
        return round(
            float(table.loc[table["pattern"] == "one-off bulk", "spend"].sum() / table["spend"].sum() * 100), 1
        )


class AverageBasket(Exercise):
    id, answer, level, digits = "2.2-5", "average_basket", "do", 2
    nudge = "Add up `spend`, add up `orders`, divide the sums, round to two digits."
    meaning = "Divide the sums for the size of an order; take the mean of means for the size of a customer's orders."

    def expected(self, context: Context) -> float:
        households = _households(context)
        return round(households["spend"].sum() / households["orders"].sum(), 2)

    @wrong(
        "That is the mean of the households' means: a household with two baskets counts as much as one with two hundred."
    )
    def mean_of_means(self, context: Context) -> float:
        return round(_households(context)["mean_order_value"].mean(), 2)

    @wrong("That is the money of an average household, not of an average order. Divide by the orders.")
    def per_household(self, context: Context) -> float:
        return round(_households(context)["spend"].mean(), 2)

    @wrong("That is the music shop. Take `households`, the supermarket.")
    def music_shop(self, context: Context) -> float:
        music = context.summary("cdnow")
        return round(music["spend"].sum() / music["orders"].sum(), 2)

    @wrong("You divided by order lines. An order is a basket with many lines: use the column `orders`.")
    def per_line(self, context: Context) -> float:
        return round(
            _households(context)["spend"].sum() / context.load("complete_journey").transactions.ledger.rows_read, 2
        )

    @wrong("That is the median of the households' means. The money of all divided by the orders of all is asked for.")
    def median_of_means(self, context: Context) -> float:
        return round(_households(context)["mean_order_value"].median(), 2)


class GenerousCost(Exercise):
    id, answer, level, digits = "2.2-6", "generous_cost", "decide", 0
    nudge = "Make bands of `first` with `shares=(1/3, 1/2)`, pass their value_band and that of `turned_out` to `misplacement`, take `.attrs['cost']`."
    meaning = "Being generous misplaces more households and costs more: too much service is an error with a price, too."

    def expected(self, context: Context) -> int:
        return self._cost(context, (1 / 3, 1 / 2))

    def _cost(self, context: Context, shares: tuple[float, float], service: dict | None = None) -> int:
        bands = (_served(context, shares)["value_band"], _turned_out(context)["value_band"])
        return round(value.misplacement(*bands, service=service or SERVICE, neglect=NEGLECT).attrs["cost"])

    @wrong("That is the cost with thirds, the one of the lesson. Use `shares=(1/3, 1/2)` for the first half-year.")
    def with_thirds(self, context: Context) -> int:
        return self._cost(context, (1 / 3, 2 / 3))

    @wrong(
        "You cut at the half and at the upper third. The lower cut point stays at a third, the upper one goes down to the half."
    )
    def wrong_end_moved(self, context: Context) -> int:
        return self._cost(context, (1 / 2, 2 / 3))

    @wrong(
        "You gave the second half-year new cut points too. Keep `turned_out` as it is: only the service changes, not what customers are."
    )
    def truth_moved_too(self, context: Context) -> int:
        served = _served(context, (1 / 3, 1 / 2))
        after = value.bands(_half(context, 2), cuts=served.attrs["cuts"])
        return round(
            value.misplacement(served["value_band"], after["value_band"], service=SERVICE, neglect=NEGLECT).attrs[
                "cost"
            ]
        )

    @wrong(
        "You cut the second half-year at the third and the half, too. Keep `turned_out` as it is: only the service changes, not what customers are."
    )
    def second_cut_by_shares(self, context: Context) -> int:
        served = _served(context, (1 / 3, 1 / 2))
        after = value.bands(_half(context, 2), shares=(1 / 3, 1 / 2))
        bands = (served["value_band"], after["value_band"])
        return round(value.misplacement(*bands, service=SERVICE, neglect=NEGLECT).attrs["cost"])

    @wrong("You exchanged the two tables: served comes first, what they turned out to be second.")
    def exchanged(self, context: Context) -> int:
        bands = (_turned_out(context)["value_band"], _served(context, (1 / 3, 1 / 2))["value_band"])
        return round(value.misplacement(*bands, service=SERVICE, neglect=NEGLECT).attrs["cost"])

    @wrong("That is the number of misplaced households. Their cost is asked for: `.attrs['cost']`.")
    def misplaced_instead(self, context: Context) -> int:
        bands = (_served(context, (1 / 3, 1 / 2))["value_band"], _turned_out(context)["value_band"])
        return int(value.misplacement(*bands, service=SERVICE, neglect=NEGLECT).attrs["misplaced"])


class Line(Exercise):
    id, answer, level, digits, points = "2.2-7", "line", "defend", 1, 2
    nudge = "Take the ids of your rule, `second['spend'].reindex(ids).fillna(0).sum()`, and divide by all of `second['spend']`, times 100."
    meaning = "Money finds more of the later money; the band finds those who come often, and may use the line more. Both are reasons; say which is yours."
    choices = ("the high band by thirds", "the best-paying 588", "everybody")
    rubric = (
        "1 point: compares the two figures (the best-paying bring a few points more of the later money) or names why frequency "
        "matters for a telephone line (who calls often uses it). 1 point: says what neither figure shows: whether the line changes "
        "anything, which needs a control group. 'Everybody' is refused: 40 dollars each for 2,393 households is what the owner "
        "cannot pay."
    )

    def expected(self, context: Context) -> dict[str, float]:
        return {name: self._percent(context, name) for name in self.choices[:2]}

    def _percent(self, context: Context, choice: str, half: int = 2) -> float:
        first, money = _half(context, 1), _half(context, half)["spend"]
        served = _served(context)
        ids = {
            self.choices[0]: served.index[served["value_band"] == "high"],
            self.choices[1]: first["spend"].nlargest(PLACES).index,
            self.choices[2]: first.index,
        }[choice]
        return round(float(money.reindex(ids).fillna(0).sum() / money.sum() * 100), 1)

    @wrong(
        "The figure is right, and the owner cannot pay: 40 dollars for every household. Choose between the other two."
    )
    def everybody(self, context: Context) -> Defence:
        return defend(choice="everybody", figure=self._percent(context, "everybody"), because="")

    @wrong("The owner cannot pay 40 dollars for every household. Choose between the other two rules.")
    def all_the_money(self, context: Context) -> Defence:
        return defend(choice="everybody", figure=100, because="")

    @wrong("That is the figure of the other rule. Compute it for the one that you choose.")
    def figure_of_the_best_paying(self, context: Context) -> Defence:
        return defend(choice=self.choices[0], figure=self._percent(context, self.choices[1]), because="")

    @wrong("That is the figure of the band. Compute it for the 588 households that paid most.")
    def figure_of_the_band(self, context: Context) -> Defence:
        return defend(choice=self.choices[1], figure=self._percent(context, self.choices[0]), because="")

    @wrong("That is their share of the first half-year. It is known already: ask what they bring in the second.")
    def first_half_of_the_band(self, context: Context) -> Defence:
        return defend(choice=self.choices[0], figure=self._percent(context, self.choices[0], half=1), because="")

    @wrong("That is their share of the first half-year, by which they were chosen. Ask what they bring in the second.")
    def first_half_of_the_best_paying(self, context: Context) -> Defence:
        return defend(choice=self.choices[1], figure=self._percent(context, self.choices[1], half=1), because="")

    @wrong(
        "That is what the households bring that are high in the second half-year. The line is given by the first: `served`."
    )
    def high_in_the_second(self, context: Context) -> Defence:
        after, money = _turned_out(context)["value_band"], _half(context, 2)["spend"]
        figure = round(float(money[after.index[after == "high"]].sum() / money.sum() * 100), 1)
        return defend(choice=self.choices[0], figure=figure, because="")


class MusicFor80(Exercise):
    id, answer, level, digits = "2.2-8", "music_for_80", "decide", 0
    nudge = 'Take the Lorenz curve of `music["spend"]`, find the largest share of customers with at most 20 % of the money, and subtract it from 1.'
    meaning = (
        "Closer to the proverb than the supermarket, and still not there: music is bought by the keen, food by all."
    )

    def expected(self, context: Context) -> int:
        return self._needed(context.summary("cdnow")["spend"], 0.80)

    def _needed(self, money: "pd.Series[float]", share: float) -> int:
        curve = value.lorenz(money)
        return round((1 - curve.loc[curve["share_of_money"] <= 1 - share, "share_of_customers"].max()) * 100)

    @wrong("That is the supermarket. Take `music`.")
    def supermarket(self, context: Context) -> int:
        return self._needed(_households(context)["spend"], 0.80)

    @wrong("Those are the customers who bring the other 20 %. Subtract from 100.")
    def the_others(self, context: Context) -> int:
        return 100 - self.expected(context)

    @wrong(
        "You cut the curve at 80 % from below: that is how many of the *poorest* it takes. Cut at 20 %, and subtract from 1."
    )
    def from_the_poor_end(self, context: Context) -> int:
        curve = value.lorenz(context.summary("cdnow")["spend"])
        return round(curve.loc[curve["share_of_money"] <= 0.80, "share_of_customers"].max() * 100)


class StayedHigh(Exercise):
    id, answer, level, digits = "2.2-9", "stayed_high", "decide", 0
    nudge = "Take the households that are high in `served`, look up their value_band in `turned_out` (missing is not high), and take the share that is high."
    meaning = "One in five of the good customers is no longer one half a year later, and no table here says why."

    def expected(self, context: Context) -> int:
        served, after = _served(context)["value_band"], _turned_out(context)["value_band"].astype(str)
        were = served.index[served == "high"]
        return round((after.reindex(were) == "high").mean() * 100)

    @wrong(
        "Turn it around: of those who were high, how many stayed high? You took those who are high now and looked back."
    )
    def looked_back(self, context: Context) -> int:
        served, after = _served(context)["value_band"].astype(str), _turned_out(context)["value_band"]
        return round((served.reindex(after.index[after == "high"]) == "high").mean() * 100)

    @wrong("You gave the second half-year its own cut points. Use `turned_out`, which keeps those of the first.")
    def own_cut_points(self, context: Context) -> int:
        served = _served(context)["value_band"]
        after = value.bands(_half(context, 2))["value_band"].astype(str)
        return round((after.reindex(served.index[served == "high"]) == "high").mean() * 100)

    @wrong("That is a number of households. The percentage of those who were high is asked for.")
    def count_instead(self, context: Context) -> int:
        served, after = _served(context)["value_band"], _turned_out(context)["value_band"].astype(str)
        return int((after.reindex(served.index[served == "high"]) == "high").sum())

    @wrong("That is how many left the high band. How many stayed?")
    def left_instead(self, context: Context) -> int:
        return 100 - self.expected(context)

    @wrong("You divided by all households. Only those who were high count.")
    def of_all_households(self, context: Context) -> int:
        served, after = _served(context)["value_band"], _turned_out(context)["value_band"].astype(str)
        stayed = (after.reindex(served.index[served == "high"]) == "high").sum()
        return round(float(np.asarray(stayed)) / len(served) * 100)
