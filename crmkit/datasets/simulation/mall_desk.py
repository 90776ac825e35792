"""What the mall's people write down about card holders: contacts with notes, and who brought whom."""

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, columns, people, processes
from crmkit.datasets.simulation.dirt import some

Generator = np.random.Generator
#: Kinds of contact: share, notes, outcomes with their shares.
KINDS = {
    "consult": (
        38,
        (
            "asked about sizes",
            "wanted a gift for a colleague",
            "compared two coffee machines",
            "asked for the return rules",
            "looked for running shoes",
            "wanted the opening hours in December",
        ),
        {"bought": 5, "thinks it over": 4, "none needed": 3},
    ),
    "complaint": (
        17,
        (
            "zip broke after two weeks",
            "points are missing on the card",
            "waited 25 minutes at the desk",
            "wrong amount charged",
            "parcel came damaged",
            "advert came although no consent",
        ),
        {"solved": 6, "refunded": 3, "rejected": 1},
    ),
    "visit": (
        15,
        ("style evening", "tasting in the food hall", "opening of the sports shop", "came with a friend"),
        {"bought": 4, "none needed": 5},
    ),
    "care": (
        30,
        ("birthday call", "thanked for ten visits", "told about the new parking", "asked how the shoes fit"),
        {"reached": 6, "not reached": 4},
    ),
}
CONTACT_CHANNELS = ("phone", "mail", "desk", "app")


def contacts(
    rng: Generator, record_id: pa.Array, who: pd.DataFrame, owner: np.ndarray, since: np.ndarray, end: float
) -> pd.DataFrame:
    """Contacts in order of time. A complaint of the last weeks may be open; some promised calls never came."""
    count = len(record_id)
    zeal = processes.rates(rng, 0.7, 0.85 / 365, count)
    record, when = processes.events(rng, zeal, since, np.full(count, float(end)))
    when = clock.by_day(rng, when + (np.floor(when) % 7 == 0), 9, 19)  # nobody works on a Sunday
    fresh = when > since[record]  # by_day moves a time within its day, sometimes before the card was there
    record, when = record[fresh], when[fresh]
    kind = people.choose(rng, [share for share, *_ in KINDS.values()], len(record))
    promised = some(rng, len(record), 0.13)
    day = np.floor(when) + rng.integers(3, 30, len(record))
    due = np.where(promised, day + (day % 7 == 0), np.inf)
    kept = np.flatnonzero(promised & (due < end - 1) & some(rng, len(record), 0.7))
    followed = np.concatenate([np.zeros(len(record), bool), np.ones(len(kept), bool)])
    record, when = np.concatenate([record, record[kept]]), np.concatenate([when, clock.by_day(rng, due[kept], 9, 19)])
    kind, due = (
        np.concatenate([kind, np.full(len(kept), list(KINDS).index("care"))]),
        np.concatenate([due, np.full(len(kept), np.inf)]),
    )
    order = np.argsort(when, kind="stable")
    record, when, kind, due, followed = record[order], when[order], kind[order], due[order], followed[order]

    note, outcome = np.full(len(record), "", dtype=object), np.full(len(record), "", dtype=object)
    for place, (_, notes, outcomes) in enumerate(KINDS.values()):
        here = np.flatnonzero(kind == place)
        note[here] = np.array(notes, dtype=object)[rng.integers(0, len(notes), len(here))]
        outcome[here] = np.array(list(outcomes), dtype=object)[people.choose(rng, outcomes, len(here))]
    note[followed] = "called back as promised"
    age = end - when
    still = (kind == list(KINDS).index("complaint")) & some(rng, len(record), np.where(age < 30, 0.5, 0.012))
    outcome[still] = "open"
    _name_people(rng, note, record_id.to_numpy(zero_copy_only=False), who, owner, record)
    return columns.table(
        contact_id=columns.ids("C", len(record)),
        record_id=columns.pick(record_id, record),
        at=clock.moment(when),
        channel=columns.pick(CONTACT_CHANNELS, people.choose(rng, [40, 20, 28, 12], len(record))),
        kind=columns.pick(list(KINDS), kind),
        note=columns.pick(list(note), np.where(some(rng, len(record), 0.06), -1, np.arange(len(record)))),
        outcome=columns.pick(list(outcome), np.arange(len(record))),
        next_on=clock.day(due),
    )


