"""The exercises of lesson 2.1, five kinds and four principles."""

import numpy as np
import pandas as pd

from crmkit import lifecycle, segmentation
from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong

kinds, principles, rfm, value = segmentation.kinds, segmentation.principles, segmentation.rfm, segmentation.value
SMALLEST = 50  # households for which a brochure is worth printing: the text of the lesson gives it


def _households(context: Context) -> pd.DataFrame:
    return context.summary("complete_journey")


def _demographics(context: Context) -> pd.DataFrame:
    return context.load("complete_journey").demographics.set_index("household_id")


def _half(context: Context, which: int) -> pd.DataFrame:
    days = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")][which - 1]
    orders = context.load("complete_journey").transactions
    return context.once(("half", which), lambda: lifecycle.summary(orders.between(*days)))


def _stable(context: Context, name: str) -> float:
    """The score `stable` of a segmentation of the lesson."""

    def judged() -> float:
        first, second = _half(context, 1), _half(context, 2)
        if name == "RFM":
            cuts = rfm.cut_points(first)
            labels = [rfm.segment(rfm.score(half, cuts=cuts))["segment"] for half in (first, second)]
        elif name == "value bands":
            banded = value.bands(first)
            labels = [banded["value_band"], value.bands(second, cuts=banded.attrs["cuts"])["value_band"]]
        else:
            orders = context.load("complete_journey").transactions
            days = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")]
            labels = [kinds.main_store(orders.between(*half), smallest=30) for half in days]
        return float(principles.score(labels[0], customers=first.index, later=labels[1]).table.loc["stable", "score"])

    return context.once(("stable", name), judged)


class SpendRatio(Exercise):
    id, answer, level, digits = "2.1-1", "spend_ratio", "do", 1
    nudge = 'Take the mean of `households.loc[known, "spend"]` and of `households.loc[~known, "spend"]`, and divide the first by the second.'
    meaning = "Whatever is said about age or income here is said about customers who spend nearly three times as much."

    def expected(self, context: Context) -> float:
        known, others = self._groups(context)
        return round(known.mean() / others.mean(), 1)

    def _groups(self, context: Context) -> tuple["pd.Series[float]", "pd.Series[float]"]:
        spend = _households(context)["spend"]
        known = spend.index.isin(_demographics(context).index)
        return spend[known], spend[~known]

    @wrong("You divided the medians. The means are asked for.")
    def medians(self, context: Context) -> float:
        known, others = self._groups(context)
        return round(known.median() / others.median(), 1)

    @wrong("Turn it around: those with demographics divided by those without.")
    def upside_down(self, context: Context) -> float:
        known, others = self._groups(context)
        return round(others.mean() / known.mean(), 1)

    @wrong("You compared with all households, the known ones among them. Compare with those without demographics.")
    def against_all(self, context: Context) -> float:
        known, others = self._groups(context)
        return round(known.mean() / pd.concat([known, others]).mean(), 1)

    @wrong("That is the difference in dollars. The ratio is asked for: divide.")
    def difference_in_dollars(self, context: Context) -> float:
        known, others = self._groups(context)
        return round(known.mean() - others.mean(), 1)

    @wrong("You divided the sums. Two unequal groups are compared by their means.")
    def sums(self, context: Context) -> float:
        known, others = self._groups(context)
        return round(known.sum() / others.sum(), 1)


class CannotBePlaced(Exercise):
    id, answer, level, digits = "2.1-2", "cannot_be_placed", "do", 0
    nudge = "Bring the labels to all households with `brand.reindex(households.index)` and take the share that is missing, times 100."
    meaning = "Two in three get neither coat. Measurable is the first principle because the others need it."

    def expected(self, context: Context) -> int:
        households, known = len(_households(context)), len(_demographics(context))
        return round((households - known) / households * 100)

    @wrong("That is the share that CAN be placed. The others are asked for.")
    def those_who_can(self, context: Context) -> int:
        return 100 - self.expected(context)

    @wrong(
        "Among the households of the table nobody is unknown. Those who are not in the table at all are missing: reindex to `households`."
    )
    def inside_the_table(self, context: Context) -> int:
        return round(float((kinds.labels(_demographics(context), "age") == kinds.UNKNOWN).mean()) * 100)

    @wrong("That is a number of households. The percentage of all 2,469 is asked for.")
    def count_instead(self, context: Context) -> int:
        return len(_households(context)) - len(_demographics(context))

    @wrong("You cut the digits off. The nearest whole number is asked for: use `round`.")
    def cut_off(self, context: Context) -> int:
        households, known = len(_households(context)), len(_demographics(context))
        return int((households - known) / households * 100)

    @wrong("That is a share. The percentage is asked for: times 100.")
    def share_instead(self, context: Context) -> float:
        return 1 - len(_demographics(context)) / len(_households(context))

    @wrong("You divided by the households with demographics. All households are the whole: 2,469.")
    def of_the_known(self, context: Context) -> int:
        known = len(_demographics(context))
        return round((len(_households(context)) - known) / known * 100)


