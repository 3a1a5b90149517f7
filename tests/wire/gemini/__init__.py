"""A loopback Gemini."""

from tests.wire.gemini.server import GeminiServer

__all__ = ["GeminiServer"]