def _name_people(
    rng: Generator, note: np.ndarray, ids: np.ndarray, who: pd.DataFrame, owner: np.ndarray, record: np.ndarray
) -> None:
    """Staff write names and numbers into free text, those of others too; some notes are no plain text."""
    name = (who["given_latin"] + " " + who["family_latin"]).to_numpy(dtype=object)
    number = [
        "0" + text.split(" ", 1)[1] if text.startswith("49 ") else "+" + text
        for text in who["phone"].to_numpy(dtype=object)
    ]
    drawn = rng.uniform(0, 1, len(note))
    other = rng.integers(0, max(len(ids), 1), len(note))
    for i in np.flatnonzero(drawn < 0.12):
        me, friend = owner[record[i]], owner[other[i]]
        if drawn[i] < 0.05:
            note[i] = f"{name[me]}: {note[i]}"
        elif drawn[i] < 0.09:
            note[i] += f"; rang {name[me]} back on {number[me]}"
        elif drawn[i] < 0.105 and friend != me:
            note[i] += f"; came with {name[friend]}, {ids[other[i]]}"
        elif drawn[i] < 0.109:
            note[i] = ("=SUM(1+1) was typed here", "<b>urgent</b> " + note[i], "-- see paper file --")[i % 3]


def referrals(rng: Generator, record_id: pa.Array, owner: np.ndarray, since: np.ndarray, mess: float) -> pd.DataFrame:
    """Who was brought by whom: a few people bring many. With `mess` also rewards that were taken by a trick or a slip."""
    count = len(record_id)
    brought = some(rng, count, 0.2)
    joined = np.flatnonzero(brought)
    zeal = (rng.pareto(1.5, count) + 0.01) * np.where(brought, 5, 1)  # who was brought brings others
    by = people.referrers(rng, since[joined], np.arange(count), since, zeal)
    joined, by = joined[by >= 0], by[by >= 0]
    strangers = owner[joined] != owner[by]
    joined, by = joined[strangers], by[strangers]
    ids = record_id.to_numpy(zero_copy_only=False)
    pairs = pd.DataFrame({"record": joined, "by": ids[by], "place": by})
    if mess > 0 and count >= 200:
        pairs = _tricks(rng, pairs, owner, since, ids)
    pairs = pairs.sort_values(["record", "by"], kind="stable", ignore_index=True)
    record = pairs["record"].to_numpy(dtype="int64")
    return columns.table(
        record_id=columns.pick(record_id, record),
        referred_by=list(pairs["by"]),
        on=clock.day(since[record]),
    )


def _tricks(rng: Generator, pairs: pd.DataFrame, owner: np.ndarray, since: np.ndarray, ids: np.ndarray) -> pd.DataFrame:
    """The same person under two records (in twelve cases), one record by itself, a circle of three, two referrers for
    two records, and one referrer who is in no table."""
    again = pd.DataFrame({"owner": owner, "record": np.arange(len(owner)), "since": since}).sort_values("since")
    again["before"] = again.groupby("owner")["record"].shift()
    again = again.dropna().sort_values("record")
    chosen = again.iloc[rng.permutation(len(again))[:12]].astype({"before": "int64"})
    pairs = pairs[~pairs["record"].isin(chosen["record"])]
    free = np.setdiff1d(np.arange(len(owner)), np.concatenate([pairs["record"], pairs["place"], again["record"]]))
    one, a, b, c, ghost = rng.permutation(free)[:5]
    twice = pairs[~pairs["record"].isin(again["record"])].iloc[:: max(len(pairs) // 3, 1)][:2]
    by = np.setdiff1d(np.arange(len(owner)), [one, a, b, c, ghost, *pairs["record"], *again["record"]])[: len(twice)]
    further = pd.DataFrame(
        {
            "record": [*chosen["record"], one, a, b, c, *twice["record"], ghost],
            "by": [*ids[chosen["before"]], ids[one], ids[b], ids[c], ids[a], *ids[by], "M99999"],
        }
    )
    return pd.concat([pairs[["record", "by"]], further], ignore_index=True)
