"""Who may see what about a person: pseudonyms, consent, what each role sees.

None of this makes a table anonymous in the sense of a law; that is a question for a lawyer and depends on what
others know. It makes the usual accidents harder. Whether people can be recognised: `anonymity`; the right to be
forgotten: `erasure`.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from crmkit.errors import InputError, KindError, near_misses
from crmkit.tables import consent as consent_words
from crmkit.tables.frames import id_text, needs, texts

#: Letters of a pseudonym after its "p": 80 bits, so two of a billion customers meet with a chance of 4 in 10 million.
LENGTH = 20
#: A key shorter than the hash weakens it (RFC 2104, section 3); SHA-256 gives 32 bytes.
KEY_BYTES = 32
LEVELS = ("clear", "pseudonym", "masked", "hidden")


# --- pseudonyms -------------------------------------------------------------------------------------------------------


def checked_key(key: "bytes | str") -> bytes:
    """The key as 32 bytes or more, if nobody can guess it; 64 hexadecimal digits are read as the bytes they write.

    Raises KindError for anything but bytes or text; InputError for a key that is too short (below 32 bytes) or
    guessable: words, one byte repeated, a pattern, counting up.

    >>> checked_key("my dog is called Rex, born on the 3rd of May")
    Traceback (most recent call last):
    crmkit.errors.InputError: the key is text that a person typed, and can be guessed; make one at random ...
    """
    advice = "make one at random with secrets.token_bytes(32), keep it apart from the data, and use it again."
    if not isinstance(key, bytes | bytearray | str):
        raise KindError(f"the key must be bytes or hexadecimal text, not {type(key).__name__}; {advice}")
    raw = key.encode() if isinstance(key, str) else bytes(key)
    if re.fullmatch(rb"\s*(?:[0-9a-fA-F]{2}){16,}\s*", raw):
        raw = bytes.fromhex(raw.decode())
    elif isinstance(key, str) or (raw and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in raw)):
        # 32 random bytes are all printable once in 10 ** 13 times
        raise InputError(f"the key is text that a person typed, and can be guessed; {advice}")
    if len(raw) < KEY_BYTES:
        raise InputError(f"the key has {len(raw)} bytes, and {KEY_BYTES} are needed; {advice}")
    steps = {(after - before) % 256 for before, after in pairwise(raw)}
    if len(set(raw)) < 16 or len(steps) < 8:  # of 32 random bytes about 30 differ, and so do their steps
        raise InputError(f"the key repeats itself or counts, so it can be guessed; {advice}")
    return raw


def pseudonyms(ids: "Iterable[Any] | pd.Index", key: "bytes | str") -> "pd.Series[Any]":
    """The pseudonym of each id, indexed by the id: the table that translates. It must never travel with the data.

    HMAC-SHA256 (RFC 2104) of the id's text. The same id gets the same pseudonym in every table and every month, as
    long as the key is the same; 17, 17.0 and "17" are the same id. A plain hash would not do: whoever knows what ids
    look like hashes them all and compares. A missing id has no pseudonym. Raises what `checked_key` raises.

    >>> import hashlib
    >>> names = pseudonyms(["M17", "M41"], hashlib.sha256(b"only for this example: a real key is random").digest())
    >>> names["M17"] != names["M41"], len(names["M17"])
    (True, 21)
    """
    secret = checked_key(key)
    index = ids if isinstance(ids, pd.Index) else pd.Index(list(ids))
    names = [
        None if pd.isna(each) else "p" + hmac.digest(secret, id_text(each).encode(), "sha256").hex()[:LENGTH]
        for each in index
    ]
    return pd.Series(names, index=index, name="pseudonym", dtype="str")


def pseudonymise(frame: pd.DataFrame, columns: "str | Sequence[str]", key: "bytes | str") -> pd.DataFrame:
    """The table with pseudonyms in these columns, so that it can be analysed by people who must not know who is who.

    Use the same key for every table and they can still be joined. Rows come back sorted by pseudonym, because
    their order tells something about the ids. Names, telephone numbers and free text are not made harmless by this:
    leave those columns out (`view`). Raises ColumnError for a missing column, and what `checked_key` raises.

    >>> import hashlib
    >>> key = hashlib.sha256(b"only for this example: a real key is random").digest()
    >>> receipts = pd.DataFrame({"card": ["M2", "M1", None], "amount": [5.0, 7.5, 3.0]})
    >>> pseudonymise(receipts, "card", key)["card"].str.len().to_list()
    [21.0, 21.0, nan]
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    needs(frame, columns)
    hidden = frame.copy()
    for column in columns:
        hidden[column] = pseudonyms(frame[column], key).to_numpy()
    return hidden.sort_values(columns[0], kind="stable", ignore_index=True)


