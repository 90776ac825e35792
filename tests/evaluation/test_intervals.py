"""The Wilson interval: against statsmodels, published figures, its own definition, and simulated coverage."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from crmkit.errors import InputError, KindError
from crmkit.evaluation.intervals import share_interval

counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_as_statsmodels_computes_it(count, level):
    found = share_interval(*count, level=level)
    assert found[1:] == pytest.approx(proportion_confint(*count, alpha=1 - level, method="wilson"), abs=1e-12)
    assert found.share == count[0] / count[1]


@given(counts)
def test_the_interval_holds_the_share_and_mirrors(count):
    yes, n = count
    share, low, high = share_interval(yes, n)
    assert 0 <= low <= share <= high <= 1
    assert low < high
    mirrored = share_interval(n - yes, n)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-12)
    wider = share_interval(yes, n, level=0.99)
    assert wider.low <= low <= high <= wider.high


def test_as_published():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3 (score without continuity correction).
    for yes, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert share_interval(yes, n)[1:] == pytest.approx((low, high), abs=5e-5)


def test_it_keeps_what_it_promises_where_the_textbook_does_not():
    # Truth: 5 % buy, groups of 30. Brown, Cai and DasGupta (2001): Wald's coverage falls far below 95 % here.
    yes = np.random.default_rng(3).binomial(30, 0.05, 40_000)
    found = share_interval(yes, 30)
    wald = 1.959964 * np.sqrt(found.share * (1 - found.share) / 30)
    assert ((found.low <= 0.05) & (found.high >= 0.05)).mean() > 0.93
    assert (np.abs(found.share - 0.05) <= wald).mean() < 0.80


def test_shapes_and_nothing_tried():
    assert all(isinstance(value, float) for value in share_interval(3, 4))
    found = share_interval(pd.Series([1, 0, 2], index=["c", "a", "b"]), pd.Series([2, 0, 2], index=["c", "a", "b"]))
    assert np.isnan(found.share[1])
    assert (found.low[1], found.high[1]) == (0, 1)
    assert found.share[[0, 2]].tolist() == [0.5, 1.0]
    assert found.high[2] == 1
    assert share_interval([1, 2], 4).share.tolist() == [0.25, 0.5]
    assert share_interval([], []).low.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 4), "1 of 1 cases, such as 5 of 4"),
        (([1, 5], [4, 4]), "1 of 2 cases, such as 5 of 4"),
        ((-1, 4), "successes must be whole numbers from 0"),
        ((0.5, 4), r"1 of 1 are not \(0.5\)"),
        ((1, np.nan), "trials must be whole"),
        (([1, 2], [3, 4, 5]), "successes has 2 values and trials 3"),
        ((1, 4, 95), "level must be between 0 and 1"),
        ((1, 4, 0), "level"),
        ((1, 4, True), "level"),
    ],
)
def test_counts_that_cannot_be(arguments, message):
    with pytest.raises(InputError, match=message):
        share_interval(*arguments)


def test_words_are_no_counts():
    with pytest.raises(KindError, match="successes must be counts"):
        share_interval("many", 4)
