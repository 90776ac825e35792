"""Segmentation: who the customers are, by value. `segmentation.rfm` is the way in (lesson 2.3)."""

from crmkit.segmentation import baskets, clusters, kinds, principles, rfm, tags, value

__all__ = ["baskets", "clusters", "kinds", "principles", "rfm", "tags", "value"]
