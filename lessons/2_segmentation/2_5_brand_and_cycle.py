# ---
# jupyter:
#   crmkit:
#     title: "Brand, use and the purchase cycle: whom an offer pays for"
#     part: "Segmentation"
#     questions:
#       - "Which households could be won for the store's own brand?"
#       - "Do heavy users switch brands more often, or are they only seen more often?"
#       - "Does the deepest discount for heavy users pay?"
#     objectives:
#       - "sort the households of a category into nine cells of brand and use, and say who cannot be sorted"
#       - "say how sure a label is, and test whether a difference between light and heavy users is only the number of trips"
#       - "compute a due date from the purchase cycle, and back-test it before you trust it"
#       - "put a price on an offer cell by cell: what is won, and what is given to those who would have bought anyway"
#     teaching_minutes: 74
#     exercise_minutes: 46
#     optional_minutes: 33
#     needs: []
#     data: ["complete_journey", "supermarket"]
#     sources: ["004.1b"]
#     keypoints:
#       - "Nine cells need four numbers: two bounds of loyalty, two cut points of use. The source gives none, so yours belong on the slide."
#       - "A household seen on one trip cannot be seen to switch. Show such households apart, and say how sure a label is."
#       - "Switching seemed to grow with use, and being seen more often is enough to explain it. Ask this of every table about frequent customers."
#       - "A due date is a forecast: back-test it. Where gaps were irregular it was no better than a day drawn by lot."
#       - "A redeemed coupon is not a sale won. Subtract those who would have bought anyway, before you call an offer deep and good."
#       - "In the experiment the deepest discount for heavy users cost more than it brought. Value of a customer and value of a discount are two things."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## The question from practice
#
# The source of this lesson tells a story about Dick's Supermarkets, an American chain. Suppose
# that it looks at its shelf of **pain relievers**. Most households buy Tylenol or another national brand, on which the store earns
# little. The store's own brand costs the customer less and earns the store more. Could some Tylenol users be won over?
#
# The story has a plan with three parts:
#
# 1. Sort the households by brand (**national**, **store**, **switcher**) and by use (**low, medium, high**): nine cells.
# 2. Make the strongest offer to the **heavy** users, with a first discount well above that of the others.
# 3. Send each offer when the household is **due** to buy again: "half the work, twice the result".
#
# It is a thought experiment; the source tells no result. Today we put all three parts to data.

# %% [markdown] key="note-opening" tags=["instructor"]
# **Trainer.** Let the class vote first: at equal cost, should the deepest discount go to heavy, medium or light users of the
# national brand? Nearly everybody says heavy. Write the vote down; come back to it at exercise 2.5-9. Time: 5 minutes; 74 of
# teaching and 46 of core exercises in all, so nothing is left over. In a short course leave out the three categories (5 minutes) and the
# slide of the measured shares (2).

# %% [markdown] key="recall" tags=["recall"]
# ## Recall
#
# A **cut point** separates low from high; it is a choice (lesson 2.2). An **experiment** draws lots who gets an offer and who does not:
# the **control group** shows what would have happened anyway, and an effect comes with a 95 % **interval** (lesson 1.6).
# **Margin** is what is left of the money after the cost of the goods. `orders.where("category", …)` keeps the lines of one
# category.

# %% key="setup"
import numpy as np
import pandas as pd

from crmkit import datasets, evaluation, show
from crmkit.classroom import check, defend, progress, quiz
from crmkit.segmentation import brands, cycles, offers

# %% [markdown] key="data" tags=["data", "slide"]
# ## The data
#
# **Complete Journey**: a year of baskets of 2,469 households, a published teaching set. Among 1.5 million order lines we take those of
# *adult analgesics*, the pain relievers for grown-ups. `brand` says "National" or "Private"; private is the store's own.
#
# What it can *not* show: margins (it has none), an experiment (it has none), and purchases in other shops. Half of a household's
# tablets may come from the chemist's.
#
# So for the offer we turn to **Millbrook Foods**, a supermarket that we **simulated**: it has costs, an experiment by lot, and a truth that
# no real firm knows. It shows how to find out. It shows nothing about real shoppers.

# %% key="journey"
journey = datasets.load("complete_journey")
adult = journey.products.query("product_type == 'ADULT ANALGESICS'")
pain = journey.transactions.where("product_id", adult["product_id"])
users = brands.usage(pain)
users[["trips", "store_trips", "store_share", "quantity", "spend"]].head()

# %% [markdown] key="journey-look"
# One row a household that bought pain relievers in the year. A **trip** is a day with such a purchase. `store_share` is the share of the
# trips on which the household chose the store's brand; a trip on which both were bought counts in parts. `quantity` is packs.
#
# What came in that cannot be used? `users.attrs` says it: 8 lines have quantity 0. They count as no trip, and three
# households have no other line. We keep them, as *unknown*.

# %% [markdown] key="predict" tags=["predict", "slide"]
# ## Predict before you run
#
# 830 households bought pain relievers in the year. A household that bought once has shown one brand.

# %% key="predict-quiz" tags=["fragment", "notes"]
quiz(
    "How many of the 830 bought on one single trip?",
    {
        "about one in ten": "That is cheese. Tablets last longer.",
        "about a third": "More. Think of how long a pack of 100 lasts.",
        "more than half": "Yes. And what do they tell us about switching?",
    },
    right="more than half",
)

# %% [markdown] key="analysis" tags=["analysis", "slide"]
# ## Nine cells
#
# Who takes the store's brand on at most 20 % of the trips is called *national*, from 80 % on *store*, between them a *switcher*. Use
# is cut at thirds of the quantity. These four numbers are ours. The source draws the picture and leaves out the numbers.

# %% key="nine" tags=["subslide", "notes"]
labelled = brands.matrix(users, loyal=(0.2, 0.8))
ax = show.nine_cells(brands.cells(labelled))

# %% [markdown] key="nine-look"
# Each field is one cell. The darker it is, the more households are in it; its last line counts them, and those seen on one trip only. Look
# at the upper right corner first: heavy users of national brands. They are 13 % of the households and bring 32 % of the money. These are
# the Tylenol users of the story.
#
# Now look at the field "switcher, low". It is empty, but that does not show that light users are loyal. The cut points were 1 and 2
# packs: low use **is** one pack, and nobody can switch with one pack. The picture shows its own definition.

