"""How alike two records are, field by field: 1 is the same, 0 has nothing in common, missing where one side is missing.

All functions take two arrays of normal forms of equal length (`normal_forms.normalise` makes them) and work on the
distinct pairs only.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

#: The words of a name that are compared; a name of more words is compared by its first ones.
_WORDS = 5
#: What each further word of the longer name costs, and the most that a name of one word can be worth beside a longer one.
_FURTHER, _ONE_WORD = 0.08, 0.8
_INITIAL = 0.85


def one_letter(word: str) -> str:
    """A word with the two-letter spellings of umlauts as one: Mueller and Muller are written for the same Müller.

    >>> one_letter("mueller"), one_letter("schroeder")
    ('muller', 'schroder')
    """
    return re.sub("(?<=.)([aou])e", r"\1", word)


def _distinct(left: Any, right: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The distinct texts; the codes of the distinct pairs of them; which of these each pair is (-1: one is missing)."""
    codes, texts = pd.factorize(np.concatenate([np.asarray(left, dtype=object), np.asarray(right, dtype=object)]))
    a, b = codes[: len(left)].astype("int64"), codes[len(left) :].astype("int64")
    known = (a >= 0) & (b >= 0)
    place, pairs = pd.factorize(a[known] * max(len(texts), 1) + b[known])
    where = np.full(len(a), -1)
    where[known] = place
    return np.asarray(texts, dtype=object), pairs // max(len(texts), 1), pairs % max(len(texts), 1), where


