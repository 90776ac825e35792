"""One simulated firm by its name: its tables, its truth, and how it was made."""

import inspect
import zlib
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from crmkit.errors import InputError, KindError, near_misses

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from crmkit.tables import Transactions

#: Every firm and the module that makes it. A firm's module has
#: `make(streams, customers, *, <scenario>=<as shipped>) -> dict[str, DataFrame]`, tables of truth named `truth_…`.
FIRMS = {
    "shop": "crmkit.datasets.simulation.shop",
    "subscription": "crmkit.datasets.simulation.subscription",
    "mall": "crmkit.datasets.simulation.mall",
    "supermarket": "crmkit.datasets.simulation.supermarket",
    "membership": "crmkit.datasets.simulation.membership",
}


class Streams:
    """Random numbers by topic: a new topic, or more draws in one, leaves the numbers of the others as they were."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, topic: str) -> "np.random.Generator":
        """A fresh generator of this topic, the same at each call."""
        from numpy.random import PCG64, Generator, SeedSequence

        return Generator(PCG64(SeedSequence(self._seed, spawn_key=(zlib.crc32(topic.encode()),))))


@dataclass(frozen=True, repr=False)
class SimulatedFirm:
    """A firm's tables as attributes (DataFrames, a fresh copy at each access), and the truth behind them.

    `tables` and `truth` are the names of both kinds; `name`, `size` (people), `seed` and `scenario` (a dict) say how it
    was made; `transactions` are the firm's orders, checked, as `datasets.load(name).transactions` gives them.
    """

    name: str
    size: int
    seed: int
    scenario: dict[str, Any]
    _frames: dict[str, "pd.DataFrame"]

    @property
    def tables(self) -> list[str]:
        """The tables that the firm itself has."""
        return [name for name in self._frames if not name.startswith("truth_")]

    @property
    def truth(self) -> list[str]:
        """The tables that only the simulation knows."""
        return [name for name in self._frames if name.startswith("truth_")]

    @property
    def transactions(self) -> "Transactions":
        """The orders, read and checked with the roles that the shipped data set's schema names."""
        from crmkit.datasets.dataset import schema_of, select_typed, transactions
        from crmkit.tables.engines import embedded

        schema = schema_of(self.name)
        if "transactions" not in schema["transactions"]:
            raise InputError(f"the firm {self.name} has no table of orders that could be checked.")
        connection = embedded()
        for name in self.tables:
            connection.con.register(f"{name} as made", self._frames[name])
            typed = select_typed(schema["tables"][name]["columns"], f'"{name} as made"')
            connection.con.execute(f'create view "{name}" as {typed}')
        return transactions(connection, "transactions", schema["transactions"]["transactions"], name=self.name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._frames:
            raise AttributeError(
                f"the firm {self.name} has no {name!r}; its tables are {', '.join(self._frames)}."
                + near_misses(name, self._frames)
            )
        return self._frames[name].copy()

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._frames})

    def __repr__(self) -> str:
        made = ", ".join(f"{name} {value}" for name, value in {"seed": self.seed, **self.scenario}.items())
        rows = [f"  .{name}: {len(frame):,} rows" for name, frame in self._frames.items()]
        return "\n".join([f"{self.name} (simulated): {self.size:,} people, {made}", *rows])


def simulate(name: str, *, customers: int | None = None, seed: int | None = None, **scenario: Any) -> SimulatedFirm:
    """A firm whose truth is known: does my method find what is really there?

    Parameters
    ----------
    name : a firm of `FIRMS`: "shop", "subscription" …; `datasets.load(name)` gives its small version that ships
    customers : how many people the firm's main table of people is made for; as shipped if not said
    seed : equal seeds give equal firms; as shipped if not said
    scenario : what the firm's module offers, e.g. `season=0` (no season) or `dirt=0` (clean tables); see its docstring

    Raises InputError for an unknown firm, an unknown scenario or a value outside its range, KindError if `customers` or
    `seed` is no whole number.

    >>> from crmkit import datasets
    >>> firm = datasets.simulate("shop", customers=500, seed=3, dirt=0)
    >>> firm.truth
    ['truth_customers', 'truth_effects', 'truth_leads', 'truth_parameters']
    >>> len(firm.customers), sorted(firm.customers["consent"].unique())
    (500, ['no', 'yes'])
    """
    if not isinstance(name, str) or name not in FIRMS:
        raise InputError(f"there is no firm {name!r}; there are {', '.join(FIRMS)}." + near_misses(name, FIRMS))
    from crmkit.datasets.dataset import schema_of

    make = import_module(FIRMS[name]).make
    offered = [
        parameter
        for parameter in inspect.signature(make).parameters.values()
        if parameter.kind == parameter.KEYWORD_ONLY
    ]
    known = {parameter.name: parameter.default for parameter in offered}
    for word in scenario.keys() - known.keys():
        raise InputError(
            f"the firm {name} has no scenario {word!r}; it has {', '.join(known)}." + near_misses(word, known)
        )
    if customers is None or seed is None:
        shipped = schema_of(name)["simulated"]
        customers = shipped["customers"] if customers is None else customers
        seed = shipped["seed"] if seed is None else seed
    for what, number in {"customers": customers, "seed": seed}.items():
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise KindError(f"{what} is {number!r}, a {type(number).__name__}; give a whole number.")
        if number < 0:
            raise InputError(f"{what} is {number}; give 0 or more.")
    customers, seed = int(customers), int(seed)
    scenario = {**known, **scenario}
    return SimulatedFirm(name, customers, seed, scenario, make(Streams(seed), customers, **scenario))


def scenario_number(name: str, value: object, least: float, most: float) -> float:
    """A scenario's number within its range, or an error that says the range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise KindError(f"{name} is {value!r}, a {type(value).__name__}; give a number from {least} to {most}.")
    if not least <= value <= most:
        raise InputError(f"{name} is {value}; give a number from {least} to {most}.")
    return float(value)


def scenario_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse a word that is none of the choices."""
    if value not in choices:
        raise InputError(f"{name} is {value!r}; give one of {', '.join(choices)}." + near_misses(value, choices))
