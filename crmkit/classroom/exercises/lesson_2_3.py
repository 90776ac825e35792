"""The exercises of lesson 2.3, RFM."""

from typing import Any, ClassVar

import pandas as pd

from crmkit import evaluation, lifecycle, segmentation
from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.segmentation.rfm import Dimension

YEAR_END = "2017-12-31"


def _households(context: Context) -> pd.DataFrame:
    return context.summary("complete_journey", as_of=YEAR_END)


def _scores(context: Context) -> pd.DataFrame:
    return segmentation.rfm.score(_households(context), bins=5)


def _segments(context: Context, segment_map: str = "ten_segments") -> pd.DataFrame:
    return segmentation.rfm.segment(_scores(context), segment_map)


def _half(context: Context, which: int) -> pd.DataFrame:
    """The summary of the first or the second half-year."""
    days = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")][which - 1]
    orders = context.load("complete_journey").transactions
    return context.once(("half", which), lambda: lifecycle.summary(orders.between(*days)))


def _moves(context: Context, *, frozen: bool = True) -> pd.DataFrame:
    first, second = _half(context, 1), _half(context, 2)
    cuts = segmentation.rfm.cut_points(first, bins=5)
    before = segmentation.rfm.segment(segmentation.rfm.score(first, cuts=cuts))
    after = segmentation.rfm.score(second, cuts=cuts) if frozen else segmentation.rfm.score(second, bins=5)
    return segmentation.rfm.migration(before, segmentation.rfm.segment(after))


class FarahRecency(Exercise):
    id, answer, level = "2.3-1", "farah_recency", "do"
    nudge = "List Farah's rows, find the last day on which she bought, and count the days from it to 31 December."
    meaning = "A refund is money, not a visit: it must not make a customer look recent."

    def expected(self, context: Context) -> int:
        return int(context.summary("ten_customers", as_of="2025-12-31").loc["C06", "recency_days"])

    def _days(self, context: Context, pick: str, *, refunds: bool) -> int:
        orders = context.load("ten_customers").orders.query("customer_id == 'C06'")
        days = orders["ordered_at"] if refunds else orders.loc[orders["amount"] > 0, "ordered_at"]
        return (pd.Timestamp("2025-12-31") - getattr(days, pick)().normalize()).days

    @wrong("On 23 December Farah got money back. She did not buy anything that day.")
    def refund_taken_for_a_visit(self, context: Context) -> int:
        return self._days(context, "max", refunds=True)

    @wrong("You counted from her first order. Recency looks at the last one.")
    def from_the_first_order(self, context: Context) -> int:
        return self._days(context, "min", refunds=False)

    @wrong("One day too many: from the 30th to the 31st is one day, not two. Count the nights.")
    def both_ends_counted(self, context: Context) -> int:
        return self.expected(context) + 1

    @wrong("The cake was returned later. She still came and bought on 21 November; only the money went back.")
    def returned_order_left_out(self, context: Context) -> int:
        orders = context.load("ten_customers").orders.query("customer_id == 'C06'")
        kept = orders.groupby("order_id")["amount"].transform("sum") > 0
        return (pd.Timestamp("2025-12-31") - orders.loc[kept, "ordered_at"].max().normalize()).days

    @wrong("You subtracted clock times. Count calendar days, not hours.")
    def clock_times(self, context: Context) -> int:
        orders = context.load("ten_customers").orders.query("customer_id == 'C06' and amount > 0")
        return (pd.Timestamp("2025-12-31") - orders["ordered_at"].max()).days

    @wrong("That is how often she bought, not how long ago.")
    def frequency_instead(self, context: Context) -> int:
        return int(context.summary("ten_customers", as_of="2025-12-31").loc["C06", "orders"])


