"""crmkit: learn customer relationship management by doing it, then do it on your own firm's data.

The rooms (``tables``, ``datasets``, ``lifecycle``, ``segmentation``, ``evaluation``, ``show``,
``classroom``, ``report``) are loaded on first use, so ``import crmkit`` itself stays light.

>>> import crmkit
>>> issubclass(crmkit.CrmkitError, Exception)
True
"""

from importlib import import_module

from crmkit.errors import ColumnError, CrmkitError, InputError, KindError

__version__ = "0.1.0"

ROOMS = (
    "tables",
    "datasets",
    "evaluation",
    "lifecycle",
    "segmentation",
    "relationship",
    "show",
    "classroom",
    "report",
)

__all__ = ["ColumnError", "CrmkitError", "InputError", "KindError", "Transactions", *ROOMS]


def __getattr__(name: str):
    if name in ROOMS:
        return import_module(f"crmkit.{name}")
    if name == "Transactions":
        return import_module("crmkit.tables").Transactions
    raise AttributeError(f"module 'crmkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
