"""Take customer ids out of a report: keyed pseudonyms that only the holder of the key can translate back.

A plain hash of a member number is no protection: all numbers can be hashed and compared. HMAC-SHA256 (RFC 2104) with a
random key is, as long as the key and the table of translations stay with the firm.
"""

import hmac
import secrets
from pathlib import Path

import pandas as pd

from crmkit.errors import InputError

#: Letters of a pseudonym after its "p": 80 bits, so two of a billion customers meet with a chance of 4 in 10 million.
LENGTH = 20


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
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < 32:
        raise InputError(
            f"{path.name} does not hold a key of 64 hexadecimal digits; restore it, or delete it for new ones."
        )
    return secret


def replace(frame: pd.DataFrame, secret: bytes) -> tuple[pd.DataFrame, pd.Series]:
    """The frame with pseudonyms as its index, and the pseudonym of each customer id.

    `frame` has one row a customer, indexed by `customer_id`. The rows come back sorted by pseudonym, because the
    order of the ids tells something about them; attrs are kept.

    >>> frame = pd.DataFrame({"orders": [2, 1]}, index=pd.Index(["17", "41"], name="customer_id"))
    >>> hidden, translation = replace(frame, bytes(32))
    >>> hidden.loc[translation["17"], "orders"]
    np.int64(2)
    """
    names = ["p" + hmac.digest(secret, str(name).encode(), "sha256").hex()[:LENGTH] for name in frame.index]
    translation = pd.Series(names, index=frame.index, name="pseudonym", dtype="str")
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
