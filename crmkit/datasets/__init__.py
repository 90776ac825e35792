"""Data by name: real, published and made-up tables, each with a card that says what it cannot show.

>>> from crmkit import datasets
>>> datasets.load("ten_customers").customers["name"].head(2).to_list()
['Ada', 'Bao']
"""

from crmkit.datasets.dataset import Dataset, catalogue, load

__all__ = ["Dataset", "catalogue", "load"]
