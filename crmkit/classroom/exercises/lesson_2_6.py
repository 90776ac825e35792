"""The exercises of lesson 2.6, tags and portraits."""

from typing import Any

import numpy as np
import pandas as pd

from crmkit.classroom.exercise import Context, Defence, Exercise, wrong
from crmkit.evaluation import targets
from crmkit.segmentation import portrait, tags

# What the lesson's text gives: the day, the prices, the three guesses.
DAY = pd.Timestamp("2025-09-14")
CONTACT, MADE_FOR, WORTH = 0.40, 240.0, 14.0
TEA, APP = "orders_tea >= 3", "orders_app / orders >= 0.5"
CLASS_M = f"{TEA} AND {APP}"


def _rule(text: str) -> dict[str, Any]:
    return {"tag": [{"name": "rule", "rule": text, "meaning": "", "from": "2000-01-01"}]}


def _households(context: Context) -> pd.DataFrame:
    journey = context.load("complete_journey")
    people = journey.demographics.rename(columns={"household_id": "customer_id"})
    basic = ["age", "income", "household_size", "kids_count"]
    return context.once("2.6 households", lambda: portrait.build(people, journey.transactions, basic=basic))


def _staff(context: Context) -> pd.DataFrame:
    return context.load("membership").manual_tags.replace({"tag": {"vip": "VIP"}})


def _portrait(context: Context) -> pd.DataFrame:
    club = context.load("membership")

    def build() -> pd.DataFrame:
        return portrait.build(
            club.members,
            club.transactions.between("2024-09-15", "2025-09-14"),
            basic=["birth_year", "sex", "region", "language", "dietary"],
            member=["kind", "tier", "consent_sms", "preferred_channel"],
            tags=_staff(context),
            assets={
                "points": portrait.Ledger(club.points, "points"),
                "balance": portrait.Ledger(club.balance, "amount"),
                "coupons": portrait.Pieces(club.coupons),
            },
            counts={"category": ["tea"], "channel": ["app"], "product_id": ["S03"]},
            recorded_on="joined_on",
            sensitive=["dietary", "seriously ill"],
            as_of=DAY,
        )

    return context.once("2.6 portrait", build)


def _trial(context: Context) -> pd.DataFrame:
    club = context.load("membership")

    def build() -> pd.DataFrame:
        asked, lines = club.push.set_index("customer_id"), club.orders
        new = lines[lines["product_id"].isin(["N01", "N02"]) & (lines["amount"] >= 0)]
        used = club.coupons.query("kind == 'cold brew' and used_on.notna()").groupby("customer_id")["value"].sum()
        bought = asked.index.isin(new.loc[new["ordered_at"] < "2025-11-14", "customer_id"])
        given = used.reindex(asked.index).fillna(0.0)
        return pd.DataFrame({"group": asked["arm"], "bought": bought, "given": given})

    return context.once("2.6 trial", build)


def _costs(
    context: Context, rule: str | None, made_for: float = 0.0, coupon: "float | str" = "given"
) -> "pd.Series[Any]":
    """The line of `targets.compare` for everybody (no rule) or for the members of a rule."""
    trial = _trial(context)
    who = trial.index if rule is None else tags.apply(_portrait(context), _rule(rule))["customer_id"]
    price = {"design": "randomised", "cost_per_contact": CONTACT, "coupon": coupon, "made_for": {"one": made_for}}
    return targets.compare(trial, {"one": who}, "bought", **price).loc["one"]


