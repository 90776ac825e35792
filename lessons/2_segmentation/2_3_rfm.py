# ---
# jupyter:
#   crmkit:
#     title: "RFM: who bought lately, often, and for how much"
#     part: "Segmentation"
#     questions:
#       - "Which 200 of 2,469 customers should get a letter?"
#       - "Do two customers who behaved alike always get the same score?"
#       - "What does a name such as \"At risk\" promise, and does the customer keep it?"
#       - "For which decision is RFM the right division, and for which is it not?"
#     objectives:
#       - "compute recency, frequency and monetary value from an order book, by hand and by code"
#       - "score customers, and explain why ties and cut points decide the result"
#       - "name segments with a map, and see what another map would have said"
#       - "follow customers from one half-year to the next with frozen cut points"
#       - "judge a warning list by what came: against all customers, with an interval"
#       - "say how long a segment lasts (optional section: which of the four principles RFM meets)"
#       - "turn segments into a list of names, with a budget and a control group"
#       - "adapt the three dimensions to a bank, an app or a business-to-business firm"
#     teaching_minutes: 80
#     exercise_minutes: 39
#     optional_minutes: 51
#     needs: []
#     data: ["ten_customers", "complete_journey", "twelve_accounts", "cdnow"]
#     sources: ["004.1: customers classed by value, RFM"]
#     keypoints:
#       - "RFM is three facts a customer: days since the last order, number of orders, money."
#       - "Equal customers get equal scores. A recipe that needs the order of the rows to break ties is drawing lots."
#       - "A score is a rank among your own customers. It says nothing about days, money or danger until you read the cut points."
#       - "There is no standard map of segment names: choose one, check it for gaps and overlaps, and write it down."
#       - "A segment name is a hypothesis. Put it to later data, beside all customers: here \"At risk\" by fifths warned no better than lots."
#       - "RFM labels everybody and changes fast: two in three households had another segment half a year later. Act on it soon, or cut it by fixed days."
#       - "For guessing next half-year's money, sorting by past spend did better here than RFM. RFM's use is to say what to do, and why."
#       - "A list without a control group can never show that it worked."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## The question from practice
#
# A supermarket knows 2,469 households by their loyalty card. On the last evening of the year the owner
# has money for **200 personal letters** with a voucher, and no more.
#
# Who gets one? The households that spend most? They may come anyway. Those not seen for months? They may
# have moved away. Somewhere in between are households whose next shopping trip a letter might decide.
#
# RFM is an old tool for that evening. It looks at three numbers that every firm with an order book
# has:
#
# * **Recency**: how long ago did the customer last buy?
# * **Frequency**: how often?
# * **Monetary value**: for how much money?
#
# Mail-order firms sorted their address cards this way before they had computers. The version with five
# equal groups a dimension became known through Arthur Hughes, *Strategic Database Marketing* (1994).

# %% [markdown] key="note-opening" tags=["instructor"]
# **Trainer.** Ask before you show anything: "You have 200 letters. Whom do you write to?" Collect three
# rules on the board. Nearly every class proposes the best customers. Come back to the board in the
# section on the action list: the class will have changed its mind at least once.
#
# Time: 5 minutes here. The lesson takes 80 minutes of teaching and 39 of core exercises. Teaching: opening, recall and data
# 10, scores by hand 7, quiz and 2,469 households 9, ties 4, names and maps 10, movement 4, at risk and days 9, warning lists
# 4, letters and control group 8, widget 3, other trades 2, claim check 6, own data and discussion 4. The two sections marked
# optional take 7 more and the optional exercises 44; a class that is quick does exercise 2.3-7, and one with a bank or
# business customers 2.3-10. In a half-day workshop leave out exercise 2.3-5, and show the claim check instead of reading it
# together.

# %% [markdown] key="recall" tags=["recall"]
# ## Recall
#
# A customer table has **one row a customer**. An order book has one row an order, or one row an order *line*.
# Between the two stands a summary, and a summary needs a day to look back from. We call that day `as_of`.
# Without it "bought 10 days ago" has no meaning: 10 days before what?
#
# A **quantile** cuts a sorted list: one fifth of the customers lies at or below the first of four quantiles, and so on. A
# share that was counted in few customers is unsure; its **95 % interval** says how unsure. Where you meet other lessons' words
# (stages from 1.3, control group from 1.6, four principles from 2.1), they are explained again in a line.
#
# You need a little pandas: choose rows by a condition, count them, add up a column. Where an exercise needs
# more, it says so.

# %% key="setup"
import numpy as np
import pandas as pd

from crmkit import datasets, evaluation, lifecycle, segmentation, show
from crmkit.classroom import check, defend, progress, quiz
from crmkit.evaluation.intervals import share_interval

pd.set_option("display.max_colwidth", 130)

# %% [markdown] key="data" tags=["data"]
# ## The data
#
# We start small enough to count on our fingers: **ten customers** of a bakery's web shop in the year 2025.
# They are invented, and built so that every difficulty of RFM occurs once.

# %% key="ten-orders"
bakery = datasets.load("ten_customers")
bakery.orders

# %% [markdown] key="ten-look" tags=["slide"]
# Look at three things before you go on. Order A103 has two rows, since a row is an order *line*. Hana
# (`C08`) ordered twice on 2 October. And on 23 December Farah (`C06`) got 40 euros **back**: a refund is
# not a visit.
#
# Afterwards we turn to **Complete Journey**: one year of baskets from a chain of supermarkets, 2,469
# households, 1.47 million order lines. It is a published teaching set. What it can *not* show:
#
# * It begins on 1 January. Four in five households are seen in that first month, so nobody knows who was a new
#   customer and who had come for years (lesson 1.3).
# * It holds no experiment that would tell what a letter does.
# * It holds what was paid and no cost: `spend` is money, not margin (what is left after the cost of the goods).
# * It is not a sample of any country's shoppers. We learn the method on it, not facts about a market.

# %% [markdown] key="2.3-1-task" tags=["subslide"]
# ### Exercise 2.3-1 · do · 4 minutes
#
# Go through Farah's orders (`C06`) in the table above. As of 31 December 2025, how many **days** ago did she
# last buy something? Put the number in `farah_recency`.

