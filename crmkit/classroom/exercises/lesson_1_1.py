"""The exercises of lesson 1.1, what CRM is."""

import math
from typing import Any

import numpy as np
import pandas as pd

from crmkit import evaluation, lifecycle
from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.lifecycle.recognition import recognised, simulated_visits

_WORDS = {
    "strategy": ["strateg", "policy"],
    "process": ["process"],
    "information": ["information", "data"],
    "technology": ["software", "technical", "electronic"],
    "prospects": ["potential", "new customers"],
    "satisfaction": ["satisf"],
    "loyalty": ["loyal"],
    "profit": ["profit"],
}


def _claims(context: Context, table: str) -> pd.DataFrame:
    return getattr(context.load("claims"), table)


class SpeakOfTechnology(Exercise):
    id, answer, level = "1.1-1", "speak_of_technology", "do"
    nudge = "Keep the rows of `said.codings` whose attribute is technology, and count those in which `says_so` is True."
    meaning = "Most definitions do without a computer. Whoever sells you one is selling a part."

    def expected(self, context: Context) -> int:
        return int(self._said(context).sum())

    def _said(self, context: Context) -> "pd.Series[bool]":
        codings = _claims(context, "codings")
        return codings.loc[codings["attribute"] == "technology", "says_so"]

    @wrong("You counted all rows about technology, also those that say no. Count where `says_so` is True.")
    def all_rows_counted(self, context: Context) -> int:
        return len(self._said(context))

    @wrong("Those are the definitions that do not speak of technology.")
    def counted_the_others(self, context: Context) -> int:
        return int((~self._said(context)).sum())

    @wrong(
        "The word 'technology' itself stands in none of them. They say software, hardware or technical means: use the codings."
    )
    def searched_for_the_word(self, context: Context) -> int:
        return int(_claims(context, "definitions")["definition"].str.lower().str.contains("technology").sum())

    @wrong("You counted every yes in the table, for all eight attributes. Only technology is asked for.")
    def every_attribute(self, context: Context) -> int:
        return int(_claims(context, "codings")["says_so"].sum())


class NobodyNamed(Exercise):
    id, answer, level = "1.1-2", "nobody_named", "do"
    nudge = "Count the rows of `audit` in which `behind_it` equals 'nobody is named'."
    meaning = "Three claims in four have no speaker. There is nobody whom you could ask."

    def expected(self, context: Context) -> int:
        return int((self._behind(context) == "nobody is named").sum())

    def _behind(self, context: Context) -> "pd.Series[Any]":
        return evaluation.claims.audit(_claims(context, "claims"))["behind_it"]

    @wrong("Those are the claims with somebody or something behind them. Count the others.")
    def counted_the_others(self, context: Context) -> int:
        return int((self._behind(context) != "nobody is named").sum())

    @wrong("You counted only the causal claims. All forty are asked for.")
    def causal_only(self, context: Context) -> int:
        claims = _claims(context, "claims")
        return int((claims["who_says"].isna() & (claims["kind"] == "causal")).sum())

    @wrong(
        "You counted every claim for which no person is named. In two of them the rule itself is described: the audit puts those higher."
    )
    def empty_names_counted(self, context: Context) -> int:
        return int(_claims(context, "claims")["who_says"].isna().sum())

    @wrong("That is the number of claims. How many of them have nobody behind them?")
    def all_claims(self, context: Context) -> int:
        return len(_claims(context, "claims"))


