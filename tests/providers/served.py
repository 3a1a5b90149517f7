"""Every provider that is reached over a network, on its loopback server, under one hat."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.wire.gemini import GeminiServer
from tests.wire.mistral import MistralServer
from tests.wire.openai import OpenAIServer

if TYPE_CHECKING:
    import pytest

from batchata.providers import Provider
from batchata.runner import submit
from batchata.spool import Lines
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.loopback import Loopback


@dataclass(frozen=True, slots=True)
class Kind:
    """A provider, and where its server is told to the library.

    Attributes:
        model: as a user names it.
        variables: of the environment: the key's and the address's.
        path: what the address ends with.
        is_tagged: whether its jobs bear our name, so that a lost one is surely known again.
    """

    model: str
    serve: Callable[..., Loopback]
    variables: tuple[str, str]
    path: str = ""
    is_tagged: bool = True


KINDS = {
    "anthropic": Kind(
        "claude-haiku-5-5", AnthropicServer, ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"), is_tagged=False
    ),
    "openai": Kind("gpt-6-luna", OpenAIServer, ("OPENAI_API_KEY", "OPENAI_BASE_URL"), "/v1"),
    "gemini": Kind("gemini-3.5-flash-lite", GeminiServer, ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL")),
    "mistral": Kind("mistral-small-2603", MistralServer, ("MISTRAL_API_KEY", "MISTRAL_BASE_URL")),
    "compatible": Kind("compatible/gpt-6-luna", OpenAIServer, ("COMPATIBLE_API_KEY", "COMPATIBLE_BASE_URL"), "/v1"),
}
"""By the provider's name in this library."""

_STRANGE = (
    *(
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_PROFILE",
        "ANTHROPIC_CUSTOM_HEADERS",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
    ),
    *("GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"),
)
"""What a developer's machine may have set, and would change what is tested."""


@contextlib.contextmanager
def serving(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Loopback]:
    """The provider's server, to which the environment points; the working directory has no ``.env``."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(submit, "_LATE_SECONDS", 4.0)  # these servers are never at work on a job for long
    for variable in _STRANGE:
        monkeypatch.delenv(variable, raising=False)
    kind = KINDS[name]
    with kind.serve() as server:
        key, address = kind.variables
        monkeypatch.setenv(key, server.key)
        monkeypatch.setenv(address, server.url + kind.path)
        yield server


def submit_lines(provider: Provider, entries: Iterable[bytes], *, tag: str) -> str:
    """The provider's id of a job of these lines."""
    with Lines() as lines:
        lines.extend(entries)
        return provider.submit(lines, tag=tag)
