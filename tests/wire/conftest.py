"""The unmodified SDK, pointed at the loopback server, with its own retries off."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest

from tests.wire.anthropic_server import AnthropicServer


@pytest.fixture
def client(anthropic_server: AnthropicServer) -> Iterator[anthropic.Anthropic]:
    assert anthropic_server.url
    with anthropic.Anthropic(max_retries=0) as client:
        yield client
