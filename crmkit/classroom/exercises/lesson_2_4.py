"""The exercises of lesson 2.4, clusters and baskets."""

import pandas as pd

from crmkit import lifecycle, segmentation
from crmkit.classroom.exercise import Context, Exercise, wrong

clusters, baskets = segmentation.clusters, segmentation.baskets
HALVES = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")]
PREPARATIONS = {"as they are": {"log": False, "scale": False, "winsorise": 0}, "scaled": {"log": False}, "logged": {}}


def _half(context: Context, which: int) -> pd.DataFrame:
    orders = context.load("complete_journey").transactions
    return context.once(("half", which), lambda: lifecycle.summary(orders.between(*HALVES[which - 1])))


def _labels(context: Context, k: int = 5, preparation: str = "logged") -> "pd.Series[int]":
    first = _half(context, 1)

    def make() -> "pd.Series[int]":
        return clusters.cluster(first, k, preparation=clusters.prepare(first, **PREPARATIONS[preparation])).labels

    return context.once(("labels", k, preparation), make)


def _choice(context: Context) -> pd.DataFrame:
    first, later = _half(context, 1), _half(context, 2)["spend"]
    return context.once(
        "choice of k", lambda: clusters.choose_k(first, later=later, preparation=clusters.prepare(first))
    )


def _useful(context: Context, labels: "pd.Series", draws: int = 2) -> int:
    return round(clusters.usefulness(labels, _half(context, 2)["spend"], draws=draws).value * 100)


def _fifths(context: Context) -> "pd.Series[int]":
    return pd.qcut(_half(context, 1)["spend"], 5, labels=False)


def _rules(context: Context, half: int | None = None, **options: object) -> pd.DataFrame:
    orders = context.load("complete_journey").transactions
    orders = orders if half is None else orders.between(*HALVES[half - 1])
    return context.once(("rules", half, *options.items()), lambda: baskets.rules(orders, **options))


def _pairs(rules: pd.DataFrame, column: str = "above_chance") -> int:
    return int(rules[column].sum() / 2)


class ScalingAgreement(Exercise):
    id, answer, level, digits = "2.4-1", "scaling_agreement", "do", 2
    nudge = 'Call `agreement(by_preparation["as they are"].labels, by_preparation["scaled"].labels)` and round to two digits.'
    meaning = "Far from 1: who is alike depends on the preparation more than on the households."

    def expected(self, context: Context) -> float:
        return self._agreement(context, "as they are", "scaled")

    def _agreement(self, context: Context, one: str, other: str, k: int = 4) -> float:
        return round(clusters.agreement(_labels(context, k, one), _labels(context, k, other)), 2)

    @wrong("You compared with the logs. The clusters as they are and the scaled ones are asked for.")
    def with_the_logs(self, context: Context) -> float:
        return self._agreement(context, "as they are", "logged")

    @wrong("You compared scaled with logs. The first of the two is `as they are`.")
    def scaled_with_logs(self, context: Context) -> float:
        return self._agreement(context, "scaled", "logged")

    @wrong(
        "That is the share of households with the same cluster number. Numbers are names; `agreement` compares who is together with whom."
    )
    def same_number(self, context: Context) -> float:
        return round((_labels(context, 4, "as they are") == _labels(context, 4, "scaled")).mean(), 2)

    @wrong("You compared a result with itself, which always gives 1.")
    def with_itself(self, context: Context) -> float:
        return self._agreement(context, "scaled", "scaled")


class PointsLost(Exercise):
    id, answer, level, digits = "2.4-2", "points_lost", "decide", 1
    nudge = "Take `useful` at its maximum, subtract `useful` at `choice['silhouette'].idxmax()`, times 100."
    meaning = "The best silhouette foresees half as much as the most useful k. Objective is not the same as useful."

    def expected(self, context: Context) -> float:
        return self._lost(context, "useful")

    def _lost(self, context: Context, column: str) -> float:
        table = _choice(context)
        return round((table[column][table["useful"].idxmax()] - table[column][table["silhouette"].idxmax()]) * 100, 1)

    @wrong("That is the difference of the silhouettes. The difference of `useful` is asked for.")
    def of_silhouettes(self, context: Context) -> float:
        return -self._lost(context, "silhouette")

    @wrong(
        "You used `explained`, the variance of the columns that made the clusters; it grows by itself. Use `useful`."
    )
    def of_explained(self, context: Context) -> float:
        return self._lost(context, "explained")

    @wrong("You compared with five, our choice. Compare with the silhouette's best k.")
    def against_five(self, context: Context) -> float:
        table = _choice(context)
        return round((table["useful"].max() - table["useful"][5]) * 100, 1)

    @wrong("That is the usefulness of the best k. Subtract the one at the silhouette's best k.")
    def not_subtracted(self, context: Context) -> float:
        return round(_choice(context)["useful"].max() * 100, 1)

    @wrong("That is a share. Percentage points are asked for: times 100.")
    def share_instead(self, context: Context) -> float:
        return self._lost(context, "useful") / 100