class FullTrolleys(Exercise):
    id, answer, level = "2.6-1", "full_trolleys", "do"
    nudge = (
        "Two conditions, joined with AND: `spend / orders` above 60, `recency_days` 30 at most. The number stands in the "
        "column `customers` of the preview: `.iloc[0]` takes it out."
    )
    meaning = (
        "171 households to whom a delivery may be worth something. The list is short enough to ask ten of them first."
    )

    def expected(self, context: Context) -> int:
        return self._hit(context, "spend / orders > 60 AND recency_days <= 30")

    def _hit(self, context: Context, rule: str) -> int:
        return int(tags.preview(_households(context), _rule(rule))["customers"].iloc[0])

    @wrong("You took all with large orders, also those who were not seen for long. Add `AND recency_days <= 30`.")
    def recency_forgotten(self, context: Context) -> int:
        return self._hit(context, "spend / orders > 60")

    @wrong("With OR one of the two is enough. Both are asked for: AND.")
    def either(self, context: Context) -> int:
        return self._hit(context, "spend / orders > 60 OR recency_days <= 30")

    @wrong("Your rule takes those who were not seen for 30 days. Recent means few days: `recency_days <= 30`.")
    def recency_turned(self, context: Context) -> int:
        return self._hit(context, "spend / orders > 60 AND recency_days > 30")

    @wrong("30 days are included: `recency_days <= 30`, not `< 30`.")
    def thirty_left_out(self, context: Context) -> int:
        return self._hit(context, "spend / orders > 60 AND recency_days < 30")

    @wrong("You forgot the large orders: both conditions are asked for, also `spend / orders > 60`.")
    def orders_forgotten(self, context: Context) -> int:
        return self._hit(context, "recency_days <= 30")

    @wrong("Your rule takes those who were seen 30 days ago or earlier. Recent means few days: `recency_days <= 30`.")
    def recency_turned_with_thirty(self, context: Context) -> int:
        return self._hit(context, "spend / orders > 60 AND recency_days >= 30")

    @wrong("Your rule takes the small orders. More than 60 dollars an order: `spend / orders > 60`.")
    def small_orders(self, context: Context) -> int:
        return self._hit(context, "spend / orders < 60 AND recency_days <= 30")

    @wrong("That is spend in all, not for each order: divide, `spend / orders > 60`.")
    def spend_in_all(self, context: Context) -> int:
        return self._hit(context, "spend > 60 AND recency_days <= 30")

    @wrong("That is a share. The number of customers is asked for: the column `customers`.")
    def share_instead(self, context: Context) -> float:
        return self.expected(context) / len(_households(context))


class NotJudged(Exercise):
    id, answer, level = "2.6-2", "not_judged", "do"
    nudge = "`preview` gives a column `missing`: those whom the rule leaves open."
    meaning = "Who shops a hundred times fits, whatever the number of children. Only for the others the missing number matters."

    def expected(self, context: Context) -> int:
        return self._found(context, "missing", "kids_count = '3+' OR orders >= 100")

    def _found(self, context: Context, column: str, rule: str) -> int:
        return int(tags.preview(_households(context), _rule(rule))[column].iloc[0])

    @wrong("So many households have no `kids_count`. But some of them fit by their orders, and are judged: OR.")
    def all_missing(self, context: Context) -> int:
        return self._found(context, "missing", "kids_count = '3+'")

    @wrong("Those fit the rule. How many cannot be judged: the column `missing`.")
    def those_who_fit(self, context: Context) -> int:
        return self._found(context, "customers", "kids_count = '3+' OR orders >= 100")

    @wrong(
        "Those have no `kids_count` and 100 orders or more: with AND they would be open, with OR they fit. Write OR and "
        "look at the column `missing`."
    )
    def with_and(self, context: Context) -> int:
        return self._found(context, "missing", "kids_count = '3+' AND orders >= 100")

    @wrong("100 orders fit, too: `orders >= 100`, not `> 100`.")
    def hundred_left_out(self, context: Context) -> int:
        return self._found(context, "missing", "kids_count = '3+' OR orders > 100")

    @wrong("Those can be judged: the rule says yes or no. How many cannot?")
    def those_judged(self, context: Context) -> int:
        return len(_households(context)) - self.expected(context)

    @wrong("That is everybody whom the rule does not hit. Those for whom the answer is a clear no are judged, too.")
    def all_others(self, context: Context) -> int:
        return len(_households(context)) - self.those_who_fit(context)


