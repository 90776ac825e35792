# ---
# jupyter:
#   crmkit:
#     title: "Five kinds, four principles: which division of customers is worth having"
#     part: "Segmentation"
#     questions:
#       - "Age, place, motive, behaviour or money: by what should a firm divide its customers?"
#       - "What if two thirds of the customers have no label at all?"
#       - "How fine may a division be before it falls apart?"
#     objectives:
#       - "make demographic, geographic, psychographic, behavioural and value segments from what a firm has"
#       - "judge a segmentation by four principles, each with its own number"
#       - "say who is missing from a segmentation, and what that does to every conclusion"
#       - "measure how far two segmentations say the same"
#       - "choose a division for a decision, and name the principle that decides it"
#     teaching_minutes: 50
#     exercise_minutes: 50
#     optional_minutes: 6
#     needs: []
#     data: ["complete_journey"]
#     sources: ["001 §2.2", "001 §2(3)", "003.0"]
#     keypoints:
#       - "There are five kinds of segmentation, and each looks at something that the others do not see."
#       - "Measurable, actionable, differentiable, stable: four numbers. They pull against each other, so do not add them up."
#       - "Customers without a label are a segment. Here they are two in three, and the small spenders."
#       - "In this shop age and income say nearly nothing about money, among those whose age and income are known."
#       - "Finer segments differ more and last less. Choose the grain by how long the decision has to hold."
#       - "That segments differ does not show that treating them differently helps."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## The question from practice
#
# A chain of supermarkets wants to print brochures: one for each kind of customer, for the next half-year. The agency
# proposes **young and old**, "because everybody does". The programmer of the till proposes **RFM** (recency,
# frequency, money: how long ago, how often and for how much a household bought), because it is there. The
# director of a store says: "My customers are those who live near my store."
#
# Each of them is right that customers can be divided so. Which division should be printed? The sources of this course name
# five kinds of segmentation and four principles that a good one meets. They do not say how to tell. We shall put a number on each.

# %% [markdown] key="note-opening" tags=["instructor"]
# **Trainer.** Let the class vote for one of the three before anything is shown, and write down the reasons. The agency's
# proposal usually wins. At the end of the lesson the same vote may come out alike, but the reasons will be others.
#
# Time: 5 minutes here. The lesson takes 50 minutes of teaching and 50 of core exercises. Teaching: opening, recall and data
# 10, quiz 1, who is known 3, clothing brand 3, three kinds from the till 3, motives 4, score card 8, do two kinds say the
# same 4, widget 4, claim check 4, own data and discussion 6. There is time left for a long discussion, or for exercise 2.1-8.
# In a short course leave out the psychographic part and 2.1-3.

# %% [markdown] key="recall" tags=["recall"]
# ## Recall
#
# A **label** puts a customer into a segment. A segmentation is one label for each customer: a column of text by `customer_id`. That is
# all that the functions of this lesson need, wherever the label comes from.
#
# You need `value_counts`, a mean by group, and the idea that a share has an interval.

# %% key="setup"
import numpy as np
import pandas as pd

from crmkit import datasets, lifecycle, segmentation, show
from crmkit.classroom import check, defend, progress, quiz

pd.set_option("display.max_colwidth", 100)
kinds, principles = segmentation.kinds, segmentation.principles
kinds.KINDS

# %% [markdown] key="data" tags=["data", "slide"]
# ## The data
#
# **Complete Journey**: a year of baskets of 2,469 households, and for some of them a table of demographics: age, income, household.
# It is a published teaching set.
#
# What it can *not* show: it is no sample of a country, so nothing here is true of "the young" in general. It holds no address, only the
# store. It holds no answers to a survey; for motives we shall invent some, and say so.

# %% key="households" tags=["fragment", "notes"]
journey = datasets.load("complete_journey")
orders = journey.transactions
households = lifecycle.summary(orders)
demographics = journey.demographics.set_index("household_id")
print(f"{len(households):,} households, {len(demographics):,} with demographics")

