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
#     teaching_minutes: 62
#     exercise_minutes: 57
#     optional_minutes: 22
#     needs: []
#     data: ["complete_journey", "supermarket"]
#     sources: ["004.1b"]
#     keypoints:
#       - "Nine cells need four numbers: two bounds of loyalty, two cut points of use. The source gives none, so yours belong on the slide."
#       - "A household seen on one trip cannot be seen to switch. Show such households apart, and say how sure a label is."
#       - "Switching seemed to grow with use, and chance alone explains it: whoever is seen more often has more occasions to be caught."
#       - "A due date is a forecast: back-test it. Where gaps are irregular it is no better than any day."
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
# national brand? Nearly everybody says heavy. Write the vote down; come back to it at exercise 2.5-8. Time: 5 minutes; 62 of
# teaching and 57 of core exercises in all. In a short course leave out the due date by hand (2.5-6) and show the back-test only.

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
# Each field is one cell; the darker, the more households. Look at the upper right corner first: heavy users of national brands. They
# are 13 % of the households and bring 32 % of the money. These are the Tylenol users of the story.
#
# Now look at the field "switcher, low". It is empty, and not because light users are loyal. The cut points were 1 and 2 packs: low
# use **is** one pack, and nobody can switch with one pack. The picture shows its own definition.

# %% [markdown] key="2.5-1-task" tags=["subslide"]
# ### Exercise 2.5-1 · do · 4 minutes
#
# What percentage of all 830 households bought on **one trip only** (`labelled["one_trip"]`)? Put it, rounded to a whole number, in
# `one_trip_percent`, and compare with your prediction.

# %% key="2.5-1" tags=["solution"] answers="one_trip_percent"
one_trip_percent = round(labelled["one_trip"].mean() * 100)

# %% key="2.5-1-check" tags=["check"]
check("2.5-1")

# %% [markdown] key="bounds" tags=["slide"]
# ## Move a bound
#
# Is a household that bought the other brand once in ten trips still loyal? With `loyal=(0, 1)` it is not: loyal is then
# who **never** bought the other.

# %% [markdown] key="2.5-2-task" tags=["subslide"]
# ### Exercise 2.5-2 · decide · 6 minutes
#
# Label the `users` again with `loyal=(0, 1)`. How many households are then **switchers that were none before**? Put the number in
# `new_switchers`.

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
# More than half of the households chose once. (A few bought both kinds on that one trip; let us not be
# distracted.) To call them loyal is like calling a coin biased after one throw. Show them apart: `least_trips=2` labels only
# who chose twice or more.

# %% key="apart" tags=["subslide", "notes"]
twice = brands.matrix(users, least_trips=2)
twice["brand_type"].value_counts().to_frame()

# %% [markdown] key="2.5-3-task" tags=["subslide"]
# ### Exercise 2.5-3 · do · 5 minutes
#
# Of the households **with a label** in `twice` (national, store or switcher), what percentage are switchers? Put it, rounded to a whole
# number, in `switcher_percent`.