class BothTags(Exercise):
    id, answer, level = "2.6-3", "both_tags", "do"
    nudge = "Read the changed text with `tags.read(tomllib.loads(…))`, apply it, and look at `tags.conflicts(given, rules)`."
    meaning = "Three times as many contradictions for two weeks. A threshold in one tag changes what another tag means."

    def expected(self, context: Context) -> int:
        return self._hit(context, "orders >= 52 AND recency_days > 14")

    def _hit(self, context: Context, rule: str) -> int:
        return int(tags.preview(_households(context), _rule(rule))["customers"].iloc[0])

    @wrong("That is with 30 days, as in the lesson. Change the rule to more than 14 days, and read the rules again.")
    def with_thirty(self, context: Context) -> int:
        return self._hit(context, "orders >= 52 AND recency_days > 30")

    @wrong("Those are asleep. How many of them are also steady? `tags.conflicts` counts the pair.")
    def all_asleep(self, context: Context) -> int:
        return self._hit(context, "recency_days > 14")

    @wrong("Those are steady. How many of them are also asleep? `tags.conflicts` counts the pair.")
    def all_steady(self, context: Context) -> int:
        return self._hit(context, "orders >= 52")

    @wrong("That is the number of pairs. How many households carry the pair: the column `customers`.")
    def pairs_counted(self, context: Context) -> int:
        return 1 if self.expected(context) else 0

    @wrong("So many are added to those of 30 days. How many carry both tags in all?")
    def added_ones(self, context: Context) -> int:
        return self.expected(context) - self.with_thirty(context)

    @wrong(
        "That is `overlaps` of *steady*, which counts *large family*, too. Only the pair *steady* and *asleep* is asked "
        "for: `tags.conflicts`."
    )
    def overlaps_of_steady(self, context: Context) -> int:
        large = "household_size = '5+' OR kids_count = '3+'"
        return self._hit(context, f"orders >= 52 AND (recency_days > 14 OR {large})")

    @wrong(
        "That is `overlaps` of *asleep*, which counts *large family*, too. Only the pair *steady* and *asleep* is asked "
        "for: `tags.conflicts`."
    )
    def overlaps_of_asleep(self, context: Context) -> int:
        large = "household_size = '5+' OR kids_count = '3+'"
        return self._hit(context, f"recency_days > 14 AND (orders >= 52 OR {large})")

    @wrong("You included 14 days. More than 14 days is asked for: `> 14`.")
    def fourteen_included(self, context: Context) -> int:
        return self._hit(context, "orders >= 52 AND recency_days >= 14")


class UsableTags(Exercise):
    id, answer, level = "2.6-4", "usable_tags", "do"
    nudge = "Four conditions on the rows of `staff`: since ≤ day, not (until < day), by not missing, why not missing."
    meaning = "Not half of the list can be used. Tags by hand age and lose their reasons; somebody must own the list."

    def expected(self, context: Context) -> int:
        return int((self._live(context) & self._signed(context)).sum())

    def _live(self, context: Context) -> "pd.Series[bool]":
        staff = _staff(context)
        return (staff["since"] <= DAY) & ~(staff["until"] < DAY)

    def _signed(self, context: Context) -> "pd.Series[bool]":
        return _staff(context)[["by", "why"]].notna().all(axis=1)

    @wrong("Those are in force, but some lack a name or a reason. Ask for `by` and `why`, too.")
    def unsigned_too(self, context: Context) -> int:
        return int(self._live(context).sum())

    @wrong("Those are signed, but some are over or begin later. Ask for `since` and `until`, too.")
    def expired_too(self, context: Context) -> int:
        return int(self._signed(context).sum())

    @wrong(
        "A missing `until` means that the tag has no end. `until >= day` is not true for it: write `~(until < day)`."
    )
    def no_end_lost(self, context: Context) -> int:
        return int(
            ((_staff(context)["until"] >= DAY) & (_staff(context)["since"] <= DAY) & self._signed(context)).sum()
        )

    @wrong("You dropped every row with something missing. A missing `until` is no fault: the tag has no end.")
    def all_complete(self, context: Context) -> int:
        return len(_staff(context).dropna())

    @wrong("Some of these begin after the day. `since` must lie on it or before.")
    def not_yet_begun(self, context: Context) -> int:
        return int((~(_staff(context)["until"] < DAY) & self._signed(context)).sum())

    @wrong("You asked for the name alone. The reason must be there, too: `why`.")
    def reason_forgotten(self, context: Context) -> int:
        return int((self._live(context) & _staff(context)["by"].notna()).sum())

    @wrong("You took rows with a name or a reason. Both must be there: join the two with `&`.")
    def name_or_reason(self, context: Context) -> int:
        return int((self._live(context) & _staff(context)[["by", "why"]].notna().any(axis=1)).sum())

    @wrong("Some of these were over before the day. Leave them out: `~(until < day)`.")
    def over_already(self, context: Context) -> int:
        return int(((_staff(context)["since"] <= DAY) & self._signed(context)).sum())

    @wrong("A tag that begins or ends on the day itself is in force on it: `since <= day` and `~(until < day)`.")
    def day_itself_lost(self, context: Context) -> int:
        staff = _staff(context)
        return int(((staff["since"] < DAY) & ~(staff["until"] <= DAY) & self._signed(context)).sum())

    @wrong("You took only tags without an end. Those whose `until` is that day or later are in force, too.")
    def endless_alone(self, context: Context) -> int:
        staff = _staff(context)
        return int(((staff["since"] <= DAY) & staff["until"].isna() & self._signed(context)).sum())

    @wrong("Those are in force and not signed: they cannot be used. How many can?")
    def unsigned_alone(self, context: Context) -> int:
        return int((self._live(context) & ~self._signed(context)).sum())

    @wrong("You asked for the reason alone. The name of who gave the tag must be there, too: `by`.")
    def name_forgotten(self, context: Context) -> int:
        return int((self._live(context) & _staff(context)["why"].notna()).sum())


