# %% [markdown] key="title" tags=["notebook-only"]
# # Segments report
#
# This notebook made `segments_report.html` and the files beside it. Change a value or a cell and run all cells: tables and
# pictures are made again, and the CSV files in this folder are written again. The page itself is made by
# `crmkit report segments` only.

# %% key="parameters" tags=["parameters"]
source = "orders.csv"
roles = {}
reading = {}
as_of = None
segment_map = "ten_segments"
most_clusters = 6
smallest = 50
seed = 1
pseudonymise = False
recorded = {}

# %% key="read" step="Reading and checking the rows"
from pathlib import Path

import pandas as pd

from crmkit import segmentation, show, tables
from crmkit.report import export, passages, pseudonyms
from crmkit.report import segments_steps as steps
from crmkit.report import segments_text as report
from crmkit.report.notebook import spare_memory
from crmkit.report.page import Picture

orders = tables.Transactions.read(source, **{"roles": roles or None, **reading})
spare_memory(orders)
ledger = orders.ledger.table  # counted now, while memory is free
verdict = tables.check(orders)
today = as_of or orders.last_day
currency = orders.currency
segment_rules = segmentation.rfm.SegmentMap.load(segment_map)

# %% key="judge" step="Judging each division on the second half of the data"
judged = steps.judge(orders, today, segment_rules, most_clusters, smallest, seed)

# %% key="labels" step="Giving every customer all labels"
people, found = steps.labels(orders, today, segment_rules, judged.k, seed)
if pseudonymise:
    people = pseudonyms.put(people)

# %% key="export" step="Writing CSV"
no_clusters = pd.DataFrame({"note": judged.words or ["no clusters were made"]})
no_scores = pd.DataFrame({"note": judged.words})
export.write_csv(people.reset_index(), "customers.csv")
export.write_csv(found["bands"].reset_index(), "value_bands.csv")
export.write_csv(found["rfm"], "rfm_segments.csv")
export.write_csv(found["clusters"].reset_index() if "clusters" in found else no_clusters, "clusters.csv")
export.write_csv(judged.compared.reset_index() if judged.compared is not None else no_scores, "score_card.csv")
export.write_csv(ledger, "ledger.csv")

# %% key="head" step="Drawing"
passages.title("Segments report", people, Path(source).name)

# %% key="answer"
report.answer(people, found, judged)

# %% key="tiles"
report.tiles(people, found, judged)

# %% key="limits"
report.limits(orders, verdict)

# %% [markdown] key="which"
# ## Which division is good for what?
#
# Each division was made from the first half of the data and made again, by the same rule, in the second. Four principles, four
# numbers from 0 to 1, and no sum of them: what counts depends on the decision.

# %% key="grid"
if judged.compared is not None:
    display(Picture(show.principle_grid(judged.compared)))

# %% key="scores"
if judged.cards:
    display(report.score_table(judged))

# %% [markdown] key="unequal"
# ## How unequal are the customers?

# %% key="lorenz"
if people["spend"].sum() > 0:
    display(Picture(show.lorenz_curve(people["spend"])))

# %% [markdown] key="bands"
# ## Value bands

# %% key="band-table"
report.bands(found["bands"], people.attrs["cuts"], currency)

# %% key="band-map"
Picture(show.value_band_map(people))

# %% [markdown] key="rfm"
# ## RFM segments

# %% key="segment-bars"
Picture(show.segment_bars(found["rfm"]))

# %% key="segment-cards"
show.segment_cards(found["rfm"])

# %% [markdown] key="clusters"
# ## Segments found in the data
#
# Customers are grouped by days since the last order, number of orders and money, after logarithms and scaling, so that each
# column counts alike. Names are proposed from the medians; they describe what was, and promise nothing.

# %% key="cluster-table"
report.cluster_table(found["clusters"], currency) if "clusters" in found else passages.paragraph(
    "No clusters were made: " + " ".join(judged.words)
)

# %% key="cluster-number"
if judged.chosen_k is not None:
    display(report.tried(judged.chosen_k, judged.k))

# %% [markdown] key="data"
# ## The rows behind the numbers
#
# Nothing is dropped in silence. Rows read are kept, merged or set aside, and their money adds up.

# %% key="ledger-table"
show.ledger_table(orders.ledger, currency=currency)

# %% key="reconciled"
passages.reconciled(orders, people)

# %% [markdown] key="carry"
# ### What these data can carry

# %% key="verdict"
passages.carries(verdict)

# %% [markdown] key="method"
# ## How this was made
#
# **Value bands** cut orders and spend at thirds. **RFM segments** follow the segment map. **Clusters** are k-means; of the
# numbers tried, the one is taken that says most about the money of the second half among those whose clusters come again when
# half of the customers are left out. **Measurable** is the share with a label, **actionable** the share in segments that are large
# enough, **differentiable** the share of the variance of later money between segments, **stable** the adjusted Rand index.

# %% key="method-table"
passages.method(
    Path(source).name,
    orders,
    today,
    {
        "Segment map": segment_rules.name,
        "Clusters tried": f"2 to {most_clusters}",
        "Smallest useful segment": smallest,
        "Random seed": seed,
        "Customer ids": "replaced by keyed pseudonyms (HMAC-SHA256)" if pseudonymise else "as in the data",
    },
    recorded,
)

# %% [markdown] key="own-cells" tags=["notebook-only"]
# ## Your own questions
#
# `people` has one row a customer with all labels. Judge a label of your own with
# `segmentation.principles.score(labels, customers=people.index)`.