class LaterShare(Exercise):
    id, answer, level, digits = "2.4-3", "later_share", "do", 0
    nudge = "Add up `money` where `five.labels == 1`, divide by all of `money`, times 100, rounded."
    meaning = "Cluster 1 keeps most of its weight: a name that described spring describes autumn, too."

    def expected(self, context: Context) -> int:
        return self._share(context, 1)

    def _share(self, context: Context, cluster: int, k: int = 5, column: int = 2) -> int:
        money = _half(context, column)["spend"].reindex(_half(context, 1).index).fillna(0)
        return round(float(money[_labels(context, k) == cluster].sum() / money.sum() * 100))

    @wrong("That is the first half-year. Use the money of the second, `later`.")
    def first_half(self, context: Context) -> int:
        return self._share(context, 1, column=1)

    @wrong("That is the share of the households. The share of the later money is asked for.")
    def of_households(self, context: Context) -> int:
        return round((_labels(context) == 1).mean() * 100)

    @wrong("That is cluster 2. Cluster 1 is asked for.")
    def second_cluster(self, context: Context) -> int:
        return self._share(context, 2)

    @wrong("Those are the four clusters with logs. Take `five`.")
    def four_clusters(self, context: Context) -> int:
        return self._share(context, 1, k=4)


class RfmUseful(Exercise):
    id, answer, level, digits = "2.4-4", "rfm_useful", "decide", 0
    nudge = 'Score `first`, call `segment(…, "ten_segments")`, and give `["segment"].astype(str)` and `later` to `usefulness`; `.value` times 100.'
    meaning = "Ten names foresee less than five equal groups by spend: most of the map's rules speak of absence, not of money."

    def expected(self, context: Context) -> int:
        return _useful(context, self._segments(context))

    def _segments(self, context: Context, name: str = "ten_segments", half: int = 1) -> "pd.Series[str]":
        scores = segmentation.rfm.score(_half(context, half), bins=5)
        return segmentation.rfm.segment(scores, name)["segment"].astype(str)

    @wrong("Those are the five clusters. Take the segments of the map.")
    def the_clusters(self, context: Context) -> int:
        return _useful(context, _labels(context))

    @wrong(
        "That is what the fifths by spend give, or the single cells of RFM. Take the ten segments of the map, `segment`."
    )
    def the_fifths(self, context: Context) -> int:
        return _useful(context, _fifths(context))

    @wrong("You scored the second half-year, which nobody knew when the letters were planned. Score `first`.")
    def later_scores(self, context: Context) -> int:
        return _useful(context, self._segments(context, half=2))

    @wrong("You judged by the spend of the half-year that the segments were made from. Judge by `later`.")
    def same_half(self, context: Context) -> int:
        spend = _half(context, 1)["spend"]
        return round(clusters.usefulness(self._segments(context), spend, draws=2).value * 100)

    @wrong('You took another map, with the M scores in it. The map is "ten_segments".')
    def other_map(self, context: Context) -> int:
        return _useful(context, self._segments(context, "eleven_segments"))

    @wrong("That is the share of the variance between 0 and 1. As a percentage: times 100.")
    def share_instead(self, context: Context) -> float:
        return round(self.expected(context) / 100, 2)


class WithSauce(Exercise):
    id, answer, level, digits = "2.4-5", "with_sauce", "do", 0
    nudge = "Find the row with pasta in `if_bought` and sauce in `also_bought`, take `confidence`, times 100."
    meaning = "Nearly half of the pasta baskets; the other way round it is more than half. Confidence has a direction, lift has none."

    def expected(self, context: Context) -> int:
        return round(self._row(context)["confidence"] * 100)

    def _row(self, context: Context, one: str = "DRY NOODLES/PASTA", other: str = "PASTA SAUCE") -> "pd.Series":
        rules = _rules(context, support=0.02, chance="independent")
        return rules[(rules["if_bought"] == one) & (rules["also_bought"] == other)].iloc[0]

    @wrong("You read the rule backwards: of the baskets with sauce, those with pasta.")
    def backwards(self, context: Context) -> int:
        return round(self._row(context, "PASTA SAUCE", "DRY NOODLES/PASTA")["confidence"] * 100)

    @wrong("That is the support: the share of **all** baskets that holds both. Take the confidence.")
    def support_instead(self, context: Context) -> float:
        return round(self._row(context)["support"] * 100)

    @wrong("That is the lift. Take the confidence.")
    def lift_instead(self, context: Context) -> float:
        return round(self._row(context)["lift"])