class LittleKnown(Exercise):
    id, answer, level = "2.6-5", "little_known", "do"
    nudge = 'Count the rows of `known` in which `known["all"]` is below 0.5.'
    meaning = (
        "All of them bought nothing in the year. A rule on what people bought says nothing of a fifth of the members."
    )

    def expected(self, context: Context) -> int:
        return int((self._known(context)["all"] < 0.5).sum())

    def _known(self, context: Context) -> pd.DataFrame:
        return portrait.coverage(_portrait(context))

    @wrong("Those are the others: half or more is known of them.")
    def well_known(self, context: Context) -> int:
        return int((self._known(context)["all"] >= 0.5).sum())

    @wrong("You took one part of the portrait. `all` is the mean of the six parts.")
    def consumption_alone(self, context: Context) -> int:
        return int((self._known(context)["consumption"] < 0.5).sum())

    @wrong("You took the part assets. `all` is the mean of the six parts.")
    def assets_alone(self, context: Context) -> int:
        return int((self._known(context)["assets"] < 0.5).sum())

    @wrong("That is a share. The number of members is asked for.")
    def share_instead(self, context: Context) -> float:
        return float((self._known(context)["all"] < 0.5).mean())

    @wrong("That is a percentage. The number of members is asked for.")
    def percentage_instead(self, context: Context) -> float:
        return self.share_instead(context) * 100

    @wrong("You took also those of whom just half is known. Less than half is asked for: `< 0.5`.")
    def half_included(self, context: Context) -> int:
        return int((self._known(context)["all"] <= 0.5).sum())

    @wrong("You counted those of whom some part is known to less than half. `all` is the mean of the six parts.")
    def any_part(self, context: Context) -> int:
        return int((self._known(context).drop(columns="all") < 0.5).any(axis=1).sum())


