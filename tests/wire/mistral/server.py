"""A loopback Mistral: ``url`` is for the SDK's ``server_url``."""

from __future__ import annotations

from pathlib import Path

from tests.wire import answers
from tests.wire.faults import Faults, Reply
from tests.wire.jobs import Checks, EndsAfter, JobStore
from tests.wire.ledger import Ledger
from tests.wire.loopback import Loopback
from tests.wire.mistral.api import MistralApi, error_reply
from tests.wire.mistral.producer import MistralProducer, price
from tests.wire.outcomes import AnswerFunction

KEY = "mistral-loopback-key"


class MistralReplies:
    """Refusals in Mistral's words."""

    def rate_limited(self, retry_after: float | None = None) -> Reply:
        headers = () if retry_after is None else (("retry-after", f"{retry_after:g}"),)
        return error_reply(429, "Requests rate limit exceeded", headers)

    def server_error(self, status: int = 500) -> Reply:
        return error_reply(status, "Service unavailable.")

    def spend_limit(self) -> Reply:
        return error_reply(402, "You have reached your spending limit.")


class MistralServer(Loopback):
    """The server and its switches."""

    replies = MistralReplies()

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
        batches = JobStore(MistralProducer(answer, Faults(seed)), Ledger(ledger_path, price=price), id_prefix="job")
        super().__init__(MistralApi(key=key, batches=batches), batches, key=key, port=port)
        self.ends_after = Checks(1) if ends_after is None else ends_after
