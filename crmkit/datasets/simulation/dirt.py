"""What real tables suffer from: rows that come late, rows that come twice, gaps, misspellings."""

import numpy as np

Generator = np.random.Generator


def some(rng: Generator, count: int, share: float) -> np.ndarray:
    """A mask of a share of `count` rows, by chance."""
    return rng.uniform(0, 1, count) < share


def booked(rng: Generator, times: np.ndarray, share: float, most: float = 9) -> np.ndarray:
    """The order in which rows were booked: a share of them up to `most` days late, so not in the order of time."""
    late = some(rng, len(times), share) * rng.uniform(1, most, len(times))
    return np.argsort(times + late, kind="stable")


def repeated(rng: Generator, count: int, share: float, apart: int = 40) -> np.ndarray:
    """The places of `count` rows with a share of them once more, up to `apart` rows further down."""
    again = np.flatnonzero(some(rng, count, share))
    places = np.concatenate([np.arange(count), again])
    further = np.concatenate([np.arange(count), again + rng.integers(1, apart, len(again))])
    return places[np.argsort(further, kind="stable")]


def misspelt(rng: Generator, texts: list[str], share: float) -> list[str]:
    """A share of the texts with a typing mistake: two letters swapped, one dropped or one doubled."""
    hit = np.flatnonzero(some(rng, len(texts), share))
    found = list(texts)
    for place, kind, spot in zip(hit, rng.integers(0, 3, len(hit)), rng.uniform(0, 1, len(hit)), strict=True):
        text = found[place]
        if len(text) > 2:
            k = 1 + int(spot * (len(text) - 2))
            middle = (text[k + 1 : k + 2] + text[k], "", text[k] * 2)[kind]
            found[place] = text[:k] + middle + text[k + (2 if kind == 0 else 1) :]
    return found
