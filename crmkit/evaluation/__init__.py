"""Evaluation: what to do, for whom, and how it will be known whether it worked."""

from crmkit.evaluation import actions, claims, differences, experiments, intervals, kpi, predictions, targets

__all__ = ["actions", "claims", "differences", "experiments", "intervals", "kpi", "predictions", "targets"]
