"""The referral tree: everybody is on it once, in the right generation, and the title names the one who brought most."""

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError, KindError
from crmkit.tables import referrals

LINKS = pd.DataFrame(
    [("B", "A"), ("C", "A"), ("D", "B"), ("E", "B"), ("F", "B"), ("G", "F"), ("Y", "X"), ("P", "Q"), ("Q", "P")],
    columns=["customer_id", "referred_by"],
)
NETWORK = referrals.network(LINKS, on=None)


def dots(ax) -> np.ndarray:
    points = np.concatenate([np.asarray(found.get_offsets()) for found in ax.collections[1:]])
    return points[~np.isnan(points).any(axis=1)]


def test_everybody_of_the_tree_stands_in_their_generation_once(title):
    ax = show.referral_tree(NETWORK)
    assert sorted(dots(ax)[:, 0]) == [0, 1, 1, 2, 2, 2, 3]
    assert len({tuple(point) for point in dots(ax)}) == 7
    assert len(ax.collections[0].get_segments()) == 6
    assert title(ax) == "A tree of 7 customers in 4 generations: B brought 3 of them directly"
    assert "B brought 3 directly and stands behind 4" in ax.alt_text


def test_another_root_and_other_names(title):
    ax = show.referral_tree(NETWORK, "X", names=pd.Series({"X": "$Xaver$"}))
    assert len(dots(ax)) == 2
    assert "Xaver" in title(ax)
    ax.figure.canvas.draw()  # a dollar sign starts no formula


@pytest.mark.parametrize(
    ("network", "root", "error", "message"),
    [
        (NETWORK, "B", InputError, "'B' began no tree"),
        (NETWORK, "P", InputError, "'P' is in a circle"),
        (referrals.network(LINKS.head(1).assign(referred_by="B"), on=None), None, InputError, "no tree"),
        (LINKS, None, KindError, "a network from tables.referrals.network"),
    ],
)
def test_what_has_no_tree_is_refused(network, root, error, message):
    with pytest.raises(error, match=message):
        show.referral_tree(network, root)
