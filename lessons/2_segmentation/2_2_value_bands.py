# ---
# jupyter:
#   crmkit:
#     title: "Value bands and purchase patterns: who brings the money"
#     part: "Segmentation"
#     questions:
#       - "Is it really 80 % of the money from 20 % of the customers?"
#       - "Who belongs in the high band, and what does it cost to be wrong?"
#       - "Is a customer who bought once and much a good customer?"
#     objectives:
#       - "measure how unequal customers are, with the Lorenz curve, the Gini coefficient and the share of the best-paying fifth"
#       - "put customers into value bands by amount and frequency, and say who moves when a cut point moves"
#       - "tell one-off bulk buyers, continuous buyers and the rest apart, with a definition of bulk that you can defend"
#       - "put a price on a customer in the wrong band"
#     teaching_minutes: 55
#     exercise_minutes: 53
#     optional_minutes: 18
#     needs: []
#     data: ["complete_journey", "cdnow"]
#     sources: ["000.0, c, d, e, f", "001 §2.2 value"]
#     keypoints:
#       - "80/20 is a proverb. In this supermarket the best-paying fifth brings 55 %, in the music shop 67 %: measure yours."
#       - "A value band is two cut points on two columns. Moving one of them moves hundreds of customers and nobody's behaviour."
#       - "Three kinds of purchase pattern leave people over. Name the rest, or they are missing in the report."
#       - "Bulk is a decision in money, and it belongs on the slide beside the count."
#       - "More than a quarter of the customers change band from one half-year to the next. The price of a misplacement says how much care the cut points deserve."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## The question from practice
#
# The supermarket wants to open a telephone line for its best customers: someone answers at once, knows the name, and
# may decide. It costs **40 dollars a customer and half-year**. For everybody that would be far too dear.
#
# "Take the best 20 %", says the owner, "they bring 80 % of the money anyway." Two questions hide in this sentence. Is it
# true here? And who are the best: those who spend much, those who come often, or only those who do both?

# %% [markdown] key="note-opening" tags=["instructor"]
# **Trainer.** Ask for guesses first: what share does the best-paying fifth bring? Write the guesses on the board; most say
# 80. Ask then who has ever seen the figure of their own firm.
#
# Time: 5 minutes here. The lesson takes 55 minutes of teaching and 53 of core exercises. Teaching: opening, recall and data
# 9, habits 3, quiz 2, inequality 5, bands 8, moving a cut point 2, patterns 5, average basket 2, what an error costs 8, widget
# 3, claim check 4, own data and discussion 4. In a short course leave out the purchase patterns (2.2-4) and the misplacement
# (2.2-6).

# %% [markdown] key="recall" tags=["recall"]
# ## Recall
#
# `lifecycle.summary` makes one row a customer: `orders`, `spend`, the day of the last order and more. A **quantile** cuts a
# sorted list: the quantile at two thirds is the value at or below which two thirds of the customers lie. We use such values as
# **cut points** between groups. A cut point occurs in the data, so that equal customers are never separated.

# %% key="setup"
import pandas as pd

from crmkit import datasets, lifecycle, segmentation, show
from crmkit.classroom import check, defend, progress, quiz

# %% [markdown] key="data" tags=["data", "slide"]
# ## The data
#
# **Complete Journey**: a year of baskets of 2,469 households in a chain of supermarkets, a published teaching set. **CDNOW**:
# the purchases of 2,357 people who first bought at an online music shop early in 1997, followed for a year and a half.
#
# What they can *not* show: profit. Both hold what customers paid, and no cost. A household that spends much on
# discounted goods may earn the shop nothing; every band in this lesson is a band of **money**, not of
# **margin** (what is left of the money after cost).

# %% key="households"
journey = datasets.load("complete_journey").transactions
households = lifecycle.summary(journey)
music = lifecycle.summary(datasets.load("cdnow").transactions)
households[["orders", "spend", "mean_order_value"]].describe().round(1)

# %% [markdown] key="facts" tags=["slide"]
# What should a firm write down about an order? The sources name five facts: **time, kinds of product, quantity, price** and how
# often. From them comes everything in this lesson, and what they call the customer's habits: which kinds, at which price, how
# often. The largest habit first: in which categories do the households spend? (The order lines are a table of Ibis, not of pandas;
# `to_pandas` changes that. You need not write such code here.)