# %% key="2.3-1" tags=["solution"] answers="farah_recency"
visits = bakery.orders.query("customer_id == 'C06' and amount > 0")["ordered_at"]
farah_recency = (pd.Timestamp("2025-12-31") - visits.max().normalize()).days

# %% key="2.3-1-check" tags=["check"]
check("2.3-1")

# %% [markdown] key="ten-summary-text"
# Nobody wants to do this by hand for every customer. `lifecycle.summary` does it for all, and takes care of
# refunds, order lines and double orders.

# %% key="ten-summary" tags=["subslide"]
ten = lifecycle.summary(bakery.transactions, as_of="2025-12-31")
ten[["recency_days", "orders", "spend"]].join(
    bakery.customers.set_index("customer_id")["name"]
)

# %% [markdown] key="scores-by-hand" tags=["slide"]
# ## From numbers to scores, by hand
#
# Three numbers with three units (days, orders, euros) cannot be added. So each becomes a **score from 1 to
# 5**: sort the ten customers, divide the line into five equal groups, and give the best group a 5. For recency
# the *smallest* number is the best.
#
# The values where one score ends and the next begins are the **cut points**. They are the most important
# numbers of the whole method, and the ones that most reports leave out.

# %% key="ten-cut-points" tags=["subslide", "notes"]
segmentation.rfm.cut_points(ten, bins=5)

# %% [markdown] key="ten-cut-points-look"
# Read the rows for `r`: whoever bought at most 5 days ago has a 5, more than 5 and up to 20 days is a 4, and so
# on (`inf` and `-inf` mean: no limit). A cut lies where **at least** a fifth of the customers is reached. Ten
# customers in five groups should make two a group. They do not: three customers have R = 4, because Dana and
# Emil both bought 20 days ago and nothing in the data can tell them apart.
#
# For `f` it is worse: no customer can have F = 3, since four customers share the value 2. An honest score has
# an empty place there.

# %% key="ten-scores" tags=["subslide", "notes"]
ten_scores = segmentation.rfm.score(ten, bins=5)
ten_scores[
    ["recency_days", "orders", "spend", "r_score", "f_score", "m_score", "rfm_cell"]
]

# %% [markdown] key="2.3-2-task" tags=["subslide"]
# ### Exercise 2.3-2 · do · 5 minutes
#
# An eleventh customer, Kim, joins the list without moving the cut points. As of 31 December she has bought
# **2 orders** for **65 euros** together, the last one **60 days** ago. Read her three scores from the table of
# cut points. Put her cell in `kim_cell`, in quotation marks and written like the ones above: `"5-5-3"`.

# %% key="2.3-2" tags=["solution"] answers="kim_cell"
kim_cell = "2-2-3"

# %% key="2.3-2-check" tags=["check"]
check("2.3-2")

# %% [markdown] key="predict" tags=["predict", "slide"]
# ## Predict before you run
#
# Now 2,469 households instead of ten. Five equal groups of 2,469 hold 494 households each. Before you go on,
# commit yourself:

# %% key="predict-quiz" tags=["fragment", "notes"]
quiz(
    "How many households will have the best recency score, R = 5?",
    {
        "about 494, a fifth": "The recipe intends it. Watch what ties do to it.",
        "far fewer than 494": "Think of a supermarket on New Year's Eve.",
        "far more than 494": "Yes: very many households share the smallest values.",
    },
    right="far more than 494",
)

# %% [markdown] key="analysis" tags=["analysis", "slide"]
# ## The same steps on 2,469 households
#
# First the order book, checked on the way in. The **ledger** says what happened to every row: nothing is
# dropped in silence.

# %% key="journey" tags=["fragment", "notes"]
journey = datasets.load("complete_journey").transactions
show.ledger_table(journey.ledger)

# %% [markdown] key="journey-look"
# All 1,469,307 lines are kept, and the money adds up to the cent. On household, time and amount alone more
# than 300,000 lines look like repeats of another; a careless "drop duplicates" would throw away real sales.
#
# Then the summary: one row a household, seen from the last day of the year.

# %% key="households"
households = lifecycle.summary(journey, as_of="2017-12-31")
households[["recency_days", "orders", "spend"]].describe().round(0)

# %% [markdown] key="households-look"
# The middle household last came 5 days ago, made 43 trips in the year and left 1,210 dollars. The mean spend
# is half as high again, 1,861 dollars: a few households spend very much (lesson 2.2 draws the curve). Keep that in mind
# whenever somebody shows you an average customer.

# %% key="scores"
scores = segmentation.rfm.score(households, bins=5)
scores[["recency_days", "orders", "spend", "r_score", "f_score", "m_score"]].head()

# %% [markdown] key="2.3-3-task" tags=["subslide"]
# ### Exercise 2.3-3 · do · 3 minutes
#
# Count the households whose recency score is the best, R = 5, and put the number in `best_recency`. Compare
# with your prediction.

# %% key="2.3-3" tags=["solution"] answers="best_recency"
best_recency = int((scores["r_score"] == 5).sum())

# %% key="2.3-3-check" tags=["check"]
check("2.3-3")

# %% key="households-cut-points"
segmentation.rfm.cut_points(households, bins=5)

# %% key="recency-ties" tags=["subslide", "notes"]
ax = show.score_distribution(scores, "r")

# %% [markdown] key="recency-ties-look"
# Each bar is one score; the numbers inside the hatched bar are days. The dashed line is the fifth that the
# recipe promises. On the last day of the year 426 households were in the shop, and 293 more on the day before.
# An honest rule can cut after the 426 or after the 719, but never at 494: then some households would get a 5
# and others, who did exactly the same, a 4. This kit cuts where at least a fifth is reached, hence 719.
#
# Two of the three dimensions, R and F, make the **heat map**, the picture that most people mean when they say
# RFM:

# %% key="heat-map" tags=["subslide", "notes"]
ax = show.rfm_heat_map(scores)

# %% [markdown] key="heat-map-look"
# Recency runs upwards, frequency to the right, and each field shows how many households are there. The
# crowd stands on the diagonal: who comes often was mostly here lately. The interesting fields are off the
# diagonal. Top left: here yesterday, but rarely seen. Bottom right: once a regular, now missing.