# %% [markdown] key="2.5-1-task" tags=["subslide"]
# ### Exercise 2.5-1 · do · 4 minutes
#
# What percentage of all 830 households bought on **one trip only** (`labelled["one_trip"]`)? Put it, rounded to a whole number, in
# `one_trip_percent`, and compare with your prediction.

# %% key="2.5-1" tags=["solution"] answers="one_trip_percent"
one_trip_percent = round(labelled["one_trip"].mean() * 100)

# %% key="2.5-1-check" tags=["check"]
check("2.5-1")

# %% [markdown] key="2.5-2-task" tags=["optional"]
# ### Exercise 2.5-2 · decide · optional · 6 minutes
#
# Is a household that bought the other brand once in ten trips still loyal? With `loyal=(0, 1)` it is not: only a household that
# **never** bought the other brand is then called loyal. Label the `users` again with these bounds and change nothing else. How many
# households are switchers **now and were not before**, in `labelled`? Put the number in `new_switchers`.

# %% key="2.5-2" tags=["solution"] answers="new_switchers"
strict = brands.matrix(users, loyal=(0, 1))
new_switchers = int(
    (
        (strict["brand_type"] == "switcher") & (labelled["brand_type"] != "switcher")
    ).sum()
)

# %% key="2.5-2-check" tags=["check"]
check("2.5-2")

# %% [markdown] key="one-trip" tags=["slide"]
# ## Who cannot be a switcher
#
# More than half of the households were seen on one trip. (Seven of them bought both kinds on it; we leave them aside.) To call
# the others loyal is like calling a coin biased after one throw. Show them apart: `least_trips=2` labels only
# who chose twice or more.

# %% key="apart" tags=["subslide", "notes"]
twice = brands.matrix(users, least_trips=2)
twice["brand_type"].value_counts().to_frame()

# %% [markdown] key="2.5-3-task" tags=["subslide"]
# ### Exercise 2.5-3 · do · 5 minutes
#
# Of the households **with a label** in `twice` (national, store or switcher), what percentage are switchers? Put it, rounded to **one
# digit** after the point, in `switcher_percent`.

# %% key="2.5-3" tags=["solution"] answers="switcher_percent"
with_label = twice["brand_type"].isin(["national", "store", "switcher"])
switcher_percent = round(
    (twice.loc[with_label, "brand_type"] == "switcher").mean() * 100, 1
)

# %% key="2.5-3-check" tags=["check"]
check("2.5-3")

# %% [markdown] key="certainty" tags=["slide"]
# ## How sure is a label?
#
# There is something between "loyal" and "we know nothing". Most households of this category take one kind nearly always, and some
# do not: that much the 362 households with several trips teach us. `fit_shares` learns it: as if every household came with
# $a$ trips for the store's brand and $b$ for national brands, before its first own trip. Its own trips are added:
#
# $$\text{shrunk share} = \frac{a + \text{store trips}}{a + b + \text{trips}}$$
#
# Statisticians call it empirical Bayes (Carl Morris, 1983). Who has few trips is drawn, or *shrunk*, towards the category; who has
# many stays where the own trips are.

# %% key="shares" tags=["subslide", "notes"]
shares = brands.fit_shares(users)
sure = shares.label(users)
print(f"a = {shares.a:.2f}, b = {shares.b:.2f}")
columns = ["shrunk_share", "national", "store", "switcher"]
shown = users[["trips", "store_share"]].join(sure[columns])
shown.loc[[1, 4, 88, 256, 2198]].round(2)

# %% [markdown] key="certainty-look"
# Household 1 bought a national brand once. The formula gives (0.42 + 0) / (0.42 + 0.79 + 1) = 0.19 and not 0. The last three columns
# are chances: household 1 is of the national kind with a chance of 65 %. Household 4 bought the store's brand once, and for it the
# label "store" is right with a chance of only 36 %. It is more likely a **switcher**, because national brands are strong here.
# Household 256 chose a national brand five times: 91 % national. Household 2198 chose each kind seven times: nearly certainly a switcher.
#
# If every household could be watched for ever, how many of each kind would there be?

# %% key="types"
shares.types().round(2).to_frame()

# %% [markdown] key="types-look"
# 41 % switchers, where the nine cells showed 14 %. A manager who reads the picture believes that six of seven households are
# decided. This estimate says: four of ten are not, and we have not seen it yet. How firm is it? Draw 830 households again and again
# from these 830, some twice and some not at all (a bootstrap, lesson 2.3): in 95 of 100 draws the estimate lies between 35 and 47 %. It also
# depends on the form of the distribution that we assumed; further down we check that where the truth is known.

# %% [markdown] key="2.5-4-task" tags=["optional"]
# ### Exercise 2.5-4 · do · optional · 5 minutes
#
# A household made **3** trips and chose the store's brand on **all** of them. Its own share is 1.00. Compute its shrunk share with
# `shares.a` and `shares.b`, round it to two digits, and put it in `shrunk`.

# %% key="2.5-4" tags=["solution"] answers="shrunk"
shrunk = round((shares.a + 3) / (shares.a + shares.b + 3), 2)

# %% key="2.5-4-check" tags=["check"]
check("2.5-4")

# %% [markdown] key="heavy" tags=["slide"]
# ## Do heavy users switch more?
#
# The nine cells say so: of low users 0 % are switchers, of medium users 16 %, of high users 34 %. A marketing department would
# write: "Heavy users are the least loyal. Go for them." Before you pay for that sentence, ask what else differs between them.
#
# Heavy users make **more trips**, so there are more occasions to catch them with another brand. What would the picture look like if
# use had nothing to do with loyalty?

# %% key="by-trips" tags=["subslide", "notes"]
table = brands.switchers_by_trips(users, shares)
ax = show.switchers_by_trips(table)

# %% [markdown] key="by-trips-look"
# Dots are what was seen. The dashed line is a world in which every household, light or heavy, is drawn from the same mix of loyal and
# undecided people. (It falls a little after three trips because of our bounds: one other choice in three makes a switcher, one in five
# does not.) It passes through all intervals but the first: there seven households bought both kinds on their one trip, which the
# model does not know. Only two numbers, $a$ and $b$, were learned from the data; the shape over the trips follows by itself.
#
# **Being seen more often is enough to explain the whole rise.** That does not prove that use and loyalty are unrelated: the intervals
# on the right are wide. It means that this table is no evidence for a relation. Whenever a report says "our frequent customers are
# more …", ask whether they were only looked at more often.
#
# The department spoke of packs, the picture of trips. The exercise goes back to packs.