# %% key="habits" tags=["subslide", "notes"]
lines = journey.table
by_category = lines.group_by("category").aggregate(
    households=lines.customer_id.nunique(), money=lines.amount.sum().cast("float64")
)
habits = by_category.to_pandas().nlargest(5, "money").set_index("category")
habits["dollars_a_household"] = (habits["money"] / habits["households"]).round(0)
habits.round(0)

# %% [markdown] key="habits-look"
# The largest category is no food: COUPON/MISC ITEMS is nearly all petrol, with some gift cards. So look inside a category before
# you trust its name. Then come soft drinks, beef, milk and cheese, bought by most households. An offer that fits a habit starts from a
# table like this, made for one customer. Lesson 2.5 does that inside one category; the personal shopping list belongs to part 3 of
# this course, which is not written yet.

# %% [markdown] key="predict" tags=["predict", "slide"]
# ## Predict before you run
#
# Line the households up from the smallest spender to the largest, and add up the money on the way.

# %% key="predict-quiz" tags=["fragment", "notes"]
quiz(
    "What share of the money comes from the best-paying fifth?",
    {
        "about 80 %": "That is the proverb. It needs far more inequality than here.",
        "about 55 %": "Yes. Groceries are more equal than the proverb: all must eat.",
        "about 30 %": "Too equal. Some households buy for five, others hardly come.",
    },
    right="about 55 %",
)

# %% [markdown] key="analysis" tags=["analysis", "slide"]
# ## How unequal are they?

# %% key="lorenz" tags=["fragment", "notes"]
firms = {"supermarket": households["spend"], "music shop": music["spend"]}
ax = show.lorenz_curve(firms)

# %% [markdown] key="lorenz-look"
# Max Lorenz drew this curve in 1905, for incomes. Read it at the grey line: the first four fifths of the households bring
# 45 % of the supermarket's money, so the best-paying fifth brings 55 %. The further a curve hangs below the dashed line,
# the more unequal the customers. The **Gini coefficient** says it in one number, twice the area between the curve and the
# dashed line: 0 if all spend alike, near 1 if one customer spends everything. It is 0.52 for the supermarket and 0.63 for
# the music shop.
#
# Such figures are not exact either: with other households from the same town they would be a little different. The next two
# cells give each figure of the supermarket with its 95 % interval, `low` to `high`:

# %% key="top-share"
segmentation.value.top_share(households["spend"], 0.20)

# %% key="gini"
segmentation.value.gini(households["spend"])

# %% [markdown] key="2.2-1-task" tags=["subslide"]
# ### Exercise 2.2-1 · do · 4 minutes
#
# The owner can afford the telephone line for a **tenth** of the households. What percentage of the money do the
# best-paying 10 % bring? Use `segmentation.value.top_share` (the figure is its `.value`) and put the percentage, rounded to a
# whole number, in `tenth_brings`.

# %% key="2.2-1" tags=["solution"] answers="tenth_brings"
tenth_brings = round(
    segmentation.value.top_share(households["spend"], 0.10).value * 100
)

# %% key="2.2-1-check" tags=["check"]
check("2.2-1")

# %% [markdown] key="bands" tags=["slide"]
# ## Bands: much *and* often
#
# The source of this lesson does not sort by money alone. It names three **value bands** by amount × frequency: high, low, and
# in between. It gives no cut points; nobody can, for all firms. The default of `bands` is simple, and it shows its cut
# points: a customer is **high** in the upper third of both columns, **low** in the lower third of both, and **middle** otherwise.
# Each pair below is the lower and the upper cut point; who lies exactly on a cut point belongs to the part below it.

# %% key="banded" tags=["subslide", "notes"]
banded = segmentation.value.bands(households)
banded.attrs["cuts"]

# %% key="band-table"
segmentation.value.band_table(banded).round(2)

# %% key="band-map" tags=["subslide", "notes"]
ax = show.value_band_map(banded)

