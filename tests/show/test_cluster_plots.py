"""Pictures of clusters and rules: titles say what the tables say, and the widget shows what its twin returns."""

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError
from crmkit.segmentation import clusters


@pytest.fixture
def people() -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "recency_days": random.integers(0, 90, 80),
            "orders": random.geometric(0.1, 80),
            "spend": random.gamma(1, 90, 80),
        }
    )
    return frame.rename_axis("customer_id")


def pairs(lifts, above=True, support=0.1) -> pd.DataFrame:
    rows = [("a", f"b{place}", lift) for place, lift in enumerate(lifts)]
    both = rows + [(other, one, lift) for one, other, lift in rows]
    frame = pd.DataFrame(both, columns=["if_bought", "also_bought", "lift"])
    return frame.assign(support=support, above_chance=above)


def test_profiles_show_each_median_and_name_the_cluster_that_brings_most(people, title):
    profile = clusters.profile(people, clusters.cluster(people, 3).labels)
    ax = show.cluster_profiles(profile)
    top = profile.loc[profile["share_of_spend"].idxmax()]
    assert title(ax).startswith(f'"{top["segment"]}": {top["share_of_customers"] * 100:.0f} % of customers')
    drawn = {text.get_text() for text in ax.texts}
    assert {show.style.short(median) for median in profile["median_spend"]} <= drawn
    assert [label.get_text()[:2] for label in ax.get_yticklabels()] == ["1:", "2:", "3:"]


def test_the_judges_are_named_with_their_own_best(title):
    judged = pd.DataFrame(
        {"silhouette": [0.5, 0.3], "stability": [0.6, 0.9], "stability_low": [0.5, 0.8]}, index=[2, 3]
    )
    nobody = judged.assign(useful=np.nan)
    assert title(show.choice_of_k(nobody)) == "Silhouette says 2, stability says 3"
    useful = judged.assign(useful=[0.4, 0.2], useful_low=[0.3, 0.1], useful_high=[0.5, 0.3])
    ax = show.choice_of_k(useful)
    assert title(ax).endswith("usefulness says 2")
    assert "usefulness 0.40 at 2" in ax.alt_text


def test_pairs_are_drawn_once_and_luck_is_named(title):
    real = pd.concat([pairs([8.0, 4.0]), pairs([1.2], above=False)])
    ax = show.rules_above_chance(real, pairs([2.0, 1.9], above=False))
    assert title(ax) == "2 of 3 pairs are above chance; on a shuffled table, lifts reach 2.0 by luck alone"
    assert sum(len(points.get_offsets()) for points in ax.collections) == 5
    assert {text.get_text() for text in ax.texts} == {"a + b0", "a + b1"}


def test_the_widget_shows_the_view(people):
    later = people["spend"] * 2
    widget = show.cluster_explorer(people, later)
    k, ready, shown = widget.children
    assert shown.value == show.cluster_view(people, later=later).html()
    k.value, ready.value = 3, "as they are"
    view = show.cluster_view(people, 3, "as they are", later=later)
    assert shown.value == view.html()
    assert "agreement with logs, then scaled" in view.text
    assert f"explains {view.useful.value * 100:.0f} %" in view.text


def test_the_view_is_what_the_functions_give(people):
    view = show.cluster_view(people, 4, "scaled")
    plain = clusters.cluster(people, 4, preparation=clusters.prepare(people, log=False))
    pd.testing.assert_series_equal(view.clusters.labels, plain.labels)
    assert view.useful is None
    assert f"{clusters.agreement(plain.labels, clusters.cluster(people, 4).labels):.2f}" in view.text
    assert "<img" not in view._repr_html_()


def test_what_does_not_work_is_told(people):
    with pytest.raises(InputError, match="preparation='raw'"):
        show.cluster_view(people, 3, "raw")
    with pytest.raises(InputError, match="orders"):
        show.cluster_explorer(people.assign(orders=1))
    few = show.cluster_explorer(people.head(5))
    few.children[0].value = 8
    assert "This setting does not work" in few.children[-1].value
    with pytest.raises(InputError):
        show.choice_of_k(people)
