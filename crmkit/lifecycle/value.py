# ruff: noqa: F401
"""What are customers worth? Models of purchase, money and contract, their value, and whether to believe them.

Without a contract: a purchase model (`BetaGeometric`, `ModifiedBetaGeometric`, `ParetoNBD`) and `GammaGamma` for the
money give `customer_lifetime_value` and `residual_value`; `holdout`, `scorecard` and `tracking` show how well it
predicts. With a contract: `ShiftedBetaGeometric`, `cohort_value` and `simple_value`.
"""

from crmkit.lifecycle.contract_models import ShiftedBetaGeometric, cohort_value, simple_value
from crmkit.lifecycle.lifetime_value import customer_lifetime_value, residual_value
from crmkit.lifecycle.money_models import GammaGamma
from crmkit.lifecycle.pareto_nbd import ParetoNBD
from crmkit.lifecycle.purchase_counts import frequencies
from crmkit.lifecycle.purchase_models import BetaGeometric, ModifiedBetaGeometric
from crmkit.lifecycle.value_scorecard import holdout, scorecard, tracking

#: What is imported here is what the module offers; a name stands in one place.
__all__ = [name for name, offered in globals().items() if callable(offered) and not name.startswith("_")]
