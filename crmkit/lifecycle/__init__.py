"""Where customers stand in their life with the firm: one row a customer, and what can be read from it."""

from crmkit.lifecycle import (
    churn,
    churn_evaluation,
    churn_features,
    churn_warning,
    needs,
    recognition,
    retention,
    stages,
    value,
    win_back,
)
from crmkit.lifecycle.customer_summary import summary

__all__ = [
    "churn",
    "churn_evaluation",
    "churn_features",
    "churn_warning",
    "needs",
    "recognition",
    "retention",
    "stages",
    "summary",
    "value",
    "win_back",
]
