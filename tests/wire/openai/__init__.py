"""A loopback OpenAI, which can also play a server that only follows OpenAI."""

from tests.wire.openai.api import Leniency
from tests.wire.openai.server import OpenAIServer

__all__ = ["Leniency", "OpenAIServer"]