# %% [markdown] key="band-map-look"
# Each point is a household; the orange lines are the cut points. The high band is the upper right corner: a quarter of the
# households, and 59 % of the money. Look at two groups of the middle band. Above the upper line, left of the high band: much money
# on fewer trips. Right of the right-hand line, below the high band: many trips and less money. A band by money alone would have put
# the first group in and left the second out.

# %% [markdown] key="2.2-2-task" tags=["subslide"]
# ### Exercise 2.2-2 · do · 5 minutes
#
# How many households are **above the upper cut point of spend** and still not in the high band, because they come too seldom?
# Use `banded` and `banded.attrs["cuts"]`. Put the number in `rich_but_rare`.

# %% key="2.2-2" tags=["solution"] answers="rich_but_rare"
upper_spend = banded.attrs["cuts"]["spend"][1]
rich = banded["spend"] > upper_spend
rich_but_rare = int((rich & (banded["value_band"] != "high")).sum())

# %% key="2.2-2-check" tags=["check"]
check("2.2-2")

# %% [markdown] key="move-text" tags=["slide"]
# ## Move a cut point
#
# Nothing in the data says that it must be thirds; quarters are as good. So let us see what the choice does. `bands` takes
# the two shares at which it cuts: `shares=(1/3, 2/3)` if you do not say.

# %% [markdown] key="2.2-3-task" tags=["subslide"]
# ### Exercise 2.2-3 · decide · 7 minutes
#
# Cut at the lower and the upper **quarter** instead of the thirds: `shares=(1/4, 3/4)`. How many households are then in another
# band than in `banded`? Compare as text (`.astype(str)`), and put the number in `changed_band`.

# %% key="2.2-3" tags=["solution"] answers="changed_band"
quarters = segmentation.value.bands(households, shares=(1 / 4, 3 / 4))
changed_band = int(
    (quarters["value_band"].astype(str) != banded["value_band"].astype(str)).sum()
)

# %% key="2.2-3-check" tags=["check"]
check("2.2-3")

# %% [markdown] key="move-look"
# About 15 in 100 households have another band now, and half of these lose the telephone line. Nobody bought anything else than
# before. If your firm's segments have names that everybody uses, ask who chose the cut points, and when they were last looked at.

# %% [markdown] key="patterns" tags=["slide"]
# ## Once and much, or again and again?
#
# The sources also sort customers by **pattern**: who bought once in bulk, who buys continuously, who never bought. Somebody who
# ordered once, for a wedding, looks like a good customer in a table of money. The pattern says: one order, and none since.
#
# In a supermarket hardly anybody buys once. The music shop is the better place to look. First the definitions. *One-off* is
# who bought on one day only, and *bulk* if that day brought at least so much money. **You** have to say how much; we begin with 50
# dollars. *Continuous* is who bought on four days or more, with one in both halves of the time since the first purchase.

# %% key="patterns-music" tags=["subslide", "notes"]
songs = datasets.load("cdnow").transactions
by_pattern = segmentation.value.patterns(songs, bulk=50)
table = by_pattern.groupby("pattern", observed=True)["spend"].agg(["size", "sum"])
table["share_of_money"] = table["sum"] / table["sum"].sum()
table.round(2)

# %% [markdown] key="patterns-look"
# Nobody is missing: next to the three kinds of the source stand **one-off small** (bought once, and little) and **occasional** (came
# back, but not steadily). The source's three kinds alone would have covered a quarter of the customers and left the others out
# of every report. "Never bought" is empty, because this list holds buyers only; give `prospects=` if you know some.

# %% [markdown] key="2.2-4-task" tags=["subslide"]
# ### Exercise 2.2-4 · decide · 7 minutes
#
# A colleague reports "170 bulk buyers". You think that 50 dollars are three CDs and not bulk. With `bulk=100`, what
# percentage of **all customers** are one-off bulk buyers? Put it, rounded to one digit, in `bulk_percent`.

# %% key="2.2-4" tags=["solution"] answers="bulk_percent"
stricter = segmentation.value.patterns(songs, bulk=100)
bulk_percent = round((stricter["pattern"] == "one-off bulk").mean() * 100, 1)

# %% key="2.2-4-check" tags=["check"]
check("2.2-4")