# %% [markdown] key="predict" tags=["predict", "slide"]
# ## Predict before you run
#
# One household in three has demographics. Nobody wrote down why. Before you look:

# %% key="predict-quiz" tags=["fragment", "notes"]
quiz(
    "Who are the households whose age and income are known?",
    {
        "a fair picture of all": "That would take a lottery. Somebody chose them.",
        "those who spend least": "A firm seldom asks those whom it hardly sees.",
        "those who spend most": "Yes: among the highest fifth 71 % are known.",
    },
    right="those who spend most",
)

# %% [markdown] key="analysis" tags=["analysis", "slide"]
# ## First principle: measurable

# %% key="known" tags=["fragment", "notes"]
known = pd.Series(households.index.isin(demographics.index), index=households.index)
ax = show.known_by_fifth(known, households["spend"])

# %% [markdown] key="known-look"
# This picture is the most important one of the lesson. Of the lowest fifth of spenders hardly anybody is known, of the highest
# fifth 71 %. So every sentence of the form "customers aged 45 to 54 spend …" is about the shop's **heavy** customers aged 45 to
# 54. The others are not missing by chance, and no statistics brings them back.

# %% [markdown] key="2.1-1-task" tags=["subslide"]
# ### Exercise 2.1-1 · do · 5 minutes
#
# How much do the two groups differ? Divide the **mean** spend of the households with demographics by the mean spend of those
# without (`known` tells them apart). Put the ratio, rounded to one digit, in `spend_ratio`.

# %% key="2.1-1" tags=["solution"] answers="spend_ratio"
spend_ratio = round(
    households.loc[known, "spend"].mean() / households.loc[~known, "spend"].mean(), 1
)

# %% key="2.1-1-check" tags=["check"]
check("2.1-1")

# %% [markdown] key="demographic" tags=["slide"]
# ## Demographic: the clothing brand
#
# The sources' own example is a clothing brand with two lines: **young-fashion** and **mature-steady**. A brand like that decides by
# age which cut of coat it orders. Suppose the supermarket wanted to sell these coats to its households.

# %% key="brand" tags=["fragment", "notes"]
brand = kinds.labels(
    demographics,
    "age",
    groups={
        "19-24": "young-fashion",
        "25-34": "young-fashion",
        "35-44": "mature-steady",
        "45-54": "mature-steady",
        "55-64": "mature-steady",
        "65+": "mature-steady",
    },
)
brand.value_counts()

# %% [markdown] key="2.1-2-task" tags=["subslide"]
# ### Exercise 2.1-2 · do · 5 minutes
#
# The brand wants to write to **all** 2,469 households of the shop. What percentage of them cannot be put into either line, because
# nobody knows their age? Put it, as a whole number, in `cannot_be_placed`.

# %% key="2.1-2" tags=["solution"] answers="cannot_be_placed"
placed = brand.reindex(households.index)
cannot_be_placed = round(placed.isna().mean() * 100)

# %% key="2.1-2-check" tags=["check"]
check("2.1-2")

# %% [markdown] key="other-kinds" tags=["slide"]
# ## Geographic, behavioural, value
#
# The other kinds come from the till. **Geographic**: the store in which a household leaves most money. **Behavioural**: ten
# segments made from recency, frequency and money (lesson 2.3 shows how). **Value**: three bands by spend, low, middle and high
# (lesson 2.2). You need not know yet how they are made: here they are labels like any other. Each is made for the first half-year and, by the *same* rule, for the
# second.

# %% key="halves"
halves = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")]
first_orders, second_orders = (orders.between(*days) for days in halves)
first, second = lifecycle.summary(first_orders), lifecycle.summary(second_orders)

rfm, bands = segmentation.rfm, segmentation.value.bands
cuts = rfm.cut_points(first)
by_rfm, later_rfm = (
    rfm.segment(rfm.score(half, cuts=cuts))["segment"] for half in (first, second)
)
banded = bands(first)
later_bands = bands(second, cuts=banded.attrs["cuts"])["value_band"]
store, later_store = (
    kinds.main_store(half, smallest=30) for half in (first_orders, second_orders)
)