class DiabeticPercent(Exercise):
    id, answer, level, digits = "2.6-6", "diabetic_percent", "decide", 0
    nudge = "Keep the members with `orders_s03` of 2 or more, drop those whose `dietary` is missing, and take the share of 'diabetic', times 100."
    meaning = (
        "Nearly four times as often as among all, and still most of them are not. Both sentences belong on the slide."
    )

    def expected(self, context: Context) -> int:
        return round(self._share(self._buyers(context)["dietary"].dropna()) * 100)

    def _buyers(self, context: Context, least: int = 2) -> pd.DataFrame:
        found = _portrait(context)
        return found[found["orders_s03"].ge(least)]

    def _share(self, diets: "pd.Series[str]") -> float:
        return float((diets == "diabetic").mean())

    @wrong(
        "Did you divide by all carriers, also those whose diet nobody knows? Leave these out: `dropna`. (14 is also the "
        "number of diabetic carriers; a percentage is asked for.)"
    )
    def unknown_counted(self, context: Context) -> int:
        return round(self._share(self._buyers(context)["dietary"]) * 100)

    @wrong(
        "That is the share among all members whose diet is known. Only those with two such orders or more are asked for."
    )
    def among_all(self, context: Context) -> int:
        return round(self._share(_portrait(context)["dietary"].dropna()) * 100)

    @wrong("You turned it round: so many of the diabetic members carry the tag. How many of the carriers are diabetic?")
    def turned_round(self, context: Context) -> int:
        found = _portrait(context)
        ill = found[found["dietary"] == "diabetic"]
        return round(float(ill["orders_s03"].ge(2).mean()) * 100)

    @wrong("You took more than two orders. Two are enough for the tag: `>= 2`.")
    def more_than_two(self, context: Context) -> int:
        return round(self._share(self._buyers(context, 3)["dietary"].dropna()) * 100)

    @wrong("Those are the carriers who are *not* diabetic. How many percent are?")
    def the_others(self, context: Context) -> int:
        return 100 - self.expected(context)

    @wrong("That is the number of carriers whose diet is known. What percentage of them is diabetic?")
    def carriers_counted(self, context: Context) -> int:
        return len(self._buyers(context)["dietary"].dropna())

    @wrong("You took one order or more. The tag needs two.")
    def one_order(self, context: Context) -> int:
        return round(self._share(self._buyers(context, 1)["dietary"].dropna()) * 100)

    @wrong("That is a share between 0 and 1. Times 100, rounded to a whole number.")
    def share_instead(self, context: Context) -> float:
        return self._share(self._buyers(context)["dietary"].dropna())


class PriceOfM(Exercise):
    id, answer, level, digits = "2.6-7", "price_of_m", "decide", 2
    nudge = 'Call `targets.compare` with `made_for={"class M": 240}` and take `cost_per_buyer` of class M.'
    meaning = "Dearer than 4.89 and still well below the 15.78 of everybody, although the rule makes up two fifths of the bill."

    def expected(self, context: Context) -> float:
        return round(_costs(context, CLASS_M, MADE_FOR)["cost_per_buyer"], 2)

    @wrong('The 240 euros for the rule are missing: `made_for={"class M": 240}`.')
    def rule_forgotten(self, context: Context) -> float:
        return round(_costs(context, CLASS_M)["cost_per_buyer"], 2)

    @wrong("You divided by all buyers. Those who would have bought anyway are no gain: divide by `more_buyers`.")
    def all_buyers(self, context: Context) -> float:
        found = _costs(context, CLASS_M, MADE_FOR)
        return round(found["cost"] / (found["customers"] * found["with_contact"]), 2)

    @wrong('The coupons are missing. `coupon="given"` stands in `price`: write `**price`.')
    def coupons_forgotten(self, context: Context) -> float:
        return round(_costs(context, CLASS_M, MADE_FOR, coupon=0.0)["cost_per_buyer"], 2)

    @wrong("That is everybody. Class M is asked for.")
    def everybody(self, context: Context) -> float:
        return round(_costs(context, None)["cost_per_buyer"], 2)

    @wrong("That is the tag on tea orders alone, without the rule. Take the line of class M.")
    def tea_for_nothing(self, context: Context) -> float:
        return round(_costs(context, TEA)["cost_per_buyer"], 2)

    @wrong("That is the tag on tea orders alone. Class M needs tea and app.")
    def tea_alone(self, context: Context) -> float:
        return round(_costs(context, TEA, MADE_FOR)["cost_per_buyer"], 2)

    @wrong("One digit is too few: round to two.")
    def one_digit(self, context: Context) -> float:
        return round(_costs(context, CLASS_M, MADE_FOR)["cost_per_buyer"], 1)

    @wrong("That is the rule alone. Messages and coupons are on the bill, too.")
    def rule_alone(self, context: Context) -> float:
        return round(MADE_FOR / _costs(context, CLASS_M)["more_buyers"], 2)

    @wrong("You divided by all who were written to. What does one *more* buyer cost? Divide by `more_buyers`.")
    def for_each_message(self, context: Context) -> float:
        found = _costs(context, CLASS_M, MADE_FOR)
        return round(found["cost"] / found["customers"], 2)

    @wrong("You added 240 euros to the cost of *one* buyer. They are paid once, and all more buyers share them.")
    def added_to_each(self, context: Context) -> float:
        return round(_costs(context, CLASS_M)["cost_per_buyer"] + MADE_FOR, 2)

    @wrong("That is everybody with 240 euros more. The rule is made for class M.")
    def rule_for_everybody(self, context: Context) -> float:
        return round(_costs(context, None, MADE_FOR)["cost_per_buyer"], 2)

    @wrong("That is the whole bill. Divide it by the more buyers: `cost_per_buyer`.")
    def whole_bill(self, context: Context) -> float:
        return round(_costs(context, CLASS_M, MADE_FOR)["cost"], 2)


