# ---
# jupyter:
#   crmkit:
#     title: "Part 1 · Take-away"
#     part: "Lifecycle"
#     questions:
#       - "What of this part will you still use in a year?"
#     objectives:
#       - "carry the questions of the six lessons to a firm's own order book"
#     teaching_minutes: 15
#     exercise_minutes: 0
#     optional_minutes: 0
#     needs: ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]
#     data: []
#     sources: []
#     keypoints:
#       - "First the record, then the stage, then the value, then the action, then the proof. Skipping one makes the next a guess."
#       - "Every figure has a definition, an interval and a design. Ask for all three."
#       - "A model that does not beat a simple rule on data it has not seen is decoration."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## Six questions for Monday morning
#
# Take these to a meeting where somebody shows a slide about customers.
#
# 1. **Who says so, and how was it measured?** (1.1) A percentage without its year, its population and its number asked is a
#    decoration.
# 2. **Is that one customer or three records?** (1.2) Every count of customers rests on a merge. Ask for its precision and its
#    recall, or at least for ten merged pairs to look at.
# 3. **By which rule is she "in decline"?** (1.3) Ask what happens if the threshold moves by a week, and how often those called lost
#    came back.
# 4. **Would they have come anyway?** (1.4) Cost by source says what was spent, not what was caused.
# 5. **What did the model predict for a time that it had not seen, and what would "as before" have predicted?** (1.5)
# 6. **Who was left alone, so that we can compare?** (1.6) Without a control group a win-back campaign is an opinion.

# %% [markdown] key="traps" tags=["slide"]
# ## Traps that you have now seen from inside
#
# | Trap | Where you met it | What protects you |
# |---|---|---|
# | survivors answer, and look grown | 1.1 | ask for those who were not heard |
# | a family with one telephone becomes one person | 1.2 | never merge on one field |
# | everybody in January looks new | 1.3 | know where your data begin |
# | the last click takes the credit | 1.4 | compare several rules, and doubt all of them |
# | weeks taken for days | 1.5 | carry the unit with the number |
# | P(alive) = 1 for who bought once | 1.5 | know what a model assumes |
# | a feature that knows the future | 1.6 | fix a cut-off day, and refuse later rows |
# | treating the riskiest | 1.6 | treat those whom it changes |

# %% [markdown] key="own" tags=["slide"]
# ## On your own data, in two commands
#
# ```
# crmkit check-data orders.csv --save roles.toml
# crmkit report lifecycle orders.csv --roles roles.toml --margin 0.3 --out report
# ```
#
# The first says what your data can carry, analysis by analysis. The second makes one page: stages, cohorts, value with its
# scorecard, a watch list, and a call list with its control group. For figures of one period beside the one before:

# %% key="figures"
from crmkit import evaluation, shipped
from crmkit.tables import Transactions

bakery = shipped.folder("datasets") / "ten_customers"
orders = Transactions.read(bakery / "orders.csv", roles=bakery / "roles.toml")
evaluation.kpi.measure(orders, period="3 months")[["before", "now", "unit"]].round(2)

# %% [markdown] key="next" tags=["slide"]
# ## What comes next
#
# This part looked at *when*: where a customer stands in time. Part 2 looks at *who*: which customers are alike, and what
# follows. Part 3 looks at *how*: contacts, memberships, service. Part 4 walks whole cases.
