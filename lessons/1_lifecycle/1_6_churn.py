# ---
# jupyter:
#   crmkit:
#     title: "Churn warning and win-back"
#     part: "Lifecycle"
#     questions:
#       - "Whom should we call before they leave, and is the call worth its price?"
#       - "When is a customer lost who never signed anything?"
#       - "Who of the lost can be won back, and how would we know that it was us?"
#     objectives:
#       - "define churn with a contract and without one, and say how far the rate depends on the definition"
#       - "build features that cannot know the future, and find out a file that does"
#       - "warn by a rule and by a model, and judge both by what they catch, how early, and what they cost"
#       - "measure a win-back with a control group, and tell a naive figure from a randomised one"
#       - "choose by expected value and by persuadability instead of by danger"
#       - "hand over a call list that keeps to its budget, to consent and to a control group"
#     teaching_minutes: 74
#     exercise_minutes: 46
#     optional_minutes: 54
#     needs: []
#     data: ["subscription", "shop"]
#     sources: ["001 §2.1: decline, lost", "001 §2.1.3: churn, its signs and its follow-up", "001 §3.1.2: churn warning", "001 §4.2(7): risk management", "002.A3: after churn, filter by reason and win back"]
#     keypoints:
#       - "Without a contract, leaving is a definition. Say the length of silence with every churn rate."
#       - "A warning comes before the leaving. What is written down at the notice, or after it, is no sign."
#       - "A column without a day, or one that is too good to be true, is under suspicion until its owner has explained it."
#       - "Warn where the next warning still pays: the risk times what a call saves must exceed its price."
#       - "The customers in most danger are mostly beyond help. Act where the action changes something."
#       - "Whoever opened the letter was more likely to come anyway. Only those left alone by lot can tell what the letter did."
#       - "A win in responses can be a draw in money, and an interval tells which of the two was shown."
# ---

# %% [markdown] key="question" tags=["question", "slide"]
# ## The question from practice
#
# **Postmill** sends a box of coffee every month. Of its 1,600 subscribers some 4 in 100 give notice each month. The
# service desk can call people *before* they do. A call costs **6 euros**, and keeps about **three in ten** of those
# who were going to leave. A subscriber who stays is worth **150 euros** more. Whom shall the desk call on Monday?
#
# **Harbour** sells coffee and household goods on the web. Nobody gives notice there. Customers just stop. Who of them
# is lost, who is worth a letter, and how would anybody know that it was the letter?
#
# The sources of this course ask two questions about churn: *who* is near leaving, and *why*. They name three things
# to watch: activity, purchase frequency, satisfaction. This lesson adds the question that decides whether any of it
# pays: *whom can we still move?*

# %% [markdown] key="note-opening" tags=["instructor"]
# **Trainer.** Ask: "You may call a hundred customers. Those who will leave almost surely, or others?" Nearly every
# class says "those in danger". Write it on the board. The lesson takes this answer apart in two steps: a call to
# somebody who stays is wasted (threshold), and so is one to somebody who cannot be moved (persuadable).
#
# Time: 5 minutes. The lesson takes 74 minutes of teaching and 46 of core exercises. Teaching: opening, recall and data 10,
# who has left 6, what was known and what to watch 6, rule 5, model 9, IT's file 5, reasons 3, the letter 6, persuadable 7,
# call list 6, widget 3, claim check 2, own data and discussion 6. The sections marked optional take 20 more. In a half-day
# workshop show 1.6-2 instead of working it.

# %% [markdown] key="recall" tags=["recall"]
# ## Recall
#
# Lesson 1.5 separated two kinds of trade. **With a contract** the firm sees who leaves, and on which day.
# **Without one** it sees silence. Everything below is done twice, on either side of that line.
#
# You need a little pandas: choose rows by a condition, count, sort, take a mean. A **control group** is a random part
# of the customers that we leave alone, so that we can see what would have happened anyway. Who belongs to it is decided
# **by lot**, that is, by chance and by nothing else.

# %% key="setup"
import pandas as pd

from crmkit import InputError, datasets, lifecycle, show
from crmkit.classroom import check, defend, progress, quiz
from crmkit.evaluation import differences, experiments
from crmkit.lifecycle import (
    churn,
    churn_evaluation,
    churn_features,
    churn_warning,
    retention,
    win_back,
)

pd.set_option("display.max_colwidth", 110)

# %% [markdown] key="data" tags=["data", "slide"]
# ## The data
#
# Both firms are **simulated**: the people never were, and so we know the truth about each of them. What a real firm
# would have stands in one group of tables, the truth in another, whose names begin with `truth_`. We look at the
# truth only to grade ourselves.

# %% key="firms" tags=["fragment", "notes"]
postmill = datasets.load("subscription")
harbour = datasets.load("shop")
postmill.cancellations.head(3)

# %% [markdown] key="data-look"
# Postmill has subscribers and their notices, monthly usage (boxes, skipped boxes, logins), tickets, payments. Harbour
# has orders, surveys and campaigns, one of them drawn by lot. What these data can *not* show: anything about a real
# market. Here each person leaves for one cause only, and people do not talk to each other. A method that works here has
# passed a test, no more; a method that fails here should not be tried on customers.

# %% [markdown] key="predict" tags=["predict", "slide"]
# ## Predict before you run
#
# In April 2025 Harbour wrote "We miss you" to customers who had bought nothing for 90 days or more. Who got the
# letter was decided by lot. Before you go on, choose:

# %% key="predict-quiz" tags=["fragment", "notes"]
quiz(
    "Of which customers did the letter bring back the most?",
    {
        "those silent the longest": "They need it most. Does it help them, too?",
        "those who had bought often before": "Keep it in mind for the win-back.",
        "all alike": "Then it would not matter whom we write to.",
    },
    right="those who had bought often before",
)

# %% [markdown] key="analysis" tags=["analysis", "slide"]
# ## Who has left?
#
# With a contract this is counting. The **churn rate** of a period is the share of those under contract at its
# beginning who are gone at its end.

# %% key="contract-churn" tags=["fragment", "notes"]
contracts = postmill.subscribers.merge(
    postmill.cancellations, on="customer_id", how="left"
)
by_quarter = retention.contract_rates(
    contracts, ended="cancelled_on", period="quarters", as_of="2025-12-31"
)
by_quarter["churn"] = 1 - by_quarter["share_kept"]
by_quarter.tail(4)[["at_start", "kept", "churn"]].round(3)

# %% [markdown] key="contract-churn-look"
# Between 9 and 12 in 100 left in each quarter of 2025. This is the first of three figures that the sources want
# checked regularly; the others are satisfaction and loyalty. A rate that is checked needs its definition beside it:
# per month, per quarter or per year, of those who were there at the beginning.
#
# Harbour has no such table. Here *leaving* has to be **defined**: no purchase for so and so long. How long?

# %% key="silence" tags=["subslide", "notes"]
horizons = ["1 month", "2 months", "3 months", "6 months", "9 months", "12 months"]
silence = churn.by_horizon(harbour.transactions, cutoff="2024-12-31", horizons=horizons)
ax = show.churn_by_horizon(silence)

# %% [markdown] key="silence-look"
# We stand on 31 December 2024 and look at everybody who had bought during that year. The solid line is the share that
# we would call lost if so many days of silence were our definition. The dashed line says how many of them bought
# again afterwards: we had written them off too soon. (The data end one year later, so the longer definitions leave
# less time to be seen coming back, and the last one none.)
#
# Neither line has a step that says "here". The longer we wait, the more certain we are, and the later.

