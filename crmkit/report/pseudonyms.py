"""Take customer ids out of a report: keyed pseudonyms that only the holder of the key can translate back.

How a pseudonym is made stands in `crmkit.tables.privacy`; here are the files around it: the key and the table of
translations, which stay with the firm.
"""

import secrets
from pathlib import Path

import pandas as pd

from crmkit.errors import InputError
from crmkit.tables import privacy


def key(path: str | Path) -> bytes:
    """The secret key in the file `path`; made at random, readable by its owner only, if there is none.

    The same key gives the same pseudonyms, so next month's report can be compared with this one.
    """
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    try:
        return privacy.checked_key(path.read_text(encoding="ascii"))
    except ValueError as error:  # InputError is one, and so is text that is not ASCII
        raise InputError(
            f"{path.name} does not hold a key of 64 hexadecimal digits; restore it, or delete it for new ones. ({error})"
        ) from None


def replace(frame: pd.DataFrame, secret: bytes) -> tuple[pd.DataFrame, pd.Series]:
    """The frame with pseudonyms as its index, and the pseudonym of each customer id.

    `frame` has one row a customer, indexed by `customer_id`. The rows come back sorted by pseudonym, because the
    order of the ids tells something about them; attrs are kept.

    >>> frame = pd.DataFrame({"orders": [2, 1]}, index=pd.Index(["17", "41"], name="customer_id"))
    >>> key = bytes.fromhex("5be0cd19137e2179cbbb9d5dc1059ed8629a292a367cd5079159015a3070dd17")  # never publish yours
    >>> hidden, translation = replace(frame, key)
    >>> hidden.loc[translation["17"], "orders"]
    np.int64(2)
    """
    translation = privacy.pseudonyms(frame.index, secret)
    hidden = frame.set_axis(pd.Index(translation.to_numpy(), name=frame.index.name, dtype="str")).sort_index()
    hidden.attrs = dict(frame.attrs)
    return hidden, translation


def keep(translation: pd.Series, path: str | Path) -> None:
    """Write customer ids and their pseudonyms as CSV, readable by its owner only. It must not travel with the report."""
    from crmkit.report import export

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    export.write_csv(translation.rename_axis("customer_id").reset_index(), path)


def put(frame: pd.DataFrame) -> pd.DataFrame:
    """`replace`, in the folder of a report: its private part keeps the key, made when it is missing, and the translation."""
    hidden, translation = replace(frame, key("private/pseudonym_key.txt"))
    keep(translation, "private/pseudonyms.csv")
    return hidden
