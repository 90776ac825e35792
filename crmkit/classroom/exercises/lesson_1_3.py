"""The exercises of lesson 1.3, six stages."""

from typing import Any, ClassVar

import pandas as pd

from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.lifecycle import needs, stages

#: The customers that the lesson shows by name.
FIVE = ["S00183", "S00637", "S01344", "S02659", "S02935"]
TWELVE = [
    "S00022",
    "S00031",
    "S00058",
    "S00064",
    "S00166",
    "S00247",
    "S00270",
    "S01244",
    "S01516",
    "S01855",
    "S02017",
    "S02111",
]
TRADE_GAP = 56  # the lesson's yardstick: eight weeks


def _rules() -> stages.StageRules:
    return stages.StageRules.load("six_stages").move(trade_gap_days=TRADE_GAP)


def _stages(context: Context, day: str = "2025-12-31", **thresholds: float) -> pd.DataFrame:
    """Everybody at Harbour on that day, under the lesson's rules with some thresholds moved."""
    shop = context.load("shop")
    assigned = context.once(
        ("1.3", day),
        lambda: stages.assign(shop.transactions, as_of=day, prospects=shop.customers, rules=_rules()),
    )
    return stages.reassign(assigned, _rules().move(**thresholds)) if thresholds else assigned


def _at(context: Context, freq: str) -> list[pd.DataFrame]:
    days = pd.date_range("2024-12-31", "2025-12-31", freq=freq)
    return [_stages(context, f"{day:%Y-%m-%d}") for day in days]


class ByHand(Exercise):
    id, answer, level = "1.3-1", "by_hand", "do"
    nudge = "Take one customer and go down the table of rules. How many purchases? How long silent, in usual gaps? Old enough for a trend? Only then look at trend and chance."
    meaning = "Five people, five decisions, and nobody can say afterwards that the computer decided: each has a rule with a number that somebody chose."

    def expected(self, context: Context) -> dict[str, str]:
        return self._stages(_stages(context))

    def _stages(self, assigned: pd.DataFrame) -> dict[str, str]:
        return assigned.loc[FIVE, "stage"].astype(str).to_dict()

    def _with(self, context: Context, **facts: Any) -> dict[str, str]:
        """The stages if these facts were read in another way."""
        return self._stages(stages.reassign(_stages(context).assign(**facts), _rules()))

    @wrong(
        "You measured silence in gaps of the trade. Some of these customers have their own, much longer gap: see `gap_days` and `silence`."
    )
    def gaps_of_the_trade(self, context: Context) -> dict[str, str]:
        return self._with(context, silence=lambda table: table["silence_days"].astype(float) / TRADE_GAP)

    @wrong(
        "You left out `chance`. Half as often is a decline only if chance seldom does that to steady customers: at most 0.1."
    )
    def chance_left_out(self, context: Context) -> dict[str, str]:
        return self._with(context, chance=0.0)

    @wrong(
        "Look at `age` once more: below 2 windows there is no trend yet, whatever the column says. Which rule takes such customers?"
    )
    def young_taken_for_old(self, context: Context) -> dict[str, str]:
        return self._with(context, age=99.0)

    @wrong("One purchase is new only as long as the silence is usual. How long has this customer been silent, in gaps?")
    def one_purchase_is_new(self, context: Context) -> dict[str, str]:
        once = _stages(context)["purchases"] == 1
        return self._with(context, silence=_stages(context)["silence"].where(~once, 0.0))

    @wrong("You looked at silence only. Somebody may still come and yet buy less: what do `trend` and `chance` say?")
    def silence_only(self, context: Context) -> dict[str, str]:
        return self._with(context, trend=1.0)