# %% [markdown] key="1.6-1-task" tags=["subslide"]
# ### Exercise 1.6-1 · do · 5 minutes
#
# Two managers report Harbour's churn rate. One calls a customer lost after **2 months** of silence, the other after
# **6 months**. By how many **percentage points** is the first rate higher? Take both from the column `rate` of
# `silence`, which has shares between 0 and 1, and put the difference in `points_apart`, with at least one digit after
# the point.

# %% key="1.6-1" tags=["solution"] answers="points_apart"
rates = silence.set_index("horizon")["rate"]
points_apart = (rates["2 months"] - rates["6 months"]) * 100

# %% key="1.6-1-check" tags=["check"]
check("1.6-1")

# %% [markdown] key="lost-or-declining"
# The sources leave this threshold open, and so the line between a *declining* and a *lost* customer too. A workable
# rule: choose the silence after which about one in eight still comes back unasked. Here that is six months. Until
# then a customer is declining, and a warning still makes sense; afterwards the customer is lost, and what we do is
# called win-back. In a shop for mattresses the same rule would give years.

# %% [markdown] key="known" tags=["slide"]
# ## What was known, and when?
#
# A warning on 30 June may use what was known on 30 June. That sounds easy. But the tables lie before us in December,
# and they know July. Most warnings that look brilliant on paper have looked there.
#
# So we do not take columns out of tables. We ask a **feature set**, which holds the tables as they stood at the end
# of one day, the **cut-off**. We tell it for each table which column is the date, and what was filled in later:

# %% key="known-on"
payments = postmill.payments.assign(
    noticed_on=postmill.payments["month"] + pd.Timedelta(days=8),
    late=~((postmill.payments["paid_on"] - postmill.payments["month"]).dt.days <= 7),
)
tickets = postmill.tickets.assign(content=postmill.tickets["satisfied"].astype(float))


def known_on(day, customers):
    """What Postmill knew of these customers at the end of this day."""
    facts = churn_features.FeatureSet(customers, day)
    facts.know("contracts", postmill.subscribers, dated="started_on")
    facts.know("usage", postmill.usage, dated="month", covers="month")
    facts.know("payments", payments, dated="noticed_on")
    facts.know("tickets", tickets, dated="opened_at", filled={"content": "resolved_at"})
    return facts


under_contract = churn.labels_by_contract(
    postmill.subscribers,
    postmill.cancellations,
    cutoff="2025-06-30",
    horizon="60 days",
    data_until="2025-12-31",
)
facts = known_on("2025-06-30", under_contract)
facts

# %% [markdown] key="known-on-look"
# Usage is summed up by the month, so a row of June is known when June is over. A ticket opened in June and answered
# in July is known, its answer is not. A payment that has not come within seven days is `late`, and the firm knows it a
# day later. The last number of each line says how many rows came after the cut-off and cannot be used. What happens if
# somebody asks for them?

# %% key="refused" tags=["subslide"]
try:
    facts.rows("tickets", last="2025-07-31")
except InputError as refusal:
    print(refusal)

# %% [markdown] key="labels-look"
# The **label**, what came of it, has a window too: who gave notice in the 60 days *after* the cut-off. It must lie
# inside the data. For a cut-off in December 2025 nobody knows yet, and `labels_by_contract` says so instead of
# calling everybody a stayer.

# %% [markdown] key="habits" tags=["slide"]
# ## Three things to watch
#
# Somebody who is going to leave loses interest or is dissatisfied, asks for help less often, perhaps buys from a
# rival already. The rival we cannot see. The rest should show in activity, frequency, satisfaction "and their change
# over time": so the sources. Change against what? There are two ways: against the customer's own habit, or as a **sign**,
# a thing that is rare when all is well.

# %% [markdown] key="own-habit" tags=["optional", "slide"]
# ### Against their own habit · optional · 3 minutes
#
# Four logins a month are few for one customer and many for another. `watch` compares the last two months with the ten
# before, and gives an **alert** if the fall is larger than chance explains (for satisfaction, a mean of few answers: if it
# is `points` or more):

# %% key="watch" tags=["fragment", "notes"]
habits = churn_features.watch(
    facts,
    {
        "activity": ("usage", "sum", "logins"),
        "frequency": ("usage", "sum", "boxes"),
        "satisfaction": ("tickets", "mean", "content"),
    },
    recent="2 months",
    history="10 months",
    points=0.5,
)
alerts = habits[habits["alerts"] > 0]
rate = under_contract["left"].mean()
rate_of_alerts = under_contract.loc[alerts.index, "left"].mean()
print(f"{len(alerts)} alerts among {len(habits):,} subscribers")
print(f"left within 60 days: {rate_of_alerts:.0%} of them, {rate:.0%} of all")
alerts[["because"]].head(4)

# %% [markdown] key="watch-look"
# The idea is right, the yield is small. A subscriber gets one box and logs in four times a month: two months are too
# few events to tell a change from chance. Where customers act daily, an app, a canteen, a bank card, the same
# function sees much more.

# %% [markdown] key="signs-text" tags=["slide"]
# ### Signs
#
# Postmill's subscribers act monthly: one box, a few logins. Two months of that are too few to tell a change from chance. So
# we count three signs: a skipped box, a late payment, a complaint.


# %% key="signs"
def with_signs(facts):
    """Facts of the last two months: skipped boxes, complaints, late payments."""
    facts.add("days_under_contract", "contracts", "days_since")
    facts.add("monthly", "contracts", "count", where={"plan": "monthly"})
    facts.add("price", "contracts", "last", "price")
    facts.add("logins", "usage", "sum", "logins", within="2 months")
    facts.add("skips", "usage", "sum", "skips", within="2 months")
    facts.add("late", "payments", "sum", "late", within="2 months")
    complaint = {"kind": "complaint"}
    facts.add("complaints", "tickets", "count", within="2 months", where=complaint)
    three = ["skips", "late", "complaints"]
    facts.derive("signs", lambda known: known[three].sum(axis=1))
    facts.derive("renewal_near", yearly_contract_ends_in_90_days)
    return facts


def yearly_contract_ends_in_90_days(known):
    return (known["monthly"] == 0) & (known["days_under_contract"] % 365 > 275)


def cases_of(day):
    """What was known on this day, beside what came of it."""
    labels = churn.labels_by_contract(
        postmill.subscribers,
        postmill.cancellations,
        cutoff=day,
        horizon="60 days",
        data_until="2025-12-31",
    )
    return churn_warning.examples(with_signs(known_on(day, labels)), labels)


days = pd.date_range("2024-02-29", "2025-10-31", freq="2ME")
cases = pd.concat([cases_of(day) for day in days])
past, recent = (cases[cases["as_of"].dt.year == year] for year in (2024, 2025))
past.groupby("signs")["left"].agg(["mean", "size"]).round(3)

# %% [markdown] key="signs-look"
# Eleven cut-offs, two months apart, so that no notice is counted twice. The table is 2024 alone: we choose on the
# past and judge on the later year. Each row is a number of signs. Of the subscribers without any sign 4 in 100 left
# within 60 days; with one sign it was more than 1 in 9, with two nearly 4 in 10, with three 7 in 10.

