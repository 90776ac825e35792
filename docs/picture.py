"""Draws the README's picture from the real baskets: `python docs/picture.py`."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from crmkit import datasets, lifecycle, segmentation, show

if __name__ == "__main__":
    orders = datasets.load("complete_journey").transactions
    segments = segmentation.rfm.segment(segmentation.rfm.score(lifecycle.summary(orders)))
    figure, (left, right) = plt.subplots(1, 2, figsize=(15, 5.6), dpi=80, layout="constrained")
    show.rfm_heat_map(segments, ax=left)
    show.segment_bars(segmentation.rfm.cards(segments), ax=right)
    figure.savefig(Path(__file__).with_name("picture.png"), metadata={"Software": None})
