# %% [markdown] key="title" tags=["notebook-only"]
# # Lifecycle report
#
# This notebook made `lifecycle_report.html` and the files beside it. Change a value or a cell and run all cells: tables and
# pictures are made again, and the CSV and Excel files in this folder are written again. The page itself is made by
# `crmkit report lifecycle` only.

# %% [markdown] key="about-parameters" tags=["notebook-only"]
# What the run was asked for. `source`, and `roles` and `rules` where they are files, are absolute paths: change them if the
# files have moved.

# %% key="parameters" tags=["parameters"]
source = "orders.csv"
roles = {}
reading = {}
as_of = None
rules = "six_stages"
margin = 1.0
discount = 0.1
capacity = 200
control_share = 0.1
seed = 1
pseudonymise = False
recorded = {}

# %% key="read" step="Reading and checking the rows"
from pathlib import Path

import pandas as pd

from crmkit import lifecycle, show, tables
from crmkit.report import export, passages, pseudonyms
from crmkit.report import lifecycle_steps as steps
from crmkit.report import lifecycle_text as report
from crmkit.report.notebook import spare_memory
from crmkit.report.page import Picture

orders = tables.Transactions.read(source, **{"roles": roles or None, **reading})
spare_memory(orders)
ledger = orders.ledger.table  # counted now, while memory is free
verdict = tables.check(orders)
today = as_of or orders.last_day
currency = orders.currency

# %% key="stages" step="Finding each customer's stage"
found = steps.stages(orders, today, rules)
tasks = lifecycle.stages.tasks(found.now, rules)

# %% key="cohorts" step="Following cohorts"
cohorts, about_cohorts = steps.cohort_table(orders, today)
measured, about_measured = steps.key_figures(orders, today)

# %% key="worth" step="Fitting and judging the models of value"
worth = steps.worth(orders, today, margin, discount)

# %% key="people" step="Choosing whom to call"
people = steps.customers(found.now, worth.values)
if pseudonymise:
    people = pseudonyms.put(people)
value = "clv" if "clv" in people.columns else "spend"
watched = people[people["stage"] == "decline"].sort_values([value, "spend"], ascending=False, kind="stable")
todo = steps.call_list(
    people, tasks, capacity=capacity, control_share=control_share, seed=seed, as_of=today
)

# %% key="export" step="Writing CSV and Excel"
empty = pd.DataFrame
export.write_csv(todo, "call_list.csv")
export.write_csv(watched.reset_index(), "watch_list.csv")
export.write_csv(people.reset_index(), "customers.csv")
export.write_csv(tasks.reset_index(), "stages.csv")
export.write_csv(cohorts if cohorts is not None else empty({"note": [about_cohorts]}), "cohorts.csv")
export.write_csv(
    measured.reset_index() if measured is not None else empty({"note": [about_measured]}), "key_figures.csv"
)
export.write_csv(
    worth.card.table.reset_index() if worth.card is not None else empty({"note": worth.words}), "scorecard.csv"
)
export.write_csv(ledger, "ledger.csv")
export.write_excel(
    "call_list.xlsx",
    {
        "What this is": f"Call list of the lifecycle report on {Path(source).name}, as of {people.attrs['as_of']}",
        "How to use it": "Call those marked 'contact' before the day due; leave those marked 'control' alone, "
        "or it will not be known what the call did.",
        "In words": todo.attrs["note"],
        "Customer ids": "replaced by pseudonyms" if pseudonymise else "as in the data",
    },
    {"Call list": todo, "Watch list": watched.reset_index(), "Stages": tasks.reset_index(), "Ledger": ledger},
)

# %% key="head" step="Drawing"
passages.title("Lifecycle report", people, Path(source).name)

# %% key="answer"
report.answer(people, todo, worth, currency)

# %% key="tiles"
report.tiles(people, worth, todo, currency)

# %% key="limits"
report.limits(orders, verdict, margin)

# %% [markdown] key="list"
# ## Whom to call first
#
# Customers in decline, those with most still to lose first. The full list is in `call_list.csv` and `call_list.xlsx`; everybody in
# decline is in `watch_list.csv`.

# %% key="list-head"
report.list_head(people, todo, currency)

