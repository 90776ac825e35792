# ---
# jupyter:
#   crmkit:
#     title: "Part 2 · Segmentation: which customers are alike, and what follows"
#     part: "Segmentation"
#     questions:
#       - "Why divide customers at all?"
#       - "What makes one division better than another?"
#     objectives:
#       - "say which decision a segmentation is for, before making it"
#       - "name the five kinds of segmentation and the four principles they are judged by"
#       - "say which lesson of this part answers which question of a firm, and in which order to take them"
#     teaching_minutes: 15
#     exercise_minutes: 0
#     optional_minutes: 0
#     needs: []
#     data: ["complete_journey"]
#     sources: ["001 §2.2", "004.1"]
#     keypoints:
#       - "A segmentation is made for a decision. Without the decision there is no right number of segments."
#       - "Any division of customers can be judged: measurable, actionable, differentiable, stable."
#       - "A segment that leads to no different action is decoration."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## One letter for everybody?
#
# A supermarket writes to all of its 2,469 loyalty-card households, the same letter, the same voucher.
# Some of them spend more in a week than others do in a year. What the letter says is wrong for nearly all of them:
# too generous for those who would have come anyway, too dull for those who are about to leave.
#
# The opposite, a letter of its own for every household, is what a small shopkeeper does without paper. With
# 2,469 households somebody has to decide which differences matter. That is segmentation: **grouping customers so
# that each group can be treated in its own way, and so that it pays to do so**.

# %% [markdown] key="how-different" tags=["slide"]
# ## How different are customers?
#
# Before anybody divides customers, it is worth a look at how unequal they are. Here they stand in a row,
# from the smallest spender of the year to the largest, and we add up their money on the way.

# %% key="inequality" tags=["fragment", "notes"]
from crmkit import datasets, lifecycle

households = lifecycle.summary(datasets.load("complete_journey").transactions)
spend = households["spend"].sort_values(ascending=False)
top_fifth = spend.head(round(len(spend) / 5)).sum() / spend.sum()
print(f"{len(spend):,} households; the top fifth spends {top_fifth:.1%} of the money")

# %% [markdown] key="inequality-look"
# Not the 80 % of the proverb, but a good half. The lesson on value bands (2.2) looks at this more closely.

# %% [markdown] key="five-kinds" tags=["slide"]
# ## Five kinds
#
# | Kind | Looks at | A question it can answer | Where it fails |
# |---|---|---|---|
# | demographic | age, income, household, occupation | which cut of coat do we order? | often missing; people of one age differ |
# | geographic | place, climate, culture | which stores get umbrellas? | people move; a postcode is not a person |
# | psychographic | values, style of life, motives | which story do we tell? | needs a survey; few answer |
# | behavioural | what, when, how often, through which channel | who needs a reminder? | says what, not why |
# | value | money now and to come | where does the budget go? | the past is not the future |
#
# The lessons of this part use them in the order in which firms have the data: behaviour and value from every till,
# demographics from some cards, motives from few surveys.

# %% [markdown] key="four-principles" tags=["slide"]
# ## Four principles
#
# A good segmentation is **measurable** (we can tell who belongs where), **actionable** (we can reach the group and do
# something different), **differentiable** (groups really differ) and **stable** (it does not need a new
# definition every month). They pull against each other: a finer division differs more and is less stable. Lesson 2.1
# puts numbers on these four words, lesson 2.3 tries them on RFM, and the take-away on eight divisions side by side.

# %% [markdown] key="map" tags=["slide"]
# ## The lessons
#
# | Lesson | Minutes | After it you can |
# |---|---|---|
# | 2.1 Five kinds, four principles | 100 | score any segmentation by the four principles, and say who is missing from it |
# | 2.2 Value bands and purchase patterns | 108 | say how unequal your customers are, and what a misplaced one costs |
# | **2.3 RFM** | 119 | choose 200 of 2,469 customers, with reasons and a control group |
# | 2.4 Finding segments in data | 119 | let an algorithm propose groups and rules, and judge them |
# | 2.5 Brand, use and the purchase cycle | 120 | time an offer, and know for whom it pays |
# | 2.6 Tags and portraits | 120 | describe a customer by rules that anybody can check, and push a product to the right ones |
# | 2.9 Take-away | 20 | choose the segmentation by the question |
#
# Minutes are teaching and core exercises together. Take the lessons in this order if you have the time: 2.1 gives the words, 2.2
# and 2.3 the tools that every firm with a till has, 2.4 to 2.6 what more data allow. Only 2.4 needs another lesson (2.3). If you
# have an evening, begin with 2.3; if you plan promotions, with 2.5; if you have a customer database to fill, with 2.6.

# %% [markdown] key="data" tags=["slide"]
# ## Real and simulated customers
#
# The households of **Complete Journey** are real: a year of baskets, and demographics of one household in three. **CDNOW**, the music
# shop of part 1, comes back for comparison. Both know what was bought, and neither knows why, nor what an offer would have
# changed: nobody drew lots.
#
# Where these are needed, the course uses **simulated firms**: a supermarket whose households answer to offers, and a membership
# club with portraits, points and surveys. There the truth is known, and a segmentation can be graded like an exam. What a
# simulation can *not* tell is how the world is; it tells whether a method finds what is there.

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what data and lessons say; below, those
# that differ.
from crmkit import shipped
from crmkit.classroom import grammar

fronts = map(grammar.front_matter, grammar.sources(shipped.folder("lessons")))
minutes = {
    front.number: front.front["teaching_minutes"] + front.front["exercise_minutes"]
    for front in fronts
    if front.number.startswith("2.")
}
quoted = {
    "households": (len(spend), 2469),
    "a good half": (0.5 < top_fifth < 0.6, True),
    "minutes": (list(minutes.values()), [15, 100, 108, 119, 119, 120, 120, 20]),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