# %% [markdown] key="halves-look"
# Note what is held still: the RFM cut points and the bands' cut points are those of the first half-year. A household that changes
# segment has changed itself.

# %% [markdown] key="psychographic" tags=["slide"]
# ## Psychographic: motives need a survey
#
# Why somebody buys stands in no till. One has to ask, with several questions for each motive, because one answer is mostly noise. Here are
# 400 **invented** people who answered nine questions from 1 (no) to 5 (yes): three about price, three about ease, three about joy. The
# truth is known to us: 45 % care most about price, 35 % about ease, 20 % about joy.

# %% key="survey" tags=["subslide", "notes"]
random = np.random.default_rng(3)
motive = random.choice(["price", "ease", "joy"], 400, p=[0.45, 0.35, 0.20])
noise = {
    (m, i): random.normal(0, 1.0, 400)
    for m in ("price", "ease", "joy")
    for i in (1, 2, 3)
}
answers = pd.DataFrame(
    {
        f"{m}{i}": np.clip(np.round(3 + value + 1.1 * (motive == m)), 1, 5)
        for (m, i), value in noise.items()
    }
)
scales = {m: [f"{m}1", f"{m}2", f"{m}3"] for m in ("price", "ease", "joy")}
motives = kinds.dominant_scale(answers, scales, margin=0.5)
motives.value_counts()

# %% [markdown] key="survey-look"
# `dominant_scale` compares each person with *their own* mean first, since some people say yes to everything. More than a third is
# "mixed": no motive stands out by half a point. Of those with a motive most are right, not all; in a real survey nobody could tell you
# how many, and those who did not answer at all would be missing on top.

# %% key="survey-truth"
clear = motives != "mixed"
right = (motives[clear] == motive[clear]).mean()
print(f"{right:.0%} of {clear.sum()} are in the right motive")

# %% [markdown] key="cards" tags=["slide"]
# ## The score card
#
# Now the four principles as numbers. `principles.score` wants to know *who should be divided* (`customers`), *what the segments should
# differ in* (`outcome`: here the money of the **second** half-year, so that nobody is judged by what made the label), and the *later* labels.

# %% key="score-age" tags=["fragment", "notes"]
later_money = second["spend"].reindex(first.index).fillna(0)
everybody = first.index
age = principles.score(
    kinds.labels(demographics, "age"),
    name="age",
    customers=everybody,
    outcome=later_money,
)
age

# %% [markdown] key="score-age-look"
# Each score lies between 0 and 1. (The 2,393 are the households that bought in the first half-year.)
#
# * **Measurable**: the share of customers with a label, here a third.
# * **Actionable**: the share of the labelled in segments of at least 50 households; below that a brochure is not worth printing. Five of
#   six age groups are large enough, and they hold 94 % of the labelled.
# * **Differentiable**: the share of the variance of later money that lies *between* the segments. Between the age groups it is only 2 %; the
#   rest lies inside them.
# * **Stable**: how far the labels of two dates agree (the adjusted Rand index: 1 if all stay together, 0 if the labels were dealt
#   out anew). Here it is not judged, since the table has one age for each household.

# %% key="score-all"
made = {
    "age × income": (kinds.labels(demographics, ["age", "income"]), None),
    "main store": (store, later_store),
    "RFM": (by_rfm, later_rfm),
    "value bands": (banded["value_band"], later_bands),
}
cards = [age] + [
    principles.score(
        labels, name=name, customers=everybody, outcome=later_money, later=later
    )
    for name, (labels, later) in made.items()
]
compared = principles.compare(cards)

# %% key="grid" tags=["subslide", "notes"]
ax = show.principle_grid(compared)