# %% [markdown] key="average" tags=["slide"]
# ## The average basket, and its trap
#
# The **average transaction value** is the money divided by the number of orders. Most firms know this figure. But there are
# two ways to compute it, and they give two answers.

# %% [markdown] key="2.2-5-task" tags=["subslide"]
# ### Exercise 2.2-5 · do · 6 minutes
#
# Compute the average transaction value of the supermarket: **all money divided by all orders** of `households`, rounded to two
# digits, in `average_basket`. Compare it with the mean of the column `mean_order_value`: why is that one higher?

# %% key="2.2-5" tags=["solution"] answers="average_basket"
average_basket = round(households["spend"].sum() / households["orders"].sum(), 2)

# %% key="2.2-5-check" tags=["check"]
check("2.2-5")

# %% [markdown] key="average-look"
# The mean of the households' means gives a household with two big baskets the same weight as one with two hundred small ones. For "how
# large is an order?" divide the sums; for "how large are a customer's orders?" take the mean of means. Say which one you report.

# %% [markdown] key="half-years" tags=["slide"]
# ## What an error costs
#
# Bands are made from the past and used in the future. So give the households of the **first half-year** their bands, wait, and
# see with the *same* cut points where they stand in the second.

# %% key="halves" tags=["fragment", "notes"]
first = lifecycle.summary(journey.between("2017-01-01", "2017-06-30"))
second = lifecycle.summary(journey.between("2017-07-01", "2017-12-31"))
served = segmentation.value.bands(first)
turned_out = segmentation.value.bands(second, cuts=served.attrs["cuts"])
pd.crosstab(served["value_band"], turned_out["value_band"].reindex(served.index))

# %% [markdown] key="halves-look"
# Rows are the bands by which the households were served, columns what they turned out to be. Most stay. 122 who were served as
# high bought like the middle; 146 of the middle turned out to be high. Both are errors, and they do not cost the same.
#
# Put a price on them. **Service** costs 40 dollars for a high customer, 10 for a middle one, 2 for a low one. Who is served above
# the band that turns out costs us the difference. **Neglect**: who turns out high and was served lower costs us 60 dollars of margin
# for each band below (low instead of high: 120). Who turns out middle and was served as low costs us 20.

# %% key="prices" tags=["subslide", "notes"]
service = {"high": 40, "middle": 10, "low": 2}
neglect = {"high": 60, "middle": 20, "low": 0}
errors = segmentation.value.misplacement(
    served["value_band"],
    turned_out["value_band"],
    service=service,
    neglect=neglect,
)
errors.head(4)

# %% key="price-of-all"
print(
    f"{errors.attrs['share_misplaced']:.0%} misplaced, cost {errors.attrs['cost']:,.0f}"
)

# %% [markdown] key="prices-look"
# 28 % stood in the wrong band. The most expensive error is easy to overlook: good customers served as average. The
# prices are assumptions of ours; put your own in. 129 households bought in one half-year only and are left out here, which the
# result says (`errors.attrs["not_matched"]`).

# %% [markdown] key="2.2-6-task" tags=["subslide"]
# ### Exercise 2.2-6 · decide · 10 minutes
#
# Would it be cheaper to be generous? Serve by bands that cut at the lower third and at the **half** instead of the upper
# third (`shares=(1/3, 1/2)` for `first`), so that more households get the high service. Keep `turned_out` and both price
# lists as they are. What is the total cost of all misplacements now? Put it, in whole dollars, in `generous_cost`.

# %% key="2.2-6" tags=["solution"] answers="generous_cost"
generous = segmentation.value.bands(first, shares=(1 / 3, 1 / 2))
generous_errors = segmentation.value.misplacement(
    generous["value_band"], turned_out["value_band"], service=service, neglect=neglect
)
generous_cost = round(generous_errors.attrs["cost"])

# %% key="2.2-6-check" tags=["check"]
check("2.2-6")

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it
#
# Move both cut points. Try to find a high band that is a tenth of the households. How much money does it bring, and how many
# households have another band then?

# %% key="explorer" tags=["nbval-ignore-output"]
show.band_explorer(households)

# %% [markdown] key="explorer-twin"
# What the widget shows comes from a plain function:

