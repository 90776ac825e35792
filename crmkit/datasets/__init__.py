"""Data by name: real, published, made-up and simulated tables, each with a card that says what it cannot show.

>>> from crmkit import datasets
>>> datasets.load("ten_customers").customers["name"].head(2).to_list()
['Ada', 'Bao']
"""

from crmkit.datasets.dataset import Dataset, catalogue, load
from crmkit.datasets.simulation import SimulatedFirm, simulate

__all__ = ["Dataset", "SimulatedFirm", "catalogue", "load", "simulate"]