class WorthMaking(Exercise):
    id, answer, level, digits = "2.6-8", "worth_making", "decide", 0
    nudge = "Cost per more buyer of everybody × more buyers of class M − cost of class M, all from `costs`."
    meaning = "The rule cost 240: well below. With a third of the members the amount would be a third, and the rule would hardly pay."

    def expected(self, context: Context) -> int:
        free, everybody = _costs(context, CLASS_M), _costs(context, None)
        return round(everybody["cost_per_buyer"] * free["more_buyers"] - free["cost"])

    @wrong(
        "That is the difference of the two bills. The lists bring different numbers of more buyers: compare per more buyer."
    )
    def difference_of_bills(self, context: Context) -> int:
        return round(_costs(context, None)["cost"] - _costs(context, CLASS_M)["cost"])

    @wrong("That is the difference for one more buyer. Class M brings many: times `more_buyers` of class M.")
    def for_one_buyer(self, context: Context) -> int:
        return round(_costs(context, None)["cost_per_buyer"] - _costs(context, CLASS_M)["cost_per_buyer"])

    @wrong("The 240 euros are taken off already. Take `costs`, where the tag is still free.")
    def rule_paid_already(self, context: Context) -> int:
        return round(self.expected(context) - MADE_FOR)

    @wrong("That is the difference of the bills less the 240 euros. Compare per more buyer, and leave the 240 out.")
    def bills_and_rule(self, context: Context) -> int:
        return round(self.difference_of_bills(context) - MADE_FOR)

    @wrong("You multiplied by the more buyers of everybody. Take those of class M.")
    def buyers_of_everybody(self, context: Context) -> int:
        free, everybody = _costs(context, CLASS_M), _costs(context, None)
        return round(
            everybody["cost_per_buyer"] * everybody["more_buyers"] - free["cost_per_buyer"] * everybody["more_buyers"]
        )

    @wrong("You took the 14 euros that one more buyer is worth. Take what she costs with everybody.")
    def worth_instead(self, context: Context) -> int:
        free = _costs(context, CLASS_M)
        return round(WORTH * free["more_buyers"] - free["cost"])

    @wrong('You worked with rounded figures. Take them from `costs`: `costs.loc["class M", "more_buyers"]`.')
    def rounded_before(self, context: Context) -> int:
        free, everybody = _costs(context, CLASS_M), _costs(context, None)
        return round(round(everybody["cost_per_buyer"], 1) * round(free["more_buyers"], 1) - round(free["cost"]))

    @wrong("You rounded before multiplying. Take the figures from `costs`, and round the result alone.")
    def rounded_as_in_the_text(self, context: Context) -> int:
        free, everybody = _costs(context, CLASS_M), _costs(context, None)
        return round(round(everybody["cost_per_buyer"], 1) * round(free["more_buyers"]) - round(free["cost"]))

    @wrong("The 240 euros are no part of it: the question is what the rule *may* cost.")
    def rule_added(self, context: Context) -> int:
        return round(self.expected(context) + MADE_FOR)

    @wrong("You multiplied by all members of class M. Only the *more* buyers count: `more_buyers`.")
    def all_members(self, context: Context) -> int:
        free, everybody = _costs(context, CLASS_M), _costs(context, None)
        return round(everybody["cost_per_buyer"] * free["customers"] - free["cost"])

    @wrong("The messages and coupons of class M are to be taken off: minus the `cost` of class M.")
    def own_cost_forgotten(self, context: Context) -> int:
        return round(_costs(context, None)["cost_per_buyer"] * _costs(context, CLASS_M)["more_buyers"])


