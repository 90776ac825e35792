"""What an answer to "may we write to you?" means. One place, so that a list and an archive cannot disagree."""

from typing import Any

import pandas as pd

#: How people write yes and no in a consent column; everything else is unclear and counts as no.
YES = frozenset({"yes", "y", "true", "t", "1", "1.0", "是", "同意"})
NO = frozenset({"no", "n", "false", "f", "0", "0.0", "否", "不同意"})


def read(answers: "pd.Series[Any]") -> "pd.Series[Any]":
    """Each answer as "yes", "no", "missing" or "unclear"; spaces and capitals do not matter.

    >>> read(pd.Series(["Yes", " n", None, "maybe", 1])).to_list()
    ['yes', 'no', 'missing', 'unclear', 'yes']
    """
    words = pd.Series([str(answer).strip().casefold() for answer in answers.array], index=answers.index, dtype=object)
    meant = pd.Series("unclear", index=answers.index, dtype=object)
    meant[answers.isna() | (words == "")] = "missing"
    meant[words.isin(YES)] = "yes"
    meant[words.isin(NO)] = "no"
    return meant
