"""The registry: which provider serves which model.

Adding a provider is one file beside this one, and one entry in ``PROVIDERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from batchata.errors import MissingExtraError, UnknownModelError
from batchata.providers.base import Provider
from batchata.providers.compatible.presets import PRESETS

__all__ = ["PROVIDERS", "Entry", "Provider", "provider_for"]


def _anthropic(environment: Mapping[str, str]) -> Provider:
    try:
        from batchata.providers.anthropic.provider import AnthropicProvider  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise _missing_extra("anthropic", error) from error
    return AnthropicProvider.from_environment(environment)


def _openai(environment: Mapping[str, str]) -> Provider:
    try:
        from batchata.providers.openai.server import connect  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise _missing_extra("openai", error) from error
    return connect(environment)


def _gemini(environment: Mapping[str, str]) -> Provider:
    try:
        from batchata.providers.gemini.provider import GeminiProvider  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise _missing_extra("gemini", error) from error
    return GeminiProvider.from_environment(environment)


def _mistral(environment: Mapping[str, str]) -> Provider:
    try:
        from batchata.providers.mistral.provider import MistralProvider  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise _missing_extra("mistral", error) from error
    return MistralProvider.from_environment(environment)


def _compatible(name: str, environment: Mapping[str, str]) -> Provider:
    try:
        from batchata.providers.compatible.server import connect  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise _missing_extra("openai", error) from error
    return connect(name, environment)


def _local(environment: Mapping[str, str]) -> Provider:
    from batchata.providers.local import LocalProvider  # noqa: PLC0415  # imported where first used

    return LocalProvider.from_environment(environment)


def _missing_extra(extra: str, error: ModuleNotFoundError) -> MissingExtraError:
    return MissingExtraError(f"The package {error.name!r} is not installed: pip install 'batchata[{extra}]'.")


@dataclass(frozen=True, slots=True)
class Entry:
    """How to recognise a provider's models, and how to connect to it (imports its SDK; needs its key)."""

    prefixes: tuple[str, ...]
    connect: Callable[[Mapping[str, str]], Provider]


PROVIDERS: dict[str, Entry] = {
    "anthropic": Entry(prefixes=("claude-",), connect=_anthropic),
    "openai": Entry(prefixes=("gpt-", "chatgpt-", "o1", "o3", "o4-", "ft:gpt-"), connect=_openai),
    "gemini": Entry(prefixes=("gemini-",), connect=_gemini),
    "mistral": Entry(
        prefixes=("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-", "open-mistral-"),
        connect=_mistral,
    ),
    "local": Entry(prefixes=(), connect=_local),
    **{name: Entry(prefixes=(), connect=partial(_compatible, name)) for name in PRESETS},
}


def provider_for(model: str, environment: Mapping[str, str]) -> tuple[Provider, str]:
    """Connect to the provider that serves ``model``.

    Returns the provider and the model's name without the ``provider/`` in front. Raises ``UnknownModelError``
    for a name that no provider claims, ``MissingKeyError`` or ``MissingExtraError`` when it cannot connect.
    """
    name, slash, rest = model.partition("/")
    if slash and rest and name in PROVIDERS:
        return PROVIDERS[name].connect(environment), rest
    for entry in PROVIDERS.values():
        if model.startswith(entry.prefixes or ("\0",)):
            return entry.connect(environment), model
    known = ", ".join(
        [f"{prefix}…" for entry in PROVIDERS.values() for prefix in entry.prefixes]
        + [f"{name}/…" for name in PROVIDERS]
    )
    raise UnknownModelError(
        f"No provider claims the model {model!r}. Known prefixes: {known}. If one of these serves it, name it "
        f"outright, as in 'anthropic/NAME'."
    )
