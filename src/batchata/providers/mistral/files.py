"""Files of results, through the official SDK."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import IO

import httpx2
from mistralai.client import Mistral

from batchata.errors import ProviderError
from batchata.providers.mistral.errors import asked
from batchata.providers.spool import ends_whole, new_spool, read_lines

logger = logging.getLogger(__name__)

_FETCH_ATTEMPTS = 5


def lines_of(client: Mistral, file_id: str) -> Iterator[bytes]:
    """The lines of a file. Downloaded whole first, so that a cut download never yields a line twice."""
    for attempt in range(1, _FETCH_ATTEMPTS + 1):
        with new_spool() as spool:
            if asked(f"reading the file {file_id!r}", lambda: _download(client, file_id, spool)):  # called at once
                yield from read_lines(spool)
                return
            logger.warning("download of the file %s was cut (attempt %d)", file_id, attempt)
    raise ProviderError(
        f"The file {file_id!r} with results was cut {_FETCH_ATTEMPTS} times while downloading. It stays at Mistral for "
        f"a day at least: check the network and ask for it again.",
        provider="mistral",
        retryable=True,
    )


def _download(client: Mistral, file_id: str, spool: IO[bytes]) -> bool:
    """Whether the file came whole."""
    spool.seek(0)
    spool.truncate()
    with closing(client.files.download(file_id=file_id)) as response:
        try:
            for chunk in response.iter_bytes():
                spool.write(chunk)
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            return False
    return ends_whole(spool)