class LuckyPairs(Exercise):
    id, answer, level = "2.4-6", "lucky_pairs", "decide"
    nudge = "Add up `above_chance` of `shuffled` and divide by two: each pair stands there as two rules."
    meaning = "Every pair of a table with nothing in it. The correction does not help: it guards against many tests, not against a wrong idea of chance."

    def expected(self, context: Context) -> int:
        return _pairs(_rules(context, chance="independent", shuffle=1))

    @wrong("Those are rules. Each pair stands there twice, once for each direction: divide by two.")
    def rules_counted(self, context: Context) -> int:
        return 2 * self.expected(context)

    @wrong("Those are the pairs of the real table. Count in `shuffled`.")
    def real_table(self, context: Context) -> int:
        return _pairs(_rules(context, support=0.02, chance="independent"))

    @wrong("That is what should come out of a table with nothing in it. Count what the textbook's test says.")
    def what_should_be(self, context: Context) -> int:
        return _pairs(_rules(context, shuffle=1))

    @wrong("You counted pairs with a lift of 2 or more. Count those that the test calls above chance: `above_chance`.")
    def lift_of_two(self, context: Context) -> int:
        rules = _rules(context, chance="independent", shuffle=1)
        return _pairs(rules.assign(strong=rules["lift"] >= 2), "strong")


class PairsAbove(Exercise):
    id, answer, level = "2.4-7", "pairs_above", "decide"
    nudge = "Add up `above_chance` of `by_size` and divide by two."
    meaning = "Less than half of what the textbook found. The others only meet in full baskets."

    def expected(self, context: Context) -> int:
        return _pairs(_rules(context, support=0.02))

    @wrong("Those are rules. Each pair stands there twice: divide by two.")
    def rules_counted(self, context: Context) -> int:
        return 2 * self.expected(context)

    @wrong("That is the textbook's test, one chance for all baskets. Count in `by_size`.")
    def textbook(self, context: Context) -> int:
        return _pairs(_rules(context, support=0.02, chance="independent"))

    @wrong("You used the p-values before the correction. 5,671 pairs were tried: use `above_chance`, or `p_corrected`.")
    def not_corrected(self, context: Context) -> int:
        rules = _rules(context, support=0.02)
        return _pairs(rules.assign(small=rules["p_value"] <= 0.05), "small")

    @wrong("You counted every pair with a `lift_for_size` above 1. Some of them are luck: use `above_chance`.")
    def above_one(self, context: Context) -> int:
        rules = _rules(context, support=0.02)
        return _pairs(rules.assign(more=rules["lift_for_size"] > 1), "more")


class Letters(Exercise):
    id, answer, level, digits, points = "2.4-8", "letters", "defend", 0, 2
    nudge = "Give the labels of your choice and `later` to `segmentation.clusters.usefulness`, take `.value`, times 100, rounded."
    meaning = "Fifths foresee more of the money; the clusters speak of visits and absence. Both are reasons; say which is yours."
    choices = ("five clusters", "fifths by spend", "two clusters")
    rubric = (
        "1 point: compares both figures, or says for which letters rhythm and absence matter more than money. 1 point: says what the figure "
        "does not show: whether a letter changes anything, which needs a control group. 'Two clusters' is refused: the best silhouette, and the "
        "least of the later money foreseen."
    )

    def expected(self, context: Context) -> dict[str, int]:
        labels = (_labels(context), _fifths(context))
        return {choice: _useful(context, each) for choice, each in zip(self.choices[:2], labels, strict=True)}


class HeldAgain(Exercise):
    id, answer, level, digits = "2.4-9", "held_again", "decide", 1
    nudge = "`again['above_chance_later'].eq(True).mean() * 100`, rounded: what is missing there is not True."
    meaning = "Most hold. A list of rules that nobody looked at again is a list of guesses; this one is more."

    def expected(self, context: Context) -> float:
        return self._share(context, 1, 2)

    def _share(self, context: Context, one: int, other: int) -> float:
        found = _rules(context, half=one)
        again = self._again(found[found["above_chance"]], context, other)
        return round((again["above_chance_later"].eq(True)).mean() * 100, 1)

    def _again(self, found: pd.DataFrame, context: Context, other: int) -> pd.DataFrame:
        keys = ["if_bought", "also_bought"]
        return found.merge(_rules(context, half=other), on=keys, how="left", suffixes=("", "_later"))

    @wrong(
        "You left out the pairs that miss the support in the second half-year (they count as no), or you looked back from the second "
        "half-year to the first."
    )
    def missing_left_out(self, context: Context) -> float:
        found = _rules(context, half=1)
        later = self._again(found[found["above_chance"]], context, 2)["above_chance_later"].dropna()
        return round(later.astype(bool).mean() * 100, 1)

    @wrong("A lift for size above 1 may be luck. Count those that are above chance later: `above_chance_later`.")
    def above_one(self, context: Context) -> float:
        found = _rules(context, half=1)
        again = self._again(found[found["above_chance"]], context, 2)
        return round((again["lift_for_size_later"] > 1).mean() * 100, 1)

    @wrong(
        "You divided by all pairs that reach the support. Only those that were above chance in the first half-year count."
    )
    def of_all_pairs(self, context: Context) -> float:
        found = _rules(context, half=1)
        again = self._again(found, context, 2)
        return round((again["above_chance"] & again["above_chance_later"].eq(True)).mean() * 100, 1)

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100, rounded to one digit.")
    def share_instead(self, context: Context) -> float:
        return self._share(context, 1, 2) / 100
