# ---
# jupyter:
#   crmkit:
#     title: "What CRM is, and what is claimed for it"
#     part: "Lifecycle"
#     questions:
#       - "A vendor promises 37 % more sales. Should the director sign?"
#       - "Eight definitions of CRM: what do they have in common, and what does each leave out?"
#       - "What could the owner of a snack shop do that a full restaurant cannot?"
#     objectives:
#       - "compare definitions of CRM by what they speak of (optional section: how far two readers agree)"
#       - "read a timeline critically and find dates that contradict each other"
#       - "list what must be known before a percentage means anything"
#       - "say with a number what information technology changed: who is recognised at the counter"
#       - "explain how a survey of users can report growth that the product did not cause"
#     teaching_minutes: 71
#     exercise_minutes: 46
#     optional_minutes: 36
#     needs: []
#     data: ["claims", "complete_journey"]
#     sources: ["001 §1, §1.1, §1.2, §2(1)(2)(4)", "003.D", "004.A, H, D, M, E, C", "000.0, a, z", "002.A0"]
#     keypoints:
#       - "CRM is defined as a strategy, a process, a use of information or a technology. Ask which one a speaker means before you agree or object."
#       - "Two sources that date one event differently cannot both be right. Until somebody shows a document, the date is open."
#       - "A percentage needs its year, its population, its question, the number asked and the number who answered."
#       - "A survey of those who stayed and answered can show 39 % growth where the product does nothing."
#       - "One good memory recognises the regulars of a snack shop and hardly anybody in a chain of supermarkets. A list that everybody can read is what IT added."
#       - "Of the forty claims in this course's sources none says how it was measured. That is why the other lessons compute."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## The question from practice
#
# The director of a wholesaler comes back from a trade fair with a brochure. "Customers who introduced our
# CRM system increased their sales by **37 %**", it says, and "86 % of the firms in China already use CRM".
# The system costs as much as two salaries. She wants your answer by Friday: *should we sign?*
#
# Before you can answer you need to know three things. What is it that she would buy: a program, a process, a
# way of thinking? What can it do that people cannot do with their own heads? And what are 37 % and 86 % worth?

# %% [markdown] key="note-opening" tags=["instructor"]
# **Trainer.** Read the brochure aloud and ask for a show of hands: sign, do not sign, cannot tell. Write the
# numbers on the board; exercise 1.1-10 comes back to them. If somebody says "the 37 % is a lie", ask what an honest
# vendor would have found who did the same survey. The lesson will show: the same.
#
# Time: 5 minutes here. The lesson takes 71 minutes of teaching and 46 of core exercises. Teaching: opening, recall and
# data 9, definitions 7, users and hopes 3, quiz 2, audit 5, history 6, shares 5, checklist 3, counter 8, supermarket 8,
# widget 4, claim check 6, own data and discussion 5. The two sections marked optional take 9 more and the optional exercises
# 27; a class that is quick does the agreement of two readers. In a short course show the timeline without its exercise.

# %% [markdown] key="recall" tags=["recall"]
# ## Recall
#
# You need a little pandas: choose rows by a condition, count them, take a mean. A **share** is a number between 0 and
# 1; 86 % is 0.86. Whoever asks a sample, drawn by lot, learns the share of *all* only roughly. The **interval** (95 %)
# says how roughly: of a hundred such intervals, about 95 hold the share of all. For shares this course uses the
# interval of Wilson (1927) throughout.

# %% key="setup"
import numpy as np
import pandas as pd

from crmkit import datasets, evaluation, lifecycle, show
from crmkit.classroom import check, defend, progress, quiz

pd.set_option("display.max_colwidth", 110)

# %% [markdown] key="data" tags=["data", "slide"]
# ## The data
#
# This course goes back to five documents on CRM: articles from the web and an uploaded book. They have the numbers 000
# to 004. What they say stands in tables, in our own words, each line with the place it comes from: "001 §1.2" is
# section 1.2 of document 001.