class KimCell(Exercise):
    id, answer, level = "2.3-2", "kim_cell", "do"
    nudge = "Take the three numbers one by one. In which row of the table does the value lie: more than `above`, and at most `up_to`? Write recency, frequency, money with hyphens between."
    meaning = "Seldom, long ago, and in the middle by money: one number could not have said that."
    KIM: ClassVar = {"recency_days": 60, "orders": 2, "spend": 65}  # given in the text of the task

    def expected(self, context: Context) -> str:
        return self._cell(context, self.KIM)

    def _cell(self, context: Context, values: dict[str, float], order: str = "rfm", upper_end: bool = True) -> str:
        cuts = segmentation.rfm.cut_points(context.summary("ten_customers", as_of="2025-12-31"), bins=5)
        scores = {}
        for letter, rows in cuts.groupby("dimension"):
            value = values[rows["column"].iloc[0]]
            inside = (rows["above"] < value) & (value <= rows["up_to"])
            beside = (rows["above"] <= value) & (value < rows["up_to"])
            scores[letter] = int(rows.loc[inside if upper_end else beside, "score"].iloc[0])
        return "-".join(str(scores[letter]) for letter in order)

    @wrong("For recency the smallest number is the best: 60 days is long ago in this shop, so R must be low.")
    def recency_not_reversed(self, context: Context) -> str:
        r, *rest = self.expected(context).split("-")
        return "-".join([str(6 - int(r)), *rest])

    @wrong("Look at `above` and `up_to` once more: a value equal to `up_to` still belongs to that row.")
    def upper_end_left_out(self, context: Context) -> str:
        return self._cell(context, self.KIM, upper_end=False)

    @wrong("The row of F = 3 holds what is above 2 and at most 2: nobody. Which row holds a 2?")
    def empty_row(self, context: Context) -> str:
        r, _, m = self.expected(context).split("-")
        cuts = segmentation.rfm.cut_points(context.summary("ten_customers", as_of="2025-12-31"), bins=5)
        empty = cuts[(cuts["dimension"] == "f") & (cuts["customers"] == 0)]["score"].iloc[0]
        return f"{r}-{empty}-{m}"

    @wrong("The right scores. Write them with hyphens between, as in the table.")
    def without_hyphens(self, context: Context) -> str:
        return self.expected(context).replace("-", "")

    @wrong("Python has subtracted. Put the cell in quotation marks.")
    def without_quotation_marks(self, context: Context) -> int:
        r, f, m = map(int, self.expected(context).split("-"))
        return r - f - m

    @wrong("The order of the letters is recency, frequency, money.")
    def money_before_frequency(self, context: Context) -> str:
        return self._cell(context, self.KIM, order="rmf")

    @wrong(
        "Two orders are the lowest but one of the values that occur, and one order is lower still: look at the rows of `f`."
    )
    def frequency_lowest(self, context: Context) -> str:
        return self._cell(context, self.KIM | {"orders": 1})


class BestRecency(Exercise):
    id, answer, level = "2.3-3", "best_recency", "do"
    nudge = "Count the rows of `scores` in which `r_score` equals 5."
    meaning = "Ties make the best group almost half as large again as a fifth. The rule is honest, the group is bigger."

    def expected(self, context: Context) -> int:
        return int((_scores(context)["r_score"] == 5).sum())

    @wrong("That is a fifth of all households, what the recipe promises. Count what came of it.")
    def a_fifth(self, context: Context) -> int:
        return round(len(_households(context)) / 5)

    @wrong("You counted R = 1, the worst score. R = 5 is the best.")
    def worst_instead_of_best(self, context: Context) -> int:
        return int((_scores(context)["r_score"] == 1).sum())

    @wrong("You counted the households that came on the last day only. R = 5 reaches further; see the cut points.")
    def only_the_last_day(self, context: Context) -> int:
        return int((_households(context)["recency_days"] == 0).sum())

    @wrong("You counted households whose three scores are all 5. Here only recency is asked for.")
    def all_three_best(self, context: Context) -> int:
        return int((_scores(context)["rfm_cell"] == "5-5-5").sum())

    @wrong("You added up the scores. Count the households.")
    def scores_added(self, context: Context) -> int:
        scores = _scores(context)["r_score"]
        return int(scores[scores == 5].sum())


