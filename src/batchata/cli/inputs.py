"""The inputs of a run, from what was typed: files by name, pattern, folder or address."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from batchata.cli.settings import is_address
from batchata.errors import ArgumentError, DocumentNotFoundError

_PATTERN = frozenset("*?[")


def expanded(places: Iterable[str]) -> list[str]:
    """Every file meant, each once, in the order given; patterns and folders by name.

    Raises ``ArgumentError`` for what means no file at all.
    """
    return list(dict.fromkeys(file for place in places for file in _files(place)))


def _files(place: str) -> Iterator[str]:
    if is_address(place):
        yield from _at_address(place)
    elif os.path.isdir(place):  # noqa: PTH112  # as text from here on: a million paths
        yield from _some(
            sorted(_in_folder(place)), f"The folder {place!r} holds no files. Give one with files in it."
        )
    elif os.path.lexists(place):
        yield place
    elif _PATTERN & set(place):
        found = (each for each in glob.iglob(place, recursive=True) if os.path.isfile(each))  # noqa: PTH113, PTH207
        yield from _some(
            sorted(found),
            f"No file fits {place!r}. Put a pattern in quotes, and try it with ls. (** means any folder.)",
        )
    else:
        raise DocumentNotFoundError(f"There is no file or folder {place!r}. Check the path.")


def _some(files: list[str], otherwise: str) -> list[str]:
    if not files:
        raise ArgumentError(otherwise)
    return files


def _in_folder(place: str) -> Iterator[str]:
    """All files below, but none that are hidden."""
    for path in Path(place).rglob("*"):
        inside = path.relative_to(place).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            yield str(path)


def _at_address(address: str) -> Iterator[str]:
    """An address as it is, unless it is a pattern, or ends with ``/`` as folders do."""
    is_web = address.startswith(("http://", "https://"))  # where * and ? are letters like others
    is_pattern = not is_web and "::" not in address and bool(_PATTERN & set(address))
    if not is_pattern and (is_web or not address.endswith("/")):
        yield address
        return
    from fsspec.core import url_to_fs  # noqa: PLC0415  # imported where first used

    try:
        system, path = url_to_fs(address)
        found = system.glob(path) if is_pattern else system.find(path)
    except ImportError as error:
        raise ArgumentError(f"{address!r} needs a package that is not installed: {error}") from error
    except (OSError, ValueError) as error:
        raise ArgumentError(
            f"{address!r} cannot be listed: {error}. Check the address and its credentials."
        ) from error
    files = sorted(system.unstrip_protocol(each) for each in found)
    yield from _some(files, f"Nothing is at {address!r}. Check the address.")