# %% [markdown] key="2.5-5-task" tags=["subslide"]
# ### Exercise 2.5-5 · decide · 9 minutes
#
# Build that world yourself. Copy these four lines. They draw a true share for each household, from the same distribution for all,
# and let chance choose the brand on each of its trips; the number of trips is the real one:
#
# ```python
# known = labelled[labelled["trips"] > 0]
# random = np.random.default_rng(25)
# true = random.beta(0.42, 0.79, len(known))
# seen = random.binomial(known["trips"], true) / known["trips"]
# ```
#
# Call a household a switcher if its `seen` share lies **between** 0.2 and 0.8 (both excluded). What percentage of the
# households with **high** `use` are then switchers? Put it, rounded to a whole number, in `by_chance`.

# %% key="2.5-5" tags=["solution"] answers="by_chance"
known = labelled[labelled["trips"] > 0]
random = np.random.default_rng(25)
true = random.beta(0.42, 0.79, len(known))
seen = random.binomial(known["trips"], true) / known["trips"]
switches = (seen > 0.2) & (seen < 0.8)
by_chance = round(switches[known["use"] == "high"].mean() * 100)

# %% key="2.5-5-check" tags=["check"]
check("2.5-5")

# %% [markdown] key="who-switches" tags=["slide"]
# ## Who really is a switcher?
#
# Millbrook can show what Complete Journey cannot. In its truth the brand type of each household was drawn **apart** from its use. Do
# heavy users *seem* to switch more there, too?

# %% key="millbrook" tags=["fragment", "notes"]
millbrook = datasets.load("supermarket")
tablets = millbrook.transactions.where("category", "painkillers")
past = brands.usage(tablets.until("2025-08-17"))
cells = brands.matrix(past)
true = millbrook.truth_households.query("category == 'painkillers'")
switching = {
    "seen to switch": cells["brand_type"].eq("switcher").groupby(cells["use"]),
    "true switchers": true["brand_type"].eq("switcher").groupby(true["use"]),
}
found = pd.DataFrame({name: group.mean() for name, group in switching.items()})
found.loc[["low", "medium", "high"]].round(2)

# %% [markdown] key="millbrook-look"
# In truth 28 or 29 % of the households are switchers, whatever their use. Seen are 18 or 19 % of the low and medium users and 24 % of the high.
# The step upwards is not in the truth; it comes from looking more often.
#
# And does the estimate of `fit_shares` hold, which looked so bold? It speaks of shares, so count shares: how many households have a true share
# between 20 and 80 %? (They are a few less than the switchers above: some of the type switcher have a share outside these bounds.)

# %% key="millbrook-truth"
between = true["store_share"].between(0.2, 0.8, inclusive="neither")
estimate = brands.fit_shares(past).types()["switcher"]
checked = {
    "seen": cells["brand_type"].eq("switcher").mean(),
    "estimated": estimate,
    "in truth": between.mean(),
}
pd.Series(checked, name="share of switchers").round(2).to_frame()

# %% [markdown] key="millbrook-truth-look"
# 20 % were seen, 25 % were estimated, 26 % are true. Here the estimate comes close, from nothing but the receipts.
#
# On Monday morning: a switcher needs no discount to try the store's brand; she has tried it already. A household that was seen once
# needs another look, not an offer for "loyal Tylenol users".

# %% [markdown] key="other-categories" tags=["slide"]
# ## Three categories that are bought more often
#
# Most households bought pain relievers once in the year. Of cheese, bread and cereal they buy more. Does the picture change?

# %% key="categories" tags=["fragment", "notes"]
names = {
    "cheese": "CHEESE",
    "baked bread": "BAKED BREAD/BUNS/ROLLS",
    "cold cereal": "COLD CEREAL",
}
lines = {"pain relievers": pain}
for name, category in names.items():
    lines[name] = journey.transactions.where("category", category)
rows = {}
for name, orders in lines.items():
    usage = brands.usage(orders)
    types = brands.matrix(usage)["brand_type"]
    rows[name] = {
        "households": len(usage),
        "one trip": (usage["trips"] == 1).mean(),
        "seen to switch": (types == "switcher").mean(),
        "would be seen": brands.fit_shares(usage).types()["switcher"],
    }
pd.DataFrame(rows).T.round(2)

# %% [markdown] key="categories-look"
# Compare pain relievers with cold cereal. *Seen* to switch are 14 and 31 %: cereal buyers look more than twice as undecided. In the last
# column, with enough trips, it would be 41 and 43 %: no difference to speak of. Cheese and bread remain above: 74 and 61 %. But in
# cheese a national brand and the store's may stand for different cheeses, and who buys both may simply eat both.

# %% key="cheese-by-trips" tags=["subslide", "notes"]
cheese = brands.usage(lines["cheese"])
by_trips = brands.switchers_by_trips(cheese, brands.fit_shares(cheese))
ax = show.switchers_by_trips(by_trips)

# %% [markdown] key="cheese-by-trips-look"
# In cheese, too, switching rises with the trips, from 8 % to 67 %, and the dashed line rises with it. With so many households the intervals
# are narrow, and four of seven miss the line. The single trips do, because of those who bought both kinds at once. Of the others one lies
# above the line and two below, with no direction: chance explains the large rise and not every step.

# %% [markdown] key="cycle" tags=["slide"]
# ## When is a household due?
#
# The third part of the plan is about time. A household's **purchase cycle** is the usual number of days between two purchases: the
# median of its gaps. With few gaps it is drawn towards the median of the category, by the same thought as above:
#
# $$\text{cycle} = \frac{k \cdot \text{own median} + m \cdot \text{median of the category}}{k + m}$$
#
# $k$ is the number of own gaps, $m$ the number of gaps that are borrowed. `next_due` learns $m$ from the data: where households
# differ little, each borrows much. The **due date** is the last purchase plus one cycle.

# %% key="due" tags=["subslide", "notes"]
due = cycles.next_due(pain)
print(f"category: {due.attrs['category_cycle_days']:.0f} days")
print(f"borrowed gaps: {due.attrs['borrowed_gaps']:.1f}")
columns = ["gaps", "own_cycle_days", "cycle_days", "days_until_due"]
due.loc[[1, 149, 219], columns].round(0)

