"""Segmentation: who the customers are, by value. `segmentation.rfm` is the way in (lesson 2.3)."""

from crmkit.segmentation import kinds, principles, rfm, tags, value

__all__ = ["kinds", "principles", "rfm", "tags", "value"]
