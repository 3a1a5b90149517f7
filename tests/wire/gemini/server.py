"""A loopback Gemini: ``url`` is for ``GOOGLE_GEMINI_BASE_URL``."""

from __future__ import annotations

from pathlib import Path

from tests.wire import answers
from tests.wire.faults import Faults
from tests.wire.gemini.api import GeminiApi
from tests.wire.gemini.batches import GeminiBatches
from tests.wire.gemini.files import FileStore
from tests.wire.gemini.models import price
from tests.wire.gemini.producer import GeminiProducer
from tests.wire.gemini.replies import GeminiReplies
from tests.wire.jobs import Checks, EndsAfter
from tests.wire.ledger import Ledger
from tests.wire.loopback import Loopback
from tests.wire.outcomes import AnswerFunction

KEY = "AIza-loopback-key"


class GeminiServer(Loopback):
    """The server and its switches.

    Attributes:
        gemini: ``batches`` with the switches that only this provider has.
        files: what was uploaded.
    """

    replies = GeminiReplies()

    def __init__(
        self,
        answer: AnswerFunction = answers.echo,
        *,
        key: str = KEY,
        seed: int = 0,
        ends_after: EndsAfter | None = None,
        port: int = 0,
        ledger_path: Path | None = None,
    ) -> None:
        self.files = FileStore()
        self.gemini = GeminiBatches(
            GeminiProducer(answer, Faults(seed)), Ledger(ledger_path, price=price), self.files
        )
        self.api = GeminiApi(key=key, batches=self.gemini, files=self.files)
        super().__init__(self.api, self.gemini, key=key, port=port)
        self.ends_after = Checks(1) if ends_after is None else ends_after
