"""Files of results, through the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import IO

import httpx2
from mistralai.client import Mistral

from batchata.providers.downloads import whole_lines
from batchata.providers.mistral.errors import asked


def lines_of(client: Mistral, file_id: str) -> Iterator[bytes]:
    """The lines of a file."""

    def download(spool: IO[bytes]) -> bool:
        return asked(f"reading the file {file_id!r}", lambda: _download(client, file_id, spool))

    kept = "It stays at Mistral for a day at least"
    return whole_lines(f"the file {file_id!r} with results", "mistral", download, kept=kept)


def _download(client: Mistral, file_id: str, spool: IO[bytes]) -> bool:
    """Whether the file came to its end."""
    spool.seek(0)
    spool.truncate()
    with closing(client.files.download(file_id=file_id)) as response:
        try:
            for chunk in response.iter_bytes():
                spool.write(chunk)
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            return False
    return True
