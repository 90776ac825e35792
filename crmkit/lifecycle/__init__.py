"""Where customers stand in their life with the firm: one row a customer, and what can be read from it."""

from crmkit.lifecycle import (
    acquisition,
    attribution,
    churn,
    churn_evaluation,
    churn_features,
    churn_warning,
    funnels,
    lead_scores,
    needs,
    recognition,
    retention,
    stages,
    value,
    win_back,
)
from crmkit.lifecycle.customer_summary import summary

__all__ = [
    "acquisition",
    "attribution",
    "churn",
    "churn_evaluation",
    "churn_features",
    "churn_warning",
    "funnels",
    "lead_scores",
    "needs",
    "recognition",
    "retention",
    "stages",
    "summary",
    "value",
    "win_back",
]
