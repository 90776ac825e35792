# ---
# jupyter:
#   crmkit:
#     title: "Part 2 · Take-away"
#     part: "Segmentation"
#     questions:
#       - "Which division of your customers for which decision?"
#     objectives:
#       - "choose a segmentation by the question it has to answer"
#       - "say what each division foresees, what it does not, and how long it holds"
#     teaching_minutes: 20
#     exercise_minutes: 0
#     optional_minutes: 0
#     needs: ["2.1", "2.2", "2.3", "2.4", "2.5", "2.6"]
#     data: ["complete_journey"]
#     sources: []
#     keypoints:
#       - "There is no best segmentation. Each foresees what it was made of, and hardly anything else."
#       - "Cut points, missing customers and the day of the label belong on the slide beside the segment's name."
#       - "Put every label to later data, beside all customers and beside the plainest rule you know."
#       - "A segment says where customers are. What an offer would change, only customers left alone by lot can say."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## Six questions for Monday morning
#
# Take these to a meeting where somebody shows a slide with segments.
#
# 1. **For which decision is it, and who is not in it?** (2.1) Two in three households had no age and no income, and they were the
#    small spenders.
# 2. **Where are the cut points, and who moves if one of them moves?** (2.2) Thirds instead of quarters: 15 in 100 in another band.
# 3. **Did those called "At risk" stay away more often than the others?** (2.3) Cut by fifths, they did not.
# 4. **Would we find these groups again, and do they beat five equal ones?** (2.4) A computer finds as many groups as you order.
# 5. **How many purchases stand behind this label?** (2.5) Who bought once cannot have switched.
# 6. **Who wrote this tag, as of which day, and what does one *more* buyer cost with it?** (2.6) If its members do not
#    answer more than others, a shorter list is only a shorter list.

# %% [markdown] key="picture-text" tags=["slide"]
# ## One picture of the part
#
# Eight divisions of the **same households**, made in the first half-year. Three questions about the second. The number says what
# share of the differences the division foresees, with its 95 % interval.

# %% key="divisions"
import pandas as pd

from crmkit import datasets, evaluation, lifecycle, segmentation, show

clusters, kinds, rfm = segmentation.clusters, segmentation.kinds, segmentation.rfm
shop = datasets.load("complete_journey")
halves = [("2017-01-01", "2017-06-30"), ("2017-07-01", "2017-12-31")]
books = [shop.transactions.between(*days) for days in halves]
first, second = (lifecycle.summary(book) for book in books)


def fifths(people):
    """Five equal groups of the first half-year by money; the same cut points later."""
    cuts = first["spend"].quantile([0.2, 0.4, 0.6, 0.8]).to_list()
    return pd.cut(people["spend"], [-1e9, *cuts, 1e9], labels=False)


def by_fixed_days(people):
    cuts = {
        "recency_days": [7, 14, 30, 60],
        "orders": [6, 13, 26, 52],
        "spend": [150, 300, 650, 1300],
    }
    return rfm.segment(rfm.score(people, cuts=cuts))["segment"].astype(str)


def long_away(people):
    rule = {
        "name": "long away",
        "rule": "recency_days > 30",
        "meaning": "not seen for more than 30 days",
        "from": "2017-01-01",
        "expires_after": "30 days",
    }
    tagged = segmentation.tags.apply(people, {"tag": [rule]})["customer_id"]
    return pd.Series(people.index.isin(tagged), index=people.index).astype(str)


bands = segmentation.value.bands(first)
bands_later = segmentation.value.bands(second, cuts=bands.attrs["cuts"])
groups = clusters.cluster(first, 5)
cheese = [segmentation.brands.usage(book.where("category", "CHEESE")) for book in books]
cells = segmentation.brands.matrix(cheese[0])
cells_later = segmentation.brands.matrix(cheese[1], cuts=cells.attrs["cuts"])
age = kinds.labels(shop.demographics.set_index("household_id"), "age")
divisions = {  # at the end of June, and by the same rule at the end of December
    "age (2.1)": (age, None),
    "main store (2.1)": [kinds.main_store(book, smallest=30) for book in books],
    "value bands (2.2)": (bands["value_band"], bands_later["value_band"]),
    "fifths by money (2.2)": (fifths(first), fifths(second)),
    "RFM, fixed days (2.3)": (by_fixed_days(first), by_fixed_days(second)),
    "five clusters (2.4)": (groups.labels, groups.place(second)),
    "brand × use, cheese (2.5)": [
        table.loc[table["trips"] > 0, "cell"] for table in (cells, cells_later)
    ],
    "tag: away > 30 days (2.6)": (long_away(first), long_away(second)),
}