# %% [markdown] key="rule" tags=["slide"]
# ## From which sign on shall we call?
#
# Every warning has four possible ends, and each has a price:
#
# | | would leave | would stay |
# |---|---|---|
# | **warned** | *caught*: the call, and those whom it does not keep | *false alarm*: the call |
# | **not warned** | *missed*: a customer's value | nothing |
#
# **Precision** is the share of the warned who would leave. **Recall** is the share of the leavers who were warned of.
# Neither decides. Money does.

# %% key="costs" tags=["fragment"]
costs = churn_evaluation.Costs.of_call(call=6, value=150, saved=0.3)
print(costs)
print(f"a call pays from a risk of {costs.threshold:.1%} on")

# %% [markdown] key="costs-look"
# A call to a leaver saves 0.3 × 150 = 45 euros on average and costs 6: it pays if the risk is above 6 / 45, or 13 %.
# That is the famous threshold of cost-sensitive learning (Elkan 2001), and here it is school arithmetic. (`caught` above
# is the call and the seven in ten whom it does not keep: 6 + 0.7 × 150 = 111 euros.)

# %% [markdown] key="1.6-2-task" tags=["subslide"]
# ### Exercise 1.6-2 · decide · 9 minutes
#
# The rule shall be: *call from so and so many signs on*. Compute the cost of every threshold on the cases of 2024:
#
# ```python
# curve = churn_evaluation.cost_curve(past["signs"], past["left"], costs)
# ```
#
# Each row is a threshold: call everybody with at least so many signs. The first (`inf`) calls nobody. How many euros
# does the **cheapest** threshold save against calling nobody, over the six cut-offs of 2024? Put the amount in
# `saved_by_rule`.

# %% key="1.6-2" tags=["solution"] answers="saved_by_rule"
curve = churn_evaluation.cost_curve(past["signs"], past["left"], costs)
saved_by_rule = curve["cost"].iloc[0] - curve["cost"].min()

# %% key="1.6-2-check" tags=["check"]
check("1.6-2")

# %% [markdown] key="rule-moral"
# Two signs, then. Look at the row before it in your curve: with a threshold of *one* sign the warnings have a
# precision of 16 %, more than the 13 % that a call needs, and still it is the worse choice. The 16 % are an
# **average** over all that are called. Those with exactly one sign, the ones added by lowering the threshold, leave
# in 11.5 of 100 cases, and calling them loses money. Decide by the last customer called, not by the mean.
#
# A rule is data: a table with a feature, a sign, a threshold and a reason in words, which somebody can read, argue
# about and change.

# %% key="rules" tags=["subslide", "notes"]
rules = pd.DataFrame(
    [
        {
            "feature": "signs",
            "sign": ">=",
            "threshold": 2,
            "because": "two or more of: skipped box, late payment, complaint",
        }
    ]
)
warned_by_rule = churn_warning.warn_by_rule(recent, rules)
warned_by_rule["warned"].value_counts()

# %% [markdown] key="model" tags=["slide"]
# ## A model, judged in its own time
#
# A **logistic regression** weighs all features at once and gives each customer a risk. To judge it fairly we let it
# **walk forward**: on each cut-off it may learn only from earlier ones whose 60 days were over by then. A random
# split of the rows, as many tutorials do it, would let it learn from April what happened to the same people in March.

# %% key="walk-forward" tags=["fragment", "notes"]
features = ["days_under_contract", "monthly", "renewal_near", "price"]
features += ["logins", "skips", "late", "complaints"]
judged = churn_warning.walk_forward(cases, features)
judged = judged[judged["as_of"].dt.year == 2025]
model = churn_warning.fit(past, features)
model.coefficients_.round(2)

# %% [markdown] key="model-look"
# `odds_ratio` says by which factor the odds of leaving (those who leave, divided by those who stay) change with one
# standard deviation more of the feature, that is, with a usual difference between customers. The two strongest are no
# signs of anger at all: contracts by the month end more easily, and yearly ones end when the year does. A model that is
# not told about the contract takes the calendar for a mood.

# %% key="scorecard" tags=["subslide", "notes"]
ways = {
    "two signs": judged["signs"] >= 2,
    "model": judged["risk"] >= costs.threshold,
    "newest customers": judged["days_under_contract"] < 90,
}
card = churn_evaluation.scorecard(ways, judged["left"], costs)
print(card.attrs["verdict"])
card[["warned", "caught", "precision", "recall", "cost", "saved"]].round(2)

# %% [markdown] key="scorecard-look"
# On the five cut-offs of 2025 the model beats the rule, the rule beats "call nobody", and calling the newest or
# everybody would burn money. In euros: over these ten months the model saves 5,838, the rule 4,611. The rule needs no
# computer. Say both figures to whoever decides whether Postmill needs a data scientist.
#
# How much depends on hitting the threshold exactly?

# %% key="cost-curve" tags=["subslide", "notes"]
by_risk = churn_evaluation.cost_curve(judged["risk"], judged["left"], costs)
ax = show.cost_curve(by_risk, "EUR", "risk")

# %% [markdown] key="cost-curve-look"
# The curve is steep at both ends and flat at the bottom: between 500 and 1,200 warnings, thresholds from 13 to 21 %,
# the cost differs by 600 euros at most. The mark is the cheapest *in hindsight*; nobody could have known it, and our
# threshold, 13 %, costs little more. Do not argue about the second digit of a risk. Argue about what a call
# saves.
#
# Before we believe any of it: **how early** do the warnings come?

# %% key="lead-time" tags=["subslide", "notes"]
left_on = judged.loc[judged["left"], "left_on"]
lead = {
    name: churn_evaluation.lead_times(judged.assign(warned=ways[name]), left_on)
    for name in ("two signs", "model")
}
ax = show.lead_time(lead)

# %% [markdown] key="lead-time-look"
# Read from the left: 120 days before the notice few had been warned of; on the last day the model had warned of 67 in
# 100 leavers, the rule of 33. (The recall above is lower, 59 and 31: it counts the last cut-off before the notice only.
# Here an earlier warning counts too.) Of 40 in 100 the model had warned a month before. The desk can work with that. A
# warning on the day of the notice would have been right, and useless.

# %% [markdown] key="no-notice" tags=["optional", "slide"]
# ### The same without a contract · optional · 4 minutes
#
# Harbour's customers give no notice, so the label is a definition again: whoever bought in the half-year up to 30
# June 2025, and nothing in the half-year after it. Does silence warn, and is it better to measure it in days, or in a
# customer's own usual gaps?

# %% key="no-notice-signs" tags=["subslide", "notes"]
silent = churn.labels_by_silence(
    harbour.transactions, cutoff="2025-06-30", horizon="6 months"
)
habit = churn.rhythm(harbour.transactions, as_of="2025-06-30").loc[silent.index]
bands = pd.cut(habit["days_since"], [-1, 30, 60, 90, 183])
by_days = silent.groupby(bands)["left"]
by_days_too = silent[habit["times_late"].notna()].groupby(bands)["left"]
by_gaps = silent.groupby(pd.cut(habit["times_late"], [-1, 0.5, 1, 2, 4, 999]))["left"]
shares = {
    "days of silence": by_days.agg(["mean", "size"]),
    "silence / usual gap": by_gaps.agg(["mean", "size"]),
    "days, if a gap is known": by_days_too.agg(["mean", "size"]),
}
pd.concat(shares).round(2)