class GartnerYears(Exercise):
    id, answer, level, ordered = "1.1-3", "gartner_years", "do", True
    nudge = "Keep the rows of `said.timeline` with the topic 'Gartner names CRM' and make a list of their years: [earlier, later]."
    meaning = "Six years apart. At least one of the two is wrong, and the text alone cannot tell which."

    def expected(self, context: Context) -> list[int]:
        return self._years(context, "Gartner names CRM")

    def _years(self, context: Context, topic: str) -> list[int]:
        timeline = _claims(context, "timeline")
        return sorted(int(year) for year in timeline.loc[timeline["topic"] == topic, "from_year"])

    @wrong("That is another conflict, about the beginning of CRM. Look for the topic with Gartner in it.")
    def the_beginning(self, context: Context) -> list[int]:
        return self._years(context, "CRM begins")

    @wrong("Those are the first and the last year of the whole timeline. Look for the two rows about Gartner.")
    def whole_timeline(self, context: Context) -> list[int]:
        years = _claims(context, "timeline")["from_year"]
        return [int(years.min()), int(years.max())]

    @wrong("The earlier year comes first.")
    def later_first(self, context: Context) -> list[int]:
        return self.expected(context)[::-1]

    @wrong("That is how many years lie between them. The two years themselves are asked for.")
    def years_between(self, context: Context) -> int:
        earlier, later = self.expected(context)
        return later - earlier


class FirmsEach(Exercise):
    id, answer, level = "1.1-4", "firms_each", "decide"
    nudge = "Call `evaluation.experiments.sample_size` with the difference of the two shares and `rate=` the lower share, and take `.held_out`."
    meaning = "Thousands of firms in each region for three points. Ask a brochure how many it asked."
    LOWER, UPPER, REGION = 0.83, 0.86, 0.87  # the published shares: the text of the task gives them

    def expected(self, context: Context) -> int:
        return evaluation.experiments.sample_size(self.UPPER - self.LOWER, rate=self.LOWER).held_out

    @wrong("You took 83 and 87, the two ends. The task asks for 83 and 86.")
    def the_two_ends(self, context: Context) -> int:
        return evaluation.experiments.sample_size(self.REGION - self.LOWER, rate=self.LOWER).held_out

    @wrong("That is both regions together. One region is asked for.")
    def both_regions(self, context: Context) -> int:
        return 2 * self.expected(context)

    @wrong("You took the difference between China and its region, 86 and 87. The task asks for 83 and 86.")
    def other_pair(self, context: Context) -> int:
        return evaluation.experiments.sample_size(self.REGION - self.UPPER, rate=self.UPPER).held_out

    @wrong(
        "That is the number for knowing ONE share to three points (margin of error). Telling two shares apart needs more."
    )
    def margin_of_error(self, context: Context) -> int:
        return math.ceil(1.96**2 * self.LOWER * (1 - self.LOWER) / (self.UPPER - self.LOWER) ** 2)

    @wrong("You took the difference as 3 % of 83. It is three percentage points: 0.86 − 0.83.")
    def relative_difference(self, context: Context) -> int:
        return evaluation.experiments.sample_size(0.03 * self.LOWER, rate=self.LOWER).held_out

    @wrong("You started from the higher share. Use `rate=` the lower one and add the difference.")
    def from_the_higher(self, context: Context) -> int:
        return evaluation.experiments.sample_size(self.UPPER - self.LOWER, rate=self.UPPER).held_out