# %% [markdown] key="due-look"
# Household 1 bought once and has no gap of its own: it gets the 62 days of the category. Its last column is negative: the due date
# passed 175 days ago. Household 219 has three gaps with a median of 38 days; with $m$ = 5.5 its cycle is
# (3 · 38 + 5.5 · 62) / (3 + 5.5) = 54 days. With three gaps it still takes more from the category than from itself, because here gaps
# vary much within each household.
#
# Two things the date does not know. The gap that is open today is in no cycle; and a gap longer than a year cannot be seen in a
# year. (Such data are called **censored**.) So cycles of rare buyers come out too short. Almost two thirds of the households are
# *overdue* on the last day of the year: their due date is more than a week past. Not all of them are late; many buy less often than we
# can see.

# %% [markdown] key="2.5-6-task" tags=["optional"]
# ### Exercise 2.5-6 · do · optional · 6 minutes
#
# Household **27** has 3 gaps, and their median is 32 days. Compute its cycle from the formula with the category's median and the borrowed
# gaps in `due.attrs`, rounded to whole days. Put it in `cycle_27`.

# %% key="2.5-6" tags=["solution"] answers="cycle_27"
m, category_days = due.attrs["borrowed_gaps"], due.attrs["category_cycle_days"]
cycle_27 = round((3 * 32 + m * category_days) / (3 + m))

# %% key="2.5-6-check" tags=["check"]
check("2.5-6")

# %% [markdown] key="back-test" tags=["slide"]
# ## Can the date be trusted?
#
# A due date is a forecast, and a forecast can be tested: stand on a day in the past, compute the dates from what was known then, and
# look at what happened. Did the household buy within 10 days of its date (21 days in all, as long as a coupon is valid)? And would **any other
# day** have done as well? Five ways to choose the day compete:
#
# * the household's own cycle, shrunk (our due date), or its own cycle alone;
# * the last purchase plus the cycle of the category;
# * one day for all, or a day drawn by lot.
#
# All five are judged by the same households: those due between that day and the end of the data. A household that was overdue already is left out.

# %% key="back-tests" tags=["subslide", "notes"]
tests = {
    name: cycles.back_test(orders, cut="2017-09-30", window_days=10)
    for name, orders in lines.items()
}
for name in ["painkillers", "coffee"]:
    tests[f"Millbrook's {name}"] = cycles.back_test(
        millbrook.transactions.where("category", name),
        cut="2025-08-17",
        window_days=10,
    )
ax = show.due_hits(tests)

# %% [markdown] key="back-tests-look"
# Cheese, bread and cereal are three more categories of Complete Journey. For each category: is the uppermost mark (our due date) clearly to the
# right of the lowest (by lot)? In Complete Journey it is so nowhere. Six in ten of the households judged buy bread near a day drawn by lot, and
# hardly more near their due date; for pain relievers it is one in eight, due or not. The gaps are too irregular for the past to name a day.
#
# Millbrook was built with more regular gaps. For its coffee the due date works: 65 % are hit, by lot 55 %. For its painkillers, 34 % against 31 %,
# hardly. **Whether timing pays depends on the category.** On Monday morning: run the back-test before you buy software for "the right
# moment".

# %% [markdown] key="2.5-7-task" tags=["subslide"]
# ### Exercise 2.5-7 · do · 6 minutes
#
# A window of 21 days is wide. Make it narrow: the due date, three days before it and three after. How many times as often as a day by lot does it
# then meet a purchase of Millbrook's **coffee**? Run the back-test for `coffee` with the cut on 2025-08-17 and `window_days=3`, and put the value of
# `times` in the row "own cycle, shrunk", rounded to two digits, in `times_by_lot`:
#
# ```python
# coffee = millbrook.transactions.where("category", "coffee")
# ```

# %% key="2.5-7" tags=["solution"] answers="times_by_lot"
coffee = millbrook.transactions.where("category", "coffee")
narrow = cycles.back_test(coffee, cut="2025-08-17", window_days=3)
times_by_lot = round(narrow.loc["own cycle, shrunk", "times"], 2)

# %% key="2.5-7-check" tags=["check"]
check("2.5-7")

# %% [markdown] key="offer" tags=["slide"]
# ## What an offer must bring
#
# Now the second part of the plan, the deep discount for heavy users. First the margins of Millbrook's painkillers, for the largest pack, 48
# tablets:

# %% key="margins" tags=["fragment", "notes"]
packs = millbrook.products.query("category == 'painkillers'")
packs = packs.assign(margin=packs["price"] - packs["unit_cost"])
packs.query("doses == 48")[["brand", "brand_kind", "price", "margin"]]

# %% [markdown] key="margins-look"
# A pack of the store's brand costs 7.79 euros and leaves 5.40; a national pack costs more and leaves 2.96. So a household that is won over brings
# 2.44 euros more a pack. A coupon of 50 % gives away 3.90 euros a pack, more than is gained: one purchase alone can never pay for it. (Heavy
# users more often buy packs of 24. There all these amounts are smaller by the same four tenths.) Per household written to:
#
# $$\text{value} = \text{won} \times \text{margin gained} - \text{discount for all who use it} - \text{letter}$$
#
# **Won** are only those who would not have bought the store's brand anyway; the **discount** is given to all who use the coupon, won or not. The
# margin gained counts once now and once for each `later` purchase in which the household stays.
#
# The marketing department assumes about heavy users of national brands: of 100 of them 5 buy a pack of the store's brand anyway, and coupons of 10,
# 30 and 50 % bring another 5, 20 and 30.

# %% key="plan" tags=["subslide", "notes"]
depths = {"10 %": 0.10, "30 %": 0.30, "50 %": 0.50}
assumed = pd.DataFrame(
    {"without": 0.05, "added": [0.05, 0.20, 0.30]}, index=list(depths)
)


def plan(answer, later):
    """What each depth earns per household, if the won stay so long."""
    return pd.concat(
        offers.value(
            answer.loc[[arm]],
            store_margin=5.40,
            national_margin=2.96,
            discount=depth * 7.79,
            contact_cost=0.20,
            later=later,
        )
        for arm, depth in depths.items()
    )


columns = ["won", "discount_won", "discount_anyway", "value", "naive"]
plan(assumed, later=0)[columns].round(2)