# %% [markdown] key="no-notice-look"
# Plain days tell more: the share who leave rises from 20 to 63 in 100, against 19 to 42 with the gaps. Half of these
# customers have bought only once or twice and have no usual gap at all. The last block compares fairly, with the same
# customers as the gaps: days still tell more, 12 to 46. The finer idea lost to the baseline, so the baseline stays. (In
# part the definition decides: who buys rarely is easily silent for half a year. Of those called lost, 7 in 10 had
# really left by then, says the truth; the others are customers still.)

# %% [markdown] key="it-file" tags=["slide"]
# ## A present from the IT department
#
# IT has prepared a file for exactly our purpose: everybody under contract on 31 May 2025, with features, and whether
# they left within 60 days.

# %% key="it-export"
export = postmill.features_export
export.head(4)

# %% [markdown] key="it-model-text" tags=["subslide"]
# IT has also trained a model, on half of the rows, and tested it on the other half, which it had not seen. How often
# does it give a leaver a higher risk than a stayer, in 100 pairs of them?

# %% key="it-model" tags=["fragment", "notes"]
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

numbers = export.select_dtypes("number").astype(float)
half = export.index % 2 == 0
it_model = LogisticRegression(max_iter=1000)
it_model.fit(numbers[half], export.loc[half, "left_within_60_days"])
it_risk = it_model.predict_proba(numbers[~half])[:, 1]
it_auc = roc_auc_score(export.loc[~half, "left_within_60_days"], it_risk)
our_auc = roc_auc_score(judged["left"], judged["risk"])
print(f"IT's model: {it_auc * 100:.0f} of 100 pairs; ours: {our_auc * 100:.0f}")

# %% [markdown] key="it-model-look"
# The director asks why we still use our own.

# %% [markdown] key="1.6-3-task" tags=["subslide"]
# ### Exercise 1.6-3 · decide · 9 minutes
#
# You have ten minutes with IT before the board meets, time to ask about **one column**. Which one? Put its name in
# `ask_it_about`, in quotation marks.
#
# Two tools: `churn_evaluation.separation(table, left)` gives for each feature alone the chance that a leaver has a
# higher value than a stayer (`auc`; 0.5 says nothing, 0 or 1 says all). And `known_on("2025-05-31",
# export.set_index("customer_id"))` holds the tables as they stood on that day; every table of `postmill` that has a
# date can be taken in with `.know(…)` and counted with `.add(…)`, as in the cells above.

# %% key="1.6-3" tags=["solution"] answers="ask_it_about"
it_features = export.drop(columns="left_within_60_days")
sharpness = churn_evaluation.separation(it_features, export["left_within_60_days"])
ask_it_about = sharpness.index[0]

# %% key="1.6-3-check" tags=["check"]
check("1.6-3")

# %% [markdown] key="leak-question" tags=["subslide"]
# One column alone tells almost everything, and nobody would have expected it of this one. That makes it suspicious. The
# proof is in the dates: we count the same thing again, with what was known on 31 May.

# %% key="leak-proof" tags=["fragment", "notes"]
on_that_day = known_on("2025-05-31", export.set_index("customer_id"))
on_that_day.know("checks", postmill.address_checks, dated="checked_on")
on_that_day.add("address_checks", "checks", "count")
it_left = export.set_index("customer_id")["left_within_60_days"]
pd.DataFrame(
    {
        "IT's file": churn_evaluation.separation(
            export.set_index("customer_id")[["address_checks"]], it_left
        )["auc"],
        "known on 31 May": churn_evaluation.separation(
            on_that_day.frame[["address_checks"]], it_left
        )["auc"],
    }
).round(2)

# %% [markdown] key="leak-look"
# Counted by date, the checks of addresses tell nothing. In IT's file they tell all. IT looks it up: the file was made
# in August, and when somebody gives notice, the office checks the address for the last invoice. The column `as_of`
# said 31 May, and the rows behind this one column did not. This is called **leakage**, and no test on held-out rows
# can find it: the leak is in every row.
#
# On Monday morning: ask of every feature *which row, in which table, with which date?* If nobody can answer, leave it
# out.

# %% [markdown] key="note-leak" tags=["instructor"]
# **Trainer.** Do not help too early; the class should feel how tempting 98 is. Typical ways to the answer: the
# separation table (fast), or "what on earth is an address check?" (faster, and it scales worse). Those who choose
# complaints or logins argue that they are "too human"; ask them to rebuild the column from the dated table, which
# they can. Leaks of this kind that firms have met: a "retention offer sent" flag, the number of calls to the hotline
# counted up to today, a credit score refreshed at closing, an account status.

# %% [markdown] key="why" tags=["slide"]
# ## Why do they leave?
#
# The second question of the sources. Postmill asks everybody who gives notice:

# %% key="reasons" tags=["fragment", "notes"]
gone = postmill.cancellations.query("cancelled_on >= '2025-01-01'")
told = churn.reasons(gone)
ax = show.leaving_reasons(told)

# %% [markdown] key="reasons-look"
# Bars are shares of those who say why, with intervals; the line adds them up: price and quantity together make 59 %.
# A figure of this kind has a name, after the economist Vilfredo Pareto, and one rule: say how many are **not** in it.
# Here about one in eight named no reason.
#
# May we believe the others? For once we can look:

# %% key="reasons-truth" tags=["subslide", "notes"]
both = gone.merge(postmill.truth_subscribers, on="customer_id", suffixes=("", "_true"))
dear = both[both["reason"] == "too dear"]
print(f"say 'too dear': {len(dear)}")
print(f"really too dear for them: {(dear['reason_true'] == 'too dear').sum()}")

# %% [markdown] key="reasons-truth-look"
# "Too dear" is also what polite people say. And even a true reason is not yet a lever. That 39 % name the price does
# not mean that a lower price would have kept them. Reasons **go with** leaving; what *changes* leaving is found out
# by changing something for some and not for others. So to the experiments.

# %% [markdown] key="letter" tags=["slide"]
# ## Winning back: what did the letter do?
#
# Harbour's letter of 15 April 2025, with a voucher of 15 %, went to a random half of 785 lapsed customers who had
# agreed to be contacted. Who bought within 90 days?

# %% key="letter-test" tags=["fragment", "notes"]
orders = harbour.transactions
letter = harbour.contacts.query("campaign_id == 'C07'").set_index("customer_id")
before = lifecycle.summary(orders, as_of="2025-04-14")
after = lifecycle.summary(orders.between("2025-04-15", "2025-07-13"))
test = letter[["arm", "opened"]].join(before[["recency_days", "orders", "spend"]])
test["bought"] = test.index.isin(after.index)
test.groupby("arm")["bought"].agg(["mean", "size"]).round(3)

# %% [markdown] key="1.6-4-task" tags=["subslide"]
# ### Exercise 1.6-4 · do · 6 minutes
#
# The agency that wrote the letter reports: "Of those who **opened** it, more than a third bought." By how many
# **percentage points** did the letter raise the share of buyers among those it was sent to? Use `test` (columns `arm`
# and `bought`), and put the number in `letter_effect`, with at least one digit after the point.

# %% key="1.6-4" tags=["solution"] answers="letter_effect"
bought = test.groupby("arm")["bought"].mean()
letter_effect = (bought["contact"] - bought["control"]) * 100

# %% key="1.6-4-check" tags=["check"]
check("1.6-4")

