"""A loopback OpenAI: ``url`` with ``/v1`` behind it is for ``OPENAI_BASE_URL``."""

from __future__ import annotations

from pathlib import Path

from tests.wire import answers
from tests.wire.faults import Faults, Reply
from tests.wire.jobs import Checks, EndsAfter, JobStore
from tests.wire.ledger import Ledger
from tests.wire.loopback import Loopback
from tests.wire.openai.api import Leniency, OpenAIApi, error_reply
from tests.wire.openai.prices import price
from tests.wire.openai.producer import OpenAIProducer
from tests.wire.outcomes import AnswerFunction

KEY = "sk-loopback-key"


class OpenAIReplies:
    """Refusals in OpenAI's words."""

    def rate_limited(self, retry_after: float | None = None) -> Reply:
        headers = () if retry_after is None else (("retry-after", f"{retry_after:g}"),)
        return error_reply(
            429, "Rate limit reached for requests", kind="requests", code="rate_limit_exceeded", headers=headers
        )

    def server_error(self, status: int = 500) -> Reply:
        return error_reply(status, "The server had an error while processing your request.", kind="server_error")

    def spend_limit(self) -> Reply:
        words = "You exceeded your current quota, please check your plan and billing details."
        return error_reply(429, words, kind="insufficient_quota", code="insufficient_quota")


class OpenAIServer(Loopback):
    """The server and its switches; with a ``Leniency``, one that only follows OpenAI."""

    replies = OpenAIReplies()

    def __init__(
        self,
        answer: AnswerFunction = answers.echo,
        *,
        key: str = KEY,
        seed: int = 0,
        ends_after: EndsAfter | None = None,
        port: int = 0,
        ledger_path: Path | None = None,
        leniency: Leniency | None = None,
    ) -> None:
        batches = JobStore(
            OpenAIProducer(answer, Faults(seed)), Ledger(ledger_path, price=price), id_prefix="batch"
        )
        self.api = OpenAIApi(key=key, batches=batches, leniency=leniency or Leniency())
        super().__init__(self.api, batches, key=key, port=port)
        self.ends_after = Checks(1) if ends_after is None else ends_after