# %% [markdown] key="grid-look"
# No row is dark throughout. Demographics are known for a third and say little about money. The store is the most stable and
# says nearly nothing about money either. RFM and the value bands differ in later money, and change: 65 % of the households have another RFM
# segment half a year later (`print(cards[3])` says it), 28 % another value band. **Do not add the four numbers up.** A brochure that is printed for half a year needs stability. A message that is sent tomorrow
# does not.

# %% [markdown] key="2.1-3-task" tags=["subslide"]
# ### Exercise 2.1-3 · decide · 6 minutes
#
# "Age × income" makes 62 segments. How many of them have **at least 50** households in the table of demographics, so that a brochure could be
# printed for them? Put the number in `printable`.

# %% key="2.1-3" tags=["solution"] answers="printable"
sizes = kinds.labels(demographics, ["age", "income"]).value_counts()
printable = int((sizes >= 50).sum())

# %% key="2.1-3-check" tags=["check"]
check("2.1-3")

# %% [markdown] key="2.1-4-task" tags=["subslide"]
# ### Exercise 2.1-4 · decide · 5 minutes
#
# A colleague says: "RFM and value bands both come from the till, so they must be equally stable." Take the **adjusted Rand
# index** of each from `compared` (column `stable`) and put the difference, value bands minus RFM, rounded to two digits, in
# `steadier_by`. Does the colleague's reason hold?

# %% key="2.1-4" tags=["solution"] answers="steadier_by"
steadier_by = round(
    compared.loc["value bands", "stable"] - compared.loc["RFM", "stable"], 2
)

# %% key="2.1-4-check" tags=["check"]
check("2.1-4")

# %% [markdown] key="association" tags=["slide"]
# ## Do two kinds say the same?
#
# If income told the value band, the firm could save itself one of the two. **Cramér's V** (Harald Cramér, 1946) measures how far
# two labels go together: 0 if they are independent, 1 if one tells the other.

# %% key="association-rfm"
same = kinds.association(by_rfm, banded["value_band"])
print(f"RFM and value bands: V = {same.v:.2f} ({same.low:.2f} to {same.high:.2f})")

# %% [markdown] key="2.1-5-task" tags=["subslide"]
# ### Exercise 2.1-5 · decide · 10 minutes
#
# Now income and value band, over the **whole year**: `kinds.labels(demographics, "income")` against the `value_band` of `bands(households)`, for
# the households whose income is known (the default). Put V, rounded to two digits, in `income_and_value`.
#
# Then do it once more for all households: `.reindex(households.index).fillna("unknown")` and `keep_unknown=True`. Why is V so much larger?

# %% key="2.1-5" tags=["solution"] answers="income_and_value"
year_bands = bands(households)["value_band"]
income = kinds.labels(demographics, "income")
income_and_value = round(kinds.association(income, year_bands).v, 2)

# %% key="2.1-5-check" tags=["check"]
check("2.1-5")

# %% [markdown] key="association-look"
# Among the households whose income is known it tells next to nothing about the value band: V is 0.02, and its interval ends at 0.19. With "unknown" as a segment V rises to 0.36: what goes with money is *whether
# the firm knows you*. If you ever see a strong relation between a demographic label and value, ask first who has the label.

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it: how fine?
#
# Cut the households into equal groups by their money. More groups differ more, and last less. Where would you stop for a brochure, where for a message?

# %% key="explorer" tags=["nbval-ignore-output"]
show.grain_explorer(first["spend"], second["spend"])

# %% key="explorer-headless" tags=["subslide", "notes"]
view = show.grain_view(first["spend"], second["spend"], segments=10)

# %% [markdown] key="explorer-look"
# The solid line (*differentiable*) rises fast and then hardly at all; the dashed one (*stable*) falls all the way. From ten segments to thirty the difference grows by
# five hundredths, and stability falls by more than half.