# %% [markdown] key="control"
# ### How it will be known whether it worked

# %% key="control-group"
passages.control_group(todo)

# %% [markdown] key="where"
# ## Where the customers are
#
# Each customer is in one of six stages, by rules that look at the customer's own rhythm. The rules are one choice among many;
# they stand at the end of this page.

# %% key="stage-table"
report.stage_table(tasks, currency)

# %% key="stage-words"
report.words(found.words)

# %% key="stage-mix"
if len(found.tables) > 1:
    display(Picture(show.stage_mix(found.tables)))

# %% key="transitions"
if found.matrix is not None:
    display(Picture(show.transition_matrix(found.matrix)))

# %% key="coming"
if found.coming is not None:
    display(report.coming(found.coming))

# %% key="tested"
if found.tested is not None:
    display(passages.paragraph(found.tested.attrs["verdict"]))

# %% [markdown] key="come-back"
# ## Do new customers come back?

# %% key="cohort-picture"
if cohorts is not None:
    display(Picture(show.cohort_heat_map(cohorts)))

# %% key="cohort-words"
passages.paragraph(about_cohorts)

# %% [markdown] key="figures"
# ## Key figures

# %% key="key-figures"
report.figures(measured, currency) if measured is not None else passages.paragraph(about_measured)

# %% [markdown] key="value"
# ## What they are still worth
#
# A model of purchases learns from the first two thirds of the time and predicts the last third, which it has not seen. It
# stands beside three simple rules; where it does not beat them, the text says so.

# %% key="scorecard"
if worth.card is not None:
    display(report.verdict_on(worth.card))

# %% key="scorecard-picture"
if worth.card is not None:
    display(Picture(show.scorecard(worth.card)))

# %% key="tracking"
if worth.track is not None:
    display(Picture(show.model_tracking(worth.track)))

# %% key="models"
if worth.values is not None:
    display(report.models(worth, margin, discount, currency))

# %% key="worth-words"
report.words(worth.words)

# %% [markdown] key="data"
# ## The rows behind the numbers
#
# Nothing is dropped in silence. Rows read are kept, merged or set aside, and their money adds up. Flagged rows are kept:
# they are usual in some trades and errors in others, so have a look.

# %% key="ledger-table"
show.ledger_table(orders.ledger, currency=currency)

# %% key="reconciled"
passages.reconciled(orders, people)

# %% key="ledger-picture"
Picture(show.ledger(orders.ledger, currency=currency))

# %% [markdown] key="carry"
# ### What these data can carry

# %% key="verdict"
passages.carries(verdict)

# %% [markdown] key="method"
# ## How this was made
#
# **Stages** compare a customer's silence and purchases with the customer's own rhythm, mixed with that of the trade where there
# are few purchases. **Moves** between quarters use the same yardstick throughout. **The forecast** lets customers move as they
# moved before; it knows no season. **Cohorts** are customers by the period of their first purchase in the data. **Values** come
# from a purchase model (BG/NBD or MBG/NBD, whichever was more likely before the hold-out) and a model of money (Gamma-Gamma).
# **The call list** takes customers in decline with the highest value. **Refunds** are taken off the customer's money.

# %% key="method-table"
passages.method(
    Path(source).name,
    orders,
    today,
    {
        "Rules of the stages": found.now.attrs["rules"],
        **{f"Rule: {name.replace('_', ' ')}": f"{number:g}" for name, number in found.now.attrs["numbers"].items()},
        "Margin": f"{margin:g}",
        "Discount a year": f"{discount:g}",
        "Calls that can be made": "no limit" if capacity is None else capacity,
        "Control group": f"{control_share:.0%} of those chosen, random seed {seed}",
        "Customer ids": "replaced by keyed pseudonyms (HMAC-SHA256)" if pseudonymise else "as in the data",
    },
    recorded,
)

# %% [markdown] key="own-cells" tags=["notebook-only"]
# ## Your own questions
#
# `people` has one row a customer, `orders.table` one row an order line, `worth.model` is the fitted model. The rows that the
# ledger set aside, to repair them at their source: `orders.ledger.rows("the reason as in the table above")`.
