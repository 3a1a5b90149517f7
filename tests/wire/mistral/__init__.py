"""A loopback Mistral."""

from tests.wire.mistral.server import MistralServer

__all__ = ["MistralServer"]