# %% key="explorer-headless"
view = show.band_view(households, lower=0.25, upper=0.75)
view.table[["customers", "share_of_spend"]].round(2)

# %% [markdown] key="2.2-7-task" tags=["exercises", "subslide"]
# ### Exercise 2.2-7 · defend · 14 minutes
#
# The owner must choose **one** rule for the telephone line of the next half-year:
#
# * `"the high band by thirds"`: the 588 households that are high in `served`;
# * `"the best-paying 588"`: the 588 households with the highest `spend` in `first`, however often they came;
# * `"everybody"`: all households of the first half-year, at 40 dollars each.
#
# The line can be worth its price only if the households go on spending. The deciding figure: what percentage of the money of the
# **second** half-year (all of `second["spend"]`) comes from the households of the rule you choose? With their ids in `ids`,
# `second["spend"].reindex(ids).fillna(0)` is what each of them spent there, 0 for those who did not come back. Put choice, figure
# (rounded to one digit) and reason in `line`:
#
# ```python
# line = defend(choice="…", figure=…, because="two sentences for the owner")
# ```
#
# Two of the three rules can be defended, with different reasons; the figure must belong to your choice. The reason is for your
# trainer.

# %% key="2.2-7" tags=["solution"] answers="line"
best_paying = first["spend"].nlargest(588).index
later = second["spend"].reindex(best_paying).fillna(0).sum() / second["spend"].sum()
line = defend(
    choice="the best-paying 588",
    figure=round(later * 100, 1),
    because=(
        "With as many households on the line it reaches more of the later money. "
        "The band by thirds would be the choice if the line had to be used often."
    ),
)

# %% key="2.2-7-check" tags=["check"]
check("2.2-7")

# %% [markdown] key="claim-check" tags=["claim-check", "slide"]
# ## Claim check
#
# The proverb says: **20 % of the customers bring 80 % of the money**. The sources follow it when they advise to look after
# the big spenders first. We have seen 55 % and 67 % for the best fifth. Turn the question around: how many of the
# households does it take to bring 80 %?

# %% key="share-for-80" tags=["fragment", "notes"]
curve = segmentation.value.lorenz(households["spend"])
poorest = curve.loc[curve["share_of_money"] <= 0.20, "share_of_customers"].max()
print(f"80 % of the money comes from {1 - poorest:.0%} of the households")

# %% [markdown] key="share-for-80-look"
# 42 %, twice as many as the proverb says. In this shop a service for a fifth of the households leaves nearly half of the
# money without it. And a second claim hides in the proverb: that effort pays most with the big spenders. This table cannot
# show it. It shows where the money *is*, and not what would change if somebody answered the telephone faster. That needs a
# control group (lesson 1.6).

# %% [markdown] key="2.2-8-task" tags=["optional"]
# ### Exercise 2.2-8 · decide · optional · 8 minutes
#
# And the music shop? What percentage of its customers does it take to bring 80 % of its money? Use `music["spend"]` as
# above, and put the percentage, rounded to a whole number, in `music_for_80`.

# %% key="2.2-8" tags=["solution"] answers="music_for_80"
music_curve = segmentation.value.lorenz(music["spend"])
below = music_curve.loc[
    music_curve["share_of_money"] <= 0.20, "share_of_customers"
].max()
music_for_80 = round((1 - below) * 100)

# %% key="2.2-8-check" tags=["check"]
check("2.2-8")

# %% [markdown] key="2.2-9-task" tags=["optional"]
# ### Exercise 2.2-9 · decide · optional · 10 minutes
#
# Does a high band stay high? Of the households that were high in the first half-year (`served`), what percentage were high
# in the second (`turned_out`)? Households that did not come back count as not high. Put it, as a whole number, in
# `stayed_high`.

# %% key="2.2-9" tags=["solution"] answers="stayed_high"
were_high = served.index[served["value_band"] == "high"]
now = turned_out["value_band"].astype(str).reindex(were_high)
stayed_high = round((now == "high").mean() * 100)

# %% key="2.2-9-check" tags=["check"]
check("2.2-9")