# %% [markdown] key="ties"
# ## Ties: when a score is a lottery
#
# Many published recipes force five equal groups. They rank the customers first and break ties **by
# the order of the rows**. In pandas that is one innocent-looking word, `method="first"`:


# %% key="fifths-by-rank" tags=["slide"]
def recency_fifths(table):
    """Five equal groups by rank.

    Ties are broken by the order of the rows.
    """
    ranks = table["recency_days"].rank(method="first")
    return pd.qcut(ranks, 5, labels=[5, 4, 3, 2, 1]).astype(int)


equal_groups = recency_fifths(households)
equal_groups.value_counts().sort_index()

# %% [markdown] key="2.3-4-task" tags=["subslide"]
# ### Exercise 2.3-4 · decide · 9 minutes
#
# Five groups of the same size, as promised. Now sort the same households differently, say by spend, and apply
# `recency_fifths` again:
#
# ```python
# resorted = households.sort_values("spend")
# ```
#
# Nobody bought anything in between. How many households get **another** score than in `equal_groups`?
# Put the number in `changed_by_sorting`. Before you compare,
# bring both results into the same order with `.reindex(households.index)`; otherwise pandas refuses with "Can
# only compare identically-labeled Series".

# %% key="2.3-4" tags=["solution"] answers="changed_by_sorting"
resorted = households.sort_values("spend")
again = recency_fifths(resorted).reindex(households.index)
changed_by_sorting = int((again != equal_groups).sum())

# %% key="2.3-4-check" tags=["check"]
check("2.3-4")

# %% [markdown] key="ties-moral"
# Those households did not change. The spreadsheet's sorting did. With 200 letters to send, who gets one would
# depend on who last clicked on a column header.
#
# `segmentation.rfm.score` therefore gives **equal customers equal scores**, always, and lets the groups be as
# unequal as the data make them. It tells how many scores really occur; for the ten customers of the bakery:

# %% key="effective-bins"
ten_scores.attrs["effective_bins"]

# %% [markdown] key="ties-question"
# On Monday morning: whenever you receive a score from somebody, ask for two things, the cut points and what
# was done about ties. If the answer is "the software does that", sort the table and run it again.

# %% [markdown] key="naming"
# ## From scores to names
#
# There are 125 cells from 1-1-1 to 5-5-5. Nobody plans 125 campaigns, so cells get names. The rules that give
# the names are a **segment map**. A map is a table, not a law of nature:

# %% key="ten-map" tags=["slide", "notes"]
ten_map = segmentation.rfm.SegmentMap.load("ten_segments")
ten_map.table[["segment", "r", "f", "meaning"]]

# %% key="ten-segments" tags=["subslide", "notes"]
segments = segmentation.rfm.segment(scores, "ten_segments")
cards = segmentation.rfm.cards(segments, "ten_segments")
ax = show.segment_bars(cards)

# %% [markdown] key="segment-bars-look"
# Compare the two bars of each segment. The Champions are 19 % of the households and bring 39 % of the money.
# The Hibernating are 26 % of the households and bring 6 %. If you treat everybody alike, a quarter of your
# effort goes to 6 % of your revenue.
#
# A card puts each segment into words, with somebody who does something about it:

# %% key="segment-cards"
show.segment_cards(cards)

# %% [markdown] key="segment-cards-look"
# Read the cards with care. Households "About to sleep" were here 6.7 days ago on average: in this shop that is
# enough for a worrying name. We shall put the names to the test below.

# %% [markdown] key="two-maps"
# ### Another map, other Champions
#
# The map above looks only at R and F. Another widely used map has eleven rules over R, F **and** M. The first
# rule that fits wins.

# %% key="eleven-map"
eleven_map = segmentation.rfm.SegmentMap.load("eleven_segments")
eleven_map.table[["segment", "r", "f", "m"]]

# %% [markdown] key="eleven-map-look"
# Before we use a map we **check** it: is there a combination of scores that no rule covers (a gap), one that
# two rules claim (an overlap), a segment that nobody can ever be in (it never wins)?

# %% key="eleven-check" tags=["subslide", "notes"]
findings = eleven_map.check(scores)
findings.loc[findings["finding"] != "overlap", ["finding", "segment", "what"]]

# %% [markdown] key="eleven-check-look"
# The ten-segment map passes this test without a finding. The eleven rules do not. Of 125 combinations 36 are covered by no
# rule and land in the remainder, "Others". Four segments can never have a member, since earlier rules take every combination
# they ask for: nobody will ever be one whom this firm "Cannot lose". And 21 pairs of rules overlap (not shown), so their
# *order* decides. Such maps are in use, because nobody checked.

# %% [markdown] key="2.3-5-task" tags=["subslide"]
# ### Exercise 2.3-5 · decide · 8 minutes
#
# Apply `"eleven_segments"` to the same `scores` with `segmentation.rfm.segment`, as above. Both maps have a segment called Champions. How many
# households are Champions under **one** of the two maps and **not** under the other? Put the number in
# `champions_in_one_map_only`.

# %% key="2.3-5" tags=["solution"] answers="champions_in_one_map_only"
eleven = segmentation.rfm.segment(scores, "eleven_segments")
champion_ten = segments["segment"] == "Champions"
champion_eleven = eleven["segment"] == "Champions"
champions_in_one_map_only = int((champion_ten != champion_eleven).sum())

# %% key="2.3-5-check" tags=["check"]
check("2.3-5")

# %% [markdown] key="2.3-6-task" tags=["optional"]
# ### Exercise 2.3-6 · decide · optional · 5 minutes
#
# The ten-segment map calls 39 households "New customers": they came lately (R = 5) and not often (F = 1). A
# welcome letter seems right. But `segments` also has the day of the **first** order, `first_order`.
# How many of these 39 were first seen in the last two months, on or after 1 November 2017? Put the number in
# `really_new`.

# %% key="2.3-6" tags=["solution"] answers="really_new"
called_new = segments[segments["segment"] == "New customers"]
really_new = int((called_new["first_order"] >= "2017-11-01").sum())

# %% key="2.3-6-check" tags=["check"]
check("2.3-6")