# %% key="letter-effect" tags=["subslide", "notes"]
effect = experiments.read_out(test, "bought", design="randomised", group="arm")
print(effect)

# %% [markdown] key="letter-effect-look"
# The control group got nothing, and 7 in 100 came back by themselves. What the letter *added* is the difference, with
# its interval. The result names its **design** and what that design cannot exclude. Comparing openers with the others
# would be a naive design: whoever feels like buying opens a shop's letter.
#
# Is it worth the money? A letter costs 1.20 euros. We count the margin, what is left of the sales after the goods are
# paid, for every customer of the test over the same 90 days.

# %% key="letter-money" tags=["subslide", "notes"]
lines = harbour.orders.drop_duplicates()
lines["margin"] = lines["amount"].astype(float) - lines["cost"].astype(float)
in_time = lines["ordered_at"].between("2025-04-15", "2025-07-14")
earned = lines[in_time].groupby("customer_id")["margin"].sum()
test["margin"] = earned.reindex(test.index).fillna(0)
on_margin = experiments.read_out(test, "margin", design="randomised", group="arm")
money = experiments.profit(on_margin, margin=1, cost=1.20)
money[["gain", "cost", "profit", "profit_low", "profit_high", "roi"]].round(2)

# %% [markdown] key="letter-money-look"
# (`margin=1`, because what we count is margin in euros already. `roi`, the return on the money, is profit / cost.)
#
# The first line is what reports show: all that the contacted bought, less the postage. A return of 190 %! The second
# line takes away what the control group earned without any letter. What remains is 46 euros of profit, with an
# interval from a loss of 604 to a gain of 697. We *know* that the letter made people buy. We do *not* know whether it
# earned anything. The few who came without it left 31 euros of margin each, those with the letter and its voucher 18.

# %% [markdown] key="persuadable" tags=["slide"]
# ## The riskiest, or the persuadable?
#
# Think of four kinds of customers, by what they would do *with* the letter and *without* it:
#
# | | buys if left alone | does not buy if left alone |
# |---|---|---|
# | **buys if contacted** | sure thing | **persuadable** |
# | **does not buy if contacted** | do not disturb | lost cause |
#
# A letter to a sure thing is wasted, to a lost cause too, and to one who must not be disturbed it does harm. Only the
# persuadable are worth it. Nobody carries the label, since we never see both futures of one person. But a lot shows
# it **for groups**:

# %% key="uplift" tags=["subslide", "notes"]
kinds = ["one order", "two orders", "three or more"]
test["orders before"] = pd.cut(test["orders"], [0, 1, 2, 999], labels=kinds)
by_orders = experiments.uplift(
    test, "bought", "orders before", design="randomised", group="arm"
)
ax = show.uplift(by_orders)
print(by_orders.attrs["warning"])

# %% [markdown] key="uplift-look"
# The thick line is the interval of one group alone, the thin one holds for all three together. The letter moved those
# with two orders by 22 points. With three or more, the figure is smaller and unsure. Does that make sense? One who
# bought often ought to be easier to bring back.
#
# For once we can compare with the truth:

# %% key="uplift-truth" tags=["subslide", "notes"]
test["response"] = harbour.truth_customers.set_index("customer_id")["response"]
moved = test["response"].map({"persuadable": 1, "do not disturb": -1}).fillna(0)
true_effect = moved.groupby(test["orders before"], observed=True).mean()
by_orders[["effect", "low_all", "high_all"]].assign(truth=true_effect).round(3)

# %% [markdown] key="uplift-truth-look"
# All three truths lie inside the wide intervals, and the order of the points was luck: in truth the most frequent
# buyers are moved most. **The best segment of a test is mostly a lucky one**; expect less of it the next time. What
# the test alone can say: the letter moves even one-time buyers, by 3 to 16 points. Which group it moves most, it
# cannot say; that took the truth, or a much larger test.

# %% [markdown] key="1.6-5-task" tags=["subslide"]
# ### Exercise 1.6-5 · decide · 9 minutes
#
# Next time Harbour has money for **200 letters**. The manager wants to write to the 200 who have been silent
# **longest**: "they are in most danger". You propose the 200 with the **most orders**, and among equals those silent
# for the shortest time:
#
# ```python
# riskiest = test.sort_values("recency_days", ascending=False).head(200)
# frequent = test.sort_values(["orders", "recency_days"], ascending=[False, True]).head(200)
# ```
#
# The true `response` of everybody stands in `test`. What a list *gains* if all 200 get the letter is the number of
# customers who buy because of it, less those who do not buy because of it. By how many buyers is the gain of your
# list ahead of the manager's? Put that number in `buyers_ahead`.

# %% key="1.6-5" tags=["solution"] answers="buyers_ahead"
riskiest = test.sort_values("recency_days", ascending=False).head(200)
frequent = test.sort_values(["orders", "recency_days"], ascending=[False, True]).head(
    200
)


def gained(people):
    kinds_of_them = people["response"].value_counts()
    return kinds_of_them.get("persuadable", 0) - kinds_of_them.get("do not disturb", 0)


buyers_ahead = gained(frequent) - gained(riskiest)

# %% key="1.6-5-check" tags=["check"]
check("1.6-5")

# %% [markdown] key="persuadable-moral"
# The 200 in most danger are, nearly all, lost causes: gone for good, whatever is written to them. Danger answers the
# question *who will leave*, and a letter asks another: *whom will it move*. The same trap waits at Postmill: the risk
# model finds leavers, and nobody has tested yet whether the calls keep those whom it finds.

# %% [markdown] key="shortlist" tags=["slide"]
# ## A call list with a budget
#
# Now to the lost customers of today, silent for half a year or longer on 31 December 2025. For each we write down
# what a contact is worth:
#
# **expected value = P(win) × value − cost**
#
# *P(win)* is what the contact **adds**, from the experiment, by the number of orders. *Value* is what a customer who
# was won in April brought until the end of the year: 2.8 orders, of which Harbour keeps 44 % as margin; we take each
# customer's own mean order. *Cost*: the calls are made by hand, 6 euros each. (Two things are assumed: that a call
# works like a letter, and that the chances are what the test estimated, although we have seen that the best of them
# is too good. The control group will tell.)

# %% key="lost" tags=["fragment", "notes"]
surveys = harbour.feedback.dropna(subset=["reason"]).sort_values("day")
lost = lifecycle.summary(orders).query("recency_days >= 180")
lost["reason"] = surveys.groupby("customer_id")["reason"].last().reindex(lost.index)
lost["reason"] = lost["reason"].fillna("unknown")
kind = pd.cut(lost["orders"], [0, 1, 2, 999], labels=kinds)
lost["chance"] = kind.map(by_orders["effect"]).astype(float)
lost["value"] = 2.8 * 0.44 * lost["mean_order_value"]
lost["consent"] = harbour.customers.set_index("customer_id")["consent"]
shortlist = win_back.shortlist(
    lost,
    p_win="chance",
    cost=6,
    fitting=["unknown", "price", "delivery", "quality", "range", "other"],
    as_of="2025-12-31",
)
shortlist["why_not"].replace("", "on the list").value_counts()

# %% [markdown] key="shortlist-look"
# Of 1,399 lost customers 257 are worth a call and may be called. Nobody without a clear yes is on the list, in
# whichever of its spellings it was written down. Reasons that we can do nothing about ("moved away", "no need") are
# off. A reason that nobody knows is *not* a reason to give up.
#
# What shall be said on the phone? The sources propose an order: first **talk** and learn what is needed, then a
# **personal solution**, and only then an **offer**. As a table:

# %% key="plan" tags=["subslide", "notes"]
plan = pd.DataFrame(
    [
        ("unknown", "Call: ask what was missing", "nobody has asked yet", 14),
        ("delivery", "Call: apologise, send again", "was let down by the delivery", 7),
        ("quality", "Call: replace the article", "was unhappy with an article", 7),
        ("range", "Call: tell what is new", "did not find what was wanted", 14),
        ("price", "Call: larger pack, lower price", "found it too dear", 14),
    ],
    columns=["reason", "action", "words", "days_due"],
)
calls = win_back.call_list(shortlist, plan, budget=240, control_share=0.2, seed=1)
calls[["customer_id", "action", "reason", "value", "due", "group"]].head(4)

# %% [markdown] key="1.6-6-task" tags=["optional", "subslide"]
# ### Exercise 1.6-6 · decide · optional · 8 minutes
#
# The shop manager has **300 euros**, and wants every **fourth** customer of the list held out at random. Make that
# list with `win_back.call_list` from the same `shortlist`, `plan` and `seed=1`. How many euros of expected value do
# the customers have together who are **called**? Add up `value` over the group `"contact"` and put the sum in
# `value_called`.

# %% key="1.6-6" tags=["solution"] answers="value_called"
longer = win_back.call_list(shortlist, plan, budget=300, control_share=0.25, seed=1)
value_called = longer.loc[longer["group"] == "contact", "value"].sum()

# %% key="1.6-6-check" tags=["check"]
check("1.6-6")

# %% [markdown] key="call-list-moral"
# The held-out customers cost no money: the whole budget still goes into calls. But some of the best names are held out, and
# the calls go further down the list instead. With 300 euros and every fourth customer held out that takes some 100 euros
# from the expected value, and buys an answer. Can so few give one? **Ask before the campaign**, not after it: a list of 40
# or 50 calls is too short by far.

# %% [markdown] key="1.6-7-task" tags=["subslide"]
# ### Exercise 1.6-7 · defend · 8 minutes
#
# The head of marketing shows the board the first line of `money`: "Our letter returned 190 %. I ask for **three
# times** the budget." You are asked for your opinion. Choose `"triple the budget"` or `"repeat by lot"` (as many
# letters as before, half of the customers held out, the margin counted), and give the **one figure** that decides:
# the return on the money (`roi`) that the letter **caused**, as in `money`. Put both into `my_advice`:
#
# ```python
# my_advice = defend(choice="...", figure=..., because="two sentences for the board")
# ```
#
# Choice and figure are checked here. Your reasons are for your trainer.

# %% key="1.6-7" tags=["solution"] answers="my_advice"
my_advice = defend(
    choice="repeat by lot",
    figure=money.loc["incremental", "roi"],
    because="Most of the buyers would have come anyway, as the control group shows. "
    "What the letter caused may be a loss or a gain; a second test costs postage and "
    "gives the answer, three times the budget only gives more of the unknown.",
)

# %% key="1.6-7-check" tags=["check"]
check("1.6-7")

# %% [markdown] key="note-defend" tags=["instructor"]
# **Trainer.** A good answer says three things: what the 190 % counts (everybody who bought, the sure things
# included); that the incremental figure is *not shown to differ from zero*, which is not the same as zero; and what a
# larger test would cost. A very good one proposes to leave out the one-time buyers, or to drop the voucher, and to
# test that. Do not accept "190 % is wrong": it is right, and answers another question.

# %% [markdown] key="next-test-text" tags=["optional", "slide"]
# ### How many calls would show it? · optional · 3 minutes
#
# `sample_size` tells how many must be called, and how many held out, for an effect of so and so many points to be seen:

# %% key="next-test" tags=["fragment", "notes"]
alone = effect.means["control"]
sizes = {
    f"+{points} points": experiments.sample_size(points / 100, rate=alone)
    for points in (5, 10, 15)
}
pd.DataFrame(sizes, index=["called", "held out"]).T

# %% [markdown] key="next-test-look"
# If 7 in 100 come back alone, and calls bring back 10 points more, a test needs 164 called and 164 held out to see it
# (in four of five such tests, at the usual risk of 5 % of seeing what is not there). A list of 40 or 50 calls cannot.
# So Harbour should either call more, or add up the lists of several quarters and read out once. Lots are drawn in
# strata, so that both groups have their share of frequent buyers:

# %% key="lots" tags=["subslide", "notes"]
pool = shortlist[shortlist["listed"]].join(kind.rename("orders before"))
groups = experiments.assign(pool, strata="orders before", seed=2026)
pd.crosstab(pool["orders before"], groups)

# %% [markdown] key="no-lots" tags=["optional", "slide"]
# ## When nobody drew lots · optional · 8 minutes
#
# In 2025 Harbour introduced a better delivery: in the region *city* from March, on the *coast* from May, in the
# *hills* from August, in two regions not at all. The sources want satisfaction checked regularly. Did it rise
# *because* of the delivery? Nobody drew lots. But we can compare the **change** where it was introduced with the change
# where it was not: **difference in differences**.

# %% key="trends" tags=["subslide", "notes"]
answers = harbour.feedback.dropna(subset=["satisfaction"])
answers = answers.merge(harbour.customers[["customer_id", "region"]], on="customer_id")
answers = answers.merge(harbour.rollout, on="region").query("day >= '2024-01-01'")
answers["satisfaction"] = answers["satisfaction"].astype(float)
answers["quarter"] = answers["day"].dt.to_period("Q").astype(str)
started = answers["started_on"].dt.to_period("Q").astype(str)
answers["better"] = answers["started_on"].notna() & (answers["quarter"] >= started)
roles = {"unit": "region", "period": "quarter", "treated": "better"}
ax = show.trends(differences.trends(answers, "satisfaction", **roles))

# %% [markdown] key="trends-look"
# Solid lines are the regions with the new delivery, the dots their first quarter with it; dashed grey are the two
# without. What to look for: do solid and dashed lines run side by side **before** the dots? Roughly; a point is the
# mean of 23 to 203 answers, and jumps by itself.

# %% key="did" tags=["subslide", "notes"]
print(differences.estimate(answers, "satisfaction", **roles))

# %% [markdown] key="did-look"
# About 0.4 points on a scale of five. (The figure said 0.43: it compares plain means. The estimate also takes out what
# each region and each quarter has of its own.) The true rise, known in this simulated shop, is 0.39. Read the last lines
# with care: they say what this design cannot exclude, and that five regions are very few for such an interval.

# %% [markdown] key="1.6-8-task" tags=["optional"]
# ### Exercise 1.6-8 · do · optional · 7 minutes
#
# Do it by hand for two regions: **city**, which started in March 2025, and **plain**, which never did. Take the mean
# `satisfaction` in `answers` of the whole year 2024 (before) and of the quarters from `"2025Q2"` on (after). Put the
# difference of the two differences in `did_by_hand`, with at least two digits after the point.

# %% key="1.6-8" tags=["solution"] answers="did_by_hand"
year_before = answers["quarter"] < "2025Q1"
with_it = answers["quarter"] >= "2025Q2"
mean_before = answers[year_before].groupby("region")["satisfaction"].mean()
mean_after = answers[with_it].groupby("region")["satisfaction"].mean()
change = mean_after - mean_before
did_by_hand = change["city"] - change["plain"]

