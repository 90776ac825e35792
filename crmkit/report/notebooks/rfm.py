# %% [markdown] key="title" tags=["notebook-only"]
# # RFM report
#
# This notebook made `rfm_report.html` and the files beside it. Change a value or a cell and run all cells: tables and
# pictures are made again, and the CSV and Excel files in this folder are written again. The page itself is made by
# `crmkit report rfm` only.

# %% [markdown] key="about-parameters" tags=["notebook-only"]
# What the run was asked for. `source`, and `roles` and `segment_map` where they are files, are absolute paths: change
# them if the files have moved.

# %% key="parameters" tags=["parameters"]
source = "orders.csv"
roles = {}
reading = {}
as_of = None
segment_map = "ten_segments"
bins = 5
capacity = 200
control_share = 0.1
segments_wanted = None
seed = 1
pseudonymise = False
recorded = {}

# %% key="read" step="Reading and checking the rows"
from pathlib import Path

import pandas as pd

from crmkit import evaluation, lifecycle, segmentation, show, tables
from crmkit.report import export, passages, pseudonyms
from crmkit.report import rfm_text as report
from crmkit.report.notebook import spare_memory
from crmkit.report.page import Picture

rfm = segmentation.rfm
segment_rules = rfm.SegmentMap.load(segment_map)
orders = tables.Transactions.read(source, **{"roles": roles or None, **reading})
spare_memory(orders)
ledger = orders.ledger.table  # counted now, while memory is free
verdict = tables.check(orders)

# %% key="halves" step="Comparing the two halves of the data"
matrix, about_halves = report.halves(orders, verdict, as_of or orders.last_day, bins, segment_rules)

# %% key="summary" step="Summing up each customer"
columns = ["first_order", "last_order", "recency_days", "orders", "spend"]
summary = lifecycle.summary(orders, as_of=as_of)[columns]
if pseudonymise:
    summary = pseudonyms.put(summary)

# %% key="score" step="Scoring and segmenting"
cuts = rfm.cut_points(summary, bins=bins)
scores = rfm.score(summary, cuts=cuts)
del summary
stretched = segment_rules.bins != bins
segments = rfm.segment(scores, segment_rules, rescale=stretched)
del scores
cards = rfm.cards(segments, segment_rules)

# %% key="action-list" step="Choosing whom to contact"
todo = evaluation.actions.action_list(
    segments, cards, capacity=capacity, control_share=control_share, segments_wanted=segments_wanted, seed=seed
)

# %% key="export" step="Writing CSV and Excel"
export.write_csv(todo, "action_list.csv")
export.write_csv(segments.reset_index(), "customers.csv")
export.write_csv(cards, "segments.csv")
export.write_csv(ledger, "ledger.csv")
export.write_excel(
    "action_list.xlsx",
    {
        "What this is": f"Action list of the RFM report on {Path(source).name}, as of {segments.attrs['as_of']}",
        "How to use it": "Contact those marked 'contact' before the day due; leave those marked 'control' alone, "
        "or it will not be known what the contact did.",
        "In words": todo.attrs["note"],
        "Customer ids": "replaced by pseudonyms" if pseudonymise else "as in the data",
    },
    {"Action list": todo, "Segments": cards, "Ledger": ledger},
)

# %% key="head" step="Drawing"
passages.title("RFM report", segments, Path(source).name)

# %% key="answer"
report.answer(segments, cards, todo)

# %% key="tiles"
report.tiles(segments, cards, todo)

# %% key="limits"
report.limits(orders, verdict)

# %% [markdown] key="list"
# ## Whom to contact first
#
# Best value first. The full list is in `action_list.csv` and `action_list.xlsx`, beside this page.

# %% key="plan"
report.plan(cards, todo)

# %% key="list-head"
report.list_head(segments, todo)

# %% [markdown] key="control"
# ### How it will be known whether it worked

# %% key="control-group"
passages.control_group(todo)

# %% [markdown] key="segments"
# ## The segments
#
# Each customer has three scores: how recently (R), how often (F) and for how much (M) they bought. A segment is a group
# of scores with a name. The first picture compares a segment's share of customers with its share of money.

# %% key="segment-bars"
Picture(show.segment_bars(cards))

# %% key="segment-cards"
show.segment_cards(cards)

# %% [markdown] key="grid"
# ### Where the customers sit
#
# Best customers are at the top right: they were here lately and come often. Bottom right are those who came often and
# stopped coming.

# %% key="heat-map"
Picture(show.rfm_heat_map(segments))

# %% [markdown] key="moved"
# ## Who moved between the two halves of the data

# %% key="migration"
passages.paragraph(about_halves)

# %% key="migration-picture"
if matrix is not None:
    display(Picture(show.migration(matrix)))

# %% [markdown] key="data"
# ## The rows behind the numbers
#
# Nothing is dropped in silence. Rows read are kept, merged or set aside, and their money adds up. Flagged rows are kept:
# they are usual in some trades and errors in others, so have a look.

# %% key="ledger-table"
show.ledger_table(orders.ledger, currency=orders.currency)

# %% key="reconciled"
passages.reconciled(orders, segments)

# %% key="ledger-picture"
Picture(show.ledger(orders.ledger, currency=orders.currency))

# %% [markdown] key="carry"
# ### What these data can carry

# %% key="verdict"
passages.carries(verdict)

# %% [markdown] key="method"
# ## How this was made
#
# **Scores.** For each of R, F and M the customers are put in order and cut into groups of equal size as far as that is
# possible: customers with the same value always get the same score, so a value that many share fills one score and may
# leave another empty. The highest score is best. **Segments** are rules on these scores, read from the top; the rules
# below are one choice among many, not a standard. **The action list** takes the customers with the highest spend among
# the segments that have an action. **Refunds** are taken off the customer's money. A purchase occasion is a day.

# %% key="ties-r"
Picture(show.score_distribution(segments, "r"), width=560)

# %% key="ties-f"
Picture(show.score_distribution(segments, "f"), width=560)

# %% key="ties-m"
Picture(show.score_distribution(segments, "m"), width=560)

# %% key="cut-points"
report.cut_points(cuts, orders.currency)

# %% key="map"
report.segment_map(segment_rules, segment_rules.check(None if stretched else segments))

# %% key="method-table"
report.method(
    Path(source).name,
    orders,
    segments,
    {
        "Segment map": segment_rules.name + (", stretched over other bins" if stretched else ""),
        "Contacts that can be made": "no limit" if capacity is None else capacity,
        "Segments on the list": ", ".join(segments_wanted or ["all that have an action"]),
        "Control group": f"{control_share:.0%} of those chosen, random seed {seed}",
        "Customer ids": "replaced by keyed pseudonyms (HMAC-SHA256)" if pseudonymise else "as in the data",
    },
    recorded,
)

# %% [markdown] key="own-cells" tags=["notebook-only"]
# ## Your own questions
#
# `segments` has one row a customer, `orders.table` one row an order line. The rows that the ledger set aside, to repair
# them at their source: `orders.ledger.rows("the reason as in the table above")`.