# %% key="said" tags=["fragment", "notes"]
said = datasets.load("claims")
said.definitions[["definition_id", "emphasis", "section"]]

# %% [markdown] key="data-limits"
# What these data can *not* show: whether anything in them is true. Nor are the five documents a sample of what is
# written about CRM. Three of them advertise or are reprints, and the longest was largely written by a machine. We
# treat them as a director treats a brochure: with respect, and with questions.
#
# Later in the lesson we need real customers. **Complete Journey** is a year of baskets of 2,469 households in a chain of
# supermarkets, a published teaching set.

# %% key="journey"
journey = datasets.load("complete_journey").transactions

# %% [markdown] key="definitions-text" tags=["slide"]
# ## Eight definitions
#
# Here they are, shortened. Read them once; mark what each one speaks of.

# %% key="definitions"
for row in said.definitions.itertuples():
    print(f"{row.definition_id}  {row.definition}\n")

# %% [markdown] key="definitions-look"
# Some call CRM a way of thinking, some a process, some a store of data, some a sum of hardware and software. So
# two people in one meeting can both say "we need CRM", and one means a training for the staff, the other a server.
#
# We read each definition with the same eight questions: does it speak of a *strategy*, a *process*, *information*,
# *technology*, *prospects* (people who are not customers yet), *satisfaction*, *loyalty*, *profit*? Our reading is a table
# of its own, with one row for each definition and question (`attribute`).

# %% key="codings"
said.codings.head(8)

# %% key="definition-grid" tags=["subslide", "notes"]
ax = show.definition_grid(said.codings)

# %% [markdown] key="definition-grid-look"
# Six of eight speak of loyalty. Only two speak of a process, though it is the process that the firm's people will feel
# first. And only four speak of profit: the others stop before it, at loyal customers, growth or better competition.

# %% [markdown] key="1.1-1-task" tags=["subslide"]
# ### Exercise 1.1-1 · do · 4 minutes
#
# The director believes that CRM is a computer program. **How many** of the eight definitions speak of technology at all?
# Count in the table `said.codings`, and see whether the picture agrees. Put the number in `speak_of_technology`.

# %% key="1.1-1" tags=["solution"] answers="speak_of_technology"
technology = said.codings.query("attribute == 'technology'")
speak_of_technology = int(technology["says_so"].sum())

# %% key="1.1-1-check" tags=["check"]
check("1.1-1")

# %% [markdown] key="fields" tags=["slide"]
# ## Who uses it, and for what
#
# The sources name four fields, and for each a purpose: **manufacturers** bring customers' feedback into the design of
# products; **service firms** raise quality and efficiency; **retailers** look for sales and loyalty; **banks and
# insurers** want lower risk and better profit. Managers, salespeople and service staff are meant to read and use it
# alike.
#
# To managers they promise a view of everything in one place: people who have shown interest, sales that may come, what
# each customer is worth, and the salespeople's daily work; and in the end a leaner firm with less labour. Source 000
# adds what sets CRM apart from other management programs: customers of different value are *meant* to be served
# differently. Part 2 takes that up.
#
# They also name what it is good for. Each of these hopes can be written as a figure that somebody could check. That is
# the most useful thing you can do with a promise:
#
# | What is hoped for | A figure that would show it |
# |---|---|
# | satisfaction | satisfaction score of those asked, with the share who answered |
# | loyalty, fewer customers lost | retention rate: of the customers at the start of a year, the share still there at its end |
# | competitiveness | share of the customers' whole spending (share of wallet) |
# | more sales | revenue per customer, against firms or customers without |
# | lower cost | cost per deal, all costs counted |
# | better decisions | decisions that were changed, and what came of them |

