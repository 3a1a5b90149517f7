"""What OpenAI bills in batches: providers.md 7 and 8.2. Not one line of the library is used here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.wire.answers import JsonObject
from tests.wire.ledger import MILLION

_LONG_PROMPT = 272_000
_WRITE = Decimal("1.25")


@dataclass(frozen=True, slots=True)
class Rate:
    """Batch dollars per million tokens; ``cached`` is the price of a cached input token."""

    input: Decimal
    output: Decimal
    cached: Decimal
    has_step: bool = False


RATES = {
    "gpt-6-luna": Rate(Decimal("0.05"), Decimal("0.25"), Decimal("0.005"), has_step=True),
    "gpt-6-sol": Rate(Decimal(1), Decimal(5), Decimal("0.1"), has_step=True),
    "gpt-6.1-sol": Rate(Decimal(1), Decimal(5), Decimal("0.05"), has_step=True),
    "gpt-6.1-terra": Rate(Decimal("0.5"), Decimal("2.5"), Decimal("0.025"), has_step=True),
    "gpt-5.6-luna": Rate(Decimal("0.1"), Decimal("0.6"), Decimal("0.01"), has_step=True),
    "gpt-4.1": Rate(Decimal(1), Decimal(4), Decimal(1)),
}


def price(model: str, usage: JsonObject) -> Decimal:
    """Dollars of one answer, exact; usage as a response or as a chat completion has it."""
    rate = RATES[model]
    is_chat = "prompt_tokens" in usage
    prompt, output = (
        (usage["prompt_tokens"], usage["completion_tokens"])
        if is_chat
        else (usage["input_tokens"], usage["output_tokens"])
    )
    details = usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or {}
    cached, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    plain: int = prompt - cached - written
    into: Decimal = plain * rate.input + cached * rate.cached + written * rate.input * _WRITE
    out: Decimal = output * rate.output
    if rate.has_step and prompt > _LONG_PROMPT:
        into, out = into * 2, out * Decimal("1.5")
    return (into + out) / MILLION