# %% [markdown] key="plan-look"
# All columns are euros per household written to. Nobody stays in this table (`later=0`), and every depth loses. The last column is what many
# reports say: every coupon that came back counts as a sale won, with the whole margin of the pack less discount and letter. The difference
# between `naive` and `value` is not bad luck. It is bookkeeping.
#
# So everything hangs on how often a household that was won buys the store's brand **again**.

# %% [markdown] key="2.5-8-task" tags=["subslide"]
# ### Exercise 2.5-8 · decide · 8 minutes
#
# Try `plan(assumed, later=1)`, `plan(assumed, later=2)` and so on. What is the smallest whole number of `later` purchases at which the
# **50 %** coupon has a `value` above zero? Put it in `stay_needed`.

# %% key="2.5-8" tags=["solution"] answers="stay_needed"
stay_needed = next(n for n in range(50) if plan(assumed, n).loc["50 %", "value"] > 0)

# %% key="2.5-8-check" tags=["check"]
check("2.5-8")

# %% [markdown] key="experiment" tags=["slide"]
# ## What the experiment says
#
# Millbrook drew lots in autumn 2025 among 2,072 households that buy painkillers and have agreed to letters. A quarter is the control group; the
# others got a coupon for the store's brand with 10, 30 or 50 % off, valid for 21 days. The cells are made from what was known **before** the first
# letter. Who bought the store's brand in those 21 days? First the households of the *national* type, whom the story wants to win:

# %% key="test" tags=["subslide", "notes"]
mailings = millbrook.mailings.sort_values("arm")
test = mailings.set_index("customer_id")
test = test.join(cells[["brand_type", "use"]])
soon = offers.margin_after(tablets, mailings, days=21)
test["bought_store"] = soon["bought_store"]
national = test[test["brand_type"] == "national"]
took = offers.effects(national, "bought_store", by="use")
ax = show.offer_effects(took)

# %% [markdown] key="took-look"
# Each point is the share with the coupon minus the share of the control group. The thick bar is the interval of this point alone, the thin one holds
# for all nine together. The story is half right: heavy users answer most. But look at the lowest two points: 30 % brings 33 points more who try the
# store's brand, and 50 % brings 31. **The test does not show that the deepest discount wins more than the middle one**: the difference is −2
# points, with an interval from −15 to +10.
#
# Would it pay if it were 10 points more? Put the measured shares into the same arithmetic, with their intervals; suppose that each household that was
# won comes back once, and that every pack holds 48 tablets:

# %% key="measured" tags=["subslide", "notes"]
heavy = took.loc["high"]
measured = heavy[["control", "effect", "low", "high"]].set_axis(
    ["without", "added", "added_low", "added_high"], axis=1
)
plan(measured, later=1)[["value", "low", "high", "needed"]].round(2)

# %% [markdown] key="measured-look"
# `low` and `high` come from the ends of the interval; the margins and the one later purchase are still put in by us. With that purchase,
# 30 % earns about 0.60 euros a household and 50 % about nothing. Even the upper end at 50 % (0.13) lies below the lower end at 30 % (0.37). The
# column `needed` says it the other way round: at 50 % the coupon must win 27 % of those written to, only to cost nothing; at 30 % it is 9 %.
#
# And do they come back? After the coupon had run out, ten more weeks were watched. `effect` is how many more purchases of the store's brand
# each arm made in them than the control group; `per_won` divides it by the share of households that the coupon had won:

# %% key="stayed" tags=["subslide", "notes"]
long = offers.margin_after(tablets, mailings, days=91)
test["later"] = long["store_purchases"] - soon["store_purchases"]
national = test[test["brand_type"] == "national"]
stayed = offers.effects(national, "later", by="use").loc["high"]
stayed["per_won"] = stayed["effect"] / heavy["effect"]
columns = ["effect", "low", "high", "per_won"]
stayed.loc[["30 %", "50 %"], columns].round(2)

# %% [markdown] key="stayed-look"
# At 30 % each household that was won made about 0.8 further purchases in those ten weeks, at 50 % about 0.2. Do not build on these two numbers
# alone: a ratio of two uncertain numbers is more uncertain still. By a bootstrap of the households, 0.8 may be anything from 0.3 to 1.3, and 0.2
# anything from −0.3 to 0.8. The intervals overlap. "Who comes for half the price leaves with it" is a **suspicion** here, no result.
#
# One thing can be said. At 50 % those who were won must buy about once more only to cover the cost (0.04 euros in the table above), and even the
# upper end of 0.8 does not reach once in these ten weeks.

# %% [markdown] key="money" tags=["slide"]
# ## Count the money
#
# So count the money itself: all margin from painkillers in the 13 weeks after the letter, of **all**
# brands, minus 20 cents for a letter. A household that switched brings the store's margin and no longer the other; one that only stocked up buys
# less later.
#
# One trick is needed. Households differ so much that chance would hide everything. So take for each household the **change**: its margin in these
# 13 weeks minus its usual margin of 13 weeks, from the 594 days before the test. Then compare the arms with the control group as before. And look
# at all heavy users, as the story wants.

# %% key="change" tags=["subslide", "notes"]
letter = 0.20 * (test["arm"] != "control")
before = mailings.assign(sent_on="2024-01-01")
usual = offers.margin_after(tablets, before, days=594)["margin"] / 594 * 91
test["change_in_euros"] = long["margin"] - letter - usual
money = offers.effects(test, "change_in_euros", by="use")
ax = show.offer_effects(money)

# %% [markdown] key="change-look"
# Not one offer is clearly above zero. The plan of the story, 50 % for heavy users, is the **worst** of the nine: it lost 1.06 euros a household,
# and the interval from −1.68 to −0.45 leaves out zero. So does the thin bar, which holds for all nine looks together.
#
# Where did the money go? Among the heavy users are many who buy the store's brand anyway. Look at the heavy users by brand type:

# %% key="change-by-brand" tags=["subslide", "notes"]
all_heavy = test[test["use"] == "high"]
money_by_brand = offers.effects(all_heavy, "change_in_euros", by="brand_type")
columns = ["contacted", "held_out", "effect", "low", "high"]
money_by_brand[columns].round(2)

# %% [markdown] key="change-by-brand-look"
# A coupon of 50 % cost about 1.95 euros for each store user and for each switcher, and both intervals leave out zero: the coupon also halves
# the price of packs that these households would have bought anyway.
#
# For users of **national** brands 30 % is 0.70 euros above the control group, with an interval from −0.14 to 1.53: promising, not shown. About 110
# households an arm are few, and 13 weeks are short: these households buy every five to six weeks.

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it
#
# Back to Complete Journey's pain relievers. Move the bound of loyalty, the cut points of use, and the number of trips from which a household
# gets a label. Can you make the field "switcher, high" the largest? Nobody has to buy anything for it.

