"""Results that come whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import IO

from batchata.errors import ProviderError
from batchata.spool import ends_whole, new_spool, read_lines

logger = logging.getLogger(__name__)

_ATTEMPTS = 5


def whole_lines(what: str, provider: str, download: Callable[[IO[bytes]], bool], *, kept: str) -> Iterator[bytes]:
    """The lines of a file of results, downloaded whole first, so that a cut download never yields a line twice.

    Args:
        what: the file, for errors.
        provider: whose.
        download: writes the file into an empty spool; whether it came to its end, as far as the connection tells.
        kept: how long the results can still be had, as a sentence, for errors.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        with new_spool() as spool:
            if download(spool) and ends_whole(spool):
                yield from read_lines(spool)
                return
            logger.warning("download of %s was cut (attempt %d)", what, attempt)
    raise ProviderError(
        f"{what[0].upper()}{what[1:]} was cut {_ATTEMPTS} times while downloading. {kept}: check the network and ask "
        f"for it again.",
        provider=provider,
        retryable=True,
    )