class Messages(Exercise):
    id, answer, level = "1.3-2", "messages", "do"
    nudge = "Read the column `task` of `todo` beside each message: whom does it thank, welcome, miss, or ask to begin?"
    meaning = (
        "Sent to another stage, each of these messages is embarrassing. That is why the list of names must be right."
    )
    SIX: ClassVar = {"A": "mature", "B": "decline", "C": "new", "D": "prospect", "E": "lost", "F": "growth"}

    def expected(self, context: Context) -> dict[str, str]:
        return dict(self.SIX)

    def _swapped(self, one: str, other: str) -> dict[str, str]:
        turned = {one: other, other: one}
        return {letter: turned.get(stage, stage) for letter, stage in self.SIX.items()}

    @wrong(
        "Who is asked what went wrong, and is offered a reason to come again, is missed but not given up. Compensation for the past is for those who have left."
    )
    def decline_for_lost(self, context: Context) -> dict[str, str]:
        return self._swapped("decline", "lost")

    @wrong(
        "A fifth order since summer is buying that rises. Two years of the same is steady: who of the two gets a service, who a suggestion to buy something besides?"
    )
    def growth_for_mature(self, context: Context) -> dict[str, str]:
        return self._swapped("growth", "mature")

    @wrong("Whose first parcel is on its way has bought. Who only looked has not.")
    def new_for_prospect(self, context: Context) -> dict[str, str]:
        return self._swapped("new", "prospect")

    @wrong("Those are the phases. Each phase has two stages; say which.")
    def phases(self, context: Context) -> dict[str, str]:
        phase = stages.StageRules.load().tasks["phase"]
        return {letter: phase[stage] for letter, stage in self.SIX.items()}

    @wrong("The first parcel is the sign of a new customer, the fifth order one of growth.")
    def new_for_growth(self, context: Context) -> dict[str, str]:
        return self._swapped("new", "growth")


class Moved(Exercise):
    id, answer, level = "1.3-3", "moved", "decide"
    nudge = (
        "Call `stages.reassign(now, rules.move(slow_after=2))` and count the rows whose `stage` is not that of `now`."
    )
    meaning = "So many people are called declining from one day to the next, and nobody did anything. Two in five of them bought once; the others had been called growing or mature."

    def expected(self, context: Context) -> int:
        return self._differ(context, slow_after=2)

    def _differ(self, context: Context, **thresholds: float) -> int:
        return int((_stages(context, **thresholds)["stage"] != _stages(context)["stage"]).sum())

    @wrong("You moved `lost_after`. Here it is `slow_after` that goes from 3 to 2.")
    def the_other_threshold(self, context: Context) -> int:
        return self._differ(context, lost_after=4)

    @wrong("You moved it the other way. From 3 to 2 is earlier, not later.")
    def the_other_way(self, context: Context) -> int:
        return self._differ(context, slow_after=4)

    @wrong("That is how many are in decline afterwards. Count those who were somewhere else before.")
    def all_in_decline(self, context: Context) -> int:
        return int((_stages(context, slow_after=2)["stage"] == "decline").sum())

    @wrong("You counted those who stayed. Count those who are in another stage.")
    def who_stayed(self, context: Context) -> int:
        return len(_stages(context)) - self.expected(context)

    @wrong("You left out the new customers: whoever bought once and is silent now counts as well.")
    def without_the_new(self, context: Context) -> int:
        kept = _stages(context)["stage"] != "new"
        return int((_stages(context, slow_after=2)["stage"] != _stages(context)["stage"])[kept].sum())

    @wrong("Those are the new customers alone. They come from growth and mature as well: count all who moved.")
    def only_the_new(self, context: Context) -> int:
        return self.expected(context) - self.without_the_new(context)

    @wrong("That is the share. The number of people is asked for.")
    def share(self, context: Context) -> float:
        return self.expected(context) / len(_stages(context))


class MyDefinition(Exercise):
    id, answer, level, points, digits = "1.3-4", "my_definition", "defend", 2, 3
    choices = ("early", "late")
    nudge = 'Take the rows of `early` in stage "decline", look up their `fate`, and compute the share that is "left already".'
    meaning = "Two thirds of the early list are still there. The price is that most of these would have stayed without a call."
    rubric = (
        "Full marks: says that a call needs somebody who is still there; compares the share that had left on both lists; "
        "names the price of the early list (about half of those called would have stayed anyway, so the call must be "
        "cheap and do no harm); says that neither list finds many who are about to leave, and compares with all buyers. "
        "Half marks: only that earlier is better. No marks for a definition without the task it is for."
    )

    def expected(self, context: Context) -> dict[str, float]:
        return {"early": self._share(context, "left")}

    def _share(self, context: Context, what: str, *, early: bool = True, everybody: bool = False) -> float:
        june = _stages(context, "2025-06-30", **({"slow_after": 1.5, "lost_after": 3} if early else {}))
        listed = june.index if everybody else june.index[june["stage"] == "decline"]
        left_on = context.load("shop").truth_customers.set_index("customer_id")["dropped_out_on"].reindex(listed)
        left, leaves = left_on <= "2025-06-30", (left_on > "2025-06-30") & (left_on <= "2025-12-31")
        return float({"left": left, "leaves": leaves, "there": ~left}[what].mean())

    @wrong(
        "The figure fits your list, and it speaks against you: of the late list two thirds had left before anybody could call."
    )
    def chose_late(self, context: Context) -> Defence:
        return defend(choice="late", figure=self._share(context, "left", early=False), because="")

    @wrong("That is the share of the late list. Compute it for the list that you choose: the rows of `early`.")
    def the_late_list(self, context: Context) -> Defence:
        return defend(choice="early", figure=self._share(context, "left", early=False), because="")

    @wrong("That is the share that was still there. The share that had left already is asked for.")
    def still_there(self, context: Context) -> Defence:
        return defend(choice="early", figure=self._share(context, "there"), because="")

    @wrong('That is the share that leaves later. A figure worth knowing; but asked is "left already".')
    def leaves_later(self, context: Context) -> Defence:
        return defend(choice="early", figure=self._share(context, "leaves"), because="")

    @wrong('You took everybody. Only the stage "decline" is the call list.')
    def everybody(self, context: Context) -> Defence:
        return defend(choice="early", figure=self._share(context, "left", everybody=True), because="")

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> Defence:
        return defend(choice="early", figure=self._share(context, "left") * 100, because="")