# %% [markdown] key="formulas-text" tags=["optional", "slide"]
# ### A figure needs a formula · optional · 5 minutes
#
# The sources name such figures without formulas. The kit holds 22 formulas, each with its *trap*: how the figure deceives
# whoever trusts it (`evaluation.kpi.formulas()`). *Incremental* means: what would not have come without the campaign.

# %% key="formulas" tags=["subslide", "notes"]
kpis = evaluation.kpi.formulas()
kpis.loc[
    [
        "retention rate",
        "average transaction value",
        "acquisition cost",
        "campaign return",
    ],
    ["formula", "trap"],
]

# %% [markdown] key="formulas-look"
# Now put to work. For the supermarket, the last three months (`now`, with its interval) against the three before:

# %% key="measured"
evaluation.kpi.measure(journey, period="3 months").round(3)

# %% [markdown] key="measured-look"
# The average basket (`average transaction value`) rose from 28.86 to 30.55 dollars. The old value lies outside the interval
# of the new one (29.51 to 31.60), so luck alone hardly explains the rise. Did the shop's CRM do that? The period ends on
# 31 December. Christmas is a better guess. **A change is not an effect.**

# %% [markdown] key="predict" tags=["predict", "slide"]
# ## Predict before you run
#
# Forty claims were collected from the five documents: figures, dates, "this causes that", "the most important". Commit
# yourself before you look:

# %% key="predict-quiz" tags=["fragment", "notes"]
quiz(
    "How many of the forty claims come with the method by which they were found?",
    {
        "about 30": "That would be a good textbook. These are articles from the web.",
        "about 10": "Fewer. Two describe a rule of a shop; that is not a finding.",
        "none": "Yes. Two describe a rule; none says how an effect was measured.",
    },
    right="none",
)

# %% [markdown] key="analysis" tags=["analysis", "slide"]
# ## What stands behind a claim
#
# The audit sorts claims by what stands behind them, weakest first, and adds what would settle each.

# %% key="audit" tags=["fragment", "notes"]
audit = evaluation.claims.audit(said.claims)
audit.loc[["F-01", "F-04", "F-08", "F-19"], ["claim", "behind_it", "settled_by"]]

# %% key="audit-count"
pd.crosstab(audit["kind"], audit["behind_it"])

# %% [markdown] key="audit-look"
# Sixteen of the forty are **causal**: one thing is said to bring about another. For those a date or a number is not
# enough; they need a comparison with what would have happened otherwise. None of the sixteen names even a person who
# says so. (The 37 % of the brochure, F-04, are counted among the figures. Read strictly, "CRM raised the sales" is a
# causal claim as well.)

# %% [markdown] key="1.1-2-task" tags=["subslide"]
# ### Exercise 1.1-2 · do · 3 minutes
#
# How many of the forty claims have **nobody** behind them (`behind_it` says that nobody is named)? Put the number
# in `nobody_named`.

# %% key="1.1-2" tags=["solution"] answers="nobody_named"
nobody_named = int((audit["behind_it"] == "nobody is named").sum())

# %% key="1.1-2-check" tags=["check"]
check("1.1-2")

# %% [markdown] key="history" tags=["slide"]
# ## A history with two versions
#
# When did CRM begin? Two of the documents tell its history. Each sounds certain. Put them into one picture.

# %% key="timeline" tags=["fragment", "notes"]
ax = show.source_timeline(said.timeline)

# %% [markdown] key="timeline-look"
# Read it from the top. Contact management comes first: to collect everything that happens between a firm and a
# customer. Then relationship marketing (Barbara Bund Jackson wrote on it in 1985), telephone service centres, sales
# automation, and at the end data and machines that learn. Orange diamonds mark one event with two dates. Source 001
# even contradicts itself about the beginning: "the mid-1980s", and an "embryo" in 1989.
#
# One vendor's name in source 001 is cut off after its first letter, so it cannot be checked at all. If it stands for a
# firm that was founded in 1999, the year 1996 beside it is wrong.