class ChangedBySorting(Exercise):
    id, answer, level = "2.3-4", "changed_by_sorting", "decide"
    nudge = "Apply `recency_fifths` to `resorted`, bring the result into the order of `households` with `.reindex(households.index)`, and count where it differs from `equal_groups`."
    meaning = "So many customers owe their score to the way a table happened to be sorted."

    def expected(self, context: Context) -> int:
        first, again = self._both(context)
        return int((again.reindex(first.index) != first).sum())

    def _both(self, context: Context) -> tuple[pd.Series, pd.Series]:
        households = _households(context)

        def fifths(table: pd.DataFrame) -> pd.Series:
            return pd.qcut(table["recency_days"].rank(method="first"), 5, labels=[5, 4, 3, 2, 1]).astype(int)

        return fifths(households), fifths(households.sort_values("spend"))

    @wrong(
        "You compared row by row in two different orders. Compare household by household: `.reindex(households.index)`."
    )
    def compared_by_place(self, context: Context) -> int:
        first, again = self._both(context)
        return int((first.to_numpy() != again.to_numpy()).sum())

    @wrong("That is the share. The number of households is asked for.")
    def share_instead_of_count(self, context: Context) -> float:
        return self.expected(context) / len(_households(context))

    @wrong("You counted the households whose score stayed. Count those that changed.")
    def unchanged_counted(self, context: Context) -> int:
        return len(_households(context)) - self.expected(context)

    @wrong(
        "You compared the groups with `scores`, which treats ties in another way. Compare `recency_fifths` with itself, before and after sorting."
    )
    def compared_with_honest_scores(self, context: Context) -> int:
        first, _ = self._both(context)
        return int((_scores(context)["r_score"] != first).sum())

    @wrong(
        "Zero: did you sort at all (`sort_values` returns a new table), or did plus and minus cancel? Count the households that differ."
    )
    def nothing_sorted(self, context: Context) -> int:
        first, _ = self._both(context)
        return int((first != first.copy()).sum())


class ChampionsInOneMapOnly(Exercise):
    id, answer, level = "2.3-5", "champions_in_one_map_only", "decide"
    nudge = (
        'Make one true/false column for each map (`segment == "Champions"`) and count the rows where the two disagree.'
    )
    meaning = "The same people, the same scores: whether somebody is a Champion is decided by whoever wrote the map."

    def expected(self, context: Context) -> int:
        ten, eleven = self._champions(context)
        return int((ten != eleven).sum())

    def _champions(self, context: Context) -> tuple[pd.Series, pd.Series]:
        return tuple(_segments(context, name)["segment"] == "Champions" for name in ("ten_segments", "eleven_segments"))

    @wrong(
        "You subtracted one total from the other. The totals hide those who are in one map but not in the other, both ways."
    )
    def difference_of_totals(self, context: Context) -> int:
        ten, eleven = self._champions(context)
        return abs(int(ten.sum()) - int(eleven.sum()))

    @wrong("You counted those who are Champions under both maps. Asked for are those under one and not the other.")
    def under_both(self, context: Context) -> int:
        ten, eleven = self._champions(context)
        return int((ten & eleven).sum())

    @wrong("You counted those who are Champions under at least one map. Take away those under both.")
    def under_at_least_one(self, context: Context) -> int:
        ten, eleven = self._champions(context)
        return int((ten | eleven).sum())

    @wrong("That is how many Champions one of the maps has. Compare the two maps household by household.")
    def one_map_counted(self, context: Context) -> int:
        return int(self._champions(context)[1].sum())

    @wrong(
        "You counted only one direction: Champions of the eleven segments that are none under the ten. Add the other direction."
    )
    def only_under_eleven(self, context: Context) -> int:
        ten, eleven = self._champions(context)
        return int((eleven & ~ten).sum())

    @wrong(
        "You counted only one direction: Champions of the ten segments that are none under the eleven. Add the other direction."
    )
    def only_under_ten(self, context: Context) -> int:
        ten, eleven = self._champions(context)
        return int((ten & ~eleven).sum())