class MatureInTwo(Exercise):
    id, answer, level, digits = "1.3-5", "mature_in_two", "do", 3
    nudge = "Three ways lead from growth to mature in two steps: by growth, by mature, by decline. Multiply along each way, then add."
    meaning = "That is all a Markov chain does. Multiplying the table with itself adds up all the ways at once."

    def expected(self, context: Context) -> float:
        shares = self._table(context, normalize="index")
        return float((shares @ shares).loc["growth", "mature"])

    def _table(self, context: Context, **how: Any) -> pd.DataFrame:
        tables = [_stages(context, day)["stage"].astype(str).loc[TWELVE] for day in ("2025-06-30", "2025-12-31")]
        return pd.crosstab(*tables, **how)

    @wrong("That is one half-year. Two are asked for.")
    def one_step(self, context: Context) -> float:
        return float(self._table(context, normalize="index").loc["growth", "mature"])

    @wrong("You squared one number. From growth one may also come to mature by growth or by decline.")
    def squared(self, context: Context) -> float:
        return self.one_step(context) ** 2

    @wrong("You divided by the columns. Of those in growth, where do they go? Divide each row by its sum.")
    def by_columns(self, context: Context) -> float:
        shares = self._table(context, normalize="columns")
        return float((shares @ shares).loc["growth", "mature"])

    @wrong("One way is missing: who declines may come back. Growth → decline → mature counts as well.")
    def without_decline(self, context: Context) -> float:
        shares = self._table(context, normalize="index")
        return float(self.expected(context) - shares.loc["growth", "decline"] * shares.loc["decline", "mature"])

    @wrong("That is one of the three ways, by mature. By growth and by decline one gets there as well: add them.")
    def only_by_mature(self, context: Context) -> float:
        shares = self._table(context, normalize="index")
        return float(shares.loc["growth", "mature"] * shares.loc["mature", "mature"])

    @wrong("Two half-years are not twice one. Multiply along each of the three ways, then add the three products.")
    def doubled(self, context: Context) -> float:
        return 2 * self.one_step(context)

    @wrong("You rounded to two digits. Three are asked for.")
    def two_digits(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("You multiplied numbers of customers. Make shares of each row first.")
    def counts(self, context: Context) -> float:
        table = self._table(context)
        return float((table @ table).loc["growth", "mature"])


class Outside(Exercise):
    id, answer, level = "1.3-6", "outside", "decide"
    nudge = "Call `stages.back_test(months, learn=10)`. Each row has a column `inside`; count where it is not true."
    meaning = "Far more than the one in ten that a 90 % interval allows. The months before Christmas are not like the months it has seen, and no interval can know that."

    def expected(self, context: Context) -> int:
        return int((~self._test(context)["inside"]).sum())

    def _test(self, context: Context, learn: int = 10, freq: str = "ME", **options: Any) -> pd.DataFrame:
        tables = _at(context, freq)
        return context.once(
            ("1.3-6", learn, freq, *options.items()), lambda: stages.back_test(tables, learn=learn, **options)
        )

    @wrong("That is how many lie inside, or you learned from nine dates. Learn from ten, and count those outside.")
    def inside_counted(self, context: Context) -> int:
        return int(self._test(context)["inside"].sum())

    @wrong("That is what a 90 % interval promises, one in ten. Count what came of it.")
    def as_promised(self, context: Context) -> float:
        return len(self._test(context)) * 0.1

    @wrong("You learned from eleven dates, so October was not forecast. Learn from ten.")
    def eleven_dates(self, context: Context) -> int:
        return int((~self._test(context, learn=11)["inside"]).sum())

    @wrong("You counted only those above the interval. What came may also lie below it.")
    def only_above(self, context: Context) -> int:
        table = self._test(context)
        return int((table["came"] > table["high"]).sum())

    @wrong("You counted December only. All three months are asked for.")
    def december_only(self, context: Context) -> int:
        table = self._test(context)
        return int((~table.loc[table["period"] == 3, "inside"]).sum())

    @wrong("That is the share. Count the numbers.")
    def share(self, context: Context) -> float:
        return float((~self._test(context)["inside"]).mean())


class HowFirm(Exercise):
    id, answer, level, digits = "1.3-7", "how_firm", "decide", 2
    nudge = 'Urgency is a mean of true and false by reason: `said["stage"].isin([...]).groupby(said["reason"]).mean()`. Put it beside `importance` in a DataFrame, and prioritise with `weights=(0, 1)`.'
    meaning = (
        "The first place depends on how much urgency counts. Whoever shows such a list must say for whom it holds."
    )

    def expected(self, context: Context) -> float:
        return float(self._ranked(context)["first_share"].iloc[0])

    def _ranked(
        self, context: Context, *, leaving: tuple[str, ...] = ("decline", "lost"), people: bool = False, **options: Any
    ) -> pd.DataFrame:
        said = context.load("shop").feedback.query("reason in ['delivery', 'price', 'range', 'quality']")
        said = said.drop_duplicates(["customer_id", "reason"]).join(
            _stages(context)[["stage", "spend"]], on="customer_id"
        )
        said = said.assign(urgent=said["stage"].isin(leaving))
        table = said.groupby("reason").agg(
            urgency=("urgent", "mean"), importance=("spend", "size" if people else "sum")
        )
        return needs.prioritise(table, **({"weights": (0, 1)} | options))

    @wrong("You left the weights as they are, from a quarter to three quarters. Try all from 0 to 1: `weights=(0, 1)`.")
    def default_weights(self, context: Context) -> float:
        return float(self._ranked(context, weights=(0.25, 0.75))["first_share"].iloc[0])

    @wrong("That is the `first_share` of the need in second place.")
    def second_need(self, context: Context) -> float:
        return float(self._ranked(context)["first_share"].iloc[1])

    @wrong('You took one of the two stages as urgent. Both count, "decline" and "lost": `isin(["decline", "lost"])`.')
    def only_lost(self, context: Context) -> float:
        return float(self._ranked(context, leaving=("lost",))["first_share"].iloc[0])

    @wrong("You took the number of people for importance. Here importance is the money they have spent.")
    def people_for_money(self, context: Context) -> float:
        return float(self._ranked(context, people=True)["first_share"].iloc[0])

    @wrong("That is the priority. The share of the weights stands in `first_share`.")
    def priority(self, context: Context) -> float:
        return float(self._ranked(context)["priority"].iloc[0])

    @wrong("That is the urgency of the first need. The share of the weights stands in `first_share`.")
    def urgency(self, context: Context) -> float:
        return float(self._ranked(context)["urgency"].iloc[0])


class Disagree(Exercise):
    id, answer, level = "1.3-8", "disagree", "decide"
    nudge = 'Take the buyers, make two true/false columns, `silence_days > 336` and `stage == "lost"`, and count where they differ.'
    meaning = "It gives up slow buyers, of whom two in five are still there, and waits for fast ones, of whom nine in ten have left. A rule in days is simple, and wrong at both ends."

    def _two(self, context: Context, days: int = 336) -> tuple[pd.Series, pd.Series]:
        buyers = _stages(context).query("purchases > 0")
        return buyers["silence_days"] > days, buyers["stage"] == "lost"

    def expected(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return int((fixed != ours).sum())

    @wrong("You subtracted one total from the other. Those who differ one way cancel those who differ the other way.")
    def difference_of_totals(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return abs(int(fixed.sum()) - int(ours.sum()))

    @wrong("Those are lost by 336 days and not by our rules. Add those for whom it is the other way round.")
    def by_days_only(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return int((fixed & ~ours).sum())

    @wrong("Those are lost by our rules and not by 336 days. Add those for whom it is the other way round.")
    def by_gaps_only(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return int((~fixed & ours).sum())

    @wrong("You counted those who are lost by both. Count those who are lost by one and not by the other.")
    def lost_by_both(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return int((fixed & ours).sum())

    @wrong("You counted those who are lost by at least one rule. Take away those lost by both.")
    def lost_by_either(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return int((fixed | ours).sum())

    @wrong("You counted those about whom the rules agree.")
    def agree(self, context: Context) -> int:
        fixed, ours = self._two(context)
        return int((fixed == ours).sum())

    @wrong("That is how many the rule of 336 days calls lost. Compare it with ours, customer by customer.")
    def one_rule(self, context: Context) -> int:
        return int(self._two(context)[0].sum())


class Memory(Exercise):
    id, answer, level, digits = "1.3-9", "memory", "decide", 0
    nudge = 'Keep the rows of `three` with "decline" in September, and compare the share that is "lost" in December between those with "decline" and those with "new" in June.'
    meaning = "The same stage, and very different futures: how long somebody has been silent matters, and the chain does not know it. The total may still come out right, since the errors of the groups cancel."

    def _shares(self, context: Context, then: str = "decline") -> pd.Series:
        quarters = [table["stage"].astype(str) for table in _at(context, "QE")[2:]]
        three = pd.concat(quarters, axis=1, keys=["jun", "sep", "dec"]).dropna()
        chosen = three[three["sep"] == then]
        return (chosen["dec"] == "lost").groupby(chosen["jun"]).mean()

    def expected(self, context: Context) -> float:
        shares = self._shares(context)
        return float((shares["decline"] - shares["new"]) * 100)

    @wrong("The sign: those who were in decline already are lost more often; subtract the new from them.")
    def the_other_way(self, context: Context) -> float:
        return -round(self.expected(context))

    @wrong("That is a difference of shares. In percentage points it is a hundred times as much.")
    def shares_instead_of_points(self, context: Context) -> float:
        return round(self.expected(context) / 100, 2)

    @wrong("That is how many times as often. The difference in percentage points is asked for.")
    def ratio(self, context: Context) -> float:
        shares = self._shares(context)
        return float(shares["decline"] / shares["new"])

    @wrong("You compared with those who were mature in June. Compare with those who were new.")
    def with_the_mature(self, context: Context) -> float:
        shares = self._shares(context)
        return float((shares["decline"] - shares["mature"]) * 100)

    @wrong("You compared with those who were in growth in June. Compare with those who were new.")
    def with_growth(self, context: Context) -> float:
        shares = self._shares(context)
        return float((shares["decline"] - shares["growth"]) * 100)


class YoungHouseholds(Exercise):
    id, answer, level, digits = "1.3-10", "young_households", "do", 3
    nudge = 'Call `stages.assign(…, as_of="2017-01-31")`, and take the mean of `stage.isin(["new", "growth"])`.'
    meaning = "Three in four households young, in a supermarket? The table began 30 days before. The rules cannot know what was before the data, and the note says so."

    def _january(
        self, context: Context, day: str = "2017-01-31", rules: stages.StageRules | str = "six_stages"
    ) -> pd.Series:
        journey = context.load("complete_journey").transactions
        return context.once(
            ("1.3-10", day, str(rules)), lambda: stages.assign(journey, as_of=day, rules=rules)["stage"]
        )

    def expected(self, context: Context) -> float:
        return float(self._january(context).isin(["new", "growth"]).mean())

    @wrong("You counted only the new. Those in growth are asked for as well.")
    def only_new(self, context: Context) -> float:
        return float((self._january(context) == "new").mean())

    @wrong('You passed `rules`, whose gap of 56 days is the shop\'s. A supermarket has its own: `rules="six_stages"`.')
    def rules_of_the_shop(self, context: Context) -> float:
        return float(self._january(context, rules=_rules()).isin(["new", "growth"]).mean())

    @wrong("That is a number of households. Give the share.")
    def number(self, context: Context) -> int:
        return int(self._january(context).isin(["new", "growth"]).sum())

    @wrong("You divided by all 2,469 households. On that day only those seen in January can be in the table.")
    def of_all_households(self, context: Context) -> float:
        return self.number(context) / len(context.summary("complete_journey", as_of="2017-12-31"))

    @wrong("That is the end of the year. Look at 31 January 2017.")
    def end_of_the_year(self, context: Context) -> float:
        return float(self._january(context, "2017-12-31").isin(["new", "growth"]).mean())

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return self.expected(context) * 100