# %% key="questions"
next_visit = second["first_order"].reindex(first.index)
store_share = cheese[1]["store_share"].dropna()
questions = {
    "how much money later?": second["spend"].reindex(first.index).fillna(0),
    "back within 30 days?": (next_visit <= "2017-07-30").astype(float),
    "store brand in cheese?": store_share[store_share.index.isin(first.index)],
}
rows = []
for division, (labels, _) in divisions.items():
    for question, outcome in questions.items():
        both = labels.index.intersection(outcome.index)
        found = clusters.usefulness(labels.loc[both], outcome.loc[both])
        rows.append((division, question, *found))
useful = pd.DataFrame(rows, columns=["division", "question", "value", "low", "high"])

# %% key="picture" tags=["subslide", "notes"]
ax = show.purpose_grid(useful)

# %% [markdown] key="picture-look"
# Read the columns. **Money** later: five equal groups by past money foresee more than half of the differences, and need no computer.
# **Who is back** within a month: the clusters and RFM with fixed days lead, their intervals overlap, and a tag of one line is not far
# behind. **Store brand** in cheese: the nine cells foresee a fifth, and nothing else foresees anything.
#
# Age (of those who told it) and store foresee next to nothing of the three. They answer other questions: which cut of coat, what goes on which
# lorry. A question that the picture does not ask has no column. And what is foreseen is what would come *by itself*; how customers
# answer to an offer is in none of these numbers.

# %% [markdown] key="principles-text" tags=["slide"]
# ## The same eight by the four principles

# %% key="principles" tags=["fragment", "notes"]
cards = [
    segmentation.principles.score(
        labels,
        name=division,
        customers=first.index,
        outcome=questions["how much money later?"],
        later=later,
    )
    for division, (labels, later) in divisions.items()
]
segmentation.principles.compare(cards).round(2)

# %% [markdown] key="principles-look"
# `differentiable` asks for later money only, as the first column of the picture does. *Measurable*: the till gives a label to
# everybody who bought, a table of ages to one in three. *Actionable*: nearly all are in groups of 50 and more, except that
# some stores are small. *Stable*: only the store lasts. What looks at the last visit, or rests on few purchases, is another
# label half a year later. That is no fault if the label says until when it holds, as a tag does (`expires_after`).

# %% [markdown] key="which-for-which" tags=["slide"]
# ## Which segmentation for which question
#
# | The decision | Take | Not |
# |---|---|---|
# | who gets the dear service for half a year | the list by money, or value bands (2.2) | RFM: two in three change segment meanwhile |
# | whom to write to this month | days away, or RFM cut by fixed days (2.3) | RFM cut by fifths: it always finds somebody |
# | which coat, which story, which tone | age, motive: asked of a sample drawn by lot (2.1) | the ages of those who told you |
# | what each store orders | the main store (2.1) | anything made from money |
# | many facets, no single number to cut by | clusters, with their recipe (2.4) | clusters for later money |
# | which products stand together | rules, judged in baskets of one size (2.4) | lift above 1 |
# | whose brand may change, and when | brand and use, and the due date, both with a back-test (2.5) | a label made from one trip |
# | whom this one message concerns today | a tag: a rule with a last day (2.6) | a segment's name from last year |
# | how much money will come | no segments: the number itself (2.4, 1.5) | a mean by segment |

# %% [markdown] key="which-look"
# A division that is used for two decisions will be wrong for one of them. It costs little to have two.

# %% [markdown] key="traps" tags=["slide"]
# ## Traps that you have now seen from inside
#
# | Trap | Where you met it | What protects you |
# |---|---|---|
# | those with a label speak for all | 2.1 | count who has none, and what they spend |
# | segments differ because they were made to differ | 2.1 | judge by something that came later |
# | a cut point moves, and hundreds change band | 2.2 | the cut points stand beside the count |
# | ties broken by the order of the rows | 2.3 | equal customers, equal scores |
# | the lowest fifth is always in danger | 2.3 | days instead of ranks; all customers beside the list |
# | heavy users fade, light users rise | 2.3 | look backwards in time: regression to the mean |
# | the computer *found* four groups | 2.4 | cluster two halves; compare with a plain cut |
# | everything in a full basket goes together | 2.4 | a shuffled table |
# | who is seen more often seems to switch more | 2.5 | what chance alone would show |
# | every used coupon is a sale won | 2.5 | subtract those who would have bought anyway |
# | a tag that names a product gives away an illness | 2.6 | measure whom it hits, before it leaves the shop |
# | the list knows what was bought after the message | 2.6 | ask of every list: as of which day? |
# | the best of many rules | 2.6 | judge it on the half that did not choose it |