class Spring(Exercise):
    id, answer, level, digits, points = "2.6-9", "spring", "defend", 1, 2
    nudge = "Call `targets.compare` with `made_for` for the tags and take `cost_per_buyer` of your list, rounded to one digit."
    meaning = "Both tags bring nearly all more buyers for less than one is worth. Whichever you choose: keep a control group in spring."
    choices = ("everybody", "tea", "class M")
    rubric = (
        "1 point: compares the figure with the 14 euros and with the other list, or says why a simpler rule (tea) may be worth its "
        "price (it does not hang on the app, and on who is young). 1 point: says what the figure cannot show: another product, "
        "no novelty, members who left the list; so a control group again. 'Everybody' is refused: one more buyer costs more than "
        "she is worth."
    )

    def expected(self, context: Context) -> dict[str, float]:
        rules = {"tea": TEA, "class M": CLASS_M}
        return {
            name: round(float(_costs(context, rule, MADE_FOR)["cost_per_buyer"]), 1) for name, rule in rules.items()
        }

    def _defence(self, context: Context, choice: str, rule: str | None, made_for: float = 0.0) -> Defence:
        return Defence(choice, round(float(_costs(context, rule, made_for)["cost_per_buyer"]), 1), "")

    @wrong(
        "Your figure is right. But one more buyer is worth 14 euros and costs more with everybody, and either tag brings "
        "as many for less, the 240 euros included."
    )
    def everybody(self, context: Context) -> Defence:
        return self._defence(context, "everybody", None)

    @wrong('The 240 euros for the rule on tea are missing: `made_for={"tea": 240}`.')
    def tea_for_nothing(self, context: Context) -> Defence:
        return self._defence(context, "tea", TEA)

    @wrong('The 240 euros for class M are missing: `made_for={"class M": 240}`.')
    def class_m_for_nothing(self, context: Context) -> Defence:
        return self._defence(context, "class M", CLASS_M)

    @wrong("You gave the figure of class M for the choice tea. Take the line of your list.")
    def figure_of_class_m(self, context: Context) -> Defence:
        return self._defence(context, "tea", CLASS_M, MADE_FOR)

    @wrong("You gave the figure of tea for the choice class M. Take the line of your list.")
    def figure_of_tea(self, context: Context) -> Defence:
        return self._defence(context, "class M", TEA, MADE_FOR)