class Printable(Exercise):
    id, answer, level = "2.1-3", "printable", "decide"
    nudge = 'Count the labels of `kinds.labels(demographics, ["age", "income"])` with `value_counts()`, and count the sizes of 50 or more.'
    meaning = "Two usable segments of sixty-two. Crossing two good columns mostly makes dust."

    def expected(self, context: Context) -> int:
        return int((self._sizes(context) >= SMALLEST).sum())

    def _sizes(self, context: Context, columns: object = ("age", "income")) -> "pd.Series[int]":
        return kinds.labels(_demographics(context), columns).value_counts()

    @wrong("Those are all segments. How many have 50 households or more?")
    def all_segments(self, context: Context) -> int:
        return len(self._sizes(context))

    @wrong("Those are too small to print for. Count the others.")
    def too_small_counted(self, context: Context) -> int:
        return int((self._sizes(context) < SMALLEST).sum())

    @wrong("You counted age groups alone. Cross age with income.")
    def age_alone(self, context: Context) -> int:
        return int((self._sizes(context, "age") >= SMALLEST).sum())

    @wrong("That is how many households they hold. The number of segments is asked for.")
    def households_in_them(self, context: Context) -> int:
        sizes = self._sizes(context)
        return int(sizes[sizes >= SMALLEST].sum())

    @wrong("You counted income groups alone. Cross age with income.")
    def income_alone(self, context: Context) -> int:
        return int((self._sizes(context, "income") >= SMALLEST).sum())


class SteadierBy(Exercise):
    id, answer, level, digits = "2.1-4", "steadier_by", "decide", 2
    nudge = 'Take `compared.loc["value bands", "stable"]` and subtract `compared.loc["RFM", "stable"]`.'
    meaning = "The same till, half the stability: ten names divide more finely than three bands, and chance moves more people over a border."

    def expected(self, context: Context) -> float:
        return round(_stable(context, "value bands") - _stable(context, "RFM"), 2)

    @wrong("You subtracted the other way round: value bands minus RFM.")
    def other_way_round(self, context: Context) -> float:
        return -self.expected(context)

    @wrong("That is how stable the value bands are. Subtract the RFM segments' score.")
    def bands_alone(self, context: Context) -> float:
        return round(_stable(context, "value bands"), 2)

    @wrong("That is how stable RFM is. Subtract it from the score of the value bands.")
    def rfm_alone(self, context: Context) -> float:
        return round(_stable(context, "RFM"), 2)

    @wrong("You compared with the main store. RFM is asked for.")
    def store_instead(self, context: Context) -> float:
        return round(_stable(context, "value bands") - _stable(context, "main store"), 2)

    @wrong("That is the ratio. The difference is asked for.")
    def ratio(self, context: Context) -> float:
        return round(_stable(context, "value bands") / _stable(context, "RFM"), 2)