# %% key="2.5-3" tags=["solution"] answers="switcher_percent"
with_label = twice["brand_type"].isin(["national", "store", "switcher"])
switcher_percent = round(
    (twice.loc[with_label, "brand_type"] == "switcher").mean() * 100
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
# The last three columns are chances. Household 1 bought a national brand once: with 65 % it is of the national kind. Household 4
# bought the store's brand once, and the label "store" is right with 36 % only: it is more likely a **switcher**, because national
# brands are strong here. Household 256 chose a national brand five times: 91 %. Household 2198 chose each kind seven times: nearly
# certainly a switcher.
#
# If every household could be watched for ever, how many of each kind would there be?

# %% key="types"
shares.types().round(2).to_frame()

# %% [markdown] key="types-look"
# 41 % switchers, where the nine cells showed 14 %. A manager who reads the picture believes that six of seven households are
# decided. This estimate says: four of ten are not, and we have not seen it yet. It leans on the form of the distribution; further
# down we check it where the truth is known.

# %% [markdown] key="2.5-4-task" tags=["subslide"]
# ### Exercise 2.5-4 · do · 5 minutes
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
# undecided people. It passes through all intervals but the first: there seven households bought both kinds on their one trip, which the
# model does not know. (Only two numbers, $a$ and $b$, were learned from the data; the shape over the trips follows by
# itself.) **Being seen more often explains the whole rise.** That does not prove that use and loyalty are unrelated. It proves that
# this table cannot show that they are related.

# %% [markdown] key="2.5-5-task" tags=["subslide"]
# ### Exercise 2.5-5 · decide · 9 minutes
#
# Build that world yourself. The cell draws, for each household with its real number of trips, a true share from the same
# distribution for all, and lets chance choose the brand on each trip:
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

# %% [markdown] key="other-categories" tags=["slide"]
# ## Three stronger categories
#
# Pain relievers are bought rarely. Cheese, bread and cereal are not.

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
# In cheese and bread half of the households are seen to switch; in pain relievers one in seven. But look at the last column: with enough
# trips it would be 74 % in cheese and 41 % in pain relievers. The gap between the categories is real. It is much smaller than
# what the nine cells show. And a warning: in cheese a national brand and the store's stand for different cheeses; who buys both
# may simply eat both.

# %% key="cheese-by-trips" tags=["subslide", "notes"]
cheese = brands.usage(lines["cheese"])
by_trips = brands.switchers_by_trips(cheese, brands.fit_shares(cheese))
ax = show.switchers_by_trips(by_trips)

# %% [markdown] key="cheese-by-trips-look"
# In cheese, too, switching rises with the trips, from 8 % to 67 %, and the dashed line rises with it. With so many households the intervals
# are narrow, and four of seven do not quite reach it: a little is left that chance does not explain, upwards in one group and downwards in
# another. The large rise is explained. Whenever a table says "our frequent customers are more …", ask whether you have only looked at them
# more often.
#
# Millbrook can show what Complete Journey cannot: who really is a switcher. In its truth the brand type was drawn **apart** from use.

# %% key="millbrook" tags=["subslide", "notes"]
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
# In truth 28 or 29 % of the households are switchers, whatever their use. Seen are 18 or 19 % of the low and medium users and 24 % of the high. The
# rise is made by the number of trips, here too.
#
# And does the estimate of `fit_shares` hold, which looked so bold? Here it can be checked: how many have a true share between 20 and 80 %?

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
# 20 % were seen, 25 % were estimated, 26 % are true. The estimate comes close, from the same receipts.
#
# On Monday morning: a switcher needs no discount to try the store's brand; she has tried it already. A household that was seen once
# needs another look, not an offer for "loyal Tylenol users".

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
# Household 1 bought once and has no gap of its own: it gets the 62 days of the category. A household with three gaps is still
# more the category's than its own, because here gaps vary much within each household.
#
# Two things the date does not know. The gap that is open today is in no cycle; and a gap longer than a year cannot be seen in a
# year. (Such data are called **censored**.) So cycles of rare buyers come out too short. Almost two thirds of the households are
# *overdue* on the last day of the year. They are not all late; many buy less often than we can see.

# %% [markdown] key="2.5-6-task" tags=["subslide"]
# ### Exercise 2.5-6 · do · 6 minutes
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
# look what happened. Did the household buy within 10 days of its date (21 days in all, as long as a coupon is valid)? And would **any other day** have
# done as well: by the cycle of the category, one day for all, a day drawn by lot? Judged are the same households for all five ways: those due between that
# day and the end of the data. Who was overdue already is left out.

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
# In Complete Journey the due date wins nowhere. Of the households judged, six in ten buy bread in any 21 days you like; for pain relievers it is one in eight, due or not. The
# purchases come too irregularly for the past to name a day.
#
# Millbrook was built with more regular gaps. For its coffee the due date works: 65 % are hit, by lot 55 %. For its painkillers, 34 % against 31 %,
# hardly. **Whether timing pays is a property of the category.** On Monday morning: run the back-test before you buy software for "the right
# moment".

# %% [markdown] key="offer" tags=["slide"]
# ## What an offer must bring
#
# Now the second part of the plan, the deep discount for heavy users. First the margins of Millbrook's painkillers, in packs of 48, which heavy
# users buy:

# %% key="margins" tags=["fragment", "notes"]
packs = millbrook.products.query("category == 'painkillers'")
packs = packs.assign(margin=packs["price"] - packs["unit_cost"])
packs.query("doses == 48")[["brand", "brand_kind", "price", "margin"]]

# %% [markdown] key="margins-look"
# A pack of the store's brand costs 7.79 euros and leaves 5.40; Calmex costs more and leaves 2.96. Whoever is won over brings 2.44 euros more a
# pack. A coupon of 50 % gives away 3.90 of them. So a single purchase can never pay for it. Per household written to:
#
# $$\text{value} = \text{won} \times \text{margin gained} - \text{discount for all who use it} - \text{letter}$$
#
# **Won** are only those who would not have bought the store's brand anyway; the **discount** is paid for both. The margin gained counts once now and
# once for each `later` purchase in which the household stays.
#
# The marketing department assumes about heavy users of national brands: 5 % buy a pack of the store's brand anyway, and coupons of 10, 30 and 50 %
# add 5, 20 and 30 % to them.

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
# Nobody stays in this table (`later=0`), and every depth loses. The last column is what many reports say: every coupon that came back counts as a
# sale won, with the whole margin of the pack less the discount. The difference between `naive` and `value` is no bad luck. It is bookkeeping.
#
# So everything hangs on how often a household that was won buys the store's brand **again**.

# %% [markdown] key="2.5-7-task" tags=["subslide"]
# ### Exercise 2.5-7 · decide · 8 minutes
#
# Try `plan(assumed, later=1)`, `plan(assumed, later=2)` and so on. What is the smallest whole number of `later` purchases at which the
# **50 %** coupon has a `value` above zero? Put it in `stay_needed`.

# %% key="2.5-7" tags=["solution"] answers="stay_needed"
stay_needed = next(n for n in range(50) if plan(assumed, n).loc["50 %", "value"] > 0)

# %% key="2.5-7-check" tags=["check"]
check("2.5-7")

# %% [markdown] key="experiment" tags=["slide"]
# ## What the experiment says
#
# Millbrook drew lots in autumn 2025 among 2,072 households that buy painkillers and have agreed to letters. A quarter is the control group; the others
# got a coupon for the store's brand with 10, 30 or 50 % off, valid for 21 days. The cells are made from what was known **before** the first
# letter. Who bought the store's brand in those 21 days? First the households of the *national* type, the Tylenol users:

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
# store's brand, and 50 % brings 31. **The deepest discount won no more than the middle one.**
#
# Put the measured shares into the same arithmetic, with their intervals, and suppose that each household that was won comes back once:

# %% key="measured" tags=["subslide", "notes"]
heavy = took.loc["high"]
measured = heavy[["control", "effect", "low", "high"]].set_axis(
    ["without", "added", "added_low", "added_high"], axis=1
)
plan(measured, later=1)[["value", "low", "high", "needed"]].round(2)

# %% [markdown] key="measured-look"
# `low` and `high` are what the interval of the experiment allows; the margins and the one later purchase are still put in by us. With
# that purchase, 30 % earns about 0.60 euros a household and 50 % about nothing. The column `needed` says it the other way round: at 50 %
# the coupon must win 27 % of those written to, only to cost nothing; at 30 % it is 9 %.
#
# And do they come back? After the coupon had run out, ten more weeks were watched. How many more purchases of the store's brand did each
# arm make than the control group, per household that the coupon had won?

# %% key="stayed" tags=["subslide", "notes"]
long = offers.margin_after(tablets, mailings, days=91)
test["later"] = long["store_purchases"] - soon["store_purchases"]
national = test[test["brand_type"] == "national"]
stayed = offers.effects(national, "later", by="use").loc["high"]
(stayed["effect"] / heavy["effect"]).loc[["30 %", "50 %"]].round(1)

# %% [markdown] key="stayed-look"
# At 30 % each household that was won made about 0.8 further purchases in those ten weeks, at 50 % about 0.2. Both are rough, being ratios of two uncertain
# numbers, but they point one way: who comes for half the price leaves with it. Our plan had let both stay alike.

# %% [markdown] key="money" tags=["slide"]
# ## Count the money
#
# So count the money itself: all margin from painkillers in the 13 weeks after the letter, of **all**
# brands, minus 20 cents for a letter. Who switched brings the store's margin and takes away the other; who stocked up is missing later.
#
# One trick is needed. Households differ so much that chance would hide everything. So compare each household **with itself**: its margin in these 13
# weeks minus its usual margin of 13 weeks, from the 594 days before the test. And look at all heavy users, as the story wants.

# %% key="change" tags=["subslide", "notes"]
letter = 0.20 * (test["arm"] != "control")
before = mailings.assign(sent_on="2024-01-01")
usual = offers.margin_after(tablets, before, days=594)["margin"] / 594 * 91
test["change_in_euros"] = long["margin"] - letter - usual
money = offers.effects(test, "change_in_euros", by="use")
ax = show.offer_effects(money)

# %% [markdown] key="change-look"
# Not one offer is clearly above zero. The plan of the story, 50 % for heavy users, is the **worst** of the nine: it lost 1.06 euros a household, and the
# interval from −1.68 to −0.45 leaves out zero. So does the thin bar, which holds for all nine looks together.
#
# Where did the money go? Among the heavy users are those who buy the store's brand anyway. They took half the price off what they would have bought. So
# look at the heavy users of **national** brands alone:

# %% key="change-national" tags=["subslide", "notes"]
national = test[test["brand_type"] == "national"]
money_national = offers.effects(national, "change_in_euros", by="use")
columns = ["contacted", "held_out", "effect", "low", "high"]
money_national.loc["high", columns].round(2)

# %% [markdown] key="change-national-look"
# Here 30 % is 0.70 euros above the control group, with an interval from −0.14 to 1.53: promising, not shown. About 110 households an arm are few, and 13
# weeks are short for people who buy every two or three months.

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it
#
# Back to Complete Journey's pain relievers. Move the bound of loyalty, the cut points of use, and the number of trips from which a household
# gets a label. Can you make the field "switcher, high" the largest?

# %% key="explorer" tags=["nbval-ignore-output"]
show.brand_explorer(users)

# %% [markdown] key="explorer-twin"
# What the widget shows comes from a plain function:

# %% key="explorer-headless"
view = show.brand_view(users, loyal=(0, 1), cuts=(1, 4), least_trips=2)
view

# %% [markdown] key="2.5-8-task" tags=["exercises", "subslide"]
# ### Exercise 2.5-8 · defend · 14 minutes
#
# Millbrook must choose **one** rule for next spring:
#
# * `"50 % to all heavy users"`: the plan of the story, for every heavy user of painkillers;
# * `"30 % to heavy users of national brands"`;
# * `"no offer"`.
#
# The deciding figure, in euros a household and rounded to two digits: for an offer, its effect on `change_in_euros` (in `money` or
# `money_national`); for `"no offer"`, the effect of the story's plan, which you refuse. Put choice, figure and reason in `spring`:
#
# ```python
# spring = defend(choice="…", figure=…, because="two sentences for the manager")
# ```
#
# Two of the three can be defended. Say in your reason what the interval allows, and what the test could not see. The reason is for your
# trainer.

# %% key="2.5-8" tags=["solution"] answers="spring"
middle = money_national.loc[("high", "30 %"), "effect"]
spring = defend(
    choice="30 % to heavy users of national brands",
    figure=round(middle, 2),
    because=(
        "The interval holds gains and losses: send it again, with a control group. "
        "The deepest discount lost money, and its interval leaves out zero."
    ),
)

# %% key="2.5-8-check" tags=["check"]
check("2.5-8")

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
# One field pays clearly: heavy users of national brands at 30 %, 1.41 euros a household. The 50 % pays **nowhere**; it costs most where the household is
# already a friend (store, high: 2.08 lost). Of those national users who came for 30 % off, three in four stay, as the firm's makers have set it; of
# those who came for 50 %, one in five. The test was too small and too short to see its best offer: of the 1.41 euros a third had come in by week 13.
#
# So the story had the right households and the wrong discount. Value of a customer is one thing, value of a discount another.

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
# Letters that followed the due date were used by 23 %, the others by 19 %: 1.2 times as many. An effect shows. But even the upper end of its interval, 8.4 points above 19 %, is
# less than one and a half times, far from twice and from four times. Work is not halved either: somebody has to compute the dates. The claim is **not supported**; timing helps a little where gaps are regular.
#
# A second claim: **heavy users have the most potential value** (F-10). In the truth of Millbrook most is to win among heavy users of national brands, and
# most is to lose among heavy users of the store's: the claim is half true, since "heavy" mixes both.
#
# And the **nine cells** themselves (F-09)? They are a picture without numbers. With `loyal=(0, 1)`, cut points 1 and 4 and labels from the second trip on,
# 624 of 830 households are in another field than before. Use the cells, and print the four numbers beside them.

# %% [markdown] key="2.5-9-task" tags=["optional"]
# ### Exercise 2.5-9 · decide · optional · 8 minutes
#
# Of all coupons of **50 %** that were used (`letters["used"]`), what percentage was used by households of the type *store* or
# *switcher*, who buy the store's brand anyway, always or now and then? Put it, rounded to a whole number, in `to_friends`.

# %% key="2.5-9" tags=["solution"] answers="to_friends"
deep = letters[(letters["arm"] == "50 %") & letters["used"]]
to_friends = round(deep["brand_type"].isin(["store", "switcher"]).mean() * 100)

# %% key="2.5-9-check" tags=["check"]
check("2.5-9")

# %% [markdown] key="2.5-10-task" tags=["optional"]
# ### Exercise 2.5-10 · do · optional · 6 minutes
#
# A window of 21 days is wide. How much better than a day by lot is the due date of Millbrook's **coffee** in a week, three days before and after? Run the
# back-test for `coffee` with the cut on 2025-08-17 and `window_days=3`, and put the value of `times` in the row "own cycle, shrunk", rounded to
# two digits, in `times_by_lot`:
#
# ```python
# coffee = millbrook.transactions.where("category", "coffee")
# ```

# %% key="2.5-10" tags=["solution"] answers="times_by_lot"
coffee = millbrook.transactions.where("category", "coffee")
narrow = cycles.back_test(coffee, cut="2025-08-17", window_days=3)
times_by_lot = round(narrow.loc["own cycle, shrunk", "times"], 2)

# %% key="2.5-10-check" tags=["check"]
check("2.5-10")

# %% [markdown] key="2.5-11-task" tags=["optional"]
# ### Exercise 2.5-11 · decide · optional · 8 minutes
#
# In cold cereal, what percentage of the households have a label that is right with **less than 80 %** (`certainty` in what `label` returns)?
# Use `brands.usage(lines["cold cereal"])` and learn the shares from the same households. Leave out those without a trip. Put the percentage,
# rounded to a whole number, in `unsure`.

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
# has a purchase cycle. If yours has brands, name the role and, in `my_brands`, the values that mean your own.

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
back = (stayed["effect"] / heavy["effect"]).round(1)
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
    "asked": (len(test), 2072),
    "more who try": (
        (heavy["effect"] * 100).round().loc[["30 %", "50 %"]].to_list(),
        [33, 31],
    ),
    "pays": (pay.loc[["30 %", "50 %"], "value"].to_list(), [0.61, 0.04]),
    "needed": (pay.loc[["30 %", "50 %"], "needed"].to_list(), [0.09, 0.27]),
    "came back": (back.loc[["30 %", "50 %"]].to_list(), [0.8, 0.2]),
    "the plan": (
        money.loc[("high", "50 %"), ["effect", "low", "high"]].round(2).to_list(),
        [-1.06, -1.68, -0.45],
    ),
    "worst": (money["effect"].idxmin(), ("high", "50 %")),
    "clear for all nine": (money.loc[("high", "50 %"), "high_all"] < 0, True),
    "none above": (int((money["low_all"] > 0).sum()), 0),
    "thirty": (
        money_national.loc[("high", "30 %"), ["effect", "low", "high"]]
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
    "times": (round(times, 1), 1.2),
    "another field": (view.moved, 624),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
