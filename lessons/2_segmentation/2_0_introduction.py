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
# definition every month). They pull against each other: a finer division differs more and is less stable. Each lesson
# comes back to these four words with numbers.

# %% [markdown] key="map" tags=["slide"]
# ## The lessons
#
# | Lesson | After it you can |
# |---|---|
# | 2.1 Five kinds, four principles | score any segmentation by the four principles |
# | 2.2 Value bands and purchase patterns | say how unequal your customers are, and what a misplaced one costs |
# | **2.3 RFM** | choose 200 of 2,469 customers, with reasons and a control group |
# | 2.4 Finding segments in data | let an algorithm propose groups, and judge them |
# | 2.5 Brand, usage and the purchase cycle | time an offer and know whom it pays for |
# | 2.6 Tags and portraits | describe a customer by rules that anybody can check |
#
# Lessons 2.1 to 2.4 stand today, and each can be read alone. If you have an evening, begin with 2.3.