# %% [markdown] key="1.1-3-task" tags=["subslide"]
# ### Exercise 1.1-3 · do · 4 minutes
#
# Both sources agree that the consultants of Gartner gave CRM its name, and disagree about the year. Choose the two rows
# by `topic` in `said.timeline` and take the years from `from_year`. Put them, as whole numbers, the earlier first, in the
# list `gartner_years`.

# %% key="1.1-3" tags=["solution"] answers="gartner_years"
gartner = said.timeline.query("topic == 'Gartner names CRM'")
gartner_years = sorted(int(year) for year in gartner["from_year"])

# %% key="1.1-3-check" tags=["check"]
check("1.1-3")

# %% key="conflicts"
evaluation.claims.conflicts(said.timeline)

# %% [markdown] key="conflicts-look"
# "The mid-1980s" are a period, 1984 to 1986. The table counts the smallest gap that is possible: from 1986 to 1989.
#
# What do you write in your own paper? Not the year that you like better, and not the mean of the two. You write: "named in
# the 1990s; the sources disagree on the year", until you have held a document from that year in your hands.

# %% [markdown] key="shares" tags=["slide"]
# ## 86, 83 and 87 per cent
#
# The same document says that 86 % of the firms asked in China use CRM, 83 % in the world, and 87 % in the rest of Asia and
# the Pacific, and concludes that CRM is among the most popular tools in China. For that one would need the shares of the
# *other* tools. What it gives are other regions, and there China lies *below* its own. And whether 86 and 83 differ at
# all depends on a number that is not there: how many firms were asked.

# %% key="share-intervals" tags=["subslide", "notes"]
published = {"China": 0.86, "world": 0.83, "rest of Asia-Pacific": 0.87}
ax = show.shares_with_sizes(published, [100, 400, 1600, 6400])

# %% [markdown] key="share-intervals-look"
# With 100 firms a region, all three could be one and the same number. With 1,600 the highest and the lowest can be told
# apart; China and its region cannot even then. Intervals that overlap do not prove that two shares are equal: they are
# a first look. Exercise 1.1-4 (optional) asks the exact question.

# %% [markdown] key="1.1-4-task" tags=["optional", "subslide"]
# ### Exercise 1.1-4 · decide · optional · 9 minutes
#
# How many firms **in each** of two regions would a survey need, so that a difference between 83 % and 86 % would be seen
# four times in five (power 80 %, which is the default)? Use
#
# ```python
# evaluation.experiments.sample_size(effect, rate=rate)
# ```
#
# where `rate` is the lower share and `effect` the difference, both as numbers between 0 and 1. It returns two group sizes,
# `contacted` and `held_out`, which are equal here. Put **one** of them in `firms_each`.

# %% key="1.1-4" tags=["solution"] answers="firms_each"
firms_each = evaluation.experiments.sample_size(0.86 - 0.83, rate=0.83).held_out

# %% key="1.1-4-check" tags=["check"]
check("1.1-4")

# %% [markdown] key="checklist-text" tags=["slide"]
# ## What is missing before "86 %" means anything
#
# The sentence of the source is: *data show that 86 % of the surveyed firms in China use CRM*. A careful reader goes through
# a list:

# %% key="checklist"
said.checklist[["fact", "why"]]

# %% [markdown] key="1.1-5-task" tags=["subslide"]
# ### Exercise 1.1-5 · decide · 8 minutes
#
# Which of these eight facts does the sentence in italics **not** tell? A fact counts as told if the sentence says anything
# about it, be it one word. Put the names of the others, written as in the column `fact`, in the list `missing_facts` (any
# order). You may copy names, or choose rows by their number: `said.checklist["fact"].iloc[[0, 1]].to_list()`.

# %% key="1.1-5" tags=["solution"] answers="missing_facts"
missing_facts = [
    "the year",
    "how many were asked",
    "how many of those answered",
    "the words of the question",
    "who paid for the survey",
]