class MissingFacts(Exercise):
    id, answer, level = "1.1-5", "missing_facts", "decide"
    nudge = "Go through the eight facts one by one: is it in the sentence 'data show that 86 % of the surveyed firms in China use CRM'?"
    meaning = "Share, firms and place are there, and nothing else: five of eight are missing."

    def difference(self, right: Any, given: Any, *, mistake: bool = False) -> str | None:
        """In any order, as the task says: both are sorted before they are compared."""
        if type(given) in (list, tuple, set, frozenset, np.ndarray, pd.Index, pd.Series):
            items = list(given)
            if all(type(item) is str for item in items):
                given = sorted(items, key=lambda item: " ".join(item.casefold().split()))
        reason = super().difference(sorted(right, key=str.casefold), given, mistake=mistake)
        if reason and reason.startswith("Item") and "text, as expected" in reason:
            return "Your list has as many facts as expected, and at least one of them is not the right one."
        return reason

    def expected(self, context: Context) -> list[str]:
        facts = _claims(context, "checklist")
        return facts.loc[~facts["in_the_source"], "fact"].to_list()

    def _all(self, context: Context) -> list[str]:
        return _claims(context, "checklist")["fact"].to_list()

    @wrong("Three of the eight are told: the share, that firms were asked, and where. Leave those out.")
    def all_facts(self, context: Context) -> list[str]:
        return self._all(context)

    @wrong("Those are the facts that the sentence does tell. The missing ones are asked for.")
    def told_instead(self, context: Context) -> list[str]:
        return [fact for fact in self._all(context) if fact not in self.expected(context)]

    @wrong("The number asked is missing, and more than that: when, in which words, who answered, who paid?")
    def number_only(self, context: Context) -> list[str]:
        return [fact for fact in self.expected(context) if "asked" in fact]

    @wrong("One is left. 'Surveyed' tells that somebody was asked, not how many of those asked sent an answer.")
    def response_forgotten(self, context: Context) -> list[str]:
        return [fact for fact in self.expected(context) if "answered" not in fact]

    @wrong("One is left. Who pays for a survey decides whom it asks and what is printed.")
    def payer_forgotten(self, context: Context) -> list[str]:
        return [fact for fact in self.expected(context) if "paid" not in fact]

    @wrong("That it was firms is told, in one word. Which firms they were is not told; here one word counts.")
    def firms_counted(self, context: Context) -> list[str]:
        return ["which firms or people", *self.expected(context)]

    @wrong("The place is told: China.")
    def place_counted(self, context: Context) -> list[str]:
        return [*self.expected(context), "the place"]


class HalfForgotten(Exercise):
    id, answer, level = "1.1-6", "half_forgotten", "decide"
    nudge = "Compute `show.recognition_view(regulars=number).share` for 150, 200, … and take the first number whose share is below 0.5."
    meaning = "Four times as many regulars as faces, and most visits are paid by strangers. Growth itself destroys the memory."

    def expected(self, context: Context) -> int:
        return self._first(context)

    def _share(self, context: Context, regulars: int, unequal: float, of_all: bool) -> float:
        def share() -> float:
            visits = simulated_visits(regulars, unequal=unequal)
            known = recognised(visits)
            return known.sum() / (len(visits) if of_all else len(visits) - len(np.unique(visits)))

        return context.once(("recognised", regulars, unequal, of_all), share)

    def _first(self, context: Context, limit: float = 0.5, unequal: float = 1.0, of_all: bool = False) -> int:
        numbers = range(150, 1001, 50)
        return next(n for n in numbers if self._share(context, n, unequal, of_all) < limit)

    @wrong("That is the last number at which at least half is recognised. The first one below half is asked for.")
    def one_step_before(self, context: Context) -> int:
        return self.expected(context) - 50

    @wrong("You let all regulars come equally often (unequal=0). Keep the default: some come often and most rarely.")
    def all_alike(self, context: Context) -> int:
        return self._first(context, unequal=0)

    @wrong("That is where the memory begins to fail (below all). Go on until less than one half is recognised.")
    def first_failure(self, context: Context) -> int:
        return self._first(context, limit=1.0)

    @wrong("There two thirds are forgotten, one third recognised. One half is asked for.")
    def a_third(self, context: Context) -> int:
        return self._first(context, limit=1 / 3)

    @wrong("That is the last number that you tried: your loop went on after the first hit. Stop there, with `break`.")
    def loop_ran_on(self, context: Context) -> int:
        return max(n for n in range(150, 1001, 50) if self._share(context, n, 1.0, False) < 0.5)

    @wrong("That is the share at the number you found. The number of regulars is asked for.")
    def share_given(self, context: Context) -> float:
        return self._share(context, self.expected(context), 1.0, False)


