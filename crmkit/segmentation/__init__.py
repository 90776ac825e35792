"""Segmentation: who the customers are, by value. `segmentation.rfm` is the way in (lesson 2.3)."""

from crmkit.segmentation import baskets, brands, clusters, cycles, kinds, offers, portrait, principles, rfm, tags, value

__all__ = [
    "baskets",
    "brands",
    "clusters",
    "cycles",
    "kinds",
    "offers",
    "portrait",
    "principles",
    "rfm",
    "tags",
    "value",
]
