"""Who buys when and who leaves when: processes with stated parameters, drawn without a loop over customers."""

import numpy as np

from crmkit.datasets.simulation.clock import Season

Generator = np.random.Generator
NO_SEASON = Season.of(0, 0)


def rates(rng: Generator, shape: float, mean: float, count: int) -> np.ndarray:
    """A rate for each customer, gamma distributed: a small shape makes customers very unlike each other."""
    return rng.gamma(shape, mean / shape, count)


def lifetimes(rng: Generator, rate: np.ndarray) -> np.ndarray:
    """How long each stays if the risk of leaving is `rate` at any moment: exponential, infinite for a rate of 0."""
    with np.errstate(divide="ignore"):
        return rng.exponential(1, len(rate)) / rate


def events(
    rng: Generator, rate: np.ndarray, start: np.ndarray, stop: np.ndarray, season: Season = NO_SEASON
) -> tuple[np.ndarray, np.ndarray]:
    """Poisson events of each customer between `start` and `stop`, at `rate` a day times the season.

    Returns the customer's place and the time of every event, in order of customer and time.
    """
    begin, end = season.elapsed(start), season.elapsed(np.maximum(start, stop))
    counts = rng.poisson(rate * (end - begin))
    who = np.repeat(np.arange(len(rate)), counts)
    # sorting place + u sorts the times within a customer, in one sort
    share = np.sort(who + rng.uniform(0, 1, len(who))) - who
    return who, season.when(begin[who] + np.clip(share, 0, 1) * (end - begin)[who])


def thinned(rng: Generator, keep: np.ndarray) -> np.ndarray:
    """Which events stay, if each stays with its own probability: turns a steady rate into any other below it."""
    return rng.uniform(0, 1, len(keep)) < keep


def until_dropout(
    rng: Generator, who: np.ndarray, when: np.ndarray, first: np.ndarray, probability: np.ndarray, *, at_once: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Dropout at purchases: after every repeat purchase, and `at_once` after the first one too, a customer may leave.

    Without `at_once` this is BG/NBD (Fader, Hardie and Lee 2005), with it MBG/NBD (Batislam, Denizel and Filiztekin
    2007). `who` and `when` are repeat purchases in order, `first` the time of everybody's first one. Returns the mask
    of those that happen, and when each customer leaves: infinite if that is not seen yet.
    """
    most = rng.geometric(np.clip(probability, 1e-12, 1)) - int(
        at_once
    )  # repeat purchases, of which the last is the end
    place = np.arange(len(who)) - np.searchsorted(who, who)
    gone = np.where(most == 0, first, np.inf)
    last = place == most[who] - 1
    gone[who[last]] = when[last]
    return place < most[who], gone


def renewals(rng: Generator, risk: np.ndarray) -> np.ndarray:
    """In which period each leaves for good (1, 2, …), if the risk of leaving is the same in every period.

    With beta distributed risks this is the shifted beta-geometric of Fader and Hardie (2007).
    """
    return rng.geometric(np.clip(risk, 1e-12, 1))