# %% key="explorer" tags=["nbval-ignore-output"]
show.brand_explorer(users)

# %% [markdown] key="explorer-twin"
# What the widget shows comes from a plain function:

# %% key="explorer-headless"
view = show.brand_view(users, loyal=(0, 1), cuts=(1, 4), least_trips=2)
view

# %% [markdown] key="2.5-9-task" tags=["exercises", "subslide"]
# ### Exercise 2.5-9 · defend · 14 minutes
#
# Millbrook must choose **one** rule for next spring:
#
# * `"50 % to all heavy users"`: the plan of the story, for every heavy user of painkillers;
# * `"30 % to heavy users of national brands"`;
# * `"no offer"`.
#
# The deciding figure, in euros a household and rounded to two digits: for an offer, its effect on `change_in_euros` (in `money` for all
# heavy users, in `money_by_brand` for those of national brands); for `"no offer"`, the effect of the story's plan, which you refuse, with its sign.
# Put choice, figure and reason in `spring`:
#
# ```python
# spring = defend(choice="…", figure=…, because="two sentences for the manager")
# ```
#
# Two of the three can be defended. Say in your reason what the interval allows, and what the test could not see. The reason is for your
# trainer.

# %% key="2.5-9" tags=["solution"] answers="spring"
middle = money_by_brand.loc[("national", "30 %"), "effect"]
spring = defend(
    choice="30 % to heavy users of national brands",
    figure=round(middle, 2),
    because=(
        "The interval holds gains and losses: send it again, with a control group. "
        "The deepest discount lost money, and its interval leaves out zero."
    ),
)

# %% key="2.5-9-check" tags=["check"]
check("2.5-9")

# %% [markdown] key="truth" tags=["slide"]
# ## Behind the curtain
#
# Millbrook is simulated, so for once we may look up the truth: the expected gain of each household over **26** weeks, here as means of the
# cells that we made.

# %% key="truth-table" tags=["subslide", "notes"]
truth = millbrook.truth_responses.merge(
    test.reset_index()[["customer_id", "timing", "brand_type", "use"]]
)
truth = truth[truth["arm"] != "control"]
gain = truth.groupby(["brand_type", "use", "arm"], observed=True)
gain["gain_26_weeks"].mean().unstack().round(2)

# %% [markdown] key="truth-look"
# One field pays clearly: heavy users of national brands at 30 %, 1.41 euros a household. The 50 % pays **nowhere**; it costs most where the
# household is already a friend (store, high: 2.08 lost). Of those national users who came for 30 % off, three in four stay, as the firm's makers
# have set it; of those who came for 50 %, one in five. The test was too small and too short to see its best offer: of the 1.41 euros a third had
# come in by week 13.
#
# So the story looked at the right households, heavy users of national brands, with the wrong discount; and "all heavy users" is too many. Value of
# a customer is one thing, value of a discount another.

# %% [markdown] key="claim-check" tags=["claim-check", "slide"]
# ## Claim check
#
# The source says that a promotion at the right moment brings **twice the result for half the work** (number F-11 in this course's list of
# claims). Taken by the word, each letter would bring four times as much. In the experiment lots decided also about the time: half of the letters
# went out a few days before the household was due, half on one day for all. So we can ask.

# %% key="timing" tags=["fragment", "notes"]
letters = test[test["arm"] != "control"].assign(
    used=lambda table: table["redeemed_on"].notna(),
    group=lambda table: table["timing"].replace("calendar", "control"),
)
timed = evaluation.experiments.read_out(letters, "used", design="randomised")
print(str(timed).splitlines()[0])
times = timed.means["due"] / timed.means["control"]
print(f"due date over one day for all: {times:.1f} times")

# %% [markdown] key="timing-look"
# Of the letters that followed the due date 23 % were used, of the others 19 %: 1.2 times as many. An effect shows. But even the upper end of its
# interval, 8.4 points above 19 %, is less than one and a half times, far from twice and from four times. (A used coupon is not a sale won; counted in
# households that bought the store's brand it is 27 % against 22 %, again 1.2 times.) Work is not halved either: somebody has to compute the dates.
# The claim is **not supported**. Timing helped a little, in a category in which the back-test, too, had promised little.
#
# A second claim: **heavy users have the most potential value** (F-10). In the truth of Millbrook most is to win among heavy users of national
# brands, and most is to lose among heavy users of the store's: the claim is half true, since "heavy" mixes both.
#
# And the **nine cells** themselves (F-09)? They are a picture without numbers. With `loyal=(0, 1)`, cut points 1 and 4 and labels from the second
# trip on, 624 of 830 households are in another field than before. Use the cells, and print the four numbers beside them.

# %% [markdown] key="2.5-10-task" tags=["optional"]
# ### Exercise 2.5-10 · decide · optional · 8 minutes
#
# Take the coupons of **50 %** that were used (`letters["used"]`), of low, medium and high users alike. What percentage of them was used by
# households of the type *store* or *switcher*, who buy the store's brand anyway, always or now and then? Put it, rounded to a whole number, in
# `to_friends`.

# %% key="2.5-10" tags=["solution"] answers="to_friends"
deep = letters[(letters["arm"] == "50 %") & letters["used"]]
to_friends = round(deep["brand_type"].isin(["store", "switcher"]).mean() * 100)

# %% key="2.5-10-check" tags=["check"]
check("2.5-10")

# %% [markdown] key="2.5-11-task" tags=["optional"]
# ### Exercise 2.5-11 · decide · optional · 8 minutes
#
# `label` also returns `certainty`, the chance that the most likely label of a household is right. In **cold cereal**, for what percentage of the
# households is it **below 80 %**? Use `brands.usage(lines["cold cereal"])` and learn the shares anew from these households. Leave out those without a
# trip. Put the percentage, rounded to a whole number, in `unsure`.

# %% key="2.5-11" tags=["solution"] answers="unsure"
cereal = brands.usage(lines["cold cereal"])
cereal_label = brands.fit_shares(cereal).label(cereal)
unsure = round((cereal_label["certainty"].dropna() < 0.8).mean() * 100)

# %% key="2.5-11-check" tags=["check"]
check("2.5-11")

