"""Where the lessons, notebooks and data lie: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

from crmkit.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
FOLDERS = ("datasets", "docs", "lessons", "notebooks", "solutions")


def folder(name: str) -> Path:
    """The folder of that name that ships with the kit.

    >>> folder("datasets").is_dir()
    True
    """
    if name not in FOLDERS:
        raise InputError(f"{name!r} does not ship with crmkit; what ships is {', '.join(FOLDERS)}.")
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
