"""The models this server knows, and their batch prices (providers.md 8.3), independent of the library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tests.wire.answers import JsonObject

_MILLION = Decimal(1_000_000)
_LONG_PROMPT = 200_000
_ARGON_RISES = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the catalogue; prices are batch dollars per million tokens."""

    id: str
    display_name: str
    input_price: Decimal
    output_price: Decimal
    input_limit: int = 1_048_576
    output_limit: int = 65_536
    actions: tuple[str, ...] = ("generateContent", "countTokens", "createCachedContent", "batchGenerateContent")


_ALL_MODELS = (
    Model("gemini-4-argon", "Gemini 4 Argon", Decimal(1), Decimal(5)),
    Model("gemini-3.8-flash", "Gemini 3.8 Flash", Decimal("0.375"), Decimal("1.875")),
    Model("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", Decimal("0.15"), Decimal("1.25")),
    Model("gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite", Decimal("0.125"), Decimal("0.75")),
    Model("gemini-2.5-pro", "Gemini 2.5 Pro", Decimal("0.625"), Decimal(5)),
    Model("gemini-2.5-flash", "Gemini 2.5 Flash", Decimal("0.15"), Decimal("1.25")),
    Model(
        "gemini-2.5-flash-preview-tts",
        "Gemini 2.5 Flash Preview TTS",
        Decimal(0),
        Decimal(0),
        actions=("generateContent", "countTokens"),
    ),
)
MODELS = {model.id: model for model in _ALL_MODELS}


def model_info(model: Model) -> JsonObject:
    """The model as the Models API shows it."""
    return {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.display_name,
        "description": f"{model.display_name} on a loopback port",
        "inputTokenLimit": model.input_limit,
        "outputTokenLimit": model.output_limit,
        "supportedGenerationMethods": list(model.actions),
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def price(model: str, usage: JsonObject) -> Decimal:
    """Dollars of one answer in a batch, exact. This server reads nothing from a cache."""
    known, prompt = MODELS[model], usage["promptTokenCount"]
    output = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
    in_factor = out_factor = Decimal(1)
    if model == "gemini-4-argon" and datetime.now(UTC) >= _ARGON_RISES:
        in_factor = out_factor = Decimal(2)
    if model == "gemini-2.5-pro" and prompt > _LONG_PROMPT:
        in_factor, out_factor = Decimal(2), Decimal("1.5")
    cost: Decimal = (prompt * known.input_price * in_factor + output * known.output_price * out_factor) / _MILLION
    return cost
