# ---
# jupyter:
#   crmkit:
#     title: "Part 1 · Lifecycle: how customers come, stay and leave"
#     part: "Lifecycle"
#     questions:
#       - "What happens to a hundred customers after their first purchase?"
#       - "Which decisions belong to which time of a customer's life?"
#     objectives:
#       - "name the six stages and the three phases of the customer lifecycle"
#       - "say which lesson of this part answers which question of a firm"
#     teaching_minutes: 15
#     exercise_minutes: 0
#     optional_minutes: 0
#     needs: []
#     data: ["cdnow"]
#     sources: ["001 §2.1", "001 §2.1.1–2.1.3"]
#     keypoints:
#       - "Most customers of a shop buy once. What a firm earns, it earns from the few who return."
#       - "A stage is a hypothesis about what a customer will do next, and every stage has its own task."
#       - "Without a contract nobody says good-bye: leaving has to be defined before it can be counted."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## What became of them?
#
# In the first weeks of 1997, 2,357 people bought their first music from CDNOW, a shop on the young internet. The shop kept
# a list of what they bought until the middle of 1998. That list has been published, and it is as close as this course
# can come to watching customers live: they come, a few become regulars, and most are never seen again.
#
# When the second year began, the owner of such a shop had to decide. How much may a new customer cost? Whom do we write to? Who has left, and
# who is just resting? All six lessons of this part are about that list, or about lists like it.

# %% [markdown] key="how-many-return" tags=["slide"]
# ## How many return?

# %% key="again" tags=["fragment", "notes"]
from crmkit import datasets, lifecycle

music = datasets.load("cdnow").transactions
buyers = lifecycle.summary(music)
once = (buyers["x"] == 0).mean()
top_fifth = (
    buyers["spend"].nlargest(round(len(buyers) / 5)).sum() / buyers["spend"].sum()
)
print(f"{len(buyers):,} customers; {once:.0%} bought on one day only")
print(f"the best-paying fifth left {top_fifth:.0%} of the money")

# %% [markdown] key="again-look"
# More than half came once. The firm paid to win all of them, and lives on the others. That is the simplest reason to think
# of customers in **stages** and not in one heap.

# %% [markdown] key="stages" tags=["slide"]
# ## Six stages, three phases
#
# | Stage | How you see it | The firm's task | Phase |
# |---|---|---|---|
# | prospect | interested, has not bought | attract | acquisition |
# | new | first purchase | serve well, begin a relation | acquisition |
# | growth | buys more | add services, recommend | retention |
# | mature | steady, most of the income | keep satisfied, cross-sell | retention |
# | decline | buys less | find the cause, make an offer | churn |
# | lost | gone | win back those who are worth it | churn |
#
# The sources name the six stages and speak of three phases of management: winning, keeping, and dealing with loss. They
# do not say which stage belongs to which phase; the last column is our proposal. Nor do they say *when* a customer is in
# decline. In a supermarket three weeks of silence are a sign, in a furniture shop three years are none. Lesson 1.3 makes
# that a rule that everybody can read, and tests it where the truth is known.

# %% [markdown] key="map" tags=["slide"]
# ## The lessons
#
# | Lesson | After it you can |
# |---|---|
# | 1.1 What CRM is | say what a claim such as "+37 % sales" is worth |
# | 1.2 The customer record | make one customer out of three records, and know how often you err |
# | 1.3 Six stages | say where each customer stands, and what the mix will be next quarter |
# | 1.4 Acquisition and AARRR | say what a new customer costs, and doubt it for the right reason |
# | 1.5 Retention and lifetime value | say what a customer is worth, and whether to believe the model |
# | 1.6 Churn warning and win-back | choose whom to call before it is too late, and show that it helped |
#
# Each stands on its own. Read them in this order if you have the time; begin with 1.3 if you have customers to look
# after, and with 1.5 if you have a budget to defend.

# %% [markdown] key="data" tags=["slide"]
# ## Real and simulated customers
#
# Two data sets of this part are real: **CDNOW** (a cohort of buyers) and **Complete Journey** (a year of baskets). Both hold
# purchases and nothing else: no visits before the first order, no costs, no reasons for leaving, no experiment.
#
# Where these are needed, the course uses **simulated firms**: a web shop, a mall, a coffee subscription. They come with the
# dirt that real tables have, and with something no real table has: the **truth**. There a rule, a model or a merge of records can be
# graded like an exam. What a simulation can *not* tell is how the world is; it tells whether a method finds what is there.
