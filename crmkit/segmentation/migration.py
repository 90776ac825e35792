"""Migration: who moved from which segment to which between two dates."""

import pandas as pd

from crmkit.lifecycle.moves import GONE, NEW, moves

__all__ = ["GONE", "NEW", "migration"]


def migration(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """How many customers went from which segment to which?

    Quantile scores are relative: cut anew at the later date, they move customers who changed nothing, only
    because others did. To ask who changed, hold the yardstick still:

        scores_before = rfm.score(before)
        scores_after  = rfm.score(after, cuts=rfm.cut_points(before))    # frozen cuts
        rfm.migration(rfm.segment(scores_before), rfm.segment(scores_after))

    To ask who is in the best fifth today, cut anew. The result says which of the two it is. Recency needs
    windows of one length: two half-years, not one year against two.

    Parameters
        before, after: from `rfm.segment`, both with one row a customer under the same kind of customer_id.
    Returns: whole numbers of customers; rows are the segments before and "not yet a customer", columns the
        segments after, and "not in the later table" if someone is missing there. Row sums are the sizes
        before, column sums the sizes after. attrs: `frozen_cuts` (True, False, or None if not known), `note`.
    Raises: InputError if a customer stands in a table twice, if one table has ids as text and the other as
    numbers, or if `before` is the later one.

    >>> before = pd.DataFrame({"segment": ["New", "Loyal"]}, index=["anna", "bo"])
    >>> after = pd.DataFrame({"segment": ["Loyal", "Loyal", "New"]}, index=["anna", "bo", "cem"])
    >>> migration(before, after).loc["New", "Loyal"]
    np.int64(1)
    """
    matrix = moves(before, after, column="segment", made_by="rfm.segment")
    cuts = [table.attrs.get("cut_points") for table in (before, after)]
    frozen = None if None in cuts else cuts[0] == cuts[1]
    matrix.attrs = {
        "frozen_cuts": frozen,
        "note": {
            True: "Both dates are scored with the same cut points: who moved has changed.",
            False: "Each date has its own cut points: some moved only because others changed. "
            "Score the later date with cuts=rfm.cut_points(the earlier summary) to hold the yardstick still.",
            None: "It is not known whether both dates were scored with the same cut points.",
        }[frozen],
    }
    return matrix
