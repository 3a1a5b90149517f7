"""What each provider's server bills, and how the budget test changes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol
from unittest.mock import patch

from tests.wire import ledger
from tests.wire.gemini import models as gemini
from tests.wire.loopback import Loopback
from tests.wire.openai import prices as openai
from tests.wire.openai.producer import OpenAIProducer


@dataclass(frozen=True, slots=True)
class Billed:
    """Batch dollars per million tokens."""

    input: Decimal
    output: Decimal


class Tariff(Protocol):
    """One provider's.

    Attributes:
        models: to draw from.
        own: the one whose prices are drawn; the others have their real ones.
        least_tokens: of ``max_tokens``.
        geo: what a region may add.
        writes_unasked: whether the cache may be written, at 1.25 of the price, without being asked.
        writes_when_asked: whether it is where a request asks for it.
    """

    @property
    def models(self) -> tuple[str, ...]: ...

    @property
    def own(self) -> str: ...

    least_tokens: int
    geo: Decimal
    writes_unasked: bool
    writes_when_asked: bool

    def billed(self, model: str) -> Billed:
        """What a model costs."""
        ...

    def billing(self, model: str, billed: Billed) -> AbstractContextManager[None]:
        """The server's own price list, with these prices in it."""
        ...

    def misbehave(self, server: Loopback) -> None:
        """Bill as much as the provider may."""
        ...


class AnthropicTariff:
    """Standard prices, halved; the US cost a tenth more."""

    own = "claude-sonnet-4-5"
    models = (own, own, "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")
    least_tokens = 1
    geo = ledger.US_FACTOR
    writes_unasked = False
    writes_when_asked = True

    def billed(self, model: str) -> Billed:
        rate = ledger.RATES[model]
        return Billed(rate.input * ledger.BATCH_FACTOR, rate.output * ledger.BATCH_FACTOR)

    @contextmanager
    def billing(self, model: str, billed: Billed) -> Iterator[None]:
        rate = replace(
            ledger.RATES[model],
            input=billed.input / ledger.BATCH_FACTOR,
            output=billed.output / ledger.BATCH_FACTOR,
        )
        with patch.dict(ledger.RATES, {model: rate}):
            yield

    def misbehave(self, server: Loopback) -> None:
        """As it comes."""


class OpenAITariff:
    """The cache writes without being asked."""

    own = "gpt-6-sol"
    models = (own, own, "gpt-6-luna", "gpt-6.1-terra", "gpt-5.6-luna")
    least_tokens = 16
    geo = Decimal(1)
    writes_unasked = True
    writes_when_asked = True

    def billed(self, model: str) -> Billed:
        rate = openai.RATES[model]
        return Billed(rate.input, rate.output)

    @contextmanager
    def billing(self, model: str, billed: Billed) -> Iterator[None]:
        rate = replace(openai.RATES[model], input=billed.input, output=billed.output)
        with patch.dict(openai.RATES, {model: rate}):
            yield

    def misbehave(self, server: Loopback) -> None:
        assert isinstance(server.producer, OpenAIProducer)
        server.producer.written = 1.0


class GeminiTariff:
    """Its caches are asked for apart, and we ask for none."""

    own = "gemini-3.1-flash-lite"
    models = (own, own, "gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-2.5-flash")
    least_tokens = 1
    geo = Decimal(1)
    writes_unasked = False
    writes_when_asked = False

    def billed(self, model: str) -> Billed:
        known = gemini.MODELS[model]
        return Billed(known.input_price, known.output_price)

    @contextmanager
    def billing(self, model: str, billed: Billed) -> Iterator[None]:
        known = replace(gemini.MODELS[model], input_price=billed.input, output_price=billed.output)
        with patch.dict(gemini.MODELS, {model: known}):
            yield

    def misbehave(self, server: Loopback) -> None:
        """As it comes."""


TARIFFS: dict[str, Tariff] = {
    "anthropic": AnthropicTariff(),
    "openai": OpenAITariff(),
    "gemini": GeminiTariff(),
}