# %% key="1.1-5-check" tags=["check"]
check("1.1-5")

# %% [markdown] key="checklist-look"
# On Monday morning: keep this list beside your screen. It takes one minute a figure, and most figures do not survive
# it. That does not make them false. It makes them unusable for a decision.

# %% [markdown] key="counter" tags=["slide"]
# ## What information technology changed
#
# One of the sources tells it with two pictures. The owner of a **snack shop** knows every regular (a guest who comes
# often): what she orders, that her son has moved out. The **restaurant** next door is full every night, and nobody
# there knows anybody. The owner of the restaurant is not less friendly. There is more to remember than a head can hold,
# and information technology (IT) has lifted that limit.
#
# This can be counted. Suppose somebody at the counter remembers 150 faces and forgets the one not seen for longest. (150 is
# a round number in the spirit of Robin Dunbar, 1992, who estimated how many relations one person can keep.)

# %% key="five-visits" tags=["subslide"]
visitors = ["Ann", "Bob", "Ann", "Cem", "Bob", "Ann"]
lifecycle.recognition.recognised(visitors, remembers=2)

# %% [markdown] key="five-visits-look"
# With room for two faces, Ann is recognised at her second visit. Then Cem comes and pushes Bob out, so Bob, when he
# returns, is a stranger again, and he pushes Ann out. A first visit cannot be recognised, so we count the **repeat visits**,
# all after the first one of each guest. Now a shop with 400 regulars, some of whom come often and most rarely:

# %% key="recognition" tags=["subslide", "notes"]
view = show.recognition_view(regulars=400, remembers=150)

# %% [markdown] key="recognition-look"
# Up to 150 regulars nobody is forgotten: that is the snack shop. With 400 the memory recognises 64 % of the repeat visits.
# The green line is what a simple list with everybody on it can do, for any number of customers.

# %% [markdown] key="1.1-6-task" tags=["subslide"]
# ### Exercise 1.1-6 · decide · 9 minutes
#
# The shop grows. At which number of regulars does a memory of 150 faces fall **below one half** of the repeat visits
# for the first time? Try the numbers 150, 200, 250 and so on up to 1,000, in steps of 50, with
#
# ```python
# show.recognition_view(regulars=number).share
# ```
#
# A loop with `range(150, 1001, 50)` does it. Each call draws a picture; add `import matplotlib.pyplot as plt` and
# `plt.close("all")` if you do not want to see them. Put the number of regulars in `half_forgotten`.

# %% key="1.1-6" tags=["solution"] answers="half_forgotten"
import matplotlib.pyplot as plt

half_forgotten = next(
    number
    for number in range(150, 1001, 50)
    if show.recognition_view(regulars=number).share < 0.5
)
plt.close("all")

# %% key="1.1-6-check" tags=["check"]
check("1.1-6")

# %% [markdown] key="supermarket" tags=["slide"]
# ## The same question to a real order book
#
# A simulation shows what our assumptions imply. A real order book shows more: `recognised_customers` walks through
# every visit in Complete Journey in the order of time and asks who would have been recognised, if **one** person saw
# the visits of the whole chain.

# %% key="households" tags=["fragment", "notes"]
households = lifecycle.recognition.recognised_customers(journey, remembers=150)
households.head().round(2)

# %% [markdown] key="1.1-7-task" tags=["subslide"]
# ### Exercise 1.1-7 · decide · 8 minutes
#
# Of **all repeat visits** of the 2,469 households together, what percentage would one memory of 150 faces, for the
# whole chain, have recognised? Use the columns `recognised` and `repeat_visits` of `households`. Put the percentage,
# rounded to one digit (such as `12.3`), in `percent_recognised`.

# %% key="1.1-7" tags=["solution"] answers="percent_recognised"
percent_recognised = round(
    households["recognised"].sum() / households["repeat_visits"].sum() * 100, 1
)