class IncomeAndValue(Exercise):
    id, answer, level, digits = "2.1-5", "income_and_value", "decide", 2
    nudge = (
        'Make bands of `households`, then `kinds.association(kinds.labels(demographics, "income"), …["value_band"]).v`.'
    )
    meaning = "Among the known, income says next to nothing about the band. What tells the band is being known at all."

    def expected(self, context: Context) -> float:
        return round(kinds.association(self._label(context), self._bands(context), draws=2).v, 2)

    def _label(self, context: Context, column: str = "income") -> "pd.Series[str]":
        return kinds.labels(_demographics(context), column)

    def _bands(self, context: Context) -> "pd.Series[str]":
        return value.bands(_households(context))["value_band"]

    @wrong(
        "You kept the unknown as a segment. First only the households whose income is known: leave `keep_unknown` away."
    )
    def with_the_unknown(self, context: Context) -> float:
        everybody = self._label(context).reindex(_households(context).index).fillna(kinds.UNKNOWN)
        return round(kinds.association(everybody, self._bands(context), keep_unknown=True, draws=2).v, 2)

    @wrong("You took the bands of the first half-year, `banded`. For the whole year make `bands(households)`.")
    def bands_of_the_first_half(self, context: Context) -> float:
        half_bands = value.bands(_half(context, 1))["value_band"]
        return round(kinds.association(self._label(context), half_bands, draws=2).v, 2)

    @wrong("You took age. Income is asked for.")
    def age_instead(self, context: Context) -> float:
        return round(kinds.association(self._label(context, "age"), self._bands(context), draws=2).v, 2)

    @wrong(
        "That is V without the correction for the size of the table (12 incomes by 3 bands give some V by chance alone): use `kinds.association`."
    )
    def uncorrected(self, context: Context) -> float:
        counts = kinds.association(self._label(context), self._bands(context), draws=2).table.to_numpy()
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
        phi2 = ((counts - expected) ** 2 / expected).sum() / counts.sum()
        return round(float(np.sqrt(phi2 / (min(counts.shape) - 1))), 2)

    @wrong("That is the V of RFM and the value bands. Income and the value bands are asked for.")
    def rfm_instead(self, context: Context) -> float:
        first = _half(context, 1)
        segments = rfm.segment(rfm.score(first, cuts=rfm.cut_points(first)))["segment"]
        return round(kinds.association(segments, value.bands(first)["value_band"], draws=2).v, 2)


class FineEnough(Exercise):
    id, answer, level = "2.1-6", "fine_enough", "decide"
    nudge = "Go up from 2 and stop at the first number whose `.chosen['differentiable']` is above 0.60."
    meaning = "Seven groups carry most of the difference. Each further one buys little, and costs stability."

    def expected(self, context: Context) -> int:
        return self._first(context, "differentiable", 0.60)

    def _score(self, context: Context, number: int, principle: str) -> float:
        def judged() -> dict[str, float]:
            before, after = _half(context, 1)["spend"], _half(context, 2)["spend"]
            cuts = np.unique(np.quantile(before, np.arange(1, number) / number, method="inverted_cdf"))
            labels, later = (
                pd.Series(np.searchsorted(cuts, half), index=half.index).astype(str) for half in (before, after)
            )
            money = after.reindex(before.index).fillna(0.0)
            return principles.score(labels, outcome=money, later=later).table["score"].to_dict()

        return context.once(("grain", number), judged)[principle]

    def _first(self, context: Context, principle: str, limit: float, *, below: bool = False) -> int:
        for number in range(2, 31):
            found = self._score(context, number, principle)
            if (found < limit) if below else (found > limit):
                return number
        return 30

    @wrong("That is the first number above 0.50. The limit is 0.60.")
    def half_explained(self, context: Context) -> int:
        return self._first(context, "differentiable", 0.50)

    @wrong("You looked at *stable*. The score *differentiable* is asked for.")
    def stable_instead(self, context: Context) -> int:
        return self._first(context, "stable", 0.25, below=True)

    @wrong("One step too far: a smaller number exceeds 0.60 already.")
    def one_too_many(self, context: Context) -> int:
        return self.expected(context) + 1

    @wrong("That one lies just below 0.60. The first number ABOVE it is asked for.")
    def one_too_few(self, context: Context) -> int:
        return self.expected(context) - 1

    @wrong("That is the score. The number of segments is asked for.")
    def score_instead(self, context: Context) -> float:
        return self._score(context, self.expected(context), "differentiable")