class PercentRecognised(Exercise):
    id, answer, level, digits = "1.1-7", "percent_recognised", "decide", 1
    nudge = "Add up `recognised`, add up `repeat_visits`, divide the sums, times 100."
    meaning = "Fewer than one visit in fifty. Nobody knows a whole chain by heart: without the card its customers are strangers."

    def expected(self, context: Context) -> float:
        table = self._table(context)
        return round(table["recognised"].sum() / table["repeat_visits"].sum() * 100, 1)

    def _table(self, context: Context) -> pd.DataFrame:
        orders = context.load("complete_journey").transactions
        return context.once("recognised households", lambda: lifecycle.recognition.recognised_customers(orders))

    @wrong(
        "You took the mean of the households' shares: a household with two visits then counts as much as one with two hundred. Divide the sums."
    )
    def mean_of_shares(self, context: Context) -> float:
        return round(self._table(context)["share"].mean() * 100, 1)

    @wrong("That is a share between 0 and 1. A percentage is asked for: times 100.")
    def share_instead_of_percent(self, context: Context) -> float:
        table = self._table(context)
        return float(table["recognised"].sum() / table["repeat_visits"].sum())

    @wrong("That is the share of households recognised at least once. Visits are asked for.")
    def households_instead(self, context: Context) -> float:
        return round((self._table(context)["recognised"] > 0).mean() * 100, 1)

    @wrong("You divided by all visits. A first visit cannot be recognised: divide by `repeat_visits`.")
    def of_all_visits(self, context: Context) -> float:
        table = self._table(context)
        return float(table["recognised"].sum() / table["visits"].sum() * 100)

    @wrong("That is 150 faces of all households. Who comes often, and who comes when, is in `recognised`: use it.")
    def faces_of_households(self, context: Context) -> float:
        return 150 / len(self._table(context)) * 100

    @wrong("That is the percentage of those NOT recognised.")
    def not_recognised(self, context: Context) -> float:
        return round(100 - self.expected(context), 1)

    @wrong("That is how many visits were recognised. Divide by all repeat visits.")
    def count_instead(self, context: Context) -> int:
        return int(self._table(context)["recognised"].sum())


class Kappa(Exercise):
    id, answer, level, digits = "1.1-8", "kappa", "do", 2
    nudge = "`evaluation.claims.agreement(ours, by_rule)` returns several numbers; the one called kappa is asked for."
    meaning = "Good agreement, with five cells to talk about. Talking about those five is what a second reader is for."

    def _agreement(self, context: Context) -> Any:
        texts = _claims(context, "definitions").set_index("definition_id")["definition"].str.lower()
        ours = _claims(context, "codings").set_index(["definition_id", "attribute"])["says_so"]
        rule = pd.Series(
            {key: any(word in texts[key[0]] for word in _WORDS[key[1]]) for key in ours.index}, index=ours.index
        )
        return evaluation.claims.agreement(ours, rule)

    def expected(self, context: Context) -> float:
        return round(self._agreement(context).kappa, 2)

    @wrong("That is the share of equal cells. Kappa takes away what chance alone would give.")
    def observed_instead(self, context: Context) -> float:
        return round(self._agreement(context).observed, 2)

    @wrong("That is the agreement that chance alone would give.")
    def chance_instead(self, context: Context) -> float:
        return round(self._agreement(context).by_chance, 2)

    @wrong(
        "You subtracted chance, and forgot to divide by what chance leaves over: (observed − chance) / (1 − chance)."
    )
    def not_divided(self, context: Context) -> float:
        found = self._agreement(context)
        return round(found.observed - found.by_chance, 2)


PLANNED = 5  # per cent: the mean growth that the text of the lesson puts in