# %% [markdown] key="own-data-text" tags=["own-data", "slide"]
# ## With your own data
#
# Change two lines. The file may be CSV, Excel or Parquet; `crmkit check-data YOUR_FILE --save roles.toml` writes the roles. Every order book
# has a purchase cycle. If yours has brands, name the role and, in `my_brands`, the values that mean your own. All goods are counted
# together; `my_orders = my_orders.where("category", "COFFEE")` takes one category.

# %% key="own-data" tags=["own-data"]
from contextlib import suppress

from crmkit import shipped, show
from crmkit.errors import InputError
from crmkit.segmentation import brands, cycles
from crmkit.tables import Transactions

my_file = shipped.folder("datasets") / "ten_customers" / "orders.csv"
my_roles = shipped.folder("datasets") / "ten_customers" / "roles.toml"
my_brands = ["Private"]

my_orders = Transactions.read(my_file, roles=my_roles)
my_due = cycles.next_due(my_orders)
print(f"a customer buys every {my_due.attrs['category_cycle_days']:.0f} days")
print(f"{my_due['overdue'].mean():.0%} of {len(my_due):,} are overdue")
my_cut = my_orders.last_day - (my_orders.last_day - my_orders.first_day) / 3
with suppress(InputError):  # too few purchases for a test
    ax = show.due_hits(cycles.back_test(my_orders, cut=my_cut))
my_columns = ["cycle_days", "last_purchase", "due", "days_until_due"]
print(my_due[my_columns].head().to_string())
if "brand" in my_orders.table.columns:
    my_cells = brands.matrix(brands.usage(my_orders, store_brand=my_brands))
    ax = show.nine_cells(brands.cells(my_cells))

# %% [markdown] key="discussion" tags=["discussion", "slide"]
# ## Discussion
#
# 1. Pain relievers are medicine. Is it right to send the strongest offer to those who take most? Who in your firm would have to agree, and what
#    would you forbid: a bulk discount, a reminder "you must be running out", a letter at all?
# 2. Use stands for "long-term value in this category", says the source. What else would you want to know before you believe that?
# 3. A store-brand user finds a 50 % coupon in a neighbour's letter and none in her own. What do you tell her?
# 4. The household that always buys Tylenol buys it for a grandmother. Which cell is she in?
# 5. Your firm sells printers and ink. What are brand, use and cycle there, and what would the back-test say?

# %% [markdown] key="note-discussion" tags=["instructor"]
# **Trainer.** For 1: laws differ; the point is that use of medicine is data on health, that more use is not a goal, and that an offer to
# *switch* the brand is something else than an offer to *take more*. Stock-up is the harm here, and the test counted it only as money. A rule
# that many classes reach: no reminders, no bulk, no list of heavy users leaves the shop. For 4: labels are about cards, not about people.
# For 5: ink has the clearest cycle of all, and the printer counts the pages.

# %% [markdown] key="progress-text"
# ## How far did you get?

# %% key="progress" tags=["nbval-ignore-output"]
progress()

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what the data say; below, those that differ.
nine = brands.cells(labelled)
heavy_national = nine.loc[("national", "high")]
use_switch = labelled["brand_type"].eq("switcher").groupby(labelled["use"])
by_use = (use_switch.mean() * 100).round().to_list()
seen_types = pd.DataFrame(rows).T.round(2)
rates = {name: found["hit_rate"].round(2) for name, found in tests.items()}
kinds = {name: group.mean().round(2) for name, group in switching.items()}
gains = gain["gain_26_weeks"].mean()
early = gain["gain_13_weeks"].mean()[("national", "high", "30 %")]
late = gains[("national", "high", "30 %")]
pay = plan(measured, later=1).round(2)
settings = millbrook.truth_parameters.set_index("name")["value"]
back = stayed["per_won"].round(1)
draws = np.random.default_rng(5)


def again(count):
    """As many places of rows, drawn from the same rows."""
    return draws.integers(0, count, count)


def ends(values):
    return np.percentile(values, [2.5, 97.5])


def per_won(drawn, arm):
    """Later purchases over the control group, per household that was won."""
    arms, later, store = (column[drawn] for column in columns_of_target)
    treated, control = arms == arm, arms == "control"
    won = store[treated].mean() - store[control].mean()
    return (later[treated].mean() - later[control].mean()) / won


