"""Which division of customers for which question: what each of them foresees, in one grid."""

import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError
from crmkit.show import style


def purpose_grid(useful: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which division of the customers is of use for which question?

    Parameters: `useful`, one row a division and question, each pair once: `division`, `question`, and `value`, `low`, `high` as
        `segmentation.clusters.usefulness` gives them (the share of the outcome's variance that the division foresees). Both stand
        in the order in which they first occur; a pair that is not there stays empty.
    Returns: the Axes. Each field has the value, and its interval in brackets; values below 0 foresee nothing, and are drawn as 0.
    Raises: ColumnError for a missing column; InputError for a pair that stands there twice.

    >>> rows = [("age", "money", 0.01, -0.01, 0.03), ("bands", "money", 0.42, 0.38, 0.46)]
    >>> useful = pd.DataFrame(rows, columns=["division", "question", "value", "low", "high"])
    >>> purpose_grid(useful).get_title().replace("\\n", " ")
    'bands foresees most: money'
    """
    columns = ["division", "question", "value", "low", "high"]
    style.needs(useful, columns, "segmentation.clusters.usefulness")
    twice = useful.duplicated(["division", "question"])
    if twice.any():
        pair = useful.loc[twice, ["division", "question"]].iloc[0].to_list()
        raise InputError(f"division and question: {twice.sum():,} pairs stand there twice, such as {pair}.")
    wide = useful.pivot(index="division", columns="question", values=columns[2:])
    values, low, high = (
        wide[name].reindex(index=useful["division"].unique(), columns=useful["question"].unique()).astype(float)
        for name in columns[2:]
    )
    texts = values.copy().astype(object)
    for division in values.index:
        for question in values.columns:
            ends = [f"{max(each.loc[division, question], 0):.2f}" for each in (values, low, high)]
            texts.loc[division, question] = f"{ends[0]}  ({ends[1]} – {ends[2]})"
    with style.house(ax, (9.5, 1.9 + 0.48 * len(values))) as ax:
        shown = values.clip(lower=0)
        style.heat(ax, shown, texts, cmap=style.AMOUNTS, vmin=0, cbar_kws={"label": "share foreseen"})
        ax.set_yticklabels([style.label(name, 26) for name in values.index], rotation=0)
        ax.set_xticklabels([style.label(name, 26) for name in values.columns], rotation=0)
        ax.set(xlabel="", ylabel="")
        best = {question: values[question].idxmax() for question in values.columns if values[question].notna().any()}
        wins = pd.Series(best).groupby(pd.Series(best), sort=False).groups
        told = "; ".join(f"{division} foresees most: {', '.join(asked)}" for division, asked in wins.items())
        title = f"{len(best)} questions, {len(wins)} different winners: {', '.join(wins)}" if len(wins) > 1 else told
        rows = "; ".join(
            f"{division}: "
            + ", ".join(f"{question} {values.loc[division, question]:.2f}" for question in values.columns)
            for division in values.index
        )
        return style.conclude(ax, title, f"Share of each outcome's variance foreseen. {told}. {rows}.")