def _survey() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Growth of the firms, who stayed, who was heard: the lesson's world, made in the lesson's way."""
    random = np.random.default_rng(1)
    growth = random.normal(PLANNED / 100, 0.40, 2000)
    stays = growth > -0.10
    return growth, stays, stays & (random.random(2000) < np.where(growth > 0.20, 0.60, 0.15))


class PointsFromSelection(Exercise):
    id, answer, level, digits = "1.1-9", "points_from_selection", "decide", 0
    nudge = "Subtract the mean growth of all firms from the mean growth of those with `answers` True, times 100."
    meaning = "Nearly all of the reported growth is the choice of those who were heard."

    def expected(self, context: Context) -> int:
        growth, _, heard = _survey()
        return round((growth[heard].mean() - growth.mean()) * 100)

    @wrong("That is the growth the survey reports. How much of it is left if you take away the growth of all firms?")
    def reported_growth(self, context: Context) -> int:
        growth, _, heard = _survey()
        return round(growth[heard].mean() * 100)

    @wrong("You compared with the firms that were not heard. Compare with all 2,000.")
    def against_the_silent(self, context: Context) -> int:
        growth, _, heard = _survey()
        return round((growth[heard].mean() - growth[~heard].mean()) * 100)

    @wrong("You took all firms that kept the system. Only those that also answered were heard: use `answers`.")
    def stayed_only(self, context: Context) -> int:
        growth, stays, _ = _survey()
        return round((growth[stays].mean() - growth.mean()) * 100)

    @wrong("You compared with the firms that stayed. They are a choice, too: compare with all 2,000.")
    def against_those_who_stayed(self, context: Context) -> int:
        growth, stays, heard = _survey()
        return round((growth[heard].mean() - growth[stays].mean()) * 100)

    @wrong(
        "You took the 5 % that the text gives, or rounded too early. Take the mean of the 2,000 as they were drawn: `growth.mean()`."
    )
    def the_planned_mean(self, context: Context) -> int:
        growth, _, heard = _survey()
        return round(growth[heard].mean() * 100) - PLANNED

    @wrong("That is the growth of all firms. Subtract it from the growth of those who were heard.")
    def growth_of_all(self, context: Context) -> int:
        growth, _, _ = _survey()
        return round(growth.mean() * 100)


class Advice(Exercise):
    id, answer, level, digits, points = "1.1-10", "advice", "defend", 0, 2
    nudge = (
        "Did anybody in our world lie? What would the firms that kept silent change? The figure is the mean of `growth` over "
        "the firms that were not heard (`~answers`), times 100, as a whole number."
    )
    meaning = "A survey of survivors cannot say what a system did. The missing firms can."
    choices = (
        "sign: the growth is large",
        "do not sign: the figure is a lie",
        "ask for the firms that were not heard",
    )
    rubric = (
        "Says that the figure can be honest and still say nothing about the effect (1 point for the idea that those who did "
        "badly left or kept silent; 1 point for naming what would decide: all buyers, or similar firms without the system, "
        "before and after). 'It is a lie' is not supported: nobody in the simulation lied."
    )

    def expected(self, context: Context) -> dict[str, float]:
        growth, _, heard = _survey()
        return {self.choices[2]: round(growth[~heard].mean() * 100)}

    def _decide(self, figure: float, choice: int = 2) -> Defence:
        return defend(choice=self.choices[choice], figure=figure, because="")

    @wrong(
        "That is the growth of those who were heard, and the system did nothing. Who was not heard, and how did they do?"
    )
    def sign_by_the_survey(self, context: Context) -> Defence:
        growth, _, heard = _survey()
        return self._decide(round(growth[heard].mean() * 100), 0)

    @wrong(
        "The figure is right, and it speaks against signing: the growth was made by the choice of those who were heard."
    )
    def sign_all_the_same(self, context: Context) -> Defence:
        return self._decide(next(iter(self.expected(context).values())), 0)

    @wrong("The figure is right. But every firm in our world told its real growth: a figure can mislead without a lie.")
    def call_it_a_lie(self, context: Context) -> Defence:
        return self._decide(next(iter(self.expected(context).values())), 1)

    @wrong("That is the growth of the firms that were heard. Those that were NOT heard are asked for: `~answers`.")
    def growth_of_the_heard(self, context: Context) -> Defence:
        growth, _, heard = _survey()
        return self._decide(round(growth[heard].mean() * 100))

    @wrong("That is the growth of all 2,000 firms. Those that were not heard are asked for: `~answers`.")
    def growth_of_all(self, context: Context) -> Defence:
        return self._decide(round(_survey()[0].mean() * 100))

    @wrong("Those are the firms that dropped the system. Many that kept it were not heard either: use `~answers`.")
    def dropped_only(self, context: Context) -> Defence:
        growth, stays, _ = _survey()
        return self._decide(round(growth[~stays].mean() * 100))
