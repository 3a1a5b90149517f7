"""OpenAI: ``encode`` and ``decode`` are pure and need no SDK; ``jobs`` (shared with compatible servers) does."""