# %% key="1.1-7-check" tags=["check"]
check("1.1-7")

# %% key="best-memory"
best_150 = households["visits"].nlargest(150).sum() / households["visits"].sum()
print(f"the 150 most frequent households make {best_150:.0%} of all visits")

# %% [markdown] key="best-memory-look"
# Why so few? About 350 of these households shop on one day, and a memory of 150 is full of other faces before evening. Is it
# too forgetful? The best that *any* 150 faces could do is to know the 150 most frequent households, and they make 21 % of
# the visits. The others make four visits in five.
#
# But be fair to the people at the counter: a chain has many stores, and a cashier sees only one. The same question with a
# memory of 150 faces in *each* store:

# %% key="by-store"
lines = datasets.load("complete_journey").lines
baskets = lines.drop_duplicates("basket_id").sort_values("transaction_timestamp")
known, repeated = 0, 0
for _, guests in baskets.groupby("store_id")["household_id"]:
    known += lifecycle.recognition.recognised(guests, remembers=150).sum()
    repeated += len(guests) - guests.nunique()
largest = baskets.groupby("store_id")["household_id"].nunique().max()
stores = baskets["store_id"].nunique()
print(f"{stores} stores, at most {largest} of the households in one of them")
print(f"recognised: {known / repeated:.2%} of the repeat visits to the same store")

# %% [markdown] key="by-store-read"
# Both numbers are right, and they answer two questions. In *one* store a good memory would know nearly all of these
# households. But they are a sample, at most 214 to a store; how many more customers a store has, these data do not say.
# And no cashier can tell the head office, or the next store, whom she knows. There a household is known only because it
# has a card with a number. **That** is what IT added: not friendliness, but a memory that does not end at 150 and that
# everybody in the firm can read. What is done with it is the subject of the other lessons.

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it
#
# How many faces must a memory hold to recognise half of the repeat visits of 1,000 regulars? What changes if all
# regulars come equally often?

# %% key="explorer" tags=["nbval-ignore-output"]
show.recognition_explorer()

# %% [markdown] key="explorer-twin"
# The widget shows what the function `show.recognition_view` returns, here with regulars who all come equally often:

# %% key="explorer-headless"
alike = show.recognition_view(regulars=400, remembers=150, unequal=0)
alike.curve.round(2)

# %% [markdown] key="explorer-headless-look"
# If all are alike, a memory of 150 among 400 recognises about 150 / 400 = 38 % in the long run (40 % here: at the beginning
# nobody has been forgotten yet). Unequal regulars are easier to know, because the same few faces come again and again.

# %% [markdown] key="agreement" tags=["exercises", "optional", "slide"]
# ## How far do two readers agree? · optional · 4 minutes
#
# The grid of definitions is *our* reading. Would another reader find the same? A strict and simple second reader is a
# rule that looks for words. It says "speaks of profit" if the letters *profit* occur, and so on.

# %% key="word-rule"
words = {
    "strategy": ["strateg", "policy"],
    "process": ["process"],
    "information": ["information", "data"],
    "technology": ["software", "technical", "electronic"],
    "prospects": ["potential", "new customers"],
    "satisfaction": ["satisf"],
    "loyalty": ["loyal"],
    "profit": ["profit"],
}
texts = said.definitions.set_index("definition_id")["definition"].str.lower()
by_rule = pd.DataFrame(
    {name: texts.str.contains("|".join(found)) for name, found in words.items()}
).stack()
ours = said.codings.set_index(["definition_id", "attribute"])["says_so"]
by_rule = by_rule.reindex(ours.index)
print(f"equal in {(ours == by_rule).sum()} of {len(ours)} cells")

# %% [markdown] key="agreement-text"
# 59 of 64 sounds excellent. But two readers who throw coins also agree, in about half of the cells. Jacob Cohen (1960)
# proposed to count only the agreement beyond chance, as a share of what chance leaves over: his **kappa** is 1 for full
# agreement and 0 for coins.