def _spread(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The value of each pair; not a number where it is -1."""
    return np.append(values, np.nan)[where]


def person_names(left: Any, right: Any) -> np.ndarray:
    """As alike as the least alike word: one other first name is another person, whatever the family name.

    Every word of the shorter name is held against the word of the longer one that it fits best (of equally long names
    both ways). Words are compared by edits (letters changed, missing, added, or two neighbours exchanged) per letter;
    an initial fits a word that begins with it.

    >>> person_names(["anna schmidt", "anna schmidt", "a schmidt"], ["anna schmitd", "jonas schmidt", "anna schmidt"]).round(2)
    array([0.86, 0.4 , 0.85])
    """
    texts, a, b, where = _distinct(left, right)
    split = [text.split()[:_WORDS] for text in texts]
    words = sorted({word for name in split for word in name})
    place = {word: number for number, word in enumerate(words)}
    width = max(map(len, split), default=1)
    table = np.full((len(split), width), -1, dtype="int64")
    for row, name in enumerate(split):
        table[row, : len(name)] = [place[word] for word in name]
    first, second = table[a][:, :, None], table[b][:, None, :]
    both = np.where((first >= 0) & (second >= 0), first * max(len(words), 1) + second, -1)
    like = _words_alike(words, both)
    count_a, count_b = (table[a] >= 0).sum(axis=1), (table[b] >= 0).sum(axis=1)
    # the best partner of each word, and of these the worst; places without a word count for nothing
    worst_a = np.where(table[a] >= 0, like.max(axis=2, initial=-1), 2).min(axis=1, initial=2)
    worst_b = np.where(table[b] >= 0, like.max(axis=1, initial=-1), 2).min(axis=1, initial=2)
    worst = np.where(count_a < count_b, worst_a, np.where(count_b < count_a, worst_b, np.minimum(worst_a, worst_b)))
    worst = worst * (1 - _FURTHER * np.abs(count_a - count_b))
    one = (np.minimum(count_a, count_b) == 1) & (np.maximum(count_a, count_b) > 1)
    return _spread(np.where(one, np.minimum(worst, _ONE_WORD), worst), where)


def _words_alike(words: list[str], both: np.ndarray) -> np.ndarray:
    """For each pair of words (place of the first · number of words + place of the second; -1: none) how alike they are."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import cpdist

    place, pairs = pd.factorize(both[both >= 0])
    plain = np.array([one_letter(word) for word in words], dtype=object)
    firsts, seconds = plain[pairs // max(len(words), 1)], plain[pairs % max(len(words), 1)]
    like = cpdist(firsts.tolist(), seconds.tolist(), scorer=OSA.normalized_similarity, dtype=np.float32).astype(
        "float64"
    )
    length, letter = (np.array([cut(word) for word in plain], dtype=object) for cut in (len, lambda word: word[:1]))
    first, second = pairs // max(len(words), 1), pairs % max(len(words), 1)
    initial = (letter[first] == letter[second]) & (np.minimum(length[first], length[second]) == 1)
    found = np.full(both.shape, -1.0)
    found[both >= 0] = np.where(initial, np.maximum(like, _INITIAL), like)[place]
    return found


def firm_names(left: Any, right: Any) -> np.ndarray:
    """As alike as the whole names are, whatever the order of the words."""
    from rapidfuzz.fuzz import token_sort_ratio
    from rapidfuzz.process import cpdist

    texts, a, b, where = _distinct(left, right)
    plain = [" ".join(map(one_letter, text.split())) for text in texts]
    like = cpdist([plain[i] for i in a], [plain[i] for i in b], scorer=token_sort_ratio, dtype=np.float32)
    return _spread(like.astype("float64") / 100, where)


def phones(left: Any, right: Any) -> np.ndarray:
    """1 for the same number, 0.9 for one slip of the fingers (a digit wrong, missing, or two exchanged), else 0."""
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import cpdist

    texts, a, b, where = _distinct(left, right)
    edits = cpdist(texts[a].tolist(), texts[b].tolist(), scorer=OSA.distance)
    return _spread(np.where(edits == 0, 1.0, np.where(edits == 1, 0.9, 0.0)), where)


def emails(left: Any, right: Any, *, public: frozenset[str] | None = None) -> np.ndarray:
    """1 for the same address, 0.8 for one slip of the fingers in its letters, else 0.

    Addresses are made of names, so those of two persons of one name are alike and say nothing more: only one edit is
    a slip, and other digits are another address. With `public` hosts (for firms) two addresses at one other host are
    at least 0.75 alike: colleagues.

    >>> emails(["anna.keller@example.com"] * 2, ["ana.keller@example.com", "anna.keller2@example.com"])
    array([0.8, 0. ])
    """
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import cpdist

    texts, a, b, where = _distinct(left, right)
    edits = cpdist(texts[a].tolist(), texts[b].tolist(), scorer=OSA.distance)
    digits = np.array(["".join(re.findall("[0-9]", text)) for text in texts], dtype=object)
    like = np.where((edits == 1) & (digits[a] == digits[b]), 0.8, 0.0)
    if public is not None:
        host = np.array([text.rpartition("@")[2] for text in texts], dtype=object)
        own = np.array([one not in public for one in host], dtype=bool)
        like = np.where((host[a] == host[b]) & own[a], np.maximum(like, 0.75), like)
    return _spread(np.where(a == b, 1.0, like), where)


def birth_dates(left: Any, right: Any) -> np.ndarray:
    """1 for the same day, 0.9 if day and month were exchanged, 0.85 if one digit differs, else 0."""
    left, right = (np.asarray(side, dtype="datetime64[D]") for side in (left, right))
    known = ~(np.isnat(left) | np.isnat(right))
    parts = []
    for side in (left, right):
        month = side.astype("datetime64[M]")
        year = side.astype("datetime64[Y]")
        steps = (year.astype("int64") + 1970, (month - year).astype("int64") + 1, (side - month).astype("int64") + 1)
        parts.append([np.where(known, step, 1) for step in steps])
    (y1, m1, d1), (y2, m2, d2) = parts
    one, two = y1 * 10000 + m1 * 100 + d1, y2 * 10000 + m2 * 100 + d2
    other = sum(((one // 10**place) % 10 != (two // 10**place) % 10).astype("int64") for place in range(8))
    swapped = (y1 == y2) & (m1 == d2) & (d1 == m2)
    return np.where(known, np.select([other == 0, swapped, other == 1], [1.0, 0.9, 0.85], 0.0), np.nan)


def postcodes(left: Any, right: Any) -> np.ndarray:
    """1 for the same postcode, else 0."""
    left, right = pd.Series(left), pd.Series(right)
    return np.where(left.isna() | right.isna(), np.nan, (left.to_numpy() == right.to_numpy()).astype("float64"))
