"""Google Gemini: ``encode`` and ``decode`` are pure and need no SDK; ``provider`` does."""