# %% [markdown] key="1.1-8-task" tags=["optional"]
# ### Exercise 1.1-8 · do · optional · 10 minutes
#
# Compute Cohen's kappa between `ours` and `by_rule` with `evaluation.claims.agreement`, and put it, rounded to two
# digits, in `kappa`. Then look where the two differ (`ours[ours != by_rule]`) and decide for yourself who is right.

# %% key="1.1-8" tags=["solution"] answers="kappa"
kappa = round(evaluation.claims.agreement(ours, by_rule).kappa, 2)

# %% key="1.1-8-check" tags=["check"]
check("1.1-8")

# %% [markdown] key="claim-check" tags=["claim-check", "slide"]
# ## Claim check
#
# Now to the brochure: **sales + 37 %** (claim F-04; the source names a vendor's report on its own customers). Could such a
# number come out of an honest survey if the system did *nothing at all*?
#
# We build a world in which the truth is known. Two thousand firms bought the system. It has no effect: sales change by
# luck, market and management, 5 % up on average, with a wide spread. A firm that did badly drops the system within the
# year. A firm that did well is more willing to answer a questionnaire.

# %% key="vendor-survey" tags=["subslide", "notes"]
random = np.random.default_rng(1)
growth = random.normal(0.05, 0.40, 2000)  # the system does nothing
stays = growth > -0.10  # who did badly has dropped it
willing = np.where(growth > 0.20, 0.60, 0.15)
answers = stays & (random.random(2000) < willing)
print(f"firms that were heard: {answers.sum()} of {len(growth)}")
print(f"their average growth:  {growth[answers].mean():.0%}")

# %% [markdown] key="vendor-survey-look"
# The survey reports 39 %. Nobody lied. Every firm that answered told its real growth. The number describes those who
# stayed and answered, and says nothing about what the system did.

# %% [markdown] key="1.1-9-task" tags=["optional"]
# ### Exercise 1.1-9 · decide · optional · 8 minutes
#
# How much of the reported growth was made by **the choice of those who were heard**? Compare the average growth of the firms
# that were heard with the average growth of all 2,000, both computed from `growth`. Put the difference in **percentage
# points**, rounded to a whole number, in `points_from_selection`.

# %% key="1.1-9" tags=["solution"] answers="points_from_selection"
points_from_selection = round((growth[answers].mean() - growth.mean()) * 100)

# %% key="1.1-9-check" tags=["check"]
check("1.1-9")

# %% [markdown] key="1.1-10-task" tags=["subslide"]
# ### Exercise 1.1-10 · defend · 10 minutes
#
# It is Friday. What do you tell the director about the 37 %? Choose one:
#
# * `"sign: the growth is large"`
# * `"do not sign: the figure is a lie"`
# * `"ask for the firms that were not heard"`
#
# and give the figure that decides it: in our simulated world, the average growth **in per cent** (a whole number; negative if
# sales fell) of the firms that were **not** heard. Write
#
# ```python
# advice = defend(choice="…", figure=…, because="…")
# ```
#
# and put your reason, in two or three sentences that the director can read, into `because`. The answer is `advice`.

# %% key="1.1-10" tags=["solution"] answers="advice"
advice = defend(
    choice="ask for the firms that were not heard",
    figure=round(growth[~answers].mean() * 100),
    because=(
        "In a world where the system does nothing, the same survey reports 39 %, "
        "because the firms that were not heard lost 8 %. The 37 % may be honest and "
        "still say nothing. We need the sales of all buyers, or of firms like us "
        "without the system."
    ),
)

# %% key="1.1-10-check" tags=["check"]
check("1.1-10")