class PrintRun(Exercise):
    id, answer, level, digits, points = "2.1-7", "print_run", "defend", 2, 2
    nudge = "Choose what lasts half a year: look at `stable`, where a hatched field is not judged. The figure is the value in the column `stable` of `compared`, in the row of your choice, rounded to two digits."
    meaning = "What has to last must be stable first; then ask whether the segments differ in what you print about."
    choices = ("RFM", "value bands", "main store", "age × income")
    rubric = (
        "1 point: argues from stability, because the print lasts half a year, and says what is given up (bands: a quarter change "
        "band; store: the segments do not differ in money). 1 point: names a decision for which the other choice would be "
        "better. RFM is refused (65 % change segment before the brochure is read); age × income is refused (two usable "
        "segments, two thirds of the households unknown)."
    )

    def expected(self, context: Context) -> dict[str, float]:
        return {name: round(_stable(context, name), 2) for name in ("value bands", "main store")}

    @wrong("65 % of the households have another RFM segment before the half-year is over. Which divisions last longer?")
    def rfm_printed(self, context: Context) -> Defence:
        return defend(choice="RFM", figure=round(_stable(context, "RFM"), 2), because="")

    @wrong(
        "For age × income `stable` is not judged, two households in three have no label, and 60 of 62 segments are too small to print for."
    )
    def dust_printed(self, context: Context) -> Defence:
        return defend(choice="age × income", figure=float("nan"), because="")

    @wrong("A good choice. But the figure is *differentiable*; for a run that has to last, *stable* decides.")
    def differentiable_as_figure(self, context: Context) -> Defence:
        first, second = _half(context, 1), _half(context, 2)
        money = second["spend"].reindex(first.index).fillna(0)
        card = principles.score(value.bands(first)["value_band"], customers=first.index, outcome=money)
        return defend(choice="value bands", figure=round(card.table.loc["differentiable", "score"], 2), because="")

    @wrong("A good choice. But that is the share that changed its band; the figure is the score *stable*.")
    def share_that_changed(self, context: Context) -> Defence:
        first, second = _half(context, 1), _half(context, 2)
        banded = value.bands(first)
        later = value.bands(second, cuts=banded.attrs["cuts"])["value_band"]
        pairs = pd.concat([banded["value_band"].astype(str), later.astype(str)], axis=1, join="inner").to_numpy()
        return defend(choice="value bands", figure=round((pairs[:, 0] != pairs[:, 1]).mean(), 2), because="")


class MixedPercent(Exercise):
    id, answer, level, digits = "2.1-8", "mixed_percent", "do", 0
    nudge = (
        'Call `kinds.dominant_scale(answers, scales, margin=1.0)` and take the share that equals "mixed", times 100.'
    )
    meaning = "Strictness buys purer segments with fewer people in them: measurable against differentiable, once more."

    def expected(self, context: Context) -> float:
        return self._percent(1.0)

    def _survey(self) -> tuple[pd.DataFrame, dict[str, list[str]]]:
        random = np.random.default_rng(3)
        motive = random.choice(["price", "ease", "joy"], 400, p=[0.45, 0.35, 0.20])
        noise = {(m, i): random.normal(0, 1.0, 400) for m in ("price", "ease", "joy") for i in (1, 2, 3)}
        answers = pd.DataFrame(
            {f"{m}{i}": np.clip(np.round(3 + found + 1.1 * (motive == m)), 1, 5) for (m, i), found in noise.items()}
        )
        return answers, {m: [f"{m}1", f"{m}2", f"{m}3"] for m in ("price", "ease", "joy")}

    def _percent(self, margin: float) -> float:
        answers, scales = self._survey()
        return float((kinds.dominant_scale(answers, scales, margin=margin) == "mixed").mean() * 100)

    @wrong("That is with a margin of 0.5. Take 1.0.")
    def margin_of_the_lesson(self, context: Context) -> float:
        return self._percent(0.5)

    @wrong("Those have a motive. The mixed ones are asked for.")
    def with_a_motive(self, context: Context) -> float:
        return 100 - self._percent(1.0)

    @wrong("That is a number of people. The percentage of the 400 is asked for.")
    def count_instead(self, context: Context) -> int:
        answers, scales = self._survey()
        return int((kinds.dominant_scale(answers, scales, margin=1.0) == "mixed").sum())

    @wrong("You left the margin away, so that the slightest lead counts. Take `margin=1.0`.")
    def no_margin(self, context: Context) -> float:
        return self._percent(0.0)

    @wrong("That is a share. The percentage is asked for: times 100.")
    def share_instead(self, context: Context) -> float:
        return self._percent(1.0) / 100