# %% [markdown] key="claims" tags=["slide"]
# ## What the sources claim, and what we found
#
# | Claim | What we found |
# |---|---|
# | segmentation raises satisfaction and loyalty (F-34) | **not shown.** The high band is "more loyal" by seven points in a shop that did nothing; segments differ because they were made to (2.1) |
# | 20 % bring 80 % (a proverb) | **not here.** 55 % and 67 %; it takes 42 % of the households to bring 80 % (2.2) |
# | classes are the core of CRM (F-40) | **not for foreseeing money:** a plain list by money leads RFM by 2 to 4 points. Classes bring reasons and actions (2.3) |
# | heavy users are worth most in the long run (F-10) | **now, yes.** What they could become stays open: their fall is regression to the mean (2.3). In a simulated shop most was to win among heavy users of national brands, and most to lose among those of the store's own (2.5) |
# | mining finds sales chances | **half.** Rules found in spring hold in autumn; that a shelf would sell more, no past basket shows (2.4) |
# | three kinds by brand, three by use (F-09) | **a picture without numbers.** Move its two bounds and two cut points, and three households in four stand in another field (2.5) |
# | a timed promotion: half the work, twice the result (F-11) | **not supported.** By lot in a simulated shop: 23 % used a timed coupon, 19 % the other. In the real categories the due date was no better than another day (2.5) |
# | tags make promotions cheaper (F-31) | **if its members answer more.** One launch in a simulated club: 569 instead of 1,010 euros, the work for the rule included, for as many more buyers. A list by lot of the same length is in the long run no cheaper per buyer (2.6) |

# %% [markdown] key="claims-behind"
# What stands behind these claims in the sources themselves, and what would settle each of them:

# %% key="audit"
pd.set_option("display.max_colwidth", 90)
claims = evaluation.claims.audit(datasets.load("claims").claims)
claims.loc[
    ["F-34", "F-40", "F-10", "F-09", "F-11", "F-31"], ["behind_it", "settled_by"]
]

# %% [markdown] key="not-shown" tags=["slide"]
# ## What the data could not show
#
# * **Why.** Tills know what, when and how much. Motives were invented in 2.1, and labelled so.
# * **Who was not there.** Two in three households have no age; who buys elsewhere is in no table at all.
# * **What would have been.** Complete Journey drew no lots. Effects come from simulated firms, and show how to find out, not what
#   your customers will do.
# * **Margin.** Real data of this part have money and no costs. A band of money is not a band of profit.
# * **Next year.** A year holds one Christmas. "Half a year later" was tested once.

# %% [markdown] key="own" tags=["slide"]
# ## On Monday, with your own data
#
# ```
# crmkit check-data orders.csv --save roles.toml
# crmkit report segments orders.csv --roles roles.toml --out report
# crmkit tag orders.csv --roles roles.toml --rules rules.toml --preview
# ```
#
# 1. The first command says what your data can carry. The second makes one page: bands, RFM, clusters, the four principles, and which
#    to use for what.
# 2. Take **one** decision of the coming month. Write down its question, and the plainest rule that could answer it.
# 3. Put your segments and that rule to the last half-year: do they beat it, and do they beat names drawn by lot?
# 4. Hold out a control group, and write the day beside the label.

# %% [markdown] key="next" tags=["slide"]
# ## What comes next
#
# This part looked at *who*. Part 3 will look at *how*: contacts, memberships, campaigns, service. Part 4 will walk whole cases. They are
# not written yet. Part 1, on *when*, stands: if you took this part first, lesson 1.6 is the one that this part leans on most.

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text takes from this page beside what the data say; figures of
# the lessons are held there. Below, those that differ.
seen = useful.pivot(
    index="division", columns="question", values=["value", "low", "high"]
)
value = seen["value"].round(2)
later, back, brand = questions
others = value.drop(index="brand × use, cheese (2.5)")[brand]
compared = segmentation.principles.compare(cards)
quoted = {
    "fifths, more than half": (value.loc["fifths by money (2.2)", later] > 0.5, True),
    "leaders of the second question": (
        list(value[back].nlargest(2).index),
        ["five clusters (2.4)", "RFM, fixed days (2.3)"],
    ),
    "they overlap": (
        seen.loc["RFM, fixed days (2.3)", ("high", back)]
        > seen.loc["five clusters (2.4)", ("low", back)],
        True,
    ),
    "cells foresee a fifth": (value.loc["brand × use, cheese (2.5)", brand], 0.2),
    "nothing else": (others.abs().max() < 0.015, True),
    "age and store": (
        value.loc[["age (2.1)", "main store (2.1)"]].max().max() < 0.03,
        True,
    ),
    "ages of one in three": (round(compared.loc["age (2.1)", "measurable"], 2), 0.33),
    "most stable": (compared["stable"].idxmax(), "main store (2.1)"),
    "least actionable": (compared["actionable"].idxmin(), "main store (2.1)"),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