# %% [markdown] key="2.1-6-task" tags=["exercises", "subslide"]
# ### Exercise 2.1-6 · decide · 9 minutes
#
# The programmer of the till asks for the **smallest** number of such groups at which the score *differentiable* exceeds **0.60**. Try 2, 3, 4 … with
# `show.grain_view(first["spend"], second["spend"], segments=number).chosen["differentiable"]` (each call draws a picture; `plt.close("all")` of
# `matplotlib.pyplot` puts them away). Put the number in `fine_enough`.

# %% key="2.1-6" tags=["solution"] answers="fine_enough"
import matplotlib.pyplot as plt

fine_enough = next(
    number
    for number in range(2, 31)
    if show.grain_view(first["spend"], second["spend"], segments=number).chosen[
        "differentiable"
    ]
    > 0.60
)
plt.close("all")

# %% key="2.1-6-check" tags=["check"]
check("2.1-6")

# %% [markdown] key="2.1-7-task" tags=["subslide"]
# ### Exercise 2.1-7 · defend · 10 minutes
#
# The brochures are printed in July for half a year, one version for each segment. Which division do you print?
#
# * `"RFM"`
# * `"value bands"`
# * `"main store"`
# * `"age × income"`
#
# The deciding figure is the score *stable* of your choice in `compared`, rounded to two digits. Answer with
#
# ```python
# print_run = defend(choice="…", figure=…, because="…")
# ```
#
# in `print_run`. Two of the four can be defended for a run that has to last half a year.

# %% key="2.1-7" tags=["solution"] answers="print_run"
print_run = defend(
    choice="value bands",
    figure=round(compared.loc["value bands", "stable"], 2),
    because=(
        "Three versions, everybody has one, they differ in later money, and 72 % are "
        "in the same band in December. The store lasts longer, but its segments do "
        "not differ in money; for a brochure about local fresh food I would take it."
    ),
)

# %% key="2.1-7-check" tags=["check"]
check("2.1-7")

# %% [markdown] key="claim-check" tags=["claim-check", "slide"]
# ## Claim check
#
# The source claims that **segmentation raises satisfaction and loyalty** (F-34). Suppose a shop prints brochures by value band, and then reports:
# "the households with the premium brochure are far more loyal". Here is that report, from a shop that printed *nothing*:

# %% key="loyal" tags=["fragment", "notes"]
came_back = pd.Series(first.index.isin(second.index), index=first.index)
came_back.groupby(banded["value_band"], observed=True).mean().round(3).to_frame(
    "share that came back"
)

# %% [markdown] key="loyal-look"
# The high band is "more loyal" than the low one by seven points, without any brochure. (Between high and middle there is no
# difference: nearly everybody came back.) Segments differ because they were *made* to differ. A
# segment does nothing; what is done to it may. To see that, the same thing must be done to a random half of a segment and not to the other half (lesson
# 1.6 shows how to read it out).
#
# The sources also name four ideas for retail service: customer **care**, **value** analysis, **retention** and **churn** analysis. Each is a decision, and each asks
# for another division: care for who they are, value for what they bring, retention for what they do, churn for what they stopped doing.

# %% [markdown] key="2.1-8-task" tags=["optional"]
# ### Exercise 2.1-8 · do · optional · 6 minutes
#
# How strict should the survey be? Repeat `kinds.dominant_scale(answers, scales, margin=…)` with a margin of **1.0** instead of 0.5. What percentage of the
# 400 people is "mixed" now? Put it, with one digit after the point, in `mixed_percent`. What do you win by being strict? (Compute again how
# many of the others are in the right motive.)

# %% key="2.1-8" tags=["solution"] answers="mixed_percent"
strict = kinds.dominant_scale(answers, scales, margin=1.0)
mixed_percent = round((strict == "mixed").mean() * 100, 1)

# %% key="2.1-8-check" tags=["check"]
check("2.1-8")

# %% [markdown] key="own-data-text" tags=["own-data", "slide"]
# ## With your own data
#
# Change two lines. The cell makes value bands in the first half of your data, the same bands in the second, and their score card. Put any other
# label of yours, a Series by customer id, in the place of `my_labels`.

# %% key="own-data" tags=["own-data"]
from datetime import timedelta

