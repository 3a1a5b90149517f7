"""Uploaded files and files of results, as OpenAI and Mistral keep them."""

from __future__ import annotations

import itertools
import re
import threading
import time
from dataclasses import dataclass, field

from tests.wire.outcomes import new_id


@dataclass(frozen=True, slots=True)
class File:
    """One file."""

    id: str
    name: str
    purpose: str
    content: bytes = field(repr=False)
    created_at: int


class FileStore:
    """All files of the workspace."""

    def __init__(self, id_prefix: str) -> None:
        self._id_prefix = id_prefix
        self._files: dict[str, File] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, name: str, purpose: str, content: bytes) -> File:
        with self._lock:
            file_id = new_id(self._id_prefix, f"{next(self._numbers)}:{time.time_ns()}")
            made = File(file_id, name, purpose, content, int(time.time()))
            self._files[file_id] = made
        return made

    def get(self, file_id: str) -> File | None:
        return self._files.get(file_id)

    def delete(self, file_id: str) -> File | None:
        return self._files.pop(file_id, None)


def form_of(content_type: str, body: bytes) -> dict[str, tuple[str | None, bytes]]:
    """The fields of a multipart form: file name (of a file) and content, by name. Empty for what is none."""
    found = re.search(r'boundary="?([^";]+)', content_type)
    if found is None:
        return {}
    fields: dict[str, tuple[str | None, bytes]] = {}
    for part in body.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        words = head.decode()
        name = re.search(r'[; ]name="([^"]*)"', words)
        file_name = re.search(r'filename="([^"]*)"', words)
        if name is not None:
            fields[name[1]] = (file_name[1] if file_name else None, content.removesuffix(b"\r\n"))
    return fields
