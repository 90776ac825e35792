"""Tables that were checked: `Transactions`, what was done to its rows, and what the data can carry."""

from crmkit.tables import anonymity, archive, erasure, identity, privacy, quality, referrals
from crmkit.tables.ledger import Ledger
from crmkit.tables.roles import load_roles, save_roles
from crmkit.tables.transactions import Transactions
from crmkit.tables.verdict import Verdict, check

__all__ = [
    "Ledger",
    "Transactions",
    "Verdict",
    "anonymity",
    "archive",
    "check",
    "erasure",
    "identity",
    "load_roles",
    "privacy",
    "quality",
    "referrals",
    "save_roles",
]
