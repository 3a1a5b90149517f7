"""Anthropic: ``encode`` and ``decode`` are pure and need no SDK; ``provider`` does."""