# %% [markdown] key="new-moral"
# A map that knows only R and F cannot tell a new customer from an old one who comes rarely. The name promises
# something that the rule never looked at. In a firm with a join date, use it: the stages of lesson 1.3 do.

# %% [markdown] key="movement"
# ## Who moves? Two half-years
#
# A segment is a photograph. For a decision we want the film: where were the Champions of the first
# half-year in the second? We make two summaries of equal length.
#
# One trap waits here. If the second half-year gets **new** cut points, a household can fall from 5 to 4 only
# because others improved. To see whether *its own* behaviour changed, we **freeze** the cut points of the first
# half-year.

# %% key="half-years" tags=["slide", "notes"]
first_half = lifecycle.summary(journey.between("2017-01-01", "2017-06-30"))
second_half = lifecycle.summary(journey.between("2017-07-01", "2017-12-31"))

frozen = segmentation.rfm.cut_points(first_half, bins=5)
before = segmentation.rfm.segment(segmentation.rfm.score(first_half, cuts=frozen))
after = segmentation.rfm.segment(segmentation.rfm.score(second_half, cuts=frozen))
moves = segmentation.rfm.migration(before, after)
later_spend = second_half["spend"].reindex(first_half.index).fillna(0)  # 0: stayed away
ax = show.migration(moves)

# %% [markdown] key="half-years-look"
# Each row is a segment in June, each column the same map in December. The numbers are households; the colour is
# their share of the row. The diagonal are those who stayed. Read one row from left to right: "Of the 426
# Champions of June, 212 are still Champions, 127 became Loyal customers, 31 are At risk." Over all rows, 65 % of the
# households have another segment in December. RFM is *meant* to change, since R looks at yesterday: use it for what happens
# in the next weeks.

# %% [markdown] key="2.3-7-task" tags=["optional", "subslide"]
# ### Exercise 2.3-7 · decide · optional · 6 minutes
#
# Of the households that were Champions in June, what **share** (a number between 0 and 1) is in the Champions
# again in December? Compute it from the matrix `moves`, whose rows are the segments of `before` and whose
# columns those of `after`. Put it in `champions_stayed`, with at least three digits.

# %% key="2.3-7" tags=["solution"] answers="champions_stayed"
champions_stayed = moves.loc["Champions", "Champions"] / moves.loc["Champions"].sum()

# %% key="2.3-7-check" tags=["check"]
check("2.3-7")

# %% [markdown] key="at-risk"
# ### Were those "At risk" at risk?
#
# Here is the test that few reports make. We take every segment of 30 June and look whether its households
# bought **anything at all** in the following half-year (`again`), and whether they did so within 30 days
# (`in_30_days`).

# %% key="at-risk-later" tags=["slide", "notes"]
next_order = second_half["first_order"].reindex(before.index)
fate = pd.DataFrame(
    {
        "again": next_order.notna(),
        "in_30_days": next_order <= "2017-07-30",
        "days_away": pd.cut(before["recency_days"], [-1, 7, 14, 30, 60, 90, 181]),
    }
)
later = fate.groupby(before["segment"], observed=True)[["again", "in_30_days"]].mean()
later.assign(households=before["segment"].value_counts()).round(3)

# %% [markdown] key="at-risk-look"
# Of 253 households called "At risk" in June, all but one came back, nine in ten of them within 30 days. Even of
# the "Hibernating", 93 in 100 returned. How can that be? Look at the cut points:

# %% key="frozen-cuts"
frozen[frozen["dimension"] == "r"]

# %% [markdown] key="frozen-cuts-look"
# In this shop R = 2 begins after **eight days** without a visit. A family on a two-week holiday is "At risk".
#
# Scores cut at quantiles are **ranks**. There is always a lowest fifth, in the best shop of the world too. Whether the
# lowest fifth is in danger is a question about days. So let us ask the days, with the 95 % interval of each share. (`(7, 14]`
# means: more than 7, up to 14.)

# %% key="days-away" tags=["subslide", "notes"]
by_days = fate.groupby("days_away", observed=True)["in_30_days"].agg(
    households="size", back="sum"
)
returned = share_interval(by_days["back"], by_days["households"])
by_days.assign(share=returned.share, low=returned.low, high=returned.high).round(2)

# %% [markdown] key="days-away-look"
# Now we see something to act on. Of those who were here in the last week, 96 in 100 return within 30
# days; after two weeks away it is about 3 in 4, after a month 6 in 10, after three months 4 in 10. The intervals of the
# first four rows do not even touch; the last two, with fewer households, can hardly be told apart. The owner can choose
# cut points that **mean** something: a week, two weeks, a month, two months.

# %% key="fixed-cuts" tags=["subslide", "notes"]
owner_cuts = {
    "recency_days": [7, 14, 30, 60],
    "orders": [6, 13, 26, 52],
    "spend": [150, 300, 650, 1300],
}
fixed = segmentation.rfm.segment(segmentation.rfm.score(first_half, cuts=owner_cuts))
fixed_fate = fate.groupby(fixed["segment"], observed=True)[
    ["again", "in_30_days"]
].mean()
fixed_fate.assign(households=fixed["segment"].value_counts()).round(3)

# %% [markdown] key="fixed-cuts-look"
# The segment "At risk" shrinks from 253 households to 35. All of them came back in the half-year too; the
# difference shows in the first month: one in three stayed away that long, against one in nine before. (With 35 households
# the one in three may be anything from 21 to 51 in 100.) The other end has moved as well: 868 households are Champions
# now, more than a third of all, where the quantiles had 426.

# %% [markdown] key="2.3-8-task" tags=["subslide"]
# ### Exercise 2.3-8 · defend · 10 minutes
#
# The owner wants a **warning list**: households that will probably not be back within a month unless somebody does
# something. Three lists of 30 June lie on the table:
#
# * `"quantiles"`: the segment "At risk" of `before`;
# * `"fixed"`: the segment "At risk" of `fixed`;
# * `"days"`: no segments at all, everybody who has been away for **more than 30 days** (`recency_days` of `before`).
#
# Choose one. The deciding figure: which **share of your list was not back** within 30 days (between 0 and 1, three digits)?
# `fate["in_30_days"]` says who was, and `~` before it turns it round. Work out the same share for all households, and compare. Put both into `my_defence`:
#
# ```python
# my_defence = defend(choice="...", figure=..., because="two sentences for the owner")
# ```
#
# Two of the three lists can be defended; the figure must belong to your choice. Your reasons are for your trainer.