class ReallyNew(Exercise):
    id, answer, level = "2.3-6", "really_new", "decide"
    nudge = 'Take the rows of `segments` with segment "New customers" and count those whose `first_order` is on or after 2017-11-01.'
    meaning = "Nearly all of them are old acquaintances who come rarely. A welcome letter would be an embarrassment."

    def expected(self, context: Context) -> int:
        called_new = _segments(context).query("segment == 'New customers'")
        return int((called_new["first_order"] >= "2017-11-01").sum())

    @wrong("You counted everybody with that name. Look at the day of the first order.")
    def everybody_called_new(self, context: Context) -> int:
        return int((_segments(context)["segment"] == "New customers").sum())

    @wrong('You looked at all households. Only those called "New customers" are asked for.')
    def all_households(self, context: Context) -> int:
        return int((_households(context)["first_order"] >= "2017-11-01").sum())

    @wrong("You counted those who are *not* new.")
    def the_old_ones(self, context: Context) -> int:
        return self.everybody_called_new(context) - self.expected(context)

    @wrong("That is the share. The number of households is asked for.")
    def share_instead_of_count(self, context: Context) -> float:
        return self.expected(context) / self.everybody_called_new(context)


class ChampionsStayed(Exercise):
    id, answer, level, digits = "2.3-7", "champions_stayed", "decide", 3
    nudge = 'Take the row "Champions" of `moves`: the field in the column "Champions", divided by the sum of the row.'
    meaning = (
        "Just under half. A further 127 became Loyal customers: many of them only missed the last two days of the year, "
        "since R = 5 is that short. Part of such movement is the calendar, not the customer."
    )

    def expected(self, context: Context) -> float:
        moves = _moves(context)
        return moves.loc["Champions", "Champions"] / moves.loc["Champions"].sum()

    @wrong(
        "You divided by the Champions of December (the column). Asked is what became of the Champions of June (the row)."
    )
    def share_of_the_column(self, context: Context) -> float:
        moves = _moves(context)
        return moves.loc["Champions", "Champions"] / moves["Champions"].sum()

    @wrong(
        "You gave the second half-year its own cut points. Then it shows who overtook whom, not who changed. Use `after`, which has the frozen ones."
    )
    def new_cut_points(self, context: Context) -> float:
        moves = _moves(context, frozen=False)
        return moves.loc["Champions", "Champions"] / moves.loc["Champions"].sum()

    @wrong("That is right, but rounded too far. Give at least three digits.")
    def rounded_too_far(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("That is the number of households. Divide by all Champions of June.")
    def count_instead_of_share(self, context: Context) -> int:
        return int(_moves(context).loc["Champions", "Champions"])

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self.expected(context) * 100

    @wrong("You divided by all households. Divide by the Champions of June.")
    def share_of_all(self, context: Context) -> float:
        moves = _moves(context)
        return moves.loc["Champions", "Champions"] / moves.to_numpy().sum()


class WarningList(Exercise):
    id, answer, level, points, digits = "2.3-8", "my_defence", "defend", 2, 3
    choices = ("fixed", "days", "quantiles")
    nudge = (
        'Take the rows of `fate["in_30_days"]` that belong to your list, turn them round (`~`: not back), and take the mean. '
        "Do the same with all rows: a list that has no larger share than all households warns of nothing."
    )
    meaning = (
        "Of all households 14 in 100 were not back, of the quantile list 11: a rank cannot tell whether anybody is in danger. "
        "Days can."
    )
    rubric = (
        "Full marks: compares the list with all households (a warning must beat names drawn by lot); says that quantile "
        "scores always produce a lowest fifth, so that list cannot be empty; names a price of the own choice: 'fixed' finds "
        "3 in 100 of those who stay away, 'days' lists small spenders (3 % of the money), and each is wrong about half of its "
        "households or more; says who chooses the days and on what evidence (the return rates by days since the last visit). "
        "Half marks: only two of these. No marks for 'fixed is more precise' without a reason."
    )
    OWNER: ClassVar = {"recency_days": [7, 14, 30, 60], "orders": [6, 13, 26, 52], "spend": [150, 300, 650, 1300]}

    def expected(self, context: Context) -> dict[str, float]:
        return {choice: self._share(context, choice) for choice in ("fixed", "days")}

    def _listed(self, context: Context, choice: str, most_days: int = 30) -> pd.Index:
        first = _half(context, 1)
        if choice == "days":
            return first.index[first["recency_days"] > most_days]
        cuts = self.OWNER if choice == "fixed" else None
        segments = segmentation.rfm.segment(segmentation.rfm.score(first, bins=5, cuts=cuts))
        return segments.index[segments["segment"] == "At risk"]

    def _away(self, context: Context, days: int = 30) -> pd.Series:
        """Who was not back so many days after 30 June, by household."""
        back = _half(context, 2)["first_order"].reindex(_half(context, 1).index) - pd.Timestamp("2017-06-30")
        return ~(back.dt.days <= days)

    def _share(self, context: Context, choice: str, *, days: int = 30, most_days: int = 30) -> float:
        return float(self._away(context, days)[self._listed(context, choice, most_days)].mean())

    def _found(self, context: Context, choice: str) -> float:
        away = self._away(context)
        return float(away[self._listed(context, choice)].sum() / away.sum())

    @wrong("That is the share that WAS back. Turn it round: `~` makes true false and false true.")
    def share_back_of_fixed(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=1 - self._share(context, "fixed"), because="")

    @wrong("That is the share of your list that was back within 30 days. Asked is who was not.")
    def share_back_of_days(self, context: Context) -> Defence:
        return defend(choice="days", figure=1 - self._share(context, "days"), because="")

    @wrong("That is the share not seen in the whole half-year. A month is asked for: the column `in_30_days`.")
    def whole_half_year(self, context: Context) -> Defence:
        return defend(choice="days", figure=self._share(context, "days", days=184), because="")

    @wrong(
        "Nobody of your list stayed away for the whole half-year. That is the column `again`; a month is `in_30_days`."
    )
    def whole_half_year_of_fixed(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=self._share(context, "fixed", days=184), because="")

    @wrong(
        "The figure is right, and it speaks against you: among ALL households the share is larger. Names drawn by lot would warn better."
    )
    def chose_quantiles(self, context: Context) -> Defence:
        return defend(choice="quantiles", figure=self._share(context, "quantiles"), because="")

    @wrong("That is the figure of the quantile list. You chose the one by fixed cut points: take the rows of `fixed`.")
    def the_quantile_list(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=self._share(context, "quantiles"), because="")

    @wrong("That is the share among all households, the one to compare with. Take the rows of your list only.")
    def all_households(self, context: Context) -> Defence:
        return defend(choice="days", figure=float(self._away(context).mean()), because="")

    @wrong(
        "That is how many of those who stayed away your list finds. Asked is the other way round: how many of your list stayed away."
    )
    def share_found_by_days(self, context: Context) -> Defence:
        return defend(choice="days", figure=self._found(context, "days"), because="")

    @wrong("You divided by all who stayed away. Divide by the households on your list: how many of these stayed away?")
    def share_found_by_fixed(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=self._found(context, "fixed"), because="")

    @wrong("You rounded to two digits. Give at least three.")
    def rounded_days(self, context: Context) -> Defence:
        return defend(choice="days", figure=round(self._share(context, "days"), 2), because="")

    @wrong("Nearly: that is rounded to two digits; at least three are asked for.")
    def rounded_fixed(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=round(self._share(context, "fixed"), 2), because="")

    @wrong("You compared with all households. Asked is the share of your own list, the rows of `fixed` in the segment.")
    def all_households_for_fixed(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=float(self._away(context).mean()), because="")

    @wrong('You chose "days" and gave the figure of "fixed". The figure must belong to your choice.')
    def figure_of_fixed(self, context: Context) -> Defence:
        return defend(choice="days", figure=self._share(context, "fixed"), because="")

    @wrong('You chose "fixed" and gave the figure of "days". The figure must belong to your choice.')
    def figure_of_days(self, context: Context) -> Defence:
        return defend(choice="fixed", figure=self._share(context, "days"), because="")

    @wrong("That is who of the quantile list WAS back, and it speaks against that list: nine in ten need no warning.")
    def quantiles_and_back(self, context: Context) -> Defence:
        return defend(choice="quantiles", figure=1 - self._share(context, "quantiles"), because="")

    @wrong("You took those away for 30 days as well. MORE than 30 days is asked for.")
    def thirty_days_as_well(self, context: Context) -> Defence:
        return defend(choice="days", figure=self._share(context, "days", most_days=29), because="")


class MoneyAddressed(Exercise):
    id, answer, level, digits = "2.3-9", "money_addressed", "do", 0
    nudge = 'Keep the rows of `letters` whose `group` is "contact" and add up `value`.'
    meaning = "This is what these households spent last year. It is not what the letters will earn: most of it would have come without them."

    def expected(self, context: Context) -> float:
        letters = self._letters(context)
        return float(letters.loc[letters["group"] == "contact", "value"].sum())

    def _letters(self, context: Context, **options: Any) -> pd.DataFrame:
        segments = _segments(context)
        wanted = {"segments_wanted": ["At risk", "Cannot lose them"], "capacity": 200, "seed": 1} | options
        cards = segmentation.rfm.cards(segments, "ten_segments")
        return evaluation.actions.action_list(segments, cards, **wanted)

    @wrong("You added up the whole list. The control group gets no letter.")
    def control_group_included(self, context: Context) -> float:
        return float(self._letters(context)["value"].sum())

    @wrong("That is the control group: those who get no letter.")
    def only_the_control_group(self, context: Context) -> float:
        letters = self._letters(context)
        return float(letters.loc[letters["group"] == "control", "value"].sum())

    @wrong("That is the number of letters. Add up the money in `value`.")
    def letters_counted(self, context: Context) -> int:
        return int((self._letters(context)["group"] == "contact").sum())

    @wrong("That is the mean. Add up.")
    def mean_instead_of_sum(self, context: Context) -> float:
        letters = self._letters(context)
        return float(letters.loc[letters["group"] == "contact", "value"].mean())

    @wrong("You added up everybody in the two segments. The budget reaches only 200 of them.")
    def budget_forgotten(self, context: Context) -> float:
        segments = _segments(context)
        return float(segments.loc[segments["segment"].isin(["At risk", "Cannot lose them"]), "spend"].sum())


class FirstVisit(Exercise):
    id, answer, level = "2.3-10", "first_visit", "decide"
    nudge = "Score `accounts` with `bins=3` and your three dimensions, then take `.idxmax()` of `rfm_score`."
    meaning = "Much revenue, recent contact, and four fifths of its parts still bought elsewhere: that is where a visit can win something."

    def _best(self, context: Context, dimensions: Any) -> str:
        accounts = context.load("twelve_accounts").accounts.set_index("account_id")
        return str(segmentation.rfm.score(accounts, bins=3, dimensions=dimensions)["rfm_score"].idxmax())

    def _with_wallet(self, better: str) -> list[Dimension]:
        return [
            Dimension("r", "recency_days", better="low", label="Recency"),
            Dimension("m", "spend", better="high", label="Revenue with us"),
            Dimension("w", "share_of_wallet", better=better, label="Share of wallet"),
        ]

    def expected(self, context: Context) -> str:
        return self._best(context, self._with_wallet("low"))

    @wrong(
        "This firm buys nearly everything from us already. For winning more, a LOW share of wallet is the better one."
    )
    def high_share_of_wallet(self, context: Context) -> str:
        return self._best(context, self._with_wallet("high"))

    @wrong("The right firm. Its `account_id` is asked for.")
    def name_instead_of_id(self, context: Context) -> str:
        accounts = context.load("twelve_accounts").accounts.set_index("account_id")
        return str(accounts.loc[self.expected(context), "name"])

    @wrong("That is a row number. Make `account_id` the index first, as in the lesson's `accounts`.")
    def row_number(self, context: Context) -> int:
        accounts = context.load("twelve_accounts").accounts.set_index("account_id")
        return int(accounts.index.get_loc(self.expected(context)))

    @wrong(
        "That is what plain RFM says. Here twelve orders a year are in the contract: use the share of wallet instead of F."
    )
    def plain_rfm(self, context: Context) -> str:
        return self._best(context, "rfm")

    @wrong(
        "That is the firm with the highest revenue. It has not ordered for more than two months, and buys most of its parts from us already."
    )
    def highest_revenue(self, context: Context) -> str:
        return str(context.load("twelve_accounts").accounts.set_index("account_id")["spend"].idxmax())


class FrequencyScores(Exercise):
    id, answer, level = "2.3-11", "frequency_scores", "decide"
    nudge = "Make the summary as of 1998-06-30, score it in five bins, and count the different values of `f_score`."
    meaning = "Over half of the customers bought once, so one class stays empty: five frequency classes would be an invention."

    def _music(self, context: Context, **options: Any) -> pd.DataFrame:
        return segmentation.rfm.score(context.summary("cdnow", as_of="1998-06-30"), bins=5, **options)

    def expected(self, context: Context) -> int:
        return int(self._music(context)["f_score"].nunique())

    @wrong("Five were ordered. Count those that occur.")
    def as_many_as_ordered(self, context: Context) -> int:
        return int(self._music(context).attrs["bins"]["f"])

    @wrong("That is how many customers bought only once. It is the reason for the answer, not the answer.")
    def one_time_buyers(self, context: Context) -> int:
        return int((context.summary("cdnow", as_of="1998-06-30")["orders"] == 1).sum())

    @wrong("You counted the different numbers of orders. Count the different scores.")
    def orders_instead_of_scores(self, context: Context) -> int:
        return int(context.summary("cdnow", as_of="1998-06-30")["orders"].nunique())

    @wrong("You counted customers. Count how many different scores there are.")
    def customers_counted(self, context: Context) -> int:
        return len(self._music(context))


class PointsAhead(Exercise):
    id, answer, level, digits = "2.3-12", "points_ahead", "decide", 1
    nudge = "Repeat the cell of the contest with 200 instead of 494, multiply the shares by 100 and subtract."
    meaning = "With 200 letters the plain list by money is ahead as well."

    def _shares(self, context: Context, number: int, tie_break: float = 0.01) -> dict[str, float]:
        first = _half(context, 1)
        later = _half(context, 2)["spend"].reindex(first.index).fillna(0)
        rfm_score = segmentation.rfm.score(first, bins=5)["rfm_score"]
        rankings = {"spend": first["spend"], "rfm": rfm_score + first["spend"].rank(pct=True) * tie_break}
        return {name: later[value.nlargest(number).index].sum() / later.sum() for name, value in rankings.items()}

    def _points(self, context: Context, number: int = 200, tie_break: float = 0.01) -> float:
        shares = self._shares(context, number, tie_break)
        return float((shares["spend"] - shares["rfm"]) * 100)

    def expected(self, context: Context) -> float:
        return self._points(context)

    @wrong("That is the difference for 494 households. The owner has 200 letters.")
    def still_494(self, context: Context) -> float:
        return self._points(context, 494)

    @wrong("You left out the tie-break: among equal RFM scores the higher spend comes first, as in the contest.")
    def without_tie_break(self, context: Context) -> float:
        return self._points(context, tie_break=0)

    @wrong("That is a difference of shares, not of percentage points: multiply by 100, and only then round.")
    def shares_instead_of_points(self, context: Context) -> float:
        return round(self.expected(context) / 100, 3)

    @wrong("That is the difference in per cent of the smaller share. Percentage points are the plain difference.")
    def per_cent_instead_of_points(self, context: Context) -> float:
        shares = self._shares(context, 200)
        return float((shares["spend"] / shares["rfm"] - 1) * 100)

    @wrong("The sign: spend is ahead, so subtract the RFM score's share from it.")
    def wrong_way_round(self, context: Context) -> float:
        return -self.expected(context)
