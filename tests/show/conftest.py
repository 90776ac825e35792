"""What the tests of pictures share: customers whose numbers are known, and no trace left behind."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crmkit.segmentation import rfm


@pytest.fixture(autouse=True)
def no_trace():
    """Whatever is drawn leaves matplotlib's global settings as they are; each test closes its figures."""
    before = mpl.rcParams.copy()
    yield
    after = mpl.rcParams.copy()
    plt.close("all")
    assert after == before


@pytest.fixture
def summary() -> pd.DataFrame:
    """Ten customers, in euros; six of them bought once."""
    frame = pd.DataFrame(
        {
            "recency_days": [1, 2, 3, 10, 20, 30, 60, 90, 200, 300],
            "orders": [9, 7, 1, 4, 1, 1, 3, 1, 1, 1],
            "spend": [500.0, 300.0, 20.0, 90.0, 10.0, 15.0, 40.0, 5.0, 12.0, 8.0],
        },
        index=pd.Index(range(1, 11), name="customer_id"),
    )
    frame.attrs = {"as_of": "2026-06-30", "currency": "EUR", "unit": "days"}
    return frame


@pytest.fixture
def scores(summary) -> pd.DataFrame:
    return rfm.score(summary)


@pytest.fixture
def segments(scores) -> pd.DataFrame:
    return rfm.segment(scores)


@pytest.fixture
def cards(segments) -> pd.DataFrame:
    return rfm.cards(segments)


@pytest.fixture
def title():
    """The title of a chart on one line."""
    return lambda ax: ax.get_title().replace("\n", " ")