# %% [markdown] key="own-data-text" tags=["own-data", "slide"]
# ## With your own data
#
# How many of your customers could the people at your counter, on the phone or in the chat know by heart? Change two
# lines; your file may be CSV, Excel or Parquet. (In a terminal, `crmkit check-data YOUR_FILE --save roles.toml` writes
# the roles: which column holds the customer, the day, the amount.)

# %% key="own-data" tags=["own-data"]
from crmkit import lifecycle, shipped
from crmkit.tables import Transactions

my_file = shipped.folder("datasets") / "ten_customers" / "orders.csv"
my_roles = shipped.folder("datasets") / "ten_customers" / "roles.toml"

my_orders = Transactions.read(my_file, roles=my_roles)
my_memory = lifecycle.recognition.recognised_customers(my_orders, remembers=150)
my_repeats = my_memory["repeat_visits"].sum()
print(f"{len(my_memory):,} customers, {my_repeats:,} repeat visits")
if my_repeats:
    my_share = my_memory["recognised"].sum() / my_repeats
    print(f"a memory of 150 faces would recognise {my_share:.0%} of them")
my_memory.head()

# %% [markdown] key="discussion" tags=["discussion", "slide"]
# ## Discussion
#
# 1. Which of the eight definitions would you hang on the wall of your firm? What would the sales team say about it, what the IT
#    department?
# 2. The owner of the snack shop knows things about her guests that they never agreed to have stored. Is a memory in a head
#    different from one in a database?
# 3. A vendor shows you sales of *all* its customers, before and after. What can still be wrong?
# 4. The sources say that CRM "raises efficiency, saves labour cost, finds more business chances". Choose one of the three and
#    write down the figure, the comparison and the date by which it must be seen.
# 5. Who in your firm would be worse off if the system worked?

# %% [markdown] key="note-discussion" tags=["instructor"]
# **Trainer.** For 2: the law in many countries treats the database, not the head; the customer may feel the reverse.
# For 3: firms buy when business is bad (it then recovers by itself) or when it is good (they can afford it); only a
# comparison with similar firms, or a roll-out in steps, answers it. For 5: whoever owns the contacts today. It is the
# most useful question of the lesson, since such people decide whether a system is used; part 4 comes back to it.

# %% [markdown] key="progress-text"
# ## How far did you get?

# %% key="progress" tags=["nbval-ignore-output"]
progress()

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what the data say; below, those that differ.
spoken = said.codings.groupby("attribute")["says_so"].sum()
measured = evaluation.kpi.measure(journey, period="3 months").round(2)
behind = audit["behind_it"].value_counts()
quoted = {
    "loyalty": (spoken["loyalty"], 6),
    "process": (spoken["process"], 2),
    "profit": (spoken["profit"], 4),
    "formulas": (len(kpis), 22),
    "basket before": (measured.loc["average transaction value", "before"], 28.86),
    "basket now": (measured.loc["average transaction value", "now"], 30.55),
    "its interval": (
        measured.loc["average transaction value", ["low", "high"]].to_list(),
        [29.51, 31.6],
    ),
    "claims": (len(audit), 40),
    "causal": ((audit["kind"] == "causal").sum(), 16),
    "causal with a name": (
        (audit.query("kind == 'causal'")["behind_it"] > "nobody is named").sum(),
        0,
    ),
    "rules described": (behind["the rule is described"], 2),
    "method given": (behind["the method is given"], 0),
    "households": (len(households), 2469),
    "regulars of 400": (round(view.share, 2), 0.64),
    "if all alike": (round(alike.share, 2), 0.40),
    "a day": (round(households["visits"].sum() / 365, -1), 350),
    "in a store": (largest, 214),
    "best 150": (round(best_150, 2), 0.21),
    "heard": (round(growth[answers].mean(), 2), 0.39),
    "not heard": (round(growth[~answers].mean(), 2), -0.08),
    "cells equal": ((ours == by_rule).sum(), 59),
    "by chance": (round(evaluation.claims.agreement(ours, by_rule).by_chance, 1), 0.5),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
