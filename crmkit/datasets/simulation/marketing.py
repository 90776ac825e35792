"""What a firm does to its customers and what they answer: arms of an experiment, surveys, scores."""

import numpy as np

Generator = np.random.Generator


def arms(rng: Generator, count: int, control: float) -> np.ndarray:
    """Who is contacted (True) and who is held out, by lot: exactly the share `control` is held out, rounded."""
    contacted = np.ones(count, dtype=bool)
    contacted[rng.permutation(count)[: round(count * control)]] = False
    return contacted


def logistic(score: np.ndarray) -> np.ndarray:
    """The probability of a score."""
    return 1 / (1 + np.exp(-score))


def ratings(feeling: np.ndarray) -> np.ndarray:
    """A feeling in points becomes an answer from 1 to 5."""
    return np.clip(np.round(feeling), 1, 5).astype("int64")


def answers(rng: Generator, rating: np.ndarray, usual: float, angry: float, delighted: float) -> np.ndarray:
    """Who answers a survey: the angry (1, 2) and the delighted (5) more willingly than the rest."""
    willing = np.select([rating <= 2, rating == 5], [angry, delighted], usual)
    return rng.uniform(0, 1, len(rating)) < willing


def spending(rng: Generator, newcomers: np.ndarray, price: np.ndarray, noise: float = 0.12) -> np.ndarray:
    """Spend a month (rows) and source (columns) for so many expected newcomers at a price each."""
    return newcomers * price * rng.lognormal(-(noise**2) / 2, noise, newcomers.shape)