# %% key="2.3-8" tags=["solution"] answers="my_defence"
not_back = ~fate["in_30_days"]
my_defence = defend(
    choice="days",
    figure=not_back[before["recency_days"] > 30].mean(),
    because="Nearly half of this list was not back, of all households one in seven. "
    "The price: they are small spenders. For a list of good customers take fixed.",
)

# %% key="2.3-8-check" tags=["check"]
check("2.3-8")

# %% [markdown] key="note-defend" tags=["instructor"]
# **Trainer.** "Fixed" is the choice of who wants few names that matter: it asks for frequent visits as well. "Days" finds many
# more of those who stay away, and needs no map. "Quantiles" is refused because the task says *warning*: its share (11 %) is
# no larger than that of all households (14 %). It is right for another task, a list of fixed *length*: then a rank is what is
# needed. Fixed cut points can be compared from year to year and from shop to shop, and a good year gives a short list; their
# price is that somebody has to choose and defend them. A very good answer notes that every list is wrong about half of its
# households or more, or asks what the absent ever spent.

# %% [markdown] key="warning-lists-text" tags=["slide"]
# ### What is a warning list worth?
#
# The same question to all lists, with two more rows: **all** households (what names drawn by lot would give), and the stage
# "decline" of lesson 1.3, which measures silence in each household's *own* usual gaps. `found` is the share of all who stayed
# away that the list names.

# %% key="warning-lists" tags=["fragment", "notes"]
june_stage = lifecycle.stages.assign(journey.until("2017-06-30"), as_of="2017-06-30")[
    "stage"
].reindex(before.index)
lists = {
    "all households": before["recency_days"] >= 0,
    "at risk, quantiles": before["segment"] == "At risk",
    "at risk, fixed": fixed["segment"] == "At risk",
    "decline (1.3)": june_stage == "decline",
    "away > 30 days": before["recency_days"] > 30,
}
stayed_away = ~fate["in_30_days"]
warned = pd.DataFrame({name: [on.sum()] for name, on in lists.items()}).T
warned.columns = ["listed"]
warned["not_back"] = [stayed_away[on].sum() for on in lists.values()]
interval = share_interval(warned["not_back"], warned["listed"])
warned = warned.assign(share=interval.share, low=interval.low, high=interval.high)
warned["found"] = warned["not_back"] / stayed_away.sum()
money = before["spend"]
warned["of_money"] = [money[on].sum() / money.sum() for on in lists.values()]
warned.round(2)

# %% [markdown] key="warning-lists-look"
# By lot, 14 in 100 would have stayed away. "At risk" by quantiles has 11 (8 to 16): it warns **no better than lots**. The
# reason is in the map: it asks for *frequent* visits and some days of absence, and who comes often comes back. With days that mean
# something the segment is three times as good, and still it finds 3 in 100 of those who stay away. The own gaps of
# lesson 1.3 do about as well on a longer list. The plainest list of all, more than 30 days away, finds half of them (lesson 1.6
# saw the same in a web shop: plain days told more than finer ideas).
#
# And the last column? The households away for more than 30 days brought 3 % of the money. A list that finds those who stay
# away finds those who spend little. That is no fault of the list; it is what the owner has to know before he prints letters.

# %% [markdown] key="principles-text" tags=["optional", "slide"]
# ## Is RFM a good segmentation? · optional · 4 minutes
#
# Lesson 2.1 judges any segmentation by four **principles**: *measurable* (share of customers with a label), *actionable*
# (share in segments large enough to act for, here 50 households), *differentiable* (how much of the variance of later money lies
# between the segments) and *stable* (do the segments of June and December agree? 1 fully, 0 no more than by lot). RFM twice, and
# the value bands of lesson 2.2 for comparison:

# %% key="principles" tags=["fragment", "notes"]
banded = segmentation.value.bands(first_half)
bands_later = segmentation.value.bands(second_half, cuts=banded.attrs["cuts"])
fixed_later = segmentation.rfm.segment(
    segmentation.rfm.score(second_half, cuts=owner_cuts)
)
divisions = {
    "RFM, quantiles": (before["segment"], after["segment"]),
    "RFM, fixed": (fixed["segment"], fixed_later["segment"]),
    "value bands": (banded["value_band"], bands_later["value_band"]),
}
judged = [
    segmentation.principles.score(
        labels, name=name, outcome=later_spend, later=in_december
    )
    for name, (labels, in_december) in divisions.items()
]
compared = segmentation.principles.compare(judged)
compared.round(2)

# %% [markdown] key="principles-look"
# RFM's strength is the first column: whoever bought has a label, without a survey and without a question asked. (Who has not
# bought in this half-year is not in the table at all.) Its weakness is `stable`: 65 % of the households have another
# segment in December, 52 % with fixed cut points, 28 % another value band (`print(judged[0])` says it in words).
#
# So use RFM for what happens in the next weeks, a letter or a call. For what has to hold for half a year, and for "where is the
# money?", three bands do more with less. Lesson 2.4 lets the computer look for better groups.

# %% [markdown] key="acting" tags=["slide"]
# ## 200 letters
#
# Back to the owner, who has read none of this. We first do what most firms would do, with the quantile segments;
# then we ask what the list is worth. We want households that matter, that have slipped, and that can be written to: "At risk" and
# "Cannot lose them", best spenders first. `action_list` does four things at once:
#
# * it keeps to the **capacity** of 200 contacts;
# * it holds out a random **control group** of a tenth, which gets *no* letter;
# * it gives each name an action, a reason in words and a date;
# * it filters by consent where the table has it (this one has none).

# %% key="letters"
letters = evaluation.actions.action_list(
    segments,
    cards,
    capacity=200,
    segments_wanted=["At risk", "Cannot lose them"],
    seed=1,
)
letters.drop(columns="segment").head()

