"""The local engine: a small language model in a process of our own, as a provider like any other."""

from batchata.providers.local.provider import LocalProvider

__all__ = ["LocalProvider"]