# %% key="1.6-8-check" tags=["check"]
check("1.6-8")

# %% [markdown] key="widget" tags=["widget", "slide"]
# ## Play with it
#
# Move the threshold of Postmill's model, the price of a call and what it saves. Try to find a price at which it is
# best to call everybody, and one at which nobody should be called. What happens to precision when recall rises?

# %% key="explorer" tags=["nbval-ignore-output"]
show.churn_explorer(judged["risk"], judged["left"], "EUR", call=6, value=150, saved=0.3)

# %% [markdown] key="explorer-twin"
# What the widget shows comes from a plain function. For example, if a service desk insists on calling only at a risk
# of one in two:

# %% key="explorer-headless"
view = show.churn_view(
    judged["risk"], judged["left"], 0.5, call=6, value=150, saved=0.3, currency="EUR"
)
view

# %% [markdown] key="more" tags=["exercises", "slide"]
# ## More to work on
#
# Two short tasks for those who are quick: how early is early enough, and how large a test of the calls would have to
# be. Nobody at Postmill has measured the "three in ten" yet.

# %% [markdown] key="1.6-9-task" tags=["optional"]
# ### Exercise 1.6-9 · do · optional · 6 minutes
#
# Of all leavers of 2025, the ones in the table `lead["model"]`: what **share** was warned of by the model at least
# **30 days** before the notice? Put it in `warned_in_time`, between 0 and 1, with at least three digits. (`lead_days`
# is missing for those of whom no warning spoke. They belong to the leavers, too.)

# %% key="1.6-9" tags=["solution"] answers="warned_in_time"
warned_in_time = (lead["model"]["lead_days"] >= 30).mean()

# %% key="1.6-9-check" tags=["check"]
check("1.6-9")

# %% [markdown] key="1.6-10-task" tags=["optional"]
# ### Exercise 1.6-10 · do · optional · 6 minutes
#
# Postmill wants to know whether calls keep people. Of the subscribers with two signs about **40 in 100** leave within
# 60 days. The desk hopes that a call lowers this by **12 percentage points**. How many subscribers does the test need
# **in all**, half of them held out? Use `experiments.sample_size` (a fall is a negative effect) and put the number in
# `subscribers_needed`.

# %% key="1.6-10" tags=["solution"] answers="subscribers_needed"
subscribers_needed = sum(experiments.sample_size(-0.12, rate=0.40))

# %% key="1.6-10-check" tags=["check"]
check("1.6-10")

# %% [markdown] key="claim-check" tags=["claim-check", "slide"]
# ## Claim check
#
# **First claim.** A vendor's text (002.A3) says of its program: after a customer is lost it filters the lost by
# reason and reminds the seller to win back those that fit. It files this under *warning of customer churn*. When does
# such a warning come?

# %% key="vendor-warning" tags=["fragment", "notes"]
notices = postmill.cancellations.query("cancelled_on >= '2025-01-01'")
vendor = notices.assign(as_of=notices["cancelled_on"], warned=True)
notice_days = notices.set_index("customer_id")["cancelled_on"]
try:
    churn_evaluation.lead_times(vendor, notice_days)
except InputError as refusal:
    print("The vendor:", refusal)
print("Our model:", lead["model"].attrs["note"])

# %% [markdown] key="vendor-warning-look"
# The reason is written down on the day of the notice, so there is no time left: our function refuses to call that a
# warning. Nothing is wrong with the procedure: it is a good **win-back list**, the one we built above. But it is no
# warning, and a firm that buys it as one will call people who have already gone. What is missing are signs from
# before the notice, and a date for each.

# %% [markdown] key="second-claim" tags=["optional", "slide"]
# ### Does a promotion keep them? · optional · 2 minutes
#
# **Second claim.** The sources close their sequence with *a loyalty programme or a promotion* to keep those about to
# leave. Does a promotion keep them? On 15 August 2025 a random half of Postmill's monthly subscribers was offered a
# free bag for staying. The share who gave notice within 120 days:

# %% key="offer" tags=["fragment", "notes"]
noticed = postmill.cancellations[["customer_id", "cancelled_on"]]
offers = postmill.offers.merge(noticed, on="customer_id", how="left")
days_to_notice = (offers["cancelled_on"] - offers["offered_on"]).dt.days
offers["left"] = days_to_notice.between(0, 120)
offer_effect = experiments.read_out(offers, "left", design="randomised", group="arm")
print(str(offer_effect).splitlines()[0])
print(str(offer_effect).splitlines()[1])

# %% [markdown] key="offer-look"
# The claim holds here: fewer left, and the interval leaves out zero. It does not follow that the offer pays, since
# everybody who would have stayed took the free bag as well, nor that another promotion would do the same. And one
# figure in the firm's report must not be used at all:

# %% [markdown] key="1.6-11-task" tags=["optional"]
# ### Exercise 1.6-11 · decide · optional · 7 minutes
#
# The report says: "Of those who **accepted** the offer hardly anybody left; of those who were offered it and did not
# accept, many more. So the offer works." This comparison is naive, since people chose themselves whether to accept.
# By how many **percentage points** does the report's difference **miss** the randomised effect (report minus
# randomised, both as *share left*: accepted minus not accepted, and contact minus control)? Put it in
# `report_off_by`, with at least one digit after the point. `accepted_on` is missing for those who did not accept.

# %% key="1.6-11" tags=["solution"] answers="report_off_by"
offered = offers[offers["arm"] == "contact"]
by_choice = offered.groupby(offered["accepted_on"].notna())["left"].mean()
naive_points = (by_choice[True] - by_choice[False]) * 100
report_off_by = naive_points - offer_effect.estimate * 100

# %% key="1.6-11-check" tags=["check"]
check("1.6-11")

# %% [markdown] key="own-data-text" tags=["own-data", "slide"]
# ## With your own data
#
# Change two lines. From any order book: which customers are late against their own rhythm, what a long silence is in
# your trade, and a watch list with a control group. `crmkit check-data YOUR_FILE --save roles.toml` writes the roles.

# %% key="own-data" tags=["own-data"]
import pandas as pd

from crmkit import evaluation, lifecycle, shipped
from crmkit.lifecycle import churn, churn_warning
from crmkit.tables import Transactions

my_file = shipped.folder("datasets") / "shop" / "orders.parquet"
my_roles = {"order_id": "order_id"}

my_orders = Transactions.read(my_file, roles=my_roles)
my_rhythm = churn.rhythm(my_orders)
gaps = my_rhythm["usual_gap_days"].dropna()
print(f"{len(gaps):,} of {len(my_rhythm):,} customers bought three times or more;")
print(f"nine in ten of them come every {gaps.quantile(0.9):.0f} days or sooner")

my_rules = pd.DataFrame(
    [{"feature": "times_late", "sign": ">", "threshold": 2, "because": "late"}]
)
my_warned = churn_warning.warn_by_rule(my_rhythm, my_rules)["warned"]
still_there = my_rhythm["days_since"] <= 2 * gaps.quantile(0.9)
my_watch = lifecycle.summary(my_orders).join(my_rhythm[["times_late"]])
my_watch = my_watch[my_warned & still_there].assign(segment="late")
my_card = pd.DataFrame(
    {"segment": ["late"], "action": ["Call and ask"], "days_due": [7]}
).assign(reason="silent for more than twice the usual gap")
my_list = evaluation.actions.action_list(
    my_watch, my_card, capacity=50, control_share=0.2, as_of=my_orders.last_day
)
print(my_list.attrs["note"])
my_watch.nlargest(5, "spend")[["recency_days", "times_late", "orders", "spend"]].round(
    1
)

