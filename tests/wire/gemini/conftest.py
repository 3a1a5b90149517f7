"""The server, the unmodified SDK pointed at it, and our adapter."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from google import genai
from google.genai import types

from batchata.providers.gemini.provider import GeminiProvider
from tests.wire.gemini import GeminiServer


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        yield server


@pytest.fixture
def client(server: GeminiServer) -> Iterator[genai.Client]:
    with httpx2.Client() as http:
        options = types.HttpOptions(base_url=server.url, httpx_client=http)
        yield genai.Client(vertexai=False, api_key=server.key, http_options=options)


@pytest.fixture
def provider(server: GeminiServer) -> GeminiProvider:
    return GeminiProvider.from_environment({"GEMINI_API_KEY": server.key, "GOOGLE_GEMINI_BASE_URL": server.url})