# --- consent and roles ------------------------------------------------------------------------------------------------


def with_consent(frame: pd.DataFrame, column: str = "consent") -> pd.DataFrame:
    """The rows of those who clearly said yes. Missing or unclear is no.

    Spellings are read as in `evaluation.actions.action_list` (yes, Y, true, 1, 是 …). attrs `consent`: how many said
    yes and no, were missing or unclear, and the unclear spellings with their counts, so that somebody can ask again.
    Raises ColumnError if there is no such column.

    >>> asked = pd.DataFrame({"name": ["Ada", "Bo", "Cy", "Di"], "consent": ["Y", "no", None, "ask my husband"]})
    >>> told = with_consent(asked)
    >>> told["name"].to_list(), told.attrs["consent"]["unclear"], told.attrs["consent"]["spellings"]
    (['Ada'], 1, {'ask my husband': 1})
    """
    needs(frame, [column])
    meant = consent_words.read(frame[column])
    agreed = frame[meant == "yes"].copy()
    counts = {word: int((meant == word).sum()) for word in ("yes", "no", "missing", "unclear")}
    spellings = frame.loc[meant == "unclear", column].map(str).value_counts().to_dict()
    agreed.attrs = {**frame.attrs, "consent": {**counts, "spellings": spellings}}
    return agreed


def view(
    frame: pd.DataFrame, role: str, rules: Mapping[str, Mapping[str, str]], *, key: "bytes | str | None" = None
) -> pd.DataFrame:
    """What may this role see of the table?

    Parameters
        frame: any table.
        role: somebody's task, such as "cashier" or "analyst".
        rules: for each role the level of each column: "clear"; "pseudonym" (needs `key`); "masked" (initials, the
            last two digits, the year); "hidden". A column that a role has no rule for is hidden: who adds a column
            later must not show it to everybody by accident.
        key: for pseudonyms, see `pseudonyms`.
    Returns: a copy with the visible columns in the order of the table. attrs `access`: role, rows, and the columns at
        each level: a line for the firm's log of who saw what.
    Raises: InputError for a role or level that is not known, a pseudonym without key, a rule for a column that the
        table has not.

    >>> rules = {"cashier": {"name": "clear", "phone": "masked"}, "analyst": {"postcode": "clear"}}
    >>> people = pd.DataFrame({"name": ["Ada Lovelace"], "phone": ["+49 170 1234567"], "postcode": ["10437"]})
    >>> view(people, "cashier", rules)
               name phone
    0  Ada Lovelace   …67
    >>> view(people, "analyst", rules).attrs["access"]["hidden"]
    ['name', 'phone']
    """
    if role not in rules:
        raise InputError(f"there is no role {role!r}; there are {', '.join(rules)}." + near_misses(role, rules))
    levels = dict(rules[role])
    needs(frame, list(levels))
    for column, level in levels.items():
        if level not in LEVELS:
            raise InputError(
                f"{role} sees {column!r} {level!r}, which is no level; use {', '.join(LEVELS)}."
                + near_misses(level, LEVELS)
            )
    seen = {column: levels.get(column, "hidden") for column in frame.columns}
    shown = frame[[column for column, level in seen.items() if level != "hidden"]].copy()
    for column in shown.columns:
        if seen[column] == "pseudonym":
            if key is None:
                raise InputError(f"{role} sees {column!r} as a pseudonym; give the key, key=….")
            shown[column] = pseudonyms(frame[column], key).to_numpy()
        elif seen[column] == "masked":
            shown[column] = texts(frame[column].map(_masked, na_action="ignore"))
    listed = {level: [str(column) for column, its in seen.items() if its == level] for level in LEVELS}
    shown.attrs = {**frame.attrs, "access": {"role": role, "rows": len(frame), **listed}}
    return shown


def _masked(value: Any) -> str:
    """What is enough to recognise a value one knows, and too little to learn it."""
    if hasattr(value, "year"):
        return f"{value.year}-…"
    text = id_text(value).strip()
    digits = re.sub(r"\D", "", text)
    if "@" in text:
        return f"{text[:1]}…@…"
    if len(digits) > len(text) / 2:
        return f"…{digits[-2:]}" if len(digits) > 4 else "…"
    return " ".join(f"{word[0]}…" for word in text.split())