# %% [markdown] key="own-data-look"
# The rule is a guess for your trade: cut your data half a year before their end and judge it there, as we did for
# Harbour. The list is sorted by past spend, because no experiment of yours says yet whom a call moves. Hold out the
# control group, and in three months you will know.

# %% [markdown] key="discussion" tags=["discussion", "slide"]
# ## Discussion
#
# 1. Postmill's model has learned that yearly contracts end when the year does. Is calling these people a warning, or
#    a sales call?
# 2. The call keeps three in ten. Where does this figure come from, and what happens to the threshold if it is one in
#    ten?
# 3. A control group means that some customers whom we could have kept will leave. Is that fair? Is the alternative
#    fairer?
# 4. A subscriber learns that she was called because an algorithm gave her a risk of 34 %. What should the desk have
#    told her?
# 5. Your trade sells to five hundred firms. Which of today's methods still work, and which need more customers than
#    you have?

# %% [markdown] key="note-discussion" tags=["instructor"]
# **Trainer.** For 2: nobody at Postmill has measured it; with one in ten a call saves 15 euros, the threshold is 40
# %, and only two or three signs justify a call. For 3: until the effect is known, nobody knows that the called are
# the lucky ones (*do not disturb*). Hold out as few as the sample size allows, and stop when it is answered. For 5:
# definitions, dates, reasons and call lists work at any size; models, uplift by segment and thresholds need hundreds
# of leavers.

# %% [markdown] key="progress-text"
# ## How far did you get?

# %% key="progress" tags=["nbval-ignore-output"]
progress()

# %% key="quoted-figures" tags=["instructor"]
# Every figure that the text quotes beside what the data say; below, those that differ.
by_month = retention.contract_rates(
    contracts, ended="cancelled_on", as_of="2025-12-31"
).tail(12)
back = silence.set_index("horizon")["share_back"]
by_sign = past.groupby("signs")["left"].mean()
one_sign = past[past["signs"] >= 1]["left"].mean()
buyers = test[test["bought"]].groupby("arm")["margin"].mean()
truth = harbour.truth_effects.query("campaign_id == 'service' and unit == 'points'")
won = test.index[test["bought"] & (test["arm"] == "contact")]
since = lifecycle.summary(orders.between("2025-04-15", "2025-12-31"))
margin_share = lines["margin"].sum() / lines["amount"].astype(float).sum()
opened = test["opened"].fillna(False).astype(bool) & (test["arm"] == "contact")
fate = harbour.truth_customers.set_index("customer_id")["dropped_out_on"]
fate = fate.reindex(silent.index[silent["left"]])
flat = by_risk.loc[by_risk["warned"].between(500, 1200), "cost"]
for_300 = win_back.call_list(shortlist, plan, budget=300, control_share=0.25, seed=1)
who_is_called = for_300["group"] == "contact"
best = for_300["value"].nlargest(who_is_called.sum()).sum()
price_of_control = best - for_300.loc[who_is_called, "value"].sum()
sizes_of_points = answers.groupby(["region", "quarter"]).size()
quoted = {
    "subscribers": (round(by_month["at_start"].iloc[-1], -2), 1600),
    "leave a month": (round(1 - by_month["share_kept"].mean(), 2), 0.04),
    "leave a quarter": (
        by_quarter["churn"].tail(4).round(2).to_list(),
        [0.12, 0.12, 0.09, 0.09],
    ),
    "back after six months": (round(1 / back["6 months"]), 8),
    "logins a month": (round(past["logins"].mean() / 2), 4),
    "leave by signs": (by_sign.round(2).to_list()[:4], [0.04, 0.11, 0.38, 0.71]),
    "leave with one sign": (round(by_sign[1] * 100, 1), 11.5),
    "cut-offs": ((len(days), past["as_of"].nunique()), (11, 6)),
    "cut-offs of 2025": (recent["as_of"].nunique(), 5),
    "a call pays from": (round(costs.threshold, 2), 0.13),
    "precision of one sign": (round(one_sign, 2), 0.16),
    "recall": (
        card.loc[["model", "two signs"], "recall"].round(2).to_list(),
        [0.59, 0.31],
    ),
    "saved": (card.loc[["model", "two signs"], "saved"].to_list(), [5838, 4611]),
    "warned of": (
        [round(lead[name].attrs["caught"], 2) for name in ("model", "two signs")],
        [0.67, 0.33],
    ),
    "in time": (round((lead["model"]["lead_days"] >= 30).mean(), 2), 0.4),
    "pairs": ((round(it_auc * 100), round(our_auc * 100)), (98, 83)),
    "price and quantity": (round(told["cumulative"].iloc[1], 2), 0.59),
    "name the price": (round(told["share"].iloc[0], 2), 0.39),
    "no reason": (round(1 / told.attrs["share_unknown"]), 8),
    "in the test": (len(test), 785),
    "bought alone": (round(effect.means["control"], 2), 0.07),
    "openers who bought": (test.loc[opened, "bought"].mean() > 1 / 3, True),
    "naive return": (round(money.loc["naive", "roi"], 1), 1.9),
    "profit": (
        money.loc["incremental", ["profit", "profit_low", "profit_high"]]
        .round()
        .to_list(),
        [46, -604, 697],
    ),
    "margin a buyer": (buyers.round().to_list(), [18, 31]),
    "two orders": (round(by_orders.loc["two orders", "effect"], 2), 0.22),
    "one order": (
        by_orders.loc["one order", ["low_all", "high_all"]].round(2).to_list(),
        [0.03, 0.16],
    ),
    "truth inside": (
        true_effect.between(by_orders["low_all"], by_orders["high_all"]).all(),
        True,
    ),
    "orders of the won": (round(since["orders"].reindex(won).mean(), 1), 2.8),
    "share of margin": (round(margin_share, 2), 0.44),
    "lost": (len(lost), 1399),
    "on the list": (int(shortlist["listed"].sum()), 257),
    "price of the control group": (round(price_of_control, -2), 100),
    "needed": (sizes["+10 points"].contacted, 164),
    "answers a point": ((sizes_of_points.min(), sizes_of_points.max()), (23, 203)),
    "silent by days": (by_days.mean().round(2).iloc[[0, -1]].to_list(), [0.2, 0.63]),
    "silent, same customers": (
        by_days_too.mean().round(2).iloc[[0, -1]].to_list(),
        [0.12, 0.46],
    ),
    "silent by gaps": (by_gaps.mean().round(2).iloc[[0, -1]].to_list(), [0.19, 0.42]),
    "no usual gap": (round(habit["times_late"].isna().mean(), 1), 0.5),
    "really left": (round((fate <= silent.attrs["known_on"]).mean(), 1), 0.7),
    "flat bottom": (flat.max() - flat.min(), 600),
    "better delivery, truth": (round(truth["effect"].item(), 2), 0.39),
}
{name: pair for name, pair in quoted.items() if pair[0] != pair[1]}

# %% [markdown] key="quoted-figures-note" tags=["instructor"]
# The cell above must show an empty `{}`; anything else is a wrong figure in the text.
