"""Evaluation: what to do, for whom, and how it will be known whether it worked."""

from crmkit.evaluation import actions, differences, experiments, intervals

__all__ = ["actions", "differences", "experiments", "intervals"]