# %% [markdown] key="2.3-9-task" tags=["optional"]
# ### Exercise 2.3-9 · do · optional · 4 minutes
#
# How much money did the households that **get a letter** spend in the year, together? Add up `value` over the
# group `"contact"` of `letters` and put the sum in `money_addressed`.

# %% key="2.3-9" tags=["solution"] answers="money_addressed"
money_addressed = letters.loc[letters["group"] == "contact", "value"].sum()

# %% key="2.3-9-check" tags=["check"]
check("2.3-9")

# %% [markdown] key="control" tags=["slide"]
# ### What can this list show?
#
# In March the owner will ask: "Did it work?" Only the **control group** can answer (lesson 1.6): what it does without a letter,
# the others would have done as well. From June we know how many such households return within 30 days by themselves. (Take it
# as a first guess: the June list looks back over half a year, this one over a year, and July is not January.)
#
# How large must the effect be before two such groups can *show* it? Show means: four of five such campaigns would find it,
# with the usual risk of 5 % to see an effect where there is none. Two knobs can be turned: **whom** we write to, and **how
# many** we hold out.

# %% key="better-tests" tags=["subslide", "notes"]
at_risk = before["segment"].isin(["At risk", "Cannot lose them"])
alone = fate.loc[at_risk, "in_30_days"].mean()
away_60_days = fate.loc[before["recency_days"] > 60, "in_30_days"].mean()
contacted, held_out = letters.attrs["contacted"], letters.attrs["held_out"]
listed, absent = letters.attrs["eligible"], (households["recency_days"] > 60).sum()
tests = pd.DataFrame(
    [
        ("at risk, a tenth held out", alone, contacted, held_out),
        ("at risk, half held out", alone, listed // 2, listed // 2),
        ("away 60 days, half held out", away_60_days, absent // 2, absent // 2),
    ],
    columns=["who", "return alone", "letters", "held out"],
)
tests["room"] = 1 - tests["return alone"]
tests["shows from"] = [
    evaluation.actions.smallest_visible_effect(sent, held, rate)
    for rate, sent, held in zip(
        tests["return alone"], tests["letters"], tests["held out"], strict=True
    )
]
tests.round(2)

# %% [markdown] key="better-tests-look"
# Compare what is needed (`shows from`) with the room there is (`room`). Nine in ten of the list "At risk" come back by
# themselves, so there is hardly room for an effect: with a tenth held out, the letter would have to bring back every last
# household to be *seen*. A larger control group helps, and the effect would still have to fill most of the room. The owner may
# send these letters out of politeness, but must not expect an answer from them.
#
# Among the households that have been away for 60 days more than half do not return alone: there is room for a letter to
# matter, and a fair test of it takes about 107 letters and leaves money over. Say this **before** the campaign; afterwards it
# sounds like an excuse. Whether a letter that is *seen* to work also *pays* is one more question: it needs the margin and the
# price of a letter, and lesson 1.6 works it out for one.

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it
#
# Move the number of bins and the cut points, and watch names and money change hands. Try to find settings in
# which the Champions bring half of the money. (You will, and that is the point.)

# %% key="explorer" tags=["nbval-ignore-output"]
show.rfm_explorer(households)

# %% [markdown] key="explorer-twin"
# The widget is a thin skin. What it shows comes from a plain function, which you can call without a mouse: (With four
# bins two segments stay empty: they ask for the middle score, and four has no middle.)

# %% key="explorer-headless"
view = show.rfm_view(households, bins=4)
view.cards[["segment", "customers", "share_of_spend"]].round(2)

# %% [markdown] key="other-trades" tags=["exercises", "slide"]
# ## Other trades, other letters
#
# The source of this lesson says that the dimensions change with the form of business. It is right:
#
# | Trade | Difficulty with plain RFM | What firms use instead |
# |---|---|---|
# | Bank | the salary arrives every month: recency is 0 for all | last *own* action, products held, balance |
# | App | no money at all for most users | visits and minutes: engagement (RFE) |
# | Furniture, cars | nearly everybody bought once | length of the relation (LRFM), service visits |
# | Business to business | orders follow a contract: twelve a year for all | contract value, share of wallet |
#
# In the kit a dimension is data: a letter, a column, and which end is good.

# %% key="accounts"
wholesaler = datasets.load("twelve_accounts")
accounts = wholesaler.accounts.set_index("account_id")
accounts

# %% [markdown] key="wallet"
# Each row is a firm. Its *wallet* is what it spends on such parts with all its suppliers together, as far as our
# sales people know; the **share of wallet** is the part of it that it spends with us.

# %% [markdown] key="2.3-10-task" tags=["optional"]
# ### Exercise 2.3-10 · decide · optional · 14 minutes
#
# A machine-parts wholesaler has twelve firms as customers. Most order once a month by contract, so F
# says nothing. The sales manager wants to visit **one** firm, where there is most to win: recent contact (R),
# much revenue with us (M), and a **low** share of wallet (W), since a firm that buys everything from us already cannot
# buy more. Score the accounts in three bins with these dimensions
#
# ```python
# from crmkit.segmentation.rfm import Dimension
#
# dimensions = [
#     Dimension("r", "recency_days", better="low", label="Recency"),
#     Dimension("m", "spend", better="high", label="Revenue with us"),
#     Dimension("w", "share_of_wallet", better=..., label="Share of wallet"),
# ]
# ```
#
# (decide about `better` for the wallet). Put the account with the highest `rfm_score`, written like `"A01"`, in
# `first_visit`.

# %% key="2.3-10" tags=["solution"] answers="first_visit"
from crmkit.segmentation.rfm import Dimension

potential = [
    Dimension("r", "recency_days", better="low", label="Recency"),
    Dimension("m", "spend", better="high", label="Revenue with us"),
    Dimension("w", "share_of_wallet", better="low", label="Share of wallet"),
]
first_visit = segmentation.rfm.score(accounts, bins=3, dimensions=potential)[
    "rfm_score"
].idxmax()

# %% key="2.3-10-check" tags=["check"]
check("2.3-10")

# %% [markdown] key="2.3-11-task" tags=["optional"]
# ### Exercise 2.3-11 · decide · optional · 6 minutes
#
# CDNOW sold music online in 1997 and 1998. Score the customers of `datasets.load("cdnow").transactions` as of 30 June 1998 in five
# bins. How many **different** frequency scores occur? Put the number in `frequency_scores`. What would you
# tell a colleague who reports "five frequency classes" for this shop?

# %% key="2.3-11" tags=["solution"] answers="frequency_scores"
music = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1998-06-30")
frequency_scores = segmentation.rfm.score(music, bins=5)["f_score"].nunique()

# %% key="2.3-11-check" tags=["check"]
check("2.3-11")

# %% [markdown] key="claim-check" tags=["claim-check", "slide"]
# ## Claim check
#
# Two claims of the source, from this course's list of claims. What stands behind them, and what would settle them? We try
# the first; an optional section tries the second.

# %% key="claims" tags=["fragment", "notes"]
claims = evaluation.claims.audit(datasets.load("claims").claims)
claims.loc[["F-40", "F-10"], ["claim", "behind_it", "settled_by"]]

# %% [markdown] key="claims-look"
# **F-40: classes are the core of CRM.** That is a superlative; no table can prove it. But we can do what the last column asks: if
# classes are the core, they should at least beat a plain list sorted by money.
#
# The contest: choose 494 households (a fifth of all) with what we knew on 30 June. Who chooses those that will
# spend most in the second half-year?

# %% key="contest" tags=["subslide", "notes"]
scored = segmentation.rfm.score(first_half, cuts=frozen)
tie_break = first_half["spend"].rank(pct=True) / 100  # equal scores: more money first
rankings = {
    "highest spend": first_half["spend"],
    "highest RFM score": scored["rfm_score"] + tie_break,
    "most orders": first_half["orders"],
    "latest visit": -first_half["recency_days"] + tie_break,
}
captured = {
    name: later_spend[value.nlargest(494).index].sum() / later_spend.sum()
    for name, value in rankings.items()
}
pd.Series(captured, name="share of later spend").round(3).to_frame()

# %% [markdown] key="contest-look"
# Sorting by past spend wins: its 494 households make 51 % of the later money, the 494 with the best RFM score
# 48 %, the 494 latest visitors 38 %. Could the lead of 3 points be luck? Draw as many households from ours by lot, some of
# them twice and some not at all, hold the contest again, and do so 400 times (a **bootstrap**):

# %% key="contest-again" tags=["fragment", "notes"]
random, leads = np.random.default_rng(1), []
everybody = pd.DataFrame(rankings).assign(later=later_spend)
for _ in range(400):
    drawn = everybody.sample(
        len(everybody), replace=True, random_state=random, ignore_index=True
    )
    by_money, by_score = (
        drawn["later"][drawn[name].nlargest(494).index].sum()
        for name in ("highest spend", "highest RFM score")
    )
    leads.append((by_money - by_score) / drawn["later"].sum() * 100)
low, high = np.quantile(leads, [0.025, 0.975])
print(f"in 95 % of the draws money leads by {low:.1f} to {high:.1f} points")

# %% [markdown] key="contest-again-look"
# No luck, then. For the question "where will the money come from?" the classes are not the core; they blur the best single
# number. What classes add is something else: a reason, an action and a person who acts. Choose the tool by the question.

# %% [markdown] key="potential" tags=["optional", "slide"]
# ### Are heavy users worth most? · optional · 3 minutes
#
# **F-10: heavy users are worth most in the long run.** Worth most *now* they are. The claim is about what they could become, so we
# look at the change, forwards and, as a test, backwards:

# %% key="potential-change" tags=["subslide", "notes"]
forwards = (later_spend - first_half["spend"]).groupby(scored["f_score"]).mean()
scored_later = segmentation.rfm.score(second_half, bins=5)
earlier_spend = first_half["spend"].reindex(second_half.index).fillna(0)
backwards = (earlier_spend - second_half["spend"]).groupby(scored_later["f_score"])
pd.DataFrame(
    {"second half - first": forwards, "first half - second": backwards.mean()}
).round(0)

# %% [markdown] key="potential-look"
# The most frequent fifth of the first half-year spent 176 dollars *less* in the second, the least frequent 134 dollars *more*. Are
# frequent households fading? Then the frequent of the *second* half-year should have spent more in the past than now. The
# second column looks back: they had spent 225 dollars **less**. In both directions of time the extreme group was nearer to
# the middle. That is mostly **regression to the mean**: whoever is extreme in one half-year is on average less extreme in
# another, without any reason in the customer.
#
# So the data do not support the claim, nor its opposite. They show how much the heaviest users *are* worth, and nothing about
# what they could become. What would is an offer, and a control group.

# %% [markdown] key="2.3-12-task" tags=["optional"]
# ### Exercise 2.3-12 · decide · optional · 9 minutes
#
# Is 494 a lucky number? Repeat the contest between the highest spend and the highest RFM score with the best
# **200** households, as many as the owner has letters. By how many **percentage points** is spend ahead? Put
# the difference, rounded to one digit, in `points_ahead`. Does it lie between the ends of the interval above?

# %% key="2.3-12" tags=["solution"] answers="points_ahead"
share_of_200 = {
    name: later_spend[value.nlargest(200).index].sum() / later_spend.sum() * 100
    for name, value in rankings.items()
}
points_ahead = round(
    share_of_200["highest spend"] - share_of_200["highest RFM score"], 1
)

# %% key="2.3-12-check" tags=["check"]
check("2.3-12")

# %% [markdown] key="own-data-text" tags=["own-data", "slide"]
# ## With your own data
#
# Change two lines. The file may be CSV, Excel or Parquet. The roles say which of your columns is which;
# `crmkit check-data YOUR_FILE --save roles.toml` writes them for you, and says which analyses your data are good enough for.

# %% key="own-data" tags=["own-data"]
from crmkit import evaluation, lifecycle, segmentation, shipped, show
from crmkit.tables import Transactions

my_file = shipped.folder("datasets") / "ten_customers" / "orders.csv"
my_roles = shipped.folder("datasets") / "ten_customers" / "roles.toml"

my_orders = Transactions.read(my_file, roles=my_roles)
my_scores = segmentation.rfm.score(lifecycle.summary(my_orders), bins=5)
my_segments = segmentation.rfm.segment(my_scores, "ten_segments")
my_cards = segmentation.rfm.cards(my_segments, "ten_segments")
my_list = evaluation.actions.action_list(my_segments, my_cards, capacity=200, seed=1)
print(my_orders.ledger)
ax = show.segment_bars(my_cards)
my_list.head()

# %% [markdown] key="own-data-report"
# For a manager, `crmkit report rfm YOUR_FILE --roles roles.toml --out report` makes a page with all of this, the
# action list as CSV and Excel, and the notebook behind it. `crmkit report segments` puts RFM beside value bands and clusters, with
# the four principles, and says which to use for what.

# %% [markdown] key="discussion" tags=["discussion", "slide"]
# ## Discussion
#
# 1. A customer learns that she is "Hibernating". What would she say about that name? Which names would you
#    dare to show to your customers?
# 2. The map gives Champions no discount. Is it fair that the best customers pay most?
# 3. Your firm sells mattresses. What is recency good for?
# 4. A colleague proposes ten bins instead of five "for more precision". What gets more precise, and what does not?
# 5. Complete Journey starts in January. Which of today's results would change if we had five years?

# %% [markdown] key="note-discussion" tags=["instructor"]
# **Trainer.** For 3: almost nothing before year seven; then it is the best of the three. For 4: the cut
# points move closer together, ties and empty scores grow, and the number of customers behind each cell falls; nothing
# about the customer is known better. For 5: new against rare customers (2.3-6), the seasons, and the length of the
# relation become visible; the ranks at the end of the year hardly move.

# %% [markdown] key="progress-text"
# ## How far did you get?

# %% key="progress" tags=["nbval-ignore-output"]
progress()

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what the data say; below, those that differ.
middle, top = households.median(numeric_only=True), cards.set_index("segment")
quoted = {
    "lines": (journey.ledger.rows_read, 1_469_307),
    "seen in January": (
        (households["first_order"] < "2017-02-01").mean().round(1),
        0.8,
    ),
    "here on the last day": ((households["recency_days"] == 0).sum(), 426),
    "on the day before": ((households["recency_days"] == 1).sum(), 293),
    "median days": (middle["recency_days"], 5),
    "median trips": (middle["orders"], 43),
    "median spend": (round(middle["spend"]), 1210),
    "mean spend": (round(households["spend"].mean()), 1861),
    "Champions": (top.loc["Champions", "share_of_customers"].round(2), 0.19),
    "their money": (top.loc["Champions", "share_of_spend"].round(2), 0.39),
    "Hibernating": (top.loc["Hibernating", "share_of_customers"].round(2), 0.26),
    "their share of money": (top.loc["Hibernating", "share_of_spend"].round(2), 0.06),
    "called new": (top.loc["New customers", "customers"], 39),
    "overlaps": ((findings["finding"] == "overlap").sum(), 21),
    "without a rule": (
        findings.loc[findings["finding"] == "gap", "combinations"].sum(),
        36,
    ),
    "never win": ((findings["finding"] == "never wins").sum(), 4),
    "ten map's findings": (len(ten_map.check(scores)), 0),
    "at risk in June": ((before["segment"] == "At risk").sum(), 253),
    "of them gone": ((~fate["again"] & (before["segment"] == "At risk")).sum(), 1),
    "hibernating came back": (later.loc["Hibernating", "again"].round(2), 0.93),
    "R = 2 from": (frozen.query("dimension == 'r' and score == 2")["above"].item(), 8),
    "return rates": (
        returned.share.round(2).tolist(),
        [0.96, 0.88, 0.74, 0.59, 0.49, 0.39],
    ),
    "first four do not touch": ((returned.low[:3] > returned.high[1:4]).all(), True),
    "last two do": (returned.low[4] < returned.high[5], True),
    "at risk, fixed": ((fixed["segment"] == "At risk").sum(), 35),
    "of them not back": (
        warned.loc["at risk, fixed", ["share", "low", "high"]].round(2).to_list(),
        [0.34, 0.21, 0.51],
    ),
    "all of them in the half-year": (fixed_fate.loc["At risk", "again"], 1),
    "by lot": (round(warned.loc["all households", "share"], 2), 0.14),
    "the quantile list": (
        warned.loc["at risk, quantiles", ["share", "low", "high"]].round(2).to_list(),
        [0.11, 0.08, 0.16],
    ),
    "found": (
        warned.loc[["at risk, fixed", "away > 30 days"], "found"].round(2).to_list(),
        [0.03, 0.5],
    ),
    "not back after 30 days": (
        round(warned.loc["away > 30 days", "share"], 2),
        0.48,
    ),
    "decline": (warned.loc["decline (1.3)", "share"].round(2), 0.31),
    "money of the absent": (round(warned.loc["away > 30 days", "of_money"], 2), 0.03),
    "changed segment": (
        [card.table.loc["stable", "figure"][:3] for card in judged],
        ["65%", "52%", "28%"],
    ),
    "most stable": (compared["stable"].idxmax(), "value bands"),
    "return alone": (round(alone, 2), 0.89),
    "visible from": (tests["shows from"].round(2).iloc[0], 0.11),
    "room": (tests["room"].round(2).to_list(), [0.11, 0.11, 0.56]),
    "letters to the absent": (tests["letters"].iloc[-1], 107),
    "Champions of June": (moves.loc["Champions"].sum(), 426),
    "where they went": (
        moves.loc["Champions", ["Champions", "Loyal customers", "At risk"]].to_list(),
        [212, 127, 31],
    ),
    "Champions, fixed": ((fixed["segment"] == "Champions").sum(), 868),
    "about to sleep": (top.loc["About to sleep", "mean_recency_days"].round(1), 6.7),
    "captured": (
        [round(share, 2) for share in captured.values()],
        [0.51, 0.48, 0.43, 0.38],
    ),
    "lead": ([round(low), round(high)], [2, 4]),
    "change of extremes": (forwards.round().iloc[[0, -1]].to_list(), [134, -176]),
    "and backwards": (round(backwards.mean().iloc[-1]), -225),
    "a fifth": (round(len(households) / 5), 494),
    "best recency": ((scores["r_score"] == 5).sum(), 719),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
