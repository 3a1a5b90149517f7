"""Where bytes come from: a path, an fsspec address, or the caller."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from batchata.errors import DocumentError, DocumentNotFoundError


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as read.

    Attributes:
        data: the content.
        name: file name; ``None`` for bytes that came without one.
        label: what to call it in an error message: the path or address as the user wrote it.
    """

    data: bytes = field(repr=False)
    name: str | None
    label: str


def read(source: str | os.PathLike[str] | bytes, name: str | None) -> Raw:
    """Read a source whole. Raises ``DocumentError`` for what cannot be read or is empty."""
    if isinstance(source, bytes):
        raw = Raw(data=source, name=name, label=name or "<bytes>")
    elif isinstance(source, str) and _is_address(source):
        raw = _read_address(source)
    elif isinstance(source, str | os.PathLike):
        raw = _read_path(source)
    else:
        raise DocumentError(
            f"A file must be a path (str or Path), bytes or an address such as 's3://…', "
            f"not {type(source).__name__}: {source!r:.80}. Read an open file first: pass file.read()."
        )
    if not raw.data:
        raise DocumentError(f"{raw.label!r} is empty (0 bytes). Leave it out, or give the whole file.")
    return raw


def _read_path(source: str | os.PathLike[str]) -> Raw:
    label = os.fspath(source)
    if not label:
        raise DocumentError("The path is empty. Give the path of a file.")
    path = Path(label)
    try:
        if path.is_dir():
            raise _folder(label)
        if path.exists() and not path.is_file():
            raise DocumentError(f"{label!r} is not a regular file (a pipe or device?). Pass its bytes instead.")
        return Raw(data=path.read_bytes(), name=path.name, label=label)
    except FileNotFoundError as error:
        where = "" if path.is_absolute() else f" (looked in {str(Path.cwd())!r})"
        raise DocumentNotFoundError(f"There is no file {label!r}{where}. Check the path.") from error
    except PermissionError as error:
        raise DocumentError(
            f"No permission to read {label!r}. Change its permissions, or run as a user who may read it."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(
            f"{label!r:.80} cannot be read as a file: {error_text(error)}. "
            "If this is the content and not a path, pass it as bytes."
        ) from error


def _read_address(address: str) -> Raw:
    from fsspec.core import url_to_fs  # noqa: PLC0415  # imported where first used

    try:
        filesystem, path = url_to_fs(address)
    except ImportError as error:
        raise DocumentError(
            f"{address!r} needs a package that is not installed: {error}. Install it with pip and try again."
        ) from error
    except (ValueError, OSError) as error:
        raise DocumentError(
            f"{address!r} cannot be opened: {error_text(error)}. "
            "Give a path, bytes, or an address that fsspec knows."
        ) from error
    try:
        data = filesystem.cat_file(path)
    except (FileNotFoundError, IsADirectoryError) as error:
        if filesystem.isdir(path):
            raise _folder(address) from error
        raise DocumentNotFoundError(f"There is no file {address!r}. Check the address.") from error
    except PermissionError as error:
        raise DocumentError(f"No permission to read {address!r}. Check the credentials for it.") from error
    except OSError as error:
        raise DocumentError(f"{address!r} cannot be read: {error_text(error)}. Try again later.") from error
    return Raw(data=data, name=_address_name(address), label=address)


def file_name(source: str | os.PathLike[str] | bytes) -> str | None:
    """The name that a path or an address brings, without asking for the file; ``None`` for bytes."""
    if isinstance(source, bytes):
        return None
    if isinstance(source, str) and _is_address(source):
        return _address_name(source)
    return Path(source).name


def _is_address(text: str) -> bool:
    return "://" in text or "::" in text


def _address_name(address: str) -> str:
    # "zip://invoice.pdf::s3://bucket/all.zip" is the file invoice.pdf inside an archive.
    first = address.split("::", 1)[0]
    if first.startswith(("http://", "https://")):
        first = first.split("?", 1)[0].split("#", 1)[0]
    return first.rstrip("/").rsplit("/", 1)[-1]


def _folder(label: str) -> DocumentError:
    return DocumentError(f"{label!r} is a folder. Give the files in it, one by one.")


def error_text(error: BaseException) -> str:
    """The words of a foreign error without its final stop, for use inside our own sentence."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text.strip() or type(error).__name__).rstrip(".")