class LostPoints(Exercise):
    id, answer, level, digits = "2.6-10", "lost_points", "decide", 1
    nudge = 'Take the means of `chosen["promised"]` and `chosen["kept"]`, subtract, times 100, rounded to one digit.'
    meaning = "Five sixths of the promise were luck. Say it before the winning rule is put into the plan of the year."

    def expected(self, context: Context) -> float:
        chosen = self._chosen(context)
        return round(float((chosen["promised"] - chosen["kept"]).mean() * 100), 1)

    def _chosen(self, context: Context) -> pd.DataFrame:
        members, found = context.load("membership").members, _portrait(context)
        regions = [f"region = '{one}'" for one in sorted(members["region"].dropna().unique())]
        births = [f"birth_year BETWEEN {one} AND {one + 9}" for one in range(1940, 2010, 10)]
        texts = [*regions, *births, *(f"language = '{one}'" for one in sorted(members["language"].unique()))]
        texts += [f"kind = '{one}'" for one in sorted(members["kind"].unique())]
        texts += [f"{region} AND {birth}" for region in regions for birth in births]

        def choose() -> pd.DataFrame:
            tries = {text: tags.apply(found, _rule(text))["customer_id"] for text in texts}
            return targets.choose(_trial(context), tries, "bought", smallest=10)

        return context.once("2.6 chosen", choose)

    @wrong("That is what the winners promised. How much less did they keep?")
    def promised_alone(self, context: Context) -> float:
        return round(float(self._chosen(context)["promised"].mean() * 100), 1)

    @wrong("That is what was left. How much of the promise was lost?")
    def kept_alone(self, context: Context) -> float:
        return round(float(self._chosen(context)["kept"].mean() * 100), 1)

    @wrong("That is a share. Percentage points are asked for: times 100, rounded to one digit.")
    def share_instead(self, context: Context) -> float:
        return self.expected(context) / 100

    @wrong("That is the lost part in percent of the promise. The difference in percentage points is asked for.")
    def percent_of_the_promise(self, context: Context) -> float:
        return round(100 * (1 - self.kept_alone(context) / self.promised_alone(context)), 1)

    @wrong("You took medians. The means are asked for.")
    def medians(self, context: Context) -> float:
        chosen = self._chosen(context)
        return round(float((chosen["promised"].median() - chosen["kept"].median()) * 100), 1)

    @wrong("You took the difference of the largest values. The means are asked for.")
    def of_the_largest(self, context: Context) -> float:
        chosen = self._chosen(context)
        return round(float((chosen["promised"].max() - chosen["kept"].max()) * 100), 1)


class NotToWrite(Exercise):
    id, answer, level = "2.6-11", "not_to_write", "decide"
    nudge = 'Take the members of `trial` in the group "contact", look up their two columns in `club_portrait`, and count with `|`.'
    meaning = "Ten messages that a list of the staff would have stopped. The rule of the next launch ends with AND NOT these two tags."

    def expected(self, context: Context) -> int:
        return int((self._asked(context, "contact").any(axis=1)).sum())

    def _asked(self, context: Context, group: str | None) -> pd.DataFrame:
        trial = _trial(context)
        who = trial.index if group is None else trial.index[trial["group"] == group]
        return _portrait(context).loc[who, ["tag_call_do_not_write", "tag_complaint_open"]]

    @wrong("That is the whole experiment. The control group got no message: `trial['group'] == 'contact'`.")
    def both_groups(self, context: Context) -> int:
        return int(self._asked(context, None).any(axis=1).sum())

    @wrong("Those are all members of the portrait. Only who got the message is asked for.")
    def whole_portrait(self, context: Context) -> int:
        columns = ["tag_call_do_not_write", "tag_complaint_open"]
        return int(_portrait(context)[columns].any(axis=1).sum())

    @wrong("You counted one of the two tags. An open complaint counts as well as the wish not to be written to.")
    def one_tag(self, context: Context) -> int:
        return int(self._asked(context, "contact")["tag_call_do_not_write"].sum())

    @wrong("You counted the open complaints alone. The wish not to be written to counts as well.")
    def complaints_alone(self, context: Context) -> int:
        return int(self._asked(context, "contact")["tag_complaint_open"].sum())

    @wrong(
        "You counted in `staff`, also tags that were over or came after the day. Take the columns of `club_portrait`: "
        "they hold what was in force on 14 September."
    )
    def of_any_day(self, context: Context) -> int:
        staff, trial = _staff(context), _trial(context)
        told = staff.loc[staff["tag"].isin(["call, do not write", "complaint open"]), "customer_id"]
        return int(trial.index[trial["group"] == "contact"].isin(told).sum())

    @wrong("You asked for both tags at once. One of them is enough: `|`.")
    def both_tags_at_once(self, context: Context) -> int:
        return int(np.asarray(self._asked(context, "contact").all(axis=1)).sum())

    @wrong("Those are members of the control group: they got no message.")
    def control_instead(self, context: Context) -> int:
        return int(self._asked(context, "control").any(axis=1).sum())