from crmkit import lifecycle, segmentation, shipped
from crmkit.tables import Transactions

my_file = shipped.folder("datasets") / "ten_customers" / "orders.csv"
my_roles = shipped.folder("datasets") / "ten_customers" / "roles.toml"

my_orders = Transactions.read(my_file, roles=my_roles)
my_middle = my_orders.first_day + (my_orders.last_day - my_orders.first_day) / 2
my_first = lifecycle.summary(my_orders.until(my_middle))
my_second = lifecycle.summary(
    my_orders.between(my_middle + timedelta(days=1), my_orders.last_day)
)
my_bands = segmentation.value.bands(my_first)
my_later = segmentation.value.bands(my_second, cuts=my_bands.attrs["cuts"])
my_labels = my_bands["value_band"]
my_card = segmentation.principles.score(
    my_labels,
    name="value bands",
    outcome=my_second["spend"].reindex(my_first.index).fillna(0),
    later=my_later["value_band"],
)
print(my_card)

# %% [markdown] key="discussion" tags=["discussion", "slide"]
# ## Discussion
#
# 1. The shop could ask the other two thirds for their age. What would it cost, who would answer, and what would be known then?
# 2. Which labels would you not use although you could measure them: religion, illness, a child's birthday? Who decides that?
# 3. A segmentation is "actionable" if the firm can do something different for each segment. What can a supermarket do differently for people of 45 to 54?
# 4. The store segments hardly differ in money. For which decision are they the best division all the same?
# 5. Your firm's segments have had the same names for six years. How would you find out whether they still hold the same people?

# %% [markdown] key="note-discussion" tags=["instructor"]
# **Trainer.** For 1: mostly the friends of the shop would answer, so the missing would stay the missing. For 4: what is ordered for a store, opening hours, staff.
# For 5: the adjusted Rand index of two dates, and the share that moved; both stand on the score card.

# %% [markdown] key="progress-text"
# ## How far did you get?

# %% key="progress" tags=["nbval-ignore-output"]
progress()

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what the data say; below, those that differ.
fifths = np.minimum(np.ceil(households["spend"].rank(pct=True) * 5), 5)
year = bands(households)["value_band"]
whole = kinds.labels(demographics, "income").reindex(households.index).fillna("unknown")
income_year = kinds.association(kinds.labels(demographics, "income"), year)
loyal = came_back.groupby(banded["value_band"], observed=True).mean()
steps = view.curve.set_index("segments")
quoted = {
    "highest fifth known": (round(known[fifths == 5].mean(), 2), 0.71),
    "a third known": (round(known.mean() * 3), 1),
    "age groups": (int((age.segments["customers"] >= 50).sum()), 5),
    "in large age groups": (round(age.table.loc["actionable", "score"], 2), 0.94),
    "bought in the first half": (len(first), 2393),
    "age explains": (round(age.table.loc["differentiable", "score"], 2), 0.02),
    "segments of age and income": (compared.loc["age × income", "segments"], 62),
    "RFM moved": (age.table is not None and "65%" in str(cards[3]), True),
    "bands stayed": ("28%" in str(cards[4]), True),
    "most stable": (compared["stable"].idxmax(), "main store"),
    "income and value": (
        [round(number, 2) for number in (income_year.v, income_year.high)],
        [0.02, 0.19],
    ),
    "with unknown": (
        round(kinds.association(whole, year, keep_unknown=True).v, 2),
        0.36,
    ),
    "mixed, a third": (round((motives == "mixed").mean() * 3), 1),
    "ten to thirty": (
        round(steps.loc[30, "differentiable"] - steps.loc[10, "differentiable"], 2),
        0.05,
    ),
    "stability halves": (round(steps.loc[10, "stable"] / steps.loc[30, "stable"]), 2),
    "more loyal by": (round((loyal["high"] - loyal["low"]) * 100), 7),
    "than the middle": (round((loyal["high"] - loyal["middle"]) * 100), 0),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