# %% [markdown] key="own-data-text" tags=["own-data", "slide"]
# ## With your own data
#
# Change two lines. The file may be CSV, Excel or Parquet; `crmkit check-data YOUR_FILE --save roles.toml` writes the roles.
# Is it 80/20 in your firm, and where are your cut points?

# %% key="own-data" tags=["own-data"]
from crmkit import lifecycle, segmentation, shipped, show
from crmkit.tables import Transactions

my_file = shipped.folder("datasets") / "ten_customers" / "orders.csv"
my_roles = shipped.folder("datasets") / "ten_customers" / "roles.toml"

my_orders = Transactions.read(my_file, roles=my_roles)
my_customers = lifecycle.summary(my_orders)
my_fifth = segmentation.value.top_share(my_customers["spend"], 0.20)
print(f"the best-paying fifth brings {my_fifth.value:.0%} of the money")
my_bands = segmentation.value.bands(my_customers)
print("cut points:", my_bands.attrs["cuts"])
my_patterns = segmentation.value.patterns(
    my_orders, bulk=my_customers["spend"].median()
)
print(my_patterns["pattern"].value_counts().to_string())
ax = show.value_band_map(my_bands)

# %% [markdown] key="discussion" tags=["discussion", "slide"]
# ## Discussion
#
# 1. Your firm gives its best service to the high band. Who in the middle band notices, and what will she do?
# 2. A household of two can never spend like a household of five. Is it fair to cut both at the same number? What would you need to know?
# 3. The one-off bulk buyer of the wedding has a sister. What does that change?
# 4. Membership programmes make customers *see* their band. What changes when the cut points are public?
# 5. Which error would your firm rather make: to serve too well, or too badly? Who pays for each?

# %% [markdown] key="note-discussion" tags=["instructor"]
# **Trainer.** For 2: value per head, and the household's size; it is known for a third of the households and missing for
# the others, not at random (lesson 2.1). For 4: customers move towards the line, which is what the shop wants, and some buy
# and return, which it does not. (Membership programmes are a subject of part 3, which is not written yet.)

# %% [markdown] key="progress-text"
# ## How far did you get?

# %% key="progress" tags=["nbval-ignore-output"]
progress()

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what the data say; below, those that differ.
shares = {
    name: segmentation.value.top_share(money).value for name, money in firms.items()
}
unequal = {name: segmentation.value.gini(money).value for name, money in firms.items()}
found = segmentation.value.band_table(banded)
moves = pd.crosstab(
    served["value_band"], turned_out["value_band"].reindex(served.index)
)
kinds = by_pattern["pattern"].value_counts()
by_quarters = segmentation.value.bands(households, shares=(1 / 4, 3 / 4))
in_quarters = (
    by_quarters["value_band"].astype(str) != banded["value_band"].astype(str)
).sum()
quoted = {
    "households": (len(households), 2469),
    "music": (len(music), 2357),
    "fifth": (
        {name: round(share, 2) for name, share in shares.items()},
        {"supermarket": 0.55, "music shop": 0.67},
    ),
    "gini": (
        {name: round(g, 2) for name, g in unequal.items()},
        {"supermarket": 0.52, "music shop": 0.63},
    ),
    "high band": (
        found.loc["high", ["share_of_customers", "share_of_spend"]].round(2).to_list(),
        [0.25, 0.59],
    ),
    "changed band, of 100": (round(100 * in_quarters / len(households)), 15),
    "of these, half leave the high band": (
        round(
            (
                (banded["value_band"] == "high") & (by_quarters["value_band"] != "high")
            ).sum()
            / in_quarters,
            2,
        ),
        0.5,
    ),
    "named kinds": (
        (kinds["one-off bulk"] + kinds["continuous"]) / len(music) < 0.27,
        True,
    ),
    "bulk at 50": (kinds["one-off bulk"], 170),
    "too well": (moves.loc["high", "middle"], 122),
    "too badly": (moves.loc["middle", "high"], 146),
    "misplaced": (round(errors.attrs["share_misplaced"], 2), 0.28),
    "one half only": (errors.attrs["not_matched"], 129),
    "served as high": ((served["value_band"] == "high").sum(), 588),
    "low served, high turned out": (2 * neglect["high"], 120),
    "for 80": (round(1 - poorest, 2), 0.42),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