bootstrap_types = ends(
    [
        brands.fit_shares(users.iloc[again(len(users))]).types()["switcher"]
        for _ in range(100)
    ]
)
target = all_heavy[all_heavy["brand_type"] == "national"].astype({"bought_store": int})
columns_of_target = [
    target[name].to_numpy(dtype=kind)
    for name, kind in [("arm", str), ("later", float), ("bought_store", float)]
]
bootstrap_won = {
    arm: ends([per_won(again(len(target)), arm) for _ in range(2000)])
    for arm in ("30 %", "50 %")
}
two = [target.loc[target["arm"] == arm, "bought_store"] for arm in ("50 %", "30 %")]
deeper = two[0].mean() - two[1].mean()
room = 1.96 * sum(part.var() / len(part) for part in two) ** 0.5
gaps = cycles.next_due(tablets.until("2025-08-17"))["own_cycle_days"]
bought = letters.groupby("timing")["bought_store"].mean()
by_doses = packs.set_index(["doses", "brand"])[["price", "margin"]].astype(float)
quoted = {
    "users": (len(users), 830),
    "quantity 0": (users.attrs["rows_without_quantity"], 8),
    "unknown": ((labelled["brand_type"] == "unknown").sum(), 3),
    "heavy national": (
        heavy_national[["share_of_households", "share_of_spend"]].round(2).to_list(),
        [0.13, 0.32],
    ),
    "switcher, low": (nine.loc[("switcher", "low"), "households"], 0),
    "cuts": (labelled.attrs["cuts"], (1, 2)),
    "several trips": ((users["trips"] > 1).sum(), 362),
    "sure": (
        [
            round(sure.loc[who, kind], 2)
            for who, kind in [(1, "national"), (4, "store"), (256, "national")]
        ],
        [0.65, 0.36, 0.91],
    ),
    "for ever": (round(shares.types()["switcher"], 2), 0.41),
    "in the cells": (round((labelled["brand_type"] == "switcher").mean(), 2), 0.14),
    "by use": (by_use, [0, 16, 34]),
    "household 1": (round(sure.loc[1, "shrunk_share"], 2), 0.19),
    "drawn again": (bootstrap_types.round(2).tolist(), [0.35, 0.47]),
    "mixed single trips": (table.loc["1", "switchers"], 7),
    "outside": (
        table.index[~table["expected"].between(table["low"], table["high"])].to_list(),
        ["1"],
    ),
    "rounded a and b": ((round(shares.a, 2), round(shares.b, 2)), (0.42, 0.79)),
    "seen": (
        seen_types["seen to switch"].to_list(),
        [0.14, 0.55, 0.49, 0.31],
    ),
    "would be seen": (seen_types["would be seen"].to_list(), [0.41, 0.74, 0.61, 0.43]),
    "cheese": (by_trips["share"].iloc[[0, -1]].round(2).to_list(), [0.08, 0.67]),
    "cheese outside": (
        int((~by_trips["expected"].between(by_trips["low"], by_trips["high"])).sum()),
        4,
    ),
    "cheese above, below": (
        [
            int((by_trips["low"] > by_trips["expected"]).iloc[1:].sum()),
            int((by_trips["high"] < by_trips["expected"]).iloc[1:].sum()),
        ],
        [1, 2],
    ),
    "Millbrook seen": (kinds["seen to switch"].to_list(), [0.19, 0.18, 0.24]),
    "Millbrook true": (sorted(kinds["true switchers"]), [0.28, 0.28, 0.29]),
    "Millbrook checked": (
        [round(share, 2) for share in checked.values()],
        [0.20, 0.25, 0.26],
    ),
    "stay": (
        [
            settings["stays_national"],
            round(settings["stays_national"] * settings["stays_at_50"], 1),
        ],
        [0.75, 0.2],
    ),
    "any 21 days": (
        [
            rates[name]["a day by lot"].round(2)
            for name in ("baked bread", "pain relievers")
        ],
        [0.59, 0.13],
    ),
    "upper end": (timed.high / timed.means["control"] < 0.5, True),
    "category days": (due.attrs["category_cycle_days"], 62),
    "household 219": (
        [*due.loc[219, ["gaps", "own_cycle_days", "cycle_days"]].astype(float).round()],
        [3, 38, 54],
    ),
    "household 1 is late": (int(due.loc[1, "days_until_due"]), -175),
    "borrowed": (round(due.attrs["borrowed_gaps"], 1), 5.5),
    "overdue": (round(due["overdue"].mean(), 2), 0.64),
    "coffee": (
        rates["Millbrook's coffee"].iloc[[0, -1]].to_list(),
        [0.65, 0.55],
    ),
    "painkillers": (
        rates["Millbrook's painkillers"].iloc[[0, -1]].to_list(),
        [0.34, 0.31],
    ),
    "due date wins": (
        [
            name
            for name, found in tests.items()
            if found["low"].iloc[0] > found["high"].iloc[-1]
        ],
        ["Millbrook's coffee"],
    ),
    "prices": (
        packs.query("doses == 48")[["price", "margin"]]
        .iloc[[0, 2]]
        .to_numpy(dtype=float)
        .round(2)
        .tolist(),
        [[11.29, 2.96], [7.79, 5.40]],
    ),
    "gained and given away": (
        [
            round(by_doses.loc[(48, "Millbrook"), "margin"] - 2.96, 2),
            round(by_doses.loc[(48, "Millbrook"), "price"] * 0.5 + 1e-9, 2),
        ],
        [2.44, 3.90],
    ),
    "four tenths smaller": (
        (by_doses.loc[24] / by_doses.loc[48]).round(1).to_numpy().ravel().tolist(),
        [0.6] * 6,
    ),
    "asked": (len(test), 2072),
    "deeper minus middle": (
        [round(100 * value) for value in (deeper, deeper - room, deeper + room)],
        [-2, -15, 10],
    ),
    "more who try": (
        (heavy["effect"] * 100).round().loc[["30 %", "50 %"]].to_list(),
        [33, 31],
    ),
    "pays": (pay.loc[["30 %", "50 %"], "value"].to_list(), [0.61, 0.04]),
    "needed": (pay.loc[["30 %", "50 %"], "needed"].to_list(), [0.09, 0.27]),
    "ends": ((pay.loc["30 %", "low"], pay.loc["50 %", "high"]), (0.37, 0.13)),
    "came back": (back.loc[["30 %", "50 %"]].to_list(), [0.8, 0.2]),
    "came back, drawn again": (
        [pair.round(1).tolist() for pair in bootstrap_won.values()],
        [[0.3, 1.3], [-0.3, 0.8]],
    ),
    "the plan": (
        money.loc[("high", "50 %"), ["effect", "low", "high"]].round(2).to_list(),
        [-1.06, -1.68, -0.45],
    ),
    "worst": (money["effect"].idxmin(), ("high", "50 %")),
    "clear for all nine": (money.loc[("high", "50 %"), "high_all"] < 0, True),
    "none above": (int((money["low_all"] > 0).sum()), 0),
    "half price for friends": (
        money_by_brand.loc[[("store", "50 %"), ("switcher", "50 %")], "effect"]
        .round(2)
        .to_list(),
        [-1.96, -1.94],
    ),
    "friends leave out zero": (
        (
            money_by_brand["high"].xs("50 %", level="arm")[["store", "switcher"]] < 0
        ).all(),
        True,
    ),
    "five to six weeks": (5 < gaps.reindex(target.index).median() / 7 < 6, True),
    "thirty": (
        money_by_brand.loc[("national", "30 %"), ["effect", "low", "high"]]
        .round(2)
        .to_list(),
        [0.70, -0.14, 1.53],
    ),
    "truth": (round(late, 2), 1.41),
    "fields that pay clearly": (int((gains > 0.2).sum()), 1),
    "50 % pays": (int((gains.xs("50 %", level="arm") > 0).sum()), 0),
    "store, high": (round(gains[("store", "high", "50 %")], 2), -2.08),
    "a third by week 13": (round(early / late, 1), 0.3),
    "used": (
        [round(timed.means[name], 2) for name in ("due", "control")],
        [0.23, 0.19],
    ),
    "bought": (bought.round(2).loc[["due", "calendar"]].to_list(), [0.27, 0.22]),
    "times": (round(times, 1), 1.2),
    "times bought": (round(bought["due"] / bought["calendar"], 1), 1.2),
    "another field": (view.moved, 624),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
